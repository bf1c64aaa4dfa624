r"""Swing: the right to take lots of GPU-hours at a strike on given dates, between a least and a most in total, by dynamic programming.

With n lots taken before date t, u taken at it and l at the date before,

.. math:: V_t(l, n, x) = \max_{u} \; u \, D_t (S_t(x) - K_t) + E[V_{t+1}(u, n + u, X_{t+1}) \mid X_t = x]

over 0 ≤ u ≤ `most`, \|u − l\| ≤ `ramp`, n + u ≤ `maximum`, and at the end n ≥ `minimum`. The expectation is one product with the chain's
transition matrix for all n at once. Jaillet, Ronn and Tompaidis, "Valuation of commodity-based swing options", Management Science 50 (2004)
state the program on a tree.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights.lattice import Lattice

IMPOSSIBLE = -1e300  # worth of a state from which the minimum cannot be met; no sum of prices comes near it
NEGLIGIBLE = 1e-30  # probability that is dropped: far smaller ones slow products down a hundred times


@dataclass(frozen=True, kw_only=True)
class Swing:
    """How lots may be taken; the value is in USD for lots of one GPU-hour.

    Raises `InputError` with every fault: a negative number, a minimum above the maximum, a start above `most`.

    >>> Swing(minimum=5, maximum=4)
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: swing, column minimum: found 5, expected at most the maximum, 4
    """

    maximum: int  # lots in total, at least 0
    minimum: int = 0  # lots in total that must be taken
    most: int = 1  # lots on one date
    ramp: int | None = None  # lots by which neighbouring dates may differ; None is any
    start: int = 0  # lots taken on the date before the first, for the ramp

    def __post_init__(self) -> None:
        refuse(
            "swing",
            ("maximum", self.maximum, "at least 0", self.maximum >= 0),
            ("minimum", self.minimum, "at least 0", self.minimum >= 0),
            ("minimum", self.minimum, f"at most the maximum, {self.maximum}", self.minimum <= self.maximum),
            ("most", self.most, "at least 1", self.most >= 1),
            ("ramp", self.ramp, "at least 1", self.ramp is None or self.ramp >= 1),
            ("start", self.start, f"from 0 to {self.most}", 0 <= self.start <= self.most),
        )


@dataclass(frozen=True, kw_only=True)
class Exercised:
    """What a swing is worth and what its holder is expected to take."""

    value: float  # USD
    taken: Vector  # (dates,) expected lots
    delta: Vector  # (dates,) USD by USD/GPUh of the forward: D E[u S / F]


def value(swing: Swing, *, chain: Lattice, forward: Vector, strike: Vector, discount: Vector) -> float:
    """Worth of a swing, USD.

    Args:
        swing: lots.
        chain: prices over forwards at the dates.
        forward: (dates,) USD/GPUh, F.
        strike: (dates,) USD/GPUh, K.
        discount: (dates,) D, above 0, to the valuation.

    Raises `InputError` for arrays of other lengths, discount factors at or below 0, and a minimum that dates and ramp cannot meet.

    >>> from tenorgrid.derivatives.rights.lattice import lattice
    >>> years = np.arange(1, 31) / 365
    >>> chain = lattice(reversion=4.0, volatility=1.2, years=years, nodes=101)
    >>> round(value(Swing(maximum=5), chain=chain, forward=np.ones(30), strike=np.ones(30), discount=np.exp(-0.04 * years)), 4)
    0.622
    """
    margin = _margins(chain, forward, strike, discount)
    return _solve(swing, chain, margin, None)


def exercised(swing: Swing, *, chain: Lattice, forward: Vector, strike: Vector, discount: Vector) -> Exercised:
    """Worth, expected lots and delta by date: the best policy is carried forward through the transposed matrices.

    The policy does not move the value to first order, so ∂V/∂F_t = D_t E[u_t S_t / F_t] exactly. Arguments and refusals of `value`; keeps
    dates × (lots + 1) × nodes bytes.
    """
    margin = _margins(chain, forward, strike, discount)
    policies: list[npt.NDArray[np.int8]] = []
    worth = _solve(swing, chain, margin, policies)
    levels, lots = policies[-1].shape[0], swing.maximum + 1
    chance = np.zeros((levels, lots, chain.nodes.size))
    chance[swing.start if levels > 1 else 0, 0] = chain.first
    taken, delta = np.zeros(forward.size), np.zeros(forward.size)
    for at, policy in enumerate(reversed(policies)):
        moved = np.zeros_like(chance)
        for u in range(min(swing.most, swing.maximum) + 1):
            chosen = np.where(policy == u, chance, 0.0)
            mass = chosen.sum(axis=(0, 1))
            taken[at] += u * mass.sum()
            delta[at] += u * discount[at] * (mass @ chain.ratio[at])
            moved[u if levels > 1 else slice(None), u:] += (chosen.sum(axis=0) if levels > 1 else chosen[0])[: lots - u]
        moved[moved < NEGLIGIBLE] = 0.0
        if at < chain.kind.size:
            chance = (moved.reshape(-1, chain.nodes.size) @ chain.matrices[chain.kind[at]]).reshape(moved.shape)
    return Exercised(value=worth, taken=taken, delta=delta)


def europeans(*, chain: Lattice, forward: Vector, strike: Vector, discount: Vector) -> Vector:
    """Worth of one right on each date alone, (dates,) USD: those of any n dates bound a swing of n rights from below."""
    margin = np.maximum(_margins(chain, forward, strike, discount), 0.0)
    chance, found = chain.first, np.empty(forward.size)
    for at in range(forward.size):
        found[at] = chance @ margin[at]
        if at < chain.kind.size:
            chance = chance @ chain.matrices[chain.kind[at]]
    return found


def _margins(chain: Lattice, forward: Vector, strike: Vector, discount: Vector) -> Vector:
    """D (S − K), (dates, nodes)."""
    dates = chain.ratio.shape[0]
    refuse(
        "swing",
        ("forward", forward.shape, f"{dates} finite numbers", forward.shape == (dates,) and bool(np.all(np.isfinite(forward)))),
        ("strike", strike.shape, f"{dates} finite numbers", strike.shape == (dates,) and bool(np.all(np.isfinite(strike)))),
        ("discount", discount.shape, f"{dates} factors above 0", discount.shape == (dates,) and bool(np.all(discount > 0))),
    )
    return np.asarray(discount[:, None] * (forward[:, None] * chain.ratio - strike[:, None]))


def _solve(swing: Swing, chain: Lattice, margin: Vector, policies: list[npt.NDArray[np.int8]] | None) -> float:
    """Worth at the first date; what to take is appended to `policies`, last date first, unless it is None."""
    dates, nodes = margin.shape
    most = min(swing.most, swing.maximum)
    reach = most if swing.ramp is None else swing.ramp
    levels = 1 if reach >= most and swing.start <= reach else most + 1
    worth = np.zeros((levels, swing.maximum + 1, nodes))
    worth[:, : swing.minimum] = IMPOSSIBLE
    for at in reversed(range(dates)):
        if at < dates - 1:
            matrix = chain.matrices[chain.kind[at]]
            worth = (worth.reshape(-1, nodes) @ matrix.T).reshape(worth.shape)
        worth = _step(worth, margin[at], most, reach, policies)
    found = float(worth[swing.start if levels > 1 else 0, 0] @ chain.first)
    if found < IMPOSSIBLE / 2:
        raise InputError.of("swing", f"a minimum that {dates} dates allow", column="minimum", value=swing.minimum)
    return found


def _step(after: Vector, margin: Vector, most: int, reach: int, policies: list[npt.NDArray[np.int8]] | None) -> Vector:
    """Best of all that may be taken at one date, given the worth of going on, (levels, lots, nodes)."""
    levels, lots, _ = after.shape
    best = np.full_like(after, IMPOSSIBLE)
    chosen = None if policies is None else np.zeros(after.shape, np.int8)
    for u in range(most + 1):
        onward = after[u if levels > 1 else 0, u:]
        going = onward + u * margin if u else onward
        for level in range(levels):
            if levels > 1 and abs(u - level) > reach:
                continue
            target = best[level, : lots - u]
            if chosen is not None:
                chosen[level, : lots - u][going > target] = u
            np.maximum(target, going, out=target)
    if policies is not None and chosen is not None:
        policies.append(chosen)
    return best
