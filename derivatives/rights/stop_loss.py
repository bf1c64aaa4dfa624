r"""What a stop-loss takes off a reliability option, and by how much forwards move that.

With τ the hour in which the year's payments reach the stop-loss, one dollar more owed in hour g takes off D_τ before τ (the last payment
shrinks by it) and D_g from then on. So on paths :math:`S_g = F_g R_g`

.. math:: \frac{\partial}{\partial F_g} E \sum_h D_h (p_h - \text{paid}_h) =
    E\Bigl[D_{\max(g, \tau)} 1\{\text{stopped}\} \bigl(Q_g R_g 1\{S_g > K_g\} + z \, (Q_g - d_g)^+ \delta(S_g - K_g) R_g \bigr)\Bigr]

where the point mass δ is counted in a window of 2 % around the strike. The rest of the option has a closed form, so that only this part
carries chance.
"""

from dataclasses import dataclass, replace

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights.reliability import Reliability, payments

WINDOW = 0.02  # relative, on each side of the strike


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Sums over paths, so that blocks of paths add up."""

    value: float  # USD
    delta: Vector  # (hours,) USD by USD/GPUh of the hour's forward


def cut(option: Reliability, *, forward: Vector, ratio: Vector, delivered: Vector, discount: Vector) -> Cut:
    """What the stop-loss takes off on average.

    Args:
        option: what was agreed.
        forward: (hours,) USD/GPUh, F, above 0.
        ratio: (hours, paths) R, price over forward.
        delivered: (hours, paths) GPUh; broadcasts.
        discount: (hours,) D, above 0.

    Raises `InputError` with every fault.

    >>> option = Reliability(strike=np.full(2, 2.0), quantity=np.ones(2), penalty=0.0, stop_loss=1.5, year=np.zeros(2, int))
    >>> found = cut(option, forward=np.full(2, 3.0), ratio=np.ones((2, 1)), delivered=np.ones((1, 1)), discount=np.array([1.0, 0.9]))
    >>> round(found.value, 9), found.delta.tolist()
    (0.45, [0.9, 0.9])
    """
    hours = option.strike.shape
    refuse(
        "stop-loss",
        ("forward", forward.shape, f"numbers above 0, {hours}", forward.shape == hours and bool(np.all(forward > 0))),
        ("discount", discount.shape, f"factors above 0, {hours}", discount.shape == hours and bool(np.all(discount > 0))),
    )
    price = forward[:, None] * ratio
    owed = payments(replace(option, stop_loss=np.inf), price=price, delivered=delivered)
    paid = payments(option, price=price, delivered=delivered)
    lost = _lost(option, owed, discount)
    strike = option.strike[:, None]
    slope = option.quantity[:, None] * ratio * (price > strike)
    if option.penalty:
        missing = np.maximum(option.quantity[:, None] - delivered, 0.0)
        near = (price * (1 + WINDOW) > strike) & (price * (1 - WINDOW) <= strike)
        slope = slope + option.penalty * missing * near / (2 * WINDOW * forward[:, None])
    return Cut(value=float((discount @ (owed - paid)).mean()), delta=(lost * slope).mean(axis=1))


def _lost(option: Reliability, owed: Vector, discount: Vector) -> Vector:
    """Present worth of what one dollar more owed in an hour takes off, (hours, paths): 0 in years that are not stopped."""
    lost = np.zeros(owed.shape)
    for year in np.unique(option.year):
        low, high = np.searchsorted(option.year, [year, year + 1])
        reached = (option.paid if low == 0 else 0.0) + np.cumsum(owed[low:high], axis=0) >= option.stop_loss
        first = np.argmax(reached, axis=0)
        last = np.maximum(np.arange(high - low)[:, None], first)
        lost[low:high] = np.where(reached[-1], discount[low:high][last], 0.0)
    return lost
