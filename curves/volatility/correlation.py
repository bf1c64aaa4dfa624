r"""Dynamic conditional correlation of several indices (Engle 2002, Journal of Business and Economic Statistics 20), in two steps.

First each index gets its GARCH(1,1) and with it standardised returns z. Then

.. math:: Q_t = (1 - a - b) \bar Q + a z_{t-1} z_{t-1}' + b Q_{t-1}, \qquad R_t = \mathrm{diag}(Q_t)^{-1/2} Q_t \mathrm{diag}(Q_t)^{-1/2}

with :math:`\bar Q` the mean of z z' (targeting) and a, b of the largest :math:`-\frac12 \sum (\ln |R_t| + z_t' R_t^{-1} z_t)`. With a = 0
Q stays at :math:`\bar Q`: Bollerslev's (1990) constant correlation is the nested case.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import minimize
from scipy.signal import lfilter
from scipy.stats import chi2

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.correlation_errors import two_step_covariance
from tenorgrid.curves.volatility.curvature import Matrix, covariances
from tenorgrid.curves.volatility.garch import GarchFit, fit_garch
from tenorgrid.data.errors import InputError

LEAST = 250  # common days
STARTS = ((0.02, 0.95), (0.05, 0.9), (0.1, 0.7), (0.03, 0.6))
MOST = 0.9999  # of a + b
SINGULAR = 1e-8  # smallest eigenvalue of the mean correlation


@dataclass(frozen=True, slots=True, kw_only=True)
class Dcc:
    """a and b with errors (2,): `errors` of the second step's inverse Hessian, `robust_errors` of both steps together; NaN at a bound.

    Where the second step was made alone, `robust_errors` are robust errors of that step. `target` (m, m) is the mean correlation,
    `correlations` (n, m, m) of each day from the days before it, `ahead` (m, m) of the day after. `gain` is twice the log-likelihood above
    constant correlation, `p_value` that of constant correlation by a χ² of 2 degrees: conservative, as b means nothing where a is 0.
    """

    names: tuple[str, ...]
    a: float
    b: float
    errors: Vector
    robust_errors: Vector
    target: Matrix = field(repr=False)
    correlations: Matrix = field(repr=False)
    ahead: Matrix = field(repr=False)
    log_likelihood: float
    gain: float
    p_value: float
    converged: bool
    message: str
    first: tuple[GarchFit, ...] = field(repr=False, default=())


def fit_dcc(returns: Mapping[str, Vector], *, least: int = LEAST) -> Dcc:
    """Both steps, on returns of the same days.

    Args:
        returns: (n,) log returns of each of at least two indices, day for day the same.
        least: fewest common days.

    Raises `InputError` for one index alone, series of other lengths, fewer days than `least` or than ten for each correlation, what
    `fit_garch` refuses, and indices of which one is made of the others.
    """
    names = tuple(returns)
    sizes = {name: series.size for name, series in returns.items()}
    if len(names) < 2:
        raise InputError.of("returns", "two indices at least", column="index", value=", ".join(names) or "none")
    if len(set(sizes.values())) > 1:
        raise InputError.of("returns", "the same days for every index", value=", ".join(f"{name}: {size}" for name, size in sizes.items()))
    pairs = len(names) * (len(names) - 1) // 2
    needed = max(least, 10 * pairs)
    if sizes[names[0]] < needed:
        raise InputError.of("returns", f"at least {needed} common days for {pairs} correlations", value=sizes[names[0]])
    fits = tuple(fit_garch(series, least=least) for series in returns.values())
    z = np.column_stack([(fit.returns - fit.parameters["mu"]) / np.sqrt(fit.variance) for fit in fits])
    return second_step(z, names=names, first=fits)


def second_step(z: Matrix, *, names: tuple[str, ...], first: tuple[GarchFit, ...] = ()) -> Dcc:
    """a and b of standardised returns (n, m).

    >>> z = np.random.default_rng(1).normal(size=(400, 2))
    >>> found = second_step(z, names=("A", "B"))
    >>> 0 <= found.a < 0.2 and found.correlations.shape == (400, 2, 2)
    True
    """
    target = _scaled((z.T @ z / z.shape[0])[None])[0]
    if np.linalg.eigvalsh(target)[0] < SINGULAR:
        raise InputError.of("returns", "indices of which none is made of the others", column="index", value=", ".join(names))

    def loss(values: Vector) -> float:
        a, b = (float(value) for value in values)
        if a < 0 or b < 0 or a + b > MOST:
            return 1e10
        return float(-likelihoods(z, target, a, b).mean())

    bounds = ((0.0, 0.999), (0.0, MOST))
    start = min(STARTS, key=lambda one: loss(np.array(one)))
    found = minimize(loss, np.array(start), method="Nelder-Mead", bounds=bounds, options={"xatol": 1e-8, "fatol": 1e-13, "maxiter": 2000})
    a, b = (float(value) for value in found.x)
    classic, robust = covariances(lambda values: likelihoods(z, target, float(values[0]), float(values[1])), np.array([a, b]))
    path = paths(z, target, a, b)
    constant = float(likelihoods(z, target, 0.0, 0.0).sum())
    best = float(likelihoods(z, target, a, b).sum())
    if min(a, b) < 1e-6 or a + b > MOST - 1e-6:  # at a bound errors are not those of a normal estimate
        classic = robust = np.full((2, 2), np.nan)
    elif first:
        robust = two_step_covariance(first, np.array([a, b]), _following)
    return Dcc(
        names=names, a=a, b=b, errors=np.sqrt(np.diag(classic)), robust_errors=np.sqrt(np.diag(robust)), target=target,
        correlations=path[:-1], ahead=path[-1], log_likelihood=best, gain=2 * (best - constant),
        p_value=float(chi2.sf(max(2 * (best - constant), 0.0), 2)), converged=bool(found.success), message=str(found.message), first=first,
    )  # fmt: skip


def _following(z: Matrix, values: Vector) -> Vector:
    """Likelihoods with the mean correlation of these very z."""
    return likelihoods(z, _scaled((z.T @ z / z.shape[0])[None])[0], float(values[0]), float(values[1]))


def paths(z: Matrix, target: Matrix, a: float, b: float) -> Matrix:
    """R of each day from the days before it, and of the day after the last (n + 1, m, m); Q begins at the target.

    >>> paths(np.array([[1.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]), 0.5, 0.25)[:, 0, 1].tolist()
    [0.0, 0.5]
    """
    outer = z[:, :, None] * z[:, None, :]
    shock = (1 - a - b) * target + a * outer
    later, _ = lfilter([1.0], [1.0, -b], shock, axis=0, zi=b * target[None])
    return _scaled(np.concatenate([target[None], later]))


def likelihoods(z: Matrix, target: Matrix, a: float, b: float) -> Vector:
    """The correlation part of each day's log-likelihood (n,): −½ (ln |R| + z' R⁻¹ z)."""
    path = paths(z, target, a, b)[:-1]
    sign, logarithm = np.linalg.slogdet(path)
    if (sign <= 0).any():  # a and b outside their bounds, where a difference may look: no correlation there
        return np.full(z.shape[0], np.nan)
    solved = np.linalg.solve(path, z[:, :, None])[:, :, 0]
    return np.asarray(-0.5 * (logarithm + (z * solved).sum(axis=1)))


def _scaled(q: Matrix) -> Matrix:
    root = np.sqrt(np.diagonal(q, axis1=1, axis2=2))
    found = q / (root[:, :, None] * root[:, None, :])
    return np.asarray(np.clip(found, -1.0, 1.0))
