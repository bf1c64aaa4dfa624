"""Redundant and contradicting quotes."""

import numpy as np
import pytest

from tenorgrid.curves.arbitrage import redundancies

MONTHS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
DAYS = np.array([31.0, 29.0, 31.0]) / 91


def test_a_quarter_is_explained_by_its_months_with_the_weights_of_their_days() -> None:
    kept, found = redundancies(np.vstack([DAYS, MONTHS]), np.array([17.22, 19.05, 16.2745, 16.2745]))
    assert kept == [1, 2, 3]
    assert found[0].quote == 0
    assert found[0].others == (1, 2, 3)
    assert found[0].shares == pytest.approx(tuple(DAYS), abs=1e-14)
    assert found[0].size == pytest.approx(0.0, abs=1e-12)


def test_the_size_is_the_quarter_less_the_weighted_mean_of_its_months() -> None:
    _, found = redundancies(np.vstack([MONTHS, DAYS]), np.array([2.0, 2.2, 2.4, 2.5]))
    assert found[0].size == pytest.approx(2.5 - (31 * 2.0 + 29 * 2.2 + 31 * 2.4) / 91, abs=1e-14)


def test_rank_agrees_with_singular_values_on_random_nested_periods() -> None:
    rng = np.random.default_rng(11)
    for _ in range(50):
        cells = rng.integers(4, 12)
        ends = np.sort(rng.integers(0, cells + 1, size=(12, 2)), axis=1)
        rows = np.array([(np.arange(cells) >= a) & (np.arange(cells) < b) for a, b in ends if a < b], dtype=np.float64)
        rows /= rows.sum(axis=1, keepdims=True)
        kept, found = redundancies(rows, rng.normal(size=len(rows)))
        assert len(kept) == np.linalg.matrix_rank(rows)
        assert len(kept) + len(found) == len(rows)
        for tie in found:
            assert np.array(tie.shares) @ rows[list(tie.others)] == pytest.approx(rows[tie.quote], abs=1e-10)


def test_a_day_in_three_years_is_seen_and_a_single_hour_too() -> None:
    year = np.full(26_304, 1 / 26_304)
    but_one = np.r_[np.full(26_303, 1 / 26_303), 0.0]
    assert redundancies(np.vstack([year, but_one]), np.array([2.0, 2.0]))[1] == []
