"""What a contract code stands for: its product's rules over the dates that its letters say."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import Averaging
from tenorgrid.data.periods import MONTH_LETTERS, Period, delivery
from tenorgrid.data.tables.contracts import Contracts
from tenorgrid.data.terms.specifications.products import Product, known

_LISTED = re.compile(rf"(?P<product>[A-Z0-9-]+)[{MONTH_LETTERS}]\d{{2}}")
OWN = Product(
    product="", index=None, settles_on="the index of its name", unit="GPU-hours", lot=None, tick=0.001, months=None,
    average=Averaging.CALENDAR_DAY, calendar=None, timezone=None, missing_day=None, price_limit=None, fallback=None, decimals=None,
    source="docs/contracts.md", not_published=None,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A contract code with its product's rules, the index that its name says, and its dates."""

    contract: str
    product: Product
    index: str | None
    period: Period
    lot: float  # GPU-hours


def product_of(contract: str, products: Mapping[str, Product]) -> Product | None:
    """The product of a code: one of `products` for GPU1J27, `OWN` for INDEX:PERIOD, None for a code of no product known here.

    >>> product_of("GPU1J27", known()).lot, product_of("H100-SXM.US.FIRM:2027-04", known()) is OWN, product_of("ABCJ27", known())
    (730.0, True, None)
    """
    if ":" in contract:
        return OWN
    found = _LISTED.fullmatch(contract)
    return products.get(found["product"]) if found else None


def listed(contract: str, *, timezone: str, products: Mapping[str, Product] | None = None) -> Listed:
    """A contract code spelled out.

    Args:
        contract: `GPU1J27`, or `INDEX:PERIOD` with any period of `delivery`.
        timezone: of the index's days, where the product names none.
        products: by code; None is the packaged ones.

    Raises `InputError` for a code of no product, and a product whose days are of another time zone.

    >>> [listed(code, timezone="America/New_York").lot for code in ("GPU1H27", "HPRH27", "X:2027-03")]
    [730.0, 743.0, 743.0]
    """
    there = known() if products is None else products
    product = product_of(contract, there)
    if product is None:
        wanted = f"INDEX:PERIOD, or a product, month letter and year: {', '.join(there)}"
        raise InputError.of("contract", wanted, value=contract)
    if product.timezone not in (None, timezone):
        raise InputError.of("contract", f"days of {timezone}", column="timezone", value=f"{product.timezone} of {contract}")
    period = delivery(contract, timezone=timezone)
    index = contract.partition(":")[0] if product is OWN else product.index
    return Listed(contract=contract, product=product, index=index, period=period, lot=period.hours if product.lot is None else product.lot)


def contracts(codes: Iterable[str], *, timezone: str = "America/New_York", products: pl.DataFrame | None = None) -> pl.DataFrame:
    """`Contracts`: codes spelled out, one a row.

    `first_trade` counts listed months back from delivery: with 36 listed, the month itself is the first of them. The last day of
    trading of INDEX:PERIOD is the last of its period; exchanges' own are null where not published.

    Args:
        codes: contract codes.
        timezone: of the indices' days.
        products: the user's own `Products` beside the packaged ones.

    Raises `InputError` with every code that stands for nothing.

    >>> contracts(["GPU1J27", "HPRJ27"]).select("contract", "lot", "tick_value", "first_trade", "average").rows()
    [('GPU1J27', 730.0, 7.3, datetime.date(2024, 5, 1), 'business-day'), ('HPRJ27', 720.0, 0.72, datetime.date(2025, 5, 1), 'calendar-day')]
    """
    there = known(products)
    rows, faults = [], list[Fault]()
    for number, code in enumerate(codes, start=1):
        try:
            rows.append(_row(listed(code, timezone=timezone, products=there), timezone))
        except InputError as error:
            faults += [
                Fault(file="contracts", row=number, column="contract", value=fault.value, expected=fault.expected) for fault in error.faults
            ]
    if faults:
        raise InputError(faults)
    schema = {name: column.dtype for name, column in Contracts.columns().items()}
    return Contracts.validate(pl.DataFrame(rows, schema=schema, orient="row"), cast=True)


def _row(one: Listed, timezone: str) -> dict[str, object]:
    rules = one.product
    zone = ZoneInfo(timezone)
    begin, last = one.period.start.astimezone(zone).date(), one.period.end.astimezone(zone).date() - timedelta(days=1)
    return {
        "contract": one.contract, "product": rules.product or None, "index": one.index, "unit": rules.unit, "lot": one.lot,
        "tick": rules.tick, "tick_value": round(rules.tick * one.lot, 9), "start": one.period.start, "end": one.period.end,
        "first_trade": None if rules.months is None else _back(begin, rules.months - 1), "last_trade": last if rules is OWN else None,
        "average": str(rules.average), "calendar": rules.calendar,
        "missing_day": None if rules.missing_day is None else str(rules.missing_day), "price_limit": rules.price_limit,
        "fallback": rules.fallback,
    }  # fmt: skip


def _back(first: date, months: int) -> date:
    place = 12 * first.year + first.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)
