r"""Model of price paths: correlated Gaussian factors and mean-reverting jumps around a forward curve, whose mean it keeps in closed form.

.. math:: S_c(t) = F_c(t) \exp\bigl(s(t) \sum_f a_{cf} X_f(t) + \sum_j b_{cj} J_j(t) - C_c(t)\bigr)

.. math:: dX_f = -\kappa_f X_f dt + \sigma_f dW_f, \qquad dJ_j = -\beta_j J_j dt + Z_j dN_j, \qquad X(0) = J(0) = 0

N_j counts with intensity λ_j, sizes Z_j are exponential with mean 1/η_j; a negative b makes them fall. With C the logarithm of the mean of
the exponential, E S_c(t) = F_c(t). Kluge, "Pricing swing options and other electricity derivatives", thesis, Oxford 2006, is one factor
and one jump; Schwartz and Smith, "Short-term variations and long-term dynamics", Management Science 46 (2000), are two factors, κ and 0.
"""

from dataclasses import dataclass, field

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError

SYMMETRIC = 1e-12
SMALLEST_EIGENVALUE = -1e-10  # of a correlation matrix that rounding alone made indefinite


@dataclass(frozen=True, kw_only=True)
class Factors:
    """Gaussian factors: mean reversion and volatility per year, correlation, and what each class takes of them.

    Args:
        reversion: (factors,) κ per year, at least 0; 0 is a Brownian motion.
        volatility: (factors,) σ per square root of a year, at least 0.
        correlation: (factors, factors) of the dW.
        loading: (classes, factors) a.

    Raises `InputError` with every fault: negative reversion or volatility, correlation outside [−1, 1] or of no random vector, shapes.

    >>> Factors(reversion=np.array([4.0]), volatility=np.array([-1.0]), correlation=np.eye(1), loading=np.ones((1, 1)))
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: factors, column volatility: found -1.0, expected numbers of at least 0
    """

    reversion: Vector
    volatility: Vector
    correlation: Vector
    loading: Vector

    def __post_init__(self) -> None:
        faults = _at_least_zero("factors", reversion=self.reversion, volatility=self.volatility)
        count = self.reversion.size
        faults += _shaped("factors", count, volatility=self.volatility)
        faults += _loaded("factors", count, self.loading)
        faults += _correlated(self.correlation, count)
        if faults:
            raise InputError(faults)

    def covariance(self, years: Vector) -> Vector:
        r"""Covariance of X after `years` from 0: ρ σ_f σ_g (1 − e^{−(κ_f + κ_g) t}) / (κ_f + κ_g), (years, factors, factors).

        >>> one = Factors(reversion=np.array([4.0]), volatility=np.array([1.2]), correlation=np.eye(1), loading=np.ones((1, 1)))
        >>> one.covariance(np.array([1.0])).round(6)
        array([[[0.17994]]])
        """
        pace = self.reversion[:, None] + self.reversion
        scale = self.correlation * self.volatility[:, None] * self.volatility
        return scale * decayed(pace, np.asarray(years)[:, None, None])


@dataclass(frozen=True, kw_only=True)
class Jumps:
    """Mean-reverting jumps with exponential sizes.

    Args:
        intensity: (jumps,) λ, jumps a year, at least 0.
        reversion: (jumps,) β per year, at least 0.
        rate: (jumps,) η; sizes of the logarithm have mean 1/η before loadings.
        loading: (classes, jumps) b, below η, so that the price has a mean; negative for falls.

    Raises `InputError` with every fault.
    """

    intensity: Vector
    reversion: Vector
    rate: Vector
    loading: Vector

    def __post_init__(self) -> None:
        faults = _at_least_zero("jumps", intensity=self.intensity, reversion=self.reversion, rate=self.rate)
        count = self.intensity.size
        faults += _shaped("jumps", count, reversion=self.reversion, rate=self.rate)
        faults += _loaded("jumps", count, self.loading)
        if not faults and not np.all(self.loading < self.rate):
            wanted = "loadings below the rate of the sizes: without, the price has no mean"
            faults.append(Fault(file="jumps", column="loading", value=str(self.loading.max()), expected=wanted))
        if faults:
            raise InputError(faults)

    def cumulant(self, years: Vector, loading: Vector) -> Vector:
        r"""log E exp(b J(t)) = (λ / β) log((η − b e^{−β t}) / (η − b)), (years, jumps); λ t b / (η − b) where β = 0.

        Args:
            years: (years,) t, at least 0.
            loading: (jumps,) b; may be complex.
        """
        wide = np.asarray(years)[:, None]
        slow = self.reversion == 0
        pace = np.where(slow, 1.0, self.reversion)
        gone = -np.expm1(-pace * wide)  # 1 − e^{−βt}
        reverting = self.intensity / pace * np.log(1 + loading * gone / (self.rate - loading))
        return np.asarray(np.where(slow, self.intensity * wide * loading / (self.rate - loading), reverting))


