"""From primal values to what everyone was awarded: slots shared out among their members pro rata."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.grid import ANYWHERE
from tenorgrid.clearing.layout import NOWHERE, Places
from tenorgrid.clearing.pricing import NodePrices, WorkPrices
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.tiers import FIRM
from tenorgrid.data.kinds.market import AwardSide

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

DUST = 1e-9  # relative to what was offered or wanted: below it an award is rounding noise of the solver

COLUMNS = [
    "horizon", "start", "side", "id", "participant", "step", "location", "resource", "workload", "tier", "quantity", "price", "cash",
]  # fmt: skip


def award_table(problem: Problem, *, primal: Matrix, nodes: NodePrices, work: WorkPrices) -> pl.DataFrame:
    """`awards` of every offer, bid and virtual bid, without rows of zero quantity; sold hours are β Y.

    Args:
        problem: of one horizon.
        primal: (intervals, columns).
        nodes, work: published prices.
    """
    parts = [_offers(problem, primal, nodes), _bids(problem, primal, work), _virtuals(problem, primal, nodes)]
    side = pl.Enum([side.value for side in AwardSide])
    starts = problem.orders.span.starts().to_numpy()
    table = pl.concat([part.with_columns(pl.Series("start", starts[part["hour"].to_numpy()], dtype=pl.Datetime("us"))) for part in parts])
    return table.with_columns(
        pl.lit(problem.orders.horizon).alias("horizon"), pl.col("start").dt.replace_time_zone("UTC"), pl.col("side").cast(side)
    ).select(COLUMNS)


def placement_table(problem: Problem, *, primal: Matrix) -> pl.DataFrame:
    """`placements`: recipe levels per pool; of a pool with one recipe and place, what its bids amount to."""
    shape, grid = problem.layout, problem.layout.grid
    output = {(workload, name): made for workload, book in grid.recipes.items() for name, made in zip(book.names, book.output, strict=True)}
    names = shape.columns.filter(pl.col("recipe").is_not_null()).select("number", "kind", "workload", "home", "tier", "recipe", "location")
    made = np.array([output[workload, recipe] for workload, recipe in names.select("workload", "recipe").iter_rows()])
    amounts = primal[:, names["number"].to_numpy()]
    level = np.where((names["kind"] == "level").to_numpy(), amounts, amounts / made)
    hour, column = (
        np.nonzero(level > DUST * np.maximum(level.max(axis=1, keepdims=True), 1e-300)) if level.size else (np.array([], int),) * 2
    )
    starts = problem.orders.span.starts()
    found = names[column].with_columns(
        pl.lit(problem.orders.horizon).alias("horizon"),
        starts.gather(hour),
        pl.Series("level", level[hour, column]),
        pl.Series("work", level[hour, column] * made[column]),
    )
    keys = ["horizon", "start", "workload", "home", "tier", "recipe", "location"]
    return found.group_by(keys, maintain_order=True).agg(pl.col("level").sum(), pl.col("work").sum()).sort(keys[1:])


def sold(problem: Problem, *, primal: Matrix) -> pl.DataFrame:
    """Listed hours Y behind each offer member and tier: hour, class_number, id, participant, step, tier, listed (zero ones too)."""
    shape = problem.layout
    return _by_tier(
        problem.offers, primal, slots=shape.offer_slots, columns=shape.offer_column, tiers=shape.grid.tiers.names, name="listed"
    )


def served(problem: Problem, *, primal: Matrix) -> pl.DataFrame:
    """Work m of each bid member and tier: hour, class_number, id, participant, step, tier, work (zero rows too)."""
    shape = problem.layout
    return _by_tier(problem.bids, primal, slots=shape.bid_slots, columns=shape.bid_column, tiers=shape.grid.tiers.names, name="work")


def _by_tier(members: pl.DataFrame, primal: Matrix, *, slots: Places, columns: Places, tiers: tuple[str, ...], name: str) -> pl.DataFrame:
    """What each member gets of its slot's columns, one row a tier that the slot has a column for."""
    slot = slots[members["class_number"].to_numpy()] + members["rank"].to_numpy()
    hour, share = members["hour"].to_numpy(), members["share"].to_numpy()
    parts = []
    for k, tier in enumerate(tiers):
        column = columns[slot, k]
        here = column != NOWHERE
        amount = primal[hour[here], column[here]] * share[here]
        parts.append(members.filter(pl.Series(here)).with_columns(pl.Series(name, amount), pl.lit(tier).alias("tier")))
    return pl.concat(parts)


def traded(problem: Problem, *, primal: Matrix) -> pl.DataFrame:
    """Quantity of each virtual bid: hour, class_number, id, participant, traded (zero rows too)."""
    shape, members = problem.layout, problem.virtuals
    column = shape.virtual_column[shape.virtual_slots[members["class_number"].to_numpy()] + members["rank"].to_numpy()]
    amount = primal[members["hour"].to_numpy(), column] * members["share"].to_numpy()
    return members.with_columns(pl.Series("traded", amount))


