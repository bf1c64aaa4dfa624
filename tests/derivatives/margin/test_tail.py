"""Value at risk and expected shortfall of samples."""

import numpy as np
import pytest
from scipy.stats import norm

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.margin.tail import tail


def test_the_worst_twentieth_of_two_hundred_outcomes() -> None:
    """Losses 100, 99, ... : the worst ten are 100 to 91, the next is the value at risk."""
    found = tail(np.arange(-100.0, 100.0), level=0.95)
    assert found.value_at_risk == 90.0
    assert found.expected_shortfall == pytest.approx(95.5)
    part = tail(np.array([-10.0, 0.0, 1.0, 2.0]), level=0.6)  # the worst 0.4: all of −10, and .15 of 0
    assert part.expected_shortfall == pytest.approx(0.25 * 10 / 0.4)


def test_a_normal_sample_has_the_tail_of_the_formula_within_its_own_errors() -> None:
    missed = 0
    for seed in range(40):
        found = tail(np.random.default_rng(seed).standard_normal(4_000), level=0.975)
        missed += not found.lower <= norm.ppf(0.975) <= found.upper
        assert found.expected_shortfall == pytest.approx(norm.pdf(norm.ppf(0.975)) / 0.025, abs=4.5 * found.error)
    assert missed <= 6


def test_the_interval_covers_as_it_says_or_has_no_upper_end() -> None:
    """Of 40 outcomes the worst is below the 0.975 quantile with probability .975^40 = .36: it bounds nothing."""
    rng = np.random.default_rng(6)
    for level, count in ((0.975, 40), (0.99, 250), (0.95, 100), (0.975, 250)):
        within = 0
        for _ in range(1_500):
            found = tail(rng.standard_normal(count), level=level)
            within += found.lower <= norm.ppf(level) <= found.upper
        assert within / 1_500 > 0.935
    assert tail(rng.standard_normal(40), level=0.975).upper == np.inf
    assert tail(rng.standard_normal(500), level=0.975).upper < np.inf


def test_shortfall_is_the_least_of_rockafellar_and_uryasev_s_function() -> None:
    gains = np.random.default_rng(3).standard_t(4, 2_003)
    found = tail(gains, level=0.95)
    least = min(v + np.maximum(-gains - v, 0.0).mean() / 0.05 for v in -gains)
    assert found.expected_shortfall == pytest.approx(least, rel=1e-12)


def test_it_grows_with_the_level_scales_shifts_and_is_subadditive() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.standard_normal((2, 5_000))
    levels = [tail(first, level=level) for level in (0.9, 0.95, 0.99)]
    assert levels == sorted(levels, key=lambda one: one.expected_shortfall)
    assert all(one.expected_shortfall >= one.value_at_risk for one in levels)
    both = tail(first + second, level=0.95).expected_shortfall
    assert both <= tail(first, level=0.95).expected_shortfall + tail(second, level=0.95).expected_shortfall
    moved = tail(3.0 * first - 1.0, level=0.95)
    assert moved.expected_shortfall == pytest.approx(3.0 * levels[1].expected_shortfall + 1.0)


def test_weights_are_as_good_as_repeated_outcomes() -> None:
    gains, times = np.array([-9.0, -5.0, -1.0, 3.0, 8.0]), np.array([1, 3, 6, 20, 10])
    weighted = tail(gains, level=0.8, weights=times.astype(float))
    repeated = tail(np.repeat(gains, times), level=0.8)
    assert weighted.value_at_risk == repeated.value_at_risk
    assert weighted.expected_shortfall == pytest.approx(repeated.expected_shortfall)


@pytest.mark.parametrize(
    ("gains", "level", "weights", "told"),
    [
        (np.zeros(10), 1.0, None, "a level above 0 and below 1"),
        (np.array([0.0, np.nan]), 0.5, None, "gains that are numbers"),
        (np.zeros(2), 0.5, np.array([1.0, -1.0]), "a weight of at least 0"),
        (np.zeros(50), 0.99, None, "at least 100 outcomes for a level of 0.99"),
    ],
)
def test_what_has_no_tail_is_refused(gains: np.ndarray, level: float, weights: np.ndarray | None, told: str) -> None:
    with pytest.raises(InputError, match=told):
        tail(gains, level=level, weights=weights)
