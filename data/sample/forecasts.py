"""What was known ahead: demand and availability as forecast when each horizon's market ran, from the state of that moment alone.

At lead τ an Ornstein–Uhlenbeck part is known up to x .5^(τ / half-life), with the standard deviation sd sqrt(1 − .5^(2τ / half-life)) left;
a hall that is up or down now is up later with its chance reverting to the mean with a half-life of 12 hours. Bursts and recalls are known
by their means only. Hedgers buy a quarter of a standard deviation and .3 of the mean burst more than they expect.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.sample.fleet import REGIONS, TIMEZONES
from tenorgrid.data.sample.processes import (
    BURST_EVERY,
    BURST_HOURS,
    BURST_SIZE,
    FAILED_PART,
    FAST,
    FAST_SD,
    KNOWN,
    MID,
    MID_SD,
    RECALL_EVERY,
    RECALL_HIGH,
    RECALL_HOURS,
    RECALL_LOW,
    SLOW,
    SLOW_SD,
    UP,
    Array,
    States,
    days,
    hour_of,
)
from tenorgrid.data.sample.windows import moments
from tenorgrid.data.tables.forecast import Forecasts
from tenorgrid.data.terms.market import Horizon, Market

Hours = npt.NDArray[np.int64]

DAILY, HALF_DAILY, WEEKEND = 0.20, 0.06, -0.16  # of inference; training runs through
HEDGED_SD, HEDGED_BURST = 0.25, 0.3
NOT_RECALLED = 1 - RECALL_HOURS / RECALL_EVERY * (RECALL_LOW + RECALL_HIGH) / 2
MEAN_BURST = BURST_SIZE * BURST_HOURS / BURST_EVERY


@dataclass(frozen=True, kw_only=True)
class View:
    """One horizon's view of its delivery hours; with no lead it is the world itself."""

    horizon: Horizon
    hours: Hours = field(repr=False)  # (hours,) counted from the epoch
    made: Hours = field(repr=False)  # (hours,) the hour at whose first instant the market ran
    known: Hours = field(repr=False)  # (hours,) the last hour whose state it knew: the one before
    shape: Array = field(repr=False)  # (hours, regions) log, daily and weekly shape of inference
    inference: Array = field(repr=False)  # (hours, regions) log demand expected, the shape included
    inference_sd: Array = field(repr=False)  # (hours,) of its error, bursts apart
    training: Array = field(repr=False)  # (days, regions) log demand expected at the start of the delivery day
    training_sd: Array = field(repr=False)  # (days,)
    day: Hours = field(repr=False)  # (hours,) number of the delivery day
    edges: Hours = field(repr=False)  # (days + 1,) hour at which each delivery day begins

    @property
    def ahead(self) -> bool:
        """Whether the market ran before the day of delivery."""
        return self.horizon.lead > timedelta(0)

    @property
    def bid_inference(self) -> Array:
        """Log demand that buyers bid: what they expect, and what hedgers buy on top."""
        if not self.ahead:
            return self.inference
        return self.inference + HEDGED_SD * self.inference_sd[:, None] + HEDGED_BURST * MEAN_BURST

    @property
    def bid_training(self) -> Array:
        """The same for training."""
        return self.training + HEDGED_SD * self.training_sd[:, None] if self.ahead else self.training


