"""The volatility that a price implies."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options.european import price
from tenorgrid.derivatives.options.implied import implied

ONE = np.ones(1)


def test_hull_futures_put() -> None:
    discount = np.exp(-0.03 * ONE)
    worth = price(20 * ONE, 20 * ONE, volatility=0.25 * ONE, years=ONE / 3, discount=discount, option="put")
    assert implied(worth, 20 * ONE, 20 * ONE, years=ONE / 3, discount=discount, option="put")[0] == pytest.approx(0.25, rel=1e-14)


def _gap(sigma: float, forward: Vector, strike: Vector, worth: float, rest: dict[str, Any]) -> float:
    return float(price(forward, strike, volatility=sigma * ONE, **rest)[0] - worth)


def test_it_agrees_with_bisection() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        forward, strike, sigma, years = rng.uniform(1, 4), rng.uniform(1, 4), rng.uniform(0.2, 2), rng.uniform(0.1, 2)
        option: black.Option = "call" if strike >= forward else "put"
        rest: dict[str, Any] = {"years": years * ONE, "discount": 0.9 * ONE, "option": option}
        worth = price(forward * ONE, strike * ONE, volatility=sigma * ONE, **rest)[0]
        slow = brentq(_gap, 1e-6, 10.0, args=(forward * ONE, strike * ONE, worth, rest), xtol=1e-14, rtol=1e-14)
        found = implied(worth * ONE, forward * ONE, strike * ONE, **rest)[0]
        assert found == pytest.approx(slow, rel=1e-11)


@pytest.mark.parametrize("option", ["call", "put"])
def test_prices_come_back_over_moneyness_and_deviation(option: black.Option) -> None:
    x, s = np.meshgrid(np.linspace(-3, 3, 61), np.geomspace(0.02, 6.0, 60), indexing="ij")
    forward, one = np.exp(x), np.ones_like(x)
    worth = price(forward, one, volatility=s, years=ONE, discount=ONE, option=option)
    bounded = worth < (forward if option == "call" else one)
    found = implied(worth[bounded], forward[bounded], one[bounded], years=ONE, discount=ONE, option=option)
    again = price(forward[bounded], one[bounded], volatility=found, years=ONE, discount=ONE, option=option)
    assert np.abs(again - worth[bounded]).max() <= 1e-12 * 20
    told = bounded & ((forward <= 1) == (option == "call")) & (worth > 1e-3 * np.minimum(forward, 1)) & (s < 3)
    assert implied(worth[told], forward[told], one[told], years=ONE, discount=ONE, option=option) == pytest.approx(s[told], rel=1e-12)


@settings(max_examples=200, deadline=None)
@given(worth=st.floats(1e-200, 0.99))
def test_a_dearer_option_has_more_volatility(worth: float) -> None:
    pair = implied(np.array([worth, worth * 1.001]), ONE, 1.5 * ONE, years=ONE, discount=ONE)
    assert 0 < pair[0] < pair[1]


def test_it_is_zero_at_the_bound_and_refused_outside() -> None:
    assert implied(np.array([0.0, 1.0]), np.array([2.0, 3.0]), 2 * ONE, years=ONE, discount=ONE).tolist() == [0.0, 0.0]
    for worth, strike in ((0.9, 2.0), (3.0, 2.0), (3.5, 2.0), (-0.1, 4.0)):
        with pytest.raises(InputError, match="column price"):
            implied(worth * ONE, 3 * ONE, strike * ONE, years=ONE, discount=ONE)
    with pytest.raises(InputError) as caught:
        implied(np.nan * ONE, -ONE, 0 * ONE, years=0 * ONE, discount=ONE)
    assert [fault.column for fault in caught.value.faults] == ["price", "forward", "strike", "years"]
