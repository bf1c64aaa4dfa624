"""Swing on a chain: value, exercised, europeans."""

from itertools import product

import numpy as np
import pytest
import QuantLib as ql

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives import black
from tenorgrid.derivatives.paths.model import PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.rights import least_squares
from tenorgrid.derivatives.rights.lattice import Lattice, lattice
from tenorgrid.derivatives.rights.swing import Swing, europeans, exercised, value

DAYS = 40
YEARS = np.arange(1, DAYS + 1) / 365
FORWARD = 1.0 + 0.15 * np.sin(np.arange(DAYS))
STRIKE, DISCOUNT = np.ones(DAYS), np.exp(-0.04 * YEARS)


@pytest.fixture(scope="module")
def chain() -> Lattice:
    return lattice(reversion=4.0, volatility=1.2, years=YEARS, nodes=101)


def worth(swing: Swing, chain: Lattice) -> float:
    return value(swing, chain=chain, forward=FORWARD, strike=STRIKE, discount=DISCOUNT)


@pytest.mark.parametrize(("first", "known"), [(1, 33.344), (0, 33.286)])
def test_a_year_of_a_hundred_rights_is_worth_what_two_methods_found(first: int, known: float) -> None:
    """One factor, κ = 4, σ = 1.2, strike 1, rate .04, dates 1 to 365 or 0 to 364: 33.3446 and 33.286 by an independent program."""
    years = np.arange(first, 365 + first) / 365
    one = lattice(reversion=4.0, volatility=1.2, years=years, nodes=201)
    found = value(Swing(maximum=100), chain=one, forward=np.ones(365), strike=np.ones(365), discount=np.exp(-0.04 * years))
    assert found == pytest.approx(known, abs=2.5e-3)


def test_quantlib_s_finite_differences_come_to_the_same() -> None:
    """40 dates, 10 rights, flat curve; four time steps a date, for one is 2e-4 off."""
    years, rate, half = np.arange(1, 41) / 365, 0.04, 1.2**2 / 16
    fine = lattice(reversion=4.0, volatility=1.2, years=years, nodes=401)
    ours = value(Swing(maximum=10), chain=fine, forward=np.ones(40), strike=np.ones(40), discount=np.exp(-rate * years))
    today = ql.Date(1, 1, 2027)
    ql.Settings.instance().evaluationDate = today
    rates = ql.YieldTermStructureHandle(ql.FlatForward(today, rate, ql.Actual365Fixed()))
    process = ql.ExtOUWithJumpsProcess(ql.ExtendedOrnsteinUhlenbeckProcess(4.0, 1.2, 0.0, lambda _: 0.0), 0.0, 5.0, 1e-8, 50.0)
    shape = [(day / 365, -half * (1 - np.exp(-8 * day / 365))) for day in range(1, 41)]
    exercise = ql.SwingExercise([today + day for day in range(1, 41)])
    option = ql.VanillaSwingOption(ql.VanillaForwardPayoff(ql.Option.Call, 1.0), exercise, 0, 10)
    option.setPricingEngine(ql.FdSimpleExtOUJumpSwingEngine(process, rates.currentLink(), 160, 401, 2, shape))
    assert option.NPV() == pytest.approx(ours, rel=1e-4)


def test_least_squares_on_paths_come_to_the_same(chain: Lattice) -> None:
    model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=1.2))
    price = simulate(model, forward=FORWARD[:, None], years=YEARS, paths=8000, seed=4)[:, 0]
    for minimum in (0, 8):
        found = least_squares.value(DISCOUNT[:, None] * (price - 1), state=price[..., None], maximum=10, minimum=minimum)
        assert found.value == pytest.approx(worth(Swing(maximum=10, minimum=minimum), chain), abs=3 * found.error)


def test_a_swing_that_must_take_all_is_the_forward(chain: Lattice) -> None:
    for lots in (1, 3):
        found = worth(Swing(minimum=lots * DAYS, maximum=lots * DAYS, most=lots), chain)
        assert found == pytest.approx(lots * (DISCOUNT * (FORWARD - STRIKE)).sum(), abs=1e-12)


def test_with_a_right_for_each_date_it_is_the_strip_of_black_s_calls(chain: Lattice) -> None:
    deviation = np.sqrt(ornstein_uhlenbeck(reversion=4.0, volatility=1.2).covariance(YEARS)[:, 0, 0])
    strip = black.price(FORWARD, STRIKE, deviation=deviation, discount=DISCOUNT)
    found = europeans(chain=chain, forward=FORWARD, strike=STRIKE, discount=DISCOUNT)
    assert worth(Swing(maximum=DAYS), chain) == pytest.approx(found.sum(), abs=1e-12)
    assert found == pytest.approx(strip, abs=2e-3)  # the grid's mesh at the strike


