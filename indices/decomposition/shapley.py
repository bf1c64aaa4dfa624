r"""Shapley values of a game that is told in full: what each player adds, averaged over all orders in which they can come.

.. math:: \varphi_r = \sum_{S \not\ni r} \frac{|S|!\,(n-|S|-1)!}{n!}\,\bigl(v(S \cup r) - v(S)\bigr)

Source: Shapley, A value for n-person games, Contributions to the Theory of Games II (1953), 307-317; of a change that is split over its
causes, Shorrocks, Decomposition procedures for distributional analysis, Journal of Economic Inequality 11 (2013), 99-126.
"""

from dataclasses import dataclass
from math import factorial, fsum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Vector: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contributions:
    """Of each of n players: its value, the smallest and largest that it adds over all orders, what it adds first and what last."""

    value: Vector
    lowest: Vector
    highest: Vector
    first: Vector
    last: Vector


def shapley(worth: Vector) -> Contributions:
    """Shapley values, which sum to the worth of all players less that of none.

    Args:
        worth: (2ⁿ,) of each coalition; the bits of its place say who is in it.

    Raises `ValueError` where the length is no power of two.

    >>> found = shapley(np.array([0.0, 10.0, 20.0, 50.0]))  # 10 and 20 alone, 50 together: the 20 beyond are shared
    >>> found.value.tolist(), found.first.tolist(), found.last.tolist()
    ([20.0, 30.0], [10.0, 20.0], [30.0, 40.0])
    """
    players = worth.size.bit_length() - 1
    if worth.size != 1 << players:
        raise ValueError(f"a worth for each of 2ⁿ coalitions, not {worth.size}")
    masks = np.arange(worth.size)
    sizes = np.bitwise_count(masks.astype(np.uint64)).astype(np.int64)
    rows = []
    for player in range(players):
        without = masks[(masks >> player) & 1 == 0]
        added = worth[without | (1 << player)] - worth[without]
        shares = np.array([factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)])
        rows.append((fsum(shares[sizes[without]] * added), added.min(), added.max(), added[0], added[-1]))
    value, lowest, highest, first, last = np.array(rows, dtype=np.float64).reshape(players, 5).T
    return Contributions(value=value, lowest=lowest, highest=highest, first=first, last=last)
