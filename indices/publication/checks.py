"""Checks of a draft before somebody approves it: each says what it found, and whether it passed."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.data.tables.publication import PublicationChecks
from tenorgrid.indices.calculation import Calculation, calculate
from tenorgrid.indices.entries import Entry
from tenorgrid.indices.publication.affiliations import BUYER, groups_of, merged, suspicions, used
from tenorgrid.indices.publication.composed import in_short
from tenorgrid.indices.publication.draft import Draft
from tenorgrid.indices.publication.history import History
from tenorgrid.indices.publication.verification import recomputed
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.windows import in_windows

NO_LEVEL = "no level"
HARD = ("history", "input", "complete", "order")  # no judgement gets past these


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on a publisher wants to look twice.

    `move` is the largest change against the last print, as a share of it; `excluded` the largest share of a mark's observations that
    its rules take out.
    """

    move: float = 0.10
    excluded: float = 0.50

    def __post_init__(self) -> None:
        faults = [
            Fault(file="limits", column=name, value=str(value), expected="a share above 0")
            for name, value in (("move", self.move), ("excluded", self.excluded))
            if not value > 0
        ]
        if faults:
            raise InputError(faults)


Found: TypeAlias = tuple[str, str | None, str | None, bool, str]  # a row of `PublicationChecks`


def check_draft(draft: Draft, history: History, *, limits: Limits | None = None) -> pl.DataFrame:
    """`PublicationChecks` of a draft.

    Of the whole draft: history (its chains are whole), input (every print and audit comes out again), methodology (the rule of that
    name is the one that was published with), complete (its periods were over when it was made). Of each print: order (not published
    already), gap (no period left out since the last), sufficiency, move, kinds (the same level of evidence as before), exclusions,
    related (trades between related parties, round trips), contributors (enough of them with related ones as one).

    Args:
        draft: as `make_draft` or `read_draft` give it.
        history: that it is to be appended to.
        limits: None is `Limits()`.
    """
    asked = limits or Limits()
    found: list[Found] = [*_whole(draft, history)]
    seen = _seen(draft)
    groups = groups_of(draft.affiliations)
    previous: dict[str, dict[str, Any]] = {}
    for row, entry in zip(draft.marks.iter_rows(named=True), draft.audits, strict=False):
        index = row["index"]
        last = previous.get(index) or history.last(index, before=row["start"])
        key = (index, called(draft, row["start"], entry))
        mine = seen.filter(pl.col("index") == index, pl.col("start") == row["start"])
        found += [(check, *key, *told) for check, told in _each(draft, history, row, entry, last, asked)]
        found += [(check, *key, *told) for check, told in _parties(draft, mine, groups, entry)]
        previous[index] = row | {"level": entry.get("level")}
    return PublicationChecks.cast(pl.DataFrame(found, schema=list(PublicationChecks.columns()), orient="row", infer_schema_length=None))


def called(draft: Draft, start: datetime, entry: Entry) -> str:
    """What the period of a mark is called: its day, or its start where a day has several."""
    return str(entry["date"]) if draft.maker.daily else f"{start:%Y-%m-%dT%H:%MZ}"


def failed(checks: pl.DataFrame) -> pl.DataFrame:
    """The checks that did not pass."""
    return checks.filter(~pl.col("passed"))


def _whole(draft: Draft, history: History) -> Iterator[Found]:
    chains = history.broken()
    yield ("history", None, None, not chains, "; ".join(chains) or f"{history.prints.height} prints, the chains are whole")
    again = recomputed(draft.marks, draft.audits, draft.observations, draft.maker)
    yield ("input", None, None, again.confirmed, str(again))
    rule = draft.methodology
    known = history.prints.filter(pl.col("methodology") == rule.name).sort("publication")["method_hash"]
    same = known.is_empty() or known[-1] == rule.hash
    told = (
        f"{rule.name} is {rule.hash[:16]}, as published" if same else f"{rule.name} was published as {known[-1][:16]}, is {rule.hash[:16]}"
    )
    yield ("methodology", None, None, same, "first use of " + rule.name if known.is_empty() else told)
    last = draft.marks["end"].max()
    over = isinstance(last, datetime) and draft.made_at >= last
    yield ("complete", None, None, over, f"made {_clock(draft.made_at)}, the last period ends {_clock(last)}")