def test_it_lies_between_europeans_and_bermudans_rises_and_is_concave_in_rights(chain: Lattice) -> None:
    values = np.array([worth(Swing(maximum=n), chain) for n in range(DAYS + 1)])
    alone = europeans(chain=chain, forward=FORWARD, strike=STRIKE, discount=DISCOUNT)
    rights = np.arange(1, DAYS + 1)
    assert np.all(values[1:] >= np.array([np.sort(alone)[-n:].sum() for n in rights]) - 1e-12)
    assert np.all(values[1:] >= np.array([alone[-n:].sum() for n in rights]) - 1e-12)
    assert np.all(values[1:] <= rights * values[1] + 1e-12)
    assert np.all(np.diff(values) >= -1e-12)
    assert np.all(np.diff(values, 2) <= 1e-12)


def test_a_minimum_costs_and_a_ramp_costs(chain: Lattice) -> None:
    free = worth(Swing(maximum=30, most=3), chain)
    assert worth(Swing(maximum=30, minimum=25, most=3), chain) < free
    ramped = [worth(Swing(maximum=30, most=3, ramp=ramp), chain) for ramp in (1, 2, 3)]
    assert ramped[0] < ramped[1] < ramped[2] == free


def test_at_known_prices_it_is_the_best_of_all_schedules_with_a_ramp() -> None:
    rng = np.random.default_rng(2)
    still = lattice(reversion=1.0, volatility=0.0, years=np.arange(6) / 8760, nodes=3)
    for _ in range(20):
        forward = rng.uniform(1.0, 3.0, 6)
        found = value(
            Swing(maximum=7, minimum=3, most=2, ramp=1, start=1), chain=still, forward=forward, strike=np.full(6, 2.0), discount=np.ones(6)
        )
        best = max(
            np.dot(taken, forward - 2.0)
            for taken in product(range(3), repeat=6)
            if 3 <= sum(taken) <= 7 and np.all(np.abs(np.diff([1, *taken])) <= 1)
        )
        assert found == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("swing", [Swing(maximum=12, minimum=6), Swing(maximum=20, minimum=4, most=3, ramp=1)])
def test_delta_by_date_is_that_of_revaluation(swing: Swing, chain: Lattice) -> None:
    found = exercised(swing, chain=chain, forward=FORWARD, strike=STRIKE, discount=DISCOUNT)
    assert found.value == worth(swing, chain)
    assert swing.minimum <= found.taken.sum() <= swing.maximum
    for at in (0, 7, DAYS - 1):
        bump = np.zeros(DAYS)
        bump[at] = 1e-5
        up, down = (value(swing, chain=chain, forward=FORWARD + s * bump, strike=STRIKE, discount=DISCOUNT) for s in (1, -1))
        assert found.delta[at] == pytest.approx((up - down) / 2e-5, rel=1e-5, abs=1e-7)


def test_a_forced_swing_takes_every_lot(chain: Lattice) -> None:
    found = exercised(Swing(minimum=DAYS, maximum=DAYS), chain=chain, forward=FORWARD, strike=STRIKE, discount=DISCOUNT)
    assert found.taken == pytest.approx(np.ones(DAYS), abs=1e-12)
    assert found.delta == pytest.approx(DISCOUNT, abs=1e-12)


def test_what_cannot_be_is_refused(chain: Lattice) -> None:
    with pytest.raises(InputError, match="at most the maximum, 4"):
        Swing(minimum=5, maximum=4)
    with pytest.raises(InputError, match="a minimum that 40 dates allow"):
        worth(Swing(minimum=41, maximum=50), chain)
    with pytest.raises(InputError, match="a minimum that 40 dates allow"):
        worth(Swing(minimum=120, maximum=120, most=3, ramp=1), chain)  # the first two dates cannot be full
    with pytest.raises(InputError) as caught:
        value(Swing(maximum=1), chain=chain, forward=FORWARD[1:], strike=STRIKE, discount=-DISCOUNT)
    assert [fault.column for fault in caught.value.faults] == ["forward", "discount"]


def test_chains_that_are_none_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        lattice(reversion=4.0, volatility=-1.2, years=YEARS[::-1], nodes=100)
    assert [fault.column for fault in caught.value.faults] == ["volatility", "years", "nodes"]
    with pytest.raises(InputError, match="at least 865 nodes"):
        lattice(reversion=0.0, volatility=1.0, years=np.arange(1, 8761) / 8760)
