"""Between which two orders a price lies that no order taken in part sets, or which orders set it jointly.

The equations of an interval leave some prices free to move, together and in proportion. How far a price can move before an order
objects is its interval; the market publishes the mean of what a hair more and a hair less load would give, which is the middle where
one thing alone is free. Where nothing is free, the price is a sum of what several orders say.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.insight.conditions import Condition, Conditions

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

FREE = 1e-7  # a price whose share in every free direction is below this, relative to its size, is fixed
TIGHT = 1e-6  # relative: an order objects to a price by no less than this
LOWER, UPPER = "lower", "upper"
LIMITS = {
    "limit": pl.String, "at": pl.Float64, "what": pl.String, "id": pl.String, "step": pl.Int64, "participant": pl.String,
    "where": pl.String, "why": pl.String,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a price stands among the orders.

    `limits` has every order that limits its moving, as the price of this node at which it would object; empty where the price is fixed.
    `sources` says which orders fix it jointly, as amounts that add up to it; empty where it is free. `broken` counts orders that object
    to the published prices, as they may at hull prices; `moving` names the prices that move with it.
    """

    limits: pl.DataFrame = field(repr=False)
    sources: tuple[tuple[Condition, float], ...] = field(repr=False)
    broken: int
    moving: tuple[str, ...]


def standing(found: Conditions, at: int) -> Standing:
    """Where price `at` of an interval stands.

    Args:
        found: what the orders of the interval say.
        at: number of the price among `found.price`.
    """
    scale = np.maximum(np.abs(found.price), 1e-6)
    matrix, limit = _matrix(found)
    tight = np.array([row.tight for row in found.rows], dtype=bool)
    slack = matrix @ found.price - limit
    size = np.abs(matrix) @ scale + np.abs(limit)
    off = np.where(tight, np.abs(slack), -slack) > TIGHT * np.maximum(size, 1e-9)
    touching = _component(matrix, tight & ~off, at)
    broken = int((off & (np.abs(matrix[:, touching]).sum(axis=1) > 0.0)).sum())
    direction = _direction(matrix[tight & ~off] * scale, at) * scale
    if direction[at] == 0.0:
        return Standing(limits=_limits([]), sources=_sources(found, matrix, limit, tight & ~off, at, scale), broken=broken, moving=())
    along = matrix @ (direction / direction[at])
    stops = np.abs(along) * scale[at] > FREE * size
    stops &= ~tight & ~off
    rows = [
        (found.rows[row], LOWER if along[row] > 0 else UPPER, float(found.price[at] - slack[row] / along[row]))
        for row in np.flatnonzero(stops)
    ]
    moving = tuple(found.names[other] for other in np.flatnonzero(np.abs(direction) > FREE * scale) if other != at)
    return Standing(limits=_limits(rows), sources=(), broken=broken, moving=moving)


def _matrix(found: Conditions) -> tuple[Matrix, Vector]:
    matrix = np.zeros((len(found.rows), found.price.size))
    for number, row in enumerate(found.rows):
        for at, value in row.terms.items():
            matrix[number, at] = value
    return matrix, np.array([row.limit for row in found.rows])


def _component(matrix: Matrix, tight: npt.NDArray[np.bool_], at: int) -> npt.NDArray[np.bool_]:
    """Prices that equations join to price `at`, itself included."""
    joined = np.zeros(matrix.shape[1], dtype=bool)
    joined[at] = True
    linked = np.abs(matrix[tight]) > 0.0
    while True:
        rows = (linked & joined).any(axis=1)
        more = joined | linked[rows].any(axis=0)
        if (more == joined).all():
            return joined
        joined = more


def _direction(equations: Matrix, at: int) -> Vector:
    """How prices move when price `at` does and every equation holds: its projection onto their null space; zero where it is fixed."""
    target = np.zeros(equations.shape[1])
    target[at] = 1.0
    size = np.linalg.norm(equations, axis=1)
    rows = equations[size > 0] / size[size > 0, None]
    if not rows.size:
        return target
    _, values, basis = np.linalg.svd(rows, full_matrices=True)
    rank = int((values > 1e-9 * values[0]).sum())
    free = basis[rank:]
    moved = free.T @ (free @ target)
    moved[np.abs(moved) < FREE] = 0.0
    return moved if abs(moved[at]) > FREE else np.zeros_like(target)


def _sources(
    found: Conditions, matrix: Matrix, limit: Vector, tight: npt.NDArray[np.bool_], at: int, scale: Vector
) -> tuple[tuple[Condition, float], ...]:
    """The equations that fix a price, each with what it adds: limits of orders and costs of moving data, weighted."""
    from scipy.linalg import qr  # slow import, only needed here

    rows = np.flatnonzero(tight)
    equations = matrix[rows] * scale
    size = np.maximum(np.linalg.norm(equations, axis=1), 1e-300)
    spread = (equations / size[:, None]).T
    _, triangle, order = qr(spread, mode="economic", pivoting=True)
    rank = int((np.abs(np.diag(triangle)) > 1e-9 * abs(triangle[0, 0])).sum())
    chosen = order[:rank]
    target = np.zeros(scale.size)
    target[at] = scale[at]
    weight = np.linalg.lstsq(spread[:, chosen], target, rcond=None)[0] / size[chosen]
    said = [(found.rows[rows[row]], float(part * limit[rows[row]])) for row, part in zip(chosen, weight, strict=True)]
    kept = [(row, amount) for row, amount in said if abs(amount) > 1e-9 * scale[at]]
    return tuple(sorted(kept, key=lambda one: -abs(one[1])))


def _limits(rows: list[tuple[Condition, str, float]]) -> pl.DataFrame:
    found = [
        {
            "limit": limit, "at": at, "what": row.what, "id": row.id, "step": row.step, "participant": row.participant,
            "where": row.where, "why": row.why,
        }
        for row, limit, at in rows
    ]  # fmt: skip
    return pl.DataFrame(found, schema=LIMITS).sort("limit", "at", "id", nulls_last=True)
