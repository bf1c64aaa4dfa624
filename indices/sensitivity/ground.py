"""What an attack on a mark stands on: the rows that a level may take for it, the same rows with more added, and what they give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import FilterRule, Weighting
from tenorgrid.indices.calculation import Calculation
from tenorgrid.indices.eligibility import screen
from tenorgrid.indices.estimators import Places, Vector
from tenorgrid.indices.filters import filtered
from tenorgrid.indices.levels import cast_votes, reaches, valued
from tenorgrid.indices.sensitivity.votes import Case, Votes, suffices, values_of, votes_of
from tenorgrid.indices.specification import Level
from tenorgrid.indices.windows import MARK, PERIOD, SEEN, in_windows, placed

MOMENT = timedelta(microseconds=1)
CASE = "case"
ADDED = "added"
INSIDE = "inside"  # the window, and not only what a filter looks back at
NEVER = 1_000_000  # rank of what suffices for nothing
STILL = (FilterRule.BOUNDS, FilterRule.STALE)  # filters that look at one row alone


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Rows that meet a level's requirements, once for each mark that sees them or whose filters do.

    `rows` stand in the order of `mark`, the number of the mark, and time; those of mark k are `rows[bounds[k]:bounds[k + 1]]`. `marks` has
    a row a mark: mark, start, end, opens, seen and period, of the moment before its end.
    """

    level: Level
    number: int  # of the level
    levels: int
    rows: pl.DataFrame
    bounds: Places
    marks: pl.DataFrame
    periods: pl.DataFrame
    daily: bool

    @property
    def plain(self) -> bool:
        """Whether no filter and no review looks at several rows at once: those that look at one have been applied to `rows`."""
        return _plain(self.level)

    @cached_property
    def votes(self) -> Votes:
        """What the rows vote, where the level is plain."""
        return votes_of(self.rows, self.level, self.marks, self.periods)


@dataclass(frozen=True, kw_only=True)
class Additions:
    """Rows that one contributor adds: of each case the mark, the name, the price, the quantity of a row, how many rows at each of `times`.

    `times` are microseconds and `periods` the periods that they lie in, one array a case. `weight` is what a row weighs by confidence.
    """

    mark: Places
    name: Sequence[str]
    price: Vector
    quantity: Vector
    copies: Places
    times: Sequence[Places]
    periods: Sequence[Places]
    weight: Vector

    def __len__(self) -> int:
        return self.mark.size

    def only(self, which: Places) -> "Additions":
        """Some of the cases."""
        return Additions(
            mark=self.mark[which],
            name=[self.name[place] for place in which],
            price=self.price[which],
            quantity=self.quantity[which],
            copies=self.copies[which],
            times=[self.times[place] for place in which],
            periods=[self.periods[place] for place in which],
            weight=self.weight[which],
        )


def grounds(made: Calculation, marks: pl.DataFrame) -> list[Ground]:
    """What each level has for marks, in the order of the levels.

    Args:
        made: the calculation.
        marks: index and start of the marks, numbered in this order.
    """
    rule = made.methodology
    told = marks.with_row_index("mark").join(made.marked.select("start", "end", "opens"), on="start", how="left", maintain_order="left")
    last, first = ((told[name] - shift) for name, shift in (("end", MOMENT), ("opens", timedelta(0))))
    told = told.with_columns(placed(last, rule, first=made.since, end=made.end))
    told = told.with_columns(placed(first, rule, first=made.since, end=made.end)[PERIOD].alias("begins"))
    return [_ground(made, told, level, number) for number, level in enumerate(rule.levels)]


def _ground(made: Calculation, marks: pl.DataFrame, level: Level, number: int) -> Ground:
    rows = screen(made.rows, replace(level, filters=())).eligible
    far = [part for part in level.filters if part.within == "period" and part.rule not in STILL]
    back = max((part.back for part in far), default=0)
    reach = (back + 1) * made.methodology.every.length + timedelta(days=1) if far else timedelta(0)
    spread = in_windows(rows, made.marked.with_columns(pl.col("opens") - reach))
    known = spread.join(marks.select("mark", *MARK, "opens", "begins"), on=MARK, how="inner", maintain_order="left")
    known = known.with_columns((pl.col("time") >= pl.col("opens")).alias(INSIDE))
    known = known.filter(pl.col(INSIDE) | (pl.col(PERIOD) >= pl.col("begins").cast(pl.Int64) - back)) if far else known
    if _plain(level):
        known = filtered(known.filter(INSIDE), level.filters, by_quantity=False).eligible if level.filters else known
    names = {"mark", *MARK, "end", "time", "provider", "price", "quantity", SEEN, PERIOD, INSIDE} | level.columns
    known = known.select(name for name in known.columns if name in names).drop("index").sort("mark", "time", maintain_order=True)
    bounds = np.searchsorted(known["mark"].to_numpy(), np.arange(marks.height + 1)).astype(np.int64)
    levels = len(made.methodology.levels)
    daily, periods = made.methodology.daily, made.marked
    return Ground(level=level, number=number, levels=levels, rows=known, bounds=bounds, marks=marks, periods=periods, daily=daily)


