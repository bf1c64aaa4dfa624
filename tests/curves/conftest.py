"""A small synthetic market: prices of one GPU class at every horizon, and a quote builder."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.ahead import Underlying
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.terms.market import REAL_TIME, Horizon, Market

AS_OF = date(2027, 3, 16)
ERRORS = {"month-ahead": 0.10, "week-ahead": 0.06, "day-ahead": 0.03, "real-time": 0.0}


@pytest.fixture(scope="session")
def market() -> Market:
    """The packaged market's horizons and time zone."""
    leads = (("month-ahead", 30), ("week-ahead", 7), ("day-ahead", 1))
    return Market(
        name="synthetic",
        interval=timedelta(hours=1),
        timezone="America/New_York",
        pricing=PricingRule.MARGINAL,
        price_floor=0.0,
        price_cap=100.0,
        voll=100.0,
        horizons=(*(Horizon(name=name, lead=timedelta(days)) for name, days in leads), REAL_TIME),
    )


@pytest.fixture(scope="session")
def underlying() -> Underlying:
    """H100 firm in two locations, one of twice the weight."""
    return Underlying(index="H100-SXM.US.FIRM", resource="h100-sxm", tier="firm", weights={"us-east": 1.0, "us-west": 2.0})


@pytest.fixture(scope="session")
def prices(market: Market) -> pl.DataFrame:
    """`Prices` of every delivery of January to March, whatever has cleared by AS_OF: nobody may look past it."""
    rng = np.random.default_rng(20270316)
    starts = pl.datetime_range(
        market.midnight(date(2027, 1, 1)), market.midnight(date(2027, 4, 1)), "1h", closed="left", eager=True, time_zone="UTC"
    ).dt.cast_time_unit("us")
    local = starts.dt.convert_time_zone(market.timezone)
    hour, weekday = local.dt.hour().to_numpy(), local.dt.weekday().to_numpy()
    day = (local.dt.date() - date(2027, 1, 1)).dt.total_days().to_numpy()
    level = 2.4 * (1 + 0.2 * np.sin(2 * np.pi * (hour - 9) / 24)) * np.where(weekday > 5, 0.9, 1.0)
    frames = []
    for horizon, error in ERRORS.items():
        for location, factor in (("us-east", 1.0), ("us-west", 0.95)):
            price = level * factor * np.exp(rng.normal(0.0, error, 90))[day]
            frames.append(
                pl.DataFrame({"start": starts, "price": price, "energy": price, "scarcity": 0.0 * price}).with_columns(
                    horizon=pl.lit(horizon),
                    pricing=pl.lit("marginal"),
                    location=pl.lit(location),
                    resource=pl.lit("h100-sxm"),
                    tier=pl.lit("firm"),
                )
            )
    return pl.concat(frames)


Make = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def quote() -> Make:
    """One row of `Quotes`: quote(name, start, end, price, profile=..., average=..., timezone=...)."""

    def make(
        name: str,
        start: datetime,
        end: datetime,
        price: float,
        *,
        profile: str = "base",
        average: str = "hourly",
        timezone: str = "UTC",
        source: str = "broker",
        calendar: str | None = None,
        bid: float | None = None,
        ask: float | None = None,
    ) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "as_of": [datetime(2020, 1, 1, tzinfo=UTC)],
                "quote_id": [name],
                "index": ["X"],
                "contract": [f"contract {name}"],
                "start": [start],
                "end": [end],
                "profile": [profile],
                "price": [price],
                "average": [average],
                "timezone": [timezone],
                "source": [source],
                "calendar": [calendar],
                "bid": [bid],
                "ask": [ask],
            },
            schema_overrides={"calendar": pl.String, "bid": pl.Float64, "ask": pl.Float64},
        )

    return make
