"""Discount factors: what every curve of them can say, and those of a flat rate."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

SECONDS_PER_YEAR = 365 * 86_400


class Discount(Protocol):
    """What values of money at several times are made with: `Flat`, or `discount_quantlib.DiscountCurve`."""

    def factor(self, as_of: datetime, when: datetime) -> float:
        """Worth at `as_of` of one dollar at `when`. Raises `InputError` for a payment in the past."""
        ...

    def factors(self, years: Vector) -> Vector:
        """The same for payments `years` (n,) of 365 days from now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """Rate, continuously compounded, a year being 365 days."""

    rate: float

    def factor(self, as_of: datetime, when: datetime) -> float:
        """Worth at `as_of` of one dollar at `when`. Raises `InputError` for a payment in the past."""
        return float(np.exp(-self.rate * years_between(as_of, when)))

    def factors(self, years: Vector) -> Vector:
        """The same for payments `years` (n,) from now."""
        return np.asarray(np.exp(-self.rate * years))


def flat(rate: float) -> Flat:
    """A flat curve: factor exp(−rate × days / 365).

    >>> from datetime import UTC
    >>> flat(0.04).factor(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    0.9607894391523232
    """
    if not -1 < rate < 1:
        raise InputError.of("discount", "a rate between -1 and 1 a year, such as 0.04", column="rate", value=rate)
    return Flat(rate=rate)


def years_between(as_of: datetime, when: datetime) -> float:
    """Years of 365 days. Raises `InputError` where `when` is before `as_of`."""
    years = (when - as_of).total_seconds() / SECONDS_PER_YEAR
    if years < 0:
        raise InputError.of("discount", f"a payment at or after {as_of}", value=when)
    return years
