"""Made-up offers in Europe with everything in them that some key of EU-CRI's methodologies is about."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

BEFORE, AFTER = 12, 9  # days of offers before the first mark, and from it on
MARKETS = ("vast.ai", "runpod")
CLOUDS = ("nebius", "datacrunch", "seeweb", "scaleway", "hetzner", "leaseweb", "aws")
COUNTRIES = ("AT", "DE", "NO", "US")
EVEN = {  # prices of everybody halfway between two prints, the lower of which is even
    "b200-sxm": 2.0000025
}


def market(first: date) -> pl.DataFrame:
    """Offers of the days around `first`."""
    rng = np.random.default_rng(7)
    rows = [row for back in range(-BEFORE, AFTER) for row in offered(rng, first + timedelta(back), back)]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(observation_id=pl.int_range(pl.len()).cast(pl.String))


def offered(rng: np.random.Generator, day: date, back: int) -> Iterator[dict[str, Any]]:
    sellers = [*MARKETS, *CLOUDS] if back % 4 else [*MARKETS[back // 4 % 2 :], *CLOUDS[:4]]
    for resource in ("h100-sxm", *EVEN):
        for name in sellers:
            asks = int(rng.integers(2, 7)) if name in MARKETS else 1 + int(rng.random() < 0.3)
            for number in range(asks):
                yield {
                    "time": datetime(day.year, day.month, day.day, tzinfo=UTC)
                    + timedelta(hours=float(rng.choice([2.0, 11.0, 15.5, 21.0]))),
                    "provider": name,
                    "resource": resource,
                    "region": "de",
                    "tier": "firm",
                    "kind": "firm quote" if name in MARKETS or (name == "seeweb" and number) else "list price",
                    "gpu_count": float(rng.choice([1.0, 4.0, 8.0, 16.0, 96.0], p=[0.1, 0.15, 0.45, 0.15, 0.15]))
                    if rng.random() < 0.95
                    else None,
                    "price": EVEN.get(resource, round(float(rng.choice([0.2, 30.0, *rng.uniform(1.8, 6.0, 12)])), 3)),
                    "country": str(rng.choice(COUNTRIES, p=[0.3, 0.4, 0.2, 0.1])),
                    "term": "on_demand" if rng.random() < 0.95 else "reserved",
                    "reliability": 0.99,
                }
    if back % 4 == 1:  # four lists alone, at prices of which the two in the middle differ
        for number, name in enumerate(CLOUDS[:6]):
            yield {
                "time": datetime(day.year, day.month, day.day, 11, tzinfo=UTC),
                "provider": name,
                "resource": "a100-sxm",
                "region": "de",
                "tier": "firm",
                "kind": "list price",
                "gpu_count": 8.0,
                "price": 1.0 + number,
                "country": "DE",
                "term": "on_demand",
                "reliability": 0.99,
            }