def outcomes(ground: Ground, added: Additions) -> tuple[Vector, Places]:
    """What the level gives each case: (cases,) the value, NaN where there is none, and its rank among the levels, `NEVER` where it does
    not suffice. The filters, votes, weights and estimator are those of the marks."""
    if ground.plain:
        return _plainly(ground, added)
    level = ground.level
    rows = _together(ground, added)
    by_quantity = Weighting.QUANTITY in level.weights.by
    early, late = ([part for part in level.filters if (part.within == "period") is first] for first in (True, False))
    left = filtered(rows, early, by_quantity=by_quantity).eligible if early else rows
    left = left.filter(INSIDE)
    used = filtered(left, late, by_quantity=by_quantity).eligible if late else left
    values = valued(cast_votes(used, level, ground.periods), level).join(behind(used), on=MARK, how="left", maintain_order="left")
    publishes = reaches(level.publish) if level.publish is not None else pl.lit(False)
    rank = pl.when(publishes).then(ground.number).when(reaches(level.low_confidence)).then(ground.number + ground.levels).otherwise(NEVER)
    found = values.select("index", "value", rank.alias("rank"))
    value, order = np.full(len(added), np.nan), np.full(len(added), NEVER)
    place = found["index"].to_numpy()
    value[place], order[place] = found["value"].fill_null(np.nan).to_numpy(), found["rank"].to_numpy()
    return value, order


def _plain(level: Level) -> bool:
    return all(part.rule in STILL for part in level.filters) and (level.review is None or level.review.spread != "by capacity")


def _plainly(ground: Ground, added: Additions) -> tuple[Vector, Places]:
    votes, level = ground.votes, ground.level
    case = Case(
        mark=added.mark,
        who=np.array([votes.names.get(name, -1) for name in added.name], dtype=np.int64),
        price=added.price,
        quantity=added.quantity,
        copies=added.copies,
        slots=np.array([times.size for times in added.times], dtype=np.int64),
        times=np.concatenate([*added.times, np.zeros(0, dtype=np.int64)]),
        trust=added.weight,
    )
    if not len(added):
        return np.zeros(0), np.zeros(0, dtype=np.int64)
    value, told = values_of(votes, case)
    rank = np.where(suffices(level.low_confidence, value, told), ground.number + ground.levels, NEVER)
    return value, rank if level.publish is None else np.where(suffices(level.publish, value, told), ground.number, rank)


def behind(used: pl.DataFrame) -> pl.DataFrame:
    """What the sufficiency of a level looks at."""
    return used.group_by(MARK).agg(
        pl.len().alias("observations"),
        pl.col("provider").n_unique().alias("contributors"),
        pl.col(SEEN).n_unique().alias("days"),
        pl.when(pl.col("quantity").count() > 0).then(pl.col("quantity").sum()).alias("quantity"),
    )


def _together(ground: Ground, added: Additions) -> pl.DataFrame:
    """The rows of each case's mark and those added, with the case as their index."""
    first, count = ground.bounds[added.mark], np.diff(ground.bounds)[added.mark]
    case = np.repeat(np.arange(len(added)), count)
    place = np.repeat(first - np.cumsum(count) + count, count) + np.arange(case.size)
    base = ground.rows[place].drop("mark").with_columns(pl.Series("index", case, dtype=pl.Int64), pl.lit(False).alias(ADDED))
    rows = pl.concat([base, _added(ground, added)], how="diagonal_relaxed").sort("index", "time", maintain_order=True)
    review = ground.level.review
    if review is None or review.spread != "by capacity":
        return rows
    mine = ["index", "provider"]  # whose weight is spread over its offers, however many they are
    own, number = (~pl.col(ADDED)).sum().over(mine), pl.len().over(mine)
    whole = pl.when(own > 0).then(pl.col(review.name).filter(~pl.col(ADDED)).sum().over(mine)).otherwise(pl.col(review.name))
    spread = pl.when(ADDED).then(whole / number).otherwise(pl.col(review.name) * own / number)
    return rows.with_columns(spread.alias(review.name))


def _added(ground: Ground, added: Additions) -> pl.DataFrame:
    slots = np.array([len(times) for times in added.times], dtype=np.int64)
    number = slots * added.copies
    case = np.repeat(np.arange(len(added)), number)
    which = np.repeat(np.arange(slots.sum()), np.repeat(added.copies, slots))
    times, periods = (np.concatenate([*spots, np.zeros(0, dtype=np.int64)])[which] for spots in (added.times, added.periods))
    marks = ground.marks[added.mark[case]]
    frame = marks.select("start", "end").with_columns(
        pl.Series("index", case, dtype=pl.Int64),
        pl.Series("time", times).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        pl.Series("provider", added.name, dtype=pl.String)[case],
        pl.Series("price", added.price[case]),
        pl.Series("quantity", added.quantity[case]),
        pl.Series(PERIOD, periods),
        pl.lit(True).alias(INSIDE),
        pl.lit(True).alias(ADDED),
    )
    frame = frame.with_columns(marks.select(pl.col(SEEN) - pl.duration(days=pl.col(PERIOD) - pl.Series(periods)) if ground.daily else SEEN))
    confidence = ground.level.weights.confidence
    return frame if confidence is None else frame.with_columns(pl.Series(confidence, added.weight[case]))
