"""Fixings: the latest published revision of the marks at a cut-off, the one thing that values and contract settlement read."""

from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Fixings, Marks
from tenorgrid.indices.baskets.file import load_basket, shipped_baskets
from tenorgrid.indices.baskets.terms import Basket
from tenorgrid.indices.methodology import load
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.workloads.file import load_workloads, shipped_workloads
from tenorgrid.indices.workloads.terms import WorkloadBasket

Rule: TypeAlias = Methodology | Basket | WorkloadBasket


def fixings(marks: pl.DataFrame, *, at: datetime, methodology: Rule | Path | str | None = None) -> pl.DataFrame:
    """`Fixings` known at `at`: of each index and day the revision published last, by then; withheld ones are absent.

    A revision that withholds takes the one before it back. The date is the day in the time zone of the methodology, or of the basket.

    Args:
        marks: `Marks`.
        at: the cut-off, with its time zone; what is published at that very moment counts.
        methodology: of several in `marks`, the one to read; needed too where theirs is not shipped with the package. A basket that is not
            is handed over loaded.

    Raises `InputError` for bad rows, a time without a zone, and two methodologies of the same index of which none is chosen.

    >>> from datetime import UTC, date
    >>> fixings(Marks.create_empty(), at=datetime(2027, 3, 16, 4, tzinfo=UTC)).height
    0
    """
    if at.tzinfo is None:
        raise InputError.of("fixings", "a time with its zone", column="at", value=at)
    rows = checked(marks, Marks, name="marks")
    rules: dict[str, Rule] = {name: _rule(name) for name in rows["methodology"].unique().sort()} if methodology is None else {}
    if methodology is not None:
        chosen = _rule(methodology)
        rules = {chosen.name: chosen}
        rows = rows.filter(pl.col("methodology") == chosen.name)
    _refuse_rivals(rows)
    last = rows.filter(pl.col("published_at") <= at).sort("revision").unique(["index", "methodology", "start"], keep="last")
    zones = [_dated(last.filter(pl.col("methodology") == name), rule) for name, rule in rules.items()]
    dated = pl.concat([last.clear().with_columns(date=pl.lit(None, dtype=pl.Date)), *zones])
    fixed = dated.filter(pl.col("status").cast(pl.String) != MarkStatus.WITHHELD.value)
    _refuse_several(fixed)
    source = pl.concat_str("methodology", pl.col("revision"), separator=" revision ")
    return checked(fixed.select("index", "date", "value", "published_at", source=source), Fixings, name="fixings").sort("index", "date")


def _refuse_rivals(rows: pl.DataFrame) -> None:
    rivals = rows.group_by("index").agg(pl.col("methodology").unique().sort()).filter(pl.col("methodology").list.len() > 1)
    for index, names in rivals.sort("index").iter_rows():
        raise InputError.of("marks", f"one methodology of the index {index}, or the choice of one", value=" and ".join(names))


def _refuse_several(rows: pl.DataFrame) -> None:
    several = rows.group_by("index", "date").agg(pl.len()).filter(pl.col("len") > 1).sort("index", "date")
    for index, day, count in several.head(1).iter_rows():
        raise InputError.of(
            "marks", f"one mark a day of the index {index}, as a fixing is of a day", column="start", value=f"{count} of {day}"
        )


def _rule(methodology: Rule | Path | str) -> Rule:
    """A methodology, a basket or a basket of workloads, each by its name too."""
    if isinstance(methodology, Basket | WorkloadBasket):
        return methodology
    if str(methodology) in shipped_workloads():
        return load_workloads(str(methodology))
    return load_basket(str(methodology)) if str(methodology) in shipped_baskets() else load(methodology)


def _dated(rows: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    spans = rows.select("start", "end").iter_rows()
    if isinstance(rule, Basket):
        days = [rule.closed_on(end) for _, end in spans]
    else:
        dated = load(rule.marks) if isinstance(rule, WorkloadBasket) else rule
        days = [dated.day_of(start) for start, _ in spans]
    return rows.with_columns(pl.Series("date", days, dtype=pl.Date))
