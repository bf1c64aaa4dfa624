"""Markets between two moments: what moves with which factor, what passes as what, and what is between two volatilities and discounts."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import ExplainFactor
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.book.volatility import SECONDS_PER_YEAR, ByExpiry
from tenorgrid.derivatives.explain import explained
from tenorgrid.derivatives.explain.between import BetweenDiscounts, between_volatilities, same_discount, same_volatility
from tenorgrid.derivatives.explain.passage import NOTHING, SHAPE, Passage, passage

US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
DAY = date(2027, 3, 18)


@pytest.fixture(scope="module")
def way(month: list[Market]) -> Passage:
    """A day on which everything moves."""
    return passage(month[2], month[3])


def test_the_ends_are_the_two_markets(way: Passage) -> None:
    start, end = way.market(NOTHING), way.market(frozenset(way.factors))
    assert start.as_of == way.before.as_of
    assert end.as_of == way.after.as_of
    for index in (US, EAST):
        assert start.curves[index].forward == pytest.approx(way.before.curves[index].forward, abs=1e-12)
        later = way.after.curves[index]
        assert end.curves[index].forward[-later.forward.size :] == pytest.approx(later.forward, abs=1e-9)
        assert end.fixings[index] == way.after.fixings[index]
        assert end.volatility[index] == way.after.volatility[index]
    assert end.correlation == way.after.correlation


def test_a_day_that_passes_is_its_forward_until_its_mark_is_published(way: Passage) -> None:
    expected = float(way.before.curves[US].forward[:24].mean())
    assert way.market(frozenset({ExplainFactor.TIME})).fixings[US][DAY] == pytest.approx(expected, rel=1e-12)
    foreseen = way.market(frozenset({ExplainFactor.FIXINGS})).curves[US].forward
    assert foreseen[:24] == pytest.approx(np.full(24, way.after.fixings[US][DAY]), rel=1e-12)
    assert foreseen[24:] == pytest.approx(way.before.curves[US].forward[24:], rel=1e-12)


def test_a_quote_s_move_is_its_price_less_what_the_earlier_curve_made_of_it(way: Passage) -> None:
    moves = dict(way.quotes(US))
    first, last = (dict(one.curves[US].quotes.select("quote_id", "price").iter_rows()) for one in (way.before, way.after))
    for name in (f"{US}:2027-04", f"{US}:2027-06"):
        assert moves[name] == pytest.approx(last[name] - first[name], abs=1e-9)
    rest = float(way.before.curves[US].forward[24 : 14 * 24].mean())  # 19 to 31 March
    assert moves[f"{US} rest of 3"] == pytest.approx(last[f"{US} rest of 3"] - rest, abs=1e-3)  # days of daylight saving count their hours
    assert list(moves)[-1] == SHAPE


def test_halfway_is_the_mean_of_both(way: Passage) -> None:
    smooth = frozenset(way.factors) - {ExplainFactor.TIME, ExplainFactor.FIXINGS}
    middle = way.market(NOTHING, half=smooth)
    both = [way.market(NOTHING), way.market(smooth)]
    assert middle.curves[US].forward == pytest.approx(np.mean([one.curves[US].forward for one in both], axis=0), abs=1e-12)
    for name in (US, EAST):
        sigma = [float(one.sigma(name, np.zeros(1))[0]) for one in (*both, middle)]
        assert sigma[2] == pytest.approx((sigma[0] + sigma[1]) / 2, rel=1e-12)
    years = np.array([0.5])
    factors = [float(one.rate(US).factors(years)[0]) for one in (*both, middle)]
    assert factors[2] == pytest.approx(np.sqrt(factors[0] * factors[1]), rel=1e-12)


def test_what_did_not_move_is_no_factor(month: list[Market]) -> None:
    still = replace(month[2], correlation={frozenset((US, EAST)): 0.5})
    assert passage(month[2], month[2]).factors == ()
    assert passage(month[2], still).factors == (ExplainFactor.CORRELATION,)
    assert passage(month[2], replace(month[2], discount=flat(0.05))).factors == (ExplainFactor.DISCOUNT,)


@given(share=st.floats(0.0, 1.0), years=st.floats(0.01, 2.0))
def test_between_two_volatilities_lies_their_mean_by_share(share: float, years: float) -> None:
    first = ByExpiry(ends=np.array([0.5, 1.0]) * SECONDS_PER_YEAR, sigma=np.array([0.8, 0.7]))
    found = between_volatilities(first, 0.5, share)
    at = np.array([years])
    told = found.at(at, now=0.0) if isinstance(found, ByExpiry) else np.array([found])
    assert told == pytest.approx((1 - share) * first.at(at, now=0.0) + share * 0.5, rel=1e-12)
    assert between_volatilities(0.8, 0.6, share) == pytest.approx(0.8 - 0.2 * share)


def test_volatilities_and_discounts_are_compared_by_what_they_say() -> None:
    one, other = (ByExpiry(ends=np.array([9e9]), sigma=np.array([sigma])) for sigma in (0.8, 0.9))
    assert same_volatility(one, one)
    assert not same_volatility(one, other)
    assert not same_volatility(one, 0.8)
    assert same_discount(flat(0.04), flat(0.04))
    assert not same_discount(flat(0.04), flat(0.05))
    mixed = BetweenDiscounts(first=flat(0.02), last=flat(0.06), share=0.25)
    assert mixed.factor(datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)) == pytest.approx(np.exp(-0.03), rel=1e-12)


def test_volatility_by_expiry_is_explained_as_a_number_is(on: Callable[..., BookValue], month: list[Market]) -> None:
    ends = np.array([(month[2].as_of + timedelta(days=back)).timestamp() for back in (30, 120)])

    def worth(place: int, *sigma: float) -> BookValue:
        term = ByExpiry(ends=ends, sigma=np.array(sigma))
        return on(DAY, "option", "next", market=replace(month[place], volatility={US: term, EAST: term}))

    found = explained(worth(2, 0.9, 0.8), worth(3, 0.95, 0.78))
    plain = explained(worth(2, 0.8, 0.8), on(DAY, "option", "next", market=replace(month[3], volatility={US: 0.8, EAST: 0.8})))
    assert found.share < 0.001
    assert found.moves.filter(factor="volatility")["move"].null_count() == 1
    assert float(plain.greeks[ExplainFactor.VOLATILITY].sum()) == pytest.approx(0.0, abs=1e-9)


def test_an_earlier_later_moment_is_refused(month: list[Market]) -> None:
    with pytest.raises(InputError, match="that of before"):
        passage(month[3], month[2])
