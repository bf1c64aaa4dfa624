"""What a chip is worth at a market's prices, before and after it is offered."""

import polars as pl

from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.tables.benchmarked import Worth
from tenorgrid.data.tables.cleared import DomainPrices

NODE = ["horizon", "pricing", "start", "location", "tier"]
RECIPE = ["workload", "recipe"]


def worth(
    recipes: pl.DataFrame,
    recipe_resources: pl.DataFrame,
    resources: pl.DataFrame,
    *,
    prices: pl.DataFrame,
    workload_prices: pl.DataFrame,
    domain_prices: pl.DataFrame | None = None,
) -> pl.DataFrame:
    r"""`Worth` of every accelerator in recipes, by the work that it would do at home.

    A recipe breaks even where its accelerators cost :math:`(\omega \varphi - \sum_j x_j \lambda_j) / x_a`, j its vCPU, memory and network.
    The dearest of an accelerator's workloads is what the next hour of it is worth: in a domain of D, of those that need no larger one.
    Where the accelerator runs that work, this is what it is paid, :math:`\lambda + \sum_{d \le D} \delta_d`.

    Args:
        recipes, recipe_resources, resources: tables of a case, or of a book of recipes that no market has yet.
        prices, workload_prices: of a run. Hours in which work, or what stands beside the accelerator, has no price are left out;
            recipes of several kinds of accelerators too.
        domain_prices: of the run; None is a market without scale-up domains.
    """
    kind = resources.filter(kind=ResourceKind.ACCELERATOR.value)["resource"].implode()
    chips = recipe_resources.filter(pl.col("resource").is_in(kind))
    chips = chips.filter(pl.len().over(RECIPE) == 1).rename({"per_hour": "gpus"})
    needs = recipes.select(*RECIPE, "output_per_hour", pl.col("domain").fill_null(1).alias("needs"))
    value = chips.join(needs, on=RECIPE).join(_work(workload_prices), on="workload")
    beside = recipe_resources.filter(~pl.col("resource").is_in(kind))
    cost = value.select(*NODE, *RECIPE).join(beside, on=RECIPE).join(prices, on=[*NODE, "resource"], how="left")
    cost = cost.group_by(*NODE, *RECIPE).agg(
        (pl.col("per_hour") * pl.col("price")).sum().alias("cost"), pl.col("price").null_count().alias("unpriced")
    )
    whole = value.join(cost, on=[*NODE, *RECIPE], how="left")
    left = pl.col("omega") * pl.col("output_per_hour") - pl.col("cost").fill_null(0.0)
    whole = whole.with_columns(worth=left / pl.col("gpus")).filter(pl.col("worth").is_not_null(), pl.col("unpriced").fill_null(0) == 0)
    sizes = whole.select("resource", pl.col("needs").alias("domain")).unique()
    fits = whole.join(sizes, on="resource").filter(pl.col("needs") <= pl.col("domain"))
    key = [*NODE, "resource", "domain"]
    best = fits.sort(*key, "worth", *RECIPE, descending=[False] * len(key) + [True, False, False])
    best = best.unique(key, keep="first", maintain_order=True)
    paid = best.join(prices.select(*NODE, "resource", "price"), on=[*NODE, "resource"], how="left", maintain_order="left")
    paid = paid.with_columns(price=pl.col("price") + _premium(paid, domain_prices))
    return Worth.validate(paid.select(Worth.columns().keys()))


def _work(workload_prices: pl.DataFrame) -> pl.DataFrame:
    omega = pl.col("price").alias("omega")
    return workload_prices.select("horizon", "pricing", "start", "workload", pl.col("home").alias("location"), "tier", omega)


def _premium(rows: pl.DataFrame, domain_prices: pl.DataFrame | None) -> pl.Series:
    """Σ of the premiums δ_d up to the domain of each row."""
    steps = (DomainPrices.create_empty() if domain_prices is None else domain_prices).rename({"domain": "step"})
    numbered = rows.select(*NODE, "resource", "domain").with_row_index("place")
    found = numbered.join(steps, on=[*NODE, "resource"], how="left").filter(pl.col("step") <= pl.col("domain"))
    total = found.group_by("place").agg(pl.col("premium").sum())
    return numbered.join(total, on="place", how="left", maintain_order="left")["premium"].fill_null(0.0)
