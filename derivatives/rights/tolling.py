r"""Tolling at known prices: the right to turn GPU-hours and energy into tokens when that pays, with start costs, least runs and rests.

A plant that runs gives q between `least` and `most` units an hour at the spread s of its output over its inputs, so an hour of running
earns max(least · s, most · s), for q is free within a run. Dynamic programming over how long it has run (up to `run`) or rested (up to
`rest`) is exact; it is done for all contracts or paths at once. Thompson, Davison and Rasmussen, "Valuation and optimal operation of
electric power plants in competitive markets", Operations Research 52 (2004) treat the plant as this option.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.derivatives.paths.refusal import refuse


@dataclass(frozen=True, kw_only=True)
class Plant:
    """What turns inputs into output. Raises `InputError` with every fault.

    >>> Plant(least=8.0, most=4.0)
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: plant, column least: found 8.0, expected at most the most, 4.0
    """

    least: float  # units of output an hour while it runs, at least 0
    most: float  # units of output an hour
    run: int = 1  # hours it runs at least; a run may be cut by the end of the term
    rest: int = 1  # hours it rests at least
    before: Literal["rested", "running", "either"] = "rested"  # long enough to leave that state at once; either: whichever is better

    def __post_init__(self) -> None:
        refuse(
            "plant",
            ("least", self.least, "at least 0", 0 <= self.least < np.inf),
            ("least", self.least, f"at most the most, {self.most}", self.least <= self.most),
            ("most", self.most, "a finite number", bool(np.isfinite(self.most))),
            ("run", self.run, "at least 1 hour", self.run >= 1),
            ("rest", self.rest, "at least 1 hour", self.rest >= 1),
            ("before", self.before, "rested, running or either", self.before in ("rested", "running", "either")),
        )

    def entry(self, worth: Vector) -> npt.NDArray[np.intp]:
        """State before the first hour, (contracts,), given the worth of each, (states, contracts)."""
        running, rested = self.run - 1, self.run + self.rest - 1
        if self.before == "either":
            return np.where(worth[running] > worth[rested], running, rested)
        return np.full(worth.shape[1], running if self.before == "running" else rested)

    def income(self, spread: Vector) -> Vector:
        """USD of an hour of running at a spread in USD a unit."""
        return np.maximum(self.least * spread, self.most * spread)

    def output(self, spread: Vector) -> Vector:
        """Units an hour of running gives."""
        return np.where(spread > 0, self.most, self.least)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Best operation at known prices."""

    value: Vector  # (contracts,) USD
    running: Flags  # (hours, contracts)
    output: Vector  # (hours, contracts) units


def spread(price: Vector, *, inputs: Vector, rates: Vector) -> Vector:
    """What a unit of output earns over what it takes, (hours, ...) USD a unit.

    Args:
        price: (hours, ...) USD a unit of output, such as a million tokens.
        inputs: (inputs, hours, ...) USD a unit of each input, such as GPU-hours and kWh.
        rates: (inputs,) units of each input in one of output, at least 0.

    Raises `InputError` for negative rates or as many of them as there are not inputs.

    >>> spread(np.array([2.0, 3.0]), inputs=np.array([[2.4, 2.6], [0.1, 0.1]]), rates=np.array([0.5, 1.0])).round(9)
    array([0.7, 1.6])
    """
    good = rates.shape == (inputs.shape[0],) and bool(np.all(rates >= 0))
    refuse("tolling", ("rates", rates, f"{inputs.shape[0]} numbers of at least 0", good))
    return np.asarray(price - np.tensordot(rates, inputs, axes=1))


def schedule(plant: Plant, *, spread: Vector, start: Vector) -> Schedule:
    """Best operation at known spreads, for each contract (or path: its mean over paths is what perfect foresight would earn).

    Args:
        plant: limits.
        spread: (hours, contracts) USD a unit of output, discounted.
        start: (hours, contracts) USD a start costs if its run begins in that hour, at least 0; broadcasts.

    Raises `InputError` with every fault.

    >>> made = schedule(Plant(least=0.0, most=2.0, run=2), spread=np.array([[1.0], [-0.2], [0.1]]), start=np.ones((1, 1)))
    >>> made.value.round(9).tolist(), made.running[:, 0].tolist()
    ([1.2], [True, True, True])
    """
    cost = checked(spread, start)
    income = plant.income(spread)
    worth = np.zeros((plant.run + plant.rest, spread.shape[1]))
    stays, begins = np.empty(spread.shape, bool), np.empty(spread.shape, bool)
    for at in reversed(range(len(spread))):
        worth, stays[at], begins[at] = step(plant, worth, income[at], cost[at])
    state = plant.entry(worth)
    value = np.take_along_axis(worth, state[None], axis=0)[0]
    running = np.empty(spread.shape, bool)
    for at in range(len(spread)):
        state = moved(plant, state, stays[at], begins[at])
        running[at] = state < plant.run
    return Schedule(value=value, running=running, output=np.where(running, plant.output(spread), 0.0))


def step(plant: Plant, after: Vector, income: Vector, cost: Vector) -> tuple[Vector, Flags, Flags]:
    """Worth before an hour from that after it, (states, ...), and whether one that may rest runs on and one that may run begins.

    States are 1 to `run` hours of running (the last: or more), then 1 to `rest` hours of rest.
    """
    run, off = plant.run, plant.run + plant.rest - 1
    best = np.empty_like(after)
    best[: run - 1] = income + after[1:run]
    on, leave = income + after[run - 1], after[run]
    best[run - 1] = np.maximum(on, leave)
    best[run:off] = after[run + 1 :]
    begin, wait = income - cost + after[0], after[off]
    best[off] = np.maximum(begin, wait)
    return best, on > leave, begin > wait


def moved(plant: Plant, state: npt.NDArray[np.intp], stays: Flags, begins: Flags) -> npt.NDArray[np.intp]:
    """State after an hour, of each contract."""
    run, off = plant.run, plant.run + plant.rest - 1
    onward = np.where(state == off, np.where(begins, 0, off), state + 1)
    return np.asarray(np.where(state == run - 1, np.where(stays, run - 1, run), onward))


def checked(spread: Vector, start: Vector) -> Vector:
    """Start costs as wide as the spreads; raises `InputError`."""
    refuse(
        "tolling",
        ("spread", spread.shape, "finite numbers, hours × contracts", spread.ndim == 2 and bool(np.all(np.isfinite(spread)))),
        ("start", start.min(initial=0), "at least 0", bool(np.all(start >= 0) and np.all(np.isfinite(start)))),
    )
    return np.broadcast_to(start, spread.shape)
