"""Contributions: the change of an index as a sum over products."""

from collections.abc import Callable

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula as Formula
from tenorgrid.indices.baskets.bilateral import BILATERAL, direct
from tenorgrid.indices.baskets.contributions import log_contributions, log_mean, points, window_contributions
from tenorgrid.indices.baskets.multilateral import MULTILATERAL, multilateral
from tenorgrid.indices.baskets.panel import Panel

Draw = Callable[[int], Panel]


def test_a_tornqvist_contribution_is_the_mean_share_times_the_log_change(balk: Panel) -> None:
    share = balk.paid / balk.paid.sum(axis=1, keepdims=True)
    wanted = (share[0] + share[4]) / 2 * np.log(balk.price[4] / balk.price[0])
    np.testing.assert_allclose(log_contributions(balk, Formula.TORNQVIST)[4], wanted, rtol=1e-12)


@pytest.mark.parametrize("formula", BILATERAL)
@pytest.mark.parametrize("seed", range(3))
def test_contributions_sum_to_the_logarithm_of_the_direct_index(drawn: Draw, formula: Formula, seed: int) -> None:
    panel = drawn(seed)
    np.testing.assert_allclose(log_contributions(panel, formula, base=2).sum(axis=1), np.log(direct(panel, formula, base=2)), atol=1e-13)


@pytest.mark.parametrize("formula", MULTILATERAL)
@pytest.mark.parametrize("seed", range(3))
def test_contributions_of_a_window_sum_to_its_changes(drawn: Draw, formula: Formula, seed: int) -> None:
    panel = drawn(seed)
    changes = np.diff(np.log(multilateral(panel, formula)))
    np.testing.assert_allclose(window_contributions(panel, formula).sum(axis=1), changes, atol=1e-12)


@pytest.mark.parametrize("formula", MULTILATERAL)
def test_only_a_product_whose_price_moves_contributes_when_quantities_stand(formula: Formula) -> None:
    price, quantity = np.tile([2.0, 3.0, 5.0], (6, 1)), np.tile([9.0, 4.0, 1.0], (6, 1))
    price[-1, 1] *= 1.3
    panel = Panel(periods=tuple(range(6)), products=("a", "b", "c"), price=price, quantity=quantity)
    *still, found = window_contributions(panel, formula)
    np.testing.assert_allclose(still, 0.0, atol=1e-14)
    assert found[1] > 0.05
    assert np.abs(found[[0, 2]]).max() < 0.1 * found[1]  # weights shift a little with the price


@pytest.mark.parametrize("formula", MULTILATERAL)
def test_contributions_to_the_way_back_are_the_opposite(drawn: Draw, formula: Formula) -> None:
    panel = drawn(2)
    back = Panel(periods=panel.periods, products=panel.products, price=panel.price[::-1], quantity=panel.quantity[::-1])
    np.testing.assert_allclose(window_contributions(back, formula), -window_contributions(panel, formula)[::-1], atol=1e-12)


def test_the_logarithmic_mean_keeps_its_digits_near_equality() -> None:
    left = 1.0 + np.array([0.0, 1e-15, 1e-9, 1e-7, 2e-6, 0.5])
    exact = [1.0, 1.0, 1.0 + 5e-10, 1.0 + 5e-8, 1.0 + 1e-6, 0.5 / np.log(1.5)]
    np.testing.assert_allclose(log_mean(left, np.ones(6)), exact, rtol=1e-12)
    np.testing.assert_allclose(log_mean(np.ones(6), left), exact, rtol=1e-12)


def test_points_sum_to_the_change_of_the_level() -> None:
    levels = np.array([100.0, 104.0, 104.0, 99.0])
    logs = np.log(levels[1:] / levels[:-1])[:, None] * np.array([0.7, 0.5, -0.2])
    np.testing.assert_allclose(points(logs, levels).sum(axis=1), np.diff(levels), atol=1e-12)


def test_formulas_of_the_other_kind_are_refused(balk: Panel) -> None:
    with pytest.raises(InputError, match="expected one of laspeyres"):
        log_contributions(balk, Formula.GEARY_KHAMIS)
    with pytest.raises(InputError, match="expected one of geks-fisher"):
        window_contributions(balk, Formula.FISHER)
