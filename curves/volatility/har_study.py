"""Volatility by HAR from marks within the day: its number with an interval, forecasts against naive ones, jumps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import numpy as np
import polars as pl
from scipy.special import ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.premium.hac import autocovariances, bartlett
from tenorgrid.curves.volatility.days import days_of
from tenorgrid.curves.volatility.fit import DAYS_PER_YEAR, HORIZON, TERM, VolatilityStudy, terms_table
from tenorgrid.curves.volatility.har import COMPONENTS, HarFit, contests, design_of, fit_har, forecasts, parameters_of
from tenorgrid.curves.volatility.intraday import realised_days
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel, WindowTreatment
from tenorgrid.data.tables.curve import Volatility
from tenorgrid.data.tables.volatility import VolatilityFits, VolatilityParameters, VolatilityPath


@dataclass(frozen=True, kw_only=True)
class HarStudy:
    """The tables of `VolatilityStudy`, and realised days, forecasts made without looking ahead, and their contests with naive ones."""

    study: VolatilityStudy = field(repr=False)
    fit: HarFit = field(repr=False)
    days: pl.DataFrame = field(repr=False)
    forecasts: pl.DataFrame = field(repr=False)
    contests: pl.DataFrame = field(repr=False)


def study_har(
    marks: pl.DataFrame,
    *,
    index: str,
    level: float = 0.95,
    term: int = TERM,
    horizon: int = HORIZON,
    components: Sequence[int] = COMPONENTS,
) -> HarStudy:
    """HAR of the marks of an index within its days.

    Args:
        marks: `Marks` of parts of a day, without gaps.
        index: index.
        level: confidence.
        term: days ahead whose mean variance the number is.
        horizon: days of the term structure.
        components: days of the regressors.

    Raises `InputError` for marks of days or longer, and what `days_of`, `realised_days` and `fit_har` refuse.
    """
    mine = days_of(marks, index)
    lengths = (mine["end"] - mine["start"]).unique().to_list()
    if len(lengths) > 1 or lengths[0] >= timedelta(days=1):
        raise InputError.of("marks", "marks of equal parts of a day for har", column="end", value=", ".join(map(str, sorted(lengths))))
    days = realised_days(mine.select(pl.col("start").alias("time"), "value"), every=lengths[0], series=index)
    return study_days(days, index=index, level=level, term=term, horizon=horizon, components=components)


def study_days(
    days: pl.DataFrame, *, index: str, level: float = 0.95, term: int = TERM, horizon: int = HORIZON, components: Sequence[int] = COMPONENTS
) -> HarStudy:
    """The same of `RealisedDays`.

    The interval is normal on the logarithm of the mean variance over the term, with the HAC error of a mean of so many residuals of the
    regression.
    """
    values = days["variance"].to_numpy()
    fit = fit_har(values, lengths=components)
    ahead = fit.path(max(term, horizon))
    middle = float(ahead[:term].mean())
    made = forecasts(days, lengths=components)
    spread = _spread(fit, middle, term) * float(ndtri((1 + level) / 2))
    year, longest = np.sqrt(DAYS_PER_YEAR), max(components)
    start, end = (datetime.combine(days["day"][at], time(), tzinfo=UTC) for at in (0, -1))
    name: dict[str, object] = {"index": index, "model": str(VolatilityModel.HAR)}
    span = {"start": start, "end": end + timedelta(days=1), "observations": values.size}
    told = np.sqrt([middle, middle * np.exp(-spread), middle * np.exp(spread)]) * year
    number = {"volatility": told[0], "lower": told[1], "upper": told[2], "level": level}
    fitted = np.maximum(_fitted(fit), values.min())
    path = {
        "start": [datetime.combine(day, time(), tzinfo=UTC) for day in days["day"][longest:]],
        "change": np.sqrt(values[longest:]),
        "volatility": np.sqrt(fitted) * year,
    }
    long_run = fit.long_run
    row = {
        "window": 1, "treatment": str(WindowTreatment.NONE_NEEDED), "persistence": fit.persistence,
        "long_run": None if long_run is None else float(np.sqrt(long_run) * year), "next_day": float(np.sqrt(ahead[0]) * year),
    }  # fmt: skip
    study = VolatilityStudy(
        volatility=Volatility.validate(pl.DataFrame([{**name, **span, **number}]), cast=True),
        fits=VolatilityFits.validate(pl.DataFrame([{**name, **span, **row}], schema=VolatilityFits.create_empty().schema), cast=True),
        parameters=VolatilityParameters.validate(pl.DataFrame([{**name, **one} for one in parameters_of(fit)]), cast=True),
        path=VolatilityPath.validate(pl.DataFrame(path).select(*(pl.lit(v).alias(k) for k, v in name.items()), pl.all()), cast=True),
        terms=terms_table(ahead[:horizon], name, end=end + timedelta(days=1)),
    )
    return HarStudy(study=study, fit=fit, days=days, forecasts=made, contests=contests(made))


def _fitted(fit: HarFit) -> Vector:
    return np.asarray(design_of(fit.values, fit.lengths)[:-1] @ fit.regression.coefficients)


def _spread(fit: HarFit, middle: float, term: int) -> float:
    """Standard deviation of the logarithm of the mean variance over the term: HAC error of a mean of `term` residuals, over the level."""
    residual = fit.values[max(fit.lengths) :] - _fitted(fit)
    lags = min(fit.regression.lags, residual.size - 1)
    long_run = float(bartlett(autocovariances(residual - residual.mean(), np.arange(residual.size), lags=lags))) / residual.size
    return float(np.sqrt(long_run / term)) / middle
