"""The clearing problem of one horizon as data (market design, section 4): what solver, certificate, prices, awards and later parts
all read.

Minimise cost x subject to row_lower ≤ A x ≤ row_upper and 0 ≤ x ≤ upper, interval by interval, with the matrix A of the layout. The
sign of the design's maximum is turned, so that the dual of a balance row is Δ λ. Intervals that share a group are tied together by the
coupling and solved as one program (`program`); the others each by themselves.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csc_array

from tenorgrid.clearing.coupling import Coupling, couple
from tenorgrid.clearing.extra import put_extra
from tenorgrid.clearing.layout import NOWHERE, Layout, VirtualClass
from tenorgrid.clearing.orders import Orders, numbered
from tenorgrid.clearing.state import Standing
from tenorgrid.clearing.tiers import expected_value
from tenorgrid.clearing.wholes import joined_hours
from tenorgrid.clearing.windows import slotted, spread

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

HAIR = 1e-6  # of a node's capacity: the hair more and less load of the price rule


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One horizon's problem over some intervals, ready to solve."""

    orders: Orders
    hours: float  # Δ
    cost: Matrix = field(repr=False)  # (intervals, columns) USD per unit of the column
    upper: Matrix = field(repr=False)  # (intervals, columns)
    row_lower: Matrix = field(repr=False)  # (intervals, rows)
    row_upper: Matrix = field(repr=False)  # (intervals, rows)
    capacity: npt.NDArray[np.float64] = field(repr=False)  # (intervals, locations, resources, tiers) sold hours at most
    domain_capacity: Matrix = field(repr=False)  # (intervals, domain rows) sold hours at most
    wanted: npt.NDArray[np.bool_] = field(repr=False)  # (intervals, locations, resources, tiers) some bid may use the node
    domain_wanted: npt.NDArray[np.bool_] = field(repr=False)  # (intervals, domain rows) some bid may use so large a domain
    groups: npt.NDArray[np.int64] = field(repr=False)  # (intervals,) stretch of intervals that are solved together
    coupling: Coupling = field(repr=False)
    coupling_groups: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] = field(repr=False)  # of its columns and of its rows
    offers: pl.DataFrame = field(repr=False)  # members of the orders in merit order, with rank and share of their slot
    bids: pl.DataFrame = field(repr=False)  # likewise
    virtuals: pl.DataFrame = field(repr=False)  # likewise, those carried included

    @property
    def layout(self) -> Layout:
        """Columns, rows and matrix, the same in every interval."""
        return self.orders.layout

    @property
    def matrix(self) -> csc_array:
        """(rows, columns) of every interval."""
        return self.layout.matrix

    @property
    def lower(self) -> Matrix:
        """(1, 1) 0, the lower bound of every column."""
        return np.zeros((1, 1))

    @property
    def physical(self) -> npt.NDArray[np.bool_]:
        """(columns,) whether a column is no virtual bid."""
        return ~self.layout.columns["kind"].is_in(["inc", "dec"]).to_numpy()

    def hair(self) -> Matrix:
        """(intervals, rows) a hair of load: `HAIR` of the capacity of the node or domain, 0 on rows that are no balance."""
        hair = np.zeros_like(self.row_lower)
        balance = self.layout.balance_row
        traded = balance != NOWHERE
        hair[:, balance[traded]] = HAIR * self.capacity[:, traded]
        if self.layout.domain_rows:
            hair[:, [row.row for row in self.layout.domain_rows]] = HAIR * self.domain_capacity
        return hair

    def wanted_rows(self) -> npt.NDArray[np.bool_]:
        """(intervals, rows) whether some bid may use the node or domain of a row; other rows never are."""
        found = np.zeros(self.row_lower.shape, dtype=bool)
        balance = self.layout.balance_row
        traded = balance != NOWHERE
        found[:, balance[traded]] = self.wanted[:, traded]
        if self.layout.domain_rows:
            found[:, [row.row for row in self.layout.domain_rows]] = self.domain_wanted
        return found

    def bare(self) -> npt.NDArray[np.bool_]:
        """(intervals,) whether an interval is solved by itself with nothing decided whole."""
        counts = np.bincount(self.groups, minlength=self.groups.max(initial=-1) + 1)
        tied = np.isin(self.groups, np.concatenate(self.coupling_groups))
        return np.asarray((counts[self.groups] == 1) & ~tied)


