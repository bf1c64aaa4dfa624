"""Discount factors of a flat rate."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

SECONDS_PER_YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Flat:
    """Rate, continuously compounded, a year being 365 days."""

    rate: float

    def factor(self, as_of: datetime, when: datetime) -> float:
        """Worth at `as_of` of one dollar at `when`. Raises `InputError` for a payment in the past."""
        years = (when - as_of).total_seconds() / SECONDS_PER_YEAR
        if years < 0:
            raise InputError.of("discount", f"a payment at or after {as_of}", value=when)
        return float(np.exp(-self.rate * years))

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
