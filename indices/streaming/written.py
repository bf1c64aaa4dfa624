"""Marks made days by days written as if they had been made at once: audits and exclusions go through files, never all through memory."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO

import polars as pl

from tenorgrid.data.store import write_table
from tenorgrid.indices.marks import MarkRun
from tenorgrid.indices.specification import Methodology

AUDIT = "audit.jsonl"
EXCLUSIONS = "exclusions"


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written: `marks` are `Marks`, `excluded` has rule and rows, most rows first."""

    methodology: Methodology
    marks: pl.DataFrame
    excluded: pl.DataFrame


def write_stream(runs: Iterable[MarkRun], folder: Path, *, aside: Path) -> Written:
    """Write `audit.jsonl` and `exclusions.csv` of runs of stretches of days, in the order of index and day, as of one run.

    Args:
        runs: what `mark_stream` gives, one held at a time.
        folder: where the files shall stand.
        aside: an empty folder for what is written on the way.
    """
    marks: list[pl.DataFrame] = []
    counts: list[pl.DataFrame] = []
    methodology: Methodology | None = None
    for number, run in enumerate(runs):
        methodology = run.methodology
        marks.append(run.marks)
        counts.append(run.exclusions.group_by("rule").len("rows"))
        run.audits.write_parquet(aside / f"audits-{number}.parquet")
        run.exclusions.write_parquet(aside / f"exclusions-{number}.parquet")
    assert methodology is not None, "a stream has a stretch at least"
    found = pl.concat(marks).sort("index", "start")
    with (folder / AUDIT).open("wb") as file:
        for part in _by_index(aside, "audits", found["index"].unique().sort(), len(marks)):
            file.writelines(f"{line}\n".encode() for line in part["audit"])
    with (folder / f"{EXCLUSIONS}.csv").open("wb") as file:
        written = False
        for part in _by_index(aside, EXCLUSIONS, found["index"].unique().sort(), len(marks)):
            if part.height or not written:
                _append(part, file, aside, header=not written)
                written = True
    total = pl.concat(counts).group_by("rule").agg(pl.col("rows").sum()).sort("rows", "rule", descending=[True, False])
    return Written(methodology=methodology, marks=found, excluded=total)


def _by_index(aside: Path, name: str, indices: pl.Series, number: int) -> Iterable[pl.DataFrame]:
    """The rows of each index in turn, those of the first days first."""
    files = [aside / f"{name}-{part}.parquet" for part in range(number)]
    for index in indices:
        for file in files:
            yield pl.scan_parquet(file).filter(pl.col("index") == index).collect()


def _append(rows: pl.DataFrame, file: BinaryIO, aside: Path, *, header: bool) -> None:
    """The rows as `write_table` writes them, at the end of a file."""
    with write_table(aside, "rows", rows).open("rb") as part:
        if not header:
            part.readline()
        copyfileobj(part, file)
