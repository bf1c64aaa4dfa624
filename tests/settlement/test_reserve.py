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


def settled(
    board: Any, case_of: Cases, recorded_at: datetime, rows: list[Row], *, binding: list[tuple[str, float]] | None = None
) -> Settlement:
    """A market in which nothing but reserve moves."""
    case = case_of(locations=["east"], workloads={"decode": 0.0}, recipes={("decode", "one"): (1.0, {"gpu": 1.0})}, horizons=HORIZONS)
    for horizon in HORIZONS:
        board.node(horizon.name, "east", 2.0)
        board.pool(horizon.name, "east", 2.0)
    start = board.rows["prices"][0]["start"]
    for name, who, headroom, use, price in rows:
        board.add("headroom", name, start, region="east", resource="gpu", participant=who, headroom=headroom, use=use, price=price)
    for name, dual in binding or []:
        board.add("binding", name, start, kind="reserve", key="east/gpu", dual=dual, meaning="short")
    return settle(case, **board.tables(), recorded_at=recorded_at)


def paid(found: Settlement) -> dict[tuple[str, str], str]:
    """Reserve cash by participant and horizon."""
    lines = found.statements.filter(pl.col("charge_code").cast(pl.String) == "reserve")
    return {(who, horizon): str(amount) for who, horizon, amount in lines.select("participant", "horizon", "amount").iter_rows()}


def test_each_horizon_pays_its_adder_on_the_change_of_headroom(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    """Day ahead: 30 · 2 and 10 · 2 paid, 80 charged 3 : 1. Real time at 5: sue gives back 20, sam adds 5; −75 goes back 1 : 2."""
    rows = [
        ("day-ahead", "sue", 30.0, 0.0, 2.0), ("day-ahead", "sam", 10.0, 0.0, 2.0), ("day-ahead", "bob", 0.0, 60.0, 2.0),
        ("day-ahead", "ann", 0.0, 20.0, 2.0), ("real-time", "sue", 10.0, 0.0, 5.0), ("real-time", "sam", 15.0, 0.0, 5.0),
        ("real-time", "bob", 0.0, 20.0, 5.0), ("real-time", "ann", 0.0, 40.0, 5.0),
    ]  # fmt: skip
    expected = {
        ("sue", "day-ahead"): "60.000000", ("sam", "day-ahead"): "20.000000", ("bob", "day-ahead"): "-60.000000",
        ("ann", "day-ahead"): "-20.000000", ("sue", "real-time"): "-100.000000", ("sam", "real-time"): "25.000000",
        ("bob", "real-time"): "25.000000", ("ann", "real-time"): "50.000000",
    }  # fmt: skip
    assert paid(settled(board, case_of, recorded_at, rows)) == expected


def test_a_third_of_a_micro_dollar_goes_to_the_first_name(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    rows = [("real-time", "sue", 1.0, 0.0, 0.00001), *(("real-time", who, 0.0, 1.0, 0.00001) for who in ("cid", "bob", "ann"))]
    found = paid(settled(board, case_of, recorded_at, rows))
    assert found == {
        ("sue", "real-time"): "0.000010", ("ann", "real-time"): "-0.000004",
        ("bob", "real-time"): "-0.000003", ("cid", "real-time"): "-0.000003",
    }  # fmt: skip


def test_headroom_that_is_gone_is_bought_back_at_the_adder_that_binds(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    """Nobody holds or uses anything at real time, so the adder stands in `binding` alone and no user can be given the money."""
    rows = [("day-ahead", "sue", 30.0, 0.0, 2.0), ("day-ahead", "bob", 0.0, 60.0, 2.0)]
    found = paid(settled(board, case_of, recorded_at, rows, binding=[("day-ahead", 2.0), ("real-time", 98.0)]))
    assert found["sue", "real-time"] == "-2940.000000"
    assert found["operator:shortfall", "real-time"] == "2940.000000"


@pytest.mark.parametrize("seed", range(3))
def test_random_reserve_agrees_with_fractions_and_sums_to_zero(board: Any, case_of: Cases, recorded_at: datetime, seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = ("ann", "bob", "cid", "dan", "eve")
    price = {horizon.name: float(rng.uniform(0, 50)) for horizon in HORIZONS}
    rows = [(h.name, who, float(rng.uniform(0, 90)), float(rng.uniform(0, 90)), price[h.name]) for h in HORIZONS for who in people]
    found = settled(board, case_of, recorded_at, rows)
    amounts = found.ledger.frame.filter(pl.col("charge_code").cast(pl.String) == "reserve")
    assert amounts["amount"].sum() == 0
    before = dict.fromkeys(people, 0.0)
    for horizon in HORIZONS:
        mine = {who: (headroom, use) for name, who, headroom, use, _ in rows if name == horizon.name}
        held = {who: round(Fraction(price[horizon.name]) * Fraction(mine[who][0] - before[who]) * 1_000_000) for who in people}
        whole = sum(Fraction(use) for _, use in mine.values())
        for who in people:
            exact = held[who] - sum(held.values()) * Fraction(mine[who][1]) / whole
            assert abs(Fraction(Decimal(paid(found)[who, horizon.name])) * 1_000_000 - exact) < 1
        before = {who: mine[who][0] for who in people}


def test_two_prices_of_one_group_are_refused(board: Any, case_of: Cases, recorded_at: datetime) -> None:
    rows = [("real-time", "sue", 1.0, 0.0, 2.0), ("real-time", "sam", 1.0, 0.0, 3.0)]
    with pytest.raises(InputError, match="expected one price per group and run"):
        settled(board, case_of, recorded_at, rows)
