"""Tickets of what is paid on means of indices: forwards, swaps, futures, spreads, baskets."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.kinds import RULES
from tenorgrid.data.terms.tickets.ticket import Ticket


@dataclass(frozen=True, kw_only=True)
class Forward(Ticket):
    """Receive the mean, pay `strike`, at the end or on `pay_date`.

    >>> Forward(index="H100-SXM.US.FIRM", contract="2027-05", strike=2.5, quantity=100.0).row["contract"]
    'H100-SXM.US.FIRM:2027-05'
    """

    KIND: ClassVar[TradeKind] = TradeKind.FORWARD
    PARAMS: ClassVar[tuple[str, ...]] = ("average", "unit")

    average: str | None = None
    unit: str | None = None


@dataclass(frozen=True, kw_only=True)
class Swap(Forward):
    """A forward that pays every calendar month by itself as it ends."""

    KIND: ClassVar[TradeKind] = TradeKind.SWAP


@dataclass(frozen=True, kw_only=True)
class Future(Ticket):
    """Lots of a listed contract, or of INDEX:PERIOD, margined every day.

    >>> Future(index="H100-SXM.US.FIRM", contract="GPU1K27", strike=2.5, lots=-3, missing_day="refuse").row["quantity"]
    3.0
    """

    KIND: ClassVar[TradeKind] = TradeKind.FUTURE
    PARAMS: ClassVar[tuple[str, ...]] = ("average", "lot")

    average: str | None = None
    lot: float | None = None


@dataclass(frozen=True, kw_only=True)
class Perpetual(Ticket):
    """A perpetual future entered at `strike`: `quantity` GPU-hours in all, opened on `first`, with funding at `rate` and `interest` a day.

    `end` is the horizon to which the curve is read; `marks` names the fixings of its own price, for the funding paid since it was opened.

    >>> Perpetual(index="X", first="2027-03-16", end="2027-07-01", strike=2.5, quantity=5000.0, rate=0.1).row["quantity_unit"]
    'total'
    """

    KIND: ClassVar[TradeKind] = TradeKind.PERPETUAL
    PARAMS: ClassVar[tuple[str, ...]] = ("rate", "interest", "marks")

    quantity_unit: str = "total"
    rate: float
    interest: float | None = None
    marks: str | None = None


@dataclass(frozen=True, kw_only=True)
class Spread(Ticket):
    """Receive the mean of `index` less `ratio` times that of `index2`, pay `strike`."""

    KIND: ClassVar[TradeKind] = TradeKind.SPREAD
    PARAMS: ClassVar[tuple[str, ...]] = ("ratio", "average", "unit")

    index2: str
    ratio: float | None = None
    average: str | None = None
    unit: str | None = None

    def _own(self) -> dict[str, Any]:
        return {"index2": self.index2, **without_contract(self)}


@dataclass(frozen=True, kw_only=True)
class Basket(Ticket):
    """Receive the sum of weights times means, pay `strike`; `index` says what the trade is filed under."""

    KIND: ClassVar[TradeKind] = TradeKind.BASKET
    PARAMS: ClassVar[tuple[str, ...]] = ("weights", "average", "unit")

    weights: dict[str, float]
    average: str | None = None
    unit: str | None = None

    def _own(self) -> dict[str, Any]:
        return without_contract(self)


def without_contract(ticket: Ticket) -> dict[str, Any]:
    """Kinds on several indices have no contract of one: its dates are enough."""
    return {} if "contract" in RULES[ticket.KIND].may else {"contract": None}
