"""Offers behind EU-CRI. The rows here are made up in the layout of the source."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.eucri import read_eucri

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "eucri_observations.csv"
HEADER = "ts_utc,source,provider,gpu_model,gpu_count,price_usd_per_gpu_hr,region,country,interconnect,tier,term"
ASK = '2026-07-18T09:35:12Z,market,bazaar,H100_SXM,8,2.2,"Somewhere, CZ",CZ,NVLink,executable,on_demand'
LISTED = "2026-07-18T09:46:51Z,page,cirrus,H100_SXM,8,5.5,far-west1-a,,NVLink,list,on_demand"
UNSAID = "2026-07-18T09:46:49Z,api,runner,H100_NVL_94GB,,2.9,,NL,NVL,executable,on_demand"


def written(folder: Path, *rows: str) -> Path:
    path = folder / "offers.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_an_ask_is_a_firm_quote_and_a_list_price_is_one(tmp_path: Path) -> None:
    frame = read_eucri(written(tmp_path, ASK, LISTED, UNSAID))
    assert frame.select("kind", "tier", "provider", "resource", "region", "gpu_count", "price").rows() == [
        ("firm quote", "firm", "bazaar", "h100-sxm", "cz", 8.0, 2.2),
        ("list price", "firm", "cirrus", "h100-sxm", None, 8.0, 5.5),
        ("firm quote", "firm", "runner", "h100-nvl-94gb", "nl", None, 2.9),
    ]
    assert frame["time"][0] == datetime(2026, 7, 18, 9, 35, 12, tzinfo=UTC)


def test_what_a_rule_or_a_regression_looks_at_stays(tmp_path: Path) -> None:
    frame = read_eucri(written(tmp_path, ASK, LISTED))
    assert frame.select("country", "interconnect", "term", "source", "listed_region").rows() == [
        ("CZ", "NVLink", "on_demand", "market", "Somewhere, CZ"),
        (None, "NVLink", "on_demand", "page", "far-west1-a"),
    ]


def test_equal_offers_are_several_machines_and_ids_know_no_order(tmp_path: Path) -> None:
    frame = read_eucri(written(tmp_path, ASK, LISTED, ASK, ASK))
    assert frame.filter(provider="bazaar")["copy"].to_list() == [0, 1, 2]
    assert frame["observation_id"].n_unique() == 4
    turned = read_eucri(written(tmp_path, LISTED, ASK, ASK, ASK))
    assert turned.sort("observation_id").equals(frame.sort("observation_id"))


def test_bad_offers_are_all_named(tmp_path: Path) -> None:
    bad = [
        ASK.replace("executable", "interruptible"),
        ASK.replace(",2.2,", ",-2.2,"),
        ASK.replace(",CZ,", ",Czechia,"),
        LISTED.replace("46:51Z", "46:51"),
        LISTED.replace(",8,", ",none,"),
    ]
    with pytest.raises(InputError) as caught:
        read_eucri(written(tmp_path, *bad))
    assert [(fault.file, fault.row, fault.column) for fault in caught.value.faults] == [
        ("offers.csv", 1, "tier"),
        ("offers.csv", 2, "price_usd_per_gpu_hr"),
        ("offers.csv", 3, "country"),
        ("offers.csv", 4, "ts_utc"),
        ("offers.csv", 5, "gpu_count"),
    ]
    with pytest.raises(InputError, match="at least one row"):
        read_eucri(written(tmp_path))


@pytest.mark.skipif(not SHARED.is_file(), reason="the real offers are not part of the project")
def test_the_real_offers_are_of_seven_providers_on_thirteen_days() -> None:
    frame = read_eucri(SHARED)
    assert frame.height == frame["observation_id"].n_unique() == 1565
    assert frame["provider"].n_unique() == 7
    assert frame["time"].dt.date().n_unique() == 13
    assert (frame["copy"] > 0).sum() == 309
    assert frame.group_by("kind").len().sort("kind").rows() == [("firm quote", 149), ("list price", 1416)]
    assert frame.filter(pl.col("gpu_count").is_null())["provider"].unique().to_list() == ["runpod"]
