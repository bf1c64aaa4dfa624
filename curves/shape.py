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
from tenorgrid.data.periods import local_day
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
    if cleared["day"].n_unique() < DAYS:
        found = f"{cleared['day'].n_unique()} days"
        expected = f"at least one week of {horizon} prices of {underlying.resource}"
        raise InputError.of("prices", expected, column="horizon", value=found)
    return Shape(kind=kind, timezone=market.timezone, hours=_weekly(cleared, market.timezone, kind))


def shape_of_history(history: pl.DataFrame, *, timezone: str, kind: Kind = "multiplicative") -> Shape:
    """Shape of the hours of a week in past hourly prices, over their last whole local weeks.

    Args:
        history: start (UTC) and price (USD per GPU-hour) of past hours, one row an hour.
        timezone: IANA zone of the week's hours.
        kind: `multiplicative` or `additive`.

    Raises `InputError` for an hour that stands twice, for a price that is missing or not finite, for less than a week, and where some
    hour of the week has no price.
    """
    if missing := {"start", "price"} - set(history.columns):
        raise InputError.of("history", "columns start and price", value=f"no {', '.join(sorted(missing))}")
    if history["start"].dtype != pl.Datetime("us", "UTC"):
        raise InputError.of("history", "times in UTC", column="start", value=str(history["start"].dtype))
    if history["start"].is_duplicated().any():
        raise InputError.of(
            "history", "one price an hour", column="start", value=str(history.filter(pl.col("start").is_duplicated())[0, 0])
        )
    if not history["price"].is_finite().fill_null(value=False).all():
        raise InputError.of("history", "a finite price in every row", column="price")
    past = history.with_columns(local_day("start", timezone=timezone).alias("day"))
    if past["day"].n_unique() < DAYS:
        raise InputError.of("history", "at least one week of prices", value=f"{past['day'].n_unique()} days")
    return Shape(kind=kind, timezone=timezone, hours=_weekly(past, timezone, kind))


def _weekly(cleared: pl.DataFrame, timezone: str, kind: Kind) -> pl.DataFrame:
    """`HourShape` of the last whole weeks of days that have prices."""
    days = cleared["day"].unique().sort()
    weeks = len(days) // DAYS
    local = pl.col("start").dt.convert_time_zone(timezone)
    mean = (
        cleared.filter(pl.col("day").is_in(days.tail(weeks * DAYS).implode()))
        .group_by(local.dt.weekday().cast(pl.Int64).alias("weekday"), local.dt.hour().cast(pl.Int64).alias("hour"))
        .agg(pl.col("price").mean().alias("value"), pl.len().cast(pl.Int64).alias("observations"))
        .sort("weekday", "hour")
    )
    level = pl.col("value").mean()
    value = pl.col("value") / level if kind == "multiplicative" else pl.col("value") - level
    return HourShape.validate(mean.with_columns(value))
