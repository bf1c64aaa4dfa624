"""What the Pyomo reference finds: the whole optimum, the prices of its binaries held fixed, and the plain relaxation."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pyomo.environ as pyo

from tenorgrid.clearing.reference import reference_model
from tenorgrid.data.case import Case
from tenorgrid.data.errors import SolverError

GAP = 1e-9  # relative, of the search for the whole optimum
BINDS = 1e-7  # duals below it are none
Rule = Literal["whole", "relaxed"]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the reference model found: USD, and per-hour quantities by name. Prices are one of possibly many."""

    surplus: float  # USD, the objective
    prices: dict[tuple[str, str, str, datetime], float] = field(repr=False)  # λ by location, resource, tier, start: USD per sold hour
    premia: dict[tuple[str, str, str, datetime, int], float] = field(repr=False)  # δ of each domain size at a node
    adders: dict[tuple[str, str, datetime], float] = field(repr=False)  # A by region, resource, start
    congestion: dict[tuple[str, datetime], float] = field(repr=False)  # μ by link, start: USD per GiB
    work: dict[tuple[str, datetime], float] = field(repr=False)  # units served by bid, start
    sold: dict[tuple[str, str, int, str, datetime], float] = field(repr=False)  # listed hours Y by offer, resource, step, tier, start
    accepted: dict[str, float]  # w by gang; between 0 and 1 in the relaxation
    committed: dict[tuple[str, datetime], float] = field(repr=False)  # u by offer, start
    binding: dict[str, int] = field(repr=False)  # how many constraints of each family bind


def solve_reference(case: Case, *, horizon: str, starts: Iterable[datetime] | None = None, rule: Rule = "whole") -> Reference:
    """Clear the intervals of one horizon with Pyomo and HiGHS: `solve_model` of `reference_model`.

    Raises InputError as the model does, SolverError where the solver does not report an optimum.

    >>> from tenorgrid.data.case import read_case
    >>> case = read_case("packaged")
    >>> found = solve_reference(case, horizon="real-time", starts=[case.bids["start"].min()])
    >>> found.accepted
    {}
    """
    return solve_model(reference_model(case, horizon=horizon, starts=starts), rule=rule)


def solve_model(model: Any, *, rule: Rule = "whole") -> Reference:
    """Solve a reference model, with whatever constraints were added to it.

    Args:
        model: as `reference_model` gives it; left with the solution in its variables.
        rule: "whole" keeps every binary whole, and prices are the duals of the linear problem in which they are held at the optimum;
            "relaxed" lets them lie between 0 and 1, whose value is no less.

    Raises SolverError where the solver does not report an optimum.
    """
    whole = [var for var in model.component_data_objects(pyo.Var) if var.is_integer() and not var.fixed]
    if whole and rule == "whole":
        _solve(model)
        for var in whole:
            var.fix(round(pyo.value(var)))
    linear = _continuous(model)
    duals = _solve(linear)
    for var in whole:
        var.unfix()
    for var, solved in zip(model.component_data_objects(pyo.Var), linear.component_data_objects(pyo.Var), strict=True):
        var.set_value(solved.value, skip_validation=True)
    return _read(linear, duals)


def _continuous(model: Any) -> Any:
    """A copy in which nothing is whole; what is fixed stays so."""
    copy = model.clone()
    for var in copy.component_data_objects(pyo.Var):
        if var.is_integer():
            low, high = var.bounds
            var.domain = pyo.Reals
            var.setlb(low)
            var.setub(high)
    return copy


def _solve(model: Any) -> dict[str, dict[Any, float]]:
    """Solve in place; the duals of a linear problem by constraint and index."""
    from pyomo.contrib.appsi.base import TerminationCondition  # slow imports
    from pyomo.contrib.appsi.solvers.highs import Highs

    solver = Highs()
    solver.config.load_solution = False
    solver.highs_options = {
        "mip_rel_gap": GAP,
        "mip_abs_gap": GAP,
        "mip_feasibility_tolerance": 1e-9,
        "primal_feasibility_tolerance": 1e-9,
        "dual_feasibility_tolerance": 1e-9,
        "threads": 1,
        "random_seed": 0,
    }
    result = solver.solve(model)
    if result.termination_condition != TerminationCondition.optimal:
        raise SolverError(f"the reference model ended with {result.termination_condition.name}, not with an optimum")
    result.solution_loader.load_vars()
    if any(var.is_integer() for var in model.component_data_objects(pyo.Var)):
        return {}
    found = result.solution_loader.get_duals()
    return {
        family.local_name: {index: float(found.get(row, 0.0)) for index, row in family.items()}
        for family in model.component_objects(pyo.Constraint, active=True)
    }


def _read(model: Any, duals: dict[str, dict[Any, float]]) -> Reference:
    hours = float(model.hours)

    def price(family: str) -> dict[Any, float]:
        return {index: abs(dual) / hours for index, dual in duals.get(family, {}).items()}  # each row has one sign only

    work: dict[tuple[str, datetime], float] = {}
    for bid, _, _, t in model.m:
        work.setdefault((bid, t), 0.0)
    for (bid, _, _, t), var in model.m.items():
        work[bid, t] += float(pyo.value(var))
    return Reference(
        surplus=float(pyo.value(model.surplus)),
        prices=price("balance"),
        premia=price("domains"),
        adders=price("reserve"),
        congestion=price("link"),
        work=work,
        sold={index: float(pyo.value(var)) for index, var in model.Y.items()},
        accepted={bid: float(pyo.value(var)) for bid, var in model.w.items()},
        committed={index: float(pyo.value(var)) for index, var in model.u.items()},
        binding={family: sum(1 for dual in rows.values() if abs(dual) > BINDS) for family, rows in duals.items()},
    )
