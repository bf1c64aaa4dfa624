"""QuantLib's exercise in loops: a process and an option for each contract, one at a time.

QuantLib counts in whole days. As all parameters are constant, a term of T years is the same problem as a term of one year of 365 days with
volatility σ √T and rates r T: so every T is met exactly.
"""

from collections.abc import Callable, Iterator
from itertools import starmap
from typing import Any

import numpy as np
import QuantLib as ql

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.greeks import Greeks

TODAY = ql.Date(1, 1, 2027)
IN_A_YEAR = TODAY + 365
STEP = 1e-3  # relative, of differences: an error of the order of its square


def process(spot: float, volatility: float, years: float, rate: float, carry: float) -> Any:
    """A lognormal process over one year that is the given one over T years: prices drift at `carry`, discounting is at `rate`."""
    ql.Settings.instance().evaluationDate = TODAY
    days = ql.Actual365Fixed()

    def flat(level: float) -> Any:
        return ql.YieldTermStructureHandle(ql.FlatForward(TODAY, level * years, days))

    sigma = ql.BlackConstantVol(TODAY, ql.NullCalendar(), volatility * np.sqrt(years), days)
    quote = ql.QuoteHandle(ql.SimpleQuote(spot))
    return ql.GeneralizedBlackScholesProcess(quote, flat(rate - carry), flat(rate), ql.BlackVolTermStructureHandle(sigma))


def payoff(strike: float, option: Option) -> Any:
    """A plain pay-off."""
    return ql.PlainVanillaPayoff(ql.Option.Call if option == "call" else ql.Option.Put, strike)


def by_differences(
    price: Callable[..., Vector], spot: Vector, volatility: Vector, years: Vector, *, step: Vector | float = STEP, **rest: Any
) -> Greeks:
    """Greeks by central differences of a pricing function of (spot, volatility=, years=), which is called seven times.

    `step` is that of spot, relative to it.
    """
    spot, volatility, years = np.broadcast_arrays(spot, volatility, years)
    h, dv, dt = step * spot, STEP * np.maximum(volatility, STEP), STEP * years

    def at(s: Vector = spot, v: Vector = volatility, t: Vector = years) -> Vector:
        return price(s, volatility=v, years=t, **rest)

    here, up, down = at(), at(s=spot + h), at(s=spot - h)
    return Greeks(
        price=here,
        delta=(up - down) / (2.0 * h),
        gamma=(up - 2.0 * here + down) / h**2,
        vega=(at(v=volatility + dv) - at(v=volatility - dv)) / (2.0 * dv),
        theta=(at(t=years - dt) - at(t=years + dt)) / (2.0 * dt),
    )


def one_by_one(worth: Callable[..., float], *arguments: Vector) -> Vector:
    """A function of floats over arrays that broadcast: the slow part."""
    spread = np.broadcast_arrays(*arguments)
    rows: Iterator[tuple[float, ...]] = zip(*(values.ravel().tolist() for values in spread), strict=True)
    return np.array(list(starmap(worth, rows)), dtype=np.float64).reshape(spread[0].shape)
