"""Days by hours of one series, and what was known of them when each day's ahead price was made."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import InputError

HOURS, WEEK = 24, 7
NAIVE = ("last day", "last week", "mean")


@dataclass(frozen=True, eq=False, kw_only=True)
class Panel:
    """`ahead` and `real` (days, 24) of one series on every local day from `first` on; NaN where there is no pair."""

    first: date
    ahead: Vector
    real: Vector

    @property
    def premium(self) -> Vector:
        """(days, 24) ahead − real."""
        return self.ahead - self.real


def panel(pairs: pl.DataFrame, *, timezone: str) -> Panel:
    """The hours of one series of `AheadReal` on the local clock; of an hour that the clock shows twice the mean.

    Raises `InputError` for no row.
    """
    local = pl.col("start").dt.convert_time_zone(timezone)
    rows = pairs.group_by(local.dt.date().alias("day"), local.dt.hour().cast(pl.Int64).alias("hour")).agg(pl.col("ahead", "real").mean())
    first = rows["day"].min()
    if not isinstance(first, date):
        raise InputError.of("pairs", "at least one row")
    assert isinstance(first, date)
    day = (rows["day"] - first).dt.total_days().to_numpy()
    ahead, real = (np.full((int(day.max()) + 1, HOURS), np.nan) for _ in range(2))
    for grid, column in ((ahead, "ahead"), (real, "real")):
        grid[day, rows["hour"].to_numpy()] = rows[column].to_numpy()
    return Panel(first=first, ahead=ahead, real=real)


def known(values: Vector, *, lag: int) -> Vector:
    """Row d is row d − `lag` of `values` (days, k); NaN where there is none."""
    shifted = np.full_like(values, np.nan)
    if lag < values.shape[0]:
        shifted[lag:] = values[: values.shape[0] - lag]
    return shifted


def running_mean(values: Vector) -> tuple[Vector, Counts]:
    """Mean and count of all rows up to each (days, k), NaN left out."""
    there = np.isfinite(values)
    count = np.cumsum(there, axis=0)
    total = np.cumsum(np.where(there, values, 0.0), axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count


def naive_forecasts(real: Vector, *, lag: int) -> dict[str, Vector]:
    """Each (days, 24): the same hour of the last known day, of the last known day of the same weekday, and the mean of all known days.

    Args:
        real: (days, 24) real-time prices.
        lag: days from the last day that was known whole to the day of delivery: the lead and one.
    """
    weekly = WEEK * -(-lag // WEEK)
    return {
        "last day": known(real, lag=lag),
        "last week": known(real, lag=weekly),
        "mean": known(running_mean(real)[0], lag=lag),
    }


def trailing_moments(daily: Vector, *, lag: int, window: int) -> tuple[Vector, Vector]:
    """Variance and third central moment (days,) of the `window` days that end `lag` days before; NaN where under half of them are there."""
    variance, third = np.full(daily.size, np.nan), np.full(daily.size, np.nan)
    for day in range(daily.size):
        seen = daily[max(day - lag - window + 1, 0) : max(day - lag + 1, 0)]
        seen = seen[np.isfinite(seen)]
        if seen.size >= max(window // 2, 3):
            centred = seen - seen.mean()
            variance[day], third[day] = (centred**2).mean(), (centred**3).mean()
    return variance, third


def days_from(first: date, count: int) -> list[date]:
    """`count` days from `first` on."""
    return [first + timedelta(days=n) for n in range(count)]
