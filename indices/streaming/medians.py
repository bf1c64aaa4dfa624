"""Volume-weighted means and medians of very many groups over rows that need not fit into memory, without sorting them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.indices.estimators import HAIR, Places, Vector

CHUNK = 500_000  # rows a batch
LEAST, MOST = -6, 10  # powers of two between which prices have bins of their own; what is beyond shares the first or the last
FINE = 6  # bits: bins in each octave are 2 ** FINE
BINS = (MOST - LEAST) << FINE
SHIFT = 52 - FINE
CODE, PRICE, WEIGHT = "code", "price", "weight"
Batch: TypeAlias = tuple[Places, Vector, Vector]
Bits: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Middles:
    """Of each group the sum of the weights, the weighted mean and the lower weighted median; 0 and NaN where it has no weight."""

    weight: Vector
    mean: Vector
    median: Vector


def middles(rows: pl.LazyFrame, *, groups: int) -> Middles:
    r"""Weighted mean and lower weighted median of each group, in two passes over the rows.

    The median is the lowest price at which the weight of all that is not above it reaches half of the whole. The first pass sums the
    weights by group and bin of prices, :math:`2^{6}` to an octave; the second takes the rows of the one bin in which half is reached, and
    only these are sorted. It is exact whatever the prices: a price beyond the bins makes its bin longer, not the median wrong.

    Args:
        rows: `code` (0 to `groups` − 1), `price` and `weight` (none negative), none null.
        groups: how many.

    Raises `InputError` for a code outside, a weight below 0, or a number that is not finite.

    >>> rows = pl.LazyFrame({"code": [0, 0, 0, 1], "price": [3.0, 1.0, 2.0, 9.0], "weight": [1.0, 1.0, 2.0, 5.0]})
    >>> found = middles(rows, groups=2)
    >>> found.mean.tolist(), found.median.tolist()
    ([2.0, 9.0], [2.0, 9.0])
    """
    weight, sums, table = np.zeros(groups), np.zeros(groups), np.zeros(groups * BINS)
    for code, price, own in _batches(rows, groups):
        first, last = int(code.min()), int(code.max()) + 1
        local = code - first
        weight[first:last] += np.bincount(local, own, last - first)
        sums[first:last] += np.bincount(local, own * price, last - first)
        table[first * BINS : last * BINS] += np.bincount(local * BINS + _bin(price), own, (last - first) * BINS)
    shares = table.reshape(groups, BINS)
    below = np.cumsum(shares, axis=1, out=np.empty_like(shares))
    half = weight * (0.5 - HAIR)
    chosen = np.argmax(below >= half[:, None], axis=1)
    before = below[np.arange(groups), chosen] - shares[np.arange(groups), chosen]
    with np.errstate(invalid="ignore"):
        mean = np.where(weight > 0, sums / weight, np.nan)
    return Middles(weight=weight, mean=mean, median=_within(rows, chosen, before, half, weight))


def _within(rows: pl.LazyFrame, chosen: Bits, before: Vector, half: Vector, weight: Vector) -> Vector:
    """The price of the chosen bin at which half is reached."""
    kept = []
    for code, price, own in _batches(rows, weight.size):
        mine = (_bin(price) == chosen[code]) & (own > 0)
        kept.append((code[mine], price[mine], own[mine]))
    code, price, own = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    found = np.full(weight.size, np.nan)
    if not code.size:
        return found
    order = np.lexsort((price, code))
    code, price, own = code[order], price[order], own[order]
    first = np.flatnonzero(np.diff(code, prepend=-1))
    reached = np.cumsum(own)
    reached -= np.repeat(reached[first] - own[first], np.diff(first, append=code.size))  # begins anew with each group
    there = before[code] + reached >= half[code]
    last = np.append(first[1:], code.size) - 1
    there[last] = True  # rounding may leave the last a hair short
    where = np.flatnonzero(there)
    groups, place = np.unique(code[where], return_index=True)
    found[groups] = price[where[place]]
    return found


def _bin(price: Vector) -> Bits:
    """A whole number that grows with the price: exponent and first bits of its binary form."""
    inside = np.clip(price, 2.0**LEAST, np.nextafter(2.0**MOST, 0))
    return (inside.view(np.int64) >> SHIFT) - (int(np.float64(2.0**LEAST).view(np.int64)) >> SHIFT)


def _batches(rows: pl.LazyFrame, groups: int) -> Iterator[Batch]:
    asked = rows.select(pl.col(CODE).cast(pl.Int64), pl.col(PRICE).cast(pl.Float64), pl.col(WEIGHT).cast(pl.Float64))
    for batch in asked.collect_batches(chunk_size=CHUNK, maintain_order=True, engine="streaming"):
        if batch.is_empty():
            continue
        code, price, own = (batch[name].to_numpy() for name in (CODE, PRICE, WEIGHT))
        sound = not sum(batch.null_count().row(0)) and code.min() >= 0 and code.max() < groups
        if not (sound and np.isfinite(price).all() and np.isfinite(own).all() and own.min() >= 0):
            raise InputError.of("rows", f"codes from 0 to {groups - 1}, finite prices, and weights that are finite and not below 0")
        yield code, price, own
