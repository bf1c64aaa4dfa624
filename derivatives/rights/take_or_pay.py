r"""Take-or-pay, intrinsic: the best hours at known prices, by sorting, for many contracts at once.

.. math:: \max \sum_h m_h q_h - p \, (L - \sum_h q_h)^+ \quad \text{with } 0 \le q_h \le c_h, \; \sum_h q_h \le U

m margins, c what an hour allows, L and U the least and most in total, p what each GPU-hour below L costs (infinite: it must be taken). The
linear program's optimum takes hours from the dearest down: all with m > 0, then those with m > −p until L is met.
"""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.refusal import refuse


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What contracts are worth and what they take."""

    value: Vector  # (contracts,) USD
    quantity: Vector  # (contracts, hours) GPUh
    missing: Vector  # (contracts,) GPUh below the minimum


def intrinsic(margin: Vector, *, capacity: Vector, minimum: Vector, maximum: Vector, shortfall: Vector | None = None) -> Taken:
    """Best hours at known margins.

    Args:
        margin: (contracts, hours) USD/GPUh, discounted price less strike.
        capacity: (contracts, hours) GPUh, at least 0; broadcasts.
        minimum: (contracts,) GPUh, L; broadcasts.
        maximum: (contracts,) GPUh, U; broadcasts.
        shortfall: (contracts,) USD/GPUh, p, at least 0; if absent the minimum must be taken.

    Raises `InputError` with every fault: minimum above maximum or, where it must be taken, above what all hours allow.

    >>> one = intrinsic(np.array([[0.3, -0.1, 0.5, -0.4]]), capacity=np.ones(4), minimum=np.array([3.0]), maximum=np.array([4.0]))
    >>> one.value.round(9).tolist(), one.quantity.tolist()
    ([0.7], [[1.0, 1.0, 1.0, 0.0]])
    """
    contracts = margin.shape[0]
    allowed = np.broadcast_to(capacity, margin.shape)
    least, most = (np.broadcast_to(bound, contracts).astype(float) for bound in (minimum, maximum))
    price = np.broadcast_to(np.inf if shortfall is None else shortfall, contracts)
    room = allowed.sum(axis=1)
    reachable = ~np.isinf(price) | (least <= room * (1 + 1e-12))
    refuse(
        "take-or-pay",
        ("margin", "some", "finite margins", bool(np.all(np.isfinite(margin)))),
        ("capacity", allowed.min(initial=0), "at least 0", bool(np.all(allowed >= 0))),
        ("minimum", least.min(initial=0), "at least 0", bool(np.all(least >= 0))),
        ("minimum", least.max(initial=0), "at most the maximum", bool(np.all(least <= most))),
        ("minimum", least.max(initial=0), "at most what all hours allow", bool(np.all(reachable))),
        ("shortfall", price.min(initial=np.inf), "at least 0", bool(np.all(price >= 0))),
    )
    wanted = np.where(margin > 0, allowed, 0.0).sum(axis=1)
    cheaper = np.where(margin > -price[:, None], allowed, 0.0).sum(axis=1)
    total = np.minimum(np.maximum(wanted, np.minimum(cheaper, least)), most)
    order = np.argsort(-margin, axis=1, kind="stable")
    sizes = np.take_along_axis(allowed, order, axis=1)
    before = np.cumsum(sizes, axis=1) - sizes
    quantity = np.empty(margin.shape)
    np.put_along_axis(quantity, order, np.clip(total[:, None] - before, 0.0, sizes), axis=1)
    missing = np.maximum(least - total, 0.0)
    paid = np.where(missing > 0, np.where(np.isinf(price), 0.0, price), 0.0) * missing
    return Taken(value=(margin * quantity).sum(axis=1) - paid, quantity=quantity, missing=missing)
