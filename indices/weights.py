"""What votes weigh, and how much of the whole one contributor may have."""

import numpy as np
import numpy.typing as npt

from tenorgrid.indices.estimators import Places, Vector, pieces

SLACK = 1e-12


def halved(ages: Vector, half_life: float) -> Vector:
    """Weights by recency: a half for every half-life of age.

    Args:
        ages: (n,) how old each price is at the cut-off.
        half_life: in the same unit.

    >>> halved(np.array([0.0, 6.0, 12.0]), 6.0).tolist()
    [1.0, 0.5, 0.25]
    """
    weights: Vector = np.exp2(-ages / half_life)
    return weights


def bounded_shares(
    weights: Vector, bounds: Places, *, cap: float | None = None, floor: float | None = None
) -> tuple[Vector, npt.NDArray[np.bool_]]:
    r"""Shares of the contributors of each piece, none above `cap` or below `floor`, the others in proportion to their weights.

    The shares are :math:`\\min(c, \\max(f, \\lambda w_i))` with the one :math:`\\lambda` at which they sum to one: what a capped
    contributor gives up goes to the others in proportion, which may bring the next one to its cap, and so on until none is above.

    Args:
        weights: (n,) of the contributors, none negative, the sum of each piece above zero.
        bounds: (m + 1,) where the pieces begin and end.
        cap: largest share, above 0; None is no limit.
        floor: smallest share, below the cap; None is no limit.

    Returns (n,) shares, each piece's sum one, and (m,) whether they exist: a cap of 30 % needs four contributors with a weight, a
    floor of 2.5 % no more than forty. Where they do not exist the shares are NaN.

    Source: the rounds of fixing are those of Bitran, G. R. and Hax, A. C. (1981), Disaggregation and resource allocation using convex
    knapsack problems with bounded variables, Management Science 27.

    >>> shares, exists = bounded_shares(np.array([80.0, 10.0, 6.0, 4.0]), np.array([0, 4]), cap=0.3)
    >>> shares.round(6).tolist(), exists.tolist()
    ([0.3, 0.3, 0.24, 0.16], [True])
    >>> bounded_shares(np.array([80.0, 10.0, 10.0]), np.array([0, 3]), cap=0.3)[1].tolist()
    [False]
    """
    piece, first = pieces(bounds), bounds[:-1]
    high, low = (1.0 if cap is None else cap), (0.0 if floor is None else floor)
    able = np.add.reduceat(((weights > 0) | (low > 0)).astype(np.int64), first)
    exists = (able * high >= 1 - SLACK) & (np.diff(bounds) * low <= 1 + SLACK)
    shares, free = np.zeros(weights.size), np.ones(weights.size, dtype=bool)
    while True:
        left = 1 - np.add.reduceat(np.where(free, 0.0, shares), first)
        whole = np.add.reduceat(np.where(free, weights, 0.0), first)
        scale = np.divide(left, whole, out=np.zeros(left.size), where=whole > 0)
        shares = np.where(free, weights * scale[piece], shares)
        over = np.where(free, np.maximum(shares - high, 0), 0)
        under = np.where(free, np.maximum(low - shares, 0), 0)
        above, below = np.add.reduceat(over, first), np.add.reduceat(under, first)
        fixed = np.where((above >= below)[piece], over > SLACK, under > SLACK)
        if not fixed.any():
            break
        shares = np.where(fixed, np.where(over > 0, high, low), shares)
        free &= ~fixed
    return np.where(exists[piece], shares, np.nan), exists


def capped(
    weights: Vector, contributors: Places, bounds: Places, *, cap: float | None = None, floor: float | None = None
) -> tuple[Vector, npt.NDArray[np.bool_]]:
    """Weights of the votes of each piece, scaled contributor by contributor until none has more than `cap` or less than `floor`.

    Args:
        weights: (n,) of the votes, none negative, the sum of each contributor above zero.
        contributors: (n,) whose vote it is, as a number.
        bounds: (m + 1,) where the pieces begin and end.
        cap: largest share of a contributor.
        floor: smallest share of a contributor.

    Returns (n,) weights, each piece's sum one, and (m,) whether they exist, as `bounded_shares` does.

    >>> weights, _ = capped(np.array([40.0, 40.0, 10.0, 6.0, 4.0]), np.array([7, 7, 1, 2, 3]), np.array([0, 5]), cap=0.3)
    >>> weights.round(6).tolist()
    [0.15, 0.15, 0.3, 0.24, 0.16]
    """
    names = int(contributors.max(initial=0)) + 1
    each, whose = np.unique(pieces(bounds) * names + contributors, return_inverse=True)
    sums = np.bincount(whose, weights=weights).astype(np.float64)
    edges = np.searchsorted(each, np.arange(bounds.size) * names)
    shares, exists = bounded_shares(sums, edges, cap=cap, floor=floor)
    return weights * (shares / sums)[whose], exists
