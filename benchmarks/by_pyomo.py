"""A sheet in Pyomo, as one writes it by hand, with appsi_highs."""

from collections import defaultdict
from typing import Any

import numpy as np
import pyomo.environ as pyo

from benchmarks.rival import Solved, told
from benchmarks.sheet import CAPACITY, CARRIAGE, CLASSES, LINKS, NODES, Sheet, ways

Terms = defaultdict[tuple[int, int], list[Any]]


def build(sheet: Sheet) -> pyo.ConcreteModel:
    """The whole market as one model: bounds on the variables, a balance per node, work per class and a row per link in every hour."""
    model, how = pyo.ConcreteModel(), ways()
    hours, node, group = range(sheet.hours), sheet.node.tolist(), sheet.group.tolist()
    offered, cost, wanted, value = (part.tolist() for part in (sheet.offered, sheet.cost, sheet.wanted, sheet.value))
    model.sold = pyo.Var(hours, range(len(node)), bounds=lambda _, t, at: (0, offered[t][at]))
    model.served = pyo.Var(hours, range(len(group)), bounds=lambda _, t, at: (0, wanted[t][at]))
    model.run = pyo.Var(hours, range(how.link.size), within=pyo.NonNegativeReals)
    supply: Terms = defaultdict(list)
    demand: Terms = defaultdict(list)
    gain: list[Any] = []
    for t in hours:
        for at, where in enumerate(node):
            supply[t, where].append(model.sold[t, at])
            gain.append(-cost[t][at] * model.sold[t, at])
        for at, where in enumerate(group):
            demand[t, where].append(model.served[t, at])
            gain.append(value[t][at] * model.served[t, at])
        gain.extend(-CARRIAGE * float(moved) * model.run[t, way] for way, moved in enumerate(how.moved) if moved)
    for add in (_jobs, _gangs, _blocks):
        add(model, sheet, supply, demand, gain)
    use = [[(int(way), float(how.use[j, way])) for way in np.flatnonzero(how.use[j])] for j in range(NODES)]
    made = [[(int(way), float(how.output[way])) for way in np.flatnonzero(how.of_class == n)] for n in range(CLASSES)]
    moved = [[(int(way), float(how.moved[way])) for way in np.flatnonzero(how.link == e)] for e in range(len(LINKS))]
    model.balance = pyo.Constraint(
        hours, range(NODES), rule=lambda m, t, j: pyo.quicksum(x * m.run[t, way] for way, x in use[j]) <= pyo.quicksum(supply[t, j])
    )
    model.work = pyo.Constraint(
        hours, range(CLASSES), rule=lambda m, t, n: pyo.quicksum(demand[t, n]) == pyo.quicksum(out * m.run[t, way] for way, out in made[n])
    )
    model.links = pyo.Constraint(
        hours, range(len(LINKS)), rule=lambda m, t, e: pyo.quicksum(gib * m.run[t, way] for way, gib in moved[e]) <= CAPACITY
    )
    model.objective = pyo.Objective(expr=pyo.quicksum(gain), sense=pyo.maximize)
    return model


def _inside(first: Any, end: Any) -> list[tuple[int, int]]:
    return [(t, at) for at, (begin, stop) in enumerate(zip(first, end, strict=True)) for t in range(begin, stop)]


def _jobs(model: pyo.ConcreteModel, sheet: Sheet, supply: Terms, demand: Terms, gain: list[Any]) -> None:
    jobs = sheet.jobs
    quantity, price = jobs.quantity.tolist(), jobs.price.tolist()
    model.job = pyo.Var(_inside(jobs.first, jobs.end), bounds=lambda _, t, at: (0, quantity[at]))
    work: defaultdict[int, list[Any]] = defaultdict(list)
    for (t, at), served in model.job.items():
        demand[t, int(jobs.place[at])].append(served)
        work[at].append(served)
        gain.append(price[at] * served)
    model.total = pyo.Constraint(range(jobs.count), rule=lambda _, at: pyo.quicksum(work[at]) <= float(jobs.total[at]))


def _gangs(model: pyo.ConcreteModel, sheet: Sheet, supply: Terms, demand: Terms, gain: list[Any]) -> None:
    gangs = sheet.gangs
    quantity, price, share = gangs.quantity.tolist(), gangs.price.tolist(), gangs.share.tolist()
    inside = _inside(gangs.first, gangs.end)
    model.accepted = pyo.Var(range(gangs.count), within=pyo.Binary)
    model.gang = pyo.Var(inside, bounds=lambda _, t, at: (0, quantity[at]))
    model.most = pyo.Constraint(inside, rule=lambda m, t, at: m.gang[t, at] <= quantity[at] * m.accepted[at])
    model.least = pyo.Constraint(inside, rule=lambda m, t, at: m.gang[t, at] >= share[at] * quantity[at] * m.accepted[at])
    for (t, at), served in model.gang.items():
        demand[t, int(gangs.place[at])].append(served)
        gain.append(price[at] * served)


def _blocks(model: pyo.ConcreteModel, sheet: Sheet, supply: Terms, demand: Terms, gain: list[Any]) -> None:
    blocks = sheet.blocks
    inside = _inside(blocks.first, blocks.end)
    slow = [(t, at) for t, at in inside if blocks.start_cost[at] > 0]
    late = {(t, at) for t, at in slow if t > blocks.end[at] - blocks.least[at]}  # a run that could not last
    model.on = pyo.Var(inside, within=pyo.Binary)
    model.begun = pyo.Var(slow, within=pyo.Binary, bounds=lambda _, t, at: (0, 0 if (t, at) in late else 1))
    model.start = pyo.Constraint(
        slow, rule=lambda m, t, at: m.begun[t, at] >= m.on[t, at] - (m.on[t - 1, at] if t > blocks.first[at] else 0)
    )
    model.running = pyo.Constraint(
        slow,
        rule=lambda m, t, at: (
            pyo.quicksum(m.begun[since, at] for since in range(max(t - int(blocks.least[at]) + 1, int(blocks.first[at])), t + 1))
            <= m.on[t, at]
        ),
    )
    for (t, at), on in model.on.items():
        supply[t, int(blocks.place[at])].append(float(blocks.quantity[at]) * on)
        gain.append(-float(blocks.quantity[at] * blocks.price[at]) * on)
    gain.extend(-float(blocks.start_cost[at]) * begun for (_, at), begun in model.begun.items())


def solve(model: pyo.ConcreteModel, options: dict[str, Any]) -> Solved:
    """Solve, with the values read back into the model."""
    solver = pyo.SolverFactory("appsi_highs")
    solver.highs_options = dict(options)
    solver.solve(model)
    return Solved(
        surplus=float(pyo.value(model.objective)),
        columns=sum(1 for _ in model.component_data_objects(pyo.Var)),
        rows=sum(1 for _ in model.component_data_objects(pyo.Constraint)),
    )


if __name__ == "__main__":
    told(build, solve)
