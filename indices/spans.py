"""Lengths of time as a methodology writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

UNITS: Mapping[str, timedelta] = {"d": timedelta(days=1), "h": timedelta(hours=1), "min": timedelta(minutes=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A length of time as a methodology writes it: `7d` is seven days of its own clock, `24h` and `30min` are exact."""

    number: int
    unit: str

    @property
    def days(self) -> int:
        """Days of the clock; 0 where the length is exact."""
        return self.number if self.unit == "d" else 0

    @property
    def length(self) -> timedelta:
        """How long it is when no clock is changed.

        >>> Span(number=30, unit="min").length, str(Span(number=7, unit="d"))
        (datetime.timedelta(seconds=1800), '7d')
        """
        return self.number * UNITS[self.unit]

    def __str__(self) -> str:
        return f"{self.number}{self.unit}"