def no_jumps() -> Jumps:
    """None of them, for any number of classes."""
    return Jumps(intensity=np.empty(0), reversion=np.empty(0), rate=np.empty(0), loading=np.empty((1, 0)))


@dataclass(frozen=True, kw_only=True)
class PathModel:
    """Factors and jumps of the same classes."""

    factors: Factors
    jumps: Jumps = field(default_factory=no_jumps)

    def __post_init__(self) -> None:
        if self.jumps.intensity.size and self.jumps.loading.shape[0] != self.classes:
            raise InputError.of("jumps", f"loadings of {self.classes} classes", column="loading", value=self.jumps.loading.shape)

    @property
    def classes(self) -> int:
        """How many prices it drives."""
        return int(self.factors.loading.shape[0])

    def correction(self, years: Vector, *, seasonal: Vector | None = None) -> Vector:
        """C, (years, classes): half of the variance of the logarithm plus the jumps' cumulants, so that the mean is the forward.

        Args:
            years: (years,) t, at least 0.
            seasonal: (years,) s, what the factors' loadings are multiplied by at each time; 1 if absent.
        """
        years = np.asarray(years)
        spread = np.einsum("cf,tfg,cg->tc", self.factors.loading, self.factors.covariance(years), self.factors.loading)
        total = 0.5 * spread * (1.0 if seasonal is None else seasonal[:, None] ** 2)
        if self.jumps.intensity.size:
            total = total + np.stack([self.jumps.cumulant(years, row).sum(axis=1) for row in self.jumps.loading], axis=1)
        return np.asarray(total)


def ornstein_uhlenbeck(*, reversion: float, volatility: float) -> Factors:
    """One class on one factor.

    >>> PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=1.2)).correction(np.array([0.0, 1.0])).round(6)
    array([[0.     ],
           [0.08997]])
    """
    return Factors(reversion=np.array([reversion]), volatility=np.array([volatility]), correlation=np.eye(1), loading=np.ones((1, 1)))


def decayed(pace: Vector, years: Vector) -> Vector:
    """(1 − e^{−k t}) / k, and t where k = 0; arguments broadcast.

    >>> decayed(np.array([0.0, 2.0]), np.array([0.5])).round(6)
    array([0.5    , 0.31606])
    """
    still = np.asarray(pace) == 0
    divisor = np.where(still, 1.0, pace)
    return np.asarray(np.where(still, years, -np.expm1(-divisor * years) / divisor))


def _at_least_zero(file: str, **columns: Vector) -> list[Fault]:
    return [
        Fault(file=file, column=name, value=str(values[~good].flat[0]), expected="numbers of at least 0")
        for name, values in columns.items()
        if not np.all(good := np.isfinite(values) & (values >= 0))
    ]


def _shaped(file: str, count: int, **columns: Vector) -> list[Fault]:
    return [
        Fault(file=file, column=name, value=str(values.shape), expected=f"{count} numbers")
        for name, values in columns.items()
        if values.shape != (count,)
    ]


def _loaded(file: str, count: int, loading: Vector) -> list[Fault]:
    if loading.ndim == 2 and loading.shape[1] == count and loading.shape[0] and np.all(np.isfinite(loading)):
        return []
    return [Fault(file=file, column="loading", value=str(loading.shape), expected=f"finite numbers, classes × {count}")]


def _correlated(matrix: Vector, count: int) -> list[Fault]:
    """What keeps a matrix from being the correlation of a random vector."""
    if matrix.shape != (count, count):
        return [Fault(file="factors", column="correlation", value=str(matrix.shape), expected=f"a {count} × {count} matrix")]
    if not np.all(np.abs(matrix) <= 1):
        worst = matrix.flat[np.argmax(np.abs(matrix))]
        return [Fault(file="factors", column="correlation", value=str(worst), expected="correlations in [-1, 1]")]
    if np.abs(matrix - matrix.T).max(initial=0) > SYMMETRIC or np.any(np.diag(matrix) != 1):
        return [Fault(file="factors", column="correlation", expected="a symmetric matrix with ones on its diagonal")]
    lowest = np.linalg.eigvalsh(matrix).min(initial=0)
    if lowest < SMALLEST_EIGENVALUE:
        wanted = "correlations that some random vector has (no negative eigenvalue)"
        return [Fault(file="factors", column="correlation", value=f"eigenvalue {lowest:.3g}", expected=wanted)]
    return []
