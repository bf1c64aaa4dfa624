"""Calendars and day counts by name, from QuantLib."""

from datetime import date
from typing import Any

import QuantLib as ql

from tenorgrid.data.errors import InputError

CALENDARS = {
    "USNY": lambda: ql.UnitedStates(ql.UnitedStates.SOFR),  # US government securities, as SOFR is published
    "USSETTLE": lambda: ql.UnitedStates(ql.UnitedStates.Settlement),
    "NYSE": lambda: ql.UnitedStates(ql.UnitedStates.NYSE),
    "FEDERAL-RESERVE": lambda: ql.UnitedStates(ql.UnitedStates.FederalReserve),
    "TARGET": ql.TARGET,
    "LONDON": lambda: ql.UnitedKingdom(ql.UnitedKingdom.Settlement),
    "SINGAPORE": ql.Singapore,
    "TOKYO": ql.Japan,
    "WEEKENDS": ql.WeekendsOnly,
    "NONE": ql.NullCalendar,
}
DAY_COUNTS = {
    "ACT/360": ql.Actual360,
    "ACT/365": ql.Actual365Fixed,
    "ACT/ACT": lambda: ql.ActualActual(ql.ActualActual.ISDA),
    "30/360": lambda: ql.Thirty360(ql.Thirty360.BondBasis),
}


def calendar(name: str) -> Any:
    """A QuantLib calendar. Raises `InputError` for a name that is none of `CALENDARS`."""
    return _named(name, CALENDARS, "calendar")


def day_count(name: str) -> Any:
    """A QuantLib day counter. Raises `InputError` for a name that is none of `DAY_COUNTS`."""
    return _named(name, DAY_COUNTS, "day_count")


def business_days(first: date, end: date, *, calendar_name: str) -> list[date]:
    """Business days of `[first, end)`.

    >>> len(business_days(date(2027, 7, 1), date(2027, 8, 1), calendar_name="USNY"))
    21
    """
    chosen = calendar(calendar_name)
    days = (date.fromordinal(day) for day in range(first.toordinal(), end.toordinal()))
    return [day for day in days if chosen.isBusinessDay(ql_date(day))]


def year_fraction(first: date, end: date, *, day_count_name: str) -> float:
    """Years from one day to another.

    >>> round(year_fraction(date(2027, 1, 1), date(2027, 7, 1), day_count_name="ACT/360"), 6)
    0.502778
    """
    return float(day_count(day_count_name).yearFraction(ql_date(first), ql_date(end)))


def ql_date(day: date) -> Any:
    """A day as QuantLib writes it."""
    return ql.Date(day.day, day.month, day.year)


def _named(name: str, known: dict[str, Any], column: str) -> Any:
    if name not in known:
        raise InputError.of("conventions", f"one of {', '.join(known)}", column=column, value=name)
    return known[name]()
