r"""The supplier's preemption option: what the right of recall is worth, and what spreads of tiers imply of it (market design, section 3).

A supplier whose outside value of the hour is W recalls iff W > v and is paid v per present hour. So :math:`a = P(W \le v)`, a pool of many
such suppliers sells :math:`\beta = a / (1 - \pi)`, pays :math:`\beta \lambda_k = a v`, and whoever gives the right up asks

.. math:: \lambda_{firm} = v + E[(W - v)^+], \qquad \lambda_{firm} - \beta \lambda_k = E[W 1\{W > v\}] = E[(W - v)^+] + (1 - a) v.

Here W is lognormal with mean F and standard deviation σ√T of its logarithm.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.derivatives import black

WIDEST = 12.0  # σ√T that an implied deviation is looked for below
HALVINGS = 80


@dataclass(frozen=True, kw_only=True)
class Preemption:
    """Worth of the right of recall, (n,) each; prices in USD per resource-hour."""

    availability: Vector  # a = P(W ≤ v)
    call: Vector  # E[(W − v)⁺]
    premium: Vector  # λ_firm − β λ_k
    overcommit: Vector  # β
    spot: Vector  # λ_k
    firm: Vector  # λ_firm


def preemption(forward: Vector, threshold: Vector, *, deviation: Vector, interruption: Vector) -> Preemption:
    """Prices of the firm and the interruptible hour of suppliers who recall above a threshold; arguments broadcast.

    Args:
        forward: (n,) USD per resource-hour, F = E[W], above 0.
        threshold: (n,) USD per resource-hour, v, above 0.
        deviation: (n,) σ√T of log W, above 0.
        interruption: (n,) π promised, in [0, 1).

    Raises `InputError` for arguments outside these ranges.

    >>> one = preemption(np.array([1.6]), np.array([2.2]), deviation=np.array([0.8]), interruption=np.array([0.1]))
    >>> [values.round(4).item() for values in (one.availability, one.call, one.premium, one.overcommit, one.spot, one.firm)]
    [0.7876, 0.3339, 0.8012, 0.8751, 1.98, 2.5339]
    """
    _refuse(forward=forward, threshold=threshold, deviation=deviation)
    if not np.all((np.asarray(interruption) >= 0) & (np.asarray(interruption) < 1)):
        raise InputError.of("preemption", "an interruption probability in [0, 1)", column="interruption")
    forward, threshold, deviation, interruption = np.broadcast_arrays(forward, threshold, deviation, interruption)
    present = np.asarray(ndtr(np.log(threshold / forward) / deviation + deviation / 2))
    call = black.price(forward, threshold, deviation=deviation, discount=np.ones_like(forward))
    overcommit = present / (1 - interruption)
    return Preemption(
        availability=present,
        call=call,
        premium=call + (1 - present) * threshold,
        overcommit=overcommit,
        spot=present * threshold / overcommit,
        firm=threshold + call,
    )


def threshold_of(availability: Vector, forward: Vector, *, deviation: Vector) -> Vector:
    """v at which a supplier is present with probability a: F exp(σ√T Φ⁻¹(a) − σ² T / 2), USD per resource-hour.

    Args:
        availability: (n,) a, in (0, 1).
        forward: (n,) F, above 0.
        deviation: (n,) σ√T, above 0.

    >>> threshold_of(np.array([0.787582]), np.array([1.6]), deviation=np.array([0.8])).round(4)
    array([2.2])
    """
    _refuse(forward=forward, deviation=deviation)
    _refuse_shares(availability)
    return np.asarray(forward * np.exp(deviation * ndtri(availability) - deviation**2 / 2))


def implied(call: Vector, threshold: Vector, *, availability: Vector) -> tuple[Vector, Vector]:
    r"""F and σ√T of the lognormal W that has P(W ≤ v) = a and E[(W − v)⁺] = `call`, (n,) each; NaN where there is none.

    With :math:`D = \Phi^{-1}(a)` the call is :math:`v \left[ e^{s^2 / 2 - s D} \Phi(s - D) - (1 - a) \right]`,
    which rises from 0 with s: one solution for every call above 0, found by halving.

    Args:
        call: (n,) USD per resource-hour, for example λ_firm − v.
        threshold: (n,) v = β λ_k / a, above 0.
        availability: (n,) a, in (0, 1).

    >>> forward, deviation = implied(np.array([0.33394]), np.array([2.2]), availability=np.array([0.787582]))
    >>> forward.round(3), deviation.round(3)
    (array([1.6]), array([0.8]))
    """
    _refuse(threshold=threshold)
    _refuse_shares(availability)
    call, threshold, availability = (np.asarray(part, dtype=float) for part in np.broadcast_arrays(call, threshold, availability))
    distance = ndtri(availability)

    def worth(s: Vector) -> Vector:
        return np.asarray(np.exp(s**2 / 2 - s * distance) * ndtr(s - distance) - (1 - availability))

    wanted = call / threshold
    low, high = np.zeros_like(wanted), np.full_like(wanted, WIDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = worth(middle) > wanted
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    deviation = (low + high) / 2
    solved = (wanted > 0) & (worth(np.full_like(wanted, WIDEST)) >= wanted)
    forward = threshold * np.exp(deviation**2 / 2 - deviation * distance)
    return np.where(solved, forward, np.nan), np.where(solved, deviation, np.nan)


def _refuse(**given: Vector) -> None:
    faults = [
        Fault(file="preemption", column=name, value=str(np.asarray(values)[~good].flat[0]), expected="a number above 0")
        for name, values in given.items()
        if not np.all(good := np.isfinite(values) & (np.asarray(values) > 0))
    ]
    if faults:
        raise InputError(faults)


def _refuse_shares(availability: Vector) -> None:
    good = (np.asarray(availability) > 0) & (np.asarray(availability) < 1)
    if not np.all(good):
        raise InputError.of("preemption", "an availability in (0, 1)", column="availability", value=np.asarray(availability)[~good].flat[0])
