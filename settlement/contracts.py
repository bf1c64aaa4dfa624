"""Cash owed on contracts: terms and published fixings or prices, nothing else."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import polars as pl

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.terms.contracts import CapacityContract, Forward
from tenorgrid.settlement.money import dollars, micro

SHOWN = 3


def forward_cash(forward: Forward, fixings: pl.DataFrame) -> Decimal:
    r"""USD to the holder of a forward at expiry, rounded half-even to the cent once.

    :math:`\pm\, q\, H\, (\bar S - K)`, with the mean over all days of delivery not rounded, q in GPU-hours per hour, H hours. Fixings, the
    fixed price and the quantity count as the decimals that they are printed as.

    Args:
        forward: the terms.
        fixings: `Fixings`; rows of other indices are passed over.

    Raises NotPublishedError where a day of delivery has no fixing, InputError where one has two.
    """
    mine = fixings.filter(pl.col("index") == forward.index, pl.col("date").is_in(list(forward.days)))
    if mine["date"].is_duplicated().any():
        raise InputError.of("fixings", f"one fixing of {forward.index} a day", column="date", value=mine["date"].mode()[0])
    known = set(mine["date"])
    if missing := [day for day in forward.days if day not in known]:
        shown = ", ".join(str(day) for day in missing[:SHOWN])
        raise NotPublishedError(f"{forward.index} has no fixing for {len(missing)} of {len(forward.days)} days, among them {shown}")
    mean = sum((printed(value) for value in mine["value"]), Fraction(0)) / len(forward.days)
    return to_cents(int(forward.sign) * printed(forward.quantity) * forward.hours * (mean - printed(forward.fixed)))


def strip_cash(contract: CapacityContract, prices: pl.DataFrame) -> Decimal:
    r"""USD to the holder of a capacity contract for all its hours, :math:`\pm\, q \sum_t \max(\lambda_t - K, 0)`, to the micro-dollar.

    Each hour's product of the float64 λ − K and q is rounded half-even to micro-dollars once. The premium is not counted.

    Args:
        contract: the terms.
        prices: start, UTC, and price of the index, USD per GPU-hour, in each hour; further rows are passed over.

    Raises NotPublishedError where an hour of delivery has no price, InputError where one has two.
    """
    mine = prices.filter(pl.col("start").is_between(contract.start, contract.end, closed="left"), pl.col("price").is_not_null())
    if mine["start"].is_duplicated().any():
        raise InputError.of("prices", "one price an hour", column="start", value=mine["start"].mode()[0])
    if mine.height < contract.hours:
        raise NotPublishedError(f"{contract.index} has no price for {contract.hours - mine.height} of {contract.hours} hours")
    gain = (mine["price"] - contract.strike).clip(lower_bound=0.0).to_numpy()
    return dollars(int(contract.sign) * int(micro(gain, gain * 0 + contract.quantity).sum()))


def printed(value: float) -> Fraction:
    """A number as the decimal that it is printed as: 2.6 is 26/10, which no float64 is.

    >>> printed(2.6)
    Fraction(13, 5)
    """
    return Fraction(Decimal(repr(value)))


def to_cents(amount: Fraction) -> Decimal:
    """USD rounded half-even to cents.

    >>> [str(to_cents(Fraction(text))) for text in ("2.345", "-2.355")]
    ['2.34', '-2.36']
    """
    return Decimal(round(amount * 100)).scaleb(-2).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
