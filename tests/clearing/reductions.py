"""Small programs of the search, made up directly: a few nodes, much that is divisible, and orders that are decided whole."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog
from scipy.sparse import csc_array

from tenorgrid.clearing.program import BESIDE, Program
from tenorgrid.clearing.reduction import LowerBound, lower_bound
from tenorgrid.clearing.solver import Solver

Vector = npt.NDArray[np.float64]


class Maker:
    """Adds columns and rows one by one."""

    def __init__(self, nodes: int) -> None:
        self.columns: list[tuple[float, float, float, bool]] = []
        self.entries: list[tuple[int, int, float]] = []
        self.rows: list[tuple[float, float]] = [(-np.inf, 0.0)] * nodes  # use − sold ≤ 0

    def column(self, cost: float, upper: float, *entries: tuple[int, float], whole: bool = False) -> int:
        self.columns.append((cost, 0.0, upper, whole))
        self.entries += [(row, len(self.columns) - 1, value) for row, value in entries]
        return len(self.columns) - 1

    def row(self, lower: float, upper: float, *entries: tuple[int, float]) -> None:
        self.rows.append((lower, upper))
        self.entries += [(len(self.rows) - 1, column, value) for column, value in entries]

    def gang(self, value: float, quantity: float, nodes: Sequence[int], share: float = 1.0, cost: float = 0.0) -> int:
        """w, and one m for each node that it needs at the same time."""
        w = self.column(cost, 1.0, whole=True)
        for node in nodes:
            m = self.column(-value, quantity, (node, 1.0))
            self.row(-np.inf, 0.0, (m, 1.0), (w, -quantity))
            self.row(0.0, np.inf, (m, 1.0), (w, -share * quantity))
        return w

    def block(self, price: float, quantity: float, nodes: Sequence[int], cost: float = 0.0) -> int:
        """u, and what is sold in each node if it is committed."""
        u = self.column(cost, 1.0, whole=True)
        for node in nodes:
            sold = self.column(price, quantity, (node, -1.0))
            self.row(0.0, 0.0, (sold, 1.0), (u, -quantity))
        return u

    def program(self) -> Program:
        cost, lower, upper, whole = (np.array(part) for part in zip(*self.columns, strict=True))
        row_lower, row_upper = (np.array(part) for part in zip(*self.rows, strict=True))
        row, column, value = (np.array(part) for part in zip(*self.entries, strict=True))
        given: dict[str, Any] = {
            "hours": np.array([0]),
            "matrix": csc_array((value, (row, column)), shape=(row_lower.size, cost.size)),
            "cost": cost, "lower": lower, "upper": upper, "row_lower": row_lower, "row_upper": row_upper,
            "whole": whole.astype(bool), "physical": np.ones(cost.size, dtype=bool), "hair": np.zeros(row_lower.size),
        }  # fmt: skip
        for name in {one.name for one in fields(Program)} - set(given):  # where columns and rows come from: nothing of it is searched
            given[name] = np.full(cost.size if name.startswith("column") else row_lower.size, BESIDE)
        return Program(**given)


def random_program(seed: int, *, nodes: int = 2, steps: int = 40, orders: int = 4) -> Program:
    """Offers and bids of one node in equal numbers, some at equal prices; gangs, blocks, a group and a tie between two gangs."""
    rng = np.random.default_rng(seed)
    make = Maker(nodes)
    for node in range(nodes):
        for _ in range(steps):
            make.column(float(np.round(rng.uniform(1.0, 6.0), 1)), float(rng.uniform(0.2, 2.0)), (node, -1.0))
            make.column(-float(np.round(rng.uniform(1.0, 9.0), 1)), float(rng.uniform(0.2, 2.0)), (node, 1.0))
    some = [rng.choice(nodes, size=int(rng.integers(1, nodes + 1)), replace=False).tolist() for _ in range(2 * orders)]
    gangs = [
        make.gang(float(rng.uniform(2.5, 6.0)), float(rng.uniform(2.0, 9.0)), some[number], share=float(rng.choice([0.5, 1.0])))
        for number in range(orders)
    ]
    for number in range(orders):
        make.block(float(rng.uniform(1.0, 5.0)), float(rng.uniform(2.0, 9.0)), some[orders + number], cost=float(rng.uniform(0.0, 5.0)))
    make.row(-np.inf, 1.0, *((w, 1.0) for w in gangs[:2]))
    make.row(-np.inf, 0.0, (gangs[-1], 1.0), (gangs[0], -1.0))
    return make.program()


def plain_bound(program: Program) -> LowerBound:
    """The bound from the duals of the plain relaxation."""
    relaxed = program.relaxed(())
    solver = Solver(relaxed.matrix, method="cold")
    solver.load(relaxed.cost, relaxed.upper, relaxed.row_lower, relaxed.row_upper, lower=relaxed.lower)
    solver.run()
    found = lower_bound(program, relaxed=relaxed, dual=solver.values()[1])
    assert found is not None
    return found


def cost_of(program: Program, values: Vector) -> float:
    """What the best of the divisible costs with the whole columns at these values; infinity where nothing is feasible. By SciPy."""
    lower, upper = program.lower.copy(), program.upper.copy()
    lower[program.whole] = upper[program.whole] = values
    matrix, below, above = program.matrix, np.isfinite(program.row_upper), np.isfinite(program.row_lower)
    sides = np.vstack([matrix.toarray()[below], -matrix.toarray()[above]])
    limits = np.r_[program.row_upper[below], -program.row_lower[above]]
    found = linprog(program.cost, A_ub=sides, b_ub=limits, bounds=np.c_[lower, upper], method="highs")
    return np.inf if found.fun is None else float(found.fun)


def best_of_all(program: Program) -> float:
    """The optimum, by going through all binaries."""
    return min(cost_of(program, np.array(choice)) for choice in product((0.0, 1.0), repeat=int(program.whole.sum())))
