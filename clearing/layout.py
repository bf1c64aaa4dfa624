"""The shape of one horizon's problem, the same in every interval: columns and rows with their names and kinds, and the matrix.

Only costs, bounds and right-hand sides differ from interval to interval (`problem`), so one solver instance serves a whole horizon and one reference
basis fits every interval. All bids of one workload and home share their recipe levels z per tier (a *pool*): recipes belong to the workload, so the sum
of the bids' own levels is all that the balances see, and any split of it among them in proportion to their work is feasible. A pool with a single
recipe and place needs neither level nor work row: its bids enter the balances themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csc_array

from tenorgrid.clearing.recipes import Recipes, recipes_by_workload
from tenorgrid.clearing.scarcity import reserves as scarcity_reserves
from tenorgrid.clearing.tiers import FIRM, Tiers, tiers
from tenorgrid.data.case import Case

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]  # positions in the columns or rows; NOWHERE where there is none

NOWHERE = -1
ANYWHERE = "*"

Name = tuple[str | int | None, ...]
COLUMN_NAMES = ("kind", "location", "resource", "workload", "home", "recipe", "link", "tier", "slot")
ROW_NAMES = ("kind", "location", "resource", "workload", "home", "link", "tier", "slot")


class OfferClass(NamedTuple):
    """Offers of one resource in one location; `firmable` ones may be sold firm."""

    location: str
    resource: str
    firmable: bool


class BidClass(NamedTuple):
    """Bids for one workload at one home (`*` anywhere) that the same tiers serve."""

    workload: str
    home: str
    tiers: tuple[str, ...]


class VirtualClass(NamedTuple):
    """Virtual bids on one side of the firm balance of a node."""

    location: str
    resource: str
    side: str


class Place(NamedTuple):
    """Where a pool's work may run, and the link that its data takes (none at home)."""

    location: str
    link: str | None
    cost: float  # κ e, USD per unit of work
    egress: float  # e, GiB per unit of work; 0 without a link


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Static terms of a case in canonical (alphabetical) order."""

    locations: tuple[str, ...]
    regions: dict[str, str]
    resources: tuple[str, ...]
    accelerators: tuple[str, ...]
    tiers: Tiers
    recipes: dict[str, Recipes]
    egress: dict[str, float]
    links: pl.DataFrame
    reserves: pl.DataFrame

    @classmethod
    def of(cls, case: Case) -> "Grid":
        """The grid of a case; `[scarcity]` terms become reserve steps where no table gives them."""
        locations = case.locations.sort("location")
        resources = case.resources.sort("resource")
        accelerators = tuple(resources.filter(pl.col("kind").cast(pl.String) == "accelerator")["resource"])
        reserves, terms = case.reserves, case.market.scarcity
        if terms is not None and reserves.is_empty():
            regions = sorted(set(locations["region"]))
            reserves = scarcity_reserves(terms, voll=case.market.voll, regions=regions, accelerators=list(accelerators))
        return cls(
            locations=tuple(locations["location"]),
            regions=dict(locations.select("location", "region").iter_rows()),
            resources=tuple(resources["resource"]),
            accelerators=accelerators,
            tiers=tiers(case.tiers),
            recipes=recipes_by_workload(case.recipes, case.recipe_resources, resources=list(resources["resource"])),
            egress={name: egress or 0.0 for name, egress in case.workloads.select("workload", "egress_gib_per_unit").iter_rows()},
            links=case.links.sort("link"),
            reserves=reserves.sort("region", "resource", "step"),
        )

    def places(self, workload: str, home: str) -> list[Place]:
        """Home, then over each link from it; anywhere at no cost where the bid has no home."""
        if home == ANYWHERE:
            return [Place(location, None, 0.0, 0.0) for location in self.locations]
        egress = self.egress[workload]
        away = self.links.filter(pl.col("from") == home).select("to", "link", "cost_per_gib").iter_rows()
        return [Place(home, None, 0.0, 0.0), *(Place(to, link, egress * cost, egress) for to, link, cost in away)]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Columns, rows and matrix of one interval's problem, and where in them each part of the market stands."""

    grid: Grid
    offers: tuple[OfferClass, ...]
    bids: tuple[BidClass, ...]
    virtuals: tuple[VirtualClass, ...]
    offer_slots: Places  # (offer classes + 1,) first slot of each class
    bid_slots: Places
    virtual_slots: Places
    columns: pl.DataFrame = field(repr=False)
    rows: pl.DataFrame = field(repr=False)
    matrix: csc_array = field(repr=False)
    cost: Vector = field(repr=False)  # (columns,) USD, of the parts that no interval changes: transport and reserve
    upper: Vector = field(repr=False)  # (columns,) likewise; 0 for slots, infinite for levels
    offer_column: Places = field(repr=False)  # (offer slots, tiers)
    inventory_row: Places = field(repr=False)  # (offer slots,)
    bid_column: Places = field(repr=False)  # (bid slots, tiers)
    step_row: Places = field(repr=False)  # (bid slots,)
    virtual_column: Places = field(repr=False)  # (virtual slots,)
    balance_row: Places = field(repr=False)  # (locations, resources, tiers)
    reserve_row: Places = field(repr=False)  # (offer classes,) the group whose headroom the class adds to
    link_row: Places = field(repr=False)  # (links,)


