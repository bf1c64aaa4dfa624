"""What is offered: halls through their outages and recalls, and the reserve that is held against more of them."""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import norm

from tenorgrid.data.sample.benchmarks import ACCELERATORS, RELATIVE
from tenorgrid.data.sample.fleet import CAPACITY, REGIONS
from tenorgrid.data.sample.forecasts import View, availability
from tenorgrid.data.sample.processes import Array, States
from tenorgrid.data.sample.windows import labels, moments

Numbers = npt.NDArray[np.int64]

VOLL, REFERENCE_PRICE = 100.0, 2.5
CONTINGENCY, RESERVE_SD = 0.012, 0.014  # of a group's listed capacity
RESERVE_EDGES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.6, 3.4)  # standard deviations past the contingency


def reserve_steps() -> list[tuple[float, float]]:
    """(share of capacity, USD) of each step of A(r) = (VOLL − λ_ref) LOLP(r), LOLP taken in the middle of the step.

    >>> [round(price, 2) for _, price in reserve_steps()]
    [97.5, 39.13, 22.1, 10.3, 3.91, 1.05, 0.13]
    """
    top = VOLL - REFERENCE_PRICE
    edges = np.array(RESERVE_EDGES)
    loss = norm.sf((edges[:-1] + edges[1:]) / 2)
    return [
        (CONTINGENCY, top),
        *((float(width) * RESERVE_SD, float(top * chance)) for width, chance in zip(np.diff(edges), loss, strict=True)),
    ]


def reserves() -> pl.DataFrame:
    """`Reserves`: the scarcity curve of every accelerator in every region.

    VOLL is the loss of an H100-hour; that of another accelerator is as much larger as the work it does.
    """
    rows = [
        (region, resource, step, round(share * CAPACITY[region][resource], 3), round(price * RELATIVE[resource], 4))
        for region in REGIONS
        for resource in ACCELERATORS
        for step, (share, price) in enumerate(reserve_steps(), start=1)
    ]
    return pl.DataFrame(rows, schema=["region", "resource", "step", "quantity", "price"], orient="row")


def offers(world: States, seen: View, *, halls: pl.DataFrame, hosts: pl.DataFrame) -> pl.DataFrame:
    """`Offers` of one horizon, a window a day: ahead what a hall is expected to have, in real time what it has, cut where that changes."""
    begin, end = seen.edges[:-1], seen.edges[1:]
    days = len(begin)
    plenty = _table(hosts, seen, np.tile(np.arange(hosts.height), days), np.repeat(begin, hosts.height), np.repeat(end, hosts.height), None)
    if seen.ahead:
        share = availability(world, seen)
        index = np.tile(np.arange(halls.height), days)
        mine = _table(halls, seen, index, np.repeat(begin, halls.height), np.repeat(end, halls.height), share.ravel())
    else:
        hall, start, stop = runs(world.present[seen.hours], seen.edges - seen.edges[0])
        share = world.present[start + seen.edges[0], hall]
        mine = _table(halls, seen, hall, start + seen.edges[0], stop + seen.edges[0], share)
    return pl.concat([mine, plenty])


def runs(level: Array, edges: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Hall, first hour and end of every stretch in which its level stays the same, cut where days begin.

    Args:
        level: (hours, halls).
        edges: (days + 1,) hours at which days begin, the last one's end.

    >>> runs(np.array([[1.0], [1.0], [0.6], [0.6]]), np.array([0, 1, 4]))
    (array([0, 0, 0]), array([0, 1, 2]), array([1, 2, 4]))
    """
    cut = np.ones((len(level) + 1, level.shape[1]), dtype=bool)
    cut[1:-1] = level[1:] != level[:-1]
    cut[edges] = True
    hall, start = np.nonzero(cut[:-1].T)
    _, stop = np.nonzero(cut[1:].T)
    return hall, start, stop + 1


def _table(halls: pl.DataFrame, seen: View, index: Numbers, begin: Numbers, end: Numbers, share: Array | None) -> pl.DataFrame:
    start = moments(begin)
    table = halls[index]
    quantity = table["quantity"].to_numpy() * (1.0 if share is None else share)
    return table.select(
        pl.lit(seen.horizon.name).alias("horizon"),
        pl.concat_str(pl.col("hall"), pl.lit("@"), labels(start)).alias("offer_id"),
        "participant",
        "location",
        "resource",
        start.alias("start"),
        moments(end).alias("end"),
        pl.lit(1, dtype=pl.Int64).alias("step"),
        pl.Series("quantity", quantity).round_sig_figs(6),
        "price",
        "firm_premium",
    )
