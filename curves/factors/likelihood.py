r"""Maximum likelihood with two kinds of standard errors, for models that give a likelihood by observation.

Of the Hessian H and the scores s_t at the optimum: :math:`H^{-1}`, and the robust :math:`H^{-1} (\sum s_t s_t') H^{-1}` that stands when
the model is only an approximation (White 1982). Both are in the parameters as told, by numeric differences, not in those of the search.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import minimize

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

FIRST, LONGEST = 40, 500  # steps of a search from each start, and of the one that goes on
GRADIENT = 1e-3  # largest slope per observation, in units of the search, at which a search has converged


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Parameters, errors and how the search ended. An error is NaN where the parameter stands at a bound or the curvature gives none."""

    values: Vector = field(repr=False)
    hessian_errors: Vector = field(repr=False)
    robust_errors: Vector = field(repr=False)
    log_likelihood: float
    converged: bool


def maximise(
    each: Callable[[Vector], Vector],
    *,
    natural: Callable[[Vector], Vector],
    starts: Sequence[Vector],
    bounds: Sequence[tuple[float, float]],
    total: Callable[[Vector], float] | None = None,
) -> Estimate:
    """The best of several searches: short ones from every start, of which the best goes on.

    Args:
        each: log-likelihood by observation of natural parameters.
        natural: of the search's parameters, which are unbounded but for `bounds`.
        starts: where searches begin, in parameters of the search.
        bounds: of the search's parameters.
        total: faster sum of `each`.

    Raises `InputError` where no search finds a finite likelihood.
    """
    whole = total if total is not None else lambda value: float(each(value).sum())

    def cost(theta: Vector) -> float:
        found = -whole(natural(theta))
        return found if np.isfinite(found) else 1e10

    def search(start: Vector, **more: Any) -> Any:
        options: Any = {"maxfun": 100_000} | more
        return minimize(cost, start, method="L-BFGS-B", bounds=bounds, options=options)

    first = min((search(start, maxiter=FIRST) for start in starts), key=lambda one: float(one.fun))
    best = search(np.asarray(first.x), maxiter=LONGEST, eps=1e-6, ftol=1e-12)  # only the best of short searches goes on
    if not best.fun < 1e9:
        raise InputError.of("likelihood", "data under which some parameters have a likelihood", value=best.fun)
    theta = np.asarray(best.x, np.float64)
    free = np.array([low + 1e-6 < value < high - 1e-6 for value, (low, high) in zip(theta, bounds, strict=True)])
    values = natural(theta)
    count = each(values).size
    slope = np.abs(np.asarray(best.jac, np.float64))[free]
    hessian, robust = errors(each, values, free=free, total=whole)
    return Estimate(
        values=values, hessian_errors=hessian, robust_errors=robust, log_likelihood=-float(best.fun),
        converged=bool(slope.size == 0 or slope.max() < GRADIENT * count),
    )  # fmt: skip


def errors(
    each: Callable[[Vector], Vector], values: Vector, *, free: Vector | None = None, total: Callable[[Vector], float] | None = None
) -> tuple[Vector, Vector]:
    """Standard errors by the Hessian and robust ones, (parameters,) each; NaN where `free` is False or there is no peak."""
    from statsmodels.tools.numdiff import approx_fprime, approx_hess3

    whole = total if total is not None else lambda value: float(each(value).sum())
    chosen = np.flatnonzero(np.ones(values.size, bool) if free is None else free)

    def put(part: Vector) -> Vector:
        full = values.copy()
        full[chosen] = part
        return full

    hessian, robust = np.full(values.size, np.nan), np.full(values.size, np.nan)
    part = values[chosen]
    step = 1e-4 * np.maximum(np.abs(part), 1e-3)
    curve = -np.asarray(approx_hess3(part, lambda value: whole(put(value)), epsilon=step))
    if not np.isfinite(curve).all() or np.linalg.eigvalsh(curve).min() <= 0:
        return hessian, robust
    scores = np.asarray(approx_fprime(part, lambda value: each(put(value)), epsilon=step, centered=True)).reshape(-1, part.size)
    inverse = np.linalg.inv(curve)
    hessian[chosen] = np.sqrt(np.diag(inverse))
    robust[chosen] = np.sqrt(np.diag(inverse @ scores.T @ scores @ inverse))
    return hessian, robust
