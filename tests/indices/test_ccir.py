"""The methodology ccir-1.1.1: the published audits, and each rule at work."""

import json
from dataclasses import replace
from datetime import UTC, date, timedelta
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.formats import read_observations
from tenorgrid.indices.marks import MarkRun, mark
from tenorgrid.indices.methodology import load

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
LISTINGS = SHARED / "ccir_vast_listings_us.csv.gz"
AUDITS = SHARED / "ccir_index_audits.json"
SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
LAST = date(2026, 3, 4)
H100, H200 = "H100-SXM.US.FIRM", "H200-SXM.US.FIRM"
WHY = "needs the listings and audits published by CCIR"
published = pytest.mark.skipif(not (LISTINGS.exists() and AUDITS.exists()), reason=WHY)


def ccir(observations: pl.DataFrame, *, last: date = LAST, indices: list[str] | None = None) -> MarkRun:
    return mark(observations, methodology="ccir-1.1.1", first=last, end=last + timedelta(1), indices=indices)


def entry(run: MarkRun, index: str, last: date = LAST) -> Any:
    return run.audit(index, last).entry


@published
@pytest.mark.parametrize(("index", "audit"), [(H100, "cri-h100-2026-03-04"), (H200, "cri-h200-2026-03-04")])
def test_published_audits_are_reproduced_to_their_last_digit(index: str, audit: str) -> None:
    theirs = json.loads(AUDITS.read_text())[f"outputs/audits/{audit}.audit.json"]
    ours = entry(ccir(read_observations(LISTINGS)), index)
    assert ours["value"] == theirs["index_value"]
    assert ours["counts"]["used"] == theirs["n_observations"]
    assert sum(day["used"] > 0 for day in ours["days"]) == theirs["valid_days"]
    assert (ours["status"] == "low-confidence") == theirs["low_confidence"]
    summary = {"min": ours["prices"]["min"], "max": ours["prices"]["max"], "mean": ours["prices"]["mean"], "stdev": ours["prices"]["sd"]}
    assert {name: round(value, 4) for name, value in summary.items()} == theirs["summary"]
    days = {day["date"]: day for day in ours["days"]}
    for day in theirs["daily"]:
        if day["status"] == "missing":
            assert day["date"] not in days
        elif day["status"] == "included":
            assert days[day["date"]]["used"] == day["n_used"]
            assert days[day["date"]]["excluded"] == day["n_removed"]
            assert round(days[day["date"]]["median"], 4) == day["daily_median"]
            assert round(days[day["date"]]["mean"], 4) == day["daily_mean"]
        else:
            assert (days[day["date"]]["used"], days[day["date"]]["excluded"]) == (0, day["n_raw"])


@published
def test_the_figures_asked_for_are_printed() -> None:
    marks = ccir(read_observations(LISTINGS)).marks
    assert dict(marks.filter(pl.col("index").is_in([H100, H200])).select("index", "value").iter_rows()) == {H100: 1.735, H200: 2.3237}


@published
@pytest.mark.parametrize("at_least", [9, 10, 11, 12])
def test_the_print_of_version_1_1_0_stands_for_every_threshold_that_can_have_been_meant(at_least: int, tmp_path: Path) -> None:
    theirs = json.loads(AUDITS.read_text())["outputs/audits/cri-h100-2026-03-05.audit.json"]
    path = tmp_path / "earlier.toml"
    path.write_text((SHIPPED / "ccir-1.1.0.toml").read_text().replace("at_least = 10", f"at_least = {at_least}"))
    last = date(2026, 3, 5)
    run = mark(read_observations(LISTINGS), methodology=path, first=last, end=last + timedelta(1), indices=[H100])
    ours = entry(run, H100, last)
    assert (ours["value"], ours["counts"]["used"]) == (theirs["index_value"], theirs["n_observations"]) == (1.6021, 28)
    assert ours["status"] == "low-confidence"
    assert ours["low_confidence"] == ["2 days, fewer than 3"]


@published
def test_the_shipped_1_1_0_prints_what_was_published_and_1_1_1_does_not() -> None:
    listings, last = read_observations(LISTINGS), date(2026, 3, 5)
    values = [
        mark(listings, methodology=name, first=last, end=last + timedelta(1), indices=[H100]).marks["value"].to_list()
        for name in ("ccir-1.1.0", "ccir-1.1.1")
    ]
    assert values[0] == [1.6021]
    assert values[1] != values[0]


def test_the_two_versions_are_one_parameter_apart() -> None:
    early, late = (load(f"ccir-1.1.{patch}") for patch in (0, 1))
    (level,) = early.levels
    few = replace(level.filters[0], at_least=8)
    same = replace(early, name=late.name, hash=late.hash, levels=(replace(level, filters=(few, *level.filters[1:])),))
    assert same == late
    assert level.filters[0].at_least == 10


@published
@pytest.mark.parametrize("days_back", range(5))
def test_every_window_agrees_with_the_rule_written_out_in_plain_python(days_back: int) -> None:
    observations = read_observations(LISTINGS)
    last = date(2026, 3, 6) - timedelta(days_back)
    for row in ccir(observations, last=last).marks.iter_rows(named=True):
        assert (row["value"], row["status"]) == plainly(observations.filter(resource=row["index"].split(".")[0].lower()), last)


