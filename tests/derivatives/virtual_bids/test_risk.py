"""Expected pay-off and risk of any bid curve."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.virtual_bids.program import DEC, INC, Limits, Steps, Taste, best_bids
from tenorgrid.derivatives.virtual_bids.risk import risk_of
from tenorgrid.derivatives.virtual_bids.scenarios import Scenarios


def scenarios(seed: int = 7, count: int = 500, products: int = 2) -> Scenarios:
    rng = np.random.default_rng(seed)
    ahead = 30.0 + 5.0 * rng.standard_normal((count, products))
    weight = rng.uniform(0.5, 1.5, count)
    return Scenarios(ahead=ahead, real=ahead + 8.0 * rng.standard_normal((count, products)), weight=weight / weight.sum())


def bought(price: float, quantity: float = 1.0, product: int = 0) -> Steps:
    return Steps(product=np.array([product]), side=np.array([DEC]), price=np.array([price]), quantity=np.array([quantity]))


def test_a_dec_that_gains_four_or_two_or_loses_four() -> None:
    told = Scenarios(ahead=np.full((3, 1), 10.0), real=np.array([[14.0], [12.0], [6.0]]), weight=np.full(3, 1 / 3))
    found = risk_of(bought(10.0), told, level=2 / 3)
    assert [found.mean, found.losing, found.worst] == pytest.approx([2 / 3, 1 / 3, -4.0])
    assert found.deviation == pytest.approx((12.0 - 4 / 9) ** 0.5)  # mean square 12, mean 2/3
    assert found.shortfall == pytest.approx(4.0)
    assert risk_of(bought(9.0), told, level=0.5).losing == 0.0  # never clears


def test_it_agrees_with_draws_from_the_scenarios() -> None:
    told, rng = scenarios(), np.random.default_rng(3)
    steps = Steps(product=np.array([0, 1]), side=np.array([DEC, INC]), price=np.array([31.0, 28.0]), quantity=np.array([2.0, 1.0]))
    found = risk_of(steps, told, level=0.9, fee=0.2)
    drawn = rng.choice(told.weight.size, size=400_000, p=told.weight)
    gain = told.real - told.ahead
    profit = np.where(told.ahead[:, 0] <= 31.0, 2.0 * (gain[:, 0] - 0.2), 0.0) - np.where(told.ahead[:, 1] >= 28.0, gain[:, 1] + 0.2, 0.0)
    sample = np.sort(profit[drawn])
    error = 4.0 * sample.std() / sample.size**0.5
    assert found.mean == pytest.approx(sample.mean(), abs=error)
    assert found.deviation == pytest.approx(sample.std(), rel=0.01)
    assert found.losing == pytest.approx((sample < 0).mean(), abs=0.004)
    assert found.shortfall == pytest.approx(-sample[:40_000].mean(), rel=0.01)


def test_it_says_of_the_program_s_bids_what_the_program_says_and_grows_with_their_size() -> None:
    told = scenarios()
    made = best_bids(told, limits=Limits(), taste=Taste(aversion=0.3, fee=0.1))
    found = risk_of(made.steps, told, level=0.9, fee=0.1)
    assert [found.mean, found.shortfall] == pytest.approx([made.mean, made.shortfall], abs=1e-6)
    one, three = (risk_of(bought(32.0, size), told, level=0.9) for size in (1.0, 3.0))
    assert three.mean == pytest.approx(3.0 * one.mean)
    assert three.deviation == pytest.approx(3.0 * one.deviation)
    assert three.shortfall == pytest.approx(3.0 * one.shortfall)
    assert three.losing == one.losing


def test_a_level_fee_or_product_that_cannot_be_is_refused() -> None:
    told = scenarios()
    with pytest.raises(InputError, match="a level above 0 and below 1"):
        risk_of(bought(30.0), told, level=1.0)
    with pytest.raises(InputError, match="at least 0"):
        risk_of(bought(30.0), told, level=0.9, fee=-0.1)
    with pytest.raises(InputError, match="a product below 2"):
        risk_of(bought(30.0, product=2), told, level=0.9)
