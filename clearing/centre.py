"""Prices of one program: the mean of the duals with a hair more and a hair less load (market design, section 6)."""

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, hstack

from tenorgrid.clearing.program import Program
from tenorgrid.clearing.solver import Bounds, Method, Solver, keeps

Vector = npt.NDArray[np.float64]

OPTIMAL = "Optimal"


@dataclass(frozen=True, kw_only=True)
class Centre:
    """Values of a linear program: `dual` is what the solve gave, `price` the mean of the duals with a hair more and less load."""

    primal: Vector = field(repr=False)
    dual: Vector = field(repr=False)
    price: Vector = field(repr=False)
    status: str
    seconds: float
    solver: Solver = field(repr=False, compare=False)  # stands at the end of the solve


def centre(program: Program, *, dearest: float, method: Method = "cold", after: Solver | None = None) -> Centre:
    """Solve a linear program and find its prices.

    Where no more load can be served, because all that is left to move is decided, the price is bounded by the price cap alone: the
    hair of load is then bought at the cap, or for nothing where no bid may use it. The dual face is thereby cut off there; the primal
    never sees that supply.

    Args:
        program: whose whole columns are fixed or relaxed.
        dearest: the price cap times Δ, USD per resource.
        method: how to solve; each from scratch, unless `after` is given.
        after: a solver that stands at the end of the same program with other bounds of its whole columns; it goes on from there.
    """
    begun = perf_counter()
    if after is None:
        solver = Solver(program.matrix, method=method)
        solver.load(program.cost, program.upper, program.row_lower, program.row_upper, lower=program.lower)
    else:
        solver = after
        solver.bound_rows(program.row_lower, program.row_upper)
        solver.bound_columns(program.lower, program.upper, where=program.whole)
    status = solver.run()
    primal, dual = solver.values()
    step = solver.direction(program.hair)
    if all(_stays(program, primal + sign * step, sign) for sign in (1.0, -1.0)):
        return Centre(primal=primal, dual=dual, price=dual, status=status, seconds=perf_counter() - begun, solver=solver)
    duals = [_moved(program, solver, sign, dearest=dearest, method=method) for sign in (1.0, -1.0)]
    price, seconds = (duals[0] + duals[1]) / 2, perf_counter() - begun
    return Centre(primal=primal, dual=dual, price=price, status=status, seconds=seconds, solver=solver)


def _stays(program: Program, primal: Vector, sign: float) -> bool:
    bounds = Bounds(program.lower, program.upper, program.row_lower + sign * program.hair, program.row_upper)
    return keeps(program.matrix, bounds, primal)


def _moved(program: Program, solver: Solver, sign: float, *, dearest: float, method: Method) -> Vector:
    """Duals with a hair more (1) or less (−1) load; with supply at the cap where there is none other."""
    load = program.row_lower + sign * program.hair
    solver.bound_rows(load, program.row_upper)
    if solver.run() == OPTIMAL:
        return solver.duals()
    rows = np.flatnonzero(program.hair > 0.0)
    more = csc_array((np.ones(rows.size), (rows, np.arange(rows.size))), shape=(program.hair.size, rows.size))
    elastic = Solver(csc_array(hstack([program.matrix, more])), method="cold" if method == "warm" else method)
    bought = np.full(rows.size, np.inf)
    elastic.load(
        np.r_[program.cost, np.where(program.wanted[rows], dearest, 0.0)],
        np.r_[program.upper, bought],
        load,
        program.row_upper,
        lower=np.r_[program.lower, np.zeros(rows.size)],
    )
    elastic.run()
    return elastic.duals()
