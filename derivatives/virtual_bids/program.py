r"""The bid curves of a trader who weighs mean against shortfall: one linear program for HiGHS.

.. math:: \max_{q \ge 0, \eta, z \ge 0} \sum_s w_s P_s - \kappa \Bigl(\eta + \frac{1}{1 - \alpha} \sum_s w_s z_s\Bigr), \quad
    P_s = \sum_j a_{sj} q_j, \; z_s \ge -P_s - \eta

j runs over steps: a dec at price p clears in scenario s where the ahead price is at or below p and then earns real − ahead − fee, an inc
where it is at or above p and earns ahead − real − fee; elsewhere :math:`a_{sj} = 0`. Limits hold for the quantity in each hour of a series,
that of the day, the collateral of all bids and, where one is set, the shortfall (the bracket). A bid curve is the steps with a quantity:
what clears grows as the ahead price falls for decs, as it rises for incs, so that no order of steps is needed.
Source: Rockafellar and Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2 (2000).
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csc_array, csr_array, eye_array, hstack, vstack

from tenorgrid.clearing.solver import Solver
from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import Fault, InputError, SolverError
from tenorgrid.derivatives.virtual_bids.scenarios import Scenarios

GAP = 1e-7  # of the objective, relative to 1 USD and its size
LEAST = 1e-9  # quantity below which a step is none
DEC, INC = 1.0, -1.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a trader may bid: quantities an hour, collateral and shortfall in USD; None is no limit.

    `collateral_level` is that of the loss each unit must cover. `shortfall` bounds that of the day's profit at the taste's level: with an
    aversion of 0, the most expected profit within it.
    """

    hourly: float = 1.0  # in each hour of each series, incs and decs together
    daily: float | None = None
    collateral: float | None = None
    collateral_level: float = 0.95
    shortfall: float | None = None

    def __post_init__(self) -> None:
        rules = [
            ("hourly", self.hourly, 0 < self.hourly < np.inf, "a quantity above 0"),
            ("daily", self.daily, self.daily is None or 0 < self.daily < np.inf, "a quantity above 0"),
            ("collateral", self.collateral, self.collateral is None or 0 <= self.collateral < np.inf, "an amount of at least 0"),
            ("collateral_level", self.collateral_level, 0 < self.collateral_level < 1, "a level above 0 and below 1"),
            ("shortfall", self.shortfall, self.shortfall is None or 0 <= self.shortfall < np.inf, "an amount of at least 0"),
        ]
        faults = [Fault(file="limits", column=name, value=str(value), expected=told) for name, value, good, told in rules if not good]
        if faults:
            raise InputError(faults)


@dataclass(frozen=True, kw_only=True)
class Taste:
    """How much a trader minds: `aversion` κ, at least 0, weighs the shortfall at `level` against the mean; `fee` USD a unit that clears."""

    aversion: float = 1.0
    level: float = 0.9
    fee: float = 0.0

    def __post_init__(self) -> None:
        rules = [
            ("aversion", self.aversion, 0 <= self.aversion < np.inf, "at least 0"),
            ("level", self.level, 0 < self.level < 1, "a level above 0 and below 1"),
            ("fee", self.fee, 0 <= self.fee < np.inf, "at least 0"),
        ]
        faults = [Fault(file="taste", column=name, value=f"{value:g}", expected=told) for name, value, good, told in rules if not good]
        if faults:
            raise InputError(faults)


@dataclass(frozen=True, eq=False, kw_only=True)
class Steps:
    """Bids (j,): product, 1 for a dec and −1 for an inc, price and quantity."""

    product: Counts
    side: Vector
    price: Vector
    quantity: Vector

    def cleared(self, ahead: Vector) -> Vector:
        """(n, j) quantities that clear at ahead prices (n, products), 0 elsewhere."""
        return self.quantity * _clears(self, ahead)

    def earned(self, ahead: Vector, real: Vector, *, fee: float) -> Vector:
        """(n,) USD at prices (n, products)."""
        return np.asarray((_pays(self, ahead, real, fee) * self.quantity).sum(axis=1))


@dataclass(frozen=True, eq=False, kw_only=True)
class Bids:
    """The best steps, their mean and shortfall over the scenarios (a loss is positive), collateral held, and what was certified."""

    steps: Steps
    mean: float
    shortfall: float
    collateral: float
    objective: float
    gap: float
    profits: Vector = field(repr=False)  # (scenarios,) USD


def best_bids(told: Scenarios, *, limits: Limits, taste: Taste, prices: int = 5) -> Bids:
    """The bid curves that the program chooses.

    Args:
        told: scenarios of the day.
        limits: quantities and collateral.
        taste: aversion to shortfall, its level, fee.
        prices: steps of each product and side: quantiles of its ahead price; the last of a dec, the first of an inc clears in all.

    Raises `InputError` for fewer than one price, and `SolverError` where HiGHS finds no optimum or one whose dual value is another.
    """
    if prices < 1:
        raise InputError.of("virtual bids", "at least one price", column="prices", value=prices)
    steps = _steps(told, prices)
    pays = _pays(steps, told.ahead, told.real, taste.fee)
    held = collateral_of(pays, told.weight, level=limits.collateral_level)
    quantity, objective, gap = _solved(pays, told.weight, steps, held, limits, taste)
    kept = quantity > LEAST
    chosen = Steps(product=steps.product[kept], side=steps.side[kept], price=steps.price[kept], quantity=quantity[kept])
    profits = pays @ quantity
    return Bids(
        steps=chosen, mean=float(told.weight @ profits), shortfall=shortfall_of(profits, told.weight, level=taste.level),
        collateral=float(held @ quantity), objective=objective, gap=gap, profits=profits,
    )  # fmt: skip


