"""The account of a print: why it is what it is, in words that somebody who challenges it can follow."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from tenorgrid.data.wording import counted
from tenorgrid.indices.entries import Entry
from tenorgrid.indices.publication.composed import is_composed, told_of_marks
from tenorgrid.indices.publication.draft import Draft
from tenorgrid.indices.publication.history import History
from tenorgrid.indices.sensitivity.words import sentences

SHOWN = 5  # exclusions of one rule; the audit has all
SPREAD = ("min", "p05", "p25", "p50", "p75", "p95", "max")


def account_of_draft(draft: Draft, index: str, start: datetime) -> str:
    """The account of a mark that is not published yet. Raises `KeyError` where the draft has none."""
    for row, entry in zip(draft.marks.iter_rows(named=True), draft.audits, strict=True):
        if (row["index"], row["start"]) == (index, start):
            whose = f"draft made by {draft.made_by} at {_clock(draft.made_at)}, not published"
            return "\n".join([_level(entry, row), f"  {whose}", *_made(entry)])
    raise KeyError(index, start)


def account(history: History, row: dict[str, Any]) -> str:
    """The account of a print: level, who stands for it, what it is made of, what was left out and why, and its revisions.

    Args:
        history: that holds it.
        row: of `Prints`, as `history.of` gives it.
    """
    entry = json.loads(row["audit"])
    who = f"made by {row['made_by']} at {_clock(row['made_at'])}, approved by {row['approved_by']} at {_clock(row['approved_at'])}"
    lines = [
        _level(entry, row),
        f"  published {_clock(row['published_at'])}; {who}",
        f"  print {row['number']} of its index, in publication {row['publication']}, hash {row['hash']}",
    ]
    lines += [f"  accepted although {part['check']} failed ({part['finding']}): {part['reason']}" for part in json.loads(row["judgements"])]
    if row["reason"]:
        lines.append(f"  restated because {row['reason']} (rule: {row['rule']})")
    lines += _made(entry)
    lines += [f"  revision {past['revision']}: {_value(past)}, published {_clock(past['published_at'])}" for past in _others(history, row)]
    return "\n".join(lines)


def _others(history: History, row: dict[str, Any]) -> Sequence[dict[str, Any]]:
    same = [history.prints[name] == row[name] for name in ("index", "methodology", "start")]
    found = history.prints.filter(same[0] & same[1] & same[2] & (history.prints["revision"] != row["revision"]))
    return found.sort("revision").to_dicts()


def _level(entry: Entry, row: dict[str, Any]) -> str:
    return f"{row['index']} of {entry['date']}: {_value(row)}, {row['status']}, by {row['methodology']}, revision {row['revision']}"


def _made(entry: Entry) -> Iterator[str]:
    if is_composed(entry):
        yield from told_of_marks(entry)
        return
    window, counts = entry["window"], entry["counts"]
    yield f"  window {window['start']} to {window['end']}, cut-off {window['cut_off']}"
    yield f"  input: {entry['input']['rows']} rows, hash {entry['input']['hash']}; {counts['used']} used, {counts['excluded']} excluded"
    for tried in entry["levels"]:
        behind = f"observations {tried['observations']}, contributors {tried['contributors']}"
        share = "" if tried["largest_share"] is None else f", largest share {tried['largest_share']:.1%}"
        verdict = "this level decides" if tried["level"] == entry["level"] else "not enough"
        gave = "no value" if tried["value"] is None else f"{tried['value']:.6g}"
        yield f"  level {tried['level']}: {gave} from {behind}{share}: {verdict}"
    if not entry["levels"]:
        yield "  no level saw an observation"
    yield from (f"  low confidence: {reason}" for reason in entry["low_confidence"])
    if entry["fallback"]:
        fallback, whence = entry["fallback"], entry["fallback"]["carried_from"]
        yield f"  fallback: {fallback['used']}{f' from {whence}' if whence else ''}, at most {fallback['at_most_periods']} periods"
    if entry["prices"]:
        yield "  prices: " + ", ".join(f"{name} {entry['prices'][name]:.6g}" for name in SPREAD)
    for part in entry["contributors"]:
        quantity = "" if part["quantity"] is None else f", {part['quantity']:g} GPUh"
        yield f"  contributor {part['provider']}: {counted(part['rows'], 'row')}, median {part['median']:.6g}{quantity}"
    yield from (f"  {sentence}" for sentence in sentences(entry))
    yield from _excluded(entry)


def _excluded(entry: Entry) -> Iterator[str]:
    rules = Counter(part["rule"] for part in entry["exclusions"])
    for rule, count in rules.most_common():
        mine = [part for part in entry["exclusions"] if part["rule"] == rule]
        shown = "; ".join(f"{part['observation_id']} showed {part['value']}, limit {part['limit']}" for part in mine[:SHOWN])
        yield f"  excluded by {rule}: {count} ({shown}{'; ...' if count > SHOWN else ''})"


def _value(row: dict[str, Any]) -> str:
    return "no value" if row["value"] is None else f"{row['value']} {row['unit']}"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
