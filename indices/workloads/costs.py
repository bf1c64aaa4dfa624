"""What a unit of work costs by each recipe at given prices, the cheapest, and what prices and recipes each did to it.

The cheapest recipe is the dual of clearing: a market that serves work at prices λ prices a unit of it at
:math:`\\omega = \\min_{a,l} \\sum_j x_{aj} \\lambda_{jl} / \\varphi_a + c_l`, over recipes a and places l that work can be carried to at c.
Where the cheapest chip is short on the day, clearing runs a mix of recipes; its prices then hold a rent such that every recipe of the mix
costs ω. So the formula needs no quantities: they are in the prices. As a minimum of linear functions ω is monotone, concave and
homogeneous of degree 1 in prices.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

NONE = -1
TIE = 1e-12  # relative: recipes that cost the same but for rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Cheapest:
    """The cheapest way of each day and the next: (days,) cost in USD, inf where there is none, and place of the way, -1 where none."""

    cost: Vector
    way: Places
    next_cost: Vector
    next_way: Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What moved the cost since the day before, (days,) USD each; NaN where no recipe is there on both days.

    `prices`: of ways available on both days. `entering`: of ways that are new, never above 0. `leaving`: of ways that are gone, never
    below 0. They sum to the change of the least cost.
    """

    prices: Vector
    entering: Vector
    leaving: Vector


def unit_costs(prices: Vector, use: Vector, output: Vector, carriage: Vector | None = None) -> Vector:
    r"""USD per unit of work of each way on each day: :math:`\sum_j x_{aj} p_{tj} / \varphi_a + c_a`.

    Args:
        prices: (days, resources) USD per resource-hour; NaN where there is none.
        use: (ways, resources) resource-hours in a recipe-hour, x.
        output: (ways,) units of work in a recipe-hour, φ.
        carriage: (ways,) USD per unit of work carried to where it is done; None is nothing.

    Returns (days, ways) USD; inf where a resource that the way uses has no price.

    >>> mark = np.array([[2.5]])
    >>> tokens, steps = np.array([1500 * 3600 / 1e6]), np.array([3600 / 1.2])  # of one accelerator, and of eight
    >>> [round(float(unit_costs(mark, np.array([[many]]), made)[0, 0]), 8) for many, made in ((1.0, tokens), (8.0, steps))]
    [0.46296296, 0.00666667]
    """
    per_unit = use.T / output
    known = ~np.isnan(prices)
    missing = (~known).astype(np.float64) @ (per_unit > 0) > 0
    cost = np.where(known, prices, 0.0) @ per_unit + (0.0 if carriage is None else carriage)
    return np.where(missing, np.inf, cost)


def cheapest(costs: Vector) -> Cheapest:
    """The cheapest way of each day and the runner-up; of ways that cost the same the first wins.

    Args:
        costs: (days, ways) what `unit_costs` gives, the ways in the order in which ties are broken.
    """
    days = np.arange(len(costs))
    way = _first_least(costs)
    rest = costs.copy()
    rest[days, way] = np.inf
    following = _first_least(rest)
    cost, next_cost = costs[days, way], rest[days, following]
    return Cheapest(
        cost=cost,
        way=np.where(np.isinf(cost), NONE, way),
        next_cost=next_cost,
        next_way=np.where(np.isinf(next_cost), NONE, following),
    )


def change(costs: Vector) -> Change:
    r"""The change of the least cost since the day before, split by what caused it.

    With :math:`A_t` the ways available on day t, :math:`B = A_{t-1} \cap A_t` and :math:`C_t(A)` the least cost of ways A at t's prices:
    prices :math:`C_t(B) - C_{t-1}(B)`, entering :math:`C_t(A_t) - C_t(B)`, leaving :math:`C_{t-1}(B) - C_{t-1}(A_{t-1})`.

    Args:
        costs: (days, ways) what `unit_costs` gives.

    The first day has no day before it.

    >>> moved = change(np.array([[2.0, 3.0, np.inf], [2.5, np.inf, 1.0], [np.inf, 4.0, 1.5]]))
    >>> [float(part[1]) for part in (moved.prices, moved.entering, moved.leaving)]
    [0.5, -1.5, 0.0]
    >>> [float(part[2]) for part in (moved.prices, moved.entering, moved.leaving)]
    [0.5, 0.0, 0.0]
    """
    before, after = costs[:-1], costs[1:]
    both = np.isfinite(before) & np.isfinite(after)
    old, new = np.where(both, before, np.inf).min(axis=1), np.where(both, after, np.inf).min(axis=1)
    none = ~both.any(axis=1)
    old, new = np.where(none, np.nan, old), np.where(none, np.nan, new)
    first = np.array([np.nan])
    return Change(
        prices=np.concatenate([first, new - old]),
        entering=np.concatenate([first, np.where(none, np.nan, after.min(axis=1)) - new]),
        leaving=np.concatenate([first, old - np.where(none, np.nan, before.min(axis=1))]),
    )


def _first_least(costs: Vector) -> Places:
    least = costs.min(axis=1, keepdims=True)
    return np.asarray((costs <= least + TIE * np.abs(least)).argmax(axis=1), dtype=np.int64)
