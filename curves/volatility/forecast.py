r"""Forecasts of the GARCH family: the path of expected variance, where it ends, and how fast it gets there.

For GARCH and GJR, :math:`E h_{t+k} = \bar h + p^{k-1} (h_{t+1} - \bar h)` with persistence p = α + β (+ γ / 2) and long-run variance
:math:`\bar h = \omega / (1 - p)`. For EGARCH with normal z the expectation of the exponential is a product,

.. math:: E h_{t+k} = h_{t+1}^{\beta^{k-1}} e^{\omega (1 + \beta + \dots + \beta^{k-2})} \prod_{j=0}^{k-2} G(\beta^j), \qquad
   G(b) = e^{-b \alpha \sqrt{2/\pi}} [e^{b^2 (\gamma + \alpha)^2 / 2} \Phi(b (\gamma + \alpha))
   + e^{b^2 (\gamma - \alpha)^2 / 2} \Phi(b (\alpha - \gamma))]

(Nelson 1991, theorem A1.2 with ν = 2), so that it needs no simulation.
"""

import math
from collections.abc import Mapping

import numpy as np
from scipy.special import log_ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.filters import MEAN_ABSOLUTE
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel

INTEGRATED = 1 - 1e-6  # a search that ends at its bound stops a hair below 1; so slowly no surprise of daily prices goes
FAR = 20_000  # terms of the EGARCH's product: at β of 0.999 the last one is 1 + 1e-9


def persistence(model: VolatilityModel, parameters: Mapping[str, float]) -> float:
    """Share of a surprise in variance (of its logarithm for EGARCH) that is left a period later.

    >>> round(persistence(VolatilityModel.GJR, {"alpha": 0.05, "gamma": 0.1, "beta": 0.85}), 12)
    0.95
    """
    if model is VolatilityModel.EGARCH:
        return parameters["beta"]
    return parameters["alpha"] + parameters["beta"] + parameters.get("gamma", 0.0) / 2


def half_life(model: VolatilityModel, parameters: Mapping[str, float]) -> float | None:
    """Periods until half a surprise is left, ln ½ / ln p; None where it never is (to a millionth), or where nothing is left at once."""
    left = persistence(model, parameters)
    return math.log(0.5) / math.log(left) if 0 < left < INTEGRATED else None


def long_run_variance(model: VolatilityModel, parameters: Mapping[str, float]) -> float | None:
    """Unconditional variance of a period; None where persistence is 1 (to a millionth) or more, which has none.

    >>> long_run_variance(VolatilityModel.GARCH, {"omega": 0.5, "alpha": 0.25, "beta": 0.5})
    2.0
    """
    left = persistence(model, parameters)
    if abs(left) >= INTEGRATED:
        return None
    if model is not VolatilityModel.EGARCH:
        return parameters["omega"] / (1 - left)
    power = left ** np.arange(FAR, dtype=np.float64)
    return float(np.exp(parameters["omega"] / (1 - left) + _growth(parameters, power).sum()))


def variance_path(model: VolatilityModel, parameters: Mapping[str, float], *, first: float, horizon: int) -> Vector:
    """Expected variance of each of the next `horizon` periods (horizon,), `first` that of the next, which is known.

    Raises `InputError` for a horizon below 1.

    >>> variance_path(VolatilityModel.GARCH, {"omega": 0.5, "alpha": 0.25, "beta": 0.5}, first=4.0, horizon=3)
    array([4.   , 3.5  , 3.125])
    """
    if horizon < 1:
        raise InputError.of("volatility", "a horizon of at least 1", column="horizon", value=horizon)
    steps = np.arange(horizon, dtype=np.float64)
    left, omega = persistence(model, parameters), parameters["omega"]
    if model is VolatilityModel.EGARCH:
        power = left**steps
        moved = np.concatenate([[0.0], np.cumsum(omega * power + _growth(parameters, power))[:-1]])
        return np.asarray(np.exp(power * math.log(first) + moved))
    power = left**steps
    sums = np.concatenate([[0.0], np.cumsum(power)[:-1]])
    return np.asarray(power * first + omega * sums)


def _growth(parameters: Mapping[str, float], power: Vector) -> Vector:
    """ln G(b) of every power b, in logarithms so that nothing overflows."""
    alpha, gamma = power * parameters["alpha"], power * parameters["gamma"]
    sides = [(gamma + sign * alpha) ** 2 / 2 + log_ndtr(alpha + sign * gamma) for sign in (1.0, -1.0)]
    return np.asarray(np.logaddexp(*sides) - alpha * MEAN_ABSOLUTE)
