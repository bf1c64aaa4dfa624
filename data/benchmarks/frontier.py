"""The Pareto frontier: of all measured ways to do one workload, those that no others do as well with no more of anything.

In the words of activity analysis (Koopmans 1951), a recipe is efficient if no combination of others, none of them in a larger scale-up
domain, makes as much work of the same accelerators. Hosts need no look of their own: they come with accelerators in fixed proportion.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

ROUNDING = 1e-12  # relative: what differs by less is equal


def dominators(use: Vector, domain: Sequence[int] | Numbers) -> list[tuple[int, ...]]:
    """For each way, the efficient ways that together do as well; empty where it is efficient itself.

    Of ways that are equal the first one stays.

    Args:
        use: (ways, accelerators) accelerator-hours of each kind in one unit of work.
        domain: (ways,) scale-up domain that each needs, 1 is none.

    >>> dominators(np.array([[2.0], [1.0], [3.0]]), [1, 8, 8])
    [(), (), (0, 1)]
    """
    size = np.asarray(domain)
    use = _rounded(use)
    no_more = (use[:, None, :] <= use[None, :, :]).all(axis=2) & (size[:, None] <= size[None, :])
    earlier = np.arange(len(use))[:, None] < np.arange(len(use))[None, :]
    beats = no_more & (~no_more.T | earlier)
    np.fill_diagonal(beats, False)
    kept: npt.NDArray[np.bool_] = np.logical_not(np.any(beats, axis=0))
    found = [tuple(int(one) for one in np.flatnonzero(beats[:, way] & kept)) for way in range(len(use))]
    for way in np.flatnonzero(kept & ((use > 0).sum(axis=1) > 1)):  # only those of several kinds can be put together from others
        others = np.flatnonzero(kept & (size <= size[way]) & (np.arange(len(use)) != way))
        if together := _together(use[others], use[way]):
            kept[way] = False
            found[way] = tuple(int(others[one]) for one in together)
    return [_settled(way, found) for way in range(len(use))]


def concave(count: Vector, output: Vector) -> Vector:
    """Least concave curve from nothing on that lies on or above every point, at the points.

    Args:
        count: (points,) accelerators, rising, above 0.
        output: (points,) work.

    >>> concave(np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 2.5])).tolist()
    [1.0, 1.5, 2.5]
    """
    x, y = np.concatenate([[0.0], count]), np.concatenate([[0.0], output])
    corners = [0]
    for point in range(1, len(x)):
        while len(corners) > 1 and _turns_left(x, y, corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    return np.asarray(np.interp(count, x[corners], y[corners]), dtype=np.float64)


def _rounded(use: Vector) -> Vector:
    """To twelve digits, so that "no more than" is the same whichever way it is asked."""
    digits = np.where(use > 0, 12 - np.ceil(np.log10(np.where(use > 0, use, 1.0))), 0.0)
    return np.asarray(np.round(use * 10.0**digits) / 10.0**digits)


def _together(use: Vector, want: Vector) -> tuple[int, ...]:
    """The ways of which some levels do one unit of work with no more than `want`; empty where none do."""
    from scipy.optimize import linprog  # slow import, only needed where kinds are mixed

    if len(use) == 0:
        return ()
    solved = linprog(-np.ones(len(use)), A_ub=use.T, b_ub=want, bounds=(0, None), method="highs")
    if solved.x is None or solved.fun is None or -solved.fun < 1 - ROUNDING:
        return ()
    return tuple(int(one) for one in np.flatnonzero(solved.x > ROUNDING))


def _settled(way: int, found: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Dominators that are efficient themselves: one that is put together from others is those others."""
    named: list[int] = []
    for one in found[way]:
        named += found[one] or (one,)
    return tuple(dict.fromkeys(named))


def _turns_left(x: Vector, y: Vector, first: int, middle: int, last: int) -> bool:
    return bool((y[middle] - y[first]) * (x[last] - x[first]) <= (y[last] - y[first]) * (x[middle] - x[first]))
