"""GARCH, GJR, EGARCH and GARCH with Student's t, fitted by `arch` with every choice that moves a digit written out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.curvature import Matrix, covariances, likelihoods
from tenorgrid.curves.volatility.filters import conditional_variance
from tenorgrid.curves.volatility.forecast import half_life, long_run_variance, persistence, variance_path
from tenorgrid.curves.volatility.start import starting_values
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel

Mean = Literal["constant", "zero"]

FAMILY = (VolatilityModel.GARCH, VolatilityModel.GJR, VolatilityModel.EGARCH, VolatilityModel.GARCH_T)
LEAST = 250  # returns: below it persistence is mostly noise (Hwang and Valls Pereira 2006, European Journal of Finance 12)
TOLERANCE = 1e-8
SETTLED = 1e-6  # relative change of the backcast between two passes
PASSES = 5
NAMES = {"omega": "omega", "alpha[1]": "alpha", "gamma[1]": "gamma", "beta[1]": "beta", "nu": "nu", "mu": "mu"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GarchFit:
    """A fitted model in the returns' own units.

    `errors` are those of the inverse Hessian, `robust_errors` Bollerslev and Wooldridge's (1992), `covariance` (k, k) the robust one; all
    NaN where the Hessian has no inverse. `variance` (n,) is of each return's period, `next_variance` of the one after. `scale` is what
    returns were multiplied by for the search, `backcast` e² and h before the sample, in squared returns.
    """

    model: VolatilityModel
    names: tuple[str, ...]
    values: Vector
    errors: Vector
    robust_errors: Vector
    covariance: Matrix = field(repr=False)
    log_likelihood: float
    converged: bool
    message: str
    iterations: int
    scale: float
    backcast: float
    returns: Vector = field(repr=False)
    variance: Vector = field(repr=False)
    next_variance: float

    @property
    def parameters(self) -> Mapping[str, float]:
        """Estimates by name."""
        return dict(zip(self.names, self.values.tolist(), strict=True))

    @property
    def persistence(self) -> float:
        """Share of a surprise that is left a period later."""
        return persistence(self.model, self.parameters)

    @property
    def half_life(self) -> float | None:
        """Periods until half a surprise is left."""
        return half_life(self.model, self.parameters)

    @property
    def long_run(self) -> float | None:
        """Unconditional variance of a period, None where there is none."""
        return long_run_variance(self.model, self.parameters)

    def path(self, horizon: int) -> Vector:
        """Expected variance of each of the next `horizon` periods."""
        return variance_path(self.model, self.parameters, first=self.next_variance, horizon=horizon)

    def at(self, values: Vector, horizon: int) -> float:
        """Mean expected variance of the next `horizon` periods, were the estimates `values` (k,): what the delta method differentiates."""
        parameters = dict(zip(self.names, values.tolist(), strict=True))
        found = conditional_variance(self.model, parameters, self.returns - parameters.get("mu", 0.0), backcast=self.backcast)
        return float(variance_path(self.model, parameters, first=float(found[-1]), horizon=horizon).mean())


def fit_garch(
    returns: Vector,
    *,
    model: VolatilityModel | str = VolatilityModel.GARCH,
    mean: Mean = "constant",
    least: int = LEAST,
    backcast: float | None = None,
) -> GarchFit:
    r"""Maximum likelihood with one lag of each term.

    Returns are multiplied by the power of ten that brings their standard deviation between 1 and 10, where the search is well
    conditioned, and everything is given back in the returns' own units. The variance before the sample is the mean squared residual
    :math:`\frac1n \sum (r_t - \mu)^2` at the estimate itself (Fiorentini, Calzolari and Panattoni 1996; `arch` alone would take an
    exponentially weighted mean, which moves the third digit), found by fitting again until it settles.

    Args:
        returns: (n,) log returns of periods of one length, without gaps.
        model: garch, gjr, egarch or garch-t.
        mean: of the returns, estimated or 0.
        least: fewest returns.
        backcast: variance before the sample in squared returns; None is the mean squared residual.

    Raises `InputError` for another model, fewer returns than `least`, one that is not a number, and returns that do not move.
    A search that ends elsewhere than at an optimum is told by `converged`.

    >>> rng = np.random.default_rng(1)
    >>> found = fit_garch(0.02 * rng.normal(size=400))
    >>> found.converged, found.scale, found.names
    (True, 100.0, ('mu', 'omega', 'alpha', 'beta'))
    """
    chosen = _refuse(returns, model, mean, least, backcast)
    scale = 10.0 ** -np.floor(np.log10(returns.std()))
    scaled = returns * scale
    one, start = _model(scaled, chosen, mean), None
    if chosen is not VolatilityModel.EGARCH:
        start = starting_values(scaled, chosen, constant=mean == "constant")
    before = float((scaled**2).mean() if start is None or mean == "zero" else ((scaled - start[0]) ** 2).mean())
    found, iterations = None, 0
    for _ in range(PASSES):
        before = before if backcast is None else backcast * scale**2
        found, steps = _search(one, before, start)
        start, iterations = np.asarray(found.params, dtype=np.float64), iterations + steps
        after = float(((scaled - (start[0] if mean == "constant" else 0.0)) ** 2).mean())
        if backcast is not None or abs(after / before - 1) < SETTLED:
            break
        before = after
    return _as_fit(found, chosen, returns, scale, before, iterations)


def _search(one: Any, before: float, start: Vector | None) -> tuple[Any, int]:
    """`arch`'s optimum from a start, or from its own where that one leads nowhere, and the steps taken."""
    steps, inner = 0, None
    tries: list[tuple[Vector | None, float | None]] = [(start, TOLERANCE)] + [(None, None)]
    if start is not None:
        slopes, limits = one.volatility.constraints()
        first = int(one.num_params)
        inner = start[first : first + slopes.shape[1]]
        if (slopes @ inner < limits).any():  # an optimum on the bound, a rounding beyond it
            tries = tries[1:]
    for values, tolerance in tries:
        _begin(one, None if values is None else inner)
        found = one.fit(disp="off", backcast=before, tol=tolerance, starting_values=values, show_warning=False, options={"maxiter": 1000})
        steps += int(found.optimization_result.nit)
        if int(found.convergence_flag) == 0:
            break
    return found, steps


