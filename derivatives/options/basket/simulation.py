"""Basket options by Monte Carlo, with the geometric basket as control variate: the slow second opinion.

Antithetic pairs count as one draw.
"""

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options.basket.conditioning import TINY
from tenorgrid.derivatives.options.basket.terms import Baskets
from tenorgrid.derivatives.options.control import Simulated, estimated, summed

AT_ONCE = 65536  # pairs of draws in memory


def simulate(options: Baskets, *, pairs: int, rng: np.random.Generator) -> Simulated:
    """Worth (n,) from so many antithetic pairs of draws with the geometric basket as control.

    Raises `InputError` for fewer than 2 pairs.
    """
    if pairs < 2:
        raise InputError.of("basket", "at least 2 pairs of draws", column="pairs", value=pairs)
    values, vectors = np.linalg.eigh(options.correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    worth, deviation, count = options.worth, options.deviation, len(options.strike)
    sums = np.zeros((5, count))
    for at in range(0, pairs, AT_ONCE):
        normal = rng.standard_normal((min(AT_ONCE, pairs - at), len(values))) @ root.T
        for one in range(count):
            sums[:, one] += _sums(normal * deviation[one], deviation[one], worth[one], float(options.strike[one]), options.sign)
    return estimated(sums, draws=pairs, known=_geometric(options), discount=options.discount)


def _sums(moves: Vector, deviation: Vector, worth: Vector, strike: float, sign: float) -> Vector:
    """Sums of the pay-off, the control, their squares and their product over pairs."""
    drift, whole = -0.5 * deviation**2, max(worth.sum(), TINY)
    paid, control = np.zeros(len(moves)), np.zeros(len(moves))
    for turn in (1.0, -1.0):
        paid += 0.5 * np.maximum(sign * (np.exp(turn * moves + drift) @ worth - strike), 0.0)
        control += 0.5 * np.maximum(sign * (whole * np.exp((turn * moves + drift) @ (worth / whole)) - strike), 0.0)
    return summed(paid, control)


def _geometric(options: Baskets) -> Vector:
    """Undiscounted worth (n,) of the options on the geometric basket."""
    worth, deviation = options.worth, options.deviation
    whole = np.maximum(worth.sum(axis=1), TINY)
    share = worth / whole[:, None]
    scaled = share * deviation
    total = np.einsum("ni,ij,nj->n", scaled, options.correlation, scaled)
    forward = whole * np.exp(0.5 * total - 0.5 * (share * deviation**2).sum(axis=1))
    return black.price(forward, options.strike, deviation=np.sqrt(np.maximum(total, 0.0)), discount=np.ones(1), option=options.option)
