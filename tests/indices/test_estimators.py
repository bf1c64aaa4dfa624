"""Estimators: the kernels that the shipped methodologies use."""

from collections.abc import Sequence
from random import Random
from statistics import mean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.kinds import MedianTie, Rounding
from tenorgrid.indices.estimators import (
    Vector,
    far_from_trimmed_mean,
    median,
    partitioned,
    rounded,
    trimmed_mean,
    volume_weighted_median,
    vwap,
)

quick = settings(max_examples=50, deadline=None)  # the machine may be busy
LOWER, MIDPOINT = MedianTie.LOWER, MedianTie.MIDPOINT
prices_and_volumes = st.lists(st.tuples(st.floats(0.01, 100), st.floats(0.01, 1000)), min_size=1, max_size=30)

# minute, price, GPU-hours: the worked example of the partition medians (three partitions of 20 minutes)
TRADES = [(1, 2.00, 8), (4, 2.04, 4), (11, 2.02, 16), (19, 2.10, 8), (22, 2.06, 4), (25, 2.20, 2), (39, 2.08, 12)]
TRADES += [(41, 2.10, 1), (47, 2.12, 1), (59, 2.14, 3)]


def lower(prices: Vector, quantities: Vector) -> float:
    return volume_weighted_median(prices, quantities, tie=LOWER)


def of(rows: Sequence[tuple[float, float, float]]) -> tuple[Vector, Vector, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    minutes, prices, quantities = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return prices, quantities, (minutes // 20).astype(np.int64)


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
    within = [lower(prices[parts == part], quantities[parts == part]) for part in range(3)]
    assert within == [2.02, 2.08, 2.14]
    assert partitioned(prices, quantities, parts, estimator=lower) == pytest.approx(2.08, abs=1e-12)
    assert vwap(prices, quantities) == pytest.approx(2.05966102, abs=5e-9)


def test_a_late_block_captures_one_partition_and_most_of_the_average() -> None:
    prices, quantities, parts = of([*TRADES, (59.9, 3.00, 200)])
    assert partitioned(prices, quantities, parts, estimator=lower) == pytest.approx(2.36666667, abs=5e-9)
    assert vwap(prices, quantities) == pytest.approx(2.78579151, abs=5e-9)


def test_an_empty_partition_is_left_out() -> None:
    prices, quantities, parts = of([row for row in TRADES if not 20 <= row[0] < 40])
    assert partitioned(prices, quantities, parts, estimator=lower) == pytest.approx(2.08, abs=1e-12)


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
@given(st.lists(st.floats(0.01, 100), min_size=3, max_size=25))
def test_outliers_are_those_of_the_screen_written_out_in_plain_python(prices: list[float]) -> None:
    if max(prices) == min(prices):
        return
    cut = max(1, int(len(prices) * 0.10))
    middle, deviation = mean(sorted(prices)[cut:-cut]), stdev(prices)
    gone, found, limit = far_from_trimmed_mean(np.array(prices), trim=0.10, sigmas=2.5)
    assert found == pytest.approx(middle, rel=1e-12)
    assert limit == pytest.approx(2.5 * deviation, rel=1e-9)
    clear = [abs(abs(price - middle) - 2.5 * deviation) > 1e-9 for price in prices]
    assert [bool(out) for out, sure in zip(gone, clear, strict=True) if sure] == [
        abs(price - middle) > 2.5 * deviation for price, sure in zip(prices, clear, strict=True) if sure
    ]


def test_equal_prices_have_no_outlier() -> None:
    gone, _, limit = far_from_trimmed_mean(np.full(9, 2.0), trim=0.1, sigmas=2.5)
    assert not gone.any()
    assert limit == float("inf")


@quick
@given(prices_and_volumes, st.floats(0.5, 2))
def test_every_estimator_scales_with_its_prices(rows: list[tuple[float, float]], scale: float) -> None:
    prices, volumes = np.array([p for p, _ in rows]), np.array([v for _, v in rows])
    assert median(prices * scale) == pytest.approx(median(prices) * scale, rel=1e-12)
    assert vwap(prices * scale, volumes) == pytest.approx(vwap(prices, volumes) * scale, rel=1e-12)
    assert trimmed_mean(prices * scale, trim=0.25) == pytest.approx(trimmed_mean(prices, trim=0.25) * scale, rel=1e-9)
    assert lower(prices * scale, volumes) == pytest.approx(lower(prices, volumes) * scale, rel=1e-12)


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
