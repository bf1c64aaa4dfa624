"""The oracle of the middle of all optimal prices: on faces whose centre is known, and on what must hold of it."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

from tests.clearing.centre import chebyshev_centre, face
from tests.clearing.programs import Vector, solve

NEAR = 1e-7


def centre(value: list[float], matrix: list[list[float]], high: list[float], upper: list[float]) -> Vector:
    """Centre of the duals of max value · x, matrix x ≤ high, 0 ≤ x ≤ upper."""
    given: dict[str, Any] = {
        "low": np.full(len(high), -np.inf),
        "high": np.array(high),
        "lower": np.zeros(len(value)),
        "upper": np.array(upper),
    }
    found = solve(np.array(value), np.array(matrix), **given)
    assert found is not None
    return chebyshev_centre(face(np.array(value), np.array(matrix), **given, point=found[1]))


@pytest.mark.parametrize("unit", [1.0, 0.01, 250.0])
def test_where_one_price_is_free_it_is_in_the_middle(unit: float) -> None:
    """A bid of 10 at 5 USD and an offer of 10 at 2 USD: any price between supports the trade, in whatever unit it is counted."""
    price = centre([5.0, -2.0], [[unit, -unit]], [0.0], [10.0, 10.0])
    assert price * unit == pytest.approx([3.5], abs=NEAR)


def test_an_hour_of_twice_the_work_counts_twice() -> None:
    price = centre([8.0, -2.0], [[1.0, -2.0]], [0.0], [10.0, 5.0])  # price between 2 / 2 and 8
    assert price == pytest.approx([4.5], abs=NEAR)


def test_three_prices_that_share_a_worth_are_equal_and_add_up() -> None:
    """A bid of 10 for one of each of three, offered at nothing: the coordinate-wise middles 5, 5, 5 would add to 15."""
    matrix = [[1.0, -1.0, 0.0, 0.0], [1.0, 0.0, -1.0, 0.0], [1.0, 0.0, 0.0, -1.0]]
    price = centre([10.0, 0.0, 0.0, 0.0], matrix, [0.0] * 3, [2.0, 1.0, 1.0, 1.0])
    assert price == pytest.approx([10 / 3] * 3, abs=NEAR)  # the bid is served in part: the prices have to add to 10


def test_the_next_distance_is_made_large_once_the_smallest_is() -> None:
    """Two nodes apart: the narrow one holds the radius down, and the wide one is in its own middle all the same."""
    matrix = [[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]]
    price = centre([3.0, -2.0, 9.0, -1.0], matrix, [0.0, 0.0], [1.0, 1.0, 1.0, 1.0])
    assert price == pytest.approx([2.5, 5.0], abs=NEAR)


def test_a_price_that_is_not_free_stays() -> None:
    price = centre([5.0, -2.0], [[1.0, -1.0]], [0.0], [4.0, 10.0])
    assert price == pytest.approx([2.0], abs=NEAR)


def test_a_face_without_an_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="no end"):
        centre([-2.0, -1.0], [[-1.0, 1.0], [0.0, 1.0]], [0.0, 0.0], [10.0, 0.0])


@pytest.mark.parametrize("seed", [1, 2, 5, 6, 7, 11])
def test_the_centre_is_optimal_and_no_point_of_the_face_is_farther_inside(seed: int) -> None:
    """Markets of three nodes with as many ties as can be: the smallest distance is that of the radius problem, solved in one go."""
    rng = np.random.default_rng(seed)
    nodes, size = 3, 10
    matrix = np.zeros((nodes, size))
    matrix[rng.integers(nodes, size=size), np.arange(size)] = rng.choice([-1.0, 1.0], size)
    bundle = rng.choice([0.0, 1.0], (nodes, 2))
    matrix = np.hstack([matrix, bundle])
    value = np.r_[rng.integers(1, 6, size) * -matrix[:, :size].sum(axis=0) * -1.0, bundle.sum(axis=0) * 3.0]
    upper = rng.integers(1, 3, size + 2).astype(np.float64)
    given: dict[str, Any] = {"low": np.full(nodes, -np.inf), "high": np.zeros(nodes), "lower": np.zeros(size + 2), "upper": upper}
    found = solve(value, matrix, **given)
    assert found is not None
    of = face(value, matrix, **given, point=found[1])
    price = chebyshev_centre(of)
    gain = np.maximum(value - price @ matrix, 0.0) @ upper
    assert gain == pytest.approx(found[0], abs=1e-6)  # strong duality: the rows' right-hand sides are 0
    assert (price >= -NEAR).all()
    reach = np.linalg.norm(of.inside @ of.free, axis=1)
    free = reach > 1e-7
    assert free.any()
    distance = (of.inside @ price + of.offset)[free] / reach[free]
    cost = np.r_[np.zeros(nodes), -1.0]
    rows = np.vstack([np.column_stack([-of.inside[free], reach[free]]), np.column_stack([-of.inside[~free], np.zeros((~free).sum())])])
    held: dict[str, Any] = {"A_eq": np.column_stack([of.equal, np.zeros(of.right.size)]), "b_eq": of.right} if of.right.size else {}
    radius = linprog(cost, A_ub=rows, b_ub=np.r_[of.offset[free], of.offset[~free]], bounds=(None, None), **held)
    assert distance.min() == pytest.approx(-radius.fun, abs=1e-6)
