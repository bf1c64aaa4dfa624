"""A made-up market with everything in it that some key of some methodology is about."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import polars as pl

Value: TypeAlias = Any

FIRST = date(2027, 3, 3)  # a Wednesday; the clocks of New York change on the 14th
DAYS = 9  # on which anything is seen
PANEL = ["aws", "gcp", "lambda", "nebius", "runpod", "together", "vultr", "azure"]


def market(decimals: int) -> pl.DataFrame:
    """Days of every kind of evidence, in plenty and hardly any, with everything in it that some rule is about."""
    rng = np.random.default_rng(11)
    kinds = {
        0: [("clearing", 96), ("trade", 40), ("firm quote", 40), ("list price", 60)],
        1: [("trade", 900), ("firm quote", 90), ("list price", 200)],
        2: [("trade", 120), ("firm quote", 30), ("list price", 5)],
        3: [("trade", 30), ("list price", 8)],
        4: [("firm quote", 80), ("list price", 400), ("trade", 6)],
        5: [("list price", 90), ("firm quote", 2)],
        6: [("firm quote", 3)],
        7: [("nothing sold", 9)],
        8: [("trade", 3)],
    }
    rows = [row for day, found in kinds.items() for kind, count in found for row in observed(rng, day, kind, count)]
    rows += [row for day in range(DAYS) for row in halves(day, decimals)]
    rows += [row for day in range(1, DAYS) for row in ties(day)]
    rows += venues(5)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(observation_id=pl.int_range(pl.len()).cast(pl.String))


def observed(rng: np.random.Generator, day: int, kind: str, count: int) -> Iterator[dict[str, Value]]:
    sold = kind == "clearing"
    for number in range(count):
        price = float(rng.lognormal(0.9, 0.15)) * float(rng.choice([1, 1, 1, 1, 1, 1, 1.4, 0.7, 8, 0.01]))
        provider = PANEL[min(int(rng.exponential(1.6)), 7)] if rng.random() < 0.8 else str(rng.choice(["vast.ai", "bids.example"]))
        if kind == "firm quote":
            provider = str(rng.choice(["vast.ai", "vast.ai", "vast.ai", "runpod", "lambda"]))
        yield {
            "time": moment(rng, day, kind, number),
            "provider": provider,
            "resource": "h100-sxm",
            "region": [None, "us-east", "us-west", "us"][int(rng.integers(4))],
            "tier": "firm" if number % 9 else "spot",
            "horizon": ("real-time" if number % 7 else "day-ahead") if kind in ("clearing", "nothing sold") else None,
            "term_hours": [None, 1.0, 700.0, 8760.0][int(rng.choice(4, p=[0.3, 0.4, 0.2, 0.1]))],
            "gpu_count": [None, 1.0, 8.0, 0.5][int(rng.choice(4, p=[0.05, 0.45, 0.4, 0.1]))],
            "price": 0.0 if rng.random() < 0.02 else round(price * (1.5 if kind == "list price" and day > 3 and number % 5 == 0 else 1), 4),
            "quantity": float(rng.lognormal(3, 1))
            if sold or (kind == "trade" and rng.random() > 0.03)
            else 0.0
            if kind == "nothing sold"
            else None,
            "kind": "clearing" if kind == "nothing sold" else kind,
            "buyer": [None, "harbor", provider][int(rng.choice(3, p=[0.3, 0.6, 0.1]))],
            "confidence": [None, 0.0, 0.3, 0.9, 1.2][int(rng.choice(5, p=[0.05, 0.05, 0.4, 0.45, 0.05]))],
            "reliability": float(rng.choice([0.5, 0.92, 0.99], p=[0.1, 0.3, 0.6])),
            "country": str(rng.choice(["US", "DE"], p=[0.9, 0.1])),
        }


def moment(rng: np.random.Generator, day: int, kind: str, number: int) -> datetime:
    """Half of what is seen falls into the hours, and quarters of hours, that some methodology looks at."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=day)
    if kind == "clearing":
        return start + timedelta(minutes=15 * number)
    windows = [(0, 30), (12 * 60, 15), (12 * 60 + 15, 15), (18 * 60, 15), (15 * 60, 60), (20 * 60, 60)]
    first, length = windows[int(rng.integers(6))] if rng.random() < 0.6 else (0, 1440)
    return start + timedelta(minutes=first, seconds=float(rng.uniform(0, 60 * length)))


def ties(day: int) -> Iterator[dict[str, Value]]:
    """Days of trades in each part of which exactly half of the volume lies at the lower of two prices."""
    few = {1: (312, 5, 24.0), 2: (48, 5, 24.0), 3: (2, 6, 0.5), 4: (24, 15, 1.0)}  # New York's day from 5:00, London's hour from 15:00
    some = {5: (288, 5, 18.0), 6: (48, 5, 18.0), 7: (240, 5, 12.0), 8: (16, 5, 12.0)}  # not in all of its parts
    count, opens, hours = (few | some)[day]
    start = datetime(FIRST.year, FIRST.month, FIRST.day, opens, tzinfo=UTC) + timedelta(days=day)
    for number in range(count):
        yield known(start + timedelta(hours=hours * number / count), number // 2, "a100-sxm", "trade") | {
            "price": 2.0 + number % 2,
            "quantity": 1.0,
        }


def known(time: datetime, number: int, resource: str, kind: str) -> dict[str, Value]:
    """An observation that every requirement lets pass."""
    return {
        "time": time,
        "provider": "vast.ai" if kind == "firm quote" else PANEL[number % 8],
        "resource": resource,
        "region": "us-east",
        "tier": "firm",
        "horizon": None,
        "term_hours": 1.0,
        "gpu_count": 1.0,
        "kind": kind,
        "buyer": "harbor",
        "confidence": 1.0,
        "reliability": 0.99,
        "country": "US",
    }


def venues(day: int) -> list[dict[str, Value]]:
    """Firm quotes of exactly four venues, and nothing else of their kind of GPU."""
    noon = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC) + timedelta(days=day)
    asked = {"vast.ai": 1.0, "runpod": 1.5, "lambda": 2.5, "nebius": 4.0}
    return [known(noon, 0, "l40s", "firm quote") | {"provider": name, "price": price, "quantity": None} for name, price in asked.items()]


def halves(day: int, decimals: int) -> Iterator[dict[str, Value]]:
    """One price of everybody halfway between two prints, the lower of which is even."""
    price = float(Decimal(2) + (2 * Decimal(10) ** -decimals) + 5 * Decimal(10) ** -(decimals + 1))
    start = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC) + timedelta(days=day)
    for kind in ("trade", "firm quote", "list price"):
        for hour in (0, 3, 8, 12):
            for number in range(4 + day):
                one = known(start + timedelta(hours=hour, minutes=3 * number), number, "b200-sxm", kind)
                yield one | {"price": price, "quantity": 1.0 if kind == "trade" else None}
