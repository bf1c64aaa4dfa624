"""Restatement: a published print made again for a reason, by its methodology's own rule, as a draft of the next revision."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from tenorgrid.data.errors import Fault, InputError, NotPublishedError
from tenorgrid.data.history import kept
from tenorgrid.indices.calculation import calculate
from tenorgrid.indices.publication.draft import Draft, audited, person, snapshot_of
from tenorgrid.indices.publication.history import RULES, TOML, History, in_utc
from tenorgrid.indices.restatement import LATE, SMALL, Said, why_it_stands
from tenorgrid.indices.specification import Methodology, Restatement


def restate(
    observations: pl.DataFrame,
    history: History,
    *,
    day: date,
    reason: str,
    by: str,
    at: datetime,
    indices: Sequence[str] | None = None,
    methodology: str | None = None,
) -> Draft:
    """A draft that replaces prints of a day, to be checked, approved and published like any other.

    Prints are made again by the rule that they were published with. Its restatement rule decides: not after `until` from the first
    publication, and only where the value moves by more than the share `above`.

    Args:
        observations: `Observations`, as they should have been.
        history: with the prints.
        day: in the methodology's own time zone.
        reason: why; it stands beside the print for good.
        by: who makes the draft.
        at: when, with its time zone.
        indices: only these, each of which must move; None is every one that does.
        methodology: of several with prints of that day, the name of the one to restate.

    Raises `NotPublishedError` where the day has no print, `InputError` for no reason, and where the rule does not allow it, index by index.
    """
    if not reason.strip():
        raise InputError.of("--reason", "why the print is restated", value="nothing")
    moment, who = in_utc(at, name="at"), person(by)
    rule = _rule_of(history, methodology, day)
    names = _published(history, rule, day) if indices is None else sorted(set(indices))
    made = calculate(observations, methodology=rule, first=day, end=day + timedelta(1), indices=names)
    last = {(row["index"], row["start"]): row for row in _latest(history, rule, day).iter_rows(named=True)}
    allowed, faults = [], []
    for row in made.marks.iter_rows(named=True):
        before = last.get((row["index"], row["start"]))
        if before is None:
            faults.append(Fault(file="history", column=row["index"], value="no print", expected=f"a print of {day} that can be restated"))
            continue
        first = _first(history, before)
        was, now = Said(before["value"], str(before["status"])), Said(row["value"], str(row["status"]))
        why = why_it_stands(rule.restatement, was=was, now=now, first_published=first, at=moment)
        if why is None:
            allowed.append((row["index"], row["start"]))
        elif indices is not None or why != SMALL:
            faults.append(_refused(row["index"], why, rule.restatement, told=(was, now), times=(first, moment)))
    if faults:
        raise InputError(faults)
    if not allowed:
        raise NotPublishedError(f"nothing to restate: no print of {day} moves by more than {rule.restatement.above:.4%}")
    revisions = {key: last[key]["revision"] + 1 for key in allowed}
    audits = [entry for entry, key in zip(audited(made), made.marks.select("index", "start").iter_rows(), strict=True) if key in revisions]
    marks = made.marks.filter(pl.Series([key in revisions for key in made.marks.select("index", "start").iter_rows()], dtype=pl.Boolean))
    told = [revisions[key] for key in marks.select("index", "start").iter_rows()]
    return Draft(
        marks=marks.with_columns(pl.Series("revision", told, dtype=pl.Int64)),
        audits=tuple(entry | {"revision": revision} for entry, revision in zip(audits, told, strict=True)),
        observations=snapshot_of(observations, made),
        rule_text=kept(history.folder / RULES, rule.hash, suffix=TOML).read_bytes(),
        methodology=rule,
        made_by=who,
        made_at=moment,
        first=day,
        end=day + timedelta(1),
        reason=reason.strip(),
        rule=rule_in_words(rule.restatement),
    )


def rule_in_words(rule: Restatement) -> str:
    """The restatement rule of a methodology in a sentence.

    >>> rule_in_words(Restatement(until=timedelta(hours=24), above=0.005))
    'until 24 h after publication, where it moves by more than 0.5 %'
    """
    if rule.until is None:
        return "never"
    return f"until {rule.until / timedelta(hours=1):g} h after publication, where it moves by more than {100 * rule.above:g} %"


def _refused(index: str, why: str, rule: Restatement, *, told: tuple[Said, Said], times: tuple[datetime, datetime]) -> Fault:
    """A print that stands, as a fault: `told` is what it said and what comes out now, `times` its first publication and now."""
    if rule.until is None:
        return Fault(file=index, column="until", expected="a methodology that allows restatement", value="never")
    if why == LATE:
        expected = f"a moment no later than {times[0] + rule.until:%Y-%m-%dT%H:%M:%SZ}, {rule_in_words(rule)}"
        return Fault(file=index, column="until", expected=expected, value=f"{times[1]:%Y-%m-%dT%H:%M:%SZ}")
    before, now = told[0].value, told[1].value
    if before is None or now is None:
        return Fault(file=index, column="above", expected="a value that moves", value="withheld, as before")
    move = abs(now / before - 1) if before else abs(now - before)
    return Fault(file=index, column="above", expected=f"a move of more than {rule.above:.4%}", value=f"{before:g} to {now:g}, {move:.4%}")


def _rule_of(history: History, methodology: str | None, day: date) -> Methodology:
    """The rule that the day's prints were made by."""
    found: dict[str, Methodology] = {}
    for name, digest in history.prints.sort("publication").select("methodology", "method_hash").unique(maintain_order=True).iter_rows():
        rule = history.methodology(digest)
        if methodology in (None, name) and _latest(history, rule, day).height:
            found[digest] = rule
    if not found:
        raise NotPublishedError(f"no print of {day} in {history.folder.name}" + (f" by {methodology}" if methodology else ""))
    if len(found) > 1:
        names = " and ".join(sorted(rule.name for rule in found.values()))
        raise InputError.of("--method", "the methodology whose prints are restated", value=names)
    return next(iter(found.values()))


def _latest(history: History, rule: Methodology, day: date) -> pl.DataFrame:
    """The last revision of each print of a day under a rule."""
    mine = history.prints.filter(pl.col("method_hash") == rule.hash, pl.col("start") >= rule.opens(day), pl.col("start") < rule.closes(day))
    return mine.sort("revision").unique(["index", "start"], keep="last", maintain_order=True)


def _published(history: History, rule: Methodology, day: date) -> list[str]:
    return _latest(history, rule, day)["index"].unique().sort().to_list()


def _first(history: History, row: dict[str, Any]) -> datetime:
    """When the first revision of a print was published."""
    same = [pl.col(name) == row[name] for name in ("index", "methodology", "start")]
    return history.prints.filter(*same).sort("revision").row(0, named=True)["published_at"]  # type: ignore[no-any-return]
