"""Reverting prices, with jumps and without, beside regressions, draws and convolutions."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from tenorgrid.curves.factors import jumps, reverting
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import PriceForm

STEP = 1 / 365


def drawn(rows: int, *, rate: float = 0.0, seed: int = 3) -> Vector:
    """Log prices of κ 12, θ ln 2, σ 0.5, with jumps of mean 0.05 and deviation 0.15."""
    rng = np.random.default_rng(seed)
    left, variance = reverting.moments(12.0, 0.5, STEP)
    x, made = np.log(2.0), []
    for _ in range(rows):
        x = np.log(2.0) + left * (x - np.log(2.0)) + variance**0.5 * rng.normal()
        x += rng.normal(0.05, 0.15, size=rng.poisson(rate * STEP)).sum()
        made.append(x)
    return np.array(made)


def test_the_fit_is_the_regression_of_each_state_on_the_one_before() -> None:
    x = drawn(900)
    found = reverting.fit(np.exp(x), step=STEP)
    line = OLS(x[1:], np.column_stack([np.ones(899), x[:-1]])).fit()
    slope = line.params[1]
    assert found.reversion == pytest.approx(-np.log(slope) / STEP, rel=1e-9)
    assert found.level == pytest.approx(line.params[0] / (1 - slope), rel=1e-9)
    assert found.log_likelihood == pytest.approx(line.llf, abs=1e-8)
    # by the delta method, with the regression's variance over n instead of n - 2
    assert found.hessian_errors[0] == pytest.approx(line.bse[1] * (897 / 899) ** 0.5 / slope / STEP, rel=1e-3)


@pytest.mark.slow
def test_parameters_of_a_draw_come_back_within_their_errors() -> None:
    found = reverting.fit(np.exp(drawn(3_000)), step=STEP)
    for error in (found.hessian_errors, found.robust_errors):
        assert (np.abs(np.array([found.reversion, found.level, found.volatility]) - [12.0, np.log(2.0), 0.5]) < 4 * error).all()
    assert found.reverts
    assert found.half_life == pytest.approx(np.log(2) / found.reversion)


def test_the_arithmetic_form_takes_a_price_below_zero_and_the_logarithmic_one_names_it() -> None:
    prices = np.exp(drawn(200))
    prices[70] = -37.63
    with pytest.raises(InputError, match=r"row 71: found -37.63.*arithmetic form"):
        reverting.fit(prices, step=STEP)
    assert reverting.fit(prices, step=STEP, form=PriceForm.ARITHMETIC).reversion > 0


def test_arithmetic_parameters_scale_with_the_unit() -> None:
    prices = np.exp(drawn(400))
    one, cents = (reverting.fit(scale * prices, step=STEP, form=PriceForm.ARITHMETIC) for scale in (1.0, 100.0))
    assert cents.reversion == pytest.approx(one.reversion, rel=1e-9)
    assert cents.volatility == pytest.approx(100 * one.volatility, rel=1e-9)


def test_constants_gaps_short_series_and_trends_are_refused() -> None:
    with pytest.raises(InputError, match="that moves"):
        reverting.fit(np.full(50, 2.0), step=STEP)
    with pytest.raises(InputError) as caught:
        reverting.fit(np.array([1.0, np.nan, 0.0]), step=STEP)
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match="reverts"):
        reverting.fit(np.exp(np.linspace(0, 1, 80) ** 2), step=STEP)


@pytest.mark.slow
def test_jumps_of_a_draw_come_back_within_their_errors() -> None:
    x = drawn(3_000, rate=20.0)
    found = jumps.fit(np.exp(x), step=STEP)
    assert found.estimate.converged
    true = np.array([12.0, np.log(2.0), 0.5, 20.0, 0.05, 0.15])
    for error in (found.estimate.hessian_errors, found.estimate.robust_errors):
        assert (np.abs(found.estimate.values - true)[[0, 2, 3, 4, 5]] < 4 * error[[0, 2, 3, 4, 5]]).all()
    assert found.estimate.log_likelihood > found.without.log_likelihood + 100
    assert found.jumped.mean() == pytest.approx(20.0 * STEP, rel=0.3)


def test_the_mixture_is_the_convolution_of_moves_and_jumps() -> None:
    values = np.array([12.0, 0.7, 0.5, 60.0, 0.05, 0.15])
    left, variance = reverting.moments(12.0, 0.5, STEP)
    grid = np.linspace(-6, 6, 24_001)
    sizes = 2 * np.pi * np.fft.fftfreq(grid.size, grid[1] - grid[0])
    # by the characteristic function of a compound Poisson sum
    jump = np.exp(60.0 * STEP * (np.exp(1j * sizes * 0.05 - 0.15**2 * sizes**2 / 2) - 1) - variance * sizes**2 / 2)
    density = np.real([np.mean(jump * np.exp(-1j * sizes * at)) / (grid[1] - grid[0]) for at in (-0.1, 0.0, 0.05, 0.4)])
    after = 0.7 + left * (0.9 - 0.7) + np.array([-0.1, 0.0, 0.05, 0.4])
    mixed = np.exp(jumps.components(values, before=np.full(4, 0.9), after=after, step=STEP)).sum(axis=1)
    assert mixed == pytest.approx(density, rel=1e-6)


def test_kluges_shift_makes_the_mean_the_forward() -> None:
    rng, draws, time = np.random.default_rng(2), 400_000, 0.5
    shift = jumps.kluge_shift(30.0, reversion=4.0, volatility=1.0, decay=5.0, size=5.0, rate=4.0, time=time)
    normal = rng.normal(size=draws) * np.sqrt((1 - np.exp(-8 * time)) / 8)
    count = rng.poisson(4.0 * time, draws)
    each = rng.exponential(1 / 5, count.sum()) * np.exp(-5.0 * rng.uniform(0, time, count.sum()))
    total = np.bincount(np.repeat(np.arange(draws), count), each, minlength=draws)
    price = np.exp(shift + normal + total)
    assert abs(price.mean() - 30.0) < 4 * price.std() / draws**0.5
    call = np.maximum(price - 30.0, 0.0)
    assert abs(call.mean() - 4.749) < 4 * call.std() / draws**0.5 + 0.0005  # the known value has three decimals
    with pytest.raises(InputError, match="above 1"):
        jumps.kluge_shift(30.0, reversion=4.0, volatility=1.0, decay=5.0, size=1.0, rate=4.0, time=time)
