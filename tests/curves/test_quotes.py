"""Quotes from the ahead markets and from marks."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.ahead import Underlying
from tenorgrid.curves.quotes import ahead_quotes, joined, mark_quotes
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.terms.market import Market

AS_OF = date(2027, 3, 16)


def test_each_day_takes_the_shortest_lead_that_had_cleared_it(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = ahead_quotes(prices, underlying=underlying, market=market, as_of=AS_OF)
    assert found["source"].to_list() == ["day-ahead clearing"] + ["week-ahead clearing"] * 6 + ["month-ahead clearing"] * 9
    assert found["contract"][0] == "H100-SXM.US.FIRM:2027-03-16"
    assert found["start"][0] == datetime(2027, 3, 16, 4, tzinfo=UTC)
    assert found["end"][-1] == datetime(2027, 4, 1, 4, tzinfo=UTC)
    assert Quotes.is_valid(found)


def test_a_day_is_the_mean_of_its_hours_weighted_by_location(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = ahead_quotes(prices, underlying=underlying, market=market, as_of=date(2027, 3, 14))
    mine = prices.filter(
        pl.col("horizon") == "day-ahead", pl.col("start").dt.convert_time_zone("America/New_York").dt.date() == date(2027, 3, 14)
    )
    east, west = (mine.filter(location=place)["price"].to_numpy() for place in ("us-east", "us-west"))
    assert east.size == 23
    assert found["price"][0] == pytest.approx((east.mean() + 2 * west.mean()) / 3, abs=1e-13)


def test_hours_make_quotes_too(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = ahead_quotes(prices, underlying=underlying, market=market, as_of=AS_OF, period="hour")
    days = ahead_quotes(prices, underlying=underlying, market=market, as_of=AS_OF)
    assert found.height == 16 * 24
    assert found["price"].to_numpy().reshape(16, 24).mean(axis=1) == pytest.approx(days["price"].to_numpy(), abs=1e-13)


def test_a_missing_hour_and_a_missing_location_are_refused_by_name(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    hour = pl.col("start") == datetime(2027, 3, 20, 12, tzinfo=UTC)
    with pytest.raises(InputError, match="23 hours of 2027-03-20 at week-ahead, expected 24 hours"):
        ahead_quotes(prices.filter(~hour), underlying=underlying, market=market, as_of=AS_OF)
    with pytest.raises(InputError, match="1 at 2027-03-20T12:00Z, week-ahead, expected a price in 2 locations"):
        ahead_quotes(prices.filter(~(hour & (pl.col("location") == "us-east"))), underlying=underlying, market=market, as_of=AS_OF)
    with pytest.raises(InputError, match="us-west before 2027-03-16"):
        ahead_quotes(prices.filter(tier="spot"), underlying=underlying, market=market, as_of=AS_OF)


def _marks(values: list[float | None], methodology: str = "house") -> pl.DataFrame:
    start = [datetime(2027, 3, 1, 5, tzinfo=UTC) + timedelta(days=n) for n in range(len(values))]
    return pl.DataFrame(
        {
            "index": "X",
            "methodology": methodology,
            "start": start,
            "end": [moment + timedelta(days=1) for moment in start],
            "published_at": [moment + timedelta(days=1) for moment in start],
            "revision": 0,
            "value": values,
        }
    )


def test_marks_become_quotes_of_their_own_days_at_their_latest_revision() -> None:
    marks = pl.concat([_marks([2.1, None, 2.3]), _marks([2.15]).with_columns(revision=1)], how="vertical_relaxed")
    found = mark_quotes(marks, index="X", timezone="America/New_York")
    assert found["price"].to_list() == [2.15, 2.3]
    assert found["contract"].to_list() == ["X:2027-03-01T00:00", "X:2027-03-03T00:00"]
    assert np.diff(found["start"].to_numpy()).item() == np.timedelta64(2, "D")


def test_marks_of_two_methodologies_are_refused() -> None:
    with pytest.raises(InputError, match="found ccir, house, expected marks of one methodology"):
        mark_quotes(pl.concat([_marks([2.0]), _marks([1.8], "ccir")]), index="X", timezone="UTC")
    with pytest.raises(InputError, match="a mark of Y"):
        mark_quotes(_marks([2.0]), index="Y", timezone="UTC")


def test_the_same_quote_from_two_sources_is_refused(prices: pl.DataFrame, market: Market, underlying: Underlying) -> None:
    found = ahead_quotes(prices, underlying=underlying, market=market, as_of=AS_OF)
    with pytest.raises(InputError, match="one row per quote_id"):
        joined([found, found.head(1)])
