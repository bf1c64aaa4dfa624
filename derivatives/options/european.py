"""European options on a forward by Black (1976), with all greeks; `derivatives.black` holds the formula and its first derivatives.

With total standard deviation s = σ √T and d₁, d₂ of `black`: gamma D φ(d₁) / (F s), vega D F φ(d₁) √T, theta −D F φ(d₁) σ / (2 √T) + r ·
price.
Formulas: Black, Journal of Financial Economics 3 (1976); derivatives by differentiation, checked against differences of the price.
"""

import numpy as np

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.black import CERTAIN, Option
from tenorgrid.derivatives.options.domain import Rule, at_least_zero, finite, refuse
from tenorgrid.derivatives.options.greeks import Greeks

NO_RATE = np.zeros(1)


def price(forward: Vector, strike: Vector, *, volatility: Vector, years: Vector, discount: Vector, option: Option = "call") -> Vector:
    """Worth of European options, USD per GPU-hour; arguments broadcast against one another.

    Args:
        forward: (n,) USD/GPUh, above 0.
        strike: (n,) USD/GPUh; at or below 0 a call is a forward.
        volatility: (n,) σ, per square root of a year, at least 0.
        years: (n,) T, from now to expiry, at least 0.
        discount: (n,) D, to the day of payment, above 0.
        option: `call` or `put`.

    Raises `InputError` for a negative volatility, an expiry in the past, or anything not finite.

    >>> ten = np.array([10.0])
    >>> price(ten, ten, volatility=np.array([0.2]), years=np.array([0.25]), discount=np.ones(1)).round(6)
    array([0.398776])
    """
    return black.price(forward, strike, deviation=deviation(volatility, years), discount=discount, option=option)


def greeks(
    forward: Vector, strike: Vector, *, volatility: Vector, years: Vector, discount: Vector, option: Option = "call", rate: Vector = NO_RATE
) -> Greeks:
    """Price and sensitivities; `rate` (n,), a year, is what the discount factor unwinds at in theta. Arguments and refusals of `price`.

    Where nothing is uncertain (σ √T = 0), gamma is 0 off the strike and infinite on it, as the pay-off's own.

    >>> ten = np.array([10.0])
    >>> found = greeks(ten, ten, volatility=np.array([0.2]), years=np.array([0.25]), discount=np.ones(1))
    >>> found.delta.round(4), found.gamma.round(4), found.vega.round(4), found.theta.round(4)
    (array([0.5199]), array([0.3984]), array([1.9922]), array([-0.7969]))
    """
    refuse([finite("rate", rate)])
    total = deviation(volatility, years)
    value, delta, by_deviation = black.together(forward, strike, deviation=total, discount=discount, option=option)
    return Greeks(
        price=value,
        delta=delta,
        gamma=_per(by_deviation, np.square(forward) * total),
        vega=by_deviation * np.sqrt(years),
        theta=rate * value - _per(by_deviation * np.square(volatility), 2.0 * total),
    )


def deviation(volatility: Vector, years: Vector) -> Vector:
    """σ √T (n,). Raises `InputError` for a negative volatility or years, or anything not finite."""
    refuse([at_least_zero("volatility", volatility), at_least_zero("years", years)])
    return np.asarray(volatility * np.sqrt(years))


def one_factor_deviation(volatility: Vector, *, reversion: Vector, years: Vector, delivery: Vector) -> Vector:
    r"""Total standard deviation (n,) at expiry of a forward whose volatility falls with the time to delivery: σ e^{−α(s − t)}.

    The square is :math:`\sigma^2 (e^{-2\alpha(s-T)} - e^{-2\alpha s}) / (2\alpha)`; α = 0 gives σ² T.

    Args:
        volatility: (n,) σ, of the spot, per square root of a year.
        reversion: (n,) α, a year, at least 0.
        years: (n,) T, to expiry.
        delivery: (n,) s, to delivery, not before expiry.

    Raises `InputError` for a negative volatility, reversion or expiry, and for a delivery before expiry.
    Source: Clewlow and Strickland, "Valuing energy options in a one factor model fitted to forward prices" (1999).

    >>> one_factor_deviation(np.array([0.8]), reversion=np.array([1.5]), years=np.array([0.5]), delivery=np.array([0.75])).round(8)
    array([0.279797])
    """
    rules = [at_least_zero(n, v) for n, v in (("volatility", volatility), ("reversion", reversion), ("years", years))]
    late = finite("delivery", delivery)
    refuse([*rules, late._replace(holds=late.holds & (np.asarray(delivery) >= years), expected="a delivery not before expiry")])
    twice = 2.0 * np.asarray(reversion, dtype=np.float64)
    grown = np.where(twice * years > 0, -np.expm1(-twice * years) / np.where(twice > 0, twice, 1.0), years)
    return np.asarray(volatility * np.sqrt(np.exp(-twice * (np.asarray(delivery) - years)) * grown))


def falls(volatility: Vector, years: Vector) -> Flags:
    """Which contracts' total variance σ² t falls from one time to a later one: (n,) booleans for arguments (n, m), times rising.

    Such a surface admits a riskless profit between calendar dates. The kernels price it all the same; a caller that values a book
    refuses what this function finds.

    Raises `InputError` for negative volatilities or years, times that fall, and anything not finite.

    >>> falls(np.array([[0.2, 0.2], [0.4, 0.2]]), np.array([0.5, 1.0])).tolist()
    [False, True]
    """
    refuse([at_least_zero("volatility", volatility), at_least_zero("years", years)])
    volatility, years = np.broadcast_arrays(volatility, years)
    refuse([_rising(years)])
    variance = np.square(volatility) * years
    return np.asarray((np.diff(variance, axis=-1) < -1e-12 * variance[..., 1:]).any(axis=-1))


def _rising(years: Vector) -> Rule:
    """Times that do not fall along the last axis."""
    return Rule("years", years[..., 1:], np.diff(years, axis=-1) >= 0, "times in their order")


def _per(part: Vector, whole: Vector) -> Vector:
    """part / whole, which for no deviation at all is 0 where the density is 0, and infinite on the strike."""
    if whole.size and whole.min() >= CERTAIN:
        return np.asarray(part / whole)
    certain = whole < CERTAIN
    return np.asarray(np.where(certain, np.where(part > 0, np.inf, 0.0), part / np.where(certain, 1.0, whole)))
