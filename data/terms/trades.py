"""Rows of the trades table as terms: every kind checked for what it needs and what it has no place for."""

import json
from collections.abc import Iterator
from typing import Any

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import Profile, QuantityUnit, TradeKind, TradeSide
from tenorgrid.data.kinds.market import VirtualSide
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.door import checked
from tenorgrid.data.terms.contracts import CapacityContract, Forward, VirtualBid, contract_dates

Terms = Forward | VirtualBid | CapacityContract
Row = dict[str, Any]

FILE = "trades"
NEEDED = {TradeKind.FORWARD: ("strike",), TradeKind.VIRTUAL: ("strike",), TradeKind.CAPACITY: ("strike",)}
NO_PLACE = {
    TradeKind.FORWARD: ("index2", "option", "expiry", "premium", "calendar", "missing_day"),
    TradeKind.VIRTUAL: ("index2", "contract", "option", "expiry", "premium", "pay_date", "calendar", "missing_day"),
    TradeKind.CAPACITY: ("index2", "expiry", "calendar", "missing_day"),
}
PARAMS = {TradeKind.FORWARD: (), TradeKind.VIRTUAL: ("horizon",), TradeKind.CAPACITY: ()}


def terms(trades: pl.DataFrame, *, timezone: str) -> dict[str, Terms]:
    """Terms of each trade by trade_id, in the order of the rows.

    - `forward`: index, start and end at local midnights, strike = the fixed price; pay_date is the day of settlement (null: the end).
    - `virtual`: index = node `LOCATION/RESOURCE/TIER`, buy = dec, sell = inc, strike = λ̂, params `{"horizon": "day-ahead"}`.
    - `capacity`: index, strike; premium and its pay_date, or neither; option is call or null.

    A contract code, where there is one, must be of the index and have the start and end of the row. quantity is per hour; a `total` is
    divided by the hours of delivery (a forward's or a capacity contract's); lots are refused until contracts have a table.

    Args:
        trades: `Trades`.
        timezone: of the days of every index in them.

    Raises `InputError` with every fault of every row.

    >>> from datetime import UTC, datetime
    >>> row = {"trade_id": "T1", "traded_at": datetime(2027, 3, 1, tzinfo=UTC), "book": "desk", "counterparty": "acme", "kind": "forward",
    ...        "side": "buy", "quantity": 100.0, "quantity_unit": "per_hour", "index": "H100-SXM.US.FIRM",
    ...        "contract": "H100-SXM.US.FIRM:2027-04", "start": datetime(2027, 4, 1, 4, tzinfo=UTC),
    ...        "end": datetime(2027, 5, 1, 4, tzinfo=UTC), "strike": 2.5}
    >>> terms(pl.DataFrame([row]), timezone="America/New_York")["T1"].fixed
    2.5
    """
    rows = checked(trades, Trades, name=FILE)
    found: dict[str, Terms] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows.iter_rows(named=True), start=1):
        wrong = [Fault(file=FILE, row=number, column=c, value=v, expected=e) for c, v, e in _broken(row, timezone)]
        if not wrong:
            try:
                found[row["trade_id"]] = _born(row, timezone)
            except InputError as error:
                wrong = [
                    Fault(file=FILE, row=number, column=f.column, value=f.value, expected=f"{f.expected} ({f.file})") for f in error.faults
                ]
        faults += wrong
    if faults:
        raise InputError(faults)
    return found


Broken = tuple[str, str | None, str]  # column, value, what was expected


def _broken(row: Row, timezone: str) -> Iterator[Broken]:
    kind = TradeKind(row["kind"])
    for column in NEEDED[kind]:
        if row[column] is None:
            yield column, "nothing", f"a number: a {kind} needs it"
    for column in NO_PLACE[kind]:
        if row[column] is not None:
            yield column, str(row[column]), f"nothing: a {kind} has no {column}"
    if row["profile"] not in (None, Profile.BASE):
        yield "profile", row["profile"], f"base or nothing for a {kind}"
    if row["quantity_unit"] == QuantityUnit.LOTS:
        yield "quantity_unit", row["quantity_unit"], "per_hour or total: lots need a table of contracts"
    if kind == TradeKind.CAPACITY and row["option"] not in (None, "call"):
        yield "option", row["option"], "call or nothing for a capacity contract"
    if kind == TradeKind.CAPACITY and (row["premium"] is None) != (row["pay_date"] is None):
        yield "premium", str(row["premium"]), "a premium and its pay_date, or neither"
    if kind == TradeKind.VIRTUAL and row["index"].count("/") != 2:
        yield "index", row["index"], "a node LOCATION/RESOURCE/TIER"
    yield from _wrong_params(row, PARAMS[kind])
    yield from _wrong_dates(row, timezone)


def _wrong_params(row: Row, names: tuple[str, ...]) -> Iterator[Broken]:
    text = row["params"]
    try:
        params = {} if text is None else json.loads(text)
    except ValueError:
        yield "params", text, "a JSON object"
        return
    if not isinstance(params, dict):
        yield "params", text, "a JSON object"
        return
    for name in names:
        if not (isinstance(params.get(name), str) and params[name]):
            yield "params", text or "nothing", f"a JSON object with the text {name}: a {row['kind']} needs it"
    for name in params.keys() - set(names):
        yield "params", text, f"no {name}: a {row['kind']} has none"


def _wrong_dates(row: Row, timezone: str) -> Iterator[Broken]:
    if row["contract"] is None or row["kind"] == TradeKind.VIRTUAL:
        return
    try:
        start, end = contract_dates(row["contract"], timezone=timezone)
    except InputError as error:
        yield from (("contract", fault.value, fault.expected) for fault in error.faults)
        return
    if row["contract"].partition(":")[0] != row["index"]:
        yield "contract", row["contract"], f"a contract on {row['index']}"
    for column, moment in (("start", start), ("end", end)):
        if row[column] != moment:
            yield column, row[column].isoformat(), f"{moment.isoformat()}, as {row['contract']} says"


def _born(row: Row, timezone: str) -> Terms:
    start, end = row["start"], row["end"]
    hours = (end - start).total_seconds() / 3600
    quantity = row["quantity"] / hours if row["quantity_unit"] == QuantityUnit.TOTAL else row["quantity"]
    pay = None if row["pay_date"] is None else midnight(row["pay_date"], timezone=timezone)
    side = TradeSide(row["side"])
    match TradeKind(row["kind"]):
        case TradeKind.FORWARD:
            return Forward(
                index=row["index"], start=start, end=end, timezone=timezone, fixed=row["strike"], quantity=quantity, side=side, pay=pay
            )
        case TradeKind.VIRTUAL:
            location, resource, tier = row["index"].split("/")
            return VirtualBid(
                location=location,
                resource=resource,
                tier=tier,
                horizon=json.loads(row["params"])["horizon"],
                side=VirtualSide.DEC if side == TradeSide.BUY else VirtualSide.INC,
                quantity=quantity,
                price=row["strike"],
                start=start,
                end=end,
            )
        case TradeKind.CAPACITY:
            return CapacityContract(
                index=row["index"],
                start=start,
                end=end,
                strike=row["strike"],
                quantity=quantity,
                side=side,
                premium=row["premium"],
                pay=pay,
            )
