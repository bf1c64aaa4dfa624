"""A publisher's day from Python: draft, check, approve, publish, restate, replay, compare, explain, and the evidence of it.

>>> from tenorgrid import publishing
>>> publishing.Limits().move
0.1
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.history import Compaction, refuse_none
from tenorgrid.data.history import compact as compact_table
from tenorgrid.indices.methodology import load
from tenorgrid.indices.publication.account import account, account_of_draft
from tenorgrid.indices.publication.approval import Approval, approve
from tenorgrid.indices.publication.checks import Limits, check_draft, failed
from tenorgrid.indices.publication.comparison import compare_versions, distances
from tenorgrid.indices.publication.draft import Draft, make_draft, read_draft
from tenorgrid.indices.publication.evidence import Evidence, evidence, verify_evidence
from tenorgrid.indices.publication.history import TABLE, History, open_history
from tenorgrid.indices.publication.publish import Publication, publish
from tenorgrid.indices.publication.replay import Replay, replay
from tenorgrid.indices.publication.restatement import restate, rule_of
from tenorgrid.indices.publication.rules import maker_of, terms_of, text_of
from tenorgrid.indices.publication.verification import verify_prints

__all__ = [
    "Approval",
    "Compaction",
    "Draft",
    "Evidence",
    "History",
    "Limits",
    "Publication",
    "Replay",
    "account",
    "account_of_draft",
    "approve",
    "check_draft",
    "compact",
    "compare_versions",
    "distances",
    "evidence",
    "failed",
    "make_draft",
    "open_history",
    "page",
    "period",
    "publish",
    "read_draft",
    "replay",
    "restate",
    "verify_evidence",
    "verify_prints",
]


def compact(history: Path | str) -> Compaction:
    """Put the small files of a history's table together; `append` does it by itself at a hundred files. No row and no version is lost.

    Raises `InputError` for a folder that is no history, `OvertakenError` where somebody publishes at the same moment.
    """
    folder = Path(history)
    refuse_none(folder, TABLE)
    return compact_table(folder, TABLE)


def period(history: History, index: str, when: str, *, methodology: str | None = None) -> datetime:
    """The start of the period of a print that is named by its day, or by its own start.

    Args:
        history: that holds it.
        index: index.
        when: `2026-03-04`, or `2026-03-04T10:30Z` where a day has several.
        methodology: of several, the one that printed it.

    Raises `InputError` for text that is neither, and for a day of several prints or none.
    """
    rows = history.prints.filter(pl.col("index") == index)
    rows = rows if methodology is None else rows.filter(pl.col("methodology") == methodology)
    if "T" in when:
        return moment(when, name="--date")
    asked, found = day(when), []
    for digest in rows["method_hash"].unique().sort():
        mine = rows.filter(pl.col("method_hash") == digest)
        maker = history.maker(mine.row(-1, named=True))
        spans = mine.select("start", "end").unique().sort("start").iter_rows()
        found += [start for start, end in spans if maker.day_of(start, end) == asked]
    if len(set(found)) != 1:
        expected = f"a day with one print of {index}" if not found else f"the start of one of the {len(set(found))} periods of that day"
        raise InputError.of("--date", expected, value=when)
    start: datetime = found[0]
    return start


def page(comparison: pl.DataFrame, *, names: tuple[str, str], source: str) -> str:
    """The page of a comparison of two methodologies, as HTML that loads nothing from anywhere."""
    from tenorgrid.reports.pages.versions import render

    return render(comparison, distances(comparison), names=names, source=source)


def restates_marks(history: History, when: date, *, methodology: str | None = None) -> bool:
    """Whether the rule of the prints of a day makes them of marks. Raises as `restate` does."""
    return rule_of(history, methodology, when).of_marks


def of_marks(methodology: Path | str) -> bool:
    """Whether a rule, shipped or in a file, makes its marks of marks, as a basket does; else of observations."""
    return maker_of(terms_of(text_of(methodology), file=Path(methodology).name)).of_marks


def name_of(methodology: Path | str) -> str:
    """The name of a methodology, shipped or in a file."""
    return load(methodology).name


def day(text: str, *, name: str = "--date") -> date:
    """A day from ISO 8601 text. Raises `InputError`, which says `name`, for other text."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError.of(name, "a day such as 2026-03-04", value=text) from error


def moment(text: str | None, *, name: str = "--at") -> datetime:
    """A moment with its zone from ISO 8601 text, or now. Raises `InputError`, which says `name`, for other text."""
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError.of(name, "a time such as 2026-03-05T17:00Z", value=text) from error
    if found.tzinfo is None:
        raise InputError.of(name, "a time with its zone, such as 2026-03-05T17:00Z", value=text)
    return found


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose values JSON can hold."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
