"""Diebold and Mariano's test that two forecasts are equally good."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm, t

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.curves.premium.hac import TINY, autocovariances, bartlett
from tenorgrid.data.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`statistic` of Diebold and Mariano with `p_value` (normal); `corrected` of Harvey, Leybourne and Newbold with `corrected_p` (t)."""

    difference: float
    statistic: float
    p_value: float
    corrected: float
    corrected_p: float


def diebold_mariano(
    difference: Vector, *, steps: int, at: Counts | None = None, window: Literal["rectangular", "bartlett"] = "rectangular"
) -> Comparison:
    r"""Whether the mean loss difference is zero.

    DM = d̄ / √(V / n), V = γ₀ + 2 Σ wₗ γₗ over h − 1 lags (Diebold and Mariano 1995, JBES 13), and times
    √((n + 1 − 2h + h (h − 1) / n) / n) with n − 1 degrees of freedom (Harvey, Leybourne and Newbold 1997, IJF 13).

    Args:
        difference: (n,) loss of the first forecast less that of the second.
        steps: h, how many steps ahead the forecasts were made.
        at: (n,) places in time; None is one after the other.
        window: `rectangular`, the authors', whose V may be negative, or `bartlett`, whose V never is (with h lags of falling weight).

    Raises `InputError` for fewer than h + 2 rows, and where V is not positive: nothing can be said then, least of all by a square root.

    >>> found = diebold_mariano(np.array([1.0, 0.5, 0.8, -0.2, 0.6, 0.9]), steps=1)
    >>> round(found.statistic, 4), round(found.corrected, 4)
    (3.7131, 3.3896)
    """
    n = difference.size
    if window not in ("rectangular", "bartlett"):
        raise InputError.of("forecasts", "rectangular or bartlett", column="window", value=window)
    if steps < 1 or n < steps + 2:
        raise InputError.of("forecasts", f"a step of at least 1 and {max(steps, 1) + 2} differences", value=f"{n} at step {steps}")
    mean = float(difference.mean())
    lags = steps - 1 if window == "rectangular" else steps
    sums = autocovariances(difference - mean, np.arange(n) if at is None else at, lags=lags) / n
    variance = float(sums[0] + 2 * sums[1:].sum()) if window == "rectangular" else float(bartlett(sums))
    if variance <= TINY * float((difference**2).mean()):
        raise InputError.of("forecasts", "a positive long-run variance; window bartlett has one", column=window, value=f"{variance:.6g}")
    statistic = mean / float(np.sqrt(variance / n))
    factor = (n + 1 - 2 * steps + steps * (steps - 1) / n) / n
    if factor <= 0:
        raise InputError.of("forecasts", f"more than {n} differences for forecasts of {steps} steps", value=n)
    corrected = statistic * float(np.sqrt(factor))
    return Comparison(
        difference=mean,
        statistic=statistic,
        p_value=2 * float(norm.sf(abs(statistic))),
        corrected=corrected,
        corrected_p=2 * float(t.sf(abs(corrected), n - 1)),
    )
