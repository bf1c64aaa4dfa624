"""Workload indices in the hand of a desk: `tg.workloads(...)`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.errors import NotPublishedError
from tenorgrid.data.store import write_manifest, write_table, write_version, writing
from tenorgrid.indices.audit import Verification, write_audit
from tenorgrid.indices.methodology import Methodology
from tenorgrid.indices.workloads.audit import verify_workload_indices
from tenorgrid.indices.workloads.indices import WorkloadIndices, workload_indices
from tenorgrid.indices.workloads.terms import WorkloadBasket
from tenorgrid.mark_tables import beside, read_marks
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
        marks, copies = beside(path)
        found = verify_workload_indices(path, self, marks=marks)
        return replace(found, differences=(*found.differences, *copies))

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
            write_version(temporary, "marks", self.marks, before=folder)
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
    as_of: datetime | None = None,
    written_by: datetime | None = None,
) -> WorkloadMarks:
    """USD per million tokens, per training step, per rollout: workload indices of a basket from marks of GPU-hours.

    Args:
        marks: what `tg.mark` gave, a frame of `Marks`, their file, a folder that has them, or a publisher's history.
        definition: a shipped basket of workloads, or a TOML file.
        benchmarks: benchmark files by the name of the figures in the definition that they stand in for.
        method: methodology of the marks; None takes the marks' own, or the shipped one of the name in the definition.
        homes, tiers: only these, such as `["US"]` and `["FIRM"]`.
        as_of: only marks published by this moment, with its time zone; None is all.
        written_by: of a folder into which several runs have written, the last by this moment; None is the last of all.

    Raises InputError with every fault.
    """
    rule = marks.run.methodology if method is None and isinstance(marks, Marks) else method
    known = read_marks(marks, as_of=as_of, written_by=written_by)
    run = workload_indices(known, definition, benchmarks=benchmarks, methodology=rule, homes=homes, tiers=tiers)
    settings: dict[str, object] = {
        "definition": run.basket.name, "method_hash": run.basket.hash, "homes": list(homes), "tiers": list(tiers),
    }  # fmt: skip
    return WorkloadMarks(basket=run.basket, marks=run.marks, audits=run.audits, ways=run.ways, settings=settings)
