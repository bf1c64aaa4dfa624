"""What an index sees: the observations of its resource, region and tier, of the kinds and horizons it is about, day by day."""

import hashlib
from datetime import date

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind, Terms
from tenorgrid.data.tables.observed import Observations
from tenorgrid.indices.adjustment import UNADJUSTED, adjusted
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.traits import term
from tenorgrid.indices.windows import SEEN, placed

NAME = "observations"
UNIT = "unit"  # attribute of work; without it a price is per GPU-hour
GPU_HOUR = "GPUh"
ORDER = ["index", "time", "observation_id"]
DIGITS = 32  # of a row: 128 bits are enough to tell it from any other


def scope(
    observations: pl.DataFrame, methodology: Methodology, *, first: date, end: date, indices: list[str] | None = None
) -> pl.DataFrame:
    """Rows of the days [first, end), once for each index that they are about.

    An observation belongs to the day, and the period, in which its time lies; what no level is about (another kind, another horizon of
    clearing) is left out and is no exclusion. Rows come in the order of index, time and name, whatever their order was.

    Args:
        observations: `Observations`, with attributes, checked.
        methodology: the rule.
        first: first day that anything depends on.
        end: the day after the last.
        indices: only these; None is every one that shows up.

    Returns the columns of `Observations`, the attributes that the rule asks for, and index, seen (the day), period (its number) and unit.

    Raises `InputError` where one index would mix units.
    """
    rows = observations.filter(_considered(methodology))
    when = placed(rows["time"], methodology, first=first, end=end)
    rows, when = rows.filter(when[SEEN].is_not_null()), when.drop_nulls()
    rows = adjusted(rows, when[SEEN], methodology)
    needed = rows.select(_needed(rows, methodology))
    rows = _with_indices(pl.concat([needed, when], how="horizontal"), methodology)
    if indices is not None:
        rows = rows.filter(pl.col("index").is_in(indices))
    rows = rows.with_columns(unit=pl.col(UNIT).fill_null(GPU_HOUR) if UNIT in rows.columns else pl.lit(GPU_HOUR))
    refuse_mixed(rows)
    return rows.sort(ORDER)


def _considered(methodology: Methodology) -> pl.Expr:
    kinds = {kind.value for level in methodology.levels for kind in level.kinds}
    kind = pl.col("kind").cast(pl.String)
    heard = (kind != ObservationKind.CLEARING.value) | pl.col("horizon").is_in(list(methodology.horizons))
    return kind.is_in(list(kinds)) & heard.fill_null(False)


def _needed(rows: pl.DataFrame, methodology: Methodology) -> list[str]:
    asked = set().union(*(level.columns for level in methodology.levels))
    made = {UNADJUSTED} if methodology.normalisation is not None else set()
    wanted = asked | made | {UNIT, *Observations.columns()}
    return [column for column in rows.columns if column in wanted]


def _with_indices(rows: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    regions = rows["region"].unique().to_list()
    labels = [methodology.regions.labels(region) for region in regions]
    names = pl.DataFrame({"region": regions, "label": labels}, schema={"region": pl.String, "label": pl.List(pl.String)}).explode("label")
    joined = rows.join(names.drop_nulls("label"), on="region", nulls_equal=True)
    parts = [pl.col("resource").str.to_uppercase(), pl.col("label"), pl.col("tier").str.to_uppercase()]
    if methodology.terms is Terms.NAMED:
        parts.append(term("term_hours"))
    name = pl.concat_str(parts, separator=".", ignore_nulls=True)
    return joined.with_columns(index=name).drop("label")


def refuse_mixed(rows: pl.DataFrame) -> None:
    """Raises `InputError` for an index whose rows have more than one unit."""
    units = rows.group_by("index").agg(pl.col("unit").unique().sort()).filter(pl.col("unit").list.len() > 1)
    for index, found in units.sort("index").iter_rows():
        raise InputError.of(NAME, f"one unit in the index {index}", column=UNIT, value=" and ".join(found))


def digests(rows: pl.DataFrame) -> pl.DataFrame:
    """observation_id and digest of observations: SHA-256 of `name=value` for each column that is not null, by name.

    Columns that hold nothing change no hash, and no order of columns does.
    """
    texts = [_text(column, kind) for column, kind in sorted(rows.schema.items())]
    lines = rows.select(pl.concat_str(texts, separator="\x1f", ignore_nulls=True)).to_series()
    found = [hashlib.sha256(line).hexdigest()[:DIGITS] for line in lines.cast(pl.Binary).to_list()]
    return rows.select("observation_id", pl.Series("digest", found, dtype=pl.String))


def _text(column: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(column).to_physical() if isinstance(kind, pl.Datetime) else pl.col(column)
    return pl.lit(f"{column}=") + value.cast(pl.String)
