"""Orders that are decided whole or over time: what ties an order to more than its own interval.

An offer with a start cost, a minimum run or a block step is *committed* or not in each interval; a bid with a minimum share is a *gang*,
accepted for the whole of its window or not at all; the work of a bid with a `total` is spread over its window. Such an order is not
pooled with others: it has a class, and so columns, of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.windows import Span

Flags = npt.NDArray[np.bool_]

OFFER_LIKENESS = [
    "location", "resource", "start", "end", "step", "quantity", "price", "firm_premium", "block", "start_cost", "min_hours", "domain",
]  # fmt: skip
BID_LIKENESS = ["workload", "home", "tiers", "start", "end", "step", "quantity", "value", "interruption_loss", "min_share", "total"]
POOLED = ""  # the `own` of a class that many orders share


@dataclass(frozen=True, kw_only=True)
class Wholes:
    """What ties orders to more than their own interval, one frame a kind; all in order of id.

    Of a bid, `gang` tells whether it is accepted whole, `group` and `parent` name its exclusive group and the bid it is linked to; `like`
    is the first id of the orders that are equal to it in all but name.
    """

    offers: pl.DataFrame = field(repr=False)  # id, participant, start, end, start_cost, min_hours, like
    blocks: pl.DataFrame = field(repr=False)  # id, resource, step
    bids: pl.DataFrame = field(repr=False)  # id, participant, start, end, min_share, gang, group, parent, like
    totals: pl.DataFrame = field(repr=False)  # id, step, total

    @property
    def empty(self) -> bool:
        """Whether every interval stands by itself and nothing is decided whole."""
        return self.offers.is_empty() and self.bids.is_empty()

    def windows(self) -> Iterator[tuple[datetime, datetime]]:
        """Stretches of time that have to be solved together."""
        running = self.offers.filter((pl.col("start_cost") > 0) | (pl.col("min_hours") > 1))
        yield from running.select("start", "end").iter_rows()
        parts = components(self.bids)
        joined = self.bids.with_columns(pl.Series("component", parts, dtype=pl.String)).group_by("component", maintain_order=True)
        yield from joined.agg(pl.col("start").min(), pl.col("end").max()).select("start", "end").iter_rows()

    def within(self, span: Span) -> "Wholes":
        """Those whose window meets the span; gangs that these are joined with by groups and links stay too, as their state counts."""
        meets = (pl.col("start") < span.end) & (pl.col("end") > span.first)
        offers, parts = self.offers.filter(meets), pl.Series("component", components(self.bids), dtype=pl.String)
        here = self.bids.with_columns(parts).filter(meets.any().over("component")).drop("component")
        return Wholes(
            offers=offers,
            blocks=self.blocks.join(offers, on="id", how="semi", maintain_order="left"),
            bids=here,
            totals=self.totals.join(here, on="id", how="semi", maintain_order="left"),
        )


def wholes(offers: pl.DataFrame, bids: pl.DataFrame) -> Wholes:
    """What of these rows of offers and bids (with `id`) is decided whole or over time."""
    block = pl.col("block").fill_null(value=False)
    costs, hours = pl.col("start_cost").fill_null(0.0), pl.col("min_hours").fill_null(1)
    committed = _all_rows_where(offers, block | (costs > 0) | (hours > 1)).sort("id", "resource", "step")
    once = committed.unique("id", keep="first", maintain_order=True).join(_likeness(committed, OFFER_LIKENESS), on="id")
    share = pl.col("min_share").fill_null(0.0)
    tied = (share > 0) | pl.col("total").is_not_null() | pl.col("exclusive_group").is_not_null() | pl.col("linked_to").is_not_null()
    timed = _all_rows_where(bids, tied).sort("id", "step")
    first = timed.unique("id", keep="first", maintain_order=True).join(_likeness(timed, BID_LIKENESS), on="id", maintain_order="left")
    parents = timed["linked_to"].drop_nulls()
    alone = pl.col("exclusive_group").is_null() & pl.col("linked_to").is_null() & ~pl.col("id").is_in(parents.implode())
    return Wholes(
        offers=once.select("id", "participant", "start", "end", costs.alias("start_cost"), hours.alias("min_hours"), "like"),
        blocks=committed.filter(block).select("id", "resource", "step"),
        bids=first.select(
            "id",
            "participant",
            "start",
            "end",
            share.alias("min_share"),
            (share > 0).alias("gang"),
            pl.col("exclusive_group").alias("group"),
            pl.col("linked_to").alias("parent"),
            pl.when(alone).then(pl.col("like")).otherwise(pl.col("id")).alias("like"),
        ),
        totals=timed.filter(pl.col("total").is_not_null()).select("id", "step", "total"),
    )


def _all_rows_where(rows: pl.DataFrame, wanted: pl.Expr) -> pl.DataFrame:
    """All rows of the orders of which some row is wanted; most markets have few of them."""
    return rows.filter(pl.col("id").is_in(rows.filter(wanted)["id"].unique().implode()))


def owners(tied: Wholes) -> dict[str, str]:
    """The class of its own that each tied bid belongs to: its id, or the first id of bids that are equal in all but name.

    Equal divisible bids share one class and its award pro rata; gangs keep a class each, as they are accepted one by one.
    """
    own = pl.when("gang").then(pl.col("id")).otherwise(pl.col("like"))
    return dict(tied.bids.select("id", own.alias("own")).iter_rows())


def _likeness(rows: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """`like`: the first id of those whose rows are equal in these columns; columns id and like."""
    alike = rows.group_by("id", maintain_order=True).agg(pl.struct(names).alias("rows"))
    text = alike["rows"].map_elements(lambda found: str(found.to_list()), return_dtype=pl.String)
    return alike.select("id", text.alias("text")).with_columns(pl.col("id").first().over("text").alias("like")).drop("text")


def components(bids: pl.DataFrame) -> list[str]:
    """For each bid the first id of those that exclusive groups and links join it with.

    >>> gangs = pl.DataFrame({"id": ["a", "b", "c"], "group": [None, "g", "g"], "parent": [None, None, "a"]})
    >>> components(gangs)
    ['a', 'a', 'a']
    """
    ids = bids["id"].to_list()
    first = {name: name for name in ids}

    def root(name: str) -> str:
        while first[name] != name:
            first[name] = first[first[name]]
            name = first[name]
        return name

    seen: dict[str, str] = {}
    for name, group, parent in bids.select("id", "group", "parent").iter_rows():
        others = [parent] if parent in first else []
        if group is not None:
            others.append(seen.setdefault(group, name))
        for other in others:
            low, high = sorted((root(name), root(other)))
            first[high] = low
    return [root(name) for name in ids]


def least_run(min_hours: int, *, hours: float) -> int:
    """Intervals of Δ = `hours` that a run lasts at least: those that hold `min_hours`. A least run of one hour, the default, asks nothing.

    >>> least_run(2, hours=0.5), least_run(3, hours=2.0), least_run(1, hours=0.5)
    (4, 2, 1)
    """
    return ceil(min_hours / hours - 1e-9) if min_hours > 1 else 1


def joined_hours(windows: Iterator[tuple[datetime, datetime]], span: Span) -> npt.NDArray[np.int64]:
    """(intervals,) number of the group of intervals that each one has to be solved with; groups are stretches of time.

    >>> from datetime import timedelta
    >>> first, hour = datetime(2027, 1, 1), timedelta(hours=1)
    >>> joined_hours(iter([(first + hour, first + 3 * hour)]), Span(first=first, count=4, interval=hour)).tolist()
    [0, 1, 1, 2]
    """
    with_next = np.zeros(span.count, dtype=bool)
    for start, end in windows:
        begin, stop = (int(max(0, min((edge - span.first) // span.interval, span.count))) for edge in (start, end))
        with_next[begin : max(stop - 1, begin)] = True
    return np.concatenate([[0], np.cumsum(~with_next[:-1])]).astype(np.int64)[: span.count]
