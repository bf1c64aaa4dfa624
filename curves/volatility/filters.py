r"""Conditional variances of the GARCH family from given parameters: the recursions themselves.

With e the residuals and z = e / √h:

- `garch`, `garch-t`: :math:`h_t = \omega + \alpha e_{t-1}^2 + \beta h_{t-1}` (Bollerslev 1986, 1987),
- `gjr`: :math:`h_t = \omega + (\alpha + \gamma 1_{e_{t-1} < 0}) e_{t-1}^2 + \beta h_{t-1}` (Glosten, Jagannathan and Runkle 1993),
- `egarch`: :math:`\ln h_t = \omega + \alpha (|z_{t-1}| - \sqrt{2/\pi}) + \gamma z_{t-1} + \beta \ln h_{t-1}` (Nelson 1991).

Before the sample, e² and h are the backcast (of e < 0 one half; the EGARCH's first day has no shock before it).
"""

import math
from collections.abc import Mapping

import numpy as np
from scipy.signal import lfilter

from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.index import VolatilityModel

MEAN_ABSOLUTE = math.sqrt(2 / math.pi)  # E|z| of a standard normal


def conditional_variance(model: VolatilityModel, parameters: Mapping[str, float], residual: Vector, *, backcast: float) -> Vector:
    """h of each residual's period and of the one after the last, (n + 1,).

    Args:
        model: garch, garch-t, gjr or egarch.
        parameters: omega, alpha, beta, and gamma where the model has one.
        residual: (n,) returns less their mean.
        backcast: e² and h before the sample, above 0.

    >>> conditional_variance(VolatilityModel.GARCH, {"omega": 0.1, "alpha": 0.1, "beta": 0.8}, np.array([1.0, 2.0]), backcast=1.0)
    array([1. , 1. , 1.3])
    """
    omega, alpha, beta = (parameters[name] for name in ("omega", "alpha", "beta"))
    gamma = parameters.get("gamma", 0.0)
    if model is VolatilityModel.EGARCH:
        return _exponential(omega, alpha, gamma, beta, residual, math.log(backcast))
    news = (alpha + gamma * (residual < 0)) * residual**2
    shock = omega + np.concatenate([[(alpha + gamma / 2) * backcast], news])
    found, _ = lfilter([1.0], [1.0, -beta], shock, zi=[beta * backcast])
    return np.asarray(found, dtype=np.float64)


def _exponential(omega: float, alpha: float, gamma: float, beta: float, residual: Vector, before: float) -> Vector:
    found = np.empty(residual.size + 1)
    logarithm = omega + beta * before
    for day, shock in enumerate(residual.tolist()):
        found[day] = math.exp(logarithm)
        z = shock / math.sqrt(found[day])
        logarithm = omega + alpha * (abs(z) - MEAN_ABSOLUTE) + gamma * z + beta * logarithm
    found[-1] = math.exp(logarithm)
    return found
