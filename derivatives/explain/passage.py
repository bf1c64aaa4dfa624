"""From one market to a later one: every market between them in which some factors have moved and the others have not.

Hours that pass are forwards until their day's mark is published. So where time alone has moved, a day that is over counts by the old
forward's mean of its hours; where fixings alone have moved, its hours still to come are forwards at what was then published. A later
curve covers other hours than the earlier one: its move is told on the earlier one's hours, from the later moment on, and parted into
what each of the later quotes moved by (through the later curve's Jacobian; a quote's move is its price less what the earlier curve made
of it) and what is left, the `shape`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Counts, Flags, Vector, clock, position
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import ExplainFactor
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.volatility import Sigma
from tenorgrid.derivatives.explain.between import BetweenDiscounts, between_volatilities, same_discount, same_volatility

EPOCH = date(1970, 1, 1)
SHAPE = "shape"  # what the move of no quote says
Moved = frozenset[ExplainFactor]
Lever = tuple[ExplainFactor, str]  # a number, or a curve of them, that moves by itself: a volatility, a correlation, the discount
NOTHING: Moved = frozenset()


@dataclass(frozen=True, eq=False, kw_only=True)
class Directed(ForwardCurve):
    """A curve whose sensitivities are to given moves: (hours, moves) USD per GPU-hour for the whole of each."""

    directions: Vector

    @property
    def sensitivity(self) -> Vector:
        """(hours, moves)."""
        return self.directions


@dataclass(frozen=True, eq=False, kw_only=True)
class Passage:
    """From `before` to `after`. Build it by `passage`, which refuses markets that cannot be compared."""

    before: Market
    after: Market

    @cached_property
    def factors(self) -> tuple[ExplainFactor, ...]:
        """What differs between the two, in the order of the factors' names."""
        there = {
            ExplainFactor.TIME: self.after.as_of > self.before.as_of,
            ExplainFactor.FIXINGS: any(self.published[index] != self.rolled[index] for index in self.before.curves),
            ExplainFactor.CURVE: any(move.any() for move in self.moves.values()),
        }
        found = {factor for factor, moved in there.items() if moved} | {factor for factor, _ in self.levers}
        return tuple(factor for factor in ExplainFactor if factor in found)

    @cached_property
    def levers(self) -> tuple[Lever, ...]:
        """Volatilities by index, correlations by pair and the discount that differ; what is told of one moment alone does not."""
        first, last = self.before, self.after
        names = sorted((first.volatility.keys() & last.volatility.keys()) | (first.normal.keys() & last.normal.keys()))
        found = [
            (ExplainFactor.VOLATILITY, index)
            for index in names
            if not all(
                same_volatility(*pair)
                for pair in (_pair(index, first.volatility, last.volatility), _pair(index, first.normal, last.normal))
            )
        ]
        pairs = sorted(
            " | ".join(sorted(pair))
            for pair in first.correlation.keys() & last.correlation.keys()
            if first.correlation[pair] != last.correlation[pair]
        )
        found += [(ExplainFactor.CORRELATION, pair) for pair in pairs]
        if not all(same_discount(*self._discounts(index)) for index in first.curves):
            found.append((ExplainFactor.DISCOUNT, ""))
        return tuple(found)

    def market(self, moved: Moved, *, half: Moved = NOTHING, lever: Lever | None = None, step: float = 0.0) -> Market:
        """The market in which the factors of `moved` are the later ones, those of `half` halfway, and `lever` is a step further."""
        shares = {one: 0.5 if one[0] in half else float(one[0] in moved) for one in self.levers}
        if lever is not None:
            shares[lever] += step
        curve = 0.5 if ExplainFactor.CURVE in half else float(ExplainFactor.CURVE in moved)
        late = ExplainFactor.TIME in moved
        fixed = self.published if ExplainFactor.FIXINGS in moved else self.rolled
        return replace(
            self.before,
            as_of=self.after.as_of if late else self.before.as_of,
            curves={index: self._curve(index, moved, curve, shares.get((ExplainFactor.DISCOUNT, ""), 0.0)) for index in self.before.curves},
            fixings=fixed,
            volatility=self._volatilities(self.before.volatility, self.after.volatility, shares),
            normal=self._volatilities(self.before.normal, self.after.normal, shares),
            correlation=self._correlations(shares),
            discount=None,
        )  # fmt: skip

    def hours(self, index: str) -> tuple[Flags, Counts]:
        """Which hours of the earlier curve pass between the two moments, and the local day of every hour, since 1970."""
        starts = self.before.curves[index].starts
        passing = ((starts >= self.before.as_of) & (starts < self.after.as_of)).to_numpy()
        return passing, clock(starts, self.before.timezone).day

    @cached_property
    def rolled(self) -> Mapping[str, Mapping[date, float]]:
        """Fixings where nothing new was published: known ones, and forwards of the days that pass as what they turn out to be."""
        found = {}
        for index, curve in self.before.curves.items():
            passing, day = self.hours(index)
            days, place = np.unique(day[passing], return_inverse=True)
            mean = np.bincount(place, weights=curve.forward[passing]) / np.maximum(np.bincount(place), 1) if days.size else np.zeros(0)
            new = {EPOCH + timedelta(days=int(one)): float(value) for one, value in zip(days, mean, strict=True)}
            found[index] = {**self.before.fixings.get(index, {}), **new}
        return found

    @cached_property
    def published(self) -> Mapping[str, Mapping[date, float]]:
        """Fixings as they are known later: those of before, and what was published, or restated, since."""
        return {index: {**self.before.fixings.get(index, {}), **self.after.fixings.get(index, {})} for index in self.before.curves}

    def passed(self, index: str, *, fixings: bool) -> Vector:
        """(hours,) forwards of the earlier curve, those of days that pass at what was published if `fixings`, where it was."""
        curve = self.before.curves[index]
        if not fixings:
            return curve.forward
        forward = curve.forward.copy()
        passing, day = self.hours(index)
        for one in np.unique(day[passing]):
            fixing = self.published[index].get(EPOCH + timedelta(days=int(one)))
            if fixing is not None:
                forward[passing & (day == one)] = fixing
        return forward

    @cached_property
    def moves(self) -> Mapping[str, Vector]:
        """By index (hours, quotes and shape) what each of the later quotes moved the earlier curve's hours by."""
        return {index: self._moves(index) for index in self.before.curves}

    def quotes(self, index: str) -> list[tuple[str, float]]:
        """Names and moves of what an index's curve moved by, in the order of `moves`; the shape has no move of its own."""
        if index not in self.after.curves:
            return [(SHAPE, float("nan"))]
        names = self.after.curves[index].quotes["quote_id"].to_list()
        return [*zip(names, self._prices(index).tolist(), strict=True), (SHAPE, float("nan"))]

    def _volatilities(self, first: Mapping[str, Sigma], last: Mapping[str, Sigma], shares: Mapping[Lever, float]) -> Mapping[str, Sigma]:
        return {
            index: between_volatilities(sigma, last.get(index, sigma), shares.get((ExplainFactor.VOLATILITY, index), 0.0))
            for index, sigma in first.items()
        }

    def _correlations(self, shares: Mapping[Lever, float]) -> dict[frozenset[str], float]:
        found = {}
        for pair, rho in self.before.correlation.items():
            share = shares.get((ExplainFactor.CORRELATION, " | ".join(sorted(pair))), 0.0)
            found[pair] = rho + share * (self.after.correlation.get(pair, rho) - rho)
        return found

    def _discounts(self, index: str) -> tuple[Discount | None, Discount | None]:
        first = self.before.discount or self.before.curves[index].discount
        later = self.after.curves.get(index)
        return first, self.after.discount or (first if later is None else later.discount)

    def _curve(self, index: str, moved: Moved, way: float, share: float) -> ForwardCurve:
        first, last = self._discounts(index)
        discount = first if last is None or share == 0.0 else last
        if first is not None and last is not None and 0.0 < share < 1.0:
            discount = BetweenDiscounts(first=first, last=last, share=share)
        forward = self.passed(index, fixings=ExplainFactor.FIXINGS in moved)
        if way:
            forward = forward + way * self.moves[index].sum(axis=1)
        curve = self.before.curves[index]
        own = {part.name: getattr(curve, part.name) for part in fields(ForwardCurve)}
        return Directed(**own | {"forward": forward, "discount": discount}, directions=self.moves[index])

    def _moves(self, index: str) -> Vector:
        curve = self.before.curves[index]
        if index not in self.after.curves:
            return np.zeros((curve.forward.size, 1))
        later = self.after.curves[index]
        mine, other = _overlap(curve, later, self.after.as_of)
        found = np.zeros((curve.forward.size, later.quotes.height + 1))
        by_quote = later.sensitivity[other] * self._prices(index)
        found[mine, :-1] = by_quote
        found[mine, -1] = later.forward[other] - curve.forward[mine] - by_quote.sum(axis=1)
        found[np.abs(found) < ROUNDING] = 0.0
        return found

    def _prices(self, index: str) -> Vector:
        """(quotes,) the later quotes less what the earlier curve made of them; hours that it does not cover have not moved."""
        curve, later = self.before.curves[index], self.after.curves[index]
        mine, other = _overlap(curve, later, datetime.min.replace(tzinfo=self.before.as_of.tzinfo))
        known = later.forward.copy()
        known[other] = curve.forward[mine]
        return later.fair - later.rows.average(known)


