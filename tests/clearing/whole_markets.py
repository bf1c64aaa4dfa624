"""Small random markets in which orders are decided whole: blocks, commitments, gangs, groups, links, deadlines and domains."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.case import Case, make_case
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.terms.market import REAL_TIME, Market

START = datetime(2027, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
Row = dict[str, Any]


@dataclass(frozen=True)
class _Draw:
    rng: np.random.Generator
    hours: int

    def one(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        return round(float(self.rng.uniform(low, high)), 2)

    def window(self) -> Row:
        """All hours, or a part of them."""
        begin = int(self.rng.integers(self.hours)) if self.chance(0.4) else 0
        end = int(self.rng.integers(begin, self.hours)) + 1 if self.chance(0.4) else self.hours
        return {"start": START + begin * HOUR, "end": START + end * HOUR}

    def always(self) -> Row:
        return {"start": START, "end": START + self.hours * HOUR}


def terms(**changed: Any) -> Market:
    """Terms of a market of one horizon in UTC hours, priced from 0 to 1,000 USD."""
    found: dict[str, Any] = {
        "name": "random whole",
        "interval": HOUR,
        "timezone": "UTC",
        "pricing": PricingRule.CONVEX_HULL,
        "price_floor": 0.0,
        "price_cap": 1000.0,
        "voll": 1000.0,
        "horizons": (REAL_TIME,),
    }
    return Market(**(found | changed))


def random_whole_case(seed: int, *, hours: int = 2, orders: int = 3, graph: str = "any", totals: float = 0.3) -> Case:
    """A small market of `hours` intervals, one horizon and two locations, drawn from a seed.

    Args:
        seed: of everything that is drawn.
        hours: intervals.
        orders: committed offers, and bids that are gangs; as many again are divisible.
        graph: of groups and links: "none", "tree" (links and a group without a cycle), "cycle" (an odd number of groups on a cycle, for
            which the plain relaxation may lie above the hull), or "any".
        totals: chance that a bid has a deadline instead of an hourly amount.
    """
    draw = _Draw(rng=np.random.default_rng(seed), hours=hours)
    spot = draw.chance(0.4)
    kind = draw.one("none", "tree", "tree", "cycle") if graph == "any" else graph
    regions = draw.one(["r1", "r1"], ["r1", "r2"])
    frames: dict[str, list[Row]] = {
        "locations": [{"location": f"l{number}", "region": region} for number, region in enumerate(regions, start=1)],
        "resources": [
            {"resource": "g1", "kind": "accelerator", "unit": "GPU"},
            {"resource": "g2", "kind": "accelerator", "unit": "GPU"},
            {"resource": "vcpu", "kind": "cpu", "unit": "vCPU"},
        ],
        "workloads": [{"workload": name, "class": "decode", "unit": "units", "egress_gib_per_unit": 1.0} for name in ("w1", "w2", "w3")],
        "recipes": [
            {"workload": "w1", "recipe": "on-g1", "output_per_hour": 1.0, "domain": None},
            {"workload": "w2", "recipe": "on-g1", "output_per_hour": 0.5, "domain": None},
            {"workload": "w2", "recipe": "on-g2", "output_per_hour": 1.0, "domain": None},
            {"workload": "w3", "recipe": "wide", "output_per_hour": 1.0, "domain": 8},
        ],
        "recipe_resources": [
            {"workload": "w1", "recipe": "on-g1", "resource": "g1", "per_hour": 1.0},
            {"workload": "w2", "recipe": "on-g1", "resource": "g1", "per_hour": 1.0},
            {"workload": "w2", "recipe": "on-g1", "resource": "vcpu", "per_hour": 2.0},
            {"workload": "w2", "recipe": "on-g2", "resource": "g2", "per_hour": 1.0},
            {"workload": "w3", "recipe": "wide", "resource": "g1", "per_hour": 1.0},
        ],
        "tiers": [{"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.9, "reserve_share": 0.25}] if spot else [],
        "offers": [*_divisible(draw, orders), *_committed(draw, orders)],
        "bids": list(_bids(draw, orders, kind=kind, totals=totals, spot=spot)),
        "links": [
            {"link": "l1>l2", "from": "l1", "to": "l2", "capacity_gib_per_hour": draw.between(1, 8), "cost_per_gib": draw.one(0.0, 0.2)}
        ],
        "reserves": list(_reserves(draw, regions)) if draw.chance(0.5) else [],
    }
    if kind == "none" and draw.chance(0.5):
        frames["links"] = []
    return make_case(terms(), {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in frames.items() if rows})


def _reserves(draw: _Draw, regions: list[str]) -> Iterator[Row]:
    for region in sorted(set(regions)):
        for step, price in enumerate((6.0, 1.0), start=1):
            yield {"region": region, "resource": "g1", "step": step, "quantity": draw.between(1, 4), "price": price}


def _divisible(draw: _Draw, count: int) -> Iterator[Row]:
    """Offers that are never decided whole; there is always some vCPU."""
    for number in range(count):
        whole = {
            "offer_id": f"d{number}",
            "participant": f"s{number}",
            "location": draw.one("l1", "l2"),
            "resource": draw.one("g1", "g1", "g2"),
            **draw.window(),
            "firm_premium": draw.one(0.0, 0.3),
            "domain": draw.one(None, None, 8),
        }
        price = draw.between(1, 5)
        for step in range(1, draw.one(1, 2) + 1):
            yield whole | {"step": step, "quantity": draw.between(2, 8), "price": price + (step - 1)}
    for place in ("l1", "l2"):
        row = {
            "offer_id": f"cpu-{place}",
            "participant": "cpus",
            "location": place,
            "resource": "vcpu",
            **draw.always(),
            "firm_premium": 0.0,
        }
        yield row | {"step": 1, "quantity": 30.0, "price": 0.1, "domain": None}


def _committed(draw: _Draw, count: int) -> Iterator[Row]:
    """Offers with start costs, least runs and blocks; some have vCPUs beside their GPUs, committed with them."""
    for number in range(count):
        window = draw.window()
        length = (window["end"] - window["start"]) // HOUR
        cost = draw.one(0.0, draw.between(2, 25))
        whole = {
            "offer_id": f"u{number}",
            "participant": f"p{number}",
            "location": draw.one("l1", "l2"),
            **window,
            "start_cost": cost,
            "min_hours": draw.one(1, int(draw.rng.integers(1, length + 1))),
            "domain": draw.one(None, 8, 72),
            "firm_premium": draw.one(0.0, 0.0, 0.3),
        }
        price, gpu = draw.between(0.5, 3), draw.one("g1", "g1", "g2")
        block = cost == 0 or draw.chance(0.5)
        rest = draw.chance(0.5), draw.chance(0.3)
        if block or rest[1]:  # what a block costs should not hang on which tier its unused hours are said to be sold in
            whole["firm_premium"] = 0.0
        yield whole | {"resource": gpu, "step": 1, "quantity": draw.between(3, 10), "price": price, "block": block}
        if rest[0]:
            yield whole | {"resource": gpu, "step": 2, "quantity": draw.between(2, 6), "price": price + draw.one(0.0, 0.5), "block": None}
        if rest[1]:
            yield whole | {"resource": "vcpu", "step": 1, "quantity": draw.between(4, 12), "price": 0.05, "block": draw.one(True, None)}


def _bids(draw: _Draw, count: int, *, kind: str, totals: float, spot: bool) -> Iterator[Row]:
    for number in range(count):
        yield from _bid(
            draw, f"b{number}", f"n{number}", share=None, totals=totals, spot=spot, window=draw.always() if number == 0 else None
        )
    group, parent = _graph(draw, [f"g{number}" for number in range(max(count, 1))], kind)
    for name in group:
        share, level = draw.one(0.4, 1.0, 1.0), 1.0 if kind != "cycle" else 0.3 if parent[name] is None else 2.5
        window, size = (draw.always(), 0.4) if kind == "cycle" else (None, 1.0)
        for row in _bid(draw, name, "team", share=share, totals=totals, spot=spot, window=window):
            if kind == "cycle":
                row |= {"workload": "w1", "home": None}
            changed = {"exclusive_group": group[name], "linked_to": parent[name], "value": row["value"] * level}
            yield row | changed | {column: row[column] and row[column] * size for column in ("quantity", "total")}
    if kind == "tree" and draw.chance(0.5):
        for row in _bid(draw, "rider", "team", share=None, totals=totals, spot=spot, window=None):
            yield row | {"linked_to": "g0"}


def _graph(draw: _Draw, gangs: list[str], kind: str) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Group and parent of each gang; children of a cycle are worth more than their parents, so that a half of each would be had."""
    group: dict[str, str | None] = dict.fromkeys(gangs)
    parent: dict[str, str | None] = dict.fromkeys(gangs)
    if kind == "cycle" and draw.chance(0.5):  # a child in its parent's own group can never be accepted, but half of both can
        return {"g0": "x", "g1": "x", "g2": "x"}, {"g0": None, "g1": "g0", "g2": None}
    if kind == "cycle":  # three parents with a child each, three groups: a child and the next parent
        parent = {"g0": None, "g1": None, "g2": None, "h0": "g0", "h1": "g1", "h2": "g2"}
        return {"g0": "x", "g1": "y", "g2": "z", "h0": "z", "h1": "x", "h2": "y"}, parent
    if kind == "tree" and len(gangs) > 1:
        parent[gangs[1]] = gangs[0]
        if draw.chance(0.5):
            group |= dict.fromkeys(gangs[1:], "x")
    return group, parent


def _bid(draw: _Draw, name: str, participant: str, *, share: float | None, totals: float, spot: bool, window: Row | None) -> Iterator[Row]:
    window = window or draw.window()
    length = (window["end"] - window["start"]) // HOUR
    whole = {
        "bid_id": name,
        "participant": participant,
        "workload": draw.one("w1", "w1", "w2", "w3"),
        "home": draw.one("l1", "l1", "l2", None),
        **window,
        "min_share": share,
        "tiers": draw.one(None, "firm", "spot") if spot else None,
        "interruption_loss": draw.one(None, 0.2),
        "exclusive_group": None,
        "linked_to": None,
    }
    value, deadline = draw.between(2, 9), draw.chance(totals)
    for step in range(1, draw.one(1, 1, 2) + 1):
        quantity = draw.between(2, 7)
        total = round(quantity * length * draw.one(0.5, 0.8), 2) if deadline else None
        yield whole | {"step": step, "quantity": quantity, "value": max(value - (step - 1) * 1.2, 0.1), "total": total}
