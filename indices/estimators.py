"""From the prices that count to one value: estimators as kernels over many marks at once.

Every kernel takes the votes of all marks in one array, each mark's in one piece: `bounds` (m + 1,) tells where the pieces begin and end,
so that piece k is `prices[bounds[k]:bounds[k + 1]]`. No piece is empty. What a kernel makes of a piece does not depend on the others.
"""

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tenorgrid.data.kinds.index import MedianTie, Rounding

Vector: TypeAlias = npt.NDArray[np.float64]
Places: TypeAlias = npt.NDArray[np.int64]

HAIR = 1e-12  # of the whole weight: what counts as exactly half
_MODES = {Rounding.HALF_EVEN: ROUND_HALF_EVEN, Rounding.HALF_UP: ROUND_HALF_UP}


def pieces(bounds: Places) -> Places:
    """The number of the piece that each element belongs to.

    >>> pieces(np.array([0, 2, 5])).tolist()
    [0, 0, 1, 1, 1]
    """
    return np.repeat(np.arange(bounds.size - 1), np.diff(bounds))


def running(weights: Vector, bounds: Places) -> Vector:
    """Cumulative sums that begin anew with every piece.

    >>> running(np.array([1.0, 2.0, 5.0, 5.0]), np.array([0, 2, 4])).tolist()
    [1.0, 3.0, 5.0, 10.0]
    """
    found, count = np.empty(weights.size), np.diff(bounds)
    sizes = np.ceil(np.log2(count)).astype(np.int64)
    for size in np.unique(sizes):  # pieces of like size are the rows of one table, so that each is summed by itself and in its order
        which = np.flatnonzero(sizes == size)
        offset = np.arange(2**size)
        place, inside = bounds[which, None] + offset, offset < count[which, None]
        sums = np.cumsum(np.where(inside, weights[np.minimum(place, weights.size - 1)], 0.0), axis=1)
        found[place[inside]] = sums[inside]
    return found


