"""Options by characteristic function: call."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.paths.model import Factors, Jumps, PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.paths.transform import call

STRIKES = np.array([-1.0, 0.5, 1.0, 1.5, 3.0])
SOME_JUMPS = Jumps(
    intensity=np.array([4.0, 2.0]), reversion=np.array([5.0, 0.0]), rate=np.array([5.0, 8.0]), loading=np.array([[1.0, -0.5]])
)


def test_without_jumps_it_is_black_s_formula() -> None:
    factors = Factors(
        reversion=np.array([4.0, 0.0]),
        volatility=np.array([1.2, 0.3]),
        correlation=np.array([[1.0, 0.4], [0.4, 1.0]]),
        loading=np.ones((1, 2)),
    )
    years, forward = np.array([0.1, 0.5, 1.0, 0.0, 2.0]), np.full(5, 1.1)
    deviation = np.sqrt(factors.covariance(years).sum(axis=(1, 2)))
    found = call(PathModel(factors=factors), forward=forward, strike=STRIKES, years=years)
    assert found == pytest.approx(black.price(forward, STRIKES, deviation=deviation, discount=np.ones(5)), abs=1e-8)


def test_kluge_s_at_the_money_call() -> None:
    """4.749 by a million paths whose own mean came to 30.0236 (1.8 standard errors): at that forward the formula gives their call."""
    model = PathModel(
        factors=ornstein_uhlenbeck(reversion=4.0, volatility=1.0),
        jumps=Jumps(intensity=np.array([4.0]), reversion=np.array([5.0]), rate=np.array([5.0]), loading=np.ones((1, 1))),
    )
    found = call(model, forward=np.array([30.0236]), strike=np.array([30.0]), years=np.array([0.5]))[0]
    assert found == pytest.approx(4.749, abs=0.01)  # one standard error of the simulated call


def test_it_agrees_with_paths() -> None:
    model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=1.0), jumps=SOME_JUMPS)
    final = simulate(model, forward=np.ones((1, 1)), years=np.array([0.7]), paths=200_000, seed=8)[0, 0]
    pay = np.maximum(final[:, None] - STRIKES, 0)
    found = call(model, forward=np.ones(5), strike=STRIKES, years=np.full(5, 0.7))
    assert np.all(np.abs(pay.mean(axis=0) - found) < 4 * pay.std(axis=0) / 200_000**0.5)


def test_it_falls_and_is_convex_in_the_strike() -> None:
    model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=0.1), jumps=SOME_JUMPS)
    found = call(model, forward=np.ones(30), strike=np.linspace(0.2, 3.0, 30), years=np.full(30, 0.5))
    assert np.all(np.diff(found) < 0)
    assert np.all(np.diff(found, 2) > -1e-8)


def test_what_has_no_price_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        call(
            PathModel(factors=ornstein_uhlenbeck(reversion=1.0, volatility=1.0)),
            forward=np.array([0.0]),
            strike=np.array([np.nan]),
            years=np.array([-1.0]),
        )
    assert [fault.column for fault in caught.value.faults] == ["forward", "strike", "years"]
