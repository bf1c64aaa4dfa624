r"""Availability-linked lease: rent that falls with the measured shortfall under a promised availability, down to a floor.

.. math:: \text{due} = R \, \max\bigl(\phi, 1 - k (A - a)^+\bigr)

R the full rent of a period, A the availability promised, a the one measured, k how many per cent of rent a point of shortfall costs
and φ the share of rent that is always due. The reduction is a put spread on availability, so a Beta law of a gives its mean in closed form.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.refusal import refuse


@dataclass(frozen=True, kw_only=True)
class Lease:
    """How rent depends on availability. Raises `InputError` with every fault.

    >>> Lease(promised=1.2, slope=1.0, floor=-0.1)
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: lease, column promised: found 1.2, expected a share in [0, 1]
    lease, column floor: found -0.1, expected a share in [0, 1]
    """

    promised: float  # A
    slope: float  # k; 1 takes off what was missing, 2 twice that
    floor: float  # φ

    def __post_init__(self) -> None:
        refuse(
            "lease",
            ("promised", self.promised, "a share in [0, 1]", 0 <= self.promised <= 1),
            ("slope", self.slope, "a finite number of at least 0", 0 <= self.slope < np.inf),
            ("floor", self.floor, "a share in [0, 1]", 0 <= self.floor <= 1),
        )


@dataclass(frozen=True, kw_only=True)
class Rented:
    """What a lease is worth to its lessor."""

    value: float  # USD
    share: Vector  # (periods,) of full rent that is expected
    delta: Vector  # (periods,) USD by USD of full rent
    availability: Vector  # (periods,) USD by 1 of mean availability


def due(lease: Lease, *, rent: Vector, availability: Vector) -> Vector:
    """Rent owed for measured availabilities, USD; arguments broadcast.

    Args:
        lease: terms.
        rent: (periods, ...) USD, R; it may be an index's price times the hours.
        availability: (periods, ...) a, in [0, 1].

    Raises `InputError` for shares outside [0, 1].

    >>> due(Lease(promised=0.99, slope=2.0, floor=0.5), rent=np.full(3, 100.0), availability=np.array([1.0, 0.95, 0.2])).round(9)
    array([100.,  92.,  50.])
    """
    refuse("lease", ("availability", availability, "shares in [0, 1]", bool(np.all((availability >= 0) & (availability <= 1)))))
    return np.asarray(rent * np.maximum(lease.floor, 1 - lease.slope * np.maximum(lease.promised - availability, 0.0)))


def value(lease: Lease, *, rent: Vector, mean: Vector, concentration: Vector, discount: Vector) -> Rented:
    """Worth where each period's availability follows a Beta law apart from rents: E(x − a)⁺ = x I_x(α, β) − m I_x(α + 1, β).

    Args:
        lease: terms.
        rent: (periods,) USD, expected full rent.
        mean: (periods,) m of availability, in (0, 1).
        concentration: (periods,) α + β, above 0; with n independent machines of which each is up or down, about n − 1.
        discount: (periods,) D, above 0.

    Raises `InputError` with every fault.

    >>> one, lease = np.ones(1), Lease(promised=0.99, slope=1.0, floor=0.0)
    >>> value(lease, rent=100 * one, mean=0.97 * one, concentration=200 * one, discount=one).share.round(4)
    array([0.98])
    """
    inside = bool(np.all((mean > 0) & (mean < 1)))
    refuse(
        "lease",
        ("rent", "some", "finite rents", bool(np.all(np.isfinite(rent)))),
        ("mean", mean, "availabilities in (0, 1)", inside),
        ("concentration", concentration, "numbers above 0", bool(np.all(concentration > 0))),
        ("discount", discount, "factors above 0", bool(np.all(discount > 0))),
    )
    share = _share(lease, mean, concentration)
    step = 1e-5 * np.minimum(mean, 1 - mean)
    slope = (_share(lease, mean + step, concentration) - _share(lease, mean - step, concentration)) / (2 * step)
    present = discount * rent
    return Rented(value=float((present * share).sum()), share=share, delta=discount * share, availability=present * slope)


def _share(lease: Lease, mean: Vector, concentration: Vector) -> Vector:
    """Expected share of rent."""
    if lease.slope == 0:
        return np.ones(np.broadcast_shapes(mean.shape, concentration.shape))
    cut = max(lease.promised - (1 - lease.floor) / lease.slope, 0.0)  # availability below which the floor holds
    return np.asarray(1 - lease.slope * (_below(lease.promised, mean, concentration) - _below(cut, mean, concentration)))


def _below(level: float, mean: Vector, concentration: Vector) -> Vector:
    """E(x − a)⁺."""
    up, down = mean * concentration, (1 - mean) * concentration
    return np.asarray(level * betainc(up, down, level) - mean * betainc(up + 1, down, level))
