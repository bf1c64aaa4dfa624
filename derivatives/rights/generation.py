r"""Generation switch: the right to change the rest of a term from one GPU generation into the next, once, at a conversion ratio and a cost.

Switching at decision date t is worth

.. math:: \sum_{s \ge t} D_s Q_s \bigl(r F^{new}_t(s) - F^{old}_t(s)\bigr) - D_t X_t

with r new GPU-hours for one old one. Both curves move by one correlated Ornstein-Uhlenbeck factor each, so F_t(s) is F_0(s) times
exp(e^{−κ(s−t)} x − e^{−2κ(s−t)} Var x_t / 2). One date and one period without cost is the exchange option of Margrabe, "The value of an
option to exchange one asset for another", Journal of Finance 33 (1978). Several dates are dynamic programming on a grid of both factors;
`least_squares.value` of `gain` on paths is the second method.
"""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.paths.model import Factors
from tenorgrid.derivatives.paths.refusal import refuse

WIDTH = 6.0  # standard deviations on each side
COARSEST = 1.3  # mesh over the standard deviation of a step given the other factor's
NODES = 41
MOST_NODES = 61  # a transition matrix has the fourth power of it


@dataclass(frozen=True, kw_only=True)
class Switch:
    """What may be switched and when. Raises `InputError` with every fault.

    Args:
        decision: (dates,) years from the valuation, at least 0, rising.
        delivery: (periods,) years from the valuation at which each period delivers, rising.
        quantity: (periods,) GPUh of the old generation, at least 0.
        old: (periods,) USD/GPUh, forward, above 0.
        new: (periods,) USD/GPUh, forward, above 0.
        ratio: r, new GPU-hours for one old one, at least 0.
        cost: (dates,) USD, X, paid when switching.
        discount: (periods,) D of deliveries, above 0.
        paid: (dates,) D of costs, above 0.
    """

    decision: Vector
    delivery: Vector
    quantity: Vector
    old: Vector
    new: Vector
    ratio: float
    cost: Vector
    discount: Vector
    paid: Vector

    def __post_init__(self) -> None:
        dates, periods = self.decision.shape, self.delivery.shape
        per_period = {"old": self.old, "new": self.new, "discount": self.discount}
        held = self.quantity.shape == periods and bool(np.all(self.quantity >= 0))
        refuse(
            "switch",
            ("decision", dates, "times from 0 on that rise", _rising(self.decision)),
            ("delivery", periods, "times from 0 on that rise", _rising(self.delivery)),
            ("quantity", self.quantity.shape, f"numbers of at least 0, {periods}", held),
            *((name, v.shape, f"numbers above 0, {periods}", v.shape == periods and bool(np.all(v > 0))) for name, v in per_period.items()),
            ("ratio", self.ratio, "a finite number of at least 0", 0 <= self.ratio < np.inf),
            ("cost", self.cost.shape, f"finite numbers, {dates}", self.cost.shape == dates and bool(np.all(np.isfinite(self.cost)))),
            ("paid", self.paid.shape, f"numbers above 0, {dates}", self.paid.shape == dates and bool(np.all(self.paid > 0))),
        )


def gain(switch: Switch, *, factors: Factors, at: int, x_old: Vector, x_new: Vector) -> Vector:
    """What switching at decision date `at` is worth, USD, where the factors stand at `x_old` and `x_new`, of any equal shape.

    Deliveries before the date stay with the old generation. Raises `InputError` unless there are two factors, one for each curve.

    >>> one = np.ones(1)
    >>> switch = Switch(
    ...     decision=one, delivery=one, quantity=one, old=one, new=2 * one, ratio=0.8, cost=0.1 * one, discount=one, paid=one
    ... )
    >>> still = Factors(reversion=np.ones(2), volatility=np.zeros(2), correlation=np.eye(2), loading=np.eye(2))
    >>> gain(switch, factors=still, at=0, x_old=np.zeros(1), x_new=np.zeros(1)).round(9)
    array([0.5])
    """
    _refuse(factors)
    now = switch.decision[at]
    spread = factors.covariance(np.array([now]))[0]
    rest = switch.delivery >= now
    apart = switch.delivery[rest] - now
    scale = (switch.discount * switch.quantity)[rest]
    ends = []
    for place, (x, forward) in enumerate(((x_old, switch.old[rest]), (x_new, switch.new[rest]))):
        fade = np.exp(-factors.reversion[place] * apart)
        weight = scale * forward * np.exp(-0.5 * fade**2 * spread[place, place])
        ends.append(sum((w * np.exp(f * x) for w, f in zip(weight, fade, strict=True)), start=np.zeros_like(x)))
    return np.asarray(switch.ratio * ends[1] - ends[0] - switch.paid[at] * switch.cost[at])


