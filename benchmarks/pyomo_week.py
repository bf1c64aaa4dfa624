"""The clearing line in Pyomo with appsi_highs, all hours in one model: `python -m benchmarks.pyomo_week HOURS`.

The same market written as one writes it by hand: a variable per step and per link, bounds on the variables, a balance per region and hour.
Presolve is off, as it is in the engine: HiGHS's presolve rule for parallel rows and columns makes such problems eight to ten times slower.
"""

import sys

import pyomo.environ as pyo

from benchmarks.measure import Stopwatch, tell
from benchmarks.week import CAPACITY, CARRIAGE, REGIONS, START, week


def main(hours: int) -> None:
    """Build and solve the week."""
    case, clock = week(hours), Stopwatch()
    columns = ["location", "quantity", "price"]
    offers = case.offers.with_columns(((case.offers["start"] - START).dt.total_hours()).alias("hour")).select("hour", *columns).rows()
    columns = ["home", "quantity", "value"]
    bids = case.bids.with_columns(((case.bids["start"] - START).dt.total_hours()).alias("hour")).select("hour", *columns).rows()
    links = [(hour, a, b) for hour in range(hours) for a in REGIONS for b in REGIONS if a != b]
    with clock.step("build"):
        model = written(offers, bids, links, hours)
    with clock.step("solve"):
        solver = pyo.SolverFactory("appsi_highs")
        solver.highs_options = {"presolve": "off", "threads": 1}
        solver.solve(model)
        prices = [abs(model.dual[row]) for row in model.balance.values()]
    count = len(offers) + len(bids) + len(links)
    tell(**clock.seconds, columns=count, rows=len(prices), surplus=float(pyo.value(model.objective)))


def written(
    offers: list[tuple[int, str, float, float]], bids: list[tuple[int, str, float, float]], links: list[tuple[int, str, str]], hours: int
) -> pyo.ConcreteModel:
    """The model of a week: offers and bids as (hour, region, quantity, price), links as (hour, from, to)."""
    model = pyo.ConcreteModel()
    model.sold = pyo.Var(range(len(offers)), bounds=lambda _, at: (0, offers[at][2]))
    model.served = pyo.Var(range(len(bids)), bounds=lambda _, at: (0, bids[at][2]))
    model.away = pyo.Var(links, bounds=(0, CAPACITY))
    node: dict[tuple[int, str], list[object]] = {(hour, region): [] for hour in range(hours) for region in REGIONS}
    for at, (hour, region, _, _) in enumerate(offers):
        node[hour, region].append(model.sold[at])
    for at, (hour, region, _, _) in enumerate(bids):
        node[hour, region].append(-model.served[at])
    for hour, home, place in links:
        node[hour, home].append(model.away[hour, home, place])
        node[hour, place].append(-model.away[hour, home, place])
    model.balance = pyo.Constraint(list(node), rule=lambda _, *key: pyo.quicksum(node[key]) >= 0)
    gain = pyo.quicksum(bids[at][3] * model.served[at] for at in range(len(bids)))
    cost = pyo.quicksum(offers[at][3] * model.sold[at] for at in range(len(offers)))
    carriage = pyo.quicksum(CARRIAGE * model.away[key] for key in links)
    model.objective = pyo.Objective(expr=gain - cost - carriage, sense=pyo.maximize)
    model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    return model


if __name__ == "__main__":
    main(int(sys.argv[1]))
