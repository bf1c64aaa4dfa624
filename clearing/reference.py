"""The same clearing problem in Pyomo, written as the market design writes it: one section per constraint, bid by bid and step by step.

It is slow and readable, shares no code with the array engine, and is the oracle of the tests. One horizon, one interval, the convex part.
`priced_bound` is the oracle of prices: what everyone would gain if each did the best for itself at them.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl
import pyomo.environ as pyo

from tenorgrid.data.case import Case

Node = tuple[str, str, str]  # location, resource, tier


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What the reference model found for one interval, USD and per-hour quantities."""

    surplus: float
    prices: dict[Node, float] = field(repr=False)  # λ, USD per sold hour; one of possibly many
    binding: dict[str, int]  # how many constraints of each family bind
    work: dict[str, float] = field(repr=False)  # work served by bid_id


def reference_model(case: Case, *, horizon: str, start: datetime) -> Any:
    """The clearing problem of one interval of a case as a Pyomo model."""
    here = _standing(horizon, start)
    offers = {(row["offer_id"], row["resource"], row["step"]): row for row in case.offers.filter(here).to_dicts()}
    bids = {(row["bid_id"], row["step"]): row for row in case.bids.filter(here).to_dicts()}
    virtuals = {row["bid_id"]: row for row in case.virtuals.filter(here).to_dicts()}
    tiers = {row["tier"]: row for row in case.tiers.to_dicts()}
    names = dict(case.bids.filter(here).select("bid_id", "workload").iter_rows())
    homes = dict(case.bids.filter(here).select("bid_id", "home").iter_rows())
    egress = {name: amount or 0.0 for name, amount in case.workloads.select("workload", "egress_gib_per_unit").iter_rows()}
    output = {
        (workload, recipe): made for workload, recipe, made in case.recipes.select("workload", "recipe", "output_per_hour").iter_rows()
    }
    need = {(w, a, j): x for w, a, j, x in case.recipe_resources.select("workload", "recipe", "resource", "per_hour").iter_rows()}
    links = {row["link"]: row for row in case.links.to_dicts()}
    region = dict(case.locations.select("location", "region").iter_rows())
    reserves = {(row["region"], row["resource"], row["step"]): row for row in case.reserves.to_dicts()}
    hours = case.market.hours

    def served_by(row: dict[str, Any]) -> list[str]:
        return [k for k in tiers if row["tiers"] is None or k in [name.strip() for name in row["tiers"].split(";")]]

    def places(bid: str) -> list[tuple[str, str | None]]:
        home = homes[bid]
        if home is None:
            return [(place, None) for place in case.locations["location"]]
        return [(home, None), *((row["to"], name) for name, row in links.items() if row["from"] == home)]

    model = pyo.ConcreteModel()

    # m: work of a bid's step through a tier; z: recipe-hours of a bid; Y: listed hours of an offer's step sold in a tier
    model.m = pyo.Var([(*key, k) for key, row in bids.items() for k in served_by(row)], within=pyo.NonNegativeReals)
    runs = [
        (bid, recipe, place, link, k)
        for bid in names
        for workload, recipe in output
        if workload == names[bid]
        for place, link in [(place, link or "") for place, link in places(bid)]
        for k in {k for key, row in bids.items() if key[0] == bid for k in served_by(row)}
    ]
    model.z = pyo.Var(sorted(runs), within=pyo.NonNegativeReals)
    model.Y = pyo.Var(
        [(*key, k) for key, row in offers.items() for k in tiers if k != "firm" or row["firm_premium"] is not None],
        within=pyo.NonNegativeReals,
    )
    model.s = pyo.Var(list(reserves), bounds=lambda _, *step: (0, reserves[step]["quantity"]))
    model.v = pyo.Var(list(virtuals), bounds=lambda _, bid: (0, virtuals[bid]["quantity"]))

    # objective: expected value, cost, transfer, reserve, virtual bids
    def worth(bid: str, step: int, k: str) -> float:
        pi, row = tiers[k]["interruption_probability"], bids[bid, step]
        return float((1 - pi) * row["value"] - pi * (row["interruption_loss"] or 0.0))

    def cost(offer: str, resource: str, step: int, k: str) -> float:
        row = offers[offer, resource, step]
        return float(row["price"] + (row["firm_premium"] if k == "firm" else 0.0))

    def carriage(bid: str, recipe: str, link: str) -> float:
        return float(egress[names[bid]] * output[names[bid], recipe] * links[link]["cost_per_gib"]) if link else 0.0

    model.objective = pyo.Objective(
        sense=pyo.maximize,
        expr=hours
        * (
            sum(worth(*key) * model.m[key] for key in model.m)
            - sum(cost(*key) * model.Y[key] for key in model.Y)
            - sum(carriage(key[0], key[1], key[3]) * model.z[key] for key in model.z)
            + sum(reserves[key]["price"] * model.s[key] for key in model.s)
            + sum((1 if virtuals[bid]["side"] == "dec" else -1) * virtuals[bid]["price"] * model.v[bid] for bid in model.v)
        ),
    )

    # work: what a bid's recipes make through a tier is what it is served
    pools = sorted({(key[0], key[4]) for key in model.z})
    model.work = pyo.Constraint(
        pools,
        rule=lambda mod, bid, k: (
            sum(mod.m[key] for key in mod.m if key[0] == bid and key[2] == k)
            == sum(output[names[bid], key[1]] * mod.z[key] for key in mod.z if key[0] == bid and key[4] == k)
        ),
    )

    # step: a step is served at most its quantity, over all tiers
    model.step = pyo.Constraint(
        list(bids), rule=lambda mod, bid, step: sum(mod.m[key] for key in mod.m if key[:2] == (bid, step)) <= bids[bid, step]["quantity"]
    )

    # balance: use of a node at most what is sold there, β Y + inc − dec
    used: dict[Node, list[Any]] = {}
    for key in model.z:
        for (workload, recipe, resource), amount in need.items():
            if (workload, recipe) == (names[key[0]], key[1]):
                used.setdefault((key[2], resource, key[4]), []).append(amount * model.z[key])
    for bid, row in virtuals.items():
        used.setdefault((row["location"], row["resource"], "firm"), []).append((1 if row["side"] == "dec" else -1) * model.v[bid])
    sold: dict[Node, list[Any]] = {}
    for key in model.Y:
        row = offers[key[:3]]
        sold.setdefault((row["location"], key[1], key[3]), []).append(tiers[key[3]]["overcommit"] * model.Y[key])
    model.balance = pyo.Constraint(sorted(used), rule=lambda _, *node: sum(used[node]) <= sum(sold.get(node, [0.0])))

    # inventory: an offer's step is sold at most once
    model.inventory = pyo.Constraint(
        list(offers), rule=lambda mod, *step: sum(mod.Y[key] for key in mod.Y if key[:3] == step) <= offers[step]["quantity"]
    )

    # reserve: headroom of a group, Σ (q − ΣY) of firm-able offers + Σ α Y, covers the steps bought
    def headroom(mod: Any, where: str, resource: str) -> Any:
        held = 0.0
        for step, row in offers.items():
            if region[row["location"]] == where and row["resource"] == resource:
                firmable = row["firm_premium"] is not None
                held += row["quantity"] if firmable else 0.0
                for key in mod.Y:
                    if key[:3] == step:
                        held += ((tiers[key[3]]["reserve_share"] or 0.0) - firmable) * mod.Y[key]
        return held - sum(mod.s[key] for key in mod.s if key[:2] == (where, resource)) >= 0

    model.reserve = pyo.Constraint(sorted({key[:2] for key in reserves}), rule=headroom)

    # link: data of work placed away from home
    away = sorted({key[3] for key in model.z if key[3]})
    model.link = pyo.Constraint(
        away,
        rule=lambda mod, link: (
            sum(egress[names[key[0]]] * output[names[key[0]], key[1]] * mod.z[key] for key in mod.z if key[3] == link)
            <= links[link]["capacity_gib_per_hour"]
        ),
    )
    model.dual = pyo.Suffix(direction=pyo.Suffix.IMPORT)
    return model


