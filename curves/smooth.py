"""The smoothest curve through averages: a quartic spline whose second derivative bends least.

Benth, Koekebakker and Ollmar, "Extracting and applying smooth forward curves from average-based commodity contracts with seasonal
variation", Journal of Derivatives 15 (2007), use the quartic spline with continuous second derivative on the periods' boundaries that
minimises ∫ f''². Here the spline is written in B-splines (two at each inner knot), the averages are met exactly by a QR
factorisation, and what freedom is left is a least-squares problem solved by a second one, so that the coefficients come out
as one matrix times the prices: the Jacobian is that matrix.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.linalg import qr, solve_triangular

from tenorgrid.curves.hours import Counts, Vector

DEGREE = 4
SIZE = DEGREE + 1
NODES = np.cos(np.pi * (2 * np.arange(SIZE) + 1) / (2 * SIZE))  # of u in [-1, 1], where a quartic is read off
POWERS = np.linalg.inv(np.vander(NODES, SIZE, increasing=True))  # from values there to powers of u
QUADRATIC, QUARTIC = (np.polynomial.legendre.leggauss(count) for count in (SIZE - 2, SIZE))  # exact for squares of such
DETERMINED = 1e-10  # least diagonal of the factorisation, relative to the largest, of rows that a spline can tell apart


@dataclass(frozen=True, eq=False, kw_only=True)
class Spline:
    """Quartic splines with continuous second derivative on `knots` (n + 1,), any unit of time; p = 2 n + 3 coefficients."""

    knots: Vector

    @property
    def size(self) -> int:
        """p, the number of coefficients."""
        return 2 * self.knots.size + 1

    @cached_property
    def local(self) -> Vector:
        """(n, 5, p) from coefficients to the powers of u in [-1, 1] on each interval."""
        return self._placed(self._own)

    @cached_property
    def _own(self) -> Vector:
        """(n, 5, 5) the same from the five B-splines that an interval knows."""
        times = self._middle[:, None] + self._half[:, None] * NODES
        values = _bsplines(times.ravel(), np.repeat(np.arange(self._half.size), SIZE), self.knots)
        return np.asarray(POWERS @ values.reshape(-1, SIZE, SIZE))

    def _placed(self, blocks: Vector) -> Vector:
        """(n, k, p) from what each interval says of its own five coefficients, (n, k, 5): those from the 2 i-th on."""
        found = np.zeros((*blocks.shape[:2], self.size))
        every = np.arange(len(blocks))
        for place in range(SIZE):
            found[every, :, 2 * every + place] = blocks[:, :, place]
        return found

    def roughness(self, order: int) -> Vector:
        """(5 n, p) matrix R with |R c|² = ∫ (dᵏf/dtᵏ)², k the order."""
        derivative = np.zeros((SIZE, SIZE))
        for power in range(order, SIZE):
            derivative[power - order, power] = np.prod(np.arange(power - order + 1, power + 1))
        nodes, mass = QUARTIC
        at = np.sqrt(mass)[:, None] * np.vander(nodes, SIZE, increasing=True) @ derivative
        scaled = self._own * (self._half ** (0.5 - order))[:, None, None]
        return self._placed(at @ scaled).reshape(-1, self.size)

    def bending(self, weight: Vector) -> Vector:
        """(3 n, p) matrix whose squared norm is Σ_i w_i ∫_i f''² dt, weights (n,): f'' is quadratic, so three nodes are exact."""
        nodes, mass = QUADRATIC
        at = np.sqrt(mass)[:, None] * np.column_stack([2 + 0 * nodes, 6 * nodes, 12 * nodes**2])
        scaled = self._own[:, 2:] * (np.sqrt(weight) * self._half**-1.5)[:, None, None]
        return self._placed(at @ scaled).reshape(-1, self.size)

    def line(self) -> Vector:
        """(p, 2) coefficients of 1 and of t scaled to [-1, 1]: the Greville abscissae."""
        double = _double(self.knots)
        greville = np.lib.stride_tricks.sliding_window_view(double[1:-1], DEGREE).mean(axis=1)
        low, high = self.knots[0], self.knots[-1]
        return np.column_stack([np.ones(self.size), (2 * greville - low - high) / (high - low)])

    def cells(self, low: Vector, high: Vector, interval: Counts) -> Vector:
        """(cells, 5) averages of the powers of u over cells `[low, high)` that lie within one interval each."""
        half = self._half[interval]
        u, d = ((low + high) / 2 - self._middle[interval]) / half, (high - low) / 2 / half
        square, width = u * u, d * d
        found = np.empty((SIZE, u.size)).T  # each power in one piece
        found[:, 0], found[:, 1], found[:, 2] = 1.0, u, square + width / 3
        found[:, 3] = u * (square + width)
        found[:, 4] = square * (square + 2 * width) + width * width / 5
        return found

    def at(self, times: Vector, coefficients: Vector) -> Vector:
        """f at `times` (k,) for coefficients (p,)."""
        interval = np.clip(np.searchsorted(self.knots, times, side="right") - 1, 0, self.knots.size - 2)
        u = (times - self._middle[interval]) / self._half[interval]
        powers = np.vander(u, SIZE, increasing=True)
        return np.asarray(np.einsum("tk,tk->t", powers, (self.local @ coefficients)[interval]))

    def slope(self, knot: Literal["first", "last"]) -> Vector:
        """(p,) row that gives f' at the first or the last knot: with 0 on its right-hand side it is a flat end."""
        u = 1.0 if knot == "last" else -1.0
        powers = np.array([0.0, 1.0, 2 * u, 3 * u**2, 4 * u**3])
        side = -1 if knot == "last" else 0
        return np.asarray(powers @ self.local[side] / self._half[side])

    @cached_property
    def _middle(self) -> Vector:
        return (self.knots[1:] + self.knots[:-1]) / 2

    @cached_property
    def _half(self) -> Vector:
        return np.diff(self.knots) / 2


