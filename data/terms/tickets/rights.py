"""Tickets of rights and duties over a period: virtual bids, capacity with its conditions, leases, machines that may run or be replaced."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.tickets.ticket import Ticket


@dataclass(frozen=True, kw_only=True)
class Virtual(Ticket):
    """λ at real time less `strike` in every hour: `side` buy is a dec, sell an inc; `index` is the node LOCATION/RESOURCE/TIER."""

    KIND: ClassVar[TradeKind] = TradeKind.VIRTUAL
    PARAMS: ClassVar[tuple[str, ...]] = ("horizon",)

    horizon: str


@dataclass(frozen=True, kw_only=True)
class Reliability(Ticket):
    """Σ (λ − strike)⁺, and `penalty` for hours not delivered then, at most `stop_loss` in twelve months."""

    KIND: ClassVar[TradeKind] = TradeKind.RELIABILITY
    PARAMS: ClassVar[tuple[str, ...]] = ("penalty", "availability", "stop_loss", "paid", "reversion")

    penalty: float | None = None
    availability: float | None = None
    stop_loss: float | None = None
    paid: float | None = None
    reversion: float | None = None


@dataclass(frozen=True, kw_only=True)
class TakeOrPay(Ticket):
    """λ − strike on what is taken, at least `minimum` GPU-hours in all."""

    KIND: ClassVar[TradeKind] = TradeKind.TAKE_OR_PAY
    PARAMS: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "shortfall", "taken")

    minimum: float | None = None
    maximum: float | None = None
    shortfall: float | None = None
    taken: float | None = None


@dataclass(frozen=True, kw_only=True)
class Swing(Ticket):
    """λ − strike on lots that the holder calls day by day or hour by hour, `rights` of them in all."""

    KIND: ClassVar[TradeKind] = TradeKind.SWING
    PARAMS: ClassVar[tuple[str, ...]] = ("rights", "minimum", "most", "ramp", "before", "used", "step", "reversion")

    rights: int
    minimum: int | None = None
    most: int | None = None
    ramp: int | None = None
    before: int | None = None
    used: int | None = None
    step: str | None = None
    reversion: float | None = None


@dataclass(frozen=True, kw_only=True)
class Tolling(Ticket):
    """Output × (λ − rate × index2 − strike) in the hours that it runs, less what starts cost."""

    KIND: ClassVar[TradeKind] = TradeKind.TOLLING
    PARAMS: ClassVar[tuple[str, ...]] = (
        "rate", "start_cost", "minimum_run", "minimum_rest", "minimum_output", "before", "method", "reversion", "unit",
    )  # fmt: skip

    index2: str
    rate: float | None = None
    start_cost: float | None = None
    minimum_run: int | None = None
    minimum_rest: int | None = None
    minimum_output: float | None = None
    before: str | None = None
    method: str | None = None
    reversion: float | None = None
    unit: str | None = None

    def _own(self) -> dict[str, Any]:
        return {"index2": self.index2}


@dataclass(frozen=True, kw_only=True)
class Lease(Ticket):
    """Rent `strike` that falls where availability is under what was `promised`, against the market's price."""

    KIND: ClassVar[TradeKind] = TradeKind.LEASE
    PARAMS: ClassVar[tuple[str, ...]] = ("promised", "availability", "concentration", "slope", "floor")

    promised: float
    availability: float
    concentration: float | None = None
    slope: float | None = None
    floor: float | None = None


@dataclass(frozen=True, kw_only=True)
class GenerationSwitch(Ticket):
    """The right to go over from `index` to `ratio` of `index2` for the months to come, for `cost`; no strike."""

    KIND: ClassVar[TradeKind] = TradeKind.GENERATION_SWITCH
    PARAMS: ClassVar[tuple[str, ...]] = ("ratio", "cost", "decisions", "reversion", "reversion2")

    index2: str
    ratio: float | None = None
    cost: float | None = None
    decisions: str | None = None
    reversion: float | None = None
    reversion2: float | None = None

    def _own(self) -> dict[str, Any]:
        return {"index2": self.index2}


@dataclass(frozen=True, kw_only=True)
class Recall(Ticket):
    """The right to recall what is listed, for `strike` less than firm in every hour: kind preemption."""

    KIND: ClassVar[TradeKind] = TradeKind.PREEMPTION
    PARAMS: ClassVar[tuple[str, ...]] = ("interruption", "overcommit", "availability", "reversion")

    interruption: float
    overcommit: float | None = None
    availability: float | None = None
    reversion: float | None = None
