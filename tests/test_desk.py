"""The desk: its small book and its exposures follow from the run by rule."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.data.store import read_table
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.settled import Exposures
from tenorgrid.desk import headline, largest_exposures, small_book
from tenorgrid.folders import read_clear, read_curves
from tenorgrid.results import Marks, Run
from tenorgrid.term_structure import Fitted, curves_of

EAST, GROUP = "H100-SXM.US-EAST.FIRM", "H100-SXM.US.FIRM"
TODAY = datetime(2027, 2, 22, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def fitted(weeks_run: Run, weeks_marks: Marks, march_quotes: pl.DataFrame) -> Fitted:
    return curves_of(weeks_run, weeks_marks, quotes=march_quotes)


def test_the_book_keeps_to_its_schema_and_is_the_same_each_time(weeks_run: Run, fitted: Fitted) -> None:
    book = small_book(weeks_run, fitted.curves)
    assert Trades.is_valid(book)
    assert book.equals(small_book(weeks_run, fitted.curves))
    turned = {name: getattr(weeks_run, name) for name in weeks_run.__dataclass_fields__} | {"awards": weeks_run.awards.reverse()}
    assert book.equals(small_book(type(weeks_run)(**turned), fitted.curves))


def test_the_book_has_this_months_forward_the_next_ones_calls_and_open_virtual_bids(weeks_run: Run, fitted: Fitted) -> None:
    book = {row["trade_id"]: row for row in small_book(weeks_run, fitted.curves).iter_rows(named=True)}
    assert list(book) == ["FWD-2027-02", "FWD-2027-03", "CAP-2027-03", "VIRT-INC", "VIRT-DEC"]
    curve = fitted.curves[EAST]
    assert book["FWD-2027-02"]["strike"] == round(curve.average(TODAY, datetime(2027, 3, 1, 5, tzinfo=UTC)), 2)  # of what is still open
    assert book["FWD-2027-03"]["strike"] == 2.6
    assert book["CAP-2027-03"]["strike"] == 2.86  # 10 % above the month
    virtual = book["VIRT-DEC"]
    award = weeks_run.awards.filter(pl.col("id") == "v-dec", pl.col("start") == virtual["start"]).row(0, named=True)
    assert virtual["start"] >= TODAY
    assert (virtual["end"] - virtual["start"], virtual["index"]) == (timedelta(hours=1), "us-east/h100-sxm/firm")
    assert (virtual["quantity"], virtual["strike"]) == (award["quantity"], award["price"]) == (5.0, award["price"])


def test_what_the_curve_does_not_cover_is_left_out_of_the_book(weeks_run: Run, weeks_marks: Marks) -> None:
    short = curves_of(weeks_run, weeks_marks, indices=[EAST])  # without the quote of March
    assert small_book(weeks_run, short.curves)["trade_id"].to_list() == ["FWD-2027-02", "VIRT-INC", "VIRT-DEC"]


def test_exposures_are_the_largest_work_of_each_class_over_the_next_month(weeks_run: Run) -> None:
    found = largest_exposures(weeks_run)
    assert Exposures.is_valid(found)
    row = found.row(0, named=True)
    served = weeks_run.awards.filter(pl.col("horizon") == "real-time", pl.col("side").cast(pl.String) == "bid")
    spent = dict(served.group_by("location").agg(-pl.col("cash").sum()).iter_rows())
    assert found.height == 1  # one class of work
    assert row["region"] == max(spent, key=lambda place: spent[place])
    assert (row["quantity"], row["workload"], row["unit"]) == (50.0, "chat", "1e6 tokens per hour")
    assert (row["start"], row["end"]) == (datetime(2027, 3, 1, 5, tzinfo=UTC), datetime(2027, 4, 1, 4, tzinfo=UTC))


def test_exposures_of_the_packaged_days_are_one_of_each_class(days_folder: Path) -> None:
    run = read_clear(days_folder / "clear")
    found = largest_exposures(run)
    assert Exposures.is_valid(found)
    classes = run.case.workloads.join(found, on="workload")["class"]
    assert classes.n_unique() == found.height == 4
    assert found.equals(largest_exposures(run))
    assert largest_exposures(run, count=2).equals(found.head(2))


def test_the_book_of_the_packaged_days_is_the_one_that_was_written(days_folder: Path) -> None:
    run = read_clear(days_folder / "clear")
    curves, _ = read_curves(days_folder / "curve")
    written = read_table(days_folder / "value", "trades", Trades)
    assert small_book(run, curves).equals(written)
    assert written["trade_id"].to_list() == ["VIRT-INC", "VIRT-DEC"]


def test_a_virtual_position_is_taken_at_the_horizon_that_awarded_it_and_not_where_it_is_carried(days_folder: Path) -> None:
    run = read_clear(days_folder / "clear")
    curves, _ = read_curves(days_folder / "curve")
    order = [horizon.name for horizon in run.case.market.horizons]
    for trade in small_book(run, curves).iter_rows(named=True):
        place, resource, _ = trade["index"].split("/")
        side = "dec" if trade["side"] == "buy" else "inc"
        here = run.awards.filter(
            pl.col("side").cast(pl.String) == side, pl.col("start") == trade["start"], pl.col("location") == place,
            pl.col("resource") == resource, pl.col("quantity") == trade["quantity"],
        )  # fmt: skip
        firsts = [min(rows["horizon"], key=order.index) for _, rows in here.group_by("id")]
        taken = json.loads(trade["params"])["horizon"]
        assert taken in firsts
        assert trade["strike"] in here.filter(pl.col("horizon") == taken)["price"].to_list()


def test_a_position_that_later_horizons_carry_counts_once_at_its_own(weeks_run: Run, fitted: Fitted) -> None:
    carried = weeks_run.awards.filter(pl.col("id") == "v-dec").with_columns(
        pl.lit("real-time").alias("horizon"), pl.lit(9.0).alias("price")
    )
    again = {name: getattr(weeks_run, name) for name in weeks_run.__dataclass_fields__}
    again |= {"awards": pl.concat([carried, weeks_run.awards])}
    assert carried.height == 3
    assert small_book(type(weeks_run)(**again), fitted.curves).equals(small_book(weeks_run, fitted.curves))


def test_the_desk_trades_the_first_index_of_several_locations(weeks_run: Run) -> None:
    assert headline(weeks_run, [EAST, GROUP]) == GROUP
    assert headline(weeks_run, [EAST, "H100-SXM.US-WEST.FIRM"]) == EAST


def test_the_exposures_month_follows_the_day_of_the_run_also_at_a_years_end(weeks_run: Run) -> None:
    later = {name: getattr(weeks_run, name) for name in weeks_run.__dataclass_fields__} | {"as_of": date(2027, 12, 31)}
    row = largest_exposures(type(weeks_run)(**later)).row(0, named=True)
    assert (row["start"], row["end"]) == (datetime(2028, 1, 1, 5, tzinfo=UTC), datetime(2028, 2, 1, 5, tzinfo=UTC))
