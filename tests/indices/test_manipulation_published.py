"""Attacks and errors that really stand in published price files: each methodology that fits, with those rows and without them."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.readers.formats import read_observations
from tenorgrid.indices.calculation import calculate
from tenorgrid.indices.methodology import load

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
DAILY = SHARED / "gpu_prices_daily_multiprovider.csv.gz"
LISTINGS = SHARED / "ccir_vast_listings_us.csv.gz"
EUROPE = SHARED / "eucri_observations.csv"
TWO_HOURLY = SHARED / "gpu_prices_2hourly_vast_runpod_lambda.csv.gz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not all(path.exists() for path in (DAILY, LISTINGS, EUROPE, TWO_HOURLY)), reason="needs the published price files"),
]
H100 = "H100-SXM.GLOBAL.FIRM"


@pytest.fixture(scope="module")
def daily() -> pl.DataFrame:
    """With a confidence of one in every row, which one methodology asks for and the file does not have."""
    return read_observations(DAILY).with_columns(confidence=pl.lit(1.0))


def values(rows: pl.DataFrame, methodology: str, index: str, first: date, *, days: int = 1) -> list[tuple[float | None, str]]:
    made = calculate(rows, methodology=load(methodology), first=first, end=first + timedelta(days), indices=[index])
    return made.marks.sort("start").select("value", "status").rows()


def move(without: pl.DataFrame, rows: pl.DataFrame, methodology: str, index: str, day: date) -> float:
    """What the rows that are only in the second frame do to the mark of a day, the last where it has several."""
    before, after = ([value for value, _ in values(one, methodology, index, day) if value is not None][-1] for one in (without, rows))
    return after / before - 1


def test_totals_for_units_as_the_file_was_first_published_double_every_mark(daily: pl.DataFrame) -> None:
    """Of 2026-02-12: totals of machines of eight GPUs, aws 55.04 for 6.88; no rule that compares contributors tells when most are wrong."""
    mended = daily.filter(resource="h100-sxm")
    wrong = (pl.col("unit_fix") == "divided_by_gpu_count").fill_null(False)
    published = mended.with_columns(pl.when(wrong).then(pl.col("price") * pl.col("gpu_count")).otherwise("price").alias("price"))
    aws = published.filter(pl.col("provider") == "aws", pl.col("time").dt.date() == date(2026, 2, 12), pl.col("gpu_count") == 8)
    assert 55.04 in aws["price"].round(4).to_list()
    day = date(2026, 2, 12)
    found = {name: move(mended, published, name, H100, day) for name in ("house", "gpu-markets-like", "computepulse-like", "cgi-like")}
    assert found["house"] == pytest.approx(1.168, abs=0.002)
    assert found["gpu-markets-like"] == pytest.approx(0.773, abs=0.002)
    assert found["computepulse-like"] == pytest.approx(1.940, abs=0.002)
    assert found["cgi-like"] > 2
    # the day on which the source is right again is what a publisher's check of moves sees
    (last, _), (back, _) = values(published, "house", H100, date(2026, 2, 18), days=2)
    assert last is not None
    assert back is not None
    assert back / last - 1 < -0.4


def test_one_price_divided_twice_does_nothing_to_the_house(daily: pl.DataFrame) -> None:
    """2026-02-18: RunPod's H200 at 0.4488, an eighth of its 3.59."""
    rows = daily.filter(resource="h200-sxm")
    eighth = (pl.col("provider") == "runpod") & (pl.col("price") < 0.45)
    assert rows.filter(eighth).height >= 1
    without, day = rows.filter(~eighth), date(2026, 2, 18)
    index = "H200-SXM.GLOBAL.FIRM"
    assert move(without, rows, "house", index, day) == 0
    assert move(without, rows, "gpu-markets-like", index, day) == 0
    assert -0.05 < move(without, rows, "computepulse-like", index, day) < -0.01


@pytest.mark.parametrize("tier", ["FIRM", "SPOT"])
def test_asks_parked_at_seventy_times_the_market_do_not_carry_a_mark_with_them(tier: str, daily: pl.DataFrame) -> None:
    """RTX 5090 of vast.ai at 53.34 and 33.33 in May and June 2026, of one or two contributors: low confidence, and at most 8 %."""
    rows = daily.filter(resource="rtx-5090")
    without = rows.filter(pl.col("price") < 30)
    assert rows.height - without.height == 13
    index, first, days = f"RTX-5090.GLOBAL.{tier}", date(2026, 5, 9), 26
    for methodology, most in (("house", 0.08), ("gpu-markets-like", 0.04)):
        both = [values(one, methodology, index, first, days=days) for one in (without, rows)]
        moves = [after / before - 1 for (before, _), (after, _) in zip(*both, strict=True) if before and after]
        assert len(moves) > 20
        assert max(map(abs, moves)) < most
    assert {status for _, status in values(rows, "house", index, first, days=days)} <= {"low-confidence", "carried"}


