"""Volatility of indices in the hand of a desk: `tg.volatility(...)`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from warnings import warn

import polars as pl

from tenorgrid.curves.volatility.correlation import Dcc, fit_dcc
from tenorgrid.curves.volatility.days import days_of, returns_of
from tenorgrid.curves.volatility.fit import HORIZON, TERM, VolatilityStudy, study
from tenorgrid.curves.volatility.har import COMPONENTS
from tenorgrid.curves.volatility.har_study import HarStudy, study_har
from tenorgrid.curves.volatility.smile.fit import fit_smiles
from tenorgrid.curves.volatility.windows import window_of
from tenorgrid.data.errors import InputError, PartLeftOutWarning, brief
from tenorgrid.data.kinds.index import SmileModel, VolatilityModel
from tenorgrid.data.store import write_result
from tenorgrid.data.tables.volatility import CorrelationParameters, Correlations
from tenorgrid.results import Marks, Tables

SHOWN = 3  # names in a warning


@dataclass(frozen=True, kw_only=True)
class Volatilities(Tables):
    """What the models say of each index; `volatility` is the table that options are valued with, once one model's rows are chosen.

    The others are those of `tenorgrid.data.tables.volatility`; `days`, `forecasts` and `contests` belong to HAR, `correlations` and
    `dcc` to several indices, those of smiles to option quotes.
    """

    source: str
    volatility: pl.DataFrame = field(repr=False)
    fits: pl.DataFrame = field(repr=False)
    parameters: pl.DataFrame = field(repr=False)
    path: pl.DataFrame = field(repr=False)
    terms: pl.DataFrame = field(repr=False)
    days: pl.DataFrame | None = field(repr=False, default=None)
    forecasts: pl.DataFrame | None = field(repr=False, default=None)
    contests: pl.DataFrame | None = field(repr=False, default=None)
    correlations: pl.DataFrame | None = field(repr=False, default=None)
    dcc: pl.DataFrame | None = field(repr=False, default=None)
    smiles: pl.DataFrame | None = field(repr=False, default=None)
    smile_points: pl.DataFrame | None = field(repr=False, default=None)
    smile_arbitrages: pl.DataFrame | None = field(repr=False, default=None)

    def of(self, model: VolatilityModel | str) -> pl.DataFrame:
        """`Volatility` by one model, for `tg.value`.

        Raises `InputError` for a model that was not asked for.
        """
        found = self.volatility.filter(pl.col("model") == str(model))
        if found.is_empty():
            raise InputError.of("volatility", f"one of {', '.join(self.volatility['model'].unique())}", column="model", value=model)
        return found

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.volatility import render  # plotly, only needed here

        return render(self.tables(), source=self.source)

    def save(self, folder: Path, *, inputs: dict[str, Path] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.volatility import FILE

        return write_result(
            folder, self.tables(), pages={FILE: self.page()}, command="volatility", inputs=inputs, settings={"source": self.source}
        )  # fmt: skip


def volatility(
    marks: Marks | pl.DataFrame,
    *,
    index: str | Sequence[str] | None = None,
    model: VolatilityModel | str | Sequence[VolatilityModel | str] = VolatilityModel.REALISED,
    level: float = 0.95,
    least: int | None = None,
    window: int | None = None,
    term: int = TERM,
    horizon: int = HORIZON,
    components: Sequence[int] = COMPONENTS,
    options: pl.DataFrame | None = None,
    smile: SmileModel | str = SmileModel.SABR,
    beta: float = 1.0,
    source: str = "marks",
) -> Volatilities:
    """Volatility of each index by each model, with parameters, path, term structure, and correlations of several indices.

    Args:
        marks: daily `Marks`; for `har` those of parts of a day.
        index: one or several; None is all of the marks that have a volatility.
        model: one or several of `tenorgrid.data.kinds.index.VolatilityModel`.
        level: confidence of the intervals.
        least: fewest returns; None is each model's own.
        window: periods that a mark averages over; None is what its methodology says, where it is a shipped one, and else 1.
        term: days ahead whose mean variance a forecast's number is.
        horizon: days of the term structure.
        components: days of HAR's regressors.
        options: `OptionQuotes`, for smiles beside the volatilities of marks.
        smile: sabr or svi.
        beta: of SABR.
        source: what the page calls the marks.

    Raises `InputError` with every fault of the indices; where none is named, those that have faults are left out with a
    `PartLeftOutWarning`, unless all have. Several indices are given Engle's dynamic correlations where a GARCH is
    among the models; warns with `PartLeftOutWarning` where their common days are too few for it.
    """
    frame = marks.marks if isinstance(marks, Marks) else marks
    indices = frame["index"].unique().sort().to_list() if index is None else [index] if isinstance(index, str) else list(index)
    models = [model] if isinstance(model, str) else list(model)
    if not indices or not models:
        raise InputError.of("volatility", "at least one index and one model")
    fitted = None if options is None else fit_smiles(options, model=smile, beta=beta)
    daily: list[VolatilityStudy] = []
    within: list[HarStudy] = []
    refused: dict[str, InputError] = {}
    for name in indices:
        own: list[VolatilityStudy | HarStudy] = []
        try:
            for one in models:
                if one == VolatilityModel.HAR:
                    own.append(study_har(frame, index=name, level=level, term=term, horizon=horizon, components=components))
                else:
                    chosen = window_of_marks(frame, name) if window is None else window
                    own.append(study(frame, index=name, model=one, level=level, least=least, window=chosen, term=term, horizon=horizon))
        except InputError as error:
            refused[name] = error
            continue
        daily += [found for found in own if isinstance(found, VolatilityStudy)]
        within += [found for found in own if isinstance(found, HarStudy)]
    _tell(refused, named=index is not None or len(refused) == len(indices))
    indices = [name for name in indices if name not in refused]
    studies = [*daily, *(one.study for one in within)]
    dcc, correlations = _correlations(frame, indices, least) if len(indices) > 1 and VolatilityModel.GARCH in models else (None, None)
    parts = {name: pl.concat([getattr(one, name) for one in studies]) for name in ("volatility", "fits", "parameters", "path", "terms")}
    more = {name: pl.concat([getattr(one, name) for one in within]) if within else None for name in ("days", "forecasts", "contests")}
    if fitted is not None:
        more |= {"smiles": fitted.parameters, "smile_points": fitted.points, "smile_arbitrages": fitted.arbitrages}
    return Volatilities(source=source, correlations=correlations, dcc=dcc, **parts, **more)  # type: ignore[arg-type]  # frames by name


def _tell(refused: dict[str, InputError], *, named: bool) -> None:
    """Refuse what was asked for by name, with every fault; of everything there is, what cannot be done is left out with a warning."""
    if refused and named:
        raise InputError(dict.fromkeys(fault for error in refused.values() for fault in error.faults))
    if refused:
        names = list(refused)
        shown = f"{', '.join(names[:SHOWN])}{f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''}"
        warn(f"no volatility of {shown}, the first as {brief(refused[names[0]])}", PartLeftOutWarning, stacklevel=3)


def window_of_marks(marks: pl.DataFrame, index: str) -> int:
    """Periods that an index's marks average over, by their methodology; 1 where that is not a shipped one.

    >>> window_of_marks(pl.DataFrame({"index": ["X"], "methodology": ["ccir-1.1.1"]}), "X")
    7
    """
    names = marks.filter(pl.col("index") == index)["methodology"].unique().to_list()
    return max((window_of(name) or 1 for name in names), default=1)


def _correlations(marks: pl.DataFrame, indices: list[str], least: int | None) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """Dynamic correlations over the days that all indices have."""
    days = [days_of(marks, name).select("start", "end", pl.col("value").alias(name)) for name in indices]
    common = days[0]
    for more in days[1:]:
        common = common.join(more, on=["start", "end"], how="inner")
    common = common.sort("start")
    try:
        returns = {name: returns_of(common.select("start", pl.col(name).alias("value")), name, least=1) for name in indices}
        found = fit_dcc(returns) if least is None else fit_dcc(returns, least=least)
    except InputError as error:
        warn(f"no correlations: {error}", PartLeftOutWarning, stacklevel=3)
        return None, None
    starts = [*common["start"].to_list()[1:], common["end"][-1]]
    path = [*found.correlations, found.ahead]
    rows = [
        (moment.date(), indices[i], indices[j], float(matrix[i, j]))
        for moment, matrix in zip(starts, path, strict=True)
        for i in range(len(indices))
        for j in range(i + 1, len(indices))
    ]
    frame = pl.DataFrame(rows, schema=["day", "index", "other", "correlation"], orient="row")
    return _parameters(found), Correlations.validate(frame, cast=True)


def _parameters(found: Dcc) -> pl.DataFrame:
    rows = {
        "name": ["a", "b"],
        "value": [found.a, found.b],
        "error": found.errors,
        "robust_error": found.robust_errors,
        "gain": [found.gain] * 2,
        "p_value": [found.p_value] * 2,
        "converged": [found.converged] * 2,
    }
    return CorrelationParameters.validate(pl.DataFrame(rows).with_columns(pl.col("error", "robust_error").fill_nan(None)), cast=True)
