"""One horizon over some intervals: solve, certify, solve again by another method where the certificate fails, and publish or refuse."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.certificate import LIMIT, Certificate, certify
from tenorgrid.clearing.pricing import NodePrices, WorkPrices, node_prices, work_prices
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.solver import METHODS, Basis, Method, Solution, solve
from tenorgrid.data.errors import SolverError
from tenorgrid.data.kinds import HullKind
from tenorgrid.data.terms.market import Market

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """A certified clearing of one horizon over some intervals, in arrays; `price` are the row duals that are published."""

    problem: Problem
    primal: Matrix = field(repr=False)  # (intervals, columns)
    price: Matrix = field(repr=False)  # (intervals, rows)
    nodes: NodePrices
    work: WorkPrices
    certificate: pl.DataFrame


def clear_problem(problem: Problem, *, market: Market, reference: Basis | None) -> Cleared:
    """Clear every interval of a problem and certify it.

    The primal and the plain duals, and the primal and the published duals, must both pass the certificate. An interval that fails
    is solved again from scratch by another method.

    Args:
        problem: of one horizon.
        market: price bounds.
        reference: basis that every interval starts from; None solves each cold.

    Raises SolverError, and publishes nothing, where the second method fails too.
    """
    method: Method = "cold" if reference is None else "reference"
    solution = solve(problem, method=method, reference=reference)
    certificate, rule = _measure(problem, solution)
    methods = np.full(problem.cost.shape[0], METHODS[method], dtype=object)
    failed = np.flatnonzero(~certificate.passes())
    if failed.size:
        again = solve(_only(problem, failed), method="second")
        solution = _merged(solution, again, failed)
        certificate, rule = _measure(problem, solution)
        methods[failed] = METHODS["second"]
    _refuse(problem, certificate, solution)
    price = np.where(rule[:, None] == "hair", solution.price, solution.dual)
    nodes = node_prices(problem, dual=price, market=market)
    return Cleared(
        problem=problem,
        primal=np.maximum(solution.primal, 0.0),
        price=price,
        nodes=nodes,
        work=work_prices(problem.layout, nodes),
        certificate=_table(problem, certificate, solution, methods, rule),
    )


def _measure(problem: Problem, solution: Solution) -> tuple[Certificate, npt.NDArray[np.object_]]:
    """The certificate of what would be published: the hair prices where they are optimal for the unmoved problem, else the plain duals."""
    plain = certify(problem, primal=solution.primal, dual=solution.dual)
    hair = certify(problem, primal=solution.primal, dual=solution.price)
    stands = hair.passes()
    rule = np.where(stands, "hair", "plain").astype(object)
    parts = {
        name: np.where(stands, np.maximum(getattr(hair, name), getattr(plain, name)), getattr(plain, name))
        for name in Certificate.__annotations__
    }
    return Certificate(**parts), rule


def _only(problem: Problem, hours: npt.NDArray[np.int64]) -> Problem:
    return replace(
        problem,
        cost=problem.cost[hours],
        upper=problem.upper[hours],
        row_lower=problem.row_lower[hours],
        row_upper=problem.row_upper[hours],
        capacity=problem.capacity[hours],
        wanted=problem.wanted[hours],
        groups=problem.groups[hours],
    )


def _merged(first: Solution, second: Solution, hours: npt.NDArray[np.int64]) -> Solution:
    parts = {}
    for name in ("primal", "dual", "price", "seconds"):
        values = getattr(first, name).copy()
        values[hours] = getattr(second, name)
        parts[name] = values
    status = list(first.status)
    for hour, said in zip(hours, second.status, strict=True):
        status[hour] = said
    return Solution(status=tuple(status), **parts)


def _refuse(problem: Problem, certificate: Certificate, solution: Solution) -> None:
    failed = np.flatnonzero(~certificate.passes())
    if failed.size:
        worst = failed[np.argmax(certificate.worst()[failed])]
        start = problem.orders.span.part(int(worst), int(worst) + 1).first
        raise SolverError(
            f"{problem.orders.horizon}: {failed.size} intervals do not pass their certificate (limit {LIMIT:g}), the worst "
            f"{start:%Y-%m-%dT%H:%MZ} with {certificate.worst()[worst]:.3g} and status {solution.status[worst]}; nothing is published"
        )


def _table(
    problem: Problem, certificate: Certificate, solution: Solution, methods: npt.NDArray[np.object_], rule: npt.NDArray[np.object_]
) -> pl.DataFrame:
    rows, columns = problem.layout.matrix.shape
    return pl.DataFrame(
        {
            "horizon": [problem.orders.horizon] * len(methods),
            "start": problem.orders.span.starts(),
            "method": methods.tolist(),
            "status": list(solution.status),
            "hours": [1] * len(methods),
            "hull": pl.Series([HullKind.CONVEX.value] * len(methods), dtype=pl.Enum([kind.value for kind in HullKind])),
            "incumbent_gap": pl.Series([None] * len(methods), dtype=pl.Float64),
            "hull_gap": certificate.gap,
            "primal": certificate.primal,
            "dual": certificate.dual,
            "complementarity": certificate.complementarity,
            "gap": certificate.gap,
            "price_rule": rule.tolist(),
            "columns": [columns] * len(methods),
            "rows": [rows] * len(methods),
            "seconds": solution.seconds,
        }
    )
