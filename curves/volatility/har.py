r"""HAR: a day's realised variance on the means of it over the last day, week and month.

:math:`RV_{t+1} = c + \sum_k b_k \overline{RV}_{t-k+1..t} + u` (Corsi 2009, Journal of Financial Econometrics 7) by least squares with
Newey and West's errors. Weeks have 7 days and months 30: computing power trades every day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.premium.accuracy import diebold_mariano
from tenorgrid.curves.premium.hac import Regression, plug_in_lags, regress
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.volatility import ForecastContests, HarForecasts

COMPONENTS = (1, 7, 30)
SPARE = 10  # rows of the regression beyond its coefficients
RIVALS = ("last", "mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class HarFit:
    """The regression; `lengths` are the days of its components, `values` (n,) the realised variances that it was fitted on."""

    lengths: tuple[int, ...]
    regression: Regression
    values: Vector = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the coefficients."""
        return ("constant", *(f"mean of {days} days" for days in self.lengths))

    @property
    def persistence(self) -> float:
        """Sum of the slopes: what is left of a level that all components share."""
        return float(self.regression.coefficients[1:].sum())

    @property
    def long_run(self) -> float | None:
        """Variance to which forecasts go, c / (1 − Σ b); None where they go nowhere, or below 0."""
        if self.persistence >= 1:
            return None
        level = float(self.regression.coefficients[0]) / (1 - self.persistence)
        return level if level > 0 else None

    def path(self, horizon: int) -> Vector:
        """Expected realised variance of each of the next days (horizon,), each made of the ones before it; never below the least seen."""
        if horizon < 1:
            raise InputError.of("volatility", "a horizon of at least 1", column="horizon", value=horizon)
        known = self.values[-max(self.lengths) :].tolist()
        least = float(self.values.min())
        for _ in range(horizon):
            means = [1.0, *(float(np.mean(known[-days:])) for days in self.lengths)]
            known.append(max(float(self.regression.coefficients @ means), least))
        return np.array(known[-horizon:])


def design_of(values: Vector, lengths: Sequence[int]) -> Vector:
    """Rows (n − longest + 1, 1 + k): a one and the means of the last days, the first row when the longest component is full.

    >>> design_of(np.array([1.0, 2.0, 3.0]), (1, 2))
    array([[1. , 2. , 1.5],
           [1. , 3. , 2.5]])
    """
    longest = max(lengths)
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(longest, values.size + 1)
    return np.column_stack([np.ones(ends.size), *((total[ends] - total[ends - days]) / days for days in lengths)])


def fit_har(values: Vector, *, lengths: Sequence[int] = COMPONENTS, lags: int | None = None) -> HarFit:
    """Least squares on all days known.

    Args:
        values: (n,) realised variances of days on end.
        lengths: days of the components, rising.
        lags: of the errors; None is Andrews' rule.

    Raises `InputError` for lengths that do not rise, days that are too few, variances that are no numbers or do not move.

    >>> rng = np.random.default_rng(1)
    >>> fit_har(rng.exponential(size=100), lengths=(1, 7)).names
    ('constant', 'mean of 1 days', 'mean of 7 days')
    """
    _refuse(values, lengths)
    explained, design = values[max(lengths) :], design_of(values, lengths)[:-1]
    at = np.arange(explained.size)
    chosen = plug_in_lags(explained - explained.mean(), at) if lags is None else lags
    return HarFit(lengths=tuple(lengths), regression=regress(design, explained, at, lags=chosen), values=values)


