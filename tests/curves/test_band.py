"""The band and its measured coverage."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.ahead import Underlying
from tenorgrid.curves.band import band, limits
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Market

AS_OF = date(2027, 3, 16)


def test_the_band_is_measured_on_74_days_of_which_25_are_held_back(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = band(prices, underlying=underlying, market=market, as_of=AS_OF).bands
    assert found["source"].to_list() == ["day-ahead clearing", "week-ahead clearing", "month-ahead clearing"]
    assert found["observations"].to_list() == [49] * 3
    assert found["held_back"].to_list() == [25] * 3
    width = (found["upper"] - found["lower"]).to_list()
    assert width == sorted(width)


def test_limits_and_coverage_agree_with_a_count_by_hand(prices: pl.DataFrame, market: Market) -> None:
    east = Underlying(index="E", resource="h100-sxm", tier="firm", weights={"us-east": 1.0})
    found = band(prices, underlying=east, market=market, as_of=AS_OF).bands.row(1, named=True)
    days = (
        prices.filter(location="us-east")
        .group_by("horizon", pl.col("start").dt.convert_time_zone(market.timezone).dt.date().alias("day"))
        .agg(pl.col("price").mean())
        .filter(pl.col("day") < AS_OF)
        .sort("day")
    )
    ratio = days.filter(horizon="real-time")["price"].to_numpy() / days.filter(horizon="week-ahead")["price"].to_numpy()
    ordered = np.sort(ratio[:49])
    assert (found["lower"], found["upper"]) == pytest.approx((ordered[4], ordered[44]), abs=1e-14)  # the 5th from either end: 50 × 0.1
    assert found["covered"] == sum(ordered[4] <= x <= ordered[44] for x in ratio[49:])


def test_limits_hold_a_new_day_at_least_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    held = [low <= new <= high for new, (low, high) in ((rng.normal(), limits(rng.normal(size=49), 0.8)) for _ in range(20_000))]
    assert np.mean(held) == pytest.approx(0.8, abs=4 * (0.16 / 20_000) ** 0.5)  # 50 × 0.1 is whole, so exactly 0.8


def test_days_after_as_of_do_not_move_the_band(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    later = pl.col("start") >= market.midnight(AS_OF)
    changed = prices.with_columns(pl.when(later).then(pl.col("price") * 5).otherwise(pl.col("price")).alias("price"))
    first, second = (band(frame, underlying=underlying, market=market, as_of=AS_OF).bands for frame in (prices, changed))
    assert first.equals(second)


def test_too_few_days_and_prices_that_have_no_ratio_are_refused(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    with pytest.raises(InputError, match=r"found 8 of day-ahead, expected at least 9 days"):
        band(prices, underlying=underlying, market=market, as_of=date(2027, 1, 13))
    with pytest.raises(InputError, match="daily averages above 0"):
        band(prices.with_columns(price=0.0 * pl.col("price")), underlying=underlying, market=market, as_of=AS_OF)
    with pytest.raises(InputError, match=r"found 1\.0, expected a number between 0 and 1"):
        band(prices, underlying=underlying, market=market, as_of=AS_OF, level=1.0)
