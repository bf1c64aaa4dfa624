r"""The fair variance of a variance swap from a strip of options, after Demeterfi, Derman, Kamal and Zou.

Realised variance is replicated by a forward and options of all strikes held as their log contract asks: the pay-off
:math:`f(S) = \frac{2}{T} \left[ \frac{S - S_*}{S_*} - \ln \frac{S}{S_*} \right]` is built of the listed strikes by straight lines, puts
from the boundary S* down and
calls from it up; then :math:`K_{var} = \frac{2}{T} \left[ \ln \frac{F}{S_*} - \frac{F}{S_*} + 1 \right] + \Pi / D`. Straight lines lie
above f: the sum is a little high.
Source: "More than you ever wanted to know about volatility swaps", Goldman Sachs Quantitative Strategies (1999).
"""

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives import black
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import Rule, at_least_zero, positive, refuse


def fair_variance(
    forward: Vector, *, put_strike: Vector, put_volatility: Vector, call_strike: Vector, call_volatility: Vector, years: Vector
) -> Vector:
    """Fair variances (n,) a year of swaps on forwards.

    Args:
        forward: (n,) USD/GPUh, above 0.
        put_strike: (p,) or (n, p) USD/GPUh, rising, the last one the boundary S*.
        put_volatility: of the same shape, per square root of a year.
        call_strike: (c,) or (n, c) USD/GPUh, rising, the first one the boundary S*.
        call_volatility: of the same shape.
        years: (n,) T, above 0.

    The outermost strikes only close the last straight line. Raises `InputError` for fewer than two strikes on a side, strikes out of
    order, boundaries that differ, a negative volatility, and anything not finite.

    >>> puts, calls = np.arange(50, 101, 5.0), np.arange(100, 136, 5.0)
    >>> fair_variance(100 * np.exp(np.array([0.05 * 0.246575])), put_strike=puts, put_volatility=0.2 + 0.002 * (100 - puts),
    ...               call_strike=calls, call_volatility=0.2 - 0.002 * (calls - 100), years=np.array([0.246575])).round(6)
    array([0.041889])
    """
    refuse([
        positive("forward", forward), positive("put_strike", put_strike), positive("call_strike", call_strike), positive("years", years),
        at_least_zero("put_volatility", put_volatility), at_least_zero("call_volatility", call_volatility),
    ], kind="variance swap")  # fmt: skip
    forward, years = np.broadcast_arrays(np.atleast_1d(forward), np.atleast_1d(years))
    puts, calls = np.atleast_2d(put_strike), np.atleast_2d(call_strike)
    refuse([
        Rule("strike", np.array([puts.shape[1], calls.shape[1]]), np.array([puts.shape[1], calls.shape[1]]) > 1, "two strikes or more"),
        Rule("put_strike", puts[:, 1:], np.diff(puts, axis=1) > 0, "rising strikes"),
        Rule("call_strike", calls[:, 1:], np.diff(calls, axis=1) > 0, "rising strikes"),
        Rule("call_strike", calls[:, 0], np.asarray(calls[:, 0] == puts[:, -1]), "calls that begin at the boundary where puts end"),
    ], kind="variance swap")  # fmt: skip
    boundary, time = calls[:, :1], years[:, None]
    replicated = np.zeros(forward.shape)
    sides: tuple[tuple[Vector, Vector, Option], ...] = (
        (puts[:, ::-1], np.atleast_2d(put_volatility)[:, ::-1], "put"),
        (calls, np.atleast_2d(call_volatility), "call"),
    )
    for strikes, volatility, option in sides:
        slopes = np.abs(np.diff(_pay_off(strikes, boundary, time), axis=1) / np.diff(strikes, axis=1))
        held = np.diff(slopes, axis=1, prepend=0.0)
        worth = black.price(
            forward[:, None], strikes[:, :-1], deviation=volatility[:, :-1] * np.sqrt(time), discount=np.ones(1), option=option
        )
        replicated = replicated + (held * worth).sum(axis=1)
    ratio = forward / boundary[:, 0]
    return np.asarray(2.0 / years * (np.log(ratio) - ratio + 1.0) + replicated)


def _pay_off(price: Vector, boundary: Vector, years: Vector) -> Vector:
    ratio = price / boundary
    return np.asarray(2.0 / years * (ratio - 1.0 - np.log(ratio)))
