"""Long-run variances and regressions, against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.premium.hac import autocovariances, bartlett, mean_errors, plug_in_lags, regress

api = pytest.importorskip("statsmodels.api", reason="needs statsmodels, the second method")


def persistent(seed: int, n: int) -> Vector:
    rng = np.random.default_rng(seed)
    found = np.zeros(n)
    for i in range(1, n):
        found[i] = 0.7 * found[i - 1] + rng.normal()
    return found


@pytest.mark.parametrize("lags", [0, 1, 7, 40])
def test_errors_of_a_mean_and_of_a_regression_are_those_of_statsmodels(lags: int) -> None:
    x, y = persistent(1, 200) * 50, persistent(2, 200)
    design = np.column_stack([np.ones(200), x, x**3])
    hac = {"cov_type": "HAC", "cov_kwds": {"maxlags": lags, "use_correction": False}}
    ours, theirs = regress(design, y, np.arange(200), lags=lags), api.OLS(y, design).fit(**hac)
    assert ours.coefficients == pytest.approx(theirs.params, rel=1e-9)
    assert ours.hac_errors == pytest.approx(theirs.bse, rel=1e-8)
    assert ours.naive_errors == pytest.approx(api.OLS(y, design).fit().bse, rel=1e-9)
    assert ours.r_squared == pytest.approx(theirs.rsquared, abs=1e-12)
    naive, robust = mean_errors(y, np.arange(200), lags=lags)
    assert robust == pytest.approx(api.OLS(y, np.ones(200)).fit(**hac).bse[0], rel=1e-10)
    assert naive == pytest.approx(y.std(ddof=1) / np.sqrt(200), rel=1e-12)


def test_a_mean_by_hand() -> None:
    """Values 1, 3: deviations −1, 1; Γ₀ = 2, Γ₁ = −1; with one lag V = 2 + 2 × ½ × (−1) = 1, error √1 / 2."""
    assert mean_errors(np.array([1.0, 3.0]), np.arange(2), lags=1)[1] == pytest.approx(0.5)
    assert autocovariances(np.array([-1.0, 1.0]), np.arange(2), lags=1).tolist() == [2.0, -1.0]


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 999), n=st.integers(3, 40), lags=st.integers(0, 60))
def test_a_variance_with_gaps_is_a_sum_over_pairs_and_never_negative(seed: int, n: int, lags: int) -> None:
    rng = np.random.default_rng(seed)
    at, values = np.sort(rng.choice(80, n, replace=False)), rng.normal(size=n)
    values -= values.mean()
    made = bartlett(autocovariances(values, at, lags=lags))
    pairs = sum(
        values[i] * values[j] * (1 - abs(at[i] - at[j]) / (lags + 1)) for i in range(n) for j in range(n) if abs(at[i] - at[j]) <= lags
    )
    assert made == pytest.approx(pairs, abs=1e-9)
    assert made > -1e-9
    assert autocovariances(values, at[::-1].copy(), lags=0) == pytest.approx(values @ values)


def test_persistent_series_are_given_more_lags_and_never_fewer_than_the_overlap() -> None:
    noise = np.random.default_rng(0).normal(size=400)
    assert plug_in_lags(persistent(3, 400), np.arange(400)) > plug_in_lags(noise, np.arange(400))
    assert plug_in_lags(noise, np.arange(400), least=30) == 30
    assert plug_in_lags(noise[:5], np.arange(5), least=30) == 4
    assert plug_in_lags(np.ones(5), np.arange(5)) == 0
