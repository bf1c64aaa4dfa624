"""Approval by a second person, bound to the hash of the draft: who made it may not, and what is changed afterwards is not approved."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.indices.publication.checks import HARD, Limits, check_draft, failed
from tenorgrid.indices.publication.draft import APPROVAL, draft_hash, person, read_draft
from tenorgrid.indices.publication.history import History, in_utc

FIELDS = {"draft_hash": str, "approved_by": str, "approved_at": str, "accepted": list}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A check that failed, and why the approver let it pass; `index` and `date` are None where it is of the whole draft."""

    check: str
    index: str | None
    date: str | None
    finding: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who stands for a draft, beside who made it, and what that person accepted."""

    draft_hash: str
    approved_by: str
    approved_at: datetime
    accepted: tuple[Accepted, ...] = ()

    def judgements(self, index: str, date: str) -> list[dict[str, str | None]]:
        """What was accepted for one print, or for all of them."""
        return [asdict(part) for part in self.accepted if part.index is None or (part.index, part.date) == (index, date)]

    def write(self, folder: Path) -> Path:
        """Write the approval into the draft's folder."""
        told = {
            "draft_hash": self.draft_hash,
            "approved_by": self.approved_by,
            "approved_at": self.approved_at.isoformat(),
            "accepted": [asdict(part) for part in self.accepted],
        }
        path = folder / APPROVAL
        path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def approve(
    folder: Path,
    history: History,
    *,
    by: str,
    at: datetime,
    judgements: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Approval:
    """Approve a draft whose checks passed, or whose failures are accepted with a reason each.

    Args:
        folder: the draft, into which the approval is written.
        history: that it is to be appended to.
        by: who approves; not who made it.
        at: when, with its time zone; not before the draft was made.
        judgements: reason by name of a failed check, `sufficiency`, or of one index alone, `sufficiency V100.US.FIRM`; history, input,
            complete and order cannot be accepted.
        limits: of the checks.

    Raises `InputError` where maker and approver are one, where a check fails that is not accepted, and for a reason without a failure.
    """
    draft, who, moment = read_draft(folder), person(by), in_utc(at, name="at")
    if who.casefold() == draft.made_by.casefold():
        raise InputError.of("--by", f"somebody else than {draft.made_by}, who made the draft", value=by)
    if moment < draft.made_at:
        raise InputError.of("--at", f"a moment after the draft was made, {draft.made_at:%Y-%m-%dT%H:%M:%SZ}", value=at)
    bound = draft_hash(folder)
    given = dict(judgements or {})
    wrong = failed(check_draft(draft, history, limits=limits)).to_dicts()
    accepted = tuple(Accepted(**row_of(row), reason=reason) for row in wrong if (reason := _reason(row, given)))
    faults = [
        Fault(file=folder.name, column=named(row), value=row["finding"], expected=_asked(row["check"]))
        for row in wrong
        if not _reason(row, given)
    ]
    known = {key for row in wrong for key in _keys(row) if row["check"] not in HARD}
    faults += [
        Fault(file="judgement", column=name, expected="a check that failed and may be accepted") for name in sorted(given.keys() - known)
    ]
    if faults:
        raise InputError(faults)
    found = Approval(draft_hash=bound, approved_by=who, approved_at=moment, accepted=accepted)
    found.write(folder)
    return found


def read_approval(folder: Path) -> Approval:
    """The approval of a draft as it stands. Raises `InputError` where there is none, or where the draft was changed after it."""
    path = folder / APPROVAL
    if not path.is_file():
        raise InputError.of(folder.name, "a draft that somebody has approved", value="no approval")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        sound = isinstance(told, dict) and set(told) == set(FIELDS) and all(isinstance(told[name], kind) for name, kind in FIELDS.items())
        moment = datetime.fromisoformat(told["approved_at"]).astimezone(UTC) if sound else None
        accepted = tuple(Accepted(**part) for part in told["accepted"]) if sound else ()
    except (ValueError, TypeError) as error:
        raise InputError.of(path.name, f"a JSON object of {', '.join(FIELDS)}", value=str(error)) from error
    if moment is None:
        raise InputError.of(path.name, f"a JSON object of {', '.join(FIELDS)}")
    now = draft_hash(folder)
    if now != told["draft_hash"]:
        expected = f"the draft that {told['approved_by']} approved, {told['draft_hash'][:16]}: it was changed since, so approve it anew"
        raise InputError.of(folder.name, expected, value=now[:16])
    return Approval(draft_hash=now, approved_by=told["approved_by"], approved_at=moment, accepted=accepted)


def named(row: Mapping[str, Any]) -> str:
    """A check as it is called: its name, index and day.

    >>> named({"check": "move", "index": "V100.US.FIRM", "date": "2026-03-04"})
    'move V100.US.FIRM 2026-03-04'
    """
    return " ".join(part for part in (row["check"], row["index"], row["date"]) if part)


def row_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a check that its acceptance repeats."""
    return {name: row[name] for name in ("check", "index", "date", "finding")}


def _keys(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (f"{row['check']} {row['index']}", row["check"])


def _reason(row: Mapping[str, Any], given: Mapping[str, str]) -> str | None:
    """Why a failed check is accepted: a reason for its index comes before one for all; none of the hard checks has any."""
    if row["check"] in HARD:
        return None
    return next((given[key].strip() for key in _keys(row) if given.get(key, "").strip()), None)


def _asked(check: str) -> str:
    return "this check to pass" if check in HARD else f"this check to pass, or a reason to accept it: --judgement '{check}=REASON'"