def test_placeholders_of_one_provider_among_fifteen(daily: pl.DataFrame) -> None:
    """RunPod's H200 at 0.50 beside 3.50 on four days of April 2026."""
    rows = daily.filter(resource="h200-sxm")
    holder = (pl.col("provider") == "runpod") & (pl.col("price") <= 0.5)
    without, day, index = rows.filter(~holder), date(2026, 4, 17), "H200-SXM.GLOBAL.FIRM"
    assert move(without, rows, "house", index, day) == pytest.approx(-0.0248, abs=0.001)
    assert move(without, rows, "computepulse-like", index, day) == pytest.approx(-0.0988, abs=0.001)
    assert move(without, rows, "gpu-markets-like", index, date(2026, 4, 18)) == pytest.approx(-0.0659, abs=0.001)


def test_placeholders_of_one_of_two_providers_halve_the_way_and_the_mark_is_of_low_confidence() -> None:
    """RunPod's H200 at 0.50 beside 3.39 and 3.59, in every snapshot of 2026."""
    rows = read_observations(TWO_HOURLY).filter(resource="h200-sxm")
    without = rows.filter(~((pl.col("provider") == "runpod") & (pl.col("price") <= 0.5)))
    index, day = "H200-SXM.GLOBAL.FIRM", date(2026, 6, 10)
    assert move(without, rows, "house", index, day) == pytest.approx(-0.2628, abs=0.001)
    assert values(rows, "house", index, day)[-1][1] == "low-confidence"


def test_a_second_cluster_flips_the_median_of_one_marketplace() -> None:
    """V100 of vast.ai in the United States: listings at 0.017 to 0.034 beside 0.127 to 0.161. Nobody who sees one marketplace can tell."""
    rows = read_observations(LISTINGS).filter(resource="v100")
    without = rows.filter(pl.col("price") >= 0.04)
    index = "V100.US.FIRM"
    assert move(without, rows, "house", index, date(2026, 3, 3)) == pytest.approx(-0.852, abs=0.002)
    assert values(rows, "house", index, date(2026, 3, 3))[-1][1] == "low-confidence"
    assert move(without, rows, "ccir-1.1.1", index, date(2026, 3, 4)) == pytest.approx(-0.453, abs=0.002)
    assert values(rows, "ccir-1.1.1", index, date(2026, 3, 4))[-1][1] == "published"


def test_two_providers_that_never_change_move_a_mark_of_fourteen(daily: pl.DataFrame) -> None:
    """Together at 3.36 and OVH at 2.99, from February to May 2026."""
    rows = daily.filter(resource="h100-sxm")
    stale = pl.col("provider").is_in(["together", "ovh"])
    shown = rows.filter(stale, pl.col("tier") == "firm").group_by("provider").agg(pl.col("price").max() - pl.col("price").min())
    assert shown["price"].max() < 0.003  # type: ignore[operator]
    without, day = rows.filter(~stale), date(2026, 4, 27)
    assert move(without, rows, "house", H100, day) == pytest.approx(-0.0517, abs=0.001)
    assert move(without, rows, "computepulse-like", H100, day) == pytest.approx(-0.033, abs=0.001)
    assert move(without, rows, "gpu-markets-like", H100, day) == 0


def test_without_the_entries_by_hand_the_european_index_has_no_print() -> None:
    """Three of its five to seven contributors show one price on all days."""
    rows = read_observations(EUROPE)
    by_hand = pl.col("provider").is_in(["nebius", "datacrunch", "seeweb"])
    for methodology in ("eu-cri-0.2.0", "eu-cri-0.3.0"):
        (with_them, without) = (
            values(one, methodology, "H100-SXM.EU.FIRM", date(2026, 8, 10))[-1] for one in (rows, rows.filter(~by_hand))
        )
        assert with_them[1] == "published"
        assert without == (None, "withheld")


def test_a_contributor_with_most_of_the_rows_moves_a_pool_of_rows_and_not_one_of_contributors() -> None:
    """Google Cloud shows each zone: three quarters of the European rows; taking it out moves EU-CRI by nothing."""
    rows = read_observations(EUROPE)
    without = rows.filter(pl.col("provider") != "gcp")
    assert without.height / rows.height < 0.3
    day = date(2026, 8, 10)
    for methodology in ("eu-cri-0.2.0", "eu-cri-0.3.0"):
        assert move(without, rows, methodology, "H100-SXM.EU.FIRM", day) == 0
    assert move(without, rows, "gpu-markets-like", H100, day) == pytest.approx(0.0981, abs=0.001)
    assert move(without, rows, "house", H100, day) == pytest.approx(0.406, abs=0.002)  # one vote of five, and between two it decides
