r"""Contracts for differences: cash between two parties from published prices, outside the market's own ledger.

For every interval of its window a contract on q per hour at strike K pays

    seller receives    Δ (K − p) q        p = λ of its node and tier, or ω of its work; the buyer receives the negative

so that who sells q to the market at p, and is party to the contract, nets K q. A self-schedule with a strike has such a contract at
its location: its seller nets K q, and its buyer, who pays ω for the work, K q and what it costs to carry the work home. (Market
design, section 4.)
"""

import polars as pl

from tenorgrid.data.errors import NotPublishedError
from tenorgrid.data.kinds.market import DealKind, PricingRule
from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.data.tables.deals import Differences
from tenorgrid.data.terms.market import Market
from tenorgrid.settlement.money import micro

FIRM = "firm"
ANYWHERE = "*"
RUN = ["horizon", "start"]
SHOWN = 3


def differences(
    deals: pl.DataFrame, *, prices: pl.DataFrame, workload_prices: pl.DataFrame, market: Market, pricing: PricingRule | None = None
) -> pl.DataFrame:
    """What every contract for differences pays in the intervals that have been cleared, `Differences`; the two legs sum to zero.

    A contract is settled against the horizon that it names, the market's last if none. A self-schedule's is settled against the first
    horizon that it stood in and that was cleared, where its hours were sold: what later horizons do to their price concerns it no more.
    Each leg is the exact product of strike and volume less that of price and volume, each rounded once, so that with the market's own
    posting at that price the seller has the strike to the micro-dollar.

    Args:
        deals: `Bilaterals`.
        prices, workload_prices: as clearing published them.
        market: its interval, horizons and pricing rule.
        pricing: rule whose prices settle; None is the market's own.

    Raises NotPublishedError where an interval was cleared but the node or work of a contract has no price.

    >>> from datetime import UTC, datetime, timedelta
    >>> from tenorgrid.data.tables.cleared import WorkloadPrices
    >>> rule = PricingRule.MARGINAL
    >>> terms = Market(name="one", interval=timedelta(hours=1), timezone="UTC", pricing=rule, price_floor=0.0, price_cap=9.0, voll=9.0)
    >>> noon, node = datetime(2027, 1, 5, 12, tzinfo=UTC), {"location": "us-east", "resource": "h100-sxm"}
    >>> deal = {"deal_id": "D1", "kind": "cfd", "seller": "acme", "buyer": "bank", **node, "start": noon, "end": noon + timedelta(hours=1)}
    >>> book = pl.DataFrame([deal | {"quantity": 64.0, "price": 2.5}])
    >>> found = pl.DataFrame([{"horizon": "real-time", "pricing": "marginal", "start": noon, **node, "tier": "firm", "price": 2.61}])
    >>> cash = differences(book, prices=found, workload_prices=WorkloadPrices.create_empty(), market=terms)
    >>> dict(cash.select("participant", "amount").iter_rows())  # (2.50 − 2.61) × 64 USD
    {'acme': -7040000, 'bank': 7040000}
    """
    rows = _complete(deals)
    last = market.horizons[-1].name
    each = rows.with_columns(pl.datetime_ranges("start", "end", market.interval, closed="left").alias("start")).explode("start")
    rule = settles_under(pricing or market.pricing)
    node, work = prices.filter(rule), workload_prices.filter(rule)
    runs = pl.concat([node.select(RUN), work.select(RUN)]).unique()
    contracts = each.filter(kind=DealKind.CFD.value).with_columns(pl.col("horizon").fill_null(last)).join(runs, on=RUN, how="semi")
    due = pl.concat([contracts, _first_runs(each.filter(kind=DealKind.SELF_SCHEDULE.value), runs, market)])
    on_work = due["resource"].is_null()
    hours = due.filter(~on_work).join(node.select(*RUN, "location", "resource", "tier", pl.col("price").alias("paid")),
                                      on=[*RUN, "location", "resource", "tier"], how="left")  # fmt: skip
    done = due.filter(on_work).join(work.select(*RUN, "workload", pl.col("home").alias("location"), "tier", pl.col("price").alias("paid")),
                                    on=[*RUN, "workload", "location", "tier"], how="left")  # fmt: skip
    return _legs(pl.concat([hours, done]), hours=market.hours)


def _complete(deals: pl.DataFrame) -> pl.DataFrame:
    """Deals that have a strike, with every column that is read here; null cells filled with what they mean."""
    names = ["deal_id", "kind", "horizon", "seller", "buyer", "location", "resource", "workload", "tier"]
    texts = [(pl.col(name) if name in deals.columns else pl.lit(None)).cast(pl.String).alias(name) for name in names]
    rows = deals.filter(pl.col("kind").cast(pl.String) != DealKind.RESERVATION.value, pl.col("price").is_not_null())
    return rows.select(*texts, "start", "end", "quantity", "price").with_columns(
        pl.col("tier").fill_null(FIRM), pl.col("location").fill_null(ANYWHERE)
    )


def _first_runs(scheduled: pl.DataFrame, runs: pl.DataFrame, market: Market) -> pl.DataFrame:
    """Intervals of self-schedules with the first horizon, from their own on, that cleared them."""
    names = [horizon.name for horizon in market.horizons]
    rank = pl.col("horizon").replace_strict(names, range(len(names)), default=0, return_dtype=pl.Int64)
    cleared = runs.with_columns(rank.alias("place")).rename({"horizon": "cleared"})
    found = scheduled.with_columns(rank.fill_null(0).alias("since")).join(cleared, on="start").filter(pl.col("place") >= pl.col("since"))
    first = found.sort("place").unique(["deal_id", "start"], keep="first", maintain_order=True)
    return first.with_columns(pl.col("cleared").alias("horizon")).select(scheduled.columns)


def _legs(due: pl.DataFrame, *, hours: float) -> pl.DataFrame:
    missing = due.filter(pl.col("paid").is_null())
    if not missing.is_empty():
        names = [" ".join(map(str, row)) for row in missing.select("deal_id", "horizon", "start").head(SHOWN).iter_rows()]
        raise NotPublishedError(f"{missing.height} intervals of contracts for differences have no price, for example {', '.join(names)}")
    volume = due["quantity"].to_numpy() * hours
    amount = micro(due["price"].to_numpy(), volume) - micro(due["paid"].to_numpy(), volume)
    sides = []
    for who, other, sign in (("seller", "buyer", 1), ("buyer", "seller", -1)):
        sides.append(
            due.select(
                "deal_id", "start", "horizon", pl.col(who).alias("participant"), pl.col(other).alias("counterparty"),
                (sign * pl.col("quantity")).alias("quantity"), pl.col("price").alias("strike"), pl.col("paid").alias("price"),
                amount=pl.Series(sign * amount, dtype=pl.Int64),
            )
        )  # fmt: skip
    found = pl.concat(sides).with_columns(pl.col("start").cast(pl.Datetime("us", "UTC")))
    return Differences.validate(found.sort("deal_id", "start", pl.col("quantity") < 0), cast=True)
