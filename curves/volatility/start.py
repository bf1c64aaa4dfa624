"""Where the search for a GARCH begins: a quick search of our own, which `arch` then finishes in a quarter of its time.

`arch` begins at the best point of a grid, and its optimiser spends most of its time on the way from there.
"""

import math

import numpy as np
from scipy.optimize import minimize
from scipy.signal import lfilter
from scipy.special import expit, logit

from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.index import VolatilityModel

GRID = ((0.98, 0.05), (0.98, 0.1), (0.9, 0.1), (0.9, 0.2), (0.7, 0.2), (0.5, 0.5))  # persistence, and the share of it that is α
LEAST, MOST = 1e-4, 0.9995  # strictly inside arch's bounds
DEGREES = 8.0
CLOSE = 1e-6  # slope at which the search stops
ONE = np.ones(1)


def starting_values(returns: Vector, model: VolatilityModel, *, constant: bool) -> Vector:
    """Estimates (k,) from which to begin, in the order mu, omega, alpha, gamma, beta, nu of those that the model has.

    Maximises the normal quasi-likelihood of a GARCH over mean, level, persistence and α's share of it, each free on the whole line.

    Args:
        returns: (n,) with a standard deviation of about 1.
        model: garch, gjr or garch-t.
        constant: whether the mean is estimated.

    >>> starting_values(np.random.default_rng(1).normal(size=500), VolatilityModel.GARCH, constant=False).shape
    (3,)
    """
    variance = float(returns.var())
    middle = float(returns.mean()) if constant else 0.0
    corners = [np.array([middle, math.log(variance), logit(left), logit(share)]) for left, share in GRID]
    begin = min(corners, key=lambda corner: _loss(corner, returns)[0])
    free = slice(0, 4) if constant else slice(1, 4)

    def loss(values: Vector) -> tuple[float, Vector]:
        point = begin.copy()
        point[free] = values
        value, slope = _loss(point, returns)
        return value, slope[free]

    point = begin.copy()
    point[free] = minimize(loss, begin[free], jac=True, method="BFGS", options={"gtol": CLOSE}).x
    level, left = math.exp(point[1]), min(float(expit(point[2])), MOST)
    share = min(max(float(expit(point[3])), LEAST), 1 - LEAST)
    found = {"omega": max(level * (1 - left), 1e-8 * variance), "alpha": left * share, "beta": left * (1 - share)}
    order = [found["omega"], found["alpha"]] + ([0.0] if model is VolatilityModel.GJR else []) + [found["beta"]]
    return np.array(([point[0]] if constant else []) + order + ([DEGREES] if model is VolatilityModel.GARCH_T else []))


def _loss(point: Vector, returns: Vector) -> tuple[float, Vector]:
    r"""Mean of ln h + e² / h with the mean squared residual before the sample, and its slope (4,).

    By the adjoint of the recursion: :math:`\lambda_t = \partial \ell_t / \partial h_t + \beta \lambda_{t+1}` is what h moves in
    all, so that one pass forward and one back give every slope.
    """
    mu, level, left, share = point
    persistence, part, height = float(expit(left)), float(expit(share)), math.exp(min(level, 50.0))
    alpha, beta = persistence * part, persistence * (1 - part)
    size, residual = returns.size, returns - mu
    squares = residual * residual
    middle, before = float(residual.sum()) / size, float(squares.sum()) / size
    memory = np.array([1.0, -beta])
    shock = np.empty(size)
    shock[0], shock[1:] = alpha * before, alpha * squares[:-1]
    shock += height * (1 - persistence)
    variance, _ = lfilter(ONE, memory, shock, zi=np.array([beta * before]))
    certain = 1 / variance
    relative = squares * certain
    weight = certain * (1 - relative)
    adjoint = lfilter(ONE, memory, weight[::-1])[::-1]
    total = float(adjoint.sum())
    by_alpha = float(adjoint[1:] @ squares[:-1] + adjoint[0] * before) - height * total
    by_beta = float(adjoint[1:] @ variance[:-1] + adjoint[0] * before) - height * total
    by_mu = -2 * float(alpha * (adjoint[1:] @ residual[:-1]) + (alpha + beta) * adjoint[0] * middle + residual @ certain)
    by_left = (part * by_alpha + (1 - part) * by_beta) * persistence * (1 - persistence)
    by_share = (by_alpha - by_beta) * persistence * part * (1 - part)
    value = float(np.log(variance).sum() + relative.sum()) / size
    return value, np.array([by_mu, height * (1 - persistence) * total, by_left, by_share]) / size
