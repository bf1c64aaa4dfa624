"""Prices of an index's nodes, as they were known."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from tenorgrid.curves.ahead import Underlying, hourly, whole_days
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Market

AS_OF = date(2027, 3, 16)


def test_each_horizon_reaches_as_far_as_its_lead(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = hourly(prices, underlying=underlying, market=market, as_of=AS_OF)
    last = dict(found.group_by("horizon").agg(pl.col("start").max()).iter_rows())
    assert list(found["horizon"].unique(maintain_order=True)) == ["real-time", "day-ahead", "week-ahead", "month-ahead"]
    ends = {"real-time": (3, 16, 3), "day-ahead": (3, 17, 3), "week-ahead": (3, 23, 3), "month-ahead": (4, 1, 3)}
    assert last == {name: datetime(2027, *end, tzinfo=UTC) for name, end in ends.items()}


def test_days_have_23_24_or_25_hours_and_agree_with_a_loop(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    frame = hourly(prices, underlying=underlying, market=market, as_of=AS_OF).filter(horizon="week-ahead")
    days = whole_days(frame, market=market)
    assert days.filter(day=date(2027, 3, 14))["hours"][0] == 23
    for day, price in days.select("day", "price").head(5).iter_rows():
        rows = [p for d, p in frame.select("day", "price").iter_rows() if d == day]
        assert price == pytest.approx(sum(rows) / len(rows), abs=1e-13)


def test_rows_that_were_not_known_change_nothing(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    until = {horizon.name: market.cleared_until(horizon, AS_OF) for horizon in market.horizons}
    late = pl.col("start") >= pl.col("horizon").replace_strict(until, return_dtype=pl.Datetime("us", "UTC"))
    changed = prices.with_columns(pl.when(late).then(pl.col("price") * 9).otherwise(pl.col("price")).alias("price"))
    assert not changed.equals(prices)
    before, after = (hourly(frame, underlying=underlying, market=market, as_of=AS_OF) for frame in (prices, changed))
    assert before.equals(after)
    assert before.equals(hourly(prices.filter(~late).reverse(), underlying=underlying, market=market, as_of=AS_OF))


def test_markets_and_baskets_that_make_no_hourly_price_are_refused(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    with pytest.raises(InputError, match="an interval of 1h"):
        hourly(prices, underlying=underlying, market=replace(market, interval=timedelta(minutes=30)), as_of=AS_OF)
    with pytest.raises(InputError, match=r"weights.us-east: found 0.0, expected a weight above 0"):
        Underlying(index="X", resource="h100-sxm", tier="firm", weights={"us-east": 0.0})
    with pytest.raises(InputError, match="at least one location"):
        Underlying(index="X", resource="h100-sxm", tier="firm", weights={})
