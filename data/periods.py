"""Delivery periods: days, months and quarters of a time zone as hours in UTC, and which of those hours a profile counts.

A day is what the local calendar calls one: 23 hours when clocks go forward, 25 when they go back. Periods are half-open, `[start, end)`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import Profile

MONTH_LETTERS = "FGHJKMNQUVXZ"  # January to December, as futures exchanges write them
PEAK_START, PEAK_END = 8, 20  # local hours, Monday to Friday
FRIDAY = 5
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CALENDAR = re.compile(
    r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|W(?P<week>0[1-9]|[1-4]\d|5[0-3])|(?P<season>SUM|WIN)|(?P<month>0[1-9]|1[0-2])(?:-(?P<day>\d{2}))?))?"
)
_LETTER = re.compile(rf"(?P<letter>[{MONTH_LETTERS}])(?P<year>\d{{2}})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of delivery `[start, end)` in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.utcoffset() != timedelta(0) or self.end.utcoffset() != timedelta(0):
            raise InputError.of("period", "a start and an end in UTC", value=f"{self.start} to {self.end}")
        if self.end <= self.start:
            raise InputError.of("period", "an end after the start", value=f"{self.start} to {self.end}")

    def starts(self, interval: timedelta = HOUR) -> pl.Series:
        """First instant of every interval of the period, UTC; named `start`.

        >>> len(day(date(2027, 3, 14), timezone="America/New_York").starts())
        23
        """
        first, end = ((moment - EPOCH) // MICROSECOND for moment in (self.start, self.end))
        every = pl.int_range(first, end, interval // MICROSECOND, eager=True)
        return every.cast(pl.Datetime("us", "UTC")).alias("start")

    @property
    def hours(self) -> float:
        """Its length in hours."""
        return (self.end - self.start) / HOUR


def midnight(local_day: date, *, timezone: str) -> datetime:
    """First instant of a local day, in UTC. Raises `InputError` for a zone that is none.

    Where clocks go forward at midnight the day begins at the first instant that the local clock calls that day.

    >>> midnight(date(2027, 7, 1), timezone="America/New_York").isoformat()
    '2027-07-01T04:00:00+00:00'
    """
    zone = _zone(timezone)
    return datetime(local_day.year, local_day.month, local_day.day, tzinfo=zone).astimezone(UTC)


def day(local_day: date, *, timezone: str) -> Period:
    """The hours of one local day."""
    return days(local_day, local_day + timedelta(days=1), timezone=timezone)


def days(first: date, end: date, *, timezone: str) -> Period:
    """The hours of the local days `[first, end)`."""
    return Period(start=midnight(first, timezone=timezone), end=midnight(end, timezone=timezone))


def month(year: int, number: int, *, timezone: str) -> Period:
    """The hours of a local month, 1 to 12.

    >>> month(2027, 3, timezone="America/New_York").hours
    743.0
    """
    return months(year, number, count=1, timezone=timezone)


def quarter(year: int, number: int, *, timezone: str) -> Period:
    """The hours of a local quarter, 1 to 4."""
    if not 1 <= number <= 4:
        raise InputError.of("period", "a quarter from 1 to 4", value=number)
    return months(year, 3 * number - 2, count=3, timezone=timezone)


def months(year: int, number: int, *, count: int, timezone: str) -> Period:
    """The hours of `count` local months from month `number` of `year` on."""
    if not 1 <= number <= 12 or count < 1:
        raise InputError.of("period", "a month from 1 to 12 and at least one of them", value=f"{year}-{number}, {count} months")
    after = 12 * year + number - 1 + count
    return days(date(year, number, 1), date(after // 12, after % 12 + 1, 1), timezone=timezone)


def delivery(contract: str, *, timezone: str) -> Period:
    """The delivery period that a contract code names.

    Args:
        contract: `2027`, `2027-Q2`, `2027-W14` (ISO week), `2027-SUM` (April to September) or `2027-WIN` (October to March),
            `2027-03` or `2027-03-14`, alone or after `INDEX:`; or a month letter and a two-digit year (2000 to
            2099), alone or after a product, like `H27` or `GPU1H27`.
        timezone: IANA zone of the contract's days.

    Raises `InputError` for a code that names no period.

    >>> delivery("GPU1H27", timezone="UTC") == delivery("H100-SXM.US.FIRM:2027-03", timezone="UTC") == month(2027, 3, timezone="UTC")
    True
    """
    code = contract.rpartition(":")[2]
    if found := _CALENDAR.fullmatch(code):
        return _calendar(found, contract, timezone)
    if ":" not in contract and (found := _LETTER.fullmatch(code[-3:])):
        return month(2000 + int(found["year"]), MONTH_LETTERS.index(found["letter"]) + 1, timezone=timezone)
    raise _no_code(contract)


def month_code(first: date) -> str:
    """A month as futures exchanges write it.

    >>> month_code(date(2027, 3, 1))
    'H27'
    """
    return f"{MONTH_LETTERS[first.month - 1]}{first.year % 100:02d}"


def local_day(column: str, *, timezone: str) -> pl.Expr:
    """The local date of UTC times.

    >>> pl.DataFrame({"start": [datetime(2027, 3, 14, 4, tzinfo=UTC)]}).select(local_day("start", timezone="America/New_York")).item()
    datetime.date(2027, 3, 13)
    """
    return pl.col(column).dt.convert_time_zone(_zone(timezone).key).dt.date()


def in_profile(column: str, profile: Profile | str, *, timezone: str) -> pl.Expr:
    """Whether UTC interval starts belong to a profile on the local clock.

    Peak is Monday to Friday from 08:00 to 20:00, off-peak every other hour, weekend Saturday and Sunday, base all; weekday Monday to
    Friday, night every hour before 08:00 or from 20:00 on, weekday-night those of Monday to Friday, weekend-day a weekend's other hours.

    Args:
        column: of UTC times, the first instant of each interval.
        profile: one of `Profile`.
        timezone: IANA zone of the contract.

    >>> week = pl.DataFrame(days(date(2027, 3, 8), date(2027, 3, 15), timezone="America/New_York").starts())
    >>> [week.filter(in_profile("start", profile, timezone="America/New_York")).height for profile in Profile]
    [167, 60, 107, 47, 120, 83, 60, 24]
    """
    local = pl.col(column).dt.convert_time_zone(_zone(timezone).key)
    weekend = local.dt.weekday() > FRIDAY
    daytime = local.dt.hour().is_between(PEAK_START, PEAK_END, closed="left")
    peak = ~weekend & daytime
    match Profile(profile):
        case Profile.BASE:
            return pl.col(column).is_not_null()
        case Profile.PEAK:
            return peak
        case Profile.OFF_PEAK:
            return ~peak
        case Profile.WEEKEND:
            return weekend
        case Profile.WEEKDAY:
            return ~weekend
        case Profile.NIGHT:
            return ~daytime
        case Profile.WEEKDAY_NIGHT:
            return ~weekend & ~daytime
        case Profile.WEEKEND_DAY:
            return weekend & daytime


def _calendar(found: re.Match[str], contract: str, timezone: str) -> Period:
    year = int(found["year"])
    if year < 1:
        raise _no_code(contract)
    if found["quarter"]:
        return quarter(year, int(found["quarter"]), timezone=timezone)
    if found["season"]:
        return months(year, 4 if found["season"] == "SUM" else 10, count=6, timezone=timezone)
    if found["week"]:
        try:
            monday = date.fromisocalendar(year, int(found["week"]), 1)
        except ValueError as error:
            raise _no_code(contract) from error
        return days(monday, monday + timedelta(days=7), timezone=timezone)
    if found["day"]:
        try:
            local = date(year, int(found["month"]), int(found["day"]))
        except ValueError as error:
            raise _no_code(contract) from error
        return day(local, timezone=timezone)
    if found["month"]:
        return month(year, int(found["month"]), timezone=timezone)
    return months(year, 1, count=12, timezone=timezone)


def _no_code(contract: str) -> InputError:
    return InputError.of("contract", "a code like 2027-03, 2027-Q2, H27 or INDEX:2027-03", value=contract)


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:  # KeyError: no such zone; the others: no such name can be one
        raise InputError.of("timezone", "an IANA time zone like America/New_York", value=timezone) from error
