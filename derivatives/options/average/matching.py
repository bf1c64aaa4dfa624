r"""Average options by two moments: the average taken for lognormal with its exact mean and variance, then Black's formula.

:math:`M_1 = \sum a_i F_i`, :math:`M_2 = \sum_{ij} a_i F_i a_j F_j e^{w_{\min(i,j)}}` with total variances w, and s² = ln(M₂ / M₁²).
Source: Turnbull and Wakeman, "A quick algorithm for pricing European average options", Journal of Financial and Quantitative Analysis 26
(1991), cut at two moments as Haug, "The complete guide to option pricing formulas", 2nd edition, tabulates it; Levy (1992) matches the same
two for continuous averaging (`continuous`). Far from the money it misses by some per cent: `conditioning` is the default.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.derivatives.options.average.terms import Averages, in_blocks
from tenorgrid.derivatives.options.domain import finite, refuse
from tenorgrid.derivatives.options.european import NO_RATE
from tenorgrid.derivatives.options.greeks import LadderGreeks

ROOT = np.sqrt(2.0 * np.pi)


def price(options: Averages) -> Vector:
    """Worth (n,) of average options by two moments, USD per GPU-hour.

    >>> table = Averages(forward=np.full((1, 26), 100.0), strike=np.array([100.0]), volatility=np.array([0.2]),
    ...                  years=1 / 52 + np.arange(26) / 25 * (0.5 - 1 / 52), discount=np.exp(np.array([-0.025])))
    >>> price(table).round(4)
    array([3.27])
    """
    return in_blocks(options, _price)[0]


def greeks(options: Averages, *, rate: Vector = NO_RATE) -> LadderGreeks:
    """Price and the exact derivatives of the formula; delta and gamma move all forwards alike, vega all volatilities.

    `rate` (n,), a year, is what the discount factor unwinds at in theta. Raises `InputError` for a rate that is not finite.

    >>> month = Averages(forward=np.full((1, 30), 2.5), strike=np.array([2.5]), volatility=np.array([0.8]), years=np.arange(1, 31) / 365)
    >>> greeks(month).delta.round(3)
    array([0.527])
    """
    refuse([finite("rate", rate)], kind="average")
    value, delta, gamma, vega, decay, ladder = in_blocks(options, _greeks)
    return LadderGreeks(price=value, delta=delta, gamma=gamma, vega=vega, theta=rate * value + decay, ladder=ladder)


@dataclass(frozen=True, slots=True)
class _Matched:
    """A run after matching: `open` are the contracts whose exercise is not certain, and the rest is of those alone."""

    open: Flags
    worth: Vector  # a F
    growth: Vector  # e^w
    first: Vector  # M₁
    second: Vector  # M₂
    deviation: Vector  # s
    strike: Vector

    @property
    def upper(self) -> Vector:
        """d₁ (n,)."""
        return np.asarray((np.log(self.first) - np.log(self.strike)) / self.deviation + 0.5 * self.deviation)


def _price(run: Averages) -> tuple[Vector]:
    one, value = _match(run), run.certain
    value[one.open] = run.discount[one.open] * _paid(one, run.sign)
    return (value,)


def _paid(one: _Matched, sign: float) -> Vector:
    upper = one.upper
    return np.asarray(sign * (one.first * ndtr(sign * upper) - one.strike * ndtr(sign * (upper - one.deviation))))


def _match(run: Averages) -> _Matched:
    worth, growth, strike = run.weight * run.forward, np.expm1(run.variance), run.effective
    first = worth.sum(axis=1)
    excess = _paired(worth, growth)  # M₂ − M₁², of which no digits cancel
    second = np.square(first) + excess
    squared = np.log1p(excess / np.where(first > 0, np.square(first), 1.0))
    uncertain = (strike > 0) & (first > 0) & (squared > 0)
    if not uncertain.all():
        worth, growth, first, second, squared, strike = (part[uncertain] for part in (worth, growth, first, second, squared, strike))
    return _Matched(uncertain, worth, growth + 1.0, first, second, np.sqrt(squared), strike)


def _paired(worth: Vector, growth: Vector) -> Vector:
    """Sum over pairs (n,), each with the growth of its earlier fixing: M₂ of e^w, M₂ − M₁² of e^w − 1."""
    after = worth[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.asarray(np.einsum("nm,nm->n", worth * growth, 2.0 * after - worth))


def _greeks(run: Averages) -> tuple[Vector, Vector, Vector, Vector, Vector, Vector]:
    """Price, delta, gamma, vega, theta without rate, ladder."""
    one, value, ladder = _match(run), run.certain, run.certain_ladder
    gamma, vega, decay = np.zeros((3, len(run.strike)))
    mine = np.flatnonzero(one.open)
    discount, weight = run.discount[mine], run.weight[mine]
    upper, deviation = one.upper, one.deviation
    density = np.exp(-0.5 * upper**2) / ROOT
    value[mine] = discount * _paid(one, run.sign)
    by_deviation = discount * one.first * density
    per_second = by_deviation / (2.0 * deviation * one.second)  # ∂ price / ∂ M₂
    partner = _partner(one.worth, one.growth)
    slope = discount * run.sign * ndtr(run.sign * upper) - by_deviation / (deviation * one.first)
    ladder[mine] = weight * (slope[:, None] + 2.0 * per_second[:, None] * partner)
    gamma[mine] = _gamma(one, weight, partner) * discount * density
    after = one.worth[:, ::-1].cumsum(axis=1)[:, ::-1]
    by_variance = per_second[:, None] * one.worth * one.growth * (2.0 * after - one.worth)
    vega[mine] = np.einsum("nm,nm->n", by_variance, 2.0 * (run.volatility * run.years)[mine])
    decay[mine] = -np.einsum("nm,nm->n", by_variance, np.square(run.volatility[mine]) * (run.years[mine] > 0))
    return value, ladder.sum(axis=1), gamma, vega, decay, ladder


def _partner(worth: Vector, growth: Vector) -> Vector:
    """Σ_j a_j F_j e^{w_min(i, j)} (n, m)."""
    after = worth[:, ::-1].cumsum(axis=1)[:, ::-1] - worth
    return np.asarray(np.cumsum(worth * growth, axis=1) + growth * after)


def _gamma(one: _Matched, weight: Vector, partner: Vector) -> Vector:
    """Second derivative over D φ(d₁) when all forwards move alike, through M₁ and through s."""
    s, upper, first, second = one.deviation, one.upper, one.first, one.second
    lower, whole = upper - s, weight.sum(axis=1)
    rise = 2.0 * np.einsum("nm,nm->n", weight, partner) / second - 2.0 * whole / first  # (s²)'
    both = 2.0 * _paired(weight, one.growth) / second
    bend = both - np.square(2.0 * np.einsum("nm,nm->n", weight, partner) / second) + 2.0 * np.square(whole / first)  # (s²)''
    slope = rise / (2.0 * s)
    curve = (bend - 2.0 * np.square(slope)) / (2.0 * s)
    return np.asarray(
        np.square(whole) / (first * s) - 2.0 * whole * slope * lower / s + first * (upper * lower / s * np.square(slope) + curve)
    )
