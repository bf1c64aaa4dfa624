"""Options on a normal forward."""

import numpy as np
import pytest
import QuantLib as ql
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options import bachelier

ONE = np.ones(1)


def test_at_the_money_it_is_the_deviation_over_the_root_of_two_pi() -> None:
    found = bachelier.price(0 * ONE, 0 * ONE, volatility=20 * ONE, years=ONE / 4, discount=ONE)
    assert found[0] == pytest.approx(3.989422804014327, rel=1e-15)


@pytest.mark.parametrize("option", ["call", "put"])
def test_it_agrees_with_quantlib_and_its_greeks_with_differences(option: Option) -> None:
    forward, sigma, years, discount = np.linspace(-1.0, 4.0, 11), 1.2, 0.5, 0.97
    rest = {"volatility": np.array([sigma]), "years": np.array([years]), "discount": np.array([discount])}
    found = bachelier.greeks(forward, 1.5 * ONE, option=option, rate=0 * ONE, **rest)
    kind = ql.Option.Call if option == "call" else ql.Option.Put
    oracle = [ql.bachelierBlackFormula(kind, 1.5, float(f), sigma * years**0.5, discount) for f in forward]
    assert found.price == pytest.approx(oracle, abs=1e-13)
    h = 1e-5

    def at(moved: float = 0.0, sigma: float = 0.0, years: float = 0.0) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        changed = rest | {"volatility": rest["volatility"] + sigma, "years": rest["years"] + years}
        return bachelier.price(forward + moved, 1.5 * ONE, option=option, **changed)

    assert found.delta == pytest.approx((at(h) - at(-h)) / (2 * h), abs=1e-9)
    assert found.gamma == pytest.approx((at(1e-4) - 2 * at() + at(-1e-4)) / 1e-8, abs=1e-6)
    assert found.vega == pytest.approx((at(sigma=h) - at(sigma=-h)) / (2 * h), abs=1e-9)
    assert found.theta == pytest.approx((at(years=-h) - at(years=h)) / (2 * h), abs=1e-8)


@settings(max_examples=300, deadline=None)
@given(forward=st.floats(-5, 5), strike=st.floats(-5, 5), sigma=st.floats(0.05, 5), years=st.floats(0.01, 3), more=st.floats(0, 1))
def test_parity_bounds_growth_and_the_volatility_that_comes_back(
    forward: float, strike: float, sigma: float, years: float, more: float
) -> None:
    def at(option: Option, sigma: float) -> float:
        return float(
            bachelier.price(forward * ONE, strike * ONE, volatility=sigma * ONE, years=years * ONE, discount=0.9 * ONE, option=option)[0]
        )

    call, put = at("call", sigma), at("put", sigma)
    assert call - put == pytest.approx(0.9 * (forward - strike), abs=1e-13)
    assert call >= 0.9 * max(forward - strike, 0.0) - 1e-13
    assert at("call", sigma + more) >= call - 1e-13
    option: Option = "call" if forward <= strike else "put"
    price = min(call, put)
    if price > 1e-12:
        found = bachelier.implied(price * ONE, forward * ONE, strike * ONE, years=years * ONE, discount=0.9 * ONE, option=option)[0]
        assert at(option, found) == pytest.approx(price, rel=1e-11)
        if abs(forward - strike) < 4 * sigma * years**0.5:
            assert found == pytest.approx(sigma, rel=1e-12)


def test_the_volatility_of_a_price_at_its_bound_is_zero_and_below_it_is_refused() -> None:
    assert bachelier.implied(0.5 * ONE, 2.5 * ONE, 2 * ONE, years=ONE, discount=ONE)[0] == 0.0
    with pytest.raises(InputError, match=r"column price: found 0\.4"):
        bachelier.implied(0.4 * ONE, 2.5 * ONE, 2 * ONE, years=ONE, discount=ONE)
    with pytest.raises(InputError) as caught:
        bachelier.price(np.nan * ONE, ONE, volatility=-ONE, years=-ONE, discount=ONE)
    assert [fault.column for fault in caught.value.faults] == ["forward", "volatility", "years"]
