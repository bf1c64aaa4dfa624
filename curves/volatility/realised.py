"""Realised volatility of daily returns, with an interval that does not need them to be normal or independent."""

from typing import Literal

import numpy as np
from scipy.special import chdtri, ndtri

from tenorgrid.curves.hours import Vector

Interval = Literal["hac", "chi-square"]


def surprises(returns: Vector, *, every: int) -> tuple[Vector, int]:
    """Returns (n,) less their mean (`every` 1) or the mean of each day of a cycle of `every` days, and the degrees of freedom left.

    >>> surprises(np.array([1.0, 5.0, 3.0, 5.0]), every=2)
    (array([-1.,  0.,  1.,  0.]), 2)
    """
    phase = np.arange(returns.size) % every
    mean = np.bincount(phase, weights=returns) / np.bincount(phase)
    return returns - mean[phase], returns.size - every


def robust(deviation: Vector, *, freedom: float, level: float, least: int = 0) -> tuple[float, float, float]:
    r"""Standard deviation s of deviations (n,), with an interval that holds under fat tails and autocorrelation.

    :math:`\log s^2 \pm z \sqrt{\Omega / n} / s^2`, Ω the long-run variance of squared deviations: the delta method on log s².

    Args:
        deviation: (n,) returns less their mean.
        freedom: what their squares are divided by.
        level: confidence.
        least: fewest lags of Ω, for deviations that overlap.

    >>> [round(x, 4) for x in robust(np.array([0.01, -0.02, 0.02, 0.0, -0.02, 0.01]), freedom=5, level=0.9)]
    [0.0167, 0.0151, 0.0186]
    """
    variance = float(deviation @ deviation) / freedom
    spread = float(ndtri((1 + level) / 2)) * np.sqrt(long_run_variance(deviation**2, least=least) / deviation.size) / variance
    middle = np.sqrt(variance)
    return float(middle), float(middle * np.exp(-spread / 2)), float(middle * np.exp(spread / 2))


def chi_square(deviation: Vector, *, freedom: float, level: float) -> tuple[float, float, float]:
    """Standard deviation of deviations (n,) with the interval that s² · freedom / σ² ~ χ² gives for independent normal returns."""
    total = float(deviation @ deviation)
    lower, upper = (np.sqrt(total / chdtri(freedom, tail)) for tail in ((1 - level) / 2, (1 + level) / 2))
    return float(np.sqrt(total / freedom)), float(lower), float(upper)


def long_run_variance(values: Vector, *, least: int = 0) -> float:
    """Bartlett-weighted sum of the autocovariances of `values` (n,), never negative (Newey and West 1987); at least `least` lags."""
    centred = values - values.mean()
    lags = max(int(4 * (values.size / 100) ** (2 / 9)), least)
    total = float(centred @ centred)
    for lag in range(1, min(lags, values.size - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return total / values.size
