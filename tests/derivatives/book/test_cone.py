"""Where the mean of a running month may still go."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.derivatives.book.cone import fixed_so_far, month_cones
from tenorgrid.derivatives.book.market import Market

US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"


def test_marks_and_forwards_make_the_mean_that_is_expected(market: Market) -> None:
    """Marks of 2.31 to 2.45 on fifteen days; the mean so far of the first n is 2.30 + .005 (n + 1)."""
    cone = month_cones(market, [US])
    past, ahead = cone.head(15), cone.tail(16)
    assert past["day"].to_list() == [date(2027, 3, day) for day in range(1, 16)]
    assert past["so_far"].to_list() == pytest.approx([2.3 + 0.005 * (n + 1) for n in range(1, 16)])
    assert ahead["day"][-1] == date(2027, 3, 31)
    mean = (sum(past["mark"]) + sum(ahead["forward"])) / 31
    assert ahead["expected"].to_list() == pytest.approx([mean] * 16)


def test_quantiles_of_the_last_day_are_those_of_drawn_months(market: Market) -> None:
    """Two moments of a lognormal against the sum itself: within a hundredth of the width of the cone."""
    cone = month_cones(market, [US]).tail(16)
    days = np.arange(1, 17) / 365
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(200_000, 16)) * np.sqrt(np.diff(days, prepend=0.0))
    path = np.exp(0.8 * np.cumsum(steps, axis=1) - 0.32 * days)
    drawn = (sum(2.3 + 0.01 * n for n in range(1, 16)) + path @ cone["forward"].to_numpy()) / 31
    told = [cone[name][-1] for name in ("lower", "low", "high", "upper")]
    assert told == pytest.approx(np.quantile(drawn, [0.025, 0.25, 0.75, 0.975]), abs=0.01 * (told[3] - told[0]))


def test_the_cone_opens_day_by_day_and_with_volatility_and_is_a_line_without(market: Market) -> None:
    cone = month_cones(market, [US]).tail(16)
    assert (cone["upper"].diff().drop_nulls() > 0).all()
    assert (cone["lower"].diff().drop_nulls() < 0).all()
    wider = month_cones(replace(market, volatility={US: 1.2}), [US]).tail(16)
    assert (wider["upper"] - wider["lower"] > cone["upper"] - cone["lower"]).all()
    sure = month_cones(replace(market, volatility={US: 0.0}), [US]).tail(16)
    assert sure["upper"].to_list() == pytest.approx(sure["expected"].to_list())


def test_indices_without_curve_or_marks_are_refused_and_left_out_where_nobody_named_them(market: Market) -> None:
    with pytest.raises(InputError, match="found H200, expected indices with a curve"):
        month_cones(market, [US, "H200"])
    gap = {day: mark for day, mark in market.fixings[US].items() if day != date(2027, 3, 9)}
    lacking = replace(market, fixings={**market.fixings, US: gap})
    with pytest.raises(NotPublishedError, match="2027-03-09"):
        month_cones(lacking, [US])
    assert fixed_so_far(market, [US, EAST, "H200"]) == [US, EAST]
    assert fixed_so_far(lacking, [US, EAST]) == [EAST]
    assert fixed_so_far(replace(market, as_of=market.as_of + timedelta(hours=5)), [US]) == []
    assert month_cones(market, []).is_empty()


def test_a_month_that_begins_now_has_no_marks(market: Market) -> None:
    """The first of a month: all days are to come."""
    whole = replace(market, fixings={})
    first = datetime(2027, 4, 1, 4, tzinfo=market.as_of.tzinfo)
    curves = {index: replace(curve, as_of=first) for index, curve in market.curves.items()}
    cone = month_cones(replace(whole, as_of=first, curves=curves), [US])
    assert cone.height == 30
    assert cone["mark"].null_count() == 30
    assert cone.schema["mark"] == pl.Float64()
