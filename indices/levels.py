"""One level of evidence: the value that its eligible observations give for each mark, and what stands behind it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import Estimator, MedianTie, Vote, Weighting
from tenorgrid.indices import estimators
from tenorgrid.indices.eligibility import screen, screen_windows
from tenorgrid.indices.estimators import Places, Vector
from tenorgrid.indices.specification import Level, Methodology, Sufficiency
from tenorgrid.indices.weights import capped, halved
from tenorgrid.indices.windows import MARK, SEEN, in_windows, parts

PERCENTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
COUNTS = ("observations", "contributors", "days", "partitions", "quantity")
THIRD = 1 / 3
PRICE = pl.col("price")
VOTES = {
    Vote.MEDIAN: PRICE.median(),
    Vote.MEAN: PRICE.mean(),
    Vote.LOWEST: PRICE.min(),
    Vote.LAST: PRICE.last(),  # rows of a mark come in the order of their time
}


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one level found: `used` and `excluded` rows for each mark that sees them, and `values`, one row a mark."""

    level: Level
    used: pl.DataFrame
    excluded: pl.DataFrame
    values: pl.DataFrame


def tried(rows: pl.DataFrame, methodology: Methodology, marks: pl.DataFrame) -> tuple[Evidence, ...]:
    """The evidence of each level in turn, for the marks that no earlier level suffices to publish."""
    found: list[Evidence] = []
    settled = rows.clear().select("index", start=pl.lit(None, dtype=marks.schema["start"]))
    for level in methodology.levels:
        part = weigh(rows, level, marks, settled=settled)
        found.append(part)
        if level.publish is not None:
            settled = pl.concat([settled, part.values.filter(reaches(level.publish)).select(MARK)])
    return tuple(found)


def reaches(least: Sufficiency) -> pl.Expr:
    """Whether there is a value, and what stands behind it is as much as `least`."""
    enough = [pl.col(name).fill_null(0) >= getattr(least, name) for name in COUNTS]
    return pl.all_horizontal(pl.col("value").is_not_null(), pl.col("largest_share") <= least.largest_share + estimators.HAIR, *enough)


def weigh(rows: pl.DataFrame, level: Level, marks: pl.DataFrame, *, settled: pl.DataFrame) -> Evidence:
    """The level's value of every mark for which something is eligible, but for those that are settled.

    Args:
        rows: what `scope` gave.
        level: one of the methodology's levels.
        marks: the periods wanted, as `periods` gives them.
        settled: index and start of the marks that need no more evidence.
    """
    screened = screen(_open(rows, level, marks, settled), level)
    spread, early = (
        in_windows(part, marks).join(settled, on=MARK, how="anti", maintain_order="left") for part in (screened.eligible, screened.excluded)
    )
    last = screen_windows(spread, level)
    used = last.eligible
    votes = cast_votes(used, level, marks)
    values = valued(votes, level).join(_behind(used), on=MARK, how="left", maintain_order="left")
    return Evidence(level=level, used=used, excluded=pl.concat([early, last.excluded.select(early.columns)]), values=values)