def forecasts(days: pl.DataFrame, *, lengths: Sequence[int] = COMPONENTS, first: int | None = None) -> pl.DataFrame:
    """`HarForecasts`: each day's realised variance forecast from the days before it alone, so that later days change no row.

    The regression is made again every day on all that is known. A forecast outside the range of the variances known is replaced by their
    mean (Swanson and White's 1997 insanity filter), and says so.

    Args:
        days: `RealisedDays` of one series.
        lengths: days of the components, rising.
        first: days known at the first forecast; None is the fewest that the regression takes.
    """
    values = days["variance"].to_numpy()
    least = least_of(lengths)
    begin = max(least, first or 0)
    if values.size <= begin:
        raise InputError.of("prints", f"more than {begin} days for forecasts by components of {tuple(lengths)} days", value=values.size)
    _refuse(values[:begin], lengths)
    design, longest = design_of(values, lengths), max(lengths)
    rows = []
    for known in range(begin, values.size):
        seen, explained = design[: known - longest], values[longest:known]
        coefficients, *_ = np.linalg.lstsq(seen, explained, rcond=None)
        told = float(design[known - longest] @ coefficients)
        mean = float(values[:known].mean())
        outside = not values[:known].min() <= told <= values[:known].max()
        rows.append((float(values[known]), mean if outside else told, float(values[known - 1]), mean, outside))
    frame = pl.DataFrame(rows, schema=["variance", "har", "last", "mean", "replaced"], orient="row")
    return HarForecasts.validate(pl.concat([days.select("series", "day")[begin:], frame], how="horizontal"), cast=True)


def contests(made: pl.DataFrame) -> pl.DataFrame:
    """`ForecastContests`: Diebold and Mariano's corrected test of the regression's forecasts against naive ones, by two losses.

    QLIKE, v / f − ln(v / f) − 1, ranks forecasts rightly though realised variance is a noisy measure of variance (Patton 2011, Journal of
    Econometrics 160). It is left out where a variance or a forecast is 0.
    """
    rows = []
    for rival in RIVALS:
        for loss in ("squared error", "qlike"):
            usable = made if loss == "squared error" else made.filter((pl.col("variance") > 0) & (pl.col(rival) > 0) & (pl.col("har") > 0))
            if usable.height < 3:
                continue
            own, other = (_loss(usable, name, loss) for name in ("har", rival))
            told = None if np.ptp(own - other) == 0 else diebold_mariano(own - other, steps=1, window="bartlett")
            rows.append(
                {
                    "series": made["series"][0], "rival": rival, "loss": loss, "days": usable.height, "own": float(own.mean()),
                    "other": float(other.mean()), "statistic": None if told is None else told.corrected,
                    "p_value": None if told is None else told.corrected_p,
                }
            )  # fmt: skip
    return ForecastContests.validate(pl.DataFrame(rows, schema=ForecastContests.create_empty().schema), cast=True)


def least_of(lengths: Sequence[int]) -> int:
    """Fewest days for components of these lengths.

    >>> least_of((1, 7, 30))
    44
    """
    return max(lengths) + len(lengths) + 1 + SPARE


def parameters_of(fit: HarFit) -> list[Mapping[str, object]]:
    """Rows of `VolatilityParameters` without index and model."""
    found = fit.regression
    together = zip(fit.names, found.coefficients.tolist(), found.naive_errors.tolist(), found.hac_errors.tolist(), strict=True)
    return [{"name": name, "value": value, "error": error, "robust_error": robust} for name, value, error, robust in together]


def _loss(made: pl.DataFrame, name: str, loss: str) -> Vector:
    ratio = (made["variance"] / made[name]).to_numpy()
    return np.asarray((made["variance"] - made[name]).to_numpy() ** 2 if loss == "squared error" else ratio - np.log(ratio) - 1)


def _refuse(values: Vector, lengths: Sequence[int]) -> None:
    if not lengths or list(lengths) != sorted(set(lengths)) or min(lengths) < 1:
        raise InputError.of("volatility", "days of components, rising from at least 1", column="components", value=tuple(lengths))
    if values.size < least_of(lengths):
        raise InputError.of("prints", f"at least {least_of(lengths)} days for components of {tuple(lengths)} days", value=values.size)
    if not np.isfinite(values).all() or values.min() < 0:
        raise InputError.of("prints", "realised variances of at least 0", column="variance", value=f"{values.min()}")
    still = int((values == 0).sum())
    if 2 * still > values.size:
        raise InputError.of("prints", "a price that moves on most days", column="value", value=f"no move on {still} of {values.size} days")
    if np.ptp(values) == 0:
        raise InputError.of("prints", "realised variances that move", column="variance", value=f"{values[0]:g} every day")
