r"""Errors of dynamic correlation that count what the first step does not know.

With s₁ and s₂ the daily scores of both steps and H their Hessians, :math:`\hat\varphi - \varphi \approx -H_{22}^{-1} \sum u_t`,
:math:`u_t = s_{2t} - H_{21} H_{11}^{-1} s_{1t}` (Newey and McFadden 1994, Handbook of Econometrics 4, theorem 6.1, as Engle 2002 applies
it). H₂₁ lets the mean correlation follow the first step; the sampling error of that mean itself is left out.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.curvature import SHARE, Matrix, likelihoods
from tenorgrid.curves.volatility.filters import conditional_variance
from tenorgrid.curves.volatility.garch import GarchFit

Second = Callable[[Matrix, Vector], Vector]


def two_step_covariance(fits: tuple[GarchFit, ...], values: Vector, second: Second) -> Matrix:
    """Covariance (k, k) of the second step's estimates; NaN where either step has no curvature.

    Args:
        fits: of the first step, one for each column of z.
        values: (k,) estimates of the second step.
        second: of standardised returns (n, m) and values (k,), the second step's log-likelihood of each day (n,).
    """
    z = np.column_stack([standardised(fit, fit.values) for fit in fits])
    size = values.size
    with np.errstate(all="ignore"):
        step = _steps(partial(second, z), values)
        scores, hessian = _derivatives(partial(second, z), values, step)
        told = scores.copy()
        for column, fit in enumerate(fits):
            own = SHARE * fit.errors
            first, bend = _derivatives(_of_fit(fit), fit.values, own)
            cross = np.empty((size, fit.values.size))
            for place, one in enumerate(own.tolist()):
                ends = []
                for side in (1.0, -1.0):
                    moved, point = z.copy(), fit.values.copy()
                    point[place] += side * one
                    moved[:, column] = standardised(fit, point)
                    ends.append(_slopes(partial(second, moved), values, step).sum(axis=1))
                cross[:, place] = (ends[0] - ends[1]) / (2 * one)
            if not (np.isfinite(bend).all() and np.isfinite(cross).all()):
                return np.full((size, size), np.nan)
            told -= cross @ np.linalg.solve(bend, first)
    if not np.isfinite(hessian).all() or np.linalg.eigvalsh(-hessian * np.outer(step, step))[0] <= 0:
        return np.full((size, size), np.nan)
    inverse = np.linalg.inv(hessian)
    return np.asarray(inverse @ (told @ told.T) @ inverse)


def standardised(fit: GarchFit, values: Vector) -> Vector:
    """Standardised returns (n,) of a fit, were its estimates `values`."""
    parameters = dict(zip(fit.names, values.tolist(), strict=True))
    residual = fit.returns - parameters.get("mu", 0.0)
    return np.asarray(residual / np.sqrt(conditional_variance(fit.model, parameters, residual, backcast=fit.backcast)[:-1]))


def _of_fit(fit: GarchFit) -> Callable[[Vector], Vector]:
    def told(values: Vector) -> Vector:
        return likelihoods(fit.model, dict(zip(fit.names, values.tolist(), strict=True)), fit.returns, backcast=fit.backcast)

    return told


def _slopes(function: Callable[[Vector], Vector], values: Vector, step: Vector) -> Matrix:
    moves = np.diag(step)
    return np.stack([(function(values + move) - function(values - move)) / (2 * one) for move, one in zip(moves, step, strict=True)])


def _derivatives(function: Callable[[Vector], Vector], values: Vector, step: Vector) -> tuple[Matrix, Matrix]:
    """Scores (k, n) and Hessian (k, k)."""
    moves = np.diag(step)
    ups, downs = ([_slopes(function, values + side * move, step).sum(axis=1) for move in moves] for side in (1.0, -1.0))
    hessian = np.stack([(up - down) / (2 * one) for up, down, one in zip(ups, downs, step, strict=True)])
    return _slopes(function, values, step), (hessian + hessian.T) / 2


def _steps(function: Callable[[Vector], Vector], values: Vector) -> Vector:
    """A share of the error that each estimate would have by itself."""
    middle, found = float(function(values).sum()), np.empty(values.size)
    for place, value in enumerate(values.tolist()):
        move = np.zeros(values.size)
        move[place] = 1e-3 * max(min(abs(value), 1 - abs(value)), 1e-2)
        bend = 2 * middle - float(function(values + move).sum()) - float(function(values - move).sum())
        found[place] = SHARE * move[place] / np.sqrt(bend) if bend > 0 else move[place]
    return found
