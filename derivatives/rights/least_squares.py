r"""Rights by least-squares Monte Carlo, for as many factors as the paths have.

Going back through the dates, what m rights are worth if none is used now is regressed on powers of the state; a path uses one where its
margin plus the fitted worth of m − 1 exceeds that of m, and carries what it then really earns. Longstaff and Schwartz, "Valuing American
options by simulation", Review of Financial Studies 14 (2001), for one right; Meinshausen and Hambly, "Monte Carlo methods for the valuation
of multiple-exercise options", Mathematical Finance 14 (2004), for several.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.refusal import refuse


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over paths and its standard error, which leaves out the bias of a policy fitted to the same paths."""

    value: float
    error: float


def value(margin: Vector, *, state: Vector, maximum: int, minimum: int = 0, degree: int = 3) -> Estimate:
    """Worth of up to `maximum` rights, at most one on each date, at least `minimum` of them used; USD.

    Args:
        margin: (dates, paths) USD, what one use pays, discounted to the valuation.
        state: (dates, paths, factors) what decisions may look at.
        maximum: rights, at least 0.
        minimum: rights that must be used. Where it is 0 only paths with a margin above 0 decide and are fitted, as in the paper.
        degree: of the polynomial in the state, at least 0.

    Raises `InputError` with every fault: shapes, minimum above maximum or above the number of dates.

    >>> rng = np.random.default_rng(1)
    >>> price = np.exp(np.cumsum(rng.normal(-0.005, 0.1, (20, 4000)), axis=0))
    >>> one = value(price - 1, state=price[..., None], maximum=3)
    >>> 0.4 < one.value < 0.8, one.error < 0.02
    (True, True)
    """
    dates, paths = margin.shape
    shaped = state.ndim == 3 and state.shape[:2] == margin.shape and bool(np.all(np.isfinite(state)))
    refuse(
        "least squares",
        ("margin", "some", "finite margins", bool(np.all(np.isfinite(margin)))),
        ("state", state.shape, f"finite numbers, {margin.shape} × factors", shaped),
        ("maximum", maximum, "at least 0", maximum >= 0),
        ("minimum", minimum, f"from 0 to the maximum, {maximum}", 0 <= minimum <= maximum),
        ("minimum", minimum, f"at most the {dates} dates", minimum <= dates),
        ("degree", degree, "at least 0", degree >= 0),
    )
    earned = np.zeros((maximum + 1, paths))  # by rights left
    spare = maximum - minimum
    for at in reversed(range(dates)):
        must = np.maximum(np.arange(1, maximum + 1) - spare, 0) >= dates - at  # used now, or the minimum is missed
        open_ = np.ones(paths, bool) if minimum else margin[at] > 0
        if not open_.any():
            continue
        guess = fitted(state[at, open_], earned[:, open_], degree)
        guess[0] = 0.0
        use = np.zeros((maximum, paths), bool)
        use[:, open_] = margin[at, open_] + guess[:-1] > guess[1:]
        use |= must[:, None]
        earned[1:] = np.where(use, margin[at] + earned[:-1], earned[1:])
    total = earned[maximum]
    return Estimate(value=float(total.mean()), error=float(total.std(ddof=1) / np.sqrt(paths)) if paths > 1 else 0.0)


def fitted(state: Vector, earned: Vector, degree: int) -> Vector:
    """Least-squares worth of going on, (rights + 1, paths), from powers of the state brought to mean 0 and deviation 1."""
    spread = state.std(axis=0)
    scaled = (state - state.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    columns = [np.ones(len(state))]
    for power in range(1, degree + 1):
        columns += [scaled[:, list(chosen)].prod(axis=1) for chosen in combinations_with_replacement(range(state.shape[1]), power)]
    basis = np.stack(columns, axis=1)
    return np.asarray((basis @ np.linalg.lstsq(basis, earned.T, rcond=None)[0]).T)