class _Builder:
    """Collects names and entries; the order in which parts are added is the canonical order."""

    def __init__(self) -> None:
        self.columns: list[Name] = []
        self.rows: list[Name] = []
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.entries: list[tuple[int, int, float]] = []

    def row(self, *name: str | int | None) -> int:
        self.rows.append(name)
        return len(self.rows) - 1

    def column(self, *name: str | int | None, cost: float = 0.0, upper: float = 0.0) -> int:
        self.columns.append(name)
        self.cost.append(cost)
        self.upper.append(upper)
        return len(self.columns) - 1

    def put(self, row: int, column: int, value: float) -> None:
        if row != NOWHERE and value != 0.0:
            self.entries.append((row, column, value))

    def matrix(self) -> csc_array:
        rows, columns, values = (np.array(part) for part in zip(*self.entries, strict=True))
        return csc_array((values, (rows, columns)), shape=(len(self.rows), len(self.columns)))


def _offsets(widths: list[int]) -> Places:
    return np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)


def layout(
    grid: Grid,
    *,
    offers: dict[OfferClass, int],
    bids: dict[BidClass, int],
    virtuals: dict[VirtualClass, int],
    hours: float,
) -> Layout:
    """The layout that holds the given classes, each with the most slots that it needs in any interval.

    Args:
        grid: static terms of the case.
        offers, bids, virtuals: slots of each class.
        hours: Δ, length of an interval.
    """
    build = _Builder()
    levels = grid.tiers.names
    location, resource = ({name: number for number, name in enumerate(names)} for names in (grid.locations, grid.resources))
    pools = sorted({(bid.workload, bid.home, tier) for bid in bids for tier in bid.tiers})

    balance = np.full((len(location), len(resource), len(levels)), NOWHERE, dtype=np.int64)
    for where, what, level in sorted(_nodes(grid, pools, virtuals)):
        balance[location[where], resource[what], levels.index(level)] = build.row("balance", where, what, None, None, None, level, None)
    reserve, reserve_row = _reserve_rows(build, grid, offers)
    link_row = {name: build.row("link", None, None, None, None, name, None, None) for name in grid.links["link"]}

    offer_column, inventory_row = [], []
    for number, (offer, width) in enumerate(offers.items()):
        for slot in range(width):
            nodes = balance[location[offer.location], resource[offer.resource]]
            sold = [k for k in range(len(levels)) if nodes[k] != NOWHERE and (k > 0 or offer.firmable)]
            name = (offer.location, offer.resource, None, None)
            inventory = build.row("inventory", *name, None, None, slot) if len(sold) > 1 else NOWHERE
            places = [NOWHERE] * len(levels)
            for k in sold:
                places[k] = column = build.column("offer", *name, None, None, levels[k], slot)
                build.put(nodes[k], column, float(grid.tiers.overcommit[k]))
                build.put(inventory, column, 1.0)
                recalled = float(grid.tiers.reserve[k])
                build.put(reserve_row[number], column, (1.0 if offer.firmable else 0.0) - recalled)
            offer_column.append(places)
            inventory_row.append(inventory)

    work_row, single = {}, {}
    for workload, home, level in pools:
        options = list(_options(grid, workload, home))
        k = levels.index(level)
        if len(options) == 1:
            single[workload, home, level] = options[0]
            continue
        work = work_row[workload, home, level] = build.row("work", None, None, workload, home, None, level, None)
        book = grid.recipes[workload]
        for recipe, place in options:
            name = (place.location, None, workload, home, book.names[recipe], place.link, level, None)
            made = float(book.output[recipe])
            column = build.column("level", *name, cost=hours * made * place.cost, upper=np.inf)
            build.put(work, column, made)
            for j in np.flatnonzero(book.use[recipe]):
                build.put(balance[location[place.location], j, k], column, -float(book.use[recipe, j]))
            if place.link is not None:
                build.put(link_row[place.link], column, made * place.egress)

    bid_column, step_row = [], []
    for bid, width in bids.items():
        for slot in range(width):
            step = build.row("step", None, None, bid.workload, bid.home, None, None, slot) if len(bid.tiers) > 1 else NOWHERE
            places = [NOWHERE] * len(levels)
            for level in bid.tiers:
                k = levels.index(level)
                pool = (bid.workload, bid.home, level)
                option = single.get(pool)
                where = option[1].location if option else None
                recipe_name = grid.recipes[bid.workload].names[option[0]] if option else None
                places[k] = column = build.column("bid", where, None, bid.workload, bid.home, recipe_name, None, level, slot)
                build.put(step, column, 1.0)
                if option is None:
                    build.put(work_row[pool], column, -1.0)
                    continue
                book, (recipe, place) = grid.recipes[bid.workload], option
                for j in np.flatnonzero(book.use[recipe]):
                    build.put(balance[location[place.location], j, k], column, -float(book.use[recipe, j] / book.output[recipe]))
            bid_column.append(places)
            step_row.append(step)

    for region, what, step, quantity, price in grid.reserves.select("region", "resource", "step", "quantity", "price").iter_rows():
        if (region, what) in reserve:
            column = build.column("reserve", region, what, None, None, None, None, None, step, cost=-hours * price, upper=quantity)
            build.put(reserve[region, what], column, 1.0)
    virtual_column = []
    for virtual, width in virtuals.items():
        for slot in range(width):
            column = build.column(virtual.side, virtual.location, virtual.resource, None, None, None, None, FIRM, slot)
            sign = 1.0 if virtual.side == "inc" else -1.0
            build.put(balance[location[virtual.location], resource[virtual.resource], 0], column, sign)
            virtual_column.append(column)

    return Layout(
        grid=grid,
        offers=tuple(offers),
        bids=tuple(bids),
        virtuals=tuple(virtuals),
        offer_slots=_offsets(list(offers.values())),
        bid_slots=_offsets(list(bids.values())),
        virtual_slots=_offsets(list(virtuals.values())),
        columns=_named(build.columns, COLUMN_NAMES),
        rows=_named(build.rows, ROW_NAMES),
        matrix=build.matrix(),
        cost=np.array(build.cost),
        upper=np.array(build.upper),
        offer_column=np.array(offer_column, dtype=np.int64).reshape(-1, len(levels)),
        inventory_row=np.array(inventory_row, dtype=np.int64),
        bid_column=np.array(bid_column, dtype=np.int64).reshape(-1, len(levels)),
        step_row=np.array(step_row, dtype=np.int64),
        virtual_column=np.array(virtual_column, dtype=np.int64),
        balance_row=balance,
        reserve_row=np.array(reserve_row, dtype=np.int64),
        link_row=np.array(list(link_row.values()), dtype=np.int64),
    )


