"""Statements and their folder: exact sums by local day, drilled down to postings, written and read back."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.data import store
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.settled import Statements
from tenorgrid.data.terms.market import Horizon
from tenorgrid.settlement.archive import read_settlement, write_settlement
from tenorgrid.settlement.settle import settle
from tenorgrid.settlement.statements import statements

Markets = Callable[[int], tuple[Case, dict[str, Any]]]
REAL = (Horizon(name="real-time", lead=timedelta(0)),)


def test_days_are_those_of_the_markets_zone_with_23_hours_in_march(board: Any, case_of: Callable[..., Case], recorded_at: datetime) -> None:
    case = case_of(locations=["east"], workloads={"decode": 0.0}, recipes={("decode", "one"): (1.0, {"gpu": 1.0})}, horizons=REAL)
    first = datetime(2027, 3, 13, 5, tzinfo=UTC)
    for start in (first + timedelta(hours=n) for n in range(72)):
        board.node("real-time", "east", 1.0, start=start)
        board.pool("real-time", "east", 1.0, start=start)
        board.award("real-time", "bid", "load", 1.0, location="east", workload="decode", start=start)
        board.award("real-time", "offer", "seller", 1.0, location="east", resource="gpu", start=start)
        board.place("real-time", "east", "one", "east", 1.0, 1.0, start=start)
    settled = settle(case, **board.tables(), recorded_at=recorded_at)
    lines = settled.statement("seller")
    assert dict(lines.select("day", "postings").iter_rows()) == {
        date(2027, 3, 13): 24, date(2027, 3, 14): 23, date(2027, 3, 15): 24, date(2027, 3, 16): 1
    }  # fmt: skip
    assert lines["amount"].to_list() == [Decimal(24), Decimal(23), Decimal(24), Decimal(1)]


def test_lines_are_the_sums_of_their_postings_and_of_all_accounts_nothing(cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(1)
    settled = settle(case, **tables, recorded_at=recorded_at)
    assert sum(settled.statements["amount"].to_list(), Decimal(0)) == 0
    detail = settled.drill_down("ann")
    line = settled.statement("ann").filter(pl.col("horizon") == "day-ahead").row(0, named=True)
    behind = detail.filter((pl.col("horizon") == "day-ahead") & (pl.col("day") == line["day"]))
    assert behind.height == line["postings"]
    assert Decimal(behind["amount"].sum()).scaleb(-6) == line["amount"]
    assert behind["price"].null_count() == 0


def test_a_participant_that_was_never_settled_is_refused(cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(1)
    with pytest.raises(InputError, match="found nobody, expected a participant that has been settled"):
        settle(case, **tables, recorded_at=recorded_at).drill_down("nobody")


def test_postings_of_a_run_without_positions_are_refused(cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(1)
    settled = settle(case, **tables, recorded_at=recorded_at)
    with pytest.raises(InputError, match="events of runs that have a position"):
        statements(settled.ledger.frame, settled.positions.head(1), timezone="UTC")


def test_what_is_written_is_read_back_and_a_second_run_appends_nothing(
    tmp_path: Path, cleared_market: Markets, recorded_at: datetime
) -> None:
    case, tables = cleared_market(1)
    folder = tmp_path / "settle"
    assert read_settlement(folder, timezone=case.market.timezone) is None
    for _ in range(2):
        before = read_settlement(folder, timezone=case.market.timezone)
        settled = settle(case, **tables, recorded_at=recorded_at, before=before)
        with store.writing(folder) as temporary:
            write_settlement(settled, temporary)
            store.write_manifest(temporary, command="settle")
    again = read_settlement(folder, timezone=case.market.timezone)
    assert again is not None
    once = settle(case, **tables, recorded_at=recorded_at)
    for name, table in once.tables().items():
        assert again.tables()[name].equals(table), name
    written = store.read_table(folder / "statements", "sue", Statements)
    assert written.equals(once.statement("sue"))
    assert (folder / "statements" / "operator-congestion.csv").is_file()


def test_a_folder_whose_ledger_was_edited_is_refused(tmp_path: Path, cleared_market: Markets, recorded_at: datetime) -> None:
    case, tables = cleared_market(1)
    settled = settle(case, **tables, recorded_at=recorded_at)
    write_settlement(settled, tmp_path)
    more = pl.when(pl.int_range(pl.len()) == 3).then(pl.col("amount") + 1).otherwise(pl.col("amount"))
    settled.ledger.frame.with_columns(more.alias("amount")).write_parquet(tmp_path / "ledger.parquet")
    with pytest.raises(InputError, match="expected a sum of 0 for energy"):
        read_settlement(tmp_path, timezone=case.market.timezone)
