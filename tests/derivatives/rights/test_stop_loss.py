"""Reliability option with a stop-loss on paths: ratios, value, stopped."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtr

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.paths.model import decayed
from tenorgrid.derivatives.rights import reliability
from tenorgrid.derivatives.rights.reliability import Reliability
from tenorgrid.derivatives.rights.stop_loss import ratios, stopped, value

HOURS = 24
YEARS = 0.1 + np.arange(HOURS) / 8760
FORWARD = 2.4 + 0.2 * np.sin(np.arange(HOURS) / 4)
DISCOUNT = np.exp(-0.04 * YEARS)
OPTION = Reliability(
    strike=np.full(HOURS, 2.5), quantity=np.full(HOURS, 3.0), penalty=0.0, stop_loss=6.0, year=np.repeat([0, 1], HOURS // 2), paid=1.0
)


@pytest.fixture(scope="module")
def drawn() -> Vector:
    return ratios(reversion=20.0, volatility=0.9, years=YEARS, paths=4000, seed=2)


def test_draws_have_the_mean_and_variance_of_the_factor(drawn: Vector) -> None:
    variance = 0.81 * decayed(np.array(40.0), YEARS)
    assert drawn.mean(axis=1) == pytest.approx(np.ones(HOURS), abs=5e-3)
    assert np.log(drawn).var(axis=1) == pytest.approx(variance, rel=3e-2)
    logs = np.log(drawn[[0, -1]])
    assert np.corrcoef(logs)[0, 1] == pytest.approx(np.exp(-20 * 23 / 8760) * np.sqrt(variance[0] / variance[-1]), abs=1e-2)


def test_the_value_is_the_kernel_s_on_the_same_paths(drawn: Vector) -> None:
    for option in (OPTION, replace(OPTION, penalty=0.4), replace(OPTION, stop_loss=np.inf)):
        told = reliability.value(option, price=FORWARD[:, None] * drawn, delivered=np.full((1, 1), 2.0), discount=DISCOUNT)
        more = {"forward": FORWARD, "ratio": drawn, "delivered": np.full((1, 1), 2.0), "discount": DISCOUNT}
        assert value(option, **more) == pytest.approx(told.value, rel=1e-12)
        assert stopped(option, **more).value == pytest.approx(told.value, rel=1e-12)


def test_deltas_are_those_of_moved_hours_on_the_same_paths(drawn: Vector) -> None:
    more = {"ratio": drawn, "delivered": np.full((1, 1), 3.0), "discount": DISCOUNT}
    found = stopped(OPTION, forward=FORWARD, **more)
    for at in (0, 7, 12, 23):
        bump = np.zeros(HOURS)
        bump[at] = 1e-5
        up, down = (value(OPTION, forward=FORWARD + way * bump, **more) for way in (1, -1))
        assert found.delta[at] == pytest.approx((up - down) / 2e-5, rel=1e-2)


def test_deltas_of_a_penalty_are_those_of_its_closed_form_where_nothing_stops(drawn: Vector) -> None:
    """Of the sum over hours: single hours are noisy."""
    option = replace(OPTION, penalty=0.4, stop_loss=np.inf, paid=0.0)
    found = stopped(option, forward=FORWARD, ratio=drawn, delivered=np.full((1, 1), 2.0), discount=DISCOUNT).delta.sum()
    deviation = 0.9 * np.sqrt(decayed(np.array(40.0), YEARS))
    above, density = reliability.binary(FORWARD, option.strike, deviation=deviation)
    upper = np.log(FORWARD / 2.5) / deviation + deviation / 2
    calls = ndtr(upper)
    assert found == pytest.approx((DISCOUNT * (3 * calls + 0.4 * density)).sum(), rel=2e-2)
    assert np.all((above > 0) & (above < 1))


def test_what_was_paid_lowers_what_is_left_of_the_first_year_alone(drawn: Vector) -> None:
    more = {"forward": FORWARD, "ratio": drawn, "delivered": np.full((1, 1), 3.0), "discount": DISCOUNT}
    worth = [value(replace(OPTION, paid=paid), **more) for paid in (0.0, 3.0, 6.0)]
    assert worth[0] > worth[1] > worth[2] > 0
    first = stopped(replace(OPTION, paid=6.0), **more).delta
    assert first[:12].tolist() == [0.0] * 12
    assert np.all(first[12:] > 0)


def test_what_cannot_be_is_refused(drawn: Vector) -> None:
    with pytest.raises(InputError, match="from 0 to the stop-loss, 6"):
        replace(OPTION, paid=7.0)
    with pytest.raises(InputError) as caught:
        ratios(reversion=-1.0, volatility=-1.0, years=YEARS[::-1], paths=3, seed=0)
    assert [fault.column for fault in caught.value.faults] == ["reversion", "volatility", "years", "paths"]
    with pytest.raises(InputError) as caught:
        value(OPTION, forward=-FORWARD, ratio=drawn, delivered=np.ones((1, 1)), discount=DISCOUNT[1:])
    assert [fault.column for fault in caught.value.faults] == ["forward", "discount"]
