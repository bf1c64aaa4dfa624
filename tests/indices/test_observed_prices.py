"""The house methodology on what was really published: 30-minute summaries and daily prices of many providers."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.readers.formats import read_observations
from tenorgrid.indices.audit import verify
from tenorgrid.indices.marks import mark

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
DAILY = SHARED / "gpu_prices_daily_multiprovider.csv.gz"
SUMMARIES = SHARED / "gpu_prices_30min_primeintellect_stats.csv.gz"
BY_PROVIDER = SHARED / "gpu_prices_30min_primeintellect_by_provider.csv.gz"
GPUS = ["H100-SXM.GLOBAL.FIRM", "H200-SXM.GLOBAL.FIRM", "B200-SXM.GLOBAL.FIRM"]
LISTED = date(2026, 4, 28)
published = pytest.mark.skipif(not all(path.exists() for path in (DAILY, SUMMARIES, BY_PROVIDER)), reason="needs the published price files")


@pytest.fixture(scope="module")
def daily() -> pl.DataFrame:
    return read_observations(DAILY)


@published
@pytest.mark.parametrize(
    ("path", "first", "end", "least_published"),
    [
        (DAILY, date(2026, 2, 11), date(2026, 7, 21), 150),
        (BY_PROVIDER, date(2025, 10, 19), date(2025, 11, 17), 28),
        (SUMMARIES, date(2025, 10, 19), date(2025, 11, 17), 0),
    ],
)
def test_h100_h200_and_b200_are_marked_every_day(path: Path, first: date, end: date, least_published: int, tmp_path: Path) -> None:
    observations = read_observations(path)
    run = mark(observations, methodology="house", first=first, end=end, indices=GPUS)
    for index in GPUS:
        marks = run.marks.filter(index=index)
        assert marks.height == (end - first).days
        assert marks["value"].null_count() == 0
        assert (marks["status"] == "published").sum() >= least_published
    means = dict(run.marks.group_by("index").agg(pl.col("value").mean()).iter_rows())
    assert 1.5 < means[GPUS[0]] < means[GPUS[1]] < means[GPUS[2]] < 7
    assert verify(run.write_audit(tmp_path / "audit.jsonl"), observations, marks=run.marks).confirmed


@published
def test_a_day_of_list_prices_agrees_with_the_rule_in_plain_python(daily: pl.DataFrame) -> None:
    run = mark(daily, methodology="house", first=LISTED, end=date(2026, 4, 29), indices=GPUS[:1])
    period = run.marks.row(0, named=True)
    votes: dict[str, list[float]] = {}
    for row in daily.filter(resource="h100-sxm", tier="firm").iter_rows(named=True):
        if period["start"] <= row["time"] < period["end"] and row["price"] > 0:
            votes.setdefault(row["provider"], []).append(row["price"])
    each = sorted(float(np.median(prices)) for prices in votes.values() for _ in range(4))
    assert period["value"] == pytest.approx(sum(each[len(votes) : -len(votes)]) / (2 * len(votes)), abs=5.1e-7)
    assert len(votes) >= 3


@published
@pytest.mark.parametrize("tier", ["FIRM", "SPOT"])
def test_parked_asks_make_no_mark(tier: str, daily: pl.DataFrame) -> None:
    parked = daily.filter(pl.col("resource") == "rtx-5090", pl.col("price") > 33)
    assert parked.height == 13
    assert parked["price"].max() == 53.3437
    index = f"RTX-5090.{parked['region'][0].upper()}.{tier}"  # where they stand, at times alone
    run = mark(daily, methodology="house", first=date(2026, 5, 1), end=date(2026, 6, 10), indices=[index, f"RTX-5090.GLOBAL.{tier}"])
    assert max(run.marks["value"].drop_nulls().to_list()) < 2
    assert run.marks.filter(index=index)["value"].count() > 0
