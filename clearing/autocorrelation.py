"""Errors of means over time that allow for autocorrelation: Bartlett weights, bandwidth of Andrews, Student's t of the matching degrees."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

Vector = npt.NDArray[np.float64]

BINS = 500
LEVEL = 0.95
PERSISTENT = 0.99  # first autocorrelation that the plug-in is cut at


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanError:
    """Standard error of a mean over time and its degrees of freedom."""

    value: float
    degrees: float

    def margin(self, level: float = LEVEL) -> float:
        """Half the width of the interval at `level`."""
        return self.value * float(student.ppf(0.5 + level / 2, self.degrees))


def mean_error(values: Vector, duration: Vector) -> MeanError | None:
    r"""Error of the time-weighted mean of a series that is constant over each of its segments; None where it never varies.

    The series is averaged exactly over equal bins. With :math:`\gamma_j` their autocovariances and n bins, the variance of the mean is
    :math:`\frac1n \left[\gamma_0 + 2 \sum_{j<S} (1 - j/S) \gamma_j\right]`, :math:`S = 1.1447\,(\alpha n)^{1/3}`,
    :math:`\alpha = 4 r^2 / (1 - r^2)^2` with r the first autocorrelation, S at most n / 3. The weights leave about 3 n / (2 S)
    degrees of freedom.

    Args:
        values: (segments,).
        duration: (segments,) hours, above 0.

    Source: Andrews, "Heteroskedasticity and autocorrelation consistent covariance matrix estimation", Econometrica 59 (1991);
    degrees of freedom of Bartlett weights: Priestley, "Spectral Analysis and Time Series" (1981), section 6.2.

    >>> rng = np.random.default_rng(1)
    >>> found = mean_error(rng.normal(size=400), np.ones(400))
    >>> found is not None and 0.035 < found.value < 0.06
    True
    """
    binned = bins(values, duration, count=max(min(BINS, values.size), 2))
    centred = binned - binned.mean()
    n = centred.size
    # what is left of a constant after rounding is no variation
    if float(np.abs(centred).max()) <= 1e-12 * max(float(np.abs(binned).max()), 1e-300):
        return None
    variance = float(centred @ centred) / n
    first = float(np.clip((centred[1:] @ centred[:-1]) / n / variance, -PERSISTENT, PERSISTENT))
    spread = 1.1447 * (4 * first**2 / (1 - first**2) ** 2 * n) ** (1 / 3)
    reach = float(np.clip(spread, 1.0, max(n / 3, 1.0)))
    lags = np.arange(1, min(int(np.ceil(reach)), n - 1))
    covariance = np.array([centred[lag:] @ centred[:-lag] for lag in lags]) / n
    long_run = variance + 2 * float(((1 - lags / reach) * covariance).sum())
    degrees = max(1.5 * n / reach, 1.0)
    return MeanError(value=float(np.sqrt(max(long_run, 0.0) / n * n / (n - 1))), degrees=min(degrees, n - 1.0) if n > 2 else 1.0)


def bins(values: Vector, duration: Vector, *, count: int) -> Vector:
    """Exact means of a piecewise constant series over `count` equal bins of its whole time, (count,).

    >>> bins(np.array([1.0, 4.0]), np.array([1.0, 2.0]), count=2)
    array([2., 4.])
    """
    clock = np.r_[0.0, np.cumsum(duration)]
    area = np.r_[0.0, np.cumsum(values * duration)]
    edges = np.linspace(0.0, clock[-1], count + 1)
    return np.diff(np.interp(edges, clock, area)) / np.diff(edges)
