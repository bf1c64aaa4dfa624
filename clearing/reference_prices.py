"""The oracle of prices: what everyone would gain if each did the best for itself at them, one interval at a time."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime

import polars as pl

from tenorgrid.data.case import Case

Node = tuple[str, str, str]  # location, resource, tier


def priced_bound(
    case: Case,
    *,
    horizon: str,
    start: datetime,
    prices: Mapping[Node, float],
    adders: Mapping[tuple[str, str], float],
    congestion: Mapping[str, float],
) -> float:
    r"""The Lagrangian bound on the surplus of one interval at given prices, agent by agent, where nothing is decided whole.

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
