r"""Forecasts of the next period's correlations that know no later return, and whether one is better than another.

Returns are standardised by the GARCH of each series, estimated on what was known, for all models alike. The loss is that of the correlation
part of a normal likelihood, :math:`\ln |R| + z' R^{-1} z`, which the true correlation makes least on average.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.contest import compare
from tenorgrid.curves.volatility.correlation import LEAST, fit_dcc, likelihoods
from tenorgrid.curves.volatility.curvature import Matrix
from tenorgrid.curves.volatility.ewma import RISKMETRICS
from tenorgrid.curves.volatility.filters import conditional_variance
from tenorgrid.data.errors import InputError

LOSS = "ln |R| + z' R⁻¹ z"
MODELS = ("constant", "ewma", "dcc")


def correlation_losses(returns: Mapping[str, Vector], *, first: int, every: int = 63) -> dict[str, Vector]:
    """Loss of each return's correlation from the first-th on, forecast from those before it, (n - first,) by model.

    Args:
        returns: (n,) log returns of each series, day for day the same.
        first: returns known at the first forecast.
        every: periods after which everything is estimated again, on all that is known.

    `constant` is the mean correlation so far, `ewma` RiskMetrics' λ on products of standardised returns, `dcc` Engle's.

    Raises `InputError` for fewer than 250 returns known at first or none after, and what `fit_dcc` refuses.
    """
    size = min((series.size for series in returns.values()), default=0)
    if not LEAST <= first < size or every < 1:
        raise InputError.of("returns", f"at least {LEAST} returns known at first, and some after", value=f"{first} of {size}")
    parts = [_losses(returns, known, min(known + every, size)) for known in range(first, size, every)]
    return {name: np.concatenate([part[name] for part in parts]) for name in MODELS}


def correlation_contest(losses: Mapping[str, Vector], *, own: str, series: str) -> pl.DataFrame:
    """`ForecastContests` of one model's losses against each other's. Raises `InputError` for a model that is not there."""
    if own not in losses:
        raise InputError.of("forecasts", f"one of {', '.join(losses)}", column="own", value=own)
    return compare(losses, own=own, series=series, loss=LOSS)


def _losses(returns: Mapping[str, Vector], known: int, until: int) -> dict[str, Vector]:
    found = fit_dcc({name: series[:known] for name, series in returns.items()})
    columns: list[Vector] = []
    for fit, series in zip(found.first, returns.values(), strict=True):
        residual = series[:until] - fit.parameters["mu"]
        variance = conditional_variance(fit.model, fit.parameters, residual, backcast=fit.backcast)[:-1]
        columns.append(residual / np.sqrt(variance))
    z: Matrix = np.column_stack(columns)
    chosen = {"constant": (0.0, 0.0), "ewma": (1 - RISKMETRICS, RISKMETRICS), "dcc": (found.a, found.b)}
    return {name: -2 * likelihoods(z, found.target, a, b)[known:until] for name, (a, b) in chosen.items()}
