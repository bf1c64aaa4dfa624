"""Prices of an index's nodes at each horizon, hour by hour: what quotes, shapes and bands are made from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.data.terms.market import Market


@dataclass(frozen=True, kw_only=True)
class Underlying:
    """Nodes that an index stands for: one resource and tier in one or more locations, with the weight of each.

    >>> Underlying(index="H100-SXM.US.FIRM", resource="h100-sxm", tier="firm", weights={"us-east": 3.0, "us-west": 1.0}).share("us-west")
    0.25
    """

    index: str
    resource: str
    tier: str
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        faults = [
            Fault(file="underlying", column=f"weights.{place}", value=str(weight), expected="a weight above 0")
            for place, weight in self.weights.items()
            if not 0 < weight < float("inf")
        ]
        if not self.weights:
            faults.append(Fault(file="underlying", column="weights", expected="at least one location"))
        if faults:
            raise InputError(faults)

    def share(self, location: str) -> float:
        """Weight of a location over that of all."""
        return self.weights[location] / sum(self.weights.values())


def hourly(prices: pl.DataFrame, *, underlying: Underlying, market: Market, as_of: date, pricing: str | None = None) -> pl.DataFrame:
    """Price of `underlying` in every hour and horizon whose market had run before `as_of` began.

    Args:
        prices: `Prices` of clearing; rows that were not known at `as_of` are left out, whatever they say.
        underlying: its nodes.
        market: horizons, their leads and the time zone of the days.
        as_of: local day at whose beginning we stand.
        pricing: pricing rule whose prices count; None is the market's own.

    Returns columns horizon, start, day (local), price, sorted by horizon from the shortest lead and by start. Raises `InputError` for a
    market that does not clear by the hour, where nothing is left, and where an hour lacks the price of one of the locations.
    """
    if market.hours != 1:
        raise InputError.of("market.toml", "an interval of 1h for a curve of hours", column="interval", value=market.interval)
    rule = PricingRule(pricing or market.pricing)
    shortest_first = [horizon.name for horizon in reversed(market.horizons)]
    until = {horizon.name: market.cleared_until(horizon, as_of) for horizon in market.horizons}
    chosen = prices.filter(
        pl.col("resource") == underlying.resource,
        pl.col("tier") == underlying.tier,
        pl.col("location").is_in(list(underlying.weights)),
        settles_under(rule),
    ).filter(pl.col("start") < pl.col("horizon").replace_strict(until, return_dtype=pl.Datetime("us", "UTC"), default=None))
    if chosen.is_empty():
        places = ", ".join(underlying.weights)
        raise InputError.of("prices", f"{rule} prices of {underlying.resource}, {underlying.tier} in {places} before {as_of}")
    share = pl.col("location").replace_strict({place: underlying.share(place) for place in underlying.weights}, return_dtype=pl.Float64)
    found = chosen.group_by("horizon", "start").agg((pl.col("price") * share).sum(), pl.col("price").count().alias("count"))
    _refuse_incomplete(found, len(underlying.weights))
    order = {name: place for place, name in enumerate(shortest_first)}
    return (
        found.with_columns(pl.col("start").dt.convert_time_zone(market.timezone).dt.date().alias("day"))
        .sort(pl.col("horizon").replace_strict(order, return_dtype=pl.Int64), "start")
        .select("horizon", "start", "day", "price")
    )


def whole_days(frame: pl.DataFrame, *, market: Market) -> pl.DataFrame:
    """Mean price of each horizon and local day. Raises `InputError` for a day that lacks an hour."""
    days = frame.group_by("horizon", "day", maintain_order=True).agg(pl.col("price").mean(), pl.len().alias("hours"))
    expected = {day: _length(market, day) for day in days["day"].unique()}
    faults = [
        Fault(file="prices", column="start", value=f"{count} hours of {day} at {horizon}", expected=f"{expected[day]} hours")
        for horizon, day, _, count in days.iter_rows()
        if count != expected[day]
    ]
    if faults:
        raise InputError(faults)
    return days


def names(horizons: Iterable[str]) -> list[str]:
    """Sources of the quotes of these horizons.

    >>> names(["day-ahead"])
    ['day-ahead clearing']
    """
    return [f"{horizon} clearing" for horizon in horizons]


def _length(market: Market, day: date) -> int:
    return int((market.midnight(date.fromordinal(day.toordinal() + 1)) - market.midnight(day)).total_seconds() // 3600)


def _refuse_incomplete(found: pl.DataFrame, count: int) -> None:
    lacking = found.filter(pl.col("count") != count).sort("start", "horizon")
    if lacking.height:
        raise InputError(
            Fault(
                file="prices",
                column="price",
                value=f"{there} at {start:%Y-%m-%dT%H:%MZ}, {horizon}",
                expected=f"a price in {count} locations",
            )
            for horizon, start, there in lacking.select("horizon", "start", "count").iter_rows()
        )
