r"""Exponentially weighted variance: :math:`h_t = \lambda h_{t-1} + (1 - \lambda) r_{t-1}^2`, with RiskMetrics' λ or a fitted one."""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

RISKMETRICS = 0.94  # of daily returns (RiskMetrics Technical Document, 4th edition, 1996, table 5.8)
WARM = 20  # returns whose mean square is the first variance
LOWEST, HIGHEST = 0.5, 0.9999
STEP = 1e-4  # of λ, relative to what is left of it, for derivatives


@dataclass(frozen=True, slots=True, kw_only=True)
class Ewma:
    """λ with its errors (0 where it was given), `variance` (n − warm,) of the returns from the warm-th on, and of the next period.

    `error` is that of the inverse Hessian, `robust_error` Bollerslev and Wooldridge's (1992).
    """

    decay: float
    error: float
    robust_error: float
    log_likelihood: float
    warm: int
    variance: Vector = field(repr=False)
    next_variance: float


def ewma(returns: Vector, *, decay: float = RISKMETRICS, warm: int = WARM) -> Ewma:
    """The variance with a given λ; returns count around 0, as RiskMetrics has it, and later returns change no earlier variance.

    Args:
        returns: (n,) log returns.
        decay: λ, above 0 and below 1.
        warm: returns whose mean square is the variance that follows them.

    Raises `InputError` for a λ outside, and no return after the first `warm`.

    >>> ewma(np.array([1.0, 1.0, 3.0]), decay=0.5, warm=2).next_variance
    5.0
    """
    if not 0 < decay < 1:
        raise InputError.of("volatility", "a number above 0 and below 1", column="decay", value=decay)
    _refuse(returns, warm)
    path = _path(returns, decay, warm)
    told = float(_likelihoods(returns[warm:], path).sum())
    return Ewma(decay=decay, error=0.0, robust_error=0.0, log_likelihood=told, warm=warm, variance=path[:-1], next_variance=float(path[-1]))


def fit_ewma(returns: Vector, *, warm: int = WARM) -> Ewma:
    """λ of the largest normal quasi-likelihood of the returns after the first `warm`.

    Raises `InputError` for too few returns, and a likelihood that grows up to either bound of λ: returns whose variance does not move have
    no λ.
    """
    _refuse(returns, warm)
    found = minimize_scalar(
        lambda decay: -_likelihoods(returns[warm:], _path(returns, decay, warm)).sum(), bounds=(LOWEST, HIGHEST), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    decay = float(found.x)
    if min(decay - LOWEST, HIGHEST - decay) < 1e-4:
        raise InputError.of("returns", "a variance that moves, for a fitted decay", column="decay", value=f"{decay:.4f}, its bound")
    step = STEP * (1 - decay)
    low, middle, high = (_likelihoods(returns[warm:], _path(returns, decay + move, warm)) for move in (-step, 0.0, step))
    score, curvature = (high - low) / (2 * step), -float((high - 2 * middle + low).sum()) / step**2
    path = _path(returns, decay, warm)
    return Ewma(
        decay=decay,
        error=float(np.sqrt(1 / curvature)),
        robust_error=float(np.sqrt(score @ score) / curvature),
        log_likelihood=float(middle.sum()),
        warm=warm,
        variance=path[:-1],
        next_variance=float(path[-1]),
    )


def _refuse(returns: Vector, warm: int) -> None:
    if warm < 1 or returns.size <= warm:
        raise InputError.of("returns", f"more than the first {warm} of them", value=returns.size)
    if not np.isfinite(returns).all() or not (returns[:warm] != 0).any():
        raise InputError.of("returns", f"numbers, and a move among the first {warm}", value="none")


def _path(returns: Vector, decay: float, warm: int) -> Vector:
    """h of every return from the warm-th on and of the period after the last."""
    first = float((returns[:warm] ** 2).mean())
    later, _ = lfilter([1 - decay], [1.0, -decay], returns[warm:] ** 2, zi=[decay * first])
    return np.concatenate([[first], later])


def _likelihoods(returns: Vector, path: Vector) -> Vector:
    variance = path[:-1]
    return np.asarray(-0.5 * (np.log(2 * np.pi) + np.log(variance) + returns**2 / variance))
