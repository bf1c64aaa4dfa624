"""The rows of a case that stand at one horizon, by name: what the Pyomo reference is written from."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any

import polars as pl

from tenorgrid.clearing.scarcity import reserves as scarcity_reserves
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import ResourceKind

FIRM = "firm"
HOME = ""  # the link of work that runs at home
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Book:
    """Rows of a case that stand at one horizon, as plain dictionaries by name."""

    hours: float  # Δ
    starts: tuple[datetime, ...]
    offers: dict[tuple[str, str, int], Row] = field(repr=False)  # by offer, resource, step
    committed: dict[str, Row] = field(repr=False)  # by offer: one row of each that is committed or not
    bids: dict[tuple[str, int], Row] = field(repr=False)  # by bid, step
    whole: dict[str, Row] = field(repr=False)  # by bid: one row of each
    virtuals: dict[str, Row] = field(repr=False)
    tiers: dict[str, Row] = field(repr=False)
    recipes: dict[str, dict[str, Row]] = field(repr=False)  # by workload, recipe
    needs: dict[tuple[str, str], dict[str, float]] = field(repr=False)  # by workload, recipe: resource-hours per recipe-hour
    egress: dict[str, float] = field(repr=False)
    links: dict[str, Row] = field(repr=False)
    locations: dict[str, str] = field(repr=False)  # region of each
    accelerators: frozenset[str]
    reserves: dict[tuple[str, str, int], Row] = field(repr=False)

    def window(self, row: Row) -> list[datetime]:
        """Intervals in which an order stands."""
        return [t for t in self.starts if row["start"] <= t < row["end"]]

    def gang(self, bid: str) -> bool:
        """Whether a bid is accepted whole."""
        return bool((self.whole[bid]["min_share"] or 0.0) > 0)

    def served(self, row: Row) -> list[str]:
        """Tiers that a bid takes."""
        return [k for k in self.tiers if row["tiers"] is None or k in [name.strip() for name in row["tiers"].split(";")]]

    def places(self, home: str | None) -> list[tuple[str, str]]:
        """Where a bid's work may run, and over which link."""
        if home is None:
            return [(place, HOME) for place in self.locations]
        return [(home, HOME), *((row["to"], name) for name, row in self.links.items() if row["from"] == home)]

    def runs(self, bid: str) -> Iterator[tuple[str, str, str, str]]:
        """Recipe, location, link and tier of every way in which a bid's work may be done."""
        row = self.whole[bid]
        for recipe, (place, link), k in product(self.recipes.get(row["workload"], {}), self.places(row["home"]), self.served(row)):
            yield recipe, place, link, k

    def nodes(self) -> set[tuple[str, str, str]]:
        """Location, resource and tier that some recipe of some bid, or a virtual bid, may use; hours are sold nowhere else."""
        used = {
            (place, resource, k) for bid in self.whole for recipe, place, _, k in self.runs(bid) for resource in self.needed(bid, recipe)
        }
        return used | {(row["location"], row["resource"], FIRM) for row in self.virtuals.values()}

    def made(self, bid: str, recipe: str) -> float:
        """φ, units of work in one recipe-hour."""
        return float(self.recipes[self.whole[bid]["workload"]][recipe]["output_per_hour"])

    def data(self, bid: str, recipe: str) -> float:
        """Data moved when one recipe-hour runs away from home, GiB."""
        return self.egress[self.whole[bid]["workload"]] * self.made(bid, recipe)

    def needed(self, bid: str, recipe: str) -> dict[str, float]:
        """x, resource-hours used in one recipe-hour."""
        return self.needs[self.whole[bid]["workload"], recipe]


def take_book(case: Case, *, horizon: str, starts: Iterable[datetime] | None) -> Book:
    """The rows of a case that stand at one horizon; intervals are those that are bid for, or that a committed offer's window has, if None.

    Raises InputError for an unknown horizon, and where an order that is decided over its window leaves the intervals.
    """
    market = case.market
    if horizon not in [known.name for known in market.horizons]:
        raise InputError.of("horizon", f"one of {', '.join(known.name for known in market.horizons)}", value=horizon)
    here = pl.col("horizon").is_null() | (pl.col("horizon") == horizon)
    offers, bids = case.offers.filter(here), case.bids.filter(here)
    decided = pl.col("block").fill_null(value=False) | (pl.col("start_cost").fill_null(0.0) > 0) | (pl.col("min_hours").fill_null(1) > 1)
    committed = offers.filter(decided.any().over("offer_id"))
    reserves = case.reserves
    fast = case.resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value)["resource"].to_list()
    if market.scarcity is not None and reserves.is_empty():
        regions = sorted(set(case.locations["region"]))
        reserves = scarcity_reserves(market.scarcity, voll=market.voll, regions=regions, accelerators=fast)
    recipes: dict[str, dict[str, Row]] = {}
    for row in case.recipes.to_dicts():
        recipes.setdefault(row["workload"], {})[row["recipe"]] = row
    needs: dict[tuple[str, str], dict[str, float]] = {}
    for row in case.recipe_resources.to_dicts():
        needs.setdefault((row["workload"], row["recipe"]), {})[row["resource"]] = row["per_hour"]
    book = Book(
        hours=market.hours,
        starts=tuple(sorted(starts)) if starts is not None else _intervals(case, [bids, committed]),
        offers={(row["offer_id"], row["resource"], row["step"]): row for row in offers.to_dicts()},
        committed={row["offer_id"]: row for row in committed.to_dicts()},
        bids={(row["bid_id"], row["step"]): row for row in bids.to_dicts()},
        whole={row["bid_id"]: row for row in bids.to_dicts()},
        virtuals={row["bid_id"]: row for row in case.virtuals.filter(here).to_dicts()},
        tiers={row["tier"]: row for row in case.tiers.to_dicts()},
        recipes=recipes,
        needs=needs,
        egress={name: amount or 0.0 for name, amount in case.workloads.select("workload", "egress_gib_per_unit").iter_rows()},
        links={row["link"]: row for row in case.links.to_dicts()},
        locations=dict(case.locations.select("location", "region").iter_rows()),
        accelerators=frozenset(fast),
        reserves={(row["region"], row["resource"], row["step"]): row for row in reserves.to_dicts()},
    )
    _inside(book, case)
    return book


def _intervals(case: Case, tables: list[pl.DataFrame]) -> tuple[datetime, ...]:
    edges = pl.concat([table.select("start", "end") for table in tables])
    first, last = edges["start"].to_list(), edges["end"].to_list()
    begin, end, interval = min(first), max(last), case.market.interval
    return tuple(begin + number * interval for number in range((end - begin) // interval))


def _inside(book: Book, case: Case) -> None:
    """An order that is decided over its window has to stand in the intervals with the whole of it, or not at all."""
    timed = {f"offer {name}": row for name, row in book.committed.items()}
    timed |= {f"bid {bid}": row for (bid, _), row in book.bids.items() if book.gang(bid) or row["total"] is not None}
    for name, row in timed.items():
        count = len(book.window(row))
        if count not in (0, (row["end"] - row["start"]) // case.market.interval):
            raise InputError.of(
                "starts", f"all the intervals of {name} or none, as it is decided over its window", value=f"{count} of them"
            )
