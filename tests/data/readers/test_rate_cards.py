"""Rate cards, AWS on demand and AWS spot by zone. The rows here are made up in the layout of the sources."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.rate_cards import read_on_demand, read_rate_cards, read_spot_zones

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
CARDS = "source_id,source,gpu_model,price_per_gpu_hr,vm_price_hr,gpus_per_vm,region,sku,price_type,collected_utc"
CARD_ROWS = [
    "a,azure,H100 SXM,6.98,6.98,1,eastus,X_v5,on_demand,2026-03-03T15:30:46.769313+00:00",
    "b,aws,H100 SXM,6.88,55.04,8,us-east-1,p5,on_demand,2026-03-03T15:30:46.769313+00:00",
    "c,runpod,V100 SXM,0.33,,1,global,V100,community,2026-03-03T15:30:46.769313+00:00",
    "d,gcp,H100 SXM,2.9926,,,us-central1,7A,spot_posted,2026-03-03T15:30:46.769313+00:00",
]
DAYS = "timestamp,instance,price_usd,usd_per_gpu_hour,sku,region,tier"
DAY_ROWS = [
    "2025-06-04T07:23:25,p5.48xlarge,98.32,12.29,H100_SXM,us-east-1,on_demand",
    "2025-06-05T07:22:36,p5.48xlarge,55.04,6.88,H100_SXM,us-east-1,on_demand",
]
ZONES = "timestamp,az,instance,spot_usd_hour,gpu_count,sku,spot_usd_gpuhr"
ZONE_ROWS = [
    "2021-03-02T14:43:50+00:00,us-east-1a,g3.16xlarge,1.368,4,M60,0.342",
    "2021-03-02T14:43:50+00:00,us-east-1b,p3.2xlarge,0.918,1,V100-16,0.918",
]
Read = Callable[[Path], pl.DataFrame]
EACH: list[tuple[Read, str, list[str]]] = [
    (read_rate_cards, CARDS, CARD_ROWS),
    (read_on_demand, DAYS, DAY_ROWS),
    (read_spot_zones, ZONES, ZONE_ROWS),
]


def written(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "rates.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_rate_is_a_list_price_in_the_tier_that_it_promises(tmp_path: Path) -> None:
    frame = read_rate_cards(written(tmp_path, CARDS, *CARD_ROWS))
    assert frame.select("provider", "resource", "region", "tier", "gpu_count", "price", "kind").rows() == [
        ("azure", "h100-sxm", "eastus", "firm", 1.0, 6.98, "list price"),
        ("aws", "h100-sxm", "us-east-1", "firm", 8.0, 6.88, "list price"),
        ("runpod", "v100-sxm", None, "firm", 1.0, 0.33, "list price"),
        ("gcp", "h100-sxm", "us-central1", "spot", None, 2.9926, "list price"),
    ]
    assert frame["price_type"].to_list() == ["on_demand", "on_demand", "community", "spot_posted"]
    assert frame["time"][0] == datetime(2026, 3, 3, 15, 30, 46, 769313, tzinfo=UTC)


def test_a_machine_that_costs_eight_times_a_gpu_has_eight(tmp_path: Path) -> None:
    frame = read_on_demand(written(tmp_path, DAYS, *DAY_ROWS))
    assert frame.select("price", "gpu_count", "provider", "resource", "tier").rows() == [
        (12.29, 8.0, "aws", "h100-sxm", "firm"),
        (6.88, 8.0, "aws", "h100-sxm", "firm"),
    ]


def test_a_zone_is_a_location_of_its_region(tmp_path: Path) -> None:
    frame = read_spot_zones(written(tmp_path, ZONES, *ZONE_ROWS))
    assert frame.select("region", "location", "tier", "price", "gpu_count", "instance").rows() == [
        ("us-east-1", "us-east-1a", "spot", 0.342, 4.0, "g3.16xlarge"),
        ("us-east-1", "us-east-1b", "spot", 0.918, 1.0, "p3.2xlarge"),
    ]


@pytest.mark.parametrize(
    ("read", "header", "row", "sentence"),
    [
        (
            read_rate_cards,
            CARDS,
            CARD_ROWS[1].replace("6.88", "55.04"),
            r"price_per_gpu_hr: found 55.04, expected vm_price_hr over 8 GPUs = 6.880000",
        ),
        (
            read_on_demand,
            DAYS,
            DAY_ROWS[0].replace("12.29", "12.3"),
            r"usd_per_gpu_hour: found 12.3, expected price_usd over 8 GPUs = 12.290000",
        ),
        (
            read_spot_zones,
            ZONES,
            ZONE_ROWS[0].replace(",4,", ",1,"),
            r"spot_usd_gpuhr: found 0.342, expected spot_usd_hour over 1 GPUs = 1.368000",
        ),
    ],
)
def test_a_price_that_is_off_by_the_number_of_gpus_is_refused(read: Read, header: str, row: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rates\.csv row 1, column " + sentence):
        read(written(tmp_path, header, row))


@pytest.mark.parametrize(("read", "header", "rows"), EACH)
def test_ids_do_not_depend_on_the_order_of_rows_and_equal_rows_are_refused(
    read: Read, header: str, rows: list[str], tmp_path: Path
) -> None:
    forward, backward = read(written(tmp_path, header, *rows)), read(written(tmp_path, header, *reversed(rows)))
    assert forward.equals(backward.reverse())
    with pytest.raises(InputError, match=f"row {len(rows) + 1}, column"):
        read(written(tmp_path, header, *rows, rows[0]))


def test_unknown_promises_zones_and_clocks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 1, column price_type"):
        read_rate_cards(written(tmp_path, CARDS, CARD_ROWS[0].replace("on_demand", "best_effort")))
    with pytest.raises(InputError, match="row 1, column az"):
        read_spot_zones(written(tmp_path, ZONES, ZONE_ROWS[0].replace("us-east-1a", "us-east-1")))
    with pytest.raises(InputError, match="row 2, column timestamp"):
        read_on_demand(written(tmp_path, DAYS, DAY_ROWS[0], DAY_ROWS[1].replace("T07:22:36", "")))


@pytest.mark.skipif(not (SHARED / "ccir_reference_rates.csv").is_file(), reason="the real prices are not part of the project")
def test_the_real_prices_lie_where_the_sources_say() -> None:
    cards, days = read_rate_cards(SHARED / "ccir_reference_rates.csv"), read_on_demand(SHARED / "aws_p5_ondemand_daily.csv")
    zones = read_spot_zones(SHARED / "aws_gpu_spot_by_az_2021.csv.gz")
    assert (cards.height, cards.filter(tier="spot").height) == (18, 3)
    before = days.filter(pl.col("time") < datetime(2025, 6, 5, tzinfo=UTC))["price"]
    assert set(before.to_list()) == {12.29}
    assert set(days["price"].to_list()) == {12.29, 6.88}
    assert zones.select(pl.col("price").min(), pl.col("price").max().alias("most")).row(0) == (0.1578, 1.586412)
    assert zones["location"].n_unique() == 6
