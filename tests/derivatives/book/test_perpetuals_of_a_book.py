"""Perpetual futures in books: value and deltas from the curve, funding from the fixings."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue, valued

US, PERP = "H100-SXM.US.FIRM", "H100-PERP"
TODAY, HORIZON = date(2027, 3, 16), date(2027, 7, 1)
Perp = Callable[..., BookValue]


@pytest.fixture(scope="module")
def perp(market: Market) -> Perp:
    """perp(on=market, **terms): the book of 1000 GPU-hours bought at 2.45 today, a tenth of the premium a day."""

    def make(on: Market = market, **terms: object) -> BookValue:
        plain: dict[str, object] = {"index": US, "first": TODAY, "end": HORIZON, "strike": 2.45, "quantity": 1000.0, "rate": 0.1}
        ticket = tg.Perpetual(**plain | terms)  # type: ignore[arg-type]
        return valued(read_trades(ticket.frame, timezone="America/New_York"), on)

    return make


def days_of(curve: ForwardCurve) -> list[float]:
    return [curve.average(TODAY + timedelta(n), TODAY + timedelta(n + 1)) for n in range((HORIZON - TODAY).days)]


def test_its_value_is_the_sum_over_days_by_hand(perp: Perp, curve: ForwardCurve) -> None:
    forward = days_of(curve)
    price = sum(0.1 / 1.1 ** (i + 1) * one for i, one in enumerate(forward)) + 1.1 ** -len(forward) * forward[-1]
    assert perp().value == pytest.approx(1000 * (price - 2.45), abs=1e-8)
    assert perp(side="sell").value == -perp().value
    assert perp().theta() == 0.0


def test_deltas_are_those_of_moved_quotes_and_a_months_are_its_days(perp: Perp, market: Market, curve: ForwardCurve) -> None:
    found = perp()
    for name, amount in found.delta("quote").iter_rows():
        moved = perp(on=replace(market, curves={**market.curves, US: curve.bump(name, 0.2)}))
        assert moved.value - found.value == pytest.approx(0.2 * amount, abs=1e-8)
    months = dict(found.delta("month").iter_rows())
    assert sum(months.values()) == pytest.approx(1000.0, rel=1e-12)
    assert months["month 2027-03"] == pytest.approx(1000 * (1 - 1.1**-16), rel=1e-12)


def test_funding_since_the_opening_is_paid_from_its_own_marks(perp: Perp, market: Market) -> None:
    own = {TODAY - timedelta(back): 2.5 for back in range(1, 16)}
    on = replace(market, fixings={**market.fixings, PERP: own})
    opened = perp(on=on, first=date(2027, 3, 11), marks=PERP, interest=0.001)
    spent = sum(0.1 * (2.5 - (2.3 + 0.01 * day)) + 0.001 * (2.3 + 0.01 * day) for day in range(11, 16))
    assert perp(on=on, interest=0.001).value - opened.value == pytest.approx(1000 * spent, abs=1e-9)


def test_with_its_marks_at_its_fair_price_waiting_earns_nothing(perp: Perp, market: Market, curve: ForwardCurve) -> None:
    """Tomorrow's book, if today's print is today's forward: the gain in price is what funding took."""
    today = perp()
    price = today.value / 1000 + 2.45
    first = days_of(curve)[0]
    place = 24
    tomorrow = replace(
        market, as_of=datetime(2027, 3, 17, 4, tzinfo=UTC), fixings={US: {**market.fixings[US], TODAY: first}, PERP: {TODAY: price}}
    )
    assert np.allclose(curve.forward[:place].mean(), first)
    assert perp(on=tomorrow, marks=PERP).value == pytest.approx(today.value, abs=1e-9)


def test_what_cannot_be_valued_is_refused(perp: Perp, market: Market) -> None:
    with pytest.raises(InputError, match="marks, the index of its own prices"):
        perp(first=date(2027, 3, 11))
    with pytest.raises(NotPublishedError, match="H100-PERP has no fixing for 2027-03-11"):
        perp(first=date(2027, 3, 11), marks=PERP)
    with pytest.raises(InputError, match="opened at or before"):
        perp(first=date(2027, 3, 20))
    with pytest.raises(InputError, match="a horizon after"):
        perp(first=date(2027, 3, 1), end=date(2027, 3, 16))
    with pytest.raises(InputError, match="a period inside"):
        perp(end=date(2027, 8, 1))


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"rate": 0.0}, "rate, a number above 0"),
        ({"interest": 0.2}, "an interest below the rate"),
        ({"quantity_unit": "per_hour"}, "a perpetual is of so many GPU-hours"),
        ({"profile": "peak"}, "base or nothing"),
        ({"first": "2027-03-16T18:00Z"}, "midnight in"),
        ({"missing_day": "exclude"}, "a perpetual has no missing_day"),
        ({"premium": 3.0}, "a perpetual has no premium"),
    ],
)
def test_terms_that_it_does_not_have_are_refused(perp: Perp, terms: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        perp(**terms)


def test_several_positions_with_rules_of_their_own_are_priced_together(market: Market) -> None:
    tickets = [
        tg.Perpetual(index=US, first=TODAY, end=HORIZON, strike=2.45, quantity=quantity, rate=rate, side=side)
        for quantity, rate, side in ((1000.0, 0.1, "buy"), (500.0, 0.3, "sell"), (200.0, 0.1, "sell"))
    ]
    whole = valued(read_trades(tg.Book(tickets).trades, timezone="America/New_York"), market)
    alone = [valued(read_trades(one.frame, timezone="America/New_York"), market).value for one in tickets]
    assert whole.values["value"].to_list() == pytest.approx(alone, rel=1e-12)
    assert isinstance(whole.risks, pl.DataFrame)
