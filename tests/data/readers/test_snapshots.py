"""Prices of three sellers every two hours. The rows here are made up in the layout of the source."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.snapshots import read_snapshots

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "gpu_prices_2hourly_vast_runpod_lambda.csv.gz"
HEADER = (
    "timestamp,provider,gpu,min_price_hr,median_price_hr,max_price_hr,on_demand_hr,spot_price_hr,num_offers,availability,top_regions,"
    "variant,n_variants"
)
ROWS = [
    "2026-03-11 04:17:38,Vast.ai,H200,1.9,2.3,2.5,,1.9,10,Available,US:3; BG:3,0,1",
    "2026-03-11 04:17:38,RunPod,H100,1.5,2.7,2.6,2.7,1.5,,Low,,0,2",
    "2026-03-11 04:17:38,RunPod,H100,2.0,2.4,3.0,2.4,,,Low,,1,2",
    "2026-03-11 04:17:38,Lambda,RTX A6000,1.1,1.1,1.1,1.1,,0,Unavailable,,0,1",
]


def written(folder: Path, *rows: str) -> Path:
    path = folder / "snapshots.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_each_row_lists_its_median_and_only_runpod_has_a_spot_price(tmp_path: Path) -> None:
    frame = read_snapshots(written(tmp_path, *ROWS))
    assert frame.select("provider", "resource", "variant", "tier", "price", "kind").rows() == [
        ("vast.ai", "h200-sxm", 0, "firm", 2.3, "list price"),
        ("runpod", "h100", 0, "firm", 2.7, "list price"),
        ("runpod", "h100", 1, "firm", 2.4, "list price"),
        ("lambda", "rtx-a6000", 0, "firm", 1.1, "list price"),
        ("runpod", "h100", 0, "spot", 1.5, "list price"),
    ]
    assert frame["time"][0] == datetime(2026, 3, 11, 4, 17, 38, tzinfo=UTC)


def test_stock_and_the_other_statistics_stay(tmp_path: Path) -> None:
    row = read_snapshots(written(tmp_path, *ROWS)).row(3, named=True)
    assert (row["availability"], row["num_offers"], row["min_price_hr"], row["n_variants"]) == ("Unavailable", 0.0, 1.1, 1.0)


def test_ids_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    forward, backward = read_snapshots(written(tmp_path, *ROWS)), read_snapshots(written(tmp_path, *reversed(ROWS)))
    assert forward.sort("observation_id").equals(backward.sort("observation_id"))
    assert forward["observation_id"].n_unique() == 5


def test_bad_snapshots_are_all_named(tmp_path: Path) -> None:
    bad = [ROWS[0].replace(" 04:", "T04:"), ROWS[1].replace(",2.7,", ",0,", 1), ROWS[2], ROWS[2], ROWS[3].replace(",0,Un", ",-1,Un")]
    with pytest.raises(InputError) as caught:
        read_snapshots(written(tmp_path, *bad))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (1, "timestamp"),
        (2, "median_price_hr"),
        (4, "timestamp"),
        (5, "num_offers"),
    ]


@pytest.mark.skipif(not SHARED.is_file(), reason="the real prices are not part of the project")
def test_the_real_prices_lie_where_the_source_says() -> None:
    frame = read_snapshots(SHARED)
    assert frame.filter(tier="firm").height == 43817
    assert frame.filter(tier="spot")["provider"].unique().to_list() == ["runpod"]
    last = frame.filter(provider="vast.ai").select(pl.col("time").dt.date().max()).item()
    assert str(last) == "2026-04-28"  # then it stops
    assert frame.filter(provider="runpod", resource="h200-sxm", tier="firm")["price"].min() == 0.5  # a placeholder
