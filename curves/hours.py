"""The grid of delivery hours, and what each hour is on the clock of a time zone."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import in_profile

Vector = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


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
    try:
        local = starts.dt.convert_time_zone(timezone)
    except pl.exceptions.ComputeError as error:
        raise InputError.of("quotes", "an IANA time zone", column="timezone", value=timezone) from error
    day = local.dt.date().cast(pl.Int32)
    return Clock(weekday=_counts(local.dt.weekday()), hour=_counts(local.dt.hour()), day=_counts(day))


def counted(starts: pl.Series, profile: str, timezone: str) -> Flags:
    """Which UTC hours a profile counts on the clock of a time zone: (n,) booleans."""
    flags = pl.DataFrame({"start": starts}).select(in_profile("start", profile, timezone=timezone))
    return np.asarray(flags.to_series().to_numpy(), dtype=np.bool_)


def _counts(column: pl.Series) -> Counts:
    return column.cast(pl.Int64).to_numpy()
