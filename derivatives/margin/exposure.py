"""What a book may be worth at days to come: expected, positive and negative exposure, and its quantiles.

At each day the book is what is then left of it, on today's forwards, rates and volatilities: what has been paid or has expired is gone, and
days that are over by then are fixed at today's forwards. Around that value prices are drawn as they may be by then, and the book gains by
its Greeks (or in full). Collateral is not taken off. Marks between now and then move nothing but through the curve: of averages that are
under way by then the exposure is told a little too small.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.risk import Exposures
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import valued
from tenorgrid.derivatives.explain.carried import carried
from tenorgrid.derivatives.margin.moves import drawn
from tenorgrid.derivatives.margin.revalued import Method, gains

USUAL = (1, 7, 14, 28, 56, 84, 126, 168, 252, 364)  # days ahead


def exposure(
    agreed: Agreed, market: Market, *, days: Sequence[date] | None = None, count: int = 2000, seed: int = 0, level: float = 0.95,
    method: Method = "greeks", freedom: float | None = None,
) -> pl.DataFrame:  # fmt: skip
    """`Exposures` of a book, a row a day.

    Args:
        agreed: trades as `read_trades` gives them.
        market: where it stands, at the beginning of a local day.
        days: local days, after today; None are some up to a year ahead, as long as something is left of the book.
        count: draws of each day, even; those of all days are of one seed.
        level: of the quantiles, above 0.5 and below 1.
        method: of `revalued.gains`.
        freedom: of Student's t; None is normal.

    Raises `InputError` for days that are not after today, a level outside, indices without volatility or correlation.
    """
    if not 0.5 < level < 1.0:
        raise InputError.of("exposure", "a level above 0.5 and below 1", column="level", value=level)
    today = market.as_of.astimezone(ZoneInfo(market.timezone)).date()
    asked = [today + timedelta(ahead) for ahead in USUAL] if days is None else sorted(days)
    if early := [day for day in asked if day <= today]:
        raise InputError.of("exposure", f"days after {today}", column="day", value=early[0])
    rows = []
    for day in asked:
        left = _left(agreed, market, midnight(day, timezone=market.timezone))
        if days is None and not left:
            break
        made = _values(left, _rolled(market, midnight(day, timezone=market.timezone)), market, day - today, count, seed, method, freedom)
        if days is None and not made.any():
            break
        high, low = np.quantile(made, [level, 1.0 - level])
        rows.append((day, made.mean(), np.maximum(made, 0.0).mean(), np.maximum(-made, 0.0).mean(), high, low, level))
    names = ["day", "expected", "positive", "negative", "high", "low", "level"]
    return Exposures.validate(pl.DataFrame(rows, schema=names, orient="row"), cast=True)


def _values(
    left: Agreed, rolled: Market, market: Market, ahead: timedelta, count: int, seed: int, method: Method, freedom: float | None
) -> Vector:
    if not left:
        return np.zeros(count)
    found = valued(left, rolled)
    read = sorted({block.index for part in found.parts for block in part.priced.blocks})
    if not read:
        return np.full(count, found.value)
    moves = drawn(market, read, count=count, seed=seed, days=ahead.days, freedom=freedom)
    return found.value + gains(left, rolled, moves, method=method)


def _left(agreed: Agreed, market: Market, moment: datetime) -> Agreed:
    """Trades of which something is left at a later moment."""
    names = pl.concat(frame.select("trade_id") for frame in agreed.values())["trade_id"]
    claims = carried(list(agreed.values()), names=names, market=market, later=moment, told=frozenset(names)).later
    return {claim.kind: claim.trades for claim in claims if not claim.trades.is_empty()}


def _rolled(market: Market, moment: datetime) -> Market:
    """The market at a later moment at today's forwards, with days that are over by then fixed at them."""
    fixings = {index: dict(known) for index, known in market.fixings.items()}
    for index, curve in market.curves.items():
        hours = curve.curve.filter(pl.col("start") >= market.as_of, pl.col("start") < moment)
        day = pl.col("start").dt.convert_time_zone(market.timezone).dt.date().alias("day")
        means = hours.group_by(day).agg(pl.col("forward").mean())
        fixings.setdefault(index, {}).update(means.iter_rows())
    return replace(
        market, as_of=moment, fixings=fixings, curves={index: replace(curve, as_of=moment) for index, curve in market.curves.items()}
    )
