"""Tolling at known and uncertain prices: schedule, program, on_chain, on_paths."""

from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.paths.model import PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.rights.lattice import lattice
from tenorgrid.derivatives.rights.tolling import Plant, schedule, spread
from tenorgrid.derivatives.rights.tolling_chance import on_chain, on_paths
from tenorgrid.derivatives.rights.tolling_program import program

# 168 hours of prices that QuantLib tests its virtual power plant with: lballabio/QuantLib, test-suite/vpp.cpp
WEEK = Path(__file__).with_name("plant_week.csv")
KNOWN = {0.35: 0.0, 0.40: 2056.04, 0.45: 11145.577778, 0.50: 26452.04, 0.55: 44512.461818, 0.60: 62000.626667, 0.90: 137591.911111}
PLANT = Plant(least=8.0, most=40.0, run=2, rest=2, before="either")

HOURS = 48
YEARS = np.arange(1, HOURS + 1) / 8760
FORWARD = 1.0 + 0.3 * np.sin(np.arange(HOURS) / 4)
ONES = np.ones(HOURS)
SMALL = Plant(least=0.5, most=2.0, run=3, rest=2)


def week(efficiency: float) -> tuple[Vector, Vector]:
    """Spread over a fuel that costs 3 more to bring, and starts of 100 and 20 units of it."""
    frame = pl.read_csv(WEEK)
    fuel = frame["fuel"].to_numpy() + 3.0
    return spread(frame["power"].to_numpy(), inputs=fuel[None], rates=np.array([1 / efficiency])), 100 + 20 * fuel


@pytest.mark.parametrize(("efficiency", "known"), KNOWN.items())
def test_a_week_is_worth_what_its_published_programs_found(efficiency: float, known: float) -> None:
    margin, start = week(efficiency)
    found = schedule(PLANT, spread=margin[:, None], start=start[:, None])
    assert found.value[0] == pytest.approx(known, abs=1e-6)


