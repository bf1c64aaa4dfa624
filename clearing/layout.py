"""The shape of one horizon's problem, the same in every interval: columns and rows with their names and kinds, and the matrix.

Only costs, bounds and right-hand sides differ from interval to interval (`problem`), so one solver instance serves a whole horizon and
one reference basis fits every interval. All bids of one workload and home share their recipe levels z per tier (a *pool*): recipes belong
to the workload, so the sum of the bids' own levels is all that the balances see, and any split of it among them in proportion to their
work is feasible. A pool with a single recipe and place needs neither level nor work row: its bids enter the balances themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csc_array

from tenorgrid.clearing.grid import Grid, Place
from tenorgrid.clearing.recipes import Recipes
from tenorgrid.clearing.tiers import FIRM
from tenorgrid.clearing.wholes import POOLED

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]  # positions in the columns or rows; NOWHERE where there is none

NOWHERE = -1

Name = tuple[str | int | None, ...]
Pool = tuple[str, str, str]  # workload, home, tier
COLUMN_NAMES = ("kind", "location", "resource", "workload", "home", "recipe", "link", "tier", "slot")
ROW_NAMES = ("kind", "location", "resource", "workload", "home", "link", "tier", "slot", "domain")


class OfferClass(NamedTuple):
    """Offers of one resource in one location; `firmable` ones may be sold firm, `domain` is the scale-up size that they belong to.

    A class with an `own` name belongs to one order; where that is decided `whole`, its inventory depends on the decision (`coupling`).
    """

    location: str
    resource: str
    firmable: bool
    domain: int = 1
    own: str = POOLED
    whole: bool = False


class BidClass(NamedTuple):
    """Bids for one workload at one home (`*` anywhere) that the same tiers serve; `own` and `whole` as for offers."""

    workload: str
    home: str
    tiers: tuple[str, ...]
    own: str = POOLED
    whole: bool = False


class VirtualClass(NamedTuple):
    """Virtual bids on one side of the firm balance of a node."""

    location: str
    resource: str
    side: str


class DomainRow(NamedTuple):
    """Use by recipes that need a scale-up size of at least `size` is at most what offers of such domains sell."""

    location: str
    resource: str
    tier: str
    size: int
    row: int


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
    domain_rows: tuple["DomainRow", ...] = field(repr=False)


class _Builder:
    """Collects names and entries; the order in which parts are added is the canonical order."""

    def __init__(self, grid: Grid, *, hours: float) -> None:
        self.grid = grid
        self.hours = hours
        self.levels = grid.tiers.names
        self.location = {name: number for number, name in enumerate(grid.locations)}
        self.resource = {name: number for number, name in enumerate(grid.resources)}
        self.columns: list[Name] = []
        self.rows: list[Name] = []
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.entries: list[tuple[int, int, float]] = []
        self.balance = np.full((len(self.location), len(self.resource), len(self.levels)), NOWHERE, dtype=np.int64)
        self.domains: dict[tuple[str, str, str], dict[int, int]] = {}  # rows of a node by scale-up size
        self.reserve: dict[tuple[str, str], int] = {}
        self.link: dict[str, int] = {}
        self.work: dict[Pool, int] = {}
        self.single: dict[Pool, tuple[int, Place]] = {}

    def row(self, kind: str, **name: Any) -> int:
        self.rows.append((kind, *(name.get(part) for part in ROW_NAMES[1:])))
        return len(self.rows) - 1

    def column(self, kind: str, *, cost: float = 0.0, upper: float = 0.0, **name: Any) -> int:
        self.columns.append((kind, *(name.get(part) for part in COLUMN_NAMES[1:])))
        self.cost.append(cost)
        self.upper.append(upper)
        return len(self.columns) - 1

    def put(self, row: int, column: int, value: float) -> None:
        if row != NOWHERE and value != 0.0:
            self.entries.append((row, column, value))

    def matrix(self) -> csc_array:
        rows, columns, values = (np.array(part) for part in zip(*self.entries, strict=True))
        return csc_array((values, (rows, columns)), shape=(len(self.rows), len(self.columns)))

    def node(self, location: str, resource: str, level: str) -> int:
        return int(self.balance[self.location[location], self.resource[resource], self.levels.index(level)])

    def use(self, column: int, *, book: Recipes, recipe: int, place: Place, level: str, per: float) -> None:
        """What a column uses of each balance: x per recipe-hour, divided by `per`."""
        for j in np.flatnonzero(book.use[recipe]):
            amount = -float(book.use[recipe, j]) / per
            self.put(self.node(place.location, self.grid.resources[j], level), column, amount)
            self.within_domains((place.location, self.grid.resources[j], level), column, amount, size=book.domain(recipe))

    def within_domains(self, node: tuple[str, str, str], column: int, amount: float, *, size: int) -> None:
        """What a column of a scale-up size sells or uses counts in the rows of that size and of every smaller one."""
        for least, row in self.domains.get(node, {}).items():
            if size >= least:
                self.put(row, column, amount)

    def add_balances(self, nodes: set[tuple[str, str, str]]) -> None:
        for where, what, level in sorted(nodes):
            self.balance[self.location[where], self.resource[what], self.levels.index(level)] = self.row(
                "balance", location=where, resource=what, tier=level
            )

    def add_domains(self, sizes: dict[tuple[str, str, str], set[int]]) -> None:
        """A row for each scale-up size that recipes need at a node of an accelerator."""
        for (where, what, level), wanted in sorted(sizes.items()):
            self.domains[where, what, level] = {
                size: self.row("domain", location=where, resource=what, tier=level, domain=size) for size in sorted(wanted)
            }

    def add_groups(self) -> None:
        """A row per reserve group (an accelerator in a region) and per link."""
        for region, resource in self.grid.reserves.select("region", "resource").unique(maintain_order=True).iter_rows():
            self.reserve[region, resource] = self.row("reserve", location=region, resource=resource)
        for name in self.grid.links["link"]:
            self.link[name] = self.row("link", link=name)

    def add_offers(self, offer: OfferClass, width: int) -> Iterator[tuple[list[int], int]]:
        """Columns of each slot by tier, and its inventory row where several tiers share it."""
        group = self.reserve.get((self.grid.regions[offer.location], offer.resource), NOWHERE)
        nodes = [self.node(offer.location, offer.resource, level) for level in self.levels]
        sold = [k for k, node in enumerate(nodes) if node != NOWHERE and (k > 0 or offer.firmable)]
        for slot in range(width):
            name: dict[str, Any] = {"location": offer.location, "resource": offer.resource, "slot": slot}
            inventory = self.row("inventory", **name) if len(sold) > 1 and not offer.whole else NOWHERE
            places = [NOWHERE] * len(self.levels)
            for k in sold:
                places[k] = self.column("offer", tier=self.levels[k], **name)
                self.put(nodes[k], places[k], float(self.grid.tiers.overcommit[k]))
                node = (offer.location, offer.resource, self.levels[k])
                self.within_domains(node, places[k], float(self.grid.tiers.overcommit[k]), size=offer.domain)
                self.put(inventory, places[k], 1.0)
                self.put(group, places[k], (1.0 if offer.firmable else 0.0) - float(self.grid.tiers.reserve[k]))
            yield places, inventory

    def add_pool(self, pool: Pool) -> None:
        """Recipe levels of a pool and its work row; neither where there is only one recipe and place."""
        workload, home, level = pool
        options = list(_options(self.grid, workload, home))
        if len(options) == 1:
            self.single[pool] = options[0]
            return
        book = self.grid.recipes[workload]
        work = self.work[pool] = self.row("work", workload=workload, home=home, tier=level)
        for recipe, place in options:
            made = float(book.output[recipe])
            name = {
                "location": place.location,
                "workload": workload,
                "home": home,
                "recipe": book.names[recipe],
                "link": place.link,
                "tier": level,
            }
            column = self.column("level", cost=self.hours * made * place.cost, upper=np.inf, **name)
            self.put(work, column, made)
            self.use(column, book=book, recipe=recipe, place=place, level=level, per=1.0)
            if place.link is not None:
                self.put(self.link[place.link], column, made * place.egress)

    def add_bids(self, bid: BidClass, width: int) -> Iterator[tuple[list[int], int]]:
        """Columns of each slot by tier, and its step row where several tiers share it."""
        book = self.grid.recipes[bid.workload]
        for slot in range(width):
            name: dict[str, Any] = {"workload": bid.workload, "home": bid.home, "slot": slot}
            step = self.row("step", **name) if len(bid.tiers) > 1 and not bid.whole else NOWHERE
            places = [NOWHERE] * len(self.levels)
            for level in bid.tiers:
                pool = (bid.workload, bid.home, level)
                alone = self.single.get(pool)
                where: dict[str, Any] = {} if alone is None else {"location": alone[1].location, "recipe": book.names[alone[0]]}
                places[self.levels.index(level)] = column = self.column("bid", tier=level, **name, **where)
                self.put(step, column, 1.0)
                if alone is None:
                    self.put(self.work[pool], column, -1.0)
                else:
                    self.use(column, book=book, recipe=alone[0], place=alone[1], level=level, per=float(book.output[alone[0]]))
            yield places, step

    def add_reserve_steps(self) -> None:
        for region, resource, step, quantity, price in self.grid.reserves.select(
            "region", "resource", "step", "quantity", "price"
        ).iter_rows():
            column = self.column("reserve", location=region, resource=resource, slot=step, cost=-self.hours * price, upper=quantity)
            self.put(self.reserve[region, resource], column, 1.0)

    def add_virtuals(self, virtual: VirtualClass, width: int) -> Iterator[int]:
        for slot in range(width):
            column = self.column(virtual.side, location=virtual.location, resource=virtual.resource, tier=FIRM, slot=slot)
            self.put(self.node(virtual.location, virtual.resource, FIRM), column, 1.0 if virtual.side == "inc" else -1.0)
            yield column


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
    build = _Builder(grid, hours=hours)
    pools = sorted({(bid.workload, bid.home, tier) for bid in bids for tier in bid.tiers})
    build.add_balances(_nodes(grid, pools, virtuals))
    build.add_domains(_sizes(grid, pools))
    build.add_groups()
    offered = [slot for offer, width in offers.items() for slot in build.add_offers(offer, width)]
    for pool in pools:
        build.add_pool(pool)
    wanted = [slot for bid, width in bids.items() for slot in build.add_bids(bid, width)]
    build.add_reserve_steps()
    virtual_column = [column for virtual, width in virtuals.items() for column in build.add_virtuals(virtual, width)]
    groups = [build.reserve.get((grid.regions[offer.location], offer.resource), NOWHERE) for offer in offers]
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
        offer_column=np.array([places for places, _ in offered], dtype=np.int64).reshape(-1, len(grid.tiers.names)),
        inventory_row=np.array([row for _, row in offered], dtype=np.int64),
        bid_column=np.array([places for places, _ in wanted], dtype=np.int64).reshape(-1, len(grid.tiers.names)),
        step_row=np.array([row for _, row in wanted], dtype=np.int64),
        virtual_column=np.array(virtual_column, dtype=np.int64),
        balance_row=build.balance,
        reserve_row=np.array(groups, dtype=np.int64),
        link_row=np.array(list(build.link.values()), dtype=np.int64),
        domain_rows=tuple(DomainRow(*node, size, row) for node, rows in build.domains.items() for size, row in rows.items()),
    )


def _offsets(widths: list[int]) -> Places:
    return np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)


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


def _sizes(grid: Grid, pools: list[Pool]) -> dict[tuple[str, str, str], set[int]]:
    """Scale-up sizes above 1 that recipes of some bid need of an accelerator, by node."""
    sizes: dict[tuple[str, str, str], set[int]] = {}
    for workload, home, level in pools:
        book = grid.recipes[workload]
        for recipe in range(len(book.names)):
            if book.domain(recipe) > 1:
                used = [grid.resources[j] for j in np.flatnonzero(book.use[recipe]) if grid.resources[j] in grid.accelerators]
                for place in grid.places(workload, home):
                    for resource in used:
                        sizes.setdefault((place.location, resource, level), set()).add(book.domain(recipe))
    return sizes


def _named(names: list[Name], fields: tuple[str, ...]) -> pl.DataFrame:
    schema = {name: pl.Int64 if name in ("slot", "domain") else pl.String for name in fields}
    return pl.DataFrame(names, schema=schema, orient="row").with_row_index("number")
