"""Which constraints of the user's cannot be met, where a clearing ends without a solution.

Orders may always do nothing, so only a constraint of the user's, or several together, can leave nothing feasible. Each is allowed to be
broken at a price of one a unit, and what is broken even so is named:

    minimise Σ e   subject to   lower ≤ a x + e⁺ − e⁻ ≤ upper   for the user's rows, all others as they are
"""

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csc_array, hstack

from tenorgrid.clearing.coupling import EXTRA
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.program import BESIDE, program
from tenorgrid.data.errors import Fault, InputError

BROKEN = 1e-6  # relative to the bound: less is rounding
SECONDS = 60.0  # a diagnosis is not worth more


def refuse_infeasible(problem: Problem) -> None:
    """Raise InputError with every constraint of the user's that has to be broken; nothing where there is none.

    Args:
        problem: of one horizon, that did not clear.
    """
    faults = [fault for hours in _groups(problem) for fault in _broken(problem, hours)]
    if faults:
        raise InputError(faults)


def _groups(problem: Problem) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    bare = problem.bare()
    return [np.flatnonzero(problem.groups == group) for group in np.unique(problem.groups[~bare])]


def _broken(problem: Problem, hours: np.ndarray[tuple[int], np.dtype[np.int64]]) -> list[Fault]:
    terms = program(problem, hours)
    names = problem.coupling.rows
    kinds = names["kind"].to_numpy()
    mine = np.flatnonzero((terms.row_hour == BESIDE) & (kinds[np.where(terms.row_hour == BESIDE, terms.row_place, 0)] == EXTRA))
    if not mine.size:
        return []
    count, slack = terms.cost.size, np.zeros((terms.row_lower.size, mine.size))
    slack[mine, np.arange(mine.size)] = 1.0
    free = np.concatenate([terms.upper, np.full(2 * mine.size, np.inf)])
    found = milp(
        np.concatenate([np.zeros(count), np.ones(2 * mine.size)]),
        constraints=LinearConstraint(hstack([terms.matrix, csc_array(slack), csc_array(-slack)]).tocsc(), terms.row_lower, terms.row_upper),
        bounds=Bounds(np.concatenate([terms.lower, np.zeros(2 * mine.size)]), free),
        integrality=np.concatenate([terms.whole, np.zeros(2 * mine.size)]),
        options={"time_limit": SECONDS},
    )
    if found.x is None:
        return []
    more, less = found.x[count : count + mine.size], found.x[count + mine.size :]
    bounds = np.where(np.isfinite(terms.row_lower[mine]), terms.row_lower[mine], terms.row_upper[mine])
    return [
        _fault(problem, names.row(int(terms.row_place[row]), named=True), short=float(more[at]), over=float(less[at]))
        for at, row in enumerate(mine)
        if more[at] + less[at] > BROKEN * (1.0 + abs(float(bounds[at])))
    ]


def _fault(problem: Problem, row: dict[str, object], *, short: float, over: float) -> Fault:
    orders, hour = problem.orders, int(str(row["hour"]))
    when = "over the run" if hour < 0 else f"at {orders.span.starts()[hour]:%Y-%m-%dT%H:%MZ}"
    least = f"{short:.6g} short of its lower bound" if short > over else f"{over:.6g} over its upper bound"
    return Fault(
        file="extra_rows",
        column="row",
        value=str(row["id"]),
        expected=f"a constraint that can be met: {when} at {orders.horizon} it is at best {least}",
    )
