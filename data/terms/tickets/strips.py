"""Tickets of strips: an option on every hour of a period."""

from dataclasses import dataclass
from typing import ClassVar

from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.tickets.ticket import Ticket


@dataclass(frozen=True, kw_only=True)
class Cap(Ticket):
    """Σ over hours of max(λ − strike, 0)."""

    KIND: ClassVar[TradeKind] = TradeKind.CAP
    PARAMS: ClassVar[tuple[str, ...]] = ("model",)

    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class Floor(Cap):
    """Σ over hours of max(strike − λ, 0)."""

    KIND: ClassVar[TradeKind] = TradeKind.FLOOR


@dataclass(frozen=True, kw_only=True)
class Collar(Cap):
    """A cap bought at the strike, a floor sold at `floor`."""

    KIND: ClassVar[TradeKind] = TradeKind.COLLAR
    PARAMS: ClassVar[tuple[str, ...]] = ("model", "floor")

    floor: float


@dataclass(frozen=True, kw_only=True)
class Capacity(Ticket):
    """The right to GPU-hours at the strike: a cap, delivered."""

    KIND: ClassVar[TradeKind] = TradeKind.CAPACITY
