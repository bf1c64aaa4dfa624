"""Volatility of an index's daily marks, by any model: the table that options are valued with, and all that stands behind it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import get_args
from warnings import warn

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.days import days_of, returns_of
from tenorgrid.curves.volatility.estimate import Estimate, as_marked, estimate, least_of
from tenorgrid.curves.volatility.ewma import Ewma
from tenorgrid.curves.volatility.garch import GarchFit, Mean
from tenorgrid.curves.volatility.realised import Interval
from tenorgrid.curves.volatility.windows import UNWINDOWED, window_of
from tenorgrid.data.errors import ConvergenceWarning, Fault, InputError
from tenorgrid.data.kinds.index import VolatilityModel, WindowTreatment
from tenorgrid.data.tables.curve import Volatility
from tenorgrid.data.tables.volatility import VolatilityFits, VolatilityParameters, VolatilityPath, VolatilityTerms

Model = VolatilityModel
DAILY = tuple(model for model in VolatilityModel if model is not VolatilityModel.HAR)

DAYS_PER_YEAR = 365  # computing power trades every day
TERM = 30  # days ahead whose mean variance a forecast's number is
HORIZON = 365
SHORTEST, LONGEST = timedelta(hours=23), timedelta(hours=25)  # local days of clock changes


@dataclass(frozen=True, kw_only=True)
class VolatilityStudy:
    """`volatility` is a `Volatility` of one row; the others are the tables of `tenorgrid.data.tables.volatility` of the same names."""

    volatility: pl.DataFrame = field(repr=False)
    fits: pl.DataFrame = field(repr=False)
    parameters: pl.DataFrame = field(repr=False)
    path: pl.DataFrame = field(repr=False)
    terms: pl.DataFrame = field(repr=False)


def fit_volatility(
    marks: pl.DataFrame,
    *,
    index: str,
    model: VolatilityModel | str = VolatilityModel.REALISED,
    interval: Interval = "hac",
    level: float = 0.95,
    least: int | None = None,
    window: int = 1,
    term: int = TERM,
    mean: Mean = "constant",
) -> pl.DataFrame:
    """`Volatility`: annualised standard deviation of the daily log returns of an index, √365 × that of a day.

    It is the volatility of *daily* moves. Marks that swing back make σ √T an upper estimate for long terms.

    Args:
        marks: `Marks`; of each day the latest revision counts.
        index: index.
        model: `realised` is the sample standard deviation around the mean return. `realised-weekday` is that around the mean return of
            each day of the week: a price that is lower every weekend moves twice a week and nobody is surprised, and a curve that knows
            the weekend must not be given options on it (on the packaged H100 the two are 0.76 and 0.48 a year). `garch`, `gjr`, `egarch`
            and `garch-t` give the root of the mean variance that they expect over the next `term` days, `ewma` and `ewma-fitted` that of
            the next day, which is theirs of every day.
        interval: of the realised models. `hac`, normal on log σ² with the long-run variance of squared returns (Newey and West 1987,
            Bartlett weights, ⌊4 (n / 100)^(2/9)⌋ lags), holds for fat tails and clustered volatility; `chi-square`, exact for independent
            normal returns. A GARCH's is by the delta method from its robust errors; an EWMA's from the spread of the squares it averages.
        level: confidence of the interval.
        least: fewest returns; None is 20 for realised models, 60 for ewma, 120 for ewma-fitted, 250 for the GARCH family.
        window: days that a mark averages over. Above 1 the realised models divide the variance by what the average leaves of it, see
            `tenorgrid.curves.volatility.overlap`; the others refuse. 1 takes marks as they are.
        term: days ahead.
        mean: of a GARCH's returns.

    Raises `InputError` for fewer than `least` returns (three weeks of them for `realised-weekday`), periods that are not days, days that
    are missing, withheld, carried or not above 0, marks of several methodologies, a series that stands still on most days (steps of a
    price list have no volatility) and one that never surprises. Warns with `ConvergenceWarning` of a search that ended elsewhere than at an
    optimum.
    """
    return study(
        marks, index=index, model=model, interval=interval, level=level, least=least, window=window, term=term, mean=mean, horizon=term
    ).volatility


def study(
    marks: pl.DataFrame,
    *,
    index: str,
    model: VolatilityModel | str = VolatilityModel.REALISED,
    interval: Interval = "hac",
    level: float = 0.95,
    least: int | None = None,
    window: int = 1,
    term: int = TERM,
    horizon: int = HORIZON,
    mean: Mean = "constant",
) -> VolatilityStudy:
    """What `fit_volatility` gives with all that stands behind it; `horizon` is how many days the term structure has.

    The treatment of the fit says what became of a window longer than a day: corrected, un-windowed by the methodology's own name, or taken
    as marked.
    """
    chosen = _refuse_choices(model, interval, level, window, term, horizon)
    days = days_of(marks, index)
    _refuse_periods(days)
    fewest = least_of(chosen, least)
    returns = returns_of(days, index, least=fewest)
    found = estimate(
        returns, model=chosen, interval=interval, level=level, window=window, term=term, horizon=horizon, mean=mean, least=fewest
    )
    method = str(days["methodology"][0])
    if method.endswith(UNWINDOWED):
        found = replace(found, treatment=WindowTreatment.UNWINDOWED)
    elif window == 1:
        found = as_marked(found, window=window_of(method) or 1)
    if isinstance(found.fit, GarchFit) and not found.fit.converged:
        warn(f"{chosen} of {index}: {found.fit.message}", ConvergenceWarning, stacklevel=2)
    return _tables(found, days, index, level=level, window=window, count=returns.size)


def _tables(found: Estimate, days: pl.DataFrame, index: str, *, level: float, window: int, count: int) -> VolatilityStudy:
    year = np.sqrt(DAYS_PER_YEAR)
    name: dict[str, object] = {"index": index, "model": str(found.model)}
    span = {"start": days["start"][0], "end": days["end"][-1], "observations": count}
    told = {"volatility": found.daily * year, "lower": found.lower * year, "upper": found.upper * year, "level": level}
    start = days["start"].to_list()[-found.path.size :]
    path = {"start": start, "change": found.changes, "volatility": np.sqrt(found.path) * year}
    return VolatilityStudy(
        volatility=Volatility.validate(pl.DataFrame([{**name, **span, **told}]), cast=True),
        fits=VolatilityFits.validate(
            pl.DataFrame([{**name, **span, **_fit(found, window)}], schema=VolatilityFits.create_empty().schema), cast=True
        ),
        parameters=parameters_table(found.fit, name),
        path=VolatilityPath.validate(pl.DataFrame(path).select(*(pl.lit(v).alias(k) for k, v in name.items()), pl.all()), cast=True),
        terms=terms_table(found.forward, name, end=days["end"][-1]),
    )


def _fit(found: Estimate, window: int) -> dict[str, object]:
    fit, year = found.fit, np.sqrt(DAYS_PER_YEAR)
    told: dict[str, object] = {"window": window, "treatment": str(found.treatment), "next_day": float(np.sqrt(found.forward[0]) * year)}
    if isinstance(fit, Ewma):
        searched = 1 if fit.error > 0 else 0
        return told | {"log_likelihood": fit.log_likelihood, "akaike": 2 * searched - 2 * fit.log_likelihood, "persistence": 1.0}
    if fit is None:
        return told | {"long_run": found.daily * year}
    long_run = fit.long_run
    return told | {
        "converged": fit.converged, "message": fit.message, "iterations": fit.iterations, "log_likelihood": fit.log_likelihood,
        "akaike": 2 * fit.values.size - 2 * fit.log_likelihood, "scale": fit.scale, "backcast": fit.backcast,
        "persistence": fit.persistence, "half_life": fit.half_life,
        "long_run": None if long_run is None else float(np.sqrt(long_run) * year),
    }  # fmt: skip


def parameters_table(fit: GarchFit | Ewma | None, name: dict[str, object]) -> pl.DataFrame:
    """`VolatilityParameters` of a fit; errors that do not exist are null."""
    rows: list[tuple[str, float, float, float]] = []
    if isinstance(fit, GarchFit):
        rows = list(zip(fit.names, fit.values.tolist(), fit.errors.tolist(), fit.robust_errors.tolist(), strict=True))
    elif isinstance(fit, Ewma):
        rows = [("lambda", fit.decay, fit.error, fit.robust_error)]
    frame = pl.DataFrame(
        rows, schema={"name": pl.String, "value": pl.Float64, "error": pl.Float64, "robust_error": pl.Float64}, orient="row"
    )
    named = frame.select(
        *(pl.lit(value).alias(key) for key, value in name.items()), "name", "value", pl.col("error", "robust_error").fill_nan(None)
    )
    return VolatilityParameters.validate(named, cast=True)


def terms_table(forward: Vector, name: dict[str, object], *, end: datetime) -> pl.DataFrame:
    """`VolatilityTerms` of expected variances (n,) of the days from `end` on."""
    count, year = np.arange(1, forward.size + 1), np.sqrt(DAYS_PER_YEAR)
    rows = {
        "days": count,
        "end": [end + timedelta(days=int(n)) for n in count],
        "forward": np.sqrt(forward) * year,
        "volatility": np.sqrt(np.cumsum(forward) / count) * year,
    }
    return VolatilityTerms.validate(pl.DataFrame(rows).select(*(pl.lit(v).alias(k) for k, v in name.items()), pl.all()), cast=True)


def _refuse_choices(model: str, interval: str, level: float, window: int, term: int, horizon: int) -> VolatilityModel:
    faults = []
    if model not in DAILY:
        other = "; har takes prints within the day, see tenorgrid.curves.volatility.har" if model == VolatilityModel.HAR else ""
        faults.append(Fault(file="volatility", column="model", value=str(model), expected=f"one of {', '.join(DAILY)}{other}"))
    if interval not in get_args(Interval):
        faults.append(Fault(file="volatility", column="interval", value=interval, expected=" or ".join(get_args(Interval))))
    if not 0 < level < 1:
        faults.append(Fault(file="volatility", column="level", value=f"{level}", expected="a number between 0 and 1"))
    for name, value in (("window", window), ("term", term), ("horizon", horizon)):
        if value < 1:
            faults.append(Fault(file="volatility", column=name, value=f"{value}", expected="at least 1 day"))
    if faults:
        raise InputError(faults)
    return VolatilityModel(model)


def _refuse_periods(days: pl.DataFrame) -> None:
    other = days.filter(~(pl.col("end") - pl.col("start")).is_between(SHORTEST, LONGEST))
    if not other.is_empty():
        length = other["end"][0] - other["start"][0]
        raise InputError.of("marks", "marks of days", column="end", value=f"{length} from {other['start'][0]}")