def shortfall_of(profits: Vector, weight: Vector, *, level: float) -> float:
    """Mean loss of the worst 1 − level of the scenarios, USD: the least over η of η + E[max(−P − η, 0)] / (1 − level)."""
    order = np.argsort(profits)
    share = np.clip(1.0 - level - np.concatenate([[0.0], np.cumsum(weight[order])[:-1]]), 0.0, weight[order])
    return float(-(share @ profits[order]) / (1.0 - level))


def collateral_of(pays: Vector, weight: Vector, *, level: float) -> Vector:
    """(j,) USD a unit of each step must hold: the loss that it exceeds in 1 − level of the scenarios, at least 0."""
    order = np.argsort(-pays, axis=0)
    below = np.cumsum(weight[order], axis=0)
    at = (below < level - 1e-12).sum(axis=0)
    return np.asarray(np.maximum(-np.take_along_axis(pays, order, axis=0)[at, np.arange(pays.shape[1])], 0.0))


def _steps(told: Scenarios, prices: int) -> Steps:
    """Every product's steps of both sides, without quantities."""
    products = told.ahead.shape[1]
    grid = np.quantile(told.ahead, np.linspace(0.0, 1.0, prices), axis=0, method="higher") if prices > 1 else None
    decs = told.ahead.max(axis=0)[None, :] if grid is None else grid
    incs = told.ahead.min(axis=0)[None, :] if grid is None else grid
    product = np.tile(np.arange(products), prices)
    return Steps(
        product=np.concatenate([product, product]), side=np.repeat([DEC, INC], prices * products),
        price=np.concatenate([decs.ravel(), incs.ravel()]), quantity=np.ones(2 * prices * products),
    )  # fmt: skip


def _clears(steps: Steps, ahead: Vector) -> Vector:
    return (steps.side * (steps.price - ahead[:, steps.product]) >= 0).astype(np.float64)


def _pays(steps: Steps, ahead: Vector, real: Vector, fee: float) -> Vector:
    """(n, j) USD a unit."""
    gain = steps.side * (real - ahead)[:, steps.product] - fee
    return np.asarray(gain * _clears(steps, ahead))


def _solved(pays: Vector, weight: Vector, steps: Steps, held: Vector, limits: Limits, taste: Taste) -> tuple[Vector, float, float]:
    """Quantities (j,), the objective, and its distance from the dual value."""
    count, width = pays.shape
    products = int(steps.product.max()) + 1
    by_product = csr_array((np.ones(width), (steps.product, np.arange(width))), shape=(products, width))
    rows = [hstack([csr_array(pays), csr_array(np.ones((count, 1))), eye_array(count)])]
    lower, upper = [np.zeros(count)], [np.full(count, np.inf)]
    limited = [(by_product, np.full(products, limits.hourly))]
    if limits.daily is not None:
        limited.append((csr_array(np.ones((1, width))), np.array([limits.daily])))
    if limits.collateral is not None:
        limited.append((csr_array(held[None, :]), np.array([limits.collateral])))
    if limits.shortfall is not None:
        rows.append(csr_array(np.concatenate([np.zeros(width), [1.0], weight / (1.0 - taste.level)])[None, :]))
        lower.append(np.array([-np.inf]))
        upper.append(np.array([limits.shortfall]))
    for matrix, most in limited:
        rows.append(hstack([matrix, csr_array((matrix.shape[0], 1 + count))]))
        lower.append(np.full(matrix.shape[0], -np.inf))
        upper.append(most)
    cost = np.concatenate([-(weight @ pays), [taste.aversion], taste.aversion / (1.0 - taste.level) * weight])
    least = np.concatenate([np.zeros(width), [-np.inf if taste.aversion > 0 or limits.shortfall is not None else 0.0], np.zeros(count)])
    solver = Solver(csc_array(vstack(rows)), method="cold")
    floor, ceiling = np.concatenate(lower), np.concatenate(upper)
    solver.load(cost, np.full(cost.size, np.inf), floor, ceiling, lower=least)
    status = solver.run()
    primal, dual = solver.values()
    if status != "Optimal":
        raise SolverError(f"virtual bids: HiGHS ended without an optimum: {status}")
    objective = float(cost @ primal)
    side = np.where(dual > 0, floor, ceiling)
    bound = float(np.where(np.isfinite(side), side, 0.0) @ dual)
    wrong = float(np.abs(np.where(np.isfinite(side), 0.0, dual)).max(initial=0.0))  # a dual on a side without a bound
    gap = max(abs(objective - bound), wrong)
    if not gap <= GAP * (1.0 + abs(objective)):
        raise SolverError(f"virtual bids: the optimum {objective:g} and its dual value {bound:g} differ")
    return np.maximum(primal[:width], 0.0), -objective, gap
