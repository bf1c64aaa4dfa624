"""One model's estimate from daily returns: its number with an interval, parameters, path and term structure."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.ewma import Ewma, ewma, fit_ewma
from tenorgrid.curves.volatility.garch import FAMILY, GarchFit, Mean, fit_garch
from tenorgrid.curves.volatility.garch import LEAST as LEAST_GARCH
from tenorgrid.curves.volatility.overlap import freedom_of_changes, spot_variance
from tenorgrid.curves.volatility.realised import Interval, chi_square, robust, surprises
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel, WindowTreatment

WEEK = 7
NOTHING = 1e-9  # largest daily move that is rounding
MOVE = 1e-4  # of a parameter, in robust errors, for the slope of the forecast

LEAST = {
    VolatilityModel.REALISED: 20,
    VolatilityModel.REALISED_WEEKDAY: 3 * WEEK,
    VolatilityModel.EWMA: 60,
    VolatilityModel.EWMA_FITTED: 120,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Standard deviations of a day with an interval; `path` and `changes` of the last days, `forward` of the days ahead, as variances."""

    model: VolatilityModel
    daily: float
    lower: float
    upper: float
    treatment: WindowTreatment
    path: Vector = field(repr=False)
    changes: Vector = field(repr=False)
    forward: Vector = field(repr=False)
    fit: GarchFit | Ewma | None = None


def least_of(model: VolatilityModel, asked: int | None) -> int:
    """Fewest returns for a model, unless told; a mean of each weekday takes three weeks at least.

    >>> least_of(VolatilityModel.GARCH, None), least_of(VolatilityModel.REALISED_WEEKDAY, 5)
    (250, 21)
    """
    usual = LEAST.get(model, LEAST_GARCH)
    chosen = usual if asked is None else asked
    return max(chosen, 3 * WEEK) if model is VolatilityModel.REALISED_WEEKDAY else chosen


def estimate(
    returns: Vector,
    *,
    model: VolatilityModel,
    interval: Interval,
    level: float,
    window: int,
    term: int,
    horizon: int,
    mean: Mean,
    least: int,
) -> Estimate:
    """The estimate of a model but HAR, which takes prints.

    Args:
        returns: (n,) daily log returns of the marks.
        model: model.
        interval: of the realised models.
        level: confidence.
        window: days that a mark averages over; above 1 the realised models are corrected for it and the others refuse it.
        term: days ahead whose mean variance the number is, for models that forecast.
        horizon: days of the term structure.
        mean: of a GARCH's returns.
        least: fewest returns of a GARCH.
    """
    if model in (VolatilityModel.REALISED, VolatilityModel.REALISED_WEEKDAY):
        return _realised(returns, model, interval, level, window, horizon)
    if window > 1:
        raise InputError.of(
            "marks", f"un-windowed prints for {model}: moves of an average are correlated, and no filter gives the price back",
            column="window", value=f"{window} days",
        )  # fmt: skip
    if model in FAMILY:
        return _garch(fit_garch(returns, model=model, mean=mean, least=least), level, term, horizon)
    found = ewma(returns) if model is VolatilityModel.EWMA else fit_ewma(returns)
    return _weighted(found, returns, model, level, horizon)


def _realised(returns: Vector, model: VolatilityModel, interval: Interval, level: float, window: int, horizon: int) -> Estimate:
    every = 1 if model is VolatilityModel.REALISED else WEEK
    deviation, left = surprises(returns, every=every)
    if np.abs(deviation).max() < NOTHING:
        raise InputError.of("marks", f"moves that the {model} model does not foresee", column="value", value="none")
    if window == 1:
        daily, lower, upper = (robust if interval == "hac" else chi_square)(deviation, freedom=left, level=level)
        treatment, factor = WindowTreatment.NONE_NEEDED, 1.0
    else:
        if interval != "hac":
            raise InputError.of("volatility", "hac, as changes of an average are not independent", column="interval", value=interval)
        freedom = freedom_of_changes(returns.size, window=window, means=every)
        daily, lower, upper = robust(deviation, freedom=freedom, level=level, least=window)
        treatment, factor = WindowTreatment.CORRECTED, float(np.sqrt(spot_variance(1.0, window=window)))
    middle = daily * factor
    return Estimate(
        model=model, daily=middle, lower=lower * factor, upper=upper * factor, treatment=treatment,
        path=np.full(returns.size, middle**2), changes=returns, forward=np.full(horizon, middle**2),
    )  # fmt: skip


def _garch(fit: GarchFit, level: float, term: int, horizon: int) -> Estimate:
    variance = float(fit.path(term).mean())
    spread = _spread(lambda values: np.log(fit.at(values, term)), fit) * float(ndtri((1 + level) / 2))
    if not np.isfinite(spread):
        raise InputError.of("returns", f"an optimum with curvature for {fit.model}: without it there is no interval", value=fit.message)
    daily = float(np.sqrt(variance))
    return Estimate(
        model=fit.model, daily=daily, lower=daily * float(np.exp(-spread / 2)), upper=daily * float(np.exp(spread / 2)),
        treatment=WindowTreatment.NONE_NEEDED, path=fit.variance, changes=fit.returns, forward=fit.path(horizon), fit=fit,
    )  # fmt: skip


def _spread(value: Callable[[Vector], float], fit: GarchFit) -> float:
    """Standard deviation of a function of the estimates by the delta method, with the robust covariance."""
    slope = np.zeros(fit.values.size)
    for place, error in enumerate(fit.robust_errors.tolist()):
        move = np.zeros(fit.values.size)
        move[place] = MOVE * error
        slope[place] = (value(fit.values + move) - value(fit.values - move)) / (2 * MOVE * error) if error > 0 else 0.0
    return float(np.sqrt(slope @ fit.covariance @ slope))


def _weighted(found: Ewma, returns: Vector, model: VolatilityModel, level: float, horizon: int) -> Estimate:
    r"""λ's weights have Σ w² = (1 − λ) / (1 + λ): the variance of log h is that times the variance of r² / h."""
    changes = returns[found.warm :]
    spread = float(np.sqrt((1 - found.decay) / (1 + found.decay) * (changes**2 / found.variance).var())) * float(ndtri((1 + level) / 2))
    daily = float(np.sqrt(found.next_variance))
    return Estimate(
        model=model, daily=daily, lower=daily * float(np.exp(-spread / 2)), upper=daily * float(np.exp(spread / 2)),
        treatment=WindowTreatment.NONE_NEEDED, path=found.variance, changes=changes,
        forward=np.full(horizon, found.next_variance), fit=found,
    )  # fmt: skip


def as_marked(found: Estimate, *, window: int) -> Estimate:
    """The estimate of the average itself, where nothing was corrected though the window is longer than a day."""
    return replace(found, treatment=WindowTreatment.AS_MARKED) if window > 1 else found
