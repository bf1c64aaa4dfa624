"""A forward curve as a desk holds it: prices of contracts, averages, risk, arbitrage, and its page."""

from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import polars as pl

from tenorgrid.curves.arbitrage import arbitrages, portfolio
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.methods.asked import Asked
from tenorgrid.curves.risk.deltas import Deltas, deltas
from tenorgrid.curves.risk.months import monthly_jacobian, months
from tenorgrid.curves.risk.scenarios import roll_down
from tenorgrid.results import Tables, to_day


@dataclass(frozen=True, kw_only=True)
class Curve(Tables):
    """A forward curve: its hours, the quotes it averages back to, and the contracts it prices; `asked` is how it was asked to be."""

    quotes: pl.DataFrame = field(repr=False)
    curve: pl.DataFrame = field(repr=False)
    fitted: ForwardCurve = field(repr=False)
    asked: Asked = field(repr=False, default_factory=Asked)

    def __getitem__(self, contract: str) -> float:
        """Price of a contract, quoted or by its code such as `H100-SXM.US.FIRM:2027-04`, USD per GPU-hour."""
        return self.fitted[contract]

    def average(self, start: datetime | date | str, end: datetime | date | str, *, profile: str = "base") -> float:
        """Average forward over `[start, end)`, days given as dates or text; profile such as `peak@America/New_York`."""
        low, high = _edge(start), _edge(end)
        return self.fitted.average(low, high, profile=profile)

    def jacobian(self) -> pl.DataFrame:
        """`Jacobian`: every hour by every quote."""
        return self.fitted.jacobian()

    def monthly_jacobian(self) -> pl.DataFrame:
        """`MonthlyJacobian`: the mean of every local month by every quote."""
        return monthly_jacobian(self.fitted)

    def months(self, *, days: int = 30) -> pl.DataFrame:
        """`CurveMonths`: mean forward, band, what a cent is worth, and the roll-down after `days`."""
        return months(self.fitted, limits=self.curve, days=days)

    def bump(self, quote: str, size: float) -> "Curve":
        """The curve with one quote, given by its name or contract, moved by `size` USD per GPU-hour."""
        named = self.quotes.filter(pl.col("quote_id") == quote)
        coded = self.quotes.filter(pl.col("contract") == quote)["quote_id"]
        return as_curve(self.fitted.bump(coded[0] if named.is_empty() and len(coded) == 1 else quote, size), asked=self.asked)

    @property
    def arbitrage(self) -> pl.DataFrame:
        """`Arbitrages` among the prices of its quotes: what a curve of prices met within its tolerance, and one of bids and asks spread."""
        found = [portfolio(tie) for tie in self.fitted.redundant if tie.size]
        return arbitrages(self.quotes, self.fitted.rows, found)

    def deltas(
        self, start: datetime | date | str | None = None, end: datetime | date | str | None = None, *, quantity: float = 1.0
    ) -> Deltas:
        """Deltas by quote and by month of `quantity` GPUs in every hour of `[start, end)`; None is the whole curve."""
        return deltas(self.fitted, self._position(start, end, quantity))

    def roll_down(
        self, to: datetime, *, start: datetime | date | str | None = None, end: datetime | date | str | None = None, quantity: float = 1.0
    ) -> float:
        """USD that the same position gains if the curve by time to delivery stays what it is until `to`."""
        return roll_down(self.fitted, self._position(start, end, quantity), to=to)

    def _position(self, start: datetime | date | str | None, end: datetime | date | str | None, quantity: float) -> np.ndarray:
        held = np.zeros(self.fitted.forward.size)
        low, high = self.fitted.places(
            self.curve["start"][0] if start is None else _edge(start), self.curve["end"][-1] if end is None else _edge(end)
        )
        held[low:high] = quantity
        return held


def _edge(edge: datetime | date | str) -> datetime | date:
    day = to_day(edge, name="period") if isinstance(edge, str) else edge
    return day if day is not None else date.min


def as_curve(fitted: ForwardCurve, *, asked: Asked | None = None) -> Curve:
    """A fitted curve with the manners of every result."""
    return Curve(quotes=fitted.quotes, curve=fitted.curve, fitted=fitted, asked=asked or Asked())
