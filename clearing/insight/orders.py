"""Orders beside their awards: what each step wanted, what it got, and the price at which it is indifferent.

Market design, section 4: a step that is awarded in part is indifferent at the price of its node or of its work, so that it is what
sets that price.
"""

import polars as pl

from tenorgrid.clearing.insight.published import ANYWHERE, Published
from tenorgrid.data.kinds.market import PricingRule

DUST = 1e-7  # relative to what was offered or wanted: nearer to nothing or to all is rounding of the solver
NODE = ["horizon", "start", "location", "resource", "tier"]
POOL = ["horizon", "start", "workload", "home", "tier"]


def in_part(got: pl.Expr, wanted: pl.Expr) -> pl.Expr:
    """Whether something was got and something was not."""
    return (got > DUST * wanted) & (got < (1.0 - DUST) * wanted)


def tiers(case_tiers: pl.DataFrame) -> pl.DataFrame:
    """Tiers with their numbers under short names: tier, pi, beta, alpha."""
    return case_tiers.select(
        "tier",
        pl.col("interruption_probability").alias("pi"),
        pl.col("overcommit").alias("beta"),
        pl.col("reserve_share").fill_null(0.0).alias("alpha"),
    )


def everywhere(orders: pl.DataFrame, horizons: list[str]) -> pl.DataFrame:
    """Orders with their horizon spelled out: one without stands in every one."""
    named = orders.filter(pl.col("horizon").is_in(horizons))
    open_to_all = orders.filter(pl.col("horizon").is_null()).drop("horizon")
    if open_to_all.is_empty():
        return named
    copies = open_to_all.join(pl.DataFrame({"horizon": horizons}, schema={"horizon": pl.String}), how="cross")
    return pl.concat([named, copies.select(orders.columns)])


def adders(run: Published) -> pl.DataFrame:
    """A of each accelerator and region: horizon, start, region, resource, adder.

    Read from the scarcity part of prices, (1 − α) A / β, which both pricing rules have. Where a region offers nothing its prices have none,
    and what binds at marginal prices says it.
    """
    group = ["horizon", "start", "region", "resource"]
    scarce = run.prices.filter(pl.col("scarcity") > 0.0)
    said = (
        scarce.join(tiers(run.case.tiers), on="tier")
        .filter(pl.col("alpha") < 1.0)
        .join(run.case.locations.select("location", "region"), on="location")
        .select(*group, (pl.col("scarcity") * pl.col("beta") / (1.0 - pl.col("alpha"))).alias("adder"))
    )
    if run.rule is not PricingRule.MARGINAL:
        return said.group_by(group).agg(pl.col("adder").max())
    key = pl.col("key").str.split_exact("/", 1)
    bound = run.binding.filter(pl.col("kind").cast(pl.String) == "reserve").select(
        "horizon", "start", key.struct[0].alias("region"), key.struct[1].alias("resource"), pl.col("dual").alias("adder")
    )
    return pl.concat([said, bound]).group_by(group).agg(pl.col("adder").max())


def sold_steps(run: Published) -> pl.DataFrame:
    """One row per offer step, interval and tier that it was sold in.

    Columns: `NODE`, id, step, participant, offered (q), listed (Y in this tier), all_listed (Y in all tiers), whole (whether the
    offer is committed as a whole), own (c / β), premium and scarcity (per sold hour), domain_part (minus the domain premium), implied
    (the price at which the step is indifferent to being sold).
    """
    levels = tiers(run.case.tiers)
    offers = everywhere(run.case.offers, run.horizons).select(
        "horizon",
        pl.col("offer_id").alias("id"),
        "step",
        "location",
        "resource",
        pl.col("quantity").alias("offered"),
        pl.col("price").alias("cost"),
        "firm_premium",
        pl.col("domain").fill_null(1),
        whole().alias("whole"),
    )
    awards = run.awards.filter(pl.col("side").cast(pl.String) == "offer").select(*NODE, "id", "step", "participant", "quantity")
    key = ["horizon", "start", "id", "step", "location", "resource"]
    listed = awards.join(levels, on="tier").with_columns((pl.col("quantity") / pl.col("beta")).alias("listed"))
    joined = (
        listed.with_columns(pl.col("listed").sum().over(key).alias("all_listed"))
        if levels.height > 1
        else listed.with_columns(pl.col("listed").alias("all_listed"))
    )
    return priced(joined.join(offers, on=["horizon", "id", "step", "location", "resource"]), run)


