"""The least that moves a mark: prices scanned, and at each the smallest number or quantity found by halving, for all plans at once."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tenorgrid.data.kinds.index import Estimator
from tenorgrid.indices.estimators import Places, Vector
from tenorgrid.indices.sensitivity.ground import Additions, Ground, outcomes
from tenorgrid.indices.sensitivity.plans import Plans, by_quantity

Truths = npt.NDArray[np.bool_]
HAIR = 1e-12  # of the mark: what still counts as moved by the whole share
EXACT = 1e-7  # to which a quantity is found, always from above
ROWS = 3_000_000  # at a time


@dataclass(frozen=True, kw_only=True)
class Found:
    """Attacks that move their marks: the plan, the price, the quantity of a row, the rows at each moment and in all, and the mark then."""

    plan: Places
    price: Vector
    quantity: Vector
    copies: Places
    rows: Places
    value: Vector

    def __len__(self) -> int:
        return self.plan.size


def least(ground: Ground, plans: Plans) -> Found:
    """The attacks of each plan among which the least is: one a price where quantities are looked for, all prices of the least number
    of rows where numbers are."""
    prices = plans.prices()
    plan, place = np.nonzero(np.isfinite(prices))
    price = prices[plan, place]
    tried = _quantities if by_quantity(ground.level) else _numbers
    return tried(ground, plans, plan, price)


def additions(ground: Ground, plans: Plans, plan: Places, price: Vector, quantity: Vector, copies: Places) -> Additions:
    """Rows of plans, at a price each."""
    spots = [plans.spot[one] for one in plan]
    if ground.level.estimator is Estimator.TWAP:
        spots = [
            replace(spot, times=spot.times[:number], periods=spot.periods[:number]) for spot, number in zip(spots, copies, strict=True)
        ]
        copies = np.ones(copies.size, dtype=np.int64)
    return Additions(
        mark=plans.mark[plan],
        name=[plans.name[one] for one in plan],
        price=price,
        quantity=quantity,
        copies=copies,
        times=[spot.times for spot in spots],
        periods=[spot.periods for spot in spots],
        weight=plans.weight[plan],
    )


def _moved(ground: Ground, plans: Plans, plan: Places, price: Vector, quantity: Vector, copies: Places) -> tuple[Truths, Vector]:
    """Whether the mark is moved by the whole share, and what it then is; in batches of so many rows."""
    moved, value = np.zeros(plan.size, dtype=bool), np.full(plan.size, np.nan)
    size = np.diff(ground.bounds)[plans.mark[plan]] + copies * np.array([plans.spot[one].times.size for one in plan], dtype=np.int64)
    batch = np.cumsum(size) // ROWS
    for one in np.unique(batch):
        which = np.flatnonzero(batch == one)
        mine = plan[which]
        found, rank = outcomes(ground, additions(ground, plans, mine, price[which], quantity[which], copies[which]))
        far = plans.sign[mine] * (found - plans.target[mine]) >= -HAIR * plans.value[mine]
        moved[which], value[which] = far & (rank <= plans.rank[mine]), found
    return moved, value


def _quantities(ground: Ground, plans: Plans, plan: Places, price: Vector) -> Found:
    """The smallest quantity of the plans and prices among which the least notional and the least cash of their kind are.

    Each quantity is shut in between one that does not and one that does, in halves of its logarithm. What costs more with the first than
    another of its kind with the second, in notional and in cash, is given up.
    """
    low, high = np.full(plan.size, plans.smallest), plans.most[plan]
    one = np.ones(plan.size, dtype=np.int64)
    able, value = _moved(ground, plans, plan, price, high, one)
    plan, price, low, high, value = plan[able], price[able], low[able], high[able], value[able]
    enough, small = _moved(ground, plans, plan, price, low, one[: plan.size])
    high, value = np.where(enough, low, high), np.where(enough, small, value)
    rivals = np.unique(np.stack([plans.mark, plans.sign, plans.fresh]), axis=1, return_inverse=True)[1].reshape(-1)[plan]
    rows = np.array([plans.spot[one].times.size for one in plan.tolist()], dtype=np.int64)
    away: Vector = np.abs(price - plans.value[plan])
    kept = np.ones(plan.size, dtype=bool)
    while (left := np.flatnonzero(kept & (high > low * (1 + EXACT)))).size:
        middle = np.sqrt(low[left] * high[left])
        moved, at = _moved(ground, plans, plan[left], price[left], middle, one[: left.size])
        high[left], value[left] = np.where(moved, middle, high[left]), np.where(moved, at, value[left])
        low[left] = np.where(moved, low[left], middle)
        kept = _in_the_running(rivals, rows * price, rows * away, low=low, high=high)
    which = np.flatnonzero(kept)
    return Found(plan=plan[which], price=price[which], quantity=high[which], copies=one[which], rows=rows[which], value=value[which])


def _in_the_running(rivals: Places, *costs: Vector, low: Vector, high: Vector) -> Truths:
    """Which may still be the least among their rivals by one of the costs of a unit of quantity."""
    kept = np.zeros(rivals.size, dtype=bool)
    for cost in costs:
        best = np.full(int(rivals.max(initial=-1)) + 1, np.inf)
        np.minimum.at(best, rivals, cost * high)
        kept |= cost * low <= best[rivals]
    return kept


def _numbers(ground: Ground, plans: Plans, plan: Places, price: Vector) -> Found:
    """The smallest number of rows of each plan, at whichever of the prices it is enough."""
    twap = ground.level.estimator is Estimator.TWAP
    slots = np.array([spot.times.size for spot in plans.spot], dtype=np.int64)
    limit = np.where(twap, slots, plans.limit)
    low, high, size = (np.full(len(plans), start, dtype=np.int64) for start in (0, 0, 1))  # known not to do, to do (0: none), tried next
    hits: dict[int, tuple[Vector, Vector]] = {}
    last = np.flatnonzero(np.append(plan[1:] != plan[:-1], True))
    far, farthest = (plan[last], price[last]) if ground.plain else (plan, price)  # where the price farther away never does less
    unsettled = np.isin(np.arange(len(plans)), plan) & (limit > 0)
    while unsettled.any():
        hit = _hit(ground, plans, far, farthest, size, unsettled, hits)
        low, high = np.where(unsettled & ~hit, size, low), np.where(hit, size, high)
        unsettled &= np.where(high > 0, high - low > 1, size < limit)
        size = np.where(high > 0, (low + high) // 2, np.minimum(limit, size + np.maximum(1, size // 2)))
    if ground.plain:
        _hit(ground, plans, plan, price, high, high > 0, hits)
    parts = [(one, *hits[one]) for one in sorted(hits)]
    who = np.concatenate([np.full(prices.size, one) for one, prices, _ in parts] or [np.zeros(0)]).astype(np.int64)
    copies = high[who]
    return Found(
        plan=who,
        price=np.concatenate([prices for _, prices, _ in parts] or [np.zeros(0)]),
        quantity=np.full(who.size, plans.smallest),
        copies=copies,
        rows=copies if twap else copies * slots[who],
        value=np.concatenate([values for _, _, values in parts] or [np.zeros(0)]),
    )


def _hit(
    ground: Ground, plans: Plans, plan: Places, price: Vector, size: Places, wanted: Truths, hits: dict[int, tuple[Vector, Vector]]
) -> Truths:
    """Which of the wanted plans move their mark with so many rows at some price; `hits` takes those prices and what the mark then is."""
    which = np.flatnonzero(wanted[plan])
    mine, at = plan[which], price[which]
    moved, value = _moved(ground, plans, mine, at, np.full(mine.size, plans.smallest), size[mine])
    found = np.zeros(len(plans), dtype=bool)
    mine, at, value = mine[moved], at[moved], value[moved]
    names, first = np.unique(mine, return_index=True)
    for one, prices, values in zip(names.tolist(), np.split(at, first[1:]), np.split(value, first[1:]), strict=False):
        hits[one] = (prices, values)
    found[names] = True
    return found
