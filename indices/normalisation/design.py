"""From the rows of a hedonic regression to its cells: rows with equal characteristics, period and cluster are one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.faults import faulty_rows
from tenorgrid.indices.normalisation.characteristics import Characteristic, Model
from tenorgrid.indices.normalisation.two_way import Codes, Matrix, Vector
from tenorgrid.indices.traits import traits

NAME = "observations"
NOTHING = "nothing"  # the category of rows without a value, where the model gives them one
CODE, COUNT, SPREAD = "\x1f", "\x1fcount", "\x1fspread"  # no column is called so


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One column of the regression: a number, or one value of a category against the reference."""

    column: str
    form: str
    level: str | None = None

    def __str__(self) -> str:
        return self.column if self.level is None else f"{self.column} {self.level}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Sums over rows that share a design row, a period and a cluster. `square` is the sum of squared weights, `mean2` and `spread2` are
    mean and spread under these."""

    design: Matrix  # (cells, terms)
    period: Codes
    cluster: Codes
    count: npt.NDArray[np.int64]
    weight: Vector
    mean: Vector
    spread: Vector  # weighted squared deviations within the cell
    square: Vector
    mean2: Vector
    spread2: Vector


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """Cells of a regression and the names of its parts; `cell` is that of each row."""

    cells: Cells
    cell: Codes
    terms: tuple[Term, ...]
    references: dict[str, str]  # by category
    periods: tuple[object, ...]
    clusters: int


def period_of(model: Model) -> pl.Expr:
    """The beginning, in UTC, of a row's period in the model's own time zone; null for none."""
    if model.period == "none":
        return pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    local = pl.col("time").dt.convert_time_zone(model.timezone).dt.truncate(model.period)
    return local.dt.convert_time_zone("UTC").dt.cast_time_unit("us")


def described(rows: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Rows with their characteristics as numbers and texts; what a row lacks is null. Chip, form factor and term are worked out.

    Raises `InputError` with every fault: columns that are not there, numbers that are not, logarithms of what is not above 0, prices that
    are not above 0.
    """
    wanted = [*model.by, *(one.column for one in model.characteristics)]
    if {"resource", "term_hours"} <= set(rows.columns):
        rows = traits(rows, set(wanted))
    wanted += [model.cluster] if model.errors == "cluster" else []
    wanted += {"quantity": ["quantity"], "contributor": ["provider"], "equal": []}[model.weights]
    faults = [
        Fault(file=NAME, column=column, value="no such column", expected=f"a characteristic that {model.name} looks at")
        for column in dict.fromkeys(["observation_id", "time", "price", *wanted])
        if column not in rows.columns
    ]
    numbers = [one for one in model.characteristics if one.form != "category" and one.column in rows.columns]
    for one in numbers:
        kind = rows.schema[one.column]
        if not (kind.is_numeric() or kind == pl.Null):
            faults.append(Fault(file=NAME, column=one.column, value=f"a column of {kind}", expected="numbers"))
    if faults:
        raise InputError(faults)
    texts = [pl.col(one.column).cast(pl.String) for one in model.characteristics if one.form == "category"]
    texts = [text.fill_null(NOTHING) if _own_level(model, text) else text for text in texts]
    found = rows.with_columns(*(pl.col(one.column).cast(pl.Float64) for one in numbers), *texts)
    for one in numbers:
        wrong = (
            pl.col(one.column).is_finite().not_() if one.form == "level" else ~(pl.col(one.column) > 0) | pl.col(one.column).is_infinite()
        )
        faults += faulty_rows(found, wrong, file=NAME, column=one.column, expected="a finite number" + " above 0" * (one.form == "log"))
    sound = (pl.col("price") > 0) & pl.col("price").is_finite()
    faults += faulty_rows(found, ~sound.fill_null(False), file=NAME, column="price", expected="a finite number above 0")
    if faults:
        raise InputError(faults)
    return found.with_columns(pl.col(one.column).log() for one in numbers if one.form == "log")


def _own_level(model: Model, text: pl.Expr) -> bool:
    name = text.meta.output_name()
    return any(one.column == name and one.missing == "level" for one in model.characteristics)


def complete(model: Model) -> pl.Expr:
    """Whether a described row has a value of every characteristic."""
    return pl.all_horizontal(pl.col(one.column).is_not_null() for one in model.characteristics)


def design(rows: pl.DataFrame, model: Model) -> Design:
    """Cells of described, complete rows.

    Args:
        rows: what `described` returned, those with every characteristic.
        model: the regression.
    """
    keys = [one.column for one in model.characteristics]
    whose = pl.col(model.cluster) if model.errors == "cluster" else pl.lit("")
    placed = rows.with_columns(period_of(model).alias("period"), whose.cast(pl.String).fill_null(NOTHING).alias("cluster"))
    weight = _weights(placed, model)
    columns = [*keys, "period", "cluster"]
    cells = placed.select(columns).unique().sort(columns).with_row_index(CODE)
    cell = (
        placed.select(columns).join(cells, on=columns, how="left", nulls_equal=True, maintain_order="left")[CODE].cast(pl.Int64).to_numpy()
    )
    pooled = (placed[COUNT].to_numpy(), placed[SPREAD].to_numpy()) if COUNT in placed.columns else None
    periods, period = _coded(cells["period"])
    clusters, cluster = _coded(cells["cluster"])
    terms, references, matrix = _matrix(cells, model.characteristics)
    return Design(
        cells=_sums(matrix, period, cluster, cell, placed["price"].log().to_numpy(), weight, pooled),
        cell=cell, terms=tuple(terms), references=references, periods=tuple(periods), clusters=len(clusters),
    )  # fmt: skip


