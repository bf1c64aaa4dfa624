"""Which reader a header calls for, our own layout, and tables put together."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.formats import READERS, Format, read_observations, recognise
from tenorgrid.data.readers.names import GPU_CLASSES, gpu_class, region
from tenorgrid.data.readers.rows import concat, observed
from tenorgrid.data.store import write_table

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
OWN = "time,provider,resource,tier,price,kind"
ROW = "2026-02-26T13:00:00Z,acme,h100-sxm,firm,2.5,trade"
REAL = {
    "ccir_vast_listings_us.csv.gz": (Format.LISTINGS, 560),
    "gpu_prices_30min_primeintellect_stats.csv.gz": (Format.SUMMARIES, 6494),
    "gpu_prices_30min_primeintellect_by_provider.csv.gz": (Format.PROVIDER_SUMMARIES, 25956),
    "gpu_prices_daily_multiprovider.csv.gz": (Format.DAILY, 33622),
    "gpu_prices_2hourly_vast_runpod_lambda.csv.gz": (Format.SNAPSHOTS, 43817 + 13084),  # and the spot prices of RunPod
    "eucri_observations.csv": (Format.EU_CRI, 1565),
    "gcp_gpu_prices_weekly_by_region_2022_2026.csv.gz": (Format.REGIONAL_CATALOG, 4 * 29810 - 4429 - 7513 - 7519),
    "cloud_gpus_list_prices_2021_2025.csv.gz": (Format.CLOUD_TABLE, 14413),
    "ccir_reference_rates.csv": (Format.RATE_CARDS, 18),
    "aws_p5_ondemand_daily.csv": (Format.ON_DEMAND, 487),
    "aws_gpu_spot_by_az_2021.csv.gz": (Format.SPOT_ZONES, 7555),
}


def written(folder: Path, *lines: str) -> Path:
    path = folder / "prices.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("format", list(Format))
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_each_layout_is_recognised_by_the_columns_it_needs(format: Format, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"some.{suffix}"
    frame = pl.DataFrame({name: ["x"] for name in [*sorted(READERS[format].needs()), "another"]})
    _ = frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)
    assert recognise(path) == format


def test_our_own_layout_needs_no_ids_and_keeps_attributes(tmp_path: Path) -> None:
    frame = read_observations(written(tmp_path, f"{OWN},cooling", f"{ROW},water"))
    assert frame.select("price", "kind", "region", "cooling").rows() == [(2.5, "trade", None, "water")]
    assert len(frame["observation_id"].item()) == 20


def test_ids_that_are_given_stay_and_only_those_that_lack_are_made(tmp_path: Path) -> None:
    frame = read_observations(written(tmp_path, f"observation_id,{OWN}", f"mine,{ROW}", f",{ROW.replace('2.5', '2.6')}"))
    assert frame["observation_id"][0] == "mine"
    assert len(frame["observation_id"][1]) == 20


def test_observations_that_are_written_read_back_the_same(tmp_path: Path) -> None:
    frame = read_observations(written(tmp_path, f"{OWN},cooling,score", f"{ROW},water,1.5", f"{ROW.replace('2.5', '2.6')},,2"))
    for form in ("csv", "parquet"):
        path = write_table(tmp_path, f"again-{form}", frame, form=form)
        assert read_observations(path).equals(frame)


def test_an_id_depends_on_every_cell_and_on_no_order_of_columns() -> None:
    moment = datetime(2026, 2, 26, tzinfo=UTC)
    base: dict[str, object] = {"time": moment, "provider": "a", "resource": "r", "tier": "firm", "price": 1.0, "kind": "trade"}

    def id_of(**changes: object) -> str:
        return str(observed(pl.DataFrame([{**base, **changes}]), name="test")["observation_id"].item())

    plain = id_of()
    turned = observed(pl.DataFrame([dict(reversed(base.items()))]), name="test")["observation_id"].item()
    assert plain == turned == id_of(region=None)
    others = {id_of(price=1.0000000000000002), id_of(provider="b"), id_of(colour="red"), id_of(colour="blue")}
    assert len(others | {plain}) == 5


def test_tables_are_put_together_in_the_order_of_time_with_all_attributes(tmp_path: Path) -> None:
    late = read_observations(written(tmp_path, f"{OWN},cooling", f"{ROW.replace('T13', 'T15')},water"))
    early = read_observations(written(tmp_path, f"{OWN},score", f"{ROW},1.5"))
    both = concat(late, early)
    assert both.select("time", "cooling", "score").rows() == [
        (datetime(2026, 2, 26, 13, tzinfo=UTC), None, 1.5),
        (datetime(2026, 2, 26, 15, tzinfo=UTC), "water", None),
    ]
    assert both.equals(concat(early, late).select(both.columns))
    with pytest.raises(InputError, match="one row per observation_id"):
        concat(early, early)


def test_a_header_that_no_reader_knows_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the nearest is observations, which lacks price"):
        read_observations(written(tmp_path, OWN.replace(",price", ",cost"), ROW))
    with pytest.raises(InputError, match="an empty file"):
        read_observations(written(tmp_path))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="CSV or Parquet"):
        read_observations(tmp_path / "broken.parquet")
    with pytest.raises(InputError, match="a format out of observations, listings"):
        read_observations(written(tmp_path, OWN, ROW), format="excel")
    with pytest.raises(InputError, match="a CSV or Parquet file"):
        read_observations(tmp_path / "nowhere.csv")


def test_a_named_format_is_read_as_such_and_its_columns_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="column gpu_model: found a missing column"):
        read_observations(written(tmp_path, OWN, ROW), format="daily")


def test_bad_observations_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_observations(written(tmp_path, OWN, ROW.replace("2.5", "NaN"), ROW.replace("trade", "rumour"), ROW, ROW))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(1, "price"), (2, "kind")]
    with pytest.raises(InputError, match="row 2, column observation_id"):
        read_observations(written(tmp_path, OWN, ROW, ROW))


def test_our_names_of_classes_are_names_that_stay() -> None:
    names = pl.DataFrame({"gpu": sorted(set(GPU_CLASSES.values()))})
    again = names.select(gpu_class("gpu")).to_series().to_list()
    assert again == names["gpu"].to_list()
    places = pl.DataFrame({"where": ["US", " gb ", "global", "Secure", "", None]})
    assert places.select(region("where")).to_series().to_list() == ["us", "gb", None, None, None, None]


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_recognised_and_read_whole(name: str) -> None:
    if not (SHARED / name).is_file():
        pytest.skip("the real prices are not part of the project")
    format, rows = REAL[name]
    assert recognise(SHARED / name) == format
    frame = read_observations(SHARED / name)
    assert frame.height == rows
    assert frame["observation_id"].n_unique() == rows
