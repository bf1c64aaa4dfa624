"""How well a hedge works: its ratio, the variance it takes away and the dollars it offsets."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenorgrid.data.errors import InputError

Vector = npt.NDArray[np.float64]

BAND = (0.80, 1.25)  # dollar offset that hedge accounting has customarily called effective
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Regression:
    """Least squares of changes of an exposure on changes of an index, with an intercept; the ratio's standard error is HAC."""

    ratio: float
    intercept: float
    correlation: float
    error: float  # standard error of the ratio
    lower: float
    upper: float
    lags: int


def regress(item: Vector, index: Vector, *, lags: int | None = None) -> Regression:
    r"""Minimum-variance hedge ratio :math:`h^* = \rho\, \sigma_S / \sigma_F = \mathrm{cov}(\Delta S, \Delta F) / \mathrm{var}(\Delta F)`.

    The covariance of the coefficients is Newey and West's (1987, Econometrica 55), Bartlett weights 1 − l / (L + 1) over
    :math:`L = \lfloor 4 (n/100)^{2/9} \rfloor` lags unless given, without a small-sample factor; the 95 % interval is Student's with
    n − 2 degrees of freedom. h* as in Hull, "Options, Futures, and Other Derivatives", section 3.4.

    Args:
        item: (n,) changes of the exposure, USD per unit.
        index: (n,) changes of the index, USD per GPU-hour.
        lags: L; None takes the rule.

    Raises InputError for fewer than 3 changes, numbers that are not finite, or changes of either that are all the same.

    >>> round(regress(np.array([1.0, 2.0, 3.5]), np.array([2.0, 4.0, 7.0])).ratio, 12)
    0.5
    """
    from scipy.stats import t as student  # slow import, only needed here

    _refuse(item, index)
    count = item.size
    x, y = index - index.mean(), item - item.mean()
    ratio = float(x @ y / (x @ x))
    residual = y - ratio * x
    chosen = int(4 * (count / 100) ** (2 / 9)) if lags is None else lags
    design = np.column_stack([np.ones(count), index])
    error = float(np.sqrt(newey_west(design, residual, lags=chosen)[1, 1]))
    reach = float(student.ppf(0.5 + CONFIDENCE / 2, count - 2)) * error
    return Regression(
        ratio=ratio,
        intercept=float(item.mean() - ratio * index.mean()),
        correlation=float(np.clip(x @ y / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0)),
        error=error,
        lower=ratio - reach,
        upper=ratio + reach,
        lags=chosen,
    )


def newey_west(design: Vector, residual: Vector, *, lags: int) -> Vector:
    r"""Covariance of least-squares coefficients, :math:`(X'X)^{-1} M (X'X)^{-1}` with
    :math:`M = \Gamma_0 + \sum_{l \le L} (1 - \tfrac{l}{L+1})(\Gamma_l + \Gamma_l')` and :math:`\Gamma_l = \sum_t u_t u_{t-l} x_t x_{t-l}'`.

    Args:
        design: (n, k), X.
        residual: (n,), u.
        lags: L, fewer than n.
    """
    score = design * residual[:, None]
    middle = score.T @ score
    for lag in range(1, lags + 1):
        cross = score[lag:].T @ score[:-lag]
        middle += (1.0 - lag / (lags + 1)) * (cross + cross.T)
    bread = np.linalg.inv(design.T @ design)
    return np.asarray(bread @ middle @ bread)


def variance_reduction(item: Vector, index: Vector, *, ratio: float) -> float:
    """1 − var(ΔS − h ΔF) / var(ΔS): 1 is a perfect hedge, below 0 one that does harm.

    >>> variance_reduction(np.array([1.0, -1.0, 2.0]), np.array([2.0, -2.0, 4.0]), ratio=0.5)
    1.0
    """
    _refuse(item, index)
    return float(1.0 - np.var(item - ratio * index) / np.var(item))


def dollar_offset(item: Vector, hedge: Vector) -> tuple[Vector, Vector]:
    """What the item gained per dollar that the hedge lost: of each period alone, and cumulated from the first.

    Args:
        item: (n,) USD, change in value of what is hedged.
        hedge: (n,) USD, change in value of the hedge: the other way when it works.

    Returns (n,) each; NaN where the hedge did not move. A period may fail where the sum does not, and the other way round: look at both.

    >>> single, cumulative = dollar_offset(np.array([4.6, -3.2, 3.7]), np.array([-5.0, 3.0, -4.0]))
    >>> single.round(4).tolist(), cumulative.round(4).tolist()
    ([0.92, 1.0667, 0.925], [0.92, 0.7, 0.85])
    """
    return _ratio(item, hedge), _ratio(np.cumsum(item), np.cumsum(hedge))


def within_band(offset: Vector) -> npt.NDArray[np.bool_]:
    """Which offsets lie in 80 to 125 %, the ends included; one that is not known does not."""
    return np.asarray((offset >= BAND[0]) & (offset <= BAND[1]))


def _ratio(item: Vector, hedge: Vector) -> Vector:
    moved = hedge != 0
    return np.where(moved, -item / np.where(moved, hedge, 1.0), np.nan)


def _refuse(item: Vector, index: Vector) -> None:
    if item.shape != index.shape or item.size < 3:
        raise InputError.of("basis", "at least 3 changes of the exposure and as many of the index", value=f"{item.size} and {index.size}")
    for name, values in (("exposure", item), ("index", index)):
        if not np.isfinite(values).all():
            raise InputError.of("basis", "finite changes", column=name, value="NaN or infinity")
        if np.ptp(values) <= 1e-12 * np.abs(values).max(initial=0.0):
            raise InputError.of("basis", "changes that are not all the same", column=name, value=float(values[0]))
