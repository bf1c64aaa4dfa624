r"""Recall of listed hours: the holder of a reservation comes to need hours that stand listed and sold as interruptible.

A position of H hours, listed but for what its holder meant to use; Y_k of the listed hours are sold in tier k, as β_k Y_k booked hours.
When the need n rises past the hours that nobody bought, the listed hours are recalled before anything is bought in the market. A call
goes out `notice` before the hours are back, so n' is the least of the need now and of the need then:

    given back  R = max(0, n' − (H − Σ Y_k))      listed hours; 0 without the right of recall
    short       S = max(0, n − (H − Σ Y_k)) − R   for the holder to buy, like anyone

The tier with the highest π is recalled first, and R_k listed hours take β_k R_k booked hours from their users. λ_k is paid for booked
hours, recalled or not, and a user's bid carries π_k already, so recalls within the promise cost nobody anything. Over a month of the
market's time zone, per holder and tier,

    beyond      E = max(0, Σ β_k R_k − π_k Σ β_k Y_k)

hours are not delivered that should be. Every recall bears the same share of them, whenever in the month it was, and they are bought
back at the real-time price of their hour: the holder pays Δ λ_k for each, and those whose work was interrupted receive it. Interrupted
hours are drawn at random among the sold, so each user of the node bears them, and is paid, in proportion to its use. (Market design,
section 3.)
"""

import polars as pl

from tenorgrid.data.deals import leg_ids
from tenorgrid.data.errors import NotPublishedError
from tenorgrid.data.kinds.market import AwardSide, DealKind, PricingRule
from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.data.tables.deals import Interruptions, Recalls
from tenorgrid.data.terms.market import Market
from tenorgrid.settlement.money import micro, shares

ANYWHERE = "*"
NODE = ["start", "location", "resource", "tier"]
POOL = ["start", "workload", "home", "tier"]
DUST = 1e-9  # resource-hours per hour: a recall smaller than this is rounding noise


def recalls(
    deals: pl.DataFrame,
    *,
    awards: pl.DataFrame,
    prices: pl.DataFrame,
    tiers: pl.DataFrame,
    market: Market,
    pricing: PricingRule | None = None,
) -> pl.DataFrame:
    """What holders of reservations recalled and what it costs them, `Recalls`: a row for every tier that their listed hours were sold in.

    Args:
        deals: `Bilaterals`.
        awards, prices: as clearing published them; those of the market's last horizon are read.
        tiers: of the case.
        market: its interval, horizons, time zone and pricing rule.
        pricing: rule whose prices settle; None is the market's own.

    Raises NotPublishedError where hours are recalled beyond the promise at a node without a price.
    """
    last = market.horizons[-1].name
    sold = _sold(deals, awards.filter(pl.col("horizon") == last), tiers, market)
    if sold.is_empty():
        return Recalls.create_empty()
    back = _given_back(sold)
    month = pl.col("start").dt.convert_time_zone(market.timezone).dt.strftime("%Y-%m")
    per = ["participant", "tier", "month"]
    back = back.with_columns(month.alias("month")).with_columns(
        (pl.col("recalled").sum() - pl.col("interruption_probability").first() * pl.col("booked").sum())
        .over(per)
        .clip(0.0)
        .alias("excess"),
        pl.col("recalled").sum().over(per).alias("all"),
    )
    beyond = pl.when(pl.col("all") > 0).then(pl.col("recalled") * pl.col("excess") / pl.col("all")).otherwise(0.0)
    node = prices.filter(settles_under(pricing or market.pricing), pl.col("horizon") == last).select(*NODE, "price")
    rows = back.with_columns(beyond.alias("beyond")).join(node, on=NODE, how="left", maintain_order="left")
    missing = rows.filter(pl.col("price").is_null())
    if not missing.is_empty():
        found = " ".join(map(str, missing.select("deal_id", *NODE).row(0)))
        raise NotPublishedError(f"{missing.height} sales of listed hours have no real-time price, for example {found}")
    amount = -micro(rows["price"].to_numpy(), rows["beyond"].to_numpy() * market.hours)
    table = rows.with_columns((pl.col("recalled") - pl.col("beyond")).clip(0.0).alias("within"), pl.Series("amount", amount))
    return Recalls.validate(table.select(list(Recalls.columns())).sort("deal_id", "start", "tier"), cast=True)


