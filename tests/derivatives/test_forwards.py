"""Forward on the month's average mark."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.contract import TradeSide
from tenorgrid.data.terms.contracts import Forward, contract_dates
from tenorgrid.derivatives.forwards import value

AS_OF = datetime(2027, 3, 16, 4, tzinfo=UTC)
ZONE = "America/New_York"
KNOWN = {date(2027, 3, n): 2.3 + 0.01 * n for n in range(1, 16)}


def month(code: str, *, fixed: float = 2.5, side: TradeSide = TradeSide.BUY) -> Forward:
    start, end = contract_dates(f"H100-SXM.US.FIRM:{code}", timezone=ZONE)
    return Forward(index="H100-SXM.US.FIRM", start=start, end=end, timezone=ZONE, fixed=fixed, quantity=100.0, side=side)


def test_march_half_delivered_is_worth_what_a_pencil_says(curve: ForwardCurve) -> None:
    found = value(month("2027-03"), curve=curve, fixings=KNOWN, as_of=AS_OF, discount=flat(0.04))
    mean = (sum(2.3 + 0.01 * n for n in range(1, 16)) + 16 * 2.4) / 31  # the quote for 16 to 31 March is 2.4
    assert found.value == pytest.approx(np.exp(-0.04 * 16 / 365) * (mean - 2.5) * 100 * 743, abs=1e-6)


def test_only_days_to_come_move_it_each_alike(curve: ForwardCurve) -> None:
    found = value(month("2027-03"), curve=curve, fixings=KNOWN, as_of=AS_OF, discount=flat(0.0))
    assert found.delta.sum() == pytest.approx(100 * 743 * 16 / 31, abs=1e-8)
    assert not found.delta[16 * 24 :].any()
    assert np.ptp(found.delta[: 16 * 24]) < 1e-10


def test_a_day_at_a_time_agrees_and_so_does_a_move_of_the_curve(curve: ForwardCurve) -> None:
    forward = month("2027-04")
    found = value(forward, curve=curve, fixings={}, as_of=AS_OF, discount=flat(0.04))
    days = [curve.average(day, day + timedelta(1)) for day in forward.days]
    assert found.value == pytest.approx(np.exp(-0.04 * 46 / 365) * (np.mean(days) - 2.5) * 100 * 720, abs=1e-6)
    bump = np.random.default_rng(6).normal(size=curve.forward.size)
    moved = value(forward, curve=replace(curve, forward=curve.forward + bump), fixings={}, as_of=AS_OF, discount=flat(0.04))
    assert moved.value - found.value == pytest.approx(found.delta @ bump, abs=1e-6)


def test_a_seller_owes_what_a_buyer_is_owed_and_the_fair_price_is_worth_nothing(curve: ForwardCurve) -> None:
    buyer, seller = (value(month("2027-05", side=side), curve=curve, fixings={}, as_of=AS_OF, discount=flat(0.04)) for side in TradeSide)
    assert buyer.value == -seller.value
    assert np.array_equal(buyer.delta, -seller.delta)
    assert value(month("2027-05", fixed=2.45), curve=curve, fixings={}, as_of=AS_OF, discount=flat(0.04)).value == pytest.approx(
        0.0, abs=1e-6
    )


def test_a_month_that_is_over_and_not_yet_paid_is_worth_its_fixings(curve: ForwardCurve) -> None:
    start, end = contract_dates("X:2027-02", timezone=ZONE)
    over = Forward(
        index="X",
        start=start,
        end=end,
        timezone=ZONE,
        fixed=2.5,
        quantity=1.0,
        side=TradeSide.BUY,
        pay=datetime(2027, 3, 20, 4, tzinfo=UTC),
    )
    known = dict.fromkeys(over.days, 2.6)
    found = value(over, curve=curve, fixings=known, as_of=AS_OF, discount=flat(0.0))
    assert found.value == pytest.approx(0.1 * 28 * 24, abs=1e-9)
    assert not found.delta.any()


def test_missing_days_are_named_and_nothing_is_guessed(curve: ForwardCurve) -> None:
    holes = {day: fixing for day, fixing in KNOWN.items() if day.day not in (3, 9)}
    with pytest.raises(NotPublishedError, match=r"H100-SXM\.US\.FIRM has no fixing for 2027-03-03, 2027-03-09"):
        value(month("2027-03"), curve=curve, fixings=holes, as_of=AS_OF, discount=flat(0.04))
    with pytest.raises(InputError, match="the beginning of a day in America/New_York"):
        value(month("2027-03"), curve=curve, fixings=KNOWN, as_of=AS_OF + timedelta(hours=5), discount=flat(0.04))
    with pytest.raises(InputError, match="a payment at or after"):
        value(month("2027-02"), curve=curve, fixings={}, as_of=AS_OF, discount=flat(0.04))
    with pytest.raises(InputError, match="a period inside 2027-03-16T04:00Z to 2027-07-01T04:00Z"):
        value(month("2027-07"), curve=curve, fixings={}, as_of=AS_OF, discount=flat(0.04))


def test_the_fixture_of_fixings_says_the_same_as_the_pencil(fixings: pl.DataFrame) -> None:
    assert dict(fixings.head(15).select("date", "value").iter_rows()) == KNOWN
