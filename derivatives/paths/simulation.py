"""Paths of a model, hour by hour for all paths at once, in blocks of hours.

Steps are exact in distribution: autoregressions for the factors, every jump at its own moment within the hour. Paths are dealt into
groups; each group and each source of chance has its own far-off counter of a Philox generator, drawn from in the order of time. So neither
the length of the blocks nor the number of threads changes a number, and nothing is matched to the curve afterwards.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.model import PathModel
from tenorgrid.derivatives.paths.refusal import refuse

GROUP = 1280  # paths that share a generator: a row of them stays in the cache, and changing it changes every number
ROWS = 48  # hours worked on at a time within a group
BLOCK = 168
THREADS = 2

Prices = npt.NDArray[np.floating]
Precision = type[np.float64] | type[np.float32]


def blocks(
    model: PathModel,
    *,
    forward: Vector,
    years: Vector,
    paths: int,
    seed: int,
    seasonal: Vector | None = None,
    block: int = BLOCK,
    dtype: Precision = np.float64,
) -> Iterator[Prices]:
    """Prices in blocks of hours, one after another: (up to block, classes, paths) each, USD per GPU-hour.

    Args:
        model: factors and jumps of `classes` prices.
        forward: (hours, classes) USD/GPUh, F, above 0.
        years: (hours,) years from the valuation to each price, at least 0, rising.
        paths: how many.
        seed: at least 0; equal seeds give equal paths, whatever the block.
        seasonal: (hours,) what the factors' loadings are multiplied by; 1 if absent.
        block: hours a block.
        dtype: float64 or float32; float32 draws its own numbers.

    Raises `InputError` with every fault.

    >>> from tenorgrid.derivatives.paths.model import ornstein_uhlenbeck
    >>> model, years = PathModel(factors=ornstein_uhlenbeck(reversion=50.0, volatility=2.0)), np.arange(48) / 8760
    >>> [part.shape for part in blocks(model, forward=np.full((48, 1), 2.4), years=years, paths=100, seed=1, block=30)]
    [(30, 1, 100), (18, 1, 100)]
    """
    _refuse(model, forward, years, paths, seed, block, seasonal)
    return _blocks(model, forward, years, paths, seed, seasonal, block, dtype)


def simulate(
    model: PathModel,
    *,
    forward: Vector,
    years: Vector,
    paths: int,
    seed: int,
    seasonal: Vector | None = None,
) -> Vector:
    """All hours at once, (hours, classes, paths), float64; arguments, numbers and refusals of `blocks`."""
    _refuse(model, forward, years, paths, seed, BLOCK, seasonal)
    whole = np.empty((years.size, model.classes, paths))
    for _ in _blocks(model, forward, years, paths, seed, seasonal, BLOCK, np.float64, into=whole):
        pass
    return whole


def _blocks(
    model: PathModel,
    forward: Vector,
    years: Vector,
    paths: int,
    seed: int,
    seasonal: Vector | None,
    block: int,
    dtype: Precision,
    *,
    into: Prices | None = None,
) -> Iterator[Prices]:
    plan = _plan(model, forward, years, seasonal, dtype)
    begins = range(0, paths, GROUP)
    groups = [_Group(plan, number, min(GROUP, paths - begin), seed) for number, begin in enumerate(begins)]
    with ThreadPoolExecutor(THREADS) as pool:
        for low in range(0, years.size, block):
            high = min(low + block, years.size)
            out = np.empty((high - low, model.classes, paths), dtype) if into is None else into[low:high]
            list(pool.map(lambda group, begin: group.fill(low, high, out[:, :, begin : begin + GROUP]), groups, begins))  # noqa: B023
            yield out


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What all groups share, by hour."""

    model: PathModel
    years: Vector
    base: Prices  # (hours, classes) log F − C
    decay: Vector  # (hours, factors)
    root: Prices  # (hours, factors, factors) shocks from independent ones
    loading: Prices  # (hours, classes, factors)
    fade: Vector  # (hours, jumps)
    dtype: Precision


def _plan(model: PathModel, forward: Vector, years: Vector, seasonal: Vector | None, dtype: Precision) -> _Plan:
    steps = np.diff(years, prepend=0.0)
    different, place = np.unique(steps.round(15), return_inverse=True)
    power, direction = np.linalg.eigh(model.factors.covariance(different))
    spread = direction * np.sqrt(np.maximum(power, 0.0))[:, None, :]
    season = np.ones(years.size) if seasonal is None else seasonal
    return _Plan(
        model=model,
        years=years,
        base=(np.log(forward) - model.correction(years, seasonal=seasonal)).astype(dtype),
        decay=np.exp(-steps[:, None] * model.factors.reversion),
        root=spread[place].astype(dtype),
        loading=(season[:, None, None] * model.factors.loading).astype(dtype),
        fade=np.exp(-steps[:, None] * model.jumps.reversion),
        dtype=dtype,
    )


