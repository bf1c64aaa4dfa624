"""Which gangs can be accepted together, enumerated where groups and links run in circles (market design, section 5).

Given the acceptances w, every gang is free within its own polyhedron P_i times w_i. A point of the hull is a mixture of accepted
patterns p with shares α_p, and w = Σ α_p p; conversely, with m_i / w_i in P_i, the mixture Σ α_p (p_i m_i / w_i) gives m_i back. So the
hull of a component is {w in the convex hull of its patterns, m_i in w_i P_i}: the patterns alone have to be enumerated, not a copy of the
polyhedra for each. Where no circle runs through groups and links, Σ w ≤ 1 and w ≤ w of the parent describe that hull themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

Vector = npt.NDArray[np.float64]

MOST = 1024  # patterns of one component: more are not enumerated, and its price is called a relaxation
WIDEST = 256  # gangs of one component, likewise


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """The patterns of one component: `accepted` (patterns, gangs) 0 or 1, for the gangs' columns in the coupling."""

    component: str
    columns: npt.NDArray[np.int64] = field(repr=False)
    accepted: Vector = field(repr=False)


def circular(bids: pl.DataFrame) -> list[str]:
    """Components in which groups and links run in circles.

    A link tree and a group are nodes, a gang of the tree in the group is an edge: there is a circle where there are as many edges as nodes.

    Args:
        bids: gangs with `id`, `group`, `parent` and `component`.

    >>> names = ["id", "group", "parent", "component"]
    >>> circular(pl.DataFrame([("a", "g", None, "a"), ("b", "g", "a", "a")], schema=names, orient="row"))
    ['a']
    >>> circular(pl.DataFrame([("a", "g", None, "a"), ("b", "g", None, "a")], schema=names, orient="row"))
    []
    """
    tree = dict(zip(bids["id"], bids["id"], strict=True))
    parents = dict(bids.select("id", "parent").iter_rows())

    def top(name: str) -> str:
        while (above := parents[name]) is not None and above in tree:
            name = above
        return name

    rooted = bids.with_columns(pl.Series("tree", [top(name) for name in bids["id"]], dtype=pl.String))
    sizes = rooted.group_by("component", maintain_order=True).agg(
        pl.col("group").drop_nulls().len().alias("edges"),
        (pl.col("tree").n_unique() + pl.col("group").drop_nulls().n_unique()).alias("nodes"),
    )
    return sizes.filter(pl.col("edges") >= pl.col("nodes"))["component"].to_list()


def enumerate_patterns(bids: pl.DataFrame, *, lower: Vector, upper: Vector) -> npt.NDArray[np.float64] | None:
    """(patterns, gangs) every set of gangs that groups and links admit; None where there are too many to enumerate.

    Args:
        bids: gangs of one component with `id`, `group` and `parent`; a parent that is not among them does not bind.
        lower, upper: (gangs,) what earlier runs have decided.
    """
    if bids.height > WIDEST:
        return None
    found = []
    for pattern in _admitted(bids, lower, upper):
        found.append(pattern)
        if len(found) > MOST:
            return None
    return np.array(found)


def _admitted(bids: pl.DataFrame, lower: Vector, upper: Vector) -> Iterator[list[float]]:
    """One gang after another, parents first, so that what is half decided can still be refused."""
    ids = bids["id"].to_list()
    place = {name: at for at, name in enumerate(ids)}
    groups = bids["group"].to_list()
    parents = [place.get(name) if name is not None else None for name in bids["parent"]]
    order: list[int] = []

    def after(at: int) -> None:
        if at not in order:
            above = parents[at]
            if above is not None:
                after(above)
            order.append(at)

    for at in range(len(ids)):
        after(at)

    def extend(depth: int, chosen: list[float]) -> Iterator[list[float]]:
        if depth == len(order):
            yield list(chosen)
            return
        at = order[depth]
        above, group = parents[at], groups[at]
        taken = group is not None and any(chosen[other] > 0 and groups[other] == group for other in order[:depth])
        may = upper[at] > 0 and not taken and (above is None or chosen[above] > 0)
        for value in ([0.0] if lower[at] == 0 else []) + ([1.0] if may else []):
            chosen[at] = value
            yield from extend(depth + 1, chosen)
        chosen[at] = 0.0

    yield from extend(0, [0.0] * len(ids))
