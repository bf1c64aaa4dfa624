"""Tickets of options on the mean of a period, decided before it, during it or by the mean itself."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.tickets.linear import without_contract
from tenorgrid.data.terms.tickets.ticket import Moment, Ticket, _moment


@dataclass(frozen=True, kw_only=True)
class Decided(Ticket):
    """An option with an `expiry`: a local day, or a moment with its zone; None is the beginning of the period."""

    expiry: Moment | None = None

    def _own(self) -> dict[str, Any]:
        when = self._period[0] if self.expiry is None else _moment(self.expiry, self.timezone)
        return {"expiry": when, **without_contract(self)}


@dataclass(frozen=True, kw_only=True)
class Call(Decided):
    """max(mean − strike, 0), decided at `expiry`."""

    KIND: ClassVar[TradeKind] = TradeKind.OPTION
    OPTION: ClassVar[Literal["call", "put"] | None] = "call"
    PARAMS: ClassVar[tuple[str, ...]] = ("average", "model")

    average: str | None = None
    model: str | None = None


@dataclass(frozen=True, kw_only=True)
class Put(Call):
    """max(strike − mean, 0), decided at `expiry`."""

    OPTION: ClassVar[Literal["call", "put"] | None] = "put"


@dataclass(frozen=True, kw_only=True)
class AmericanCall(Decided):
    """mean − strike at any moment until `expiry`."""

    KIND: ClassVar[TradeKind] = TradeKind.AMERICAN
    OPTION: ClassVar[Literal["call", "put"] | None] = "call"
    PARAMS: ClassVar[tuple[str, ...]] = ("average",)

    average: str | None = None


@dataclass(frozen=True, kw_only=True)
class AmericanPut(AmericanCall):
    """strike − mean at any moment until `expiry`."""

    OPTION: ClassVar[Literal["call", "put"] | None] = "put"


@dataclass(frozen=True, kw_only=True)
class BarrierCall(Decided):
    """A call that begins or ends when the forward of the period touches `level`."""

    KIND: ClassVar[TradeKind] = TradeKind.BARRIER
    OPTION: ClassVar[Literal["call", "put"] | None] = "call"
    PARAMS: ClassVar[tuple[str, ...]] = ("barrier", "level", "rebate", "touched", "average")

    barrier: str
    level: float
    rebate: float | None = None
    touched: str | None = None
    average: str | None = None


@dataclass(frozen=True, kw_only=True)
class BarrierPut(BarrierCall):
    """A put that begins or ends when the forward of the period touches `level`."""

    OPTION: ClassVar[Literal["call", "put"] | None] = "put"


@dataclass(frozen=True, kw_only=True)
class BasketCall(Decided):
    """max(Σ weight × mean − strike, 0), decided at `expiry`."""

    KIND: ClassVar[TradeKind] = TradeKind.BASKET_OPTION
    OPTION: ClassVar[Literal["call", "put"] | None] = "call"
    PARAMS: ClassVar[tuple[str, ...]] = ("weights", "method", "average")

    weights: dict[str, float]
    method: str | None = None
    average: str | None = None


@dataclass(frozen=True, kw_only=True)
class BasketPut(BasketCall):
    """max(strike − Σ weight × mean, 0), decided at `expiry`."""

    OPTION: ClassVar[Literal["call", "put"] | None] = "put"


@dataclass(frozen=True, kw_only=True)
class SpreadCall(Decided):
    """max(mean − ratio × mean of index2 − strike, 0), decided at `expiry`."""

    KIND: ClassVar[TradeKind] = TradeKind.SPREAD_OPTION
    OPTION: ClassVar[Literal["call", "put"] | None] = "call"
    PARAMS: ClassVar[tuple[str, ...]] = ("ratio", "method", "average")

    index2: str
    ratio: float | None = None
    method: str | None = None
    average: str | None = None

    def _own(self) -> dict[str, Any]:
        return super()._own() | {"index2": self.index2}


@dataclass(frozen=True, kw_only=True)
class SpreadPut(SpreadCall):
    """max(strike − mean + ratio × mean of index2, 0), decided at `expiry`."""

    OPTION: ClassVar[Literal["call", "put"] | None] = "put"


@dataclass(frozen=True, kw_only=True)
class AsianCall(Ticket):
    """max(mean − strike, 0) of the marks themselves.

    >>> sold = AsianCall(index="H100-SXM.US.FIRM", contract="2027-05", strike=2.60, lots=-5)
    >>> [sold.row[name] for name in ("contract", "side", "quantity", "quantity_unit", "option")]
    ['H100-SXM.US.FIRM:2027-05', 'sell', 5.0, 'per_hour', 'call']
    """

    KIND: ClassVar[TradeKind] = TradeKind.AVERAGE
    OPTION: ClassVar[Literal["call", "put"] | None] = "call"
    PARAMS: ClassVar[tuple[str, ...]] = ("average",)

    average: str | None = None


@dataclass(frozen=True, kw_only=True)
class AsianPut(AsianCall):
    """max(strike − mean, 0) of the marks themselves."""

    OPTION: ClassVar[Literal["call", "put"] | None] = "put"
