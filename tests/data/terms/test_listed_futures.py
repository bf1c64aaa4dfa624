"""Futures by contract code: lot, average, calendar and rule for missing days from the product, contradictions refused."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.data.terms.specifications.products import PACKAGED, read_products

ZONE = "America/New_York"
INDEX = "H100-SXM.US.FIRM"


def future(contract: str, **more: Any) -> dict[str, Any]:
    plain = {
        "trade_id": f"T{contract}", "traded_at": datetime(2027, 3, 1, tzinfo=UTC), "book": "desk", "counterparty": "acme", "kind": "future",
        "side": "sell", "quantity": 3.0, "quantity_unit": "lots", "index": INDEX, "contract": contract, "strike": 2.5,
        "start": datetime(2027, 4, 1, 4, tzinfo=UTC), "end": datetime(2027, 5, 1, 4, tzinfo=UTC), "missing_day": "carry-forward",
        "calendar": None, "profile": None, "params": None,
    }  # fmt: skip
    return plain | more


def read(*rows: dict[str, Any], products: pl.DataFrame | None = None) -> pl.DataFrame:
    return read_trades(pl.DataFrame(list(rows), infer_schema_length=None), timezone=ZONE, products=products)[TradeKind.FUTURE]


def faults(*rows: dict[str, Any], products: pl.DataFrame | None = None) -> list[tuple[int | None, str | None]]:
    with pytest.raises(InputError) as caught:
        read(*rows, products=products)
    return [(fault.row, fault.column) for fault in caught.value.faults]


def test_what_a_row_leaves_out_is_its_products() -> None:
    found = read(future("GPU1J27"), future("HPRJ27"), future(f"{INDEX}:2027-04", missing_day=None))
    told = found.select("amount", "lot", "average", "calendar", "missing_day").rows()
    assert told == [
        (2190.0, 730.0, "business-day", "USSETTLE", "carry-forward"),
        (2160.0, 720.0, "calendar-day", None, "carry-forward"),
        (2160.0, 720.0, "calendar-day", None, None),
    ]


def test_saying_it_again_changes_nothing() -> None:
    said = future("GPU1J27", calendar="USSETTLE", params='{"lot": 730, "average": "business-day"}')
    assert read(said).drop("params").equals(read(future("GPU1J27")).drop("params"))


def test_parties_may_agree_on_a_lot_of_their_own_where_nothing_is_listed() -> None:
    found = read(future(f"{INDEX}:2027-04", params='{"lot": 1000, "average": "hourly"}'), future("ABCJ27", params='{"lot": 50}'))
    assert found.select("amount", "average").rows() == [(3000.0, "hourly"), (150.0, "calendar-day")]


def test_contradictions_are_refused_together() -> None:
    found = faults(
        future("GPU1J27", params='{"lot": 720}'),
        future("GPU2J27", params='{"average": "calendar-day"}'),
        future("HPRJ27", params='{"lot": 720}'),
        future("HPRJ27", trade_id="b", calendar="USNY"),
        future("GPU1J27", trade_id="c", calendar="USNY"),
        future("GPU1J27", trade_id="d", missing_day=None),
        future("GPU1J27", trade_id="e", missing_day="skip"),
        future("GPU1J27", trade_id="f", profile="peak"),
        future("ABCJ27"),
        future("GPU1K27"),
    )
    assert sorted(found, key=str) == sorted(
        [
            (1, "params"), (2, "params"), (3, "params"), (4, "calendar"), (5, "calendar"), (6, "missing_day"), (7, "missing_day"),
            (8, "profile"), (9, "params"), (10, "start"), (10, "end"),
        ],
        key=str,
    )  # fmt: skip


def test_products_of_the_users_own_are_held_to_alike() -> None:
    mine = read_products(PACKAGED).head(1).with_columns(
        pl.lit("GPX").alias("product"), pl.lit(INDEX).alias("index"), pl.lit(100.0).alias("lot"),
        pl.lit("exclude").cast(read_products(PACKAGED)["missing_day"].dtype).alias("missing_day"), pl.lit("UTC").alias("timezone"),
    )  # fmt: skip
    plain = mine.with_columns(pl.lit(None, dtype=pl.String).alias("timezone"))
    found = read(future("GPXJ27", missing_day=None), products=plain)
    assert found.select("amount", "missing_day").row(0) == (300.0, "exclude")
    assert faults(future("GPXJ27", index="OTHER"), products=plain) == [(1, "missing_day"), (1, "index")]
    assert faults(future("GPXJ27", missing_day=None), products=mine) == [(1, "contract")]


def test_only_averages_of_days_have_missing_days() -> None:
    cap = future("T", kind="cap", quantity_unit="per_hour") | {"contract": None}
    with pytest.raises(InputError, match="a cap has no missing_day"):
        read_trades(pl.DataFrame([cap], infer_schema_length=None), timezone=ZONE)
