"""Discount factors of a QuantLib curve: made from deposits and overnight swaps, or handed in; the handle can be had back."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import QuantLib as ql

from tenorgrid.curves.conventions import calendar as calendar_of
from tenorgrid.curves.conventions import day_count as day_count_of
from tenorgrid.curves.conventions import ql_date
from tenorgrid.curves.discount import Flat
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.rental import DiscountRates

DAYS_PER_YEAR = 365.0
SPOT = 2  # business days to the start of what is not overnight


@dataclass(frozen=True, eq=False, kw_only=True)
class DiscountCurve:
    """Discount factors read from a QuantLib handle, whose reference date is the day of `as_of` in `timezone`.

    The handle stays live: what is linked to it later is what counts. Between two midnights factors are log-linear.
    """

    handle: Any  # ql.YieldTermStructureHandle
    timezone: str = "UTC"

    @property
    def day(self) -> date:
        """Reference date: the day whose dollar is worth one."""
        found = self.handle.referenceDate()
        return date(found.year(), found.month(), found.dayOfMonth())

    def factor(self, as_of: datetime, when: datetime) -> float:
        """Worth at `as_of` of one dollar at `when`.

        Raises `InputError` for an `as_of` on another day than the curve's, for a payment in the past, and beyond the curve's last date.
        """
        if as_of.astimezone(ZoneInfo(self.timezone)).date() != self.day:
            raise InputError.of("discount", f"a moment of {self.day}, the day of the curve", column="as_of", value=as_of)
        days = (when - as_of).total_seconds() / 86_400
        if days < 0:
            raise InputError.of("discount", f"a payment at or after {as_of}", value=when)
        return float(self.factors(np.array([days / DAYS_PER_YEAR]))[0])

    def factors(self, years: Vector) -> Vector:
        """Factors of payments `years` (n,) of 365 days from the reference date. Raises `InputError` beyond the curve's last date."""
        days = np.asarray(years, dtype=np.float64) * DAYS_PER_YEAR
        if days.size == 0:
            return days
        low = np.floor(days + 1e-9).astype(np.int64)
        part = np.maximum(days - low, 0.0)
        whole, place = np.unique(np.concatenate([low, low + (part > 0)]), return_inverse=True)
        self._refuse_beyond(int(whole[0]), int(whole[-1]))
        first = self.handle.referenceDate()
        logs = np.log([self.handle.discount(first + int(day)) for day in whole])[place]
        return np.asarray(np.exp((1 - part) * logs[: days.size] + part * logs[days.size :]))

    def _refuse_beyond(self, least: int, most: int) -> None:
        last = self.handle.maxDate() - self.handle.referenceDate()
        if least < 0:
            raise InputError.of("discount", f"a payment at or after {self.day}", value=f"{-least} days before")
        if most > last and not self.handle.allowsExtrapolation():
            end = self.day + timedelta(days=int(last))
            raise InputError.of("discount", f"payments until {end}, the last date of the curve", value=self.day + timedelta(days=most))


def discount_curve(
    rates: pl.DataFrame, *, as_of: date, calendar: str = "USNY", day_count: str = "ACT/360", timezone: str = "UTC"
) -> DiscountCurve:
    """A curve on which every deposit and overnight swap is worth nothing, log-linear between its dates.

    Deposits: D(start) / D(end) = 1 + r τ. Overnight swaps: r Σ τᵢ D(tᵢ) = D(start) − D(end), paid once a year, dates modified following.
    QuantLib's bootstrap is run at `as_of` and its evaluation date put back; the result depends on no global setting.

    Args:
        rates: `DiscountRates`; the longest tenor is where the curve ends.
        as_of: reference date.
        calendar, day_count: names of `tenorgrid.curves.conventions`.
        timezone: in which `as_of` is a day.

    Raises `InputError` for a bad table, and where no factors fit the rates.

    >>> table = pl.DataFrame({"instrument": ["deposit", "ois"], "tenor": ["3M", "1Y"], "rate": [0.040, 0.038]})
    >>> made = discount_curve(table, as_of=date(2027, 3, 16))
    >>> made.factors(np.array([0.0, 1.0])).round(6)
    array([1.      , 0.962882])
    """
    known = checked(rates, DiscountRates, name="discount")
    if known.is_empty():
        raise InputError.of("discount", "at least one rate")
    place, count = calendar_of(calendar), day_count_of(day_count)
    before = ql.Settings.instance().evaluationDate
    try:
        ql.Settings.instance().evaluationDate = ql_date(as_of)
        helpers = [_helper(row, place, count) for row in known.iter_rows(named=True)]
        fitted = ql.PiecewiseLogLinearDiscount(ql_date(as_of), helpers, ql.Actual365Fixed())
        dates, factors = zip(*fitted.nodes(), strict=True)
    except RuntimeError as error:  # QuantLib's one exception: two rates for one date, or no root
        found = Fault(file="discount", column="rate", value=str(error).splitlines()[0], expected="rates that a curve of factors can meet")
        raise InputError([found]) from error
    finally:
        ql.Settings.instance().evaluationDate = before
    return from_quantlib(ql.DiscountCurve(dates, factors, ql.Actual365Fixed()), timezone=timezone)


def from_quantlib(given: Any, *, timezone: str = "UTC") -> DiscountCurve:
    """A QuantLib yield curve, or a handle of one, as a curve of discount factors.

    >>> rate = ql.FlatForward(ql.Date(16, 3, 2027), 0.04, ql.Actual365Fixed())
    >>> round(float(from_quantlib(rate).factors(np.array([1.0]))[0]), 12)
    0.960789439152
    """
    if isinstance(given, ql.YieldTermStructureHandle):  # a relinkable handle is one too
        handle = given
    elif isinstance(given, ql.YieldTermStructure):
        handle = ql.YieldTermStructureHandle(given)
    else:
        raise InputError.of("discount", "a QuantLib YieldTermStructure or its handle", value=type(given).__name__)
    try:
        handle.referenceDate()
    except RuntimeError as error:  # the Python handle cannot be asked whether it is empty
        raise InputError.of("discount", "a handle that is linked to a curve", value=str(error)) from error
    return DiscountCurve(handle=handle, timezone=timezone)


def to_quantlib(discount: Flat | DiscountCurve, *, as_of: datetime | date) -> Any:
    """The QuantLib handle of a discount: a curve's own, or of a flat rate one whose reference date is `as_of` (in UTC).

    >>> from tenorgrid.curves.discount import flat
    >>> round(to_quantlib(flat(0.04), as_of=date(2027, 3, 16)).discount(ql.Date(15, 3, 2028)), 12)
    0.960789439152
    """
    if isinstance(discount, DiscountCurve):
        return discount.handle
    day = as_of.astimezone(UTC).date() if isinstance(as_of, datetime) else as_of
    return ql.YieldTermStructureHandle(ql.FlatForward(ql_date(day), discount.rate, ql.Actual365Fixed()))


def _helper(row: dict[str, Any], place: Any, count: Any) -> Any:
    overnight = row["tenor"] == "ON"
    days = row["settlement_days"] if row["settlement_days"] is not None else 0 if overnight else SPOT
    tenor = ql.Period("1D" if overnight else row["tenor"])
    rate = ql.QuoteHandle(ql.SimpleQuote(row["rate"]))
    if row["instrument"] == "deposit":
        return ql.DepositRateHelper(rate, tenor, days, place, ql.ModifiedFollowing, False, count)
    index = ql.OvernightIndex("overnight", 0, ql.USDCurrency(), place, count)
    return ql.OISRateHelper(days, tenor, rate, index)
