"""Restatement: which published marks may be replaced by what is computed now, and which stand although they differ."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.specification import Methodology

KEY = ["index", "methodology", "start"]
NEVER, LATE, SMALL = "the methodology restates nothing", "too late", "not material"
ROUNDING_NOISE = 1e-12  # of a share: 0.01 written in binary is no more than 0.01


@dataclass(frozen=True, kw_only=True)
class Restated:
    """`marks` are the new revisions, as `Marks`; `standing` the marks that differ and stand: index, start, value, computed, why."""

    marks: pl.DataFrame
    standing: pl.DataFrame


def restated(published: pl.DataFrame, computed: pl.DataFrame, *, methodology: Methodology, at: datetime) -> Restated:
    """Hold what is computed now against what was published, and restate by the methodology's rule.

    A mark is restated where it differs, no more than `until` has passed since its first publication, and its value moves by more than the
    share `above`; a value in the place of none, or none in the place of a value, is always material. What was published is not touched:
    a restatement is the next revision, published at `at`.

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
    both = both.filter(differs).with_columns(why=_why(methodology, at))
    made = both.filter(pl.col("why").is_null()).with_columns(
        pl.col("revision") + 1, published_at=pl.lit(at).dt.convert_time_zone("UTC").cast(new.schema["published_at"])
    )
    standing = both.filter(pl.col("why").is_not_null()).select("index", "start", value="was", computed="value", why="why")
    return Restated(marks=checked(made.select(Marks.column_names()), Marks, name="marks"), standing=standing)


def _why(methodology: Methodology, at: datetime) -> pl.Expr:
    """Why a mark stands; null where it is restated."""
    rule = methodology.restatement
    if rule.until is None:
        return pl.lit(NEVER)
    late = pl.lit(at) - pl.col("first_published") > rule.until
    moved = (pl.col("value") - pl.col("was")).abs()
    small = (moved <= (rule.above + ROUNDING_NOISE) * pl.col("was").abs()) & (moved > 0)
    same = (moved == 0) & (rule.above > 0)  # another status alone
    return pl.when(late).then(pl.lit(LATE)).when((small | same).fill_null(False)).then(pl.lit(SMALL))


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
