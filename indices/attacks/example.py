"""Three made-up days that every shipped methodology can mark, so that their robustness can be told side by side."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.data.kinds.index import ObservationKind

SEED = 20270105
FIRST = datetime(2027, 1, 5, 5, tzinfo=UTC)  # midnight in New York
HOURS = 72
DESKS = tuple(f"desk-{letter}" for letter in "abcdefghij")
# per GPU-hour of an H100, in round numbers: large clouds are dear, smaller ones are not
AMERICAN = {
    "aws": 3.9, "azure": 4.2, "coreweave": 2.9, "crusoe": 2.6, "gcp": 3.6, "hyperstack": 2.2, "lambda": 2.5, "together": 2.7, "vultr": 2.4,
}  # fmt: skip
EUROPEAN = {"nebius": 2.3, "datacrunch": 2.1, "seeweb": 2.45, "scaleway": 2.75, "ovhcloud": 2.6, "runpod": 2.35, "hetzner": 2.5}
FEW = {"crusoe": 0.9, "lambda": 1.0, "vultr": 1.1}
HOSTS = 14  # of a marketplace, in either part of the world


def example_market() -> pl.DataFrame:
    """`Observations`, with attributes, from 5 to 7 January 2027 in New York, drawn from a seed: everything is made up.

    H100: 1,800 trades of ten desks, hourly list prices of sixteen providers and asks of a marketplace. H200: list prices alone. L40S: list
    prices of three providers once a day.

    >>> example_market().group_by("resource").agg(pl.len()).sort("resource").rows()
    [('h100-sxm', 4968), ('h200-sxm', 1152), ('l40s', 9)]
    """
    rng = np.random.default_rng(SEED)
    rows = [*_trades(rng), *_asks(rng)]
    everybody = AMERICAN | EUROPEAN
    for resource, scale, listed, hours in (("h100-sxm", 1.0, everybody, 1), ("h200-sxm", 1.4, everybody, 1), ("l40s", 1.0, FEW, 24)):
        rows += _lists(rng, resource, {name: scale * price for name, price in listed.items()}, every=hours)
    frame = pl.DataFrame(rows, infer_schema_length=None).with_row_index("row")
    told = frame.select(pl.format("made-up/{}", "row").alias("observation_id"), pl.exclude("row"))
    kinds = pl.Enum([kind.value for kind in ObservationKind])
    missing = (pl.lit(None, dtype=pl.String).alias(name) for name in ("location", "horizon"))
    return told.with_columns(pl.col("kind").cast(kinds), *missing).sort("time", "observation_id")


def _trades(rng: np.random.Generator) -> list[dict[str, Any]]:
    return [
        {
            "time": FIRST + timedelta(seconds=int(rng.integers(0, HOURS * 3600))),
            "provider": DESKS[int(rng.integers(len(DESKS)))],
            "buyer": f"buyer-{int(rng.integers(40))}",
            "resource": "h100-sxm",
            "region": "us-east",
            "tier": "firm",
            "term_hours": 24.0,
            "gpu_count": 8.0,
            "price": round(2.4 * float(np.exp(rng.normal(0, 0.04))), 4),
            "quantity": round(float(rng.lognormal(5, 0.7)), 1),
            "kind": ObservationKind.TRADE.value,
            "country": "US",
            "confidence": 1.0,
        }
        for _ in range(1800)
    ]


def _asks(rng: np.random.Generator) -> list[dict[str, Any]]:
    """A marketplace at half past every hour, in the United States and in Europe."""
    hosts = [
        (country, 2.0 * float(np.exp(rng.normal(0, 0.08))), float(rng.choice([8, 8, 16]))) for country in ("US", "DE") for _ in range(HOSTS)
    ]
    return [
        _quote("vast.ai", "h100-sxm", price, hour, minute=20, country=country, gpus=gpus)
        | {"kind": ObservationKind.FIRM_QUOTE.value, "reliability": 0.98, "confidence": 0.8}
        for hour in range(HOURS)
        for country, price, gpus in hosts
    ]


def _lists(rng: np.random.Generator, resource: str, prices: dict[str, float], *, every: int) -> list[dict[str, Any]]:
    return [
        _quote(
            name,
            resource,
            price * float(np.exp(rng.normal(0, 0.003))),
            hour,
            minute=5,
            country="DE" if name in EUROPEAN else "US",
            gpus=8.0,
        )
        | {"kind": ObservationKind.LIST_PRICE.value, "reliability": None, "confidence": 0.9}
        for hour in range(0, HOURS, every)
        for name, price in prices.items()
    ]


def _quote(provider: str, resource: str, price: float, hour: int, *, minute: int, country: str, gpus: float) -> dict[str, Any]:
    return {
        "time": FIRST + timedelta(hours=hour, minutes=minute),
        "provider": provider,
        "resource": resource,
        "region": "us-east" if country == "US" else "eu-west",
        "tier": "firm",
        "term": "on_demand",
        "gpu_count": gpus,
        "price": round(price, 4),
        "country": country,
    }
