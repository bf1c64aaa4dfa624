"""Marketplace listings. The rows here are made up in the layout of the source."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.listings import read_listings

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "ccir_vast_listings_us.csv.gz"
HEADER = "basket,date,listing_id,gpu_name,num_gpus,dph_total,dph_per_gpu,reliability,geolocation,datacenter,gpu_ram_gb,collected_utc"
ROWS = [
    'h100-sxm-us,2026-02-26,101,H100 SXM,8,16.0,2.0,0.99,"Utah, US",False,81559,2026-02-26T13:36:32.217177+00:00',
    'h200-us,2026-02-26,102,H200,2,5.0,2.5,0.97,", US",False,143771,2026-02-26T13:36:32.217187+00:00',
    'a100-pcie-us,2026-02-27,103,A100 PCIE,3,2.0,0.666667,0.5,"Ontario, CA",True,40960,2026-02-27T13:00:00+00:00',
    'a100-pcie-us,2026-02-27,104,A100 PCIE,1,0.7,0.7,0.5,"Ohio, US",False,81920,2026-02-27T13:00:00+00:00',
]


def written(folder: Path, *rows: str) -> Path:
    path = folder / "vast.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_a_listing_is_a_firm_quote_at_its_price_per_gpu(tmp_path: Path) -> None:
    row = read_listings(written(tmp_path, *ROWS)).row(0, named=True)
    assert row["price"] == 2.0
    assert (row["kind"], row["tier"], row["provider"], row["region"]) == ("firm quote", "firm", "vast.ai", "us")
    assert (row["resource"], row["gpu_count"], row["quantity"], row["horizon"], row["term_hours"]) == ("h100-sxm", 8.0, None, None, None)
    assert row["time"] == datetime(2026, 2, 26, 13, 36, 32, 217177, tzinfo=UTC)


def test_what_the_rules_of_an_index_look_at_stays_as_attributes(tmp_path: Path) -> None:
    frame = read_listings(written(tmp_path, *ROWS))
    assert frame["reliability"].to_list() == [0.99, 0.97, 0.5, 0.5]
    assert frame["country"].to_list() == ["US", "US", "CA", "US"]
    assert frame["date"].to_list() == [date(2026, 2, 26)] * 2 + [date(2026, 2, 27)] * 2
    assert frame["datacenter"].to_list() == [False, False, True, False]
    assert frame["listing_id"].to_list() == ["101", "102", "103", "104"]


def test_classes_and_regions_have_our_names(tmp_path: Path) -> None:
    frame = read_listings(written(tmp_path, *ROWS))
    assert frame["resource"].to_list() == ["h100-sxm", "h200-sxm", "a100-pcie-40gb", "a100-pcie"]
    assert frame["region"].to_list() == ["us", "us", "ca", "us"]


def test_ids_do_not_depend_on_the_order_of_rows_and_tell_listings_apart(tmp_path: Path) -> None:
    forward = read_listings(written(tmp_path, *ROWS))
    backward = read_listings(written(tmp_path, *reversed(ROWS)))
    assert forward.equals(backward.reverse())
    assert forward["observation_id"].n_unique() == len(ROWS)


def test_a_price_that_is_not_the_offers_price_over_its_gpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"vast\.csv row 2, column dph_per_gpu: found 5.0, expected dph_total / num_gpus = 2.500000"):
        read_listings(written(tmp_path, ROWS[0], ROWS[1].replace(",5.0,2.5,", ",5.0,5.0,")))


def test_bad_listings_are_all_named(tmp_path: Path) -> None:
    bad = [ROWS[0].replace(",8,", ",0,"), ROWS[1].replace("0.97", "1.97"), ROWS[2].replace("+00:00", "")]
    with pytest.raises(InputError) as caught:
        read_listings(written(tmp_path, *bad))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(1, "num_gpus"), (2, "reliability"), (3, "collected_utc")]
    with pytest.raises(InputError, match="at least one row"):
        read_listings(written(tmp_path))


@pytest.mark.skipif(not SHARED.is_file(), reason="the real listings are not part of the project")
def test_the_real_listings_give_the_published_daily_medians() -> None:
    """Days with status "included" of CCIR's audit of CRI-H100 for 2026-03-04: number of listings and median."""
    days = (
        read_listings(SHARED)
        .filter(pl.col("resource") == "h100-sxm", pl.col("date") <= date(2026, 3, 1))
        .group_by("date", maintain_order=True)
        .agg(pl.len(), pl.col("price").median().round(4))
        .sort("date")
    )
    assert days.select("len", "price").rows() == [(8, 1.6008), (16, 1.7347), (8, 1.9341), (12, 1.6021)]
