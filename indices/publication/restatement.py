"""Restatement: a published print made again for a reason, by its methodology's own rule, as a draft of the next revision."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from tenorgrid.data.errors import Fault, InputError, NotPublishedError
from tenorgrid.data.history import kept
from tenorgrid.indices.entries import Entry
from tenorgrid.indices.publication.draft import Draft, person
from tenorgrid.indices.publication.history import RULES, TOML, History, in_utc
from tenorgrid.indices.publication.rules import Made, Maker, beside_hash
from tenorgrid.indices.restatement import LATE, SMALL, Said, why_it_stands
from tenorgrid.indices.specification import Methodology, Restatement

BY_INPUT = "where a mark that it is made of was restated"
NO_INPUT = "no mark that it is made of was restated"
MARK = ["index", "methodology", "start"]


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
    publication, and only where the value moves by more than the share `above`. A basket has no such rule: its print may be replaced
    where, and only where, a mark that it was made of has been.

    Args:
        observations: `Observations`, as they should have been; of a basket `Marks` with the revisions of what it holds.
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
    maker = rule_of(history, methodology, day)
    rule = maker.terms
    names = _published(history, maker, day) if indices is None else sorted(set(indices))
    made = maker.make(observations, first=day, end=day + timedelta(1), indices=names)
    allows = rule.restatement if isinstance(rule, Methodology) else None
    last = {(row["index"], row["start"]): row for row in _latest(history, maker, day).iter_rows(named=True)}
    allowed, faults = [], []
    for row in made.marks.iter_rows(named=True):
        before = last.get((row["index"], row["start"]))
        if before is None:
            faults.append(Fault(file="history", column=row["index"], value="no print", expected=f"a print of {day} that can be restated"))
            continue
        first = _first(history, before)
        was, now = Said(before["value"], str(before["status"])), Said(row["value"], str(row["status"]))
        if allows is None:
            why = SMALL if was == now else _why_composed(history, before, made)
        else:
            why = why_it_stands(allows, was=was, now=now, first_published=first, at=moment)
        if why is None:
            allowed.append((row["index"], row["start"]))
        elif indices is not None or why != SMALL:
            faults.append(_refused(row["index"], why, allows, told=(was, now), times=(first, moment)))
    if faults:
        raise InputError(faults)
    if not allowed:
        raise NotPublishedError(f"nothing to restate: no print of {day} moves by more than {0.0 if allows is None else allows.above:.4%}")
    revisions = {key: last[key]["revision"] + 1 for key in allowed}
    audits = [entry for entry, key in zip(made.audits, made.marks.select("index", "start").iter_rows(), strict=True) if key in revisions]
    marks = made.marks.filter(pl.Series([key in revisions for key in made.marks.select("index", "start").iter_rows()], dtype=pl.Boolean))
    told = [revisions[key] for key in marks.select("index", "start").iter_rows()]
    return Draft(
        marks=marks.with_columns(pl.Series("revision", told, dtype=pl.Int64)),
        audits=tuple(entry | {"revision": revision} for entry, revision in zip(audits, told, strict=True)),
        observations=made.inputs,
        rule_text=kept(history.folder / RULES, rule.hash, suffix=TOML).read_bytes(),
        methodology=rule,
        made_by=who,
        made_at=moment,
        first=day,
        end=day + timedelta(1),
        reason=reason.strip(),
        rule=BY_INPUT if allows is None else rule_in_words(allows),
        beside_text=_beside(history, made.audits[0]),
    )


def _beside(history: History, entry: Entry) -> bytes | None:
    digest = beside_hash(entry)
    return None if digest is None else kept(history.folder / RULES, digest, suffix=TOML).read_bytes()


def rule_in_words(rule: Restatement) -> str:
    """The restatement rule of a methodology in a sentence.

    >>> rule_in_words(Restatement(until=timedelta(hours=24), above=0.005))
    'until 24 h after publication, where it moves by more than 0.5 %'
    """
    if rule.until is None:
        return "never"
    return f"until {rule.until / timedelta(hours=1):g} h after publication, where it moves by more than {100 * rule.above:g} %"


def _why_composed(history: History, print_: dict[str, Any], made: Made) -> str | None:
    """Why a print that is made of marks stands: none of them, up to its period, has a later revision than it was made of."""
    held = history.observations(print_["input_hash"])
    now = made.inputs.filter(pl.col("start") <= print_["start"])
    latest = [rows.group_by(MARK).agg(pl.col("revision").max()) for rows in (held, now)]
    later = latest[1].join(latest[0], on=MARK, suffix="_held").filter(pl.col("revision") > pl.col("revision_held"))
    return NO_INPUT if later.is_empty() else None


def _refused(index: str, why: str, rule: Restatement | None, *, told: tuple[Said, Said], times: tuple[datetime, datetime]) -> Fault:
    """A print that stands, as a fault: `told` is what it said and what comes out now, `times` its first publication and now."""
    if rule is None:
        return Fault(file=index, column="restatement", expected=BY_INPUT, value=why)
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


def rule_of(history: History, methodology: str | None, day: date) -> Maker:
    """The rule that the day's prints were made by."""
    found: dict[str, Maker] = {}
    for row in history.prints.sort("publication").unique("method_hash", keep="last", maintain_order=True).iter_rows(named=True):
        maker = history.maker(row)
        if methodology in (None, row["methodology"]) and _latest(history, maker, day).height:
            found[row["method_hash"]] = history.maker(_latest(history, maker, day).row(-1, named=True))
    if not found:
        raise NotPublishedError(f"no print of {day} in {history.folder.name}" + (f" by {methodology}" if methodology else ""))
    if len(found) > 1:
        names = " and ".join(sorted(maker.terms.name for maker in found.values()))
        raise InputError.of("--method", "the methodology whose prints are restated", value=names)
    return next(iter(found.values()))


def _latest(history: History, maker: Maker, day: date) -> pl.DataFrame:
    """The last revision of each print of a day under a rule."""
    mine = history.prints.filter(pl.col("method_hash") == maker.terms.hash)
    mine = mine.filter(pl.Series([maker.day_of(*span) == day for span in mine.select("start", "end").iter_rows()], dtype=pl.Boolean))
    return mine.sort("revision").unique(["index", "start"], keep="last", maintain_order=True)


def _published(history: History, maker: Maker, day: date) -> list[str]:
    return _latest(history, maker, day)["index"].unique().sort().to_list()


def _first(history: History, row: dict[str, Any]) -> datetime:
    """When the first revision of a print was published."""
    same = [pl.col(name) == row[name] for name in ("index", "methodology", "start")]
    return history.prints.filter(*same).sort("revision").row(0, named=True)["published_at"]  # type: ignore[no-any-return]
