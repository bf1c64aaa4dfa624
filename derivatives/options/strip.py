"""Caps, floors and collars: strips of hourly options on λ, each hour with its own volatility.

A cap pays max(λ − K, 0) on so many GPU-hours of every hour, a floor max(K − λ, 0); a collar is a cap bought and a floor sold. The value
is the sum
of the caplets: hours are optional one by one, so that no correlation between them matters. Where λ may be negative or near zero,
`bachelier`.
"""

from typing import Literal

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options import bachelier, european
from tenorgrid.derivatives.options.domain import finite, refuse
from tenorgrid.derivatives.options.european import NO_RATE
from tenorgrid.derivatives.options.greeks import Greeks, LadderGreeks

Model = Literal["black", "bachelier"]
Strip = Literal["cap", "floor"]
ELEMENTS = 65536  # contracts times hours at once
MODELS = {"black": european.greeks, "bachelier": bachelier.greeks}


def value(
    strip: Strip, forward: Vector, strike: Vector, *, volatility: Vector, years: Vector, discount: Vector, quantity: Vector,
    model: Model = "black", rate: Vector = NO_RATE,
) -> LadderGreeks:  # fmt: skip
    """Worth of n strips over h hours with their greeks, in USD; arguments broadcast to (n, h), `strike` (n,) along the hours.

    Args:
        strip: `cap` or `floor`.
        forward: (h,) or (n, h) USD/GPUh, the hourly forward curve.
        strike: (n,) USD/GPUh.
        volatility: (h,) or (n, h) σ of each hour's price up to its fixing: per square root of a year, with `bachelier` in USD/GPUh.
        years: (h,) or (n, h), to each hour, at least 0.
        discount: (h,) or (n, h), to each hour's payment.
        quantity: (n, h) GPUh of each hour; 0 outside a contract's own hours, negative where sold.
        model: `black` or `bachelier`.
        rate: (n,), a year, what discount factors unwind at in theta.

    The ladder (n, h) is GPUh by hour: the hedge in the hourly curve. Raises `InputError` as the model does, and for an unknown model.

    >>> day = np.full(24, 2.5)
    >>> found = value("cap", day, np.array([3.0]), volatility=np.full(24, 0.9), years=np.arange(24) / 8760 + 0.1, discount=np.ones(24),
    ...               quantity=np.ones((1, 24)))
    >>> found.price.round(3), found.ladder.shape
    (array([2.975]), (1, 24))
    """
    if model not in MODELS or strip not in ("cap", "floor"):
        raise InputError.of("strip", "a cap or floor by black or bachelier", column="model", value=f"{strip} by {model}")
    refuse([finite("quantity", quantity)], kind="strip")
    strikes, quantity = np.atleast_1d(strike)[:, None], np.atleast_2d(quantity)
    shape = np.broadcast_shapes(*(np.shape(values) for values in (forward, strikes, volatility, years, discount, quantity)))
    arguments = [np.broadcast_to(values, shape) for values in (forward, strikes, volatility, years, discount, quantity)]
    rates = np.broadcast_to(np.asarray(rate)[..., None] if np.size(rate) > 1 else rate, (*shape[:1], 1))
    run = max(ELEMENTS // max(shape[1], 1), 1)
    parts = []
    for at in range(0, max(shape[0], 1), run):
        forwards, limits, sigma, time, factor, hours = (values[at : at + run] for values in arguments)
        option: Option = "call" if strip == "cap" else "put"
        found = MODELS[model](forwards, limits, volatility=sigma, years=time, discount=factor, option=option, rate=rates[at : at + run])
        parts.append(_summed(found, hours))
    return _joined(parts)


def collar(
    forward: Vector, cap: Vector, floor: Vector, *, volatility: Vector, years: Vector, discount: Vector, quantity: Vector,
    model: Model = "black", rate: Vector = NO_RATE,
) -> LadderGreeks:  # fmt: skip
    """A cap bought at `cap` (n,) and a floor sold at `floor` (n,): the greatest and the least that a buyer of λ pays. In USD, as `value`.

    Raises `InputError` for a floor above its cap, and as `value` does.

    >>> hour = np.array([2.5])
    >>> same = collar(hour, hour, hour, volatility=hour, years=hour, discount=np.ones(1), quantity=np.ones((1, 1)))
    >>> bool(abs(same.price[0]) < 1e-12)  # a collar of no width is a forward at its strike
    True
    """
    cap, floor = np.broadcast_arrays(np.atleast_1d(cap), np.atleast_1d(floor))
    if (floor > cap).any():
        raise InputError.of("strip", "a floor not above its cap", column="floor", value=float(floor[floor > cap][0]))
    rest = {"volatility": volatility, "years": years, "discount": discount, "quantity": quantity}
    bought = value("cap", forward, cap, model=model, rate=rate, **rest)
    sold = value("floor", forward, floor, model=model, rate=rate, **rest)
    return LadderGreeks(
        price=bought.price - sold.price,
        delta=bought.delta - sold.delta,
        gamma=bought.gamma - sold.gamma,
        vega=bought.vega - sold.vega,
        theta=bought.theta - sold.theta,
        ladder=bought.ladder - sold.ladder,
    )


def _summed(found: Greeks, quantity: Vector) -> LadderGreeks:
    held = quantity != 0
    price, gamma, vega, theta = (
        (quantity * np.where(held, part, 0.0)).sum(axis=1) for part in (found.price, found.gamma, found.vega, found.theta)
    )
    ladder = found.delta * quantity
    return LadderGreeks(price=price, delta=ladder.sum(axis=1), gamma=gamma, vega=vega, theta=theta, ladder=ladder)


def _joined(parts: list[LadderGreeks]) -> LadderGreeks:
    names = ("price", "delta", "gamma", "vega", "theta", "ladder")
    return LadderGreeks(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
