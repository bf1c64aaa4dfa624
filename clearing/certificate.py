"""How good a solution is, from its primal and dual values alone (market design, section 6).

For min c x, row_lower ≤ A x ≤ row_upper, lower ≤ x ≤ upper with row duals y, the reduced costs are d = c − Aᵀ y; a dual value is
admissible only on the side of a row or bound that exists, and may differ from 0 only where that side is tight.
"""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

Vector = npt.NDArray[np.float64]

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

    def larger(self, other: "Certificate") -> "Certificate":
        """The larger of each measure."""
        parts = {name: np.maximum(getattr(self, name), getattr(other, name)) for name in self.__annotations__}
        return Certificate(**parts)

    def passes(self) -> npt.NDArray[np.bool_]:
        """(intervals,) whether the solution may be published."""
        return self.worst() <= LIMIT


class Terms(Protocol):
    """One problem, (columns,) and (rows,), or several with the same matrix, (intervals, columns) and (intervals, rows)."""

    @property
    def matrix(self) -> csc_array: ...
    @property
    def cost(self) -> Vector: ...
    @property
    def lower(self) -> Vector: ...
    @property
    def upper(self) -> Vector: ...
    @property
    def row_lower(self) -> Vector: ...
    @property
    def row_upper(self) -> Vector: ...
    @property
    def physical(self) -> npt.NDArray[np.bool_]: ...


def certify(terms: Terms, *, primal: Vector, dual: Vector) -> Certificate:
    """Measure how far primal and dual values are from optimal.

    Args:
        terms: the problem; its `physical` columns are those that are no virtual bids.
        primal: (columns,) or (intervals, columns) x.
        dual: (rows,) or (intervals, rows) y, ≥ 0 on a lower side, ≤ 0 on an upper one.

    Returns four measures per interval: the largest violation of a bound or row, relative to 1 + the size of what the row moves; the
    largest dual value on a side that does not exist, relative to 1 + |c|; the largest product of slack and dual value, and the gap
    between the objectives, relative to 1 + |objective| without the virtual bids.
    """
    matrix, row_lower, row_upper = terms.matrix, terms.row_lower, terms.row_upper
    activity = (matrix @ primal.T).T
    moved = (abs(matrix) @ np.abs(primal.T)).T
    reduced = terms.cost - (matrix.T @ dual.T).T
    scale = size(terms, primal=primal)

    below, above = row_lower - activity, activity - row_upper
    outside = np.maximum(np.maximum(below, above), 0.0) / (1.0 + moved)
    beyond = np.maximum(np.maximum(terms.lower - primal, primal - terms.upper), 0.0) / (1.0 + np.abs(primal))

    has_lower, has_upper, bounded = np.isfinite(row_lower), np.isfinite(row_upper), np.isfinite(terms.upper)
    wrong_rows = np.where(has_lower, 0.0, np.maximum(dual, 0.0)) + np.where(has_upper, 0.0, np.maximum(-dual, 0.0))
    wrong_columns = np.where(bounded, 0.0, np.maximum(-reduced, 0.0)) / (1.0 + np.abs(terms.cost))
    row_scale = 1.0 + np.abs(terms.cost).max(axis=-1, initial=0.0)

    slack = np.concatenate(
        [
            np.where(has_lower, np.maximum(dual, 0.0) * np.abs(np.where(has_lower, below, 0.0)), 0.0),
            np.where(has_upper, np.maximum(-dual, 0.0) * np.abs(np.where(has_upper, above, 0.0)), 0.0),
            np.maximum(reduced, 0.0) * np.abs(primal - terms.lower),
            np.where(bounded, np.maximum(-reduced, 0.0) * np.abs(np.where(bounded, terms.upper - primal, 0.0)), 0.0),
        ],
        axis=-1,
    )
    return Certificate(
        primal=np.maximum(outside.max(axis=-1, initial=0.0), beyond.max(axis=-1, initial=0.0)),
        dual=np.maximum(wrong_rows.max(axis=-1, initial=0.0) / row_scale, wrong_columns.max(axis=-1, initial=0.0)),
        complementarity=slack.max(axis=-1, initial=0.0) / scale,
        gap=np.abs((terms.cost * primal).sum(axis=-1) - worth(terms, dual=dual)) / scale,
    )


def size(terms: Terms, *, primal: Vector) -> Vector:
    """1 + |objective| without the virtual bids, of which those carried stand at the price cap: what gaps are relative to."""
    return np.asarray(1.0 + np.abs((terms.cost * primal)[..., terms.physical].sum(axis=-1)))


def worth(terms: Terms, *, dual: Vector) -> Vector:
    """The dual objective: no primal solution costs less than this, whatever the duals are, as long as none is on a side that does not
    exist.
    """
    reduced = terms.cost - (terms.matrix.T @ dual.T).T
    has_lower, has_upper, bounded = np.isfinite(terms.row_lower), np.isfinite(terms.row_upper), np.isfinite(terms.upper)
    return np.asarray(
        (np.where(has_lower, terms.row_lower, 0.0) * np.maximum(dual, 0.0)).sum(axis=-1)
        - (np.where(has_upper, terms.row_upper, 0.0) * np.maximum(-dual, 0.0)).sum(axis=-1)
        + (terms.lower * np.maximum(reduced, 0.0)).sum(axis=-1)
        - (np.where(bounded, terms.upper, 0.0) * np.maximum(-reduced, 0.0)).sum(axis=-1)
    )
