"""Days that are over and have no fixing: what a contract's rule makes of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import NotPublishedError
from tenorgrid.data.kinds.contract import MissingDay

EPOCH = date(1970, 1, 1)


def settled(index: str, day: Counts, weight: Vector, ahead: int, rule: str | None, fixings: Mapping[date, float]) -> tuple[float, Vector]:
    """The known part of a mean, and the weights (hours still to come,) of its forward part.

    A day without fixing counts by the last one before it (`carry-forward`), by the first one after it (`next`; the mean's first day to
    come where none is published yet), or not at all (`exclude`: the other days, those to come among them, share its weight).

    Args:
        index: for what is told.
        day: (hours,) local day of each hour, since 1970.
        weight: (hours,) weights that sum to 1.
        ahead: how many hours are over.
        rule: one of `MissingDay`; None refuses.
        fixings: by local day, what is published by now.

    Raises `NotPublishedError` naming the days that the rule leaves without a fixing.

    >>> known, later = settled("X", np.array([0, 1, 2]), np.full(3, 1 / 3), 2, "exclude", {date(1970, 1, 1): 2.0})
    >>> round(known, 12), later.round(12)
    (1.0, array([0.5]))
    """
    later = weight[ahead:]
    days, place = np.unique(day[:ahead], return_inverse=True)
    counts = np.bincount(place, weights=weight[:ahead]) if ahead else np.zeros(0)
    needed = [(EPOCH + timedelta(days=int(one)), float(count)) for one, count in zip(days, counts, strict=True) if count > 0]
    missing = [(one, count) for one, count in needed if one not in fixings]
    known = sum(fixings[one] * count for one, count in needed if one in fixings)
    if not missing:
        return float(known), later
    if rule == MissingDay.EXCLUDE:
        left = 1.0 - sum(count for _, count in missing)
        if len(missing) == len(needed) and not later.any():
            raise _unpublished(index, missing)
        return float(known / left), later / left
    if rule == MissingDay.CARRY_FORWARD:
        return float(known + _carried(index, missing, fixings)), later
    if rule == MissingDay.NEXT:
        after, waiting = _following(missing, fixings)
        if waiting and not later.any():
            raise _unpublished(index, waiting)
        return float(known + after), _onto_first(later, day[ahead:], sum(count for _, count in waiting))
    raise _unpublished(index, missing)


def _carried(index: str, missing: Sequence[tuple[date, float]], fixings: Mapping[date, float]) -> float:
    there = sorted(fixings)
    first = [(one, count) for one, count in missing if not there or one < there[0]]
    if first:
        raise _unpublished(index, first)
    return sum(fixings[there[bisect_left(there, one) - 1]] * count for one, count in missing)


def _following(missing: Sequence[tuple[date, float]], fixings: Mapping[date, float]) -> tuple[float, list[tuple[date, float]]]:
    there = sorted(fixings)
    last = there[-1] if there else date.min
    found = sum(fixings[there[bisect_right(there, one)]] * count for one, count in missing if one < last)
    return found, [(one, count) for one, count in missing if one >= last]


def _onto_first(later: Vector, day: Counts, more: float) -> Vector:
    """Weights to come with some more on the first day that counts, in the proportions of its hours."""
    if not more:
        return later
    own = (day == day[np.flatnonzero(later)[0]]) * later
    return np.asarray(later + more * own / own.sum())


def _unpublished(index: str, days: Sequence[tuple[date, float]]) -> NotPublishedError:
    return NotPublishedError(f"{index} has no fixing for {', '.join(str(one) for one, _ in days)}")
