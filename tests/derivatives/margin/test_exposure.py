"""Exposure of a book at days to come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
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


def test_what_is_expected_of_every_kind_is_what_it_is_worth_today(book: Book, market: Market) -> None:
    """Without discount nothing is gained by waiting: before the expiry, after it, and inside an averaging month."""
    still = replace(market, discount=flat(0.0))
    several = book(("option", 50.0), ("average", 20.0), ("swap", -10.0))  # one was decided before the day, the others were not
    assert exposure(several, still, days=[date(2027, 4, 10)], count=2_000)["expected"].is_finite().all()
    for kind, days in (
        ("option", [date(2027, 3, 26), date(2027, 4, 10)]),
        ("average", [date(2027, 3, 26)]),
        ("forward", [date(2027, 4, 20)]),
    ):
        agreed = book((kind, 50.0))
        found = exposure(agreed, still, days=days, count=40_000, seed=3)
        assert found["expected"].to_list() == pytest.approx([valued(agreed, still).value] * len(days), rel=0.02)


def test_a_bought_option_is_never_owed_for(book: Book, market: Market) -> None:
    """Before its expiry, at it and after it, though its gamma and delta of the day might say so."""
    days = [date(2027, 3, 23), date(2027, 3, 31), date(2027, 4, 10), date(2027, 4, 25)]
    bought, sold = (exposure(book(("option", sign * 50.0)), market, days=days, count=2_000, seed=4) for sign in (1, -1))
    assert bought["negative"].to_list() == [0.0] * 4
    assert sold["positive"].to_list() == [0.0] * 4
    assert bought["low"].min() >= 0.0  # type: ignore[operator]


def test_a_forward_under_way_is_the_mean_of_paths(book: Book, market: Market) -> None:
    """The second method draws every day's price: half of April has been fixed by the 16th."""
    still = replace(market, discount=flat(0.0))
    found = exposure(book(("forward", 100.0)), still, days=[date(2027, 4, 16)], count=40_000, seed=5)
    rng, days, deviation = np.random.default_rng(6), np.arange(1, 32), 0.7 / np.sqrt(365)
    walk = np.cumsum(deviation * rng.standard_normal((40_000, 31)), axis=1) - 0.5 * deviation**2 * days
    forward = market.curves[EAST].average(date(2027, 4, 1), date(2027, 5, 1))
    mean = (np.exp(walk[:, 16:]).sum(axis=1) + 15 * np.exp(walk[:, -1])) / 30  # 1 April is day 17, known as it ends
    told = 72_000 * (forward * mean - 2.4)
    assert found["positive"][0] == pytest.approx(np.maximum(told, 0.0).mean(), rel=0.05)
    assert found["high"][0] == pytest.approx(np.quantile(told, 0.95), rel=0.05)


def test_futures_are_left_out_and_a_book_of_them_owes_nothing(trade: Callable[..., dict[str, object]], market: Market) -> None:
    row = trade("F", "future", "buy", 4.0, US, "2027-05", 2.4, quantity_unit="lots", params='{"lot": 730}')
    agreed = read_trades(pl.DataFrame([row]), timezone="America/New_York")
    assert exposure(agreed, market).is_empty()
    assert exposure(agreed, market, days=[date(2027, 4, 1)]).row(0)[1:6] == (0.0,) * 5


def test_days_that_are_over_and_levels_that_are_none_are_refused(book: Book, market: Market) -> None:
    with pytest.raises(InputError, match="found 2027-03-16, expected days after 2027-03-16"):
        exposure(book(("swap", 1.0)), market, days=[date(2027, 3, 16)])
    with pytest.raises(InputError, match=r"a level above 0.5"):
        exposure(book(("swap", 1.0)), market, level=0.3)
