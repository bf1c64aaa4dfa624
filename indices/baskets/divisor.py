r"""A basket of quantities with a divisor, which keeps the level where it is when the basket is rebalanced.

The level is :math:`L_t = \sum_i n_i p_{ti} / D`. At the close of the period in which the basket is rebalanced the divisor becomes
:math:`D' = \sum_i n'_i p_{ti} / L_t`: the level of that period is the same in the old basket and in the new one, and new constituents
move the index from the next period on.

A constituent without a price in a later period is left out of that comparison: :math:`L_t = L_r \sum n_i p_{ti} / \sum n_i p_{ri}` over
those that have one, r being the rebalancing. This is the same as if it had moved with all the others, which is how its value and its
contribution are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.indices.baskets.panel import Matrix, Vector


@dataclass(frozen=True, kw_only=True)
class Divided:
    """Levels (periods,), divisors (baskets,), and what each constituent added to the move of each period (periods, constituents).

    `values` (periods, constituents) are quantities times prices, of the basket that held during the period; a constituent that was left
    out has the value it would have moved with. Contributions of a period sum to its level less the one before.
    """

    levels: Vector
    divisors: Vector
    contributions: Matrix
    values: Matrix


def divided(price: Matrix, quantities: Matrix, *, since: Sequence[int], base: float) -> Divided:
    """Levels of a basket through its rebalancings.

    Args:
        price: (periods, constituents) USD a unit; NaN where there is none.
        quantities: (baskets, constituents); 0 where a basket does not hold a constituent.
        since: (baskets,) rows of `price` at whose close each basket begins, rising, the first 0.
        base: level of the first period.

    Raises `InputError` for shapes and rows that do not fit, a quantity below 0 or all 0, a basket that begins with a constituent that
    has no price, and a period in which no constituent has one.

    >>> price = np.array([[2.5, 3.2, 5.0, np.nan], [2.6, 3.1, 5.2, 1.8], [2.65, 3.0, 5.3, 1.9]])
    >>> found = divided(price, np.array([[100.0, 50, 20, 0], [80, 60, 0, 40]]), since=[0, 1], base=1000.0)
    >>> found.levels.round(6).tolist(), found.divisors.round(9).tolist()
    ([1000.0, 1017.647059, 1022.014643], [0.51, 0.457919075])
    """
    _check(price, quantities, since)
    levels = np.full(len(price), np.nan)
    levels[0] = base
    divisors = np.empty(len(since))
    contributions, values = np.zeros((2, *price.shape))
    for number, (first, last) in enumerate(zip(since, [*since[1:], len(price) - 1], strict=True)):
        held = quantities[number]
        worth = np.where(held > 0, price[first : last + 1] * held, 0.0)
        then = worth[0]
        there = ~np.isnan(worth)
        ratio = np.where(there, worth, 0.0).sum(axis=1) / (there * then).sum(axis=1)
        full = np.where(there, worth, then * ratio[:, None])
        divisors[number] = then.sum() / levels[first]
        levels[first + 1 : last + 1] = levels[first] * ratio[1:]
        values[first + (number > 0) : last + 1] = full[int(number > 0) :]
        contributions[first + 1 : last + 1] = np.diff(full, axis=0) / divisors[number]
    return Divided(levels=levels, divisors=divisors, contributions=contributions, values=values)


def _check(price: Matrix, quantities: Matrix, since: Sequence[int]) -> None:
    rows = len(price)
    sound = quantities.ndim == 2 and quantities.shape == (len(since), price.shape[1]) and rows > 0 and list(since[:1]) == [0]
    if not sound or any(later <= earlier for earlier, later in pairwise(since)) or since[-1] >= rows:
        found = f"quantities {quantities.shape}, since {list(since)}, prices {price.shape}"
        raise InputError.of(
            "basket", "a row of quantities for each basket, which begin at rising rows of the prices from 0 on", value=found
        )
    faults = [
        Fault(file="basket", row=number + 1, column="quantity", value=str(held.tolist()), expected="quantities of at least 0, one above")
        for number, held in enumerate(quantities)
        if not (np.isfinite(held).all() and (held >= 0).all() and held.any())
    ]
    for number, first in enumerate(since):
        faults += [
            Fault(file="basket", row=number + 1, column=f"constituent {column + 1}", value="no price", expected="a price where it begins")
            for column in np.argwhere((quantities[number] > 0) & np.isnan(price[first])).ravel()
        ]
    if faults:
        raise InputError(faults)
    for number, (first, last) in enumerate(zip(since, [*since[1:], rows - 1], strict=True)):
        empty = np.isnan(np.where(quantities[number] > 0, price[first : last + 1], np.nan)).all(axis=1)
        if empty.any():
            row = first + int(np.argmax(empty)) + 1
            raise InputError.of("basket", "a price of at least one constituent", row=row, value="none")
