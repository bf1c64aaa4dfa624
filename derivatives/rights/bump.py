"""Deltas by bucket for what is valued on paths: the curve of one bucket moved both ways on the same random numbers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.refusal import refuse

RELATIVE = 1e-3  # of the forward: far above rounding, far below what bends a value over many paths


def deltas(worth: Callable[[Vector], float], *, price: Vector, forward: Vector, bucket: npt.NDArray[np.intp]) -> Vector:
    """∂ worth / ∂ forward of each bucket moved in parallel, (buckets,) USD by USD/GPUh.

    Prices of a path model are its forwards times numbers that do not depend on them, so moving F_h by d multiplies the hour's prices by
    (F_h + d) / F_h, and no path is drawn again.

    Args:
        worth: USD from prices as wide as `price`.
        price: (hours, paths) USD/GPUh.
        forward: (hours,) USD/GPUh, above 0.
        bucket: (hours,) from 0; hours below 0 belong to none.

    Raises `InputError` for arrays of other lengths and forwards at or below 0.

    >>> price = np.array([[1.0, 3.0], [2.0, 2.0]])
    >>> deltas(lambda p: float(p.mean(axis=1).sum()), price=price, forward=np.array([2.0, 2.0]), bucket=np.array([0, 0])).round(9)
    array([2.])
    """
    hours = price.shape[0]
    refuse(
        "bump",
        ("forward", forward.shape, f"{hours} numbers above 0", forward.shape == (hours,) and bool(np.all(forward > 0))),
        ("bucket", bucket.shape, f"{hours} bucket numbers", bucket.shape == (hours,)),
    )
    found = np.empty(int(bucket.max(initial=-1)) + 1)
    for at in range(found.size):
        inside = np.flatnonzero(bucket == at)
        moved = price.copy()
        size = RELATIVE * float(forward[inside].mean()) if inside.size else 1.0
        ends = []
        for way in (size, -size):
            moved[inside] = price[inside] * ((forward[inside] + way) / forward[inside])[:, None]
            ends.append(worth(moved))
        found[at] = (ends[0] - ends[1]) / (2 * size)
    return found
