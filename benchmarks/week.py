"""The market that the clearing line clears: three regions with links, one resource, firm only; 5,000 bids and offers an hour, synthetic."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from tenorgrid.data.case import FIRM_TIER, TABLES, Case
from tenorgrid.data.kinds import PricingRule
from tenorgrid.data.terms.market import Market

REGIONS = ("east", "north", "west")
OFFERS = 2000  # steps an hour, over the regions
BIDS = 3000
START = datetime(2027, 1, 4, tzinfo=UTC)
CAPACITY = 2000.0  # GiB per hour of each link
CARRIAGE = 0.05  # USD per GiB, which is one unit of work
SEED = 2027


def week(hours: int) -> Case:
    """The first `hours` hours of the week. Every step has its own price and quantity in every hour."""
    rng = np.random.default_rng(SEED)
    offers = _steps(rng, hours, OFFERS, name="offer", low=1.5, high=4.0)
    bids = _steps(rng, hours, BIDS, name="bid", low=1.0, high=5.0)
    offers = offers.rename({"place": "location", "id": "offer_id"}).with_columns(
        pl.lit("gpu").alias("resource"), pl.lit(0.0).alias("firm_premium")
    )
    bids = bids.rename({"place": "home", "id": "bid_id", "price": "value"}).with_columns(
        pl.lit("work").alias("workload"), pl.lit("firm").alias("tiers")
    )
    links = [
        {"link": f"{a}>{b}", "from": a, "to": b, "capacity_gib_per_hour": CAPACITY, "cost_per_gib": CARRIAGE}
        for a in REGIONS
        for b in REGIONS
        if a != b
    ]
    frames = {
        "locations": pl.DataFrame({"location": REGIONS, "region": REGIONS}),
        "resources": pl.DataFrame({"resource": ["gpu"], "kind": ["accelerator"], "unit": ["GPU"]}),
        "tiers": pl.DataFrame([FIRM_TIER]),
        "workloads": pl.DataFrame({"workload": ["work"], "class": ["decode"], "unit": ["GPU-hour"], "egress_gib_per_unit": [1.0]}),
        "recipes": pl.DataFrame({"workload": ["work"], "recipe": ["gpu"], "output_per_hour": [1.0]}),
        "recipe_resources": pl.DataFrame({"workload": ["work"], "recipe": ["gpu"], "resource": ["gpu"], "per_hour": [1.0]}),
        "offers": offers,
        "bids": bids,
        "links": pl.DataFrame(links),
    }
    return Case(market=_market(), **{name: _declared(frames.get(name), name) for name in TABLES})


def _market() -> Market:
    return Market(
        name="benchmark week (synthetic)",
        interval=timedelta(hours=1),
        timezone="UTC",
        pricing=PricingRule.MARGINAL,
        price_floor=0.0,
        price_cap=1000.0,
        voll=1000.0,
    )


def _steps(rng: np.random.Generator, hours: int, count: int, *, name: str, low: float, high: float) -> pl.DataFrame:
    hour, step = np.repeat(np.arange(hours), count), np.tile(np.arange(count), hours)
    names = np.array([f"{name}-{number:04d}" for number in range(count)])
    starts = pl.datetime_range(START, START + timedelta(hours=hours), "1h", time_unit="us", time_zone="UTC", eager=True)
    return pl.DataFrame(
        {
            "horizon": pl.Series([None], dtype=pl.String).new_from_index(0, hour.size),
            "id": pl.Series(names).gather(step) + pl.Series(hour).cast(pl.String),
            "participant": pl.Series(names).gather(step),
            "place": pl.Series(REGIONS).gather(step % len(REGIONS)),
            "start": starts.gather(hour),
            "end": starts.gather(hour + 1),
            "step": np.ones(hour.size, dtype=np.int64),
            "quantity": rng.uniform(1.0, 20.0, hour.size),
            "price": rng.uniform(low, high, hour.size),
        }
    )


def _declared(frame: pl.DataFrame | None, name: str) -> pl.DataFrame:
    """The frame with every column that its table declares; without a row where there is none."""
    empty = TABLES[name].create_empty()
    if frame is None:
        return empty
    types = pl.Schema({column: dtype for column, dtype in empty.schema.items() if column in frame.columns})
    return pl.concat([empty, frame.cast(types)], how="diagonal").select(empty.columns)
