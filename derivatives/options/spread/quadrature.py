r"""Spread options by one integral: the reference, exact to rounding.

Given the standard normal z that drives F₂, F₁ is lognormal, and the option is Black's on it:
:math:`D \int \varphi(z)\, B(F_1 e^{\rho s_1 z - \rho^2 s_1^2 / 2},\; K + F_2 e^{s_2 z - s_2^2 / 2},\; s_1 \sqrt{1 - \rho^2})\, dz` with s
= σ √T. Where the
conditional option is at the money the integrand bends, at ρ = ±1 with a kink: the logarithm of its moneyness is concave in z, so this
happens at
no more than two places, and Gauss-Legendre panels halve towards both. Greeks come from the same nodes; with the second derivatives Γ,
volatility,
time and correlation follow from the generator: ∂/∂ρ = T σ₁ σ₂ F₁ F₂ Γ₁₂, ∂/∂σ₁ = T (σ₁ F₁² Γ₁₁ + ρ σ₂ F₁ F₂ Γ₁₂).
Source: Pearson, "An efficient approach for pricing spread options", Journal of Derivatives 3 (1995), for the conditioning.
"""

import itertools
from collections.abc import Callable

import numpy as np
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.black import CERTAIN
from tenorgrid.derivatives.options.domain import finite, refuse
from tenorgrid.derivatives.options.european import NO_RATE
from tenorgrid.derivatives.options.greeks import SpreadGreeks
from tenorgrid.derivatives.options.spread.terms import Spreads, joined

ROOT = np.sqrt(2.0 * np.pi)
BEYOND = 9.0  # standard deviations beyond which the density is below 1e-18
HALVINGS = 20  # of panels towards a kink: the last is 1e-6 of its interval
NODES = 20  # of each panel
LEAST = 1e-5  # conditional deviation that second derivatives use at least: the panels resolve it, and it adds 1e-10 of variance
AT_ONCE = 64  # contracts, so that the nodes stay in the cache
BISECTIONS = 60


def _graded() -> tuple[Vector, Vector]:
    """Nodes and weights of [0, 1], panels halving towards both ends."""
    point, weight = np.polynomial.legendre.leggauss(NODES)
    edges = np.concatenate([[0.0], 0.5 ** np.arange(HALVINGS, 0, -1)])
    width = np.diff(edges)[:, None]
    left = (edges[:-1, None] + 0.5 * width * (point + 1.0)).ravel()
    share = (0.5 * width * weight).ravel()
    return np.concatenate([left, 1.0 - left]), np.concatenate([share, share])


POINT, SHARE = _graded()


def greeks(options: Spreads, *, rate: Vector = NO_RATE) -> SpreadGreeks:
    """Exact price and greeks of spread options.

    `rate` (n,), a year, is what the discount factor unwinds at in theta. Raises `InputError` for a rate that is not finite.

    >>> one = np.ones(1)
    >>> found = greeks(Spreads(first=122 * one, second=120 * one, strike=3 * one, first_volatility=0.2 * one, second_volatility=0.2 * one,
    ...                        correlation=-0.5 * one, years=one / 10, discount=np.exp(-one / 100)))
    >>> found.price.round(6)
    array([4.752815])
    """
    refuse([finite("rate", rate)], kind="spread")
    spread_rate = np.broadcast_to(rate, options.strike.shape)
    return joined(options, [(_greeks(part, spread_rate[mine]), mine, turned) for part, mine, turned in options.by_sign()])


def price(options: Spreads) -> Vector:
    """Exact worth (n,) of spread options, USD per GPU-hour."""
    found = np.empty(options.strike.shape)
    for part, mine, _ in options.by_sign():
        found[mine] = part.discount * _integrals(part, worth_alone=True)[0]
    return found


def _greeks(options: Spreads, rate: Vector) -> SpreadGreeks:
    first, second, years, discount, rho = options.first, options.second, options.years, options.discount, options.correlation
    worth, up, down, own, cross, other = discount * _integrals(options, worth_alone=False)
    one, two = options.first_volatility, options.second_volatility
    squares = one * first**2 * own, two * second**2 * other
    product = first * second * cross
    return SpreadGreeks(
        price=worth,
        delta=np.stack([up, down], axis=1),
        gamma=np.stack([own, cross, other], axis=1),
        vega=np.stack([years * (squares[0] + rho * two * product), years * (squares[1] + rho * one * product)], axis=1),
        theta=rate * worth - 0.5 * one * squares[0] - 0.5 * two * squares[1] - rho * one * two * product,
        correlation=years * one * two * product,
    )


