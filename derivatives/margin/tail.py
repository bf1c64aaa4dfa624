r"""Value at risk and expected shortfall of a sample of gains; losses are positive.

With losses :math:`L = -G` and level α the value at risk v is the smallest loss with :math:`P(L \le v) \ge \alpha`, and
:math:`ES = \frac{1}{1 - \alpha}\bigl(E[L \, 1_{L > v}] + v (P(L \le v) - \alpha)\bigr)`: the mean of the worst 1 − α of the outcomes, the
outcome on the edge counted in part.
Source: Acerbi and Tasche, "On the coherence of expected shortfall", Journal of Banking & Finance 26 (2002).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

ROUNDING = 1e-12  # of sums of probabilities
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Losses at one level, USD: `lower` and `upper` the 95 % interval of the value at risk, `error` the standard error of the shortfall.

    `upper` is infinite where the outcomes are too few to bound it: the worst of them may well lie below the true value.
    """

    level: float
    outcomes: int
    value_at_risk: float
    lower: float
    upper: float
    expected_shortfall: float
    error: float


def tail(gains: Vector, *, level: float, weights: Vector | None = None) -> Tail:
    """Value at risk and expected shortfall of gains (n,), each with its uncertainty.

    The interval of the value at risk is of order statistics (exact for equal weights: the number of losses below it is binomial; weights
    count as so many outcomes as their effective number); the error of the shortfall is that of the mean excess.

    Args:
        gains: (n,) USD.
        level: α, above 0 and below 1: 0.99 looks at the worst hundredth.
        weights: (n,) probabilities up to a factor; None weighs all alike.

    Raises `InputError` for a level outside (0, 1), no gains, gains that are no numbers, negative weights, and fewer outcomes than the tail
    needs to hold one.

    >>> found = tail(np.arange(-100.0, 100.0), level=0.95)
    >>> found.value_at_risk, round(found.expected_shortfall, 9)
    (90.0, 95.5)
    """
    share = np.full(gains.shape, 1.0 / max(gains.size, 1)) if weights is None else weights
    _refuse(gains, level, share)
    order = np.argsort(-gains, kind="stable")
    losses, share = -gains[order], share[order] / share.sum()
    below = np.cumsum(share)
    at = int(np.searchsorted(below, level - ROUNDING))
    edge = float(losses[at])
    beyond = losses > edge
    shortfall = (share[beyond] @ losses[beyond] + edge * (1.0 - share[beyond].sum() - level)) / (1.0 - level)
    effective = 1.0 / float(share @ share)
    low, high = _interval(effective, level)
    excess = np.maximum(losses - edge, 0.0)
    spread = float(np.sqrt(max(share @ excess**2 - (share @ excess) ** 2, 0.0) / effective)) / (1.0 - level)
    return Tail(
        level=level, outcomes=gains.size, value_at_risk=edge, expected_shortfall=float(shortfall), error=spread,
        lower=float(losses[np.searchsorted(below, low - ROUNDING)]),
        upper=float(losses[int(np.searchsorted(below, high - ROUNDING))]) if high <= 1.0 + ROUNDING else np.inf,
    )  # fmt: skip


def _interval(count: float, level: float) -> tuple[float, float]:
    """Shares of the sample between whose quantiles the true one lies; the upper one above 1 where no outcome bounds it."""
    outside = (1.0 - CONFIDENCE) / 2.0
    low, high = (float(binom.ppf(share, round(count), level)) / round(count) for share in (outside, 1.0 - outside))
    return max(low, 1.0 / count), high + 1.0 / count


def _refuse(gains: Vector, level: float, share: Vector) -> None:
    if not 0.0 < level < 1.0:
        raise InputError.of("tail", "a level above 0 and below 1", column="level", value=level)
    if gains.ndim != 1 or not np.isfinite(gains).all():
        raise InputError.of("tail", "gains that are numbers", column="gains")
    if share.shape != gains.shape or not (np.isfinite(share).all() and (share >= 0).all() and share.sum() > 0):
        raise InputError.of("tail", "a weight of at least 0 for every gain", column="weights")
    if gains.size * (1.0 - level) < 1.0 - ROUNDING:
        least = int(np.ceil(1.0 / (1.0 - level) - ROUNDING))
        raise InputError.of("tail", f"at least {least} outcomes for a level of {level:g}", column="gains", value=gains.size)
