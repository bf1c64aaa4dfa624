"""What an index sees: the observations of its resource, region and tier, of the kinds and horizons it is about, day by day."""

import hashlib
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import ObservationKind
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Observations
from tenorgrid.indices.specification import Methodology

NAME = "observations"
UNIT = "unit"  # attribute of work; without it a price is per GPU-hour
GPU_HOUR = "GPUh"
MARK = ["index", "day"]
ORDER = [*MARK, "time", "observation_id"]
SEEN = "seen"
DIGITS = 32  # of a row: 128 bits are enough to tell it from any other


def scope(
    observations: pl.DataFrame, methodology: Methodology, *, first: date, end: date, indices: list[str] | None = None
) -> pl.DataFrame:
    """Rows that marks of the days [first, end) can depend on, once for each index and each day of it that sees them.

    An observation belongs to the day in whose period its time lies; what no level is about (another kind, another horizon of clearing) is
    left out and is no exclusion. Rows come in the order of index, day, time and name, whatever their order was.

    Args:
        observations: `Observations`, with attributes.
        methodology: the rule.
        first: first day of marks; earlier days that its window or its fallback reaches are in scope too.
        end: the day after the last.
        indices: only these; None is every one that shows up.

    Returns the columns of `Observations`, the attributes that the rule asks for, and index, day, unit and digest (of the whole row).

    Raises `InputError` for rows that break the table's rules, and where one index would mix units.
    """
    rows = checked(observations, Observations, name=NAME, attributes=True)
    rows = rows.filter(_considered(methodology))
    days = _days(rows["time"], methodology, first - timedelta(reach(methodology)), end)
    rows, days = rows.filter(days.is_not_null()), days.drop_nulls()
    digest = _digests(rows)  # of all attributes, of which only those that the rule asks for go on
    rows = _with_indices(rows.select(_needed(rows, methodology)).with_columns(days, digest), methodology)
    if indices is not None:
        rows = rows.filter(pl.col("index").is_in(indices))
    rows = rows.with_columns(unit=pl.col(UNIT).fill_null(GPU_HOUR) if UNIT in rows.columns else pl.lit(GPU_HOUR))
    _refuse_mixed(rows)
    return rows.sort(ORDER)


def in_windows(rows: pl.DataFrame, methodology: Methodology, *, first: date, end: date) -> pl.DataFrame:
    """Rows of `scope` once for every mark of [first, end) whose window holds their day, in the order of index, day, time and name.

    `day` becomes that of the mark; the day the row belongs to stands in `seen`.
    """
    moved = rows.with_columns(pl.col("day").alias(SEEN))
    if methodology.window_days > 1:
        shifts = pl.DataFrame({"shift": [timedelta(number) for number in range(methodology.window_days)]})
        moved = moved.join(shifts, how="cross").with_columns(pl.col("day") + pl.col("shift")).drop("shift").sort(ORDER)
    return moved.filter(pl.col("day").is_between(first, end, closed="left"))


def reach(methodology: Methodology) -> int:
    """Days before its own that a mark can depend on."""
    return methodology.carry_days + methodology.window_days - 1


def _considered(methodology: Methodology) -> pl.Expr:
    kinds = {kind.value for level in methodology.levels for kind in level.kinds}
    kind = pl.col("kind").cast(pl.String)
    heard = (kind != ObservationKind.CLEARING.value) | pl.col("horizon").is_in(list(methodology.horizons))
    return kind.is_in(list(kinds)) & heard.fill_null(False)


def _needed(rows: pl.DataFrame, methodology: Methodology) -> list[str]:
    asked = {part.column for level in methodology.levels for part in level.requirements}
    wanted = asked | {UNIT, *Observations.columns()}
    return [column for column in rows.columns if column in wanted]


def _days(times: pl.Series, methodology: Methodology, first: date, end: date) -> pl.Series:
    """The day of [first, end) in whose period each time lies; null outside."""
    days = [first + timedelta(number) for number in range((end - first).days)]
    edges = np.array([_microseconds(methodology.opens(day)) for day in [*days, end]])
    place = np.searchsorted(edges, times.to_physical().to_numpy(), side="right") - 1
    inside = pl.Series(place).set(pl.Series((place < 0) | (place >= len(days))), None)
    return pl.Series("day", days, dtype=pl.Date).gather(inside)


def _microseconds(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, tz=moment.tzinfo)) // timedelta(microseconds=1)


def _with_indices(rows: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    regions = rows["region"].unique().to_list()
    labels = [methodology.regions.labels(region) for region in regions]
    names = pl.DataFrame({"region": regions, "label": labels}, schema={"region": pl.String, "label": pl.List(pl.String)}).explode("label")
    joined = rows.join(names.drop_nulls("label"), on="region", nulls_equal=True)
    name = pl.concat_str(pl.col("resource").str.to_uppercase(), "label", pl.col("tier").str.to_uppercase(), separator=".")
    return joined.with_columns(index=name).drop("label")


def _refuse_mixed(rows: pl.DataFrame) -> None:
    units = rows.group_by("index").agg(pl.col("unit").unique().sort()).filter(pl.col("unit").list.len() > 1)
    for index, found in units.sort("index").iter_rows():
        raise InputError.of(NAME, f"one unit in the index {index}", column=UNIT, value=" and ".join(found))


def _digests(rows: pl.DataFrame) -> pl.Series:
    """A row's digest is SHA-256 of `name=value` for each column that is not null, by name: columns that hold nothing change no hash."""
    texts = [_text(rows[column]) for column in sorted(rows.columns)]
    lines = pl.DataFrame(texts).select(pl.concat_str(pl.all(), separator="\x1f", ignore_nulls=True)).to_series()
    return pl.Series("digest", [hashlib.sha256(line.encode()).hexdigest()[:DIGITS] for line in lines], dtype=pl.String)


def _text(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime):
        column = column.to_physical()
    value = column.cast(pl.String)
    return (f"{column.name}=" + value).alias(column.name)
