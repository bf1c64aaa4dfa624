"""The rules of one market: its intervals, horizons, price bounds and scarcity curve (`market.toml`)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule

FILE = "market.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """When the market for a delivery day runs: `lead` before that day begins in the market's time zone."""

    name: str
    lead: timedelta


REAL_TIME = Horizon(name="real-time", lead=timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scarcity:
    """Parameters of A(r) = (VOLL − reference_price) · LOLP(r); contingency, mean and sd in resource-hours per hour."""

    reference_price: float
    contingency: float
    mean: float
    sd: float
    steps: int

    def __post_init__(self) -> None:
        if self.sd <= 0:
            raise InputError.of(FILE, "a standard deviation above 0", column="scarcity.sd", value=self.sd)
        if self.contingency < 0:
            raise InputError.of(FILE, "a contingency of at least 0", column="scarcity.contingency", value=self.contingency)
        if self.steps < 1:
            raise InputError.of(FILE, "at least one step", column="scarcity.steps", value=self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What holds for every bid and offer of a case. Prices in USD per resource-hour; horizons with the longest lead first."""

    name: str
    interval: timedelta
    timezone: str
    pricing: PricingRule
    price_floor: float
    price_cap: float
    voll: float
    horizons: tuple[Horizon, ...] = (REAL_TIME,)
    scarcity: Scarcity | None = None

    def __post_init__(self) -> None:
        if self.interval <= timedelta(0) or timedelta(days=1) % self.interval:
            raise InputError.of(FILE, "an interval that divides a day", column="interval", value=self.interval)
        if not self.price_floor < self.price_cap:
            raise InputError.of(FILE, "a price_floor below the price_cap", column="price_floor", value=self.price_floor)
        if not self.price_floor <= self.voll <= self.price_cap:
            raise InputError.of(FILE, "a voll between price_floor and price_cap", column="voll", value=self.voll)
        names = [horizon.name for horizon in self.horizons]
        if not names or len(set(names)) < len(names):
            raise InputError.of(FILE, "horizons of different names", column="horizons", value=names)
        if any(first.lead <= second.lead for first, second in pairwise(self.horizons)):
            raise InputError.of(FILE, "horizons of different leads", column="horizons.lead", value=names)

    @property
    def hours(self) -> float:
        """Δ, the length of an interval in hours."""
        return self.interval / timedelta(hours=1)

    def midnight(self, day: date) -> datetime:
        """First instant of `day` in the market's time zone, in UTC."""
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.timezone)).astimezone(ZoneInfo("UTC"))

    def cleared_until(self, horizon: Horizon, as_of: date) -> datetime:
        """End of the deliveries whose market at `horizon` has run before `as_of` begins.

        The market for day D runs at D − lead; what runs at or after `as_of` is not known yet.
        """
        return (
            self.midnight(as_of + horizon.lead) if horizon.lead % timedelta(days=1) == timedelta(0) else self.midnight(as_of) + horizon.lead
        )
