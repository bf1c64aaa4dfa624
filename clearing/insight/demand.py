"""Whose demand it is: accelerator-hours by class of work, region and scale-up size, and what was bid for and not served
(market design, section 9).
"""

import polars as pl

from tenorgrid.clearing.insight.listed import intervals
from tenorgrid.clearing.insight.orders import everywhere
from tenorgrid.clearing.insight.published import ANYWHERE, Published
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.tables.insight import Demand

COLUMNS = ["horizon", "class", "home", "region", "resource", "tier", "size", "hours", "share", "peak", "price", "spend"]
SHORT = 1e-7  # relative: less unserved than this is rounding of the solver


def demand(run: Published) -> pl.DataFrame:
    """`Demand`: every accelerator-hour that recipes used, by class, region of the work, region where it ran, resource, tier and size."""
    accelerators = run.case.resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value)["resource"]
    uses = run.case.recipe_resources.filter(pl.col("resource").is_in(accelerators.implode()), pl.col("per_hour") > 0.0)
    sizes = run.case.recipes.select("workload", "recipe", pl.col("domain").fill_null(1).alias("size"))
    region = run.case.locations.select("location", "region")
    homes = pl.concat([region, pl.DataFrame({"location": [ANYWHERE], "region": [ANYWHERE]})]).rename(
        {"location": "home", "region": "belongs"}
    )
    prices = run.prices.select("horizon", "start", "location", "resource", "tier", "price")
    rows = (
        run.placements.filter(pl.col("level") > 0.0)
        .join(uses, on=["workload", "recipe"])
        .join(sizes, on=["workload", "recipe"])
        .join(run.case.workloads.select("workload", "class"), on="workload")
        .join(region, on="location")
        .join(homes, on="home")
        .join(prices, on=["horizon", "start", "location", "resource", "tier"], how="left")
        .with_columns((pl.col("level") * pl.col("per_hour")).alias("use"))
        .with_columns((pl.col("use") * pl.col("price")).alias("cost"))
    )
    if rows.is_empty():
        return Demand.create_empty()
    hours = run.case.market.hours
    key = ["horizon", "class", "belongs", "region", "resource", "tier", "size"]
    each = rows.group_by(*key, "start").agg(pl.col("use").sum(), pl.col("cost").sum())
    table = each.group_by(key).agg(
        (pl.col("use").sum() * hours).alias("hours"), pl.col("use").max().alias("peak"), (pl.col("cost").sum() * hours).alias("spend")
    )
    order = {name: at for at, name in enumerate(run.horizons)}
    whole = table.with_columns(
        (pl.col("hours") / pl.col("hours").sum().over("horizon")).alias("share"),
        (pl.col("spend") / pl.col("hours")).alias("price"),
        pl.col("horizon").replace_strict(order, return_dtype=pl.Int64).alias("turn"),
    ).rename({"belongs": "home"})
    names = ["class", "home", "region", "resource", "tier", "size"]
    return whole.sort("turn", "hours", *names, descending=[False, True, *[False] * len(names)]).select(COLUMNS)


def unserved(run: Published) -> pl.DataFrame:
    """`Unserved`: work bid for and awarded, per workload and region; the wish of a step with a total is at most that total."""
    hours = run.case.market.hours
    bids = everywhere(run.case.bids, run.horizons).select(
        "horizon", "start", "end", pl.col("bid_id").alias("id"), "step", "workload", pl.col("home").fill_null(ANYWHERE), "quantity",
        "value", "total",
    )  # fmt: skip
    wanted = intervals(bids, run)
    served = (
        run.awards.filter(pl.col("side").cast(pl.String) == "bid")
        .group_by("horizon", "start", "id", "step")
        .agg(pl.col("quantity").sum().alias("got"))
    )
    each = wanted.join(served, on=["horizon", "start", "id", "step"], how="left").with_columns(pl.col("got").fill_null(0.0))
    steps = each.group_by("horizon", "id", "step", "workload", "home").agg(
        pl.min_horizontal(pl.col("quantity").sum() * hours, pl.col("total").first()).alias("wanted"),
        (pl.col("got").sum() * hours).alias("served"),
        pl.col("value").first(),
    )
    region = run.case.locations.select(pl.col("location").alias("home"), "region")
    named = steps.join(region, on="home", how="left").with_columns(pl.col("region").fill_null(ANYWHERE).alias("home"))
    short = pl.col("served") < (1.0 - SHORT) * pl.col("wanted")
    table = named.group_by("horizon", "workload", "home").agg(
        pl.col("wanted").sum(), pl.col("served").sum(), pl.col("value").filter(short).max().alias("highest")
    )
    order = {name: at for at, name in enumerate(run.horizons)}
    whole = table.join(run.case.workloads.select("workload", "class", "unit"), on="workload").with_columns(
        pl.when(pl.col("wanted") > 0.0).then(pl.col("served") / pl.col("wanted")).otherwise(1.0).alias("share"),
        pl.col("horizon").replace_strict(order, return_dtype=pl.Int64).alias("turn"),
    )
    names = ["horizon", "workload", "class", "home", "unit", "wanted", "served", "share", "highest"]
    return whole.sort("turn", "share", "workload", "home").select(names)
