"""What every ticket has: the period, how much, which way, and how it becomes a row of `Trades`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, ClassVar, Literal

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import QuantityUnit, TradeKind, TradeSide
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.door import checked
from tenorgrid.data.terms.agreed.kinds import RULES
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.data.terms.specifications.listed import OWN, product_of
from tenorgrid.data.terms.specifications.products import Product, known

Moment = datetime | date | str
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
DRAFT = {name: pl.String() if isinstance(column.dtype, pl.Enum) else column.dtype for name, column in Trades.columns().items()}


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A trade; `.row` is its row of `Trades`, `.frame` the table of it alone. Not used itself: its kinds are.

    Args:
        index: what it is on.
        contract: `2027-05` of the index, `GPU1K27`, or INDEX:PERIOD; or instead
        first, end: local days of the period, or moments with a zone; `end` is the first that is out.
        lots: so many lots of the contract, + bought, − sold; a lot is 730 GPU-hours where its product says so, else a GPU for every hour.
        quantity: or so much, by the hour or, with `quantity_unit` "total", in all; `side` says which way.
        strike: fixed price or strike, USD per GPU-hour.
        trade_id: none is made of the terms, the same for the same terms.
        traded_at: none is 1970, so that the trade stands at every moment.
        timezone: of the index's days.
        products: the user's own listed `Products` beside the packaged ones.

    The other fields are the columns of `Trades` of the same name. Raises `InputError` with everything that is wrong with the terms.
    """

    KIND: ClassVar[TradeKind]
    OPTION: ClassVar[Literal["call", "put"] | None] = None
    PARAMS: ClassVar[tuple[str, ...]] = ()  # fields that are parameters of the kind

    index: str
    strike: float | None = None
    contract: str | None = None
    first: Moment | None = None
    end: Moment | None = None
    lots: float | None = None
    quantity: float | None = None
    quantity_unit: str = "per_hour"
    side: str = "buy"
    profile: str | None = None
    calendar: str | None = None
    missing_day: str | None = None
    premium: float | None = None
    pay_date: date | str | None = None
    trade_id: str = ""
    traded_at: datetime | None = None
    book: str = "desk"
    counterparty: str = "street"
    timezone: str = "America/New_York"
    products: pl.DataFrame | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if not faults:
            try:
                read_trades(drafted([self]), timezone=self.timezone, products=self.products)
            except InputError as error:
                faults = [(fault.column or fault.file, fault.value or "", fault.expected) for fault in error.faults]
        if faults:
            name = type(self).__name__
            raise InputError(Fault(file=name, column=column, value=str(value), expected=wanted) for column, value, wanted in faults)

    @property
    def frame(self) -> pl.DataFrame:
        """`Trades` of this one."""
        return checked(drafted([self]), Trades, name=type(self).__name__)

    @cached_property
    def row(self) -> dict[str, Any]:
        """Its columns of `Trades`."""
        start, end = self._period
        quantity, unit = self._size
        code = self._code
        row = dict.fromkeys(Trades.column_names()) | {
            "traded_at": self.traded_at or ALWAYS, "book": self.book, "counterparty": self.counterparty, "kind": str(self.KIND),
            "side": self._side, "quantity": quantity, "quantity_unit": unit, "index": self.index, "contract": code, "start": start,
            "end": end, "profile": self.profile, "strike": self.strike, "option": self.OPTION, "calendar": self.calendar,
            "missing_day": self.missing_day, "premium": self.premium, "pay_date": _day(self.pay_date),
        }  # fmt: skip
        row |= self._own()
        params = {name: getattr(self, name) for name in self.PARAMS if getattr(self, name) is not None} | self._of_product(row)
        row["params"] = json.dumps(params, sort_keys=True) if params else None
        row["trade_id"] = self.trade_id or f"{self.KIND}-{_digest(row)}"
        return row

    def _own(self) -> dict[str, Any]:
        """Columns that only some kinds have."""
        return {}

    @property
    def _code(self) -> str | None:
        """The contract as `Trades` names it: a period alone is one of the index."""
        if self.contract is not None and self.contract[:4].isdigit():
            return f"{self.index}:{self.contract}"
        return self.contract

    @property
    def _product(self) -> Product | None:
        """The listed product of the contract."""
        found = None if self.contract is None else product_of(self.contract, known(self.products))
        return None if found is OWN else found

    @property
    def _period(self) -> tuple[datetime, datetime]:
        if self._code is not None:
            return contract_dates(self._code, timezone=self.timezone)
        return _moment(self.first, self.timezone), _moment(self.end, self.timezone)

    @property
    def _side(self) -> str:
        return self.side if self.lots is None else str(TradeSide.BUY if self.lots > 0 else TradeSide.SELL)

    @property
    def _size(self) -> tuple[float, str]:
        if self.lots is None:
            return float(self.quantity or 0.0), self.quantity_unit
        if RULES[self.KIND].lots:
            return abs(float(self.lots)), str(QuantityUnit.LOTS)
        lot = None if self._product is None else self._product.lot
        if lot is None:
            return abs(float(self.lots)), str(QuantityUnit.PER_HOUR)
        return abs(self.lots) * lot, str(QuantityUnit.TOTAL)

    def _of_product(self, row: dict[str, Any]) -> dict[str, Any]:
        """Averaging of a listed contract for what is not a future on it; into `row` its calendar and rule for missing days."""
        product, rule = self._product, RULES[self.KIND]
        if product is None or rule.lots or not rule.days or getattr(self, "average", None) is not None:
            return {}
        row["calendar"] = self.calendar or product.calendar
        row["missing_day"] = self.missing_day or (None if product.missing_day is None else str(product.missing_day))
        return {"average": str(product.average)}

    def _faults(self) -> list[tuple[str, object, str]]:
        found: list[tuple[str, object, str]] = []
        if (self.lots is None) == (self.quantity is None):
            found.append(("lots", f"lots {self.lots}, quantity {self.quantity}", "either lots or a quantity"))
        if self.lots is not None and (self.lots == 0 or self.side != "buy" or self.quantity_unit != "per_hour"):
            found.append(("lots", self.lots, "a number other than 0 whose sign is the side, without side and quantity_unit"))
        if self.quantity is not None and not self.quantity > 0:
            found.append(("quantity", self.quantity, "a quantity above 0, with a side"))
        if self.quantity is not None and RULES[self.KIND].lots:
            found.append(("quantity", self.quantity, f"nothing: a {self.KIND} counts lots"))
        if (self.contract is None) == (self.first is None) or (self.first is None) != (self.end is None):
            found.append(("contract", self.contract, "either a contract or a first day and an end"))
        for name in ("first", "end", "pay_date", "expiry"):
            try:
                _moment(getattr(self, name, None) or date(2000, 1, 1), "UTC")
            except ValueError:
                found.append((name, getattr(self, name), "a day such as 2027-05-01, or a moment with its zone"))
        return found


def drafted(tickets: Sequence[Ticket]) -> pl.DataFrame:
    """Rows of `Trades` not yet checked, so that many are checked at once; what has a set of values stands as text."""
    return pl.DataFrame([ticket.row for ticket in tickets], schema=DRAFT, orient="row")


def _moment(value: Moment | None, timezone: str) -> datetime:
    """A day's local midnight, or a moment itself, in UTC."""
    if isinstance(value, str):
        value = date.fromisoformat(value) if len(value) <= len("2027-05-01") else datetime.fromisoformat(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(value)
        return value.astimezone(UTC)
    if value is None:
        raise ValueError(value)
    return midnight(value, timezone=timezone)


def _day(value: date | str | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _digest(row: dict[str, Any]) -> str:
    told = json.dumps({name: value for name, value in row.items() if name != "trade_id"}, sort_keys=True, default=str)
    return sha256(told.encode()).hexdigest()[:8]
