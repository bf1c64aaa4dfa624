"""Between two volatilities and two discounts: a share of the way from one to the other."""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from tenorgrid.curves.discount import Discount, years_between
from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.book.volatility import ByExpiry, Sigma

ALIKE = np.linspace(1 / 365, 5.0, 60)  # years at which two discounts are compared


@dataclass(frozen=True, eq=False, kw_only=True)
class BetweenVolatilities(ByExpiry):
    """σ = (1 − share) σ of the first + share σ of `other`, moment by moment."""

    other: ByExpiry
    share: float

    def at(self, years: Vector, *, now: float) -> Vector:
        """(n,) volatility to moments that lie `years` (n,) after `now`, in seconds since 1970."""
        return (1 - self.share) * super().at(years, now=now) + self.share * self.other.at(years, now=now)

    def moved(self, move: float) -> "BetweenVolatilities":
        """Every volatility moved by an amount."""
        return replace(self, sigma=self.sigma + move, other=self.other.moved(move))


@dataclass(frozen=True, slots=True, kw_only=True)
class BetweenDiscounts:
    """Rates a share of the way from one discount's to another's: D = D₁^(1 − share) D₂^share."""

    first: Discount
    last: Discount
    share: float

    def factor(self, as_of: datetime, when: datetime) -> float:
        """Worth at `as_of` of one dollar at `when`. Raises `InputError` for a payment in the past."""
        return float(self.factors(np.array([years_between(as_of, when)]))[0])

    def factors(self, years: Vector) -> Vector:
        """The same for payments `years` (n,) of 365 days from now."""
        return np.asarray(self.first.factors(years) ** (1 - self.share) * self.last.factors(years) ** self.share)


def between_volatilities(first: Sigma, last: Sigma, share: float) -> Sigma:
    """A share of the way from one volatility to another: the one itself at 0, the other at 1."""
    if share in (0.0, 1.0):
        return first if share == 0.0 else last
    if not isinstance(first, ByExpiry) and not isinstance(last, ByExpiry):
        return first + share * (last - first)
    one, other = _by_expiry(first), _by_expiry(last)
    return BetweenVolatilities(ends=one.ends, sigma=one.sigma, other=other, share=share)


def same_volatility(first: Sigma | None, last: Sigma | None) -> bool:
    """Whether two volatilities are the same numbers; that both are none counts."""
    if isinstance(first, ByExpiry) and isinstance(last, ByExpiry):
        return np.array_equal(first.ends, last.ends) and np.array_equal(first.sigma, last.sigma)
    if isinstance(first, ByExpiry) or isinstance(last, ByExpiry):
        return False
    return first == last


def same_discount(first: Discount | None, last: Discount | None) -> bool:
    """Whether two discounts say the same at every month of five years."""
    if first is None or last is None or first is last:
        return True
    return bool(np.array_equal(first.factors(ALIKE), last.factors(ALIKE)))


def _by_expiry(sigma: Sigma) -> ByExpiry:
    """One number as a volatility to every expiry."""
    return sigma if isinstance(sigma, ByExpiry) else ByExpiry(ends=np.array([0.0]), sigma=np.array([sigma]))
