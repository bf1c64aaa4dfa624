"""The pooling picture as data: many suppliers with wide bands of interruption, one pool with a narrow one; what each further one adds."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.availability import Panel
from tenorgrid.clearing.pooling import equal_pool, largest_sale, pooled_deviation
from tenorgrid.clearing.tier_estimates import ordered

Vector = npt.NDArray[np.float64]

POOL = "pool"
WINDOW = 24.0  # hours
LEAST_WINDOWS = 20
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}
DRAWS = 40
WORK = 1_000_000  # numbers sorted for one size of pool


def bands(record: Panel, *, window: float = WINDOW) -> pl.DataFrame:
    """`PoolingBands`: the share of listed hours missing in each window of the record, by supplier and for the pool.

    Args:
        record: of the pool.
        window: hours; of a record that holds fewer than 20 windows it is a twentieth.

    One supplier's buyer at one sold hour a listed hour sees that supplier's share missing as interruptions; the pool's buyer sees the
    pool's.
    """
    length = min(window, float(record.hours.sum()) / LEAST_WINDOWS)
    count = int(np.floor(record.hours.sum() / length + 1e-9))
    clock = np.r_[0.0, np.cumsum(record.hours)]
    edges = np.arange(count + 1) * length
    groups = [(POOL, record.total, record.there)]
    groups += [(name, record.listed[:, at], record.present[:, at]) for at, name in enumerate(record.suppliers)]
    rows = []
    for name, listed, present in groups:
        held, there = (np.diff(np.interp(edges, clock, np.r_[0.0, np.cumsum(values * record.hours)])) for values in (listed, present))
        some = held > 0
        if not some.any():
            continue
        missing = np.clip(1 - there[some] / held[some], 0.0, 1.0)
        cuts = np.quantile(missing, list(QUANTILES.values()))
        rows.append(
            {"pool": record.pool, "group": name, "window": length, "windows": int(some.sum()), "mean": float(missing.mean()),
             "deviation": float(missing.std()), **dict(zip(QUANTILES, map(float, cuts), strict=True))}
        )  # fmt: skip
    return pl.DataFrame(rows)


def pooling_curve(record: Panel, promises: Mapping[str, float], *, correlation: float | None, seed: int) -> pl.DataFrame:
    """`PoolingCurve`: spread and β of pools of 1, 2, 3, 5, 8, ... of the suppliers; every such pool, or 40 drawn at random.

    Args:
        record: of the whole pool.
        promises: π by tier.
        correlation: ρ of the pool, for the formula and for the model of equal suppliers; None leaves them out.
        seed: of the drawing.
    """
    rng = np.random.default_rng(seed)
    a = float(record.weight @ record.share)
    rho = None if correlation is None or not 0 < a < 1 else max(correlation, 0.0)
    limit = max(2, min(DRAWS, WORK // max(record.hours.size, 1)))
    rows = []
    for size in _sizes(len(record.suppliers)):
        found = [_members(record, members, promises) for members in _subsets(len(record.suppliers), size, limit, rng)]
        spreads, sales = np.array([spread for spread, _ in found]), np.array([sale for _, sale in found])
        model = None if rho is None else equal_pool(size, availability=a, correlation=rho)
        for k, (tier, promise) in enumerate(ordered(promises)):
            rows.append(
                {
                    "pool": record.pool, "suppliers": size, "tier": tier, "drawn": len(found), "deviation": float(spreads.mean()),
                    "formula": None if rho is None else pooled_deviation(a, rho, herfindahl=1 / size),
                    "overcommit": float(sales[:, k].mean()), "worst": float(sales[:, k].min()), "best": float(sales[:, k].max()),
                    "model": None if model is None else largest_sale(promise, *model),
                }
            )  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"formula": pl.Float64, "model": pl.Float64})


def _sizes(count: int) -> list[int]:
    """1, 2, 3, 5, 8, ... and all."""
    sizes, following = [1], 2
    while following < count:
        sizes.append(following)
        following = max(following + 1, round(following * 1.6))
    return sizes if count == 1 else [*sizes, count]


def _subsets(count: int, size: int, limit: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    if comb(count, size) <= limit:
        yield from (np.array(members) for members in combinations(range(count), size))
        return
    for _ in range(limit):
        yield np.sort(rng.choice(count, size, replace=False))


def _members(record: Panel, members: npt.NDArray[np.int64], promises: Mapping[str, float]) -> tuple[float, list[float]]:
    """Spread and β of the pool of some suppliers, where they list anything."""
    chosen = np.zeros(len(record.suppliers))
    chosen[members] = 1.0
    total, there = record.listed @ chosen, record.present @ chosen
    lists = total > 0
    if not lists.any():
        return 0.0, [0.0 for _ in promises]
    share, mass = there[lists] / total[lists], record.hours[lists] * total[lists]
    order = np.argsort(share)
    share, weight = share[order], mass[order] / mass.sum()  # in order: what follows sorts it once a promise
    mean = float(weight @ share)
    return float(np.sqrt(weight @ (share - mean) ** 2)), [largest_sale(promise, share, weight) for _, promise in ordered(promises)]
