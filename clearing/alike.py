"""Orders that are equal in all but name: who is served where not all can be (market design, section 6).

What is whole goes to those that come first by id; what can be divided is shared. Neither changes the objective, so the certificate is that
of what is published.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.layout import Layout
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.program import Program
from tenorgrid.clearing.wholes import POOLED

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def first_ids_first(problem: Problem, joint: Program, values: Vector) -> Vector:
    """The same decisions, handed among equal orders so that those that come first by id are accepted first.

    Args:
        problem: whose orders they are.
        joint: its program.
        values: of the whole columns, in order.
    """
    ordered = values.copy()
    for decisions in _alike(problem, joint, values):
        table = np.array([part["value"] for part in decisions])
        best = table[np.lexsort(-table.T[::-1])]  # the fullest decision first
        for part, decision in zip(decisions, best, strict=True):
            ordered[part["at"].to_numpy()] = decision
    return ordered


def shared_alike(problem: Problem, joint: Program, values: Vector) -> list[Places]:
    """Sets of columns, (equal orders, columns of each), of equal orders that were decided the same: they share what they get."""
    shape = problem.layout
    number = np.full((joint.hours.size, shape.matrix.shape[1]), -1)
    inner = joint.column_hour >= 0
    number[np.searchsorted(joint.hours, joint.column_hour[inner]), joint.column_place[inner]] = np.flatnonzero(inner)
    own = _own_columns(shape)
    found = []
    for decisions in _alike(problem, joint, values):
        by_decision: dict[bytes, list[str]] = {}
        for part in decisions:
            by_decision.setdefault(part["value"].to_numpy().tobytes(), []).append(str(part["id"][0]))
        for names in by_decision.values():
            if len(names) > 1:
                columns = np.array([number[:, own[name]].ravel() for name in names])
                found.append(columns[:, (columns >= 0).all(axis=0)])
    return found


def _alike(problem: Problem, joint: Program, values: Vector) -> Iterator[list[pl.DataFrame]]:
    """Decisions of orders that are equal in all but name and in what earlier runs have decided, each set in order of id.

    Each part has id, hour, value and `at`, the place among the whole columns.
    """
    numbers, orders = joint.column_place[joint.whole], problem.orders.wholes
    likes = pl.concat([orders.offers.select("id", "like"), orders.bids.select("id", "like")]).unique("id", keep="first")
    names = problem.coupling.columns[numbers].with_columns(
        pl.Series("value", values),
        pl.Series("at", np.arange(values.size)),
        pl.Series("lower", problem.coupling.lower[numbers]),
        pl.Series("upper", problem.coupling.upper[numbers]),
    )
    several = names.join(likes, on="id", maintain_order="left").filter(pl.col("id").n_unique().over("kind", "like") > 1)
    for like in several.partition_by("kind", "like", maintain_order=True):
        by_state: dict[bytes, list[pl.DataFrame]] = {}
        for part in like.sort("id", "hour").partition_by("id", maintain_order=True):
            state = part["lower"].to_numpy().tobytes() + part["upper"].to_numpy().tobytes()
            by_state.setdefault(state, []).append(part)
        yield from (parts for parts in by_state.values() if len(parts) > 1)


def _own_columns(shape: Layout) -> dict[str, Places]:
    """Columns of each order with a class of its own, in the order of its classes, slots and tiers."""
    names = [offer.own for offer in shape.offers], [bid.own for bid in shape.bids]
    found: dict[str, list[Places]] = {}
    for owners, slots, columns in zip(names, (shape.offer_slots, shape.bid_slots), (shape.offer_column, shape.bid_column), strict=True):
        for number, name in enumerate(owners):
            mine = columns[slots[number] : slots[number + 1]].ravel()
            found.setdefault(name, []).append(mine[mine >= 0])
    return {name: np.concatenate(parts) for name, parts in found.items() if name != POOLED}
