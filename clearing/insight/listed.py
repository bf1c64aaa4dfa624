"""What was listed and what of it was sold, in every interval that was cleared."""

import polars as pl

from tenorgrid.clearing.insight.orders import everywhere
from tenorgrid.clearing.insight.published import Published

PLACE = ["horizon", "start", "location", "resource", "participant", "firmable"]


def intervals(orders: pl.DataFrame, run: Published) -> pl.DataFrame:
    """Orders once per interval of their window that their horizon has cleared; `start` is the interval's.

    Args:
        orders: with horizon, start and end.
        run: whose intervals.
    """
    length = run.case.market.interval
    whole = orders.filter((pl.col("end") - pl.col("start")) == length).drop("end")
    longer = orders.filter((pl.col("end") - pl.col("start")) != length)
    ranges = pl.datetime_ranges("start", "end", interval=length, closed="left").alias("start")
    spread = longer.with_columns(ranges).drop("end").explode("start")
    cleared = run.prices.select("horizon", "start").unique()
    return pl.concat([whole, spread.select(whole.columns)]).join(cleared, on=["horizon", "start"], how="semi")


def listed(run: Published) -> pl.DataFrame:
    """Listed hours of every supplier in every interval: `PLACE`, offered and sold (listed hours per hour, in all tiers together).

    `firmable` tells hours that may be sold firm from those that are interruptible only.
    """
    firmable = pl.col("firm_premium").is_not_null().alias("firmable")
    offers = everywhere(run.case.offers, run.horizons)
    steps = offers.select("horizon", "start", "end", *PLACE[2:5], firmable, pl.col("quantity").alias("hours"))
    offered = _summed(_named(intervals(steps, run)))
    beta = dict(run.case.tiers.select("tier", "overcommit").iter_rows())
    awards = run.awards.filter(pl.col("side").cast(pl.String) == "offer")
    hours = pl.col("quantity") / pl.col("tier").replace_strict(beta, return_dtype=pl.Float64)
    sold = _summed(_named(_firmable(awards, offers).select(*PLACE, hours.alias("hours"))))
    both = offered.rename({"hours": "offered"}).join(sold.rename({"hours": "sold"}), on=PLACE, how="left")
    texts = [pl.col(name).cast(pl.String) for name in ("horizon", "location", "resource", "participant")]
    return both.with_columns(*texts, pl.col("sold").fill_null(0.0))


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Names as categories: millions of rows are summed by them."""
    return rows.with_columns(pl.col("horizon", "location", "resource", "participant").cast(pl.Categorical))


def _summed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by(PLACE).agg(pl.col("hours").sum())


def _firmable(awards: pl.DataFrame, offers: pl.DataFrame) -> pl.DataFrame:
    """Awards with whether their step may be sold firm; only offers that have a step that may not are looked up."""
    some = offers.filter(pl.col("firm_premium").is_null())["offer_id"].unique()
    mixed = pl.col("id").is_in(some.implode())
    steps = offers.select(
        "horizon", pl.col("offer_id").alias("id"), "resource", "step", pl.col("firm_premium").is_not_null().alias("firmable")
    )
    known = awards.filter(mixed).join(steps, on=["horizon", "id", "resource", "step"])
    return pl.concat([awards.filter(~mixed).with_columns(pl.lit(True).alias("firmable")), known])
