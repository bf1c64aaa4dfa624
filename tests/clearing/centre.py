"""The lexicographic Chebyshev centre of the dual optimal face of a small linear problem: prices that are as far inside as can be."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.linalg import null_space
from scipy.optimize import linprog

from tests.clearing.programs import Vector

EPS = 1e-9
TIGHT = 1e-7


@dataclass(frozen=True, kw_only=True)
class Face:
    """Dual values y that are optimal beside a primal optimum: equal @ y = right, and slack = inside @ y + offset ≥ 0."""

    equal: Vector = field(repr=False)
    right: Vector = field(repr=False)
    inside: Vector = field(repr=False)
    offset: Vector = field(repr=False)

    @cached_property
    def free(self) -> Vector:
        """(rows, dimensions) directions in which the face extends, slacks that are nothing on all of it held."""
        stuck = [number for number in range(self.offset.size) if self.most(number) <= TIGHT]
        held = np.vstack([self.equal, self.inside[stuck]])
        return null_space(held) if held.size else np.eye(self.inside.shape[1])

    def most(self, number: int) -> float:
        """The largest that one slack is on the face."""
        found = self._solve(-self.inside[number], self.inside, self.offset)
        return np.inf if found is None else float(self.inside[number] @ found + self.offset[number])

    def _solve(self, cost: Vector, inside: Vector, offset: Vector) -> Vector | None:
        size = cost.size
        padded = np.hstack([self.equal, np.zeros((self.equal.shape[0], size - self.equal.shape[1]))])
        equal, right = (padded, self.right) if padded.size else (None, None)
        found = linprog(cost, A_ub=-inside, b_ub=offset, A_eq=equal, b_eq=right, bounds=(None, None))
        if found.status == 3:
            return None
        assert found.status == 0, found.message
        return np.asarray(found.x)


def face(
    value: Vector, matrix: Vector, *, low: Vector, high: Vector, lower: Vector, upper: Vector, point: Vector, tolerance: float = 1e-7
) -> Face:
    """The optimal duals y of max value · x, low ≤ matrix x ≤ high, lower ≤ x ≤ upper, by complementarity with one optimal `point`.

    y ≥ 0 where only the upper side of a row binds, ≤ 0 where only the lower one, 0 where neither; the reduced value of a column,
    value − yᵀ matrix, is 0 strictly between its bounds, ≥ 0 at the upper and ≤ 0 at the lower one.
    """
    activity = matrix @ point
    unit = np.eye(low.size)
    equal: list[Vector] = []
    right: list[float] = []
    inside: list[Vector] = []
    offset: list[float] = []
    for number in range(low.size):
        top, bottom = high[number] - activity[number] <= tolerance, activity[number] - low[number] <= tolerance
        if not top and not bottom:
            equal.append(unit[number])
            right.append(0.0)
        elif top != bottom:
            inside.append(unit[number] if top else -unit[number])
            offset.append(0.0)
    for column in range(value.size):
        top, bottom = upper[column] - point[column] <= tolerance, point[column] - lower[column] <= tolerance
        if not top and not bottom:
            equal.append(matrix[:, column])
            right.append(value[column])
        elif top != bottom:
            sign = -1.0 if top else 1.0
            inside.append(sign * matrix[:, column])
            offset.append(-sign * value[column])
    rows = low.size
    return Face(
        equal=np.array(equal).reshape(-1, rows), right=np.array(right), inside=np.array(inside).reshape(-1, rows), offset=np.array(offset)
    )


def chebyshev_centre(of: Face) -> Vector:
    """(rows,) the duals whose smallest distance to the edges of the face is largest; among these the next smallest; and so on.

    A distance is measured within the face, so that the centre is the middle where one price is free, whatever its unit.
    Raises ValueError where the face has no end.
    """
    free = of.free
    reach = np.linalg.norm(of.inside @ free, axis=1) if free.size else np.zeros(of.offset.size)
    left = [number for number in range(of.offset.size) if reach[number] > TIGHT]
    held_equal, held_right = of.equal, of.right
    point = of._solve(np.zeros(of.inside.shape[1]), of.inside, of.offset)
    assert point is not None
    while left:
        rest = [number for number in range(of.offset.size) if number not in left]
        size = of.inside.shape[1]
        inside = np.vstack([np.column_stack([of.inside[left], -reach[left]]), np.column_stack([of.inside[rest], np.zeros(len(rest))])])
        offset = np.r_[of.offset[left], of.offset[rest]]
        current = Face(equal=held_equal, right=held_right, inside=inside, offset=offset)
        solved = current._solve(np.r_[np.zeros(size), -1.0], inside, offset)
        if solved is None:
            raise ValueError("the face has no end")
        point, radius = solved[:size], solved[size]
        # those that cannot be farther while all the others keep that distance are held where they are
        distance = np.where(np.isin(range(of.offset.size), left), reach * radius, 0.0)
        kept = Face(equal=held_equal, right=held_right, inside=of.inside, offset=of.offset - distance)
        tight = [number for number in left if kept.most(number) <= TIGHT]
        assert tight, "no distance is at its largest"
        held_equal = np.vstack([held_equal, of.inside[tight]])
        held_right = np.r_[held_right, reach[tight] * radius - of.offset[tight]]
        left = [number for number in left if number not in tight]
        of = Face(equal=held_equal, right=held_right, inside=of.inside, offset=of.offset)
        directions = null_space(held_equal)
        left = [number for number in left if directions.size and np.linalg.norm(of.inside[number] @ directions) > TIGHT]
    return point
