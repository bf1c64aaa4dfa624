"""The smoothest spline through averages."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from tenorgrid.curves.smooth import Spline, smoothest

Vector = npt.NDArray[np.float64]
KNOTS = np.array([0.0, 1.0, 2.0, 4.0])
AVERAGES = np.array([20.0, 22.0, 19.0])
TIMES = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0])


def averages(spline: Spline) -> Vector:
    """(n, p) averages over the intervals between knots."""
    powers = spline.cells(spline.knots[:-1], spline.knots[1:], np.arange(spline.knots.size - 1))
    return np.asarray(np.einsum("nk,nkp->np", powers, spline.local))


def test_free_ends_give_the_known_answer() -> None:
    spline = Spline(knots=KNOTS)
    found = smoothest(averages(spline), spline.roughness(2)) @ AVERAGES
    expected = [18.441176, 20.030331, 21.426471, 22.170037, 21.911765, 19.161765, 15.382353]
    assert spline.at(TIMES, found) == pytest.approx(expected, abs=5e-7)


def test_a_flat_end_gives_the_known_answer() -> None:
    spline = Spline(knots=KNOTS)
    rows = np.vstack([averages(spline), spline.slope("last")])
    found = smoothest(rows, spline.roughness(2)) @ np.r_[AVERAGES, 0.0]
    expected = [18.286522, 20.039231, 21.542290, 22.207121, 21.657660, 18.752800, 17.217798]
    assert spline.at(TIMES, found) == pytest.approx(expected, abs=5e-7)


def test_the_slope_rows_agree_with_differences() -> None:
    spline = Spline(knots=KNOTS)
    found = np.random.default_rng(2).normal(size=spline.size)
    low, near_low, near_high, high = spline.at(np.array([0.0, 1e-6, 4.0 - 1e-6, 4.0]), found)
    assert spline.slope("first") @ found == pytest.approx((near_low - low) / 1e-6, abs=1e-3)
    assert spline.slope("last") @ found == pytest.approx((high - near_high) / 1e-6, abs=1e-3)


def test_a_grid_of_800_cells_agrees() -> None:
    cells, step = 800, 4 / 800
    second = (np.eye(cells, k=1) - 2 * np.eye(cells) + np.eye(cells, k=-1))[1:-1]
    middle = np.linspace(step / 2, 4 - step / 2, cells)
    mean = np.stack([((middle > low) & (middle < high)) * step / (high - low) for low, high in pairwise(KNOTS)])
    system = np.block([[second.T @ second, mean.T], [mean, np.zeros((3, 3))]])
    grid = np.linalg.solve(system, np.r_[np.zeros(cells), AVERAGES])[:cells]
    spline = Spline(knots=KNOTS)
    found = spline.at(middle, smoothest(averages(spline), spline.roughness(2)) @ AVERAGES)
    assert found == pytest.approx(grid, abs=2e-3)


def test_lines_come_back_as_lines_whatever_the_knots() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        knots = np.r_[0.0, np.cumsum(rng.uniform(0.02, 3.0, size=12))]
        spline = Spline(knots=knots)
        mean = 50 + 0.7 * (knots[1:] + knots[:-1]) / 2
        found = smoothest(averages(spline), spline.roughness(2)) @ mean
        times = np.linspace(0, knots[-1], 77)
        assert spline.at(times, found) == pytest.approx(50 + 0.7 * times, abs=1e-9)


def test_value_slope_and_bend_are_continuous_at_the_knots() -> None:
    spline = Spline(knots=KNOTS)
    found = smoothest(averages(spline), spline.roughness(2)) @ AVERAGES
    left = spline.local[:-1] @ found
    right = spline.local[1:] @ found
    half = np.diff(KNOTS) / 2
    for order in range(3):
        ends = [np.polynomial.polynomial.polyder(c, order) for c in left], [np.polynomial.polynomial.polyder(c, order) for c in right]
        before = [np.polynomial.polynomial.polyval(1.0, c) / h**order for c, h in zip(ends[0], half[:-1], strict=True)]
        after = [np.polynomial.polynomial.polyval(-1.0, c) / h**order for c, h in zip(ends[1], half[1:], strict=True)]
        assert before == pytest.approx(after, abs=1e-10)


def test_roughness_agrees_with_a_sum_over_a_fine_grid() -> None:
    spline = Spline(knots=KNOTS)
    found = np.random.default_rng(4).normal(size=spline.size)
    times = np.linspace(0, 4, 40_001)
    values = spline.at(times, found)
    second = np.diff(values, 2) / 1e-4**2
    assert np.sum((spline.roughness(2) @ found) ** 2) == pytest.approx(np.sum(second**2) * 1e-4, rel=1e-3)
    assert np.sum((spline.roughness(0) @ found) ** 2) == pytest.approx(np.trapezoid(values**2, times), rel=1e-6)


def test_averages_that_repeat_one_another_are_refused() -> None:
    spline = Spline(knots=KNOTS)
    rows = averages(spline)
    with pytest.raises(np.linalg.LinAlgError, match="repeat"):
        smoothest(np.vstack([rows, rows[:1]]), spline.roughness(2))
    with pytest.raises(np.linalg.LinAlgError, match="undetermined"):
        smoothest(rows[:1], spline.roughness(2))