def smoothest(rows: Vector, roughness: Vector) -> Vector:
    r"""Coefficients of the smoothest function with given averages, as a linear map of the averages.

    Solves :math:`\min_c |R c|^2` subject to :math:`A c = p` for every p at once: with :math:`A^T = Q_1 U`, the averages are met by
    :math:`c = Q_1 U^{-T} p + Q_2 y` whatever y is, and y is a least-squares problem.

    Args:
        rows: (m, p) A, of full rank.
        roughness: (q, p) R.

    Returns (p, m). Raises `numpy.linalg.LinAlgError` when rows repeat one another or leave the function undetermined.

    >>> smoothest(np.array([[0.5, 0.5]]), np.array([[1.0, -1.0]])).ravel().round(12)
    array([1., 1.])
    """
    count, size = rows.shape
    if count > size:
        raise np.linalg.LinAlgError("the averages and ends are more than the function has freedom")
    orthogonal, upper = qr(rows.T, check_finite=False)
    _refuse_small(np.diagonal(upper), "the averages repeat one another")
    met = orthogonal[:, :count] @ solve_triangular(upper[:count], np.eye(count), trans="T", check_finite=False)
    free = orthogonal[:, count:]
    if not free.size:
        return np.asarray(met)
    (both,) = qr(roughness @ np.concatenate([free, met], axis=1), mode="r", overwrite_a=True, check_finite=False)
    triangle, target = both[: size - count, : size - count], both[: size - count, size - count :]  # no need of the orthogonal factor
    _refuse_small(np.diagonal(triangle), "the averages leave the function undetermined")
    if len(triangle) < size - count:
        raise np.linalg.LinAlgError("the averages leave the function undetermined")
    return np.asarray(met - free @ solve_triangular(triangle, target, check_finite=False))


def _refuse_small(diagonal: Vector, sentence: str) -> None:
    size = np.abs(diagonal)
    if size.size and size.min() <= DETERMINED * size.max():
        raise np.linalg.LinAlgError(sentence)


def _double(knots: Vector) -> Vector:
    """Knot vector of quartic B-splines with continuous second derivative."""
    return np.concatenate([np.repeat(knots[0], SIZE), np.repeat(knots[1:-1], 2), np.repeat(knots[-1], SIZE)])


def _bsplines(times: Vector, interval: Counts, knots: Vector) -> Vector:
    """(times, 5) values of the five B-splines that are not zero at each time (de Boor's recurrence), the first of them the 2 i-th."""
    double = _double(knots)
    place = DEGREE + 2 * interval  # double[place] <= time < double[place + 1]
    values = np.ones((times.size, 1))
    for degree in range(1, SIZE):
        left = double[place[:, None] + np.arange(1 - degree, 1)]
        right = double[place[:, None] + np.arange(1, degree + 1)]
        share = values / (right - left)
        values = np.zeros((times.size, degree + 1))
        values[:, 1:] = share * (times[:, None] - left)  # rising
        values[:, :-1] += share * (right - times[:, None])  # falling
    return values
