"""Tiers sold out: where no listed hour was left that could have been sold in a tier, at whatever price (market design, section 9)."""

import polars as pl

from tenorgrid.clearing.insight.orders import DUST
from tenorgrid.clearing.insight.published import Published
from tenorgrid.data.tables.insight import SoldOut


def sold_out(run: Published, listed: pl.DataFrame) -> pl.DataFrame:
    """`SoldOut` per horizon and node, the most often sold out first.

    Args:
        run: whose prices.
        listed: from `tenorgrid.clearing.insight.listed.listed`.
    """
    key = ["horizon", "start", "location", "resource"]
    firm, every = pl.col("firmable"), pl.lit(True)
    parts = []
    for tier in run.case.tiers["tier"]:
        here = listed.filter(firm if tier == "firm" else every)
        amounts = here.group_by(key).agg(pl.col("offered").sum(), pl.col("sold").sum())
        parts.append(amounts.filter(pl.col("offered") > 0.0).with_columns(pl.lit(tier).alias("tier")))
    rows = pl.concat(parts).join(run.prices.select(*key, "tier", "price", "scarcity"), on=[*key, "tier"])
    if rows.is_empty():
        return SoldOut.create_empty()
    none_left = pl.col("sold") >= (1.0 - DUST) * pl.col("offered")
    scarce = pl.col("scarcity").fill_null(0.0)
    table = rows.group_by("horizon", "location", "resource", "tier").agg(
        pl.len().cast(pl.Int64).alias("intervals"),
        none_left.sum().cast(pl.Int64).alias("sold_out"),
        (pl.col("sold").sum() / pl.col("offered").sum()).alias("sold"),
        pl.col("price").filter(~none_left).mean().alias("price"),
        pl.col("price").filter(none_left).mean().alias("price_sold_out"),
        (scarce > 0.0).sum().cast(pl.Int64).alias("scarce"),
        scarce.max().alias("scarcity"),
    )
    order = {name: at for at, name in enumerate(run.horizons)}
    turn = pl.col("horizon").replace_strict(order, return_dtype=pl.Int64)
    ranked = table.sort(turn, "sold_out", "location", "resource", "tier", descending=[False, True, False, False, False])
    return ranked.select(list(SoldOut.columns()))
