"""The proof of workload indices: audits, and the marks beside them, against what the same input gives today."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tenorgrid.indices.audit import Difference, Verification, held_against, read_audit
from tenorgrid.indices.entries import CLOCK, Entry
from tenorgrid.indices.workloads.indices import WorkloadIndices

SHOWN = ("value", "status", "unit", "published_at", "method_hash")


def verify_workload_indices(path: Path, run: WorkloadIndices, *, marks: pl.DataFrame | None = None) -> Verification:
    """Hold an audit file against a run made afresh of the same marks, definition and benchmarks; names what differs.

    Args:
        path: what `write_audit` wrote.
        run: made afresh.
        marks: `Marks` published beside it, held against the fresh ones too; None are none.

    A print and its audit that were edited together differ from the fresh ones. Raises `InputError` where the file is no audit.
    """
    recorded = read_audit(path)
    found = held_against(recorded, [json.loads(line) for line in run.audits["audit"]])
    if marks is None:
        return found
    return Verification(prints=found.prints, differences=(*found.differences, *_against(marks, run.marks, recorded)))


def _against(marks: pl.DataFrame, fresh: pl.DataFrame, recorded: list[Entry]) -> Iterator[Difference]:
    """Marks that are not what the run gives again, marks without an audit, and audits without a mark."""
    made, published = _by_key(fresh), _by_key(marks)
    audited = {(entry["index"], entry["start"]) for entry in recorded}
    for (index, start), row in published.items():
        again = made.get((index, start), {})
        for field in SHOWN:
            if row[field] != again.get(field):
                yield Difference(index=index, date=start[:10], field=f"marks.{field}", recorded=row[field], recomputed=again.get(field))
        if (index, start) not in audited:
            yield Difference(index=index, date=start[:10], field="audit", recorded=None, recomputed="a mark without an audit")
    for index, start in sorted(audited - set(published)):
        yield Difference(index=index, date=start[:10], field="marks", recorded=None, recomputed="an audit without a mark")


def _by_key(marks: pl.DataFrame) -> dict[tuple[str, str], Entry]:
    told = marks.with_columns(pl.col("start", "published_at").dt.strftime(CLOCK), pl.col("status").cast(pl.String))
    return {(row["index"], row["start"]): row for row in told.iter_rows(named=True)}
