"""Exponentially weighted variance."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.ewma import RISKMETRICS, ewma, fit_ewma
from tenorgrid.data.errors import InputError


def test_by_hand() -> None:
    """First variance (1 + 9) / 2 = 5; then ½ 5 + ½ 4 = 4.5; then ½ 4.5 + ½ 1 = 2.75."""
    found = ewma(np.array([1.0, -3.0, 2.0, 1.0]), decay=0.5, warm=2)
    assert found.variance.tolist() == [5.0, 4.5]
    assert found.next_variance == 2.75
    assert found.log_likelihood == pytest.approx(-0.5 * (2 * np.log(2 * np.pi) + np.log(5) + 4 / 5 + np.log(4.5) + 1 / 4.5), abs=1e-12)


def test_the_path_is_that_of_arch(garch_returns: Callable[..., Vector]) -> None:
    from arch.univariate import EWMAVariance, ZeroMean

    returns = 100 * garch_returns(400, seed=1)
    found = ewma(returns)
    theirs = ZeroMean(returns[20:], rescale=False)
    theirs.volatility = EWMAVariance(RISKMETRICS)
    told = theirs.fit(disp="off", backcast=float((returns[:20] ** 2).mean()))
    assert np.sqrt(found.variance) == pytest.approx(told.conditional_volatility, rel=1e-12)
    assert found.log_likelihood == pytest.approx(told.loglikelihood, abs=1e-8)


def test_a_fitted_decay_is_that_of_arch_and_has_the_error_of_its_curvature() -> None:
    from arch.univariate import EWMAVariance, ZeroMean

    rng = np.random.default_rng(2)
    returns, h = np.empty(3000), 1.0
    for day in range(3000):
        returns[day] = rng.normal() * h**0.5
        h = 0.9 * h + 0.1 * returns[day] ** 2 if h > 1e-3 else 1.0
    found = fit_ewma(returns)
    theirs = ZeroMean(returns[20:], rescale=False)
    theirs.volatility = EWMAVariance(None)
    told = theirs.fit(disp="off", backcast=float((returns[:20] ** 2).mean()), tol=1e-12)
    assert found.decay == pytest.approx(told.params.iloc[0], abs=2e-4)
    assert found.log_likelihood >= told.loglikelihood - 1e-6
    assert abs(found.decay - 0.9) < 3 * found.robust_error
    moved = [ewma(returns, decay=found.decay + side * 0.5 * found.error).log_likelihood for side in (-1, 1)]
    assert 2 * found.log_likelihood - sum(moved) == pytest.approx(0.25, rel=0.05)  # ½ z² on each side of a parabola


@given(seed=st.integers(0, 99), more=st.integers(1, 50))
def test_later_returns_change_no_earlier_variance(seed: int, more: int) -> None:
    returns = np.random.default_rng(seed).normal(size=150)
    before, after = ewma(returns[:100]), ewma(returns[: 100 + more])
    assert after.variance[:80].tolist() == before.variance.tolist()
    assert after.variance[80] == before.next_variance


def test_decays_outside_and_series_without_one_are_refused() -> None:
    returns = np.random.default_rng(3).normal(size=500)
    with pytest.raises(InputError, match=r"found 1\.0, expected a number above 0 and below 1"):
        ewma(returns, decay=1.0)
    with pytest.raises(InputError, match="more than the first 20"):
        ewma(returns[:20])
    with pytest.raises(InputError, match="a move among the first 20"):
        ewma(np.zeros(30))
    with pytest.raises(InputError, match="its bound, expected a variance that moves"):
        fit_ewma(np.tile([1.0, -1.0], 100))
