"""The admissible interval of each price: every dual solution that is optimal, seen from one node at a time (market design, section 6).

By complementarity with one optimal primal solution, a dual solution y is optimal exactly where every row that is not tight has y = 0,
every tight one the sign of its side, and every column a reduced cost of 0, or of the sign of the bound that it stands at. The least and
largest y of a node on that face are two small linear programs.
"""

from typing import Any, Protocol

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from tenorgrid.clearing.certificate import Terms
from tenorgrid.clearing.solver import FEASIBILITY, SHARED
from tenorgrid.data.errors import SolverError

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

TIGHT = 1e-7  # relative: how close to a bound a value counts as standing at it


class OneProblem(Terms, Protocol):
    """Terms of a single problem: (columns,) and (rows,) arrays."""


def admissible(terms: OneProblem, *, primal: Vector, rows: Places) -> tuple[Vector, Vector]:
    """Least and largest optimal dual value of some rows, (rows,) each; infinite where nothing bounds it.

    Args:
        terms: of one problem.
        primal: (columns,) an optimal solution.
        rows: which duals.

    Raises SolverError where the face is empty, as it is where the primal solution is not optimal.
    """
    face = _face(terms, primal)
    low, high = np.full(rows.size, -np.inf), np.full(rows.size, np.inf)
    for at, row in enumerate(rows):
        for sign, found in ((1.0, low), (-1.0, high)):
            face.changeColCost(int(row), sign)
            face.run()
            status = face.getModelStatus()
            if status == highspy.HighsModelStatus.kOptimal:
                found[at] = sign * face.getInfo().objective_function_value
            elif status not in (highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible):
                raise SolverError(f"the optimal prices have no interval: {face.modelStatusToString(status)}")
        face.changeColCost(int(row), 0.0)
    return low, high


def _face(terms: OneProblem, primal: Vector) -> Any:
    """The face of optimal dual values as a model whose columns are y and whose rows are Aᵀ y, with no objective yet."""
    activity = terms.matrix @ primal
    at_lower, at_upper = _tight(activity, terms.row_lower), _tight(activity, terms.row_upper)
    least = np.where(at_upper, -np.inf, 0.0)
    most = np.where(at_lower, np.inf, 0.0)
    stands_low, stands_high = _tight(primal, np.broadcast_to(terms.lower, primal.shape)), _tight(primal, terms.upper)
    room = FEASIBILITY * (1.0 + np.abs(terms.cost))
    below = np.where(stands_low, -np.inf, terms.cost - room)  # Aᵀ y = c − d, and d ≥ 0 at the lower bound
    above = np.where(stands_high, np.inf, terms.cost + room)
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its methods carry no types
    for option, value in (SHARED | {"solver": "simplex", "simplex_strategy": 4, "presolve": "off"}).items():
        highs.setOptionValue(option, value)
    transposed = csr_array(terms.matrix)  # a row of A is a column of Aᵀ
    rows, columns = terms.matrix.shape
    highs.passModel(
        rows,
        columns,
        transposed.data.size,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        np.zeros(rows),
        least,
        most,
        below,
        above,
        transposed.indptr.astype(np.int32),
        transposed.indices.astype(np.int32),
        transposed.data.astype(np.float64),
        np.zeros(rows, dtype=np.int32),
    )
    return highs


def _tight(value: Vector, bound: Vector) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(bound) & (np.abs(value - np.where(np.isfinite(bound), bound, 0.0)) <= TIGHT * (1.0 + np.abs(value))))
