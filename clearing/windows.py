"""Bids and offers spread over the intervals of their windows; identical divisible steps of an interval merged into one slot.

A *class* holds all that may stand in for one another in the problem: offers of one resource in one location, bids for one workload
at one home, virtual bids on one side of a node. In each interval the steps of a class are ranked by merit; equal steps share a
*slot* and later share its award pro rata, so that neither row order nor names decide who is served.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import polars as pl


@dataclass(frozen=True, kw_only=True)
class Span:
    """Intervals of one horizon: `count` of them from `first` on, each `interval` long."""

    first: datetime
    count: int
    interval: timedelta

    @property
    def end(self) -> datetime:
        """First instant after the last interval."""
        return self.first + self.count * self.interval

    def starts(self) -> pl.Series:
        """First instant of every interval, UTC."""
        return _starts(self)

    def part(self, begin: int, end: int) -> "Span":
        """Intervals `begin` to `end` of this span."""
        return Span(first=self.first + begin * self.interval, count=end - begin, interval=self.interval)


@lru_cache(maxsize=64)
def _starts(span: Span) -> pl.Series:
    """Asked for by every table that is published of a span."""
    last = span.first + (span.count - 1) * span.interval
    return pl.datetime_range(span.first, last, span.interval, time_unit="us", time_zone="UTC", eager=True).alias("start")


def spread(rows: pl.DataFrame, *, span: Span) -> pl.DataFrame:
    """One row per interval that a window covers, its number in `hour` instead of `start` and `end`; what lies outside the span falls away.

    Args:
        rows: with `start` and `end` on interval boundaries.
        span: intervals of the horizon.
    """
    step = span.interval // timedelta(microseconds=1)

    def number(edge: str) -> pl.Expr:
        return ((pl.col(edge) - pl.lit(span.first)).dt.total_microseconds() // step).clip(0, span.count).cast(pl.Int32)

    return (
        rows.with_columns(number("start").alias("_begin"), number("end").alias("_end"))
        .filter(pl.col("_end") > pl.col("_begin"))
        .with_columns(pl.int_ranges("_begin", "_end", dtype=pl.Int32).alias("hour"))
        .drop("start", "end", "_begin", "_end")
        .explode("hour")
    )


def slotted(members: pl.DataFrame, *, merit: list[str], descending: list[bool]) -> pl.DataFrame:
    """Members with their rank among the distinct steps of their class and interval, and their share of that slot.

    Args:
        members: with `hour`, `class_number`, `quantity` and the columns of `merit`, in canonical order (by id and step).
        merit: columns that tell steps apart; equal in all of them is the same step.
        descending: for each of them, whether the larger comes first.

    Returns members, sorted, with `rank` (0 is first) and `share` (members of one slot sum to 1).
    """
    slot = ["hour", "class_number", *merit]
    opens = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in slot).fill_null(True)
    return (
        members.filter(pl.col("quantity") > 0)
        .sort(slot, descending=[False, False, *descending], maintain_order=True)
        .with_columns(opens.cast(pl.Int32).cum_sum().alias("_slot"))
        .with_columns(
            (pl.col("_slot") - pl.col("_slot").min().over("hour", "class_number")).alias("rank"),
            (pl.col("quantity") / pl.col("quantity").sum().over("_slot")).alias("share"),
        )
        .drop("_slot")
    )


def widths(rows: pl.DataFrame, *, span: Span, merit: list[str], classes: int) -> list[int]:
    """Most slots (distinct steps) that each class needs in any interval of the span, (classes,).

    Args:
        rows: with `class_number`, `start`, `end`, `quantity` and the columns of `merit`.
        span: intervals of the horizon.
        merit: columns that tell steps apart.
        classes: how many there are.
    """
    narrow = rows.filter(pl.col("quantity") > 0).select("class_number", "start", "end", *merit)
    steps = spread(narrow, span=span).select("hour", "class_number", *merit).unique()
    most = steps.group_by("hour", "class_number").len().group_by("class_number").agg(pl.col("len").max())
    found = dict(most.iter_rows())
    return [int(found.get(number, 0)) for number in range(classes)]
