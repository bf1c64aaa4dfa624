"""Curves of straight pieces on the boundaries of the quotes' periods: constant on each interval, or linear and continuous."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.smooth import SIZE, Spline


@dataclass(frozen=True, eq=False, kw_only=True)
class Steps(Spline):
    """A value for each interval between two of the knots (n + 1,); p = n coefficients."""

    @property
    def size(self) -> int:
        """p, the number of coefficients."""
        return self.knots.size - 1

    @cached_property
    def local(self) -> Vector:
        """(n, 5, p) from coefficients to the powers of u: only the constant is used."""
        found = np.zeros((self.size, SIZE, self.size))
        found[np.arange(self.size), 0, np.arange(self.size)] = 1.0
        return found

    def bending(self, weight: Vector) -> Vector:
        """(n - 1, p) matrix whose squared norm is Σ w (jump)² / distance of the intervals' middles."""
        if self.size == 1:
            return np.zeros((1, 1))
        return np.asarray(np.diff(np.eye(self.size), axis=0) * np.sqrt(_joint(weight) / np.diff(self._middle))[:, None])

    def roughness(self, order: int) -> Vector:
        """Root of ∫ f² for order 0; of the squared jumps for the others, as steps have no slope."""
        if order == 0:
            return np.diag(np.sqrt(2 * self._half))
        return self.bending(np.ones(self.size))

    def line(self) -> Vector:
        """(p, 1) coefficients of 1, all that bends nowhere."""
        return np.ones((self.size, 1))


@dataclass(frozen=True, eq=False, kw_only=True)
class Polyline(Spline):
    """A value at each of the knots (n + 1,), straight between them; p = n + 1 coefficients."""

    @property
    def size(self) -> int:
        """p, the number of coefficients."""
        return self.knots.size

    @cached_property
    def local(self) -> Vector:
        """(n, 5, p) from coefficients to the powers of u: constant and slope."""
        count = self.size - 1
        found = np.zeros((count, SIZE, self.size))
        place = np.arange(count)
        found[place, 0, place], found[place, 0, place + 1] = 0.5, 0.5
        found[place, 1, place], found[place, 1, place + 1] = -0.5, 0.5
        return found

    def bending(self, weight: Vector) -> Vector:
        """(n - 1, p) matrix whose squared norm is Σ w (change of slope)² / distance of the intervals' middles."""
        if self.size == 2:
            return np.zeros((1, 2))
        slopes = np.diff(np.eye(self.size), axis=0) / (2 * self._half)[:, None]
        return np.asarray(np.diff(slopes, axis=0) * np.sqrt(_joint(weight) / np.diff(self._middle))[:, None])

    def line(self) -> Vector:
        """(p, 2) coefficients of 1 and of t scaled to [-1, 1]."""
        low, high = self.knots[0], self.knots[-1]
        return np.column_stack([np.ones(self.size), (2 * self.knots - low - high) / (high - low)])


def _joint(weight: Vector) -> Vector:
    return np.asarray((weight[1:] + weight[:-1]) / 2)
