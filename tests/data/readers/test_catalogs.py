"""Lists of prices that run over years. The rows here are made up in the layout of the sources."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.catalogs import read_cloud_table, read_regional_catalog

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
REGIONAL = SHARED / "gcp_gpu_prices_weekly_by_region_2022_2026.csv.gz"
TABLE = SHARED / "cloud_gpus_list_prices_2021_2025.csv.gz"
HEADER = "date,commit,instance,accel,accel_count,region,od_usd_gpuhr,spot_usd_gpuhr,cud1y_usd_gpuhr,cud3y_usd_gpuhr,spot_region_flag"
ROWS = [
    "2024-01-26,aa,big-8g,h100-80gb,8,us-central1,11.0,2.5,7.6,4.8,native",
    "2024-01-26,aa,big-8g,h100-80gb,8,us-south1,12.0,8.4,7.6,,imputed_suspect",
    "2024-01-26,aa,small-1g,a100,1,us-central1,4.8,,,,",
]
CLOUDS = ["2021-05-20,bb,Cirrus,a100_80,3.06,$3.06", '2021-05-20,bb,Nimbus,v100,0.5,"$0.50 / $1.20 (8)"']


def written(folder: Path, header: str, *rows: str) -> Path:
    path = folder / "catalog.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def clouds(folder: Path, *rows: str) -> Path:
    return written(folder, "date,commit,provider,gpu,price_usd_gpuhr,raw", *rows)


def test_a_row_gives_a_price_for_each_promise_that_it_has(tmp_path: Path) -> None:
    frame = read_regional_catalog(written(tmp_path, HEADER, *ROWS))
    assert frame.filter(region="us-central1").select("resource", "tier", "term_hours", "price", "gpu_count").rows() == [
        ("h100-sxm", "firm", None, 11.0, 8.0),
        ("a100-sxm-40gb", "firm", None, 4.8, 1.0),
        ("h100-sxm", "spot", None, 2.5, 8.0),
        ("h100-sxm", "firm", 8760.0, 7.6, 8.0),
        ("h100-sxm", "firm", 26280.0, 4.8, 8.0),
    ]
    assert frame.filter(region="us-south1").height == 3
    assert set(frame["kind"].to_list()) == {"list price"}
    assert frame["time"][0] == datetime(2024, 1, 26, tzinfo=UTC)


def test_only_spot_prices_say_whether_they_were_imputed(tmp_path: Path) -> None:
    frame = read_regional_catalog(written(tmp_path, HEADER, *ROWS))
    assert frame.filter(tier="spot")["spot_region_flag"].to_list() == ["native", "imputed_suspect"]
    assert frame.filter(tier="firm")["spot_region_flag"].null_count() == 6
    assert frame["instance"].unique().sort().to_list() == ["big-8g", "small-1g"]


def test_bad_rows_of_the_catalog_are_all_named(tmp_path: Path) -> None:
    bad = [ROWS[0].replace(",8,us", ",0,us"), ROWS[1].replace(",12.0,", ",,"), ROWS[2], ROWS[2], ROWS[0].replace("2.5", "0")]
    with pytest.raises(InputError) as caught:
        read_regional_catalog(written(tmp_path, HEADER, *bad))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [
        (1, "accel_count"),
        (2, "od_usd_gpuhr"),
        (4, "date"),
        (5, "spot_usd_gpuhr"),
    ]


def test_a_cell_of_the_table_is_the_list_price_of_its_first_amount(tmp_path: Path) -> None:
    frame = read_cloud_table(clouds(tmp_path, *CLOUDS))
    assert frame.select("provider", "resource", "price", "kind", "tier", "region", "raw").rows() == [
        ("Cirrus", "a100-80", 3.06, "list price", "firm", None, "$3.06"),
        ("Nimbus", "v100", 0.5, "list price", "firm", None, "$0.50 / $1.20 (8)"),
    ]


def test_a_price_that_is_not_in_its_cell_is_refused_with_all_other_faults(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_cloud_table(clouds(tmp_path, CLOUDS[0].replace("3.06,$", "3.6,$"), CLOUDS[1].replace("2021-05-20", "May 2021")))
    assert sorted((fault.row or 0, fault.column) for fault in caught.value.faults) == [(1, "price_usd_gpuhr"), (2, "date")]
    with pytest.raises(InputError, match=r"row 1, column price_usd_gpuhr: found 3\.06, expected the first dollar amount of 'on request'"):
        read_cloud_table(clouds(tmp_path, CLOUDS[0].replace("$3.06", "on request")))


@pytest.mark.parametrize("read", [read_regional_catalog, read_cloud_table])
def test_ids_do_not_depend_on_the_order_of_rows(read: object, tmp_path: Path) -> None:
    assert callable(read)
    regional = read is read_regional_catalog
    header, rows = (HEADER, ROWS) if regional else ("date,commit,provider,gpu,price_usd_gpuhr,raw", CLOUDS)
    forward, backward = read(written(tmp_path, header, *rows)), read(written(tmp_path, header, *reversed(rows)))
    assert forward.sort("observation_id").equals(backward.sort("observation_id"))


@pytest.mark.skipif(not (REGIONAL.is_file() and TABLE.is_file()), reason="the real prices are not part of the project")
def test_the_real_prices_lie_where_the_sources_say() -> None:
    regional, table = read_regional_catalog(REGIONAL), read_cloud_table(TABLE)
    promised = regional.filter(resource="h100-sxm", instance="a3-highgpu-8g").group_by("tier", "term_hours").agg(pl.col("price").min())
    lowest = {(tier, hours): price for tier, hours, price in promised.iter_rows()}
    assert lowest["firm", None] > lowest["firm", 8760.0] > lowest["firm", 26280.0] > lowest["spot", None]
    assert regional["region"].n_unique() == 40
    assert table.filter(resource="h100").select(pl.col("price").min(), pl.col("price").max().alias("most")).row(0) == (1.6, 10.0)
    assert table["provider"].n_unique() == 52
