"""Prices under a breaker: the administered price in the place of the cleared one, in nodes and in work, and the money that moves.

A cap on what is paid changes no award: the engine holds prices inside the market's bounds after it has cleared, so clearing again with the
lower cap gives these prices (a test does so). Sellers whose cost is above the cap have a claim, told as `compensation`.
"""

import polars as pl

from tenorgrid.clearing.insight.orders import everywhere, tiers
from tenorgrid.clearing.insight.published import ANYWHERE, Published
from tenorgrid.data.kinds.market import AwardSide
from tenorgrid.data.tables.insight import AdministeredCash

NODE = ["start", "location", "resource", "tier"]


def administer(run: Published, administered: pl.DataFrame, *, horizon: str | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`prices` and `workload_prices` of the run with the administered prices in their place.

    A capped price loses its scarcity part first. The price of work is the least cost over its recipes and places at the new prices;
    where none of them is capped it stays as it is.
    """
    name = horizon or run.horizons[-1]
    capped = administered.filter(pl.col("administered") < pl.col("price")).select(*NODE, pl.col("administered").alias("capped"))
    rows = run.prices.join(capped.with_columns(pl.lit(name).alias("horizon")), on=["horizon", *NODE], how="left", maintain_order="left")
    price = pl.coalesce("capped", "price")
    energy = pl.min_horizontal("energy", price)
    prices = rows.with_columns(price.alias("price"), energy.alias("energy"), (price - energy).alias("scarcity")).drop("capped")
    return prices, _work(run, prices, capped, name)


def _work(run: Published, prices: pl.DataFrame, capped: pl.DataFrame, horizon: str) -> pl.DataFrame:
    """Prices of work in the intervals with a capped node, over every recipe and place again."""
    if capped.is_empty():
        return run.workload_prices
    touched = run.workload_prices.with_row_index("row").filter(pl.col("horizon") == horizon)
    touched = touched.join(capped.select("start", "tier").unique(), on=["start", "tier"], how="semi")
    uses = run.case.recipe_resources.filter(pl.col("per_hour") > 0.0).join(
        run.case.recipes.select("workload", "recipe", "output_per_hour"), on=["workload", "recipe"]
    )
    here = prices.filter(pl.col("horizon") == horizon).join(capped.select("start").unique(), on="start", how="semi")
    cost = uses.join(here.select(*NODE, "price"), on="resource").group_by("workload", "recipe", "start", "location", "tier").agg(
        pl.len().alias("found"), pl.col("price").null_count().alias("missing"),
        (pl.col("per_hour") / pl.col("output_per_hour") * pl.col("price")).sum().alias("cost"),
    )  # fmt: skip
    whole = cost.join(uses.group_by("workload", "recipe").len("needed"), on=["workload", "recipe"]).filter(
        pl.col("found") == pl.col("needed"), pl.col("missing") == 0
    )
    best = whole.sort("cost").unique(["workload", "start", "location", "tier"], keep="first", maintain_order=True)
    ways = (
        touched.select("row", "workload", "home", "start", "tier")
        .join(best, on=["workload", "start", "tier"])
        .join(_roads(run, horizon), on=["workload", "home", "location", "start"], how="left")
    )
    near = (pl.col("home") == ANYWHERE) | (pl.col("home") == pl.col("location"))
    moved = ways.with_columns(
        pl.when(near).then(0.0).otherwise(pl.col("moving")).alias("transport"),
        pl.when(near).then(0.0).otherwise(pl.col("crowding")).alias("congestion"),
    ).drop_nulls("transport")
    total = pl.col("cost") + pl.col("transport") + pl.col("congestion")
    least = moved.with_columns(total.alias("total")).sort("row", "total", "location").unique("row", keep="first", maintain_order=True)
    names = {"total": "price", "cost": "resources", "transport": "transport", "congestion": "congestion"}
    parts = least.select("row", *(pl.col(name).alias(f"_{to}") for name, to in names.items()))
    joined = run.workload_prices.with_row_index("row").join(parts, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(f"_{to}", to).alias(to) for to in names.values()).select(run.workload_prices.columns)


def _roads(run: Published, horizon: str) -> pl.DataFrame:
    """What moving the data of a unit costs: workload, home, location, start, moving, crowding."""
    starts = run.prices.filter(pl.col("horizon") == horizon).select("start").unique()
    congestion = run.binding.filter(pl.col("horizon") == horizon, pl.col("kind").cast(pl.String) == "link").select(
        "start", pl.col("key").alias("link"), pl.col("dual").alias("mu")
    )
    links = run.case.links.select(
        "link", pl.col("from").alias("home"), pl.col("to").alias("location"), pl.col("cost_per_gib").alias("kappa")
    )
    each = links.join(starts, how="cross").join(congestion, on=["start", "link"], how="left").with_columns(pl.col("mu").fill_null(0.0))
    best = each.sort(pl.col("kappa") + pl.col("mu"), "link").unique(["home", "location", "start"], keep="first", maintain_order=True)
    work = run.case.workloads.select("workload", pl.col("egress_gib_per_unit").fill_null(0.0).alias("egress"))
    return best.join(work, how="cross").select(
        "workload", "home", "location", "start", (pl.col("egress") * pl.col("kappa")).alias("moving"),
        (pl.col("egress") * pl.col("mu")).alias("crowding"),
    )  # fmt: skip


def cash(run: Published, administered: pl.DataFrame, horizon: str) -> pl.DataFrame:
    """Cash of the run on what was not bought or sold ahead, at cleared and at administered prices, and sellers' claims."""
    if administered.is_empty():
        return AdministeredCash.create_empty()
    starts = administered.filter(pl.col("administered") < pl.col("price")).select("start").unique()
    if starts.is_empty():
        return AdministeredCash.create_empty()
    prices, work = administer(run, administered, horizon=horizon)
    key = ["start", "side", "participant", "place", "what", "tier"]
    rows = run.awards.join(starts, on="start", how="semi").with_columns(
        pl.col("side").cast(pl.String),
        pl.col("location").fill_null(ANYWHERE).alias("place"),
        pl.coalesce("resource", "workload").alias("what"),
    )
    turn = {name: at for at, name in enumerate(run.horizons)}
    before = run.horizons[: turn[horizon]]
    now = rows.filter(pl.col("horizon") == horizon).group_by(key).agg(pl.col("quantity").sum().alias("now"))
    last = rows.filter(pl.col("horizon") == before[-1]) if before else rows.clear()
    ahead = last.group_by(key).agg(pl.col("quantity").sum().alias("ahead"))
    both = now.join(ahead, on=key, how="full", coalesce=True).with_columns(pl.col("now", "ahead").fill_null(0.0))
    at = [
        frame.filter(pl.col("horizon") == horizon).select("start", pl.col(place).alias("place"), pl.col(what).alias("what"),
                                                           "tier", "price")
        for frame, place, what in (
            (run.prices, "location", "resource"), (run.workload_prices, "home", "workload"),
            (prices, "location", "resource"), (work, "home", "workload"),
        )
    ]  # fmt: skip
    free, held = pl.concat(at[:2]), pl.concat(at[2:]).rename({"price": "paid"})
    node = ["start", "place", "what", "tier"]
    sign = pl.when(pl.col("side").is_in(["offer", "inc"])).then(1.0).otherwise(-1.0)
    moved = sign * (pl.col("now") - pl.col("ahead")) * run.case.market.hours
    money = (
        both.join(free, on=node, how="left")
        .join(held, on=node, how="left")
        .with_columns(
            (moved * pl.col("price").fill_null(0.0)).alias("cleared"), (moved * pl.col("paid").fill_null(0.0)).alias("administered")
        )
    )
    claims = _claims(run, prices, both, horizon)
    sums = money.group_by("participant", "side").agg(pl.col("cleared").sum(), pl.col("administered").sum())
    sides = pl.Enum([side.value for side in AwardSide])
    table = sums.join(claims, on="participant", how="left").with_columns(
        (pl.col("administered") - pl.col("cleared")).alias("difference"),
        pl.when(pl.col("side") == "offer").then(pl.col("compensation").fill_null(0.0)).otherwise(0.0).alias("compensation"),
        pl.col("side").cast(sides),
    )  # fmt: skip
    return table.select(list(AdministeredCash.columns())).sort("side", "difference", "participant")


def _claims(run: Published, prices: pl.DataFrame, both: pl.DataFrame, horizon: str) -> pl.DataFrame:
    """Cost above the administered price, of the share of a seller's hours that this run sold: participant, compensation."""
    offers = everywhere(run.case.offers, run.horizons).select(
        "horizon", pl.col("offer_id").alias("id"), "step", "resource", pl.col("price").alias("cost"), "firm_premium"
    )
    sold = (
        run.awards.filter(pl.col("horizon") == horizon, pl.col("side").cast(pl.String) == "offer")
        .drop("price")
        .join(prices.filter(pl.col("horizon") == horizon).select(*NODE, "price"), on=NODE)
    )
    sold = sold.join(both.select("start").unique(), on="start", how="semi").join(offers, on=["horizon", "id", "step", "resource"])
    share = both.filter(pl.col("side") == "offer", pl.col("now") > 0.0).select(
        "start", "participant", pl.col("place").alias("location"), pl.col("what").alias("resource"), "tier",
        ((pl.col("now") - pl.col("ahead")) / pl.col("now")).clip(0.0, 1.0).alias("fresh"),
    )  # fmt: skip
    costs = sold.join(tiers(run.case.tiers), on="tier").join(share, on=["start", "participant", "location", "resource", "tier"])
    firm = pl.when(pl.col("tier") == "firm").then(pl.col("firm_premium").fill_null(0.0)).otherwise(0.0)
    loss = ((pl.col("cost") + firm) / pl.col("beta") - pl.col("price")).clip(0.0) * pl.col("quantity") * pl.col("fresh")
    return costs.group_by("participant").agg((loss.sum() * run.case.market.hours).alias("compensation"))
