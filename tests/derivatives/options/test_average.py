"""Options on averages: published tables, three methods beside one another, inside the term, greeks, refusals."""

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
from tenorgrid.derivatives.options.average import conditioning, continuous, matching
from tenorgrid.derivatives.options.average.simulation import simulate
from tenorgrid.derivatives.options.average.terms import Averages, so_far
from tenorgrid.derivatives.options.greeks import LadderGreeks

ONE = np.ones(1)
STEPS = np.arange(26)
VOLATILITIES = {"flat": np.full(26, 0.2), "up": 0.2 - (25 - STEPS) * 0.005, "down": 0.2 + (25 - STEPS) * 0.005}


def table(volatility: Vector, strikes: Vector, option: black.Option = "call") -> Averages:
    """Haug, 2nd edition, table 4-28."""
    return Averages(
        forward=np.full((strikes.size, 26), 100.0), strike=strikes, volatility=volatility, years=1 / 52 + STEPS / 25 * (0.5 - 1 / 52),
        discount=np.exp(-0.025 * ONE), option=option,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("flat", [19.5152, 10.1437, 3.2700, 0.5515, 0.0479]),
        ("up", [19.5063, 9.8313, 2.2819, 0.1314, 0.0016]),
        ("down", [19.5885, 10.7062, 4.3370, 1.2429, 0.2547]),
    ],
)
def test_two_moments_are_haugs_table(shape: str, expected: list[float]) -> None:
    strikes = np.array([80.0, 90.0, 100.0, 110.0, 120.0])
    assert matching.price(table(VOLATILITIES[shape], strikes)) == pytest.approx(expected, abs=6e-5)
    puts = np.array(expected) - np.exp(-0.025) * (100 - strikes)
    assert matching.price(table(VOLATILITIES[shape], strikes, "put")) == pytest.approx(puts, abs=6e-5)


def test_the_bound_is_the_known_one_and_near_the_true_price() -> None:
    found = conditioning.price(table(VOLATILITIES["flat"], np.array([90.0, 100.0, 110.0])))
    assert found == pytest.approx([10.1288, 3.2667, 0.5647], abs=6e-5)
    assert found == pytest.approx([10.12889, 3.26682, 0.56486], abs=5e-4)  # 200,000 paths


@pytest.mark.parametrize(
    ("count", "expected", "published"),
    [
        (2, 1.39398, 1.39428), (4, 1.58625, 1.58524), (8, 1.67172, 1.66971), (12, 1.69916, 1.69800), (26, 1.72819, 1.72551),
        (52, 1.74049, 1.74016), (1000, 1.75206, 1.75373),
    ],
)  # fmt: skip
def test_levys_discrete_puts(count: int, expected: float, published: float) -> None:
    time = np.arange(count) / (count - 1) * 11 / 12
    puts = Averages(
        forward=90.0 * np.exp((0.025 - 0.06) * time)[None], strike=87 * ONE, volatility=0.13 * ONE, years=time,
        discount=np.exp(-0.025 * 11 / 12 * ONE), option="put",
    )  # fmt: skip
    assert conditioning.price(puts)[0] == pytest.approx(expected, abs=6e-6)
    assert conditioning.price(puts)[0] == pytest.approx(published, abs=3e-3)  # Monte Carlo


