"""From the prices that count to one value: the estimators that the shipped methodologies use, as kernels on arrays."""

from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tenorgrid.data.kinds import MedianTie, Rounding

Vector: TypeAlias = npt.NDArray[np.float64]
Partitions: TypeAlias = npt.NDArray[np.int64]

_MODES = {Rounding.HALF_EVEN: ROUND_HALF_EVEN, Rounding.HALF_UP: ROUND_HALF_UP}


def median(prices: Vector) -> float:
    """Middle price; the mean of the two middle ones where the number is even.

    Args:
        prices: (n,) USD, at least one.

    >>> median(np.array([2.0, 9.9, 2.2]))
    2.2
    """
    return float(np.median(prices))


def vwap(prices: Vector, quantities: Vector) -> float:
    r"""Volume-weighted average price :math:`\\sum p q / \\sum q`.

    Args:
        prices: (n,) USD, at least one.
        quantities: (n,) GPU-hours or units of work, none negative, their sum above zero.

    >>> vwap(np.array([2.0, 3.0]), np.array([3.0, 1.0]))
    2.25
    """
    return float(prices @ quantities / quantities.sum())


def volume_weighted_median(prices: Vector, quantities: Vector, *, tie: MedianTie) -> float:
    """Smallest price at or below which at least half of the volume lies.

    Where exactly half lies there (to 1e-12 of the total), `tie` decides: `lower` keeps that price, `midpoint` takes the mean of it and
    of the next dearer one. The definition is that of the Secured Overnight Financing Rate of the Federal Reserve Bank of New York.

    Args:
        prices: (n,) USD, at least one.
        quantities: (n,) GPU-hours, none negative, their sum above zero.
        tie: the named rule.

    >>> volume_weighted_median(np.array([2.0, 2.1, 2.2, 9.9]), np.array([10.0, 30.0, 25.0, 1.0]), tie=MedianTie.LOWER)
    2.1
    >>> volume_weighted_median(np.array([2.0, 3.0]), np.array([5.0, 5.0]), tie=MedianTie.MIDPOINT)
    2.5
    """
    traded = quantities > 0
    order = np.argsort(prices[traded], kind="stable")
    price, volume = prices[traded][order], np.cumsum(quantities[traded][order])
    half, hair = volume[-1] / 2, volume[-1] * 1e-12
    place = int(np.searchsorted(volume, half - hair))
    if tie is MedianTie.MIDPOINT and abs(volume[place] - half) <= hair:
        return float((price[place] + price[place + 1]) / 2)
    return float(price[place])


def trimmed_mean(prices: Vector, *, trim: float) -> float:
    """Mean of what is left when a share `trim` of the weight is cut from each end; with 0.25 the interquartile mean.

    A price that straddles the cut keeps the part of its weight that is inside, so that a few prices are trimmed too, and the mean moves
    without jumps as their number grows.

    Args:
        prices: (n,) USD, at least one.
        trim: share cut from each end, at least 0 and below 0.5.

    >>> trimmed_mean(np.array([1.0, 2.0, 3.0, 90.0]), trim=0.25)
    2.5
    >>> trimmed_mean(np.array([1.0, 2.0, 90.0]), trim=0.4)  # of three votes 0.6 of the middle one is left
    2.0
    """
    edges = np.clip(np.arange(prices.size + 1) / prices.size, trim, 1 - trim)
    return float((edges[1:] - edges[:-1]) @ np.sort(prices) / (1 - 2 * trim))


def partitioned(prices: Vector, quantities: Vector, partition: Partitions, *, estimator: Callable[[Vector, Vector], float]) -> float:
    """Equal-weight mean, over the partitions in which something traded, of the estimate within each.

    A large trade captures one partition and no more; an empty partition is left out. The recipe is that of the CME CF Bitcoin Reference
    Rate (equal parts of the window, an estimate within each over all venues, the plain mean of those).

    Args:
        prices: (n,) USD.
        quantities: (n,) GPU-hours, all positive.
        partition: (n,) which part of the window each trade fell in.
        estimator: what is taken within each.

    >>> partitioned(np.array([2.0, 2.1, 9.0]), np.array([1.0, 1.0, 50.0]), np.array([0, 0, 1]), estimator=vwap)
    5.525
    """
    return float(np.mean([estimator(prices[partition == part], quantities[partition == part]) for part in np.unique(partition)]))


def far_from_trimmed_mean(prices: Vector, *, trim: float, sigmas: float) -> tuple[npt.NDArray[np.bool_], float, float]:
    """Which prices lie more than `sigmas` standard deviations from the trimmed mean.

    The mean is taken without the `floor(trim n)` lowest and as many highest prices, at least one at each end; the deviation is the sample
    standard deviation (n − 1) of *all* prices. A price exactly at the limit stays. With fewer than three prices, or all equal, none goes.

    Args:
        prices: (n,) USD.
        trim: share cut from each end before the mean is taken.
        sigmas: largest distance, in standard deviations.

    Returns (n,) which prices go, the trimmed mean and the largest distance allowed, both in USD.

    Source: CCIR methodology 1.1.0, section 7.2 (the deviation is that of the untrimmed series); at least one price at each end and
    the n − 1 are those of the administrator's program.

    >>> gone, middle, limit = far_from_trimmed_mean(np.array([1.6] * 6 + [1.7] * 6 + [9.0]), trim=0.1, sigmas=2.5)
    >>> gone.nonzero()[0].tolist(), round(middle, 4), round(limit, 4)
    ([12], 1.6545, 5.0978)
    """
    if prices.size < 3 or np.ptp(prices) == 0:
        return np.zeros(prices.size, dtype=bool), float(prices.mean()) if prices.size else 0.0, float("inf")
    cut = max(1, int(prices.size * trim))
    middle = float(np.sort(prices)[cut:-cut].mean())
    limit = float(sigmas * prices.std(ddof=1))
    return np.abs(prices - middle) > limit, middle, limit


def rounded(value: float, *, decimals: int, rule: Rounding) -> float:
    """`value` as it is printed: rounded in decimal, as it reads, not in binary.

    >>> rounded(2.345, decimals=2, rule=Rounding.HALF_EVEN), rounded(2.345, decimals=2, rule=Rounding.HALF_UP)
    (2.34, 2.35)
    """
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), _MODES[rule]))
