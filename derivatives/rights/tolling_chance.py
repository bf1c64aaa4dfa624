"""Tolling at uncertain prices: on a chain of one factor, and by least squares on paths of many.

Both are the program of `tolling` with the worth of going on replaced by its expectation, so that decisions look at nothing that is not
known yet: the value lies between that of the best schedule at forward prices and the mean of what perfect foresight would earn.
"""

from dataclasses import dataclass

import numpy as np

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.derivatives.paths.refusal import refuse
from tenorgrid.derivatives.rights.lattice import Lattice
from tenorgrid.derivatives.rights.least_squares import Estimate, fitted
from tenorgrid.derivatives.rights.tolling import Plant, checked, step


@dataclass(frozen=True, kw_only=True)
class Operated:
    """What a plant is worth and how it is expected to run."""

    value: float  # USD
    running: Vector  # (hours,) probability
    output: Vector  # (hours,) expected units
    delta: Vector  # (hours,) USD by USD a unit of the output's forward: D E[q S / F]


def on_chain(plant: Plant, *, chain: Lattice, forward: Vector, cost: Vector, start: Vector, discount: Vector) -> Operated:
    """Worth of a plant whose output's price follows a chain and whose inputs' prices are known.

    Args:
        plant: limits.
        chain: output's price over its forward at each hour.
        forward: (hours,) USD a unit of output, F.
        cost: (hours,) USD of the inputs in a unit of output.
        start: (hours,) USD a start costs, at least 0.
        discount: (hours,) D, above 0.

    Raises `InputError` with every fault.

    >>> from tenorgrid.derivatives.rights.lattice import lattice
    >>> chain = lattice(reversion=50.0, volatility=4.0, years=np.arange(1, 25) / 8760, nodes=101)
    >>> flat = np.ones(24)
    >>> plant = Plant(least=0.0, most=1.0, run=4)
    >>> round(on_chain(plant, chain=chain, forward=flat, cost=flat, start=0.1 * flat, discount=flat).value, 4) > 0.5
    True
    """
    hours = chain.ratio.shape[0]
    arrays = {"forward": forward, "cost": cost, "start": start, "discount": discount}
    refuse("tolling", *((name, values.shape, f"{hours} numbers", values.shape == (hours,)) for name, values in arrays.items()))
    refuse("tolling", ("discount", discount.min(), "factors above 0", bool(np.all(discount > 0))))
    spread = discount[:, None] * (forward[:, None] * chain.ratio - cost[:, None])
    paid = checked(spread, (discount * start)[:, None])
    income = plant.income(spread)
    worth = np.zeros((plant.run + plant.rest, chain.nodes.size))
    stays, begins = np.empty(spread.shape, bool), np.empty(spread.shape, bool)
    for at in reversed(range(hours)):
        if at < hours - 1:
            worth = worth @ chain.matrices[chain.kind[at]].T
        worth, stays[at], begins[at] = step(plant, worth, income[at], paid[at])
    entry = int(plant.entry((worth @ chain.first)[:, None])[0])
    value = float(worth[entry] @ chain.first)
    mass = _running(plant, chain, entry, stays, begins)
    given = mass * plant.output(spread)
    return Operated(
        value=value,
        running=mass.sum(axis=1),
        output=given.sum(axis=1),
        delta=discount * (given * chain.ratio).sum(axis=1),
    )


def on_paths(plant: Plant, *, spread: Vector, start: Vector, state: Vector, degree: int = 2) -> Estimate:
    """Worth of a plant by least-squares Monte Carlo, whatever moves its prices.

    Args:
        plant: limits.
        spread: (hours, paths) USD a unit of output, discounted.
        start: (hours, paths) USD a start costs, at least 0; broadcasts.
        state: (hours, paths, factors) what decisions may look at.
        degree: of the polynomial in the state, at least 0.

    Raises `InputError` with every fault.

    >>> rng = np.random.default_rng(2)
    >>> known = np.repeat(np.sin(np.arange(24.0))[:, None], 50, axis=1)
    >>> plant = Plant(least=0.0, most=1.0, run=2)
    >>> found = on_paths(plant, spread=known, start=np.full((1, 1), 0.3), state=rng.normal(size=(24, 50, 1)))
    >>> from tenorgrid.derivatives.rights.tolling import schedule
    >>> bool(abs(found.value - schedule(plant, spread=known[:, :1], start=np.full((1, 1), 0.3)).value[0]) < 1e-9)
    True
    """
    paid = checked(spread, start)
    shaped = state.ndim == 3 and state.shape[:2] == spread.shape and bool(np.all(np.isfinite(state)))
    refuse(
        "tolling",
        ("state", state.shape, f"finite numbers, {spread.shape} × factors", shaped),
        ("degree", degree, "at least 0", degree >= 0),
    )
    income = plant.income(spread)
    paths = spread.shape[1]
    earned = np.zeros((plant.run + plant.rest, paths))
    run, off = plant.run, plant.run + plant.rest - 1
    decisive = [run - 1, run, 0, off]
    for at in reversed(range(len(spread))):
        guess = np.zeros_like(earned)
        guess[decisive] = fitted(state[at], earned[decisive], degree)
        _, stays, begins = step(plant, guess, income[at], paid[at])
        after = earned
        earned = np.empty_like(after)
        earned[: run - 1] = income[at] + after[1:run]
        earned[run - 1] = np.where(stays, income[at] + after[run - 1], after[run])
        earned[run:off] = after[run + 1 :]
        earned[off] = np.where(begins, income[at] - paid[at] + after[0], after[off])
    total = earned[int(plant.entry(earned.mean(axis=1)[:, None])[0])]
    return Estimate(value=float(total.mean()), error=float(total.std(ddof=1) / np.sqrt(paths)) if paths > 1 else 0.0)


def _running(plant: Plant, chain: Lattice, entry: int, stays: Flags, begins: Flags) -> Vector:
    """Probability of running by hour and node, (hours, nodes), under the best policy."""
    run, off = plant.run, plant.run + plant.rest - 1
    chance = np.zeros((plant.run + plant.rest, chain.nodes.size))
    chance[entry] = chain.first
    found = np.empty(stays.shape)
    for at in range(len(stays)):
        after = np.zeros_like(chance)
        after[1:run] = chance[: run - 1]
        after[run - 1] += np.where(stays[at], chance[run - 1], 0.0)
        after[run + 1 :] = chance[run:off]
        after[run] += np.where(stays[at], 0.0, chance[run - 1])
        after[0] += np.where(begins[at], chance[off], 0.0)
        after[off] += np.where(begins[at], 0.0, chance[off])
        found[at] = after[:run].sum(axis=0)
        chance = after @ chain.matrices[chain.kind[at]] if at < chain.kind.size else after
    return found
