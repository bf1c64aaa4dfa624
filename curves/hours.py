"""The grid of delivery hours, and what each hour is on the clock of a time zone."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import Profile

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]

FRIDAY = 5
PEAK_FIRST, PEAK_END = 8, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Local time of each hour: (n,) weekday 1 (Monday) to 7, hour of the day 0 to 23, and day as days since 1970-01-01."""

    weekday: Counts
    hour: Counts
    day: Counts


def hours(start: datetime, end: datetime) -> pl.Series:
    """First instants of the hours of `[start, end)`, in UTC.

    >>> from datetime import UTC
    >>> len(hours(datetime(2027, 3, 14, 5, tzinfo=UTC), datetime(2027, 3, 15, 4, tzinfo=UTC)))  # the short day of New York
    23
    """
    return pl.datetime_range(start, end, "1h", closed="left", time_zone="UTC", eager=True).dt.cast_time_unit("us").alias("start")


def position(first: datetime, moment: datetime) -> int:
    """How many whole hours `moment` lies past `first`."""
    return int((moment - first).total_seconds() // 3600)


def clock(starts: pl.Series, timezone: str) -> Clock:
    """The local clock of each UTC hour.

    Raises `InputError` for a time zone that is not in the IANA database.

    >>> from datetime import UTC
    >>> clock(hours(datetime(2027, 3, 14, 5, tzinfo=UTC), datetime(2027, 3, 14, 9, tzinfo=UTC)), "America/New_York").hour
    array([0, 1, 3, 4])
    """
    try:
        local = starts.dt.convert_time_zone(timezone)
    except pl.exceptions.ComputeError as error:
        raise InputError.of("quotes", "an IANA time zone", column="timezone", value=timezone) from error
    day = local.dt.date().cast(pl.Int32)
    return Clock(weekday=_counts(local.dt.weekday()), hour=_counts(local.dt.hour()), day=_counts(day))


def counted(profile: str, local: Clock) -> Flags:
    """Which hours a profile counts: (n,) booleans. Peak is Monday to Friday 08:00 to 20:00, off-peak every other hour.

    >>> from datetime import UTC
    >>> week = clock(hours(datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 3, 8, tzinfo=UTC)), "UTC")
    >>> [int(counted(profile, week).sum()) for profile in ("base", "peak", "off-peak", "weekend")]
    [168, 60, 108, 48]
    """
    match Profile(profile):
        case Profile.BASE:
            return np.ones(local.hour.size, dtype=np.bool_)
        case Profile.PEAK:
            return _peak(local)
        case Profile.OFF_PEAK:
            return ~_peak(local)
        case Profile.WEEKEND:
            return local.weekday > FRIDAY


def _peak(local: Clock) -> Flags:
    return (local.weekday <= FRIDAY) & (local.hour >= PEAK_FIRST) & (local.hour < PEAK_END)


def _counts(column: pl.Series) -> Counts:
    return column.cast(pl.Int64).to_numpy()
