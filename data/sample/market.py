"""The packaged market: one call from a seed to a case that can be cleared, and the forecasts that its ahead bids were made from."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.case import Case, make_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.sample.benchmarks import ACCELERATORS, RELATIVE, recipe_tables, workload_table
from tenorgrid.data.sample.demand import bids
from tenorgrid.data.sample.fleet import REGIONS, halls, host_halls
from tenorgrid.data.sample.forecasts import View, availability, forecast_table, view
from tenorgrid.data.sample.processes import Array, Innovations, States, hour_of, innovations, states
from tenorgrid.data.sample.supply import VOLL, offers, reserves
from tenorgrid.data.sample.virtuals import expected_prices, merit_order, virtuals
from tenorgrid.data.terms.market import Horizon, Market

SEED = 4  # one whose slow demand ranks hours about as it does on average over seeds (docs/packaged-market.md)
FIRST, END, AS_OF = date(2027, 1, 1), date(2027, 4, 1), date(2027, 3, 16)
HORIZONS = (
    Horizon(name="month-ahead", lead=timedelta(days=30)),
    Horizon(name="week-ahead", lead=timedelta(days=7)),
    Horizon(name="day-ahead", lead=timedelta(days=1)),
    Horizon(name="real-time", lead=timedelta(0)),
)
MARKET = Market(
    name="tenorgrid synthetic market",
    interval=timedelta(hours=1),
    timezone="America/New_York",
    pricing=PricingRule.MARGINAL,
    price_floor=0.0,
    price_cap=2000.0,
    voll=VOLL,
    horizons=HORIZONS,
)
TIERS = (("firm", 0.0, 1.0, 0.0), ("spot", 0.10, 0.95, 0.30))  # π, β, α
# Directed: from the work's home to where it runs; GiB an hour, USD per GiB.
LINKS = (
    ("east-west", "us-east", "us-west", 4500.0, 0.08),
    ("west-east", "us-west", "us-east", 4500.0, 0.08),
    ("east-north", "us-east", "eu-north", 2500.0, 0.12),
    ("north-east", "eu-north", "us-east", 2500.0, 0.12),
    ("west-north", "us-west", "eu-north", 1500.0, 0.15),
    ("north-west", "eu-north", "us-west", 1500.0, 0.15),
)


@dataclass(frozen=True, kw_only=True)
class PackagedMarket:
    """The synthetic case, and what its bidders knew ahead (`tenorgrid.data.tables.forecast.Forecasts`)."""

    case: Case
    forecasts: pl.DataFrame = field(repr=False)


def packaged_market(*, seed: int = SEED, first: date = FIRST, end: date = END, as_of: date | None = AS_OF) -> PackagedMarket:
    """The synthetic market of delivery days [first, end) in New York.

    Rows of a delivery day are the same whatever `first`, `end` and `as_of` are asked for, and depend on draws up to the time at which their
    market ran alone.

    Args:
        seed: of every process.
        first, end: delivery days, local; `first` at least a month after the processes' epoch.
        as_of: local day; a horizon has rows up to the deliveries whose market ran before it. None gives all rows at every horizon.

    Raises InputError for days that are out of order or too early.

    >>> market = packaged_market(first=date(2027, 1, 1), end=date(2027, 1, 2), as_of=None)
    >>> market.case.bids["start"].min().isoformat()
    '2027-01-01T05:00:00+00:00'
    """
    if first >= end:
        raise InputError.of("packaged market", f"a first day before the end {end}", value=first)
    fleet = halls()
    drawn = innovations(seed, hours=hour_of(MARKET.midnight(end)), halls=fleet.height)
    return market_from(drawn, seed=seed, first=first, end=end, as_of=as_of)


def market_from(drawn: Innovations, *, seed: int, first: date, end: date, as_of: date | None) -> PackagedMarket:
    """The market that follows from given draws; `seed` is that of the bidders' own scenarios and errors."""
    fleet, hosts = halls(), host_halls()
    region_of_hall = (
        fleet["location"].replace_strict({name: number for number, name in enumerate(REGIONS)}, return_dtype=pl.Int64).to_numpy()
    )
    world = states(drawn, region_of_hall=region_of_hall)
    weight = _weights(fleet, region_of_hall)
    curve = merit_order(fleet)
    frames: dict[str, list[pl.DataFrame]] = {"offers": [], "bids": [], "virtuals": []}
    views, present = [], {}
    for stream, horizon in enumerate(HORIZONS):
        until = _until(horizon, end, as_of)
        if first >= until:
            continue
        seen = view(world, market=MARKET, horizon=horizon, first=first, end=until)
        there = _present(world, seen, weight)
        views.append(seen)
        present[horizon.name] = there
        frames["offers"].append(offers(world, seen, halls=fleet, hosts=hosts))
        frames["bids"].append(bids(seen))
        if seen.ahead:
            expected = expected_prices(seen, there, curve=curve, seed=seed, stream=stream)
            frames["virtuals"].append(virtuals(seen, expected, seed=seed, stream=stream))
    tables = {name: pl.concat(parts) for name, parts in frames.items()}
    return PackagedMarket(case=make_case(MARKET, {**_static(), **tables}), forecasts=forecast_table(views, present))


def _until(horizon: Horizon, end: date, as_of: date | None) -> date:
    return end if as_of is None else min(end, as_of + horizon.lead)


def _weights(fleet: pl.DataFrame, region_of_hall: npt.NDArray[np.int64]) -> Array:
    """(halls, regions) share of its region's H100-hours that each hall is."""
    size = fleet["quantity"].to_numpy() * fleet["resource"].replace_strict(RELATIVE, return_dtype=pl.Float64).to_numpy()
    weight = np.zeros((fleet.height, len(REGIONS)))
    weight[np.arange(fleet.height), region_of_hall] = size
    return np.asarray(weight / weight.sum(axis=0))


def _present(world: States, seen: View, weight: Array) -> Array:
    return np.asarray(availability(world, seen)[seen.day] @ weight if seen.ahead else world.present[seen.hours] @ weight)


def _static() -> dict[str, pl.DataFrame]:
    recipes, recipe_resources = recipe_tables()
    resources = [(name, "accelerator", "GPU") for name in ACCELERATORS]
    resources += [("vcpu", "cpu", "vCPU"), ("ram_gib", "memory", "GiB"), ("net_gbps", "network", "Gbit/s")]
    return {
        "locations": pl.DataFrame([(region, region) for region in REGIONS], schema=["location", "region"], orient="row"),
        "resources": pl.DataFrame(resources, schema=["resource", "kind", "unit"], orient="row"),
        "tiers": pl.DataFrame(TIERS, schema=["tier", "interruption_probability", "overcommit", "reserve_share"], orient="row"),
        "workloads": workload_table(),
        "recipes": recipes,
        "recipe_resources": recipe_resources,
        "links": pl.DataFrame(LINKS, schema=["link", "from", "to", "capacity_gib_per_hour", "cost_per_gib"], orient="row"),
        "reserves": reserves(),
    }
