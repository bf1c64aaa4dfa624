"""Hour-of-week shape: how a quote for a day or a month spreads over its hours.

A multiplicative shape is the default: the gap between busy and idle hours then grows with the level of prices and a positive curve
stays positive. An additive one suits prices that may touch zero. Either way the fitted curve times (plus) the shape still averages
back to every quote, because the shape is inside the rows that the fit meets, not laid over it afterwards.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from tenorgrid.curves.ahead import Underlying, hourly
from tenorgrid.curves.hours import Vector, clock
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.curve import HourShape
from tenorgrid.data.terms.market import Market

Kind = Literal["multiplicative", "additive"]
WEEK = 168
DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Shape:
    """168 values on the clock of `timezone`: factors with mean 1 (multiplicative), or USD per GPU-hour with mean 0 (additive)."""

    kind: Kind
    timezone: str
    hours: pl.DataFrame  # `HourShape`, in order of weekday and hour

    def __post_init__(self) -> None:
        faults = []
        if self.hours.height != WEEK:
            faults.append(
                Fault(file="shape", value=f"{self.hours.height} rows", expected=f"one row for each of the {WEEK} hours of a week")
            )
        elif self.kind == "multiplicative" and not (self.hours["value"] > 0).all():
            faults.append(Fault(file="shape", column="value", value=str(self.hours["value"].min()), expected="factors above 0"))
        if faults:
            raise InputError(faults)

    def on(self, starts: pl.Series) -> Vector:
        """(n,) value of each UTC hour."""
        local = clock(starts, self.timezone)
        values = self.hours.sort("weekday", "hour")["value"].to_numpy()
        return np.asarray(values[(local.weekday - 1) * 24 + local.hour])


def hour_of_week(
    prices: pl.DataFrame,
    *,
    underlying: Underlying,
    market: Market,
    as_of: date,
    horizon: str = "month-ahead",
    kind: Kind = "multiplicative",
    pricing: str | None = None,
) -> Shape:
    """Shape of the hours of a week in the prices of one ahead horizon, over all the weeks that it had cleared by `as_of`.

    The mean price of each hour of the week over (or less) the mean of all 168; means, not medians, because a forward is an expectation.
    Whole local weeks are taken, backwards from the last delivery, so that a trend does not look like a weekday.

    Args:
        prices: `Prices` of clearing.
        underlying: nodes of the index.
        market: horizons and time zone.
        as_of: local day at whose beginning we stand.
        horizon: which prices; month-ahead has the longest history and the forecasts of what is normal.
        kind: `multiplicative` or `additive`.
        pricing: pricing rule; None is the market's own.

    Raises `InputError` where the horizon has not cleared one whole week, or for multiplicative factors that are not above 0.
    """
    cleared = hourly(prices, underlying=underlying, market=market, as_of=as_of, pricing=pricing).filter(pl.col("horizon") == horizon)
    days = cleared["day"].unique().sort()
    weeks = len(days) // DAYS
    if weeks == 0:
        raise InputError.of(
            "prices", f"at least one week of {horizon} prices of {underlying.resource}", column="horizon", value=f"{len(days)} days"
        )
    local = pl.col("start").dt.convert_time_zone(market.timezone)
    mean = (
        cleared.filter(pl.col("day").is_in(days.tail(weeks * DAYS).implode()))
        .group_by(local.dt.weekday().cast(pl.Int64).alias("weekday"), local.dt.hour().cast(pl.Int64).alias("hour"))
        .agg(pl.col("price").mean().alias("value"), pl.len().cast(pl.Int64).alias("observations"))
        .sort("weekday", "hour")
    )
    level = pl.col("value").mean()
    value = pl.col("value") / level if kind == "multiplicative" else pl.col("value") - level
    return Shape(kind=kind, timezone=market.timezone, hours=HourShape.validate(mean.with_columns(value)))
