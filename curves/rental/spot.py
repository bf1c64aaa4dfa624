"""Spot beside on demand in lists of prices, by region and through time.

Spot is no tenor of a rental: its price holds until the capacity is taken away. So it stands beside the term structure, as the share by
which it is cheaper than on demand, and is never a point of it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.rental import SpotDiscounts

SHOWN = 5


def spot_discounts(
    observations: pl.DataFrame, *, as_of: date, firm: str = "firm", spot: str = "spot", by: Sequence[str] = ("resource", "region")
) -> pl.DataFrame:
    """`SpotDiscounts` of every day up to `as_of` on which both were listed: 1 − spot / on demand.

    Args:
        observations: `Observations`; on demand is what has no term.
        as_of: the last day that counts (UTC); rows after it are not read.
        firm, spot: tiers.
        by: columns that name the index, joined by full stops in upper case.

    Raises `InputError` for missing columns, and for two prices of one tier on a day: then `by` lacks a column. No day on which both
    are listed gives an empty table.

    >>> row = {"time": datetime(2026, 7, 1, tzinfo=UTC), "resource": "h100", "region": "us", "term_hours": None}
    >>> seen = pl.DataFrame([row | {"tier": "firm", "price": 10.0}, row | {"tier": "spot", "price": 4.0}])
    >>> spot_discounts(seen, as_of=date(2026, 7, 3)).select("index", "discount").rows()
    [('H100.US', 0.6)]
    """
    lacking = [name for name in ("time", "tier", "term_hours", "price", *by) if name not in observations.columns]
    if lacking:
        raise InputError(Fault(file="observations", column=name, expected="this column", value="a missing column") for name in lacking)
    end = datetime.combine(as_of + timedelta(days=1), time(), tzinfo=UTC)
    rows = observations.filter(
        pl.col("time") < end,
        pl.col("tier").is_in([firm, spot]),
        pl.col("term_hours").is_null(),
        *(pl.col(name).is_not_null() for name in by),
    )
    prices = rows.group_by(
        pl.col("time").dt.convert_time_zone("UTC").dt.date().alias("day"),
        pl.concat_str([pl.col(name).cast(pl.String).str.to_uppercase() for name in by], separator=".").alias("index"),
        "tier",
    ).agg(pl.col("price").unique().sort())
    twice = prices.filter(pl.col("price").list.len() > 1).sort("day", "index", "tier").head(SHOWN)
    if twice.height:
        raise InputError(
            Fault(
                file="observations", column="price", value=f"{index} {tier} on {day}: {', '.join(f'{price:g}' for price in found)}",
                expected=f"one price; an index is named by {', '.join(by)}",
            )
            for day, index, tier, found in twice.iter_rows()
        )  # fmt: skip
    one = prices.with_columns(pl.col("price").list.first())
    sides = [
        one.filter(pl.col("tier") == tier).select("day", "index", pl.col("price").alias(name))
        for tier, name in ((firm, "firm"), (spot, "spot"))
    ]
    both = sides[0].join(sides[1], on=["day", "index"])
    return SpotDiscounts.validate(both.with_columns(discount=1 - pl.col("spot") / pl.col("firm")).sort("index", "day"), cast=True)
