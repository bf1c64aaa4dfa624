"""What one more unit would be worth: of a resource, of GPUs in a scale-up domain, of a link's capacity, of reserve.

By duality the worth of one more unit in an interval is its price there (market design, section 9), so over a horizon it is the sum of
prices: what a supplier could earn with one more unit that costs nothing to run, if it is too small to move a price.
"""

import polars as pl

from tenorgrid.clearing.insight.marginal import sold_or_listed
from tenorgrid.clearing.insight.orders import adders, tiers
from tenorgrid.clearing.insight.published import Published
from tenorgrid.data.kinds.market import PriceKind, WorthKind
from tenorgrid.data.tables.insight import Worth

NOTHING = 1e-9  # USD: below it a unit is worth nothing


def worth(run: Published) -> pl.DataFrame:
    r"""`Worth` of one more unit of everything, per horizon.

    A resource-hour that may be sold in any tier is worth :math:`\max(A, \max_k \beta_k \lambda_k + \alpha_k A)` with A its scarcity adder;
    one in a domain of size D the same with :math:`\beta_k \sum_{d \le D} \delta_d` on top; a GiB of link capacity μ; a unit of reserve A.
    A node that nobody offers counts by its adder alone.
    """
    per_hour = pl.concat([_resources(run), _domains(run), _links(run), _reserve(run)])
    if per_hour.is_empty():
        return Worth.create_empty()
    hours = run.case.market.hours
    count = run.prices.group_by("horizon").agg(pl.col("start").n_unique().alias("all"))
    value = pl.col("value")
    rows = per_hour.group_by("horizon", "kind", "key").agg(
        (value > NOTHING).sum().cast(pl.Int64).alias("intervals"),
        value.sum().alias("sum"),
        value.max().alias("largest"),
        pl.col("start").sort_by(value, "start", descending=[True, False]).first().alias("largest_at"),
    )
    units = pl.col("kind").replace_strict(
        {"resource": "one resource-hour an hour", "domain": "one GPU-hour an hour in the domain", "link": "one GiB an hour",
         "reserve": "one resource-hour of headroom an hour"}, return_dtype=pl.String,
    )  # fmt: skip
    pricing = pl.lit(_pricing(run), dtype=pl.Enum([kind.value for kind in PriceKind]))
    order = {name: at for at, name in enumerate(run.horizons)}
    table = rows.join(count, on="horizon").with_columns(
        pricing.alias("pricing"), units.alias("unit"), (pl.col("sum") / pl.col("all")).alias("mean"),
        (pl.col("sum") * hours).alias("total"),
        pl.when(pl.col("intervals") > 0).then(pl.col("largest_at")).otherwise(None).alias("largest_at"),
        pl.col("kind").cast(pl.Enum([kind.value for kind in WorthKind])),
    )  # fmt: skip
    turn = pl.col("horizon").replace_strict(order, return_dtype=pl.Int64)
    ranked = table.sort(turn, "kind", "total", "key", descending=[False, False, True, False])
    return ranked.select(list(Worth.columns()))


def _pricing(run: Published) -> str:
    """What the prices are duals of; where a run has both hull prices and relaxations, the weaker of the two."""
    kinds = set(run.prices["pricing"].cast(pl.String).unique())
    return next(kind for kind in ("relaxation", "convex-hull", "marginal") if kind in kinds)


def _resources(run: Published) -> pl.DataFrame:
    return _unit(run, pl.col("price"), _offered(run)).select(
        "horizon", "start", pl.lit("resource").alias("kind"), pl.format("{}/{}", "location", "resource").alias("key"), "value"
    )


def _offered(run: Published) -> pl.DataFrame:
    """Prices without those of nodes that nobody offers: VOLL is what is published there, not what a bid would pay."""
    key = pl.format("{}/{}/{}", "location", "resource", "tier")
    named = run.prices.with_row_index("node").with_columns(key.alias("key"))
    held = run.binding.filter(pl.col("kind").cast(pl.String) == "balance").select("horizon", "start", "key").unique()
    bare = named.join(held, on=["horizon", "start", "key"], how="semi")
    bare = bare.join(sold_or_listed(run, bare), on="node", how="anti")
    price = pl.when(pl.col("node").is_in(bare["node"].implode())).then(None).otherwise(pl.col("price"))
    return named.with_columns(price.alias("price")).drop("node", "key")


def _domains(run: Published) -> pl.DataFrame:
    """A unit of a domain earns λ and the premium of its size."""
    rows = run.domain_prices.join(
        run.prices.select("horizon", "start", "location", "resource", "tier", "price"),
        on=["horizon", "start", "location", "resource", "tier"],
    )
    keyed = _unit(run, pl.col("price") + pl.col("premium"), rows, "domain")
    return keyed.select(
        "horizon", "start", pl.lit("domain").alias("kind"), pl.format("{}/{}/{}", "location", "resource", "domain").alias("key"), "value"
    )


def _unit(run: Published, price: pl.Expr, rows: pl.DataFrame, *more: str) -> pl.DataFrame:
    """The best use of one more listed hour: the tier that earns most, or standing in reserve."""
    region = run.case.locations.select("location", "region")
    known = rows.join(region, on="location").join(adders(run), on=["horizon", "start", "region", "resource"], how="left")
    reserve = pl.col("adder").fill_null(0.0)
    sold = pl.col("beta") * price.fill_null(0.0) + pl.col("alpha") * reserve
    best = known.join(tiers(run.case.tiers), on="tier").with_columns(pl.max_horizontal(sold, reserve, 0.0).alias("value"))
    return best.group_by("horizon", "start", "location", "resource", *more).agg(pl.col("value").max())


def _links(run: Published) -> pl.DataFrame:
    full = run.binding.filter(pl.col("kind").cast(pl.String) == "link")
    return full.select("horizon", "start", pl.lit("link").alias("kind"), "key", pl.col("dual").alias("value"))


def _reserve(run: Published) -> pl.DataFrame:
    return adders(run).select(
        "horizon",
        "start",
        pl.lit("reserve").alias("kind"),
        pl.format("{}/{}", "region", "resource").alias("key"),
        pl.col("adder").alias("value"),
    )
