"""How good a solution is, from its primal and dual values alone (market design, section 6).

For min c x, row_lower ≤ A x ≤ row_upper, 0 ≤ x ≤ upper with row duals y, the reduced costs are d = c − Aᵀ y; a dual value is
admissible only on the side of a row or bound that exists, and may differ from 0 only where that side is tight.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenorgrid.clearing.problem import Problem

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

LIMIT = 1e-6


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """(intervals,) each, relative; see `certify` for what each is relative to."""

    primal: Vector = field(repr=False)
    dual: Vector = field(repr=False)
    complementarity: Vector = field(repr=False)
    gap: Vector = field(repr=False)

    def worst(self) -> Vector:
        """(intervals,) the largest of the four; NaN values count as infinite."""
        stacked = np.stack([self.primal, self.dual, self.complementarity, self.gap])
        return np.asarray(np.nan_to_num(stacked, nan=np.inf).max(axis=0))

    def passes(self) -> npt.NDArray[np.bool_]:
        """(intervals,) whether the solution may be published."""
        return self.worst() <= LIMIT


def certify(problem: Problem, *, primal: Matrix, dual: Matrix) -> Certificate:
    """Measure how far primal and dual values are from optimal.

    Args:
        problem: of one horizon.
        primal: (intervals, columns) x.
        dual: (intervals, rows) y, ≥ 0 on a lower side, ≤ 0 on an upper one.

    Returns four measures per interval: the largest violation of a bound or row, relative to 1 + the size of what the row moves; the
    largest dual value on a side that does not exist, relative to 1 + |c|; the largest product of slack and dual value, and the gap
    between the objectives, relative to 1 + |objective| without the virtual bids.
    """
    matrix = problem.layout.matrix
    activity = (matrix @ primal.T).T
    moved = (abs(matrix) @ np.abs(primal.T)).T
    reduced = problem.cost - (matrix.T @ dual.T).T
    physical = ~problem.layout.columns["kind"].is_in(["inc", "dec"]).to_numpy()  # carried virtual bids stand at the price cap
    scale = 1.0 + np.abs((problem.cost * primal)[:, physical].sum(axis=1))

    below, above = problem.row_lower - activity, activity - problem.row_upper
    outside = np.maximum(np.maximum(below, above), 0.0) / (1.0 + moved)
    beyond = np.maximum(np.maximum(-primal, primal - problem.upper), 0.0) / (1.0 + np.abs(primal))

    has_lower, has_upper, bounded = np.isfinite(problem.row_lower), np.isfinite(problem.row_upper), np.isfinite(problem.upper)
    wrong_rows = np.where(has_lower, 0.0, np.maximum(dual, 0.0)) + np.where(has_upper, 0.0, np.maximum(-dual, 0.0))
    wrong_columns = np.where(bounded, 0.0, np.maximum(-reduced, 0.0)) / (1.0 + np.abs(problem.cost))
    row_scale = 1.0 + np.abs(problem.cost).max(axis=1)

    slack = np.concatenate(
        [
            np.where(has_lower, np.maximum(dual, 0.0) * np.abs(np.where(has_lower, below, 0.0)), 0.0),
            np.where(has_upper, np.maximum(-dual, 0.0) * np.abs(np.where(has_upper, above, 0.0)), 0.0),
            np.maximum(reduced, 0.0) * np.abs(primal),
            np.where(bounded, np.maximum(-reduced, 0.0) * np.abs(np.where(bounded, problem.upper - primal, 0.0)), 0.0),
        ],
        axis=1,
    )
    worth = (
        (np.where(has_lower, problem.row_lower, 0.0) * np.maximum(dual, 0.0)).sum(axis=1)
        - (np.where(has_upper, problem.row_upper, 0.0) * np.maximum(-dual, 0.0)).sum(axis=1)
        - (np.where(bounded, problem.upper, 0.0) * np.maximum(-reduced, 0.0)).sum(axis=1)
    )
    return Certificate(
        primal=np.maximum(outside.max(axis=1), beyond.max(axis=1)),
        dual=np.maximum(wrong_rows.max(axis=1) / row_scale, wrong_columns.max(axis=1)),
        complementarity=slack.max(axis=1) / scale,
        gap=np.abs((problem.cost * primal).sum(axis=1) - worth) / scale,
    )
