"""The grid of delivery hours, and what each hour is on the clock of a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import HOUR, Period, in_profile

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
Told = TypeVar("Told", Counts, Flags)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Local time of each hour: (n,) weekday 1 (Monday) to 7, hour of the day 0 to 23, and day as days since 1970-01-01."""

    weekday: Counts
    hour: Counts
    day: Counts


def position(first: datetime, moment: datetime) -> int:
    """How many whole hours `moment` lies past `first`."""
    return int((moment - first).total_seconds() // 3600)


def clock(starts: pl.Series, timezone: str) -> Clock:
    """The local clock of each UTC hour.

    Raises `InputError` for a time zone that is not in the IANA database.

    >>> from datetime import date
    >>> from tenorgrid.data.periods import day
    >>> clock(day(date(2027, 3, 14), timezone="America/New_York").starts().head(4), "America/New_York").hour
    array([0, 1, 3, 4])
    """
    years = _years(starts)
    if years is None:
        return _clock(starts, timezone)
    parts = [_year_clock(year, timezone) for year in years]
    return Clock(
        weekday=_cut([part.weekday for part in parts], starts),
        hour=_cut([part.hour for part in parts], starts),
        day=_cut([part.day for part in parts], starts),
    )


def counted(starts: pl.Series, profile: str, timezone: str) -> Flags:
    """Which UTC hours a profile counts on the clock of a time zone: (n,) booleans."""
    years = _years(starts)
    if years is None:
        return _counted(starts, profile, timezone)
    return _cut([_year_counted(year, profile, timezone) for year in years], starts)


# What an hour is on a clock is worked out once a year and zone: curves of many days look at the same hours again and again.


def _years(starts: pl.Series) -> range | None:
    """Years (UTC) of a grid of hours, or None where it is none: other instants are worked out one by one."""
    if starts.is_empty():
        return None
    instants = starts.cast(pl.Int64).to_numpy()
    step = HOUR.total_seconds() * 1e6
    if starts.dtype != pl.Datetime("us", "UTC") or instants[0] % step or (np.diff(instants) != step).any():
        return None
    return range(starts[0].year, starts[-1].year + 1)


def _cut(parts: list[Told], starts: pl.Series) -> Told:
    """The hours of `starts` out of those of all its years."""
    low = position(datetime(starts[0].year, 1, 1, tzinfo=UTC), starts[0])
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return whole[low : low + len(starts)]


def _year(year: int) -> pl.Series:
    return Period(start=datetime(year, 1, 1, tzinfo=UTC), end=datetime(year + 1, 1, 1, tzinfo=UTC)).starts()


@cache
def _year_clock(year: int, timezone: str) -> Clock:
    return _clock(_year(year), timezone)


@cache
def _year_counted(year: int, profile: str, timezone: str) -> Flags:
    return _kept(_counted(_year(year), profile, timezone))


def _clock(starts: pl.Series, timezone: str) -> Clock:
    try:
        local = starts.dt.convert_time_zone(timezone)
    except pl.exceptions.ComputeError as error:
        raise InputError.of("quotes", "an IANA time zone", column="timezone", value=timezone) from error
    day = local.dt.date().cast(pl.Int32)
    return Clock(weekday=_counts(local.dt.weekday()), hour=_counts(local.dt.hour()), day=_counts(day))


def _counted(starts: pl.Series, profile: str, timezone: str) -> Flags:
    flags = pl.DataFrame({"start": starts}).select(in_profile("start", profile, timezone=timezone))
    return np.asarray(flags.to_series().to_numpy(), dtype=np.bool_)


def _counts(column: pl.Series) -> Counts:
    return _kept(column.cast(pl.Int64).to_numpy())


def _kept(values: Told) -> Told:
    """Not to be written to: it is handed out again."""
    values.flags.writeable = False
    return values
