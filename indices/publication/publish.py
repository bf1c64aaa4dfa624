"""Publication: an approved draft appended to the history in one commit, once."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.history import OvertakenError
from tenorgrid.indices.entries import text
from tenorgrid.indices.publication.approval import Approval, read_approval
from tenorgrid.indices.publication.chain import label, linked
from tenorgrid.indices.publication.checks import called
from tenorgrid.indices.publication.draft import SEEN, Draft, read_draft
from tenorgrid.indices.publication.history import History, in_utc, keep_sources, open_history

TRIES = 10  # a writer that is overtaken so often is told


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What was appended, or had been: `fresh` is False where the same draft was published before."""

    history: History
    prints: pl.DataFrame
    fresh: bool


def publish(folder: Path, history: Path | str, *, at: datetime) -> Publication:
    """Append an approved draft to the history; the same draft a second time changes nothing.

    The commit is whole or not there. Who is overtaken by another writer reads the history again and decides again.

    Args:
        folder: a draft with its approval.
        history: folder of the history, made where there is none.
        at: moment of publication, with its time zone: not before the approval, not before the last publication.

    Raises `InputError` without an approval, for a draft that was changed after it, for a broken history, and where a period is published
    already; `OvertakenError` after being overtaken ten times.
    """
    approval, draft, moment = read_approval(folder), read_draft(folder), in_utc(at, name="at")
    if moment < approval.approved_at:
        raise InputError.of("--at", f"a moment after the approval, {approval.approved_at:%Y-%m-%dT%H:%M:%SZ}", value=at)
    if approval.approved_by.casefold() == draft.made_by.casefold():
        raise InputError.of(folder.name, "an approval by somebody else than who made the draft", value=draft.made_by)
    observations = (folder / SEEN).read_bytes()
    for _ in range(TRIES):
        known = open_history(history, new=True)
        done = _already(known, approval)
        if done is not None:
            return Publication(history=known, prints=done, fresh=False)
        _refuse(known, draft, moment)
        rules = [text for text in (draft.rule_text, draft.beside_text) if text is not None]
        input_hash = keep_sources(known.folder, observations=observations, rules=rules)
        rows = linked(_rows(draft, approval, moment, input_hash=input_hash), after=known.prints)
        try:
            return Publication(history=known.appended(rows), prints=rows, fresh=True)
        except OvertakenError as error:
            overtaken = error
    raise overtaken


def _already(history: History, approval: Approval) -> pl.DataFrame | None:
    found = history.prints.filter(pl.col("draft_hash") == approval.draft_hash)
    return None if found.is_empty() else found


def _refuse(history: History, draft: Draft, moment: datetime) -> None:
    faults = [Fault(file="history", value=text, expected="whole chains") for text in history.broken()]
    last = history.prints["published_at"].max()
    if isinstance(last, datetime) and moment < last:
        faults.append(Fault(file="--at", value=str(moment), expected=f"a moment after the last publication, {last:%Y-%m-%dT%H:%M:%SZ}"))
    ends = draft.marks["end"].max()
    if isinstance(ends, datetime) and moment < ends:
        faults.append(Fault(file="--at", value=str(moment), expected=f"a moment after the period, which ends {ends:%Y-%m-%dT%H:%M:%SZ}"))
    key = ["index", "methodology", "start"]
    latest = history.prints.sort("revision").unique(key, keep="last").select(*key, "revision", "number", latest="revision")
    both = draft.marks.select(*key, "revision").join(latest.drop("revision"), on=key, how="left")
    for row in both.with_columns(pl.col("latest").fill_null(-1)).filter(pl.col("revision") != pl.col("latest") + 1).iter_rows(named=True):
        found = "nothing" if row["latest"] < 0 else label(row | {"revision": row["latest"]})
        what = "a period that is not published yet: what is published can be restated" if row["revision"] == 0 else "the revision before it"
        faults.append(Fault(file="history", column=row["index"], value=found, expected=what))
    if faults:
        raise InputError(faults)


def _rows(draft: Draft, approval: Approval, moment: datetime, *, input_hash: str) -> pl.DataFrame:
    return draft.marks.with_columns(
        pl.lit(moment).cast(pl.Datetime("us", "UTC")).alias("published_at"),
        pl.col("status").cast(pl.String),
        input_hash=pl.lit(input_hash),
        draft_hash=pl.lit(approval.draft_hash),
        made_by=pl.lit(draft.made_by),
        made_at=pl.lit(draft.made_at),
        approved_by=pl.lit(approval.approved_by),
        approved_at=pl.lit(approval.approved_at),
        judgements=pl.Series([_judged(approval, *told) for told in _called(draft)], dtype=pl.String),
        reason=pl.lit(draft.reason, dtype=pl.String),
        rule=pl.lit(draft.rule, dtype=pl.String),
        audit=pl.Series([text(entry) for entry in draft.audits], dtype=pl.String),
    )


def _judged(approval: Approval, index: str, date: str) -> str:
    return json.dumps(approval.judgements(index, date), sort_keys=True, ensure_ascii=False)


def _called(draft: Draft) -> list[tuple[str, str]]:
    """Index and date of each mark, as its checks call it."""
    return [(row["index"], called(draft, row["start"], entry)) for row, entry in zip(draft.marks.to_dicts(), draft.audits, strict=True)]
