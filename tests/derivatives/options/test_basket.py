"""Options on baskets: three methods beside one another, limits, greeks, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options.average import conditioning as of_averages
from tenorgrid.derivatives.options.average.terms import Averages
from tenorgrid.derivatives.options.basket import conditioning, moments
from tenorgrid.derivatives.options.basket.simulation import simulate
from tenorgrid.derivatives.options.basket.terms import Baskets

ONE = np.ones(1)


def alike(rho: float, members: int) -> Vector:
    return np.full((members, members), rho) + (1.0 - rho) * np.eye(members)


def mixed(rho: float, option: black.Option = "call", sigma: float = 0.5) -> Baskets:
    return Baskets(
        forward=np.linspace(1, 4, 6)[None].repeat(3, 0), weight=np.full((1, 6), 1 / 6), strike=np.array([2.0, 2.5, 3.2]),
        volatility=np.full((1, 1), sigma), correlation=alike(rho, 6), years=ONE, discount=0.9 * ONE, option=option,
    )  # fmt: skip


@pytest.mark.parametrize("option", ["call", "put"])
@pytest.mark.parametrize(("rho", "misses"), [(0.3, 0.03), (0.8, 1.5e-3), (0.95, 3e-4)])
def test_the_bound_lies_below_and_the_conditional_moments_near(rho: float, misses: float, option: black.Option) -> None:
    options = mixed(rho, option)
    found = simulate(options, pairs=30_000, rng=np.random.default_rng(7))
    bound, near = conditioning.price(options), moments.conditional(options)
    assert (bound <= near + 1e-12).all()
    assert (bound <= found.price + 4 * found.error).all()
    assert (bound >= found.price * (1 - misses) - 4 * found.error).all()
    assert (np.abs(near - found.price) <= 4 * found.error + 1e-3 * found.price).all()
    assert moments.two_moments(options) == pytest.approx(near, rel=0.02)


def test_members_that_are_one_price_are_one_option() -> None:
    options = mixed(1.0)
    plain = black.price(2.5 * np.ones(3), options.strike, deviation=0.5 * ONE, discount=0.9 * ONE)
    assert conditioning.price(options) == pytest.approx(plain, rel=1e-12)
    assert moments.conditional(options) == pytest.approx(plain, rel=1e-10)
    assert moments.two_moments(options) == pytest.approx(plain, rel=1e-12)


def test_a_basket_of_fixings_is_an_average() -> None:
    years = np.array([0.2, 0.4, 0.6])
    covariance = 0.64 * np.minimum.outer(years, years)
    deviation = np.sqrt(np.diag(covariance))
    basket = Baskets(
        forward=np.full((1, 3), 2.5), weight=np.full((1, 3), 1 / 3), strike=2.6 * ONE, volatility=deviation[None],
        correlation=covariance / np.outer(deviation, deviation), years=ONE,
    )  # fmt: skip
    average = Averages(forward=np.full((1, 3), 2.5), strike=2.6 * ONE, volatility=0.8 * ONE, years=years)
    assert conditioning.price(basket) == pytest.approx(of_averages.price(average), rel=1e-12)


def test_a_member_that_falls_when_the_basket_rises_is_exercised_on_both_sides() -> None:
    options = Baskets(
        forward=np.array([[2.0, 2.0], [2.0, 2.0]]), weight=np.array([[0.5, 0.5]]), strike=np.array([2.0, 1.2]),
        volatility=np.array([[0.9, 0.3]]),
        correlation=alike(-0.99, 2), years=ONE,
    )  # fmt: skip
    found = simulate(options, pairs=100_000, rng=np.random.default_rng(7))
    bound = conditioning.price(options)
    assert (np.abs(bound - found.price) <= 4 * found.error + 1e-3).all()
    parity = bound - conditioning.price(replace(options, option="put"))
    assert parity == pytest.approx(2.0 - options.strike, abs=1e-12)


@pytest.mark.parametrize("option", ["call", "put"])
def test_greeks_agree_with_differences(option: black.Option) -> None:
    options, h = mixed(0.6, option), 1e-4
    found = conditioning.greeks(options, rate=0.05 * ONE)

    def moved(name: str, amount: Vector) -> Vector:
        up, down = (conditioning.price(replace(options, **{name: getattr(options, name) + turn * amount})) for turn in (1, -1))
        return (up - down) / (2 * h)

    for member in range(6):
        assert found.ladder[:, member] == pytest.approx(moved("forward", h * np.eye(6)[member][None]), abs=1e-7)
    assert found.delta == pytest.approx(moved("forward", h * np.ones((1, 6))), abs=1e-7)
    assert found.vega == pytest.approx(moved("volatility", h * np.ones((1, 6))), abs=1e-7)
    assert found.theta == pytest.approx(0.05 * found.price - moved("years", h * np.ones(3)), abs=1e-7)
    up, down = (conditioning.price(replace(options, forward=options.forward + turn * 1e-3)) for turn in (1, -1))
    assert found.gamma == pytest.approx((up - 2 * found.price + down) / 1e-6, abs=1e-5)


def test_it_grows_with_correlation_and_volatility_and_meets_its_limits() -> None:
    worth = [conditioning.price(mixed(rho))[1] for rho in (0.0, 0.3, 0.6, 0.9, 1.0)]
    assert (np.diff(worth) > 0).all()
    assert (conditioning.price(mixed(0.5, sigma=0.6)) > conditioning.price(mixed(0.5))).all()
    still = mixed(0.5, sigma=0.0)
    assert conditioning.price(still) == pytest.approx(0.9 * np.array([0.5, 0.0, 0.0]), abs=1e-12)
    assert moments.two_moments(still) == pytest.approx(0.9 * np.array([0.5, 0.0, 0.0]), abs=1e-7)
    forward = replace(mixed(0.5), strike=-ONE)
    assert conditioning.price(forward) == pytest.approx(0.9 * 3.5 * np.ones(3), rel=1e-14)


def test_what_has_no_price_is_refused() -> None:
    fine = mixed(0.5)
    with pytest.raises(InputError, match="a correlation between -1 and 1"):
        replace(fine, correlation=alike(1.2, 6))
    with pytest.raises(InputError, match="no negative eigenvalue"):
        replace(fine, correlation=alike(-0.9, 6))
    with pytest.raises(InputError, match="a square matrix of members"):
        replace(fine, correlation=alike(0.5, 5))
    with pytest.raises(InputError) as caught:
        replace(fine, volatility=-ONE[None], weight=-ONE[None], years=-ONE)
    assert [fault.column for fault in caught.value.faults] == ["weight", "volatility", "years"]
    with pytest.raises(InputError, match="at least 2 pairs"):
        simulate(fine, pairs=1, rng=np.random.default_rng(1))
