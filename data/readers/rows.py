"""Observations from the rows of a source: a name for each, and the check that closes every reader."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl

from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Observations

SOURCE_COLUMNS = [column for column in Observations.columns() if column != "observation_id"]


def observed(frame: pl.DataFrame, *, name: str) -> pl.DataFrame:
    """`Observations` of a frame that has their columns, or some, and attributes.

    Args:
        frame: columns that may be null may be absent; where `observation_id` is absent or null it becomes a hash of the row's cells,
            attributes included, which depends on neither the order of rows nor of columns nor on columns that are null.
        name: what faults call it.

    Raises `InputError` with every fault, two equal rows too.
    """
    given = (
        frame["observation_id"]
        if "observation_id" in frame.columns
        else pl.Series("observation_id", [None] * frame.height, dtype=pl.String)
    )
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


def renamed_attributes(frame: pl.DataFrame, taken: Sequence[str]) -> pl.DataFrame:
    """The columns of a source that its reader has no column of ours for; one that is called like ours gets `source_` before it."""
    extra = frame.drop(taken)
    return extra.rename({column: f"source_{column}" for column in extra.columns if column in Observations.columns()})


def _hashes(cells: pl.DataFrame) -> Iterator[str]:
    names = sorted(cells.columns)
    for row in cells.select(names).iter_rows():
        text = "\x1f".join(f"{name}={_text(cell)}" for name, cell in zip(names, row, strict=True) if cell is not None)
        yield hashlib.sha256(text.encode()).hexdigest()[:20]


def _text(cell: object) -> str:
    return cell.isoformat() if isinstance(cell, datetime) else repr(cell)
