"""What a pool may promise: the design's table, simulation, bisection, and what each supplier adds."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from tenorgrid.clearing.pooling import (
    chance_of_recall,
    credits,
    equal_pool,
    interruption,
    largest_sale,
    nested,
    next_sale,
    pooled_deviation,
    prove_bound,
    shortfall,
)

PROMISES = (0.02, 0.05, 0.10, 0.20)
# market design, section 3: a = .85; the table there is a simulation, so it is met to its own noise
TABLE = {
    (1, 0.07): (0.355, (0.0, 0.0, 0.0, 1.065)),
    (5, 0.07): (0.181, (0.601, 0.736, 0.877, 1.063)),
    (40, 0.07): (0.109, (0.752, 0.849, 0.936, 1.062)),
    (40, 0.0): (0.056, (0.836, 0.886, 0.944, 1.063)),
}


def random_pool(seed: int, *, segments: int = 300, suppliers: int = 4) -> tuple[np.ndarray, ...]:
    """listed, present, hours, share, weight of a pool whose suppliers are there in part, without ties."""
    rng = np.random.default_rng(seed)
    listed = np.broadcast_to(rng.uniform(1, 9, suppliers), (segments, suppliers))
    present = listed * rng.beta(2, 1, (segments, suppliers))
    hours = rng.uniform(0.1, 3, segments)
    total = listed.sum(axis=1)
    return listed, present, hours, present.sum(axis=1) / total, hours * total / (hours @ total)


@pytest.mark.parametrize(("suppliers", "correlation"), TABLE)
def test_the_table_of_the_design_comes_out_in_closed_form(suppliers: int, correlation: float) -> None:
    deviation, sales = TABLE[suppliers, correlation]
    share, weight = equal_pool(suppliers, availability=0.85, correlation=correlation)
    mean = float(weight @ share)
    assert mean == pytest.approx(0.85, abs=1e-12)
    spread = float(np.sqrt(weight @ (share - mean) ** 2))
    assert spread == pytest.approx(pooled_deviation(0.85, correlation, herfindahl=1 / suppliers), abs=1e-9)
    assert spread == pytest.approx(deviation, abs=0.0025)
    found = [largest_sale(promise, share, weight) for promise in PROMISES]
    assert found == pytest.approx(sales, abs=0.003)
    assert all((1 - promise) * sold <= 0.85 + 1e-12 for promise, sold in zip(PROMISES, found, strict=True))


def test_the_bound_row_of_the_table() -> None:
    assert [0.85 / (1 - promise) for promise in PROMISES] == pytest.approx([0.867, 0.895, 0.944, 1.062], abs=6e-4)


@pytest.mark.parametrize("suppliers", [5, 40])
def test_the_closed_form_agrees_with_a_simulation(suppliers: int) -> None:
    """Suppliers recalled by a common normal factor, drawn one by one; R = 1000 hours listed in equal parts."""
    edge, both = ndtri(0.85), 0.85**2 + 0.07 * 0.85 * 0.15
    latent = brentq(lambda c: float(multivariate_normal.cdf([edge, edge], cov=[[1, c], [c, 1]])) - both, 0.0, 0.9, xtol=1e-6)
    rng = np.random.default_rng(7)
    draws = 150_000
    factor, own = rng.normal(size=(draws, 1)), rng.normal(size=(draws, suppliers))
    there = np.sqrt(latent) * factor + np.sqrt(1 - latent) * own < edge
    assert np.corrcoef(there[:, 0], there[:, 1])[0, 1] == pytest.approx(0.07, abs=0.01)
    share = there.mean(axis=1)
    exact = equal_pool(suppliers, availability=0.85, correlation=0.07)
    for promise in PROMISES:
        found = largest_sale(promise, share, np.full(draws, 1 / draws))
        assert found == pytest.approx(largest_sale(promise, *exact), abs=0.004)


@pytest.mark.parametrize("seed", range(12))
def test_the_largest_sale_is_where_a_root_finder_puts_it(seed: int) -> None:
    _, _, _, share, weight = random_pool(seed, segments=40)
    for promise in PROMISES:
        sold = largest_sale(promise, share, weight)
        root = brentq(lambda sale, level=promise: interruption(sale, share, weight) - level, 1e-9, 3.0, xtol=1e-13)
        assert sold == pytest.approx(root, abs=1e-9)
        assert interruption(sold, share, weight) == pytest.approx(promise, abs=1e-12)
        assert interruption(sold * 1.001, share, weight) > promise


@pytest.mark.parametrize("seed", range(12))
def test_more_is_sold_for_a_weaker_promise_and_never_past_the_bound(seed: int) -> None:
    _, _, _, share, weight = random_pool(seed, segments=60)
    sales = [largest_sale(promise, share, weight) for promise in np.linspace(0.005, 0.9, 40)]
    assert (np.diff(sales) > 0).all()
    for promise, sold in zip(np.linspace(0.005, 0.9, 40), sales, strict=True):
        prove_bound(sold, float(promise), availability=float(weight @ share))
        assert chance_of_recall(sold, share, weight) >= promise


@pytest.mark.parametrize("promise", [0.05, 0.2])
def test_credits_sum_to_the_sale_and_are_what_one_more_listed_hour_adds(promise: float) -> None:
    listed, present, hours, share, weight = random_pool(3)
    sold = largest_sale(promise, share, weight)
    found = credits(sold, promise, share=share, weight=weight, present=present, listed=listed, hours=hours)
    inventory = listed[0]
    assert float(found @ inventory) == pytest.approx(sold * inventory.sum(), rel=1e-12)
    for member in range(listed.shape[1]):
        more = np.ones(listed.shape[1])
        more[member] += 1e-6  # a supplier lists a millionth more, of the same presence
        total = (listed * more).sum(axis=1)
        then = largest_sale(promise, (present * more).sum(axis=1) / total, weight) * total[0]
        slope = (then - sold * inventory.sum()) / (1e-6 * inventory[member])
        assert slope == pytest.approx(found[member], rel=1e-4)


def test_a_supplier_that_is_there_when_others_are_not_earns_more_than_the_average() -> None:
    present = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    hours, listed = np.array([2.0, 5.0, 2.5, 0.5]), np.ones((4, 2))
    share, weight = present.mean(axis=1), hours / hours.sum()
    sold = largest_sale(0.1, share, weight)
    steady, shaky = credits(sold, 0.1, share=share, weight=weight, present=present, listed=listed, hours=hours)
    assert steady > sold > shaky
    assert steady + shaky == pytest.approx(2 * sold, rel=1e-12)


def test_a_pool_that_is_gone_too_often_sells_nothing_and_credits_nothing() -> None:
    share, weight = np.array([0.0, 1.0]), np.array([0.3, 0.7])
    assert largest_sale(0.2, share, weight) == 0.0
    assert interruption(0.0, share, weight) == pytest.approx(0.3)
    none = credits(0.0, 0.2, share=share, weight=weight, present=share[:, None], listed=np.ones((2, 1)), hours=weight)
    assert none.tolist() == [0.0]


@pytest.mark.parametrize("seed", range(6))
def test_nested_tiers_keep_each_promise_and_add_up_to_the_interruptions_of_all(seed: int) -> None:
    _, _, _, share, weight = random_pool(seed, segments=80)
    promises, stakes = np.array([0.02, 0.08, 0.25]), np.array([0.5, 0.3, 0.2])
    sold, hit = nested(promises, share, weight, stakes=stakes)
    assert (hit <= promises + 1e-12).all()
    # by brute force: each tier loses what is short once those after it are gone
    cumulative = np.cumsum(sold)
    lost = [np.clip(np.minimum(done - share, part), 0.0, None) for done, part in zip(cumulative, sold, strict=True)]
    assert hit == pytest.approx([float(weight @ short) / part for short, part in zip(lost, sold, strict=True)], abs=1e-12)
    assert float(sold @ hit) == pytest.approx(shortfall(float(sold.sum()), share, weight), abs=1e-12)


@pytest.mark.parametrize("sold", [0.2, 0.5, 0.7])
def test_the_next_tier_stops_where_its_own_interruptions_reach_its_promise(sold: float) -> None:
    _, _, _, share, weight = random_pool(9, segments=50)

    def rate(more: float) -> float:
        return (shortfall(sold + more, share, weight) - shortfall(sold, share, weight)) / more

    found = next_sale(0.3, share, weight, sold=sold)
    if found == 0.0:
        assert rate(1e-6) >= 0.3
    else:
        assert rate(found) == pytest.approx(0.3, abs=1e-10)
        assert rate(found * 1.01) > 0.3


def test_a_tier_has_nothing_left_where_better_ones_sold_all_that_is_ever_there() -> None:
    share, weight = np.array([0.5, 0.6]), np.array([0.5, 0.5])
    assert next_sale(0.3, share, weight, sold=1.0) == 0.0


@pytest.mark.parametrize("promise", [0.0, 1.0, -0.1])
def test_a_promise_outside_its_range_is_refused(promise: float) -> None:
    with pytest.raises(ValueError, match="promise"):
        largest_sale(promise, np.array([1.0]), np.array([1.0]))


def test_an_estimate_past_the_bound_is_called_a_bug() -> None:
    prove_bound(0.9, 0.1, availability=0.81)
    with pytest.raises(RuntimeError, match="a bug"):
        prove_bound(0.9, 0.1, availability=0.80)
    with pytest.raises(RuntimeError, match="a bug"):
        prove_bound(0.5, 0.1, availability=1.1)
