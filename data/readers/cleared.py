"""Clearing prices as observations: what the market itself made, with the quantity that stands behind each price.

Price: λ of the node, USD per sold GPU-hour, under one pricing rule. Kind: clearing. Quantity: GPU-hours that offers sold at the node in the
interval (virtual sales are no GPU-hours and do not count). Provider: "clearing". Only accelerators; a node without a price is left out.
"""

from collections.abc import Sequence

import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.kinds.market import AwardSide, PricingRule, ResourceKind
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.cleared import settles_under

NODE = ["horizon", "start", "location", "resource", "tier"]
PROVIDER = "clearing"
GRAIN = 2.0**-40  # GPU-hours: quantities are added in steps of 1e-12


def observe_cleared(
    prices: pl.DataFrame, awards: pl.DataFrame, *, case: Case, pricing: PricingRule | None = None, horizons: Sequence[str] | None = None
) -> pl.DataFrame:
    """`Observations` of the prices of a run, one row a horizon, interval, location, accelerator and tier.

    Args:
        prices: `Prices` of the run.
        awards: `Awards` of the run; quantities are resource-hours per hour.
        case: the market case that was cleared: its regions, its accelerators and its interval.
        pricing: the pricing rule to observe; None is the market's own.
        horizons: those to observe; None is every one.
    """
    rule = PricingRule(pricing or case.market.pricing).value
    accelerators = case.resources.filter(pl.col("kind") == ResourceKind.ACCELERATOR.value)["resource"].implode()
    wanted = pl.col("resource").is_in(accelerators)
    if horizons is not None:
        wanted &= pl.col("horizon").is_in(list(horizons))
    hours = case.market.hours
    sold = (
        awards.lazy()
        .filter(wanted, pl.col("side") == AwardSide.OFFER.value)
        .select(*NODE, (pl.col("quantity") / GRAIN).round().cast(pl.Int128))  # whole numbers add up the same in any order
        .group_by(NODE)
        .agg(pl.col("quantity").sum().cast(pl.Float64) * GRAIN * hours)
    )
    clock = pl.col("start").dt.to_string("%Y-%m-%dT%H:%M:%SZ")
    seen = (
        prices.lazy()
        .filter(wanted, settles_under(rule), pl.col("price").is_not_null())
        .join(sold, on=NODE, how="left", maintain_order="left")
        .join(case.locations.lazy().select("location", "region"), on="location", how="left", maintain_order="left")
        .select(
            observation_id=pl.concat_str("horizon", clock, "location", "resource", "tier", separator="/"),
            time="start",
            provider=pl.lit(PROVIDER),
            resource="resource",
            region="region",
            location="location",
            tier="tier",
            horizon="horizon",
            term_hours=pl.lit(hours),
            price="price",
            quantity=pl.col("quantity").fill_null(0.0),
            kind=pl.lit(ObservationKind.CLEARING.value),
        )
        .collect()
    )
    return observed(seen, name="cleared prices")
