"""American options by QuantLib: one contract after another, so slow; for hundreds, not for hundreds of thousands.

The exercise boundary is solved by fixed-point iteration on Chebyshev nodes, to about 1e-8 relative (QuantLib's accurate scheme; its
high-precision one is thirty times slower and agrees to that).
Source: Andersen, Lake and Offengenden, "High performance American option pricing", Journal of Computational Finance 20 (2016), as in
QuantLib.
"""

import numpy as np
import QuantLib as ql

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import at_least_zero, finite, positive, refuse
from tenorgrid.derivatives.options.greeks import Greeks
from tenorgrid.derivatives.options.quantlib import IN_A_YEAR, TODAY, by_differences, one_by_one, payoff, process

FUTURE = np.zeros(1)  # the carry of a future


def price(
    spot: Vector, strike: Vector, *, volatility: Vector, years: Vector, rate: Vector, carry: Vector = FUTURE, option: Option = "call"
) -> Vector:
    """Worth (n,) of options that may be exercised at any time, USD per GPU-hour; arguments broadcast. About 0.7 ms a contract.

    Args:
        spot: (n,) USD/GPUh, above 0: of an option on a future its price.
        strike: (n,) USD/GPUh, above 0.
        volatility: (n,) σ, per square root of a year, at least 0.
        years: (n,) T, at least 0.
        rate: (n,) r, a year, continuous.
        carry: (n,) b, a year, at which the underlying drifts: 0 for a future, r for a spot price that pays nothing.
        option: `call` or `put`.

    Raises `InputError` for a negative volatility, an expiry in the past, or anything not finite.

    >>> one = np.ones(1)
    >>> price(36 * one, 40 * one, volatility=0.2 * one, years=one, rate=0.06 * one, carry=0.06 * one, option="put").round(4)
    array([4.4867])
    """
    refuse([
        positive("spot", spot), positive("strike", strike), at_least_zero("volatility", volatility), at_least_zero("years", years),
        finite("rate", rate), finite("carry", carry),
    ])  # fmt: skip

    def worth(s: float, k: float, v: float, t: float, r: float, b: float) -> float:
        if v == 0.0 or t == 0.0:
            return _certain(s, k, t, r, b, 1.0 if option == "call" else -1.0)
        contract = ql.VanillaOption(payoff(k, option), ql.AmericanExercise(TODAY, IN_A_YEAR))
        contract.setPricingEngine(ql.QdFpAmericanEngine(process(s, v, t, r, b), ql.QdFpAmericanEngine.accurateScheme()))
        return float(contract.NPV())

    return one_by_one(worth, spot, strike, volatility, years, rate, carry)


def greeks(
    spot: Vector, strike: Vector, *, volatility: Vector, years: Vector, rate: Vector, carry: Vector = FUTURE, option: Option = "call"
) -> Greeks:
    """Price, and sensitivities by central differences of a thousandth: seven prices a contract. Arguments and refusals of `price`.

    >>> one = np.ones(1)
    >>> greeks(36 * one, 40 * one, volatility=0.2 * one, years=one, rate=0.06 * one, carry=0.06 * one, option="put").delta.round(3)
    array([-0.697])
    """

    def at(s: Vector, *, volatility: Vector, years: Vector) -> Vector:
        return price(s, strike, volatility=volatility, years=years, rate=rate, carry=carry, option=option)

    return by_differences(at, spot, volatility, years)


def _certain(s: float, k: float, t: float, r: float, b: float, sign: float) -> float:
    """Exercised at the best moment of a path that is known: now, at the end, or where its gain stands still in between."""
    moments = [0.0, t]
    if b not in (0.0, r) and r * k / ((r - b) * s) > 0:
        moments.append(float(np.clip(np.log(r * k / ((r - b) * s)) / b, 0.0, t)))
    return float(max(0.0, *(sign * (s * np.exp((b - r) * at) - k * np.exp(-r * at)) for at in moments)))
