"""Small tables of observations for the tests of indices."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

Observe = Callable[..., pl.DataFrame]
NOON = datetime(2027, 1, 5, 17, tzinfo=UTC)  # in New York
DEFAULTS: dict[str, Any] = {
    "provider": "nimbus",
    "resource": "h100-sxm",
    "region": "us-east",
    "tier": "firm",
    "horizon": None,
    "quantity": None,
    "kind": "list price",
}


@pytest.fixture
def observe() -> Observe:
    """A table from one mapping per row; what a row does not say is taken from `DEFAULTS`, and time is noon of 2027-01-05 in New York."""

    def make(*rows: dict[str, Any]) -> pl.DataFrame:
        full = [{"observation_id": f"o{number}", "time": NOON} | DEFAULTS | row for number, row in enumerate(rows)]
        return pl.DataFrame(full, infer_schema_length=None)

    return make


@pytest.fixture
def listings() -> pl.DataFrame:
    """Made-up marketplace listings of H100 in the United States: 8 on 2026-03-02 at 1.60 to 1.67, 9 on 03-03, 3 on 03-04, 8 on 03-05."""
    start = datetime(2026, 3, 2, 15, tzinfo=UTC)
    counts = {0: 8, 1: 9, 2: 3, 3: 8}
    rows = [
        {
            "observation_id": f"day{day}-{number}",
            "time": start + timedelta(days=day, seconds=number),
            "provider": "vast.ai",
            "resource": "h100-sxm",
            "region": "us",
            "tier": "firm",
            "gpu_count": 1.0,
            "price": round(1.60 + 0.1 * day + 0.01 * number, 2),
            "kind": "firm quote",
            "reliability": 0.99,
            "country": "US",
        }
        for day, count in counts.items()
        for number in range(count)
    ]
    return pl.DataFrame(rows)
