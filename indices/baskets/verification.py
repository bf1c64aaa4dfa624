"""The proof of a basket: every print and its audit made again from the marks and the definition, and held against what was recorded."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import polars as pl

from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.audit import Difference, Verification, held_against, read_audit
from tenorgrid.indices.baskets.basket import BasketRun, basket_marks
from tenorgrid.indices.baskets.terms import Basket

KEY = ("index", "methodology", "start", "revision")
CLOCK = "%Y-%m-%dT%H:%M:%SZ"


def verify_basket(
    path: Path,
    marks: pl.DataFrame,
    *,
    definition: Basket | Path | str,
    at: datetime | None = None,
    published: pl.DataFrame | None = None,
) -> Verification:
    """Make every mark of a basket again and name what differs from its audit, and from the marks that were published beside it.

    Nothing that is recorded is believed: a print and its audit that were edited together still differ, a changed constituent is named by
    the hash of its period's marks and by its price, a changed definition by its hash, and a line that was taken out by its absence.

    Args:
        path: audit that `tenorgrid basket` wrote, one mark a line.
        marks: `Marks` of the constituents.
        definition: the rule.
        at: only marks published by this moment, if the basket was made so.
        published: `Marks` beside the audit, to be held against it too.

    Raises `InputError` where the file is no audit, and for what `basket_marks` refuses.
    """
    recorded = read_audit(path)
    run = basket_marks(marks, definition=definition, at=at)
    fresh = [json.loads(line) for line in run.audits["audit"]]
    differences = list(held_against(recorded, fresh).differences)
    known = {(entry["index"], entry.get("start")) for entry in recorded}
    last = max(str(entry.get("start")) for entry in recorded)
    differences += [
        Difference(index=entry["index"], date=entry["date"], field="audit", recorded=None, recomputed=f"a mark of {entry['value']}")
        for entry in fresh
        if entry["start"] <= last and (entry["index"], entry["start"]) not in known
    ]
    if published is not None:
        differences += _against(checked(published, Marks, name="marks"), run, last)
    return Verification(prints=len(recorded), differences=tuple(differences))


def _against(published: pl.DataFrame, run: BasketRun, last: str) -> Iterator[Difference]:
    """Published marks that are not what the basket makes, and marks on one side alone, up to the last audited period."""
    due = run.marks.filter(pl.col("start").dt.to_string(CLOCK) <= last)
    made = {tuple(row[name] for name in KEY): row for row in due.iter_rows(named=True)}
    for row in published.iter_rows(named=True):
        other = made.pop(tuple(row[name] for name in KEY), {})
        for field in row:
            if row[field] != other.get(field):
                yield Difference(
                    index=row["index"],
                    date=f"{row['start']:%Y-%m-%d}",
                    field=f"marks.{field}",
                    recorded=row[field],
                    recomputed=other.get(field),
                )
    for row in made.values():
        yield Difference(index=row["index"], date=f"{row['start']:%Y-%m-%d}", field="marks", recorded=None, recomputed=row["value"])
