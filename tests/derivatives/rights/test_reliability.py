"""Reliability option: payments, value, unlimited; deltas by bump."""

from dataclasses import replace

import numpy as np
import pytest

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.paths.model import Jumps, PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.rights.bump import deltas
from tenorgrid.derivatives.rights.reliability import Reliability, payments, unlimited, value

HOURS = 60
YEARS = np.arange(1, HOURS + 1) / 500
FORWARD = 2.4 + 0.4 * np.sin(np.arange(HOURS) / 5)
DISCOUNT = np.exp(-0.04 * YEARS)
OPTION = Reliability(
    strike=np.full(HOURS, 2.8), quantity=np.full(HOURS, 3.0), penalty=0.0, stop_loss=np.inf, year=np.repeat([2027, 2028], HOURS // 2)
)
MODEL = PathModel(
    factors=ornstein_uhlenbeck(reversion=10.0, volatility=0.9),
    jumps=Jumps(intensity=np.array([15.0]), reversion=np.array([100.0]), rate=np.array([6.0]), loading=np.ones((1, 1))),
)


@pytest.fixture(scope="module")
def price() -> Vector:
    return simulate(MODEL, forward=FORWARD[:, None], years=YEARS, paths=20_000, seed=11)[:, 0]


def test_without_limits_and_jumps_it_is_a_strip_of_black_s_calls() -> None:
    model = PathModel(factors=ornstein_uhlenbeck(reversion=10.0, volatility=0.9))
    deviation = np.sqrt(model.factors.covariance(YEARS)[:, 0, 0])
    strip = 3 * black.price(FORWARD, OPTION.strike, deviation=deviation, discount=DISCOUNT).sum()
    assert unlimited(OPTION, model=model, forward=FORWARD, years=YEARS, discount=DISCOUNT) == pytest.approx(strip, abs=1e-6)


def test_paths_agree_with_the_closed_form_with_jumps_and_penalties(price: Vector) -> None:
    option = replace(OPTION, penalty=0.7)
    present = np.where(np.arange(HOURS) % 3 == 0, 0.8, 1.0)
    found = value(option, price=price, delivered=3 * present[:, None], discount=DISCOUNT)
    closed = unlimited(option, model=MODEL, forward=FORWARD, years=YEARS, discount=DISCOUNT, present=present)
    assert found.value == pytest.approx(closed, abs=4 * found.error)
    assert closed > unlimited(OPTION, model=MODEL, forward=FORWARD, years=YEARS, discount=DISCOUNT)
    assert found.stopped == 0.0


def test_the_stop_loss_holds_year_by_year_and_caps_from_the_front(price: Vector) -> None:
    option = replace(OPTION, penalty=0.5, stop_loss=4.0)
    few = price[:, :200]
    paid = payments(option, price=few, delivered=np.full((1, 1), 2.5))
    for column in range(200):
        for year in (2027, 2028):
            left = 4.0
            for hour in np.flatnonzero(option.year == year):
                above = few[hour, column] - 2.8
                owed = 3 * max(above, 0) + 0.5 * 0.5 * (above > 0)
                assert paid[hour, column] == pytest.approx(min(owed, left), abs=1e-12)
                left -= min(owed, left)


def test_it_rises_with_the_stop_loss_up_to_the_unlimited_and_falls_with_the_strike(price: Vector) -> None:
    worth = [
        value(replace(OPTION, stop_loss=limit), price=price, delivered=np.full((1, 1), 3.0), discount=DISCOUNT)
        for limit in (0.0, 1.0, 5.0, 20.0, 1e6, np.inf)
    ]
    values = [one.value for one in worth]
    assert values[0] == 0.0
    assert values == sorted(values)
    assert values[-2] == pytest.approx(values[-1], abs=1e-9)
    assert [one.stopped for one in worth] == sorted((one.stopped for one in worth), reverse=True)
    strikes = [
        value(replace(OPTION, strike=np.full(HOURS, k)), price=price, delivered=np.zeros((1, 1)), discount=DISCOUNT).value
        for k in (2.0, 2.5, 3.0)
    ]
    assert strikes == sorted(strikes, reverse=True)
    assert values[1] <= 2 * 1.0


def test_failing_when_prices_are_high_costs_more_than_failing_at_random(price: Vector) -> None:
    option = replace(OPTION, penalty=1.0)
    short = np.where(price < np.quantile(price, 0.9, axis=1)[:, None], 3.0, 0.0)
    random = np.where(np.random.default_rng(1).random(price.shape) < 0.9, 3.0, 0.0)
    high = value(option, price=price, delivered=short, discount=DISCOUNT).value
    even = value(option, price=price, delivered=random, discount=DISCOUNT).value
    assert high > 1.02 * even


def test_deltas_by_bump_are_those_of_the_strip() -> None:
    model = PathModel(factors=ornstein_uhlenbeck(reversion=10.0, volatility=0.9))
    price = simulate(model, forward=FORWARD[:, None], years=YEARS, paths=40_000, seed=13)[:, 0]
    bucket = np.arange(HOURS) // 20
    found = deltas(
        lambda moved: value(OPTION, price=moved, delivered=np.zeros((1, 1)), discount=DISCOUNT).value,
        price=price,
        forward=FORWARD,
        bucket=bucket,
    )
    deviation = np.sqrt(model.factors.covariance(YEARS)[:, 0, 0])
    strip = 3 * black.delta(FORWARD, OPTION.strike, deviation=deviation, discount=DISCOUNT)
    assert found == pytest.approx(np.bincount(bucket, strip), rel=0.02)


def test_terms_and_arrays_that_are_none_are_refused(price: Vector) -> None:
    with pytest.raises(InputError) as caught:
        replace(OPTION, quantity=-np.ones(HOURS), penalty=-1.0, stop_loss=-1.0, year=np.arange(HOURS)[::-1])
    assert [fault.column for fault in caught.value.faults] == ["quantity", "penalty", "stop_loss", "year"]
    with pytest.raises(InputError, match="column delivered: found -1"):
        payments(OPTION, price=price, delivered=np.full((1, 1), -1.0))
    with pytest.raises(InputError, match="column discount"):
        value(OPTION, price=price, delivered=np.ones((1, 1)), discount=DISCOUNT[1:])
    with pytest.raises(InputError, match=r"shares in \[0, 1\]"):
        unlimited(OPTION, model=MODEL, forward=FORWARD, years=YEARS, discount=DISCOUNT, present=np.full(HOURS, 1.5))
    with pytest.raises(InputError, match="60 bucket numbers"):
        deltas(lambda moved: 0.0, price=price, forward=FORWARD, bucket=np.zeros(3, int))
