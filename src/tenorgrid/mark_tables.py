"""Marks where they live: a table, a folder that some command wrote, a run folder, or a publisher's history, as of any past moment."""

from datetime import datetime
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.store import DELTA, LOG, SUFFIXES, find_table, read_table
from tenorgrid.data.tables.door import checked, read_checked
from tenorgrid.data.tables.observed import Marks as MarkTable
from tenorgrid.indices.audit import Difference
from tenorgrid.indices.fixings import fixings
from tenorgrid.results import Marks

NAME = "marks"
HISTORY = "prints"  # the Delta table of a publisher's history
KEY = ["index", "methodology", "start"]


def read_marks(
    source: Marks | pl.DataFrame | Path | str, *, as_of: datetime | None = None, written_by: datetime | None = None
) -> pl.DataFrame:
    """`Marks` from wherever they are, as they stand or as they were known at a past moment.

    Args:
        source: what `tg.mark` gave, a `Marks` frame, a file, a folder with the table `marks`, a run folder with such a folder in it, or
            the folder of a publisher's history.
        as_of: only what was published by this moment, with its time zone, each mark in its latest revision then; None is all. A history
            gives the latest revisions in any case.
        written_by: of a folder into which several runs have written, the last one that had by this moment; None is the last of all.

    Raises `InputError` with every fault, and where `written_by` is given for what has no versions; `NotPublishedError` where nothing was
    written by then.

    >>> read_marks(MarkTable.create_empty()).height
    0
    """
    if as_of is not None and as_of.tzinfo is None:
        raise InputError.of("marks", "a time with its zone, such as 2026-03-05T17:00Z", column="as-of", value=as_of)
    if not isinstance(source, Marks | pl.DataFrame):
        path = Path(source)
        if (path / HISTORY / LOG).is_dir():
            return _of_history(path, as_of, written_by)
        if path.is_dir():
            return _known(_of_folder(path, written_by), as_of)
    if written_by is not None:
        raise InputError.of("--written-by", f"a folder with the Delta table {NAME}{DELTA}", value=_called(source))
    return _known(_plain(source), as_of)


def fixings_of(source: Marks | pl.DataFrame | Path | str, *, at: datetime) -> pl.DataFrame:
    """`Fixings` known at a moment; of a publisher's history by the rules that it keeps, else by shipped ones."""
    if not isinstance(source, Marks | pl.DataFrame) and (Path(source) / HISTORY / LOG).is_dir():
        from tenorgrid.indices.publication.history import open_history

        return open_history(Path(source)).fixings(at)
    return fixings(read_marks(source), at=at)


def beside(audit: Path) -> tuple[pl.DataFrame | None, tuple[Difference, ...]]:
    """What is published beside an audit file, to be held against it: the marks as people read them there, and where the copies differ.

    Args:
        audit: the file, in a folder with the table `marks` or without.

    Raises `InputError` for rows that break the schema.
    """
    folder = audit.parent
    table = find_table(folder, NAME)
    if table is None:
        return None, ()
    export = next((path for suffix in SUFFIXES if (path := folder / f"{NAME}{suffix}").is_file()), None)
    if table.suffix != DELTA or export is None:
        return read_table(folder, NAME, MarkTable), ()
    told, held = _of_file(export), _current(folder)
    unlike = told.join(held, on=told.columns, how="anti", nulls_equal=True), held.join(told, on=told.columns, how="anti", nulls_equal=True)
    rows = zip(("read", "held"), unlike, strict=True)
    return told, tuple(
        Difference(
            index=row["index"], date=f"{row['start']:%Y-%m-%d}", field=export.name if which == "read" else table.name,
            recorded=row["value"], recomputed=f"another row in {table.name if which == 'read' else export.name}",
        )
        for which, frame in rows
        for row in frame.iter_rows(named=True)
    )  # fmt: skip


def _plain(source: Marks | pl.DataFrame | Path | str) -> pl.DataFrame:
    if isinstance(source, Marks):
        return source.marks
    return checked(source, MarkTable, name=NAME) if isinstance(source, pl.DataFrame) else _of_file(Path(source))


def _called(source: Marks | pl.DataFrame | Path | str) -> str:
    return str(source) if isinstance(source, Path | str) else "marks without former versions"


def _of_file(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise InputError.of(str(path), "a file of marks, or a folder that holds one")
    frame, faults = read_checked(path, MarkTable)
    if faults:
        raise InputError(faults)
    return frame


def _of_folder(path: Path, written_by: datetime | None) -> pl.DataFrame:
    """The table of a folder; of a run folder that of its `marks/`."""
    if (path / LOG).is_dir() and path.suffix == DELTA:
        path = path.parent
    place = path / NAME if (path / NAME).is_dir() and find_table(path, NAME) is None else path
    table = find_table(place, NAME)
    if table is None:
        raise InputError.of(str(path), f"a table {NAME}, a folder that has one, or a publisher's history")
    if written_by is None:
        return read_table(place, NAME, MarkTable)
    if table.suffix != DELTA:
        raise InputError.of("--written-by", f"a folder with the Delta table {NAME}{DELTA}", value=table)
    from tenorgrid.data.versions import read_version  # loads Delta, only needed here

    return read_version(place, NAME, MarkTable, written_by=written_by)


def _current(folder: Path) -> pl.DataFrame:
    from tenorgrid.data.versions import read_version

    return read_version(folder, NAME, MarkTable)


def _of_history(path: Path, as_of: datetime | None, written_by: datetime | None) -> pl.DataFrame:
    from tenorgrid.indices.publication.history import open_history

    if written_by is not None:
        raise InputError.of("--written-by", "--as-of, as a print is written when it is published", value=path)
    return open_history(path).marks(as_of)


def _known(rows: pl.DataFrame, as_of: datetime | None) -> pl.DataFrame:
    """What was published by a moment, the latest revision of each; all of it without a moment."""
    if as_of is None:
        return rows
    known = rows.filter(pl.col("published_at") <= as_of)
    return known.filter(pl.col("revision") == pl.col("revision").max().over(KEY))
