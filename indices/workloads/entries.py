"""The audit of each workload index: which recipe, what each resource cost, the runner-up, the conversion of units, and why it moved."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.indices.entries import CLOCK, Entry
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.workloads.costs import NONE
from tenorgrid.indices.workloads.families import FamilyPrints
from tenorgrid.indices.workloads.panels import TRUST, PricePanel
from tenorgrid.indices.workloads.prints import WorkloadPrints
from tenorgrid.indices.workloads.terms import WorkloadBasket

AUXILIARY = "auxiliary"
Rows = Mapping[tuple[str, str], Entry]  # marks of one day by region and resource
LEFT = "the cheapest recipe lost a mark that it needs"


def workload_entries(found: WorkloadPrints, basket: WorkloadBasket, rule: Methodology) -> Iterator[Entry]:
    """One JSON object a day; the JSON keys are public.

    `cost` tells each resource's hours in a unit of the index, price, mark that the price is of, cost and share; `runner_up` the second
    cheapest way and by which part it is dearer; `change` the split of the change since the last day that had a price.
    """
    shared = _shared(basket, rule) | {"workload": _workload(found)}
    by_day = _rows(found.panel)
    for day, times in enumerate(_times(found.panel, rule)):
        value, rows = float(found.value[day]), by_day.get(day, {})
        used = [row for (_, resource), row in rows.items() if resource in found.recipes.resources]
        priced = found.best.way[day] != NONE
        yield {
            "index": found.index,
            **times,
            "revision": 0,
            "value": value if priced else None,
            "unit": f"USD/{found.recipes.term.unit}",
            "status": TRUST[found.trust[day]].value,
            "unrounded": float(found.best.cost[day]) if priced else None,
            **shared,
            "recipe": _recipe(found, int(found.best.way[day])) if priced else None,
            "cost": _cost(found, day, rows) if priced else [],
            "carriage": _carriage(found, int(found.best.way[day])) if priced else None,
            "runner_up": _runner_up(found, day),
            "available": int(np.isfinite(found.costs[day]).sum()),
            "unavailable": _unavailable(found, day),
            "change": _change(found, day, rule),
            "low_confidence": _reasons(found, day, rows),
            "input": _input(used),
        }


def family_entries(found: FamilyPrints, basket: WorkloadBasket, rule: Methodology) -> Iterator[Entry]:
    """One JSON object a day: `members` with their prints, shares and contributions, which sum to the index."""
    base = None if found.base is None else str(rule.day_of(found.panel.days["start"][found.base]))
    shared = _shared(basket, rule)
    family = {
        "class": found.family.kind,
        "architecture": found.family.architecture,
        "shares": found.family.shares.value,
        "base": base,
    }
    for day, times in enumerate(_times(found.panel, rule)):
        whole = not np.isnan(found.value[day])
        members = [
            {
                "index": f"{name}.{found.panel.home.name}.{found.panel.tier}",
                "share": float(found.share[place]),
                "value": _number(found.prints[place, day]),
                "contribution": _number(found.weight[place] * found.prints[place, day]),
            }
            for place, name in enumerate(found.members)
        ]
        yield {
            "index": found.index,
            **times,
            "revision": 0,
            "value": _number(found.value[day]),
            "unit": found.unit,
            "status": TRUST[found.trust[day] if whole else 0].value,
            "unrounded": _number(found.unrounded[day]),
            **shared,
            "family": family,
            "members": members,
            "missing": [member["index"] for member in members if member["value"] is None],
            "input": _input(members),
        }


def _shared(basket: WorkloadBasket, rule: Methodology) -> Entry:
    return {
        "precision": {"decimals": basket.decimals, "rounding": basket.rounding.value},
        "methodology": {"name": basket.name, "hash": basket.hash, "source": basket.source},
        "marks": {"methodology": rule.name, "hash": rule.hash},
        "code_version": version("tenorgrid"),
    }


def _workload(found: WorkloadPrints) -> Entry:
    term = found.recipes.term
    return {
        "class": term.kind.value,
        "architecture": term.architecture.value,
        "model": term.model,
        "limit": found.recipes.limit,
        "figures": dict(found.recipes.figures),
        "conversion": {"unit": term.unit, "of": term.of, "work": term.work},
    }


def _times(panel: PricePanel, rule: Methodology) -> Iterator[Entry]:
    for start, end, published in panel.days.select("start", "end", "published_at").iter_rows():
        clock = {name: moment.strftime(CLOCK) for name, moment in (("start", start), ("end", end), ("published_at", published))}
        yield {"date": str(rule.day_of(start)), **clock}


def _rows(panel: PricePanel) -> dict[int, dict[tuple[str, str], Entry]]:
    """Marks behind a panel by day, then by region and resource."""
    columns = panel.rows.select("day", "region", "resource", "index", "start", "revision", "value", "status", "method_hash")
    found: dict[int, dict[tuple[str, str], Entry]] = {}
    for row in columns.with_columns(pl.col("start").dt.strftime(CLOCK)).iter_rows(named=True):
        found.setdefault(row.pop("day"), {})[row.pop("region"), row.pop("resource")] = row
    return found


def _place(found: WorkloadPrints, way: int) -> tuple[int, str]:
    recipe, place = divmod(way, len(found.panel.home.places))
    return recipe, list(found.panel.home.places)[place]


def _recipe(found: WorkloadPrints, way: int) -> Entry:
    recipe, place = _place(found, way)
    made = found.recipes
    return {"name": made.names[recipe], "place": place, "output_per_hour": float(made.output[recipe]), "entry": made.entries[recipe]}


def _cost(found: WorkloadPrints, day: int, rows: Rows) -> list[Entry]:
    """What each resource of the cheapest recipe costs a unit of the index."""
    made, total = found.recipes, float(found.best.cost[day])
    recipe, place = _place(found, int(found.best.way[day]))
    where = list(found.panel.home.places).index(place)
    parts = []
    for at, resource in enumerate(made.resources):
        if made.use[recipe, at] > 0:
            per_unit = float(made.use[recipe, at] / made.output[recipe])
            price = float(found.panel.price[where, day, found.panel.resources.index(resource)])
            of = rows.get((place, resource), {}).get("index", AUXILIARY)
            cost = per_unit * price
            parts.append(
                {
                    "resource": resource,
                    "per_unit": per_unit,
                    "price": price,
                    "from": of,
                    "cost": cost,
                    "share": cost / total if total else 0.0,
                }
            )
    return parts


def _carriage(found: WorkloadPrints, way: int) -> float:
    _, place = _place(found, way)
    return found.panel.home.places[place] * found.recipes.term.gib


def _runner_up(found: WorkloadPrints, day: int) -> Entry | None:
    way = int(found.best.next_way[day])
    if way == NONE:
        return None
    recipe, place = _place(found, way)
    cost, least = float(found.best.next_cost[day]), float(found.best.cost[day])
    return {"name": found.recipes.names[recipe], "place": place, "cost": cost, "dearer": cost / least - 1 if least else None}


def _unavailable(found: WorkloadPrints, day: int) -> list[Entry]:
    """Ways that cannot be priced, with what they lack."""
    made, gone = found.recipes, []
    for way in np.flatnonzero(np.isinf(found.costs[day])):
        recipe, place = _place(found, int(way))
        where = list(found.panel.home.places).index(place)
        lacks = [
            name
            for at, name in enumerate(made.resources)
            if made.use[recipe, at] > 0 and np.isnan(found.panel.price[where, day, found.panel.resources.index(name)])
        ]
        gone.append({"name": made.names[recipe], "place": place, "without": lacks})
    return gone


def _change(found: WorkloadPrints, day: int, rule: Methodology) -> Entry | None:
    since = int(found.since[day])
    if since == NONE:
        return None
    parts = {name: _number(getattr(found.moved, name)[day]) for name in ("prices", "entering", "leaving")}
    return {"since": str(rule.day_of(found.panel.days["start"][since])), **parts}


def _reasons(found: WorkloadPrints, day: int, rows: Rows) -> list[str]:
    """Why a mark is not fully to be relied on."""
    if found.best.way[day] == NONE:
        return []
    _, place = _place(found, int(found.best.way[day]))
    told = [rows.get((place, part["resource"])) for part in _cost(found, day, rows)]
    reasons = [f"{row['index']} is {row['status']}" for row in told if row is not None and row["status"] != TRUST[-1].value]
    return reasons + [LEFT] * bool(found.left[day])


def _input(rows: Any) -> Entry:
    """SHA-256 of the marks that could have counted."""
    return {"hash": hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest(), "rows": len(rows)}


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)
