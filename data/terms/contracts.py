"""What two parties agreed on compute: no prices of today, no models."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import TradeSide
from tenorgrid.data.kinds.market import VirtualSide
from tenorgrid.data.periods import delivery, midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Receive (buy) or pay (sell) the mean of the index's daily marks over `[start, end)` against `fixed`.

    Pays `quantity` × hours of delivery × (mean − fixed), every local day of `timezone` counting once in the mean; `quantity` in
    GPU-hours per hour, `fixed` in USD per GPU-hour. Start and end are local midnights. Paid on `pay`, else at `end`.

    >>> start, end = contract_dates("H100-SXM.US.FIRM:2027-04", timezone="America/New_York")
    >>> Forward(index="H100-SXM.US.FIRM", start=start, end=end, timezone="America/New_York", fixed=2.5, quantity=100.0,
    ...         side=TradeSide.BUY).hours
    720
    """

    index: str
    start: datetime
    end: datetime
    timezone: str
    fixed: float
    quantity: float
    side: TradeSide
    pay: datetime | None = None

    def __post_init__(self) -> None:
        _born("forward", [*_span(self.start, self.end), *_midnights(self.start, self.end, self.timezone), *_positive(self.quantity)])

    @property
    def hours(self) -> int:
        """Hours of delivery: a month with a clock change has one more or less."""
        return _hours(self.start, self.end)

    @property
    def days(self) -> tuple[date, ...]:
        """Local days whose marks make the mean."""
        zone = ZoneInfo(self.timezone)
        first, end = self.start.astimezone(zone).date(), self.end.astimezone(zone).date()
        return tuple(first + timedelta(n) for n in range((end - first).days))

    @property
    def sign(self) -> float:
        """1 for a buyer, −1 for a seller."""
        return 1.0 if self.side == TradeSide.BUY else -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBid:
    """A cleared virtual bid: a `dec` bought `quantity` per hour at `price` = λ̂ of its horizon, an `inc` sold it; closed at real time.

    Pays (λ_rt − λ̂) q to a dec and (λ̂ − λ_rt) q to an inc in each hour of `[start, end)` at the node.

    >>> VirtualBid(location="us-east", resource="h100-sxm", tier="firm", horizon="day-ahead", side=VirtualSide.DEC, quantity=8.0, price=2.4,
    ...            start=datetime(2027, 3, 16, 18, tzinfo=UTC), end=datetime(2027, 3, 16, 19, tzinfo=UTC)).index
    'H100-SXM.US-EAST.FIRM'
    """

    location: str
    resource: str
    tier: str
    horizon: str
    side: VirtualSide
    quantity: float
    price: float
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        faults = [*_span(self.start, self.end), *_positive(self.quantity)]
        if self.horizon == "real-time":
            faults.append(("horizon", self.horizon, "an ahead horizon: nothing is virtual at real time"))
        _born("virtual bid", faults)

    @property
    def index(self) -> str:
        """Name of the index of its node."""
        return f"{self.resource}.{self.location}.{self.tier}".upper()

    @property
    def node(self) -> str:
        """LOCATION/RESOURCE/TIER, as trades name it."""
        return f"{self.location}/{self.resource}/{self.tier}"

    @property
    def sign(self) -> float:
        """1 for a dec, which gains when real time is above λ̂; −1 for an inc."""
        return 1.0 if self.side == VirtualSide.DEC else -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityContract:
    """The right to `quantity` GPU-hours in each hour of `[start, end)` at `strike`: a strip of hourly calls on λ.

    Each hour pays `quantity` × max(λ − strike, 0) to the buyer, when it is delivered. `premium` in USD is paid by the buyer on `pay`.

    >>> start, end = contract_dates("H100-SXM.US.FIRM:2027-03", timezone="America/New_York")
    >>> CapacityContract(index="H100-SXM.US.FIRM", start=start, end=end, strike=2.6, quantity=50.0, side=TradeSide.BUY).hours
    743
    """

    index: str
    start: datetime
    end: datetime
    strike: float
    quantity: float
    side: TradeSide
    premium: float | None = None
    pay: datetime | None = None

    def __post_init__(self) -> None:
        faults = [*_span(self.start, self.end), *_positive(self.quantity)]
        if not self.strike > 0:
            faults.append(("strike", self.strike, "a strike above 0"))
        if (self.premium is None) != (self.pay is None):
            faults.append(("premium", self.premium, "a premium and its day of payment, or neither"))
        _born("capacity contract", faults)

    @property
    def hours(self) -> int:
        """Hours of delivery."""
        return _hours(self.start, self.end)

    @property
    def sign(self) -> float:
        """1 for a buyer, −1 for a seller."""
        return 1.0 if self.side == TradeSide.BUY else -1.0


def contract_dates(code: str, *, timezone: str) -> tuple[datetime, datetime]:
    """First instant of delivery and first instant after it, in UTC, of a contract code: `delivery` as two moments.

    >>> [moment.isoformat() for moment in contract_dates("H100-SXM.US.FIRM:2027-03", timezone="America/New_York")]
    ['2027-03-01T05:00:00+00:00', '2027-04-01T04:00:00+00:00']
    """
    period = delivery(code, timezone=timezone)
    return period.start, period.end


def lot_hours(code: str, *, timezone: str, convention: Literal["hours", "730"] = "hours") -> float:
    """GPU-hours of one lot of a contract on one GPU: the hours of its delivery, or 730 a month, as some futures count.

    The average is the same; what differs is how many GPU-hours it is paid on.

    >>> [lot_hours("2027-03", timezone="America/New_York", convention=how) for how in ("hours", "730")]
    [743.0, 730.0]
    """
    period = delivery(code, timezone=timezone)
    if convention == "hours":
        return period.hours
    if convention != "730":
        raise InputError.of("contract", "hours or 730", column="convention", value=convention)
    zone = ZoneInfo(timezone)
    first, end = period.start.astimezone(zone), period.end.astimezone(zone)
    if first.day != 1 or end.day != 1:
        raise InputError.of("contract", "whole months for a lot of 730 hours a month", value=code)
    return 730.0 * (12 * (end.year - first.year) + end.month - first.month)


Broken = tuple[str, object, str]  # field, value, what was expected


def _span(start: datetime, end: datetime) -> list[Broken]:
    faults: list[Broken] = [
        (name, moment, "a time with its zone") for name, moment in (("start", start), ("end", end)) if moment.tzinfo is None
    ]
    if not faults and not start < end:
        faults.append(("end", end, f"an end after the start {start}"))
    return faults or [(name, moment, "a whole hour") for name, moment in (("start", start), ("end", end)) if _past_hour(moment)]


def _past_hour(moment: datetime) -> bool:
    return bool(moment.minute or moment.second or moment.microsecond)


def _midnights(start: datetime, end: datetime, timezone: str) -> list[Broken]:
    near = {moment: moment.astimezone(UTC).date() for moment in (start, end) if moment.tzinfo}
    begins = {moment: {midnight(day + timedelta(n), timezone=timezone) for n in (-1, 0, 1)} for moment, day in near.items()}
    return [(name, at, f"midnight in {timezone}") for name, at in (("start", start), ("end", end)) if at in begins and at not in begins[at]]


def _positive(quantity: float) -> list[Broken]:
    return [] if 0 < quantity < float("inf") else [("quantity", quantity, "a quantity above 0")]


def _born(what: str, faults: list[Broken]) -> None:
    if faults:
        raise InputError(Fault(file=what, column=column, value=str(value), expected=expected) for column, value, expected in faults)


def _hours(start: datetime, end: datetime) -> int:
    return int((end - start) / timedelta(hours=1))
