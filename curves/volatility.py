"""Realised volatility of daily marks, with an interval that does not need the returns to be normal or independent."""

from datetime import datetime
from typing import Literal, get_args

import numpy as np
import polars as pl
from scipy.special import chdtri, ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.data.tables.curve import Volatility

Model = Literal["realised", "realised-weekday"]
Interval = Literal["hac", "chi-square"]

DAYS_PER_YEAR = 365  # computing power trades every day
WEEK = 7
LEAST = 20
NOTHING = 1e-9  # largest daily move that is rounding


def fit_volatility(
    marks: pl.DataFrame,
    *,
    index: str,
    model: Model = "realised",
    interval: Interval = "hac",
    level: float = 0.95,
    least: int = LEAST,
) -> pl.DataFrame:
    """`Volatility`: annualised standard deviation of the daily log returns of an index, √365 × that of a day.

    It is the volatility of *daily* moves. Marks that swing back make σ √T an upper estimate for long terms. A mark that is itself
    a trailing average moves less than the price under it.

    Args:
        marks: `Marks`; of each day the latest revision counts.
        index: index.
        model: `realised` is the sample standard deviation around the mean return. `realised-weekday` is that around the mean return of
            each day of the week: a price that is lower every weekend moves twice a week and nobody is surprised, and a curve that knows
            the weekend must not be given options on it (on the packaged H100 the two are 0.76 and 0.48 a year).
        interval: `hac`, normal on log σ² with the long-run variance of squared returns (Newey and West 1987, Bartlett weights,
            ⌊4 (n / 100)^(2/9)⌋ lags), holds for fat tails and clustered volatility; `chi-square`, exact for independent normal returns.
        level: confidence of the interval.
        least: fewest returns.

    Raises `InputError` for fewer than `least` returns (three weeks of them for `realised-weekday`), days that are missing, withheld,
    carried or not above 0, marks of several methodologies, a series that stands still on most days (steps of a price list have no
    volatility) and one that never surprises.
    """
    _refuse_choices(model, interval, level)
    days = _days(marks, index)
    value = days["value"].to_numpy()
    least = least if model == "realised" else max(least, 3 * WEEK)
    if value.size < least + 1:
        raise InputError.of("marks", f"at least {least + 1} days of {index}", column="value", value=f"{value.size} days")
    returns = np.diff(np.log(value))
    still = int((returns == 0).sum())
    if 2 * still > returns.size:
        raise InputError.of(
            "marks", f"a price that moves on most days for {index}", column="value", value=f"no move on {still} of {returns.size} days"
        )
    deviation, freedom = surprises(returns, every=1 if model == "realised" else WEEK)
    if np.abs(deviation).max() < NOTHING:
        raise InputError.of("marks", f"moves of {index} that the {model} model does not foresee", column="value", value="none")
    daily, lower, upper = (robust if interval == "hac" else chi_square)(deviation, freedom=freedom, level=level)
    year = np.sqrt(DAYS_PER_YEAR)
    return Volatility.validate(
        pl.DataFrame(
            {
                "index": [index],
                "model": [model],
                "start": [days["start"][0]],
                "end": [days["end"][-1]],
                "observations": [returns.size],
                "volatility": [daily * year],
                "lower": [lower * year],
                "upper": [upper * year],
                "level": [level],
            }
        ),
        cast=True,
    )


def surprises(returns: Vector, *, every: int) -> tuple[Vector, int]:
    """Returns (n,) less their mean (`every` 1) or the mean of each day of a cycle of `every` days, and the degrees of freedom left.

    >>> surprises(np.array([1.0, 5.0, 3.0, 5.0]), every=2)
    (array([-1.,  0.,  1.,  0.]), 2)
    """
    phase = np.arange(returns.size) % every
    mean = np.bincount(phase, weights=returns) / np.bincount(phase)
    return returns - mean[phase], returns.size - every


def robust(deviation: Vector, *, freedom: int, level: float) -> tuple[float, float, float]:
    r"""Standard deviation s of deviations (n,), with an interval that holds under fat tails and autocorrelation.

    :math:`\log s^2 \pm z \sqrt{\Omega / n} / s^2`, Ω the long-run variance of squared deviations: the delta method on log s².

    >>> [round(x, 4) for x in robust(np.array([0.01, -0.02, 0.02, 0.0, -0.02, 0.01]), freedom=5, level=0.9)]
    [0.0167, 0.0151, 0.0186]
    """
    variance = float(deviation @ deviation) / freedom
    spread = float(ndtri((1 + level) / 2)) * np.sqrt(long_run_variance(deviation**2) / deviation.size) / variance
    middle = np.sqrt(variance)
    return float(middle), float(middle * np.exp(-spread / 2)), float(middle * np.exp(spread / 2))


def chi_square(deviation: Vector, *, freedom: int, level: float) -> tuple[float, float, float]:
    """Standard deviation of deviations (n,) with the interval that s² · freedom / σ² ~ χ² gives for independent normal returns."""
    total = float(deviation @ deviation)
    lower, upper = (np.sqrt(total / chdtri(freedom, tail)) for tail in ((1 - level) / 2, (1 + level) / 2))
    return float(np.sqrt(total / freedom)), float(lower), float(upper)


def long_run_variance(values: Vector) -> float:
    """Bartlett-weighted sum of the autocovariances of `values` (n,), never negative (Newey and West 1987)."""
    centred = values - values.mean()
    lags = int(4 * (values.size / 100) ** (2 / 9))
    total = float(centred @ centred)
    for lag in range(1, min(lags, values.size - 1) + 1):
        total += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return total / values.size


def _refuse_choices(model: str, interval: str, level: float) -> None:
    if model not in get_args(Model):
        raise InputError.of("volatility", " or ".join(get_args(Model)), column="model", value=model)
    if interval not in get_args(Interval):
        raise InputError.of("volatility", " or ".join(get_args(Interval)), column="interval", value=interval)
    if not 0 < level < 1:
        raise InputError.of("volatility", "a number between 0 and 1", column="level", value=level)


def _days(marks: pl.DataFrame, index: str) -> pl.DataFrame:
    mine = marks.filter(pl.col("index") == index).sort("start", "revision").unique("start", keep="last", maintain_order=True)
    if mine.is_empty():
        raise InputError.of("marks", f"marks of {index}", column="index")
    methods = mine["methodology"].unique().sort().to_list()
    if len(methods) > 1:
        raise InputError.of("marks", "marks of one methodology", column="methodology", value=", ".join(methods))
    faults = list(_faults(mine))
    if faults:
        raise InputError(faults)
    return mine


def _faults(mine: pl.DataFrame) -> list[Fault]:
    faults = []
    before: datetime | None = None
    made_up = {str(MarkStatus.CARRIED), str(MarkStatus.WITHHELD)}
    for start, end, value, status in mine.select("start", "end", "value", pl.col("status").cast(pl.String)).iter_rows():
        if before is not None and start != before:
            faults.append(
                Fault(file="marks", column="start", value=f"{start}", expected=f"a mark that begins at {before}, where the last one ends")
            )
        if status in made_up or value is None:
            faults.append(Fault(file="marks", column="status", value=f"{status} on {start}", expected="marks with a value of their own"))
        elif value <= 0:
            faults.append(
                Fault(file="marks", column="value", value=f"{value:g} on {start}", expected="values above 0, which have a logarithm")
            )
        before = end
    return faults
