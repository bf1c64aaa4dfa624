"""Recipes that ran, as equations between the price of work and the prices of what the recipe uses (market design, section 4):

    ω = Σ_j x_j λ_j / φ + e (κ + μ)

They carry a price from where it is set to where it is felt.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.insight.orders import NODE, POOL
from tenorgrid.clearing.insight.published import ANYWHERE, Published
from tenorgrid.data.kinds.market import PricingRule

Vector = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

CLOSE = 1e-6  # relative to the price: the limit that the certificate holds prices to
NOWHERE = -1


@dataclass(frozen=True, kw_only=True)
class Used:
    """Recipes that ran and whose equation holds at the published prices.

    `rows` has one row per pool, recipe and place: the columns of placements, pool (row of workload_prices), omega and carriage (USD per
    unit of work). `of`, `node`, `per_unit` and `price` (uses,) say which row of `rows` uses which node (row of prices), how much of it
    for a unit of work, and at which λ.
    """

    rows: pl.DataFrame = field(repr=False)
    pool: Index = field(repr=False)
    of: Index = field(repr=False)
    node: Index = field(repr=False)
    per_unit: Vector = field(repr=False)
    price: Vector = field(repr=False)


def used(run: Published) -> Used:
    """The recipes that ran in a run."""
    pools = run.workload_prices.select(*POOL, pl.col("price").alias("omega")).with_row_index("pool")
    rows = run.placements.join(pools, on=POOL, how="inner", maintain_order="left").join(
        run.case.recipes.select("workload", "recipe", "output_per_hour"), on=["workload", "recipe"], how="inner", maintain_order="left"
    )
    rows = rows.join(carriage(run), on=["horizon", "start", "workload", "home", "location"], how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("moving").fill_null(0.0), pl.col("crowding").fill_null(0.0)).with_row_index("of")
    nodes = run.prices.select(*NODE, "price").with_row_index("node")
    uses = (
        rows.select("of", *NODE[:3], "tier", "workload", "recipe", "output_per_hour")
        .join(run.case.recipe_resources.filter(pl.col("per_hour") > 0.0), on=["workload", "recipe"])
        .join(nodes, on=NODE)
        .with_columns((pl.col("per_hour") / pl.col("output_per_hour")).alias("per_unit"))
    )
    cost = uses.group_by("of").agg(
        (pl.col("per_unit") * pl.col("price")).sum().alias("resources"), pl.col("price").null_count().alias("unknown")
    )
    rows = rows.join(cost, on="of", how="left", maintain_order="left")
    slack = pl.col("omega") - pl.col("resources") - pl.col("moving")
    # Congestion is published at the marginal prices. Under the other rule it is what the equation leaves.
    left = slack.clip(0.0) if run.rule is not PricingRule.MARGINAL else pl.col("crowding")
    rows = rows.with_columns(pl.when(pl.col("away")).then(pl.col("moving") + left).otherwise(0.0).alias("carriage"))
    scale = CLOSE * pl.max_horizontal(pl.col("omega").abs(), 1e-9)
    holds = (pl.col("unknown") == 0) & ((pl.col("omega") - pl.col("resources") - pl.col("carriage")).abs() <= scale)
    kept = rows.filter(holds.fill_null(False)).drop("of").with_row_index("new")
    place = rows.select("of").join(
        rows.filter(holds.fill_null(False)).select("of").with_row_index("new"), on="of", how="left", maintain_order="left"
    )
    sound = uses.join(place.drop_nulls("new"), on="of", how="inner")
    return Used(
        rows=kept.drop("new"),
        pool=kept["pool"].cast(pl.Int64).to_numpy(),
        of=sound["new"].cast(pl.Int64).to_numpy(),
        node=sound["node"].cast(pl.Int64).to_numpy(),
        per_unit=sound["per_unit"].to_numpy(),
        price=sound["price"].to_numpy(),
    )


def carriage(run: Published) -> pl.DataFrame:
    """What moving the data of one unit of work costs from its home to elsewhere, over the cheapest link between the two.

    Columns horizon, start, workload, home, location, moving (e κ), crowding (e μ at marginal prices) and away (true).
    """
    away = pl.lit(True).alias("away")
    moved = run.placements.filter(pl.col("home") != ANYWHERE, pl.col("home") != pl.col("location")).select(
        "horizon", "start", "workload", "home", "location"
    )
    links = run.case.links.select(
        "link", pl.col("from").alias("home"), pl.col("to").alias("location"), pl.col("cost_per_gib").alias("kappa")
    )
    congestion = run.binding.filter(pl.col("kind").cast(pl.String) == "link").select(
        "horizon", "start", pl.col("key").alias("link"), pl.col("dual").alias("mu")
    )
    egress = run.case.workloads.select("workload", pl.col("egress_gib_per_unit").fill_null(0.0).alias("egress"))
    priced = (
        moved.unique(maintain_order=True)
        .join(links, on=["home", "location"])
        .join(egress, on="workload")
        .join(congestion, on=["horizon", "start", "link"], how="left", maintain_order="left")
        .with_columns(pl.col("mu").fill_null(0.0))
        .sort(pl.col("kappa") + pl.col("mu"), "link")
    )
    one = priced.unique(["horizon", "start", "workload", "home", "location"], keep="first", maintain_order=True)
    return one.select(
        "horizon", "start", "workload", "home", "location",
        (pl.col("egress") * pl.col("kappa")).alias("moving"), (pl.col("egress") * pl.col("mu")).alias("crowding"), away,
    )  # fmt: skip
