r"""Average options by conditioning on the geometric average: the default.

With G the geometric average and z its standardised logarithm, :math:`E[A \mid z] = k + \sum_i a_i F_i e^{s_i z - s_i^2/2}` with
:math:`s_i = \operatorname{cov}(\ln F_i, \ln G) / \operatorname{sd}(\ln G)`. By Jensen's inequality the option on it is worth no more than
the
option on A, and misses it by little: as E[A | z] rises with z, it is D [Σ a_i F_i Φ(s_i − z*) − K' Φ(−z*)], where E[A | z*] = K and
K' = K − k. Only z* is searched, by Newton's method on the logarithm, which is convex; the price is stationary in it.
Sources: Curran, "Valuing Asian and portfolio options by conditioning on the geometric mean price", Management Science 40 (1994); Rogers
and Shi,
"The value of an Asian option", Journal of Applied Probability 32 (1995).
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
FARTHEST = 40.0  # |z*| beyond which everything, or nothing, is exercised in double precision
CLOSE = 1e-5  # step of z* below which it is found: what the price misses is of the order of the fourth power
LONGEST = 200


def price(options: Averages) -> Vector:
    """Worth (n,) of average options, USD per GPU-hour: the conditioning bound from below.

    >>> table = Averages(forward=np.full((1, 26), 100.0), strike=np.array([100.0]), volatility=np.array([0.2]),
    ...                  years=1 / 52 + np.arange(26) / 25 * (0.5 - 1 / 52), discount=np.exp(np.array([-0.025])))
    >>> price(table).round(4)
    array([3.2667])
    """
    return in_blocks(options, _price)[0]


def greeks(options: Averages, *, rate: Vector = NO_RATE) -> LadderGreeks:
    """Price and the exact derivatives of the bound; delta and gamma move all forwards alike, vega all volatilities.

    `rate` (n,), a year, is what the discount factor unwinds at in theta. Raises `InputError` for a rate that is not finite.

    >>> month = Averages(forward=np.full((1, 30), 2.5), strike=np.array([2.5]), volatility=np.array([0.8]), years=np.arange(1, 31) / 365)
    >>> greeks(month).delta.round(3), greeks(month).ladder.shape
    (array([0.522]), (1, 30))
    """
    refuse([finite("rate", rate)], kind="average")
    value, delta, gamma, vega, decay, ladder = in_blocks(options, _greeks)
    return LadderGreeks(price=value, delta=delta, gamma=gamma, vega=vega, theta=rate * value + decay, ladder=ladder)


@dataclass(frozen=True, slots=True)
class _Conditioned:
    """A run after conditioning: `open` are the contracts whose exercise is not certain, and the rest is of those alone."""

    open: Flags
    worth: Vector  # a F
    strike: Vector
    spread: Vector  # s
    found: Vector  # z*


def _price(run: Averages) -> tuple[Vector]:
    one = _condition(run)
    value = run.certain
    value[one.open] = run.discount[one.open] * _paid(one, run.sign)
    return (value,)


def _paid(one: _Conditioned, sign: float) -> Vector:
    z = one.found[:, None]
    exercised = np.einsum("nm,nm->n", one.worth, ndtr(sign * (one.spread - z)))
    return np.asarray(sign * (exercised - one.strike * ndtr(-sign * one.found)))


def _condition(run: Averages) -> _Conditioned:
    worth, strike, variance = run.weight * run.forward, run.effective, run.variance
    share = run.weight / np.maximum(run.weight.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    covariance = _covariance(share, variance)
    total = np.einsum("nm,nm->n", share, covariance)
    uncertain = (strike > 0) & (total > 0) & (worth.sum(axis=1) > 0)
    if not uncertain.all():
        worth, strike, covariance, total = worth[uncertain], strike[uncertain], covariance[uncertain], total[uncertain]
    spread = covariance / np.sqrt(total)[:, None]
    return _Conditioned(uncertain, worth, strike, spread, _boundary(worth, strike, spread))


def _covariance(share: Vector, variance: Vector) -> Vector:
    """cov(ln F_i, ln G) (n, m): the sum over j of share_j times the variance of the earlier of i and j."""
    before = np.cumsum(share, axis=1)
    return np.asarray(np.cumsum(share * variance, axis=1) + variance * (before[:, -1:] - before))


def _boundary(worth: Vector, strike: Vector, spread: Vector) -> Vector:
    """z* (n,): from 0 the first step ends at or right of it, and the others come down to it."""
    z, goal = np.zeros(strike.shape), np.log(strike)
    scaled = worth * np.exp(-0.5 * np.square(spread))
    for _ in range(LONGEST):
        parts = scaled * np.exp(spread * z[:, None])
        whole = parts.sum(axis=1)
        slope = np.einsum("nm,nm->n", parts, spread) / whole
        step = (np.log(whole) - goal) / np.maximum(slope, np.finfo(np.float64).tiny)
        moved = np.clip(z - step, -FARTHEST, FARTHEST)
        ended = np.abs(moved - z).max(initial=0.0) <= CLOSE
        z = moved
        if ended:
            break
    return z


def _greeks(run: Averages) -> tuple[Vector, Vector, Vector, Vector, Vector, Vector]:
    """Price, delta, gamma, vega, theta without rate, ladder."""
    one = _condition(run)
    value, (gamma, vega, decay) = run.certain, np.zeros((3, len(run.strike)))
    ladder = run.certain_ladder
    mine = np.flatnonzero(one.open)
    discount, weight, z = run.discount[mine], run.weight[mine], one.found
    value[mine] = discount * _paid(one, run.sign)
    ladder[mine] = run.sign * discount[:, None] * weight * ndtr(run.sign * (one.spread - z[:, None]))
    density = np.exp(-0.5 * np.square(one.spread - z[:, None])) / ROOT  # φ(z) e^{s z - s²/2}
    steep = np.einsum("nm,nm,nm->n", one.worth, one.spread, density)
    gamma[mine] = discount * np.square(np.einsum("nm,nm->n", weight, density)) / np.maximum(steep, np.finfo(np.float64).tiny)
    by_variance = _by_variance(run, one, discount[:, None] * one.worth * density)
    vega[mine] = np.einsum("nm,nm->n", by_variance, 2.0 * (run.volatility * run.years)[mine])
    decay[mine] = -np.einsum("nm,nm->n", by_variance, np.square(run.volatility[mine]) * (run.years[mine] > 0))
    return value, ladder.sum(axis=1), gamma, vega, decay, ladder


def _by_variance(run: Averages, one: _Conditioned, by_spread: Vector) -> Vector:
    """∂ price / ∂ variance (n, m) from ∂ price / ∂ s."""
    weight = run.weight[one.open]
    share = weight / weight.sum(axis=1, keepdims=True)
    covariance = _covariance(share, run.variance[one.open])
    total = np.einsum("nm,nm->n", share, covariance)[:, None]
    by_covariance = by_spread / np.sqrt(total) - share * (by_spread * covariance).sum(axis=1, keepdims=True) / (2.0 * total**1.5)
    after = by_covariance[:, ::-1].cumsum(axis=1)[:, ::-1]  # of fixings from this one on
    later = 1.0 - share.cumsum(axis=1)
    return np.asarray(share * after + by_covariance * later)
