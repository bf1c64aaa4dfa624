"""What is decided whole or over time, as columns and rows beside those of the intervals (market design, section 4).

Columns: w, a gang accepted; u, an offer committed in an interval; v, a run of it started. Rows tie them to the columns of the intervals:

    gang         Σ_k m ≤ q w of each step,   Σ m ≥ share · Σ q · w in every interval of the window
    total        Δ Σ_t Σ_k m ≤ total         (times w for a gang, or for a bid that is linked to one)
    later        Δ Σ_t Σ_k m ≤ total − what a gang's share takes after the intervals that are seen
    group, link  Σ w ≤ 1,                    w ≤ w of the bid it is linked to
    commitment   Σ_k Y ≤ q u,  for a block step Σ_k Y = q u
    start        v_t ≥ u_t − u_{t−1};  run: the starts of the intervals that min_hours reaches back over ≤ u_t
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.layout import NOWHERE, Layout
from tenorgrid.clearing.state import Standing
from tenorgrid.clearing.wholes import Wholes, components, least_run
from tenorgrid.clearing.windows import Span

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NAMES = pl.Schema({"kind": pl.String(), "id": pl.String(), "participant": pl.String(), "component": pl.String()})
EXTRA = "extra"  # kind of a row of the user's
NUMBERED = pl.Schema({"id": pl.String(), "number": pl.Int64()})
GANGS = pl.Schema({"number": pl.Int64(), "id": pl.String(), "group": pl.String(), "parent": pl.String(), "component": pl.String()})
NO_HOURS = np.array([-1])  # of a column or row that belongs to no single interval


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """Columns and rows beside the intervals', in canonical order.

    `inner` entries (row, interval, column of the interval, value) and `outer` ones (row, own column, value) make its rows; `into`
    (interval, row of the interval, own column, value) is what its columns do in the intervals' rows.
    """

    columns: pl.DataFrame = field(repr=False)
    rows: pl.DataFrame = field(repr=False)
    cost: Vector = field(repr=False)
    lower: Vector = field(repr=False)
    upper: Vector = field(repr=False)
    whole: Flags = field(repr=False)  # (columns,) 0 or 1 and nothing between
    row_lower: Vector = field(repr=False)
    row_upper: Vector = field(repr=False)
    inner: tuple[Places, Places, Places, Vector] = field(repr=False)
    outer: tuple[Places, Places, Vector] = field(repr=False)
    into: tuple[Places, Places, Places, Vector] = field(repr=False)
    gangs: pl.DataFrame = field(repr=False)  # number (of the column w), id, group, parent, component


class CouplingBuilder:
    """Collects columns, rows and entries, a stretch of intervals at a time."""

    def __init__(self, span: Span, *, hours: float) -> None:
        self.span = span
        self.hours = hours
        self.gangs = pl.DataFrame(schema=GANGS)
        self.columns = _Names()
        self.rows = _Names()
        self.terms: list[Vector] = []  # (4, columns) cost, lower, upper, whole
        self.bounds: list[Vector] = []  # (2, rows)
        self.inner: list[Vector] = []  # (4, entries)
        self.outer: list[Vector] = []
        self.into: list[Vector] = []
        self.charges: list[Vector] = []  # (2, entries) column, cost

    def column(
        self,
        kind: str,
        order: dict[str, Any],
        hours: Places = NO_HOURS,
        *,
        cost: float = 0.0,
        lower: Vector | float = 0.0,
        upper: Vector | float = 1.0,
        whole: float = 0.0,
    ) -> Places:
        """Columns of an order, one an interval, or a single one; returns their numbers."""
        places = self.columns.add(kind, order, hours)
        self.terms.append(
            np.stack([np.broadcast_to(np.asarray(part, dtype=np.float64), places.shape) for part in (cost, lower, upper, whole)])
        )
        return places

    def row(
        self, kind: str, order: dict[str, Any], hours: Places = NO_HOURS, *, lower: float = -np.inf, upper: Vector | float = np.inf
    ) -> Places:
        """Rows of an order, one an interval, or a single one; returns their numbers."""
        places = self.rows.add(kind, order, hours)
        self.bounds.append(np.stack([np.broadcast_to(np.asarray(part, float), places.shape) for part in (lower, upper)]))
        return places

    def put(self, rows: Places, columns: Places, value: Vector | float) -> None:
        """Entries of the coupling's own columns."""
        self.outer.append(_entries(rows, columns, value))

    def put_inner(self, rows: Places, hours: Places, columns: Places, value: Vector | float) -> None:
        """Entries of the intervals' columns; those that are nowhere are left out."""
        entries = _entries(rows, hours, columns, value)
        self.inner.append(entries[:, entries[2] != NOWHERE])

    def put_into(self, hours: Places, row: int, columns: Places, value: Vector) -> None:
        """Entries of the coupling's columns in a row of the intervals."""
        self.into.append(_entries(hours, np.array(row), columns, value))

    def charge(self, columns: Places, cost: Vector) -> None:
        """Adds to the cost of columns."""
        self.charges.append(_entries(columns, cost))

    def build(self) -> Coupling:
        """All of it as arrays."""
        cost, lower, upper, whole = np.concatenate([np.zeros((4, 0)), *self.terms], axis=1)
        at, more = np.concatenate([np.zeros((2, 0)), *self.charges], axis=1)
        np.add.at(cost, at.astype(np.int64), more)
        row_lower, row_upper = np.concatenate([np.zeros((2, 0)), *self.bounds], axis=1)
        inner, into = (np.concatenate([np.zeros((4, 0)), *part], axis=1) for part in (self.inner, self.into))
        outer = np.concatenate([np.zeros((3, 0)), *self.outer], axis=1)
        return Coupling(
            columns=self.columns.frame(),
            rows=self.rows.frame(),
            cost=cost,
            lower=lower,
            upper=upper,
            whole=whole.astype(bool),
            row_lower=row_lower,
            row_upper=row_upper,
            inner=(*inner[:3].astype(np.int64), inner[3]),
            outer=(*outer[:2].astype(np.int64), outer[2]),
            into=(*into[:3].astype(np.int64), into[3]),
            gangs=self.gangs,
        )


