"""HiGHS, held at arm's length: arrays go in, primal and dual values come out, and nothing that it says of itself is believed
(`certificate`).

Every interval starts from the same reference basis, never from the interval before it: warm duals depend on history.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, NamedTuple

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from tenorgrid.clearing.problem import Problem

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

Method = Literal["reference", "cold", "warm", "second"]
METHODS: dict[Method, str] = {
    "reference": "dual simplex from the reference basis",
    "cold": "dual simplex",
    "warm": "dual simplex from the hull's basis",
    "second": "interior point and crossover, with presolve",
}
FEASIBILITY = 1e-9  # tighter than HiGHS's 1e-7, so that a hair of load is well above it
Option = str | int | float | bool
SHARED: dict[str, Option] = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 0,
    "primal_feasibility_tolerance": FEASIBILITY,
    "dual_feasibility_tolerance": FEASIBILITY,
}


@dataclass(frozen=True, kw_only=True)
class Basis:
    """Status of each column and row, as integers that can be pickled."""

    columns: tuple[int, ...] = field(repr=False)
    rows: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Primal and dual values of some intervals. `dual` is what the solve gave, `price` the mean of the duals with a hair more and
    less load.
    """

    primal: Matrix = field(repr=False)  # (intervals, columns)
    dual: Matrix = field(repr=False)  # (intervals, rows)
    price: Matrix = field(repr=False)  # (intervals, rows)
    status: tuple[str, ...]
    seconds: Vector


class Solver:
    """One HiGHS instance for problems that share a matrix, such as the intervals of a layout.

    Every interval is passed as a whole new model: changing costs and bounds in place leaves random numbers, scaling and factors of
    earlier intervals behind, even after `clearSolver`, and then ties are broken by history.
    """

    def __init__(self, matrix: csc_array, *, method: Method) -> None:
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its methods carry no types
        for option, value in _options(method).items():
            self._highs.setOptionValue(option, value)
        rows, columns = matrix.shape
        self._rows = np.arange(rows, dtype=np.int32)
        self._zero = np.zeros(columns)
        self._continuous = np.zeros(columns, dtype=np.int32)
        self._matrix = matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)
        self._bounds = np.full(rows, -np.inf), np.full(rows, np.inf)
        self._basis: highspy.HighsBasis | None = None

    def start_from(self, basis: Basis) -> None:
        """Start every later solve from this basis."""
        self._basis = highspy.HighsBasis()
        self._basis.col_status = [highspy.HighsBasisStatus(status) for status in basis.columns]
        self._basis.row_status = [highspy.HighsBasisStatus(status) for status in basis.rows]
        self._basis.valid = True

    def basis(self) -> Basis:
        """The basis of the last solve."""
        found = self._highs.getBasis()
        return Basis(columns=tuple(int(status) for status in found.col_status), rows=tuple(int(status) for status in found.row_status))

    def load(self, cost: Vector, upper: Vector, row_lower: Vector, row_upper: Vector, *, lower: Vector | None = None) -> None:
        """Costs and bounds of one problem; forgets every earlier one. Columns are at least 0 where no lower bound is given."""
        self._highs.passModel(
            self._zero.size,
            self._rows.size,
            self._matrix[2].size,
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            cost,
            self._zero if lower is None else lower,
            upper,
            row_lower,
            row_upper,
            *self._matrix,
            self._continuous,
        )
        self._bounds = row_lower, row_upper
        if self._basis is not None:
            self._highs.setBasis(self._basis)

    def bound_rows(self, lower: Vector, upper: Vector) -> None:
        """New right-hand sides; the next run goes on from where the last one ended. Rows that stay as they were are not touched."""
        moved = self._rows[(lower != self._bounds[0]) | (upper != self._bounds[1])]
        self._highs.changeRowsBounds(moved.size, moved, lower[moved], upper[moved])
        self._bounds = lower, upper

    def bound_columns(self, lower: Vector, upper: Vector, *, where: npt.NDArray[np.bool_]) -> None:
        """New bounds of some columns; the next run goes on from where the last one ended."""
        moved = np.flatnonzero(where).astype(np.int32)
        self._highs.changeColsBounds(moved.size, moved, lower[where], upper[where])

    def run(self) -> str:
        """Solve; returns what the solver says of itself."""
        self._highs.run()
        return str(self._highs.modelStatusToString(self._highs.getModelStatus()))

    def values(self) -> tuple[Vector, Vector]:
        """(columns,) primal and (rows,) dual values of the last run; NaN where it ended without."""
        solution = self._highs.getSolution()
        return _sized(solution.col_value, self._zero.size), _sized(solution.row_dual, self._rows.size)

    def direction(self, load: Vector) -> Vector:
        """(columns,) by how much the columns of the last basis move with the row bounds `load` (rows,); NaN where there is no basis."""
        status, basic = self._highs.getBasicVariables()
        if status != highspy.HighsStatus.kOk:
            return np.full(self._zero.size, np.nan)
        bound = np.ones(self._rows.size, dtype=bool)
        bound[-basic[basic < 0] - 1] = False  # a basic row is at no bound and holds nothing
        solved = np.asarray(self._highs.getBasisSolve(np.where(bound, load, 0.0))[1])
        moved = np.zeros(self._zero.size)
        moved[basic[basic >= 0]] = solved[basic >= 0]
        return moved

    def duals(self) -> Vector:
        """(rows,) dual values of the last run alone."""
        return _sized(self._highs.getSolution().row_dual, self._rows.size)


