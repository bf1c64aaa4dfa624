"""What a trailing window does to a volatility."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.curves.volatility import fit_volatility
from tenorgrid.curves.volatility.overlap import autocovariances_of_changes, freedom_of_changes, spot_variance
from tenorgrid.data.errors import InputError


def test_a_daily_mark_of_seven_days_by_hand() -> None:
    """Δm = (x_t − x_{t−7}) / 7: seven moves of weight 1/7, neighbours share six of them."""
    assert autocovariances_of_changes(7) == pytest.approx([(7 - k) / 49 for k in range(7)], abs=1e-15)
    assert spot_variance(1.0, window=7) == pytest.approx(7.0)
    assert autocovariances_of_changes(1).tolist() == [1.0]


def test_working_s_two_thirds_is_the_limit_of_one_period_of_many_prints() -> None:
    assert autocovariances_of_changes(4000, step=4000)[0] == pytest.approx(2 / 3, abs=1e-6)
    assert autocovariances_of_changes(4000, step=4000)[1] == pytest.approx(1 / 6, abs=1e-6)


@given(window=st.integers(1, 40), step=st.integers(1, 40))
def test_the_long_run_variance_of_an_average_is_that_of_the_price(window: int, step: int) -> None:
    """Σ γ_k over all k: exactly 1 where the average moves by less than its window, which is what a trailing mark does."""
    gamma = autocovariances_of_changes(window, step=step)
    assert gamma[0] + 2 * gamma[1:].sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("window", "step"), [(7, 1), (12, 4), (5, 5)])
def test_autocovariances_are_those_of_simulated_averages(window: int, step: int) -> None:
    rng = np.random.default_rng(1)
    price = rng.normal(size=2_000_000).cumsum()
    average = np.convolve(price, np.ones(window) / window, mode="valid")[::step]
    change = np.diff(average)
    found = [float((change[lag:] * change[: change.size - lag]).mean()) / step for lag in range(4)]
    expected = np.zeros(4)
    gamma = autocovariances_of_changes(window, step=step)[:4]
    expected[: gamma.size] = gamma
    assert found == pytest.approx(expected, abs=0.01)


@pytest.mark.slow
def test_the_corrected_estimate_is_unbiased_and_its_interval_holds(daily_marks: Callable[..., pl.DataFrame]) -> None:
    rng = np.random.default_rng(2)
    plain, corrected, held = [], [], []
    for _ in range(150):
        price = np.exp(rng.normal(0, 0.02, 371).cumsum())
        average = np.convolve(price, np.ones(7) / 7, mode="valid")
        marks = daily_marks(average)
        row = fit_volatility(marks, index="X", window=7).row(0, named=True)
        plain.append(fit_volatility(marks, index="X")["volatility"][0] ** 2 / 365)
        corrected.append(row["volatility"] ** 2 / 365)
        held.append(row["lower"] <= 0.02 * 365**0.5 <= row["upper"])
    assert np.mean(plain) == pytest.approx(0.02**2 / 7, rel=0.06)  # the mark as it is: a seventh of the variance
    assert np.mean(corrected) == pytest.approx(0.02**2, rel=3 * np.std(corrected) / np.sqrt(150) / 0.02**2)
    assert np.mean(held) > 0.85


def test_the_variance_is_divided_by_what_the_mean_leaves_free() -> None:
    rng = np.random.default_rng(3)
    price = rng.normal(size=(4000, 60)).cumsum(axis=1)
    average = np.stack([np.convolve(row, np.ones(7) / 7, mode="valid") for row in price])
    change = np.diff(average)
    squares = ((change - change.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    freedom = freedom_of_changes(change.shape[1], window=7)
    assert freedom < change.shape[1] - 6
    assert (squares / freedom).mean() * 7 == pytest.approx(1.0, abs=0.03)


def test_windows_that_are_none_and_models_that_cannot_be_corrected_are_refused(daily_marks: Callable[..., pl.DataFrame]) -> None:
    with pytest.raises(InputError, match="at least one print in a window"):
        autocovariances_of_changes(0)
    with pytest.raises(InputError, match="more than 30 changes"):
        freedom_of_changes(5, window=30)
    marks = daily_marks(np.exp(np.random.default_rng(4).normal(0, 0.02, 400).cumsum()))
    with pytest.raises(InputError, match="found 7 days, expected un-windowed prints for garch"):
        fit_volatility(marks, index="X", model="garch", window=7)
    with pytest.raises(InputError, match="changes of an average are not independent"):
        fit_volatility(marks, index="X", window=7, interval="chi-square")
