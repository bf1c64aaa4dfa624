"""Pivotal suppliers: whether demand could be met without them (market design, section 9).

The residual supply index of suppliers S is RSI = (supply of all the others) / demand. Below 1 they are pivotal: whatever the others offer,
some of what was sold must come from them, and they may name its price. The screen counts listed hours of one accelerator in one region; it
knows of no substitute chip and no other region, which clearing again without a supplier does (`tenorgrid.clearing.whatif.change`).
Source: residual supply index and pivotal supplier tests of the US system operators' market monitors.
"""

import polars as pl

from tenorgrid.clearing.insight.published import Published
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.tables.insight import Pivotal, ResidualSupply

GROUP = ["horizon", "start", "region", "resource"]
NOTHING = 1e-9


def by_supplier(run: Published, listed: pl.DataFrame) -> pl.DataFrame:
    """Listed hours of each supplier of each accelerator in each region and interval: `GROUP`, participant, own, supply, demand, price.

    Args:
        run: whose prices.
        listed: from `tenorgrid.clearing.insight.listed.listed`.
    """
    accelerators = run.case.resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value)["resource"]
    region = run.case.locations.select("location", "region")
    rows = listed.filter(pl.col("resource").is_in(accelerators.implode())).join(region, on="location")
    own = rows.group_by(*GROUP, "participant").agg(pl.col("offered").sum().alias("own"), pl.col("sold").sum())
    firm = run.prices.filter(pl.col("tier") == "firm").join(region, on="location").group_by(GROUP).agg(pl.col("price").mean())
    whole = own.with_columns(pl.col("own").sum().over(GROUP).alias("supply"), pl.col("sold").sum().over(GROUP).alias("demand"))
    return whole.drop("sold").filter(pl.col("demand") > NOTHING).join(firm, on=GROUP, how="left")


def residual_supply(suppliers: pl.DataFrame, *, largest: int = 1) -> pl.DataFrame:
    """`ResidualSupply`: each group's RSI without its `largest` suppliers, three of them for the test of three pivotal suppliers.

    Raises InputError where `largest` is below 1.
    """
    if largest < 1:
        raise InputError.of("pivotal", "at least one supplier to leave out", column="largest", value=largest)
    ranked = suppliers.sort(*GROUP, "own", "participant", descending=[False] * 4 + [True, False])
    first = ranked.group_by(GROUP, maintain_order=True).agg(
        pl.col("participant").head(largest).str.join(";").alias("largest"),
        pl.col("own").head(largest).sum().alias("out"),
        pl.col("supply").first(), pl.col("demand").first(), pl.col("price").first(),
    )  # fmt: skip
    without = (pl.col("supply") - pl.col("out")).clip(0.0)
    return first.with_columns(without.alias("without"), (without / pl.col("demand")).alias("index")).select(list(ResidualSupply.columns()))


def pivotal(run: Published, suppliers: pl.DataFrame) -> pl.DataFrame:
    """`Pivotal`: how often each supplier alone was, those that were most often first."""
    index = ((pl.col("supply") - pl.col("own")).clip(0.0) / pl.col("demand")).alias("index")
    rows = suppliers.filter(pl.col("own") > 0.0).with_columns(index)
    if rows.is_empty():
        return Pivotal.create_empty()
    must = pl.col("index") < 1.0 - NOTHING
    table = rows.group_by("horizon", "region", "resource", "participant").agg(
        pl.len().cast(pl.Int64).alias("intervals"),
        must.sum().cast(pl.Int64).alias("pivotal"),
        (pl.col("own").sum() / pl.col("supply").sum()).alias("share"),
        pl.col("index").min().alias("lowest"),
        pl.col("start").sort_by("index", "start").first().alias("lowest_at"),
        pl.col("price").filter(~must).mean().alias("price"),
        pl.col("price").filter(must).mean().alias("price_pivotal"),
    )
    order = {name: at for at, name in enumerate(run.horizons)}
    turn = pl.col("horizon").replace_strict(order, return_dtype=pl.Int64)
    ranked = table.sort(
        turn, "pivotal", "lowest", "region", "resource", "participant", descending=[False, True, False, False, False, False]
    )
    return ranked.select(list(Pivotal.columns()))
