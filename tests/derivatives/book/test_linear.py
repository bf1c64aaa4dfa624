"""Forwards, swaps, futures, spreads and baskets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
Priced = Callable[..., BookValue]


def months(found: BookValue) -> dict[str, float]:
    return dict(found.delta("month").iter_rows())


def test_march_half_delivered_is_worth_what_a_pencil_says(priced: Priced) -> None:
    mean = (sum(2.3 + 0.01 * n for n in range(1, 16)) + 16 * 2.4) / 31  # the quote for 16 to 31 March is 2.4
    assert priced("forward", "2027-03", 2.5).value == pytest.approx(np.exp(-0.04 * 16 / 365) * (mean - 2.5) * 100 * 743, abs=1e-6)


def test_only_days_to_come_move_it_each_alike(priced: Priced, market: Market) -> None:
    found = priced("forward", "2027-03", 2.5, on=replace(market, discount=flat(0.0)))
    assert months(found) == {"month 2027-03": pytest.approx(100 * 743 * 16 / 31, abs=1e-8)}
    assert dict(found.delta("quote").iter_rows())["march"] == pytest.approx(100 * 743 * 16 / 31, rel=1e-9)


def test_a_day_at_a_time_agrees_and_so_does_a_move_of_the_curve(priced: Priced, market: Market, curve: ForwardCurve) -> None:
    found = priced("forward", "2027-04", 2.5)
    days = [date(2027, 4, 1) + timedelta(n) for n in range(30)]
    mean = np.mean([curve.average(day, day + timedelta(1)) for day in days])
    assert found.value == pytest.approx(np.exp(-0.04 * 46 / 365) * (mean - 2.5) * 100 * 720, abs=1e-6)
    for name, amount in found.delta("quote").iter_rows():
        moved = priced("forward", "2027-04", 2.5, on=replace(market, curves={**market.curves, US: curve.bump(name, 0.3)}))
        assert moved.value - found.value == pytest.approx(0.3 * amount, abs=1e-6)


def test_a_seller_owes_what_a_buyer_is_owed_and_the_fair_price_is_worth_nothing(priced: Priced) -> None:
    buyer, seller = (priced("forward", "2027-05", 2.5, side=side) for side in ("buy", "sell"))
    assert buyer.value == -seller.value
    assert buyer.risks["amount"].to_list() == (-seller.risks["amount"]).to_list()
    assert priced("forward", "2027-05", 2.45).value == pytest.approx(0.0, abs=1e-6)


def test_a_month_that_is_over_and_not_yet_paid_is_worth_its_fixings(priced: Priced) -> None:
    found = priced("forward", "2027-02", 2.5, quantity=1.0, pay_date=date(2027, 3, 20))
    assert found.value == pytest.approx(np.exp(-0.04 * 4 / 365) * 0.1 * 28 * 24, abs=1e-9)
    assert found.delta("month").is_empty()


def test_a_swap_is_its_months_each_paid_as_it_ends(priced: Priced) -> None:
    whole = priced("swap", "2027-Q2", 2.5)
    parts = [priced("forward", f"2027-{month:02d}", 2.5) for month in (4, 5, 6)]
    assert whole.value == pytest.approx(sum(part.value for part in parts), rel=1e-12)
    assert months(whole) == pytest.approx({key: value for part in parts for key, value in months(part).items()})
    assert whole.theta() == pytest.approx(sum(part.theta() for part in parts), rel=1e-9)


def test_a_future_is_not_discounted_and_its_lots_are_of_so_many_hours(priced: Priced, curve: ForwardCurve) -> None:
    row = {"quantity_unit": "lots", "contract": f"{US}:2027-05", "params": '{"lot": 730}'}
    found = priced("future", "2027-05", 2.4, quantity=5.0, **row)
    assert found.value == pytest.approx(5 * 730 * (2.45 - 2.4), abs=1e-7)
    assert found.theta() == 0.0


def test_hours_of_a_profile_are_averaged_and_counted(priced: Priced, curve: ForwardCurve, market: Market) -> None:
    found = priced("forward", "2027-04", 2.5, profile="peak", params='{"average": "hourly"}', on=replace(market, discount=flat(0.0)))
    mean = curve.average(date(2027, 4, 1), date(2027, 5, 1), profile="peak")
    assert found.value == pytest.approx((mean - 2.5) * 100 * 22 * 12, abs=1e-7)


def test_business_days_alone_count_where_they_are_asked_for(priced: Priced, curve: ForwardCurve, market: Market) -> None:
    found = priced(
        "forward",
        "2027-05",
        2.5,
        quantity=1.0,
        calendar="WEEKENDS",
        params='{"average": "business-day"}',
        on=replace(market, discount=flat(0.0)),
    )
    days = [date(2027, 5, n) for n in range(1, 32) if date(2027, 5, n).weekday() < 5]
    mean = np.mean([curve.average(day, day + timedelta(1)) for day in days])
    assert found.value == pytest.approx((mean - 2.5) * 744, abs=1e-8)


def test_a_spread_is_two_forwards_and_a_basket_as_many_as_it_has_weights(priced: Priced) -> None:
    first, second = priced("forward", "2027-04", 0.0), priced("forward", "2027-04", 0.0, index=EAST, contract=None)
    fixed = -priced("forward", "2027-04", 1.0).value + first.value
    plain = {"index2": EAST, "contract": None}
    spread = priced("spread", "2027-04", 0.3, **plain, params='{"ratio": 0.5}')
    assert spread.value == pytest.approx(first.value - 0.5 * second.value - 0.3 * fixed, rel=1e-12)
    assert months(spread)[f"month 2027-04 of {EAST}"] == pytest.approx(-0.5 * months(first)["month 2027-04"], rel=1e-12)
    basket = priced("basket", "2027-04", 2.0, contract=None, params=f'{{"weights": {{"{US}": 0.7, "{EAST}": 0.3}}}}')
    assert basket.value == pytest.approx(0.7 * first.value + 0.3 * second.value - 2.0 * fixed, rel=1e-12)


def test_theta_is_the_unwinding_of_the_discount(priced: Priced) -> None:
    found = priced("forward", "2027-05", 2.0)
    assert found.theta() == pytest.approx(0.04 / 365 * found.value, rel=1e-9)


def test_missing_days_are_named_and_nothing_is_guessed(priced: Priced, market: Market) -> None:
    holes = {day: fixing for day, fixing in market.fixings[US].items() if day not in (date(2027, 3, 3), date(2027, 3, 9))}
    with pytest.raises(NotPublishedError, match=r"H100-SXM\.US\.FIRM has no fixing for 2027-03-03, 2027-03-09"):
        priced("forward", "2027-03", 2.5, on=replace(market, fixings={US: holes}))
    with pytest.raises(InputError, match="the beginning of a day in America/New_York"):
        priced("forward", "2027-03", 2.5, on=replace(market, as_of=AS_OF + timedelta(hours=5)))
    with pytest.raises(InputError, match="a payment at or after"):
        priced("forward", "2027-02", 2.5)
    with pytest.raises(InputError, match="a period inside 2027-03-16T04:00Z to 2027-07-01T04:00Z"):
        priced("forward", "2027-07", 2.5)


def test_the_fixture_of_fixings_says_the_same_as_the_market(fixings: pl.DataFrame, market: Market) -> None:
    assert dict(fixings.head(15).select("date", "value").iter_rows()) == {
        day: value for day, value in sorted(market.fixings[US].items()) if day.month == 3
    }
