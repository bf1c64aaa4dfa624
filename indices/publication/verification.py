"""Recomputing what was published: every print against its own audit, and every audit against the observations and the rule."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from tenorgrid.indices.audit import Difference, Verification
from tenorgrid.indices.calculation import REVISION
from tenorgrid.indices.entries import CLOCK, Entry
from tenorgrid.indices.publication.history import History
from tenorgrid.indices.publication.rules import Maker

SAID = ("value", "status", "unit", "quantity", "start", "end", "revision")


def recomputed(marks: pl.DataFrame, audits: Sequence[Entry], observations: pl.DataFrame, maker: Maker) -> Verification:
    """Hold marks against their audits, and audits against what the observations give.

    Args:
        marks: the columns of `Marks`, of one rule.
        audits: their entries, in the same order. That one is of a later revision is known to the mark alone.
        observations: what they were made from.
        maker: their rule.
    """
    found = [part for row, entry in zip(marks.iter_rows(named=True), audits, strict=False) for part in _against(row, entry)]
    if len(audits) != marks.height:
        found.append(Difference(index="", date="", field="audits", recorded=len(audits), recomputed=marks.height))
    fresh = maker.verify([entry | {"revision": REVISION} for entry in audits], observations)
    return Verification(prints=marks.height, differences=(*found, *fresh.differences))


def verify_prints(history: History, prints: pl.DataFrame) -> Verification:
    """Recompute prints from the observations and the rules that the history keeps.

    Raises `HistoryError` where an input or a rule is gone or changed.
    """
    differences: list[Difference] = []
    for (input_hash, _, _), rows in prints.group_by("input_hash", "method_hash", "draft_hash", maintain_order=True):
        audits = [json.loads(audit) for audit in rows["audit"]]
        maker = history.maker(rows.row(0, named=True))
        differences += recomputed(rows, audits, history.observations(str(input_hash)), maker).differences
    return Verification(prints=prints.height, differences=tuple(differences))


def _against(row: dict[str, Any], entry: Entry) -> Iterator[Difference]:
    for field in SAID:
        told = row[field].strftime(CLOCK) if isinstance(row[field], datetime) else row[field]
        if told != entry.get(field):
            yield Difference(index=row["index"], date=entry["date"], field=f"marks.{field}", recorded=told, recomputed=entry.get(field))
    told_rule = {"name": row["methodology"], "hash": row["method_hash"]}
    for name, told in told_rule.items():
        if told != entry["methodology"].get(name):
            recorded = entry["methodology"].get(name)
            yield Difference(index=row["index"], date=entry["date"], field=f"marks.methodology.{name}", recorded=told, recomputed=recorded)
    if row["index"] != entry["index"]:
        yield Difference(index=row["index"], date=entry["date"], field="marks.index", recorded=row["index"], recomputed=entry["index"])
