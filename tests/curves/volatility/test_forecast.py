"""Forecasts: by hand, by arch, by simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.filters import conditional_variance
from tenorgrid.curves.volatility.forecast import half_life, long_run_variance, persistence, variance_path
from tenorgrid.curves.volatility.garch import fit_garch
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel

GARCH, GJR, EGARCH = VolatilityModel.GARCH, VolatilityModel.GJR, VolatilityModel.EGARCH


def test_the_recursion_of_quantlib_by_hand() -> None:
    """α .2, β .3, long-run .4: squares of .1 from .4 on; the values of QuantLib's test of Garch11 are roots of its variances."""
    parameters = {"omega": 0.4 * 0.5, "alpha": 0.2, "beta": 0.3}
    found = conditional_variance(GARCH, parameters, np.full(10, 0.1), backcast=0.1**2)
    by_hand = [0.1**2]
    for _ in range(11):
        by_hand.append(0.2 + 0.2 * 0.1**2 + 0.3 * by_hand[-1])
    assert found == pytest.approx(by_hand[1:], abs=1e-15)
    published = [0.452769, 0.513323, 0.530141, 0.5350841, 0.536558, 0.536999, 0.537132, 0.537171, 0.537183, 0.537187]
    assert np.sqrt(found[:10]) == pytest.approx(published, abs=1e-6)


def test_paths_by_hand() -> None:
    garch = {"omega": 0.5, "alpha": 0.25, "beta": 0.5}
    assert variance_path(GARCH, garch, first=4.0, horizon=4).tolist() == [4.0, 3.5, 3.125, 2.84375]  # 0.5 + 0.75 of the one before
    integrated = {"omega": 0.5, "alpha": 0.25, "beta": 0.75}
    assert variance_path(GARCH, integrated, first=4.0, horizon=3).tolist() == [4.0, 4.5, 5.0]
    assert long_run_variance(GARCH, integrated) is None
    assert half_life(GARCH, integrated) is None
    bound = integrated | {"beta": 1 - 1e-12 - integrated["alpha"]}  # where a search ends
    assert half_life(GARCH, bound) is long_run_variance(GARCH, bound) is None
    assert half_life(GARCH, garch) == pytest.approx(np.log(0.5) / np.log(0.75))


@pytest.mark.parametrize("model", [GARCH, GJR])
def test_paths_are_those_of_arch(model: VolatilityModel, garch_returns: Callable[..., Vector]) -> None:
    from arch.univariate import GARCH as Theirs
    from arch.univariate import ConstantMean

    returns = 100 * garch_returns(700, seed=11, gamma=0.03, beta=0.87)
    fit = fit_garch(returns, model=model)
    theirs = ConstantMean(returns, rescale=False)
    theirs.volatility = Theirs(p=1, o=int(model is GJR), q=1)
    told = theirs.fit(disp="off", backcast=fit.backcast, starting_values=fit.values, tol=1e-12, show_warning=False)
    expected = told.forecast(horizon=40, reindex=False).variance.to_numpy()[-1]
    assert fit.path(40) == pytest.approx(expected, rel=2e-4)


def test_the_exponential_path_is_what_simulation_gives() -> None:
    parameters = {"omega": -0.3, "alpha": 0.25, "gamma": -0.1, "beta": 0.95}
    rng, paths = np.random.default_rng(12), 200_000
    logarithm = np.full(paths, np.log(3e-4))
    simulated = []
    for _ in range(25):
        simulated.append(np.exp(logarithm).mean())
        z = rng.normal(size=paths)
        logarithm = -0.3 + 0.25 * (np.abs(z) - np.sqrt(2 / np.pi)) - 0.1 * z + 0.95 * logarithm
    assert variance_path(EGARCH, parameters, first=3e-4, horizon=25) == pytest.approx(simulated, rel=0.01)
    far = long_run_variance(EGARCH, parameters)
    assert far == pytest.approx(variance_path(EGARCH, parameters, first=3e-4, horizon=2000)[-1], rel=1e-9)
    assert far is not None
    assert far > np.exp(-0.3 / 0.05)  # Jensen: the mean of h lies above the exponential of the mean of ln h


@given(alpha=st.floats(0.01, 0.3), beta=st.floats(0.0, 0.69), first=st.floats(1e-6, 1.0), horizon=st.integers(2, 400))
def test_a_path_ends_in_the_long_run_without_crossing_it(alpha: float, beta: float, first: float, horizon: int) -> None:
    parameters = {"omega": 1e-3, "alpha": alpha, "beta": beta}
    far = long_run_variance(GARCH, parameters)
    assert far is not None
    away = variance_path(GARCH, parameters, first=first, horizon=horizon) - far
    assert (np.abs(np.diff(np.abs(away))) <= abs(away[0]) + 1e-15).all()
    assert (np.abs(away[1:]) <= np.abs(away[:-1]) + 1e-12).all()
    assert away[-1] == pytest.approx((alpha + beta) ** (horizon - 1) * (first - far), abs=1e-12)
    assert persistence(GARCH, parameters) == alpha + beta


def test_a_horizon_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="a horizon of at least 1"):
        variance_path(GARCH, {"omega": 0.5, "alpha": 0.25, "beta": 0.5}, first=1.0, horizon=0)


@given(seed=st.integers(0, 99), more=st.integers(1, 40), model=st.sampled_from([GARCH, GJR, EGARCH]))
def test_later_returns_change_no_earlier_variance(seed: int, more: int, model: VolatilityModel) -> None:
    residual = np.random.default_rng(seed).normal(size=120)
    parameters = {"omega": 0.05, "alpha": 0.1, "gamma": 0.05, "beta": 0.8}
    early = conditional_variance(model, parameters, residual[: 120 - more], backcast=1.0)
    assert conditional_variance(model, parameters, residual, backcast=1.0)[: early.size].tolist() == early.tolist()
