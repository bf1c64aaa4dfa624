"""Restatement: which published marks may be replaced by what is computed now, and which stand although they differ."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.specification import Methodology, Restatement

KEY = ["index", "methodology", "start"]
NEVER, LATE, SMALL = "the methodology restates nothing", "too late", "not material"
ROUNDING_NOISE = 1e-12  # of a share: 0.01 written in binary is no more than 0.01


class Said(NamedTuple):
    """What a mark says: its value, None when withheld, and its status."""

    value: float | None
    status: str


def why_it_stands(rule: Restatement, *, was: Said, now: Said, first_published: datetime, at: datetime) -> str | None:
    """Why a published mark is not replaced: `NEVER`, `LATE` or `SMALL`; None where it is.

    A mark is replaced where it differs, no more than `until` has passed since its first publication, and its value moves by more than the
    share `above`. A value in the place of none, or none in the place of a value, is always material; another status alone is where
    `above` is 0.

    Args:
        rule: of its methodology.
        was: the last revision.
        now: what comes out now.
        first_published: moment of revision 0.
        at: moment of restatement.

    >>> from datetime import UTC, timedelta
    >>> noon = datetime(2027, 3, 16, 12, tzinfo=UTC)
    >>> house, was, now = Restatement(until=timedelta(hours=24), above=0.01), Said(2.0, "published"), Said(2.01, "published")
    >>> why_it_stands(house, was=was, now=now, first_published=noon, at=noon)
    'not material'
    >>> why_it_stands(house, was=was, now=Said(2.1, "published"), first_published=noon, at=noon) is None
    True
    """
    if rule.until is None:
        return NEVER
    if at - first_published > rule.until:
        return LATE
    if was.value is None or now.value is None:
        return SMALL if was == now else None
    moved = abs(now.value - was.value)
    if moved == 0:
        return SMALL if was.status == now.status or rule.above > 0 else None
    return SMALL if moved <= (rule.above + ROUNDING_NOISE) * abs(was.value) else None


@dataclass(frozen=True, kw_only=True)
class Restated:
    """`marks` are the new revisions, as `Marks`; `standing` the marks that differ and stand: index, start, value, computed, why."""

    marks: pl.DataFrame
    standing: pl.DataFrame


def restated(published: pl.DataFrame, computed: pl.DataFrame, *, methodology: Methodology, at: datetime) -> Restated:
    """Hold what is computed now against what was published, and restate by the methodology's rule, as `why_it_stands` reads it.

    What was published is not touched: a restatement is the next revision, published at `at`.

    Args:
        published: `Marks`, of one or more revisions; the last of each counts.
        computed: `Marks` of the same methodology, as they come out now.
        methodology: the rule.
        at: now, with its time zone.

    Raises `InputError` for bad rows, a time without a zone, marks of another methodology, and a moment before the last publication.

    >>> from datetime import UTC
    >>> from tenorgrid.indices.methodology import load
    >>> none = Marks.create_empty()
    >>> restated(none, none, methodology=load("house"), at=datetime(2027, 3, 16, tzinfo=UTC)).marks.height
    0
    """
    old, new = (checked(frame, Marks, name="marks") for frame in (published, computed))
    _refuse_strange(old, new, methodology, at)
    first = old.group_by(KEY).agg(pl.col("published_at").min().alias("first_published"))
    last = old.sort("revision").unique(KEY, keep="last").select(*KEY, "revision", was="value", stood=pl.col("status").cast(pl.String))
    both = new.drop("revision").join(last, on=KEY).join(first, on=KEY).sort("index", "start")
    differs = ~pl.col("value").eq_missing(pl.col("was")) | (pl.col("status").cast(pl.String) != pl.col("stood"))
    both = both.filter(differs)
    both = both.with_columns(why=pl.Series([_why(row, methodology.restatement, at) for row in both.iter_rows(named=True)], dtype=pl.String))
    made = both.filter(pl.col("why").is_null()).with_columns(
        pl.col("revision") + 1, published_at=pl.lit(at).dt.convert_time_zone("UTC").cast(new.schema["published_at"])
    )
    standing = both.filter(pl.col("why").is_not_null()).select("index", "start", value="was", computed="value", why="why")
    return Restated(marks=checked(made.select(Marks.column_names()), Marks, name="marks"), standing=standing)


def _why(row: dict[str, Any], rule: Restatement, at: datetime) -> str | None:
    was, now = Said(row["was"], row["stood"]), Said(row["value"], str(row["status"]))
    return why_it_stands(rule, was=was, now=now, first_published=row["first_published"], at=at)


def _refuse_strange(old: pl.DataFrame, new: pl.DataFrame, methodology: Methodology, at: datetime) -> None:
    if at.tzinfo is None:
        raise InputError.of("restatement", "a time with its zone", column="at", value=at)
    for frame in (old, new):
        strange = frame.filter(pl.col("methodology") != methodology.name)["methodology"].unique().sort()
        if not strange.is_empty():
            raise InputError.of("marks", f"marks of {methodology.name}", column="methodology", value=", ".join(strange))
    latest = old["published_at"].max()
    if isinstance(latest, datetime) and at < latest:
        raise InputError.of("restatement", f"a moment from the last publication on, {latest.isoformat()}", column="at", value=at)