@dataclass(frozen=True, kw_only=True)
class Switched:
    """What the right is worth and how both curves move it."""

    value: float  # USD
    old: Vector  # (periods,) USD by USD/GPUh of the old generation's forward
    new: Vector  # (periods,) the same of the new one's


def value(switch: Switch, *, factors: Factors, nodes: int = NODES) -> float:
    """Worth of the right, USD, by dynamic programming on nodes × nodes values of both factors.

    Args:
        switch: what may be switched.
        factors: κ, σ and correlation of the old and the new generation's factor; loadings are not looked at.
        nodes: each way, odd, at most 61.

    Raises `InputError` with every fault, for volatilities of 0 and correlations of ±1 (a single factor) and for too few nodes.

    >>> one = np.ones(1)
    >>> switch = Switch(decision=one, delivery=one, quantity=one, old=one, new=one, ratio=1.0, cost=0 * one, discount=one, paid=one)
    >>> both = Factors(reversion=np.zeros(2), volatility=np.full(2, 0.2), correlation=np.eye(2), loading=np.eye(2))
    >>> round(value(switch, factors=both, nodes=61), 3)
    0.112
    """
    return float(_solve(switch, factors, nodes, slopes=False)[0])


def exercised(switch: Switch, *, factors: Factors, nodes: int = NODES) -> Switched:
    """Worth and deltas by period: slopes of the best policy taken back through the grid with its worth, which they do not change.

    Arguments and refusals of `value`.

    >>> one = np.ones(1)
    >>> switch = Switch(decision=one, delivery=one, quantity=one, old=one, new=one, ratio=1.0, cost=0 * one, discount=one, paid=one)
    >>> both = Factors(reversion=np.zeros(2), volatility=np.full(2, 0.2), correlation=np.eye(2), loading=np.eye(2))
    >>> found = exercised(switch, factors=both, nodes=61)
    >>> bool(abs(found.old[0] + found.new[0] - found.value) < 1e-9)  # with no cost the worth is homogeneous in the two forwards
    True
    """
    found = _solve(switch, factors, nodes, slopes=True)
    periods = switch.delivery.size
    return Switched(value=float(found[0]), old=found[1 : periods + 1], new=found[periods + 1 :])


def nodes_for(switch: Switch, *, factors: Factors) -> int:
    """The fewest nodes each way that the grid takes for these dates, odd."""
    steps = np.diff(switch.decision, prepend=0.0)
    alike = factors.correlation[0, 1]
    deviation = np.sqrt(np.diagonal(factors.covariance(steps[steps > 0]), axis1=1, axis2=2))
    if not deviation.size:
        return 3
    reach = WIDTH * np.sqrt(np.diag(factors.covariance(switch.decision[-1:])[0]))
    narrowest = deviation.min(axis=0) * np.sqrt(1 - alike**2)
    return 2 * int(np.ceil((reach / (COARSEST * narrowest)).max())) + 1


