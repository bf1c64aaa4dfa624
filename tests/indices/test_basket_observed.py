"""Baskets of real prices: a day on which most of a panel is missing."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.readers.daily import read_daily
from tenorgrid.indices.baskets.basket import basket_marks
from tenorgrid.indices.baskets.file import load_basket
from tenorgrid.indices.marks import mark

DAILY = Path(__file__).parents[2].parent / "shared" / "data" / "gpu_prices_daily_multiprovider.csv.gz"
THIN = date(2026, 7, 18)  # two marketplaces alone, and none of the clouds


@pytest.mark.slow
@pytest.mark.skipif(not DAILY.exists(), reason="needs the daily prices of several providers")
def test_a_day_without_most_of_the_panel_is_carried_and_would_have_been_a_fall() -> None:
    basket = load_basket("accelerators-global")
    seen = read_daily(DAILY).filter(pl.col("time").dt.date().is_between(date(2026, 7, 12), date(2026, 7, 21)))
    names = [one.index for one in basket.constituents]
    marks = mark(seen, methodology="house", first=date(2026, 7, 14), end=date(2026, 7, 20), indices=names).marks
    found, trusting = (
        basket_marks(marks, definition=one).marks.with_columns(day=pl.col("start").dt.date())
        for one in (basket, replace(basket, marks=replace(basket.marks, low_confidence=True)))
    )
    before, thin = (found.row(by_predicate=pl.col("day") == day, named=True) for day in (date(2026, 7, 17), THIN))
    assert (before["status"], thin["status"], thin["value"]) == ("published", "carried", before["value"])
    used = trusting.row(by_predicate=pl.col("day") == THIN, named=True)["value"]
    value = {(one["index"], one["start"].date()): one["value"] for one in marks.iter_rows(named=True)}
    base = date(2026, 7, 14)
    wanted = [
        sum(one.share * value[one.index, day] / value[one.index, base] for one in basket.constituents if one.share) for day in (base, THIN)
    ]
    assert used == pytest.approx(100 * wanted[1] / wanted[0], abs=1e-4)
    assert used / before["value"] == pytest.approx(0.848, abs=5e-4)  # 15 % of the index gone for a day
