"""One level of evidence: the value that its eligible observations give for each index and day, and what stands behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.kinds import Estimator, MedianTie, Pooling
from tenorgrid.indices import estimators
from tenorgrid.indices.eligibility import screen
from tenorgrid.indices.estimators import Vector
from tenorgrid.indices.scope import MARK, SEEN, in_windows
from tenorgrid.indices.specification import Level, Methodology, Sufficiency

PERCENTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
COUNTS = ("observations", "contributors", "days")


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one level found: `used` and `excluded` rows for each mark that sees them, and `values`, one row an index and day."""

    level: Level
    used: pl.DataFrame
    excluded: pl.DataFrame
    values: pl.DataFrame


def tried(rows: pl.DataFrame, methodology: Methodology, *, first: date, end: date) -> tuple[Evidence, ...]:
    """The evidence of each level in turn, for the marks that no earlier level suffices to publish."""
    found: list[Evidence] = []
    settled = pl.DataFrame(schema={"index": pl.String, "day": pl.Date})
    for level in methodology.levels:
        part = weigh(rows, level, methodology, first=first, end=end, settled=settled)
        found.append(part)
        if level.publish is not None:
            settled = pl.concat([settled, part.values.filter(reaches(level.publish)).select(MARK)])
    return tuple(found)


def reaches(least: Sufficiency) -> pl.Expr:
    """Whether what stands behind a value is as much as `least`."""
    return pl.all_horizontal(pl.col(name) >= getattr(least, name) for name in COUNTS)


def weigh(rows: pl.DataFrame, level: Level, methodology: Methodology, *, first: date, end: date, settled: pl.DataFrame) -> Evidence:
    """The level's value of every index and day of [first, end) for which something is eligible, but for those that are settled.

    Args:
        rows: what `scope` gave.
        level: one of the methodology's levels.
        methodology: the whole rule, for its window.
        first: first day wanted.
        end: the day after the last.
        settled: index and day of the marks that need no more evidence.
    """
    screened = screen(rows, level)
    spread = partial(in_windows, methodology=methodology, first=first, end=end)
    used, excluded = (
        spread(part).join(settled, on=MARK, how="anti", maintain_order="left") for part in (screened.eligible, screened.excluded)
    )
    votes = _votes(used, level)
    values = votes.group_by(MARK, maintain_order=True).agg(pl.len().alias("votes"))
    found = list(_values(votes, values["votes"].to_numpy(), level, methodology))
    values = values.with_columns(pl.Series("value", found, dtype=pl.Float64))
    return Evidence(level=level, used=used, excluded=excluded, values=values.join(_behind(used), on=MARK, maintain_order="left"))


def _votes(used: pl.DataFrame, level: Level) -> pl.DataFrame:
    """Prices that the estimator sees: the observations, or the median of each contributor."""
    if level.pooling is Pooling.OBSERVATION:
        return used.select(*MARK, "provider", "time", "price", "quantity")
    grouped = used.group_by(*MARK, "provider").agg(pl.col("price").median())
    return grouped.sort(*MARK, "provider").with_columns(time=pl.lit(None), quantity=pl.lit(None, dtype=pl.Float64))


def _values(votes: pl.DataFrame, counts: npt.NDArray[np.uint32], level: Level, methodology: Methodology) -> Iterator[float]:
    prices, quantities = votes["price"].to_numpy(), votes["quantity"].to_numpy()
    parts = _partitions(votes, level, methodology)
    estimate = estimator(level)
    stops = np.cumsum(counts)
    for start, stop in zip(stops - counts, stops, strict=True):
        yield estimate(prices[start:stop], quantities[start:stop], parts[start:stop])


def estimator(level: Level) -> Callable[[Vector, Vector, npt.NDArray[np.int64]], float]:
    """The level's estimator as one function of prices, quantities and partitions."""
    trim, tie = level.trim or 0.0, level.tie or MedianTie.LOWER
    if level.estimator is Estimator.MEDIAN:
        return lambda prices, quantities, parts: estimators.median(prices)
    if level.estimator is Estimator.TRIMMED_MEAN:
        return lambda prices, quantities, parts: estimators.trimmed_mean(prices, trim=trim)
    within: Callable[[Vector, Vector], float] = (
        estimators.vwap if level.estimator is Estimator.VWAP else partial(estimators.volume_weighted_median, tie=tie)
    )
    if level.partitions == 1:
        return lambda prices, quantities, parts: within(prices, quantities)
    return lambda prices, quantities, parts: estimators.partitioned(prices, quantities, parts, estimator=within)


def _partitions(votes: pl.DataFrame, level: Level, methodology: Methodology) -> npt.NDArray[np.int64]:
    """Which of the equal parts of its mark's window each vote fell in."""
    if level.partitions == 1 or votes.is_empty():
        return np.zeros(votes.height, dtype=np.int64)
    days = votes["day"].unique().to_list()
    back = timedelta(methodology.window_days - 1)
    edges = pl.DataFrame(
        {"day": days, "opens": [methodology.opens(day - back) for day in days], "closes": [methodology.closes(day) for day in days]}
    )
    passed, whole = (pl.col(moment) - pl.col("opens") for moment in ("time", "closes"))
    part = passed.dt.total_microseconds() * level.partitions // whole.dt.total_microseconds()  # whole numbers: an edge opens its part
    return votes.join(edges, on="day", maintain_order="left").select(part).to_series().to_numpy()


def _behind(used: pl.DataFrame) -> pl.DataFrame:
    """Counts, volume and spread of the prices behind each value."""
    price = pl.col("price")
    return used.group_by(MARK).agg(
        pl.len().alias("observations"),
        pl.col("provider").n_unique().alias("contributors"),
        pl.col(SEEN).n_unique().alias("days"),
        pl.when(pl.col("quantity").count() > 0).then(pl.col("quantity").sum()).alias("quantity"),
        price.mean().alias("mean"),
        price.std().alias("sd"),
        price.min().alias("min"),
        *(price.quantile(share, interpolation="linear").alias(name) for name, share in PERCENTILES.items()),
        price.max().alias("max"),
        pl.col("kind").cast(pl.String).unique().sort().alias("kinds"),
    )
