"""Small tables of observations for the tests of indices."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.indices.baskets.panel import Matrix, Panel

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


def _matrix(text: str) -> Matrix:
    return np.array([[float(cell) for cell in line.split()] for line in text.strip().splitlines()]).T


@pytest.fixture
def balk() -> Panel:
    """Six products in five periods: Balk (2008), tables 3.1 and 3.2, as gpindex has them."""
    price = _matrix("""1 1.2 1 .8 1\n1 3 1 .5 1\n1 1.3 1.5 1.6 1.6\n1 .7 .5 .3 .1\n1 1.4 1.7 1.9 2\n1 .8 .6 .4 .2""")
    quantity = _matrix("""1 .8 1 1.2 .9\n1 .9 1.1 1.2 1.2\n2 1.9 1.8 1.9 2\n1 1.3 3 6 12\n4.5 4.7 5 5.6 6.5\n.5 .6 .8 1.3 2.5""")
    return Panel(periods=tuple(range(1, 6)), products=tuple("abcdef"), price=price, quantity=quantity)


@pytest.fixture
def ces() -> Panel:
    """Four products bought by constant elasticity of substitution, σ = 2: Diewert and Fox (2017), as IndexNumR has them."""
    price = _matrix(
        """2 1.75 1.6 1.5 1.45 1.4 1.35 1.3 1.25 1.2 1.15 1.1\n1 .5 1.05 1.1 1.12 1.15 1.18 .6 1.2 1.25 1.28 1.3
        1 .95 .9 .85 .4 .8 .75 .72 .7 .4 .7 .65\n.5 .55 .6 .65 .7 .75 .7 .65 .7 .75 .75 .8"""
    )
    spent = np.array([10.0, 13, 11, 12, 15, 13, 14, 17, 15, 18, 16, 17])
    share = np.array([0.2, 0.2, 0.2, 0.4]) / price
    quantity = spent[:, None] * share / share.sum(axis=1, keepdims=True) / price
    return Panel(periods=tuple(range(1, 13)), products=tuple("abcd"), price=price, quantity=quantity)


@pytest.fixture
def bounce() -> Panel:
    """A sale and what follows: prices and quantities return to where they began."""
    price = np.array([[2.0, 2], [1, 2], [2, 2], [2, 2]])
    quantity = np.array([[10.0, 10], [100, 10], [1, 10], [10, 10]])
    return Panel(periods=(1, 2, 3, 4), products=("a", "b"), price=price, quantity=quantity)


@pytest.fixture
def drawn() -> Callable[[int], Panel]:
    """Made-up panels of seven periods and nine products, a fifth of the prices missing; the first product is always there."""

    def make(seed: int) -> Panel:
        rng = np.random.default_rng(seed)
        price = rng.lognormal(0, 0.8, 9) * rng.lognormal(0, 0.3, (7, 9))
        quantity = rng.gamma(1.0, 5.0, (7, 9))
        gone = rng.random((7, 9)) < 0.2
        gone[:, 0] = False
        price[gone] = quantity[gone] = np.nan
        return Panel(periods=tuple(range(7)), products=tuple("abcdefghi"), price=price, quantity=quantity)

    return make


@pytest.fixture
def marked() -> Callable[..., pl.DataFrame]:
    """`Marks` of days from 2027-01-01 on in New York: a list of values an index, None for a withheld one; quantities and statuses alike."""

    def make(
        values: dict[str, list[float | None]],
        *,
        quantities: dict[str, list[float]] | None = None,
        statuses: dict[tuple[str, int], str] | None = None,
        unit: str = "USD/GPUh",
    ) -> pl.DataFrame:
        opens = [
            datetime(2027, 1, 1, 5, tzinfo=UTC) + timedelta(days=day) for day in range(max(len(found) for found in values.values()) + 1)
        ]
        told = statuses or {}
        rows = [
            {
                "index": index,
                "methodology": "house",
                "start": opens[day],
                "end": opens[day + 1],
                "published_at": opens[day + 1],
                "revision": 0,
                "value": value,
                "unit": unit,
                "quantity": None if quantities is None else quantities[index][day],
                "status": told.get((index, day), "withheld" if value is None else "published"),
                "method_hash": "0" * 64,
            }
            for index, found in values.items()
            for day, value in enumerate(found)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    return make


BASKET = """
name = "NAME"
index = "ALL.US.FIRM"
source = "a test"
timezone = "America/New_York"
formula = "FORMULA"
decimals = 12
rounding = "half-even"
base = { date = 2027-01-01, value = 1000.0 }
quantities = { from = "FROM" }
rebalancing = { when = "never" }
marks = { low_confidence = "use", carried = "use", missing = "leave out" }
sufficiency = { published = 0.9, low_confidence = 0.5 }
"""


@pytest.fixture
def write_basket(tmp_path: Path) -> Callable[..., Path]:
    """The file of a basket: its formula, where its quantities come from, what replaces parts of `BASKET`, and its constituents."""

    def make(*constituents: str, formula: str = "laspeyres", come_from: str = "marks", name: str = "all", **changed: str) -> Path:
        lines = [line for line in BASKET.strip().splitlines() if line.partition(" =")[0] not in changed]
        text = "\n".join([*lines, *(f"{key} = {value}" for key, value in changed.items() if value)])
        whole = text.replace("NAME", name).replace("FORMULA", formula).replace("FROM", come_from)
        path = tmp_path / f"{name}.toml"
        path.write_text(whole + "".join(f"\n[[constituents]]\n{one}\n" for one in constituents))
        return path

    return make
