"""Spread options: published values, the integral beside paths and QuantLib, identities, greeks, limits, refusals."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options.greeks import SpreadGreeks
from tenorgrid.derivatives.options.spread import closed, quadrature
from tenorgrid.derivatives.options.spread.terms import Spreads

ONE = np.ones(1)


def spreads(
    first: float, second: float, strike: float, one: float, two: float, rho: float, years: float, discount: float = 1.0,
    option: black.Option = "call",
) -> Spreads:  # fmt: skip
    return Spreads(
        first=first * ONE, second=second * ONE, strike=strike * ONE, first_volatility=one * ONE, second_volatility=two * ONE,
        correlation=rho * ONE, years=years * ONE, discount=discount * ONE, option=option,
    )  # fmt: skip


HAUG = {
    (0.1, 0.20, 0.20): (4.7530, 3.7970, 2.5537), (0.1, 0.25, 0.20): (5.4275, 4.3712, 3.0086), (0.1, 0.20, 0.25): (5.4061, 4.3451, 2.9723),
    (0.5, 0.20, 0.20): (10.7517, 8.7020, 6.0257), (0.5, 0.25, 0.20): (12.1941, 9.9340, 7.0067),
    (0.5, 0.20, 0.25): (12.1483, 9.8780, 6.9284),
}  # fmt: skip


@pytest.mark.parametrize("case", HAUG)
def test_kirk_is_haugs_table(case: tuple[float, float, float]) -> None:
    years, one, two = case
    for rho, expected in zip((-0.5, 0.0, 0.5), HAUG[case], strict=True):
        options = spreads(122, 120, 3, one, two, rho, years, np.exp(-0.1 * years))
        assert closed.kirk(options).price[0] == pytest.approx(expected, abs=6e-5)
        assert closed.bjerksund_stensland(options)[0] == pytest.approx(quadrature.price(options)[0], abs=2e-5)


def test_the_integral_has_the_known_exact_values() -> None:
    for (years, two, rho), expected in (((0.1, 0.2, -0.5), 4.752815), ((0.5, 0.2, 0.5), 6.025463), ((0.5, 0.25, 0.5), 6.927704)):
        options = spreads(122, 120, 3, 0.2, two, rho, years, np.exp(-0.1 * years))
        assert quadrature.price(options)[0] == pytest.approx(expected, abs=6e-7)


@pytest.mark.parametrize(
    ("years", "strike", "one", "kirk", "strategy", "exact"),
    [
        (5.0, 20.0, 0.1, 15.39520956886349, 15.41823699879, 15.42535295502),
        (1.0, 20.0, 0.3, 10.9751711157804, 10.97512995215, 10.97661155164),
        (1.0, 60.0, 0.3, 1.837359067901817, 1.82889758790, 1.83123363415),
    ],
)
def test_los_cases(years: float, strike: float, one: float, kirk: float, strategy: float, exact: float) -> None:
    carried = np.exp(0.05 * years)
    options = spreads(110 * carried, 90 * carried, strike, one, 0.2, 0.6, years, 1 / carried)
    assert closed.kirk(options).price[0] == pytest.approx(kirk, abs=1e-12)
    assert closed.bjerksund_stensland(options)[0] == pytest.approx(strategy, abs=1e-10)
    assert quadrature.price(options)[0] == pytest.approx(exact, abs=1e-10)


def test_bjerksund_and_stenslands_put() -> None:
    options = spreads(100, 110, 5, 0.25, 0.35, 0.75, 1, np.exp(-0.05), "put")
    assert closed.bjerksund_stensland(options)[0] == pytest.approx(17.850835947276213, abs=1e-12)
    assert quadrature.price(options)[0] == pytest.approx(17.851504569, abs=1e-9)
    assert closed.kirk(options).price[0] == pytest.approx(17.877085638, abs=1e-9)


MARGRABE = {
    0.1: (2.125, 2.199, 2.283, 2.045, 2.091, 2.152, 1.974, 1.989, 2.019),
    0.5: (2.762, 2.989, 3.228, 2.479, 2.650, 2.847, 2.138, 2.231, 2.374),
}


CHECKED = {  # by a computation of its own, and which of the nine it is
    0.1: {0: 2.125062, 4: 2.091287, 8: 2.018860},
    0.5: {0: 2.761917, 4: 2.649594, 8: 2.373643},
}


@pytest.mark.parametrize("years", MARGRABE)
def test_margrabes_table(years: float) -> None:
    """Two entries of the printed table, 2.989 and 3.228, are 2.98809 and 3.22724: its normal distribution is coarse."""
    cases = [(rho, two) for rho in (-0.5, 0.0, 0.5) for two in (0.15, 0.20, 0.25)]
    for at, (rho, two) in enumerate(cases):
        options = spreads(22 * np.exp(0.04 * years), 20 * np.exp(0.06 * years), 0, 0.2, two, rho, years, np.exp(-0.1 * years))
        found = closed.margrabe(options).price[0]
        assert found == pytest.approx(MARGRABE[years][at], abs=1e-3)
        assert found == pytest.approx(CHECKED[years].get(at, found), abs=6e-7)


def mixed(option: black.Option = "call", least: float = -1.0, count: int = 60) -> Spreads:
    rng = np.random.default_rng(1)
    return Spreads(
        first=rng.uniform(1, 4, count), second=rng.uniform(1, 4, count), strike=rng.uniform(least, 1, count),
        first_volatility=rng.uniform(0.2, 1, count), second_volatility=rng.uniform(0.2, 1, count),
        correlation=rng.uniform(-0.95, 0.95, count),
        years=rng.uniform(0.1, 2, count), discount=rng.uniform(0.8, 1, count), option=option,
    )  # fmt: skip


@pytest.mark.parametrize("option", ["call", "put"])
def test_the_integral_agrees_with_a_plain_sum_over_both_prices(option: black.Option) -> None:
    options = mixed(option, count=6)
    grid = np.linspace(-9, 9, 6001)
    step = np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi) * (grid[1] - grid[0])
    for at in range(6):
        one, two = options.first_volatility[at] * options.years[at] ** 0.5, options.second_volatility[at] * options.years[at] ** 0.5
        rho = options.correlation[at]
        # the other way round: given the first price, the second is summed over plainly
        first = options.first[at] * np.exp(one * grid - one**2 / 2)
        slow = 0.0
        for value, mass, normal in zip(first[::20], step[::20] * 20, grid[::20], strict=True):
            second = options.second[at] * np.exp(two * (rho * normal + np.sqrt(1 - rho**2) * grid) - two**2 / 2)
            slow += mass * (np.maximum(options.sign * (value - second - options.strike[at]), 0.0) @ step)
        assert quadrature.price(options)[at] == pytest.approx(options.discount[at] * slow, abs=2e-5)


@pytest.mark.parametrize("option", ["call", "put"])
@pytest.mark.parametrize("method", [closed.kirk, quadrature.greeks])
def test_greeks_agree_with_differences(method: Callable[[Spreads], SpreadGreeks], option: black.Option) -> None:
    options, h = mixed(option), 1e-4
    found = method(options)

    def moved(name: str, take: Callable[[SpreadGreeks], Vector]) -> Vector:
        up, down = (take(method(replace(options, **{name: getattr(options, name) + turn * h}))) for turn in (1, -1))
        return (up - down) / (2 * h)

    for leg, name in enumerate(("first", "second")):
        assert found.delta[:, leg] == pytest.approx(moved(name, lambda g: g.price), abs=1e-7)
        assert found.vega[:, leg] == pytest.approx(moved(f"{name}_volatility", lambda g: g.price), abs=1e-6)
        assert found.gamma[:, leg : leg + 2] == pytest.approx(moved(name, lambda g: g.delta), abs=1e-6)
    assert found.correlation == pytest.approx(moved("correlation", lambda g: g.price), abs=1e-5)
    assert found.theta == pytest.approx(-moved("years", lambda g: g.price), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    first=st.floats(0.5, 5),
    second=st.floats(0.5, 5),
    strike=st.floats(-2, 2),
    one=st.floats(0, 1.5),
    two=st.floats(0, 1.5),
    rho=st.floats(-1, 1),
)
def test_parity_bounds_and_the_strategy_is_a_bound(first: float, second: float, strike: float, one: float, two: float, rho: float) -> None:
    call, put = (spreads(first, second, strike, one, two, rho, 1.0, 0.9, option) for option in ("call", "put"))
    gain = 0.9 * (first - second - strike)
    for price in (quadrature.price, closed.bjerksund_stensland, lambda options: closed.kirk(options).price):
        assert price(call)[0] - price(put)[0] == pytest.approx(gain, abs=1e-8)
        assert price(call)[0] >= max(gain, 0.0) - 1e-8
    assert quadrature.price(call)[0] >= closed.bjerksund_stensland(call)[0] - 1e-8
    assert quadrature.price(call)[0] <= 0.9 * (first + max(-strike, 0.0)) + 1e-8


def test_it_falls_with_correlation_and_rises_with_a_volatility_that_is_alone() -> None:
    rho = np.linspace(-1, 1, 41)
    falling = quadrature.price(replace(spreads(2.5, 2.2, 0.2, 0.8, 0.6, 0.0, 1.0), correlation=rho))
    assert (np.diff(falling) < 0).all()
    rising = quadrature.price(replace(spreads(2.5, 2.2, 0.2, 0.8, 0.0, 0.0, 1.0), first_volatility=np.linspace(0, 2, 21)))
    assert (np.diff(rising) > 0).all()


def test_strike_zero_is_margrabe() -> None:
    options = replace(mixed(), strike=np.zeros(60))
    exact = closed.margrabe(options)
    assert closed.bjerksund_stensland(options) == pytest.approx(exact.price, rel=1e-12)
    found = quadrature.greeks(options)
    for name in ("price", "delta", "gamma", "vega", "theta", "correlation"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=1e-9)


@pytest.mark.parametrize("rho", [-1.0, 1.0])
def test_perfect_correlation_is_one_factor(rho: float) -> None:
    z = np.linspace(-10, 12, 2_000_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    paid = np.maximum(2.5 * np.exp(rho * 0.7 * z - 0.245) - 2.0 * np.exp(0.9 * z - 0.405) - 0.3, 0.0)
    options = spreads(2.5, 2.0, 0.3, 0.7, 0.9, rho, 1.0)
    assert quadrature.price(options)[0] == pytest.approx(paid @ density, abs=1e-9)
    near = replace(options, correlation=options.correlation * (1 - 1e-6))
    assert quadrature.greeks(options).gamma == pytest.approx(quadrature.greeks(near).gamma, rel=1e-4)


def test_a_leg_without_volatility_is_a_strike() -> None:
    options = spreads(2.5, 2.0, 0.3, 0.7, 0.0, 0.3, 1.0, 0.9)
    plain = black.price(2.5 * ONE, 2.3 * ONE, deviation=0.7 * ONE, discount=0.9 * ONE)
    assert quadrature.price(options) == pytest.approx(plain, rel=1e-12)
    other = spreads(2.5, 2.0, 0.3, 0.0, 0.7, 0.3, 1.0, 0.9)
    plain = black.price(2.0 * ONE, 2.2 * ONE, deviation=0.7 * ONE, discount=0.9 * ONE, option="put")
    assert quadrature.price(other) == pytest.approx(plain, rel=1e-12)
    assert quadrature.price(spreads(2.5, 2.0, 0.3, 0.7, 0.9, 0.3, 0.0))[0] == pytest.approx(0.2, rel=1e-12)


def test_what_has_no_price_is_refused() -> None:
    fine: dict[str, Any] = dict.fromkeys(
        ("first", "second", "strike", "first_volatility", "second_volatility", "correlation", "years"), ONE
    )
    with pytest.raises(InputError) as caught:
        Spreads(**fine | {"correlation": 1.1 * ONE, "second_volatility": -ONE, "years": -ONE, "first": np.nan * ONE})
    assert [fault.column for fault in caught.value.faults] == ["first", "second_volatility", "years", "correlation"]
    with pytest.raises(InputError, match="a strike of 0"):
        closed.margrabe(Spreads(**fine))
