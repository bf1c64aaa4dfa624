"""The convex hull of a market that is not convex, three ways, and what anyone could gain at given prices.

Each component (columns joined by rows that are somebody's own) is replaced by the convex hull of its own feasible set; the market's rows
stay. `column_hull` mixes the component's own extreme points, enumerated; `disjoint_hull` gives each pattern of its binaries a copy of the
polyhedron; `bound` is the Lagrangian at given prices, no less than the hull's value anywhere and equal to it at hull prices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from tests.clearing.programs import EPS, Flags, Places, Program, Vector, patterns, solve

CHUNK = 20_000
MOST = 2_000_000  # bases of a polyhedron that are still gone through one by one
KEPT = 8  # programs whose pieces are remembered


@dataclass(frozen=True, kw_only=True)
class Hull:
    """USD, and the dual of each of the program's rows (0 for those that are not the market's)."""

    value: float
    dual: Vector = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One pattern of the binaries of one component: what its other columns may be, low ≤ matrix x ≤ high and lower ≤ x ≤ upper."""

    part: int
    binaries: Places
    choice: Vector
    columns: Places
    matrix: Vector
    low: Vector
    high: Vector
    lower: Vector
    upper: Vector

    def best(self, value: Vector) -> tuple[float, Vector] | None:
        """Largest value · x over the piece, its binaries counted; None where it is empty."""
        sure = float(value[self.binaries] @ self.choice)
        if not self.columns.size:
            allowed = (self.low <= EPS).all() and (self.high >= -EPS).all()
            return (sure, np.empty(0)) if allowed else None
        found = solve(value[self.columns], self.matrix, low=self.low, high=self.high, lower=self.lower, upper=self.upper)
        return None if found is None else (found[0] + sure, found[1])


_SEEN: dict[bytes, tuple[Piece, ...]] = {}


def pieces(of: Program) -> tuple[Piece, ...]:
    """Every component's feasible set as a union of polyhedra, one for each pattern of its binaries that its rows allow.

    They hang on what is somebody's own alone: a program with other values, or other rows of the market, has the same.
    """
    own = ~of.shared
    terms = (of.matrix[own], of.low[own], of.high[own], of.lower, of.upper, of.whole, of.part)
    key = b"|".join(np.ascontiguousarray(part).tobytes() for part in terms)
    if key not in _SEEN:
        while len(_SEEN) >= KEPT:
            _SEEN.pop(next(iter(_SEEN)))
        _SEEN[key] = tuple(_pieces(of))
    return _SEEN[key]


def _pieces(of: Program) -> Iterator[Piece]:
    own = np.flatnonzero(~of.shared)
    for part in np.unique(of.part):
        mine = np.flatnonzero(of.part == part)
        rows = own[of.matrix[np.ix_(own, mine)].any(axis=1)]
        binaries, columns = mine[of.whole[mine]], mine[~of.whole[mine]]
        for choice in patterns(of, mine, rows):
            taken = of.matrix[np.ix_(rows, binaries)] @ choice
            piece = Piece(
                part=int(part),
                binaries=binaries,
                choice=choice,
                columns=columns,
                matrix=of.matrix[np.ix_(rows, columns)],
                low=of.low[rows] - taken,
                high=of.high[rows] - taken,
                lower=of.lower[columns],
                upper=of.upper[columns],
            )
            if piece.best(np.zeros(of.value.size)) is not None:
                yield piece


def disjoint_hull(of: Program) -> Hull:
    """The hull as one linear problem: each pattern has a weight, and a copy of the component's polyhedron scaled by it.

    Source: Balas, Disjunctive programming, 1979: the hull of a union of bounded polyhedra.
    """
    found = list(pieces(of))
    size = len(found) + sum(piece.columns.size for piece in found)
    shared = np.flatnonzero(of.shared)
    value, market = np.zeros(size), np.zeros((shared.size, size))
    rows: list[Vector] = []
    low: list[float] = []
    high: list[float] = []

    def add(row: Vector, least: float, most: float) -> None:
        rows.append(row)
        low.append(least)
        high.append(most)

    at = len(found)
    for number, piece in enumerate(found):  # the weight of a piece is a column too
        places = np.arange(at, at + piece.columns.size)
        at += piece.columns.size
        value[places], market[:, places] = of.value[piece.columns], of.matrix[np.ix_(shared, piece.columns)]
        value[number] = of.value[piece.binaries] @ piece.choice
        market[:, number] = of.matrix[np.ix_(shared, piece.binaries)] @ piece.choice
        bounds = np.eye(piece.columns.size)
        whole = np.vstack([piece.matrix, bounds])
        for weights, least, most in zip(whole, np.r_[piece.low, piece.lower], np.r_[piece.high, piece.upper], strict=True):
            for limit, scaled in ((least, (0.0, np.inf)), (most, (-np.inf, 0.0))):
                if np.isfinite(limit):
                    row = np.zeros(size)
                    row[places], row[number] = weights, -limit
                    add(row, *scaled)
    for part in np.unique([piece.part for piece in found]):
        row = np.zeros(size)
        row[[number for number, piece in enumerate(found) if piece.part == part]] = 1.0
        add(row, 1.0, 1.0)
    lower, upper = np.full(size, -np.inf), np.full(size, np.inf)
    lower[: len(found)] = 0.0
    return _market(of, value, np.vstack([market, *rows]), np.array(low), np.array(high), lower, upper)


