"""A sheet as a market case: the tables that an operator would be sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from benchmarks.sheet import CAPACITY, CARRIAGE, EGRESS, LINKS, OUTPUT, REGIONS, RESOURCES, USE, WORKLOADS, Sheet, Windows
from tenorgrid.data.case import TABLES, Case, make_case
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.terms.market import Market

START = datetime(2027, 1, 4, tzinfo=UTC)
KINDS = ("accelerator", "accelerator", "cpu", "memory", "network", "storage")
UNITS = ("GPU", "GPU", "vCPU", "GiB", "Gbit/s", "TiB")


def case_of(sheet: Sheet) -> Case:
    """The case of a sheet, checked."""
    return make_case(market(), frames(sheet))


def market() -> Market:
    """One horizon, hours, marginal prices."""
    return Market(
        name="benchmark (synthetic)",
        interval=timedelta(hours=1),
        timezone="UTC",
        pricing=PricingRule.MARGINAL,
        price_floor=0.0,
        price_cap=1000.0,
        voll=1000.0,
    )


def frames(sheet: Sheet) -> dict[str, pl.DataFrame]:
    """Every table of the case, as declared but not yet checked against one another."""
    links = [
        {
            "link": f"{REGIONS[a]}>{REGIONS[b]}",
            "from": REGIONS[a],
            "to": REGIONS[b],
            "capacity_gib_per_hour": CAPACITY,
            "cost_per_gib": CARRIAGE,
        }
        for a, b in LINKS
    ]
    recipes = [(w, r) for w in range(len(WORKLOADS)) for r in range(2)]
    needs = [
        {"workload": WORKLOADS[w], "recipe": RESOURCES[r], "resource": RESOURCES[j], "per_hour": USE[w, r, j]}
        for w, r in recipes
        for j in range(len(RESOURCES))
        if USE[w, r, j] > 0
    ]
    classes = ("decode", "prefill")
    found = {
        "locations": pl.DataFrame({"location": REGIONS, "region": REGIONS}),
        "resources": pl.DataFrame({"resource": RESOURCES, "kind": KINDS, "unit": UNITS}),
        "workloads": pl.DataFrame({"workload": WORKLOADS, "class": classes, "unit": ["1e6 tokens"] * 2, "egress_gib_per_unit": EGRESS}),
        "recipes": pl.DataFrame([{"workload": WORKLOADS[w], "recipe": RESOURCES[r], "output_per_hour": OUTPUT[w, r]} for w, r in recipes]),
        "recipe_resources": pl.DataFrame(needs),
        "offers": pl.concat([_hourly_offers(sheet), _block_offers(sheet.blocks)], how="diagonal"),
        "bids": pl.concat([_hourly_bids(sheet), _window_bids(sheet.jobs, "job"), _window_bids(sheet.gangs, "gang")], how="diagonal"),
        "links": pl.DataFrame(links),
    }
    return {name: _declared(frame, name) for name, frame in found.items()}


def _hourly_offers(sheet: Sheet) -> pl.DataFrame:
    hour, step = np.repeat(np.arange(sheet.hours), sheet.node.size), np.tile(np.arange(sheet.node.size), sheet.hours)
    names = _names("offer", sheet.node.size)
    return pl.DataFrame(
        {
            "offer_id": _ids(names, step, hour),
            "participant": names.gather(step),
            "location": pl.Series(REGIONS).gather(sheet.node[step] // len(RESOURCES)),
            "resource": pl.Series(RESOURCES).gather(sheet.node[step] % len(RESOURCES)),
            **_hours(hour, hour + 1),
            "step": np.ones(hour.size, dtype=np.int64),
            "quantity": sheet.offered.ravel(),
            "price": sheet.cost.ravel(),
        }
    )


def _hourly_bids(sheet: Sheet) -> pl.DataFrame:
    hour, step = np.repeat(np.arange(sheet.hours), sheet.group.size), np.tile(np.arange(sheet.group.size), sheet.hours)
    names = _names("bid", sheet.group.size)
    return pl.DataFrame(
        {
            "bid_id": _ids(names, step, hour),
            "participant": names.gather(step),
            **_class(sheet.group[step]),
            **_hours(hour, hour + 1),
            "step": np.ones(hour.size, dtype=np.int64),
            "quantity": sheet.wanted.ravel(),
            "value": sheet.value.ravel(),
        }
    )


def _block_offers(blocks: Windows) -> pl.DataFrame:
    names = _names("block", blocks.count)
    slow = blocks.start_cost > 0
    return pl.DataFrame(
        {
            "offer_id": names,
            "participant": names,
            "location": pl.Series(REGIONS).gather(blocks.place // len(RESOURCES)),
            "resource": pl.Series(RESOURCES).gather(blocks.place % len(RESOURCES)),
            **_hours(blocks.first, blocks.end),
            "step": np.ones(blocks.count, dtype=np.int64),
            "quantity": blocks.quantity,
            "price": blocks.price,
            "block": np.ones(blocks.count, dtype=np.bool_),
            "start_cost": pl.Series(blocks.start_cost).set(pl.Series(~slow), None),
            "min_hours": pl.Series(blocks.least).set(pl.Series(~slow), None),
        }
    )


def _window_bids(orders: Windows, name: str) -> pl.DataFrame:
    names = _names(name, orders.count)
    return pl.DataFrame(
        {
            "bid_id": names,
            "participant": names,
            **_class(orders.place),
            **_hours(orders.first, orders.end),
            "step": np.ones(orders.count, dtype=np.int64),
            "quantity": orders.quantity,
            "value": orders.price,
            "total": pl.Series(orders.total).set(pl.Series(orders.total == 0), None),
            "min_share": pl.Series(orders.share).set(pl.Series(orders.share == 0), None),
        }
    )


def _class(group: Any) -> dict[str, pl.Series]:
    return {"workload": pl.Series(WORKLOADS).gather(group // len(REGIONS)), "home": pl.Series(REGIONS).gather(group % len(REGIONS))}


def _hours(first: Any, end: Any) -> dict[str, pl.Series]:
    last = int(end.max()) if end.size else 0
    starts = pl.datetime_range(START, START + timedelta(hours=last), "1h", time_unit="us", time_zone="UTC", eager=True)
    return {"start": starts.gather(first), "end": starts.gather(end)}


def _names(name: str, count: int) -> pl.Series:
    return pl.Series([f"{name}-{number:05d}" for number in range(count)], dtype=pl.String)


def _ids(names: pl.Series, step: Any, hour: Any) -> pl.Series:
    """A name of its own in every hour: an order has one window."""
    return names.gather(step) + "@" + pl.Series(hour).cast(pl.String).str.zfill(3)


def _declared(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The frame with every column that its table declares."""
    empty = TABLES[name].create_empty()
    types = pl.Schema({column: dtype for column, dtype in empty.schema.items() if column in frame.columns})
    return pl.concat([empty, frame.cast(types)], how="diagonal").select(empty.columns)
