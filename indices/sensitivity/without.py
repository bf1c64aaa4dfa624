"""Leave one out: every mark made again, by the whole methodology, without each of its contributors."""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from tenorgrid.data.kinds.index import FilterRule
from tenorgrid.indices.calculation import Calculation, by_evidence
from tenorgrid.indices.levels import tried
from tenorgrid.indices.reviews import reviewed
from tenorgrid.indices.scope import scope
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.windows import MARK, in_windows

ROWS = 2_000_000  # of made-up marks at a time
LEFT = "left"  # number of the index and contributor that a made-up index goes without


def without_each(made: Calculation) -> pl.DataFrame:
    """index, start, provider and value of every mark with a level: what its evidence gives without the contributor; null: no mark.

    Everything is decided again from the observations of the others: eligibility, reviews and normalisation, filters, weights, caps, the
    ladder of levels and the estimator. What a fallback would put in place is no evidence and does not count. The contributors of a mark
    are all that show anything in its scope and window, what was excluded included.

    The kernels of the marks do it for all at once: an index without a contributor is one more index.

    >>> from datetime import UTC, date, datetime
    >>> from tenorgrid.indices.calculation import calculate
    >>> from tenorgrid.indices.methodology import load
    >>> row = {"time": datetime(2027, 1, 5, 12, tzinfo=UTC), "resource": "h100-sxm", "region": "us-east", "tier": "firm"}
    >>> row["kind"] = "list price"
    >>> listed = {"nimbus": 2.4, "cirrus": 2.6, "stratus": 2.5, "cumulus": 9.0}
    >>> seen = pl.DataFrame([row | {"observation_id": name, "provider": name, "price": price} for name, price in listed.items()])
    >>> made = calculate(seen, methodology=load("house"), first=date(2027, 1, 5), end=date(2027, 1, 6), indices=["H100-SXM.US.FIRM"])
    >>> without_each(made).select("provider", pl.col("value").round(4)).rows()
    [('cirrus', 2.5), ('cumulus', 2.5), ('nimbus', 2.6), ('stratus', 2.6)]
    """
    marked = made.decided.filter(pl.col("level").is_not_null()).select(MARK)
    spread = in_windows(made.rows.select("index", "time", "provider").with_row_index("row"), made.marked)
    spread = spread.join(marked, on=MARK, how="semi", maintain_order="left")
    pairs = spread.select(*MARK, "provider").unique().sort(*MARK, "provider")
    several = pairs.filter(pl.len().over(MARK) > 1)  # alone, nothing is left
    if several.is_empty():
        return pairs.with_columns(value=pl.lit(None, dtype=pl.Float64))
    groups = several.select("index", "provider").unique().sort("index", "provider").with_row_index(LEFT)
    several = several.join(groups, on=["index", "provider"], maintain_order="left")
    found = pl.concat(_values(made, batch, spread, several) for batch in _batches(made, groups))
    values = several.join(found, on=[LEFT, "start"], how="inner").select(*MARK, "provider", "value")
    return pairs.join(values, on=[*MARK, "provider"], how="left", maintain_order="left")


def ranges(made: Calculation) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Of each mark with a level the lowest and the highest value without one contributor, and whose absence leaves no mark.

    Of contributors without whom the value is the same, the first by name is told.
    """
    each = without_each(made)
    left = each.drop_nulls("value").sort(*MARK, "value", "provider")
    ends = left.group_by(MARK, maintain_order=True).agg(
        lowest=pl.struct("value", without="provider").first(),
        highest=pl.struct("value", without="provider").filter(pl.col("value") == pl.col("value").max()).first(),
    )
    gone = each.filter(pl.col("value").is_null()).group_by(MARK, maintain_order=True).agg(no_mark="provider")
    whole = each.select(MARK).unique(maintain_order=True).join(ends, on=MARK, how="left").join(gone, on=MARK, how="left")
    rows = whole.select("lowest", "highest", pl.col("no_mark").fill_null([])).iter_rows(named=True)
    return dict(zip(whole.select(MARK).iter_rows(), rows, strict=True))


def _batches(made: Calculation, groups: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Indices and contributors whose rows together are few enough; those of one index at least."""
    counts = made.rows.group_by("index").len()
    rows = groups.join(counts, on="index", maintain_order="left")["len"].cum_sum()
    for _, batch in groups.with_columns(batch=rows // ROWS).group_by("batch", maintain_order=True):
        yield batch.drop("batch")


def _values(made: Calculation, groups: pl.DataFrame, spread: pl.DataFrame, several: pl.DataFrame) -> pl.DataFrame:
    """left, start and value of made-up indices, each without its contributor."""
    rule = made.methodology
    if rule.normalisation is not None or any(level.review is not None for level in rule.levels):
        rows = _made_again(made, groups)
    else:
        wanted = made.rows.with_row_index("row")
        if not _looks_further(rule):  # only what a mark with the contributor sees
            mine = several.filter(pl.col(LEFT).is_in(groups[LEFT].implode())).select(*MARK, LEFT)
            seen = spread.select("row", *MARK).join(mine, on=MARK).select("row", LEFT).unique()
            wanted = seen.join(wanted, on="row").join(groups.select(LEFT, alone="provider"), on=LEFT)
        else:
            wanted = wanted.join(groups.select(LEFT, "index", alone="provider"), on="index")
        rows = wanted.filter(pl.col("provider").ne_missing(pl.col("alone"))).drop("alone", "row")
    named = rows.with_columns(index=pl.col(LEFT)).drop(LEFT).sort("index", "time", "observation_id")
    best = by_evidence(tried(named, rule, made.marked))
    return best.select(pl.col("index").alias(LEFT), "start", "value")


def _looks_further(methodology: Methodology) -> bool:
    """Whether a filter sees rows outside of the mark's own window."""
    return any(part.within == "period" and part.rule is not FilterRule.BOUNDS for level in methodology.levels for part in level.filters)


def _made_again(made: Calculation, groups: pl.DataFrame) -> pl.DataFrame:
    """Rows of the made-up indices where reviews or a regression look at all contributors: brought into scope once for each left out."""
    parts = []
    for (provider,), mine in groups.group_by("provider", maintain_order=True):
        seen = made.observations.filter(pl.col("provider").ne_missing(pl.lit(provider)))
        names: Sequence[str] = mine["index"].to_list()
        rows = scope(reviewed(seen, made.methodology), made.methodology, first=made.since, end=made.end, indices=list(names))
        parts.append(rows.join(mine.select("index", LEFT), on="index"))
    return pl.concat(parts, how="diagonal")
