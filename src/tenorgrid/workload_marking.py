"""Workload indices in the hand of a desk: `tg.workloads(...)`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.store import find_table, read_table, write_manifest, write_table, writing
from tenorgrid.data.tables.observed import Marks as MarkTable
from tenorgrid.folders import read_file
from tenorgrid.indices.audit import Verification, write_audit
from tenorgrid.indices.methodology import Methodology
from tenorgrid.indices.workloads.audit import verify_workload_indices
from tenorgrid.indices.workloads.indices import WorkloadIndices, workload_indices
from tenorgrid.indices.workloads.terms import WorkloadBasket
from tenorgrid.results import Marks, Tables

FILE = "workloads.html"


@dataclass(frozen=True, kw_only=True)
class WorkloadMarks(Tables, WorkloadIndices):
    """Workload indices with their audits and the cost of every way that could be priced."""

    settings: Mapping[str, object] = field(repr=False)

    def audit(self, index: str, day: str) -> dict[str, Any]:
        """The audit of one mark. Raises NotPublishedError where there is none."""
        found = self.audits.filter(pl.col("index") == index, pl.col("date") == str(day))
        if found.is_empty():
            raise NotPublishedError(f"{index} has no mark of {day} in this run")
        decoded: dict[str, Any] = json.loads(found["audit"][0])
        return decoded

    def verify(self, audit: Path | str) -> Verification:
        """Hold a published audit file, and the marks beside it, against this run."""
        path = Path(audit)
        marks = read_table(path.parent, "marks", MarkTable) if find_table(path.parent, "marks") else None
        return verify_workload_indices(path, self, marks=marks)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.workloads import render  # plotly, only needed here

        return render(self)

    def save(self, folder: Path, *, inputs: Mapping[str, Path] | None = None) -> Path:
        """Write marks, ways, audit and the page into `folder`, replaced as a whole; returns the path of the page.

        Args:
            folder: where.
            inputs: what was read, for the manifest.
        """
        page = self.page()
        with writing(folder) as temporary:
            write_table(temporary, "marks", self.marks)
            write_table(temporary, "ways", self.ways)
            write_audit(self, temporary / "audit.jsonl")
            (temporary / FILE).write_text(page, encoding="utf-8")
            write_manifest(temporary, command="workloads", inputs=inputs or {}, settings=self.settings)
        return folder / FILE


def workloads(
    marks: Marks | pl.DataFrame | Path | str,
    definition: WorkloadBasket | Path | str = "house-work",
    *,
    benchmarks: Mapping[str, Path] | None = None,
    method: Methodology | Path | str | None = None,
    homes: Sequence[str] = (),
    tiers: Sequence[str] = (),
) -> WorkloadMarks:
    """USD per million tokens, per training step, per rollout: workload indices of a basket from marks of GPU-hours.

    Args:
        marks: what `tg.mark` gave, a frame of `Marks`, their file, or a folder that has them.
        definition: a shipped basket of workloads, or a TOML file.
        benchmarks: benchmark files by the name of the figures in the definition that they stand in for.
        method: methodology of the marks; None takes the marks' own, or the shipped one of the name in the definition.
        homes, tiers: only these, such as `["US"]` and `["FIRM"]`.

    Raises InputError with every fault.
    """
    rule = marks.run.methodology if method is None and isinstance(marks, Marks) else method
    run = workload_indices(marks_of(marks), definition, benchmarks=benchmarks, methodology=rule, homes=homes, tiers=tiers)
    settings: dict[str, object] = {
        "definition": run.basket.name, "method_hash": run.basket.hash, "homes": list(homes), "tiers": list(tiers),
    }  # fmt: skip
    return WorkloadMarks(basket=run.basket, marks=run.marks, audits=run.audits, ways=run.ways, settings=settings)


def marks_of(marks: Marks | pl.DataFrame | Path | str) -> pl.DataFrame:
    """`Marks` out of whatever has them: a result, a frame, a file, a folder, or a run folder with `marks/` in it."""
    if isinstance(marks, pl.DataFrame):
        return marks
    if isinstance(marks, Marks):
        return marks.marks
    path = Path(marks)
    if not path.is_dir():
        return read_file(path, MarkTable)
    for folder in (path, path / "marks"):
        if folder.is_dir() and find_table(folder, "marks"):
            return read_table(folder, "marks", MarkTable)
    raise InputError.of(str(path), "a table of marks, or a folder that has one")
