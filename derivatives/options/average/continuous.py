r"""Options on a continuously observed average, by two moments.

Of a period of T years, T₂ are left, and S^A is the average so far: A = ((T − T₂) S^A + ∫ S dt) / T. The rest has
:math:`M_1 = \frac{S}{T} \int_0^{T_2} e^{b t} dt` and
:math:`M_2 = \frac{2 S^2}{T^2} \int_0^{T_2} e^{b t} \int_0^t e^{(b + \sigma^2) u} du\, dt`; Black's
formula follows with s² = ln(M₂ / M₁²) and the strike less what is known. The outer integral is taken by Gauss-Legendre quadrature, so that
carries of b = 0, −σ² or −σ²/2 need no formulas of their own.
Source: Levy, "Pricing European average rate currency options", Journal of International Money and Finance 11 (1992).
"""

import numpy as np
from scipy.special import exprel

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import Rule, at_least_zero, finite, positive, refuse
from tenorgrid.derivatives.options.greeks import Greeks

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def price(
    spot: Vector, strike: Vector, *, carry: Vector, volatility: Vector, period: Vector, left: Vector, discount: Vector,
    average: Vector, option: Option = "call",
) -> Vector:  # fmt: skip
    """Worth (n,) of options on a continuous average, USD per GPU-hour; arguments broadcast against one another.

    Args:
        spot: (n,) USD/GPUh, S, above 0.
        strike: (n,) USD/GPUh.
        carry: (n,) b, a year, at which the forward rises with its term.
        volatility: (n,) σ, at least 0.
        period: (n,) T, years of the whole average.
        left: (n,) T₂, years of it still to come, above 0 and at most T.
        discount: (n,) D, to the day of payment.
        average: (n,) USD/GPUh, S^A, of the time that has passed; not used where T₂ = T.
        option: `call` or `put`.

    Raises `InputError` for a negative volatility, a rest longer than its period, and anything not finite.

    >>> one = np.ones(1)
    >>> price(6.8 * one, 6.9 * one, carry=-0.02 * one, volatility=0.14 * one, period=0.5 * one, left=0.5 * one,
    ...       discount=np.exp(-0.035 * one), average=6.8 * one, option="put").round(4)
    array([0.2237])
    """
    return greeks(
        spot, strike, carry=carry, volatility=volatility, period=period, left=left, discount=discount, average=average, option=option
    ).price


def greeks(
    spot: Vector, strike: Vector, *, carry: Vector, volatility: Vector, period: Vector, left: Vector, discount: Vector,
    average: Vector, option: Option = "call",
) -> Greeks:  # fmt: skip
    """Price, delta and gamma by the spot, vega; theta is NaN: what a day does to the average hangs on the spot, not on time alone.

    Arguments and refusals of `price`.

    >>> one = np.ones(1)
    >>> greeks(one, one, carry=0 * one, volatility=0.4 * one, period=one, left=one, discount=one, average=one).delta.round(4)
    array([0.5463])
    """
    refuse([
        positive("spot", spot), finite("strike", strike), finite("carry", carry), at_least_zero("volatility", volatility),
        positive("period", period), positive("discount", discount), finite("average", average),
        Rule("left", left, (np.asarray(left) > 0) & (np.asarray(left) <= period), "years above 0 and at most the period"),
    ], kind="average")  # fmt: skip
    spot, strike, carry, volatility, period, left, discount, average = np.broadcast_arrays(
        spot, strike, carry, volatility, period, left, discount, average
    )
    first, second, slope = _moments(carry, volatility, left)
    share = spot / period * first
    effective = strike - (period - left) / period * average
    squared = np.maximum(np.log(second / np.square(first)), 0.0)
    deviation = np.sqrt(squared)
    value = black.price(share, effective, deviation=deviation, discount=discount, option=option)
    by_deviation = black.vega(share, effective, deviation=deviation, discount=discount)
    certain = deviation < black.CERTAIN
    per = by_deviation / np.where(certain, 1.0, deviation)
    return Greeks(
        price=value,
        delta=black.delta(share, effective, deviation=deviation, discount=discount, option=option) * first / period,
        gamma=np.where(certain, np.where(by_deviation > 0, np.inf, 0.0), per / np.square(spot)),
        vega=np.where(certain, 0.0, per * slope / (2.0 * second)),
        theta=np.full(spot.shape, np.nan),
    )


def _moments(carry: Vector, volatility: Vector, left: Vector) -> tuple[Vector, Vector, Vector]:
    """M₁ T / S, M₂ T² / S² and its derivative by σ, (n,) each."""
    time = 0.5 * left[..., None] * (NODES + 1.0)
    rate = (carry + np.square(volatility))[..., None]
    outer = 2.0 * np.exp(carry[..., None] * time) * (0.5 * left[..., None] * WEIGHTS)
    inner = time * exprel(rate * time)
    second = np.sum(outer * inner, axis=-1)
    # ∂/∂r ∫₀ᵗ e^{ru} du = ∫₀ᵗ u e^{ru} du, by the same nodes
    within = 0.5 * time[..., None] * (NODES + 1.0)
    bent = np.sum(within * np.exp(rate[..., None] * within) * (0.5 * time[..., None] * WEIGHTS), axis=-1)
    return left * exprel(carry * left), second, 2.0 * volatility * np.sum(outer * bent, axis=-1)
