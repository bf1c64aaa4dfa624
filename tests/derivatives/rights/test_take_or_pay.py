"""Take-or-pay at known prices: intrinsic."""

import numpy as np
import pytest
from scipy.optimize import linprog

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.rights.take_or_pay import intrinsic


@pytest.mark.parametrize("seed", range(20))
def test_sorting_agrees_with_the_linear_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    margin, capacity = rng.normal(0, 1, (5, 24)), rng.uniform(0, 2, (5, 24))
    minimum = rng.uniform(0, 15, 5)
    maximum = minimum + rng.uniform(0, 8, 5)
    price = rng.uniform(0, 2, 5)
    found = intrinsic(margin, capacity=capacity, minimum=minimum, maximum=maximum, shortfall=price)
    for at in range(5):
        missing_and = np.r_[np.ones(24), 1.0]
        best = linprog(
            np.r_[-margin[at], price[at]],
            A_ub=np.stack([-missing_and, np.r_[np.ones(24), 0.0]]),
            b_ub=[-minimum[at], maximum[at]],
            bounds=[*((0, c) for c in capacity[at]), (0, None)],
        )
        assert best.fun is not None
        assert found.value[at] == pytest.approx(-best.fun, abs=1e-8)
        assert margin[at] @ found.quantity[at] - price[at] * found.missing[at] == pytest.approx(-best.fun, abs=1e-8)


def test_lots_of_one_are_the_best_k_margins() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        margin = rng.normal(0, 1, 30)
        least = int(rng.integers(0, 20))
        most = least + int(rng.integers(0, 10))
        k = int(np.clip((margin > 0).sum(), least, most))
        found = intrinsic(margin[None], capacity=np.ones(30), minimum=np.array([least]), maximum=np.array([most]))
        assert found.value[0] == pytest.approx(np.sort(margin)[::-1][:k].sum(), abs=1e-12)
        assert found.quantity.sum() == k


def test_it_must_take_all_or_nothing_at_the_limits() -> None:
    margin = np.array([[1.0, -2.0, 0.5]])
    all_of_it = intrinsic(margin, capacity=np.ones(3), minimum=np.array([3.0]), maximum=np.array([3.0]))
    assert all_of_it.value.tolist() == [-0.5]
    none = intrinsic(margin, capacity=np.ones(3), minimum=np.zeros(1), maximum=np.zeros(1))
    assert none.value.tolist() == [0.0]
    paid_off = intrinsic(margin, capacity=np.ones(3), minimum=np.array([3.0]), maximum=np.array([3.0]), shortfall=np.array([0.25]))
    assert paid_off.value.tolist() == [1.25]
    assert paid_off.missing.tolist() == [1.0]


def test_it_is_concave_in_its_bounds() -> None:
    margin = np.random.default_rng(6).normal(0, 1, (1, 40))
    bounds = np.linspace(0, 40, 81)
    values = intrinsic(np.repeat(margin, 81, axis=0), capacity=np.ones(40), minimum=np.zeros(81), maximum=bounds).value
    assert np.all(np.diff(values) >= 0)
    assert np.all(np.diff(values, 2) <= 1e-12)


def test_bounds_that_cannot_be_met_are_refused() -> None:
    with pytest.raises(InputError, match="at most what all hours allow"):
        intrinsic(np.ones((1, 3)), capacity=np.ones(3), minimum=np.array([4.0]), maximum=np.array([5.0]))
    with pytest.raises(InputError) as caught:
        intrinsic(
            np.full((1, 3), np.nan),
            capacity=-np.ones(3),
            minimum=np.array([4.0]),
            maximum=np.array([3.0]),
            shortfall=np.array([-1.0]),
        )
    assert [fault.column for fault in caught.value.faults] == ["margin", "capacity", "minimum", "shortfall"]
