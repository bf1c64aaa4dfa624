r"""The least that moves a volume-weighted average, in closed form.

A trade of weight :math:`w = hq` at the price :math:`p` moves the average :math:`v` of the weight :math:`W` to :math:`t` when

.. math:: q = \frac{W}{h}\,\frac{t - v}{p - t}

where h is what a GPU-hour weighs by recency and confidence. Upward, notional :math:`qp` and cash cost :math:`q(p - v)` both fall with p,
so that the highest admissible price is the least of both, unless a trade may not be so small: then it is the price at which the smallest
trade is enough. Downward both fall with the price too, but for a trade of the smallest size, of which a lower price costs more cash.
"""

import numpy as np

from tenorgrid.data.kinds.index import Estimator, Weighting
from tenorgrid.indices.estimators import Vector
from tenorgrid.indices.sensitivity.ground import Ground
from tenorgrid.indices.sensitivity.plans import Plans
from tenorgrid.indices.sensitivity.search import Found
from tenorgrid.indices.weights import halved


def closed(ground: Ground) -> bool:
    """Whether the level is a plain average by quantity, with nothing that looks at several rows at once."""
    level, weights = ground.level, ground.level.weights
    least = [part.largest_share < 1 for part in (level.publish, level.low_confidence) if part is not None]
    plain = level.vote is None and level.partitions == 1 and weights.cap is None and weights.floor is None and not any(least)
    return plain and level.estimator is Estimator.VWAP and ground.plain


def least_of_means(ground: Ground, plans: Plans) -> Found:
    """The attacks of each plan on a volume-weighted average: of the least notional, and of the least cash."""
    whole = _weight(ground)[plans.mark]
    unit = np.ones(len(plans))
    if ground.level.weights.confidence is not None:
        unit = unit * plans.weight
    if Weighting.RECENCY in ground.level.weights.by and ground.level.weights.half_life is not None:
        unit = unit * halved(np.ones(len(plans)), ground.level.weights.half_life.total_seconds() * 1e6)  # a microsecond before the end
    target, value, sign = plans.target, plans.value, plans.sign
    exact = target + whole * (target - value) / (unit * plans.smallest)  # where the smallest trade is just enough
    edge = np.where(sign > 0, plans.high, plans.low)
    nearest = np.where(sign > 0, np.minimum(edge, exact), np.maximum(edge, exact))
    found = []
    for price in (nearest, edge):
        gap = sign * (price - target)
        able = (gap > 0) & (plans.low <= plans.high)
        needed = np.divide(whole * sign * (target - value), unit * gap, out=np.full(len(plans), np.inf), where=able)
        quantity = np.maximum(needed, plans.smallest)
        which = np.flatnonzero(able & (quantity <= plans.most))
        new = unit[which] * quantity[which]
        after = (whole[which] * value[which] + new * price[which]) / (whole[which] + new)
        found.append((which, price[which], quantity[which], after))
    plan, prices, quantities, values = (np.concatenate(parts) for parts in zip(*found, strict=True))
    one = np.ones(plan.size, dtype=np.int64)
    return Found(plan=plan, price=prices, quantity=quantities, copies=one, rows=one, value=values)


def _weight(ground: Ground) -> Vector:
    """(marks,) the whole weight behind each."""
    votes = ground.votes
    mark = np.repeat(np.arange(ground.marks.height), np.diff(votes.bounds))
    return np.bincount(mark, weights=votes.weight, minlength=ground.marks.height).astype(np.float64)