def solve(problem: Problem, *, method: Method, reference: Basis | None = None) -> Solution:
    """Clear every interval of a problem by itself.

    Args:
        problem: of one horizon.
        method: how; `reference` needs a reference basis.
        reference: where every interval starts from.

    Returns values of every interval; NaN, which no certificate passes, where a run ended without any.
    """
    solver = Solver(problem.matrix, method=method)
    if reference is not None and method == "reference":
        solver.start_from(reference)
    solved = list(_intervals(problem, solver))
    primal, dual, price, status, seconds = zip(*solved, strict=True)
    return Solution(primal=np.array(primal), dual=np.array(dual), price=np.array(price), status=status, seconds=np.array(seconds))


def reference_basis(problem: Problem) -> Basis:
    """The optimal basis of the problem's first interval with a hair more load, found cold."""
    solver = Solver(problem.matrix, method="cold")
    solver.load(problem.cost[0], problem.upper[0], problem.row_lower[0] + problem.hair()[0], problem.row_upper[0])
    solver.run()
    return solver.basis()


def _intervals(problem: Problem, solver: Solver) -> Iterator[tuple[Vector, Vector, Vector, str, float]]:
    """A hair more load first; where its basis is optimal for the load itself and for a hair less too, the three share their duals.

    Whether it is can be told from one solve with the basis: the values move along a line in the load, and the basis stays optimal as
    long as they stay within their bounds. Only where they do not are the other two loads solved.
    """
    hair = problem.hair()
    for hour in range(problem.cost.shape[0]):
        begun = perf_counter()
        lower, upper = problem.row_lower[hour], problem.row_upper[hour]
        solver.load(problem.cost[hour], problem.upper[hour], lower + hair[hour], upper)
        status = solver.run()
        more, duals = solver.values()
        step = solver.direction(hair[hour])
        bounds = Bounds(0.0, problem.upper[hour], lower - hair[hour], upper)
        if keeps(problem.matrix, bounds, more - 2.0 * step):  # and so is the load itself, half-way between
            yield more - step, duals, duals, status, perf_counter() - begun
            continue
        solver.bound_rows(lower, upper)
        status = solver.run()
        primal, dual = solver.values()
        solver.bound_rows(lower - hair[hour], upper)
        solver.run()
        yield primal, dual, (duals + solver.duals()) / 2, status, perf_counter() - begun


class Bounds(NamedTuple):
    """Bounds of the columns and rows of one problem."""

    lower: Vector | float
    upper: Vector
    row_lower: Vector
    row_upper: Vector


def keeps(matrix: csc_array, bounds: Bounds, primal: Vector) -> bool:
    """Whether values keep every bound and row, to the solver's own tolerance."""
    activity = matrix @ primal
    slack, room = FEASIBILITY * (1.0 + np.abs(activity)), FEASIBILITY * (1.0 + np.abs(primal))
    return bool(
        (primal >= bounds.lower - room).all()
        and (primal <= bounds.upper + room).all()
        and (activity >= bounds.row_lower - slack).all()
        and (activity <= bounds.row_upper + slack).all()
    )


def _sized(values: list[float], size: int) -> Vector:
    return np.array(values) if len(values) == size else np.full(size, np.nan)


def _options(method: Method) -> Mapping[str, Option]:
    if method == "second":
        return SHARED | {"solver": "ipm", "run_crossover": "on", "presolve": "on"}
    return SHARED | {"solver": "simplex", "simplex_strategy": 1, "presolve": "off"}
