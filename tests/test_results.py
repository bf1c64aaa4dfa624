"""Results: frames by name, as pandas and as HTML; the nodes behind an index; days from text."""

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.errors import InputError
from tenorgrid.results import Marks, Run, Tables, to_day
from tenorgrid.term_structure import curves_of

EAST = "H100-SXM.US-EAST.FIRM"


@pytest.fixture(scope="module")
def book(march_quotes: pl.DataFrame) -> pl.DataFrame:
    """One forward."""
    row = {
        "trade_id": "FWD-A", "traded_at": datetime(2027, 2, 1, tzinfo=UTC), "book": "b", "counterparty": "c", "kind": "forward",
        "side": "buy", "quantity": 1.0, "quantity_unit": "per_hour", "index": EAST, "contract": march_quotes["contract"][0],
        "start": march_quotes["start"][0], "end": march_quotes["end"][0], "strike": 2.5,
    }  # fmt: skip
    return pl.DataFrame([row])


@pytest.fixture(scope="module")
def results(weeks_run: Run, weeks_marks: Marks, march_quotes: pl.DataFrame, book: pl.DataFrame) -> dict[str, Tables]:
    """One of every kind."""
    marks = weeks_marks
    fitted = curves_of(weeks_run, marks, quotes=march_quotes)
    curve = tg.fit_curve(march_quotes, index=EAST, as_of="2027-02-22")
    fleet = tg.Exposure(
        workload="chat", quantity=4.0, unit="1e6 tokens per hour", home="us-east", tier="firm", first=date(2027, 3, 1), end=date(2027, 4, 1)
    )
    return {
        "run": weeks_run,
        "marks": marks,
        "fitted": fitted,
        "curve": curve,
        "valued": tg.value(book, curve=fitted.curves, fixings=marks, volatility=fitted.volatility, discount=tg.flat(0.0)),
        "owed": tg.settle(weeks_run),
        "hedged": tg.hedge(fleet, using=[EAST], history=marks),
    }


KINDS = ("run", "marks", "fitted", "curve", "valued", "owed", "hedged")


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_gives_its_frames_as_pandas(kind: str, results: dict[str, Tables]) -> None:
    result = results[kind]
    frames = result.to_pandas()
    assert frames.keys() == result.tables().keys()
    assert frames
    for name, frame in result.tables().items():
        assert isinstance(frames[name], pd.DataFrame)
        assert frames[name].shape == frame.shape
        assert list(frames[name].columns) == frame.columns
        assert getattr(result, name) is frame


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_renders_in_a_notebook_and_stays_short_in_a_terminal(kind: str, results: dict[str, Any]) -> None:
    result = results[kind]
    html = result._repr_html_()
    for name, frame in result.tables().items():
        assert f"<h4>{name} ({frame.height:,} rows)</h4>" in html
    assert html.count("<table") == len(result.tables())
    assert len(html) < 100_000
    assert len(repr(result)) < 2_000


@pytest.mark.parametrize("kind", KINDS)
def test_results_are_frozen(kind: str, results: dict[str, Any]) -> None:
    name = next(iter(results[kind].tables()))
    with pytest.raises(FrozenInstanceError):
        setattr(results[kind], name, None)


def test_a_report_of_results_shows_what_they_hold_and_saves(results: dict[str, Any], tmp_path: Any) -> None:
    page = tg.report(results["run"], results["marks"], results["fitted"], results["owed"], results["hedged"])
    path = page.save(tmp_path / "deep" / "report.html")
    assert path.read_text(encoding="utf-8") == page.html == page._repr_html_()
    assert EAST in page.html
    assert "cleared at 2 horizons" in page.html
    assert "seven weeks, synthetic" in page.html


def test_a_report_takes_one_of_a_kind_and_at_least_one(results: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="report: found none, expected at least one result, one of a kind"):
        tg.report()
    for twice in (("marks", "marks"), ("fitted", "curve")):
        with pytest.raises(InputError, match=r"report: found .+, .+, expected at least one result, one of a kind"):
            tg.report(*(results[kind] for kind in twice))
    with pytest.raises(InputError, match="report: found DataFrame, expected"):
        tg.report(results["marks"].marks)


def test_a_curve_of_ones_own_can_be_reported(results: dict[str, Any]) -> None:
    with_curve, without = tg.report(results["marks"], results["curve"]).html, tg.report(results["marks"]).html
    assert "synthetic broker" in with_curve
    assert "synthetic broker" not in without


def test_a_valued_book_can_be_reported_with_its_trades_and_without(results: dict[str, Any], book: pl.DataFrame) -> None:
    told, untold = tg.report(results["valued"], trades=book).html, tg.report(results["valued"]).html
    assert "FWD-A" in told
    assert "FWD-A" in untold
    assert told != untold


def test_an_index_stands_for_its_nodes_weighted_by_hours_sold(weeks_run: Run) -> None:
    assert weeks_run.underlying(EAST).weights == {"us-east": pytest.approx(42 * 24 * 50, rel=1e-9)}
    group = weeks_run.underlying("H100-SXM.US.FIRM")
    assert list(group.weights) == ["us-east", "us-west"]
    assert (group.resource, group.tier) == ("h100-sxm", "firm")


@pytest.mark.parametrize("name", ["H100-SXM", "H100-SXM.MARS.FIRM", "H100-SXM.US.SPOT", "TPU.US.FIRM", "A.B.C.D"])
def test_an_index_that_no_node_bears_is_refused(name: str, weeks_run: Run) -> None:
    with pytest.raises(InputError, match=f"index: found {name}, expected"):
        weeks_run.underlying(name)


def test_quotes_are_of_every_day_ahead_that_was_cleared(weeks_run: Run) -> None:
    quotes = weeks_run.quotes(EAST)
    assert quotes.height == 7
    day = quotes.sort("start").row(0, named=True)
    here = pl.col("start").is_between(day["start"], day["end"], closed="left") & (pl.col("location") == "us-east")
    ahead = weeks_run.prices.filter(here, pl.col("horizon") == "week-ahead", pl.col("pricing").cast(pl.String) == "marginal")
    assert day["price"] == pytest.approx(ahead["price"].mean(), abs=1e-9)


def test_a_run_stands_at_its_day_or_where_its_deliveries_end(weeks_run: Run) -> None:
    assert weeks_run.today() == date(2027, 2, 22)
    assert weeks_run.last_delivery() == datetime(2027, 3, 1, 5, tzinfo=UTC)
    whole = type(weeks_run)(**{name: getattr(weeks_run, name) for name in weeks_run.__dataclass_fields__} | {"as_of": None})
    assert whole.today() == date(2027, 2, 22)  # real time was cleared up to there


def test_days_come_from_days_and_text_and_from_nothing_else() -> None:
    assert to_day(None) is None
    assert to_day(date(2027, 3, 16)) == to_day("2027-03-16") == date(2027, 3, 16)
    for wrong in ("2027-3-16", "16.03.2027", "2027-02-29", "", datetime(2027, 3, 16, 5)):
        with pytest.raises(InputError, match="expected a day such as 2027-03-16"):
            to_day(wrong)
    with pytest.raises(InputError, match="first: found soon"):
        to_day("soon", name="first")
