"""Half-hourly summaries. The rows here are made up in the layout of the source."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.summaries import read_provider_summaries, read_summaries

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
STATS = "timestamp,sku,p_min,p10,p25,p_median,p75,p90,p_max,p_mean,avail_total,avail_available,avail_low,avail_medium,avail_high"
BY_PROVIDER = "timestamp,sku,provider,n_configs,min_usd_gpuhr,avg_usd_gpuhr"


def written(folder: Path, *lines: str) -> Path:
    path = folder / "summaries.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_price_over_all_is_the_median(tmp_path: Path) -> None:
    path = written(tmp_path, STATS, "2025-10-19T21:01:58,H100_80GB_SXM5,1,1.8,1.9,2.0,2.4,2.6,3.2,2.1,32,7,21,2,2")
    row = read_summaries(path).row(0, named=True)
    assert (row["price"], row["kind"], row["tier"], row["provider"]) == (2.0, "list price", "firm", "primeintellect")
    assert (row["resource"], row["region"], row["quantity"], row["gpu_count"]) == ("h100-sxm", None, None, None)
    assert row["time"] == datetime(2025, 10, 19, 21, 1, 58, tzinfo=UTC)
    assert (row["p_min"], row["p_max"], row["avail_total"]) == (1.0, 3.2, 32.0)


def test_the_price_of_a_provider_is_its_mean(tmp_path: Path) -> None:
    path = written(tmp_path, BY_PROVIDER, "2025-10-19T21:01:58,H200_141GB,runpod,4,2.5,2.7", "2025-10-19T21:01:58,B200_180GB,nebius,1,4,4")
    frame = read_provider_summaries(path)
    assert frame.select("provider", "resource", "price", "n_configs").rows() == [
        ("runpod", "h200-sxm", 2.7, 4.0),
        ("nebius", "b200-sxm", 4.0, 1.0),
    ]


def test_ids_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    rows = [f"2025-10-19T21:{minute}:00,H200_141GB,runpod,4,2.5,2.7" for minute in (10, 20, 30)]
    forward = read_provider_summaries(written(tmp_path, BY_PROVIDER, *rows))
    assert forward.equals(read_provider_summaries(written(tmp_path, BY_PROVIDER, *reversed(rows))).reverse())


def test_what_is_no_clock_no_price_or_twice_is_refused(tmp_path: Path) -> None:
    rows = ["2025-10-19 21:01:58,A,p,1,1,1", "2025-10-19T21:01:58,A,p,1,1,0", "2025-10-19T21:01:58,A,p,1,1,1"]
    with pytest.raises(InputError) as caught:
        read_provider_summaries(written(tmp_path, BY_PROVIDER, *rows))
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(1, "timestamp"), (2, "avg_usd_gpuhr"), (3, "timestamp")]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real summaries are not part of the project")
def test_the_real_summaries_agree_with_each_other() -> None:
    """At each moment the cheapest provider's minimum is the minimum over all, to the cent that the source rounds to."""
    over_all = read_summaries(SHARED / "gpu_prices_30min_primeintellect_stats.csv.gz")
    by_provider = read_provider_summaries(SHARED / "gpu_prices_30min_primeintellect_by_provider.csv.gz")
    assert (over_all.height, by_provider.height) == (6494, 25956)
    least = by_provider.group_by("time", "resource").agg(pl.col("min_usd_gpuhr").min())
    both = over_all.join(least, on=["time", "resource"])
    assert both.height == over_all.height
    assert (both["p_min"] - both["min_usd_gpuhr"]).abs().max() <= 0.0051  # type: ignore[operator]
    h100 = over_all.filter(resource="h100-sxm")["price"]
    assert (h100.min(), h100.max()) == (1.99, 2.71)
