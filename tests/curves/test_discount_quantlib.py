"""Discounting by QuantLib: bootstrap, handles in and out, calendars and day counts."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.conventions import business_days, calendar, day_count, ql_date, year_fraction
from tenorgrid.curves.discount import flat
from tenorgrid.curves.discount_quantlib import discount_curve, from_quantlib, to_quantlib
from tenorgrid.data.errors import InputError

DAY = date(2027, 3, 16)
NOW = datetime(2027, 3, 16, 4, tzinfo=UTC)
RATES = pl.DataFrame(
    {
        "instrument": ["deposit", "deposit", "ois", "ois", "ois", "ois"],
        "tenor": ["ON", "1M", "6M", "1Y", "2Y", "3Y"],
        "rate": [0.0430, 0.0425, 0.0415, 0.0400, 0.0385, 0.0380],
    }
)


def at(day: date) -> float:
    return float(discount_curve(RATES, as_of=DAY).factors(np.array([(day - DAY).days / 365]))[0])


def moved(start: date, period: str) -> date:
    found = calendar("USNY").advance(ql_date(start), ql.Period(period), ql.ModifiedFollowing)
    return date(found.year(), found.month(), found.dayOfMonth())


def test_deposits_and_overnight_swaps_are_worth_nothing_on_their_own_curve() -> None:
    spot = moved(DAY, "2D")
    month = moved(spot, "1M")
    assert at(spot) / at(month) == pytest.approx(1 + 0.0425 * (month - spot).days / 360, abs=1e-12)
    ends = [spot, *(moved(spot, f"{n}Y") for n in (1, 2, 3))]
    for count, rate in ((1, 0.0400), (2, 0.0385), (3, 0.0380)):
        paid = sum((b - a).days / 360 * at(b) for a, b in pairwise(ends[: count + 1]))
        assert rate * paid == pytest.approx(at(spot) - at(ends[count]), abs=1e-10)


def test_an_overnight_deposit_has_the_closed_form() -> None:
    assert at(DAY + timedelta(1)) == pytest.approx(1 / (1 + 0.0430 / 360), abs=1e-13)


def test_a_handle_goes_out_and_comes_back_and_stays_live() -> None:
    years = np.array([0.0, 0.25, 1.0, 1.5])
    round_trip = from_quantlib(to_quantlib(flat(0.04), as_of=DAY))
    assert round_trip.factors(years) == pytest.approx(flat(0.04).factors(years), abs=1e-14)
    link = ql.RelinkableYieldTermStructureHandle(ql.FlatForward(ql_date(DAY), 0.04, ql.Actual365Fixed()))
    curve = from_quantlib(link)
    link.linkTo(ql.FlatForward(ql_date(DAY), 0.05, ql.Actual365Fixed()))
    assert curve.factors(years) == pytest.approx(flat(0.05).factors(years), abs=1e-14)
    assert to_quantlib(curve, as_of=DAY) is link
    bond = ql.FixedRateBond(0, 100.0, ql.Schedule([ql_date(DAY), ql_date(date(2028, 3, 16))]), [0.05], ql.Actual365Fixed())
    before = ql.Settings.instance().evaluationDate
    try:
        ql.Settings.instance().evaluationDate = ql_date(DAY)
        bond.setPricingEngine(ql.DiscountingBondEngine(curve.handle))
        paid = 100 * (1 + 0.05 * 366 / 365)
        assert bond.NPV() == pytest.approx(paid * curve.factors(np.array([366 / 365]))[0], abs=1e-10)
    finally:
        ql.Settings.instance().evaluationDate = before


@settings(deadline=None, max_examples=20)
@given(days=st.floats(0, 1000))
def test_factors_between_midnights_are_log_linear_and_agree_with_the_scalar(days: float) -> None:
    curve = discount_curve(RATES, as_of=DAY)
    low, high = int(np.floor(days)), int(np.floor(days)) + 1
    ends = np.log([curve.handle.discount(ql_date(DAY) + day) for day in (low, high)])
    expected = np.exp((high - days) * ends[0] + (days - low) * ends[1])
    assert curve.factors(np.array([days / 365]))[0] == pytest.approx(expected, rel=1e-9)
    assert curve.factor(NOW, NOW + timedelta(days=days)) == pytest.approx(expected, rel=1e-9)


def test_the_result_does_not_hang_on_quantlibs_evaluation_date() -> None:
    curve = discount_curve(RATES, as_of=DAY)
    before, factors = ql.Settings.instance().evaluationDate, curve.factors(np.array([2.0]))
    try:
        ql.Settings.instance().evaluationDate = ql_date(date(2030, 1, 2))
        assert curve.factors(np.array([2.0])) == factors
        assert discount_curve(RATES, as_of=DAY).factors(np.array([2.0])) == factors
        assert ql.Settings.instance().evaluationDate == ql_date(date(2030, 1, 2))
    finally:
        ql.Settings.instance().evaluationDate = before


def test_calendars_and_day_counts_know_holidays() -> None:
    july = business_days(date(2027, 7, 1), date(2027, 7, 8), calendar_name="USNY")
    assert [day.day for day in july] == [1, 2, 6, 7]  # the fifth stands for Sunday the fourth
    assert year_fraction(date(2027, 1, 1), date(2028, 1, 1), day_count_name="ACT/360") == pytest.approx(365 / 360)
    assert year_fraction(date(2027, 1, 31), date(2027, 7, 31), day_count_name="30/360") == pytest.approx(0.5)


def test_what_cannot_be_discounted_is_refused() -> None:
    curve = discount_curve(RATES, as_of=DAY)
    with pytest.raises(InputError, match="the last date of the curve"):
        curve.factors(np.array([4.0]))
    with pytest.raises(InputError, match="the day of the curve"):
        curve.factor(NOW + timedelta(3), NOW + timedelta(9))
    with pytest.raises(InputError, match="a payment at or after"):
        curve.factor(NOW, NOW - timedelta(1))
    with pytest.raises(InputError, match="rates that a curve of factors can meet"):
        discount_curve(pl.DataFrame({"instrument": ["deposit", "ois"], "tenor": ["1Y", "1Y"], "rate": [0.04, 0.05]}), as_of=DAY)
    with pytest.raises(InputError, match="column instrument: found swap") as refused:
        discount_curve(pl.DataFrame({"instrument": ["swap"], "tenor": ["3Q"], "rate": [4.0]}), as_of=DAY)
    assert len(refused.value.faults) == 3
    with pytest.raises(InputError, match="a handle that is linked"):
        from_quantlib(ql.YieldTermStructureHandle())
    with pytest.raises(InputError, match="a QuantLib YieldTermStructure"):
        from_quantlib(0.04)
    with pytest.raises(InputError, match="one of USNY"):
        calendar("MARS")
    with pytest.raises(InputError, match="one of ACT/360"):
        day_count("30/365")
