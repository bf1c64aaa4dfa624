r"""Volatility by time to delivery: realised, and the one- and two-factor curves fitted to it by least squares.

One factor: :math:`\sigma e^{-\kappa T}`, which falls to nothing. Two: :math:`\sqrt{e^{-2\kappa T}\sigma_\chi^2 + \sigma_\xi^2 +
2 e^{-\kappa T}\rho\sigma_\chi\sigma_\xi}`, which falls to :math:`\sigma_\xi`. Errors are those of weighted least squares with each
realised volatility's own error :math:`\sigma / \sqrt{2n}`; maturities move together, so they are too small where curves move as one.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import least_squares

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError


@dataclass(frozen=True, kw_only=True)
class VolatilityCurve:
    """Parameters (κ, σ) or (κ, σ_χ, σ_ξ, ρ) with errors, NaN where the volatilities do not tell them apart."""

    values: Vector = field(repr=False)
    errors: Vector = field(repr=False)
    fitted: Vector = field(repr=False)
    weighted_squares: float


def realised(prices: Vector, *, step: float) -> tuple[Vector, Vector]:
    """Volatility a year of each maturity's log prices and its error σ/√(2n), (maturities,) each; steps without both prices are left out.

    Raises `InputError` for a price of 0 or less, or fewer than 10 steps of a maturity.
    """
    if np.any(prices <= 0):
        raise InputError.of("panel", "prices above 0: volatilities of logarithms", value=f"{np.nanmin(prices):g}")
    moves = np.diff(np.log(prices), axis=0)
    count = np.isfinite(moves).sum(axis=0)
    if np.any(count < 10):
        raise InputError.of("panel", "at least 10 steps with prices at every maturity", value=int(count.min()))
    found = np.nanstd(moves, axis=0, ddof=1) / np.sqrt(step)
    return found, found / np.sqrt(2 * count)


def curve(values: Vector, maturity: Vector) -> Vector:
    """Volatility (maturities,) of (κ, σ) or (κ, σ_χ, σ_ξ, ρ).

    >>> curve(np.array([1.49, 0.286, 0.145, 0.3]), np.array([0.0, 1.0])).round(6).tolist()
    [0.357356, 0.175463]
    """
    near = np.exp(-values[0] * maturity) * values[1]
    if values.size == 2:
        return np.asarray(near)
    return np.asarray(np.sqrt(np.maximum(near**2 + values[2] ** 2 + 2 * values[3] * near * values[2], 0.0)))


def fit(volatility: Vector, *, maturity: Vector, error: Vector, factors: int = 2) -> VolatilityCurve:
    """Weighted least squares of one or two factors, from several starts.

    Args:
        volatility, maturity, error: (maturities,) a year, years, and the error of each volatility.
        factors: 1 or 2.

    Raises `InputError` for fewer maturities than parameters, volatilities or errors of 0, and another number of factors.
    """
    least = {1: 2, 2: 4}.get(factors)
    if least is None:
        raise InputError.of("volatility curve", "1 or 2 factors", value=factors)
    if volatility.size < least:
        raise InputError.of("volatility curve", f"at least {least} maturities for {factors} factors", value=volatility.size)
    if not (np.all(volatility > 0) and np.all(error > 0)):
        raise InputError.of("volatility curve", "volatilities and errors above 0")
    near, far = float(volatility.max()), float(volatility.min())
    starts = [np.array([k, near] if factors == 1 else [k, near, far, 0.0]) for k in (0.3, 1.5, 5.0)]
    low, high = (([0, 0], [100, 20]), ([0, 0, 0, -1], [100, 20, 20, 1]))[factors - 1]

    def residual(one: Vector) -> Vector:
        return np.asarray((curve(one, maturity) - volatility) / error)

    runs = [least_squares(residual, start, bounds=(low, high), xtol=1e-12, ftol=1e-12, gtol=1e-12) for start in starts]
    best = min(runs, key=lambda one: float(one.cost))
    jacobian = np.asarray(best.jac, np.float64)
    information = jacobian.T @ jacobian
    errors = np.full(best.x.size, np.nan)
    if np.linalg.cond(information) < 1e12:
        errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return VolatilityCurve(values=best.x, errors=errors, fitted=curve(best.x, maturity), weighted_squares=float(2 * best.cost))