def medians(prices: Vector, bounds: Places) -> Vector:
    """Middle price of each piece; the mean of the two middle ones where the number is even.

    Args:
        prices: (n,) USD.
        bounds: (m + 1,) where the pieces begin and end.

    Returns (m,) USD.

    >>> medians(np.array([2.0, 9.9, 2.2, 1.0, 2.0]), np.array([0, 3, 5])).tolist()
    [2.2, 1.5]
    """
    price = prices[np.lexsort((prices, pieces(bounds)))]
    first, count = bounds[:-1], np.diff(bounds)
    middle: Vector = (price[first + (count - 1) // 2] + price[first + count // 2]) / 2
    return middle


def means(prices: Vector, weights: Vector, bounds: Places) -> Vector:
    r"""Weighted mean of each piece, :math:`\\sum p w / \\sum w`; weighted by volume it is the VWAP.

    Args:
        prices: (n,) USD.
        weights: (n,) none negative, the sum of each piece above zero.
        bounds: (m + 1,) where the pieces begin and end.

    >>> means(np.array([2.0, 3.0]), np.array([3.0, 1.0]), np.array([0, 2])).tolist()
    [2.25]
    """
    return np.add.reduceat(prices * weights, bounds[:-1]) / np.add.reduceat(weights, bounds[:-1])


def held(times: Places, ends: Places, bounds: Places) -> Vector:
    """How long each price stood: until the next of its piece, the last until the end; several of one moment share its time.

    The weights of a time-weighted average price. What stood before the first price of a piece is not known and does not count.

    Args:
        times: (n,) in order within each piece, each before its end.
        ends: (m,) when each piece ends, in the same unit.
        bounds: (m + 1,) where the pieces begin and end.

    >>> held(np.array([0, 10, 10, 40]), np.array([60]), np.array([0, 4])).tolist()
    [10.0, 15.0, 15.0, 20.0]
    """
    piece = pieces(bounds)
    starts = np.concatenate([[True], (times[1:] != times[:-1]) | (piece[1:] != piece[:-1])])
    moment = np.cumsum(starts) - 1
    place = np.flatnonzero(starts)
    following = np.append(times[place[1:]], 0)
    last = np.append(piece[place[1:]] != piece[place[:-1]], True)
    following[last] = ends
    shares: Vector = ((following - times[place]) / np.bincount(moment))[moment]
    return shares


def weighted_medians(prices: Vector, weights: Vector, bounds: Places, *, tie: MedianTie) -> Vector:
    """Of each piece the smallest price at or below which at least half of the weight lies.

    Where exactly half lies there (to 1e-12 of the total), `tie` decides: `lower` keeps that price, `midpoint` takes the mean of it and
    of the next dearer one. The definition is that of the Secured Overnight Financing Rate of the Federal Reserve Bank of New York.

    Args:
        prices: (n,) USD.
        weights: (n,) GPU-hours or other weights, none negative, the sum of each piece above zero.
        bounds: (m + 1,) where the pieces begin and end.
        tie: the named rule.

    >>> weighted_medians(np.array([2.0, 2.1, 2.2, 9.9]), np.array([10.0, 30.0, 25.0, 1.0]), np.array([0, 4]), tie=MedianTie.LOWER).tolist()
    [2.1]
    >>> weighted_medians(np.array([2.0, 3.0]), np.array([5.0, 5.0]), np.array([0, 2]), tie=MedianTie.MIDPOINT).tolist()
    [2.5]
    """
    price, _, below, total = _ladder(prices, weights, bounds)
    lower = price[_places(below < (0.5 - HAIR) * total[pieces(bounds)], bounds)]
    if tie is MedianTie.LOWER:
        return lower
    return (lower + price[_places(below <= (0.5 + HAIR) * total[pieces(bounds)], bounds)]) / 2


def trimmed_means(prices: Vector, weights: Vector, bounds: Places, *, trim: float) -> Vector:
    """Mean of what is left of each piece when a share `trim` of its weight is cut from each end; with 1/3 the middle-third mean.

    A price that straddles the cut keeps the part of its weight that is inside, so that a few prices are trimmed too, and the mean moves
    without jumps as their number grows.

    Args:
        prices: (n,) USD.
        weights: (n,) none negative, the sum of each piece above zero.
        bounds: (m + 1,) where the pieces begin and end.
        trim: share cut from each end, at least 0 and below 0.5.

    >>> trimmed_means(np.array([1.0, 2.0, 3.0, 90.0]), np.ones(4), np.array([0, 4]), trim=0.25).tolist()
    [2.5]
    >>> trimmed_means(np.array([1.0, 2.0, 90.0]), np.ones(3), np.array([0, 3]), trim=0.4).tolist()  # 0.6 of the middle vote is left
    [2.0]
    """
    price, weight, below, total = _ladder(prices, weights, bounds)
    whole = total[pieces(bounds)]
    low, high = (np.clip(edge / whole, trim, 1 - trim) for edge in (below - weight, below))
    return np.add.reduceat((high - low) * price, bounds[:-1]) / np.add.reduceat(high - low, bounds[:-1])


def winsorised_means(prices: Vector, weights: Vector, bounds: Places, *, trim: float) -> Vector:
    """Weighted mean of each piece after its cheapest and dearest shares `trim` took the price at which the cut falls.

    With equal weights the `floor(trim n)` lowest prices take the next one's, and the highest likewise.

    Args:
        prices: (n,) USD.
        weights: (n,) none negative, the sum of each piece above zero.
        bounds: (m + 1,) where the pieces begin and end.
        trim: share moved at each end, at least 0 and below 0.5.

    Source: Dixon, W. J. (1960), Simplified estimation from censored normal samples, Annals of Mathematical Statistics 31.

    >>> winsorised_means(np.array([1.0, 2.0, 3.0, 90.0]), np.ones(4), np.array([0, 4]), trim=0.25).tolist()
    [2.5]
    """
    price, weight, below, total = _ladder(prices, weights, bounds)
    whole = total[pieces(bounds)]
    lowest = price[_places(below <= (trim + HAIR) * whole, bounds)]
    highest = price[_places(below < (1 - trim - HAIR) * whole, bounds)]
    return means(np.clip(price, lowest[pieces(bounds)], highest[pieces(bounds)]), weight, bounds)


def rounded(value: float, *, decimals: int, rule: Rounding) -> float:
    """`value` as it is printed: rounded in decimal, as it reads, not in binary.

    >>> rounded(2.345, decimals=2, rule=Rounding.HALF_EVEN), rounded(2.345, decimals=2, rule=Rounding.HALF_UP)
    (2.34, 2.35)
    """
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), _MODES[rule]))


def _ladder(prices: Vector, weights: Vector, bounds: Places) -> tuple[Vector, Vector, Vector, Vector]:
    """Prices of each piece from the cheapest, their weights, the weight up to each, and (m,) the weight of each piece."""
    order = np.lexsort((prices, pieces(bounds)))
    weight = weights[order]
    below = running(weight, bounds)
    return prices[order], weight, below, below[bounds[1:] - 1]


def _places(passed: npt.NDArray[np.bool_], bounds: Places) -> Places:
    """(m,) the first element of each piece that is not passed, where those passed come first; the last where all are."""
    count = np.add.reduceat(passed.astype(np.int64), bounds[:-1])
    return np.minimum(bounds[:-1] + count, bounds[1:] - 1)