def solve_reference(case: Case, *, horizon: str, start: datetime) -> Reference:
    """Clear one interval with Pyomo and HiGHS.

    Raises RuntimeError where Pyomo's solver does not report an optimum.
    """
    model = reference_model(case, horizon=horizon, start=start)
    result = pyo.SolverFactory("appsi_highs").solve(model)
    if result.solver.termination_condition != pyo.TerminationCondition.optimal:
        raise RuntimeError(f"the reference model ended with {result.solver.termination_condition}")
    hours = case.market.hours
    binding = {
        family.local_name: sum(1 for row in family.values() if abs(float(model.dual.get(row, 0.0))) > 1e-7)
        for family in model.component_objects(pyo.Constraint, active=True)
    }
    work: dict[str, float] = {}
    for key in model.m:
        work[key[0]] = work.get(key[0], 0.0) + float(pyo.value(model.m[key]))
    prices = {node: abs(float(model.dual.get(row, 0.0))) / hours for node, row in model.balance.items()}
    return Reference(surplus=float(pyo.value(model.objective)), prices=prices, binding=binding, work=work)


def priced_bound(
    case: Case,
    *,
    horizon: str,
    start: datetime,
    prices: Mapping[Node, float],
    adders: Mapping[tuple[str, str], float],
    congestion: Mapping[str, float],
) -> float:
    r"""The Lagrangian bound on the surplus of one interval at given prices, agent by agent.

    :math:`\sum_o q \max(A_g 1_{firmable}, \max_k \beta_k \lambda_k - c - 1_{firm} premium + \alpha_k A_g) + \sum_n q \max(0,
    worth - \omega) + \sum_i quantity \max(0, price - A_g) + \sum_e \mu_e capacity_e + \sum_v q \max(0, \pm(\lambda - p))`, all times Δ.
    It is at least the optimum at any prices, and equal to it exactly where the prices are optimal.

    Args:
        case: the market. horizon, start: which run and interval of it.
        prices: λ by location, resource and tier, USD per sold hour. A node that is missing sells at 0 and cannot be bought.
        adders: A by region and resource, USD per resource-hour; 0 where missing.
        congestion: μ by link, USD per GiB; 0 where missing.

    Returns USD. Source: Lagrangian duality of the clearing problem (market design, section 4).
    """
    here, region = _standing(horizon, start), dict(case.locations.select("location", "region").iter_rows())
    tiers = {row["tier"]: row for row in case.tiers.to_dicts()}
    gain = 0.0
    for row in case.offers.filter(here).to_dicts():
        adder = adders.get((region[row["location"]], row["resource"]), 0.0)
        best = adder if row["firm_premium"] is not None else 0.0  # kept back as headroom, or not sold
        for k, tier in tiers.items():
            if k == "firm" and row["firm_premium"] is None:
                continue
            paid = tier["overcommit"] * prices.get((row["location"], row["resource"], k), 0.0)
            asked = row["price"] + (row["firm_premium"] if k == "firm" else 0.0)
            best = max(best, paid - asked + (tier["reserve_share"] or 0.0) * adder)
        gain += row["quantity"] * best
    for row in case.bids.filter(here).to_dicts():
        best = 0.0
        for k in [name.strip() for name in row["tiers"].split(";")] if row["tiers"] is not None else tiers:
            pi = tiers[k]["interruption_probability"]
            worth = (1 - pi) * row["value"] - pi * (row["interruption_loss"] or 0.0)
            for cost in _ways(case, row["workload"], row["home"], k, prices=prices, congestion=congestion):
                best = max(best, worth - cost)
        gain += row["quantity"] * best
    for row in case.reserves.to_dicts():
        gain += row["quantity"] * max(0.0, row["price"] - adders.get((row["region"], row["resource"]), 0.0))
    for row in case.links.to_dicts():
        gain += row["capacity_gib_per_hour"] * congestion.get(row["link"], 0.0)
    for row in case.virtuals.filter(here).to_dicts():
        spread = prices.get((row["location"], row["resource"], "firm"), math.inf if row["side"] == "dec" else 0.0) - row["price"]
        gain += row["quantity"] * max(0.0, spread if row["side"] == "inc" else -spread)
    return gain * case.market.hours


def _standing(horizon: str, start: datetime) -> pl.Expr:
    return (pl.col("horizon").is_null() | (pl.col("horizon") == horizon)) & (pl.col("start") <= start) & (pl.col("end") > start)


def _ways(
    case: Case, workload: str, home: str | None, tier: str, *, prices: Mapping[Node, float], congestion: Mapping[str, float]
) -> Iterator[float]:
    """What one unit of work costs by every recipe in every place, USD; infinite where something cannot be bought."""
    egress = next(row["egress_gib_per_unit"] or 0.0 for row in case.workloads.to_dicts() if row["workload"] == workload)
    places = [(place, 0.0) for place in case.locations["location"]] if home is None else [(home, 0.0)]
    away = [link for link in case.links.to_dicts() if link["from"] == home]
    places += [(link["to"], egress * (link["cost_per_gib"] + congestion.get(link["link"], 0.0))) for link in away]
    for recipe in case.recipes.filter(workload=workload).to_dicts():
        needs = case.recipe_resources.filter(workload=workload, recipe=recipe["recipe"]).to_dicts()
        for place, carriage in places:
            used = sum(need["per_hour"] * prices.get((place, need["resource"], tier), math.inf) for need in needs)
            yield used / recipe["output_per_hour"] + carriage