class _Group:
    """State of some paths, and where its generators stand."""

    def __init__(self, plan: _Plan, number: int, width: int, seed: int) -> None:
        self.plan, self.width = plan, width
        count = plan.model.factors.reversion.size
        self.chance = [np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, number, at])) for at in range(count)]
        self.state = np.zeros((count, width), plan.dtype)
        jumps = plan.model.jumps.intensity.size
        self.jumped = np.zeros((jumps, width), plan.dtype)
        streams = (np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, number, count + at])) for at in range(jumps))
        self.events = [_events(plan, at, width, rng) for at, rng in enumerate(streams)]

    def fill(self, low: int, high: int, out: Prices) -> None:
        """Prices of hours [low, high) into (hours, classes, width)."""
        for begin in range(low, high, ROWS):
            end = min(begin + ROWS, high)
            self._rows(begin, end, out[begin - low : end - low])

    def _rows(self, low: int, high: int, out: Prices) -> None:
        plan = self.plan
        factors = self._factors(low, high)
        jumps = [self._jumps(at, low, high) for at in range(len(self.events))]
        for place in range(out.shape[1]):
            total = factors[0] * plan.loading[low:high, place, :1]
            for at in range(1, len(factors)):
                total += factors[at] * plan.loading[low:high, place, at : at + 1]
            for at, jump in enumerate(jumps):
                share = plan.model.jumps.loading[place, at]
                total += jump if share == 1 else jump * plan.dtype(share)
            total += plan.base[low:high, place, None]
            np.exp(total, out=out[:, place])

    def _factors(self, low: int, high: int) -> list[Prices]:
        """X of these hours, (hours, width) for each factor."""
        plan = self.plan
        fresh = [rng.standard_normal((high - low, self.width), plan.dtype) for rng in self.chance]
        found = []
        for at in range(len(fresh)):
            shocks = fresh[0] * plan.root[low:high, at, :1]
            for other in range(1, len(fresh)):
                shocks += fresh[other] * plan.root[low:high, at, other : other + 1]
            found.append(_run(shocks, self.state[at], plan.decay[low:high, at]))
        return found

    def _jumps(self, at: int, low: int, high: int) -> Prices:
        """J of these hours, (hours, width)."""
        first, path, size = self.events[at]
        fresh = np.zeros((high - low, self.width), self.plan.dtype)
        begin, end = first[low], first[high]
        row = np.repeat(np.arange(high - low), np.diff(first[low : high + 1]))
        fresh[row, path[begin:end]] = size[begin:end]
        return _run(fresh, self.jumped[at], self.plan.fade[low:high, at])


def _run(shocks: Prices, state: Prices, decay: Vector) -> Prices:
    """state' = decay · state + shock down the rows, in place; `state` ends at the last row."""
    before, kept = state, np.empty_like(state)
    for row, factor in zip(shocks, decay.tolist(), strict=True):
        np.multiply(before, factor, out=kept)
        row += kept
        before = row
    state[:] = before
    return shocks


def _events(plan: _Plan, at: int, width: int, rng: np.random.Generator) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Prices]:
    """Jumps of one process: where each hour's begin (hours + 1,), the path of each, and what is left of its size at the end of its hour."""
    jumps, years = plan.model.jumps, plan.years
    count = int(rng.poisson(jumps.intensity[at] * years[-1] * width))
    moment, path = rng.random(count) * years[-1], rng.integers(width, size=count)
    hour = np.searchsorted(years, moment)
    size = rng.exponential(1 / jumps.rate[at], count) * np.exp(-jumps.reversion[at] * (years[hour] - moment))
    key, place = np.unique(hour * width + path, return_inverse=True)
    left = np.bincount(place, size, minlength=key.size)
    first = np.searchsorted(key, np.arange(years.size + 1) * width)
    return first, key % width, left.astype(plan.dtype)


def _refuse(model: PathModel, forward: Vector, years: Vector, paths: int, seed: int, block: int, seasonal: Vector | None) -> None:
    wanted = (years.size, model.classes)
    rising = years.ndim == 1 and years.size > 0 and bool(years[0] >= 0 and np.all(np.diff(years) > 0) and np.isfinite(years[-1]))
    priced = forward.shape == wanted and bool(np.all(forward > 0) and np.all(np.isfinite(forward)))
    scaled = seasonal is None or (seasonal.shape == years.shape and bool(np.all(np.isfinite(seasonal))))
    refuse(
        "paths",
        ("forward", forward.shape, f"forwards above 0, hours × classes {wanted}", priced),
        ("years", f"{years.size} times", "times from 0 on that rise", rising),
        ("paths", paths, "at least 1", paths >= 1),
        ("seed", seed, "at least 0", seed >= 0),
        ("block", block, "at least 1", block >= 1),
        ("seasonal", "it", f"{years.size} finite numbers", scaled),
    )
