"""What a chip is worth at a market's prices, before and after it is offered."""

import polars as pl

from tenorgrid.data.kinds import ResourceKind
from tenorgrid.data.tables.benchmarked import Worth

NODE = ["horizon", "pricing", "start", "location", "tier"]


def worth(
    recipes: pl.DataFrame, recipe_resources: pl.DataFrame, resources: pl.DataFrame, *, prices: pl.DataFrame, workload_prices: pl.DataFrame
) -> pl.DataFrame:
    r"""`Worth` of every accelerator in recipes, by the work that it would do at home.

    A recipe breaks even where its accelerators cost :math:`(\omega \varphi - \sum_j x_j \lambda_j) / x_a`, j its vCPU, memory and network.
    The dearest of an accelerator's workloads is what the next hour of it is worth. Where it is traded, λ is no lower than that of any work
    that the market prices, and just that where it runs the work. Of a recipe with a scale-up domain it is the worth of an accelerator
    that stands in one: λ and the domain's premium together.

    Args:
        recipes, recipe_resources, resources: tables of a case, or of a book of recipes that no market has yet.
        prices, workload_prices: of a run. Hours in which work, or what stands beside the accelerator, has no price are left out;
            recipes of several kinds of accelerators too.
    """
    kind = resources.filter(kind=ResourceKind.ACCELERATOR.value)["resource"].implode()
    chips = recipe_resources.filter(pl.col("resource").is_in(kind))
    chips = chips.filter(pl.len().over("workload", "recipe") == 1).rename({"per_hour": "gpus"})
    work = workload_prices.select(
        "horizon", "pricing", "start", "workload", pl.col("home").alias("location"), "tier", pl.col("price").alias("omega")
    )
    value = chips.join(recipes.select("workload", "recipe", "output_per_hour"), on=["workload", "recipe"]).join(work, on="workload")
    beside = recipe_resources.filter(~pl.col("resource").is_in(kind))
    cost = (
        value.select(*NODE, "workload", "recipe").join(beside, on=["workload", "recipe"]).join(prices, on=[*NODE, "resource"], how="left")
    )
    cost = cost.group_by(*NODE, "workload", "recipe").agg(
        (pl.col("per_hour") * pl.col("price")).sum().alias("cost"), pl.col("price").null_count().alias("unpriced")
    )
    whole = value.join(cost, on=[*NODE, "workload", "recipe"], how="left")
    left = pl.col("omega") * pl.col("output_per_hour") - pl.col("cost").fill_null(0.0)
    whole = whole.with_columns(worth=left / pl.col("gpus")).filter(pl.col("worth").is_not_null(), pl.col("unpriced").fill_null(0) == 0)
    key = [*NODE, "resource"]
    best = whole.sort(*key, "worth", "workload", "recipe", descending=[False] * len(key) + [True, False, False])
    best = best.unique(key, keep="first", maintain_order=True)
    traded = prices.select(*key, "price")
    return Worth.validate(best.join(traded, on=key, how="left", maintain_order="left").select(Worth.columns().keys()))
