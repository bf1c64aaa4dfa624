"""Observations that need not fit into memory: Parquet files, a Delta table or a lazy frame, read some days at a time."""

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import polars as pl
import pyarrow.parquet as pq

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.indices.windows import MOMENT

Given: TypeAlias = pl.LazyFrame | Path | str
DELTA_LOG = "_delta_log"
WILD = "*?["
SUFFIX = ".parquet"
DAY = "__day"  # of the folders that rows are sorted into; no column of the rows


@dataclass(frozen=True, kw_only=True)
class Source:
    """Rows with `time` in UTC microseconds, and the files that hold them; none of a lazy frame, which may be anything."""

    name: str
    rows: pl.LazyFrame
    files: tuple[Path, ...] = ()

    def between(self, since: datetime, until: datetime) -> pl.DataFrame:
        """Rows of the moments [since, until). Raises `InputError` naming each file that cannot be read."""
        inside = pl.col("time").is_between(since, until, closed="left")
        return _collected(self, self.rows.filter(inside))


def is_large(path: Path, *, at_once: int) -> bool:
    """Whether a path is for reading piece by piece: a folder, a pattern, or a Parquet file of more rows than are read at once."""
    if path.is_dir() or _is_pattern(path):
        return True
    if not path.is_file() or path.suffix != SUFFIX:
        return False
    try:
        return bool(pq.read_metadata(path).num_rows > at_once)
    except (OSError, ValueError):
        return False  # whoever reads it says what is wrong


def opened(given: Given) -> Source:
    """What is behind a lazy frame, a Parquet file, a folder or pattern of them, or the folder of a Delta table.

    Raises `InputError` naming each part that is no Parquet, or has other columns or types than the first, and for rows without a time.
    """
    if isinstance(given, pl.LazyFrame):
        return Source(name="observations", rows=_timed(given, "observations"))
    path = Path(given)
    if (path / DELTA_LOG).is_dir():
        from deltalake import DeltaTable  # loaded by who needs it: start-up is every command's

        files = tuple(Path(uri.removeprefix("file://")) for uri in DeltaTable(str(path)).file_uris())
        return Source(name=path.name, rows=_timed(pl.scan_delta(str(path)), path.name), files=files)
    parts = _parts(path)
    columns = _agreed(parts)
    rows = pl.concat([pl.scan_parquet(part, hive_partitioning=False).select(columns) for part in parts])
    return Source(name=path.name, rows=_timed(rows, path.name), files=parts)


def into_days(source: Source, folder: Path) -> Source:
    """The same rows, in one pass sorted into a folder a day, so that some days can be read without the others."""
    key = {DAY: pl.col("time").dt.date().cast(pl.String)}
    _collected(source, source.rows.sink_parquet(pl.PartitionBy(folder, key=key, include_key=False), lazy=True))
    parts = tuple(sorted(folder.rglob(f"*{SUFFIX}")))
    rows = pl.scan_parquet(list(parts), hive_partitioning=False)
    return Source(name=source.name, rows=rows, files=parts)


def row_groups(source: Source) -> pl.DataFrame | None:
    """first, last and rows of each row group of the files, by what the files say of themselves; None where they do not say."""
    found = []
    for file in source.files:
        told = pq.read_metadata(file)
        for number in range(told.num_row_groups):
            group = told.row_group(number)
            times = [part for at in range(group.num_columns) if (part := group.column(at)).path_in_schema == "time"]
            known = times[0].statistics if times else None
            if known is None or not known.has_min_max or not isinstance(known.min, datetime):
                return None
            found.append((known.min, known.max, group.num_rows))
    if not found:
        return None
    return pl.DataFrame(found, schema={"first": MOMENT, "last": MOMENT, "rows": pl.Int64}, orient="row")


def _is_pattern(path: Path) -> bool:
    return not path.exists() and any(sign in str(path) for sign in WILD)


def _parts(path: Path) -> tuple[Path, ...]:
    if _is_pattern(path):
        parts = tuple(sorted(found for name in glob.glob(str(path)) if (found := Path(name)).is_file()))
        if not parts:
            raise InputError.of(str(path), "a pattern that some Parquet file matches")
    elif path.is_dir():
        parts = tuple(sorted(path.glob(f"*{SUFFIX}")))
        if not parts:
            raise InputError.of(str(path), "a folder with Parquet files, or a Delta table")
    elif path.is_file() and path.suffix == SUFFIX:
        parts = (path,)
    else:
        raise InputError.of(str(path), "a Parquet file, a folder or pattern of them, or a Delta table")
    return parts


def _agreed(parts: tuple[Path, ...]) -> list[str]:
    """The columns of all parts, in the order of the first."""
    faults: list[Fault] = []
    first: tuple[str, dict[str, pl.DataType]] | None = None
    for part in parts:
        try:
            schema = dict(pl.read_parquet_schema(part))
        except (pl.exceptions.PolarsError, OSError) as error:
            faults.append(_unread(part, error))
            continue
        if first is None:
            first = part.name, schema
        faults += _unlike(part.name, schema, *first)
    if faults or first is None:
        raise InputError(faults)
    return list(first[1])


def _unlike(name: str, schema: dict[str, pl.DataType], model: str, wanted: dict[str, pl.DataType]) -> Iterator[Fault]:
    for column in [*wanted, *(column for column in schema if column not in wanted)]:
        found, asked = schema.get(column), wanted.get(column)
        if found != asked:
            expected = f"no such column, as in {model}" if asked is None else f"{asked}, as in {model}"
            yield Fault(file=name, column=column, expected=expected, value="a missing column" if found is None else f"a column of {found}")


def _timed(rows: pl.LazyFrame, name: str) -> pl.LazyFrame:
    schema = rows.collect_schema()
    kind = schema.get("time")
    if kind is None:
        raise InputError.of(name, "this column: when the price held", column="time", value="a missing column")
    if not (isinstance(kind, pl.Datetime) and kind.time_zone):
        raise InputError.of(name, "times with a zone", column="time", value=f"a column of {kind}")
    return rows if kind == MOMENT else rows.with_columns(pl.col("time").dt.convert_time_zone("UTC").cast(MOMENT))


def _collected(source: Source, query: pl.LazyFrame) -> pl.DataFrame:
    try:
        return query.collect(engine="streaming")
    except (pl.exceptions.ComputeError, OSError) as error:
        faults = [_unread(file, found) for file in source.files if (found := _broken(file)) is not None]
        if not faults:
            raise
        raise InputError(faults) from error


def _broken(file: Path) -> Exception | None:
    try:
        pl.scan_parquet(file, hive_partitioning=False).select(pl.all().null_count()).collect(engine="streaming")
    except (pl.exceptions.ComputeError, OSError) as error:
        return error
    return None


def _unread(part: Path, error: Exception) -> Fault:
    return Fault(file=part.name, expected="Parquet", value=(str(error).splitlines() or [type(error).__name__])[0])
