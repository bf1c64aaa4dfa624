"""The chain of prices that swing and tolling are valued on, as fine as its steps ask for."""

import numpy as np

from tenorgrid.derivatives.book.kinds.rights.steps import Seen
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights.lattice import Lattice, lattice, nodes_for

NODES = 101  # at least: a swing of a year of days is exact to 1e-4 of its value
MOST_NODES = 901  # a year of hours without reversion takes 865


def chain(seen: Seen, *, reversion: float) -> Lattice:
    """Prices of the first index over its forwards at every step. Raises `InputError` for steps so short that no chain is fine enough."""
    sigma, forward = seen.sigma[0], seen.forward[0]
    refuse("chain", ("forward", forward.min(), "forwards above 0: logarithms have no others", bool(np.all(forward > 0))))
    needed = nodes_for(reversion=reversion, volatility=sigma, years=seen.years)
    wanted = f"steps that {MOST_NODES} nodes are enough for: fewer, longer, or a price that reverts faster"
    refuse("chain", ("start", f"steps that take {needed} nodes", wanted, needed <= MOST_NODES))
    return lattice(reversion=reversion, volatility=sigma, years=seen.years, nodes=max(NODES, needed))
