"""Term structures: which indices get a curve, and what is said where something is too short."""

from datetime import timedelta

import polars as pl
import pytest

from tenorgrid.api import mark
from tenorgrid.data.errors import InputError, PartLeftOutWarning
from tenorgrid.results import Marks, Run
from tenorgrid.term_structure import CURVES_SHOWN, LEAST_DAYS, busiest, curve_alone, curves_of, curves_of_marks, curves_of_quotes

EAST, WEST, GROUP = "H100-SXM.US-EAST.FIRM", "H100-SXM.US-WEST.FIRM", "H100-SXM.US.FIRM"


def test_without_a_word_the_curve_is_of_the_index_on_which_most_is_spent(weeks_run: Run, weeks_marks: Marks) -> None:
    seen = weeks_run.observations()
    spent = dict(seen.group_by("region").agg((pl.col("price") * pl.col("quantity")).sum()).iter_rows())
    most = max(spent, key=lambda region: spent[region])
    assert busiest(weeks_run) == f"H100-SXM.{most}.FIRM".upper()
    assert list(curves_of(weeks_run, weeks_marks).curves) == [busiest(weeks_run)]


def test_a_run_that_sold_nothing_has_no_busiest_index(weeks_run: Run) -> None:
    ahead = {name: getattr(weeks_run, name) for name in weeks_run.__dataclass_fields__}
    ahead |= {name: ahead[name].filter(pl.col("horizon") == "week-ahead") for name in ("prices", "awards", "certificate")}
    with pytest.raises(InputError, match="awards: expected accelerators sold firm in real time"):
        busiest(type(weeks_run)(**ahead))


def test_every_index_asked_for_gets_its_curve_shape_band_and_volatility(weeks_run: Run, weeks_marks: Marks) -> None:
    fitted = curves_of(weeks_run, weeks_marks, indices=[WEST, GROUP])
    assert list(fitted.curves) == [WEST, GROUP]
    for table in (fitted.quotes, fitted.curve, fitted.shapes, fitted.volatility, fitted.coverage):
        assert table["index"].unique(maintain_order=True).to_list() == [WEST, GROUP]
    assert fitted.shapes.height == 2 * 7 * 24
    assert fitted.coverage.columns == ["index", "horizon", "days", "inside", "coverage", "level"]
    assert (fitted.coverage["coverage"] == fitted.coverage["inside"] / fitted.coverage["days"]).all()


def test_every_quote_is_averaged_back_to_whatever_the_shape(weeks_run: Run, weeks_marks: Marks, march_quotes: pl.DataFrame) -> None:
    fitted = curves_of(weeks_run, weeks_marks, quotes=march_quotes)
    for row in fitted.quotes.iter_rows(named=True):
        hours = fitted.curve.filter(pl.col("start").is_between(row["start"], row["end"], closed="left"))
        assert hours["forward"].mean() == pytest.approx(row["price"], abs=1e-9), row["quote_id"]
    assert fitted.jacobian.height == fitted.curve.height * fitted.quotes.height


def test_the_weights_of_a_group_are_the_hours_sold(weeks_run: Run, weeks_marks: Marks) -> None:
    prices = {name: curves_of(weeks_run, weeks_marks, indices=[name]).quotes.sort("start")["price"] for name in (EAST, WEST, GROUP)}
    mean = (prices[EAST] + prices[WEST]) / 2  # each sells 50 GPU-hours an hour
    assert (prices[GROUP] - mean).abs().max() <= 1e-9  # type: ignore[operator]


def test_a_history_too_short_for_shape_band_and_volatility_says_so(weeks_run: Run) -> None:
    seen = weeks_run.observations()
    short = mark(seen.filter(pl.col("time") < weeks_run.case.market.midnight(weeks_run.today()) - timedelta(days=35)))
    with pytest.warns(PartLeftOutWarning, match=f"no volatility of {EAST}: ") as told:
        fitted = curves_of(weeks_run, short, indices=[EAST])
    assert len(told) == 1
    assert fitted.volatility.is_empty()
    assert not fitted.curve.is_empty()


def test_curves_of_marks_are_of_the_indices_with_most_days(weeks_marks: Marks) -> None:
    fitted = curves_of_marks(weeks_marks)
    assert list(fitted.curves) == sorted(weeks_marks.marks.filter(pl.col("unit") == "USD/GPUh")["index"].unique())
    assert len(fitted.curves) <= CURVES_SHOWN
    assert fitted.volatility["index"].to_list() == list(fitted.curves)
    own = weeks_marks.marks.filter(pl.col("index") == EAST)
    assert fitted.curves[EAST].curve["forward"].mean() == pytest.approx(own["value"].mean(), abs=1e-9)


def test_fewer_marks_than_a_curve_needs_give_none(weeks_run: Run) -> None:
    seen = weeks_run.observations()
    begin = seen["time"].min()
    few, enough = (
        mark(seen.filter(pl.col("time") < begin + timedelta(days=days)), indices=[EAST])  # type: ignore[operator]
        for days in (LEAST_DAYS - 1, LEAST_DAYS)
    )
    assert curves_of_marks(few).curves == {}
    with pytest.warns(PartLeftOutWarning, match="no volatility"):
        assert list(curves_of_marks(enough).curves) == [EAST]


def test_volatility_is_of_the_longest_stretch_without_a_hole(weeks_run: Run) -> None:
    seen = weeks_run.observations()
    day = weeks_run.case.market.midnight(weeks_run.today()) - timedelta(days=12)
    holed = seen.filter(~pl.col("time").is_between(day, day + timedelta(days=1), closed="left"))
    fitted = curves_of_marks(mark(holed, indices=[EAST]))
    row = fitted.volatility.row(0, named=True)
    assert (row["end"], row["observations"]) == (day, 29)  # 30 days before the hole, which is longer than the 11 after it


def test_curves_of_quotes_alone_have_no_volatility_and_an_unknown_index_is_refused(march_quotes: pl.DataFrame) -> None:
    fitted = curves_of_quotes(march_quotes)
    assert list(fitted.curves) == [EAST]
    assert fitted.volatility.is_empty()
    assert fitted.coverage.is_empty()
    assert curve_alone(fitted.curves[EAST]).curve.equals(fitted.curve)
    with pytest.raises(InputError, match="quotes, column index: found NOSUCH, expected quotes of this index"):
        curves_of_quotes(march_quotes, indices=["NOSUCH"])
