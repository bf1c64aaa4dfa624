r"""What a hedge takes away on days that its ratios have not seen.

Ratios are least squares of the item's changes on the contract's legs over the first days, with an intercept; of the days held back,

.. math:: \text{removed} = 1 - \frac{\mathrm{sd}(\Delta S - \sum_l h_l \Delta F_l)}{\mathrm{sd}(\Delta S)},

so a correlation of ρ that lasts removes :math:`1 - \sqrt{1 - \rho^2}` of the volatility (Ederington 1979, Journal of Finance 34(1), has its
square for the variance). Intervals are percentiles of a circular block bootstrap (Politis and Romano 1992) that draws the first days
and those held back, each from its own: they hold the error of the ratios and that of the judgement. All contracts meet the same draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.settlement.effectiveness import CONFIDENCE, Vector

Places = npt.NDArray[np.int64]

FEWEST = 10  # changes of either part; fewer are refused
MOVING = 0.95  # least share of draws in which the item moves, for an interval


@dataclass(frozen=True, kw_only=True)
class HeldBack:
    """One contract against one item; volatilities are of changes over the horizon. A bound is NaN where too many draws do not move."""

    ratios: Vector
    in_sample: float
    removed: float
    lower: float
    upper: float
    unhedged: float
    hedged: float
    changes: int
    draws: Vector = field(repr=False)  # removed in each draw, NaN where the item does not move


def held_back(
    item: Vector, contracts: Sequence[Vector], *, first: int, horizon: int = 1, draws: int = 2000, rng: np.random.Generator
) -> list[HeldBack]:
    """Volatility of the item's changes that each contract removes on the days held back, at the ratios of the first days.

    Args:
        item: (n,) USD, cost of each day.
        contracts: (n, legs) prices each, a ratio a leg.
        first: days that ratios are estimated on; the rest is held back.
        horizon: days that a change is over. Changes overlap; blocks of the bootstrap are at least two horizons long.
        draws: of the bootstrap.
        rng: of the draws.

    Raises `InputError` for fewer than 10 changes of either part, numbers that are not finite, and an item or a leg that does not move in
    either part, or legs of a contract of which one is made of others.
    """
    parts = _parts(item.size, first, horizon)
    _refuse(item, contracts, parts=parts, horizon=horizon)
    seen, kept = parts
    own = _change(item, horizon)
    samples = [_blocks(part.size, horizon=horizon, draws=draws, rng=rng) + part[0] for part in parts]
    return [_judged(own, _change(legs, horizon), seen=seen, kept=kept, samples=samples) for legs in contracts]


def _judged(own: Vector, legs: Vector, *, seen: Places, kept: Places, samples: Sequence[Places]) -> HeldBack:
    ratios = _ratios(own[seen][None], legs[seen][None])[0]
    left = own[kept] - legs[kept] @ ratios
    drawn = _ratios(own[samples[0]], legs[samples[0]])
    items = own[samples[1]]
    unhedged, hedged = items.std(axis=1), (items - np.einsum("dnl,dl->dn", legs[samples[1]], drawn)).std(axis=1)
    moves = unhedged > 1e-12 * np.abs(own).max()
    removed = np.where(moves, 1 - hedged / np.where(moves, unhedged, 1.0), np.nan)
    tail = (1 - CONFIDENCE) / 2
    lower, upper = np.nanquantile(removed, [tail, 1 - tail]) if moves.mean() >= MOVING else (np.nan, np.nan)
    before = own[seen] - legs[seen] @ ratios
    return HeldBack(
        ratios=ratios, in_sample=float(1 - before.std() / own[seen].std()), removed=float(1 - left.std() / own[kept].std()),
        lower=float(lower), upper=float(upper), unhedged=float(own[kept].std()), hedged=float(left.std()), changes=kept.size, draws=removed,
    )  # fmt: skip


def _ratios(item: Vector, legs: Vector) -> Vector:
    """(draws, legs) of (draws, n) on (draws, n, legs); 0 of a leg that a draw does not move."""
    y, x = item - item.mean(axis=1, keepdims=True), legs - legs.mean(axis=1, keepdims=True)
    size = np.sqrt(np.einsum("dnl,dnl->dl", x, x))
    scaled = x / np.where(size > 0, size, 1.0)[:, None, :]
    gram, mixed = np.einsum("dnl,dnm->dlm", scaled, scaled), np.einsum("dnl,dn->dl", scaled, y)
    found = np.einsum("dlm,dm->dl", np.linalg.pinv(gram, hermitian=True), mixed)
    return np.asarray(np.where(size > 0, found / np.where(size > 0, size, 1.0), 0.0))


def _change(levels: Vector, horizon: int) -> Vector:
    return np.asarray(levels[horizon:] - levels[:-horizon])


def _parts(days: int, first: int, horizon: int) -> tuple[Places, Places]:
    """Places of changes that end on the first days, and of those that begin on the last of these or later."""
    seen = np.arange(0, max(first - horizon, 0), dtype=np.int64)
    return seen, np.arange(max(first - 1, 0), max(days - horizon, first - 1, 0), dtype=np.int64)


def _blocks(count: int, *, horizon: int, draws: int, rng: np.random.Generator) -> Places:
    """(draws, count) places of blocks that run on from the end to the beginning."""
    length = min(max(2 * horizon, int(np.ceil(count ** (1 / 3)))), count)
    starts = rng.integers(0, count, size=(draws, -(-count // length), 1))
    return np.asarray((starts + np.arange(length)).reshape(draws, -1)[:, :count] % count, np.int64)


def _refuse(item: Vector, contracts: Sequence[Vector], *, parts: tuple[Places, Places], horizon: int) -> None:
    faults = []
    if horizon < 1 or any(part.size < FEWEST for part in parts):
        found = f"{parts[0].size} and {parts[1].size} over {horizon} days"
        raise InputError.of("hedge study", f"at least {FEWEST} changes in the first part and in the one held back", value=found)
    series = [("item", item), *((f"contract {place + 1}", leg) for place, legs in enumerate(contracts) for leg in legs.T)]
    for name, values in series:
        if values.size != item.size or not np.isfinite(values).all():
            faults.append(Fault(file="hedge study", column=name, value=str(values.size), expected=f"{item.size} finite numbers"))
            continue
        change = _change(values, horizon)
        still = [np.ptp(change[part]) <= 1e-12 * np.abs(values).max(initial=0.0) for part in parts]
        if still[0] or (still[1] and name == "item"):
            part = "first part" if still[0] else "part held back"
            faults.append(Fault(file="hedge study", column=name, value="a constant", expected=f"changes in the {part} that differ"))
    if not faults:
        for place, legs in enumerate(contracts):
            change = _change(legs, horizon)[parts[0]]
            if np.linalg.matrix_rank(change - change.mean(axis=0), tol=1e-9 * np.abs(change).max()) < legs.shape[1]:
                expected = "legs of which none is made of the others"
                faults.append(Fault(file="hedge study", column=f"contract {place + 1}", value=f"{legs.shape[1]} legs", expected=expected))
    if faults:
        raise InputError(faults)
