"""Tickets: each is the row that one would have written by hand, or is not born."""

import json
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.kinds import RULES
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.data.terms.tickets.ticket import Ticket

INDEX = "H100-SXM.US.FIRM"
OTHER = "H200-SXM.US.FIRM"
MAY = datetime(2027, 5, 1, 4, tzinfo=UTC), datetime(2027, 6, 1, 4, tzinfo=UTC)
PLAIN: dict[str, Any] = {"index": INDEX, "contract": "2027-05", "strike": 2.5, "quantity": 10.0}
DAYS: dict[str, Any] = {"contract": None, "first": "2027-05-01", "end": "2027-06-01"}
WEIGHTS = {INDEX: 0.6, OTHER: 0.4}

EVERY: list[tuple[type[Ticket], dict[str, Any], TradeKind, str | None]] = [
    (tg.Forward, {}, TradeKind.FORWARD, None),
    (tg.Swap, {}, TradeKind.SWAP, None),
    (tg.Spread, {"index2": OTHER, "ratio": 0.5}, TradeKind.SPREAD, None),
    (tg.Basket, {"weights": WEIGHTS}, TradeKind.BASKET, None),
    (tg.Call, {"model": "bachelier"}, TradeKind.OPTION, "call"),
    (tg.Put, {"expiry": "2027-04-15"}, TradeKind.OPTION, "put"),
    (tg.AmericanCall, {}, TradeKind.AMERICAN, "call"),
    (tg.AmericanPut, {}, TradeKind.AMERICAN, "put"),
    (tg.BarrierCall, {"barrier": "up-and-out", "level": 4.0}, TradeKind.BARRIER, "call"),
    (tg.BarrierPut, {"barrier": "down-and-in", "level": 1.0}, TradeKind.BARRIER, "put"),
    (tg.BasketCall, {"weights": WEIGHTS}, TradeKind.BASKET_OPTION, "call"),
    (tg.BasketPut, {"weights": WEIGHTS}, TradeKind.BASKET_OPTION, "put"),
    (tg.SpreadCall, {"index2": OTHER}, TradeKind.SPREAD_OPTION, "call"),
    (tg.SpreadPut, {"index2": OTHER}, TradeKind.SPREAD_OPTION, "put"),
    (tg.AsianCall, {}, TradeKind.AVERAGE, "call"),
    (tg.AsianPut, {}, TradeKind.AVERAGE, "put"),
    (tg.Cap, {}, TradeKind.CAP, None),
    (tg.Floor, {}, TradeKind.FLOOR, None),
    (tg.Collar, {"floor": 2.0}, TradeKind.COLLAR, None),
    (tg.Capacity, {}, TradeKind.CAPACITY, None),
    (tg.Reliability, {"penalty": 3.0, "stop_loss": 900.0}, TradeKind.RELIABILITY, None),
    (tg.TakeOrPay, {"minimum": 700.0}, TradeKind.TAKE_OR_PAY, None),
    (tg.Swing, {"rights": 10, "most": 2}, TradeKind.SWING, None),
    (tg.Tolling, {"index2": OTHER, "rate": 0.2}, TradeKind.TOLLING, None),
    (tg.Lease, {"promised": 0.99, "availability": 0.97}, TradeKind.LEASE, None),
    (tg.Recall, {"interruption": 0.1, "overcommit": 0.9}, TradeKind.PREEMPTION, None),
    (tg.GenerationSwitch, {"index2": OTHER, "ratio": 1.8, "strike": None}, TradeKind.GENERATION_SWITCH, None),
    (tg.Virtual, {"index": "us-east/h100-sxm/firm", "horizon": "day-ahead", **DAYS}, TradeKind.VIRTUAL, None),
]


@pytest.mark.parametrize(("kind", "more", "of", "option"), EVERY, ids=lambda value: getattr(value, "__name__", None))
def test_every_ticket_is_a_row_of_its_kind_that_the_book_can_read(
    kind: type[Ticket], more: dict[str, Any], of: TradeKind, option: str | None
) -> None:
    ticket = kind(**PLAIN | more)
    row = ticket.row
    assert (row["kind"], row["option"], row["side"], row["quantity"]) == (str(of), option, "buy", 10.0)
    assert (row["start"], row["end"]) == MAY
    found = read_trades(ticket.frame, timezone="America/New_York")
    assert list(found) == [of]
    assert found[of]["amount"].to_list() == [7440.0]


TICKETS = [kind for kind, *_ in EVERY] + [tg.Future, tg.Perpetual]


@pytest.mark.parametrize("kind", TICKETS, ids=lambda kind: kind.__name__)
def test_a_ticket_has_every_parameter_of_its_kind_and_no_other(kind: type[Ticket]) -> None:
    assert set(kind.PARAMS) == set(RULES[kind.KIND].parameters)
    needed = {one.name for one in fields(kind) if one.default is MISSING} - {"index", "index2"}
    assert needed == {name for name, one in RULES[kind.KIND].parameters.items() if one.default is None and not one.optional}


