"""Black's formula for options on a forward, on arrays.

Black, "The pricing of commodity contracts", Journal of Financial Economics 3 (1976): with F lognormal and total standard deviation
s = σ √T, a call is worth D [F Φ(d₁) − K Φ(d₂)], d₁ = ln(F / K) / s + s / 2, d₂ = d₁ − s.
"""

from typing import Literal

import numpy as np
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError

Option = Literal["call", "put"]

TINY, MOST = float(np.nextafter(0.0, 1.0)), float(np.finfo(np.float64).max)
CERTAIN = 1e-100  # total standard deviation below which quotients overflow and nothing is uncertain


def price(forward: Vector, strike: Vector, *, deviation: Vector, discount: Vector, option: Option = "call") -> Vector:
    """Worth of options on forwards, USD per GPU-hour; arguments broadcast against one another.

    Args:
        forward: (n,) USD/GPUh, F, above 0.
        strike: (n,) USD/GPUh, K; at or below 0 a call is a forward and a put worth nothing.
        deviation: (n,) σ √T, at least 0.
        discount: (n,) D, above 0.
        option: `call` or `put`.

    Raises `InputError` for forwards or discount factors at or below 0, a negative deviation, or anything not finite.

    >>> price(np.array([19.0]), np.array([19.0]), deviation=np.array([0.28 * 0.75**0.5]), discount=np.exp(np.array([-0.075]))).round(4)
    array([1.7011])
    """
    upper, lower = _distances(forward, strike, deviation, discount)
    call = discount * (forward * ndtr(upper) - strike * ndtr(lower))
    return np.asarray(call if option == "call" else call - discount * (forward - strike))


def together(
    forward: Vector, strike: Vector, *, deviation: Vector, discount: Vector, option: Option = "call"
) -> tuple[Vector, Vector, Vector]:
    """`price`, `delta` and `vega` at the cost of little more than one of them."""
    upper, lower = _distances(forward, strike, deviation, discount)
    inside = ndtr(upper)
    call = discount * (forward * inside - strike * ndtr(lower))
    by_deviation = discount * forward * np.exp(-0.5 * upper**2) / np.sqrt(2 * np.pi)
    if option == "call":
        return np.asarray(call), np.asarray(discount * inside), np.asarray(by_deviation)
    return np.asarray(call - discount * (forward - strike)), np.asarray(discount * (inside - 1.0)), np.asarray(by_deviation)


def delta(forward: Vector, strike: Vector, *, deviation: Vector, discount: Vector, option: Option = "call") -> Vector:
    """∂ price / ∂ forward: D Φ(d₁) of a call, D (Φ(d₁) − 1) of a put. Arguments and refusals of `price`."""
    upper, _ = _distances(forward, strike, deviation, discount)
    return np.asarray(discount * (ndtr(upper) if option == "call" else ndtr(upper) - 1.0))


def vega(forward: Vector, strike: Vector, *, deviation: Vector, discount: Vector) -> Vector:
    """∂ price / ∂ (σ √T) = D F φ(d₁), the same for calls and puts; times √T it is ∂ price / ∂ σ. Arguments and refusals of `price`."""
    upper, _ = _distances(forward, strike, deviation, discount)
    return np.asarray(discount * forward * np.exp(-0.5 * upper**2) / np.sqrt(2 * np.pi))


def _distances(forward: Vector, strike: Vector, deviation: Vector, discount: Vector) -> tuple[Vector, Vector]:
    """d₁ and d₂; infinite, with the sign of what is exercised, where nothing is uncertain."""
    _refuse(forward, strike, deviation, discount)
    forward, strike, deviation = np.broadcast_arrays(forward, strike, deviation)
    if forward.size and strike.min() > 0 and deviation.min() >= CERTAIN:  # nearly always: none of the cases below
        scaled = (np.log(forward) - np.log(strike)) / deviation
    else:
        moneyness = np.where(strike > 0, np.log(forward) - np.log(np.where(strike > 0, strike, 1.0)), np.inf)
        certain = deviation < CERTAIN
        certainly = np.where(moneyness == 0, 0.0, np.copysign(np.inf, moneyness))
        scaled = np.where(certain, certainly, moneyness / np.where(certain, 1.0, deviation))
    half = 0.5 * deviation
    return scaled + half, scaled - half


def _refuse(forward: Vector, strike: Vector, deviation: Vector, discount: Vector) -> None:
    """Each argument's extremes tell whether all of it is good (of a NaN both are NaN); only then is the first that is not looked for."""
    faults = []
    for name, values, least, expected in (
        ("forward", forward, TINY, "a forward above 0"),
        ("strike", strike, -MOST, "a number"),
        ("deviation", deviation, 0.0, "a standard deviation of at least 0"),
        ("discount", discount, TINY, "a discount factor above 0"),
    ):
        given = np.asarray(values)
        if given.size and not (given.min() >= least and given.max() <= MOST):
            first = given[~((given >= least) & (given <= MOST))].flat[0]
            faults.append(Fault(file="option", column=name, value=str(first), expected=expected))
    if faults:
        raise InputError(faults)
