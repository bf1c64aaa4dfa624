"""Calendars: the days on which an index has marks."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any

from tenorgrid.data.kinds.index import Calendar

SATURDAY = 5


def is_open(calendar: Calendar, day: date) -> bool:
    """Whether an index of this calendar has a mark of `day`.

    `weekdays` are Monday to Friday, whatever holiday falls on them; the holidays of exchanges and of payment systems are those of
    QuantLib.

    >>> christmas = date(2026, 12, 25)  # a Friday
    >>> [is_open(calendar, christmas) for calendar in (Calendar.EVERY_DAY, Calendar.WEEKDAYS, Calendar.NEW_YORK)]
    [True, True, False]
    """
    if calendar is Calendar.EVERY_DAY:
        return True
    if calendar is Calendar.WEEKDAYS:
        return day.weekday() < SATURDAY
    import QuantLib  # slow to import, and needed by few methodologies

    return bool(_holidays(calendar).isBusinessDay(QuantLib.Date(day.day, day.month, day.year)))


@cache
def _holidays(calendar: Calendar) -> Any:
    import QuantLib

    known: Mapping[Calendar, Callable[[], Any]] = {
        Calendar.NEW_YORK: lambda: QuantLib.UnitedStates(QuantLib.UnitedStates.NYSE),
        Calendar.US_BONDS: lambda: QuantLib.UnitedStates(QuantLib.UnitedStates.GovernmentBond),
        Calendar.FEDERAL_RESERVE: lambda: QuantLib.UnitedStates(QuantLib.UnitedStates.FederalReserve),
        Calendar.LONDON: lambda: QuantLib.UnitedKingdom(QuantLib.UnitedKingdom.Exchange),
        Calendar.TARGET: QuantLib.TARGET,
    }
    return known[calendar]()
