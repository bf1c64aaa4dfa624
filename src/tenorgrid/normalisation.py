"""Prices of unlike offers brought to one specification, in the hand of a desk: `tg.normalise(...)`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.readers.formats import read_observations
from tenorgrid.data.store import write_result
from tenorgrid.data.tables import normalised as tables
from tenorgrid.indices.normalisation.characteristics import Model, load_model
from tenorgrid.indices.normalisation.compare_series import compare_series
from tenorgrid.indices.normalisation.normalise import Normalised
from tenorgrid.indices.normalisation.normalise import normalise as adjust
from tenorgrid.indices.traits import traits
from tenorgrid.results import Tables


@dataclass(frozen=True, kw_only=True)
class Normalisation(Tables):
    """Adjusted prices and what they rest on; the tables are those of `tenorgrid.data.tables.normalised`.

    `observations` are the rows with factor, factor_se, adjusted and reason; `prices` the same with the adjusted price as the price, of the
    rows that have one: they go into `tg.mark` as any observations do.
    """

    model: Model
    source: str
    observations: pl.DataFrame = field(repr=False)
    coefficients: pl.DataFrame = field(repr=False)
    factors: pl.DataFrame = field(repr=False)
    fits: pl.DataFrame = field(repr=False)
    series: pl.DataFrame | None = field(repr=False)
    refused: Mapping[str, str] = field(repr=False)  # groups without a fit or a time-product-dummy, and why
    until: datetime | None
    where: Mapping[str, str]

    @property
    def prices(self) -> pl.DataFrame:
        """`Observations` at their adjusted prices."""
        told = self.observations.filter(pl.col("adjusted").is_not_null())
        return told.with_columns(price="adjusted").drop("factor", "factor_se", "adjusted", "reason")

    def written(self) -> dict[str, pl.DataFrame]:
        """The tables that `save` writes."""
        return {name: frame for name, frame in self.tables().items() if name != "observations"}

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.normalisation import render  # plotly, only needed here

        return render(self.written(), model=self.model.name, source=self.source)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.normalisation import FILE

        until = None if self.until is None else self.until.isoformat()
        settings = {"model": self.model.name, "until": until, "where": dict(self.where), "refused": dict(self.refused)}
        return write_result(
            folder, self.written(), pages={FILE: self.page()}, command="normalise", inputs=inputs, settings=settings
        )  # fmt: skip


def normalise(
    observations: Path | str | pl.DataFrame,
    model: Model | Path | str,
    *,
    until: datetime | None = None,
    where: Mapping[str, str] | None = None,
    format: str | None = None,
) -> Normalisation:
    """Bring prices to a model's base specification, and show what moved: prices, or the mix of what is listed.

    Args:
        observations: a file that some reader knows, or `Observations` with attributes.
        model: a shipped model (`clouds`, `daily`, `listings`, `regional`), a TOML file, or a `Model`.
        until: the fit and the series see rows before this moment only.
        where: only rows whose column has this value, as text; chip, form_factor and term are worked out.
        format: of the file, where its header does not tell.

    Raises `InputError` with every fault.

    >>> from datetime import UTC, datetime, timedelta
    >>> start = datetime(2027, 1, 1, tzinfo=UTC)
    >>> rows = [(f"{d}-{n}", start + timedelta(days=d), "a", "h100", "x", 4.0 * n**-0.1, n) for d in range(9) for n in (1.0, 2.0, 8.0)]
    >>> names = ["observation_id", "time", "provider", "resource", "tier", "price", "gpu_count"]
    >>> table = pl.DataFrame(rows, schema=names, orient="row").with_columns(kind=pl.lit("firm quote"))
    >>> from tenorgrid.indices.normalisation.characteristics import Characteristic
    >>> eight = Model(name="eight", source="-", characteristics=(Characteristic(column="gpu_count", form="log", base=8.0),))
    >>> found = normalise(table, eight)
    >>> found.coefficients["coefficient"].round(6).to_list(), found.prices["price"].round(4).unique().to_list()
    ([-0.1], [3.249])
    """
    rows = observations if isinstance(observations, pl.DataFrame) else read_observations(observations, format=format)
    source = "observations" if isinstance(observations, pl.DataFrame) else Path(observations).name
    chosen = load_model(model)
    made = adjust(_chosen(rows, where or {}, source), chosen, until=until)
    compared = None if chosen.period == "none" else compare_series(made)
    return Normalisation(
        model=chosen,
        source=source,
        observations=made.observations,
        coefficients=tables.Coefficients.validate(made.coefficients(), cast=True),
        factors=tables.Factors.validate(made.observations.select(tables.Factors.column_names()), cast=True),
        fits=tables.Fits.validate(made.summary().with_columns(pl.col("r_squared").fill_nan(None)), cast=True),
        series=None if compared is None else compared.series,
        refused=_refused(made, {} if compared is None else compared.refused),
        until=until,
        where=where or {},
    )


def _chosen(rows: pl.DataFrame, where: Mapping[str, str], source: str) -> pl.DataFrame:
    if not where:
        return rows
    told = traits(rows, set(where)) if {"resource", "term_hours"} <= set(rows.columns) else rows
    faults = [
        Fault(file=source, column=column, value="no such column", expected=f"one of {', '.join(told.columns)}")
        for column in where
        if column not in told.columns
    ]
    if faults:
        raise InputError(faults)
    kept = told.filter(*(pl.col(column).cast(pl.String) == value for column, value in where.items())).select(rows.columns)
    if kept.is_empty():
        raise InputError.of(source, "rows where " + " and ".join(f"{column} is {value}" for column, value in where.items()), value="none")
    return kept


def _refused(made: Normalised, series: Mapping[str, str]) -> dict[str, str]:
    return {**{f"{group}: series": why for group, why in series.items()}, **{f"{group}: fit": why for group, why in made.refused.items()}}