def view(world: States, *, market: Market, horizon: Horizon, first: date, end: date) -> View:
    """The view of `horizon` on the delivery days [first, end) of the market's time zone."""
    delivery = days(first, end)
    edges = np.array([hour_of(market.midnight(day)) for day in [*delivery, end]])
    made_on = np.array([hour_of(market.midnight(day - horizon.lead)) for day in delivery])
    hours = np.arange(edges[0], edges[-1])
    day = np.searchsorted(edges, hours, side="right") - 1
    shape = seasonal(hours)
    ahead = horizon.lead > timedelta(0)
    made = made_on[day] if ahead else hours
    known = made - 1 if ahead else hours
    slow, slow_sd = _part(world.slow, hours, known, half_life=SLOW, sd=SLOW_SD)
    mid, mid_sd = _part(world.mid, hours, known, half_life=MID, sd=MID_SD)
    fast, fast_sd = _part(world.fast, hours, known, half_life=FAST, sd=FAST_SD)
    burst = np.zeros_like(mid) if ahead else world.burst[hours]
    morning = made_on - 1 if ahead else edges[:-1]
    slow_day, slow_day_sd = _part(world.slow, edges[:-1], morning, half_life=SLOW, sd=SLOW_SD)
    mid_day, mid_day_sd = _part(world.mid, edges[:-1], morning, half_life=MID, sd=MID_SD)
    return View(
        horizon=horizon,
        hours=hours,
        made=made,
        known=known,
        shape=shape,
        inference=shape + slow + mid + fast + burst,
        inference_sd=np.sqrt(slow_sd**2 + mid_sd**2 + fast_sd**2),
        training=slow_day + mid_day,
        training_sd=np.sqrt(slow_day_sd**2 + mid_day_sd**2),
        day=day,
        edges=edges,
    )


def seasonal(hours: Hours) -> Array:
    """Log shape of inference demand by each region's own clock, (hours, regions): high after noon, low at night and at weekends."""
    columns = []
    for region in REGIONS:
        local = moments(hours).dt.convert_time_zone(TIMEZONES[region])
        clock, weekday = local.dt.hour().to_numpy(), local.dt.weekday().to_numpy()
        daily = DAILY * np.sin(2 * np.pi * (clock - 8.5) / 24) + HALF_DAILY * np.sin(4 * np.pi * (clock - 7.5) / 24)
        columns.append(daily + WEEKEND * (weekday >= 6))
    return np.column_stack(columns)


def availability(world: States, seen: View) -> Array:
    """Share of each hall's inventory expected over each delivery day, (days, halls): offered ahead."""
    known = seen.known[seen.edges[:-1] - seen.edges[0]]
    lead = seen.hours - known[seen.day]
    decay = np.add.reduceat(0.5 ** (lead / KNOWN), seen.edges[:-1] - seen.edges[0]) / np.diff(seen.edges)
    chance = UP + (world.up[known] - UP) * decay[:, None]
    return np.asarray(NOT_RECALLED * (1 - FAILED_PART * (1 - chance)))


def forecast_table(views: list[View], present: dict[str, Array]) -> pl.DataFrame:
    """`Forecasts`: what each horizon expected of every delivery hour, and in real time what came.

    Args:
        views: one per horizon.
        present: by horizon, (hours, regions) share of the region's accelerators, weighed in H100-hours, expected to be there.
    """
    frames = []
    for seen in views:
        count = len(seen.hours)
        series = {
            "inference": (np.exp(seen.inference), seen.inference_sd),
            "training": (np.exp(seen.training[seen.day]), seen.training_sd[seen.day]),
            "availability": (present[seen.horizon.name], np.full(count, np.nan)),
        }
        for name, (value, sd) in series.items():
            frames += [
                pl.DataFrame(
                    {
                        "horizon": pl.Series([seen.horizon.name] * count),
                        "series": pl.Series([name] * count),
                        "region": pl.Series([region] * count),
                        "start": moments(seen.hours),
                        "made_at": moments(seen.made),
                        "value": value[:, number],
                        "sd": pl.Series(sd).fill_nan(None),
                    }
                )
                for number, region in enumerate(REGIONS)
            ]
    return Forecasts.validate(pl.concat(frames))


def _part(path: Array, hours: Hours, known: Hours, *, half_life: float, sd: float) -> tuple[Array, Array]:
    """An Ornstein–Uhlenbeck part as known at `known` for `hours`, and the standard deviation of what is not."""
    keep = 0.5 ** ((hours - known) / half_life)
    return path[known] * keep[:, None], sd * np.sqrt(1 - keep**2)
