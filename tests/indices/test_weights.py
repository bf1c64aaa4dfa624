"""Weights: recency, and shares that no contributor exceeds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from tenorgrid.indices.weights import bounded_shares, capped, halved

quick = settings(max_examples=60, deadline=None)
positive = st.lists(st.floats(0.01, 1000), min_size=1, max_size=12)


def alone(weights: list[float]) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    return np.array(weights), np.array([0, len(weights)])


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ([80, 10, 6, 4], [0.3, 0.3, 0.24, 0.16]),  # the first gives up 0.5, of which the second gets more than its cap
        ([1, 1, 1, 1], [0.25] * 4),
        ([97, 1, 1, 1], [0.3, 0.7 / 3, 0.7 / 3, 0.7 / 3]),
        ([50, 30, 15, 5], [0.3, 0.3, 0.3, 0.1]),
    ],
)
def test_a_cap_is_reached_again_and_again_until_nobody_is_above(weights: list[float], shares: list[float]) -> None:
    found, exists = bounded_shares(*alone(weights), cap=0.3)
    assert exists.tolist() == [True]
    assert found == pytest.approx(shares, abs=1e-12)


@pytest.mark.parametrize(("number", "exists"), [(1, False), (2, False), (3, False), (4, True), (5, True)])
def test_a_cap_of_thirty_percent_needs_four_contributors(number: int, exists: bool) -> None:
    found, able = bounded_shares(*alone([1.0] * number), cap=0.3)
    assert able.tolist() == [exists]
    assert np.isnan(found).all() != exists


@pytest.mark.parametrize(("number", "exists"), [(40, True), (41, False)])
def test_a_floor_of_a_fortieth_has_room_for_forty(number: int, exists: bool) -> None:
    assert bounded_shares(*alone([1.0] * number), floor=0.025)[1].tolist() == [exists]


@quick
@given(positive, st.floats(0.05, 0.9), st.floats(0.0, 0.9))
def test_shares_are_those_of_one_scale_found_by_a_root_finder(weights: list[float], cap: float, part: float) -> None:
    floor = part * min(cap, 1 / len(weights)) * 0.999
    found, exists = bounded_shares(*alone(weights), cap=cap, floor=floor)
    assert exists[0] == (len(weights) * cap >= 1 - 1e-12)
    if not exists[0]:
        return
    values = np.array(weights)

    def excess(logarithm: float) -> float:
        return float(np.clip(np.exp(logarithm) * values, floor, cap).sum() - 1)

    low, high = np.log(1e-9 / values.max()), np.log(1e9 / values.min())
    if excess(high) <= 1e-12:  # everybody is at the cap
        assert found == pytest.approx([cap] * len(weights), abs=1e-9)
        return
    scale = np.exp(brentq(excess, low, high, xtol=1e-14))
    assert found == pytest.approx(np.clip(scale * values, floor, cap), abs=1e-8)


@quick
@given(st.lists(positive, min_size=1, max_size=5), st.floats(0.2, 0.9))
def test_pieces_side_by_side_give_what_each_gives_alone(groups: list[list[float]], cap: float) -> None:
    together, exists = bounded_shares(np.concatenate(groups), np.cumsum([0, *map(len, groups)]), cap=cap)
    for number, (weights, found) in enumerate(zip(groups, np.split(together, np.cumsum([len(one) for one in groups])[:-1]), strict=True)):
        own, able = bounded_shares(*alone(weights), cap=cap)
        assert able[0] == exists[number]
        np.testing.assert_allclose(found, own, rtol=0, atol=1e-12)


def test_votes_of_a_capped_contributor_shrink_together_and_the_order_of_votes_does_not_matter() -> None:
    weights, who = np.array([40.0, 10.0, 40.0, 6.0, 4.0]), np.array([7, 1, 7, 2, 3])
    found, exists = capped(weights, who, np.array([0, 5]), cap=0.3)
    assert exists.all()
    assert found == pytest.approx([0.15, 0.3, 0.15, 0.24, 0.16], abs=1e-12)
    order = np.array([4, 0, 3, 1, 2])
    assert capped(weights[order], who[order], np.array([0, 5]), cap=0.3)[0] == pytest.approx(found[order], abs=1e-15)


def test_one_contributor_in_two_pieces_is_capped_in_each() -> None:
    weights, who = np.array([9.0, 1, 1, 1, 1, 1, 1, 9]), np.array([0, 1, 2, 3, 0, 1, 2, 3])
    found, _ = capped(weights, who, np.array([0, 4, 8]), cap=0.4)
    assert found == pytest.approx([0.4, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.4], abs=1e-12)


def test_without_a_vote_there_is_no_weight() -> None:
    found, exists = capped(np.zeros(0), np.zeros(0, dtype=np.int64), np.array([0]), cap=0.3)
    assert (found.size, exists.size) == (0, 0)


@quick
@given(st.floats(0, 1e3), st.floats(0.1, 100))
def test_a_half_life_halves(age: float, half_life: float) -> None:
    now, later = halved(np.array([age, age + half_life]), half_life)
    assert later == pytest.approx(now / 2, rel=1e-9)