def pose(orders: Orders, *, hours: float, carried: pl.DataFrame, floor: float, cap: float, standing: Standing | None = None) -> Problem:
    """The problem of these orders, with the virtual positions of earlier horizons standing in it.

    A carried position is bid again at the price bound (a dec at the cap, an inc at the floor): it stands until real time unless the
    run cannot carry it, and is then closed at this run's price.

    Args:
        orders: of one horizon.
        hours: Δ.
        carried: `CARRIED` columns; positions per hour taken at earlier horizons.
        floor, cap: price bounds of the market, USD per resource-hour.
        standing: what earlier runs have decided of gangs, commitments and work over time; None is nothing.
    """
    shape, count = orders.layout, orders.span.count
    cost, upper = np.tile(shape.cost, (count, 1)), np.tile(shape.upper, (count, 1))
    lower_rows, upper_rows = _right_hand_sides(shape, count)
    capacity = np.zeros((count, *shape.balance_row.shape))
    offers = slotted(_members(orders.offers, orders), merit=orders.offer_merit, descending=[False] * len(orders.offer_merit))
    bids = slotted(_members(orders.bids, orders), merit=orders.bid_merit, descending=[True, *[False] * (len(orders.bid_merit) - 1)])
    virtuals = _with_carried(orders, carried, floor=floor, cap=cap)
    _put_offers(shape, offers, cost=cost, upper=upper, rows=upper_rows, capacity=capacity, hours=hours)
    active = _put_bids(shape, bids, cost=cost, upper=upper, rows=upper_rows, hours=hours)
    _put_virtuals(shape, virtuals, cost=cost, upper=upper, capacity=capacity, hours=hours)
    groups = joined_hours(orders.windows(), orders.span)
    build = couple(
        orders.wholes, span=orders.span, layout=shape, offers=offers, bids=bids, standing=standing or Standing(), hours=hours, dearest=cap
    )
    put_extra(build, orders.extra, orders, offers=offers, bids=bids)
    coupling = build.build()
    return Problem(
        orders=orders,
        hours=hours,
        cost=cost,
        upper=upper,
        row_lower=lower_rows,
        row_upper=upper_rows,
        capacity=capacity,
        wanted=_wanted(shape, active) | _bought(shape, virtuals, count),
        domain_wanted=_domain_wanted(shape, active),
        domain_capacity=_domain_capacity(shape, offers, count),
        groups=groups,
        coupling=coupling,
        coupling_groups=_coupling_groups(coupling, groups),
        offers=offers,
        bids=bids,
        virtuals=virtuals,
    )


