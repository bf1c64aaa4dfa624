r"""Forecasts of the next period's variance that know no later return, and whether one is better than another.

The loss is :math:`\ln f + r^2 / f`, QLIKE up to a term without the forecast f (Patton 2011, Journal of Econometrics 160): it ranks
forecasts rightly though a squared return is a noisy measure of variance, and takes a return of 0.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.premium.accuracy import diebold_mariano
from tenorgrid.curves.volatility.ewma import RISKMETRICS, ewma
from tenorgrid.curves.volatility.filters import conditional_variance
from tenorgrid.curves.volatility.garch import LEAST, fit_garch
from tenorgrid.curves.volatility.har import COMPONENTS, design_of
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel
from tenorgrid.data.tables.volatility import ForecastContests

LOSS = "ln f + r² / f"
SEARCHED = (VolatilityModel.GARCH, VolatilityModel.GJR, VolatilityModel.EGARCH, VolatilityModel.GARCH_T)
MODELS = ("mean", "ewma", "har", *(str(model) for model in SEARCHED))


def ahead(returns: Vector, model: str, *, first: int, every: int = 21) -> Vector:
    """Variance of each return from the first-th on, forecast from those before it, (n − first,).

    Args:
        returns: (n,) log returns of periods of one length.
        model: `mean` of squares so far, `ewma` of RiskMetrics, `har` of squares on their means over 1, 7 and 30 periods, or a GARCH.
        first: returns known at the first forecast.
        every: periods after which a regression or a GARCH is estimated again, on all that is known.

    Raises `InputError` for another model, fewer than 250 returns known at first or none after, and what the estimates refuse.
    """
    if model not in MODELS:
        raise InputError.of("volatility", f"one of {', '.join(MODELS)}", column="model", value=model)
    if not LEAST <= first < returns.size or every < 1:
        raise InputError.of("returns", f"at least {LEAST} returns known at first, and some after", value=f"{first} of {returns.size}")
    if not np.isfinite(returns).all():
        raise InputError.of("returns", "finite numbers", value="NaN or infinity")
    squares = returns**2
    if model == "mean":
        return np.asarray(np.cumsum(squares)[first - 1 : -1] / np.arange(first, returns.size))
    if model == "ewma":
        found = ewma(returns, decay=RISKMETRICS)
        return np.asarray(found.variance[first - found.warm :])
    estimate = _har if model == "har" else _garch
    parts = [
        estimate(returns, VolatilityModel(model), known, min(known + every, returns.size)) for known in range(first, returns.size, every)
    ]
    return np.concatenate(parts)


def contest(returns: Vector, forecasts: Mapping[str, Vector], *, own: str, series: str) -> pl.DataFrame:
    """`ForecastContests` of one model against each other: Diebold and Mariano's corrected test of the loss.

    Args:
        returns: (n,) returns that were forecast.
        forecasts: (n,) variances above 0 by model.
        own: the model that others are rivals of.
        series: what the returns are of.

    Raises `InputError` for a model that is not there, and forecasts that are not above 0.
    """
    if own not in forecasts:
        raise InputError.of("forecasts", f"one of {', '.join(forecasts)}", column="own", value=own)
    losses = {}
    for name, told in forecasts.items():
        if told.shape != returns.shape or not (np.isfinite(told).all() and told.min() > 0):
            raise InputError.of("forecasts", "a variance above 0 for every return", column=name)
        losses[name] = np.log(told) + returns**2 / told
    return compare(losses, own=own, series=series, loss=LOSS)


def compare(losses: Mapping[str, Vector], *, own: str, series: str, loss: str) -> pl.DataFrame:
    """`ForecastContests` of losses (n,) by model; no statistic where two are the same."""
    rows = []
    for rival, other in losses.items():
        if rival == own:
            continue
        apart = losses[own] - other
        found = None if np.ptp(apart) == 0 else diebold_mariano(apart, steps=1, window="bartlett")
        rows.append(
            {
                "series": series, "rival": rival, "loss": loss, "days": other.size, "own": float(losses[own].mean()),
                "other": float(other.mean()), "statistic": None if found is None else found.corrected,
                "p_value": None if found is None else found.corrected_p,
            }
        )  # fmt: skip
    return ForecastContests.validate(pl.DataFrame(rows, schema=ForecastContests.create_empty().schema), cast=True)


def _garch(returns: Vector, model: VolatilityModel, known: int, until: int) -> Vector:
    fitted = fit_garch(returns[:known], model=model)
    residual = returns[:until] - fitted.parameters["mu"]
    return conditional_variance(model, fitted.parameters, residual, backcast=fitted.backcast)[known:until]


def _har(returns: Vector, _: VolatilityModel, known: int, until: int) -> Vector:
    squares, longest = returns**2, max(COMPONENTS)
    design = design_of(squares, COMPONENTS)
    coefficients, *_rest = np.linalg.lstsq(design[: known - longest], squares[longest:known], rcond=None)
    told, mean = design[known - longest : until - longest] @ coefficients, squares[:known].mean()
    least = 0.05 * mean  # a forecast near 0 has a loss without bound: replaced by the mean, as one outside what was seen
    return np.asarray(np.where((told > least) & (told < squares[:known].max()), told, mean))
