"""The admissible interval of the price of every node of a run."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from tenorgrid.clearing.admissible import admissible
from tenorgrid.clearing.engine import Cleared
from tenorgrid.clearing.layout import NOWHERE
from tenorgrid.clearing.program import Program, program
from tenorgrid.data.kinds.market import PricingRule

Nodes = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

ROUNDING = 1e-7  # relative: an interval that is narrower is a point


def node_intervals(run: Cleared, rule: PricingRule) -> tuple[Nodes, Nodes]:
    """Least and largest optimal price of each node, USD per sold hour, shaped as `NodePrices.price` and within the bounds of the market.

    Where nothing is offered, and where the price is held at a bound, both are the published price.
    """
    shape, problem, nodes = run.problem.layout, run.problem, run.priced[rule].nodes
    low, high = nodes.price.copy(), nodes.price.copy()
    for terms, primal in _solved(run, rule):
        place = {(int(hour), int(row)): at for at, (hour, row) in enumerate(zip(terms.row_hour, terms.row_place, strict=True))}
        wanted = [
            (int(hour), *node)
            for node in map(tuple, np.argwhere(shape.balance_row != NOWHERE))
            for hour in terms.hours
            if problem.capacity[(hour, *node)] > 0.0 and (int(hour), int(shape.balance_row[node])) in place
        ]
        rows = np.array([place[hour, int(shape.balance_row[tuple(node)])] for hour, *node in wanted], dtype=np.int64)
        least, most = admissible(terms, primal=primal, rows=rows)
        for at, node in enumerate(wanted):
            bounds = np.clip([least[at] / problem.hours, most[at] / problem.hours], run.floor, run.cap)
            room = ROUNDING * (1.0 + abs(nodes.price[node]))
            low[node] = bounds[0] if bounds[0] < nodes.price[node] - room else nodes.price[node]
            high[node] = bounds[1] if bounds[1] > nodes.price[node] + room else nodes.price[node]
    return low, high


def _solved(run: Cleared, rule: PricingRule) -> Iterator[tuple[Program, Vector]]:
    """Each problem that was solved, with its primal values."""
    joint_hours = np.concatenate([np.zeros(0, dtype=np.int64), *(joint.program.hours for joint in run.joints)])
    for hour in np.setdiff1d(np.arange(run.problem.cost.shape[0]), joint_hours):
        terms = program(run.problem, np.array([hour]))
        yield terms, run.primal[hour, terms.column_place]
    for joint in run.joints:
        if rule is PricingRule.MARGINAL:
            yield joint.program, joint.primal
        else:
            yield joint.hull_program, joint.hull_primal
