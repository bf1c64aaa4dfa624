"""Shapley's value of factors by trade: what each adds, averaged over all orders in which they may come, so that no order matters."""

from math import factorial

import numpy as np

from tenorgrid.curves.hours import Vector


def shapley(worth: Vector) -> Vector:
    r"""(n, trades) value of each factor, which sum to the worth of all less that of none.

    :math:`\phi_i = \sum_{S \not\ni i} |S|! (n - |S| - 1)! / n! \; (v(S \cup i) - v(S))`.

    Args:
        worth: (2ⁿ, trades) of each set of factors; the bits of its place say which have moved.

    Raises `ValueError` where the length is no power of two. Source: Shapley, "A value for n-person games", Contributions to the Theory of
    Games II (1953).

    >>> shapley(np.array([[0.0], [10.0], [20.0], [50.0]])).ravel().tolist()  # 10 and 20 alone, 50 together: the 20 beyond are shared
    [20.0, 30.0]
    """
    players = len(worth).bit_length() - 1
    if len(worth) != 1 << players:
        raise ValueError(f"a worth for each of 2ⁿ sets, not {len(worth)}")
    sets, shares = np.arange(len(worth)), weights(players)
    sizes = np.bitwise_count(sets.astype(np.uint64)).astype(np.int64)
    found = np.zeros((players, *worth.shape[1:]))
    for player in range(players):
        without = sets[(sets >> player) & 1 == 0]
        found[player] = np.tensordot(shares[sizes[without]], worth[without | (1 << player)] - worth[without], axes=1)
    return found


def weights(players: int) -> Vector:
    """(n,) part of the orders of n factors in which a given one comes after a given set of 0, 1, ..., n − 1 others.

    >>> weights(3).round(4).tolist()
    [0.3333, 0.1667, 0.3333]
    """
    return np.array([factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)])
