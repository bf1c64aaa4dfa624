"""Hour-of-week shape."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.ahead import Underlying
from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.shape import Shape, hour_of_week, shape_of_history
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Market

AS_OF = date(2027, 3, 16)


def test_a_market_of_known_shape_gives_it_back(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    local = pl.col("start").dt.convert_time_zone(market.timezone)
    factor = 1 + 0.3 * (local.dt.hour() >= 12).cast(pl.Float64) - 0.2 * (local.dt.weekday() > 5).cast(pl.Float64)
    exact = prices.with_columns(price=2.0 * factor)
    found = hour_of_week(exact, underlying=underlying, market=market, as_of=AS_OF)
    mean = (5 * 1.15 + 2 * 0.95) / 7
    assert found.hours["value"].mean() == pytest.approx(1.0, abs=1e-12)
    assert found.hours.filter(weekday=1, hour=15)["value"][0] == pytest.approx(1.3 / mean, abs=1e-12)
    assert found.hours.filter(weekday=7, hour=3)["value"][0] == pytest.approx(0.8 / mean, abs=1e-12)


def test_it_agrees_with_means_taken_one_by_one(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = hour_of_week(prices, underlying=underlying, market=market, as_of=AS_OF, kind="additive")
    mine = prices.filter(horizon="month-ahead").with_columns(local=pl.col("start").dt.convert_time_zone(market.timezone))
    basket = mine.filter(location="us-east")["price"].to_numpy() / 3 + 2 * mine.filter(location="us-west")["price"].to_numpy() / 3
    clocks = mine.filter(location="us-east")["local"].to_list()
    first = date(2027, 4, 1).toordinal() - 12 * 7
    chosen = [(moment, price) for moment, price in zip(clocks, basket, strict=True) if moment.date().toordinal() >= first]
    slow = [np.mean([p for m, p in chosen if (m.isoweekday(), m.hour) == (weekday, hour)]) for weekday in range(1, 8) for hour in range(24)]
    assert found.hours["value"].to_numpy() == pytest.approx(np.array(slow) - np.mean(slow), abs=1e-12)
    assert found.hours.filter(weekday=7, hour=2)["observations"][0] == 11  # the hour that 14 March does not have


def test_the_shape_lands_on_local_hours(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = hour_of_week(prices, underlying=underlying, market=market, as_of=AS_OF)
    starts = prices.filter(horizon="real-time", location="us-east")["start"]
    values = found.on(starts)
    local = starts.dt.convert_time_zone(market.timezone)
    for weekday, hour in ((1, 0), (3, 17), (7, 23)):
        here = ((local.dt.weekday() == weekday) & (local.dt.hour() == hour)).to_numpy()
        assert np.unique(values[here]).tolist() == found.hours.filter(weekday=weekday, hour=hour)["value"].to_list()


def test_less_than_a_week_and_factors_below_zero_are_refused(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    first = prices.filter(pl.col("start") < market.midnight(date(2027, 1, 6)))
    with pytest.raises(InputError, match="found 5 days, expected at least one week of month-ahead prices"):
        hour_of_week(first, underlying=underlying, market=market, as_of=AS_OF)
    good = hour_of_week(prices, underlying=underlying, market=market, as_of=AS_OF)
    with pytest.raises(InputError, match="factors above 0"):
        Shape(kind="multiplicative", timezone="UTC", hours=good.hours.with_columns(pl.col("value") - 1))
    with pytest.raises(InputError, match="found 167 rows"):
        Shape(kind="multiplicative", timezone="UTC", hours=good.hours.tail(167))


def test_a_shape_of_history_gives_back_the_week_it_was_made_of(quote: Callable[..., pl.DataFrame]) -> None:
    start = datetime(2027, 1, 4, tzinfo=UTC)
    week = np.random.default_rng(4).uniform(0.5, 1.5, 168)
    starts = pl.datetime_range(start, start + timedelta(days=28), "1h", closed="left", eager=True, time_zone="UTC")
    history = pl.DataFrame({"start": starts, "price": 2.4 * np.tile(week, 4)})
    shape = shape_of_history(history, timezone="UTC")
    assert shape.on(starts)[:168] == pytest.approx(week / week.mean(), abs=1e-12)
    month = quote("m", start + timedelta(28), start + timedelta(56), 3.0)
    curve = fit_curve(month, index="X", as_of=start + timedelta(28), shape=shape)
    assert curve.forward[:168] == pytest.approx(3.0 * week / week.mean(), abs=1e-10)
    with pytest.raises(InputError, match="at least one week"):
        shape_of_history(history.head(100), timezone="UTC")
    with pytest.raises(InputError, match="one price an hour"):
        shape_of_history(pl.concat([history, history.head(1)]), timezone="UTC")
