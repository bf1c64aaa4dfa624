r"""A multilateral index that is published as it goes: a window that rolls, and what is published is never revised.

The first window is published whole, or grows with the periods. Each further period t gives a new window of the latest W periods, whose
index :math:`\pi` is linked to the values :math:`P` that are published already at periods both share:

- movement: :math:`P_t = P_{t-1}\, \pi_t / \pi_{t-1}`;
- window: :math:`P_t = P_{t-W+1}\, \pi_t / \pi_{t-W+1}`;
- half: the same at the period in the middle of the window, whose length must be odd;
- mean: the geometric mean of these over all W − 1 periods that both share.

Source: W. E. Diewert and K. J. Fox (2017), section on linking; J. de Haan (2015), half splice; F. Krsinich (2016), window splice. Linking
to published values, rather than to the index of the window before, is what the newer practice recommends against drift.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula, Splice
from tenorgrid.indices.baskets.bilateral import compare
from tenorgrid.indices.baskets.multilateral import PAIRWISE, geks, multilateral
from tenorgrid.indices.baskets.panel import Panel, Vector

SHORTEST = 2


def extend(published: Vector, window: Vector, *, splice: Splice) -> float:
    """The value of the next period, given those that are published.

    Args:
        published: (T,) values so far, at least W − 1 of them.
        window: (W,) index of the latest W − 1 published periods and the next one, at any base.
        splice: which of the shared periods link.

    Raises `InputError` for a window that is too long for what is published, or shares nothing with it.

    >>> round(extend(np.array([1.0, 1.1, 1.2]), np.array([1.0, 1.1, 1.21]), splice=Splice.MOVEMENT), 6)
    1.32
    >>> round(extend(np.array([1.0, 1.1, 1.2]), np.array([1.0, 1.1, 1.21]), splice=Splice.WINDOW), 6)
    1.331
    """
    shared = len(window) - 1
    if not 1 <= shared <= len(published):
        expected = f"a window of at least {SHORTEST} periods, and at least {shared} values, as many as it shares"
        raise InputError.of("published", expected, value=len(published))
    links = published[-shared:] * window[-1] / window[:-1]
    if splice is Splice.MOVEMENT:
        return float(links[-1])
    if splice is Splice.WINDOW:
        return float(links[0])
    if splice is Splice.HALF:
        return float(links[shared // 2])
    return float(np.exp(np.log(links).mean()))


def windows(panel: Panel, formula: IndexFormula, *, window: int, shortest: int) -> Iterator[Vector]:
    """The index of the last `window` periods up to each period in turn, each with its own first period 1.

    The first windows are as short as the panel's beginning makes them, from `shortest` periods on. The bilateral comparisons behind GEKS
    are made once, not once a window.

    Raises `InputError` where the periods of a window are not comparable.
    """
    pairs = compare(panel, PAIRWISE[formula]) if formula in PAIRWISE else None
    for end in range(shortest, len(panel.periods) + 1):
        start = max(0, end - window)
        part = panel.rows(start, end)
        yield multilateral(part, formula) if pairs is None else geks(pairs[start:end, start:end], part)


def rolling(panel: Panel, formula: IndexFormula, *, window: int, splice: Splice, first: Literal["whole", "growing"] = "whole") -> Vector:
    """A multilateral index as it would have been published period by period, the first period 1; (periods,).

    Args:
        panel: (periods, products).
        formula: a multilateral one.
        window: periods in a window, W.
        splice: how a new window is linked to what is published.
        first: `whole`: the first window is published at its end, all at once, and a panel that is no longer than it whole. `growing`:
            each period from the second on is published by the window that there is by then, so that no value hangs on a later period.

    Raises `InputError` where the periods of a window are not comparable, or the window cannot be spliced so.
    """
    _check_window(window, splice)
    count = len(panel.periods)
    shortest = min(window, count) if first == "whole" else 1
    made = windows(panel, formula, window=window, shortest=shortest)
    published = np.concatenate([next(made), np.full(count - shortest, np.nan)])
    for known, found in enumerate(made, start=shortest):
        published[known] = extend(published[:known], found, splice=splice)
    return published


def _check_window(window: int, splice: Splice) -> None:
    if window < SHORTEST:
        raise InputError.of("window", f"at least {SHORTEST} periods", value=window)
    if splice is Splice.HALF and window % 2 == 0:
        raise InputError.of("window", "an odd number of periods, as the half splice links at the one in the middle", value=window)
