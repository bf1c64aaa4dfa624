"""Exposure of a book at days to come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.stats import norm

from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import valued
from tenorgrid.derivatives.margin.exposure import exposure

Book = Callable[..., Agreed]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"


def test_the_exposure_of_a_forward_is_a_call_on_it(book: Book, market: Market) -> None:
    """Without discount: E[max(V, 0)] is Black's call on the mean, at the deviation to that day."""
    still = replace(market, discount=flat(0.0))
    agreed = book(("forward", 100.0))
    found = exposure(agreed, still, days=[date(2027, 3, 26)], count=200_000, seed=1)
    forward, strike, deviation = market.curves[EAST].average(date(2027, 4, 1), date(2027, 5, 1)), 2.4, 0.7 * np.sqrt(10 / 365)
    d = np.log(forward / strike) / deviation + deviation / 2
    call = forward * norm.cdf(d) - strike * norm.cdf(d - deviation)
    assert found["positive"][0] == pytest.approx(72_000 * call, rel=0.01)
    assert found["expected"][0] == pytest.approx(valued(agreed, still).value, rel=0.01)
    assert found["positive"][0] - found["negative"][0] == pytest.approx(found["expected"][0])


def test_what_has_been_paid_is_gone(book: Book, market: Market) -> None:
    agreed = book(("forward", 100.0), ("average", 20.0))
    found = exposure(agreed, market, days=[date(2027, 3, 20), date(2027, 4, 20), date(2027, 5, 2)], count=2_000)
    assert found["positive"][0] > 0
    assert found.row(2)[1:6] == (0.0, 0.0, 0.0, 0.0, 0.0)
    assert exposure(agreed, market, count=200)["day"].max() == date(2027, 4, 13)


def test_quantiles_contain_the_mean_and_a_sale_mirrors_a_purchase(book: Book, market: Market) -> None:
    bought, sold = (exposure(book(("swap", sign * 100.0)), market, count=4_000, seed=2) for sign in (1, -1))
    assert ((bought["low"] < bought["expected"]) & (bought["expected"] < bought["high"])).all()
    assert sold["positive"].to_list() == pytest.approx(bought["negative"].to_list())
    full = exposure(book(("average", 50.0)), market, days=[date(2027, 3, 23)], count=60, method="full")
    greeks = exposure(book(("average", 50.0)), market, days=[date(2027, 3, 23)], count=60)
    assert full["high"][0] == pytest.approx(greeks["high"][0], rel=0.05)


def test_days_that_are_over_and_levels_that_are_none_are_refused(book: Book, market: Market) -> None:
    with pytest.raises(InputError, match="found 2027-03-16, expected days after 2027-03-16"):
        exposure(book(("swap", 1.0)), market, days=[date(2027, 3, 16)])
    with pytest.raises(InputError, match=r"a level above 0.5"):
        exposure(book(("swap", 1.0)), market, level=0.3)