def without(made: Design, left: Sequence[Term]) -> Design:
    """The same without some of its columns."""
    kept = [at for at, term in enumerate(made.terms) if term not in left]
    return replace(made, cells=replace(made.cells, design=made.cells.design[:, kept]), terms=tuple(made.terms[at] for at in kept))


def pool(rows: pl.LazyFrame, model: Model) -> pl.DataFrame:
    """Rows with equal characteristics, period and cluster as one each, for `fit_hedonic` in their stead: one pass over a file of any size.

    Args:
        rows: `Observations` with attributes, such as `pl.scan_parquet` gives.
        model: the regression, with equal weights and without a rule for outliers, which would ask for single rows.

    Raises `InputError` for another model. What `described` refuses is refused when the pool is fitted.
    """
    if model.weights != "equal" or model.outliers is not None:
        raise InputError.of(model.name, "equal weights and no outliers, to pool rows", value=f"{model.weights}, outliers {model.outliers}")
    keys = [one.column for one in model.characteristics] + ([model.cluster] if model.errors == "cluster" else [])
    log, when = pl.col("price").log(), pl.col("time") if model.period == "none" else period_of(model)
    cells = (
        rows.select(*dict.fromkeys(keys), when.alias("time"), log.alias("price"))
        .group_by(*dict.fromkeys(keys), *([] if model.period == "none" else ["time"]))
        .agg(
            *([pl.col("time").first()] if model.period == "none" else []),
            pl.len().cast(pl.Int64).alias(COUNT), pl.col("price").mean().exp(), (pl.col("price").var(ddof=0) * pl.len()).alias(SPREAD),
        )
        .collect(engine="streaming")
    )  # fmt: skip
    named = pl.concat_str([pl.col(key).cast(pl.String).fill_null("") for key in [*dict.fromkeys(keys), "time"]], separator=CODE)
    return cells.with_columns(named.alias("observation_id"))


def _weights(rows: pl.DataFrame, model: Model) -> Vector:
    if model.weights == "quantity":
        sound = (pl.col("quantity") > 0) & pl.col("quantity").is_finite()
        faults = list(
            faulty_rows(rows, ~sound.fill_null(False), file=NAME, column="quantity", expected="a finite number above 0 to weigh by")
        )
        if faults:
            raise InputError(faults)
        weight = rows["quantity"].cast(pl.Float64).to_numpy()
    elif model.weights == "contributor":
        weight = rows.select(1 / pl.len().over("provider", "period")).to_series().cast(pl.Float64).to_numpy()
    else:
        return np.ones(rows.height)
    return np.asarray(weight / weight.mean())


def _coded(values: pl.Series) -> tuple[list[object], Codes]:
    found = values.unique().sort()
    place = pl.DataFrame({"value": found}).with_row_index(CODE)
    codes = values.to_frame("value").join(place, on="value", how="left", nulls_equal=True, maintain_order="left")[CODE]
    return found.to_list(), codes.cast(pl.Int64).to_numpy()


def _matrix(cells: pl.DataFrame, characteristics: tuple[Characteristic, ...]) -> tuple[list[Term], dict[str, str], Matrix]:
    """A column for each number and for each value of a category but the reference: its base, failing that its first value."""
    terms: list[Term] = []
    columns: list[Vector] = []
    references: dict[str, str] = {}
    for one in characteristics:
        if one.form != "category":
            terms.append(Term(column=one.column, form=one.form))
            columns.append(cells[one.column].to_numpy())
            continue
        levels = [str(level) for level in cells[one.column].unique().sort()]
        references[one.column] = str(one.base) if one.base in levels else levels[0]
        for level in levels:
            if level != references[one.column]:
                terms.append(Term(column=one.column, form=one.form, level=level))
                columns.append((cells[one.column] == level).cast(pl.Float64).to_numpy())
    return terms, references, np.column_stack(columns) if columns else np.empty((cells.height, 0))


def _sums(
    matrix: Matrix,
    period: Codes,
    cluster: Codes,
    cell: Codes,
    value: Vector,
    weight: Vector,
    pooled: tuple[npt.NDArray[np.int64], Vector] | None,
) -> Cells:
    size = matrix.shape[0]

    def total(amount: Vector) -> Vector:
        return np.bincount(cell, amount, size).astype(np.float64, copy=False)

    if pooled is not None:  # each row stands for so many of weight 1, whose values spread by so much
        counts, spreads = pooled
        mass = total(counts.astype(np.float64))
        mean = total(counts * value) / mass
        spread = total(spreads) + total(counts * (value - mean[cell]) ** 2)
        return Cells(
            design=matrix, period=period, cluster=cluster, count=mass.astype(np.int64), weight=mass, mean=mean, spread=spread, square=mass,
            mean2=mean, spread2=spread,
        )  # fmt: skip
    mass, square = total(weight), total(weight**2)
    mean, mean2 = total(weight * value) / mass, total(weight**2 * value) / square
    return Cells(
        design=matrix, period=period, cluster=cluster, count=np.bincount(cell, minlength=size), weight=mass, mean=mean,
        spread=total(weight * (value - mean[cell]) ** 2), square=square, mean2=mean2, spread2=total(weight**2 * (value - mean2[cell]) ** 2),
    )  # fmt: skip
