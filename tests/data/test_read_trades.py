"""Rows of trades as terms of their kinds, and the terms of contracts themselves."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import TradeKind, TradeSide
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
from tenorgrid.data.terms.contracts import CapacityContract, Forward, contract_dates

ZONE = "America/New_York"
INDEX = "H100-SXM.US.FIRM"
START, END = contract_dates(f"{INDEX}:2027-04", timezone=ZONE)


def row(name: str, kind: str = "forward", **more: Any) -> dict[str, Any]:
    plain = {
        "trade_id": name,
        "traded_at": datetime(2027, 3, 1, tzinfo=UTC),
        "book": "desk",
        "counterparty": "acme",
        "kind": kind,
        "side": "buy",
        "quantity": 100.0,
        "quantity_unit": "per_hour",
        "index": "us-east/h100-sxm/firm" if kind == "virtual" else INDEX,
        "start": START,
        "end": END,
        "strike": 2.5,
        "params": '{"horizon": "day-ahead"}' if kind == "virtual" else None,
    }
    return {**plain, **more}


def agreed(*rows: dict[str, Any]) -> Agreed:
    return read_trades(pl.DataFrame(list(rows), infer_schema_length=None), timezone=ZONE)


def faults(*rows: dict[str, Any]) -> list[tuple[int | None, str | None]]:
    with pytest.raises(InputError) as caught:
        agreed(*rows)
    return [(fault.row, fault.column) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("code", "first", "end"),
    [
        ("X:2027-03", "2027-03-01T05:00", "2027-04-01T04:00"),
        ("X:2027-12", "2027-12-01T05:00", "2028-01-01T05:00"),
        ("X:2027-Q4", "2027-10-01T04:00", "2028-01-01T05:00"),
        ("X:2027", "2027-01-01T05:00", "2028-01-01T05:00"),
        ("X:2027-03-14", "2027-03-14T05:00", "2027-03-15T04:00"),
    ],
)
def test_codes_say_their_dates(code: str, first: str, end: str) -> None:
    assert contract_dates(code, timezone=ZONE) == tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, end))


@pytest.mark.parametrize("code", ["X", "X:2027-13", "X:2027-Q5", "X:27", "X:2027-02-30"])
def test_codes_that_say_nothing_are_refused(code: str) -> None:
    with pytest.raises(InputError, match="contract: found"):
        contract_dates(code, timezone=ZONE)


def test_months_tile_the_year() -> None:
    spans = [contract_dates(f"X:2027-{month:02d}", timezone=ZONE) for month in range(1, 13)]
    assert all(first[1] == second[0] for first, second in pairwise(spans))
    assert (spans[0][0], spans[-1][1]) == contract_dates("X:2027", timezone=ZONE)


def test_each_kind_becomes_a_frame_of_its_terms() -> None:
    found = agreed(
        row("a", contract=f"{INDEX}:2027-04"),
        row("b", "virtual", side="sell"),
        row("c", "capacity", quantity=72_000.0, quantity_unit="total"),
        row("d", "cap", profile="peak"),
        row("e", "future", quantity=3.0, quantity_unit="lots", contract=f"{INDEX}:2027-04", params='{"lot": 730}'),
        row("f", "basket", params='{"weights": {"Y": 0.4, "X": 0.6}}'),
    )
    assert list(found) == [TradeKind(name) for name in ("forward", "future", "basket", "cap", "capacity", "virtual")]
    assert found[TradeKind.VIRTUAL].select("index", "sign", "horizon").row(0) == ("H100-SXM.US-EAST.FIRM", -1.0, "day-ahead")
    assert found[TradeKind.CAPACITY].select("quantity", "amount", "hours").row(0) == pytest.approx((100.0, 72_000.0, 720.0))
    assert found[TradeKind.CAP].select("amount", "hours").row(0) == (100.0 * 12 * 22, 12.0 * 22)
    assert found[TradeKind.FUTURE]["amount"].to_list() == [2190.0]
    assert found[TradeKind.BASKET]["weights"].to_list() == ['{"X": 0.6, "Y": 0.4}']
    assert found[TradeKind.FORWARD].select("average", "pay", "number").row(0) == ("calendar-day", END, 1)


def test_every_fault_of_every_row_is_told_at_once() -> None:
    found = faults(
        row("a", strike=None),
        row("b", "virtual", params=None, premium=3.0),
        row("c", "virtual", params="{horizon", index="us-east"),
        row("d", quantity_unit="lots", option="call"),
        row("e", "capacity", params='{"barrier": 3}', premium=3.0),
        row("f", contract=f"{INDEX}:2027-05"),
        row("g", contract="Y:2027-04"),
        row("h", "virtual", params='["horizon"]'),
        row("i", profile="weekend", start=START + timedelta(hours=3)),
        row("j", "capacity", option="put"),
        row("k", "virtual", params='{"horizon": "real-time"}'),
        row("l", "capacity", strike=-1.0),
        row("m", "spread"),
        row("n", "average", option="call", params='{"average": "hourly"}'),
        row("o", "basket", params='{"weights": {"X": 1}}'),
        row("p", params='{"average": "business-day"}'),
        row("q", calendar="USNY"),
    )
    assert sorted(found, key=str) == sorted(
        [
            (1, "strike"), (2, "premium"), (2, "params"), (3, "index"), (3, "params"), (4, "option"), (4, "quantity_unit"),
            (5, "pay_date"), (5, "params"), (6, "start"), (6, "end"), (7, "contract"), (8, "params"), (9, "start"), (10, "option"),
            (11, "params"), (12, "strike"), (13, "index2"), (14, "params"), (15, "params"), (16, "calendar"), (17, "calendar"),
        ],
        key=str,
    )  # fmt: skip


@pytest.mark.slow
def test_a_hundred_thousand_rows_are_read_as_ten_are() -> None:
    ten = pl.DataFrame([row(f"t{n}", "cap" if n % 2 else "swap", quantity=1.0 + n) for n in range(10)], infer_schema_length=None)
    many = pl.concat([ten.with_columns(pl.col("trade_id") + f"-{n}") for n in range(10_000)])
    one, all_ = read_trades(ten, timezone=ZONE), read_trades(many, timezone=ZONE)
    for kind, frame in one.items():
        assert all_[kind].select("amount", "sign", "pay").equals(pl.concat([frame.select("amount", "sign", "pay")] * 10_000))


def test_terms_that_are_not_valid_are_not_born() -> None:
    with pytest.raises(InputError, match="an end after the start"):
        Forward(index="X", start=END, end=START, timezone=ZONE, fixed=2.5, quantity=1.0, side=TradeSide.BUY)
    with pytest.raises(InputError, match=r"found 0\.0, expected a quantity above 0"):
        Forward(index="X", start=START, end=END, timezone=ZONE, fixed=2.5, quantity=0.0, side=TradeSide.BUY)
    with pytest.raises(InputError, match="a time with its zone"):
        CapacityContract(index="X", start=START.replace(tzinfo=None), end=END, strike=2.5, quantity=1.0, side=TradeSide.BUY)
    with pytest.raises(InputError, match="an IANA time zone"):
        contract_dates("X:2027", timezone="Atlantis/Capital")
