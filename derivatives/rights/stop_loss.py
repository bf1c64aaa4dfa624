r"""Reliability option with a stop-loss on paths of one factor, and its deltas hour by hour from the same paths.

With τ the hour in which the year's payments reach the stop-loss, one dollar more owed in hour g is worth D_g − D_τ before τ (the last
payment shrinks by it) and nothing from then on; D_g in a year that is not stopped. Call that w_g. On paths :math:`S_g = F_g R_g` then

.. math:: \frac{\partial V}{\partial F_g} = E\bigl[w_g R_g \bigl(Q_g 1\{S_g > K_g\} + z \, (Q_g - d_g)^+ \delta(S_g - K_g)\bigr)\bigr]

where the point mass δ is counted in a window of 2 % on each side of the strike, which makes the penalty's part noisy. Glasserman, "Monte
Carlo methods in financial engineering" (2003), 4.2, 4.3 and 7.2: antithetic and stratified draws, and derivatives along paths.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.model import decayed
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights.reliability import Reliability, payments

WINDOW = 0.02  # relative, on each side of the strike


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Means over paths."""

    value: float  # USD
    delta: Vector  # (hours,) USD by USD/GPUh of the hour's forward


def ratios(*, reversion: float, volatility: float, years: Vector, paths: int, seed: int) -> Vector:
    """Prices over forwards, (hours, paths), of one Ornstein-Uhlenbeck factor: pairs z and −z, the first hour's z in equal strata.

    Args:
        reversion: κ per year, at least 0.
        volatility: σ per square root of a year, at least 0.
        years: (hours,) from the valuation, at least 0, rising.
        paths: an even number.
        seed: at least 0; equal seeds give equal draws at any volatility.

    Raises `InputError` with every fault.

    >>> drawn = ratios(reversion=4.0, volatility=0.8, years=np.array([0.1, 0.2]), paths=4000, seed=0)
    >>> drawn.shape, drawn.mean(axis=1).round(2).tolist()
    ((2, 4000), [1.0, 1.0])
    """
    refuse(
        "paths",
        ("reversion", reversion, "a number of at least 0", 0 <= reversion < np.inf),
        ("volatility", volatility, "a number of at least 0", 0 <= volatility < np.inf),
        ("years", f"{years.size} times", "times from 0 on that rise", bool(years[0] >= 0 and np.all(np.diff(years) > 0))),
        ("paths", paths, "an even number of at least 2", paths >= 2 and paths % 2 == 0),
    )
    rng, half, steps = np.random.default_rng(seed), paths // 2, np.diff(years, prepend=0.0)
    decay = np.exp(-reversion * steps)
    spread = volatility * np.sqrt(decayed(np.array(2 * reversion), steps))
    level, drawn = np.zeros(half), np.empty((years.size, half))
    for at in range(years.size):
        normal = rng.standard_normal(half) if at else ndtri((np.arange(half) + rng.random(half)) / paths + 0.5)
        level = decay[at] * level + spread[at] * normal
        drawn[at] = level
    correction = 0.5 * volatility**2 * decayed(np.array(2 * reversion), years)[:, None]
    return np.exp(np.concatenate([drawn, -drawn], axis=1) - correction)


def value(option: Reliability, *, forward: Vector, ratio: Vector, delivered: Vector, discount: Vector) -> float:
    """Worth to the buyer, USD; arguments and refusals of `stopped`."""
    _refuse(option, forward, discount)
    return float((discount @ payments(option, price=forward[:, None] * ratio, delivered=delivered)).mean())


def stopped(option: Reliability, *, forward: Vector, ratio: Vector, delivered: Vector, discount: Vector) -> Stopped:
    """Worth to the buyer and its deltas.

    Args:
        option: what was agreed.
        forward: (hours,) USD/GPUh, F, above 0.
        ratio: (hours, paths) R, price over forward.
        delivered: (hours, paths) GPUh; broadcasts.
        discount: (hours,) D, above 0.

    Raises `InputError` with every fault.

    >>> option = Reliability(strike=np.full(2, 2.0), quantity=np.ones(2), penalty=0.0, stop_loss=1.5, year=np.zeros(2, int))
    >>> found = stopped(option, forward=np.full(2, 3.0), ratio=np.ones((2, 1)), delivered=np.ones((1, 1)), discount=np.array([1.0, 0.9]))
    >>> round(found.value, 9), found.delta.round(9).tolist()
    (1.45, [0.1, 0.0])
    """
    _refuse(option, forward, discount)
    price, strike = forward[:, None] * ratio, option.strike[:, None]
    paid = payments(option, price=price, delivered=delivered)
    slope = option.quantity[:, None] * ratio * (price > strike)
    if option.penalty:
        missing = np.maximum(option.quantity[:, None] - delivered, 0.0)
        near = (price * (1 + WINDOW) > strike) & (price * (1 - WINDOW) <= strike)
        slope += option.penalty * missing * near / (2 * WINDOW * forward[:, None])
    return Stopped(value=float((discount @ paid).mean()), delta=(_weight(option, paid, discount) * slope).mean(axis=1))


def _weight(option: Reliability, paid: Vector, discount: Vector) -> Vector:
    """w: present worth of one dollar more owed in an hour, (hours, paths)."""
    weight = np.broadcast_to(discount[:, None], paid.shape).copy()
    for year in np.unique(option.year) if np.isfinite(option.stop_loss) else ():
        low, high = np.searchsorted(option.year, [year, year + 1])
        total = (option.paid if low == 0 else 0.0) + np.cumsum(paid[low:high], axis=0)
        reached = total >= option.stop_loss * (1 - 1e-12)
        last = discount[low:high][np.argmax(reached, axis=0)]
        weight[low:high] -= np.where(reached[-1], last, 0.0)
        weight[low:high][reached] = 0.0
    return weight


def _refuse(option: Reliability, forward: Vector, discount: Vector) -> None:
    hours = option.strike.shape
    refuse(
        "stop-loss",
        ("forward", forward.shape, f"numbers above 0, {hours}", forward.shape == hours and bool(np.all(forward > 0))),
        ("discount", discount.shape, f"factors above 0, {hours}", discount.shape == hours and bool(np.all(discount > 0))),
    )
