"""Ahead and real-time prices of the same hours, out of a market's published prices."""

from datetime import timedelta

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.data.tables.premium import AheadReal
from tenorgrid.data.terms.market import REAL_TIME, Market


def pairs_of_prices(prices: pl.DataFrame, *, market: Market, pricing: str | None = None) -> pl.DataFrame:
    """`AheadReal` of every node and ahead horizon; a series is called resource.location.tier.

    Args:
        prices: `Prices`; hours without a price or without real time are left out.
        market: whose horizons are ahead of real time.
        pricing: pricing rule; None is the market's own.

    Raises `InputError` where no hour has both prices.
    """
    rule = PricingRule(pricing or market.pricing)
    named = prices.filter(settles_under(rule), pl.col("price").is_not_null()).select(
        "horizon", pl.concat_str("resource", "location", "tier", separator=".").alias("series"), "start", "price"
    )
    real = named.filter(pl.col("horizon") == REAL_TIME.name).select("series", "start", pl.col("price").alias("real"))
    ahead = named.filter(pl.col("horizon") != REAL_TIME.name).rename({"price": "ahead"})
    both = ahead.join(real, on=["series", "start"], how="inner").select("horizon", "series", "start", "ahead", "real")
    if both.is_empty():
        raise InputError.of("prices", f"{rule} prices of the same hours ahead and in real time")
    return AheadReal.validate(both.sort("horizon", "series", "start"), cast=True)


def lead_days(market: Market) -> dict[str, int]:
    """Whole days, rounded up, from the run of each ahead horizon to the beginning of the delivery day."""
    return {horizon.name: -(-horizon.lead // timedelta(days=1)) for horizon in market.horizons if horizon.name != REAL_TIME.name}


def classes_of(pairs: pl.DataFrame) -> dict[str, str]:
    """Resource of each series of `pairs_of_prices`: what its pooled row is of.

    >>> classes_of(pl.DataFrame({"series": ["h100-sxm.us-east.firm"]}))
    {'h100-sxm.us-east.firm': 'h100-sxm'}
    """
    return {name: name.rsplit(".", 2)[0] for name in pairs["series"].unique().sort()}
