r"""What a book may be worth at days to come: expected, positive and negative exposure, and its quantiles.

At each day t the book is what is then left of it, on today's rates and volatilities: what has been paid is gone. Prices are drawn as they
may be by then, :math:`F_t = F e^x` with :math:`x = \sigma W_t - \sigma^2 t / 2`, and everything left is revalued in full (`gridded`).
Days that are over by t are fixed at what a path that ends at x is expected to have passed: W_d given W_t is normal with mean
:math:`W_t d / t` and variance :math:`d (1 - d / t)`, so that
:math:`E[F_d \mid x] = F \exp\bigl(\tfrac{d}{t} (x + \tfrac12 \sigma^2 t) - \tfrac12 \sigma^2 \tfrac{d^2}{t}\bigr)`.
Options that were decided at T before t and are not yet paid are at a price of T's variance, :math:`\sqrt{T / t}` of the way.

So means are right, and what is approximated is: a path's fixings are as smooth as their mean given its end, so that averages under way
swing a little too little; what was decided before t is taken to move with t's price; volatilities are held. Collateral is not taken off.
Futures are left out, as they are paid every day and owe nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.risk.scenarios import shifted
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.risk import Exposures
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import SECONDS_PER_YEAR, Market
from tenorgrid.derivatives.book.valuation import valued, worth
from tenorgrid.derivatives.explain.carried import DECIDED, KNOWN, carried
from tenorgrid.derivatives.margin.gridded import interpolated
from tenorgrid.derivatives.margin.moves import Moves, drawn

USUAL = (1, 7, 14, 28, 56, 84, 126, 168, 252, 364)  # days ahead


def exposure(
    agreed: Agreed, market: Market, *, days: Sequence[date] | None = None, count: int = 2000, seed: int = 0, level: float = 0.95,
    freedom: float | None = None,
) -> pl.DataFrame:  # fmt: skip
    """`Exposures` of a book, a row a day.

    Args:
        agreed: trades as `read_trades` gives them; futures are left out.
        market: where it stands, at the beginning of a local day.
        days: local days, after today; None are some up to a year ahead, as long as something is left of the book.
        count: draws of each day, even; those of all days are of one seed.
        level: of the quantiles, above 0.5 and below 1.
        freedom: of Student's t; None is normal.

    Raises `InputError` for days that are not after today, a level outside, indices without volatility or correlation, and trades of which
    it is not known what is left of them at a later day.
    """
    if not 0.5 < level < 1.0:
        raise InputError.of("exposure", "a level above 0.5 and below 1", column="level", value=level)
    today = market.as_of.astimezone(ZoneInfo(market.timezone)).date()
    asked = [today + timedelta(ahead) for ahead in USUAL] if days is None else sorted(days)
    if early := [day for day in asked if day <= today]:
        raise InputError.of("exposure", f"days after {today}", column="day", value=early[0])
    if unknown := [kind for kind in agreed if not followed(kind)]:
        names = [(kind, name) for kind in unknown for name in agreed[kind]["trade_id"]]
        wanted = "a trade of which it is known what is left at a later day"
        raise InputError(Fault(file="exposure", column="kind", value=f"{kind} of {name}", expected=wanted) for kind, name in names)
    rows = []
    for day in asked:
        moment = midnight(day, timezone=market.timezone)
        left = _left(agreed, market, moment)
        if days is None and not left:
            break
        made = _values(left, market, moment, count=count, seed=seed, freedom=freedom)
        high, low = np.quantile(made, [level, 1.0 - level])
        rows.append((day, made.mean(), np.maximum(made, 0.0).mean(), np.maximum(-made, 0.0).mean(), high, low, level))
    names_ = ["day", "expected", "positive", "negative", "high", "low", "level"]
    return Exposures.validate(pl.DataFrame(rows, schema=names_, orient="row"), cast=True)


def followed(kind: TradeKind) -> bool:
    """Whether it is known of a kind what is left of a trade at a later day."""
    return kind in KNOWN


@dataclass(frozen=True, eq=False, kw_only=True)
class _Ahead:
    """The market at a later moment: `spread` by index is the variance of its price until then, `past` its days that are over by then.

    `past` holds days, their forwards and which part of the time until the moment had passed as each was known.
    """

    market: Market
    spread: Mapping[str, float]
    past: Mapping[str, tuple[list[date], Vector, Vector]]

    def at(self, moves: Mapping[str, float], *, part: float = 1.0) -> Market:
        """Where indices have moved; `part` of the time had passed when what is priced was decided."""
        curves, fixings = dict(self.market.curves), dict(self.market.fixings)
        for index, variance in self.spread.items():
            curve, pure = curves[index], moves.get(index, 0.0) + 0.5 * variance
            move = np.sqrt(part) * pure - 0.5 * part * variance
            curves[index] = shifted(curve, curve.forward * np.expm1(move))
            days, forward, passed = self.past[index]
            if part < 1.0:  # delivery begins after the decision: its days are of the price decided on
                along = np.where(passed >= part, move, passed * pure - 0.5 * variance * passed**2)
            else:
                along = passed * pure - 0.5 * variance * passed**2
            fixings[index] = {**fixings[index], **dict(zip(days, (forward * np.exp(along)).tolist(), strict=True))}
        made = replace(self.market, curves=curves, fixings=fixings)
        vars(made)["months"] = self.market.months  # of the same hours: finding them again would take as long as pricing
        return made


def _values(left: Agreed, market: Market, moment: datetime, *, count: int, seed: int, freedom: float | None) -> Vector:
    """(count,) USD of what is left of a book."""
    if not left:
        return np.zeros(count)
    ahead = _ahead(market, moment, ())
    found = valued(left, ahead.at({}))
    read = sorted({block.index for part in found.parts for block in part.priced.blocks})
    days = round((moment - market.as_of).total_seconds() / 86_400)
    moves = (
        drawn(market, read, count=count, seed=seed, days=days, freedom=freedom) if read else Moves(indices=(), values=np.zeros((count, 0)))
    )
    ahead = _ahead(market, moment, read)
    made = np.zeros(count)
    for part, some in _decided(left, market.as_of, moment).items():
        price = partial(_worth, ahead, part)
        made += interpolated(some, found.parts, moves, price=price)
    return made


def _worth(ahead: _Ahead, part: float, some: Agreed, moves: Mapping[str, float]) -> Vector:
    return worth(some, ahead.at(moves, part=part))


def _decided(left: Agreed, start: datetime, moment: datetime) -> dict[float, Agreed]:
    """Trades by the part of the time until a moment that had passed when they were decided; 1 for those that are not."""
    found: dict[float, dict[TradeKind, pl.DataFrame]] = {}
    for kind, frame in left.items():
        if kind not in DECIDED:
            found.setdefault(1.0, {})[kind] = frame
            continue
        part = pl.min_horizontal((pl.col("decided") - start) / (moment - start), 1.0)
        for (own,), rows in frame.with_columns(part.alias("part")).group_by("part", maintain_order=True):
            found.setdefault(float(own), {})[kind] = rows.drop("part", "decided")
    return {part: dict(some) for part, some in found.items()}


def _left(agreed: Agreed, market: Market, moment: datetime) -> Agreed:
    """Trades of which something is left at a later moment; those on an expiry with a column `decided`, which is their own."""
    own: dict[TradeKind, pl.DataFrame] = {kind: frame for kind, frame in agreed.items() if kind != TradeKind.FUTURE}
    if not own:
        return {}
    names = pl.concat(frame.select("trade_id") for frame in own.values())["trade_id"]
    claims = carried(list(own.values()), names=names, market=market, later=moment, told=frozenset()).later
    found: dict[TradeKind, pl.DataFrame] = {claim.kind: claim.trades for claim in claims if not claim.trades.is_empty()}
    for kind in set(found) & set(DECIDED):
        expiry = own[kind].select("number", pl.col("expiry").alias("decided"))
        found[kind] = found[kind].join(expiry, on="number", how="left", maintain_order="left")
    return found


def _ahead(market: Market, moment: datetime, indices: Sequence[str]) -> _Ahead:
    """The market at a later moment, today's forwards and volatilities held."""
    years = (moment - market.as_of).total_seconds() / SECONDS_PER_YEAR
    spread = {index: float(market.sigma(index, np.array([years]))[0]) ** 2 * years for index in indices}
    past, fixings = {}, dict(market.fixings)
    for index, curve in market.curves.items():
        hours = curve.curve.filter(pl.col("start") >= market.as_of, pl.col("start") < moment)
        day = pl.col("start").dt.convert_time_zone(market.timezone).dt.date().alias("day")
        means = hours.group_by(day, maintain_order=True).agg(pl.col("forward").mean(), pl.col("start").max())
        passed = (means["start"] - market.as_of).dt.total_seconds().to_numpy() + 3600.0
        past[index] = (means["day"].to_list(), means["forward"].to_numpy(), passed / (moment - market.as_of).total_seconds())
        fixings[index] = {**fixings.get(index, {}), **dict(zip(past[index][0], past[index][1].tolist(), strict=True))}
    later = replace(
        market, as_of=moment, fixings=fixings, curves={index: replace(curve, as_of=moment) for index, curve in market.curves.items()}
    )
    return _Ahead(market=later, spread=spread, past=past)
