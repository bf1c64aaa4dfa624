"""What a book is worth in thousands of moves: every trade revalued in full at the nodes of a grid, and interpolated between them.

A trade on one index is a function of that index's move alone, so that one revaluation of the book serves a node of all indices at once. A
spread or a basket is a sum of such functions. Any other trade on two indices has a grid of both, and one on more is revalued move by move.
Along one index values follow monotone cubics, which do not overshoot at a pay-off's kink (Fritsch and Carlson, "Monotone piecewise cubic
interpolation", SIAM Journal on Numerical Analysis 17, 1980), along two bicubic splines.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import polars as pl
from scipy.interpolate import PchipInterpolator, RectBivariateSpline

from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.risks import Part
from tenorgrid.derivatives.margin.moves import Moves

NODES, SIDE = 33, 11  # of one index; of each of two
LEAST = 1e-4  # width of a grid, in logarithms of prices
ADDITIVE = (TradeKind.SPREAD, TradeKind.BASKET)
Price = Callable[[Agreed, Mapping[str, float]], Vector]
Indices = tuple[str, ...]


def interpolated(agreed: Agreed, parts: Sequence[Part], moves: Moves, *, price: Price) -> Vector:
    """(n,) USD: value of the book in each of n moves.

    Args:
        agreed: trades.
        parts: their sensitivities, which say which indices each of them reads.
        moves: of every such index.
        price: (trades,) USD of some trades, by their number, where indices have moved by so much; an index that is not named has not.
    """
    read = _read(agreed, parts)
    made = np.zeros(len(moves.values))
    if still := [number for number, indices in read.items() if not indices]:
        made += price(_only(agreed, still), {}).sum()
    if alone := {number: indices[0] for number, indices in sorted(read.items()) if len(indices) == 1}:
        made += _alone(_only(agreed, alone), list(alone.values()), moves, price)
    for kind, frame in agreed.items():
        together: dict[Indices, list[int]] = {}
        for number in frame["number"]:
            if len(read[number]) > 1:
                together.setdefault(read[number], []).append(number)
        for indices, numbers in together.items():
            some = _only({kind: frame}, numbers)
            if kind in ADDITIVE:
                made += _added(some, indices, moves, price)
            elif len(indices) == 2 and len(moves.values) > SIDE**2:
                made += _of_two(some, indices, moves, price)
            else:
                rows = np.stack([_column(moves, index) for index in indices], axis=1)
                made += [price(some, dict(zip(indices, row.tolist(), strict=True))).sum() for row in rows]
    return made


def _alone(some: Agreed, index_of: Sequence[str], moves: Moves, price: Price) -> Vector:
    """Trades on one index each, `index_of` (trades,) in the order of their numbers."""
    nodes = {index: _nodes(_column(moves, index), NODES) for index in sorted(set(index_of))}
    values = np.stack([price(some, {index: float(places[node]) for index, places in nodes.items()}) for node in range(NODES)])
    made = np.zeros(len(moves.values))
    for index, places in nodes.items():
        mine = np.array([own == index for own in index_of])
        made += PchipInterpolator(places, values[:, mine].sum(axis=1))(_column(moves, index))
    return made


def _added(some: Agreed, indices: Indices, moves: Moves, price: Price) -> Vector:
    """Trades whose value is a sum of functions of each index."""
    base = float(price(some, {}).sum())
    made = np.full(len(moves.values), base)
    for index in indices:
        nodes = _nodes(_column(moves, index), NODES)
        made += PchipInterpolator(nodes, [float(price(some, {index: float(node)}).sum()) - base for node in nodes])(_column(moves, index))
    return made


def _of_two(some: Agreed, indices: Indices, moves: Moves, price: Price) -> Vector:
    first, second = (_nodes(_column(moves, index), SIDE) for index in indices)
    values = [[float(price(some, {indices[0]: float(one), indices[1]: float(two)}).sum()) for two in second] for one in first]
    spline = RectBivariateSpline(first, second, np.array(values))
    return np.asarray(spline.ev(_column(moves, indices[0]), _column(moves, indices[1])))


def _nodes(move: Vector, count: int) -> Vector:
    middle, half = (move.max() + move.min()) / 2, max(float(np.ptp(move)), LEAST) / 2
    return np.linspace(middle - half, middle + half, count)


def _column(moves: Moves, index: str) -> Vector:
    return np.asarray(moves.values[:, moves.indices.index(index)])


def _read(agreed: Agreed, parts: Sequence[Part]) -> dict[int, Indices]:
    """By number of a trade the indices that move it."""
    found: dict[int, set[str]] = {number: set() for frame in agreed.values() for number in frame["number"]}
    for part in parts:
        numbers = part.trades["number"].to_list()
        for block in part.priced.blocks:
            for row in block.rows.tolist():
                if numbers[row] in found:  # parts may be of more trades than are asked for
                    found[numbers[row]].add(block.index)
    return {number: tuple(sorted(indices)) for number, indices in found.items()}


def _only(agreed: Agreed, numbers: Iterable[int]) -> Agreed:
    wanted = pl.Series(list(numbers))
    kept = {kind: frame.filter(pl.col("number").is_in(wanted.implode())) for kind, frame in agreed.items()}
    return {kind: frame for kind, frame in kept.items() if not frame.is_empty()}
