"""Bilateral deals in the clearing: what two parties agreed outside the market, as the bids and offers that it takes in the market.

A *self-schedule* is a price-taking offer and bid of the same quantity (market design, section 4): the offer stands at the price floor,
the bid at the highest value that its workload admits, so that neither is marginal where anyone else is, and both clear at whatever
price lies between. The seller is paid λ where the resource stands, the buyer pays ω where its work belongs; what lies between the two
is transport and congestion, which a deal between two places pays like everyone else. Orders that stand at a bound themselves tie with
the legs there, and share pro rata. A *reservation*'s unused hours are listed as an interruptible offer of who holds it. A contract for
differences takes no part: it settles outside (`tenorgrid.settlement.differences`).

Legs carry ids that tell them apart: `deal:ID:sell`, `deal:ID:buy`, `deal:ID:list`.
"""

from dataclasses import replace

import polars as pl

from tenorgrid.clearing.tiers import FIRM
from tenorgrid.data.case import Case
from tenorgrid.data.deals import leg_ids, recipes_of
from tenorgrid.data.kinds.market import DealKind
from tenorgrid.data.tables.deals import Bilaterals


def with_deals(case: Case) -> Case:
    """The case that is cleared: the legs of its deals stand among the offers and bids, and no deal is left. Without deals, the case.

    Args:
        case: checked.

    >>> from tenorgrid.data.case import read_case
    >>> plain = read_case("packaged")
    >>> with_deals(plain) is plain
    True
    """
    if case.bilaterals.is_empty():
        return case
    deals = case.bilaterals.with_row_index("row").with_columns(pl.col("kind").cast(pl.String), pl.col("tier").fill_null(FIRM))
    scheduled = deals.filter(kind=DealKind.SELF_SCHEDULE.value)
    reserved = deals.filter(kind=DealKind.RESERVATION.value)
    legs = _sales(case, scheduled), _listings(case, reserved)
    offers = pl.concat([case.offers, *(_standing(case, leg, case.offers) for leg in legs)])
    bids = pl.concat([case.bids, _standing(case, _purchases(case, scheduled), case.bids)])
    return replace(case, offers=offers, bids=bids, bilaterals=Bilaterals.create_empty())


def price_taking_values(case: Case) -> pl.DataFrame:
    r"""The highest value that bids for each workload may have: :math:`\min_{a, j} \bar\lambda\, x_{a,j} / \varphi_a`, λ̄ the price cap.

    A bid of that value is served at every price up to the cap of the resource that does most of its work; by a recipe that does less of
    it an hour, up to as much less. Columns workload, value in USD per unit of work.
    """
    uses = case.recipe_resources.join(case.recipes, on=["workload", "recipe"])
    each = case.market.price_cap * pl.col("per_hour") / pl.col("output_per_hour")
    return uses.group_by("workload").agg(each.min().alias("value")).sort("workload")


def _sales(case: Case, scheduled: pl.DataFrame) -> pl.DataFrame:
    """Offers of the sellers of self-schedules: Y = q / β at β times the floor, for which β λ is enough at every admitted λ."""
    ways = recipes_of(scheduled, case.tables()).unique("row", keep="first", maintain_order=True).select("row", "domain")
    overcommit = case.tiers.select("tier", "overcommit")
    rows = scheduled.join(ways, on="row", maintain_order="left").join(overcommit, on="tier", maintain_order="left")
    return rows.with_columns(
        leg_ids("sell").alias("offer_id"),
        pl.col("seller").alias("participant"),
        pl.col("quantity") / pl.col("overcommit"),
        (case.market.price_floor * pl.col("overcommit")).alias("price"),
        pl.when(pl.col("tier") == FIRM).then(0.0).alias("firm_premium"),
    )


def _purchases(case: Case, scheduled: pl.DataFrame) -> pl.DataFrame:
    """Bids of the buyers of self-schedules: the work that the hours do by the recipe of the deal, q φ / x."""
    ways = recipes_of(scheduled, case.tables()).unique("row", keep="first", maintain_order=True).drop("recipe", "domain")
    rows = scheduled.join(ways, on="row", maintain_order="left").join(price_taking_values(case), on="workload", maintain_order="left")
    return rows.with_columns(
        leg_ids("buy").alias("bid_id"),
        pl.col("buyer").alias("participant"),
        pl.col("home").fill_null(pl.col("location")),
        pl.col("quantity") * pl.col("output_per_hour") / pl.col("per_hour"),
        pl.col("tier").alias("tiers"),
    )


def _listings(case: Case, reserved: pl.DataFrame) -> pl.DataFrame:
    """Offers of the unused hours of reservations: interruptible only, as their holder may come back for them."""
    rows = reserved.with_columns(
        leg_ids("list").alias("offer_id"),
        pl.col("buyer").alias("participant"),
        pl.col("quantity") - pl.col("need"),
        pl.col("price").fill_null(case.market.price_floor),
    )
    return rows.filter(pl.col("quantity") > 0)


def _standing(case: Case, legs: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Legs as rows of a table of orders, at the horizon of their deal and every later one; one row without a horizon where that is all."""
    names = [horizon.name for horizon in case.market.horizons]
    pairs: list[tuple[str, str | None]] = [(names[0], None)]
    pairs += [(first, each) for at, first in enumerate(names) if at > 0 for each in names[at:]]
    horizons = pl.DataFrame(pairs, schema={"first": pl.String, "each": pl.String}, orient="row")
    rows = legs.with_columns(pl.col("horizon").fill_null(names[0]).alias("first"))
    each = rows.join(horizons, on="first", maintain_order="left")
    given = each.with_columns(pl.col("each").alias("horizon"), pl.lit(1, dtype=pl.Int64).alias("step"))
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in table.schema.items() if name not in given.columns]
    return given.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in table.schema.items())
