"""The best whole solution of a program, by branch and bound on what the hull relaxation leaves open (`reduction`)."""

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from tenorgrid.clearing.program import Program
from tenorgrid.clearing.reduction import LowerBound, Reduction, reduce
from tenorgrid.clearing.solver import SHARED

Vector = npt.NDArray[np.float64]

GAP = 1e-9
PARALLEL_ROWS_AND_COLUMNS = 8192  # a presolve rule of HiGHS that is many times slower than the rest on market problems
GUESS = 5e-8  # relative: the excess that a search starts with; large markets are some 3e-8 above their hull
WIDER = 100.0  # by how much more is left open where nothing whole is feasible in a guess
WIDEST = 1e-2  # a guess beyond which everything is left open
DECIDED = "Optimal"  # said of a search that has nothing left to decide
INFEASIBLE = highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible
ENDED = highspy.HighsModelStatus.kOptimal, *INFEASIBLE


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a search ends before its gap is closed: after `nodes`, and after `seconds` only where they are asked for."""

    nodes: int = 10_000
    seconds: float | None = None

    def less(self, nodes: int, begun: float) -> "Limits":
        """What is left of them after some nodes and since a reading of the clock."""
        left = None if self.seconds is None else max(self.seconds - (perf_counter() - begun), 0.0)
        return Limits(nodes=max(self.nodes - nodes, 0), seconds=left)

    def reached(self) -> bool:
        """Whether nothing is left of them."""
        return self.nodes == 0 or self.seconds == 0.0


@dataclass(frozen=True, kw_only=True)
class Incumbent:
    """What a search found: `values` of the whole columns, 0 or 1 exactly, and a bound on the objective (to be minimised).

    `columns` tells how many the last search had to carry.
    """

    values: Vector = field(repr=False)
    bound: float
    status: str
    columns: int


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What the solver says of one branch and bound: `found` all columns of the unreduced program."""

    found: Vector | None = field(repr=False)
    cost: float  # infinity where nothing was found
    bound: float
    state: highspy.HighsModelStatus
    status: str
    nodes: int
    columns: int


def search(program: Program, *, limits: Limits, bound: LowerBound | None = None) -> Incumbent:
    """Branch and bound to a relative gap of 1e-9 or its limits, with one thread and a fixed seed.

    With a bound from the relaxation, only what may cost less than an excess above it is searched. The excess is guessed first. The guess
    was enough if what was found is within it; if not, what was found tells the excess to search with, and that one is enough. So the
    optimum is that of the whole program, and so is the bound that is returned. The limits hold for all searches together.

    Where the limits end it before anything is found, the incumbent is that nothing new is accepted and nothing committed: everything
    divisible can still trade around it.

    Args:
        program: whose whole columns are free.
        limits: of nodes and seconds.
        bound: on its objective, from row duals of its relaxation; None searches everything.
    """
    if bound is None:
        everything = LowerBound(value=-np.inf, reduced=np.zeros(program.cost.size), dual=np.zeros(program.row_lower.size), scale=1.0)
        run = _branch(reduce(program, everything, excess=np.inf), limits=limits)
        return _incumbent(program, run, run, run.bound)
    return _narrowed(program, bound, limits=limits)


def _narrowed(program: Program, bound: LowerBound, *, limits: Limits) -> Incumbent:
    begun, nodes, excess = perf_counter(), 0, GUESS * bound.scale
    left, best = limits, None
    while True:
        run = _branch(reduce(program, bound, excess=excess), limits=left, start=None if best is None else best.found)
        nodes += run.nodes
        left = limits.less(nodes, begun)
        best = run if best is None or run.cost < best.cost else best
        needed = bound.excess(best.cost)
        infeasible = run.state in INFEASIBLE
        if (needed <= excess and not infeasible) or np.isinf(excess):
            return _incumbent(program, best, run, max(min(run.bound, best.cost), bound.value))
        if run.state not in ENDED or left.reached():
            return _incumbent(program, best, run, bound.value)
        excess = _next(excess, needed, bound)


def _next(excess: float, needed: float, bound: LowerBound) -> float:
    """The excess to search with after one that was too small: what a solution tells, or a wider guess where there is none."""
    if np.isfinite(needed):
        return needed if needed > excess else np.inf
    return WIDER * excess if WIDER * excess <= WIDEST * bound.scale else np.inf


def _incumbent(program: Program, best: _Run, last: _Run, bound: float) -> Incumbent:
    whole, found = program.whole, best.found
    values = program.lower[whole] if found is None else np.clip(np.round(found[whole]), program.lower[whole], program.upper[whole])
    status = last.status if found is not None else f"{last.status}, nothing found"
    return Incumbent(values=values, bound=bound, status=status, columns=last.columns)


def _branch(part: Reduction, *, limits: Limits, start: Vector | None = None) -> _Run:
    """Branch and bound on what is left of a program, from a solution where there is one."""
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its methods carry no types
    for option, value in (SHARED | _options(limits)).items():
        highs.setOptionValue(option, value)
    matrix, (rows, columns) = part.matrix, part.matrix.shape
    highs.passModel(
        columns,
        rows,
        matrix.data.size,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        part.offset,
        part.cost,
        part.lower,
        part.upper,
        part.row_lower,
        part.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        part.whole.astype(np.int32),
    )
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start[part.kept].tolist()
        highs.setSolution(solution)
    highs.run()
    info, state = highs.getInfo(), highs.getModelStatus()
    if state == highspy.HighsModelStatus.kModelEmpty:  # nothing is left to decide
        return _Run(
            found=part.decided, cost=part.offset, bound=part.offset, state=ENDED[0], status=DECIDED, nodes=0, columns=columns
        )  # fmt: skip
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    cost = float(info.objective_function_value) if feasible else np.inf
    return _Run(
        found=part.lift(np.array(highs.getSolution().col_value)) if feasible else None,
        cost=cost,
        bound=float(info.mip_dual_bound) if part.whole.any() else cost,  # a linear program has no bound of its own
        state=state,
        status=str(highs.modelStatusToString(state)),
        nodes=max(int(info.mip_node_count), 0),
        columns=columns,
    )


def _options(limits: Limits) -> dict[str, str | int | float | bool]:
    options: dict[str, str | int | float | bool] = {
        "mip_rel_gap": GAP,
        "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": GAP,
        "mip_max_nodes": limits.nodes,
        "presolve": "on",
        "presolve_rule_off": PARALLEL_ROWS_AND_COLUMNS,
        "mip_heuristic_run_root_reduced_cost": False,  # what is searched has been reduced already
        "mip_heuristic_run_feasibility_jump": False,
    }
    return options if limits.seconds is None else options | {"time_limit": limits.seconds}