def _solve(switch: Switch, factors: Factors, nodes: int, *, slopes: bool) -> Vector:
    """Worth, and with `slopes` ∂ worth / ∂ forward of the old and the new curve by period: (1,) or (1 + 2 periods,)."""
    _refuse(factors)
    alike = abs(factors.correlation[0, 1])
    refuse(
        "switch",
        ("nodes", nodes, f"an odd number from 3 to {MOST_NODES}", 3 <= nodes <= MOST_NODES and nodes % 2 == 1),
        ("volatility", factors.volatility, "numbers above 0", bool(np.all(factors.volatility > 0))),
        ("correlation", alike, "correlations inside (-1, 1)", bool(alike < 1)),
    )
    dates = switch.decision
    steps = np.diff(dates, prepend=0.0)
    reach = WIDTH * np.sqrt(np.diag(factors.covariance(dates[-1:])[0]))
    grids = [np.linspace(-r, r, nodes) if r > 0 else np.zeros(1) for r in reach]
    x_old, x_new = (side.ravel() for side in np.meshgrid(*grids, indexing="ij"))
    worth = np.zeros((x_old.size, 1 + 2 * switch.delivery.size * slopes))
    matrices: dict[float, Vector] = {}
    for at in reversed(range(dates.size)):
        now = gain(switch, factors=factors, at=at, x_old=x_old, x_new=x_new)
        chosen = now > worth[:, 0]
        worth[chosen, 0] = now[chosen]
        if slopes:
            worth[chosen, 1:] = _slopes(switch, factors, at, x_old[chosen], x_new[chosen])
        step = float(round(steps[at], 12))
        if at == 0:
            return np.asarray((_matrix(factors, grids, np.zeros((1, 2)), step) @ worth)[0] if step > 0 else worth[len(worth) // 2])
        if step not in matrices:
            matrices = {step: _matrix(factors, grids, np.stack([x_old, x_new], axis=1), step)}
        worth = matrices[step] @ worth
    return np.asarray(worth[0])


def _slopes(switch: Switch, factors: Factors, at: int, x_old: Vector, x_new: Vector) -> Vector:
    """∂ gain / ∂ forward of every period, of the old and then the new curve, (points, 2 periods)."""
    now = switch.decision[at]
    spread = factors.covariance(np.array([now]))[0]
    rest = switch.delivery >= now
    apart = np.where(rest, switch.delivery - now, 0.0)
    scale = np.where(rest, switch.discount * switch.quantity, 0.0)
    ends = []
    for place, (x, ratio) in enumerate(((x_old, -1.0), (x_new, switch.ratio))):
        fade = np.exp(-factors.reversion[place] * apart)
        ends.append(ratio * scale * np.exp(fade * x[:, None] - 0.5 * fade**2 * spread[place, place]))
    return np.concatenate(ends, axis=1)


def _matrix(factors: Factors, grids: list[Vector], begin: Vector, step: float) -> Vector:
    """Probabilities of the grid's points, a row for each beginning, after `step` years."""
    spread = factors.covariance(np.array([step]))[0]
    mean = begin * np.exp(-factors.reversion * step)
    deviation = np.sqrt(np.diag(spread))
    alike = spread[0, 1] / deviation.prod()
    mesh = np.array([grid[1] - grid[0] for grid in grids])
    narrowest = deviation * np.sqrt(1 - alike**2)
    needed = 2 * int(np.ceil(((grids[0].size - 1) / 2 * mesh / (COARSEST * narrowest)).max())) + 1
    refuse("switch", ("nodes", grids[0].size, f"at least {needed} nodes for steps as short as these", grids[0].size >= needed))
    first, second = ((grid - mean[:, place, None]) / deviation[place] for place, grid in enumerate(grids))
    power = (first[:, :, None] ** 2 - 2 * alike * first[:, :, None] * second[:, None, :] + second[:, None, :] ** 2) / (1 - alike**2)
    weight = np.exp(-0.5 * np.minimum(power, 80.0)) * (power < 80.0)
    flat = weight.reshape(len(begin), -1)
    return np.asarray(flat / flat.sum(axis=1, keepdims=True))


def _refuse(factors: Factors) -> None:
    count = factors.reversion.size
    refuse("switch", ("factors", count, "two, of the old and of the new generation", count == 2))


def _rising(values: Vector) -> bool:
    return values.ndim == 1 and values.size > 0 and bool(values[0] >= 0 and np.all(np.diff(values) > 0))