def _begin(one: Any, inner: Vector | None) -> None:
    """Spare `arch` its grid of starting values, a fifth of its time, which it looks through even where it is given a start."""
    vars(one.volatility).pop("starting_values", None)
    if inner is not None:
        one.volatility.starting_values = lambda residuals: inner


def _refuse(returns: Vector, model: VolatilityModel | str, mean: str, least: int, backcast: float | None) -> VolatilityModel:
    if model not in FAMILY:
        raise InputError.of("volatility", f"one of {', '.join(FAMILY)}", column="model", value=model)
    if mean not in ("constant", "zero"):
        raise InputError.of("volatility", "constant or zero", column="mean", value=mean)
    if backcast is not None and not backcast > 0:
        raise InputError.of("volatility", "a variance above 0", column="backcast", value=backcast)
    if not np.isfinite(returns).all():
        raise InputError.of("returns", "numbers, one for each period", value=f"{int((~np.isfinite(returns)).sum())} that are none")
    if returns.size < least:
        raise InputError.of("returns", f"at least {least} of them for {model}", value=returns.size)
    still = int((returns == 0).sum())
    if 2 * still > returns.size or np.ptp(returns) <= 1e-12 * np.abs(returns).max():
        raise InputError.of("returns", "a price that moves on most days", value=f"no move on {still} of {returns.size} days")
    return VolatilityModel(model)


def _model(scaled: Vector, model: VolatilityModel, mean: Mean) -> Any:
    from arch.univariate import EGARCH, GARCH, ConstantMean, Normal, StudentsT, ZeroMean  # takes three seconds, so only here

    made = (ConstantMean if mean == "constant" else ZeroMean)(scaled, rescale=False)
    asymmetric = int(model in (VolatilityModel.GJR, VolatilityModel.EGARCH))
    made.volatility = (EGARCH if model is VolatilityModel.EGARCH else GARCH)(p=1, o=asymmetric, q=1)
    made.distribution = StudentsT() if model is VolatilityModel.GARCH_T else Normal()
    return made


def _as_fit(found: Any, model: VolatilityModel, returns: Vector, scale: float, before: float, iterations: int) -> GarchFit:
    names = tuple(NAMES[name] for name in found.params.index)
    scaled = np.asarray(found.params, dtype=np.float64)
    values, jacobian = _unscaled(model, names, scaled, scale)

    def told(values: Vector) -> Vector:
        return likelihoods(model, dict(zip(names, values.tolist(), strict=True)), returns * scale, backcast=before)

    classic, robust = (jacobian @ one @ jacobian.T for one in covariances(told, scaled))
    parameters = dict(zip(names, values.tolist(), strict=True))
    backcast = before / scale**2
    variance = conditional_variance(model, parameters, returns - parameters.get("mu", 0.0), backcast=backcast)
    with np.errstate(invalid="ignore"):
        errors, robust_errors = np.sqrt(np.diag(classic)), np.sqrt(np.diag(robust))
    return GarchFit(
        model=model, names=names, values=values, errors=errors, robust_errors=robust_errors, covariance=robust,
        log_likelihood=float(found.loglikelihood + returns.size * np.log(scale)), converged=int(found.convergence_flag) == 0,
        message=str(found.optimization_result.message), iterations=iterations, scale=float(scale), backcast=float(backcast),
        returns=returns, variance=variance[:-1], next_variance=float(variance[-1]),
    )  # fmt: skip


def _unscaled(model: VolatilityModel, names: tuple[str, ...], scaled: Vector, scale: float) -> tuple[Vector, Matrix]:
    """Parameters of returns that were not scaled, and their derivatives by those of returns that were."""
    at = {name: place for place, name in enumerate(names)}
    values, jacobian = scaled.copy(), np.eye(len(names))
    if "mu" in at:
        values[at["mu"]] /= scale
        jacobian[at["mu"], at["mu"]] = 1 / scale
    omega, beta = at["omega"], at["beta"]
    if model is VolatilityModel.EGARCH:  # ln h is moved by 2 ln scale
        values[omega] -= 2 * (1 - scaled[beta]) * np.log(scale)
        jacobian[omega, beta] = 2 * np.log(scale)
    else:
        values[omega] /= scale**2
        jacobian[omega, omega] = 1 / scale**2
    return values, jacobian
