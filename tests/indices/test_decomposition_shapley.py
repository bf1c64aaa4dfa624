"""Shapley values: a known answer, all permutations, and the axioms."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tenorgrid.indices.decomposition.shapley import Vector, shapley

GAMES = st.integers(0, 4).flatmap(lambda n: arrays(np.float64, 1 << n, elements=st.floats(-1e3, 1e3, width=32)))


def by_orders(worth: Vector) -> list[list[float]]:
    """What each player adds in every order, by walking all of them."""
    players = worth.size.bit_length() - 1
    added: list[list[float]] = [[] for _ in range(players)]
    for order in permutations(range(players)):
        mask = 0
        for player in order:
            added[player].append(float(worth[mask | 1 << player] - worth[mask]))
            mask |= 1 << player
    return added


def test_the_glove_game() -> None:
    """Players 0 and 1 have a left glove each, player 2 a right one; a pair is worth 1 (Shapley 1953: 1/6, 1/6, 2/3)."""
    worth = np.array([float(mask in (0b101, 0b110, 0b111)) for mask in range(8)])
    assert shapley(worth).value.tolist() == pytest.approx([1 / 6, 1 / 6, 2 / 3], abs=1e-15)


@settings(max_examples=60, deadline=None)
@given(GAMES)
def test_values_are_means_over_all_orders(worth: Vector) -> None:
    found = shapley(worth)
    for player, added in enumerate(by_orders(worth)):
        assert found.value[player] == pytest.approx(np.mean(added), abs=1e-9)
        assert (found.lowest[player], found.highest[player]) == (min(added), max(added))


@settings(max_examples=60, deadline=None)
@given(GAMES)
def test_values_sum_to_the_whole_and_turn_with_it(worth: Vector) -> None:
    found = shapley(worth)
    assert found.value.sum() == pytest.approx(worth[-1] - worth[0], abs=1e-9)
    assert shapley(worth[::-1].copy()).value == pytest.approx(-found.value, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, 8, elements=st.floats(-1e3, 1e3, width=32)))
def test_who_adds_nothing_gets_nothing(worth: Vector) -> None:
    found = shapley(np.concatenate([worth, worth]))  # the fourth player
    assert (found.value[3], found.lowest[3], found.highest[3]) == (0.0, 0.0, 0.0)
    assert found.value[:3] == pytest.approx(shapley(worth).value, abs=1e-9)


def test_first_and_last() -> None:
    found = shapley(np.array([1.0, 2.0, 4.0, 9.0]))
    assert found.first.tolist() == [1.0, 3.0]
    assert found.last.tolist() == [5.0, 7.0]


def test_a_game_that_is_not_told_in_full_is_refused() -> None:
    with pytest.raises(ValueError, match="each of 2"):
        shapley(np.zeros(3))
