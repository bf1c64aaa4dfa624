r"""Spread options in closed form: Margrabe (K = 0, exact), Kirk and Bjerksund-Stensland (approximations).

Kirk takes F₂ + K for lognormal with volatility b σ₂, b = F₂ / (F₂ + K), and uses Black's formula on the ratio. Bjerksund and Stensland
value the
strategy that exercises when :math:`F_1 \ge a F_2^b / E[F_2^b]`, a = F₂ + K: a bound from below, and nearer.
`bjerksund_stensland` takes the best of it, exercising always and never, without which it can be negative. At K = 0 both are Margrabe.
Strikes below 0 are priced with the legs turned.
Sources: Margrabe, "The value of an option to exchange one asset for another", Journal of Finance 33 (1978); Kirk, "Correlation in the
energy
markets", Managing Energy Price Risk (1995); Bjerksund and Stensland, "Closed form spread option valuation", Quantitative Finance 14 (2014).
"""

import numpy as np
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options.domain import Rule, finite, refuse
from tenorgrid.derivatives.options.european import NO_RATE
from tenorgrid.derivatives.options.greeks import SpreadGreeks
from tenorgrid.derivatives.options.spread.terms import Spreads, joined

ROOT = np.sqrt(2.0 * np.pi)


def margrabe(options: Spreads, *, rate: Vector = NO_RATE) -> SpreadGreeks:
    """Exact price and greeks of options to exchange one forward for another.

    Raises `InputError` for a strike other than 0, or a rate that is not finite; the rest is `kirk`'s.

    >>> one = np.ones(1)
    >>> carried = {"first": 22 * np.exp(0.004 * one), "second": 20 * np.exp(0.006 * one), "strike": 0 * one, "years": one / 10}
    >>> found = margrabe(Spreads(**carried, first_volatility=0.2 * one, second_volatility=0.2 * one, correlation=0 * one,
    ...                          discount=np.exp(-one / 100)))
    >>> found.price.round(4)
    array([2.0913])
    """
    refuse([Rule("strike", options.strike, options.strike == 0, "a strike of 0")], kind="spread")
    return kirk(options, rate=rate)


def kirk(options: Spreads, *, rate: Vector = NO_RATE) -> SpreadGreeks:
    """Kirk's approximation, with the exact derivatives of the approximation.

    `rate` (n,), a year, is what the discount factor unwinds at in theta. Raises `InputError` for a rate that is not finite.

    >>> one = np.ones(1)
    >>> found = kirk(Spreads(first=122 * one, second=120 * one, strike=3 * one, first_volatility=0.2 * one, second_volatility=0.2 * one,
    ...                      correlation=0 * one, years=one / 10, discount=np.exp(-one / 100)))
    >>> found.price.round(4), found.correlation.round(3)
    (array([3.797]), array([-2.126]))
    """
    refuse([finite("rate", rate)], kind="spread")
    spread_rate = np.broadcast_to(rate, options.strike.shape)
    return joined(options, [(_kirk(part, spread_rate[mine]), mine, turned) for part, mine, turned in options.by_sign()])


def bjerksund_stensland(options: Spreads) -> Vector:
    """Worth (n,) by Bjerksund and Stensland's strategy, USD per GPU-hour.

    >>> one = np.ones(1)
    >>> bjerksund_stensland(Spreads(first=100 * one, second=110 * one, strike=5 * one, first_volatility=0.25 * one,
    ...                             second_volatility=0.35 * one, correlation=0.75 * one, years=one, option="put",
    ...                             discount=np.exp(-0.05 * one)))
    array([17.85083595])
    """
    found = np.empty(options.strike.shape)
    for part, mine, _ in options.by_sign():
        found[mine] = _strategy(part)
    return found


def _strategy(options: Spreads) -> Vector:
    first, second, strike, sign = options.first, options.second, options.strike, options.sign
    root = np.sqrt(options.years)
    one, two, rho = options.first_volatility * root, options.second_volatility * root, options.correlation
    share = second / (second + strike)
    deviation = np.sqrt(np.maximum(one**2 - 2.0 * share * rho * one * two + (share * two) ** 2, 0.0))
    moneyness = np.log(first / (second + strike))
    certain = deviation < black.CERTAIN
    under = np.where(certain, 1.0, deviation)
    bent = 0.5 * (share * two) ** 2
    shifts = (0.5 * one**2 - share * rho * one * two + bent, -0.5 * one**2 + rho * one * two + bent - share * two**2, bent - 0.5 * one**2)
    ends = (np.where(certain, np.copysign(np.inf, moneyness), (moneyness + shift) / under) for shift in shifts)
    parts = [ndtr(sign * end) for end in ends]
    value = sign * (first * parts[0] - second * parts[1] - strike * parts[2])
    least = np.maximum(sign * (first - second - strike), 0.0)  # to exercise always, or never, are strategies too
    return np.asarray(options.discount * np.where(certain, least, np.maximum(value, least)))


def _kirk(options: Spreads, rate: Vector) -> SpreadGreeks:
    first, second, years, discount = options.first, options.second, options.years, options.discount
    one, two, rho, whole = options.first_volatility, options.second_volatility, options.correlation, second + options.strike
    share, squared = second / whole, options.strike / whole**2
    total = years * np.maximum(one**2 - 2.0 * rho * one * two * share + (two * share) ** 2, 0.0)
    s = np.sqrt(total)
    value = black.price(first, whole, deviation=s, discount=discount, option=options.option)
    by_first = black.delta(first, whole, deviation=s, discount=discount, option=options.option)
    certain = s < black.CERTAIN
    by_deviation = np.where(certain, 0.0, black.vega(first, whole, deviation=s, discount=discount))
    under = np.where(certain, 1.0, s)
    upper = np.where(certain, 0.0, np.log(first / whole) / under + 0.5 * s)
    lower = upper - s
    # s by F₂, once and twice, through the share b(F₂)
    tilt, bend = 2.0 * years * (two**2 * share - rho * one * two), 2.0 * years * two**2
    rise = tilt * squared / (2.0 * under)
    curve = (bend * squared**2 - 2.0 * tilt * squared / whole) / (2.0 * under) - rise**2 / under
    by_second = (value - first * by_first) / whole + by_deviation * rise
    gamma = (
        by_deviation / (first**2 * under),
        by_deviation / first * (-1.0 / (whole * under) - lower / under * rise),
        by_deviation * (1.0 / (whole**2 * under) + 2.0 * upper / (whole * under) * rise + upper * lower / under * rise**2 + curve),
    )
    vega = (by_deviation * years * (one - rho * two * share) / under, by_deviation * years * (two * share**2 - rho * one * share) / under)
    decay = np.where(years > 0, by_deviation * s / (2.0 * np.where(years > 0, years, 1.0)), 0.0)
    return SpreadGreeks(
        price=value,
        delta=np.stack([by_first, by_second], axis=1),
        gamma=np.stack(gamma, axis=1),
        vega=np.stack(vega, axis=1),
        theta=rate * value - decay,
        correlation=-by_deviation * years * one * two * share / under,
    )
