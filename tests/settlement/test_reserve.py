"""Reserve: headroom is paid at the adder, and charged to firm users."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Horizon
from tenorgrid.settlement.settle import Settlement, settle

HORIZONS = (Horizon(name="day-ahead", lead=timedelta(days=1)), Horizon(name="real-time", lead=timedelta(0)))
Cases = Callable[..., Case]
Row = tuple[str, str, float, float, float]  # horizon, participant, headroom, use, price


def settled(board: Any, case_of: Cases, recorded_at: datetime, rows: list[Row]) -> Settlement:
    """A market in which nothing but reserve moves."""
    case = case_of(locations=["east"], workloads={"decode": 0.0}, recipes={("decode", "one"): (1.0, {"gpu": 1.0})}, horizons=HORIZONS)
    for horizon in HORIZONS:
        board.node(horizon.name, "east", 2.0)
        board.pool(horizon.name, "east", 2.0)
    start = board.rows["prices"][0]["start"]
    for name, who, headroom, use, price in rows:
        board.add("headroom", name, start, region="east", resource="gpu", participant=who, headroom=headroom, use=use, price=price)
    return settle(case, **board.tables(), recorded_at=recorded_at)


def paid(found: Settlement) -> dict[tuple[str, str], str]:
    """Reserve cash by participant and horizon."""
    lines = found.statements.filter(pl.col("charge_code").cast(pl.String) == "reserve")
    return {(who, horizon): str(amount) for who, horizon, amount in lines.select("participant", "horizon", "amount").iter_rows()}


def test_real_time_alone_pays_its_adder_on_the_headroom_that_is_left(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    """10 · 5 and 15 · 5 paid, 125 charged 1 : 2. What was held day ahead is no position: nobody is owed it or owes it."""
    rows = [
        ("day-ahead", "sue", 30.0, 0.0, 2.0), ("day-ahead", "sam", 10.0, 0.0, 2.0), ("day-ahead", "bob", 0.0, 60.0, 2.0),
        ("real-time", "sue", 10.0, 0.0, 5.0), ("real-time", "sam", 15.0, 0.0, 5.0),
        ("real-time", "bob", 0.0, 20.0, 5.0), ("real-time", "ann", 0.0, 40.0, 5.0),
    ]  # fmt: skip
    expected = {
        ("sue", "real-time"): "50.000000", ("sam", "real-time"): "75.000000",
        ("bob", "real-time"): "-41.666667", ("ann", "real-time"): "-83.333333",
    }  # fmt: skip
    assert paid(settled(board, case_of, recorded_at, rows)) == expected


def test_a_third_of_a_micro_dollar_goes_to_the_first_name(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    rows = [("real-time", "sue", 1.0, 0.0, 0.00001), *(("real-time", who, 0.0, 1.0, 0.00001) for who in ("cid", "bob", "ann"))]
    found = paid(settled(board, case_of, recorded_at, rows))
    assert found == {
        ("sue", "real-time"): "0.000010", ("ann", "real-time"): "-0.000004",
        ("bob", "real-time"): "-0.000003", ("cid", "real-time"): "-0.000003",
    }  # fmt: skip


def test_headroom_that_no_firm_user_stands_behind_is_paid_by_the_operator(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    found = paid(settled(board, case_of, recorded_at, [("real-time", "sue", 30.0, 0.0, 98.0)]))
    assert found["sue", "real-time"] == "2940.000000"
    assert found["operator:shortfall", "real-time"] == "-2940.000000"


@pytest.mark.parametrize("seed", range(3))
def test_random_reserve_agrees_with_fractions_and_sums_to_zero(board: Any, case_of: Cases, recorded_at: datetime, seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = ("ann", "bob", "cid", "dan", "eve")
    price = {horizon.name: float(rng.uniform(0, 50)) for horizon in HORIZONS}
    rows = [(h.name, who, float(rng.uniform(0, 90)), float(rng.uniform(0, 90)), price[h.name]) for h in HORIZONS for who in people]
    found = settled(board, case_of, recorded_at, rows)
    amounts = found.ledger.frame.filter(pl.col("charge_code").cast(pl.String) == "reserve")
    assert amounts["amount"].sum() == 0
    name = HORIZONS[-1].name
    mine = {who: (headroom, use) for horizon, who, headroom, use, _ in rows if horizon == name}
    held = {who: round(Fraction(price[name]) * Fraction(mine[who][0]) * 1_000_000) for who in people}
    whole = sum(Fraction(use) for _, use in mine.values())
    for who in people:
        exact = held[who] - sum(held.values()) * Fraction(mine[who][1]) / whole
        assert abs(Fraction(Decimal(paid(found)[who, name])) * 1_000_000 - exact) < 1


def test_two_prices_of_one_group_are_refused(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    rows = [("real-time", "sue", 1.0, 0.0, 2.0), ("real-time", "sam", 1.0, 0.0, 3.0)]
    with pytest.raises(InputError, match="expected one price per group and run"):
        settled(board, case_of, recorded_at, rows)
