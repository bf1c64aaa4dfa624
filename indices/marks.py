"""Marks: one narrow index for each resource, region and tier, made from observations by a methodology."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.indices.audit import Audit, write_audit
from tenorgrid.indices.calculation import Calculation, calculate
from tenorgrid.indices.entries import Sensitivity, entries, text
from tenorgrid.indices.methodology import load
from tenorgrid.indices.specification import Methodology


@dataclass(frozen=True, kw_only=True)
class MarkRun:
    """Marks of a period with all that led to them.

    `marks` are `Marks`; `exclusions` has index, start, observation_id, rule, value and limit; `audits` has index, date, start and the
    audit as one JSON text.
    """

    methodology: Methodology
    marks: pl.DataFrame
    exclusions: pl.DataFrame
    audits: pl.DataFrame

    def audit(self, index: str, when: date | datetime | str) -> Audit:
        """The audit of one mark, by its day, or by the start of its period where a day has several.

        Raises `NotPublishedError` where the run has no such mark, `InputError` where a day has several.
        """
        moment = _moment(when)
        asked = pl.col("date") == str(when) if moment is None else pl.col("start") == moment
        found = self.audits.filter(pl.col("index") == index, asked)
        if found.is_empty():
            raise NotPublishedError(f"{index} has no mark of {when} in this run")
        if found.height > 1:
            starts = f"the start of one of its {found.height} periods, the first at {found['start'][0].isoformat()}"
            raise InputError.of("audit", starts, column="when", value=when)
        return Audit.read(found["audit"][0], self.methodology)

    def write_audit(self, path: Path) -> Path:
        """Write the audits as JSON lines, one a mark."""
        return write_audit(self, path)


def mark(
    observations: pl.DataFrame,
    *,
    methodology: Methodology | Path | str,
    first: date,
    end: date,
    indices: Sequence[str] | None = None,
    sensitivity: Sensitivity = "told",
) -> MarkRun:
    """Marks of the days [first, end) in the methodology's own time zone: one a day, or one for each of its periods.

    An index is named RESOURCE.REGION.TIER; an observation counts in its own region and in every group of the methodology that lists it.
    A mark looks at the methodology's window, which ends with its period; nothing later changes it, and no order of rows does. Carried
    and withheld marks are rows too, with the reason in their audit.

    Args:
        observations: `Observations`, with the attributes that the methodology asks for. An attribute `unit` is the unit of work that the
            price is for; without it prices are per GPU-hour.
        methodology: a shipped name, a TOML file, or what `load` gave.
        first: first day.
        end: the day after the last.
        indices: only these; None is every one that shows up.
        sensitivity: `left out` spares the audits what takes longest: each mark without each contributor, and what it takes to move it.

    Raises `InputError` for bad rows, an attribute that is missing, an index of mixed units, or no day.

    >>> from datetime import UTC, datetime
    >>> row = {"time": datetime(2027, 1, 5, 12, tzinfo=UTC), "resource": "h100-sxm", "region": "us-east", "tier": "firm"}
    >>> row["kind"] = "list price"
    >>> listed = {"nimbus": 2.4, "cirrus": 2.6, "stratus": 2.5, "cumulus": 9.0}
    >>> seen = pl.DataFrame([row | {"observation_id": name, "provider": name, "price": price} for name, price in listed.items()])
    >>> run = mark(seen, methodology="house", first=date(2027, 1, 5), end=date(2027, 1, 6))
    >>> run.marks.filter(index="H100-SXM.US-EAST.FIRM").select("value", "status").rows()
    [(2.55, 'published')]
    >>> run.audit("H100-SXM.US.FIRM", "2027-01-05").verify(seen).confirmed
    True
    """
    made = calculate(observations, methodology=load(methodology), first=first, end=end, indices=indices)
    return run_of(made, sensitivity=sensitivity)


def run_of(made: Calculation, *, sensitivity: Sensitivity) -> MarkRun:
    """The marks of a calculation with their audits as text."""
    found = entries(made, sensitivity=sensitivity)
    audits = pl.DataFrame(
        {
            "index": [entry["index"] for entry in found],
            "date": [entry["date"] for entry in found],
            "start": made.decided["start"],
            "audit": [text(entry) for entry in found],
        },
        schema={"index": pl.String, "date": pl.String, "start": pl.Datetime("us", "UTC"), "audit": pl.String},
    )
    return MarkRun(methodology=made.methodology, marks=made.marks, exclusions=made.exclusions, audits=audits)


def _moment(when: date | datetime | str) -> datetime | None:
    """The start of a period, where that is meant and not a day."""
    if isinstance(when, str) and len(when) > len("2027-01-05"):
        when = datetime.fromisoformat(when)
    if not isinstance(when, datetime):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
