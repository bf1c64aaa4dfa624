"""A draft: the marks of some days with everything that made them, as one folder whose hash an approval binds."""

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.store import read_table, write_manifest, write_table, writing
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.data.tables.publication import Affiliations
from tenorgrid.indices.audit import read_audit
from tenorgrid.indices.entries import Entry, text
from tenorgrid.indices.publication.history import in_utc, read_snapshot
from tenorgrid.indices.publication.rules import BESIDE, Made, Maker, Terms, beside_of, maker_of, terms_of, text_of

DRAFT, AUDIT, RULE, SEEN, APPROVAL = "draft.json", "audit.jsonl", "methodology.toml", "observations.parquet", "approval.json"
FIELDS = ("made_by", "made_at", "first", "end", "reason", "rule")


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Marks that somebody proposes to publish, and what they are made of.

    `marks` are `Marks`, `audits` their entries in the same order, `observations` the rows that any of them depends on, which are marks
    where a basket makes them, `rule_text` the methodology's file, `affiliations` `Affiliations` or None. `reason` and `rule` are of a
    restatement, `beside_text` is the methodology of the marks that workloads are priced by.
    """

    marks: pl.DataFrame
    audits: tuple[Entry, ...]
    observations: pl.DataFrame
    rule_text: bytes
    methodology: Terms
    made_by: str
    made_at: datetime
    first: date
    end: date
    affiliations: pl.DataFrame | None = None
    reason: str | None = None
    rule: str | None = None
    beside_text: bytes | None = None

    @property
    def indices(self) -> list[str]:
        """Names of its indices."""
        return self.marks["index"].unique().sort().to_list()

    @cached_property
    def maker(self) -> Maker:
        """What makes its marks."""
        return maker_of(self.methodology, beside=self.beside_text)

    def again(self) -> Made:
        """The marks of its days, made afresh from its observations."""
        return self.maker.make(self.observations, first=self.first, end=self.end, indices=self.indices)

    def snapshot(self) -> bytes:
        """Its observations as a Parquet file."""
        file = io.BytesIO()
        self.observations.write_parquet(file)
        return file.getvalue()

    def write(self, folder: Path) -> Path:
        """Write the draft as a folder, moved in when whole; an earlier draft there is replaced, with its approval."""
        told = {
            "made_by": self.made_by,
            "made_at": self.made_at.isoformat(),
            "first": str(self.first),
            "end": str(self.end),
            "reason": self.reason,
            "rule": self.rule,
        }
        settings = {"methodology": self.methodology.name, "method_hash": self.methodology.hash, "timezone": self.maker.timezone}
        with writing(folder) as place:
            write_table(place, "marks", self.marks)
            (place / AUDIT).write_text("".join(f"{text(entry)}\n" for entry in self.audits), encoding="utf-8")
            (place / RULE).write_bytes(self.rule_text)
            if self.beside_text is not None:
                (place / BESIDE).write_bytes(self.beside_text)
            (place / SEEN).write_bytes(self.snapshot())
            (place / DRAFT).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            if self.affiliations is not None:
                write_table(place, "affiliations", self.affiliations)
            write_manifest(place, command="publish run", settings=settings, written_at=self.made_at)
        return folder


def make_draft(
    observations: pl.DataFrame,
    *,
    methodology: Path | str,
    first: date,
    end: date,
    by: str,
    at: datetime,
    indices: Sequence[str] | None = None,
    affiliations: pl.DataFrame | None = None,
) -> Draft:
    """The marks of the days [first, end) as a draft.

    Args:
        observations: `Observations`, with attributes; of a basket `Marks` since its beginning, of a basket of workloads those per
            GPU-hour. The draft keeps those that its marks depend on.
        methodology: a shipped name of any of them, or a TOML file; the file goes into the draft.
        first: first day, in the methodology's own time zone.
        end: the day after the last.
        by: who makes it.
        at: when, with its time zone.
        indices: only these; None is every one that shows up.
        affiliations: `Affiliations` for the screen of related parties; None is none.

    Raises `InputError` for bad rows and an unknown methodology, `NotPublishedError` where there is nothing to publish.
    """
    rule_text = text_of(methodology)
    rule = terms_of(rule_text, file=Path(methodology).name)
    beside = beside_of(rule)
    made = maker_of(rule, beside=beside).make(observations, first=first, end=end, indices=indices)
    if made.marks["value"].is_null().all():
        raise NotPublishedError(f"no mark has a value: {made.marks.height} withheld by {rule.name}")
    return Draft(
        marks=made.marks,
        audits=made.audits,
        observations=made.inputs,
        rule_text=rule_text,
        methodology=rule,
        made_by=person(by),
        made_at=in_utc(at, name="at"),
        first=first,
        end=end,
        affiliations=None if affiliations is None else checked(affiliations, Affiliations, name="affiliations"),
        beside_text=beside,
    )


def read_draft(folder: Path) -> Draft:
    """A draft that was written. Raises `InputError` where a file is missing or is not what it should be."""
    missing = [name for name in (DRAFT, AUDIT, RULE, SEEN) if not (folder / name).is_file()]
    if missing:
        raise InputError.of(folder.name, f"a draft, as publish run writes it, with {', '.join(missing)}")
    told = _told(folder / DRAFT)
    rule_text = (folder / RULE).read_bytes()
    affiliated = (folder / "affiliations.csv").is_file()
    return Draft(
        marks=read_table(folder, "marks", Marks),
        audits=tuple(read_audit(folder / AUDIT)),
        observations=read_snapshot(folder / SEEN),
        rule_text=rule_text,
        methodology=terms_of(rule_text, file=RULE),
        made_by=told["made_by"],
        made_at=datetime.fromisoformat(told["made_at"]).astimezone(UTC),
        first=date.fromisoformat(told["first"]),
        end=date.fromisoformat(told["end"]),
        affiliations=read_table(folder, "affiliations", Affiliations) if affiliated else None,
        reason=told["reason"],
        rule=told["rule"],
        beside_text=(folder / BESIDE).read_bytes() if (folder / BESIDE).is_file() else None,
    )


def draft_hash(folder: Path) -> str:
    """SHA-256 of a draft: of the names and the SHA-256 of all its files but the approval, a line each, in the order of their names."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != APPROVAL)
    lines = [f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}" for name in names]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def person(name: str) -> str:
    """Who somebody is, without blanks around. Raises `InputError` for nobody.

    >>> person(" ann ")
    'ann'
    """
    if not name.strip():
        raise InputError.of("--by", "a name", value="nothing")
    return name.strip()


def _told(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        sound = isinstance(found, dict) and set(found) == set(FIELDS)
        if sound:
            date.fromisoformat(found["first"]), date.fromisoformat(found["end"]), datetime.fromisoformat(found["made_at"])
    except (ValueError, TypeError) as error:
        raise InputError.of(path.name, f"a JSON object of {', '.join(FIELDS)}", value=str(error)) from error
    if not sound:
        raise InputError.of(path.name, f"a JSON object of {', '.join(FIELDS)}")
    return dict(found)
