"""Barrier options by QuantLib's closed form: one contract after another, so slow; the barrier is watched continuously.

Source: Reiner and Rubinstein, "Breaking down the barriers", Risk 4 (1991), as in QuantLib.
"""

from typing import Literal

import numpy as np
import QuantLib as ql

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.american import FUTURE
from tenorgrid.derivatives.options.domain import Rule, at_least_zero, finite, positive, refuse
from tenorgrid.derivatives.options.greeks import Greeks
from tenorgrid.derivatives.options.quantlib import IN_A_YEAR, STEP, by_differences, one_by_one, payoff, process

Barrier = Literal["down-and-out", "down-and-in", "up-and-out", "up-and-in"]
KINDS = {
    "down-and-out": ql.Barrier.DownOut, "down-and-in": ql.Barrier.DownIn, "up-and-out": ql.Barrier.UpOut, "up-and-in": ql.Barrier.UpIn,
}  # fmt: skip
NO_REBATE = np.zeros(1)
NEAREST = 1e-4  # relative distance from the level below which no greeks are taken


def price(
    spot: Vector, strike: Vector, *, kind: Barrier, level: Vector, volatility: Vector, years: Vector, rate: Vector,
    carry: Vector = FUTURE, rebate: Vector = NO_REBATE, option: Option = "call",
) -> Vector:  # fmt: skip
    """Worth (n,) of options that begin or end when the price touches a level, USD per GPU-hour; arguments broadcast.

    Args:
        spot: (n,) USD/GPUh, above 0: of an option on a future its price.
        strike: (n,) USD/GPUh, above 0.
        kind: `down-and-out`, `down-and-in`, `up-and-out` or `up-and-in`.
        level: (n,) USD/GPUh, of the barrier, above 0.
        volatility: (n,) σ, per square root of a year, above 0.
        years: (n,) T, above 0.
        rate: (n,) r, a year, continuous.
        carry: (n,) b, a year: 0 for a future.
        rebate: (n,) USD/GPUh, at least 0: paid when the level is touched by an out-option, at expiry by an in-option that was never born.
        option: `call` or `put`.

    A price at or beyond the level has touched it: an out-option is worth its rebate, an in-option a European one. Raises `InputError` for
    an unknown kind, a volatility or expiry that is not above 0, and anything not finite.

    >>> one = np.ones(1)
    >>> price(100 * one, 100 * one, kind="down-and-out", level=95 * one, volatility=0.25 * one, years=0.5 * one, rate=0.08 * one,
    ...       carry=0.04 * one, rebate=3 * one).round(4)
    array([6.7924])
    """
    if kind not in KINDS:
        raise InputError.of("barrier", f"one of {', '.join(KINDS)}", column="kind", value=kind)
    rules = [
        positive(n, v) for n, v in (("spot", spot), ("strike", strike), ("level", level), ("volatility", volatility), ("years", years))
    ]
    refuse([*rules, finite("rate", rate), finite("carry", carry), at_least_zero("rebate", rebate)], kind="barrier")
    down, out = kind.startswith("down"), kind.endswith("out")

    def worth(s: float, k: float, h: float, v: float, t: float, r: float, b: float, paid: float) -> float:
        market = process(s, v, t, r, b)
        if s <= h if down else s >= h:
            if out:
                return paid
            plain = ql.VanillaOption(payoff(k, option), ql.EuropeanExercise(IN_A_YEAR))
            plain.setPricingEngine(ql.AnalyticEuropeanEngine(market))
            return float(plain.NPV())
        contract = ql.BarrierOption(KINDS[kind], h, paid, payoff(k, option), ql.EuropeanExercise(IN_A_YEAR))
        contract.setPricingEngine(ql.AnalyticBarrierEngine(market))
        return float(contract.NPV())

    return one_by_one(worth, spot, strike, level, volatility, years, rate, carry, rebate)


def greeks(
    spot: Vector, strike: Vector, *, kind: Barrier, level: Vector, volatility: Vector, years: Vector, rate: Vector,
    carry: Vector = FUTURE, rebate: Vector = NO_REBATE, option: Option = "call",
) -> Greeks:  # fmt: skip
    """Price, and sensitivities by central differences of a thousandth: seven prices a contract. Arguments and refusals of `price`.

    Near the level the step of the price is a third of its distance, so that no difference straddles it; within a ten-thousandth that would
    be rounding, and is refused.

    >>> one = np.ones(1)
    >>> found = greeks(
    ...     100 * one, 100 * one, kind="down-and-out", level=90 * one, volatility=0.25 * one, years=0.5 * one, rate=0.08 * one)
    >>> found.delta.round(3)
    array([0.621])
    """
    near = np.abs(np.asarray(level) / spot - 1.0)
    refuse([Rule("level", level, near > NEAREST, "a level at least a ten-thousandth away from the price")], kind="barrier")

    def at(s: Vector, *, volatility: Vector, years: Vector) -> Vector:
        return price(
            s, strike, kind=kind, level=level, volatility=volatility, years=years, rate=rate, carry=carry, rebate=rebate, option=option
        )

    return by_differences(at, spot, volatility, years, step=np.minimum(STEP, near / 3.0))
