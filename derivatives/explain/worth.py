"""What carried trades are worth in any market between the two: value ahead and cash paid, and their sensitivities to the curve's moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector, clock, counted
from tenorgrid.data.errors import NotPublishedError
from tenorgrid.data.kinds.contract import ExplainFactor, TradeKind
from tenorgrid.data.periods import Period
from tenorgrid.derivatives.book.kinds.strips import SIDES
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.book.valuation import PRICES
from tenorgrid.derivatives.explain.carried import KNOWN, STRIPS, Carried, Claims
from tenorgrid.derivatives.explain.passage import EPOCH, NOTHING, Lever, Moved, Passage

ALWAYS = frozenset({ExplainFactor.TIME, ExplainFactor.FIXINGS, ExplainFactor.CURVE, ExplainFactor.DISCOUNT})
LINEAR = (TradeKind.FORWARD, TradeKind.SWAP, TradeKind.FUTURE, TradeKind.SPREAD, TradeKind.BASKET, TradeKind.VIRTUAL)
ON_ONE = (TradeKind.OPTION, TradeKind.AVERAGE, TradeKind.AMERICAN, TradeKind.BARRIER, *STRIPS)  # no correlation
READS = dict.fromkeys(LINEAR, ALWAYS) | dict.fromkeys(ON_ONE, ALWAYS | {ExplainFactor.VOLATILITY})  # others read everything
VIRTUALS: tuple[tuple[str, str, float], ...] = (("forward", "strike", 1.0),)


@dataclass(frozen=True, eq=False, kw_only=True)
class State:
    """A market between the two: `ahead` (n,) value and `cash` (n,) paid, USD.

    `curve` (n,) is what the curves' whole move adds by the deltas here, `moves` the same by index and move (moves,) of the whole book.
    """

    ahead: Vector
    cash: Vector
    curve: Vector
    moves: Mapping[str, Vector]

    @property
    def worth(self) -> Vector:
        """(n,) both."""
        return self.ahead + self.cash


@dataclass(frozen=True, eq=False, kw_only=True)
class Worths:
    """Worth of carried trades along a passage."""

    passage: Passage
    trades: Carried
    _markets: dict[object, Market] = field(default_factory=dict, repr=False)
    _priced: dict[object, "_Sums"] = field(default_factory=dict, repr=False)  # by claims and what of the state they read

    def at(self, moved: Moved, *, half: Moved = NOTHING, lever: Lever | None = None, step: float = 0.0) -> State:
        """The state in which the factors of `moved` are the later ones, those of `half` halfway, and `lever` is a step further."""
        count, late = self.trades.names.len(), ExplainFactor.TIME in moved
        ahead, cash, curve = np.zeros(count), np.zeros(count), np.zeros(count)
        moves = {index: np.zeros(move.shape[1]) for index, move in self.passage.moves.items()}
        for claims, to in ((self.trades.later if late else self.trades.now, ahead), (self.trades.closing if late else (), cash)):
            for one in claims:
                found = self._sums(one, moved, half, lever, step)
                np.add.at(to, one.place, found.value)
                np.add.at(curve, one.place, found.curve)
                for index, amounts in found.moves.items():
                    moves[index] += amounts
        if not late:
            return State(ahead=ahead + self._settled, cash=cash, curve=curve, moves=moves)
        cash += self.trades.premiums + self._settled + self._hours(fixings=ExplainFactor.FIXINGS in moved)
        return State(ahead=ahead, cash=cash, curve=curve, moves=moves)

    def _sums(self, claims: Claims, moved: Moved, half: Moved, lever: Lever | None, step: float) -> "_Sums":
        """Priced once for everything that its kind reads."""
        reads = READS.get(claims.kind, frozenset(ExplainFactor))
        if claims.kind in KNOWN and claims.begin >= self.passage.after.as_of:  # none of the days that pass is theirs
            reads -= {ExplainFactor.FIXINGS}
        own = None if lever is None or lever[0] not in reads else lever
        state = (moved & reads, half & reads, own, step if own else 0.0)
        key = (id(claims), *state)
        if key not in self._priced:
            self._priced[key] = _sums(PRICES[claims.kind](claims.trades, self._market(*state)))
        return self._priced[key]

    def _market(self, moved: Moved, half: Moved, lever: Lever | None, step: float) -> Market:
        key = (moved, half, lever, step)
        if key not in self._markets:
            self._markets[key] = self.passage.market(moved, half=half, lever=lever, step=step)
        return self._markets[key]

    @cached_property
    def _settled(self) -> Vector:
        found = np.zeros(self.trades.names.len())
        for one in self.trades.settled:
            np.add.at(found, one.place, PRICES[one.kind](one.trades, self.passage.before).value)
        return found

    def _hours(self, *, fixings: bool) -> Vector:
        """(n,) paid for the hours that passed."""
        found = np.zeros(self.trades.names.len())
        for claims in self.trades.hourly:
            sides = VIRTUALS if claims.kind == TradeKind.VIRTUAL else SIDES[claims.kind]
            spans = claims.trades.with_row_index("at").group_by("index", "start", "end", "profile", maintain_order=True)
            for (index, start, end, profile), rows in spans:
                low, high = max(start, self.passage.before.as_of), min(end, self.passage.after.as_of)
                price = self._prices(str(index), Period(start=low, end=high).starts(), str(profile), fixings=fixings)
                at = rows["at"].to_numpy()
                for side, column, bought in sides:
                    paid = price[None, :] - rows[column].to_numpy()[:, None]
                    paid = paid if side == "forward" else np.maximum(paid if side == "cap" else -paid, 0.0)
                    amount = bought * (rows["sign"] * rows["quantity"]).to_numpy() * paid.sum(axis=1)
                    np.add.at(found, claims.place[at], amount)
        return found

    def _prices(self, index: str, hours: pl.Series, profile: str, *, fixings: bool) -> Vector:
        """(hours,) of a profile that passed: forwards, or each its day's fixing."""
        passage = self.passage
        hours = hours.filter(pl.Series(counted(hours, profile, passage.before.timezone)))
        if hours.is_empty():
            return np.zeros(0)
        if not fixings:
            low, high = passage.before.curves[index].places(hours[0], hours[-1] + timedelta(hours=1))
            grid = passage.before.curves[index].starts[low:high]
            return np.asarray(passage.before.curves[index].forward[low:high][grid.is_in(hours.implode()).to_numpy()])
        days = [EPOCH + timedelta(days=int(day)) for day in clock(hours, passage.before.timezone).day]
        known = passage.published[index]
        if missing := sorted({day for day in days if day not in known}):
            raise NotPublishedError(f"{index} has no fixing for {', '.join(map(str, missing))}")
        return np.array([known[day] for day in days])


@dataclass(frozen=True, eq=False, kw_only=True)
class _Sums:
    """Values (n,) of claims, their gain (n,) by the curves' whole move, and the whole gain by index and move."""

    value: Vector
    curve: Vector
    moves: Mapping[str, Vector]


def _sums(priced: Priced) -> _Sums:
    curve = np.zeros(priced.value.size)
    moves: dict[str, Vector] = {}
    for block in priced.blocks:
        np.add.at(curve, block.rows, block.quotes.sum(axis=1))
        moves[block.index] = moves.get(block.index, 0.0) + block.quotes.sum(axis=0)
    return _Sums(value=priced.value, curve=curve, moves=moves)
