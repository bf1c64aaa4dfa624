r"""Chain of one Ornstein-Uhlenbeck factor on a fixed grid: transition matrices between delivery dates, and prices whose mean is the curve.

Row i of a matrix is the normal density of the next value given node i, on the grid, made to sum to 1: the trapezoid rule, whose error falls
like exp(−2 π² (s/h)²) in the step's standard deviation s over the grid's mesh h. Prices at date t are F_t exp(x) / E exp(x), the mean taken
under the chain itself, so that the chain's forwards are the curve's to rounding.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.model import decayed
from tenorgrid.derivatives.paths.refusal import refuse

WIDTH = 6.0  # standard deviations on each side
COARSEST = 1.3  # mesh over the least standard deviation of a step: the trapezoid's error is below 1e-5 there
NODES = 201
FARTHEST = 40.0  # −log of the least probability kept: numbers near the smallest of a double slow products down a hundred times


@dataclass(frozen=True, kw_only=True)
class Lattice:
    """What the price may be at each date and how it moves on.

    Args:
        nodes: (nodes,) x.
        first: (nodes,) probabilities at the first date.
        matrices: (kinds, nodes, nodes) from row to column; dates equally far apart share one.
        kind: (dates − 1,) which matrix leads from each date to the next.
        ratio: (dates, nodes) price over forward.
    """

    nodes: Vector
    first: Vector
    matrices: Vector
    kind: npt.NDArray[np.intp]
    ratio: Vector


def lattice(*, reversion: float, volatility: float, years: Vector, nodes: int = NODES) -> Lattice:
    """Chain for log price x of dx = −κ x dt + σ dW from 0.

    Args:
        reversion: κ per year, at least 0.
        volatility: σ per square root of a year, at least 0; 0 leaves one node.
        years: (dates,) years from the valuation to each date, at least 0, rising.
        nodes: odd, so that one lies at 0.

    Raises `InputError` with every fault, and for too few nodes for the shortest step, naming how many it takes.

    >>> chain = lattice(reversion=4.0, volatility=1.2, years=np.array([0.5, 1.0]), nodes=51)
    >>> float((chain.first * chain.ratio[0]).sum().round(12)), chain.matrices.shape
    (1.0, (1, 51, 51))
    """
    rising = years.ndim == 1 and years.size > 0 and bool(np.all(np.isfinite(years)) and years[0] >= 0 and np.all(np.diff(years) > 0))
    refuse(
        "lattice",
        ("reversion", reversion, "a number of at least 0", 0 <= reversion < np.inf),
        ("volatility", volatility, "a number of at least 0", 0 <= volatility < np.inf),
        ("years", f"{years.size} times", "times from 0 on that rise", rising),
        ("nodes", nodes, "an odd number of at least 3", nodes >= 3 and nodes % 2 == 1),
    )
    steps = np.diff(years, prepend=0.0)
    spread = volatility * np.sqrt(decayed(np.array(2 * reversion), steps))
    reach = WIDTH * volatility * np.sqrt(decayed(np.array(2 * reversion), years[-1:]))[0]
    if reach == 0.0:
        alone, count = np.zeros(1), years.size
        return Lattice(
            nodes=alone, first=np.ones(1), matrices=np.ones((1, 1, 1)), kind=np.zeros(count - 1, np.intp), ratio=np.ones((count, 1))
        )
    needed = _needed(reach, spread)
    refuse("lattice", ("nodes", nodes, f"at least {needed} nodes for steps as short as these", nodes >= needed))
    grid = np.linspace(-reach, reach, nodes)
    different, kind = np.unique(steps[1:].round(12), return_inverse=True)
    matrices = np.stack([_matrix(grid, grid, reversion, volatility, step) for step in different]) if different.size else np.empty((0, 1, 1))
    first = (grid == 0.0) * 1.0 if steps[0] == 0 else _matrix(np.zeros(1), grid, reversion, volatility, steps[0])[0]
    grown, ratio, chance = np.exp(grid), np.empty((years.size, nodes)), first
    for at in range(years.size):
        ratio[at] = grown / (chance @ grown)
        if at < kind.size:
            chance = chance @ matrices[kind[at]]
    return Lattice(nodes=grid, first=first, matrices=matrices, kind=kind, ratio=ratio)


def nodes_for(*, reversion: float, volatility: float, years: Vector) -> int:
    """The fewest nodes that `lattice` takes for these dates, odd.

    >>> nodes_for(reversion=0.0, volatility=1.0, years=np.arange(1, 8761) / 8760)
    865
    """
    spread, reach = (volatility * np.sqrt(decayed(np.array(2 * reversion), t)) for t in (np.diff(years, prepend=0.0), years[-1:]))
    return _needed(WIDTH * float(reach[0]), spread) if reach[0] > 0 else 3


def _needed(reach: float, spread: Vector) -> int:
    return 2 * int(np.ceil(reach / (COARSEST * spread[spread > 0].min()))) + 1


def _matrix(begin: Vector, end: Vector, reversion: float, volatility: float, step: float) -> Vector:
    """Probabilities of `end` given `begin`, after `step` years."""
    spread = volatility * np.sqrt(decayed(np.array(2 * reversion), np.array(step)))
    apart = (end - begin[:, None] * np.exp(-reversion * step)) / spread
    weight = np.where(apart**2 > 2 * FARTHEST, 0.0, np.exp(-0.5 * apart**2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))
