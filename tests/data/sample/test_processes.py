"""The processes: causal, stationary, and forecast by what is known of them."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.sample.processes import (
    FAIL,
    KNOWN,
    MEND,
    SLOW,
    SLOW_SD,
    UP,
    Innovations,
    hour_of,
    innovations,
    slow_demand,
    states,
)

REGION = np.array([0, 0, 1, 2])


def drawn(seed: int = 1, hours: int = 2000) -> Innovations:
    return innovations(seed, hours=hours, halls=4)


def test_more_hours_give_the_same_world_and_more() -> None:
    short, long = (states(drawn(hours=hours), region_of_hall=REGION) for hours in (500, 900))
    for name in ("slow", "mid", "fast", "burst", "up", "present"):
        assert np.array_equal(getattr(short, name), getattr(long, name)[:500]), name


@pytest.mark.parametrize("name", list(Innovations.__annotations__))
def test_other_draws_from_an_hour_on_change_nothing_before_it(name: str) -> None:
    first = drawn()
    path = getattr(first, name).copy()
    path[700:] = getattr(drawn(seed=2), name)[700:]
    one, other = (states(draws, region_of_hall=REGION) for draws in (first, replace(first, **{name: path})))
    for part in ("slow", "mid", "fast", "burst", "up", "present"):
        assert np.array_equal(getattr(one, part)[:700], getattr(other, part)[:700]), part


def test_each_stream_matters() -> None:
    one, other = (states(drawn(seed=seed), region_of_hall=REGION) for seed in (1, 2))
    for part in ("slow", "mid", "fast", "burst", "present"):
        assert not np.allclose(getattr(one, part), getattr(other, part)), part


def test_slow_demand_has_the_spread_and_the_memory_that_it_says() -> None:
    path = slow_demand(3, hours=150_000)
    lag = int(SLOW)
    assert path.std() == pytest.approx(SLOW_SD, rel=0.1)
    assert (path[:-lag] * path[lag:]).mean() / path.var() == pytest.approx(0.5, abs=0.1)


def test_a_hall_is_up_as_often_as_its_chain_says_and_is_forgotten_with_the_half_life() -> None:
    chain = np.array([[1 - FAIL, FAIL], [MEND, 1 - MEND]])
    far = np.linalg.matrix_power(chain, 5000)
    after = np.linalg.matrix_power(chain, int(KNOWN))
    assert far[0, 0] == pytest.approx(UP, abs=1e-9)
    assert after[1, 0] - UP == pytest.approx(-UP * 0.5, abs=1e-9)
    world = states(innovations(5, hours=20_000, halls=4), region_of_hall=REGION)
    assert world.up.mean() == pytest.approx(UP, abs=0.01)


def test_a_recall_takes_the_same_part_of_every_hall_of_its_region() -> None:
    world = states(drawn(hours=4000), region_of_hall=REGION)
    both = world.up[:, 0] & world.up[:, 1]
    assert np.array_equal(world.present[both, 0], world.present[both, 1])
    taken = 1 - world.present[both, 0]
    assert taken.max() > 0
    assert set(np.unique(np.round(taken[taken > 0], 12)) >= 0.12) == {True}
    assert taken.max() <= 0.20


def test_moments_before_the_epoch_are_refused() -> None:
    with pytest.raises(InputError, match="moments from 2026-11-20T05:00Z on"):
        hour_of(datetime(2026, 11, 1, tzinfo=UTC))
