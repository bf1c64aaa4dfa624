"""What a book gained from one valuation to a later one, by what happened: Greeks explain with its residual, full revaluation beside it.

    gain = value after + cash paid in between − value before = time + fixings + curve + volatility + correlation + discount + trades

A trade that is new gains all of its worth, and what it has paid, under `trades`; so does a trade whose terms have changed with the
difference they make on the later market. A trade that has ended is carried to the later moment, where what it is worth counts as cash.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import ExplainFactor
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.explain import CashTold, ExplainCash, ExplainComponents, ExplainMoves, ExplainTrades
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.book.volatility import ByExpiry
from tenorgrid.derivatives.explain.carried import KNOWN, Carried, carried
from tenorgrid.derivatives.explain.greeks import ByGreeks, by_greeks
from tenorgrid.derivatives.explain.passage import Passage, passage
from tenorgrid.derivatives.explain.shapley import shapley
from tenorgrid.derivatives.explain.worth import Worths

ROUNDING = 1e-9  # of a trade's value: what two ways to the same value may differ by


@dataclass(frozen=True, eq=False, kw_only=True)
class Explained:
    """Gains by trade (n,) and what they came of; `greeks` and `revalued` by factor (n,), USD."""

    passage: Passage
    names: pl.Series
    before: Vector
    after: Vector
    cash: Vector
    greeks: Mapping[ExplainFactor, Vector]
    revalued: Mapping[ExplainFactor, Vector]
    by_greeks: ByGreeks

    @property
    def gain(self) -> float:
        """What the whole book gained, USD."""
        return float((self.after + self.cash - self.before).sum())

    @property
    def explained(self) -> float:
        """What the Greeks say it gained, USD."""
        return float(sum(amount.sum() for amount in self.greeks.values()))

    @property
    def residual(self) -> float:
        """What the Greeks leave unsaid, USD."""
        return self.gain - self.explained

    @property
    def first_residual(self) -> float:
        """What the sensitivities of before alone would leave of the gain, time and fixings revalued, USD."""
        found = self.by_greeks
        market = sum(amount.sum() for amount in (*found.first_moves.values(), *found.first_levers.values()))
        other = (ExplainFactor.TIME, ExplainFactor.FIXINGS, ExplainFactor.TRADES)
        return self.gain - float(market) - float(sum(self.greeks[factor].sum() for factor in other if factor in self.greeks))

    @property
    def size(self) -> float:
        """Sum of the absolute components of the whole book, USD."""
        return float(sum(abs(amount.sum()) for amount in self.greeks.values()))

    @property
    def share(self) -> float:
        """Absolute residual over the sum of the absolute components; 0 where nothing moved."""
        return abs(self.residual) / self.size if self.size > 0 else 0.0

    @cached_property
    def components(self) -> pl.DataFrame:
        """`ExplainComponents` of the whole book."""
        rows = [(str(factor), float(self.greeks[factor].sum()), float(self.revalued[factor].sum())) for factor in self.greeks]
        return ExplainComponents.validate(pl.DataFrame(rows, schema=["factor", "greeks", "revalued"], orient="row"), cast=True)

    @cached_property
    def trades(self) -> pl.DataFrame:
        """`ExplainTrades`: every trade by every factor."""
        parts = [
            pl.DataFrame({"trade_id": self.names, "greeks": self.greeks[factor], "revalued": self.revalued[factor]}).with_columns(
                pl.lit(str(factor)).alias("factor")
            )
            for factor in self.greeks
        ]
        order = pl.DataFrame({"trade_id": self.names}).with_row_index("at")
        rows = pl.concat(parts).join(order, on="trade_id", maintain_order="left").sort("at", maintain_order=True)
        return ExplainTrades.validate(rows.select(ExplainTrades.column_names()), cast=True)

    @cached_property
    def moves(self) -> pl.DataFrame:
        """`ExplainMoves`: quotes, volatilities, correlations and the discount, those that moved and moved the book."""
        schema = {"factor": pl.String, "index": pl.String, "bucket": pl.String, "move": pl.Float64, "first": pl.Float64, "mean": pl.Float64}
        rows = pl.DataFrame(list(self._moves()), schema=schema, orient="row").filter(
            pl.max_horizontal(pl.col("first").abs(), pl.col("mean").abs()) > ROUNDING * (1.0 + self.size)
        )
        return ExplainMoves.validate(
            rows.select(
                "factor", "index", "bucket", pl.col("move").fill_nan(None), "first", (pl.col("mean") - pl.col("first")).alias("second")
            ),
            cast=True,
        )

    @cached_property
    def values(self) -> pl.DataFrame:
        """`ExplainCash`: before, after, cash and gain by trade."""
        gain = self.after + self.cash - self.before
        return ExplainCash.validate(
            pl.DataFrame({"trade_id": self.names, "before": self.before, "after": self.after, "cash": self.cash, "gain": gain})
        )

    def _moves(self) -> Iterator[tuple[str, str, str, float, float, float]]:
        found = self.by_greeks
        for index, mean in found.moves.items():
            for place, (name, move) in enumerate(self.passage.quotes(index)):
                yield str(ExplainFactor.CURVE), index, name, move, float(found.first_moves[index][place]), float(mean[place])
        for (factor, name), amount in found.levers.items():
            yield str(factor), name, "", self._move(factor, name), float(found.first_levers[factor, name].sum()), float(amount.sum())

    def _move(self, factor: ExplainFactor, name: str) -> float:
        """Of a number; not of what is told by expiry or by a curve."""
        first, last = self.passage.before, self.passage.after
        if factor == ExplainFactor.CORRELATION:
            pair = frozenset(name.split(" | "))
            return last.correlation[pair] - first.correlation[pair]
        one, other = first.volatility.get(name), last.volatility.get(name)
        if factor == ExplainFactor.DISCOUNT or one is None or other is None or isinstance(one, ByExpiry) or isinstance(other, ByExpiry):
            return float("nan")
        return other - one


def explained(before: BookValue, after: BookValue, *, trades: Sequence[str] | None = None, cash: pl.DataFrame | None = None) -> Explained:
    """Explain what a book gained between two of its valuations.

    Args:
        before: the earlier valuation.
        after: the later one; its book may have trades that are new, and lack some that ended.
        trades: those to explain; None is all of both.
        cash: `CashTold`, what trades paid in between whose kind does not tell (others than those of docs/pnl-explain.md).

    Raises `InputError` for a later valuation of an earlier moment or another time zone, trades that neither knows, cash that is not told
    or told where it is derived, and an index without a later curve; `NotPublishedError` naming the days whose fixings are missing.
    """
    way, names = passage(before.market, after.market), _names(before, after, trades)
    told = CashTold.create_empty() if cash is None else checked(cash, CashTold, name="cash")
    _refuse(before, after, way, names, told)
    worths = Worths(passage=way, trades=_carried(before, before.values["trade_id"], names, way, frozenset(told["trade_id"])))
    sets = [frozenset(factor for bit, factor in enumerate(way.factors) if place >> bit & 1) for place in range(1 << len(way.factors))]
    states = {moved: worths.at(moved) for moved in sets}
    found, final = by_greeks(worths, states), states[frozenset(way.factors)]
    fresh = ~names.is_in(before.values["trade_id"].implode()).to_numpy()
    gone = ~names.is_in(after.values["trade_id"].implode()).to_numpy()
    extra = _by_name(told.rename({"amount": "value"}), names)
    first, last = _by_name(before.values, names), _by_name(after.values, names)
    paid = final.cash + np.where(gone, final.ahead, 0.0) + extra + _first_cash(after, names, fresh, way)
    entered = np.where(fresh, last + paid, np.where(gone, 0.0, last - final.ahead))
    entered[np.abs(entered) <= ROUNDING * (1.0 + np.abs(first) + np.abs(last))] = 0.0
    revalued = dict(zip(way.factors, shapley(np.stack([states[one].worth for one in sets])), strict=True))
    greeks = _by_factor(found, way, names.len())
    for one in (greeks, revalued):
        one[ExplainFactor.TRADES] = entered
        if extra[~fresh].any():
            one[ExplainFactor.TIME] = one[ExplainFactor.TIME] + np.where(fresh, 0.0, extra)
    order = [factor for factor in ExplainFactor if factor in greeks]
    return Explained(
        passage=way, names=names, before=first, after=last, cash=paid, by_greeks=found,
        greeks={factor: greeks[factor] for factor in order}, revalued={factor: revalued[factor] for factor in order},
    )  # fmt: skip


def _by_factor(found: ByGreeks, way: Passage, count: int) -> dict[ExplainFactor, Vector]:
    greeks = {factor: np.zeros(count) for factor in way.factors} | dict(found.at_once)
    if ExplainFactor.CURVE in greeks:
        greeks[ExplainFactor.CURVE] = found.curve
    for (factor, _), amount in found.levers.items():
        greeks[factor] = greeks[factor] + amount
    return greeks


def _carried(book: BookValue, mine: pl.Series, names: pl.Series, way: Passage, told: frozenset[str]) -> Carried:
    """Those of `mine` that are explained, as both moments see them; the others of `names` have no claims."""
    parts = [part.trades.filter(pl.col("trade_id").is_in(mine.implode())) for part in book.parts]
    return carried([part for part in parts if part.height], names=names, market=way.before, later=way.after.as_of, told=told)


def _first_cash(after: BookValue, names: pl.Series, fresh: Flags, way: Passage) -> Vector:
    """(n,) what new trades have paid already, such as their premiums."""
    new = names.filter(pl.Series(fresh))
    if new.is_empty() or way.after.as_of == way.before.as_of:
        return np.zeros(names.len())
    carry = _carried(after, new, names, way, frozenset(new))
    return Worths(passage=way, trades=replace(carry, settled=())).at(frozenset(way.factors)).cash


def _by_name(values: pl.DataFrame, names: pl.Series) -> Vector:
    """(n,) value of each name, 0 where there is none."""
    found = dict(values.select("trade_id", "value").iter_rows())
    return np.array([found.get(name, 0.0) for name in names])


def _names(before: BookValue, after: BookValue, trades: Sequence[str] | None) -> pl.Series:
    """Trades explained, those of before first. Raises `InputError` for a name of neither."""
    everyone = pl.concat([before.values["trade_id"], after.values["trade_id"]]).unique(maintain_order=True)
    if trades is None:
        return everyone
    strange = [name for name in trades if name not in set(everyone)]
    if strange or not trades:
        wanted = "trades valued before or after"
        raise InputError([Fault(file="trades", column="trade_id", value=name, expected=wanted) for name in strange or ["none"]])
    return everyone.filter(everyone.is_in(list(trades)))


def _refuse(before: BookValue, after: BookValue, way: Passage, names: pl.Series, told: pl.DataFrame) -> None:
    """Raise `InputError` for indices without a later curve, and for cash of trades that are none of these or whose kind tells it."""
    chosen = set(names)
    faults: list[Fault] = []
    kinds: dict[str, str] = {}
    for book in (before, after):
        kinds.update(book.values.select("trade_id", pl.col("kind").cast(pl.String)).iter_rows())
    for part in before.parts:
        mine = part.trades["trade_id"].is_in(names.implode()).to_numpy()
        lacking = {block.index for block in part.priced.blocks if mine[block.rows].any()} - way.after.curves.keys()
        faults += [Fault(file="after", column="index", value="no curve", expected=f"a later curve of {index}") for index in sorted(lacking)]
    for name in told["trade_id"]:
        if name not in chosen:
            faults.append(Fault(file="cash", column="trade_id", value=name, expected="a trade that is explained"))
        elif kinds[name] in {str(kind) for kind in KNOWN}:
            faults.append(Fault(file="cash", column="trade_id", value=name, expected=f"nothing: what a {kinds[name]} pays is worked out"))
    if not told.is_empty() and way.after.as_of == way.before.as_of:
        faults.append(Fault(file="cash", column="amount", expected=f"nothing: no time passes after {way.before.as_of}"))
    if faults:
        raise InputError(dict.fromkeys(faults))
