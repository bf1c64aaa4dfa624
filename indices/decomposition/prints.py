"""Prints of many hybrids on the same observations; what a rule does not touch is computed once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import ceil

import polars as pl

from tenorgrid.data.kinds.index import MarkStatus
from tenorgrid.indices.calculation import calculate
from tenorgrid.indices.decomposition.rules import Values
from tenorgrid.indices.estimators import rounded
from tenorgrid.indices.fallback import NO_REASONS, carried
from tenorgrid.indices.methodology import of_values
from tenorgrid.indices.names import parsed
from tenorgrid.indices.specification import Fallback, Methodology
from tenorgrid.indices.windows import MARK, back

AFTERWARDS = ("name", "source", "restatement", "fallback", "decimals", "rounding")  # keys that no evidence depends on
SPARE = 14  # days that are seen beyond what any window and fallback reach: closed days, and clocks that differ by hours


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """One mark of a methodology: null where its levels do not suffice and its own fallback has nothing either.

    `level` is the one that made it, also where it was carried.
    """

    index: str
    start: datetime
    end: datetime
    value: float | None
    status: MarkStatus
    unit: str
    level: str | None
    reasons: tuple[str, ...]


@dataclass(kw_only=True)
class Prints:
    """Prints at one time by any methodology, of observations that are cut to what can matter once.

    Evidence depends neither on the fallback nor on rounding, so that methodologies that differ in nothing else share it, and neither does
    it on regions other than the index's own, nor on levels for kinds of observation of which none was seen.

    `rows` are the observations that can matter.

    Args:
        observations: `Observations`, with attributes.
        when: a day, each methodology's own; its last period is meant where it has several. Or a moment with its time zone: the period
            that holds it.
        files: the methodologies that hybrids are made of.
        indices: every name that any of them gives the index.
    """

    observations: pl.DataFrame
    when: date | datetime
    files: Sequence[Values]
    indices: Sequence[str]
    calculations: int = 0
    rows: pl.DataFrame = field(init=False)
    _reach: int = field(init=False)
    _kinds: set[str] = field(init=False)
    _evidence: dict[str, pl.DataFrame] = field(init=False, default_factory=dict)
    _day: dict[str, pl.DataFrame] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        rules = [of_values(values, file=str(values["name"])) for values in self.files]
        self._reach = max(rule.fallback.reach for rule in rules)
        self.rows = _cut(self.observations, rules, self.indices, near=_day(self.when))
        self._kinds = set(self.rows["kind"].cast(pl.String)) if "kind" in self.rows.columns else set()

    def of(self, values: Values, index: str) -> Print:
        """What a methodology of these keys prints. Raises `InputError` where the observations lack what it asks for."""
        rule = of_values(values, file=str(values["name"]))
        day = rule.day_of(self.when) if isinstance(self.when, datetime) else self.when
        mine = self._prints(values, rule, day).filter(pl.col("index") == index)
        if isinstance(self.when, datetime):
            mine = mine.filter(pl.col("start") <= self.when, pl.col("end") > self.when)
        if mine.is_empty():
            start, end = rule.opens(day), rule.closes(day)
            reasons = ("its calendar is closed, or the index has ceased",)
            return Print(index=index, start=start, end=end, value=None, status=MarkStatus.WITHHELD, unit="", level=None, reasons=reasons)
        row = mine.sort("start").row(-1, named=True)
        return Print(
            index=index, start=row["start"], end=row["end"], value=row["value"], status=MarkStatus(row["status"]),
            unit=f"USD/{row['unit']}", level=row["made_by"], reasons=tuple(row["reasons"]),
        )  # fmt: skip

    def _prints(self, values: Values, rule: Methodology, day: date) -> pl.DataFrame:
        """Each period of the day as printed."""
        found = self._levels(values)
        key = json.dumps([found, str(day), *(values.get(name) for name in ("fallback", "decimals", "rounding"))], sort_keys=True)
        if key not in self._day:
            made = self._made(found, rule, day)
            last = _printed(made.filter(pl.col("day") >= back(rule, day, number=rule.fallback.reach)), rule)
            self._day[key] = last.filter(pl.col("day") == day)
        return self._day[key]

    def _levels(self, values: Values) -> dict[str, object]:
        """The keys that evidence of the indices depends on."""
        found = {key: value for key, value in values.items() if key not in AFTERWARDS}
        groups = found.get("regions", {}).get("groups", {})
        if groups:
            labels = {parsed(name).place for name in self.indices}
            found["regions"] = {label: members for label, members in groups.items() if label in labels}
        found["levels"] = [level for level in found["levels"] if self._kinds & set(level["kinds"])]
        return found

    def _made(self, values: Values, rule: Methodology, day: date) -> pl.DataFrame:
        """Each period's evidence: level, unrounded value, status and reasons, null where no level suffices."""
        key = json.dumps([values, str(day)], sort_keys=True)
        if key not in self._evidence:
            heard = tuple(level for level in rule.levels if self._kinds & set(level.kinds)) or rule.levels[:1]
            bare = replace(rule, fallback=Fallback(carry=0), levels=heard)
            first = back(bare, day, number=self._reach)
            made = calculate(self.rows, methodology=bare, first=first, end=day + timedelta(1), indices=sorted(set(self.indices)))
            enough = pl.col("level").is_not_null()
            told = [pl.when(enough).then("status").alias("status"), pl.when(enough).then("reasons").otherwise(NO_REASONS).alias("reasons")]
            self._evidence[key] = made.decided.with_columns(*told).drop("value", "carried_from")
            self.calculations += 1
        return self._evidence[key]


def _printed(made: pl.DataFrame, rule: Methodology) -> pl.DataFrame:
    """The evidence rounded and carried as the methodology has it; `made_by` is the level behind each value."""
    known = made["unrounded"].to_list()
    values = [None if value is None else rounded(value, decimals=rule.decimals, rule=rule.rounding) for value in known]
    found = carried(made.with_columns(pl.Series("value", values, dtype=pl.Float64)).sort(MARK), rule.fallback)
    levels = made.select("index", carried_from="start", before="level")
    joined = found.join(levels, on=["index", "carried_from"], how="left", maintain_order="left")
    return joined.with_columns(made_by=pl.coalesce("level", "before"))


def _cut(rows: pl.DataFrame, rules: Sequence[Methodology], indices: Sequence[str], *, near: date) -> pl.DataFrame:
    """The observations that a mark of the indices near a day may depend on; all where a rule learns from others' rows or from the past."""
    learns = any(rule.normalisation is not None or any(level.review is not None for level in rule.levels) for rule in rules)
    if learns or not {"resource", "time"} <= set(rows.columns):
        return rows  # refused at the door, where a column is missing
    periods = max(rule.fallback.reach for rule in rules) + max(
        (part.back for rule in rules for level in rule.levels for part in level.filters), default=0
    )
    longest = max(max(rule.window.length, rule.every.length) for rule in rules)
    days = SPARE + ceil((longest + 2 * periods * max(rule.every.length for rule in rules)) / timedelta(days=1))
    resources = sorted({parsed(name).subject for name in indices})
    seen = pl.col("time").dt.date().is_between(near - timedelta(days), near + timedelta(2))
    return rows.filter(seen, pl.col("resource").str.to_uppercase().is_in(resources))


def _day(when: date | datetime) -> date:
    return when.date() if isinstance(when, datetime) else when
