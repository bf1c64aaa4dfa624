"""Marks of observations that need not fit into memory: the same as of one frame, days by days in one pass."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.readers.rows import observed
from tenorgrid.indices.calculation import Calculation, Left, calculate
from tenorgrid.indices.entries import Sensitivity
from tenorgrid.indices.marks import MarkRun, run_of
from tenorgrid.indices.methodology import load
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.streaming.source import Given, Source, into_days, opened, row_groups
from tenorgrid.indices.streaming.stretches import Stretch, counted, is_ordered, stretches

AT_ONCE = 500_000  # rows in memory: with the house's rule about a gigabyte at the peak
ID = "observation_id"
Hashes = npt.NDArray[np.uint64]


def mark_stream(
    given: Given,
    *,
    methodology: Methodology | Path | str,
    first: date | None = None,
    end: date | None = None,
    indices: Sequence[str] | None = None,
    sensitivity: Sensitivity = "told",
    at_once: int = AT_ONCE,
) -> Iterator[MarkRun]:
    """Marks of the days [first, end), some days at a time: together the marks, exclusions and audits that `mark` gives, to the last digit.

    Rows are read a stretch of days at a time, with the days that its windows look back at; Parquet files whose row groups are in the
    order of time are read where they lie, all else is first sorted into a temporary folder a day, in one pass. A stretch is one day at
    least. Of the rows before it 8 bytes each are kept, to know an observation_id that occurs twice: that is told at the end.

    Args:
        given: a Parquet file, a folder or pattern of them, a Delta table, or a lazy frame, with the columns of `Observations` and
            attributes; an id that is absent becomes a hash of the row.
        methodology: a shipped name, a TOML file, or what `load` gave.
        first: first day; None is that of the first row.
        end: the day after the last; None is that after the last row.
        indices: only these; None is every one that shows up.
        sensitivity: as for `mark`.
        at_once: rows in memory, but for a day that has more.

    Raises `InputError` as `mark` does for the rows of a stretch, with the stretch's days in the name, for each part that cannot be read or
    has another schema than the first, and for an id that occurs twice.

    >>> from datetime import UTC, datetime
    >>> row = {"resource": "h100-sxm", "region": "us-east", "tier": "firm", "kind": "list price"}
    >>> listed = {"nimbus": 2.4, "cirrus": 2.6, "stratus": 2.5}
    >>> days = [datetime(2027, 1, day, 12, tzinfo=UTC) for day in (5, 6)]
    >>> rows = [row | {"time": day, "provider": name, "price": price} for day in days for name, price in listed.items()]
    >>> runs = list(mark_stream(pl.LazyFrame(rows), methodology="house", indices=["H100-SXM.US.FIRM"], at_once=3))
    >>> [run.marks["value"].to_list() for run in runs]
    [[2.5], [2.5]]
    """
    rule, source = load(methodology), opened(given)
    counts = counted(source)
    begin = rule.day_of(counts.first) if first is None else first
    stop = rule.day_of(counts.last) + timedelta(1) if end is None else end
    if begin >= stop:
        raise InputError.of("dates", "a first day before the end", column="first", value=f"{begin} to {stop}")
    pieces = stretches(counts, rule, first=begin, end=stop, at_once=at_once)
    with ExitStack() as stack:
        if len(pieces) > 1 and not is_ordered(row_groups(source), pieces):
            source = into_days(source, Path(stack.enter_context(TemporaryDirectory(prefix="tenorgrid-"))))
        names: list[Hashes] = []
        left: Left | None = None
        for piece in pieces:
            made, seen = _made(source, piece, rule, indices=indices, left=left)
            names.append(_new(seen, piece, alone=left is None))
            left = made.left
            yield run_of(made, sensitivity=sensitivity)
        _refuse_repeated(names, source)


def gathered(runs: Iterable[MarkRun]) -> MarkRun:
    """One run of those of stretches of days, in the order of index and start."""
    parts = list(runs)
    return MarkRun(
        methodology=parts[0].methodology,
        marks=pl.concat([part.marks for part in parts]).sort("index", "start"),
        exclusions=pl.concat([part.exclusions for part in parts]).sort("index", "start", ID, "rule"),
        audits=pl.concat([part.audits for part in parts]).sort("index", "start"),
    )


def _made(
    source: Source, piece: Stretch, rule: Methodology, *, indices: Sequence[str] | None, left: Left | None
) -> tuple[Calculation, pl.DataFrame]:
    last = piece.end - timedelta(1)
    seen = observed(source.between(piece.since, piece.until), name=f"{source.name}, {piece.first} to {last}")
    return calculate(seen, methodology=rule, first=piece.first, end=piece.end, indices=indices, left=left), seen


def _new(seen: pl.DataFrame, piece: Stretch, *, alone: bool) -> Hashes:
    """Hashes of the ids that no stretch before has read."""
    fresh = seen if alone else seen.filter(pl.col("time") >= piece.opens)
    return fresh[ID].hash().to_numpy()


def _refuse_repeated(names: list[Hashes], source: Source) -> None:
    """Raises `InputError` for ids of which several rows have one; equal hashes of ids that differ are no fault."""
    known = np.sort(np.concatenate(names))
    twice = np.unique(known[1:][known[1:] == known[:-1]])
    if not twice.size or ID not in source.rows.collect_schema():
        return
    suspects = source.rows.select(ID).filter(pl.col(ID).hash().is_in(pl.Series(twice).implode()))
    found = suspects.group_by(ID).len("rows").filter(pl.col("rows") > 1).sort(ID).collect(engine="streaming")
    if found.height:
        raise InputError(
            Fault(file=source.name, column=ID, value=name, expected=f"one row per observation_id, not {count}")
            for name, count in found.iter_rows()
        )