def test_the_mixed_integer_program_finds_the_same_week() -> None:
    margin, start = week(0.40)
    assert program(PLANT, spread=margin, start=start) == pytest.approx(KNOWN[0.40], abs=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_programs_of_random_plants_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    least = float(rng.uniform(0, 2))
    befores: tuple[Literal["rested", "running", "either"], ...] = ("rested", "running", "either")
    plant = Plant(
        least=least,
        most=least + float(rng.uniform(0, 3)),
        run=int(rng.integers(1, 6)),
        rest=int(rng.integers(1, 6)),
        before=befores[seed % 3],
    )
    margin, start = rng.normal(0, 1, 36), rng.uniform(0, 3, 36)
    found = schedule(plant, spread=margin[:, None], start=start[:, None])
    assert found.value[0] == pytest.approx(program(plant, spread=margin, start=start), abs=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_the_schedule_earns_its_value_and_keeps_its_limits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plant = Plant(least=0.5, most=2.0, run=3, rest=4)
    margin, start = rng.normal(0.1, 1, (60, 3)), rng.uniform(0, 2, (60, 3))
    found = schedule(plant, spread=margin, start=start)
    on = found.running
    begun = on & ~np.vstack([np.zeros((1, 3), bool), on[:-1]])
    assert found.value == pytest.approx((margin * found.output - start * begun).sum(axis=0), abs=1e-12)
    for column in on.T:
        edges = np.flatnonzero(np.diff(column.astype(int))) + 1
        for low, high in pairwise(edges):
            assert high - low >= (plant.run if column[low] else plant.rest)


def test_without_limits_and_starts_it_is_a_strip_of_calls() -> None:
    plant = Plant(least=0.0, most=1.0)
    chain = lattice(reversion=50.0, volatility=4.0, years=YEARS, nodes=401)
    found = on_chain(plant, chain=chain, forward=FORWARD, cost=ONES, start=0 * ONES, discount=ONES)
    deviation = np.sqrt(ornstein_uhlenbeck(reversion=50.0, volatility=4.0).covariance(YEARS)[:, 0, 0])
    assert found.value == pytest.approx(black.price(FORWARD, ONES, deviation=deviation, discount=ONES).sum(), rel=1e-4)
    assert found.delta == pytest.approx(black.delta(FORWARD, ONES, deviation=deviation, discount=ONES), abs=0.03)  # one node at the strike


def test_without_chance_the_chain_is_the_schedule() -> None:
    chain = lattice(reversion=50.0, volatility=0.0, years=YEARS)
    found = on_chain(SMALL, chain=chain, forward=FORWARD, cost=ONES, start=0.4 * ONES, discount=ONES)
    best = schedule(SMALL, spread=(FORWARD - 1)[:, None], start=np.full((1, 1), 0.4))
    assert found.value == pytest.approx(best.value[0], abs=1e-12)
    assert np.array_equal(found.running, best.running[:, 0].astype(float))
    assert found.output == pytest.approx(best.output[:, 0], abs=1e-12)


def test_value_lies_between_the_best_schedule_and_perfect_foresight_and_least_squares_agree() -> None:
    chain = lattice(reversion=50.0, volatility=4.0, years=YEARS, nodes=151)
    found = on_chain(SMALL, chain=chain, forward=FORWARD, cost=ONES, start=0.4 * ONES, discount=ONES).value
    start = np.full((1, 1), 0.4)
    model = PathModel(factors=ornstein_uhlenbeck(reversion=50.0, volatility=4.0))
    price = simulate(model, forward=FORWARD[:, None], years=YEARS, paths=4000, seed=7)[:, 0]
    foresight = schedule(SMALL, spread=price - 1, start=start).value
    intrinsic = schedule(SMALL, spread=(FORWARD - 1)[:, None], start=start).value[0]
    assert intrinsic < found < foresight.mean()
    simulated = on_paths(SMALL, spread=price - 1, start=start, state=np.log(price)[..., None] - np.log(FORWARD)[:, None, None], degree=3)
    assert simulated.value == pytest.approx(found, abs=3 * simulated.error)
    assert simulated.value < foresight.mean()


def test_delta_by_hour_is_that_of_revaluation() -> None:
    chain = lattice(reversion=50.0, volatility=4.0, years=YEARS, nodes=101)
    found = on_chain(SMALL, chain=chain, forward=FORWARD, cost=ONES, start=0.4 * ONES, discount=0.98 * ONES)
    for at in (0, 11, HOURS - 1):
        bump = 1e-6 * (np.arange(HOURS) == at)
        up, down = (
            on_chain(SMALL, chain=chain, forward=FORWARD + s * bump, cost=ONES, start=0.4 * ONES, discount=0.98 * ONES).value
            for s in (1, -1)
        )
        assert found.delta[at] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-7)


def test_it_falls_with_start_costs_and_rises_with_volatility() -> None:
    starts = [schedule(SMALL, spread=(FORWARD - 1)[:, None], start=np.full((1, 1), c)).value[0] for c in (0.0, 0.2, 0.5, 1.0, 9.0)]
    assert starts == sorted(starts, reverse=True)
    worth = [
        on_chain(
            SMALL,
            chain=lattice(reversion=50.0, volatility=v, years=YEARS, nodes=101),
            forward=FORWARD,
            cost=ONES,
            start=0.4 * ONES,
            discount=ONES,
        ).value
        for v in (0.0, 1.0, 2.0, 4.0)
    ]
    assert worth == sorted(worth)


def test_plants_and_prices_that_are_none_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        Plant(least=5.0, most=4.0, run=0, rest=0)
    assert [fault.column for fault in caught.value.faults] == ["least", "run", "rest"]
    with pytest.raises(InputError, match="finite numbers, hours × contracts"):
        schedule(SMALL, spread=np.full((3, 1), np.nan), start=np.zeros((1, 1)))
    with pytest.raises(InputError, match="column start: found -1"):
        program(SMALL, spread=np.zeros(3), start=-np.ones(3))
    with pytest.raises(InputError, match="2 numbers of at least 0"):
        spread(np.ones(3), inputs=np.ones((2, 3)), rates=np.array([1.0, -1.0]))
    with pytest.raises(InputError, match="column cost"):
        on_chain(SMALL, chain=lattice(reversion=1.0, volatility=0.0, years=YEARS), forward=ONES, cost=ONES[1:], start=ONES, discount=ONES)
    with pytest.raises(InputError, match="column state"):
        on_paths(SMALL, spread=np.zeros((3, 2)), start=np.zeros((1, 1)), state=np.zeros((3, 1, 1)))