def test_a_ticket_is_what_one_would_have_written(tmp_path: Any) -> None:
    ticket = tg.Call(
        index=INDEX, first="2027-05-01", end="2027-06-01", strike=2.5, quantity=100.0, side="sell", expiry="2027-04-15", premium=900.0,
        pay_date="2027-03-20", trade_id="T1", traded_at=datetime(2027, 3, 1, tzinfo=UTC), model="bachelier",
    )  # fmt: skip
    wanted = {
        "trade_id": "T1", "traded_at": datetime(2027, 3, 1, tzinfo=UTC), "book": "desk", "counterparty": "street", "kind": "option",
        "side": "sell", "quantity": 100.0, "quantity_unit": "per_hour", "index": INDEX, "start": MAY[0], "end": MAY[1], "strike": 2.5,
        "option": "call", "expiry": datetime(2027, 4, 15, 4, tzinfo=UTC), "premium": 900.0, "pay_date": date(2027, 3, 20),
        "params": '{"model": "bachelier"}',
    }  # fmt: skip
    found = ticket.frame.to_dicts()[0]
    assert {name: value for name, value in found.items() if value is not None} == wanted


def test_lots_are_bought_above_zero_and_sold_below_and_are_what_the_contract_says() -> None:
    own = tg.AsianCall(index=INDEX, contract="2027-05", strike=2.6, lots=-5)
    assert [own.row[name] for name in ("side", "quantity", "quantity_unit")] == ["sell", 5.0, "per_hour"]
    listed = tg.AsianCall(index=INDEX, contract="GPU1K27", strike=2.6, lots=2)
    assert [listed.row[name] for name in ("side", "quantity", "quantity_unit")] == ["buy", 1460.0, "total"]
    assert (listed.row["calendar"], json.loads(listed.row["params"])) == ("USSETTLE", {"average": "business-day"})
    hours = tg.Cap(index=INDEX, contract="HPRK27", strike=2.6, lots=2)
    assert [hours.row[name] for name in ("quantity", "quantity_unit", "params")] == [2.0, "per_hour", None]
    future = tg.Future(index=INDEX, contract="GPU1K27", strike=2.6, lots=-2, missing_day="next")
    assert [future.row[name] for name in ("side", "quantity", "quantity_unit", "contract")] == ["sell", 2.0, "lots", "GPU1K27"]


def test_the_same_terms_have_the_same_name_and_others_another() -> None:
    one, two = (tg.Forward(**PLAIN) for _ in range(2))
    assert one.row["trade_id"] == two.row["trade_id"]
    assert one == two
    assert tg.Forward(**PLAIN | {"strike": 2.51}).row["trade_id"] != one.row["trade_id"]
    assert tg.Swap(**PLAIN).row["trade_id"] != one.row["trade_id"]


def test_a_period_of_hours_is_given_by_moments() -> None:
    cap = tg.Cap(index=INDEX, first="2027-05-01T18:00Z", end=datetime(2027, 5, 1, 20, tzinfo=UTC), strike=3.0, quantity=8.0)
    assert read_trades(cap.frame, timezone="America/New_York")[TradeKind.CAP]["amount"].to_list() == [16.0]


@pytest.mark.parametrize(
    ("more", "column"),
    [
        ({"quantity": None}, "lots"),
        ({"lots": 3}, "lots"),
        ({"quantity": None, "lots": 0}, "lots"),
        ({"quantity": None, "lots": 3, "side": "sell"}, "lots"),
        ({"quantity": -3.0}, "quantity"),
        ({"side": "short"}, "side"),
        ({"contract": None}, "contract"),
        ({"first": "2027-05-01", "end": "2027-06-01"}, "contract"),
        ({"contract": None, "first": "2027-05-01"}, "contract"),
        ({"contract": None, "first": "May", "end": "2027-06-01"}, "first"),
        ({"contract": None, "first": datetime(2027, 5, 1), "end": "2027-06-01"}, "first"),  # without a zone, on purpose
        ({"contract": "2027-13"}, "contract"),
        ({"contract": "Y:2027-05"}, "contract"),
        ({"strike": float("nan")}, "strike"),
        ({"strike": None}, "strike"),
        ({"missing_day": "skip"}, "missing_day"),
        ({"average": "weekly"}, "params"),
        ({"calendar": "USNY"}, "calendar"),
    ],
)
def test_terms_that_are_not_valid_are_not_born(more: dict[str, Any], column: str) -> None:
    with pytest.raises(tg.InputError) as caught:
        tg.Forward(**PLAIN | more)
    assert column in {fault.column for fault in caught.value.faults}
    assert {fault.file for fault in caught.value.faults} == {"Forward"}


def test_futures_count_lots_and_contracts_of_the_users_own_are_known_when_given() -> None:
    with pytest.raises(tg.InputError, match="a future counts lots"):
        tg.Future(**PLAIN)
    with pytest.raises(tg.InputError, match="a listed contract"):
        tg.Future(index=INDEX, contract="GPXK27", strike=2.5, lots=1)
    mine = tg.read_products(
        pl.DataFrame(
            {"product": "GPX", "settles_on": "ours", "unit": "GPU-hours", "lot": 10.0, "tick": 0.01, "average": "calendar-day",
             "missing_day": "exclude", "source": "rule book"}
        )
    )  # fmt: skip
    ticket = tg.Future(index=INDEX, contract="GPXK27", strike=2.5, lots=1, products=mine)
    assert read_trades(ticket.frame, timezone="America/New_York", products=mine)[TradeKind.FUTURE]["amount"].to_list() == [10.0]
