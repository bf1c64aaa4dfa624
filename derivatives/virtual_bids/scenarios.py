"""Pairs of prices that a day may bring, ahead and in real time, hour by hour of every series: days of the past, the recent ones likelier.

A bid for a day stands before the ahead market closes, `lead` whole days before the day begins; real time is known by then up to the day
before that. So days up to lead + 1 days before are known, and no later one.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.premium import AheadReal

HOURS = 24
HALF_LIFE, OTHER_DAYS = 30.0, 0.5  # days; weight of a weekend's day for a working day, and the other way round


@dataclass(frozen=True, eq=False, kw_only=True)
class Days:
    """Local days with prices of every series in every hour: `ahead` and `real` (days, series, 24)."""

    series: tuple[str, ...]
    days: tuple[date, ...]
    ahead: Vector
    real: Vector

    @cached_property
    def weekend(self) -> Flags:
        """(days,)."""
        return np.array([day.weekday() >= 5 for day in self.days])

    @cached_property
    def ordinal(self) -> Vector:
        """(days,) numbers of the days."""
        return np.array([day.toordinal() for day in self.days], np.float64)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scenarios:
    """What a day may bring: `ahead` and `real` (scenarios, products), `weight` (scenarios,) probabilities; products are series by hour."""

    ahead: Vector
    real: Vector
    weight: Vector

    def __post_init__(self) -> None:
        faults = [
            (name, "as many scenarios and products as ahead prices, all numbers")
            for name, values in (("ahead", self.ahead), ("real", self.real))
            if values.ndim != 2 or values.shape != self.ahead.shape or not np.isfinite(values).all()
        ]
        if faults:
            raise InputError.of("scenarios", faults[0][1], column=faults[0][0])
        if self.weight.shape != self.ahead.shape[:1] or not ((self.weight >= 0).all() and abs(self.weight.sum() - 1.0) < 1e-9):
            raise InputError.of("scenarios", "a probability for each, together 1", column="weight")


def days_of(pairs: pl.DataFrame, *, horizon: str, timezone: str) -> Days:
    """The whole local days of a horizon: those in which every series has each of 24 hours once.

    The days on which clocks change, which have 23 or 25 hours, and days with a gap are left out.

    Args:
        pairs: `AheadReal`.
        horizon: whose ahead prices.
        timezone: of the days.

    Raises `InputError` for a horizon without prices, and no whole day.
    """
    rows = checked(pairs, AheadReal, name="prices").filter(pl.col("horizon") == horizon)
    if rows.is_empty():
        known = ", ".join(checked(pairs, AheadReal, name="prices")["horizon"].unique().sort())
        raise InputError.of("prices", f"a horizon with prices: {known}", column="horizon", value=horizon)
    local = pl.col("start").dt.convert_time_zone(timezone)
    rows = rows.with_columns(local.dt.date().alias("day"), local.dt.hour().alias("hour")).filter(
        pl.col("ahead").is_finite() & pl.col("real").is_finite()
    )
    series = rows["series"].unique().sort().to_list()
    whole = rows.group_by("day").agg(pl.len().alias("rows"), pl.struct("series", "hour").n_unique().alias("cells"))
    wanted = len(series) * HOURS
    days = whole.filter(pl.col("rows") == wanted, pl.col("cells") == wanted)["day"].sort().to_list()
    if not days:
        raise InputError.of("prices", f"a local day with 24 hours of {', '.join(series[:8])}", column="start")
    kept = rows.filter(pl.col("day").is_in(days)).sort("day", "series", "hour")
    shape = (len(days), len(series), HOURS)
    ahead, real = (kept[name].to_numpy().reshape(shape) for name in ("ahead", "real"))
    return Days(series=tuple(series), days=tuple(days), ahead=ahead, real=real)


def scenarios_for(known: Days, day: date, *, lead: int, window: int = 60, half_life: float = HALF_LIFE) -> Scenarios:
    """Scenarios of a day from the last `window` days that are known when its bids stand.

    A day's weight halves every `half_life` days back, and again where one is a weekend and the other is not.

    Raises `InputError` where no day is known, and for a window below 1 or a half-life that is not above 0.
    """
    if window < 1:
        raise InputError.of("virtual bids", "at least one day", column="window", value=window)
    if not half_life > 0:
        raise InputError.of("virtual bids", "days above 0", column="half_life", value=half_life)
    last = (day - timedelta(days=lead + 1)).toordinal()
    chosen = np.flatnonzero(known.ordinal <= last)[-window:]
    if not chosen.size:
        raise InputError.of("prices", f"a whole day up to {date.fromordinal(last)}", column="start", value=f"first {known.days[0]}")
    weight = 0.5 ** ((last - known.ordinal[chosen]) / half_life)
    weight *= np.where(known.weekend[chosen] == (day.weekday() >= 5), 1.0, OTHER_DAYS)
    products = len(known.series) * HOURS
    ahead, real = (values[chosen].reshape(chosen.size, products) for values in (known.ahead, known.real))
    return Scenarios(ahead=ahead, real=real, weight=weight / weight.sum())