def _coupling_groups(coupling: Coupling, groups: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The stretch of intervals that each column and row of the coupling belongs to: its interval's, or that of its component.

    A constraint over the whole run makes one stretch of all intervals.
    """
    row, hour = coupling.inner[:2]
    parts = pl.DataFrame({"component": coupling.rows["component"].gather(row), "group": groups[hour]})
    of = dict(parts.unique("component", keep="first", maintain_order=True).iter_rows())

    def found(names: pl.DataFrame) -> npt.NDArray[np.int64]:
        hours = names["hour"].to_numpy()
        by_component = names["component"].replace_strict(list(of), list(of.values()), default=0, return_dtype=pl.Int64).to_numpy()
        return np.where(hours >= 0, groups[np.maximum(hours, 0)], by_component).astype(np.int64)

    return found(coupling.columns), found(coupling.rows)


def _members(rows: pl.DataFrame, orders: Orders) -> pl.DataFrame:
    """Windows spread over the intervals, in canonical order: equal steps share their slot in the order of id and step."""
    return spread(rows.sort("id", "step"), span=orders.span)


def _ranked_virtuals(members: pl.DataFrame, classes: list[VirtualClass]) -> pl.DataFrame:
    """Slots of virtual bids: the dearest dec and the cheapest inc first."""
    decs = [number for number, virtual in enumerate(classes) if virtual.side == "dec"]
    sign = pl.when(pl.col("class_number").is_in(decs)).then(-1.0).otherwise(1.0)
    keyed = members.sort("id").with_columns((sign * pl.col("price")).alias("merit"))
    return slotted(keyed, merit=["merit"], descending=[False]).drop("merit")


def _with_carried(orders: Orders, carried: pl.DataFrame, *, floor: float, cap: float) -> pl.DataFrame:
    """Own bids and carried positions with their slots; `carried` tells them apart."""
    classes, own = list(orders.layout.virtuals), orders.virtuals.with_columns(pl.lit(value=False).alias("carried"))
    if carried.is_empty():
        return _ranked_virtuals(spread(own, span=orders.span), classes)
    number = numbered(list(classes), {"location": pl.String, "resource": pl.String, "side": pl.String})
    again = (
        carried.join(number, on=["location", "resource", "side"], maintain_order="left")
        .with_columns(
            (pl.col("start") + orders.span.interval).alias("end"),
            pl.when(pl.col("side") == "dec").then(cap).otherwise(floor).alias("price"),
        )
        .select("class_number", "start", "end", "quantity", "price", "id", "participant", pl.lit(value=True).alias("carried"))
    )
    return _ranked_virtuals(spread(pl.concat([own, again]), span=orders.span), classes)


def _right_hand_sides(shape: Layout, count: int) -> tuple[Matrix, Matrix]:
    """Row bounds before any order: balances and work at least 0, the rest at most its right-hand side."""
    kind = shape.rows["kind"]
    at_least = kind.is_in(["balance", "domain", "work"]).to_numpy()
    lower = np.where(at_least, 0.0, -np.inf)
    upper = np.where(at_least, np.inf, 0.0)
    upper[shape.link_row] = shape.grid.links["capacity_gib_per_hour"].to_numpy()
    return np.tile(lower, (count, 1)), np.tile(upper, (count, 1))


def _put_offers(shape: Layout, members: pl.DataFrame, *, cost: Matrix, upper: Matrix, rows: Matrix, capacity: Matrix, hours: float) -> None:
    hour, number, quantity = (members[name].to_numpy() for name in ("hour", "class_number", "quantity"))
    price, premium = members["price"].to_numpy(), members["premium"].to_numpy()
    slot = shape.offer_slots[number] + members["rank"].to_numpy()
    own_headroom = np.array([offer.firmable and not offer.whole for offer in shape.offers], dtype=bool)[number]
    places = {name: at for at, name in enumerate(shape.grid.locations)}, {name: at for at, name in enumerate(shape.grid.resources)}
    location = np.array([places[0][offer.location] for offer in shape.offers], dtype=np.int64)[number]
    resource = np.array([places[1][offer.resource] for offer in shape.offers], dtype=np.int64)[number]
    for k, overcommit in enumerate(shape.grid.tiers.overcommit):
        column = shape.offer_column[slot, k]
        sold = column != NOWHERE
        cost[hour[sold], column[sold]] = hours * (price + (premium if k == 0 else 0.0))[sold]
        np.add.at(upper, (hour[sold], column[sold]), quantity[sold])
        np.add.at(capacity, (hour[sold], location[sold], resource[sold], k), overcommit * quantity[sold])
    for row, counts in ((shape.inventory_row[slot], True), (shape.reserve_row[number], own_headroom)):
        held = (row != NOWHERE) & counts
        np.add.at(rows, (hour[held], row[held]), quantity[held])


def _domain_capacity(shape: Layout, members: pl.DataFrame, count: int) -> Matrix:
    """(intervals, domain rows) what offers of large enough domains could sell."""
    found = np.zeros((count, len(shape.domain_rows)))
    for at, row in enumerate(shape.domain_rows):
        k = shape.grid.tiers.names.index(row.tier)
        fitting = [
            number
            for number, offer in enumerate(shape.offers)
            if (offer.location, offer.resource) == (row.location, row.resource) and offer.domain >= row.size and (k > 0 or offer.firmable)
        ]
        mine = members.filter(pl.col("class_number").is_in(fitting))
        sold = float(shape.grid.tiers.overcommit[k]) * mine["quantity"].to_numpy()
        found[:, at] = np.bincount(mine["hour"].to_numpy(), weights=sold, minlength=count)
    return found


def _put_bids(shape: Layout, members: pl.DataFrame, *, cost: Matrix, upper: Matrix, rows: Matrix, hours: float) -> npt.NDArray[np.bool_]:
    """Returns (intervals, bid classes) whether some bid of the class stands in the interval."""
    hour, number, quantity = (members[name].to_numpy() for name in ("hour", "class_number", "quantity"))
    slot = shape.bid_slots[number] + members["rank"].to_numpy()
    for k, interruption in enumerate(shape.grid.tiers.interruption):
        worth = expected_value(members["value"].to_numpy(), members["loss"].to_numpy(), interruption=float(interruption))
        column = shape.bid_column[slot, k]
        served = column != NOWHERE
        cost[hour[served], column[served]] = -hours * worth[served]
        np.add.at(upper, (hour[served], column[served]), quantity[served])
    row = shape.step_row[slot]
    held = row != NOWHERE
    np.add.at(rows, (hour[held], row[held]), quantity[held])
    active = np.zeros((cost.shape[0], len(shape.bids)), dtype=bool)
    active[hour, number] = True
    return active


def _put_virtuals(shape: Layout, members: pl.DataFrame, *, cost: Matrix, upper: Matrix, capacity: Matrix, hours: float) -> None:
    hour, number, quantity = (members[name].to_numpy() for name in ("hour", "class_number", "quantity"))
    column = shape.virtual_column[shape.virtual_slots[number] + members["rank"].to_numpy()]
    sells = np.array([virtual.side == "inc" for virtual in shape.virtuals], dtype=bool)[number]
    cost[hour, column] = hours * np.where(sells, 1.0, -1.0) * members["price"].to_numpy()
    np.add.at(upper, (hour, column), quantity)
    places = {name: at for at, name in enumerate(shape.grid.locations)}, {name: at for at, name in enumerate(shape.grid.resources)}
    location = np.array([places[0][virtual.location] for virtual in shape.virtuals], dtype=np.int64)[number]
    resource = np.array([places[1][virtual.resource] for virtual in shape.virtuals], dtype=np.int64)[number]
    np.add.at(capacity, (hour[sells], location[sells], resource[sells], 0), quantity[sells])


def _bought(shape: Layout, members: pl.DataFrame, count: int) -> npt.NDArray[np.bool_]:
    """(intervals, locations, resources, tiers) nodes in which a dec stands: it is a bid too, and settles at the node's price."""
    found = np.zeros((count, *shape.balance_row.shape), dtype=bool)
    for number, virtual in enumerate(shape.virtuals):
        if virtual.side == "dec":
            hour = members.filter(pl.col("class_number") == number)["hour"].to_numpy()
            found[hour, shape.grid.locations.index(virtual.location), shape.grid.resources.index(virtual.resource), 0] = True
    return found


def _wanted(shape: Layout, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(intervals, locations, resources, tiers) nodes that a bid standing in the interval may use."""
    grid = shape.grid
    mask = np.zeros((len(shape.bids), *shape.balance_row.shape), dtype=bool)
    for number, bid in enumerate(shape.bids):
        used = grid.recipes[bid.workload].use.any(axis=0)
        for place in grid.places(bid.workload, bid.home):
            for level in bid.tiers:
                mask[number, grid.locations.index(place.location), used, grid.tiers.names.index(level)] = True
    return (active.astype(np.float32) @ mask.reshape(len(shape.bids), -1).astype(np.float32) > 0).reshape(-1, *shape.balance_row.shape)


def _domain_wanted(shape: Layout, active: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """(intervals, domain rows) whether some bid that stands in the interval has a recipe that needs so large a domain at the node."""
    grid = shape.grid
    found = np.zeros((active.shape[0], len(shape.domain_rows)), dtype=bool)
    for at, row in enumerate(shape.domain_rows):
        what = grid.resources.index(row.resource)
        for number, bid in enumerate(shape.bids):
            book = grid.recipes[bid.workload]
            needs = any(book.domain(recipe) >= row.size and book.use[recipe, what] > 0.0 for recipe in range(len(book.names)))
            if needs and row.tier in bid.tiers and any(place.location == row.location for place in grid.places(bid.workload, bid.home)):
                found[:, at] |= active[:, number]
    return found
