"""Daily prices of many providers. The rows here are made up in the layout of the source."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.daily import read_daily

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "gpu_prices_daily_multiprovider.csv.gz"
HEADER = (
    "date,provider,gpu_model,gpu_count,region,tier,price_min_usd_gpuhr,price_median_usd_gpuhr,price_max_usd_gpuhr,n_offers,fetched_at,"
    "unit_fix,source"
)
ROWS = [
    "2026-02-11,acme,H100_SXM,1,global,on_demand,2.0,2.2,2.9,9,2026-02-11T21:00:03.28764+00:00,as_is,page",
    "2026-02-11,acme,H100_SXM,8,US,spot,1.0,1.2,1.9,9,2026-02-11T21:00:03.28764+00:00,as_is,page",
    "2026-02-11,runpod,B200,1,secure,on_demand,5.0,5.5,6,1,2026-02-11T21:00:04+00:00,as_is,api",
]


def written(folder: Path, *rows: str) -> Path:
    path = folder / "daily.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_the_price_is_the_median_of_the_day_as_a_list_price(tmp_path: Path) -> None:
    row = read_daily(written(tmp_path, *ROWS)).row(0, named=True)
    assert (row["price"], row["kind"], row["provider"], row["resource"]) == (2.2, "list price", "acme", "h100-sxm")
    assert (row["gpu_count"], row["quantity"], row["price_min_usd_gpuhr"]) == (1.0, None, 2.0)
    assert row["time"] == datetime(2026, 2, 11, 21, 0, 3, 287640, tzinfo=UTC)


def test_on_demand_is_firm_and_words_that_name_no_place_are_no_region(tmp_path: Path) -> None:
    frame = read_daily(written(tmp_path, *ROWS))
    assert frame["tier"].to_list() == ["firm", "spot", "firm"]
    assert frame["region"].to_list() == [None, "us", None]
    assert frame["listed_region"].to_list() == ["global", "US", "secure"]


def test_ids_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    forward = read_daily(written(tmp_path, *ROWS))
    assert forward.equals(read_daily(written(tmp_path, *reversed(ROWS))).reverse())


def test_unknown_tiers_and_prices_of_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_daily(written(tmp_path, ROWS[0].replace("on_demand", "reserved"), ROWS[1].replace(",1.2,", ",0,"), ROWS[2], ROWS[2]))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(1, "tier"), (2, "price_median_usd_gpuhr"), (4, "date")]


@pytest.mark.skipif(not SHARED.is_file(), reason="the real prices are not part of the project")
def test_the_real_prices_lie_where_the_source_says() -> None:
    frame = read_daily(SHARED)
    assert frame.height == 33622
    h100 = frame.filter(resource="h100-sxm", tier="firm")["price"]
    assert 0.9 <= float(h100.min()) <= float(h100.max()) <= 14.9  # type: ignore[arg-type]
    parked = frame.filter(pl.col("resource") == "rtx-5090", pl.col("provider") == "vast.ai", pl.col("price") > 33)
    assert parked.height == 13  # asks that an index must throw out itself
