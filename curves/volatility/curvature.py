"""Errors of a GARCH's estimates: curvature and scores of the likelihood at its optimum.

Steps of the differences are a fiftieth of each estimate's own error. Steps of rounding size, as numerical libraries take them, meet the
kinks that an EGARCH's |z| has wherever a residual changes its sign: on 600 simulated days they made the error of β a fifth of what it is.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.filters import conditional_variance
from tenorgrid.data.kinds.index import VolatilityModel

Matrix = npt.NDArray[np.float64]
Function = Callable[[Vector], Vector]

SHARE = 0.02  # of an estimate's error, the step of its differences
FIRST = 1e-4  # relative, the step that finds how large that error is


def likelihoods(model: VolatilityModel, parameters: Mapping[str, float], returns: Vector, *, backcast: float) -> Vector:
    """Log-likelihood of each return (n,), normal or, with `nu`, Student's t of variance h.

    >>> likelihoods(VolatilityModel.GARCH, {"omega": 1.0, "alpha": 0.0, "beta": 0.0}, np.array([0.0]), backcast=1.0).round(6)
    array([-0.918939])
    """
    residual = returns - parameters.get("mu", 0.0)
    variance = conditional_variance(model, parameters, residual, backcast=backcast)[:-1]
    if "nu" not in parameters:
        return np.asarray(-0.5 * (np.log(2 * np.pi) + np.log(variance) + residual**2 / variance))
    nu = parameters["nu"]
    level = gammaln((nu + 1) / 2) - gammaln(nu / 2) - np.log(np.pi * (nu - 2)) / 2
    return np.asarray(level - np.log(variance) / 2 - (nu + 1) / 2 * np.log1p(residual**2 / (variance * (nu - 2))))


def covariances(function: Function, values: Vector) -> tuple[Matrix, Matrix]:
    """Inverse Hessian (k, k), and Bollerslev and Wooldridge's (1992, Econometric Reviews 11) covariance, of a likelihood's maximum.

    Args:
        function: of values (k,), the log-likelihood of each row (n,).
        values: (k,) of the maximum.

    Both are NaN where the function has no curvature downward there.

    >>> rows = np.array([1.0, 2.0, 3.0, 6.0])
    >>> classic, robust = covariances(lambda mean: -0.5 * (rows - mean[0]) ** 2, np.array([3.0]))
    >>> round(float(classic[0, 0]), 6), round(float(robust[0, 0]), 6)
    (0.25, 0.875)
    """
    size = values.size
    with np.errstate(all="ignore"):
        step = _steps(function, values)
        moves = np.diag(step)
        ups, downs = ([function(values + side * move) for move in moves] for side in (1.0, -1.0))
        middle = function(values)
        scores = np.stack([(up - down) / (2 * one) for up, down, one in zip(ups, downs, step, strict=True)])
        hessian = np.empty((size, size))
        for i in range(size):
            hessian[i, i] = (ups[i] - 2 * middle + downs[i]).sum() / step[i] ** 2
            for j in range(i):
                both = (function(values + moves[i] + moves[j]) + function(values - moves[i] - moves[j])).sum()
                ends = (ups[i] + downs[i] + ups[j] + downs[j] - 2 * middle).sum()
                hessian[i, j] = hessian[j, i] = (both - ends) / (2 * step[i] * step[j])
    nothing = np.full((size, size), np.nan)
    if not np.isfinite(hessian).all() or np.linalg.eigvalsh(-hessian * np.outer(step, step))[0] <= 0:
        return nothing, nothing
    classic = np.asarray(np.linalg.inv(-hessian), dtype=np.float64)
    return classic, np.asarray(classic @ (scores @ scores.T) @ classic)


def _steps(function: Function, values: Vector) -> Vector:
    """A share of the error that each estimate would have by itself."""
    found = np.empty(values.size)
    middle = float(function(values).sum())
    for place in range(values.size):
        step, move = FIRST * max(abs(values[place]), 1e-2), np.zeros(values.size)
        move[place] = step
        bend = 2 * middle - float(function(values + move).sum()) - float(function(values - move).sum())
        found[place] = SHARE * step / np.sqrt(bend) if bend > 0 else step
    return found
