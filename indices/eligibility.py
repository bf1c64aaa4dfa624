"""Which observations count: each one that does not is named with the rule, what it showed and the limit."""

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import Weighting
from tenorgrid.indices.adjustment import UNADJUSTED
from tenorgrid.indices.filters import Screened, filtered
from tenorgrid.indices.scope import NAME
from tenorgrid.indices.specification import Level, Requirement

WORDS = {
    "at_least": "at least",
    "above": "above",
    "at_most": "at most",
    "below": "below",
    "one_of": "one of",
    "differs_from": "other than",
}
NOTHING = "nothing"


def screen(rows: pl.DataFrame, level: Level) -> Screened:
    """Apply a level's requirements, then its filters within the period in their order.

    An observation that several rules would exclude is charged to the first.

    Args:
        rows: what `scope` gave; rows of other kinds than the level's are passed over.
        level: the rule.

    Raises `InputError` where a column that a requirement or a filter asks for is not there, or is not of numbers.
    """
    rows = rows.filter(pl.col("kind").cast(pl.String).is_in([kind.value for kind in level.kinds]))
    _refuse_unreadable(rows, level)
    asked = [requirement for requirement in level.requirements if requirement.column in rows.columns]
    judged = _unadjusted(rows.with_columns(*_verdict(asked)))
    met = judged.filter(pl.col("rule").is_null()).drop("rule", "value", "limit")
    early = [part for part in level.filters if part.within == "period"]
    left = filtered(met, early, by_quantity=Weighting.QUANTITY in level.weights.by)
    return Screened(eligible=left.eligible, excluded=pl.concat([judged.filter(pl.col("rule").is_not_null()), left.excluded]))


def screen_windows(rows: pl.DataFrame, level: Level) -> Screened:
    """Apply a level's filters within the window to rows that `in_windows` gave."""
    late = [part for part in level.filters if part.within == "window"]
    return filtered(rows, late, by_quantity=Weighting.QUANTITY in level.weights.by)


def _refuse_unreadable(rows: pl.DataFrame, level: Level) -> None:
    if rows.is_empty():
        return
    asked = f"which the level {level.name!r} asks for"
    optional = {requirement.column for requirement in level.requirements if requirement.missing == "keep"}
    for column in sorted(level.columns - set(rows.columns) - optional):
        raise InputError.of(NAME, f"a column {asked}", column=column, value="a missing column")
    for requirement in level.requirements:
        column = requirement.column
        kind = rows.schema.get(column, pl.Null())
        if isinstance(requirement.limit, float) and not (kind.is_numeric() or kind == pl.Null):
            raise InputError.of(NAME, f"numbers, {asked}", column=column, value=str(kind))


def _verdict(requirements: list[Requirement]) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    rule, value, limit = (pl.lit(None, dtype=pl.String) for _ in range(3))
    for requirement in reversed(requirements):  # the first to fail is asked last, and so stands
        failed = ~_met(requirement)
        rule = pl.when(failed).then(pl.lit(requirement.column)).otherwise(rule)
        value = pl.when(failed).then(pl.col(requirement.column).cast(pl.String).fill_null(NOTHING)).otherwise(value)
        limit = pl.when(failed).then(pl.lit(limit_text(requirement))).otherwise(limit)
    return rule.alias("rule"), value.alias("value"), limit.alias("limit")


def _unadjusted(judged: pl.DataFrame) -> pl.DataFrame:
    """A price that could not be brought to the base specification does not count."""
    if UNADJUSTED not in judged.columns:
        return judged
    failed = pl.col("rule").is_null() & pl.col(UNADJUSTED).is_not_null()
    return judged.with_columns(
        rule=pl.when(failed).then(pl.lit("normalisation")).otherwise("rule"),
        value=pl.when(failed).then(UNADJUSTED).otherwise("value"),
        limit=pl.when(failed).then(pl.lit("at the base specification")).otherwise("limit"),
    )


def _met(requirement: Requirement) -> pl.Expr:
    column, limit = pl.col(requirement.column), requirement.limit
    if isinstance(limit, tuple):
        met = column.cast(pl.String).is_in(list(limit))
    elif isinstance(limit, str):
        met = column.cast(pl.String) != pl.col(limit).cast(pl.String)
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
    shown = ", ".join(limit) if isinstance(limit, tuple) else limit if isinstance(limit, str) else f"{limit:g}"
    return f"{WORDS[requirement.comparison]} {shown}"
