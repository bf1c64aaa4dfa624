"""Figures and page of baskets."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tenorgrid.basketing import BasketStudy, basket
from tenorgrid.reports.figures import baskets as figures


@pytest.fixture(scope="module")
def study() -> BasketStudy:
    """Forty days of Hopper marks with quantities, one of them withheld."""
    start = datetime(2027, 1, 1, 5, tzinfo=UTC)
    rows = [
        {
            "index": f"{name}-SXM.US.FIRM",
            "methodology": "house",
            "start": start + timedelta(day),
            "end": start + timedelta(day + 1),
            "published_at": start + timedelta(day + 1),
            "revision": 0,
            "value": None if (name, day) == ("H200", 30) else base + 0.01 * ((day * pace) % 13),
            "unit": "USD/GPUh",
            "quantity": 100.0 + day * pace,
            "status": "withheld" if (name, day) == ("H200", 30) else "published",
            "method_hash": "0",
        }
        for name, base, pace in (("H100", 2.0, 3), ("H200", 3.0, 5))
        for day in range(40)
    ]
    return basket(pl.DataFrame(rows, infer_schema_length=None), "hopper-us")


def test_bars_add_up_to_the_index(study: BasketStudy) -> None:
    drawn = figures.moves(study.contributions, unit="USD/GPUh")
    *bars, whole = drawn.data
    assert figures.span_of(study.contributions) == "week"
    for place, total in enumerate(whole.y):
        assert sum(bar.y[place] for bar in bars) == pytest.approx(total, abs=1e-12)
    assert sum(whole.y) == pytest.approx(study.marks["value"][-1] - study.marks["value"][0], abs=1e-6)


def test_other_formulas_are_drawn_as_per_cent_of_the_baskets_own(study: BasketStudy) -> None:
    drawn = figures.by_formula(study.formulas, unit="USD/GPUh")
    named = {trace.name: trace for trace in drawn.data}
    assert named["Laspeyres (own)"].y[-1] == pytest.approx(study.marks["value"][-1], abs=1e-6)
    fisher = study.formulas.filter(formula="fisher")["level"][-1]
    assert named["Fisher"].y[-1] == pytest.approx(100 * (fisher / study.marks["value"][-1] - 1), abs=1e-4)
    assert len(named) == study.formulas["formula"].n_unique()
    assert {named[name].yaxis for name in ("Jevons", "Fisher")} == {"y", "y2"}


def test_weights_are_shares_of_the_whole(study: BasketStudy) -> None:
    one, other = figures.weights(study.contributions).data
    assert [round(a + b, 9) for a, b in zip(one.y, other.y, strict=True)] == [100.0] * 40


def test_the_page_says_what_stands_in_the_tables(study: BasketStudy) -> None:
    page = study.page(source="marks.csv")
    for text in ("HOPPER.US.FIRM", "made of the marks in marks.csv", "GEKS-Törnqvist", "H200-SXM.US.FIRM", "39 published, 1 carried"):
        assert text in page
    assert study.page(source="marks.csv") == page
