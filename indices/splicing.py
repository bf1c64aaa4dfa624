r"""A multilateral index that is published as it goes: a window that rolls, and what is published is never revised.

The first window is published whole. Each further period t gives a new window of the latest W periods, whose index :math:`\pi` is linked
to the values :math:`P` that are published already at periods both share:

- movement: :math:`P_t = P_{t-1}\, \pi_t / \pi_{t-1}`;
- window: :math:`P_t = P_{t-W+1}\, \pi_t / \pi_{t-W+1}`;
- half: the same at the period in the middle of the window, whose length must be odd;
- mean: the geometric mean of these over all W − 1 periods that both share.

Source: W. E. Diewert and K. J. Fox (2017), section on linking; J. de Haan (2015), half splice; F. Krsinich (2016), window splice. Linking
to published values, rather than to the index of the window before, is what the newer practice recommends against drift.
"""

import numpy as np

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import IndexFormula, Splice
from tenorgrid.indices.bilateral import compare
from tenorgrid.indices.multilateral import PAIRWISE, geks, multilateral
from tenorgrid.indices.panel import Panel, Vector

SHORTEST = 2


def check_window(window: int, splice: Splice) -> None:
    """Refuse a window that cannot be spliced so."""
    if window < SHORTEST:
        raise InputError.of("window", f"at least {SHORTEST} periods", value=window)
    if splice is Splice.HALF and window % 2 == 0:
        raise InputError.of("window", "an odd number of periods, as the half splice links at the one in the middle", value=window)


def extend(published: Vector, window: Vector, *, splice: Splice) -> float:
    """The value of the next period, given those that are published.

    Args:
        published: (T,) values so far, at least W − 1 of them.
        window: (W,) index of the latest W − 1 published periods and the next one, at any base.
        splice: which of the shared periods link.

    Raises `InputError` for a window that is too long for what is published, or cannot be spliced so.

    >>> round(extend(np.array([1.0, 1.1, 1.2]), np.array([1.0, 1.1, 1.21]), splice=Splice.MOVEMENT), 6)
    1.32
    >>> round(extend(np.array([1.0, 1.1, 1.2]), np.array([1.0, 1.1, 1.21]), splice=Splice.WINDOW), 6)
    1.331
    """
    check_window(len(window), splice)
    shared = len(window) - 1
    if len(published) < shared:
        raise InputError.of("published", f"at least {shared} values, as many as the window shares", value=len(published))
    links = published[-shared:] * window[-1] / window[:-1]
    if splice is Splice.MOVEMENT:
        return float(links[-1])
    if splice is Splice.WINDOW:
        return float(links[0])
    if splice is Splice.HALF:
        return float(links[shared // 2])
    return float(np.exp(np.log(links).mean()))


def windows(panel: Panel, formula: IndexFormula, *, window: int) -> list[Vector]:
    """The index of every run of `window` periods of a panel, each with its own first period 1.

    The bilateral comparisons behind GEKS are made once, not once a window.

    Raises `InputError` where the periods of a window are not comparable.
    """
    starts = range(len(panel.periods) - window + 1)
    if formula not in PAIRWISE:
        return [multilateral(panel.rows(start, start + window), formula) for start in starts]
    pairs = compare(panel, PAIRWISE[formula])
    return [geks(pairs[start : start + window, start : start + window], panel.rows(start, start + window)) for start in starts]


def rolling(panel: Panel, formula: IndexFormula, *, window: int, splice: Splice) -> Vector:
    """A multilateral index as it would have been published period by period, the first period 1; (periods,).

    Args:
        panel: (periods, products). A panel that is no longer than the window is published whole.
        formula: a multilateral one.
        window: periods in a window, W.
        splice: how a new window is linked to what is published.

    Raises `InputError` where the periods of a window are not comparable, or the window cannot be spliced so.
    """
    check_window(window, splice)
    if len(panel.periods) <= window:
        return multilateral(panel, formula)
    first, *later = windows(panel, formula, window=window)
    published = np.concatenate([first, np.full(len(later), np.nan)])
    for step, found in enumerate(later):
        known = window + step
        published[known] = extend(published[:known], found, splice=splice)
    return published
