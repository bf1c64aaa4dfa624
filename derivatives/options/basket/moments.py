r"""Basket options by moments: of the basket given the geometric basket, which is near, and of the basket itself, which is quick.

Given z of `conditioning`, the basket has mean Σ a F e^{s z − s²/2} and a second moment of the same kind; it is taken for lognormal
with both, and Black's formula is integrated over z. Without the condition the same two moments give one Black formula.
Sources: Curran, Management Science 40 (1994), section 4; Levy, Journal of International Money and Finance 11 (1992).
"""

import itertools

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options.basket.conditioning import CERTAIN, ROOT, TINY, ends
from tenorgrid.derivatives.options.basket.terms import Baskets
from tenorgrid.derivatives.options.spread.quadrature import BEYOND, POINT, SHARE


def conditional(options: Baskets) -> Vector:
    """Worth (n,) of basket options by conditional moments, USD per GPU-hour; about 3 ms a contract.

    >>> conditional(Baskets(forward=np.array([[2.5, 2.0]]), weight=np.array([[0.5, 0.5]]), strike=np.array([2.25]), years=np.ones(1),
    ...                     volatility=np.array([[0.8, 0.6]]), correlation=np.array([[1.0, 0.5], [0.5, 1.0]]))).round(3)
    array([0.552])
    """
    found: Vector = options.discount * np.maximum(options.sign * (options.worth.sum(axis=1) - options.strike), 0.0)
    worth, covariance = options.worth, options.covariance
    for one in range(len(found)):
        total = worth[one] @ covariance[one] @ worth[one]
        if options.strike[one] > 0 and total > CERTAIN * worth[one].sum() ** 2:
            spread = covariance[one] @ worth[one] / np.sqrt(total)
            found[one] = options.discount[one] * _integrated(worth[one], spread, covariance[one], float(options.strike[one]), options)
    return found


def _integrated(worth: Vector, spread: Vector, covariance: Vector, strike: float, options: Baskets) -> float:
    low, high = ends(worth[None], np.array([strike]), spread[None])
    least, most = -BEYOND + min(spread.min(), 0.0), BEYOND + max(spread.max(), 0.0)
    edges = [least, float(np.clip(low[0], least, most)), float(np.clip(high[0], least, most)), most]
    rest = np.exp(covariance - np.outer(spread, spread))
    value = 0.0
    for begin, end in itertools.pairwise(edges):
        z = begin + (end - begin) * POINT
        parts = worth * np.exp(np.outer(z, spread) - 0.5 * spread**2)
        first = parts.sum(axis=1)
        second = np.einsum("zi,ij,zj->z", parts, rest, parts, optimize=True)
        deviation = np.sqrt(np.maximum(np.log(second / first**2), 0.0))
        paid = black.price(np.maximum(first, TINY), np.array([strike]), deviation=deviation, discount=np.ones(1), option=options.option)
        value += float((end - begin) * (SHARE * np.exp(-0.5 * z**2) / ROOT) @ paid)
    return value


def two_moments(options: Baskets) -> Vector:
    """Worth (n,) of basket options with the basket taken for lognormal, USD per GPU-hour: the second method."""
    worth = options.worth
    first = worth.sum(axis=1)
    second = np.einsum("ni,nij,nj->n", worth, np.exp(options.covariance), worth)
    held = first > 0
    squared = np.where(held, np.log(np.where(held, second, 1.0) / np.where(held, first**2, 1.0)), 0.0)
    value = black.price(
        np.where(held, first, 1.0),
        options.strike,
        deviation=np.sqrt(np.maximum(squared, 0.0)),
        discount=options.discount,
        option=options.option,
    )
    return np.asarray(np.where(held, value, options.discount * np.maximum(-options.sign * options.strike, 0.0)))
