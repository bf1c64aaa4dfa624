"""Long-run variances of series with gaps, and least squares with their errors."""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.hours import Counts, Vector

TINY = 1e-12  # relative to the series: below it there is nothing but rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """Coefficients (k,), their least squares and HAC errors (k,), the lags of the latter, and R²."""

    coefficients: Vector
    naive_errors: Vector
    hac_errors: Vector
    lags: int
    r_squared: float


def autocovariances(values: Vector, at: Counts, *, lags: int) -> Vector:
    r"""Sums :math:`\sum_t v_t v_{t-l}` for l = 0 to `lags` of rows that stand at whole places `at`; a gap adds nothing.

    That is the amplitude-modulated estimator of Datta and Du (2012, Nonparametric HAC estimation for time series data with missing
    observations, International Finance Discussion Paper 1060): what is missing counts as uncorrelated, and the variance is never negative.

    Args:
        values: (n,) or (n, k), of mean zero.
        at: (n,) places, each once, in any unit of time.

    Returns (lags + 1,) or (lags + 1, k, k).

    >>> autocovariances(np.array([1.0, -1.0, 2.0]), np.array([0, 1, 3]), lags=2)
    array([ 6., -1., -2.])
    """
    rows = values.reshape(values.shape[0], -1)
    place = at - at.min()
    filled = np.zeros((int(place.max()) + 1, rows.shape[1]))
    filled[place] = rows
    size = filled.shape[0]
    found = np.stack([filled[lag:].T @ filled[: size - lag] if lag < size else np.zeros((rows.shape[1],) * 2) for lag in range(lags + 1)])
    return found[:, 0, 0] if values.ndim == 1 else found


def bartlett(sums: Vector) -> Vector:
    """Newey and West's (1987, Econometrica 55) sum Γ₀ + Σ (1 − l / (L + 1)) (Γₗ + Γₗ′)."""
    lags = sums.shape[0] - 1
    weight = 1 - np.arange(1, lags + 1) / (lags + 1)
    if sums.ndim == 1:
        return np.asarray(sums[0] + 2 * weight @ sums[1:])
    both = sums[1:] + sums[1:].transpose(0, 2, 1)
    return np.asarray(sums[0] + np.tensordot(weight, both, axes=1)) if lags else sums[0]


def plug_in_lags(values: Vector, at: Counts, *, least: int = 0) -> int:
    r"""Lags for Bartlett weights: :math:`1.1447 (\alpha n)^{1/3}`, :math:`\alpha = 4 \rho^2 / (1 - \rho^2)^2`, ρ of neighbours.

    Andrews (1991, Econometrica 59) with a first-order autoregression; never below `least` (the overlap of forecasts) nor above n − 1.

    >>> plug_in_lags(np.array([1.0, -1.0, 1.0, -1.0, 1.0, 1.0]), np.arange(6), least=2)
    4
    """
    centred = values - values.mean()
    none, one = autocovariances(centred, at, lags=1)
    rho = min(abs(one / none), 0.97) if none > 0 else 0.0
    chosen = int(np.ceil(1.1447 * (4 * rho**2 / (1 - rho**2) ** 2 * values.size) ** (1 / 3)))
    return int(min(max(chosen, least), values.size - 1))


def mean_errors(values: Vector, at: Counts, *, lags: int) -> tuple[float, float]:
    """Standard errors of a mean: s / √n as if rows were independent, and Newey and West's.

    >>> naive, robust = mean_errors(np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0]), np.arange(6), lags=1)
    >>> round(naive, 4), round(robust, 4)
    (0.2108, 0.2079)
    """
    n, centred = values.size, values - values.mean()
    naive = float(np.sqrt(centred @ centred / (n - 1) / n))
    return naive, float(np.sqrt(max(float(bartlett(autocovariances(centred, at, lags=lags))), 0.0)) / n)


def regress(design: Vector, explained: Vector, at: Counts, *, lags: int) -> Regression:
    """Least squares with both errors; columns are scaled first, so that powers of prices do not lose digits.

    Args:
        design: (n, k), of full rank.
        explained: (n,).
        at: (n,) places in time.
    """
    n, k = design.shape
    scale = np.sqrt((design**2).mean(axis=0))
    scaled = design / scale
    inverse = np.linalg.inv(scaled.T @ scaled)
    coefficients = inverse @ (scaled.T @ explained)
    residual = explained - scaled @ coefficients
    middle = bartlett(autocovariances(scaled * residual[:, None], at, lags=lags))
    spread = explained - explained.mean()
    return Regression(
        coefficients=coefficients / scale,
        naive_errors=np.sqrt(np.diag(inverse) * (residual @ residual) / (n - k)) / scale,
        hac_errors=np.sqrt(np.maximum(np.diag(inverse @ middle @ inverse), 0.0)) / scale,
        lags=lags,
        r_squared=float(1 - residual @ residual / (spread @ spread)),
    )
