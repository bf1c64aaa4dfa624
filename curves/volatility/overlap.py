r"""What a trailing window does to the volatility of a mark, and the correction for it.

A mark that is the mean of the last n prints, taken every s prints, changes by

.. math:: \Delta m = \frac1n \sum_j w_j \varepsilon_{t-j}, \qquad w = 1_s * 1_n

(each ε, the move of the price from one print to the next, enters n and leaves s prints later: w is the convolution of a box of s ones with
one of n). With moves of variance v and no correlation, the change k marks apart has autocovariance

.. math:: \gamma_k = \frac{v}{n^2} \sum_j w_j w_{j + ks},

so a daily mark over the last n days, s = 1, has γ_k = v (n − k) / n²: its variance is v / n, an n-th of that of the price, and its moves
are correlated for n − 1 days. Prints without end within a window of one period, s = n → ∞, give Working's (1960) 2/3. The long-run
variance, Σ γ_k over all k, is that of the price itself, s v: averaging delays moves, it does not take them away.
"""

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError


def autocovariances_of_changes(window: int, *, step: int = 1) -> Vector:
    """γ_k of a mark's changes for k = 0, 1, ... until they are 0, where the price itself has variance 1 over the period of a mark.

    Args:
        window: n, prints that a mark is the mean of.
        step: s, prints from one mark to the next.

    >>> autocovariances_of_changes(4)
    array([0.25  , 0.1875, 0.125 , 0.0625])
    >>> round(float(autocovariances_of_changes(1000, step=1000)[0]), 3)
    0.667
    """
    if window < 1 or step < 1:
        raise InputError.of("window", "at least one print in a window, and one from mark to mark", value=f"{window} and {step}")
    weight = np.convolve(np.ones(step), np.ones(window))
    lags = range(0, weight.size, step)
    return np.array([float(weight[lag:] @ weight[: weight.size - lag]) for lag in lags]) / (window**2 * step)


def freedom_of_changes(count: int, *, window: int, step: int = 1, means: int = 1) -> float:
    r"""What squared deviations from the mean are divided by for the unbiased variance of the *mark's* changes.

    :math:`T - (1 + 2 \sum_k (1 - k/T) \rho_k)`, T changes with correlations ρ: their mean is less certain than one of independent
    changes. With `means` of a cycle, each mean is over T / means changes that stand `means` marks apart.

    >>> freedom_of_changes(100, window=1)
    99.0
    """
    gamma = autocovariances_of_changes(window, step=step)
    if count <= max(gamma.size, means):
        raise InputError.of("marks", f"more than {max(gamma.size, means)} changes of a mark over {window} prints", value=count)
    each = count / means
    lag = np.arange(means, min(gamma.size, count), means)
    lost = 1 + 2 * float(((1 - lag / count) * gamma[lag]).sum() / gamma[0])
    return float(count - means * min(lost, each))


def spot_variance(variance: float, *, window: int, step: int = 1) -> float:
    """Variance of the price's moves over a mark's period, from that of the mark's own changes: variance / γ₀.

    For s = 1 that is n × variance, the overlapping estimator of n-period moves (Lo and MacKinlay 1988) seen from the mark.

    >>> round(spot_variance(0.0001, window=7), 12)
    0.0007
    """
    return float(variance / autocovariances_of_changes(window, step=step)[0])
