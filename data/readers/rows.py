"""Observations from the rows of a source: a name for each, and the check that closes every reader."""

import hashlib
from collections.abc import Iterator

import polars as pl

from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Observations


def observed(frame: pl.DataFrame, *, name: str) -> pl.DataFrame:
    """`Observations` of a frame that has their columns, or some, and attributes.

    Args:
        frame: columns that may be null may be absent; where `observation_id` is absent or null it becomes a hash of the row's cells,
            attributes included, which depends on neither the order of rows nor of columns nor on columns that are null.
        name: what faults call it.

    Raises `InputError` with every fault, two equal rows too.
    """
    absent = pl.Series("observation_id", [None] * frame.height, dtype=pl.String)
    given = frame["observation_id"] if "observation_id" in frame.columns else absent
    cells = frame.drop("observation_id", strict=False)
    if given.null_count():
        given = pl.Series("observation_id", [own or other for own, other in zip(given, _hashes(cells), strict=True)], dtype=pl.String)
    return checked(cells.with_columns(given), Observations, name=name, attributes=True)


def concat(*observations: pl.DataFrame) -> pl.DataFrame:
    """All rows of several observation tables, in the order of time, then resource, then name; attributes that a table lacks are null.

    Raises `InputError` where an observation_id occurs twice.
    """
    rows = pl.concat(observations, how="diagonal_relaxed").sort("time", "resource", "observation_id")
    return checked(rows, Observations, name="observations", attributes=True)


def _hashes(cells: pl.DataFrame) -> Iterator[str]:
    columns = [_texts(cells[name]) for name in sorted(cells.columns)]
    for row in zip(*columns, strict=True):
        yield hashlib.sha256("\x1f".join(filter(None, row)).encode()).hexdigest()[:20]


def _texts(column: pl.Series) -> list[str]:
    """`name=value` of every cell, empty where it is null; numbers by their shortest exact text."""
    if column.dtype.is_temporal():
        column = column.dt.to_string("iso")
    return ["" if cell is None else f"{column.name}={cell!r}" for cell in column]
