r"""Greeks explain: every move times the mean of its sensitivity before, halfway and after, whatever else has moved.

What the market moves (curve, volatilities, correlations, discount) is told by sensitivities. On the straight way x(s) from the earlier
market to the later one a gain is :math:`\sum_i \int_0^1 \partial_i V(x(s))\, ds\, \Delta x_i`; the mean is Simpson's, (before + 4 halfway
+ after) / 6, whose error is of the fifth order: gamma, and what volatility and price do together, are in it, half with each. No factor
comes before another. What passes at once (time, fixings) is not small and is revalued: with the market as the one other player, each
counts by Shapley's value, so that the market's sensitivities are means over whether the days have passed and the fixings are known.
Source: the path integral is Aumann and Shapley's value ("Values of non-atomic games", 1974).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.contract import ExplainFactor
from tenorgrid.derivatives.explain.passage import NOTHING, Lever, Moved
from tenorgrid.derivatives.explain.shapley import shapley, weights
from tenorgrid.derivatives.explain.worth import State, Worths

AT_ONCE = (ExplainFactor.TIME, ExplainFactor.FIXINGS)
STEP = 1e-3  # of the way, of the difference that tells a lever's sensitivity
SIMPSON = (1 / 6, 4 / 6, 1 / 6)


@dataclass(frozen=True, eq=False, kw_only=True)
class ByGreeks:
    """Gains in USD: `at_once` by factor (n,), `curve` (n,), `levers` (n,), and `moves` by index (moves,) of the whole book.

    `first_moves` and `first_levers` are by the earlier market's sensitivities alone.
    """

    at_once: Mapping[ExplainFactor, Vector]
    curve: Vector
    levers: Mapping[Lever, Vector]
    moves: Mapping[str, Vector]
    first_moves: Mapping[str, Vector]
    first_levers: Mapping[Lever, Vector]


def by_greeks(worths: Worths, known: Mapping[Moved, State]) -> ByGreeks:
    """Greeks explain of each trade; `known` are states that are worked out already."""
    factors = worths.passage.factors
    passing = [factor for factor in AT_ONCE if factor in factors]
    smooth = frozenset(factors) - set(AT_ONCE)
    share = weights(len(passing) + 1)
    curve = np.zeros(worths.trades.names.len())
    moves = {index: np.zeros(move.shape[1]) for index, move in worths.passage.moves.items()}
    levers = {lever: np.zeros(worths.trades.names.len()) for lever in worths.passage.levers}
    first = {lever: _slope(worths, known[NOTHING], lever, NOTHING, NOTHING) for lever in levers}
    for chosen in product((False, True), repeat=len(passing)):
        corner = frozenset(factor for factor, moved in zip(passing, chosen, strict=True) if moved)
        for (moved, half), part in zip(((corner, NOTHING), (corner, smooth), (corner | smooth, NOTHING)), SIMPSON, strict=True):
            counted = share[len(corner)] * part
            here = worths.at(moved, half=half) if half else known[moved]
            curve += counted * here.curve
            for index, found in here.moves.items():
                moves[index] += counted * found
            for lever in levers:
                levers[lever] += counted * (first[lever] if moved | half == NOTHING else _slope(worths, here, lever, moved, half))
    return ByGreeks(
        at_once=_at_once(passing, smooth, known),
        curve=curve,
        levers=levers,
        moves=moves,
        first_moves=known[NOTHING].moves,
        first_levers=first,
    )


def _at_once(passing: list[ExplainFactor], smooth: Moved, known: Mapping[Moved, State]) -> dict[ExplainFactor, Vector]:
    """Shapley's value of time and fixings, the market's moves together being one more player."""
    players = [*(frozenset((factor,)) for factor in passing), smooth]
    sets = [
        frozenset[ExplainFactor]().union(*(player for bit, player in enumerate(players) if place >> bit & 1))
        for place in range(1 << len(players))
    ]
    found = shapley(np.stack([known[one].worth for one in sets]))
    return dict(zip(passing, found[:-1], strict=True))


def _slope(worths: Worths, here: State, lever: Lever, moved: Moved, half: Moved) -> Vector:
    """(n,) ∂ worth / ∂ share of the whole move of a lever, by a small step that stays between its two ends."""
    step = -STEP if lever[0] in moved else STEP
    return (worths.at(moved, half=half, lever=lever, step=step).worth - here.worth) / step
