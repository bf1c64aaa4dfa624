"""Who holds reserve and who uses what it protects: the quantities that the scarcity adder is paid and charged on (market design,
section 4).
"""

import numpy as np
import polars as pl

from tenorgrid.clearing.awards import served, sold
from tenorgrid.clearing.engine import Cleared
from tenorgrid.clearing.tiers import FIRM


def groups(cleared: Cleared) -> pl.DataFrame:
    """hour, region, resource and the adder A of every group with a scarcity curve, USD per resource-hour."""
    shape = cleared.problem.layout
    rows = shape.rows.filter(pl.col("kind") == "reserve").select("number", pl.col("location").alias("region"), "resource")
    adder = np.maximum(-cleared.price[:, rows["number"].to_numpy()], 0.0) / cleared.problem.hours
    count = adder.shape[0]
    hours = pl.DataFrame({"hour": np.arange(count)}).join(rows.drop("number"), how="cross", maintain_order="left_right")
    return hours.with_columns(pl.Series("price", adder.ravel()), pl.lit(cleared.problem.orders.horizon).alias("horizon"))


def holdings(cleared: Cleared) -> pl.DataFrame:
    """Headroom by supplier and group: firm-able inventory not sold, and α of interruptible sales; hour, region, resource,
    participant, headroom.
    """
    shape, grid = cleared.problem.layout, cleared.problem.layout.grid
    recalled = dict(zip(grid.tiers.names, grid.tiers.reserve, strict=True))
    offers = pl.DataFrame(
        [(number, grid.regions[offer.location], offer.resource, offer.firmable) for number, offer in enumerate(shape.offers)],
        schema={"class_number": pl.UInt32, "region": pl.String, "resource": pl.String, "firmable": pl.Boolean},
        orient="row",
    ).filter(pl.col("resource").is_in(list(grid.accelerators)))
    key = ["hour", "region", "resource", "participant"]
    listed = sold(cleared.problem, primal=cleared.primal).join(offers, on="class_number")
    share = pl.col("tier").replace_strict(recalled, return_dtype=pl.Float64)
    taken = listed.group_by(key).agg(((share - pl.col("firmable").cast(pl.Float64)) * pl.col("listed")).sum().alias("taken"))
    held = (
        cleared.problem.orders.offer_members.join(offers.filter("firmable"), on="class_number").group_by(key).agg(pl.col("quantity").sum())
    )
    return (
        held.join(taken, on=key, how="full", coalesce=True)
        .with_columns((pl.col("quantity").fill_null(0.0) + pl.col("taken").fill_null(0.0)).clip(0.0).alias("headroom"))
        .drop("quantity", "taken")
    )


def firm_use(cleared: Cleared) -> pl.DataFrame:
    """Firm use of each group by buyer, in proportion to the work of its pool; hour, region, resource, participant, use."""
    shape, grid = cleared.problem.layout, cleared.problem.layout.grid
    per_level = pl.DataFrame(
        [
            (number, grid.regions[location], grid.resources[j], float(grid.recipes[workload].use[book[recipe], j] / made))
            for number, kind, workload, home, location, recipe, tier in shape.columns.filter(
                pl.col("kind").is_in(["level", "bid"]) & pl.col("recipe").is_not_null() & (pl.col("tier") == FIRM)
            )
            .select("number", "kind", "workload", "home", "location", "recipe", "tier")
            .iter_rows()
            for book in [{name: at for at, name in enumerate(grid.recipes[workload].names)}]
            for made in [1.0 if kind == "level" else float(grid.recipes[workload].output[book[recipe]])]
            for j in np.flatnonzero(grid.recipes[workload].use[book[recipe]])
            if grid.resources[j] in grid.accelerators
        ],
        schema={"number": pl.UInt32, "region": pl.String, "resource": pl.String, "per": pl.Float64},
        orient="row",
    )
    pools = shape.columns.select("number", "workload", "home")
    columns = per_level.join(pools, on="number").sort("number", "resource")
    used = cleared.primal[:, columns["number"].to_numpy()] * columns["per"].to_numpy()
    hour, column = np.nonzero(used > 0)
    by_pool = (
        columns[column]
        .with_columns(pl.Series("hour", hour), pl.Series("used", used[hour, column]))
        .group_by("hour", "workload", "home", "region", "resource")
        .agg(pl.col("used").sum())
    )
    bids = pl.DataFrame(
        [(number, bid.workload, bid.home) for number, bid in enumerate(shape.bids)],
        schema={"class_number": pl.UInt32, "workload": pl.String, "home": pl.String},
        orient="row",
    )
    work = (
        served(cleared.problem, primal=cleared.primal).filter((pl.col("tier") == FIRM) & (pl.col("work") > 0)).join(bids, on="class_number")
    )
    by_buyer = work.group_by("hour", "workload", "home", "participant").agg(pl.col("work").sum())
    share = pl.col("work") / pl.col("work").sum().over("hour", "workload", "home")
    return (
        by_buyer.with_columns(share.alias("share"), pl.col("hour").cast(pl.Int64))
        .join(by_pool, on=["hour", "workload", "home"])
        .group_by("hour", "region", "resource", "participant")
        .agg((pl.col("share") * pl.col("used")).sum().alias("use"))
    )


def headroom_table(runs: list[Cleared]) -> pl.DataFrame:
    """`headroom` of all horizons over the same intervals, for the groups and intervals in which some horizon has an adder.

    All runs span the same first interval, though the nearer horizons may end earlier.
    """
    priced = pl.concat([groups(run) for run in runs])
    scarce = priced.filter(pl.col("price") > 1e-9).select("hour", "region", "resource").unique()
    parts = []
    for run in runs:
        key = ["hour", "region", "resource"]
        here = groups(run).join(scarce, on=key)
        if here.is_empty():
            continue
        held, used = holdings(run).with_columns(pl.col("hour").cast(pl.Int64)), firm_use(run)
        rows = held.join(used, on=[*key, "participant"], how="full", coalesce=True).join(here, on=key)
        starts = run.problem.orders.span.starts()
        parts.append(rows.with_columns(starts.gather(rows["hour"])))
    if not parts:
        return _empty()
    table = pl.concat(parts).with_columns(pl.col("headroom").fill_null(0.0), pl.col("use").fill_null(0.0))
    return table.select(_empty().columns).sort("horizon", "start", "region", "resource", "participant")


def _empty() -> pl.DataFrame:
    texts = {name: pl.String() for name in ("region", "resource", "participant")}
    numbers = {name: pl.Float64() for name in ("headroom", "use", "price")}
    return pl.DataFrame(schema=pl.Schema({"horizon": pl.String(), "start": pl.Datetime("us", "UTC"), **texts, **numbers}))
