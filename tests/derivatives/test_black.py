"""Black's formula."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black


def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value])


@pytest.mark.parametrize(
    ("option", "forward", "strike", "years", "rate", "volatility", "expected", "digits"),
    [
        ("call", 19.0, 19.0, 0.75, 0.10, 0.28, 1.701051, 5e-7),  # Haug (1998), Black-76
        ("put", 19.0, 19.0, 0.75, 0.10, 0.28, 1.701051, 5e-7),
        ("call", 60.0 * np.exp(0.08 * 0.25), 65.0, 0.25, 0.08, 0.30, 2.133368, 5e-7),  # Haug, Black-Scholes
        ("put", 100.0 * np.exp(0.05 * 0.5), 95.0, 0.5, 0.10, 0.20, 2.464788, 5e-7),  # Haug, Merton
        ("put", 20.0, 20.0, 4 / 12, 0.09, 0.25, 1.116641, 5e-7),  # Hull, futures put
        ("call", 620.0, 600.0, 0.5, 0.05, 0.20, 44.18685, 5e-6),  # Hull, futures call
    ],
)
def test_known_answers(
    option: black.Option, forward: float, strike: float, years: float, rate: float, volatility: float, expected: float, digits: float
) -> None:
    deviation, discount = one(volatility * years**0.5), one(np.exp(-rate * years))
    found = black.price(one(forward), one(strike), deviation=deviation, discount=discount, option=option)
    assert found[0] == pytest.approx(expected, abs=digits)


def test_it_agrees_with_an_integral_over_the_lognormal_density() -> None:
    forward, strike, deviation, discount = 2.4, 2.8, 0.35, 0.97
    z = np.linspace(-12, 12, 400_001)
    payoff = np.maximum(forward * np.exp(deviation * z - deviation**2 / 2) - strike, 0.0)
    slow = discount * np.trapezoid(payoff * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), z)
    found = black.price(one(forward), one(strike), deviation=one(deviation), discount=one(discount))
    assert found[0] == pytest.approx(slow, abs=1e-9)


def test_delta_and_vega_agree_with_differences() -> None:
    forward, strike = np.linspace(1.0, 5.0, 9), np.full(9, 2.5)
    deviation, discount, step = np.full(9, 0.4), np.full(9, 0.98), 1e-5
    for option in ("call", "put"):
        up, down = (black.price(forward + s, strike, deviation=deviation, discount=discount, option=option) for s in (step, -step))
        assert black.delta(forward, strike, deviation=deviation, discount=discount, option=option) == pytest.approx(
            (up - down) / 2 / step, abs=1e-8
        )
    up, down = (black.price(forward, strike, deviation=deviation + s, discount=discount) for s in (step, -step))
    assert black.vega(forward, strike, deviation=deviation, discount=discount) == pytest.approx((up - down) / 2 / step, abs=1e-8)


@settings(max_examples=200, deadline=None)
@given(forward=st.floats(0.01, 100), strike=st.floats(-1, 100), deviation=st.floats(0, 3), more=st.floats(0, 1), discount=st.floats(0.1, 1))
def test_parity_bounds_and_growth_with_volatility(forward: float, strike: float, deviation: float, more: float, discount: float) -> None:
    call, put = (
        black.price(one(forward), one(strike), deviation=one(deviation), discount=one(discount), option=option)[0]
        for option in ("call", "put")
    )
    rounding = 1e-12 * (forward + abs(strike))
    assert call - put == pytest.approx(discount * (forward - strike), abs=2 * rounding)
    assert discount * max(forward - strike, 0.0) - rounding <= call
    assert call <= discount * (forward + max(-strike, 0.0)) + rounding
    assert black.price(one(forward), one(strike), deviation=one(deviation + more), discount=one(discount))[0] >= call - rounding


def test_nothing_uncertain_pays_what_it_is_worth() -> None:
    forward, zero = np.array([2.0, 2.5, 3.0]), np.zeros(3)
    assert black.price(forward, np.full(3, 2.5), deviation=zero, discount=np.ones(3)).tolist() == [0.0, 0.0, 0.5]
    assert black.delta(forward, np.full(3, 2.5), deviation=zero, discount=np.ones(3)).tolist() == [0.0, 0.5, 1.0]
    assert black.vega(forward, np.full(3, 2.5), deviation=zero, discount=np.ones(3))[[0, 2]].tolist() == [0.0, 0.0]


def test_what_has_no_price_is_refused_with_every_fault() -> None:
    with pytest.raises(InputError) as caught:
        black.price(np.array([2.0, -1.0]), one(np.nan), deviation=one(-0.1), discount=one(0.0))
    assert [fault.column for fault in caught.value.faults] == ["forward", "strike", "deviation", "discount"]
