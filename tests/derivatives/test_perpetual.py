"""Perpetual futures: funding as a pencil makes it, fair prices by formula, by recursion and by simulation, what is refused."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.perpetual import Funding, fair, paid


@pytest.mark.parametrize(
    ("rule", "mark", "wanted"),
    [
        (Funding(rate=0.1), 2.6, 0.01),  # a tenth of the premium
        (Funding(rate=0.1, interest=0.01), 2.6, 0.01 + 0.025),
        (Funding(rate=0.1), 2.4, -0.01),
        (Funding(rate=1.0, interest=0.0001, clamp=0.0005), 2.5, 2.5 * 0.0001),  # inside the clamp: the interest
        (Funding(rate=1.0, interest=0.0001, clamp=0.0005), 2.5005, 2.5 * 0.0001),
        (Funding(rate=1.0, interest=0.0001, clamp=0.0005), 2.51, 0.01 - 2.5 * 0.0005),  # outside: the premium less the clamp
        (Funding(rate=1.0, interest=0.0001, clamp=0.0), 2.51, 0.01),
        (Funding(rate=1.0, cap=0.003), 2.6, 2.5 * 0.003),
        (Funding(rate=1.0, cap=0.003), 2.4, -2.5 * 0.003),
    ],
)
def test_funding_by_pencil(rule: Funding, mark: float, wanted: float) -> None:
    assert paid(np.array([mark]), np.array([2.5]), rule) == pytest.approx([wanted], abs=1e-12)


@pytest.mark.parametrize(("rate", "interest", "growth"), [(0.1, 0.0, 0.0), (0.1, 0.0, 0.002), (0.05, 0.001, 0.003), (0.3, -0.01, -0.01)])
def test_an_index_that_grows_evenly_has_the_papers_price(rate: float, interest: float, growth: float) -> None:
    forward = 2.5 * (1 + growth) ** np.arange(4000)
    assert fair(np.asarray(forward, np.float64), Funding(rate=rate, interest=interest)).price == pytest.approx(
        2.5 * (rate - interest) / (rate - growth), rel=1e-9
    )


def test_holding_it_a_day_at_a_time_earns_nothing() -> None:
    rng = np.random.default_rng(1)
    forward, rule = rng.uniform(1.5, 3.5, 60), Funding(rate=0.07, interest=0.002)
    prices = np.array([fair(forward[day:], rule).price for day in range(60)])
    gains = np.diff(prices) - paid(prices[:-1], forward[:-1], rule)
    np.testing.assert_allclose(gains, 0.0, atol=1e-12)


def test_it_is_the_index_at_a_random_time() -> None:
    forward = 2.0 + 0.01 * np.arange(3000)
    rate = 0.08
    times = np.random.default_rng(7).geometric(rate / (1 + rate), size=400_000) - 1
    read = forward[np.minimum(times, forward.size - 1)]
    assert fair(np.asarray(forward, np.float64), Funding(rate=rate)).price == pytest.approx(
        read.mean(), abs=5 * read.std() / np.sqrt(read.size)
    )


def test_weights_are_the_derivatives_and_sum_to_what_the_interest_leaves() -> None:
    forward, rule = np.linspace(2.0, 3.0, 30), Funding(rate=0.05, interest=0.01)
    found = fair(forward, rule)
    assert found.weight.sum() == pytest.approx(0.8, abs=1e-14)
    bumped = [fair(forward + 0.1 * (np.arange(30) == day), rule).price for day in range(30)]
    np.testing.assert_allclose((np.array(bumped) - found.price) / 0.1, found.weight, atol=1e-12)


@pytest.mark.parametrize("days", [5, 20, 80])
def test_what_lies_past_the_curve_moves_it_by_no_more_than_the_tail_allows(days: int) -> None:
    rng = np.random.default_rng(days)
    whole, rule = rng.uniform(1.0, 4.0, 2000), Funding(rate=0.1)
    cut = fair(whole[:days], rule)
    assert abs(cut.price - fair(whole, rule).price) <= cut.tail * np.abs(whole[days:] - whole[days - 1]).max()
    assert cut.tail == pytest.approx(1.1**-days)


def test_the_faster_funding_pulls_the_nearer_the_price_is_to_the_first_print() -> None:
    forward = np.linspace(2.0, 3.0, 500)
    prices = [fair(forward, Funding(rate=rate)).price for rate in (0.01, 0.1, 1.0, 100.0)]
    assert prices == sorted(prices, reverse=True)
    assert prices[-1] == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize(
    "terms",
    [{"rate": 0.0}, {"rate": -0.1}, {"rate": 0.1, "interest": 0.1}, {"rate": 0.1, "clamp": -0.1}, {"rate": 0.1, "cap": float("nan")}],
)
def test_rules_that_tie_nothing_are_refused(terms: dict[str, float]) -> None:
    with pytest.raises(InputError, match="a share"):
        Funding(**terms)


def test_what_has_no_price_is_refused() -> None:
    with pytest.raises(InputError, match="a linear funding rule"):
        fair(np.array([2.5]), Funding(rate=0.1, clamp=0.001))
    with pytest.raises(InputError, match="at least one finite forward"):
        fair(np.array([]), Funding(rate=0.1))
    with pytest.raises(InputError, match="prints above 0"):
        paid(np.array([2.5]), np.array([0.0]), Funding(rate=0.1))
