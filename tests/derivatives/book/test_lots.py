"""Deltas in lots of the quotes' contracts."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl
import pytest

from tenorgrid.derivatives.book.lots import lots_of
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue

Priced = Callable[..., BookValue]
ZONE = "America/New_York"


def quotes(*codes: str, profile: str = "base") -> pl.DataFrame:
    start, end = datetime(2027, 4, 1, 4, tzinfo=UTC), datetime(2027, 5, 1, 4, tzinfo=UTC)
    return pl.DataFrame([{"contract": code, "start": start, "end": end, "profile": profile} for code in codes])


def test_a_lot_is_the_product_s_or_the_hours_that_the_profile_counts() -> None:
    assert lots_of(quotes("GPU1J27", "HPRJ27", "X:2027-04", "OTHERJ27"), timezone=ZONE).tolist() == [730.0, 720.0, 720.0, 720.0]
    assert lots_of(quotes("X:2027-04", profile="peak"), timezone=ZONE).tolist() == [22 * 12.0]


def test_deltas_in_lots_are_those_in_gpu_hours_over_the_lot(priced: Priced, market: Market) -> None:
    found = priced("swap", "2027-Q2", 2.45)
    lots, hours = (dict(found.delta("quote", unit=unit).iter_rows()) for unit in ("lots", "GPU-hours"))
    curve = market.curves["H100-SXM.US.FIRM"]
    size = dict(zip(curve.quotes["quote_id"], market.lots[curve.index], strict=True))
    assert set(lots) == set(hours)
    assert lots == pytest.approx({name: amount / size[name] for name, amount in hours.items()})
    assert found.risks.filter(pl.col("unit") == "lots", pl.col("bucket").str.starts_with("month")).is_empty()
