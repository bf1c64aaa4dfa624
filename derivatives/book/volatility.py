"""Volatility of an index by expiry: total variance σ² T, linear in time between the expiries that were told."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError

SECONDS_PER_YEAR = 365 * 86_400
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False, kw_only=True)
class ByExpiry:
    """Volatility a year to each of some expiries: `ends` (n,) seconds since 1970, rising, `sigma` (n,).

    Before the first expiry and after the last σ is theirs; between two, σ² T is linear in T. Expiries that are over are not read, so that
    a term structure stays good as time passes: what is held is the volatility to each expiry.

    >>> term = ByExpiry(ends=np.array([0.5, 1.0]) * SECONDS_PER_YEAR, sigma=np.array([0.8, 0.6]))
    >>> term.at(np.array([0.25, 0.75, 2.0]), now=0.0).round(4).tolist()
    [0.8, 0.6733, 0.6]
    """

    ends: Vector
    sigma: Vector

    def at(self, years: Vector, *, now: float) -> Vector:
        """(n,) volatility to moments that lie `years` (n,) after `now`, in seconds since 1970."""
        told, sigma = self._ahead(now)
        if not told.size:
            return np.full(years.shape, self.sigma[-1])
        variance = np.interp(years, told, np.square(sigma) * told)
        inside = (years > told[0]) & (years < told[-1])
        flat = np.where(years <= told[0], sigma[0], sigma[-1])
        return np.where(inside, np.sqrt(variance / np.where(inside, years, 1.0)), flat)

    def moved(self, move: float) -> "ByExpiry":
        """Every volatility moved by an amount a year."""
        return replace(self, sigma=self.sigma + move)

    def falls(self, now: float) -> Iterator[int]:
        """Places in `ends` of expiries whose total variance is below that of the expiry before."""
        told, sigma = self._ahead(now)
        variance = np.square(sigma) * told
        for place in np.flatnonzero(np.diff(variance) < -ROUNDING * variance[:-1]):
            yield int(place) + 1 + self.ends.size - told.size

    def _ahead(self, now: float) -> tuple[Vector, Vector]:
        ahead = self.ends > now
        return (self.ends[ahead] - now) / SECONDS_PER_YEAR, self.sigma[ahead]


Sigma = float | ByExpiry


def moved(sigma: Sigma, move: float) -> Sigma:
    """A volatility moved by an amount a year, at every expiry."""
    return sigma.moved(move) if isinstance(sigma, ByExpiry) else sigma + move


def least(sigma: Sigma) -> float:
    """The lowest volatility of any expiry."""
    return float(sigma.sigma.min()) if isinstance(sigma, ByExpiry) else sigma


def by_expiry(told: pl.DataFrame, *, as_of: datetime) -> dict[str, ByExpiry]:
    """Term structures of `VolatilityByExpiry` by index.

    Raises `InputError` for an index none of whose expiries is ahead, and for total variances that fall: of two options on one forward the
    one that lasts longer would be worth less, which no price allows.
    """
    faults: list[Fault] = []
    found: dict[str, ByExpiry] = {}
    for (index,), rows in told.sort("end").group_by("index", maintain_order=True):
        ends, sigma = rows["end"].cast(pl.Int64).to_numpy() / 1e6, rows["volatility"].to_numpy().astype(np.float64)
        term = ByExpiry(ends=ends, sigma=sigma)
        found[str(index)] = term
        if not (ends > as_of.timestamp()).any():
            faults.append(Fault(file="expiries", column="end", value=f"{rows['end'][-1]} of {index}", expected=f"an expiry after {as_of}"))
        for place in term.falls(as_of.timestamp()):
            said = f"{sigma[place]:g} to {rows['end'][place]} of {index}"
            before = f"{sigma[place - 1]:g} to {rows['end'][place - 1]}"
            faults.append(
                Fault(file="expiries", column="volatility", value=said, expected=f"a total variance σ² T not below that of {before}")
            )
    if faults:
        raise InputError(faults)
    return found