def _offers(problem: Problem, primal: Matrix, nodes: NodePrices) -> pl.DataFrame:
    shape, grid = problem.layout, problem.layout.grid
    found = sold(problem, primal=primal).filter(pl.col("listed") > DUST * pl.col("quantity"))
    number, k = found["class_number"].to_numpy(), _positions(found["tier"], grid.tiers.names)
    location = np.array([grid.locations.index(offer.location) for offer in shape.offers], dtype=np.int64)[number]
    resource = np.array([grid.resources.index(offer.resource) for offer in shape.offers], dtype=np.int64)[number]
    hour = found["hour"].to_numpy()
    price = nodes.price[hour, location, resource, k]
    for size in {offer.domain for offer in shape.offers} if nodes.sizes else ():
        there = np.array([offer.domain == size for offer in shape.offers], dtype=bool)[number]
        price = price + np.where(there, nodes.premium_of(size)[hour, location, resource, k], 0.0)
    quantity = found["listed"].to_numpy() * grid.tiers.overcommit[k]
    names = [(offer.location, offer.resource) for offer in shape.offers]
    return _awards(
        found,
        side="offer",
        names=names,
        fields=("location", "resource"),
        quantity=quantity,
        price=price,
        cash=price * quantity * problem.hours,
    )


def _bids(problem: Problem, primal: Matrix, work: WorkPrices) -> pl.DataFrame:
    shape, grid = problem.layout, problem.layout.grid
    found = served(problem, primal=primal).filter(pl.col("work") > DUST * pl.col("quantity"))
    number, k = found["class_number"].to_numpy(), _positions(found["tier"], grid.tiers.names)
    place = {key: at for at, key in enumerate(work.keys)}
    pool = np.array([[place[bid.workload, bid.home, tier] for tier in grid.tiers.names] for bid in shape.bids], dtype=np.int64).reshape(
        -1, len(grid.tiers.names)
    )
    price = work.price[found["hour"].to_numpy(), pool[number, k]]
    quantity = found["work"].to_numpy()
    names = [(None if bid.home == ANYWHERE else bid.home, bid.workload) for bid in shape.bids]
    return _awards(
        found,
        side="bid",
        names=names,
        fields=("location", "workload"),
        quantity=quantity,
        price=price,
        cash=-price * quantity * problem.hours,
    )


def _virtuals(problem: Problem, primal: Matrix, nodes: NodePrices) -> pl.DataFrame:
    """Gross positions: a bid and a position carried from an earlier horizon under the same id are one row."""
    shape, grid = problem.layout, problem.layout.grid
    found = (
        traded(problem, primal=primal)
        .filter(pl.col("traded") > DUST * pl.col("quantity"))
        .group_by("hour", "class_number", "id", "participant", maintain_order=True)
        .agg(pl.col("traded").sum())
        .with_columns(pl.lit(FIRM).alias("tier"), pl.lit(None, dtype=pl.Int64).alias("step"))
    )
    number = found["class_number"].to_numpy()
    location = np.array([grid.locations.index(virtual.location) for virtual in shape.virtuals], dtype=np.int64)[number]
    resource = np.array([grid.resources.index(virtual.resource) for virtual in shape.virtuals], dtype=np.int64)[number]
    price = nodes.price[found["hour"].to_numpy(), location, resource, 0]
    quantity = found["traded"].to_numpy()
    sides = np.array([virtual.side for virtual in shape.virtuals], dtype=object)[number]
    sign = np.where(sides == "inc", 1.0, -1.0)
    names = [(virtual.location, virtual.resource) for virtual in shape.virtuals]
    cash = sign * price * quantity * problem.hours
    table = _awards(found, side="", names=names, fields=("location", "resource"), quantity=quantity, price=price, cash=cash)
    return table.with_columns(pl.Series("side", sides, dtype=pl.String))


def _awards(
    found: pl.DataFrame,
    *,
    side: str,
    names: Sequence[tuple[str | None, str]],
    fields: tuple[str, str],
    quantity: Vector,
    price: Vector,
    cash: Vector,
) -> pl.DataFrame:
    number = found["class_number"].to_numpy()
    texts = {field: pl.Series([name[at] for name in names], dtype=pl.String).gather(number) for at, field in enumerate(fields)}
    empty = pl.Series([None], dtype=pl.String).new_from_index(0, found.height)
    columns = {name: texts.get(name, empty) for name in ("location", "resource", "workload")}
    return found.select("hour", "id", "participant", "step", "tier").with_columns(
        pl.lit(side).alias("side"),
        *(series.alias(name) for name, series in columns.items()),
        pl.Series("quantity", quantity),
        pl.Series("price", price),
        pl.Series("cash", cash),
    )


def _positions(values: pl.Series, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    return values.replace_strict(list(names), range(len(names)), return_dtype=pl.Int64).to_numpy()
