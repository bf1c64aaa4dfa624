"""Series with known volatility."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.hours import Vector
from tenorgrid.data.tables.observed import Marks


@pytest.fixture
def daily_marks() -> Callable[..., pl.DataFrame]:
    """A table of daily marks from values."""

    def made(values: Vector, *, index: str = "X", methodology: str = "house") -> pl.DataFrame:
        start = [datetime(2027, 1, 1, 5, tzinfo=UTC) + timedelta(days=n) for n in range(len(values))]
        later = [moment + timedelta(days=1) for moment in start]
        frame = {
            "index": index, "methodology": methodology, "start": start, "end": later, "published_at": later, "revision": 0, "value": values,
            "unit": "USD/GPUh", "quantity": 1.0, "status": "published", "method_hash": "0",
        }  # fmt: skip
        return Marks.validate(pl.DataFrame(frame), cast=True)

    return made


@pytest.fixture
def garch_returns() -> Callable[..., Vector]:
    """Returns of a GJR with normal or Student's t surprises."""

    def made(
        n: int, *, seed: int, omega: float = 2e-5, alpha: float = 0.08, beta: float = 0.9, gamma: float = 0.0, degrees: float | None = None
    ) -> Vector:
        rng = np.random.default_rng(seed)
        z = rng.normal(size=n) if degrees is None else rng.standard_t(degrees, size=n) * ((degrees - 2) / degrees) ** 0.5
        found, h = np.empty(n), omega / (1 - alpha - beta - gamma / 2)
        for day in range(n):
            found[day] = z[day] * h**0.5
            h = omega + (alpha + gamma * (found[day] < 0)) * found[day] ** 2 + beta * h
        return found

    return made