class _Names:
    """What columns or rows are called, kept as stretches."""

    def __init__(self) -> None:
        self.count = 0
        self.stretches: list[tuple[str, str, str, str, Places]] = []

    def add(self, kind: str, order: dict[str, Any], hours: Places) -> Places:
        self.stretches.append((kind, order["id"], order["participant"], order["component"], hours))
        self.count += hours.size
        return np.arange(self.count - hours.size, self.count)

    def frame(self) -> pl.DataFrame:
        sizes = [hours.size for *_, hours in self.stretches]
        texts = pl.DataFrame([stretch[:4] for stretch in self.stretches], schema=NAMES, orient="row")
        names = texts[np.repeat(np.arange(len(sizes)), sizes)]
        hours = np.concatenate([np.zeros(0, dtype=np.int64), *(hours for *_, hours in self.stretches)])
        return names.with_columns(pl.Series("hour", hours, dtype=pl.Int64))


def _entries(*parts: Places | Vector | float) -> Vector:
    return np.stack([np.asarray(part, dtype=np.float64).ravel() for part in np.broadcast_arrays(*parts)])


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One slot of a class of its own: who shares it, its columns by tier, and by interval of its window what it may have."""

    ids: tuple[str, ...]
    step: int
    columns: Places  # (tiers,)
    hours: Places  # (intervals,)
    quantity: Vector  # (intervals,)
    cheapest: float = 0.0  # cost of a resource-hour in the cheapest tier; offers only


Own = dict[str, list[tuple[int, _Step]]]  # number of the class and slot, of each order with a class of its own


def couple(
    tied: Wholes, *, span: Span, layout: Layout, offers: pl.DataFrame, bids: pl.DataFrame, standing: Standing, hours: float, dearest: float
) -> CouplingBuilder:
    """The coupling of the orders that stand in a span, to which constraints of the user's can still be added (`extra`).

    Args:
        tied: what is decided whole or over time.
        span: intervals.
        layout: where their own columns are.
        offers, bids: members with their class and rank, as `problem.pose` has them.
        standing: what earlier runs have decided.
        hours: Δ.
        dearest: USD per resource-hour, the price cap: a gang that runs already is broken only for want of any supply.
    """
    build = CouplingBuilder(span, hours=hours)
    wanted = _steps(bids, tied.bids["id"], layout.bid_slots, layout.bid_column)
    offered = _steps(offers, tied.offers["id"], layout.offer_slots, layout.offer_column)
    build.gangs = _put_bids(build, tied, layout, wanted, standing, dearest)
    _put_offers(build, tied, layout, offered, standing)
    return build


def _steps(members: pl.DataFrame, ids: pl.Series, slots: Places, columns: Places) -> Own:
    """Slots of each class of its own, with the number of the class, under the first id of those that share it."""
    mine = members.filter(pl.col("id").is_in(ids.implode()))
    keys, priced = ["class_number", "rank"], "price" in members.columns
    cheapest = (pl.col("price") + (pl.col("premium") if columns.shape[1] == 1 else 0.0)).min() if priced else pl.lit(0.0)
    parts = pl.col("id").unique().sort(), pl.col("step").min(), pl.col("quantity").sum(), cheapest.alias("cheapest")
    found: Own = {}
    for group in mine.group_by(*keys, "hour").agg(*parts).sort(*keys, "hour").partition_by(keys, maintain_order=True):
        number, rank = int(group["class_number"][0]), int(group["rank"][0])
        sharing = tuple(group["id"][0])
        one = _Step(
            ids=sharing,
            step=int(group["step"][0]),
            columns=columns[slots[number] + rank],
            hours=group["hour"].to_numpy().astype(np.int64),
            quantity=group["quantity"].to_numpy(),
            cheapest=float(group["cheapest"][0]),
        )
        found.setdefault(sharing[0], []).append((number, one))
    return found


def _put_bids(
    build: CouplingBuilder,
    tied: Wholes,
    layout: Layout,
    own: Own,
    standing: Standing,
    dearest: float,
) -> pl.DataFrame:
    """Returns `Coupling.gangs`."""
    bids = tied.bids.with_columns(pl.Series("component", components(tied.bids), dtype=pl.String))
    accepted = _acceptances(build, bids, own, standing)
    totals = {(name, step): total for name, step, total in tied.totals.iter_rows()}
    for bid in bids.filter(pl.col("id").is_in(list(own))).iter_rows(named=True):
        name, steps = bid["id"], [step for _, step in own[bid["id"]]]
        followed = name if bid["gang"] else bid["parent"]  # whose acceptance multiplies its right-hand sides
        w = accepted.get(followed)
        free = followed is None or (w is None and followed in standing.accepted)
        for step in steps if not free else []:
            at = build.row("gang", bid, step.hours, upper=0.0)
            build.put_inner(at[:, None], step.hours[:, None], step.columns[None, :], 1.0)
            if w is not None:
                build.put(at, w, -step.quantity)
        if bid["gang"]:
            worst = _worst(layout, own[name], dearest) * build.hours if name in standing.accepted else np.inf
            _put_share(build, bid, steps, w=accepted[name], worst=worst)
        for step in steps:
            if (name, step.step) in totals:
                left = sum(max(totals[one, step.step] - standing.done.get((one, step.step), 0.0), 0.0) for one in step.ids)
                at = build.row("total", bid, upper=left if free else 0.0)
                build.put_inner(at, step.hours[:, None], step.columns[None, :], build.hours)
                if w is not None:
                    build.put(at, w, -left)
        if bid["gang"]:
            _put_later(build, bid, steps, totals, w=accepted[name], standing=standing)
    _put_groups(build, bids, accepted, standing)
    numbers = pl.DataFrame({"id": list(accepted), "number": [int(column[0]) for column in accepted.values()]}, schema=NUMBERED)
    named = numbers.join(bids, on="id", maintain_order="left").select("number", "id", "group", "parent", "component")
    started = pl.col("parent").is_in(list(standing.accepted))
    return named.with_columns(pl.when(started).then(None).otherwise("parent").alias("parent"))


def _acceptances(build: CouplingBuilder, bids: pl.DataFrame, own: Own, standing: Standing) -> dict[str, Places]:
    """Column w of each gang that stands in the span: 1 where it runs already, 0 where it can no longer begin."""
    columns = {}
    closed = set(bids.filter(pl.col("id").is_in(list(standing.accepted)))["group"].drop_nulls())
    for bid in bids.filter("gang").iter_rows(named=True):
        if bid["id"] in own:
            runs = bid["id"] in standing.accepted
            late = bid["start"] < build.span.first or bid["group"] in closed
            columns[bid["id"]] = build.column("accepted", bid, lower=float(runs), upper=float(runs or not late), whole=1.0)
    return columns


def _put_share(build: CouplingBuilder, bid: dict[str, Any], steps: list[_Step], *, w: Places, worst: float) -> None:
    """Σ m ≥ share · Σ q · w in every interval; where it runs already it may fall short of it at the worst price."""
    hours = np.unique(np.concatenate([step.hours for step in steps]))
    at = build.row("share", bid, hours, lower=0.0)
    wanted = np.zeros(hours.size)
    for step in steps:
        place = np.searchsorted(hours, step.hours)
        build.put_inner(at[place][:, None], step.hours[:, None], step.columns[None, :], 1.0)
        wanted[place] += step.quantity
    build.put(at, w, -bid["min_share"] * wanted)
    if np.isfinite(worst):
        build.put(at, build.column("broken", bid, hours, cost=worst, upper=np.inf), 1.0)


def _put_later(
    build: CouplingBuilder, bid: dict[str, Any], steps: list[_Step], totals: dict[tuple[str, int], float], *, w: Places, standing: Standing
) -> None:
    """What a gang's least share takes of its totals after the last interval that is seen is not spent before it."""
    left_out = max((bid["end"] - build.span.first) // build.span.interval - build.span.count, 0)
    capped = [step for step in steps if (bid["id"], step.step) in totals]
    if not left_out or not capped:
        return
    rate = sum(float(step.quantity[0]) * (bid["min_share"] - (step not in capped)) for step in steps)  # what the others cannot carry
    left = sum(max(totals[bid["id"], step.step] - standing.done.get((bid["id"], step.step), 0.0), 0.0) for step in capped)
    room = left - max(rate, 0.0) * build.hours * left_out
    at = build.row("later", bid, upper=0.0)
    for step in capped:
        build.put_inner(at, step.hours[:, None], step.columns[None, :], build.hours)
    build.put(at, w, -max(room, 0.0) if bid["id"] in standing.accepted else -room)


def _worst(layout: Layout, own: list[tuple[int, _Step]], dearest: float) -> float:
    """What a unit of work costs by the dearest recipe with every resource at the cap, USD."""
    book = layout.grid.recipes[layout.bids[own[0][0]].workload]
    return float((book.use.sum(axis=1) / book.output).max()) * dearest


def _put_groups(build: CouplingBuilder, bids: pl.DataFrame, accepted: dict[str, Places], standing: Standing) -> None:
    """At most one of a group, and none without the bid that it is linked to."""
    for group in bids.filter(pl.col("group").is_not_null()).sort("group", "id").partition_by("group", maintain_order=True):
        there = [accepted[name] for name in group["id"] if name in accepted]
        if len(there) > 1:
            build.put(build.row("group", group.row(0, named=True), upper=1.0), np.concatenate(there), 1.0)
    for bid in bids.filter(pl.col("gang") & pl.col("parent").is_not_null()).iter_rows(named=True):
        if bid["id"] not in accepted or bid["parent"] in standing.accepted:
            continue
        at = build.row("link", bid, upper=0.0)
        build.put(at, accepted[bid["id"]], 1.0)
        if bid["parent"] in accepted:
            build.put(at, accepted[bid["parent"]], -1.0)


def _put_offers(build: CouplingBuilder, tied: Wholes, layout: Layout, own: Own, standing: Standing) -> None:
    blocks = set(tied.blocks.iter_rows())
    offers = tied.offers.filter(pl.col("id").is_in(list(own))).with_columns(pl.col("id").alias("component"))
    for offer in offers.iter_rows(named=True):
        name = offer["id"]
        hours = np.unique(np.concatenate([step.hours for _, step in own[name]]))
        kept = standing.committed.get(name, frozenset())
        stays = np.array([build.span.first + int(hour) * build.span.interval in kept for hour in hours])
        committed = _commitments(build, offer, hours, must=standing.running.get(name), stays=stays)
        for number, step in own[name]:
            block = (name, layout.offers[number].resource, step.step) in blocks
            u = committed[np.searchsorted(hours, step.hours)]
            if (step.columns == NOWHERE).all():  # nobody can use it here: a block is still paid for, and what can be divided stays idle
                build.charge(u, build.hours * step.cheapest * step.quantity * block)
                continue
            at = build.row("block" if block else "commitment", offer, step.hours, lower=0.0 if block else -np.inf, upper=0.0)
            build.put_inner(at[:, None], step.hours[:, None], step.columns[None, :], 1.0)
            build.put(at, u, -step.quantity)
            group = int(layout.reserve_row[number])
            if group != NOWHERE and layout.offers[number].firmable:
                build.put_into(step.hours, group, u, -step.quantity)


def _commitments(build: CouplingBuilder, offer: dict[str, Any], hours: Places, *, must: int | None, stays: Flags) -> Places:
    """Columns u of an offer, one an interval, with those of its starts and the rows between them.

    Args:
        build: where they go.
        offer: its terms.
        hours: intervals of its window within the span, one after another.
        must: intervals that it must go on for, where it was committed before the first one; None where it was off.
        stays: (intervals,) whether an earlier horizon has committed it.
    """
    least, place = least_run(offer["min_hours"], hours=build.hours), np.arange(hours.size)
    u = build.column("committed", offer, hours, lower=((place < (must or 0)) | stays).astype(float), whole=1.0)
    if offer["start_cost"] == 0.0 and least == 1:
        return u
    last = int((offer["end"] - build.span.first) // build.span.interval) - least  # the last interval that a run may start in
    v = build.column("start", offer, hours, cost=float(offer["start_cost"]), upper=(hours <= last).astype(float))
    at = build.row("start", offer, hours, upper=((place == 0) & (must is not None)).astype(float))
    build.put(at, u, 1.0)
    build.put(at[1:], u[:-1], -1.0)
    build.put(at, v, -1.0)
    if least > 1:
        at = build.row("run", offer, hours, upper=0.0)
        for back in range(min(least, hours.size)):
            build.put(at[back:], v[: hours.size - back], 1.0)
        build.put(at, u, -1.0)
    return u
