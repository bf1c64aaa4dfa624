"""The frontier: who dominates whom, against a linear program for each way, and the concave envelope."""

import numpy as np
import pytest
from scipy.optimize import linprog

from tenorgrid.data.benchmarks.frontier import concave, dominators

TOLERANCE = 1e-9


def efficient(use: np.ndarray, domain: np.ndarray) -> list[bool]:
    """By definition: no levels of the others, in domains no larger, do one unit with no more of anything (linear program for every way)."""
    found = []
    for way in range(len(use)):
        others = [one for one in range(len(use)) if one != way and domain[one] <= domain[way]]
        if not others:
            found.append(True)
            continue
        best = linprog(-np.ones(len(others)), A_ub=use[others].T, b_ub=use[way], bounds=(0, None), method="highs")
        found.append(float(np.asarray(best.x).sum()) < 1 - TOLERANCE)
    return found


@pytest.mark.parametrize("seed", range(40))
def test_efficient_ways_are_those_that_a_linear_program_cannot_put_together(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ways, kinds = int(rng.integers(2, 12)), int(rng.integers(1, 4))
    use = rng.uniform(0.5, 2, (ways, kinds)) * (rng.uniform(size=(ways, kinds)) < 0.6)
    use[np.arange(ways), rng.integers(0, kinds, ways)] = rng.uniform(0.5, 2, ways)  # something of at least one kind
    domain = rng.choice([1, 4, 8], ways)
    assert [not by for by in dominators(use, domain)] == efficient(use, domain)


@pytest.mark.parametrize("seed", range(20))
def test_order_does_not_matter_and_what_dominates_is_efficient_itself(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    use, domain = rng.uniform(0.5, 2, (9, 1)), rng.choice([1, 8], 9)
    found, order = dominators(use, domain), rng.permutation(9)
    again = dominators(use[order], domain[order])
    assert [not again[list(order).index(way)] for way in range(9)] == [not by for by in found]
    assert all(not found[one] for by in found for one in by)


def test_a_smaller_domain_is_worth_a_slower_recipe_and_a_larger_one_is_not() -> None:
    assert dominators(np.array([[1.0], [2.0], [3.0], [0.5]]), [8, 1, 8, 72]) == [(), (), (0, 1), ()]


def test_of_equal_ways_the_first_stays() -> None:
    assert dominators(np.array([[1.0], [1.0], [1.0 + 1e-15]]), [1, 1, 1]) == [(), (0,), (0,)]


def test_a_mixed_system_that_does_less_than_its_parts_is_dominated_by_both() -> None:
    apart, together = [[1.0, 0.0], [0.0, 1.0]], [0.6, 0.6]
    assert dominators(np.array([*apart, together]), [1, 1, 1]) == [(), (), (0, 1)]
    assert dominators(np.array([*apart, [0.4, 0.4]]), [1, 1, 1]) == [(), (), ()]


@pytest.mark.parametrize("seed", range(20))
def test_the_envelope_is_the_best_mix_of_two_job_sizes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = np.cumsum(rng.uniform(0.5, 2, 6))
    output = rng.uniform(0, 5, 6)
    x, y = np.r_[0, count], np.r_[0, output]

    def mixed(at: float) -> float:
        chords = [
            y[i] + (y[j] - y[i]) * (at - x[i]) / (x[j] - x[i]) for i in range(7) for j in range(7) if x[i] <= at <= x[j] and x[i] < x[j]
        ]
        return float(max(*chords, *y[x == at]))

    found = concave(count, output)
    assert found == pytest.approx([mixed(at) for at in count], abs=TOLERANCE)
    assert (found >= output - TOLERANCE).all()
    slopes = np.diff(np.r_[0, found]) / np.diff(x)
    assert (np.diff(slopes) <= TOLERANCE).all()