@pytest.mark.parametrize(
    ("spot", "rate", "sigma", "years", "expected", "bound", "moments"),
    [
        (1.9, 0.05, 0.5, 1.0, 0.193174, 0.193060, 0.195379),
        (2.0, 0.05, 0.5, 1.0, 0.246416, 0.246298, 0.249791),
        (2.1, 0.05, 0.5, 1.0, 0.306220, 0.306094, 0.310646),
        (2.0, 0.02, 0.1, 1.0, 0.055986, 0.055985, 0.056054),
        (2.0, 0.18, 0.3, 1.0, 0.218388, 0.218366, 0.219829),
        (2.0, 0.0125, 0.25, 2.0, 0.172269, 0.172226, 0.173490),
        (2.0, 0.05, 0.5, 2.0, 0.350095, 0.349779, 0.359204),
    ],
)
def test_vecers_continuous_calls_lie_between_the_bound_and_two_moments(
    spot: float, rate: float, sigma: float, years: float, expected: float, bound: float, moments: float
) -> None:
    time = (np.arange(1500) + 0.5) / 1500 * years
    discount = np.exp(-rate * years * ONE)
    calls = Averages(
        forward=spot * np.exp(rate * time)[None], strike=2 * ONE, volatility=sigma * ONE, years=time, discount=discount, expiry=years * ONE
    )
    found = conditioning.price(calls)[0]
    assert found == pytest.approx(bound, abs=2e-6)
    assert expected - 3.2e-4 <= found <= expected
    two = continuous.price(
        spot * ONE, 2 * ONE, carry=rate * ONE, volatility=sigma * ONE, period=years * ONE, left=years * ONE, discount=discount, average=ONE
    )[0]
    assert two == pytest.approx(moments, abs=1e-6)
    assert two == pytest.approx(matching.price(calls)[0], abs=1e-6)  # 1,500 fixings are nearly continuous


LEVY = {
    (95, 0.15): (7.0544, 5.6731, 5.0806), (95, 0.35): (10.1213, 6.9705, 5.1411), (100, 0.15): (3.7845, 1.9964, 0.6722),
    (100, 0.35): (7.5038, 4.0687, 1.4222), (105, 0.15): (1.6729, 0.3565, 0.0004), (105, 0.35): (5.4071, 2.1359, 0.1552),
}  # fmt: skip


@pytest.mark.parametrize(("strike", "sigma"), LEVY)
def test_levys_continuous_table(strike: int, sigma: float) -> None:
    left = 0.75 - np.array([0.0, 90.0, 180.0]) / 360
    found = continuous.price(
        100 * ONE, strike * ONE, carry=0.05 * ONE, volatility=sigma * ONE, period=0.75 * ONE, left=left, discount=np.exp(-0.1 * left),
        average=100 * ONE,
    )  # fmt: skip
    assert found == pytest.approx(LEVY[strike, sigma], abs=6e-5)


def test_levys_currency_options_and_greeks_by_differences() -> None:
    rest: dict[str, Any] = {
        "carry": -0.02 * ONE,
        "period": 0.5 * ONE,
        "left": 0.5 * ONE,
        "discount": np.exp(-0.035 * ONE),
        "average": 6.8 * ONE,
    }

    def at(spot: float = 6.8, sigma: float = 0.14, option: black.Option = "call") -> float:
        return float(continuous.price(spot * ONE, 6.9 * ONE, volatility=sigma * ONE, option=option, **rest)[0])

    assert [at(), at(option="put")] == pytest.approx([0.094416, 0.223698], abs=6e-7)
    found = continuous.greeks(6.8 * ONE, 6.9 * ONE, volatility=0.14 * ONE, **rest)
    assert found.delta[0] == pytest.approx((at(6.801) - at(6.799)) / 0.002, abs=1e-6)
    assert found.gamma[0] == pytest.approx((at(6.801) - 2 * at() + at(6.799)) / 1e-6, abs=1e-4)
    assert found.vega[0] == pytest.approx((at(sigma=0.1401) - at(sigma=0.1399)) / 2e-4, abs=1e-6)


def mixed(option: black.Option = "call", contracts: int = 40) -> Averages:
    """Contracts before and inside their term, with seasonal forwards, some certain to pay."""
    rng = np.random.default_rng(8)
    return Averages(
        forward=rng.uniform(1.5, 3.5, (contracts, 30)), strike=rng.uniform(1.5, 3.5, contracts),
        volatility=rng.uniform(0.3, 1.0, (contracts, 1)), years=np.linspace(0, 0.6, contracts)[:, None] + np.arange(30) / 365,
        known=rng.uniform(-0.3, 0.8, contracts),
        discount=rng.uniform(0.8, 1.0, contracts), weight=np.full(30, 1 / 40), option=option,
    )  # fmt: skip