def _open(rows: pl.DataFrame, level: Level, marks: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """The level's rows that some mark still needs; all where the level looks at whole periods, of which a mark may see a part."""
    mine = rows.filter(pl.col("kind").cast(pl.String).is_in([kind.value for kind in level.kinds]))
    if settled.is_empty() or any(part.within == "period" for part in level.filters):
        return mine
    seen = in_windows(mine.select("index", "time").with_row_index("row"), marks).join(settled, on=MARK, how="anti")
    return mine[seen["row"].unique().sort()]


def cast_votes(used: pl.DataFrame, level: Level, marks: pl.DataFrame) -> pl.DataFrame:
    """What the estimator sees, an observation or a contributor a row: MARK, provider, time, end, part, price and weight."""
    confidence = pl.col(level.weights.confidence) if level.weights.confidence is not None else pl.lit(1.0)
    told = used.select(*MARK, "provider", "time", "end", "price", "quantity", confidence=confidence.cast(pl.Float64))
    if level.vote is not None:
        grouped = told.group_by(*MARK, "provider", "end", maintain_order=True)
        one = grouped.agg(VOTES[level.vote].alias("price"), pl.col("time").max(), pl.col("quantity").sum(), pl.col("confidence").mean())
        told = one.sort(*MARK, "provider")
    told = told.with_columns(parts(told, marks, number=level.partitions))
    return told.with_columns(pl.Series("weight", _weights(told, level), dtype=pl.Float64))


def _weights(votes: pl.DataFrame, level: Level) -> Vector:
    """What each vote weighs before caps and floors."""
    by, half_life = level.weights.by, level.weights.half_life
    found = np.ones(votes.height)
    if Weighting.QUANTITY in by:
        found = found * votes["quantity"].to_numpy()
    if Weighting.CONFIDENCE in by:
        found = found * votes["confidence"].to_numpy()
    if half_life is not None:
        ages = (votes["end"] - votes["time"]).dt.total_microseconds().to_numpy()
        found = found * halved(ages.astype(np.float64), half_life.total_seconds() * 1e6)
    return found


def valued(votes: pl.DataFrame, level: Level) -> pl.DataFrame:
    """index, start, value, votes, partitions and largest_share: the mean of the partitions in which there is a value.

    Args:
        votes: what `cast_votes` gave, each mark's in the order of its partitions.
        level: whose estimator, cap and floor.
    """
    groups = votes.group_by(*MARK, "part", maintain_order=True).agg(pl.len().alias("votes"), pl.col("end").first())
    bounds = np.concatenate([[0], np.cumsum(groups["votes"].to_numpy())]).astype(np.int64)
    weights, exists = votes["weight"].to_numpy(), np.ones(groups.height, dtype=bool)
    if level.weights.cap is not None or level.weights.floor is not None:
        who = votes["provider"].cast(pl.Categorical).to_physical().cast(pl.Int64).to_numpy()
        weights, exists = capped(weights, who, bounds, cap=level.weights.cap, floor=level.weights.floor)
    ends = groups["end"].to_physical().to_numpy()
    found = estimate(votes["price"].to_numpy(), weights, votes["time"].to_physical().to_numpy(), ends, bounds, level)
    value = pl.Series("value", found, dtype=pl.Float64).set(pl.Series(~exists, dtype=pl.Boolean), None)
    each = groups.with_columns(value).group_by(MARK, maintain_order=True)
    made = each.agg(pl.col("value").mean(), pl.col("votes").sum(), pl.col("value").count().alias("partitions"))
    return made.join(_largest(votes), on=MARK, how="left", maintain_order="left")


def estimate(prices: Vector, weights: Vector, times: Places, ends: Places, bounds: Places, level: Level) -> Vector:
    """The level's estimator over many marks, or partitions of marks, at once.

    Args:
        prices: (n,) USD.
        weights: (n,) none negative.
        times: (n,) microseconds, in order within each piece.
        ends: (m,) microseconds, the cut-off of each piece.
        bounds: (m + 1,) where the pieces begin and end.
        level: whose estimator, trim and tie.

    Returns (m,) USD.
    """
    trim, tie = level.trim or 0.0, level.tie or MedianTie.LOWER
    if prices.size == 0:
        return np.zeros(0)
    match level.estimator:
        case Estimator.MEDIAN:
            return estimators.medians(prices, bounds)
        case Estimator.TWAP:
            return estimators.means(prices, estimators.held(times, ends, bounds), bounds)
        case Estimator.MEAN | Estimator.VWAP:
            return estimators.means(prices, weights, bounds)
        case Estimator.WEIGHTED_MEDIAN | Estimator.VOLUME_WEIGHTED_MEDIAN:
            return estimators.weighted_medians(prices, weights, bounds, tie=tie)
        case Estimator.TRIMMED_MEAN:
            return estimators.trimmed_means(prices, weights, bounds, trim=trim)
        case Estimator.WINSORISED_MEAN:
            return estimators.winsorised_means(prices, weights, bounds, trim=trim)
        case Estimator.MIDDLE_THIRD_MEAN:
            return estimators.trimmed_means(prices, weights, bounds, trim=THIRD)


def _largest(votes: pl.DataFrame) -> pl.DataFrame:
    """The largest share of the weight that one contributor has before caps."""
    each = votes.group_by(*MARK, "provider", maintain_order=True).agg(pl.col("weight").sum())  # the same order, the same last digit
    return each.group_by(MARK, maintain_order=True).agg((pl.col("weight").max() / pl.col("weight").sum()).alias("largest_share"))


def _behind(used: pl.DataFrame) -> pl.DataFrame:
    """Counts, volume and spread of the prices behind each value."""
    return used.group_by(MARK).agg(
        pl.len().alias("observations"),
        pl.col("provider").n_unique().alias("contributors"),
        pl.col(SEEN).n_unique().alias("days"),
        pl.when(pl.col("quantity").count() > 0).then(pl.col("quantity").sum()).alias("quantity"),
        PRICE.mean().alias("mean"),
        PRICE.std().alias("sd"),
        PRICE.min().alias("min"),
        *(PRICE.quantile(share, interpolation="linear").alias(name) for name, share in PERCENTILES.items()),
        PRICE.max().alias("max"),
        pl.col("kind").cast(pl.String).unique().sort().alias("kinds"),
    )