def _options(grid: Grid, workload: str, home: str) -> Iterator[tuple[int, Place]]:
    """Every recipe in every place that a pool may use."""
    for recipe in range(len(grid.recipes[workload].names)):
        for place in grid.places(workload, home):
            yield recipe, place


def _nodes(grid: Grid, pools: list[tuple[str, str, str]], virtuals: dict[VirtualClass, int]) -> set[tuple[str, str, str]]:
    """Nodes that some recipe of some bid may use, or that a virtual bid stands in."""
    nodes = {(virtual.location, virtual.resource, FIRM) for virtual in virtuals}
    for workload, home, level in pools:
        used = np.flatnonzero(grid.recipes[workload].use.any(axis=0))
        nodes |= {(place.location, grid.resources[j], level) for place in grid.places(workload, home) for j in used}
    return nodes


def _reserve_rows(build: _Builder, grid: Grid, offers: dict[OfferClass, int]) -> tuple[dict[tuple[str, str], int], list[int]]:
    """A row per group (an accelerator in a region) with a scarcity curve, and the row of each offer class."""
    groups = grid.reserves.select("region", "resource").unique(maintain_order=True).iter_rows()
    reserve = {group: build.row("reserve", group[0], group[1], None, None, None, None, None) for group in groups}
    return reserve, [reserve.get((grid.regions[offer.location], offer.resource), NOWHERE) for offer in offers]


def _named(names: list[Name], fields: tuple[str, ...]) -> pl.DataFrame:
    schema = {name: pl.Int64 if name == "slot" else pl.String for name in fields}
    return pl.DataFrame(names, schema=schema, orient="row").with_row_index("number")
