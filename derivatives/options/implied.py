"""The volatility that a price of Black's formula implies.

Out of the money and divided by D √(F K), a price is b(s) = Φ(x/s + s/2) e^{x/2} − Φ(x/s − s/2) e^{−x/2} with x = −|ln F/K| and s = σ √T,
written
with erfcx so that no digits cancel. b has its inflection at s = √(2|x|): below it (−ln b)^{−1/2} is nearly linear in s, above it
−ln(e^{x/2} − b) bends little, and Halley's iteration between bounds solves the one that applies in three to five steps.
The transformation is that of Jäckel, "Let's be rational", Wilmott (2015); the iteration and its starting points are ours.
"""

import numpy as np
from scipy.special import erfcx, ndtri

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import Rule, finite, positive, refuse

CLOSE = 3e-6  # relative step of the deviation after which it is found: what is left is of the order of the step's cube
LONGEST = 100  # iterations, bisection included
BLOCK = 8192  # contracts at once, so that everything stays in the cache
HALF = np.sqrt(0.5)
ROUNDING = 4.0 * float(np.finfo(np.float64).eps)  # of F + K: by how much a price computed from a volatility may miss its lower bound


def implied(price: Vector, forward: Vector, strike: Vector, *, years: Vector, discount: Vector, option: Option = "call") -> Vector:
    """Volatilities (n,) per square root of a year that Black prices imply; arguments broadcast against one another.

    The price comes back to 1e-12 relative. Far in the money it carries its time value in few digits, and so the volatility has few.

    Args:
        price: (n,) USD/GPUh, of the option today.
        forward: (n,) USD/GPUh, above 0.
        strike: (n,) USD/GPUh, above 0: below, a price tells nothing of volatility.
        years: (n,) T, above 0.
        discount: (n,) D, above 0.
        option: `call` or `put`.

    Raises `InputError` outside the no-arbitrage bounds D max(F − K, 0) ≤ call < D F and D max(K − F, 0) ≤ put < D K, and for anything not
    finite.
    At the lower bound, and below it by no more than rounding, the volatility is 0.

    >>> ten, one = np.array([10.0]), np.ones(1)
    >>> implied(np.array([0.398776]), ten, ten, years=one / 4, discount=one).round(6)
    array([0.2])
    """
    refuse([
        finite("price", price), positive("forward", forward), positive("strike", strike), positive("years", years),
        positive("discount", discount),
    ])  # fmt: skip
    price, forward, strike, years, discount = np.broadcast_arrays(price, forward, strike, years, discount)
    worth = price / discount
    certain = np.maximum(forward - strike if option == "call" else strike - forward, 0.0)
    most = forward if option == "call" else strike
    expected = f"a price from D max({'F - K' if option == 'call' else 'K - F'}, 0) to below D {'F' if option == 'call' else 'K'}"
    refuse([Rule("price", price, (worth >= certain - ROUNDING * (forward + strike)) & (worth < most), expected)])
    flat = [np.ravel(values) for values in (worth - certain, forward, strike)]
    found = np.concatenate([_deviation(*(part[at : at + BLOCK] for part in flat)) for at in range(0, max(price.size, 1), BLOCK)])
    return np.asarray(found.reshape(price.shape) / np.sqrt(years))


def _deviation(extra: Vector, forward: Vector, strike: Vector) -> Vector:
    """s (n,) of undiscounted out-of-the-money prices."""
    x = -np.abs(np.log(forward / strike))
    value = extra / np.sqrt(forward * strike)
    found = np.zeros(x.shape)
    level = x == 0
    found[level] = 2.0 * ndtri(0.5 + 0.5 * value[level])
    asked = ~level & (value > 0)
    bend = np.sqrt(-2.0 * x)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # a step out of bounds is replaced, whatever it is
        upper = value >= _price(x, np.where(bend > 0, bend, 1.0))
        for high in (False, True):
            mine = asked & (upper == high)
            if mine.any():
                found[mine] = _search(x[mine], value[mine], bend[mine], high=high)
    return found


def _search(x: Vector, value: Vector, bend: Vector, *, high: bool) -> Vector:
    """s of one side of the inflection by Halley's iteration between bounds."""
    low, top = (bend, np.full(x.shape, 80.0)) if high else (np.zeros(x.shape), bend)
    goal = -np.log(np.exp(0.5 * x) - value) if high else 1.0 / np.sqrt(-np.log(value))
    s = _above(x, value, bend) if high else _below(x, value, bend)
    found, place = np.empty(x.shape), np.arange(x.size)
    for _ in range(LONGEST):
        gap, curve = _upper(x, s, goal) if high else _lower(x, s, goal)
        low, top = np.where(gap < 0, s, low), np.where(gap > 0, s, top)
        step = s - gap / np.maximum(1.0 - 0.5 * curve * gap, 0.5)
        ended: Flags = np.abs(step - s) <= CLOSE * s
        step = np.where(ended | ((step >= low) & (step <= top)), step, 0.5 * (low + top))
        found[place] = step
        if ended.all():
            return found
        if ended.any():
            on = ~ended
            x, s, low, top, goal, place = x[on], step[on], low[on], top[on], goal[on], place[on]
        else:
            s = step
    raise InputError.of("option", "a price whose volatility can be told in double precision", column="price", value=float(value[place[0]]))


def _lower(x: Vector, s: Vector, goal: Vector) -> tuple[Vector, Vector]:
    """Newton step of (−ln b)^{−1/2}, and second over first derivative, by s."""
    h, t = x / s, 0.5 * s
    exponent = -0.5 * (h * h + t * t)
    difference = erfcx(-HALF * (h + t)) - erfcx(-HALF * (h - t))
    log = -(exponent + np.log(0.5 * difference))
    slope = np.sqrt(2.0 / np.pi) / difference  # b' / b
    curve = h * h / s - 0.25 * s + slope * (1.5 / log - 1.0)
    return (1.0 / np.sqrt(log) - goal) / (0.5 * slope / (log * np.sqrt(log))), curve


def _upper(x: Vector, s: Vector, goal: Vector) -> tuple[Vector, Vector]:
    """Newton step of −ln(e^{x/2} − b), and second over first derivative, by s."""
    h, t = x / s, 0.5 * s
    exponent = -0.5 * (h * h + t * t)
    rest = erfcx(HALF * (h + t)) + erfcx(-HALF * (h - t))
    slope = np.sqrt(2.0 / np.pi) / rest
    return (-(exponent + np.log(0.5 * rest)) - goal) / slope, h * h / s - 0.25 * s + slope


def _price(x: Vector, s: Vector) -> Vector:
    """b(s)."""
    h, t = x / s, 0.5 * s
    return np.asarray(0.5 * np.exp(-0.5 * (h * h + t * t)) * (erfcx(-HALF * (h + t)) - erfcx(-HALF * (h - t))))


def _below(x: Vector, value: Vector, bend: Vector) -> Vector:
    """Start below the inflection: where e^{−x²/(2 s²)} has the price's share of the inflection's."""
    most = _price(x, bend)
    return np.asarray(-x / np.sqrt(2.0 * np.log(most / value) - x))


def _above(x: Vector, value: Vector, bend: Vector) -> Vector:
    """Start above the inflection: where an option at the money closes the same share of the way to the bound."""
    bound, most = np.exp(0.5 * x), _price(x, bend)
    share = (bound - value) / (bound - most)
    return np.asarray(bend - 2.0 * ndtri(0.5 * share))
