"""Options on a normally distributed forward, for prices that can be negative or near zero.

Bachelier: with standard deviation s = σ √T in USD per GPU-hour and d = (F − K) / s, a call is worth D [(F − K) Φ(d) + s φ(d)].
Source: Bachelier, "Théorie de la spéculation" (1900); an at-the-money option is worth D s / √(2π).
"""

import numpy as np
from scipy.special import erfcx, ndtr

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import Rule, at_least_zero, finite, positive, refuse
from tenorgrid.derivatives.options.european import NO_RATE
from tenorgrid.derivatives.options.greeks import Greeks

ROOT = np.sqrt(2.0 * np.pi)
CLOSE = 1e-14  # relative change of the root below which a search has ended
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)  # of |F| + |K|: by how much a price computed from a volatility may miss its lower bound
LONGEST = 60  # iterations; 4 to 8 are usual


def price(forward: Vector, strike: Vector, *, volatility: Vector, years: Vector, discount: Vector, option: Option = "call") -> Vector:
    """Worth of options under a normal forward, USD per GPU-hour; arguments broadcast against one another.

    Args:
        forward: (n,) USD/GPUh, of any sign.
        strike: (n,) USD/GPUh, of any sign.
        volatility: (n,) σ, USD/GPUh per square root of a year, at least 0.
        years: (n,) T, at least 0.
        discount: (n,) D, above 0.
        option: `call` or `put`.

    Raises `InputError` for a negative volatility, an expiry in the past, or anything not finite.

    >>> zero = np.zeros(1)
    >>> price(zero, zero, volatility=np.array([10.0]), years=np.ones(1), discount=np.ones(1))
    array([3.9894228])
    """
    return greeks(forward, strike, volatility=volatility, years=years, discount=discount, option=option).price


def greeks(
    forward: Vector, strike: Vector, *, volatility: Vector, years: Vector, discount: Vector, option: Option = "call", rate: Vector = NO_RATE
) -> Greeks:
    """Price and sensitivities: delta D Φ(d), gamma D φ(d) / s, vega D φ(d) √T, theta −D φ(d) σ / (2 √T) + r · price.

    `rate` (n,), a year, is what the discount factor unwinds at. Arguments and refusals of `price`.

    >>> zero = np.zeros(1)
    >>> greeks(zero, zero, volatility=np.array([10.0]), years=np.ones(1), discount=np.ones(1)).delta
    array([0.5])
    """
    refuse([
        finite("forward", forward), finite("strike", strike), at_least_zero("volatility", volatility), at_least_zero("years", years),
        positive("discount", discount), finite("rate", rate),
    ])  # fmt: skip
    forward, strike, volatility, years, discount = np.broadcast_arrays(forward, strike, volatility, years, discount)
    sign = 1.0 if option == "call" else -1.0
    gain, deviation = sign * (forward - strike), volatility * np.sqrt(years)
    certain = deviation == 0
    certainly = np.where(gain == 0, 0.0, np.copysign(np.inf, gain))
    d = np.where(certain, certainly, gain / np.where(certain, 1.0, deviation))
    density = discount * np.exp(-0.5 * d**2) / ROOT
    value = discount * gain * ndtr(d) + deviation * density
    return Greeks(
        price=value,
        delta=discount * sign * ndtr(d),
        gamma=np.where(certain, np.where(density > 0, np.inf, 0.0), density / np.where(certain, 1.0, deviation)),
        vega=density * np.sqrt(years),
        theta=rate * value - np.where(years > 0, density * volatility / (2.0 * np.sqrt(np.where(years > 0, years, 1.0))), 0.0),
    )


def implied(price: Vector, forward: Vector, strike: Vector, *, years: Vector, discount: Vector, option: Option = "call") -> Vector:
    """The normal volatility (n,) that a price implies, USD/GPUh per square root of a year, to 1e-12 relative.

    The time value over |F − K| is φ(y)/y − Φ(−y) with y = |F − K| / s, a falling function of y alone; its logarithm is solved for ln y by
    Newton's method between bounds. A price at its lower bound implies 0.

    Raises `InputError` for prices below the pay-off without uncertainty, an expiry that is not ahead, or anything not finite.

    >>> zero, one = np.zeros(1), np.ones(1)
    >>> implied(np.array([3.989422804014327]), zero, zero, years=one, discount=one)
    array([10.])
    """
    refuse([
        finite("price", price), finite("forward", forward), finite("strike", strike), positive("years", years), positive("discount",
        discount)
    ])  # fmt: skip
    price, forward, strike, years, discount = np.broadcast_arrays(price, forward, strike, years, discount)
    sign = 1.0 if option == "call" else -1.0
    gain = sign * (forward - strike)
    extra = price / discount - np.maximum(gain, 0.0)
    refuse(
        [
            Rule(
                "price",
                price,
                extra >= -ROUNDING * (np.abs(forward) + np.abs(strike)),
                "a price of at least D max(F - K, 0) of a call, D max(K - F, 0) of a put",
            )
        ]
    )
    distance = np.abs(gain)
    searched = (extra > 0) & (distance > 0)
    ratio = np.where(searched, extra, 1.0) / np.where(searched, distance, 1.0)
    deviation = np.where(searched, distance / _distance(ratio), np.maximum(extra, 0.0) * ROOT)
    return np.asarray(deviation / np.sqrt(years))


def _distance(ratio: Vector) -> Vector:
    """y with φ(y) / y − Φ(−y) = ratio, (n,)."""
    target = np.log(ratio)
    low, high = np.full(ratio.shape, -750.0), np.full(ratio.shape, np.log(40.0))  # of ln y: y above 40 has no price in doubles
    found = np.log(np.minimum(0.4 / ratio, np.sqrt(2.0 * np.log1p(0.4 / ratio))))
    for _ in range(LONGEST):
        value, slope = _logarithm(np.exp(found))
        above = value > target  # the ratio falls with y: too large a ratio means too small a y
        low, high = np.where(above, found, low), np.where(above, high, found)
        step = found - (value - target) / slope
        step = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
        moved, found = np.abs(step - found), step
        if (moved <= CLOSE).all():
            return np.asarray(np.exp(found))
    left: Flags = moved > 1e-12
    if left.any():
        raise InputError.of(
            "option", "a price whose normal volatility can be told in double precision", column="price", value=ratio[left][0]
        )
    return np.asarray(np.exp(found))


def _logarithm(y: Vector) -> tuple[Vector, Vector]:
    """ln of φ(y) / y − Φ(−y), and its derivative by ln y; with erfcx, so that neither underflows."""
    scaled = 1.0 / y - np.sqrt(np.pi / 2.0) * erfcx(y / np.sqrt(2.0))
    return -0.5 * y**2 - np.log(ROOT) + np.log(scaled), -1.0 / (y * scaled)
