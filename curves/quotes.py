"""Quotes: what the ahead markets say of the days they have cleared, and what brokers say of the months."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import polars as pl

from tenorgrid.curves.ahead import Underlying, hourly, whole_days
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.tables.door import checked
from tenorgrid.data.terms.market import REAL_TIME, Market

UTC_TIME = pl.Datetime("us", "UTC")


def ahead_quotes(
    prices: pl.DataFrame,
    *,
    underlying: Underlying,
    market: Market,
    as_of: date,
    period: Literal["day", "hour"] = "day",
    pricing: str | None = None,
) -> pl.DataFrame:
    """`Quotes` for every delivery day from `as_of` on, each from the horizon of shortest lead that has cleared it.

    The market for day D runs `lead` before D begins, so at `as_of` the day-ahead run has cleared one day, week-ahead seven, month-ahead
    thirty. Rows that were not known then are not read.

    Args:
        prices: `Prices` of clearing.
        underlying: nodes of the index; its price in an hour is their weighted mean.
        market: horizons and time zone.
        as_of: local day at whose beginning we stand.
        period: one quote a local day (its mean), or one an hour.
        pricing: pricing rule; None is the market's own.

    Raises `InputError` for a day that lacks an hour and where no ahead market has cleared a day from `as_of` on.
    """
    ahead = hourly(prices, underlying=underlying, market=market, as_of=as_of, pricing=pricing).filter(
        pl.col("horizon") != REAL_TIME.name, pl.col("start") >= market.midnight(as_of)
    )
    if ahead.is_empty():
        raise InputError.of("prices", f"ahead prices of {underlying.resource} for deliveries from {as_of} on")
    days = whole_days(ahead, market=market).unique("day", keep="first", maintain_order=True)
    zone = market.timezone
    if period == "day":
        midnights = {day: market.midnight(day) for first in days["day"] for day in (first, date.fromordinal(first.toordinal() + 1))}
        spans = days.with_columns(
            pl.col("day").replace_strict(midnights, return_dtype=UTC_TIME).alias("start"),
            pl.col("day").dt.offset_by("1d").replace_strict(midnights, return_dtype=UTC_TIME).alias("end"),
            pl.col("day").dt.to_string("%Y-%m-%d").alias("code"),
        )
    else:
        spans = ahead.join(days.select("horizon", "day"), on=["horizon", "day"], how="semi").with_columns(
            pl.col("start").dt.offset_by("1h").alias("end"), pl.col("start").dt.to_string("%Y-%m-%dT%HZ").alias("code")
        )
    return _quotes(spans, underlying.index, market, as_of, zone)


def mark_quotes(marks: pl.DataFrame, *, index: str, timezone: str, published_by: pl.Expr | None = None) -> pl.DataFrame:
    """`Quotes` of an index's past: every mark is what its own delivery period was worth. The latest revision of each counts.

    Args:
        marks: `Marks` of one methodology.
        index: index.
        timezone: of the index's days.
        published_by: a condition on the rows, for example on `published_at`; None takes all.

    Raises `InputError` where the index has no mark with a value, or marks of several methodologies.
    """
    mine = marks.filter(pl.col("index") == index, pl.col("value").is_not_null())
    mine = mine if published_by is None else mine.filter(published_by)
    if mine.is_empty():
        raise InputError.of("marks", f"a mark of {index} with a value", column="index")
    methods = mine["methodology"].unique().sort().to_list()
    if len(methods) > 1:
        raise InputError.of("marks", "marks of one methodology", column="methodology", value=", ".join(methods))
    code = pl.format("{}:{}", pl.col("index"), pl.col("start").dt.convert_time_zone(timezone).dt.to_string("%Y-%m-%dT%H:%M"))
    return Quotes.validate(
        mine.sort("revision")
        .unique("start", keep="last")
        .sort("start")
        .select(
            pl.col("published_at").alias("as_of"),
            pl.format("{} mark", code).alias("quote_id"),
            "index",
            code.alias("contract"),
            "start",
            "end",
            pl.lit("base").alias("profile"),
            pl.lit(None, dtype=pl.Float64).alias("bid"),
            pl.col("value").alias("price"),
            pl.lit(None, dtype=pl.Float64).alias("ask"),
            pl.lit("hourly").alias("average"),
            pl.lit(None, dtype=pl.String).alias("calendar"),
            pl.lit(timezone).alias("timezone"),
            pl.lit("mark").alias("source"),
        ),
        cast=True,
    )


def joined(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Quotes of several sources as one table, checked: a quote_id may stand once."""
    return checked(pl.concat([checked(table, Quotes, name="quotes") for table in tables]), Quotes, name="quotes")


def _quotes(spans: pl.DataFrame, index: str, market: Market, as_of: date, zone: str) -> pl.DataFrame:
    return Quotes.validate(
        spans.sort("start").select(
            pl.lit(market.midnight(as_of)).dt.convert_time_zone("UTC").cast(UTC_TIME).alias("as_of"),
            pl.format("{}:{} {}", pl.lit(index), "code", "horizon").alias("quote_id"),
            pl.lit(index).alias("index"),
            pl.format("{}:{}", pl.lit(index), "code").alias("contract"),
            "start",
            "end",
            pl.lit("base").alias("profile"),
            pl.lit(None, dtype=pl.Float64).alias("bid"),
            "price",
            pl.lit(None, dtype=pl.Float64).alias("ask"),
            pl.lit("hourly").alias("average"),
            pl.lit(None, dtype=pl.String).alias("calendar"),
            pl.lit(zone).alias("timezone"),
            pl.format("{} clearing", "horizon").alias("source"),
        ),
        cast=True,
    )
