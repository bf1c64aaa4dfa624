"""Estimators: the kernels that the shipped methodologies use."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random
from statistics import mean

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.kinds.index import MedianTie, Rounding
from tenorgrid.indices.estimators import (
    Places,
    Vector,
    held,
    means,
    medians,
    rounded,
    trimmed_means,
    weighted_medians,
    winsorised_means,
)

quick = settings(max_examples=50, deadline=None)  # the machine may be busy
LOWER, MIDPOINT = MedianTie.LOWER, MedianTie.MIDPOINT
prices_and_volumes = st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 1000)), min_size=1, max_size=30)

# minute, price, GPU-hours: the worked example of the partition medians (three partitions of 20 minutes)
TRADES = [(1, 2.00, 8), (4, 2.04, 4), (11, 2.02, 16), (19, 2.10, 8), (22, 2.06, 4), (25, 2.20, 2), (39, 2.08, 12)]
TRADES += [(41, 2.10, 1), (47, 2.12, 1), (59, 2.14, 3)]


def whole(prices: Vector) -> Places:
    """The bounds of one piece."""
    return np.array([0, prices.size])


def volume_weighted_median(prices: Vector, quantities: Vector, *, tie: MedianTie = LOWER) -> float:
    return float(weighted_medians(prices, quantities, whole(prices), tie=tie)[0])


def trimmed_mean(prices: Vector, *, trim: float) -> float:
    return float(trimmed_means(prices, np.ones(prices.size), whole(prices), trim=trim)[0])


def vwap(prices: Vector, quantities: Vector) -> float:
    return float(means(prices, quantities, whole(prices))[0])


def of(rows: Sequence[tuple[float, float, float]]) -> tuple[Vector, Vector, Places]:
    """Prices, quantities, and the bounds of the parts of 20 minutes in which anything was traded."""
    minutes, prices, quantities = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    parts = np.unique(minutes // 20, return_index=True)[1]
    return prices, quantities, np.append(parts, prices.size)


@pytest.mark.parametrize(
    ("prices", "volumes", "tie", "expected"),
    [
        ([2.0, 2.1, 2.2, 9.9], [10, 30, 25, 1], LOWER, 2.1),
        ([2.0, 2.1, 2.2, 99.0], [10, 30, 25, 1], LOWER, 2.1),
        ([2.0, 2.1, 5.0], [1, 1, 10], LOWER, 5.0),
        ([2.0, 3.0], [5, 5], LOWER, 2.0),
        ([2.0, 3.0], [5, 5], MIDPOINT, 2.5),
        ([2.0, 3.0, 4.0], [5, 0, 5], MIDPOINT, 3.0),
        ([7.0], [1], MIDPOINT, 7.0),
    ],
)
def test_a_volume_weighted_median_is_that_of_the_worked_examples(
    prices: list[float], volumes: list[float], tie: MedianTie, expected: float
) -> None:
    assert volume_weighted_median(np.array(prices), np.array(volumes, dtype=float), tie=tie) == expected


@quick
@given(prices_and_volumes, st.randoms())
def test_a_volume_weighted_median_is_the_smallest_price_with_half_the_volume(rows: list[tuple[float, float]], shuffler: Random) -> None:
    total = sum(volume for _, volume in rows)
    reached = [price for price, _ in rows if sum(v for p, v in rows if p <= price) >= total / 2 * (1 - 1e-12)]
    shuffled = rows[:]
    shuffler.shuffle(shuffled)
    found = volume_weighted_median(np.array([p for p, _ in shuffled]), np.array([v for _, v in shuffled]), tie=LOWER)
    assert found == min(reached)


def test_partition_medians_are_those_of_the_worked_example() -> None:
    prices, quantities, parts = of(TRADES)
    within = weighted_medians(prices, quantities, parts, tie=LOWER)
    assert within.tolist() == [2.02, 2.08, 2.14]
    assert within.mean() == pytest.approx(2.08, abs=1e-12)
    assert vwap(prices, quantities) == pytest.approx(2.05966102, abs=5e-9)


def test_a_late_block_captures_one_partition_and_most_of_the_average() -> None:
    prices, quantities, parts = of([*TRADES, (59.9, 3.00, 200)])
    assert weighted_medians(prices, quantities, parts, tie=LOWER).mean() == pytest.approx(2.36666667, abs=5e-9)
    assert vwap(prices, quantities) == pytest.approx(2.78579151, abs=5e-9)


def test_an_empty_partition_is_left_out() -> None:
    prices, quantities, parts = of([row for row in TRADES if not 20 <= row[0] < 40])
    assert weighted_medians(prices, quantities, parts, tie=LOWER).mean() == pytest.approx(2.08, abs=1e-12)


@quick
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=40), st.sampled_from([0.0, 0.05, 0.1, 0.25, 0.4]))
def test_a_winsorised_mean_is_that_of_scipy(prices: list[float], trim: float) -> None:
    found = winsorised_means(np.array(prices), np.ones(len(prices)), np.array([0, len(prices)]), trim=trim)
    expected = scipy.stats.mstats.winsorize(np.array(prices), limits=(trim, trim)).mean()
    assert found[0] == pytest.approx(float(expected), rel=1e-9)


@quick
@given(prices_and_volumes)
def test_a_weight_of_two_is_two_votes(rows: list[tuple[float, float]]) -> None:
    prices, counts = np.array([price for price, _ in rows]), np.array([1.0 + int(volume) % 4 for _, volume in rows])
    copies = np.repeat(prices, counts.astype(int))
    for kernel in (winsorised_means, trimmed_means):
        once = kernel(prices, counts, whole(prices), trim=0.15)
        assert once[0] == pytest.approx(kernel(copies, np.ones(copies.size), whole(copies), trim=0.15)[0], rel=1e-9)
    middle = weighted_medians(prices, counts, whole(prices), tie=MIDPOINT)
    assert middle[0] == pytest.approx(float(np.median(copies)), rel=1e-12)


@quick
@given(st.lists(prices_and_volumes, min_size=1, max_size=6))
def test_pieces_side_by_side_give_what_each_gives_alone(groups: list[list[tuple[float, float]]]) -> None:
    prices, weights = (np.array([row[place] for rows in groups for row in rows]) for place in (0, 1))
    bounds = np.cumsum([0, *map(len, groups)])
    together = [
        medians(prices, bounds),
        means(prices, weights, bounds),
        weighted_medians(prices, weights, bounds, tie=MIDPOINT),
        trimmed_means(prices, weights, bounds, trim=0.2),
        winsorised_means(prices, weights, bounds, trim=0.2),
    ]
    for piece, (low, high) in enumerate(pairwise(bounds)):
        price, weight, alone = prices[low:high], weights[low:high], np.array([0, high - low])
        each = [
            medians(price, alone),
            means(price, weight, alone),
            weighted_medians(price, weight, alone, tie=MIDPOINT),
            trimmed_means(price, weight, alone, trim=0.2),
            winsorised_means(price, weight, alone, trim=0.2),
        ]
        assert [found[piece] for found in together] == [found[0] for found in each]  # to the last bit


def test_a_time_weighted_average_holds_each_price_until_the_next() -> None:
    prices, times = np.array([2.0, 3.0, 5.0, 1.0, 9.0]), np.array([0, 30, 30, 40, 50])
    weights = held(times, np.array([60, 100]), np.array([0, 4, 5]))
    assert weights.tolist() == [30.0, 5.0, 5.0, 20.0, 50.0]
    assert means(prices, weights, np.array([0, 4, 5])).tolist() == [2.0, 9.0]  # (30 · 2 + 10 · 4 + 20 · 1) / 60


@quick
@given(st.lists(st.tuples(st.integers(0, 99), st.floats(0.01, 100)), min_size=1, max_size=12))
def test_a_time_weighted_average_is_the_mean_of_every_instant(rows: list[tuple[int, float]]) -> None:
    ordered = sorted(rows, key=lambda row: row[0])
    prices, times = np.array([price for _, price in ordered]), np.array([time for time, _ in ordered])
    instants = range(int(times[0]), 100)
    standing = [mean(price for time, price in ordered if time == max(t for t in times if t <= now)) for now in instants]
    found = means(prices, held(times, np.array([100]), whole(prices)), whole(prices))
    assert found[0] == pytest.approx(mean(standing), rel=1e-9)


@pytest.mark.parametrize(
    ("prices", "trim", "expected"),
    [
        ([5.0], 0.25, 5.0),
        ([1.0, 2.0], 0.25, 1.5),
        ([1.0, 2.0, 9.0], 0.25, (0.25 * 1 + 1 * 2 + 0.25 * 9) / 1.5),
        ([1.0, 2.0, 3.0, 90.0], 0.25, 2.5),
        ([4.0, 1.0, 7.0], 0.0, 4.0),
    ],
)
def test_a_trimmed_mean_cuts_shares_and_keeps_the_part_of_a_price_inside(prices: list[float], trim: float, expected: float) -> None:
    assert trimmed_mean(np.array(prices), trim=trim) == pytest.approx(expected, abs=1e-12)


@quick
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20), st.sampled_from([0.0, 0.1, 0.25, 0.4]), st.randoms())
def test_a_trimmed_mean_is_the_mean_of_the_middle_of_many_copies(prices: list[float], trim: float, shuffler: Random) -> None:
    copies = 20  # divides every trim above into whole copies, whatever the number of prices
    ordered = sorted(price for price in prices for _ in range(copies))
    cut = round(trim * len(ordered))
    shuffled = prices[:]
    shuffler.shuffle(shuffled)
    found = trimmed_mean(np.array(shuffled), trim=trim)
    assert found == pytest.approx(mean(ordered[cut : len(ordered) - cut]), rel=1e-9)


@quick
@given(prices_and_volumes, st.floats(0.5, 2))
def test_every_estimator_scales_with_its_prices(rows: list[tuple[float, float]], scale: float) -> None:
    prices, volumes = np.array([p for p, _ in rows]), np.array([v for _, v in rows])
    one = whole(prices)
    assert medians(prices * scale, one) == pytest.approx(medians(prices, one) * scale, rel=1e-12)
    assert vwap(prices * scale, volumes) == pytest.approx(vwap(prices, volumes) * scale, rel=1e-12)
    assert trimmed_mean(prices * scale, trim=0.25) == pytest.approx(trimmed_mean(prices, trim=0.25) * scale, rel=1e-9)
    assert winsorised_means(prices * scale, volumes, one, trim=0.1) == pytest.approx(
        winsorised_means(prices, volumes, one, trim=0.1) * scale
    )
    assert volume_weighted_median(prices * scale, volumes) == pytest.approx(volume_weighted_median(prices, volumes) * scale, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "decimals", "half_even", "half_up"),
    [
        (2.345, 2, 2.34, 2.35),
        (2.355, 2, 2.36, 2.36),
        (-2.345, 2, -2.34, -2.35),
        (2.675, 2, 2.68, 2.68),
        (1.7350370000000002, 4, 1.735, 1.735),
    ],
)
def test_rounding_is_decimal(value: float, decimals: int, half_even: float, half_up: float) -> None:
    assert rounded(value, decimals=decimals, rule=Rounding.HALF_EVEN) == half_even
    assert rounded(value, decimals=decimals, rule=Rounding.HALF_UP) == half_up
