"""The spread of two prices and volatility by time to delivery."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

from tenorgrid.curves.factors import reverting, samuelson, spread
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

STEP = 1 / 365
MATURITY = np.array([0.0, 0.25, 0.5, 1.0, 2.0, 4.0])


def drawn(rows: int = 700, *, seed: int = 1) -> tuple[Vector, Vector]:
    """A random walk, and a price whose ratio to it has κ 20, θ 0.5, σ 0.4."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(0.02 * rng.normal(size=rows))
    left, variance = reverting.moments(20.0, 0.4, STEP)
    r, ratio = 0.5, []
    for _ in range(rows):
        r = 0.5 + left * (r - 0.5) + variance**0.5 * rng.normal()
        ratio.append(r)
    return np.exp(walk + ratio), np.exp(walk)


def test_the_spread_of_a_draw_comes_back_within_its_errors() -> None:
    found = spread.fit(*drawn(), step=STEP)
    values = np.array([found.process.reversion, found.process.level, found.process.volatility])
    assert (np.abs(values - [20.0, 0.5, 0.4]) < 4 * found.process.hessian_errors).all()
    assert found.statistic < found.critical
    assert found.correlation_lower < found.correlation < found.correlation_upper
    own = spread.fit(*drawn(), step=STEP, estimated=True)
    assert own.beta == pytest.approx(1.0, abs=0.1)


def test_the_forecast_is_the_recursion_of_one_step_and_its_band_that_of_draws() -> None:
    found = spread.fit(*drawn(), step=STEP)
    mean, lower, upper = found.forecast(30, level=0.9)
    left, variance = reverting.moments(found.process.reversion, found.process.volatility, STEP)
    at, wide = found.states[-1], 0.0
    for place in range(30):
        at, wide = found.process.level + left * (at - found.process.level), left**2 * wide + variance
        assert mean[place] == pytest.approx(at, abs=1e-12)
        assert upper[place] - lower[place] == pytest.approx(2 * 1.6448536269514722 * wide**0.5, rel=1e-10)


def test_the_spread_the_other_way_round_is_the_same_with_another_sign() -> None:
    one, two = drawn()
    here, there = spread.fit(one, two, step=STEP), spread.fit(two, one, step=STEP)
    assert there.process.level == pytest.approx(-here.process.level, abs=1e-10)
    assert there.process.reversion == pytest.approx(here.process.reversion, rel=1e-9)


def test_two_walks_negative_prices_and_constant_ratios_are_refused() -> None:
    one, two = (np.exp(np.cumsum(0.02 * np.random.default_rng(seed).normal(size=400))) for seed in (8, 9))
    with pytest.raises(InputError, match="may wander"):
        spread.fit(one, two, step=STEP)
    with pytest.raises(InputError, match="may wander"):
        spread.fit(one, two, step=STEP, estimated=True)
    with pytest.raises(InputError, match="above 0"):
        spread.fit(-one, two, step=STEP)
    with pytest.raises(InputError, match="constant ratio"):
        spread.fit(two, two, step=STEP)
    with pytest.raises(InputError, match="two prices a day"):
        spread.fit(one[1:], two, step=STEP)


def test_volatilities_of_two_factors_give_their_parameters_back_as_does_a_second_search() -> None:
    true = np.array([1.49, 0.286, 0.145, 0.3])
    exact = samuelson.curve(true, MATURITY)
    found = samuelson.fit(exact, maturity=MATURITY, error=exact / 30)
    assert found.values == pytest.approx(true, abs=1e-4)
    noisy, error = exact * (1 + 0.02 * np.random.default_rng(0).normal(size=6)), exact / 30
    one = samuelson.fit(noisy, maturity=MATURITY, error=error, factors=1)
    theirs, cov = curve_fit(lambda t, k, s: s * np.exp(-k * t), MATURITY, noisy, p0=[1, 0.3], sigma=error, absolute_sigma=True)
    assert one.values == pytest.approx(theirs, rel=1e-5)
    assert one.errors == pytest.approx(np.sqrt(np.diag(cov)), rel=1e-3)
    assert samuelson.fit(noisy, maturity=MATURITY, error=error).weighted_squares < one.weighted_squares


def test_realised_volatilities_are_those_of_moves_and_refuse_what_has_no_logarithm() -> None:
    prices = np.exp(np.cumsum(np.random.default_rng(4).normal(size=(300, 2)) * [0.02, 0.01], axis=0))
    found, error = samuelson.realised(prices, step=1 / 252)
    assert found == pytest.approx([0.02 * 252**0.5, 0.01 * 252**0.5], rel=0.15)
    assert error == pytest.approx(found / 598**0.5)
    with pytest.raises(InputError, match="above 0"):
        samuelson.realised(-prices, step=1 / 252)
    with pytest.raises(InputError, match="at least 4 maturities"):
        samuelson.fit(found, maturity=np.array([0.0, 1.0]), error=error)