@published
@pytest.mark.parametrize("day", [date(2026, 2, 27), date(2026, 3, 1)])
@pytest.mark.parametrize(
    ("change", "rule", "value", "limit"),
    [
        ({"price": 25.0}, "sigma", "25.0", "within "),
        ({"price": 0.01, "reliability": 0.8999}, "reliability", "0.8999", "at least 0.9"),
        ({"country": "DE", "region": "de"}, "country", "DE", "one of US"),
        ({"tier": "firm", "provider": "elsewhere"}, "provider", "elsewhere", "one of vast.ai"),
    ],
)
def test_each_rule_removes_a_listing_made_to_break_it(day: date, change: dict[str, Any], rule: str, value: str, limit: str) -> None:
    observations = read_observations(LISTINGS)
    pattern = observations.filter(pl.col("resource") == "h100-sxm", pl.col("time").dt.date() == day).head(1)
    extra = pattern.with_columns(observation_id=pl.lit("made-up"), **{name: pl.lit(found) for name, found in change.items()})
    run = ccir(pl.concat([observations, extra], how="vertical_relaxed"), indices=[H100])
    (gone,) = run.exclusions.filter(observation_id="made-up").iter_rows(named=True)
    assert (gone["rule"], gone["value"]) == (rule, value)
    assert gone["limit"].startswith(limit)
    assert entry(run, H100)["value"] == 1.735
    assert entry(run, H100)["counts"]["used"] == 44


def test_a_short_day_stays_out_and_the_pooled_median_is_of_the_others(listings: pl.DataFrame) -> None:
    run = ccir(listings, last=date(2026, 3, 5))
    valid = [price for day in (0, 1, 3) for price in prices_of(listings, day)]
    assert entry(run, H100, date(2026, 3, 5))["value"] == round(median(valid), 4)
    assert run.exclusions.select("observation_id", "rule", "value", "limit").rows() == [
        (f"day2-{number}", "too few", "3", "at least 8") for number in range(3)
    ]
    assert run.marks["status"].to_list() == ["published"]


def test_two_valid_days_are_low_confidence_and_none_is_withheld(listings: pl.DataFrame) -> None:
    early, later = ccir(listings, last=date(2026, 3, 4)), ccir(listings, last=date(2026, 3, 12))
    assert early.marks["status"].to_list() == ["low-confidence"]
    assert entry(early, H100)["low_confidence"] == ["2 days, fewer than 3"]
    assert ccir(listings.filter(pl.col("observation_id").str.starts_with("day2"))).marks.select("value", "status").rows() == [
        (None, "withheld")
    ]
    assert later.marks.is_empty() or later.marks["status"].to_list() == ["withheld"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"price": 40.0}, "sigma"),
        ({"reliability": 0.5}, "reliability"),
        ({"reliability": None}, "reliability"),
        ({"country": "CA"}, "country"),
        ({"gpu_count": 0.5}, "gpu_count"),
        ({"tier": "spot"}, None),
    ],
)
def test_each_rule_removes_a_made_up_listing(listings: pl.DataFrame, change: dict[str, Any], rule: str | None) -> None:
    changed = [pl.lit(value, dtype=listings.schema[name]).alias(name) for name, value in change.items()]
    extra = listings.filter(observation_id="day1-0").with_columns(*changed, observation_id=pl.lit("extra"))
    run = ccir(pl.concat([listings, extra]), last=date(2026, 3, 5), indices=[H100])
    assert run.exclusions.filter(observation_id="extra")["rule"].to_list() == ([rule] if rule else [])  # spot is another index
    assert run.marks["value"].to_list() == ccir(listings, last=date(2026, 3, 5)).marks["value"].to_list()


def test_a_day_of_eight_with_an_outlier_is_valid_with_seven(listings: pl.DataFrame) -> None:
    high = pl.when(observation_id="day0-7").then(30.0).otherwise("price").alias("price")
    run = ccir(listings.with_columns(high), last=date(2026, 3, 5))
    days = {day["date"]: day for day in entry(run, H100, date(2026, 3, 5))["days"]}
    assert (days["2026-03-02"]["used"], days["2026-03-02"]["excluded"]) == (7, 1)


def test_a_table_without_the_attributes_asked_for_is_refused_by_name(listings: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="column reliability: found a missing column, expected a column which the level"):
        ccir(listings.drop("reliability"))


def test_an_attribute_of_text_where_a_number_is_asked_for_is_refused(listings: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="column reliability: found String, expected numbers"):
        ccir(listings.with_columns(reliability=pl.lit("high")))


def prices_of(listings: pl.DataFrame, day: int) -> list[float]:
    return listings.filter(pl.col("observation_id").str.starts_with(f"day{day}"))["price"].to_list()


def plainly(observations: pl.DataFrame, last: date) -> tuple[float | None, str]:
    """CCIR 1.1.1 in loops: value and status of one GPU class."""
    pooled: list[float] = []
    valid = 0
    for back in range(7):
        day = last - timedelta(back)
        rows = [row for row in observations.iter_rows(named=True) if row["time"].astimezone(UTC).date() == day]
        prices = [row["price"] for row in rows if row["reliability"] >= 0.9 and row["country"] == "US"]
        if len(prices) < 8:
            continue
        cut = max(1, int(len(prices) * 0.1))
        middle, deviation = mean(sorted(prices)[cut:-cut]), stdev(prices)
        pooled += [price for price in prices if abs(price - middle) <= 2.5 * deviation]
        valid += 1
    if not pooled:
        return None, "withheld"
    return round(median(pooled), 4), "published" if valid >= 3 else "low-confidence"
