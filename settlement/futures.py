"""What listed futures settle at and what they pay: contract rules and settlement fixings, exact until the last rounding."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.contract import Averaging, MissingDay
from tenorgrid.data.terms.specifications.listed import OWN, Listed, listed
from tenorgrid.data.terms.specifications.products import known
from tenorgrid.settlement.contracts import printed, to_cents


def settlement_price(
    contract: str,
    fixings: pl.DataFrame,
    *,
    index: str,
    timezone: str,
    days: Sequence[date] | None = None,
    missing_day: MissingDay | str | None = None,
    products: pl.DataFrame | None = None,
) -> Fraction:
    """USD per GPU-hour at which a contract settles: the mean of its days, at the contract's places, rounded half-even.

    Args:
        contract: code, such as GPU1J27 or INDEX:2027-04.
        fixings: `Fixings`, as `tenorgrid.data.terms.specifications.fallbacks.settlement_fixings` makes them where prints were held or
            replaced; rows of other indices are passed over, rows before and after the contract's days are what missing ones may take.
        index: whose fixings.
        timezone: of its days.
        days: business days of the delivery, for a contract on them; None is every local day.
        missing_day: rule for a day without fixing, where the contract's product has none.
        products: the user's own `Products` beside the packaged ones.

    Raises `InputError` for a contract on business days without days, days outside of its delivery, a rule other than the product's, and two
    fixings a day; `NotPublishedError` for days that the rule leaves without a fixing.

    >>> from datetime import UTC, datetime
    >>> rows = {"index": "X", "date": [date(2027, 2, day) for day in range(1, 29)], "value": [2.5] * 14 + [2.6] * 14,
    ...         "published_at": datetime(2027, 3, 1, tzinfo=UTC), "source": "house"}
    >>> settlement_price("X:2027-02", pl.DataFrame(rows), index="X", timezone="UTC")
    Fraction(51, 20)
    """
    terms = listed(contract, timezone=timezone, products=known(products))
    over = _days(terms, days, timezone)
    mine = fixings.filter(pl.col("index") == index).sort("date")
    if mine["date"].is_duplicated().any():
        raise InputError.of("fixings", f"one fixing of {index} a day", column="date", value=mine["date"].mode()[0])
    there = {day: printed(value) for day, value in mine.select("date", "value").iter_rows()}
    told = [_value(day, there, _rule(terms, missing_day)) for day in over]
    missing = [day for day, value in zip(over, told, strict=True) if value is None]
    counted = [value for value in told if value is not None]
    if missing and (_rule(terms, missing_day) != MissingDay.EXCLUDE or not counted):
        raise NotPublishedError(f"{index} has no fixing for {', '.join(map(str, missing))}")
    mean = sum(counted, Fraction(0)) / len(counted)
    return mean if terms.product.decimals is None else Fraction(round(mean, terms.product.decimals))


def future_cash(price: Fraction, *, lots: float, lot: float, strike: float) -> Decimal:
    """USD to a holder of lots (− for a seller) from strike to settlement price, rounded half-even to the cent once.

    >>> str(future_cash(Fraction(51, 20), lots=-3, lot=730.0, strike=2.5))
    '-109.50'
    """
    return to_cents(printed(float(lots)) * printed(float(lot)) * (price - printed(float(strike))))


def _days(terms: Listed, days: Sequence[date] | None, timezone: str) -> list[date]:
    zone = ZoneInfo(timezone)
    first, end = terms.period.start.astimezone(zone).date(), terms.period.end.astimezone(zone).date()
    every = [first + timedelta(days=n) for n in range((end - first).days)]
    if days is None and terms.product.average == Averaging.BUSINESS_DAY:
        raise InputError.of("contract", f"the business days of {terms.product.calendar} in {first} to {end}", column="days", value="none")
    if terms.product.average == Averaging.HOURLY:
        raise InputError.of("contract", "a contract on days: fixings have no hours", value=terms.contract)
    if days is None:
        return every
    strange = [str(day) for day in days if day not in every]
    if strange or not days:
        raise InputError.of("contract", f"days from {first} to {end}, the last excluded", column="days", value=", ".join(strange) or "none")
    return sorted(set(days))


def _rule(terms: Listed, given: MissingDay | str | None) -> MissingDay:
    own = terms.product.missing_day
    if given is not None and own not in (None, MissingDay(given)):
        raise InputError.of("contract", f"{own}, as {terms.contract} says", column="missing_day", value=given)
    if own is None and given is None and terms.product is not OWN:
        wanted = f"one of {', '.join(MissingDay)}: the rules of {terms.contract} name none"
        raise InputError.of("contract", wanted, column="missing_day", value="nothing")
    return own or MissingDay(given or MissingDay.REFUSE)


def _value(day: date, there: Mapping[date, Fraction], rule: MissingDay) -> Fraction | None:
    """The fixing that a day counts by; None where its rule finds none, or leaves it out."""
    if day in there:
        return there[day]
    if rule == MissingDay.CARRY_FORWARD:
        return next((there[one] for one in sorted(there, reverse=True) if one < day), None)
    if rule == MissingDay.NEXT:
        return next((there[one] for one in sorted(there) if one > day), None)
    return None
