"""Steps of a right: hours, days or months of its term still to come, and what each of them has of forward, time and hours.

A step is decided as it begins and paid as it ends. Its forward is the mean of its hours that count, so that what a right gains by a
step's forward is shared out over those hours and goes to quotes and months as any hour's delta does.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.derivatives.book.legs import Leg, make_legs
from tenorgrid.derivatives.book.market import SECONDS_PER_YEAR, Market

HOUR = 3600 / SECONDS_PER_YEAR
By = Literal["hour", "day", "month"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen:
    """What a right is worth by: n steps of one index, or of two side by side.

    Args:
        forward: (steps,) USD/GPUh of each index.
        sigma: a year, of each index: to the end of the term, and the volatility of the factor where the price reverts.
        rho: correlation of the two indices, 1 of one.
        years: (steps,) until each begins.
        pay: (steps,) years until each is paid, at its end.
        hours: (steps,) hours that count.
        rate: discount of payments.
        begins: (steps,) moments in the book's time zone.
        begun: whether part of the first step is over.
    """

    forward: tuple[Vector, ...]
    sigma: tuple[float, ...]
    rho: float
    years: Vector
    pay: Vector
    hours: Vector
    rate: Discount
    begins: pl.Series
    begun: bool

    @property
    def discount(self) -> Vector:
        """(steps,) factors to the payments."""
        return self.rate.factors(self.pay)

    def later(self, years: float) -> "Seen":
        """The same with every step nearer by some years, its forwards and volatilities held."""
        return replace(self, years=np.maximum(self.years - years, 0.0), pay=self.pay - years)

    def raised(self, index: int, move: float) -> "Seen":
        """The same with all forwards of one index moved."""
        return replace(self, forward=tuple(one + move if at == index else one for at, one in enumerate(self.forward)))

    def blown(self, index: int, move: float) -> "Seen":
        """The same with the volatility of one index moved."""
        return replace(self, sigma=tuple(one + move if at == index else one for at, one in enumerate(self.sigma)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Steps:
    """Which hours of its legs each step has; legs of one right have the same hours."""

    legs: tuple[Leg, ...]
    held: Counts  # places of the hours that count
    step: Counts  # (held hours,) of each one
    begun: bool  # whether part of the first step is over

    def seen(self, market: Market, *, volatile: int) -> Seen:
        """What the market says of them; the first `volatile` legs need a volatility, and two of them a correlation."""
        first, count = self.legs[0], np.bincount(self.step)
        begins = np.flatnonzero(np.diff(self.step, prepend=-1))
        ends = np.append(begins[1:], self.held.size) - 1
        years = first.hour_years[self.held]
        names = [leg.index for leg in self.legs]
        sigma = [float(market.sigma(name, years[-1:])[0]) for name in names[:volatile]]
        return Seen(
            forward=tuple(np.bincount(self.step, weights=leg.curve.forward[leg.hours][self.held]) / count for leg in self.legs),
            sigma=(*sigma, *[0.0] * (len(names) - volatile)), rho=market.rho(names[0], names[-1]) if volatile > 1 else 1.0,
            years=years[begins], pay=years[ends] + HOUR, hours=count.astype(np.float64), rate=market.rate(first.index),
            begins=first.curve.starts[first.hours].gather(self.held[begins]).dt.convert_time_zone(market.timezone), begun=self.begun,
        )  # fmt: skip

    def mapped(self, ladder: Vector, leg: Leg) -> tuple[Vector, Vector]:
        """(quotes,) and (months,) from sensitivities (steps,) to the forwards of the steps."""
        by_hour = np.zeros((1, leg.weight.size))
        by_hour[0, self.held] = (ladder / np.bincount(self.step))[self.step]
        quotes, months = leg.of_hours(by_hour)
        return quotes[0], months[0]


def make_steps(trades: pl.DataFrame, market: Market, by: pl.Series) -> list[Steps]:
    """Steps of every trade, by its `hour`, `day` or `month`, of `index` and, where it has one, `index2`.

    Raises `InputError` for trades that are over, and for a valuation inside a day of a trade by days.
    """
    _refuse_over(trades, market, by)
    now = pl.lit(_next_hour(market), dtype=trades.schema["start"])
    hourly = trades.with_columns(
        pl.max_horizontal("start", now).alias("start"), pl.lit("hourly").alias("average"), pl.lit(None, dtype=pl.String).alias("calendar")
    )
    two = trades["index2"].null_count() == 0
    parts = [hourly, hourly.with_columns(pl.col("index2").alias("index"))] if two else [hourly]
    legs = [[made[at] for at in of] for of, made in (make_legs(part, market) for part in parts)]
    local = market.as_of.astimezone(ZoneInfo(market.timezone))
    inside = (trades["start"] < market.as_of) & (by == "month") & (local.day != 1)
    return [_cut(tuple(own), str(kind), begun) for *own, kind, begun in zip(*legs, by, inside, strict=True)]


def _cut(legs: tuple[Leg, ...], by: str, begun: bool) -> Steps:
    leg = legs[0]
    held = np.flatnonzero(leg.weight > 0)
    label = {"hour": np.arange(leg.weight.size), "day": leg.day, "month": leg.market.months[leg.index][1][leg.hours]}[by][held]
    return Steps(legs=legs, held=held, step=np.unique(label, return_inverse=True)[1], begun=begun)


def _next_hour(market: Market) -> object:
    past = timedelta(seconds=market.as_of.timestamp() % 3600)
    return market.as_of + (timedelta(hours=1) - past if past else past)


def _refuse_over(trades: pl.DataFrame, market: Market, by: pl.Series) -> None:
    over = trades.filter(pl.col("end") <= market.as_of)
    faults = [
        Fault(file="trades", row=row, column="end", value=str(end), expected=f"hours after {market.as_of}")
        for row, end in over.select("number", "end").head(20).iter_rows()
    ]
    local = market.as_of.astimezone(ZoneInfo(market.timezone))
    if (local.hour, local.minute, local.second, local.microsecond) != (0, 0, 0, 0):
        cut = trades.filter((pl.col("start") < market.as_of) & (by != "hour"))
        wanted = f"the beginning of a day in {market.timezone}, for a trade of days that runs"
        faults += [Fault(file="trades", row=row, column="as_of", value=str(market.as_of), expected=wanted) for row in cut["number"]]
    if faults:
        raise InputError(faults)
