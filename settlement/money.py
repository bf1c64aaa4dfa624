"""Exact money: a product of two float64 rounded once to integer micro-dollars, shares that add up, and cents."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tenorgrid.data.errors import InputError

Vector = npt.NDArray[np.float64]
Amounts = npt.NDArray[np.int64]

MICRO = 1_000_000  # micro-dollars in a dollar
LARGEST = 2**53  # micro-dollars of one posting: every whole number up to here is a float64
NEAR_TIE = 1e-6  # the vectorised remainder errs by less than 1e-14; what lies this near to a tie is rounded in whole numbers
_SPLITTER = 2.0**27 + 1.0  # cuts a float64 into two halves whose products are exact


def micro(price: Vector, volume: Vector) -> Amounts:
    r"""Micro-dollars of :math:`\text{price} \times \text{volume}`, the exact product rounded half-even once.

    The product of two float64 is the sum of two float64, hi + lo, without error (Dekker 1971, "A floating-point technique for extending
    the available precision", Numerische Mathematik 18, section 5; the split is Veltkamp's); so is 10^6 hi. What is left past the nearest
    whole number is then known to 1e-14, and the few products that lie within 1e-6 of a tie are rounded as fractions.

    Args:
        price: (n,) USD per unit.
        volume: (n,) units; the sign of the cash is the sign of the product.

    Returns (n,) micro-dollars. Raises InputError for NaN, infinity, or more than 2^53 micro-dollars.

    >>> micro(np.array([2.345, 0.0078125, 0.0234375]), np.array([1.0, 1.0, -1.0])).tolist()
    [2345000, 7812, -23438]
    """
    price, volume = np.broadcast_arrays(np.asarray(price, dtype=np.float64), np.asarray(volume, dtype=np.float64))
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        high, low = _product(price, volume)
        scaled, error = _product(high, np.full_like(high, MICRO))
        too_large = ~(np.abs(scaled) <= LARGEST)
    if too_large.any():
        row = int(np.flatnonzero(too_large)[0])
        raise InputError.of("ledger", "at most 2^53 micro-dollars a posting", row=row + 1, value=f"{price[row]} × {volume[row]} USD")
    whole = np.rint(scaled)
    rest = (scaled - whole) + error + low * MICRO
    more = np.rint(rest)
    amount = (whole + more).astype(np.int64)
    for near in np.flatnonzero(np.abs(np.abs(rest - more) - 0.5) < NEAR_TIE).tolist():
        amount[near] = round(Fraction(float(price[near])) * Fraction(float(volume[near])) * MICRO)
    return amount


def shares(total: int, weights: Sequence[float]) -> list[int]:
    r"""Whole shares of `total` in proportion to `weights`, by largest remainder: :math:`\sum_i s_i =` total exactly.

    Each gets the whole part of total · w_i / Σ w; what is left goes one by one to the largest remainders, ties to the first in order
    (Hamilton's method). A negative total is shared like its absolute value. Quotas are whole-number quotients, so nothing is rounded
    before remainders are compared.

    Args:
        total: micro-dollars, or cents.
        weights: at least one above 0, none below; in the order of stable ids.

    Raises InputError where no weight is above 0, or one is below or not finite.

    >>> shares(10000, [1, 1, 1]), shares(-10001, [20, 15, 10, 30])
    ([3334, 3333, 3333], [-2667, -2000, -1334, -4000])
    """
    if not all(0 <= weight < float("inf") for weight in weights) or not any(weights):
        raise InputError.of("shares", "weights of at least 0, one of them above it", value=list(weights))
    ratios = [float(weight).as_integer_ratio() for weight in weights]
    unit = max(denominator for _, denominator in ratios)  # powers of two: the largest is a multiple of all
    whole = [numerator * (unit // denominator) for numerator, denominator in ratios]
    base = sum(whole)
    parts = [divmod(abs(total) * weight, base) for weight in whole]
    found = [part for part, _ in parts]
    order = sorted(range(len(parts)), key=lambda at: -parts[at][1])  # stable: equal remainders stay in order
    for at in order[: abs(total) - sum(found)]:
        found[at] += 1
    return found if total >= 0 else [-part for part in found]


def dollars(amount: int) -> Decimal:
    """Micro-dollars as exact USD.

    >>> dollars(-1_234_567)
    Decimal('-1.234567')
    """
    return Decimal(amount).scaleb(-6)


def cents(amount: Decimal) -> Decimal:
    """USD rounded half-even to cents.

    >>> [str(cents(Decimal(text))) for text in ("2.345", "2.355", "-2.345")]
    ['2.34', '2.36', '-2.34']
    """
    return amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def _product(left: Vector, right: Vector) -> tuple[Vector, Vector]:
    """The product and its rounding error: their sum is the exact product."""
    product = left * right
    left_high, left_low = _halves(left)
    right_high, right_low = _halves(right)
    error = ((left_high * right_high - product) + left_high * right_low + left_low * right_high) + left_low * right_low
    return product, error


def _halves(value: Vector) -> tuple[Vector, Vector]:
    large = _SPLITTER * value
    high = large - (large - value)
    return high, value - high