def column_hull(of: Program) -> Hull:
    """The hull as a mix of each component's own extreme points, all enumerated: Dantzig and Wolfe's master problem.

    A component's points are listed by pattern and by block (columns joined once the binaries are held), as their products would be many:
    the weights of a block's points sum to the weight of the pattern.
    """
    found = list(pieces(of))
    shared = np.flatnonzero(of.shared)
    value = [float(of.value[piece.binaries] @ piece.choice) for piece in found]
    use = [of.matrix[np.ix_(shared, piece.binaries)] @ piece.choice for piece in found]
    parts = np.array([piece.part for piece in found])
    # the pattern whose weight, or None for one, is the sum of these
    sums: list[tuple[int | None, list[int]]] = [(None, np.flatnonzero(parts == part).tolist()) for part in np.unique(parts)]
    for number, piece in enumerate(found):
        for block in blocks(piece):
            points = vertices(block)
            sums.append((number, list(range(len(value), len(value) + len(points)))))
            value += list(points @ of.value[block.columns])
            use += list(points @ of.matrix[np.ix_(shared, block.columns)].T)
    weights, right = np.zeros((len(sums), len(value))), np.zeros(len(sums))
    for row, (pattern, members) in enumerate(sums):
        weights[row, members] = 1.0
        if pattern is None:
            right[row] = 1.0
        else:
            weights[row, pattern] = -1.0
    matrix = np.vstack([np.array(use).reshape(len(value), shared.size).T, weights])
    return _market(of, np.array(value), matrix, right, right, np.zeros(len(value)), np.full(len(value), np.inf))


def blocks(piece: Piece) -> Iterator[Piece]:
    """The columns of a piece that its rows join."""
    size = piece.columns.size
    row, column = np.nonzero(piece.matrix)
    edges = coo_array((np.ones(row.size), (size + row, column)), shape=(size + piece.low.size,) * 2)
    _, label = connected_components(edges, directed=False)
    for name in np.unique(label[:size]):
        columns, rows = np.flatnonzero(label[:size] == name), np.flatnonzero(label[size:] == name)
        yield replace(
            piece,
            columns=piece.columns[columns],
            matrix=piece.matrix[np.ix_(rows, columns)],
            low=piece.low[rows],
            high=piece.high[rows],
            lower=piece.lower[columns],
            upper=piece.upper[columns],
        )


def _market(of: Program, value: Vector, matrix: Vector, low: Vector, high: Vector, lower: Vector, upper: Vector) -> Hull:
    """Solve with the market's rows on top of the others."""
    shared = of.shared
    found = solve(value, matrix, low=np.r_[of.low[shared], low], high=np.r_[of.high[shared], high], lower=lower, upper=upper)
    assert found is not None
    dual = np.zeros(len(of.rows))
    dual[shared] = found[2][: shared.sum()]
    return Hull(value=found[0] + of.constant, dual=dual)


def vertices(piece: Piece) -> Vector:
    """(points, columns) every extreme point of a bounded polyhedron with finite lower bounds: all bases of its rows with slacks, tried."""
    if not piece.columns.size:
        return np.zeros((1, 0))
    matrix, right = _standard(piece)
    rows, columns = matrix.shape
    assert comb(columns, rows) <= MOST, f"{comb(columns, rows)} bases are too many to go through"
    found: list[Vector] = []
    chosen = combinations(range(columns), rows)
    while chunk := [basis for basis, _ in zip(chosen, range(CHUNK), strict=False)]:
        bases = np.array(chunk)
        square = matrix[:, bases].transpose(1, 0, 2)
        regular = np.abs(np.linalg.det(square)) > EPS
        solved = np.linalg.solve(square[regular], np.broadcast_to(right, (int(regular.sum()), rows))[..., None])[..., 0]
        allowed = (solved >= -EPS).all(axis=1)
        point = np.zeros((int(allowed.sum()), columns))
        np.put_along_axis(point, bases[regular][allowed], np.maximum(solved[allowed], 0.0), axis=1)
        found.append(point[:, : piece.columns.size] + piece.lower)
    return np.unique(np.vstack(found).round(9), axis=0)