def _integrals(options: Spreads, *, worth_alone: bool) -> Vector:
    """(6, n) undiscounted: worth, its derivatives by F₁ and F₂, and the second ones by F₁², F₁F₂, F₂²; with `worth_alone` (1, n)."""
    root = np.sqrt(options.years)
    columns = np.stack([
        options.first, options.second, options.strike, options.first_volatility * root, options.second_volatility * root,
        options.correlation
    ])  # fmt: skip
    columns[3:5] = np.where(columns[3:5] < CERTAIN, 0.0, columns[3:5])  # quotients of them would overflow
    runs = [columns[:, at : at + AT_ONCE] for at in range(0, columns.shape[1], AT_ONCE)]
    return np.concatenate([_integrate(run, options.sign, worth_alone=worth_alone) for run in runs], axis=1)


def _integrate(run: Vector, sign: float, *, worth_alone: bool) -> Vector:
    edges = _edges(run)
    first, second, strike, one, two, rho = (values[:, None] for values in run)
    found = np.zeros((1 if worth_alone else 6, run.shape[1]))
    conditional = one * np.sqrt(np.maximum(1.0 - rho**2, 0.0))
    for low, high in itertools.pairwise(edges):
        width = (high - low)[:, None]
        if not width.any():
            continue
        z = low[:, None] + width * POINT
        density = width * SHARE * np.exp(-0.5 * z**2) / ROOT
        grown = np.exp(rho * one * z - 0.5 * (rho * one) ** 2), np.exp(two * z - 0.5 * two**2)
        leg, limit = first * grown[0], strike + second * grown[1]
        upper, lower = _distances(leg, limit, conditional)
        exercised = ndtr(sign * upper), ndtr(sign * lower)
        found[0] += sign * np.einsum("nz,nz->n", density, leg * exercised[0] - limit * exercised[1])
        if worth_alone:
            continue
        found[1] += sign * np.einsum("nz,nz,nz->n", density, grown[0], exercised[0])
        found[2] -= sign * np.einsum("nz,nz,nz->n", density, grown[1], exercised[1])
        least = np.maximum(conditional, LEAST)
        bell = density * np.exp(-0.5 * _distances(leg, limit, least)[0] ** 2) / (ROOT * least)
        found[3] += np.einsum("nz,nz->n", bell, grown[0] ** 2 / leg)
        found[4] -= np.einsum("nz,nz->n", bell, grown[0] * grown[1] / limit)
        found[5] += np.einsum("nz,nz->n", bell, grown[1] ** 2 * leg / limit**2)
    return found


def _distances(leg: Vector, limit: Vector, deviation: Vector) -> tuple[Vector, Vector]:
    moneyness = np.log(leg / limit)
    certain = deviation < CERTAIN
    scaled = np.where(certain, np.where(moneyness == 0, 0.0, np.copysign(np.inf, moneyness)), moneyness / np.where(certain, 1.0, deviation))
    return scaled + 0.5 * deviation, scaled - 0.5 * deviation


def _edges(run: Vector) -> Vector:
    """(4, n) the ends of the integral and the two places between them where the conditional option is at the money, if there are such."""
    first, second, strike, one, two, rho = run
    low = -BEYOND + np.minimum(rho * one, 0.0)
    high = BEYOND + np.maximum(np.maximum(rho * one, two), 0.0)
    share = np.where(two > 0, rho * one / np.where(two > 0, two, 1.0), np.where(rho > 0, 1.0, 0.0))  # F₂'s part of the limit at the top
    inside = (share > 0) & (share < 1) & (strike > 0) & (two > 0)
    odds = np.log(np.where(inside, strike / second, 1.0)) + np.log(np.where(inside, share, 1.0)) - np.log1p(-np.where(inside, share, 0.0))
    top = np.where(inside, (odds + 0.5 * two**2) / np.where(two > 0, two, 1.0), np.where(share > 0.5, high, low))
    top = np.clip(top, low, high)

    def moneyness(z: Vector) -> Vector:
        return np.asarray(np.log(first) + rho * one * z - 0.5 * (rho * one) ** 2 - np.log(strike + second * np.exp(two * z - 0.5 * two**2)))

    return np.stack([low, _root(moneyness, low, top), _root(moneyness, high, top), high])


def _root(moneyness: Callable[[Vector], Vector], out: Vector, top: Vector) -> Vector:
    """Where the moneyness is 0 between an end, where it is least, and the top; the nearer of the two where it is not."""
    outside, inside = out.copy(), top.copy()
    for _ in range(BISECTIONS):
        middle = 0.5 * (outside + inside)
        above = moneyness(middle) > 0
        inside, outside = np.where(above, middle, inside), np.where(above, outside, middle)
    return np.asarray(0.5 * (outside + inside))
