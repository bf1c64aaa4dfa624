"""Par rates out of lists of prices: on demand and committed for a year or three, by region."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.rental import RentalRates

MONTH_HOURS = 730.0  # of a term: 8,760 hours are 12 months


def listed_rates(
    observations: pl.DataFrame, *, as_of: date, on_demand: int = 1, tier: str = "firm", by: Sequence[str] = ("resource", "region", "tier")
) -> pl.DataFrame:
    """`RentalRates` of the last prices listed up to `as_of`.

    Args:
        observations: `Observations`; `term_hours` tells the tenor.
        as_of: the last day that counts (UTC); rows after it are not read.
        on_demand: months that a price without a term is taken to hold, 1 by default: nobody promises it for longer.
        tier: a rental that may be interrupted is another good, so one tier at a time.
        by: columns that name the index, joined by full stops in upper case.

    Raises `InputError` for missing columns, no rows, terms that are not whole months, and two prices for one tenor: then `by` lacks a
    column.

    >>> table = pl.DataFrame({"time": [datetime(2026, 7, 1, tzinfo=UTC)] * 2, "resource": ["h100"] * 2, "region": ["us"] * 2,
    ...                       "tier": ["firm"] * 2, "term_hours": [None, 8760.0], "price": [11.0, 7.6]})
    >>> listed_rates(table, as_of=date(2026, 7, 3)).select("index", "months", "price").rows()
    [('H100.US.FIRM', 1, 11.0), ('H100.US.FIRM', 12, 7.6)]
    """
    lacking = [name for name in ("time", "tier", "term_hours", "price", *by) if name not in observations.columns]
    if lacking:
        raise InputError(Fault(file="observations", column=name, expected="this column", value="a missing column") for name in lacking)
    end = datetime.combine(as_of + timedelta(days=1), time(), tzinfo=UTC)
    rows = observations.filter(pl.col("time") < end, pl.col("tier") == tier).filter(pl.all_horizontal(pl.col(by).is_not_null()))
    if rows.is_empty():
        raise InputError.of("observations", f"prices of tier {tier} up to {as_of}")
    named = rows.select(
        pl.concat_str([pl.col(name).cast(pl.String).str.to_uppercase() for name in by], separator=".").alias("index"),
        (pl.col("term_hours") / MONTH_HOURS).fill_null(on_demand).alias("term"),
        "time",
        "price",
    )
    odd = named.filter((pl.col("term") - pl.col("term").round()).abs() > 1e-9)["term"].unique().sort().to_list()
    if odd:
        raise InputError.of(
            "observations", f"terms of whole months of {MONTH_HOURS:g} hours", column="term_hours", value=odd[0] * MONTH_HOURS
        )
    last = named.filter(pl.col("time") == pl.col("time").max().over("index")).with_columns(pl.col("term").round().cast(pl.Int64))
    prices = last.group_by("index", "term").agg(pl.col("price").unique().sort()).sort("index", "term")
    twice = prices.filter(pl.col("price").list.len() > 1)
    if twice.height:
        raise InputError(
            Fault(
                file="observations",
                column="price",
                value=f"{index}, {term} months: {', '.join(f'{price:g}' for price in found)}",
                expected=f"one price; an index is named by {', '.join(by)}",
            )
            for index, term, found in twice.iter_rows()
        )
    return RentalRates.validate(
        prices.select(
            pl.lit(as_of).alias("as_of"),
            "index",
            pl.col("term").alias("months"),
            pl.col("price").list.first(),
            pl.lit("list prices").alias("source"),
        ),
        cast=True,
    )
