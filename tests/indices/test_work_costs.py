"""The cost of a unit of work: closed form against a linear program, the properties of a cost function, and the split of its change."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tenorgrid.indices.workloads.costs import NONE, change, cheapest, unit_costs

Vector = npt.NDArray[np.float64]
SEEDS = st.integers(0, 10_000)


def drawn(seed: int, *, ways: int = 6, resources: int = 4, days: int = 5) -> tuple[Vector, Vector, Vector]:
    """Prices, uses and outputs; each way uses some resources."""
    rng = np.random.default_rng(seed)
    use = rng.uniform(0.5, 9, (ways, resources)) * (rng.uniform(size=(ways, resources)) < 0.6)
    use[:, 0] += 1e-3
    return rng.uniform(0.1, 9, (days, resources)), use, rng.uniform(0.5, 30, ways)


def least(prices: Vector, use: Vector, output: Vector) -> Vector:
    return cheapest(unit_costs(prices, use, output)).cost


def test_published_conversions_hold() -> None:
    """2.50 USD at 1,500 tokens a second; 8 GPUs for 1.2 s."""
    prices = np.array([[2.5]])
    assert unit_costs(prices, np.array([[1.0]]), np.array([5.4]))[0, 0] == pytest.approx(0.46296296, abs=5e-9)
    assert unit_costs(prices, np.array([[8.0]]), np.array([3000.0]))[0, 0] == pytest.approx(0.00666667, abs=5e-9)


@pytest.mark.parametrize("seed", range(25))
def test_the_closed_form_is_a_linear_program_over_levels_of_recipes(seed: int) -> None:
    """min Σ p·x with one unit of work made, bought by the hour without limit."""
    prices, use, output = drawn(seed)
    for day, cost in zip(prices, least(prices, use, output), strict=True):
        program = linprog(use @ day, A_ub=-output[None], b_ub=[-1.0], method="highs")
        assert cost == pytest.approx(program.fun, rel=1e-9)


@pytest.mark.parametrize("seed", range(25))
def test_where_a_chip_is_short_the_prices_hold_its_rent_and_the_mix_has_one_cost(seed: int) -> None:
    """A market in small: its price of work is the cheapest recipe at its own prices of hours, rent included, and each recipe that it
    runs costs just that."""
    rng = np.random.default_rng(seed)
    offers, use, output = drawn(seed, days=1)
    hours = np.asarray(rng.uniform(5, 20, size=use.shape[1]))
    most = -float(output @ np.asarray(linprog(-output, A_ub=use.T, b_ub=hours, method="highs").x, dtype=float))
    rows, bounds = np.vstack([use.T, -output]), np.append(hours, 0.7 * most)
    program = linprog(np.asarray(use @ offers[0]), A_ub=rows, b_ub=bounds, method="highs")
    rent, price = -program.ineqlin.marginals[:-1], -program.ineqlin.marginals[-1]
    costs = unit_costs(offers + rent, use, output)
    assert cheapest(costs).cost[0] == pytest.approx(price, rel=1e-7)
    assert costs[0][np.asarray(program.x, dtype=float) > 1e-7] == pytest.approx(price, rel=1e-7)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_dearer_recipe_changes_nothing_and_a_cheaper_one_lowers_the_cost(seed: int) -> None:
    prices, use, output = drawn(seed)
    before = least(prices, use, output)
    costs = unit_costs(prices, use, output)
    dearer = np.vstack([use, use[0] * 1.0]), np.append(output, output[0] * (before / costs[:, 0]).min() * 0.999)
    assert (least(prices, *dearer) == before).all()
    better = np.vstack([use, use[0]]), np.append(output, output[0] * (costs[:, 0] / before).max() * 1.01)
    assert (least(prices, *better) < before).all()


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.floats(0.01, 100))
def test_the_cost_is_monotone_concave_and_homogeneous_in_prices(seed: int, scale: float) -> None:
    prices, use, output = drawn(seed)
    other, _, _ = drawn(seed + 1)
    one, two = least(prices, use, output), least(other, use, output)
    assert (least(np.maximum(prices, other), use, output) >= np.maximum(one, two) * (1 - 1e-12)).all()
    assert (least((prices + other) / 2, use, output) >= (one + two) / 2 * (1 - 1e-12)).all()
    assert least(prices * scale, use, output) == pytest.approx(one * scale, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_the_change_is_split_without_a_remainder(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices, use, output = drawn(seed, days=9)
    prices[rng.uniform(size=prices.shape) < 0.1] = np.nan
    costs = unit_costs(prices, use, output)
    best, moved = cheapest(costs), change(costs)
    for day in range(1, len(prices)):
        if np.isnan(moved.prices[day]):
            assert not (np.isfinite(costs[day]) & np.isfinite(costs[day - 1])).any()
            continue
        whole = moved.prices[day] + moved.entering[day] + moved.leaving[day]
        assert whole == pytest.approx(best.cost[day] - best.cost[day - 1], abs=1e-12)
        assert moved.entering[day] <= 0 <= moved.leaving[day]


def test_what_has_no_price_is_no_way_and_ties_go_to_the_first() -> None:
    use, output = np.eye(3), np.ones(3)
    found = cheapest(unit_costs(np.array([[np.nan, 2.0, 2.0], [np.nan, np.nan, 3.0], [np.nan] * 3]), use, output))
    assert found.way.tolist() == [1, 2, NONE]
    assert found.next_way.tolist() == [2, NONE, NONE]
    assert found.cost.tolist() == [2.0, 3.0, np.inf]


def test_carriage_is_paid_a_unit_of_work() -> None:
    costs = unit_costs(np.array([[1.0]]), np.array([[1.0], [1.0]]), np.array([2.0, 4.0]), np.array([0.0, 0.3]))
    assert costs.tolist() == [[0.5, 0.55]]