def _each(
    draft: Draft, history: History, row: dict[str, Any], entry: Entry, last: dict[str, Any] | None, limits: Limits
) -> Iterator[tuple[str, tuple[bool, str]]]:
    yield "order", _order(history, row)
    if row["revision"] == 0:
        yield "gap", _gap(draft, row, last)
    enough = row["status"] == MarkStatus.PUBLISHED.value
    yield "sufficiency", (enough, f"{row['status']}: {in_short(entry) if draft.maker.of_marks else _evidence(entry)}")
    yield "move", _move(row, last, limits.move)
    if draft.maker.of_marks:
        return
    yield "kinds", _kinds(entry, last)
    gone, kept = entry["counts"]["excluded"], entry["counts"]["used"]
    share = gone / (gone + kept) if gone else 0.0
    rules: dict[str, int] = {}
    for part in entry["exclusions"]:
        rules[part["rule"]] = rules.get(part["rule"], 0) + 1
    told = ", ".join(f"{count} by {rule}" for rule, count in sorted(rules.items()))
    yield "exclusions", (share <= limits.excluded, f"{gone} of {gone + kept} excluded ({share:.0%}){': ' + told if told else ''}")


def _evidence(entry: Entry) -> str:
    """Why a mark is not more than it is; of one that is published, what it is made of."""
    carried = (entry["fallback"] or {}).get("carried_from")
    stands_in = f"from {carried}" if carried else "no level of evidence suffices" if entry["fallback"] else ""
    counts = f"observations {entry['counts']['used']}, contributors {entry['counts']['contributors']}"
    return "; ".join(entry["low_confidence"]) or stands_in or counts


def _order(history: History, row: dict[str, Any]) -> tuple[bool, str]:
    same = [pl.col(name) == row[name] for name in ("index", "methodology", "start")]
    found = history.prints.filter(*same)["revision"]
    latest = -1 if found.is_empty() else int(found.to_numpy().max())
    if latest + 1 == row["revision"]:
        return True, "a first print" if latest < 0 else f"follows revision {latest}"
    return False, f"revision {row['revision']}, and the history has {'none' if latest < 0 else f'revision {latest}'}"


def _gap(draft: Draft, row: dict[str, Any], last: dict[str, Any] | None) -> tuple[bool, str]:
    if last is None:
        return True, "the first print of its index"
    missing = draft.maker.missing(draft.observations, after=last["end"], before=row["start"])
    return missing == 0, f"{missing} periods without a print since that of {_clock(last['start'])}" if missing else "follows the last print"


def _move(row: dict[str, Any], last: dict[str, Any] | None, limit: float) -> tuple[bool, str]:
    before = None if last is None else last["value"]
    if before is None or row["value"] is None:
        return True, "nothing to compare with"
    move = row["value"] / before - 1
    said = f"{move:+.2%} against {before:g} of {_clock(last['start']) if last else ''}"
    return abs(move) <= limit, said if abs(move) <= limit else f"{said}, more than {100 * limit:g}%"


def _kinds(entry: Entry, last: dict[str, Any] | None) -> tuple[bool, str]:
    now = entry["level"] or NO_LEVEL
    if last is None:
        return True, f"made of {now}"
    before = (last["level"] if "level" in last else json.loads(last["audit"])["level"]) or NO_LEVEL
    return now == before, f"made of {now}, as the last" if now == before else f"made of {now}, the last of {before}"


def _parties(draft: Draft, rows: pl.DataFrame, groups: dict[str, str], entry: Entry) -> Iterator[tuple[str, tuple[bool, str]]]:
    if not isinstance(draft.methodology, Methodology):
        return
    level = next((part for part in draft.methodology.levels if part.name == entry["level"]), None)
    if level is None:
        return
    mine = rows.filter(pl.col("kind").cast(pl.String).is_in([kind.value for kind in level.kinds]))
    wrong = suspicions(mine, groups)
    known = "no buyers are told" if BUYER not in rows.columns else f"{mine.height} observations screened"
    yield "related", (not wrong, "; ".join(map(str, wrong)) or known)
    names = mine["provider"].unique().to_list()
    apart, least = merged(names, groups), (level.publish or level.low_confidence).contributors
    told = f"contributors: {len(names)}" if apart == len(names) else f"contributors: {len(names)}, with related ones as one {apart}"
    short = apart < least <= len(names)
    yield "contributors", (not short, f"{told}, the level asks for {least}" if short else told)


def _seen(draft: Draft) -> pl.DataFrame:
    """The observations behind each mark; of a basket, which is made of marks, there are none."""
    if not isinstance(draft.methodology, Methodology):
        return pl.DataFrame(schema={"index": pl.String, "start": pl.Datetime("us", "UTC")})
    made = calculate(draft.observations, methodology=draft.methodology, first=draft.first, end=draft.end, indices=draft.indices)
    return _rows(draft, made)


def _rows(draft: Draft, made: Calculation) -> pl.DataFrame:
    """The observations behind each mark that no rule took out, with their buyers."""
    attributes = [name for name in (BUYER,) if name in draft.observations.columns]
    seen = in_windows(made.rows, made.marked).select("index", "start", "observation_id", "provider", "kind")
    whole = seen.join(draft.observations.select("observation_id", *attributes), on="observation_id", how="left", maintain_order="left")
    return used(whole, made.exclusions)


def _clock(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}" if isinstance(moment, datetime) else "never"
