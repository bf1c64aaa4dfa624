"""Tables whose former contents stay readable: Delta tables of which each run makes a version, and none takes one away.

A version holds what one run says, whole: a reader of Delta tables finds no row twice, and what a run no longer says is not taken for
current. Versions are never cleaned up; each is found by its number or by a moment.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import dataframely as dy
import polars as pl
from deltalake import write_deltalake

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.history import EMPTY, KEEP_ALL, read, table_of, version
from tenorgrid.data.store import DELTA


def write_version(folder: Path, name: str, frame: pl.DataFrame, *, before: Path | None = None) -> int:
    """Write `frame` as the current version of the table `name`; returns its number.

    Args:
        folder: where the table shall stand; it has none of that name yet.
        name: table, `folder/name.delta`.
        frame: its rows.
        before: a folder whose table of that name is carried over with all its versions; where that holds the same rows in the same order,
            no version is added. None, or a folder without such a table, begins at version 0.

    Raises `HistoryError` where the table in `before` is damaged.

    >>> from tempfile import TemporaryDirectory
    >>> one, other = pl.DataFrame({"value": [2.5]}), pl.DataFrame({"value": [2.6]})
    >>> with TemporaryDirectory() as place:
    ...     first, second, third = (Path(place) / name for name in "abc")
    ...     numbers = [write_version(first, "marks", one), write_version(second, "marks", one, before=first)]
    ...     [*numbers, write_version(third, "marks", other, before=second)]
    [0, 0, 1]
    """
    plain = frame.with_columns(pl.col(pl.Enum).cast(pl.String))  # Delta has no closed sets
    place = folder / f"{name}{DELTA}"
    seen = EMPTY if before is None else version(before, place.name)
    folder.mkdir(parents=True, exist_ok=True)
    if before is None or seen == EMPTY:
        write_deltalake(place, plain, mode="error", configuration=KEEP_ALL)
        return 0
    same = rows_of(before / place.name).equals(plain)
    shutil.copytree(before / place.name, place)
    if same:
        return seen
    write_deltalake(place, plain, mode="overwrite", schema_mode="overwrite")
    return seen + 1


def read_version(folder: Path, name: str, schema: type[dy.Schema], *, written_by: datetime | None = None) -> pl.DataFrame:
    """The rows of the table `name`, checked: as they stand now, or as they stood at a moment.

    Args:
        folder: that holds `name.delta`.
        name: table.
        schema: what its rows must be.
        written_by: the last version written by this moment, with its time zone; None is the current one.

    Raises `HistoryError` where a file of the table is missing or damaged, `NotPublishedError` where nothing was written by then,
    `InputError` for rows that break the schema and a time without a zone.
    """
    number = None if written_by is None else version_at(folder, name, written_by)
    return read(folder, f"{name}{DELTA}", schema, version_of=number)[0]


def versions(folder: Path, name: str) -> pl.DataFrame:
    """The versions of a table: `version`, and `written_at` in UTC, the oldest first."""
    entries = table_of(folder, f"{name}{DELTA}").history()
    rows = [(entry["version"], datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)) for entry in reversed(entries)]
    return pl.DataFrame(rows, schema=[("version", pl.Int64), ("written_at", pl.Datetime("us", "UTC"))], orient="row")


def version_at(folder: Path, name: str, moment: datetime) -> int:
    """Number of the last version that was written by a moment."""
    if moment.tzinfo is None:
        raise InputError.of(name, "a time with its zone", column="written_by", value=moment)
    found = versions(folder, name).filter(pl.col("written_at") <= moment)
    if found.is_empty():
        raise NotPublishedError(f"{name} of {folder.name} was not written yet at {moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    return int(found["version"][-1])


def rows_of(place: Path) -> pl.DataFrame:
    """The rows of a Delta table as they stand, in the order in which they were written. Raises `HistoryError` where it is damaged."""
    return read(place.parent, place.name, None)[0]
