"""Spot beside on demand: day by day, and never a tenor."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.curves.rental.spot import spot_discounts
from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.formats import read_observations
from tenorgrid.data.tables.rental import SpotDiscounts

GCP = Path(__file__).parents[4] / "shared" / "data" / "gcp_gpu_prices_weekly_by_region_2022_2026.csv.gz"
FIRST = datetime(2026, 7, 1, 9, tzinfo=UTC)


def seen(*rows: tuple[int, str, float, float | None], region: str = "us") -> pl.DataFrame:
    """day, tier, price, term in hours."""
    return pl.DataFrame(
        [
            {"time": FIRST + timedelta(day), "resource": "h100", "region": region, "tier": tier, "price": price, "term_hours": term}
            for day, tier, price, term in rows
        ],
        schema_overrides={"term_hours": pl.Float64},
    )


def test_each_day_on_which_both_are_listed_has_its_share() -> None:
    table = seen((0, "firm", 10.0, None), (0, "spot", 4.0, None), (0, "firm", 7.0, 8760.0), (1, "firm", 10.0, None), (2, "spot", 5.0, None))
    found = spot_discounts(table, as_of=date(2026, 7, 9))
    assert SpotDiscounts.is_valid(found)
    assert found.rows() == [(date(2026, 7, 1), "H100.US", 10.0, 4.0, pytest.approx(0.6))]


def test_no_later_row_is_read() -> None:
    now = seen((0, "firm", 10.0, None), (0, "spot", 4.0, None))
    later = seen((5, "firm", 1.0, None), (5, "spot", 9.0, None))
    assert spot_discounts(pl.concat([now, later]), as_of=date(2026, 7, 1)).equals(spot_discounts(now, as_of=date(2026, 7, 1)))


def test_two_prices_of_a_tier_and_missing_columns_are_refused() -> None:
    with pytest.raises(InputError, match=r"H100\.US spot on 2026-07-01: 3, 4, expected one price"):
        spot_discounts(seen((0, "firm", 10.0, None), (0, "spot", 4.0, None), (0, "spot", 3.0, None)), as_of=date(2026, 7, 9))
    with pytest.raises(InputError, match="column term_hours"):
        spot_discounts(seen((0, "firm", 10.0, None)).drop("term_hours"), as_of=date(2026, 7, 9))


@pytest.mark.skipif(not GCP.exists(), reason="needs the table of Google Cloud's prices")
def test_google_s_regions_agree_with_a_plain_loop() -> None:
    table = read_observations(GCP).filter(pl.col("instance") == "a3-highgpu-8g")
    found = spot_discounts(table, as_of=date(2026, 7, 30))
    plain: dict[tuple[date, str], dict[str, float]] = {}
    for row in table.filter(pl.col("term_hours").is_null()).iter_rows(named=True):
        if row["time"].date() <= date(2026, 7, 30):
            plain.setdefault((row["time"].date(), f"{row['resource']}.{row['region']}".upper()), {})[str(row["tier"])] = row["price"]
    wanted = {key: 1 - tiers["spot"] / tiers["firm"] for key, tiers in plain.items() if {"spot", "firm"} <= tiers.keys()}
    assert {(day, index): discount for day, index, _, _, discount in found.iter_rows()} == pytest.approx(wanted)
    assert found["index"].n_unique() > 10
