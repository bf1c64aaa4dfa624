r"""The mean of a running month: what is known of it, what is expected, and how far it may still go.

Seen at the end of day k of the month the mean is expected to be :math:`A_k = c + \sum_i a_i F_i(t_k)`, c of the marks known today. The
second moment of the sum is :math:`\sum_{ij} a_i a_j F_i F_j e^{v_{\min(i, j, k)}}` with :math:`v_i = \sigma^2 t_i`, the covariances that
average options are priced with; the sum is taken for lognormal with both moments.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from scipy.special import ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import Averaging, Profile
from tenorgrid.data.periods import midnight, month
from tenorgrid.data.tables.book import MonthCones
from tenorgrid.derivatives.book.legs import EPOCH, Leg, make_legs
from tenorgrid.derivatives.book.market import Market

LEVELS = {"lower": 0.025, "low": 0.25, "high": 0.75, "upper": 0.975}


def month_cones(market: Market, indices: Sequence[str]) -> pl.DataFrame:
    """`MonthCones` of the calendar-day mean of the local month that a market stands in, index by index.

    Raises `InputError` for an index without curve or volatility and a month that the curve does not cover, `NotPublishedError` naming days
    without fixing.
    """
    lacking = sorted(set(indices) - set(market.curves))
    if lacking:
        raise InputError.of("cones", f"indices with a curve: {', '.join(sorted(market.curves))}", column="index", value=", ".join(lacking))
    tables = [_cone(index, market) for index in indices]
    return MonthCones.validate(pl.concat(tables) if tables else MonthCones.create_empty(), cast=True)


def fixed_so_far(market: Market, indices: Sequence[str]) -> list[str]:
    """Those of some indices that have a volatility, a fixing for every day of the running month that is over, and a curve over the rest.

    None where the market does not stand at the beginning of a local day.
    """
    start, end = _month(market)
    today = market.as_of.astimezone(ZoneInfo(market.timezone)).date()
    if market.as_of != midnight(today, timezone=market.timezone):
        return []
    first = start.astimezone(ZoneInfo(market.timezone)).date()
    over = {date.fromordinal(day) for day in range(first.toordinal(), today.toordinal())}
    return [
        index
        for index in indices
        if index in market.curves
        and index in market.volatility
        and over <= set(market.fixings.get(index, {}))
        and market.curves[index].starts[0] <= market.as_of
        and market.curves[index].starts[-1] + timedelta(hours=1) >= end
    ]


def _month(market: Market) -> tuple[datetime, datetime]:
    local = market.as_of.astimezone(ZoneInfo(market.timezone))
    period = month(local.year, local.month, timezone=market.timezone)
    return period.start, period.end


def _cone(index: str, market: Market) -> pl.DataFrame:
    start, end = _month(market)
    row = {"index": index, "start": start, "end": end, "profile": str(Profile.BASE), "average": str(Averaging.CALENDAR_DAY)}
    _, (leg,) = make_legs(pl.DataFrame([row | {"calendar": None}], schema_overrides={"calendar": pl.String()}), market)
    first = start.astimezone(ZoneInfo(market.timezone)).date().toordinal() - EPOCH.toordinal()
    ahead = leg.day[leg.days]
    known = [EPOCH.toordinal() + int(day) for day in range(first, int(ahead[0]) if ahead.size else first)]
    marks = [market.fixings[index][date.fromordinal(day)] for day in known]
    past = pl.DataFrame({
        "day": [date.fromordinal(day) for day in known],
        "mark": marks,
        "so_far": (np.cumsum(marks) / np.arange(1, len(marks) + 1)).tolist(),
    }, schema={"day": pl.Date(), "mark": pl.Float64(), "so_far": pl.Float64()})  # fmt: skip
    seen = _seen(leg, market)
    future = pl.DataFrame(
        {
            "day": [date.fromordinal(EPOCH.toordinal() + int(day)) for day in ahead],
            "forward": leg.day_forward,
            "expected": leg.mean,
            **seen,
        },
        schema_overrides={"day": pl.Date()},
    )
    return (
        pl.concat([past, future], how="diagonal")
        .with_columns(pl.lit(index).alias("index"))
        .pipe(lambda rows: rows.select(name for name in MonthCones.column_names()))
    )


def _seen(leg: Leg, market: Market) -> dict[str, Vector]:
    """Quantiles (days,) of what the mean is expected to be at the end of each day still to come."""
    worth = leg.day_weight * leg.day_forward
    variance = np.square(market.sigma(leg.index, leg.day_years)) * leg.day_years
    total = worth.sum()
    place = np.arange(worth.size)
    common = np.minimum(place[:, None], place[None, :])
    second = np.array([worth @ np.exp(variance[np.minimum(common, k)]) @ worth for k in place])
    deviation = np.sqrt(np.maximum(np.log(second / total**2), 0.0)) if worth.size else np.zeros(0)
    return {name: leg.known + total * np.exp(deviation * ndtri(level) - 0.5 * deviation**2) for name, level in LEVELS.items()}