def priced(rows: pl.DataFrame, run: Published) -> pl.DataFrame:
    r"""The price at which an offer step is indifferent to a sale in a tier, in parts.

    .. math:: \beta (\lambda + \sum_{d \le D} \delta_d) = c + 1_{firm} premium + (1_{firmable} - \alpha) A

    Args:
        rows: horizon, start, location, resource, tier, beta, alpha, cost, firm_premium, domain.
        run: whose adders and domain premiums hold.

    Returns the rows with own, premium, scarcity, domain_part and implied, USD per sold hour.
    """
    scarce = adders(run)
    if scarce.is_empty():
        rows = rows.with_columns(pl.lit(0.0).alias("adder"))
    else:
        regions = run.case.locations.select("location", "region")
        rows = rows.join(regions, on="location", maintain_order="left").join(
            scarce, on=["horizon", "start", "region", "resource"], how="left", maintain_order="left"
        )
        rows = rows.drop("region").with_columns(pl.col("adder").fill_null(0.0))
    rows = _with_premium(rows, run.domain_prices)
    firm = pl.col("tier") == "firm"
    firmable = pl.col("firm_premium").is_not_null().cast(pl.Float64)
    parts = {
        "own": pl.col("cost") / pl.col("beta"),
        "premium": pl.when(firm).then(pl.col("firm_premium").fill_null(0.0) / pl.col("beta")).otherwise(0.0),
        "scarcity": (firmable - pl.col("alpha")) * pl.col("adder") / pl.col("beta"),
        "domain_part": 0.0 - pl.col("extra"),
    }
    split = rows.with_columns(**parts).with_columns(pl.col("domain_part") + 0.0)
    return split.with_columns(pl.sum_horizontal(*parts).alias("implied"))


def _with_premium(rows: pl.DataFrame, premiums: pl.DataFrame) -> pl.DataFrame:
    """`extra`: what the largest published domain size that is not above the offer's own adds to λ."""
    if premiums.is_empty():
        return rows.with_columns(pl.lit(0.0).alias("extra"))
    steps = premiums.select(*NODE, pl.col("domain").alias("size"), pl.col("premium").alias("extra"))
    numbered = rows.with_row_index("row_number")
    reached = numbered.select("row_number", *NODE, "domain").join(steps, on=NODE).filter(pl.col("size") <= pl.col("domain"))
    best = reached.sort("row_number", "size").group_by("row_number", maintain_order=True).agg(pl.col("extra").last())
    return (
        numbered.join(best, on="row_number", how="left", maintain_order="left")
        .drop("row_number")
        .with_columns(pl.col("extra").fill_null(0.0))
    )


def whole() -> pl.Expr:
    """Whether an offer's rows are committed together: a start cost, a minimum run or a block step on any of them."""
    committed = (pl.col("start_cost").fill_null(0.0) > 0.0) | (pl.col("min_hours").fill_null(1) > 1) | pl.col("block").fill_null(False)
    return committed.any().over("horizon", "offer_id")


def served_steps(run: Published) -> pl.DataFrame:
    """One row per bid step, interval and tier that it was served through.

    Columns: `POOL`, id, step, participant, wanted (q), work (m in this tier), all_work (m in all tiers), total, min_share, implied (its
    expected value of a unit of work, (1 − π) p − π ℓ).
    """
    bids = everywhere(run.case.bids, run.horizons).select(
        "horizon",
        pl.col("bid_id").alias("id"),
        "step",
        "workload",
        pl.col("home").fill_null(ANYWHERE),
        pl.col("quantity").alias("wanted"),
        "value",
        pl.col("interruption_loss").fill_null(0.0).alias("loss"),
        "total",
        pl.col("min_share").fill_null(0.0),
    )
    awards = run.awards.filter(pl.col("side").cast(pl.String) == "bid").select(
        "horizon", "start", "tier", "id", "step", "participant", pl.col("quantity").alias("work")
    )
    rows = awards.with_columns(pl.col("work").sum().over("horizon", "start", "id", "step").alias("all_work"))
    joined = rows.join(bids, on=["horizon", "id", "step"]).join(tiers(run.case.tiers), on="tier")
    return joined.with_columns(((1.0 - pl.col("pi")) * pl.col("value") - pl.col("pi") * pl.col("loss")).alias("implied"))


def taken_virtuals(run: Published, *, all_awards: pl.DataFrame) -> pl.DataFrame:
    """One row per virtual bid and interval in which it was taken: `NODE`, side, id, participant, wanted, new, implied (its price).

    A position that an earlier run took stands in the later ones, in one row with what is bid there: `new` is without it.

    Args:
        run: the rows that are asked for.
        all_awards: of every horizon, so that earlier positions are seen.
    """
    virtuals = run.case.virtuals
    if virtuals.is_empty():
        return pl.DataFrame(schema={**dict.fromkeys(["side", "id", "participant"], pl.String), "wanted": pl.Float64, "new": pl.Float64})
    order = {horizon.name: number for number, horizon in enumerate(run.case.market.horizons)}
    rows = all_awards.filter(pl.col("side").cast(pl.String).is_in(["inc", "dec"])).with_columns(
        pl.col("side").cast(pl.String), pl.col("horizon").replace_strict(order, return_dtype=pl.Int64).alias("turn")
    )
    key = ["start", "side", "id", "location", "resource"]
    before = pl.col("quantity").shift(1).over(key, order_by="turn").fill_null(0.0)
    taken = rows.with_columns((pl.col("quantity") - before).alias("new")).filter(pl.col("horizon").is_in(run.horizons))
    asked = virtuals.select(
        "horizon", pl.col("bid_id").alias("id"), pl.col("side").cast(pl.String), pl.col("quantity").alias("wanted"),
        pl.col("price").alias("implied"),
    )  # fmt: skip
    return taken.join(asked, on=["horizon", "id", "side"]).select(*NODE, "side", "id", "participant", "wanted", "new", "implied")