@pytest.mark.parametrize("option", ["call", "put"])
def test_paths_agree_with_the_bound(option: black.Option) -> None:
    options = mixed(option, 12)
    found = simulate(options, pairs=20_000, rng=np.random.default_rng(5))
    bound = conditioning.price(options)
    assert (bound <= found.price + 4 * found.error + 1e-12).all()
    assert (np.abs(bound - found.price) <= 4 * found.error + 2e-4).all()


KERNELS = {"conditioning": (conditioning.price, conditioning.greeks), "matching": (matching.price, matching.greeks)}


@pytest.mark.parametrize("option", ["call", "put"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_greeks_agree_with_differences(kernel: str, option: black.Option) -> None:
    pricing: Callable[[Averages], Vector] = KERNELS[kernel][0]
    options, h = mixed(option), 1e-4
    found: LadderGreeks = KERNELS[kernel][1](options, rate=0.03 * ONE)
    here, up, down = pricing(options), pricing(options.shifted(h)), pricing(options.shifted(-h))
    assert found.price == pytest.approx(here, abs=1e-14)
    assert found.delta == pytest.approx((up - down) / (2 * h), abs=1e-7)
    assert found.gamma == pytest.approx((up - 2 * here + down) / h**2, abs=1e-5)
    one = np.zeros((1, 30))
    one[0, 7] = h
    moved = [pricing(replace(options, forward=options.forward + turn * one)) for turn in (1, -1)]
    assert found.ladder[:, 7] == pytest.approx((moved[0] - moved[1]) / (2 * h), abs=1e-9)
    moved = [pricing(replace(options, volatility=options.volatility + turn * h)) for turn in (1, -1)]
    assert found.vega == pytest.approx((moved[0] - moved[1]) / (2 * h), abs=1e-6)
    later = slice(1, None)  # the first contract fixes today: its time cannot become less
    runs = [replace(options, years=np.maximum(options.years + turn * 1e-6, 0)) for turn in (-1, 1)]
    slope = (pricing(runs[0]) - pricing(runs[1])) / 2e-6
    assert (found.theta - 0.03 * here)[later] == pytest.approx(slope[later], abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(forward=st.floats(0.5, 5), strike=st.floats(-1, 5), sigma=st.floats(0, 2), more=st.floats(0, 1), known=st.floats(-1, 2))
def test_parity_bounds_and_growth_with_volatility(forward: float, strike: float, sigma: float, more: float, known: float) -> None:
    def at(kernel: Callable[[Averages], Vector], option: black.Option, sigma: float) -> float:
        years = np.arange(1, 11) / 50
        options = Averages(
            forward=np.full((1, 10), forward), strike=strike * ONE, volatility=sigma * ONE, years=years, weight=np.full(10, 0.05),
            known=known * ONE, option=option,
        )  # fmt: skip
        return float(kernel(options)[0])

    gain = known + 0.5 * forward - strike
    for kernel in (conditioning.price, matching.price):
        call, put = at(kernel, "call", sigma), at(kernel, "put", sigma)
        assert call - put == pytest.approx(gain, abs=1e-12)
        assert max(gain, 0.0) - 1e-12 <= call <= 0.5 * forward + max(known - strike, 0.0) + 1e-12
        assert at(kernel, "call", sigma + more) >= call - 1e-12


def test_one_fixing_is_a_european_option_and_a_negative_effective_strike_a_forward() -> None:
    single = Averages(forward=np.array([[2.4]]), strike=2.5 * ONE, volatility=0.8 * ONE, years=0.3 * ONE, discount=0.9 * ONE)
    plain = black.price(2.4 * ONE, 2.5 * ONE, deviation=0.8 * np.sqrt(0.3) * ONE, discount=0.9 * ONE)
    assert conditioning.price(single) == pytest.approx(plain, rel=1e-13)
    assert matching.price(single) == pytest.approx(plain, rel=1e-13)
    inside = Averages(
        forward=np.full((1, 5), 2.4), strike=2.0 * ONE, volatility=0.8 * ONE, years=np.arange(1, 6) / 365, weight=np.full(5, 1 / 30),
        known=2.1 * ONE, discount=0.9 * ONE,
    )  # fmt: skip
    assert inside.effective[0] < 0
    for module in (conditioning, matching):
        found = module.greeks(inside)
        assert found.price[0] == pytest.approx(0.9 * (2.1 + 0.4 - 2.0), rel=1e-13)
        assert found.delta[0] == pytest.approx(0.9 * 5 / 30, rel=1e-13)
        assert found.gamma[0] == found.vega[0] == 0.0
        assert module.price(replace(inside, option="put"))[0] == 0.0


def test_known_fixings_move_into_the_strike() -> None:
    value = np.array([[2.0, 2.2, np.nan, np.nan]])
    known, weight = so_far(value, weight=np.full((1, 4), 0.25), published=np.isfinite(value))
    assert known == pytest.approx([1.05])
    assert weight.tolist() == [[0.0, 0.0, 0.25, 0.25]]
    whole = Averages(
        forward=np.array([[2.0, 2.2, 2.5, 2.6]]),
        strike=2.3 * ONE,
        volatility=np.array([0.0, 0.0, 0.9, 0.9]),
        years=np.array([0, 0, 0.1, 0.2]),
    )
    rest = replace(whole, known=known, weight=weight, volatility=np.full((1, 4), 0.9), years=np.array([[0.0, 0.0, 0.1, 0.2]]))
    found = simulate(whole, pairs=20_000, rng=np.random.default_rng(2))  # a fixing without variance is as good as a known one
    assert conditioning.price(rest)[0] == pytest.approx(found.price[0], abs=4 * found.error[0])
    with pytest.raises(InputError, match="a number where it is published"):
        so_far(value, weight=np.full((1, 4), 0.25), published=np.ones((1, 4), bool))


def test_contracts_of_fewer_fixings_share_a_batch() -> None:
    short = Averages(forward=np.array([[2.5, 2.6]]), strike=2.5 * ONE, volatility=0.9 * ONE, years=np.array([0.1, 0.2]))
    padded = Averages(
        forward=np.array([[2.5, 2.6, 2.6]]), strike=2.5 * ONE, volatility=0.9 * ONE, years=np.array([0.1, 0.2, 0.2]),
        weight=np.array([[0.5, 0.5, 0.0]]),
    )  # fmt: skip
    for module in (conditioning, matching):
        assert module.price(padded) == pytest.approx(module.price(short), rel=1e-14)


def test_everything_fixed_is_worth_its_pay_off() -> None:
    done = Averages(
        forward=np.full((2, 3), 2.0), strike=np.array([2.0, 2.6]), volatility=ONE, years=np.zeros(3), weight=np.zeros(3), known=2.3 * ONE
    )
    for module in (conditioning, matching):
        assert module.price(done) == pytest.approx([0.3, 0.0])
        assert module.greeks(done).delta.tolist() == [0.0, 0.0]


def test_what_has_no_price_is_refused() -> None:
    fine: dict[str, Any] = {"forward": np.full((1, 2), 2.0), "strike": ONE, "volatility": ONE, "years": np.array([0.1, 0.2])}
    with pytest.raises(InputError) as caught:
        Averages(**fine | {"forward": -np.ones((1, 2)), "volatility": -ONE, "strike": np.inf * ONE, "weight": -ONE})
    assert [fault.column for fault in caught.value.faults] == ["forward", "strike", "volatility", "weight"]
    with pytest.raises(InputError, match="a payment not before the last fixing"):
        Averages(**fine, expiry=0.15 * ONE)
    with pytest.raises(InputError, match="in the order of their times"):
        Averages(**fine | {"years": np.array([0.2, 0.1])})
    with pytest.raises(InputError, match=r"column years: found -0\.1"):
        Averages(**fine | {"years": np.array([-0.1, 0.1])})
    with pytest.raises(InputError, match="a total variance that does not fall"):
        simulate(table(VOLATILITIES["down"], 100 * ONE), pairs=10, rng=np.random.default_rng(1))
