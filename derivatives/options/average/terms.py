"""A batch of options on averages, as arrays: valid or not born."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace

import numpy as np

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.derivatives.black import Option
from tenorgrid.derivatives.options.domain import Rule, at_least_zero, finite, positive, refuse

ELEMENTS = 8192  # contracts times fixings at once


@dataclass(frozen=True, kw_only=True)
class Averages:
    r"""n options on :math:`A = k + \sum_i a_i F_i`, of m fixings still to come; the pay-off of a call is max(A − K, 0).

    Fixings are lognormal, with :math:`\operatorname{cov}(\ln F_i, \ln F_j)` the total variance σ² t of the earlier one: prices of one
    forward curve driven by one factor. Contracts of fewer fixings repeat the last one with weight 0.

    Args (everything broadcasts to the shape of `forward`, or to its first axis):
        forward: (n, m) USD/GPUh, what each fixing is expected to be, above 0.
        strike: (n,) USD/GPUh.
        volatility: (n, m) σ, to each fixing, per square root of a year.
        years: (n, m) t, from now to each fixing, at least 0 and not falling.
        weight: (n, m) a, of each fixing still to come, at least 0; 1 / N for a plain average of N.
        known: (n,) k, USD/GPUh: weight times value of the fixings already known, summed (`so_far`).
        discount: (n,) D, to the day of payment.
        expiry: (n,) years to the day of payment, not before the last fixing; by default that.
        option: `call` or `put`.

    Raises `InputError` for a negative volatility, weight or time, times out of order, an expiry before the last fixing, and anything
    not finite. A total variance that falls is priced (`european.falls` tells).

    >>> Averages(forward=np.full((1, 2), 2.5), strike=np.array([2.5]), volatility=np.array([0.8]), years=np.array([0.1, 0.2])).effective
    array([2.5])
    """

    forward: Vector
    strike: Vector
    volatility: Vector
    years: Vector
    weight: Vector = field(default_factory=lambda: np.full(1, np.nan))
    known: Vector = field(default_factory=lambda: np.zeros(1))
    discount: Vector = field(default_factory=lambda: np.ones(1))
    expiry: Vector = field(default_factory=lambda: np.full(1, np.inf))
    option: Option = "call"

    def __post_init__(self) -> None:
        if np.ndim(self.forward) != 2:
            refuse([Rule("forward", np.asarray(np.ndim(self.forward)), np.asarray(False), "two axes: contracts and fixings")])
        shape = self.forward.shape
        if self.weight.shape == (1,) and np.isnan(self.weight[0]):
            object.__setattr__(self, "weight", np.full(1, 1.0 / max(shape[1], 1)))
        rules = [positive("forward", self.forward), finite("strike", self.strike), finite("known", self.known)]
        rules += [at_least_zero(name, getattr(self, name)) for name in ("volatility", "years", "weight")]
        refuse([*rules, positive("discount", self.discount)], kind="average")
        for name in ("forward", "volatility", "years", "weight"):
            object.__setattr__(self, name, np.broadcast_to(np.asarray(getattr(self, name), dtype=np.float64), shape))
        for name in ("strike", "known", "discount", "expiry"):
            object.__setattr__(self, name, np.broadcast_to(np.asarray(getattr(self, name), dtype=np.float64), shape[:1]))
        rising = np.diff(self.years, axis=1) >= 0
        last = (self.years * (self.weight > 0)).max(axis=1, initial=0.0)
        refuse(
            [
                Rule("years", self.years[:, 1:], rising, "fixings in the order of their times"),
                Rule("expiry", self.expiry, self.expiry >= last, "a payment not before the last fixing"),
            ],
            kind="average",
        )

    @property
    def effective(self) -> Vector:
        """(n,) USD/GPUh, what the fixings still to come must add for a call to pay: K − k. At or below 0 a call is a forward."""
        return np.asarray(self.strike - self.known)

    @property
    def variance(self) -> Vector:
        """(n, m) total variance σ² t to each fixing."""
        return np.asarray(np.square(self.volatility) * self.years)

    @property
    def sign(self) -> float:
        """1 for calls, −1 for puts."""
        return 1.0 if self.option == "call" else -1.0

    @property
    def certain(self) -> Vector:
        """(n,) USD/GPUh, worth as if the average were sure to be what it is expected to be."""
        return np.asarray(self.discount * np.maximum(self.sign * self.gain, 0.0))

    @property
    def certain_ladder(self) -> Vector:
        """(n, m) ∂ price / ∂ each forward as if nothing were uncertain: the pay-off's own, half of it on the strike."""
        return np.asarray((0.5 * self.discount * self.sign * (1.0 + np.sign(self.sign * self.gain)))[:, None] * self.weight)

    @property
    def gain(self) -> Vector:
        """(n,) USD/GPUh, by how much the expected average is above the strike."""
        return np.asarray(np.einsum("nm,nm->n", self.weight, self.forward) - self.effective)

    def blocks(self) -> Iterator["Averages"]:
        """The same options in runs of contracts, so that a run stays in the cache."""
        names = [one.name for one in fields(self) if one.name != "option"]
        contracts = max(ELEMENTS // max(self.forward.shape[1], 1), 1)
        for at in range(0, len(self.forward), contracts):
            yield _born(self, {name: getattr(self, name)[at : at + contracts] for name in names})

    def shifted(self, amount: float) -> "Averages":
        """The same options with every forward moved by an amount, USD/GPUh."""
        return replace(self, forward=self.forward + amount)


def so_far(fixing: Vector, *, weight: Vector, published: Flags) -> tuple[Vector, Vector]:
    """What the fixings already published add to the average (n,), and the weights (n, m) of those still to come.

    Args:
        fixing: (n, m) USD/GPUh; where not published anything, NaN too.
        weight: (n, m) of every fixing of the term.
        published: (n, m), which fixings are known.

    Raises `InputError` for a published fixing or a weight that is not finite.

    >>> so_far(np.array([[2.4, np.nan]]), weight=np.array([[0.5, 0.5]]), published=np.array([[True, False]]))
    (array([1.2]), array([[0. , 0.5]]))
    """
    fixing, weight, published = np.broadcast_arrays(fixing, weight, published)
    refuse(
        [
            Rule("fixing", fixing, np.isfinite(fixing) | ~published, "a number where it is published"),
            at_least_zero("weight", weight),
        ],
        kind="average",
    )
    return np.where(published, fixing * weight, 0.0).sum(axis=1), np.where(published, 0.0, weight)


def in_blocks(options: Averages, kernel: Callable[[Averages], tuple[Vector, ...]]) -> tuple[Vector, ...]:
    """What a kernel gives for each run of contracts, joined."""
    runs = [kernel(run) for run in options.blocks()] or [kernel(options)]
    return tuple(np.concatenate(parts) for parts in zip(*runs, strict=True))


def _born(whole: Averages, parts: dict[str, Vector]) -> Averages:
    """A run of a batch that has been checked: not checked again."""
    run = object.__new__(Averages)
    for name, values in (parts | {"option": whole.option}).items():
        object.__setattr__(run, name, values)
    return run
