"""Hull prices that are average costs: what an offer that is committed whole costs per hour, its start included (market design, section 5).

At hull prices an offer that is decided whole may set the price without being sold in part, even without being on: the price is its
average cost over its cheapest steps, the start spread over a run.
"""

import polars as pl

from tenorgrid.clearing.insight.orders import everywhere, priced, tiers, whole
from tenorgrid.clearing.insight.published import Published
from tenorgrid.clearing.insight.recipes_used import CLOSE


def averages(run: Published, nodes: pl.DataFrame) -> pl.DataFrame:
    r"""Of some nodes those at whose price a committed offer's average cost stands.

    Over the steps 1 to i and a run of H intervals of Δ hours: :math:`(start + H \Delta \sum_i q_i c_i) / (H \Delta \sum_i q_i)`, with the
    premium and the adder of the tier. H is the shortest run of the offer, or its window.

    Args:
        run: whose case has the offers.
        nodes: node, `NODE` and price.

    Returns node, set_by (average), id, step (the last of the steps), participant, order, premium, scarcity, domain.
    """
    empty = pl.DataFrame(schema={"node": pl.UInt32})
    offers = everywhere(run.case.offers, run.horizons).filter(whole())
    offers = offers.filter(pl.col("resource").n_unique().over("horizon", "offer_id") == 1)  # of one resource: else its cost has no one unit
    if offers.is_empty() or nodes.is_empty():
        return empty
    hours = run.case.market.hours
    key = ["horizon", "offer_id"]
    steps = offers.sort(*key, "step").with_columns(
        pl.col("quantity").cum_sum().over(key).alias("upto"),
        (pl.col("quantity") * pl.col("price")).cum_sum().over(key).alias("spent"),
        pl.col("min_hours").fill_null(1).cast(pl.Float64).clip(hours).alias("shortest"),
        ((pl.col("end") - pl.col("start")).dt.total_seconds() / 3600.0).alias("longest"),
    )
    runs = pl.concat([steps.with_columns(pl.col(name).alias("length")) for name in ("shortest", "longest")]).filter(pl.col("upto") > 0)
    cost = runs.with_columns(
        ((pl.col("start_cost").fill_null(0.0) / pl.col("length") + pl.col("spent")) / pl.col("upto")).alias("cost"),
        pl.col("domain").fill_null(1),
    )
    chosen = cost.select(
        "horizon", pl.col("offer_id").alias("id"), "participant", "location", "resource", pl.col("start").alias("first"), "end", "step",
        "cost", "firm_premium", "domain",
    )  # fmt: skip
    rows = nodes.select("node", "horizon", "start", "location", "resource", "tier", pl.col("price").alias("said"))
    rows = rows.join(chosen, on=["horizon", "location", "resource"]).filter(
        pl.col("start") >= pl.col("first"),
        pl.col("start") < pl.col("end"),
        (pl.col("tier") != "firm") | pl.col("firm_premium").is_not_null(),
    )
    found = priced(rows.join(tiers(run.case.tiers), on="tier"), run)
    near = (pl.col("implied") - pl.col("said")).abs() <= CLOSE * pl.max_horizontal(pl.col("said").abs(), 0.01)
    return (
        found.filter(near)
        .sort("node", "id", "step")
        .unique("node", keep="first", maintain_order=True)
        .select(
            "node", pl.lit("average").alias("set_by"), "id", "step", "participant", pl.col("own").alias("order"), "premium", "scarcity",
            pl.col("domain_part").alias("domain"),
        )
    )  # fmt: skip
