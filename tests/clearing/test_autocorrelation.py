"""Errors of means over time."""

import numpy as np
import pytest

from tenorgrid.clearing.autocorrelation import bins, mean_error


def walk(rng: np.random.Generator, *, persistence: float, count: int) -> np.ndarray:
    """An AR(1) series of mean 0 and innovations of variance 1, begun in its stationary state."""
    noise = rng.normal(size=count)
    found = np.empty(count)
    found[0] = noise[0] / np.sqrt(1 - persistence**2)
    for step in range(1, count):
        found[step] = persistence * found[step - 1] + noise[step]
    return found


@pytest.mark.parametrize(("persistence", "least"), [(0.0, 0.92), (0.8, 0.88), (0.95, 0.82)])
def test_intervals_hold_the_mean_about_as_often_as_they_say(persistence: float, least: float) -> None:
    """300 series of 500: a 95 % interval that ignored persistence would hold the mean of the last in 25 % of cases."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(300):
        series = walk(rng, persistence=persistence, count=500)
        error = mean_error(series, np.ones(500))
        assert error is not None
        held += abs(series.mean()) <= error.margin()
    assert least <= held / 300 <= 0.985


def test_the_error_nears_the_one_that_theory_gives() -> None:
    """The mean of an AR(1) has variance 1 / (1 − φ)² / n in the long run."""
    rng = np.random.default_rng(2)
    errors = [mean_error(walk(rng, persistence=0.6, count=500), np.ones(500)) for _ in range(100)]
    found = np.mean([error.value for error in errors if error is not None])
    assert found == pytest.approx(1 / 0.4 / np.sqrt(500), rel=0.12)


def test_the_error_does_not_depend_on_how_the_same_path_is_cut() -> None:
    rng = np.random.default_rng(4)
    levels, hours = rng.normal(size=2000), rng.uniform(0.5, 1.5, 2000)
    whole, cut = mean_error(levels, hours), mean_error(np.repeat(levels, 3), np.repeat(hours / 3, 3))
    assert whole is not None
    assert cut is not None
    assert cut.value == pytest.approx(whole.value, rel=1e-9)


def test_bins_keep_the_area_of_the_path() -> None:
    rng = np.random.default_rng(5)
    levels, hours = rng.normal(size=70), rng.uniform(0.1, 4, 70)
    for count in (1, 7, 300):
        assert bins(levels, hours, count=count).mean() == pytest.approx(levels @ hours / hours.sum(), abs=1e-12)


def test_what_never_varies_has_no_error() -> None:
    assert mean_error(np.full(50, 0.3), np.ones(50)) is None
    assert mean_error(np.zeros(1), np.ones(1)) is None
