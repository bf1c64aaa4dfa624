"""CCIR's published history: each print by the version that made it, the version's one parameter, and its second version's daily series."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.readers.formats import read_observations
from tenorgrid.data.readers.published import read_ccir_prints
from tenorgrid.indices.marks import mark

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
LISTINGS, AUDITS, RATES = (SHARED / name for name in ("ccir_vast_listings_us.csv.gz", "ccir_index_audits.json", "ccir_v2_rates_daily.csv"))
SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
INDICES = {"CRI-H100": "H100-SXM.US.FIRM", "CRI-H200": "H200-SXM.US.FIRM"}
HISTORIES = ("outputs/cri-h100-index.csv", "outputs/cri-h200-index.csv")
LEAST = {"1.1.0": 10, "1.1.1": 8}
published = pytest.mark.skipif(
    not all(path.exists() for path in (LISTINGS, AUDITS)), reason="needs the listings and audits published by CCIR"
)


@pytest.fixture(scope="module")
def observations() -> pl.DataFrame:
    return read_observations(LISTINGS)


@pytest.fixture(scope="module")
def history() -> list[dict[str, str]]:
    """Rows of the published series."""
    told = json.loads(AUDITS.read_text())
    rows = [row for name in HISTORIES for row in csv.DictReader(io.StringIO(told[name]))]
    return [row | {"value": row.get("cri_h100") or row["index_value"]} for row in rows]


def entry(observations: pl.DataFrame, methodology: Path | str, index: str, last: date) -> dict[str, Any]:
    run = mark(observations, methodology=methodology, first=last, end=last + timedelta(1), indices=[index])
    return dict(run.audit(index, last).entry)


def with_least(folder: Path, least: int) -> Path:
    text = (SHIPPED / "ccir-1.1.1.toml").read_text()
    assert "at_least = 8" in text
    path = folder / f"least-{least}.toml"
    path.write_text(text.replace("at_least = 8", f"at_least = {least}"))
    return path


@published
def test_every_print_is_what_its_version_makes_of_the_listings(history: list[dict[str, str]], observations: pl.DataFrame) -> None:
    assert [(row["index_name"], row["methodology_version"], row["value"]) for row in history] == [
        ("CRI-H100", "1.1.0", "1.6021"),
        ("CRI-H100", "1.1.1", "1.735"),
        ("CRI-H200", "1.1.1", "2.3237"),
    ]
    for row in history:
        last = date.fromisoformat(row["window_end"])
        ours = entry(observations, f"ccir-{row['methodology_version']}", INDICES[row["index_name"]], last)
        assert ours["value"] == float(row["value"])
        assert ours["counts"]["used"] == int(row["total_observations"])
        assert (ours["status"] == "low-confidence") == (row["low_confidence"] == "True")
        assert sum(day["used"] > 0 for day in ours["days"]) == int(row["valid_days"])
        spread = [ours["prices"][name] for name in ("min", "max", "mean", "sd")]
        assert [f"{value:.4f}".rstrip("0") for value in spread] == [row[f"obs_{name}"] for name in ("min", "max", "mean", "stdev")]


@published
def test_the_listings_alone_leave_9_to_12_a_day_for_version_1_1_0(observations: pl.DataFrame, tmp_path: Path) -> None:
    """The print holds 16 + 12 listings of two days; the next longest day has 8. The methodology's own text says 10 (section 10.2)."""
    last = date(2026, 3, 5)
    made = {least: entry(observations, with_least(tmp_path, least), INDICES["CRI-H100"], last) for least in range(2, 18)}
    same = [least for least, ours in made.items() if (ours["value"], ours["counts"]["used"]) == (1.6021, 28)]
    assert same == [9, 10, 11, 12]
    assert made[8]["counts"]["used"] == 44
    assert made[13]["value"] == 1.7347  # the median of the one day that is left
    assert made[17]["value"] is None


@published
def test_what_was_collected_again_after_a_print_does_not_move_it(observations: pl.DataFrame) -> None:
    """The audit of 2026-03-05 was written at 18:20 and saw 6 listings of the day; the file has 8 of 19:30."""
    audit = json.loads(AUDITS.read_text())["outputs/audits/cri-h100-2026-03-05.audit.json"]
    (told,) = [day for day in audit["daily"] if day["date"] == "2026-03-05"]
    day = observations.filter(pl.col("resource") == "h100-sxm", pl.col("time").dt.date() == date(2026, 3, 5))
    assert (told["n_raw"], day.height) == (6, 8)
    assert datetime.fromisoformat(audit["calculated_utc"]) < day["time"].min()  # type: ignore[operator]
    for rows in (observations, observations.join(day, on="observation_id", how="anti")):
        assert entry(rows, "ccir-1.1.0", INDICES["CRI-H100"], date(2026, 3, 5))["value"] == audit["index_value"]


@published
@pytest.mark.parametrize("version", LEAST)
@pytest.mark.parametrize("days_back", range(9))
def test_every_window_agrees_with_the_rule_in_plain_python(version: str, days_back: int, observations: pl.DataFrame) -> None:
    last = date(2026, 3, 6) - timedelta(days_back)
    run = mark(observations, methodology=f"ccir-{version}", first=last, end=last + timedelta(1))
    for index, value, status in run.marks.select("index", "value", "status").iter_rows():
        rows = observations.filter(resource=index.split(".")[0].lower()).select("time", "price").rows()
        assert (value, status) == plainly(rows, last, least=LEAST[version])


def plainly(rows: list[tuple[datetime, float]], last: date, *, least: int) -> tuple[float | None, str]:
    """Value and status, from all listings of one class."""
    pooled: list[float] = []
    valid = 0
    for back in range(7):
        prices = sorted(price for time, price in rows if time.astimezone(UTC).date() == last - timedelta(back))
        if len(prices) < least:
            continue
        cut = max(1, len(prices) // 10)
        limit = 2.5 * stdev(prices)
        kept = [price for price in prices if abs(price - mean(prices[cut:-cut])) <= limit]
        pooled += kept
        valid += 1
    if not pooled:
        return None, "withheld"
    return round(median(pooled), 4), "published" if valid >= 3 else "low-confidence"


@pytest.mark.skipif(not RATES.exists(), reason="needs the daily rates of CCIR's second version")
def test_the_daily_series_of_the_second_version_are_the_means_of_their_windows() -> None:
    """Its inputs are not published, so that its prints can only be held against themselves: all 192, over one or three days."""
    rates = read_ccir_prints(RATES)
    assert rates.height == 192
    assert set(rates["headline_window_days"]) == {1, 3}
    for name in ("price_mean", "n_sources", "n_observations"):
        window = pl.when(pl.col("headline_window_days") == 1).then(f"{name}_1d").otherwise(f"{name}_3d")
        headline = "price_mean_usd_per_gpu_hour" if name == "price_mean" else name
        assert rates.filter(pl.col(headline) != window).is_empty()
    opens = pl.col("window_end").str.to_date() - pl.duration(days=pl.col("headline_window_days").cast(pl.Int64) - 1)
    assert rates.filter(pl.col("window_start").str.to_date() < opens).is_empty()
