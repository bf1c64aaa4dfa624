"""Shapley's value by trade: a known product, all orders one by one, the indices' own, and what it may not be given."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.derivatives.explain.shapley import shapley, weights
from tenorgrid.indices.decomposition.shapley import shapley as of_indices


def test_of_a_product_each_factor_has_its_move_times_the_other_s_mean() -> None:
    x, y = (2.0, 3.0), (10.0, 14.0)
    worth = np.array([[x[0] * y[0]], [x[1] * y[0]], [x[0] * y[1]], [x[1] * y[1]]])
    assert shapley(worth).ravel().tolist() == [1.0 * 12.0, 4.0 * 2.5]


def test_is_the_mean_over_all_orders() -> None:
    worth = np.random.default_rng(7).normal(size=(16, 3))
    by_hand = np.zeros((4, 3))
    for order in permutations(range(4)):
        moved = 0
        for player in order:
            by_hand[player] += (worth[moved | 1 << player] - worth[moved]) / 24
            moved |= 1 << player
    assert shapley(worth) == pytest.approx(by_hand, abs=1e-12)


def test_is_that_of_the_indices_trade_by_trade() -> None:
    worth = np.random.default_rng(8).normal(size=(32, 2))
    found = shapley(worth)
    for trade in range(2):
        assert found[:, trade] == pytest.approx(of_indices(worth[:, trade]).value, abs=1e-12)


@given(seed=st.integers(0, 10_000), players=st.integers(1, 5))
def test_sums_to_the_whole_and_the_order_of_players_does_not_matter(seed: int, players: int) -> None:
    worth = np.random.default_rng(seed).normal(size=(1 << players, 1))
    found = shapley(worth)
    assert found.sum() == pytest.approx(float(worth[-1, 0] - worth[0, 0]), abs=1e-12)
    order = np.random.default_rng(seed + 1).permutation(players)
    other = np.array([worth[sum(1 << int(order[bit]) for bit in range(players) if place >> bit & 1)] for place in range(1 << players)])
    assert shapley(other) == pytest.approx(found[order], abs=1e-12)


def test_orders_counted_by_how_many_come_before_are_all_of_them() -> None:
    assert weights(3) @ np.array([1, 2, 1]) == pytest.approx(1.0)


def test_worths_of_some_sets_alone_are_refused() -> None:
    with pytest.raises(ValueError, match="not 3"):
        shapley(np.zeros((3, 1)))
