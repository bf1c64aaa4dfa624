"""Monte Carlo estimates with a control variate: a pay-off of known worth on the same draws, whose error is taken off by regression."""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.hours import Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """Estimates (n,) and their standard errors (n,), USD per GPU-hour."""

    price: Vector
    error: Vector


def summed(paid: Vector, control: Vector) -> Vector:
    """Sums (5,) over draws (d,) of the pay-off, the control, their squares and their product."""
    return np.array([paid.sum(), control.sum(), paid @ paid, control @ control, paid @ control])


def estimated(sums: Vector, *, draws: int, known: Vector, discount: Vector) -> Simulated:
    """Estimates from the sums (5, n) of all draws; `known` (n,) is the control's undiscounted worth.

    >>> sums = summed(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))[:, None]
    >>> estimated(sums, draws=3, known=np.array([5.0]), discount=np.ones(1)).price
    array([2.5])
    """
    paid, control, squared, controlled, crossed = sums / draws
    spread = np.maximum(controlled - np.square(control), 0.0)
    slope = np.where(spread > 0, (crossed - paid * control) / np.where(spread > 0, spread, 1.0), 0.0)
    rest = np.maximum(squared - np.square(paid) - np.square(slope) * spread, 0.0)
    return Simulated(price=discount * (paid - slope * (control - known)), error=discount * np.sqrt(rest / (draws - 1)))
