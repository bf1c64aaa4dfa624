"""European options: greeks, total variance, Clewlow and Strickland's forward."""

import numpy as np
import pytest
import QuantLib as ql

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options import european

ONE = np.ones(1)


@pytest.mark.parametrize(
    ("option", "forward", "strike", "years", "rate", "volatility", "expected"),
    [
        ("call", 19.0, 19.0, 0.75, 0.10, 0.28, 1.701051),  # Haug (1998), Black-76
        ("call", 60.0 * np.exp(0.08 * 0.25), 65.0, 0.25, 0.08, 0.30, 2.133368),  # Haug, Black-Scholes
        ("put", 100.0 * np.exp(0.05 * 0.5), 95.0, 0.5, 0.10, 0.20, 2.464788),  # Haug, Merton
        ("put", 20.0, 20.0, 4 / 12, 0.09, 0.25, 1.116641),  # Hull, futures put
    ],
)
def test_known_answers(
    option: black.Option, forward: float, strike: float, years: float, rate: float, volatility: float, expected: float
) -> None:
    found = european.price(
        forward * ONE, strike * ONE, volatility=volatility * ONE, years=years * ONE, discount=np.exp(-rate * years * ONE), option=option
    )
    assert found[0] == pytest.approx(expected, abs=5e-7)


def test_clewlow_and_strickland_one_factor_forward() -> None:
    deviation = european.one_factor_deviation(0.8 * ONE, reversion=1.5 * ONE, years=0.5 * ONE, delivery=0.75 * ONE)
    assert deviation[0] ** 2 == pytest.approx(0.0782863633, abs=5e-11)
    call = black.price(100 * ONE, 100 * ONE, deviation=deviation, discount=np.exp(-0.025 * ONE))
    assert call[0] == pytest.approx(10.851280043, abs=5e-9)


def test_the_one_factor_variance_is_the_integral_of_its_volatility() -> None:
    time = np.linspace(0.0, 0.5, 200_001)
    slow = np.trapezoid((0.8 * np.exp(-1.5 * (0.75 - time))) ** 2, time)
    found = european.one_factor_deviation(0.8 * ONE, reversion=1.5 * ONE, years=0.5 * ONE, delivery=0.75 * ONE)
    assert found[0] ** 2 == pytest.approx(slow, rel=1e-10)
    without = european.one_factor_deviation(0.8 * ONE, reversion=0 * ONE, years=0.5 * ONE, delivery=0.75 * ONE)
    assert without[0] == pytest.approx(0.8 * np.sqrt(0.5), rel=1e-15)


@pytest.mark.parametrize("option", ["call", "put"])
def test_greeks_agree_with_quantlib(option: black.Option) -> None:
    forward, strike, sigma, years, rate = np.linspace(1.5, 4.0, 6), np.full(6, 2.5), np.full(6, 0.8), 0.5, 0.05
    discount = np.exp(-rate * years)
    found = european.greeks(
        forward, strike, volatility=sigma, years=np.array([years]), discount=np.array([discount]), option=option, rate=np.array([rate])
    )
    kind = ql.PlainVanillaPayoff(ql.Option.Call if option == "call" else ql.Option.Put, 2.5)
    for at in range(6):
        oracle = ql.BlackCalculator(kind, float(forward[at]), 0.8 * years**0.5, discount)
        assert found.price[at] == pytest.approx(oracle.value(), abs=1e-12)
        assert found.delta[at] == pytest.approx(oracle.deltaForward(), abs=1e-12)
        assert found.gamma[at] == pytest.approx(oracle.gammaForward(), abs=1e-12)
        assert found.vega[at] == pytest.approx(oracle.vega(years), abs=1e-12)


def test_theta_is_what_a_shorter_life_adds() -> None:
    forward, strike, rate, step = np.linspace(1.5, 4.0, 6), np.full(6, 2.5), 0.05, 1e-6

    def value(years: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return european.price(forward, strike, volatility=0.8 * ONE, years=years * ONE, discount=np.exp(-rate * years * ONE), option="put")

    found = european.greeks(
        forward, strike, volatility=0.8 * ONE, years=0.5 * ONE, discount=np.exp(-0.025 * ONE), option="put", rate=rate * ONE
    )
    assert found.theta == pytest.approx((value(0.5 - step) - value(0.5 + step)) / (2 * step), abs=1e-8)


def test_limits_without_volatility_and_without_end() -> None:
    forward, strike = np.array([2.0, 2.5, 3.0]), np.full(3, 2.5)
    still = european.greeks(forward, strike, volatility=0 * ONE, years=ONE, discount=ONE)
    assert still.price.tolist() == [0.0, 0.0, 0.5]
    assert still.gamma.tolist() == [0.0, np.inf, 0.0]
    assert still.theta.tolist() == [0.0, 0.0, 0.0]
    assert european.price(forward, strike, volatility=1e3 * ONE, years=ONE, discount=ONE) == pytest.approx(forward, rel=1e-15)
    assert european.price(forward, 0 * ONE, volatility=ONE, years=ONE, discount=ONE) == pytest.approx(forward, rel=1e-15)


def test_a_total_variance_that_falls_is_told() -> None:
    years = np.array([0.25, 0.5, 1.0])
    found = european.falls(np.array([[0.4, 0.4, 0.4], [0.6, 0.4, 0.4], [0.6, 0.6 / 2**0.5, 0.31]]), years)
    assert found.tolist() == [False, True, False]
    with pytest.raises(InputError, match="times in their order"):
        european.falls(np.full((1, 3), 0.4), years[::-1])


def test_what_has_no_price_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        european.price(ONE, ONE, volatility=-0.2 * ONE, years=-ONE, discount=ONE)
    assert [fault.column for fault in caught.value.faults] == ["volatility", "years"]
    with pytest.raises(InputError, match="not before expiry"):
        european.one_factor_deviation(ONE, reversion=ONE, years=ONE, delivery=0.5 * ONE)
