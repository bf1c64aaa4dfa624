"""Which observations count: each one that does not is named with the rule, what it showed and the limit."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.indices.estimators import far_from_trimmed_mean
from tenorgrid.indices.scope import MARK, NAME
from tenorgrid.indices.specification import Level, OutlierScreen, Requirement

TOO_FEW = "too few in a day"
OUTLIER = "outlier"
WORDS = {"at_least": "at least", "above": "above", "at_most": "at most", "below": "below", "one_of": "one of"}
NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Screened:
    """Rows of a level: those that count, and those that do not with `rule`, `value` and `limit`; both as `scope` gives them."""

    eligible: pl.DataFrame
    excluded: pl.DataFrame


def screen(rows: pl.DataFrame, level: Level) -> Screened:
    """Apply a level's requirements, then its least number in a day, then its outlier screen, day by day.

    An observation that several rules would exclude is charged to the first. The least number in a day is counted before outliers go, as
    CCIR's program does.

    Args:
        rows: what `scope` gave; rows of other kinds than the level's are passed over.
        level: the rule.

    Raises `InputError` where a column that a requirement asks for is not there, or is not of numbers.
    """
    rows = rows.filter(pl.col("kind").cast(pl.String).is_in([kind.value for kind in level.kinds]))
    _refuse_unreadable(rows, level)
    asked = [requirement for requirement in level.requirements if requirement.column in rows.columns]
    judged = rows.with_columns(*_verdict(asked))
    if level.day_at_least > 1:
        judged = _too_few(judged, level.day_at_least)
    if level.outliers is not None:
        judged = _outliers(judged, level.outliers)
    return Screened(eligible=judged.filter(pl.col("rule").is_null()), excluded=judged.filter(pl.col("rule").is_not_null()))


def _refuse_unreadable(rows: pl.DataFrame, level: Level) -> None:
    if rows.is_empty():
        return
    asked = f"which the level {level.name!r} asks for"
    for requirement in level.requirements:
        column = requirement.column
        if column not in rows.columns:
            if requirement.missing == "exclude":
                raise InputError.of(NAME, f"a column {asked}", column=column, value="a missing column")
            continue
        kind = rows.schema[column]
        if requirement.comparison != "one_of" and not (kind.is_numeric() or kind == pl.Null):
            raise InputError.of(NAME, f"numbers, {asked}", column=column, value=str(kind))


def _verdict(requirements: list[Requirement]) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    rule, value, limit = (pl.lit(None, dtype=pl.String) for _ in range(3))
    for requirement in reversed(requirements):  # the first to fail is asked last, and so stands
        failed = ~_met(requirement)
        rule = pl.when(failed).then(pl.lit(requirement.column)).otherwise(rule)
        value = pl.when(failed).then(pl.col(requirement.column).cast(pl.String).fill_null(NOTHING)).otherwise(value)
        limit = pl.when(failed).then(pl.lit(limit_text(requirement))).otherwise(limit)
    return rule.alias("rule"), value.alias("value"), limit.alias("limit")


def _met(requirement: Requirement) -> pl.Expr:
    column, limit = pl.col(requirement.column), requirement.limit
    if isinstance(limit, tuple):
        met = column.cast(pl.String).is_in(list(limit))
    elif requirement.comparison == "at_least":
        met = column >= limit
    elif requirement.comparison == "above":
        met = column > limit
    elif requirement.comparison == "at_most":
        met = column <= limit
    else:
        met = column < limit
    return met.fill_null(requirement.missing == "keep")


def limit_text(requirement: Requirement) -> str:
    """What a requirement asks for, in words.

    >>> limit_text(Requirement(column="reliability", comparison="at_least", limit=0.9))
    'at least 0.9'
    """
    limit = requirement.limit
    shown = ", ".join(limit) if isinstance(limit, tuple) else f"{limit:g}"
    return f"{WORDS[requirement.comparison]} {shown}"


def _too_few(judged: pl.DataFrame, at_least: int) -> pl.DataFrame:
    count = pl.col("rule").is_null().sum().over(MARK)
    failed = pl.col("rule").is_null() & (count < at_least)
    return judged.with_columns(
        rule=pl.when(failed).then(pl.lit(TOO_FEW)).otherwise("rule"),
        value=pl.when(failed).then(count.cast(pl.String)).otherwise("value"),
        limit=pl.when(failed).then(pl.lit(f"at least {at_least}")).otherwise("limit"),
    )


def _outliers(judged: pl.DataFrame, outliers: OutlierScreen) -> pl.DataFrame:
    numbered = judged.with_row_index("row")
    found = []
    for (_, _), part in numbered.filter(pl.col("rule").is_null()).group_by(MARK, maintain_order=True):
        if part.height < outliers.at_least:
            continue
        prices = part["price"].to_numpy()
        gone, middle, limit = far_from_trimmed_mean(prices, trim=outliers.trim, sigmas=outliers.sigmas)
        text = f"within {limit:.6g} of {middle:.6g}"
        found += [(row, OUTLIER, str(price), text) for row, price in zip(part["row"].to_numpy()[gone], prices[gone], strict=True)]
    if not found:
        return judged
    rows, rules, values, limits = zip(*found, strict=True)
    place = np.array(rows, dtype=np.int64)
    return judged.with_columns(
        judged["rule"].scatter(place, rules), judged["value"].scatter(place, values), judged["limit"].scatter(place, limits)
    )
