"""The processes behind the market: what moves demand and takes supply away, hour by hour, from one fixed epoch on.

Every process draws from a stream of its own, in the order of time, so that a state at T depends on draws up to T alone: asking for a later
end, or for other innovations after T, leaves everything before T as it was.

    log demand     daily and weekly shape + Ornstein–Uhlenbeck parts (half-lives 15 days, 36 hours, 6 hours) + bursts
    a hall         up, or down with 40 % of it out: a two-state Markov chain that fails once in 400 hours, known with a half-life of 12
    a recall       every 600 hours a region's suppliers take 12–20 % of every hall back for 8 hours
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from tenorgrid.data.errors import InputError
from tenorgrid.data.sample.fleet import REGIONS

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

EPOCH = datetime(2026, 11, 20, 5, tzinfo=UTC)  # midnight in New York; month-ahead markets of January look back to it
HOUR = timedelta(hours=1)

SLOW, MID, FAST = 360.0, 36.0, 6.0  # half-lives, hours
SLOW_SD, MID_SD, FAST_SD = 0.086, 0.032, 0.097
COMMON = 0.5  # part of the slow variance that all regions share
BURST_EVERY, BURST_HOURS, BURST_SIZE = 240.0, 6, 0.08
FAIL = 1 / 400  # chance that a hall that is up fails, per hour
KNOWN = 12.0  # half-life of what is known of a hall, hours
FAILED_PART = 0.4  # of a hall that is out while it is down
MEND = 1 - 0.5 ** (1 / KNOWN) - FAIL  # so that up-down correlation decays by exactly that half-life
UP = MEND / (FAIL + MEND)  # share of time that a hall is up
RECALL_EVERY, RECALL_HOURS, RECALL_LOW, RECALL_HIGH = 600.0, 8, 0.12, 0.20


@dataclass(frozen=True, kw_only=True)
class Innovations:
    """Everything random, per hour from the epoch on: normals for what moves all the time, uniforms and exponentials for what happens."""

    slow: Array = field(repr=False)  # (hours, 1 + regions): all regions together, then each
    mid: Array = field(repr=False)  # (hours, regions)
    fast: Array = field(repr=False)  # (hours, regions)
    burst: Array = field(repr=False)  # (hours, regions) uniform
    burst_size: Array = field(repr=False)  # (hours, regions) exponential of mean 1
    hall: Array = field(repr=False)  # (hours, halls) uniform
    recall: Array = field(repr=False)  # (hours, regions) uniform
    recall_share: Array = field(repr=False)  # (hours, regions) uniform


@dataclass(frozen=True, kw_only=True)
class States:
    """The world hour by hour from the epoch on."""

    slow: Array = field(repr=False)  # (hours, regions) log demand
    mid: Array = field(repr=False)  # (hours, regions)
    fast: Array = field(repr=False)  # (hours, regions)
    burst: Array = field(repr=False)  # (hours, regions)
    up: Flags = field(repr=False)  # (hours, halls) not failed
    present: Array = field(repr=False)  # (hours, halls) share of the hall that can be sold


def innovations(seed: int, *, hours: int, halls: int) -> Innovations:
    """Draws of `hours` hours from the epoch on; more hours give the same draws and more."""
    regions = len(REGIONS)
    streams = [np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,))) for number in range(8)]
    return Innovations(
        slow=streams[0].standard_normal((hours, 1 + regions)),
        mid=streams[1].standard_normal((hours, regions)),
        fast=streams[2].standard_normal((hours, regions)),
        burst=streams[3].random((hours, regions)),
        burst_size=-np.log1p(-streams[4].random((hours, regions))),
        hall=streams[5].random((hours, halls)),
        recall=streams[6].random((hours, regions)),
        recall_share=streams[7].random((hours, regions)),
    )


def states(drawn: Innovations, *, region_of_hall: npt.NDArray[np.int64]) -> States:
    """The world that follows from the draws.

    Args:
        drawn: from the epoch on.
        region_of_hall: (halls,) number of the region that each hall stands in.
    """
    up = _chain(drawn.hall)
    return States(
        slow=_slow(drawn.slow),
        mid=_ornstein_uhlenbeck(drawn.mid, half_life=MID, sd=MID_SD),
        fast=_ornstein_uhlenbeck(drawn.fast, half_life=FAST, sd=FAST_SD),
        burst=_bursts(drawn),
        up=up,
        present=np.where(up, 1.0, 1 - FAILED_PART) * (1 - _recalled(drawn)[:, region_of_hall]),
    )


def slow_demand(seed: int, *, hours: int) -> Array:
    """The slow part of log demand alone, (hours, regions): what a broker sees of the world."""
    return _slow(innovations(seed, hours=hours, halls=1).slow)


def hour_of(moment: datetime) -> int:
    """Number of the hour that begins at `moment`, counted from the epoch; refuses what lies before it.

    >>> hour_of(datetime(2026, 11, 21, 5, tzinfo=UTC))
    24
    """
    if moment < EPOCH:
        raise InputError.of("packaged market", f"moments from {EPOCH:%Y-%m-%dT%H:%MZ} on", value=f"{moment:%Y-%m-%dT%H:%MZ}")
    return (moment - EPOCH) // HOUR


def days(first: date, end: date) -> list[date]:
    """Every day of [first, end)."""
    return [first + timedelta(days=count) for count in range((end - first).days)]


def _ornstein_uhlenbeck(normal: Array, *, half_life: float, sd: float) -> Array:
    """Stationary from the first hour on: x' = x .5^(1/half-life) + sd sqrt(1 − .5^(2/half-life)) ε."""
    keep = 0.5 ** (1 / half_life)
    shock = sd * np.sqrt(1 - keep**2)
    path = np.empty_like(normal)
    path[0] = sd * normal[0]
    for hour in range(1, len(normal)):
        path[hour] = keep * path[hour - 1] + shock * normal[hour]
    return path


def _slow(normal: Array) -> Array:
    together = np.sqrt(COMMON) * normal[:, :1] + np.sqrt(1 - COMMON) * normal[:, 1:]
    return _ornstein_uhlenbeck(together, half_life=SLOW, sd=SLOW_SD)


def _bursts(drawn: Innovations) -> Array:
    began = np.where(drawn.burst < 1 / BURST_EVERY, BURST_SIZE * drawn.burst_size, 0.0)
    burst = np.zeros_like(began)
    for age in range(BURST_HOURS):
        burst[age:] += began[: len(began) - age]
    return burst


def _chain(uniform: Array) -> Flags:
    up = np.empty(uniform.shape, dtype=bool)
    up[0] = uniform[0] < UP
    for hour in range(1, len(uniform)):
        up[hour] = np.where(up[hour - 1], uniform[hour] >= FAIL, uniform[hour] < MEND)
    return up


def _recalled(drawn: Innovations) -> Array:
    """(hours, regions) share of every hall that is taken back; the larger where two recalls overlap."""
    taken = np.zeros(drawn.recall.shape)
    for hour, region in np.argwhere(drawn.recall < 1 / RECALL_EVERY):
        share = RECALL_LOW + (RECALL_HIGH - RECALL_LOW) * drawn.recall_share[hour, region]
        window = taken[hour : hour + RECALL_HOURS, region]
        np.maximum(window, share, out=window)
    return taken
