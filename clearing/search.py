"""The best whole solution of a program, by branch and bound."""

from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt

from tenorgrid.clearing.program import Program
from tenorgrid.clearing.solver import SHARED

Vector = npt.NDArray[np.float64]

GAP = 1e-9
PARALLEL_ROWS_AND_COLUMNS = 8192  # a presolve rule of HiGHS that is many times slower than the rest on market problems


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When a search ends before its gap is closed: after `nodes`, and after `seconds` only where they are asked for."""

    nodes: int = 1_000_000
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Incumbent:
    """What a search found: `values` of the whole columns, 0 or 1 exactly, and its own bound on the objective (to be minimised)."""

    values: Vector = field(repr=False)
    bound: float
    status: str


def search(program: Program, *, limits: Limits) -> Incumbent:
    """Branch and bound to a relative gap of 1e-9 or its limits, with one thread and a fixed seed.

    Where the limits end it before anything is found, the incumbent is that nothing new is accepted and nothing committed: everything
    divisible can still trade around it.
    """
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its methods carry no types
    for option, value in (SHARED | _options(limits)).items():
        highs.setOptionValue(option, value)
    matrix, (rows, columns) = program.matrix, program.matrix.shape
    highs.passModel(
        columns,
        rows,
        matrix.data.size,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        program.cost,
        program.lower,
        program.upper,
        program.row_lower,
        program.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        program.whole.astype(np.int32),
    )
    highs.run()
    info = highs.getInfo()
    found = (
        np.array(highs.getSolution().col_value) if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible else None
    )
    whole = program.whole
    values = program.lower[whole] if found is None else np.clip(np.round(found[whole]), program.lower[whole], program.upper[whole])
    status = str(highs.modelStatusToString(highs.getModelStatus()))
    return Incumbent(values=values, bound=float(info.mip_dual_bound), status=status if found is not None else f"{status}, nothing found")


def _options(limits: Limits) -> dict[str, str | int | float | bool]:
    options: dict[str, str | int | float | bool] = {
        "mip_rel_gap": GAP,
        "mip_abs_gap": 0.0,
        "mip_feasibility_tolerance": GAP,
        "mip_max_nodes": limits.nodes,
        "presolve": "on",
        "presolve_rule_off": PARALLEL_ROWS_AND_COLUMNS,
    }
    return options if limits.seconds is None else options | {"time_limit": limits.seconds}