def interruptions(
    recalled: pl.DataFrame,
    *,
    awards: pl.DataFrame,
    placements: pl.DataFrame,
    recipes: pl.DataFrame,
    recipe_resources: pl.DataFrame,
    market: Market,
) -> pl.DataFrame:
    """Who is interrupted by recalls, what work is not done, and what is passed on, `Interruptions`; amounts sum to what holders pay.

    Args:
        recalled: `Recalls`.
        awards, placements: as clearing published them; those of the market's last horizon are read.
        recipes, recipe_resources: of the case.
        market: its horizons.

    Raises NotPublishedError where hours were recalled that no placement uses.
    """
    gone = recalled.filter(pl.col("recalled") > DUST).group_by(NODE).agg(pl.col("recalled").sum(), (-pl.col("amount").sum()).alias("paid"))
    if gone.is_empty():
        return Interruptions.create_empty()
    last = pl.col("horizon") == market.horizons[-1].name
    use = _uses(awards.filter(last), placements.filter(last), recipes, recipe_resources)
    hit = gone.join(use, on=NODE, how="left").with_columns((pl.col("use") / pl.col("use").sum().over(NODE)).alias("share"))
    unused = hit.filter(pl.col("use").is_null())
    if not unused.is_empty():
        found = " ".join(map(str, unused.select(NODE).row(0)))
        raise NotPublishedError(f"{unused.height} nodes have recalled hours that no placement uses, for example {found}")
    lost = hit.with_columns((pl.col("recalled") * pl.col("share")).alias("hours")).with_columns(
        (pl.col("hours") * pl.col("made") / pl.col("use")).alias("work")
    )
    each = [*NODE, "participant", "workload"]
    table = lost.group_by(each).agg(pl.col("use", "hours", "work").sum(), pl.col("paid").first()).sort(each)
    parts = [_passed_on(rows, int(rows["paid"][0])) for _, rows in table.group_by(NODE, maintain_order=True)]
    return Interruptions.validate(pl.concat(parts).select(list(Interruptions.columns())), cast=True)


def _passed_on(rows: pl.DataFrame, paid: int) -> pl.DataFrame:
    return rows.with_columns(pl.Series("amount", shares(paid, rows["hours"].to_list()), dtype=pl.Int64))


def _sold(deals: pl.DataFrame, awards: pl.DataFrame, tiers: pl.DataFrame, market: Market) -> pl.DataFrame:
    """Listed hours that were sold, by deal, interval and tier, with the need now and when a call for them would have gone out."""
    mine = deals.with_columns(leg_ids("list")).filter(
        pl.col("kind").cast(pl.String) == DealKind.RESERVATION.value, pl.col("need").is_not_null()
    )
    each = mine.with_columns(pl.datetime_ranges("start", "end", market.interval, closed="left").alias("start")).explode("start")
    intervals = (pl.col("notice_hours").fill_null(0.0) / market.hours - DUST).ceil().cast(pl.Int64)
    now = each.with_columns(
        pl.coalesce("real_time_need", "need").alias("now"), (pl.col("start") - intervals * pl.lit(market.interval)).alias("called")
    )
    then = now.select("deal_id", pl.col("start").alias("called"), pl.col("now").alias("then"))
    told = now.join(then, on=["deal_id", "called"], how="left").with_columns(pl.coalesce("then", "need").alias("then"))
    offered = awards.filter(pl.col("side").cast(pl.String) == AwardSide.OFFER.value)
    booked = offered.group_by("id", "start", "tier").agg(pl.col("quantity").sum().alias("booked"))
    rows = told.drop("tier", "price").join(booked, on=["id", "start"]).join(tiers, on="tier")
    return rows.with_columns(
        pl.col("buyer").alias("participant"),
        pl.col("quantity").alias("held"),
        pl.col("now").alias("need"),
        (pl.col("booked") / pl.col("overcommit")).alias("listed"),
    )


def _given_back(sold: pl.DataFrame) -> pl.DataFrame:
    """`sold` with what is returned to the holder of each tier, what that interrupts, and what the position cannot meet."""
    key = ["deal_id", "start"]
    free = pl.col("held") - pl.col("listed").sum().over(key)
    wanted = (pl.col("need") - free).clip(0.0)
    called = (pl.min_horizontal("need", "then") - free).clip(0.0)
    given = pl.min_horizontal(pl.when(pl.col("recall").fill_null(False)).then(called).otherwise(0.0), pl.col("listed").sum().over(key))
    rows = sold.with_columns(given.alias("given"), (wanted - given).clip(0.0).alias("short"))
    rows = rows.sort(*key, "interruption_probability", "tier", descending=[False, False, True, False])
    before = (pl.col("listed").cum_sum() - pl.col("listed")).over(key)
    returned = pl.min_horizontal("listed", (pl.col("given") - before).clip(0.0))
    return rows.with_columns(returned.alias("returned")).with_columns((pl.col("returned") * pl.col("overcommit")).alias("recalled"))


def _uses(awards: pl.DataFrame, placements: pl.DataFrame, recipes: pl.DataFrame, recipe_resources: pl.DataFrame) -> pl.DataFrame:
    """Hours of each node that each participant's work uses, and the work that they make; a pool's recipes are shared pro rata to work."""
    bids = awards.filter(pl.col("side").cast(pl.String) == AwardSide.BID.value).with_columns(
        pl.col("location").fill_null(ANYWHERE).alias("home")
    )
    work = bids.group_by(*POOL, "participant").agg(pl.col("quantity").sum().alias("mine"))
    part = work.with_columns((pl.col("mine") / pl.col("mine").sum().over(POOL)).alias("part"))
    used = placements.join(recipe_resources, on=["workload", "recipe"])
    use = (pl.col("level") * pl.col("per_hour")).alias("pool_use")
    rows = used.select(*POOL, "location", "resource", use, pl.col("work").alias("pool_work")).join(part, on=POOL)
    return rows.group_by(*NODE, "participant", "workload").agg(
        (pl.col("pool_use") * pl.col("part")).sum().alias("use"), (pl.col("pool_work") * pl.col("part")).sum().alias("made")
    )
