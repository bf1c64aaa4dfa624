"""Legs: what a price is averaged over, as weights of the curve's hours, known part and forward part; each distinct leg once.

    mean = Σ known weight × fixing + Σ weight × forward

A mean of daily marks gives every local day that has hours the same weight, a mean of hours every hour. Days that are over count by
their fixing, so that the valuation of a running period stands at the beginning of a local day; one without fixing by the contract's rule.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Counts, Vector, clock, counted
from tenorgrid.curves.weights import open_hours
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import Averaging
from tenorgrid.data.periods import Period
from tenorgrid.derivatives.book.market import SECONDS_PER_YEAR, Market
from tenorgrid.derivatives.book.missing import EPOCH as EPOCH
from tenorgrid.derivatives.book.missing import settled

KEY = ("index", "start", "end", "profile", "average", "calendar", "missing_day")
Key = tuple[str, datetime, datetime, str, str, str | None, str | None]


@dataclass(frozen=True, eq=False)
class Leg:
    """One period of one index on a market; `weight` (hours,) of the curve's hours from place `low` on, `known` the fixings' part."""

    index: str
    market: Market
    known: float
    low: int
    weight: Vector
    day: Counts  # (hours,) local day of each hour still to come, since 1970

    @property
    def curve(self) -> ForwardCurve:
        """Curve of the index."""
        return self.market.curves[self.index]

    @property
    def hours(self) -> slice:
        """Places of its hours still to come on the curve."""
        return slice(self.low, self.low + self.weight.size)

    @cached_property
    def forward(self) -> float:
        """What the hours still to come add to the mean, USD per GPU-hour."""
        return float(self.weight @ self.curve.forward[self.hours])

    @property
    def mean(self) -> float:
        """The whole mean, USD per GPU-hour."""
        return self.known + self.forward

    @cached_property
    def by_quote(self) -> Vector:
        """(quotes,) ∂ mean / ∂ price of each quote."""
        return np.asarray(self.weight @ self.curve.sensitivity[self.hours])

    @cached_property
    def by_month(self) -> Vector:
        """(months,) weight of each delivery month."""
        names, places = self.market.months[self.index]
        return np.asarray(np.bincount(places[self.hours], weights=self.weight, minlength=len(names)), np.float64)

    @cached_property
    def month(self) -> int:
        """Place of the last delivery month among those of the curve; that of the curve's first hour where all is known."""
        places = self.market.months[self.index][1]
        return int(places[self.hours.stop - 1] if self.weight.size else 0)

    @cached_property
    def days(self) -> Counts:
        """(days,) places in `weight` at which each day still to come begins."""
        return np.flatnonzero(np.diff(self.day, prepend=-1))

    @cached_property
    def day_weight(self) -> Vector:
        """(days,) weight of each day still to come."""
        return np.add.reduceat(self.weight, self.days) if self.weight.size else np.zeros(0)

    @cached_property
    def day_forward(self) -> Vector:
        """(days,) forward of each day still to come: the mean of its hours that count."""
        paid = np.add.reduceat(self.weight * self.curve.forward[self.hours], self.days) if self.weight.size else np.zeros(0)
        return np.asarray(paid / np.where(self.day_weight > 0, self.day_weight, 1.0))

    @cached_property
    def day_years(self) -> Vector:
        """(days,) years of 365 days until each day still to come is over: its mark is known then."""
        ends = np.append(self.days[1:], self.weight.size)
        return self._years(ends)

    @cached_property
    def hour_years(self) -> Vector:
        """(hours,) years until each hour still to come begins."""
        return self._years(np.arange(self.weight.size))

    def of_days(self, by_day: Vector) -> tuple[Vector, Vector]:
        """(n, quotes) and (n, months) from sensitivities (n, days) to the forwards of the days."""
        share = self.weight / np.repeat(
            np.where(self.day_weight > 0, self.day_weight, 1.0), np.diff(np.append(self.days, self.weight.size))
        )
        quotes = np.add.reduceat(share[:, None] * self.curve.sensitivity[self.hours], self.days, axis=0)
        names, places = self.market.months[self.index]
        months = np.zeros((self.days.size, len(names)))
        months[np.arange(self.days.size), places[self.hours][self.days]] = 1.0
        return by_day @ quotes, by_day @ months

    def of_hours(self, by_hour: Vector) -> tuple[Vector, Vector]:
        """(n, quotes) and (n, months) from sensitivities (n, hours) to the forwards of the hours still to come."""
        names, places = self.market.months[self.index]
        months = np.zeros((by_hour.shape[0], len(names)))
        held = places[self.hours]  # of hours in their order: each month's stand together
        begins = np.flatnonzero(np.diff(held, prepend=-1))
        if held.size:
            months[:, held[begins]] = np.add.reduceat(by_hour, begins, axis=1)
        return by_hour @ self.curve.sensitivity[self.hours], months

    def _years(self, place: Counts) -> Vector:
        first = (self.curve.starts[0] + timedelta(hours=self.low) - self.market.as_of).total_seconds()
        return np.asarray((first + 3600.0 * place) / SECONDS_PER_YEAR)


def make_legs(rows: pl.DataFrame, market: Market) -> tuple[Counts, list[Leg]]:
    """Which leg each row has, (n,), and the distinct legs.

    Args:
        rows: columns `KEY`; `missing_day` may be absent and refuses then.
        market: curves and fixings.

    Raises `InputError` for a period that the curve does not cover and a valuation inside a local day; `NotPublishedError` naming the days
    that are over and have no fixing.
    """
    if "missing_day" not in rows.columns:
        rows = rows.with_columns(pl.lit(None, dtype=pl.String).alias("missing_day"))
    distinct = rows.select(KEY).unique(maintain_order=True).with_row_index("leg")
    place = rows.select(KEY).join(distinct, on=list(KEY), how="left", nulls_equal=True, maintain_order="left")["leg"]
    return place.to_numpy().astype(np.int64), list(_made(distinct.select(KEY).iter_rows(), market))


def _made(keys: Iterable[Key], market: Market) -> Iterable[Leg]:
    for index, start, end, profile, average, calendar, missing_day in keys:
        hours = Period(start=start, end=end).starts()
        local = clock(hours, market.timezone)
        flags = counted(hours, profile, market.timezone)
        if calendar is not None:
            flags = flags & open_hours(local, calendar)
        weight = flags.astype(np.float64)
        if average != Averaging.HOURLY:
            _, day = np.unique(local.day, return_inverse=True)
            weight /= np.maximum(np.bincount(day, weights=weight), 1.0)[day]
        if not weight.any():
            raise InputError.of("trades", f"a period with hours of the profile {profile}", value=f"{index} {start} to {end}")
        weight /= weight.sum()
        ahead = int(np.clip(np.ceil((market.as_of - start).total_seconds() / 3600), 0, weight.size))
        if 0 < ahead < weight.size and local.day[ahead] == local.day[ahead - 1]:
            raise InputError.of("trades", f"the beginning of a day in {market.timezone}", column="as_of", value=market.as_of)
        known, later = settled(index, local.day, weight, ahead, missing_day, market.fixings.get(index, {}))
        low = 0
        if ahead < weight.size:
            low, _ = market.curves[index].places(start + timedelta(hours=ahead), end)
        yield Leg(index, market, known, low, later, local.day[ahead:])
