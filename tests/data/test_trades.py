"""Trades as terms, and the terms themselves."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import TradeSide
from tenorgrid.data.kinds.market import VirtualSide
from tenorgrid.data.terms.contracts import CapacityContract, Forward, VirtualBid, contract_dates
from tenorgrid.data.terms.trades import terms

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


def agreed(*rows: dict[str, Any]) -> dict[str, Any]:
    return dict(terms(pl.DataFrame(list(rows), infer_schema_length=None), timezone=ZONE))


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


def test_each_kind_becomes_its_terms() -> None:
    found = agreed(
        row("a", contract=f"{INDEX}:2027-04"),
        row("b", "virtual", side="sell"),
        row("c", "capacity", quantity=72_000.0, quantity_unit="total"),
    )
    assert isinstance(found["a"], Forward)
    assert found["a"].fixed == 2.5
    assert len(found["a"].days) == 30
    assert isinstance(found["b"], VirtualBid)
    assert (found["b"].side, found["b"].index, found["b"].horizon) == (VirtualSide.INC, "H100-SXM.US-EAST.FIRM", "day-ahead")
    assert isinstance(found["c"], CapacityContract)
    assert found["c"].quantity == pytest.approx(100.0, abs=1e-12)


def test_every_fault_of_every_row_is_told_at_once() -> None:
    assert faults(
        row("a", strike=None),
        row("b", "virtual", params=None, premium=3.0),
        row("c", "virtual", params="{horizon", index="us-east"),
        row("d", quantity_unit="lots", option="call"),
        row("e", "capacity", params='{"barrier": 3}', premium=3.0),
        row("f", contract=f"{INDEX}:2027-05"),
        row("g", contract="Y:2027-04"),
        row("h", "virtual", params='["horizon"]'),
        row("i", profile="peak"),
        row("j", "capacity", option="put"),
    ) == [
        (1, "strike"),
        (2, "premium"),
        (2, "params"),
        (3, "index"),
        (3, "params"),
        (4, "option"),
        (4, "quantity_unit"),
        (5, "premium"),
        (5, "params"),
        (6, "start"),
        (6, "end"),
        (7, "contract"),
        (8, "params"),
        (9, "profile"),
        (10, "option"),
    ]


def test_terms_that_are_not_valid_are_not_born_and_the_row_is_named() -> None:
    assert faults(
        row("a"),
        row("b", start=START + timedelta(hours=3)),
        row("c", "capacity", strike=-1.0),
        row("d", "virtual", params='{"horizon": "real-time"}'),
    ) == [
        (2, "start"),
        (3, "strike"),
        (4, "horizon"),
    ]
    with pytest.raises(InputError, match="an end after the start"):
        Forward(index="X", start=END, end=START, timezone=ZONE, fixed=2.5, quantity=1.0, side=TradeSide.BUY)
    with pytest.raises(InputError, match=r"found 0\.0, expected a quantity above 0"):
        Forward(index="X", start=START, end=END, timezone=ZONE, fixed=2.5, quantity=0.0, side=TradeSide.BUY)
    with pytest.raises(InputError, match="a time with its zone"):
        CapacityContract(index="X", start=START.replace(tzinfo=None), end=END, strike=2.5, quantity=1.0, side=TradeSide.BUY)
    with pytest.raises(InputError, match="an IANA time zone"):
        contract_dates("X:2027", timezone="Atlantis/Capital")
