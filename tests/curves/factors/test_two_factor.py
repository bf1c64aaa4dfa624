"""Closed forms of the factor models, beside integrals and one another."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from tenorgrid.curves.factors import schwartz, two_factor
from tenorgrid.curves.factors.two_factor import TwoFactor
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black

OIL = TwoFactor(
    reversion=1.49, short_volatility=0.286, short_premium=0.157, drift=-0.0125, priced_drift=0.0115, long_volatility=0.145, correlation=0.3
)
YIELD = schwartz.ConvenienceYield(
    reversion=1.876, level=0.106, price_volatility=0.393, yield_volatility=0.527, correlation=0.766, premium=0.198, rate=0.06
)
YEARS = np.array([0.0, 1 / 12, 0.5, 1.0, 3.0, 9.0])


def test_futures_are_those_of_the_published_parameters() -> None:
    known = [19.609223, 19.213791, 17.888709, 17.179297, 17.153689, 19.527379]
    assert two_factor.futures(OIL, short=0.119, long=2.857, maturity=YEARS) == pytest.approx(known, abs=5e-7)


def test_volatility_falls_with_time_to_delivery_as_published() -> None:
    found = two_factor.volatility(OIL, np.array([0.0, 1 / 12, 1.0, 5.0]))
    assert found == pytest.approx([0.357356, 0.326819, 0.175463, 0.145050], abs=5e-7)


def test_one_factor_futures_are_the_known_ones_and_those_of_the_two_factor_form() -> None:
    years = np.array([1.0, 5.0])
    found = schwartz.one_factor_futures(20.0, reversion=0.301, level=3.093, volatility=0.334, premium=-0.242, maturity=years)
    assert found == pytest.approx([21.707456087, 24.620930472], abs=1e-9)
    level = 3.093 - 0.334**2 / (2 * 0.301)
    same = TwoFactor(
        reversion=0.301,
        short_volatility=0.334,
        short_premium=-0.242 * 0.301,
        drift=0.0,
        priced_drift=0.0,
        long_volatility=0.0,
        correlation=0.0,
    )
    assert two_factor.futures(same, short=np.log(20.0) - level, long=level, maturity=years) == pytest.approx(found, rel=1e-13)


def test_convenience_yield_futures_are_the_known_ones() -> None:
    found = schwartz.convenience_futures(YIELD, price=20.0, yielded=0.1, maturity=np.array([0.5, 1.0, 5.0]))
    assert found == pytest.approx([19.715308545, 19.649557126, 20.663629226], abs=1e-8)


def test_convenience_yield_futures_solve_their_riccati_equations() -> None:
    """ln F = ln S − B(T) δ + A(T): B' = 1 − κ B, A' = r − (κ α − λ) B + σ₂² B² / 2 − ρ σ₁ σ₂ B, both from 0."""

    def slope(_: float, state: np.ndarray) -> list[float]:
        _, b = state
        mixed = YIELD.correlation * YIELD.price_volatility * YIELD.yield_volatility
        pull = YIELD.reversion * YIELD.level - YIELD.premium
        return [YIELD.rate - pull * b + YIELD.yield_volatility**2 * b**2 / 2 - mixed * b, 1 - YIELD.reversion * b]

    found = solve_ivp(slope, (0.0, 9.0), [0.0, 0.0], t_eval=YEARS, rtol=1e-12, atol=1e-13, method="DOP853")
    made = 20.0 * np.exp(found.y[0] - found.y[1] * 0.1)
    assert schwartz.convenience_futures(YIELD, price=20.0, yielded=0.1, maturity=YEARS) == pytest.approx(made, rel=1e-9)


def test_the_convenience_yield_model_is_the_two_factor_model() -> None:
    same = schwartz.as_two_factor(YIELD)
    assert (same.short_volatility, same.long_volatility, same.correlation) == pytest.approx((0.2809168, 0.2534363, 0.0793933), abs=5e-8)
    short = (0.1 - YIELD.level) / YIELD.reversion
    found = two_factor.futures(same, short=short, long=np.log(20.0) - short, maturity=YEARS)
    assert found == pytest.approx(schwartz.convenience_futures(YIELD, price=20.0, yielded=0.1, maturity=YEARS), rel=1e-13)


@pytest.mark.parametrize(("expiry", "maturity"), [(0.5, 0.5), (0.5, 0.75), (2.0, 5.0)])
def test_the_variance_is_the_integral_of_squared_volatility(expiry: float, maturity: float) -> None:
    slow = quad(lambda u: float(two_factor.volatility(OIL, np.array(maturity - u)) ** 2), 0, expiry, epsabs=1e-13)[0]
    assert float(two_factor.variance(OIL, expiry=np.array(expiry), maturity=np.array(maturity))) == pytest.approx(slow, rel=1e-10)
    brief = two_factor.period_variance(OIL, expiry=expiry, first=maturity, end=maturity + 1e-6)
    assert brief == pytest.approx(slow, rel=1e-5)


def test_an_average_over_a_period_moves_as_the_mean_of_its_instants() -> None:
    expiry, first, end = 0.5, 0.6, 1.1

    def rate(u: float) -> float:
        load = quad(lambda t: np.exp(-OIL.reversion * (t - u)), first, end)[0] / (end - first)
        return float((load * 0.286) ** 2 + 0.145**2 + 2 * load * 0.3 * 0.286 * 0.145)

    assert two_factor.period_variance(OIL, expiry=expiry, first=first, end=end) == pytest.approx(quad(rate, 0, expiry)[0], rel=1e-10)


def test_clewlow_and_stricklands_one_factor_model_is_this_one_without_its_long_factor() -> None:
    """Exercised in half a year, delivered three months after: w² and the call as published."""
    alone = TwoFactor(
        reversion=1.5, short_volatility=0.8, short_premium=0.0, drift=0.0, priced_drift=0.0, long_volatility=0.0, correlation=0.0
    )
    w = two_factor.variance(alone, expiry=np.array([0.5]), maturity=np.array([0.75]))
    assert w == pytest.approx([0.0782863633], abs=1e-10)
    worth = black.price(np.array([100.0]), np.array([100.0]), deviation=np.sqrt(w), discount=np.exp(np.array([-0.025])))
    assert worth == pytest.approx([10.851280043], abs=1e-8)
    draws = 100.0 * np.exp(np.sqrt(w) * np.random.default_rng(1).normal(size=400_000) - w / 2)
    payoff = np.exp(-0.025) * np.maximum(draws - 100.0, 0.0)
    assert abs(payoff.mean() - worth[0]) < 4 * payoff.std() / 400_000**0.5


def test_what_cannot_be_is_refused_with_every_fault() -> None:
    with pytest.raises(InputError) as caught:
        TwoFactor(
            reversion=0.0,
            short_volatility=-1.0,
            short_premium=0.0,
            drift=float("nan"),
            priced_drift=0.0,
            long_volatility=0.1,
            correlation=2.0,
        )
    assert len(caught.value.faults) == 4
    with pytest.raises(InputError, match="not before the expiry"):
        two_factor.variance(OIL, expiry=np.array([1.0]), maturity=np.array([0.5]))
    with pytest.raises(InputError, match="above 0"):
        schwartz.one_factor_futures(-37.63, reversion=1.0, level=3.0, volatility=0.3, premium=0.0, maturity=np.array([1.0]))
    with pytest.raises(InputError, match="at least 0"):
        two_factor.volatility(OIL, np.array([-1.0]))
    with pytest.raises(InputError, match="expiry"):
        two_factor.period_variance(OIL, expiry=1.0, first=0.5, end=2.0)
