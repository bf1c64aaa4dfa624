"""The solver held at arm's length: which values keep their bounds, and where the last basis moves with the load."""

import numpy as np
import pytest
from scipy.sparse import csc_array

from tenorgrid.clearing.solver import FEASIBILITY, Bounds, Solver, keeps

MATRIX = csc_array(np.array([[1.0, 1.0], [1.0, -1.0]]))
BOUNDS = Bounds(np.array([0.0, 1.0]), np.array([4.0, 5.0]), np.array([3.0, -2.0]), np.array([6.0, 1.0]))


@pytest.mark.parametrize(
    ("primal", "kept"),
    [
        ((2.0, 2.0), True),
        ((0.0, 3.0), False),  # the second row is −3, below −2
        ((1.0, 1.0), False),  # the first row is 2, below 3
        ((2.5, 4.0), False),  # the first row is 6.5, above 6
        ((3.0, 1.5), False),  # the second row is 1.5, above 1
        ((3.9, 0.9), False),  # a column below its bound
        ((4.1, 1.0), False),
        ((1.0, 3.0), True),  # on a bound
    ],
)
def test_values_are_kept_within_every_bound(primal: tuple[float, float], kept: bool) -> None:
    assert keeps(MATRIX, BOUNDS, np.array(primal)) == kept


@pytest.mark.parametrize("side", ["lower", "upper", "row_lower", "row_upper"])
def test_each_bound_alone_is_asked(side: str) -> None:
    """One bound is moved past the values by a little, and by less than the solver's own tolerance."""
    values, wide = np.array([2.0, 2.0]), Bounds(np.full(2, -9.0), np.full(2, 9.0), np.full(2, -9.0), np.full(2, 9.0))
    reached = MATRIX @ values if side.startswith("row") else values
    sign = 1.0 if side.endswith("lower") else -1.0
    for past, kept in ((0.5 * FEASIBILITY, True), (1e-6, False)):
        assert keeps(MATRIX, wide._replace(**{side: reached + sign * past}), values) == kept


def test_a_basis_moves_the_columns_that_the_load_is_served_from() -> None:
    """Two to serve from the cheaper of two columns: a row that holds moves it one for one, a row that has room moves nothing."""
    solver = Solver(MATRIX, method="cold")
    solver.load(np.array([1.0, 3.0]), np.array([4.0, 4.0]), np.array([2.0, -np.inf]), np.array([np.inf, 3.0]))
    assert solver.run() == "Optimal"
    assert solver.values()[0] == pytest.approx([2.0, 0.0])
    assert solver.direction(np.array([0.5, 0.0])) == pytest.approx([0.5, 0.0])
    assert solver.direction(np.array([0.0, 0.5])) == pytest.approx([0.0, 0.0])
