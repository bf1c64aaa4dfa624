"""Audits: what made a mark, written beside it; and the proof, which recomputes every print from the observations and the methodology."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import isclose
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.wording import counted
from tenorgrid.indices.calculation import calculate
from tenorgrid.indices.entries import Entry, Sensitivity, entries, text
from tenorgrid.indices.methodology import load
from tenorgrid.indices.specification import Methodology

SAME = 1e-9  # relative: what a different version of the arithmetic may change in a percentile; a print must be equal
EXACT = ("value",)
FIRST = ("value", "input", "contributors")  # what is told before all else that differs
NOT_COMPARED = ("code_version",)
LEFT_OUT: Sensitivity = "left out"
SILENT: Mapping[str, Any] = {"sensitivity": LEFT_OUT, "without_one": None, "to_move": None}
NEEDED = ("index", "date", "methodology", "value", "input")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as it was recorded."""

    index: str
    date: str
    field: str
    recorded: object
    recomputed: object

    def __str__(self) -> str:
        return f"{self.index} {self.date}: {self.field} is recorded as {self.recorded}, recomputed as {self.recomputed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What recomputing showed: `differences` is empty where all `prints` are confirmed."""

    prints: int
    differences: tuple[Difference, ...]

    @property
    def confirmed(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def __str__(self) -> str:
        if self.confirmed:
            return f"{counted(self.prints, 'print')} recomputed, none differs"
        sentence = f"{counted(self.prints, 'print')} recomputed, {counted(len(self.differences), 'difference')}"
        return "\n".join([sentence, *map(str, self.differences)])


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What made one mark."""

    entry: Mapping[str, Any]
    methodology: Methodology

    @classmethod
    def read(cls, line: str, methodology: Methodology) -> "Audit":
        """The audit that stands in one line of an audit file."""
        return cls(entry=json.loads(line), methodology=methodology)

    def verify(self, observations: pl.DataFrame) -> Verification:
        """Recompute the mark from `observations` and say what differs."""
        return compare([dict(self.entry)], observations, self.methodology)

    def to_json(self) -> str:
        """The audit as indented JSON."""
        return json.dumps(self.entry, indent=2, ensure_ascii=False)


class Audited(Protocol):
    """A run of marks: its `audits` have one JSON text a mark in the column `audit`."""

    @property
    def audits(self) -> pl.DataFrame: ...


def write_audit(run: Audited, path: Path) -> Path:
    """Write the audits of a run as JSON lines, one a mark, in the order of index and day; returns the path."""
    path.write_text("".join(f"{line}\n" for line in run.audits["audit"]))
    return path


def read_audit(path: Path) -> list[Entry]:
    """Entries of a file that `write_audit` wrote. Raises `InputError` naming each line that is no audit of a mark."""
    if not path.is_file():
        raise InputError.of(str(path), "an audit file")
    found, faults = [], []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            entry = json.loads(line)
            sound = isinstance(entry, dict) and all(name in entry for name in NEEDED) and isinstance(entry["methodology"], dict)
            date.fromisoformat(entry["date"] if sound else "")
        except (json.JSONDecodeError, ValueError, TypeError):
            faults.append(Fault(file=path.name, row=number, expected="the audit of one mark as a JSON object", value=line[:60]))
            continue
        found.append(entry)
    if faults or not found:
        raise InputError(faults or [Fault(file=path.name, expected="at least one audit")])
    return found


def verify(
    path: Path,
    observations: pl.DataFrame,
    *,
    methodology: Methodology | Path | str | None = None,
    marks: pl.DataFrame | None = None,
) -> Verification:
    """Recompute every print of an audit file from the observations and the methodology, and name what differs.

    Nothing in the audit is believed but which index, day and methodology it is about: a print and its audit that were edited together
    still differ from what the input gives. A changed methodology is named by its hash, changed input by the hash of the mark's rows and by
    the contributor they came from.

    Args:
        path: what `write_audit` wrote.
        observations: `Observations`, with attributes.
        methodology: the rule; None takes the shipped one of the name in the audit.
        marks: `Marks` published beside the audit, to be held against it too.

    Raises `InputError` where the file is no audit, or the methodology is not known.
    """
    found = read_audit(path)
    recorded: dict[str, list[Entry]] = {}
    for entry in found:
        recorded.setdefault(str(entry["methodology"].get("name")), []).append(entry)
    differences: list[Difference] = []
    for name, group in recorded.items():
        differences += compare(group, observations, load(methodology if methodology is not None else name)).differences
    if marks is not None:
        differences += _against(marks, found)
    return Verification(prints=len(found), differences=tuple(differences))


def compare(recorded: Sequence[Entry], observations: pl.DataFrame, methodology: Methodology) -> Verification:
    """Hold entries of one methodology against what the observations give."""
    days = [date.fromisoformat(entry["date"]) for entry in recorded]
    names = sorted({entry["index"] for entry in recorded})
    made = calculate(observations, methodology=methodology, first=min(days), end=max(days) + timedelta(1), indices=names)
    fresh = [json.loads(text(entry)) for entry in entries(made, sensitivity=LEFT_OUT if all(map(_left_out, recorded)) else "told")]
    told = held_against([entry for entry in recorded if not _left_out(entry)], fresh)
    spared = held_against([entry for entry in recorded if _left_out(entry)], [entry | SILENT for entry in fresh])
    return Verification(prints=len(recorded), differences=(*told.differences, *spared.differences))


def _left_out(entry: Entry) -> bool:
    """Whether an audit says that it does not tell how sensitive its mark is."""
    return bool(entry.get("sensitivity") == LEFT_OUT)


def held_against(recorded: Sequence[Entry], recomputed: Sequence[Entry]) -> Verification:
    """Hold entries against entries of the same index and period that were made afresh; one that was not made again differs as a whole.

    Told first are the prints that differ, then the input that does, for these explain the rest.
    """
    fresh = {(entry["index"], entry["start"]): entry for entry in recomputed}
    found = [part for entry in recorded for part in _differences(entry, fresh.get((entry["index"], entry.get("start")), {}))]
    return Verification(prints=len(recorded), differences=tuple(sorted(found, key=_weight)))


def _weight(difference: Difference) -> int:
    field = difference.field.partition(".")[0].partition("[")[0]
    return FIRST.index(field) if field in FIRST else len(FIRST)


def _differences(recorded: Entry, recomputed: Entry) -> Iterator[Difference]:
    for field, old, new in _unequal(recorded, recomputed, ""):
        yield Difference(index=recorded["index"], date=recorded["date"], field=field, recorded=old, recomputed=new)


def _unequal(old: Any, new: Any, field: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            if name not in NOT_COMPARED:
                yield from _unequal(old.get(name), new.get(name), f"{field}.{name}" if field else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            label = other.get("provider", place) if isinstance(other, dict) else place
            yield from _unequal(one, other, f"{field}[{label}]")
    elif not _equal(old, new, field):
        yield field, old, new


def _equal(old: Any, new: Any, field: str) -> bool:
    numbers = isinstance(old, int | float) and isinstance(new, int | float) and not isinstance(old, bool)
    return isclose(old, new, rel_tol=SAME, abs_tol=0) if numbers and field not in EXACT else type(old) is type(new) and bool(old == new)


def _against(marks: pl.DataFrame, recorded: Sequence[Entry]) -> Iterator[Difference]:
    """Marks that are not what their audits say, and audits without a mark."""
    names = ["index", "methodology", "start", "revision"]
    starts = marks.with_columns(pl.col("start").dt.strftime("%Y-%m-%dT%H:%M:%SZ"), pl.col("status").cast(pl.String))
    published = {tuple(row[name] for name in names): row for row in starts.iter_rows(named=True)}
    for entry in recorded:
        row = published.pop((entry["index"], entry["methodology"].get("name"), entry.get("start"), entry.get("revision")), {})
        for field in ("value", "status", "unit", "quantity", "published_at"):
            told = row.get(field) if field != "published_at" else row.get(field) and row[field].strftime("%Y-%m-%dT%H:%M:%SZ")
            if told != entry.get(field):
                yield Difference(
                    index=entry["index"], date=entry["date"], field=f"marks.{field}", recorded=told, recomputed=entry.get(field)
                )
    for index, _, start, _ in published:
        yield Difference(index=str(index), date=str(start)[:10], field="audit", recorded=None, recomputed="a mark without an audit")