ROUNDING = 1e-12


def passage(before: Market, after: Market) -> Passage:
    """The way from one market to a later one. Raises `InputError` with every fault: the later one before the earlier, other time zones."""
    faults = []
    if after.as_of < before.as_of:
        faults.append(
            Fault(file="after", column="as_of", value=str(after.as_of), expected=f"a moment at or after {before.as_of}, that of before")
        )
    if after.timezone != before.timezone:
        faults.append(Fault(file="after", column="timezone", value=after.timezone, expected=f"the time zone of before, {before.timezone}"))
    if faults:
        raise InputError(faults)
    return Passage(before=before, after=after)


def _pair(index: str, first: Mapping[str, Sigma], last: Mapping[str, Sigma]) -> tuple[Sigma | None, Sigma | None]:
    return first.get(index), last.get(index, first.get(index))


def _overlap(curve: ForwardCurve, later: ForwardCurve, moment: datetime) -> tuple[slice, slice]:
    """Places on each of two curves of the hours from a moment on that both cover."""
    shift = position(curve.starts[0], later.starts[0])  # of the later curve's first hour on the earlier
    low = max(0, shift)
    if moment > curve.starts[0]:
        low = max(low, -(-int((moment - curve.starts[0]).total_seconds()) // 3600))
    high = max(low, min(curve.forward.size, shift + later.forward.size))
    return slice(low, high), slice(low - shift, high - shift)
