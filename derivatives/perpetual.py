r"""Perpetual futures: what funding is paid, and the price that funding makes fair.

A long position pays the short one, interval by interval, for the price's distance from the index, the *premium*, and an *interest*:

.. math:: \text{paid}_i = \kappa (f_i - x_i) + \iota x_i

f the perpetual's price as the interval begins, x the index's print of the interval, κ and ι shares an interval. To enter costs nothing, so
that under the pricing measure :math:`E f_{i+1} - f_i` is what is paid, and without a bubble

.. math:: f_0 = \sum_{i \ge 0} \frac{\kappa - \iota}{(1 + \kappa)^{i+1}} \, E x_i,

the index read at a random time: with forwards for :math:`E x_i` no more than a weighted sum of them. Rates of interest play no part but
through the forwards, as gains and funding are paid as they arise. Exchanges clamp the interest against the premium and cap the whole:

.. math:: \text{paid} = x \cdot \text{clip}(\kappa p + \text{clip}(\iota - \kappa p, \pm c), \pm m), \quad p = (f - x) / x

Inside the clamp funding does not depend on the price, and nothing ties it to the index there: no fair price of such a rule is given.

Source: Ackerer, Hugonnier and Jermann (2023), Perpetual Futures Pricing, arXiv 2310.11771: the linear contract in discrete time, there with
constant rates of the index's growth; here with the index's forwards.
"""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """A funding rule: `rate` κ and `interest` ι a funding interval, `clamp` c and `cap` m of the rate paid, None without.

    Raises `InputError` for a rate not above 0, an interest not below it, and a clamp or cap that is negative.
    """

    rate: float
    interest: float = 0.0
    clamp: float | None = None
    cap: float | None = None

    def __post_init__(self) -> None:
        told = [("rate", self.rate, "a share above 0", 0 < self.rate < float("inf"))]
        told.append(("interest", self.interest, f"a share below the rate {self.rate}", -float("inf") < self.interest < self.rate))
        for name, value in (("clamp", self.clamp), ("cap", self.cap)):
            told.append((name, value or 0.0, "a share of at least 0", value is None or 0 <= value < float("inf")))
        faults = [Fault(file="funding", column=name, value=str(value), expected=wanted) for name, value, wanted, good in told if not good]
        if faults:
            raise InputError(faults)


@dataclass(frozen=True, eq=False, kw_only=True)
class FairPrice:
    """`price` USD per GPU-hour; `weight` (n,) ∂ price / ∂ forward of each interval, the last with all that lies past it.

    `tail` is the weight of what lies past the last forward: the price is wrong by at most tail × the most by which later forwards differ
    from the last one.
    """

    price: float
    weight: Vector
    tail: float


def paid(mark: Vector, index: Vector, rule: Funding) -> Vector:
    """(n,) USD per GPU-hour that a long position pays in each interval; negative where it receives.

    Args:
        mark: (n,) the perpetual's price as each interval begins, USD per GPU-hour.
        index: (n,) the index's print of each, above 0.
        rule: funding rule.

    >>> paid(np.array([2.6, 2.5]), np.array([2.5, 2.5]), Funding(rate=0.1, interest=0.001)).round(6)
    array([0.0125, 0.0025])
    """
    if mark.shape != index.shape or not np.isfinite(mark).all() or not (index > 0).all():
        raise InputError.of("funding", "as many finite marks as prints above 0", value=f"{mark.size} marks, {index.size} prints")
    premium = rule.rate * (mark - index) / index
    interest = rule.interest - (0.0 if rule.clamp is None else premium)
    held = interest if rule.clamp is None else np.clip(interest, -rule.clamp, rule.clamp)
    rate = premium + held
    return np.asarray(index * (rate if rule.cap is None else np.clip(rate, -rule.cap, rule.cap)))


def fair(forward: Vector, rule: Funding) -> FairPrice:
    """Fair price of a perpetual future from the forwards of its funding intervals.

    Args:
        forward: (n,) forward of the index over each interval from now on, USD per GPU-hour; past the last it is taken to hold.
        rule: without clamp and cap.

    Raises `InputError` for no forwards, and for a clamp or a cap.

    >>> found = fair(np.full(100, 2.5), Funding(rate=0.1))
    >>> round(found.price, 10), round(found.tail, 6)
    (2.5, 7.3e-05)
    """
    if not forward.size or not np.isfinite(forward).all():
        raise InputError.of("perpetual", "at least one finite forward", value=f"{forward.size} forwards")
    if rule.clamp is not None or rule.cap is not None:
        told = f"clamp {rule.clamp}, cap {rule.cap}"
        raise InputError.of("perpetual", "a linear funding rule: inside a clamp or beyond a cap nothing ties the price", value=told)
    weight = (rule.rate - rule.interest) * (1 + rule.rate) ** -np.arange(1.0, forward.size + 1)
    tail = (rule.rate - rule.interest) / rule.rate * (1 + rule.rate) ** -float(forward.size)
    weight[-1] += tail
    return FairPrice(price=float(weight @ forward), weight=weight, tail=float(tail))
