r"""Average options by Monte Carlo, with the geometric average as control variate: the slow second opinion.

The option on the geometric average G (scaled by Σ a) has a closed form, and its pay-off on the same paths is almost the one asked for; the
share of its error that is taken off is the regression coefficient of the same paths. Antithetic pairs count as one draw.
Source: Kemna and Vorst, "A pricing method for options based on average asset values", Journal of Banking and Finance 14 (1990).
"""

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.options.average.terms import Averages
from tenorgrid.derivatives.options.control import Simulated, estimated, summed
from tenorgrid.derivatives.options.domain import Rule, refuse

AT_ONCE = 8192  # pairs of paths of one contract in memory


def simulate(options: Averages, *, pairs: int, rng: np.random.Generator) -> Simulated:
    """Worth (n,) of average options from so many antithetic pairs of paths, the same for every contract.

    Raises `InputError` for fewer than 2 pairs, and for a total variance that falls, of which no path can be drawn.

    >>> month = Averages(forward=np.full((1, 30), 2.5), strike=np.array([2.5]), volatility=np.array([0.8]), years=np.arange(1, 31) / 365)
    >>> found = simulate(month, pairs=2000, rng=np.random.default_rng(1))
    >>> bool(abs(found.price[0] - 0.1349) < 1e-3)
    True
    """
    if pairs < 2:
        raise InputError.of("average", "at least 2 pairs of paths", column="pairs", value=pairs)
    variance = options.variance
    steps = np.diff(variance, axis=1, prepend=0.0)
    refuse([Rule("volatility", options.volatility, steps >= -1e-12 * variance, "a total variance that does not fall")], kind="average")
    contracts, fixings = options.forward.shape
    sums = np.zeros((5, contracts))
    for at in range(0, pairs, AT_ONCE):
        normal = rng.standard_normal((min(AT_ONCE, pairs - at), fixings))
        for one in range(contracts):
            sums[:, one] += _sums(options, one, normal, np.sqrt(np.maximum(steps[one], 0.0)))
    return estimated(sums, draws=pairs, known=_geometric(options), discount=options.discount)


def _sums(options: Averages, one: int, normal: Vector, steps: Vector) -> Vector:
    """Sums of the pay-off, the control, their squares and their product over pairs."""
    weight, strike, sign = options.weight[one], options.effective[one], options.sign
    drift = np.log(options.forward[one]) - 0.5 * options.variance[one]
    moves = np.cumsum(normal * steps, axis=1)
    whole = weight.sum()
    paid, control = np.zeros(len(normal)), np.zeros(len(normal))
    for turn in (1.0, -1.0):
        logs = drift + turn * moves
        paid += 0.5 * np.maximum(sign * (np.exp(logs) @ weight - strike), 0.0)
        if whole > 0:
            control += 0.5 * np.maximum(sign * (whole * np.exp(logs @ weight / whole) - strike), 0.0)
    return summed(paid, control)


def _geometric(options: Averages) -> Vector:
    """Undiscounted worth (n,) of the options on the geometric average."""
    whole = options.weight.sum(axis=1)
    share = options.weight / np.where(whole > 0, whole, 1.0)[:, None]
    variance = options.variance
    before = share.cumsum(axis=1)
    covariance = np.cumsum(share * variance, axis=1) + variance * (before[:, -1:] - before)
    total = (share * covariance).sum(axis=1)
    centre = (share * (np.log(options.forward) - 0.5 * variance)).sum(axis=1)
    forward = np.where(whole > 0, whole * np.exp(centre + 0.5 * total), 1.0)
    value = black.price(forward, options.effective, deviation=np.sqrt(total), discount=np.ones(1), option=options.option)
    return np.asarray(np.where(whole > 0, value, 0.0))
