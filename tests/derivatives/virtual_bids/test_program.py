"""The mean-CVaR program of virtual bids."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy.optimize import linprog

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.virtual_bids.outcome import naive, outcome
from tenorgrid.derivatives.virtual_bids.program import DEC, INC, Limits, Steps, Taste, best_bids, collateral_of, shortfall_of
from tenorgrid.derivatives.virtual_bids.scenarios import Scenarios

THIRDS = np.full(3, 1 / 3)


def one(real: list[float], weight: np.ndarray = THIRDS, ahead: float = 10.0) -> Scenarios:
    return Scenarios(ahead=np.full((len(real), 1), ahead), real=np.array(real)[:, None], weight=weight)


def drawn(seed: int, count: int = 40, products: int = 3) -> Scenarios:
    rng = np.random.default_rng(seed)
    ahead = 30.0 + 5.0 * rng.standard_normal((count, products))
    return Scenarios(ahead=ahead, real=ahead + 1.0 + 8.0 * rng.standard_normal((count, products)), weight=np.full(count, 1 / count))


def test_a_dec_of_two_thirds_mean_and_four_shortfall_is_bought_below_an_aversion_of_a_sixth() -> None:
    """Gains of 4, 2 and −4: the mean is 2/3, the worst third loses 4, so that κ = 1/6 is where nothing is gained."""
    told = one([14.0, 12.0, 6.0])
    bought = best_bids(told, limits=Limits(hourly=2.0), taste=Taste(aversion=0.1, level=2 / 3), prices=1)
    assert (bought.steps.side.tolist(), bought.steps.quantity.tolist()) == ([DEC], [2.0])
    assert bought.mean == pytest.approx(4 / 3)
    assert bought.shortfall == pytest.approx(8.0)
    assert bought.objective == pytest.approx(4 / 3 - 0.8)
    none = best_bids(told, limits=Limits(hourly=2.0), taste=Taste(aversion=0.2, level=2 / 3), prices=1)
    assert none.steps.quantity.size == 0
    assert none.objective == pytest.approx(0.0)


def test_a_step_s_price_keeps_a_dec_from_dear_hours() -> None:
    """It gains where the ahead price is low and loses where it is high: the dec stands at the low price alone."""
    told = Scenarios(ahead=np.array([[10.0], [20.0]]), real=np.array([[15.0], [12.0]]), weight=np.array([0.5, 0.5]))
    found = best_bids(told, limits=Limits(), taste=Taste(aversion=0.0), prices=2)
    bids = sorted(zip(found.steps.side.tolist(), found.steps.price.tolist(), found.steps.quantity.tolist(), strict=True))
    assert sum(quantity for _, _, quantity in bids) <= 1.0 + 1e-9
    assert found.mean == pytest.approx(0.5 * 8.0)  # the inc that clears at 20 alone gains 8, more than the dec's 5
    assert bids == [(INC, 20.0, pytest.approx(1.0))]


def test_the_program_is_as_good_as_every_point_of_a_grid() -> None:
    told, taste = drawn(1, count=12, products=2), Taste(aversion=0.5, level=0.75)
    found = best_bids(told, limits=Limits(hourly=1.0, daily=1.5), taste=taste, prices=1)
    gain = told.real - told.ahead
    best = -np.inf
    grid = np.linspace(-1.0, 1.0, 41)  # bought above 0, sold below
    for first, second in product(grid, grid):
        if abs(first) + abs(second) <= 1.5 + 1e-12:
            profits = gain @ np.array([first, second])
            best = max(best, float(told.weight @ profits) - 0.5 * shortfall_of(profits, told.weight, level=0.75))
    assert found.objective >= best - 1e-9
    assert found.objective == pytest.approx(best, abs=0.02 * abs(best) + 0.02)


@pytest.mark.parametrize("seed", range(6))
def test_what_it_says_is_what_its_steps_earn_and_more_aversion_never_risks_more(seed: int) -> None:
    told = drawn(seed)
    before = np.inf
    for aversion in (0.0, 0.2, 1.0, 5.0):
        found = best_bids(told, limits=Limits(), taste=Taste(aversion=aversion, fee=0.1))
        earned = found.steps.earned(told.ahead, told.real, fee=0.1)
        assert earned == pytest.approx(found.profits, abs=1e-7)
        assert found.mean == pytest.approx(float(told.weight @ earned), abs=1e-7)
        assert found.objective == pytest.approx(found.mean - aversion * found.shortfall, abs=1e-6)
        assert found.shortfall <= before + 1e-6
        before = found.shortfall


def test_buyers_and_sellers_mirror_one_another_and_bids_scale_with_limits() -> None:
    told = drawn(3)
    turned = Scenarios(ahead=-told.ahead, real=-told.real, weight=told.weight)
    first, second = (best_bids(one_, limits=Limits(), taste=Taste()).objective for one_ in (told, turned))
    assert second == pytest.approx(first, rel=1e-7)
    large = best_bids(told, limits=Limits(hourly=10.0), taste=Taste())
    assert large.objective == pytest.approx(10.0 * first, rel=1e-7)


def test_limits_hold_and_cost() -> None:
    told, free = drawn(4), best_bids(drawn(4), limits=Limits(), taste=Taste(aversion=0.1))
    for limits in (Limits(daily=1.0), Limits(collateral=5.0)):
        bound = best_bids(told, limits=limits, taste=Taste(aversion=0.1))
        assert bound.objective < free.objective
    assert best_bids(told, limits=Limits(daily=1.0), taste=Taste()).steps.quantity.sum() <= 1.0 + 1e-9
    assert best_bids(told, limits=Limits(collateral=5.0), taste=Taste()).collateral <= 5.0 + 1e-7
    assert best_bids(told, limits=Limits(collateral=0.0), taste=Taste()).collateral == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("aversion", "most"), [(0.0, None), (0.4, None), (0.0, 3.0), (0.2, 1.0)])
def test_shortfall_as_the_mean_loss_of_every_two_scenarios_gives_the_same(seed: int, aversion: float, most: float | None) -> None:
    """With eight equal scenarios and a level of 3/4 the shortfall is the largest mean loss of two: 28 rows, no η and no z."""
    told, bound = drawn(seed, count=8, products=3), np.inf if most is None else most
    found = best_bids(told, limits=Limits(daily=2.0, shortfall=most), taste=Taste(aversion=aversion, level=0.75), prices=1)
    gain = told.real - told.ahead
    both = np.hstack([gain, -gain])  # bought, sold
    pairs = np.array([both[list(pair)].mean(axis=0) for pair in combinations(range(8), 2)])
    above = np.hstack([-pairs, -np.ones((28, 1))])
    hours = np.hstack([np.eye(3), np.eye(3), np.zeros((3, 1))])
    day = np.r_[np.ones(6), 0.0]
    best = linprog(
        np.r_[-both.mean(axis=0), aversion], A_ub=np.vstack([above, hours, day]), b_ub=np.r_[np.zeros(28), np.ones(3), 2.0],
        bounds=[(0, None)] * 6 + [(None if aversion > 0 or most is not None else 0.0, None if most is None else bound)],
    )  # fmt: skip
    assert -found.objective == pytest.approx(float(best["fun"]), abs=1e-8)
    assert found.shortfall <= bound + 1e-7


def test_a_limit_of_the_shortfall_costs_profit_and_none_at_all_leaves_no_bid_that_may_lose() -> None:
    told, taste, before = drawn(2), Taste(aversion=0.0), np.inf
    for most in (None, 20.0, 5.0, 1.0, 0.0):
        found = best_bids(told, limits=Limits(shortfall=most), taste=taste)
        assert found.mean <= before + 1e-7
        before = found.mean
        assert most is None or found.shortfall <= most + 1e-7
    one_sided = best_bids(one([14.0, 12.0, 6.0]), limits=Limits(shortfall=1.0), taste=Taste(aversion=0.0, level=2 / 3), prices=1)
    assert one_sided.steps.quantity.tolist() == [pytest.approx(0.25)]  # the worst third loses 4 a unit


def test_collateral_is_the_quantile_of_loss_and_shortfall_the_mean_beyond() -> None:
    pays = np.array([[-4.0], [1.0], [2.0], [3.0]])
    weight = np.full(4, 0.25)
    assert collateral_of(pays, weight, level=0.75).tolist() == [0.0]
    assert collateral_of(pays, weight, level=0.8).tolist() == [4.0]
    assert shortfall_of(pays[:, 0], weight, level=0.5) == pytest.approx((4.0 - 1.0) / 2)


def test_outcomes_are_what_clears_times_the_difference() -> None:
    steps = Steps(
        product=np.array([0, 0, 1]), side=np.array([DEC, DEC, INC]), price=np.array([9.0, 11.0, 20.0]), quantity=np.array([1.0, 2.0, 3.0])
    )
    found = outcome(steps, np.array([10.0, 25.0]), np.array([12.0, 26.0]), fee=0.5, hourly=4.0)
    assert (found.bought, found.sold) == (2.0, 3.0)
    assert found.profit == pytest.approx(2.0 * 1.5 + 3.0 * -1.5)
    assert found.perfect == pytest.approx(4.0 * (1.5 + 0.5))
    told = one([14.0, 12.0, 6.0])
    assert naive(told, np.array([10.0]), np.array([12.0]), fee=0.5, hourly=2.0) == {
        "always inc": pytest.approx(-5.0), "always dec": pytest.approx(3.0), "sign of the mean": pytest.approx(3.0),
    }  # fmt: skip


def test_what_cannot_be_is_refused_with_every_fault() -> None:
    with pytest.raises(InputError) as caught:
        Limits(hourly=0.0, daily=-1.0, collateral=-1.0, collateral_level=1.0, shortfall=-1.0)
    assert [fault.column for fault in caught.value.faults] == ["hourly", "daily", "collateral", "collateral_level", "shortfall"]
    with pytest.raises(InputError) as caught:
        Limits(hourly=np.inf, daily=np.nan)
    assert [fault.column for fault in caught.value.faults] == ["hourly", "daily"]
    with pytest.raises(InputError) as caught:
        Taste(aversion=-1.0, level=0.0, fee=-0.1)
    assert [fault.column for fault in caught.value.faults] == ["aversion", "level", "fee"]
    with pytest.raises(InputError, match="all numbers"):
        one([1.0, np.nan, 2.0])
    with pytest.raises(InputError, match="a probability for each"):
        one([1.0, 2.0], weight=np.ones(2))
    with pytest.raises(InputError, match="at least one price"):
        best_bids(one([1.0, 2.0, 3.0]), limits=Limits(), taste=Taste(), prices=0)
