"""Filters: which eligible observations go, each with the rule, what it showed and the limit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import FilterRule, MedianTie
from tenorgrid.indices.estimators import medians, weighted_medians
from tenorgrid.indices.specification import Filter
from tenorgrid.indices.windows import MARK, PERIOD

REASON = ("rule", "value", "limit")
TO_SIGMA = 1.4826  # the standard deviation of a normal variable, in median absolute deviations
TO_SIGMA_MEAN = 1.253314  # and in mean absolute deviations
PRICE = pl.col("price")


@dataclass(frozen=True, kw_only=True)
class Screened:
    """Rows that count, and those that do not with `rule`, `value` and `limit`; both in the order in which they came."""

    eligible: pl.DataFrame
    excluded: pl.DataFrame


def filtered(rows: pl.DataFrame, filters: Sequence[Filter], *, by_quantity: bool) -> Screened:
    """Apply filters in their order, each to what the ones before left.

    Args:
        rows: what `scope` gave, or for filters within the window what `in_windows` made of it.
        filters: the rules, all within the period or all within the window.
        by_quantity: whether a venue's median weighs its observations by quantity.

    Sources: Tukey, J. W. (1977), Exploratory data analysis, for the fences; Iglewicz, B. and Hoaglin, D. C. (1993), How to detect and
    handle outliers, for the median absolute deviation, and the mean one where that is 0.
    """
    gone = []
    for one in filters:
        group = MARK if one.within == "window" else ["index", PERIOD]
        verdicts = _verdicts(rows, one, group, by_quantity=by_quantity)
        out = verdicts["gone"]
        gone.append(pl.concat([rows.filter(out), verdicts.filter(out).drop("gone")], how="horizontal"))
        rows = rows.filter(~out)
    empty = rows.clear().with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in REASON)
    return Screened(eligible=rows, excluded=pl.concat([empty, *gone]))


def _verdicts(rows: pl.DataFrame, one: Filter, group: list[str], *, by_quantity: bool) -> pl.DataFrame:
    """Of each row whether it is `gone`, and by which rule, value and limit."""
    end = ["end"] if "end" in rows.columns else []
    slim = rows.select(*group, "time", "price", "quantity", *end, contributor="provider", venue=one.column)
    if one.rule is FilterRule.VENUE:
        judged = _venues(slim, one, group, by_quantity=by_quantity)
    elif one.rule is FilterRule.JUMP:
        judged = _jumps(slim, one)
    else:
        judged = JUDGES[one.rule](slim, one, group)
    reasons = (pl.lit(one.rule.value).alias("rule"), pl.col("value").cast(pl.String), pl.col("limit").cast(pl.String))
    return judged.select(pl.col("gone").fill_null(False), *reasons)


def _too_few(rows: pl.DataFrame, one: Filter, group: list[str]) -> pl.DataFrame:
    count = pl.len().over(group)
    return rows.with_columns(gone=count < one.at_least, value=count, limit=pl.lit(f"at least {one.at_least}"))


def _sigma(rows: pl.DataFrame, one: Filter, group: list[str]) -> pl.DataFrame:
    """Further than `limit` sample standard deviations (of all prices) from the mean without the share `trim` at each end.

    The mean is taken without the `floor(trim n)` lowest and as many highest prices, at least one at each end where trim is above 0. A
    price exactly at the limit stays; where all are equal none goes.

    Source: CCIR methodology 1.1.0, section 7.2; at least one price at each end and the n − 1 are those of the administrator's program.
    """
    count = pl.len()
    cut = (count * one.trim).floor().cast(pl.Int64).clip(lower_bound=1) if one.trim else pl.lit(0, dtype=pl.Int64)
    middle = PRICE.sort().slice(cut, count.cast(pl.Int64) - 2 * cut).mean().over(group)
    return _distance(rows, one, group, middle=middle, limit=one.limit * PRICE.std().over(group))


def _mad(rows: pl.DataFrame, one: Filter, group: list[str]) -> pl.DataFrame:
    """Further than `limit` scaled median absolute deviations from the median; the mean deviation serves where the median one is 0."""
    middle = PRICE.median().over(group)
    told = rows.with_columns(away=(PRICE - middle).abs())
    median, mean = pl.col("away").median().over(group), pl.col("away").mean().over(group)
    scale = pl.when(median > 0).then(TO_SIGMA * median).otherwise(TO_SIGMA_MEAN * mean)
    return _distance(told, one, group, middle=middle, limit=one.limit * scale)


def _distance(rows: pl.DataFrame, one: Filter, group: list[str], *, middle: pl.Expr, limit: pl.Expr) -> pl.DataFrame:
    told = rows.with_columns(middle=middle, farthest=limit, count=pl.len().over(group), spread=(PRICE.max() - PRICE.min()).over(group))
    far = (PRICE - pl.col("middle")).abs() > pl.col("farthest")
    gone = far & (pl.col("count") >= one.at_least) & (pl.col("spread") > 0)
    shown = pl.format("within {} of {}", pl.col("farthest").round_sig_figs(6), pl.col("middle").round_sig_figs(6))
    return told.with_columns(gone=gone, value=PRICE, limit=pl.when(gone).then(shown))


def _tukey(rows: pl.DataFrame, one: Filter, group: list[str]) -> pl.DataFrame:
    """Outside of the quartiles by more than `limit` times the distance between them; quartiles by linear interpolation."""
    low, high = (PRICE.quantile(share, interpolation="linear").over(group) for share in (0.25, 0.75))
    told = rows.with_columns(low=low, high=high, count=pl.len().over(group)).with_columns(
        reach=one.limit * (pl.col("high") - pl.col("low"))
    )
    low, high = pl.col("low") - pl.col("reach"), pl.col("high") + pl.col("reach")
    gone = ~PRICE.is_between(low, high) & (pl.col("count") >= one.at_least)
    shown = pl.format("from {} to {}", low.round_sig_figs(6), high.round_sig_figs(6))
    return told.with_columns(gone=gone, value=PRICE, limit=pl.when(gone).then(shown))


def _trimmed(rows: pl.DataFrame, one: Filter, group: list[str]) -> pl.DataFrame:
    """The `floor(share n)` lowest and as many highest; of equal prices the earliest counts as the lowest."""
    count = pl.len().over(group)
    cut = (count * one.limit).floor()
    rank = PRICE.rank("ordinal").over(group)
    gone = ((rank <= cut) | (rank > count - cut)) & (count >= one.at_least)
    return rows.with_columns(gone=gone, value=PRICE, limit=pl.lit(f"outside of the {one.limit:g} lowest and highest"))


def _stale(rows: pl.DataFrame, one: Filter, group: list[str]) -> pl.DataFrame:
    age = pl.col("end") - pl.col("time")
    hours = (age.dt.total_seconds() / 3600).round(3)
    return rows.with_columns(gone=age > one.age, value=pl.format("{} h", hours), limit=pl.lit(f"at most {_hours(one):g} h"))


def _bounds(rows: pl.DataFrame, one: Filter, group: list[str]) -> pl.DataFrame:
    low, high = one.lowest, one.highest
    gone = pl.any_horizontal(*([] if low is None else [PRICE.lt(low)]), *([] if high is None else [PRICE.gt(high)]))
    words = [*([] if low is None else [f"at least {low:g}"]), *([] if high is None else [f"at most {high:g}"])]
    return rows.with_columns(gone=gone, value=PRICE, limit=pl.lit(" and ".join(words)))


def _venues(rows: pl.DataFrame, one: Filter, group: list[str], *, by_quantity: bool) -> pl.DataFrame:
    """All of a venue whose median lies further than the share `limit` from the median of the venues' medians.

    A venue's median is weighted by volume (`lower` where exactly half lies there) where the level weighs by quantity. With fewer than
    `at_least` venues nobody can tell which is in error, and none goes.

    Source: CME CF Bitcoin Reference Rate, methodology guide, section on erroneous data.
    """
    key = [*group, "venue"]
    venues = rows.sort(key, maintain_order=True)
    each = venues.group_by(key, maintain_order=True).agg(pl.len().alias("count"))
    bounds = np.concatenate([[0], np.cumsum(each["count"].to_numpy())]).astype(np.int64)
    prices = venues["price"].to_numpy()
    own = weighted_medians(prices, venues["quantity"].to_numpy(), bounds, tie=MedianTie.LOWER) if by_quantity else medians(prices, bounds)
    told = each.select(*key, own=pl.Series(own, dtype=pl.Float64)).with_columns(
        middle=pl.col("own").median().over(group), venues=pl.len().over(group)
    )
    far = (pl.col("own") - pl.col("middle")).abs() > one.limit * pl.col("middle").abs()
    told = told.with_columns(gone=far & (pl.col("venues") >= one.at_least))
    shown = pl.format(f"within {100 * one.limit:g} % of {{}}", pl.col("middle").round_sig_figs(6))
    judged = rows.join(told, on=key, how="left", nulls_equal=True, maintain_order="left")
    return judged.with_columns(value=pl.col("own"), limit=shown)


def _jumps(rows: pl.DataFrame, one: Filter) -> pl.DataFrame:
    """All that a contributor showed in a period in which its median moved by more than the share `limit`.

    It is held against its median in the last period, at most `back` periods earlier, in which it showed anything. A move that holds is
    taken from the next period on.
    """
    key = ["index", "contributor", PERIOD]
    each = rows.group_by(key).agg(PRICE.median().alias("own")).sort(key)
    before, gap = (pl.col(name).shift(1).over("index", "contributor") for name in ("own", PERIOD))
    each = each.with_columns(before=pl.when(pl.col(PERIOD) - gap <= one.back).then(before))
    moved = (pl.col("own") - pl.col("before")).abs() > one.limit * pl.col("before").abs()
    shown = pl.format(f"within {100 * one.limit:g} % of {{}}", pl.col("before").round_sig_figs(6))
    judged = rows.join(each.with_columns(gone=moved), on=key, how="left", maintain_order="left")
    return judged.with_columns(value=pl.col("own"), limit=shown)


def _hours(one: Filter) -> float:
    return 0.0 if one.age is None else one.age.total_seconds() / 3600


JUDGES: Mapping[FilterRule, Callable[[pl.DataFrame, Filter, list[str]], pl.DataFrame]] = {
    FilterRule.TOO_FEW: _too_few,
    FilterRule.SIGMA: _sigma,
    FilterRule.MAD: _mad,
    FilterRule.TUKEY: _tukey,
    FilterRule.TRIMMED: _trimmed,
    FilterRule.STALE: _stale,
    FilterRule.BOUNDS: _bounds,
}
