"""How a price set in one place reaches the others: from nodes and work whose price an order sets, through recipes that run and offers
that sell in several tiers, to everything that follows from them.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenorgrid.clearing.insight.recipes_used import NOWHERE, Used

Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Reached:
    """Through what each price is known: rows of `Used.rows`, or of the tier pairs; -1 where it is not known that way.

    `node_recipe` and `node_tier` (nodes,), `pool_recipe` and `pool_tier` (pools,); `node_known` and `pool_known` say whether a price is
    known at all.
    """

    node_known: Flags = field(repr=False)
    pool_known: Flags = field(repr=False)
    node_recipe: Index = field(repr=False)
    node_tier: Index = field(repr=False)
    pool_recipe: Index = field(repr=False)
    pool_tier: Index = field(repr=False)


def reach(uses: Used, *, node_set: Flags, pool_set: Flags, pairs: tuple[Index, Index], work: tuple[Index, Index]) -> Reached:
    """Spread from the prices that orders set. Each step adds prices that follow from known ones alone, so nothing explains itself.

    Args:
        uses: recipes that ran.
        node_set, pool_set: (nodes,), (pools,) whose price an order sets.
        pairs: nodes of one offer that sells in both, from and to.
        work: pools of one bid that is served through both, from and to.
    """
    known, worked = node_set.copy(), pool_set.copy()
    node_recipe, node_tier = np.full(known.size, NOWHERE), np.full(known.size, NOWHERE)
    pool_recipe, pool_tier = np.full(worked.size, NOWHERE), np.full(worked.size, NOWHERE)
    count = uses.pool.size
    while True:
        before = int(known.sum()) + int(worked.sum())
        unknown = np.bincount(uses.of[~known[uses.node]], minlength=count)
        ready = np.flatnonzero((unknown == 0) & ~worked[uses.pool])
        _first(pool_recipe, uses.pool[ready], ready)
        worked[uses.pool[ready]] = True
        over = np.flatnonzero(worked[work[0]] & ~worked[work[1]])
        _first(pool_tier, work[1][over], over)
        worked[work[1][over]] = True
        last = np.flatnonzero(~known[uses.node] & (unknown[uses.of] == 1) & worked[uses.pool[uses.of]])
        _first(node_recipe, uses.node[last], uses.of[last])
        across = np.flatnonzero(known[pairs[0]] & ~known[pairs[1]])
        _first(node_tier, pairs[1][across], across)
        both = (node_recipe != NOWHERE) & ~known
        node_tier[both] = NOWHERE
        known |= (node_recipe != NOWHERE) | (node_tier != NOWHERE)
        if int(known.sum()) + int(worked.sum()) == before:
            return Reached(
                node_known=known,
                pool_known=worked,
                node_recipe=node_recipe,
                node_tier=node_tier,
                pool_recipe=pool_recipe,
                pool_tier=pool_tier,
            )


def together(uses: Used, found: Reached) -> Index:
    """(nodes,) a recipe that ties an unknown price to others, if there is one that of work whose price is known; -1 where there is none."""
    tied = np.full(found.node_known.size, NOWHERE)
    unknown = ~found.node_known[uses.node]
    for rows in (unknown & found.pool_known[uses.pool[uses.of]], unknown):
        at = np.flatnonzero(rows)
        _first(tied, uses.node[at], uses.of[at])
    return tied


def _first(target: Index, place: Index, value: Index) -> None:
    """Write the first value of each place that has none yet."""
    place, first = np.unique(place, return_index=True)
    free = target[place] == NOWHERE
    target[place[free]] = value[first[free]]