def _standard(piece: Piece) -> tuple[Vector, Vector]:
    """matrix x = right with x ≥ 0: columns counted from their lower bound, finite upper bounds as rows, a slack for every inequality."""
    rows: list[Vector] = []
    right: list[float] = []
    slack: list[float] = []
    shift = piece.matrix @ piece.lower
    for row, least, most in zip(piece.matrix, piece.low - shift, piece.high - shift, strict=True):
        if np.isfinite(least) and most - least <= EPS:
            sides = [(0.0, most)]
        else:
            sides = [(sign, limit) for sign, limit in ((1.0, most), (-1.0, least)) if np.isfinite(limit)]
        for sign, limit in sides:
            rows.append(row)
            slack.append(sign)
            right.append(limit)
    for number in np.flatnonzero(np.isfinite(piece.upper)):
        rows.append(np.eye(piece.columns.size)[number])
        slack.append(1.0)
        right.append(piece.upper[number] - piece.lower[number])
    slacks = np.diag(slack)[:, np.array(slack) != 0.0]
    matrix = np.hstack([np.array(rows), slacks])
    kept = _independent(matrix)
    return matrix[kept], np.array(right)[kept]


def _independent(matrix: Vector) -> Flags:
    """(rows,) enough of them to span the others."""
    kept = np.zeros(matrix.shape[0], dtype=bool)
    for number in range(matrix.shape[0]):
        kept[number] = True
        kept[number] = np.linalg.matrix_rank(matrix[kept]) == kept.sum()
    return kept


def gains(of: Program, dual: Vector) -> dict[int, float]:
    """The most that each component could gain at prices of the market's rows, over all it may choose, in USD."""
    value = of.value - of.matrix.T @ dual
    found: dict[int, float] = {}
    for piece in pieces(of):
        best = piece.best(value)
        assert best is not None
        found[piece.part] = max(found.get(piece.part, -np.inf), best[0])
    return found


def bound(of: Program, dual: Vector) -> float:
    """The Lagrangian at prices: all gains, and what the market's rows are worth. Least at hull prices: there it is the hull's value."""
    shared = np.flatnonzero(of.shared & (dual != 0.0))
    rights = np.where(dual[shared] > 0, of.high[shared], of.low[shared])
    return sum(gains(of, dual).values()) + float(dual[shared] @ rights) + of.constant


def lost(of: Program, dual: Vector, point: Vector) -> dict[str, float]:
    """Lost opportunity by owner: what each could gain at these prices, less what it gains at a point."""
    value = of.value - of.matrix.T @ dual
    found: dict[str, float] = {}
    for part, gain in gains(of, dual).items():
        columns = np.flatnonzero(of.part == part)
        owner = of.owner[int(columns[0])]
        found[owner] = found.get(owner, 0.0) + gain - float(value[columns] @ point[columns])
    return found


def made_whole(of: Program, dual: Vector, point: Vector) -> dict[str, float]:
    """Make-whole payment by owner: its loss at these prices and a point, if it makes one."""
    value = of.value - of.matrix.T @ dual
    profit: dict[str, float] = {}
    for owner, gain in zip(of.owner, value * point, strict=True):
        profit[owner] = profit.get(owner, 0.0) + float(gain)
    return {owner: max(-gain, 0.0) for owner, gain in profit.items()}


def shortfall(of: Program, dual: Vector, point: Vector) -> float:
    """What is priced and not used: Σ dual · slack over the market's rows."""
    shared = np.flatnonzero(of.shared & (dual != 0.0))
    rights = np.where(dual[shared] > 0, of.high[shared], of.low[shared])
    return float(dual[shared] @ (rights - of.matrix[shared] @ point))


def duals(
    of: Program,
    *,
    hours: float,
    prices: Mapping[tuple[Any, ...], float],
    premia: Mapping[tuple[Any, ...], float] | None = None,
    adders: Mapping[tuple[Any, ...], float] | None = None,
    congestion: Mapping[tuple[Any, ...], float] | None = None,
) -> Vector:
    """Published prices as duals of the program's rows: λ by node, δ by node and size, A by group, μ by link, each ending in its start.

    A node of the program without a price is an error; what else is missing is 0.
    """
    given = {"domains": premia or {}, "reserve": adders or {}, "link": congestion or {}}
    found = np.zeros(len(of.rows))
    for number, (family, *key) in enumerate(of.rows):
        if family == "balance":
            found[number] = prices[tuple(key)] * hours
        elif family in given:
            found[number] = given[family].get(tuple(key), 0.0) * hours
    return found


def least_bound(of: Program, dual: Vector, *, free: Flags) -> float:
    """The least that `bound` is at these prices when those of the `free` rows (rows,) may be anything: equal to the hull's value where the
    prices that are given belong to hull prices.
    """
    priced = of.shared & ~free
    held = np.where(priced, dual, 0.0)
    rights = np.where(held > 0, of.high, of.low)[held != 0.0]
    kept = ~priced
    rest = replace(
        of,
        value=of.value - of.matrix.T @ held,
        constant=of.constant + float(held[held != 0.0] @ rights),
        matrix=of.matrix[kept],
        low=of.low[kept],
        high=of.high[kept],
        rows=[row for row, keep in zip(of.rows, kept, strict=True) if keep],
    )
    return disjoint_hull(rest).value
