"""The clearing line by this project's engine, hour by hour: `python -m benchmarks.arrays HOURS`."""

import sys

import numpy as np

from benchmarks.measure import Stopwatch, tell
from benchmarks.week import START, week
from tenorgrid.clearing.certificate import certify
from tenorgrid.clearing.state import State
from tenorgrid.clearing.grid import Grid
from tenorgrid.clearing.orders import take_orders
from tenorgrid.clearing.problem import Problem, pose
from tenorgrid.clearing.solver import Basis, Solver, reference_basis, solve
from tenorgrid.clearing.windows import Span
from tenorgrid.data.case import Case


def main(hours: int) -> None:
    """Build, solve, price and certify the week."""
    case, clock = week(hours), Stopwatch()
    with clock.step("build"):
        problem = posed(case, hours)
    with clock.step("reference"):
        reference = reference_basis(problem)
    with clock.step("base"):
        primal, dual = base(problem, reference)
    with clock.step("certify"):
        worst = float(certify(problem, primal=primal, dual=dual).worst().max())
    with clock.step("priced"):
        priced = solve(problem, method="reference", reference=reference)
    if np.abs((problem.cost * (primal - priced.primal)).sum()) > 1e-6 * np.abs((problem.cost * primal).sum()):
        raise SystemExit("the engine's own run gains other than the loop that is timed")
    rows, columns = problem.layout.matrix.shape
    tell(
        **clock.seconds,
        columns=columns * hours,
        rows=rows * hours,
        surplus=-float((problem.cost * primal).sum()),
        worst=worst,
        solve=clock.seconds["reference"] + clock.seconds["base"],
    )


def posed(case: Case, hours: int) -> Problem:
    """From frames to the arrays that the solver takes."""
    market = case.market
    span = Span(first=START, count=hours, interval=market.interval)
    orders = take_orders(case, Grid.of(case), horizon=market.horizons[0], span=span, carrying=set())
    return pose(orders, hours=market.hours, carried=State().virtuals, floor=market.price_floor, cap=market.price_cap)


def base(problem: Problem, reference: Basis) -> tuple[np.ndarray, np.ndarray]:
    """Every hour solved once, without the two further runs of the price rule."""
    solver = Solver(problem.layout.matrix, method="reference")
    solver.start_from(reference)
    found = []
    for hour in range(problem.cost.shape[0]):
        solver.load(problem.cost[hour], problem.upper[hour], problem.row_lower[hour], problem.row_upper[hour])
        solver.run()
        found.append(solver.values())
    primal, dual = zip(*found, strict=True)
    return np.array(primal), np.array(dual)


if __name__ == "__main__":
    main(int(sys.argv[1]))
