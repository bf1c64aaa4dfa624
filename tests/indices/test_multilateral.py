"""Multilateral price indices: GEKS, weighted time-product-dummy, Geary-Khamis."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula as Formula
from tenorgrid.indices.baskets.bilateral import compare
from tenorgrid.indices.baskets.multilateral import MULTILATERAL, PAIRWISE, Adjusted, geary_khamis, multilateral, time_product_dummy
from tenorgrid.indices.baskets.panel import Matrix, Panel, Vector
from tenorgrid.indices.normalisation.time_dummy import time_dummy

Draw = Callable[[int], Panel]
ADJUSTED = (Formula.TIME_PRODUCT_DUMMY, Formula.GEARY_KHAMIS)


def test_geary_khamis_is_the_published_one(ces: Panel) -> None:
    published = "1 .87763982 1.14963977 1.20948388 .97735333 1.30228207 1.23643987 1.00131376 1.20675381 .98419301 1.23476104 1.23245315"
    np.testing.assert_allclose(multilateral(ces, Formula.GEARY_KHAMIS), [float(cell) for cell in published.split()], atol=5e-9)


def test_the_weighted_time_product_dummy_is_the_published_one(ces: Panel) -> None:
    published = """1 .880339868502394 1.11310561070234 1.15879006335178 .944228876424154 1.23413422819567 1.17381864977063 .96466253410287
        1.14473361053433 .955804858341343 1.17418844896016 1.17377193225844"""
    np.testing.assert_allclose(multilateral(ces, Formula.TIME_PRODUCT_DUMMY), [float(cell) for cell in published.split()], rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "distance"), [(Formula.GEKS_TORNQVIST, 0.0059), (Formula.TIME_PRODUCT_DUMMY, 0.0444), (Formula.GEARY_KHAMIS, 0.1020)]
)
def test_distance_from_the_true_cost_of_living(ces: Panel, formula: Formula, distance: float) -> None:
    cost = 1 / (np.array([0.2, 0.2, 0.2, 0.4]) / ces.price).sum(axis=1)  # the unit cost at σ = 2
    assert np.abs(multilateral(ces, formula) / (cost / cost[0]) - 1).max() == pytest.approx(distance, abs=5e-5)


@pytest.mark.parametrize("formula", MULTILATERAL)
def test_nothing_drifts_where_prices_bounce(bounce: Panel, formula: Formula) -> None:
    assert multilateral(bounce, formula)[-1] == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("formula", PAIRWISE)
@pytest.mark.parametrize("seed", range(3))
def test_geks_is_the_product_over_every_period_between(drawn: Draw, formula: Formula, seed: int) -> None:
    panel = drawn(seed)
    pairs, count = compare(panel, PAIRWISE[formula]), len(panel.periods)
    wanted = [np.prod([(pairs[0, k] * pairs[k, t]) ** (1 / count) for k in range(count)]) for t in range(count)]
    np.testing.assert_allclose(multilateral(panel, formula), wanted, rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_time_product_dummy_is_the_regression_of_statsmodels(drawn: Draw, seed: int) -> None:
    regression = pytest.importorskip("statsmodels.regression.linear_model")
    panel = drawn(seed)
    period, product = np.nonzero(panel.there)
    share = (panel.paid / panel.paid.sum(axis=1, keepdims=True))[period, product]
    columns = np.hstack([np.eye(len(panel.periods))[period][:, 1:], np.eye(len(panel.products))[product]])
    fitted = regression.WLS(np.log(panel.price[period, product]), columns, weights=share).fit().params
    found = time_product_dummy(panel)
    np.testing.assert_allclose(np.log(found.levels[1:]), fitted[: len(panel.periods) - 1], atol=1e-10)
    np.testing.assert_allclose(np.log(found.reference), fitted[len(panel.periods) - 1 :], atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_the_time_product_dummy_is_the_one_solved_by_cells(drawn: Draw, seed: int) -> None:
    panel = drawn(seed)
    period, product = np.nonzero(panel.there)
    share = (panel.paid / panel.paid.sum(axis=1, keepdims=True))[period, product]
    rows = pl.DataFrame({"period": period, "product": product, "price": panel.price[period, product], "share": share})
    found = time_dummy(rows.filter(pl.col("share") > 0), product=["product"], weight="share")
    np.testing.assert_allclose(found.periods["value"], time_product_dummy(panel).levels, rtol=1e-10)


def iterated(panel: Panel) -> Vector:
    """Geary-Khamis from its two definitions in turn, until nothing changes."""
    paid, sold = panel.paid, panel.sold
    levels = np.ones(len(paid))
    for _ in range(5000):
        average = (paid / levels[:, None]).sum(axis=0) / sold.sum(axis=0)
        levels = paid.sum(axis=1) / (sold * average).sum(axis=1)
        levels /= levels[0]
    return levels


def eigenvector(panel: Panel) -> Vector:
    """Geary-Khamis from the eigenvector, of eigenvalue 1, of what average prices make of average prices."""
    paid, sold = panel.paid, panel.sold
    spent: Matrix = sold / paid.sum(axis=1, keepdims=True)
    values, vectors = np.linalg.eig((paid / sold.sum(axis=0)).T @ spent)
    average = np.real(vectors[:, np.argmin(np.abs(values - 1))])
    levels = paid.sum(axis=1) / (sold @ average)
    return np.asarray(levels / levels[0])


@pytest.mark.parametrize("seed", range(3))
def test_geary_khamis_by_iteration_and_by_eigenvector(drawn: Draw, seed: int) -> None:
    panel = drawn(seed)
    found = geary_khamis(panel).levels
    np.testing.assert_allclose(found, iterated(panel), rtol=1e-10)
    np.testing.assert_allclose(found, eigenvector(panel), rtol=1e-10)


@pytest.mark.parametrize("formula", MULTILATERAL)
def test_no_base_is_preferred_and_the_way_back_is_the_inverse(drawn: Draw, formula: Formula) -> None:
    panel = drawn(8)
    found = multilateral(panel, formula)
    order = np.random.default_rng(1).permutation(len(panel.periods))
    shuffled = replace(panel, periods=tuple(panel.periods[n] for n in order), price=panel.price[order], quantity=panel.quantity[order])
    np.testing.assert_allclose(multilateral(shuffled, formula), found[order] / found[order[0]], rtol=1e-11)


@pytest.mark.parametrize("formula", MULTILATERAL)
def test_identity_proportionality_and_units(drawn: Draw, formula: Formula) -> None:
    panel = drawn(9)
    rising = np.geomspace(1, 3, len(panel.periods))[:, None]
    same = replace(panel, price=np.where(panel.there, panel.price[panel.there.argmax(axis=0), range(9)], np.nan))
    np.testing.assert_allclose(multilateral(same, formula), 1.0, rtol=1e-12)
    np.testing.assert_allclose(multilateral(replace(same, price=same.price * rising), formula), rising.ravel(), rtol=1e-12)
    units = np.geomspace(1e-6, 1e6, len(panel.products))
    converted = replace(panel, price=panel.price * units, quantity=panel.quantity / units)
    np.testing.assert_allclose(multilateral(converted, formula), multilateral(panel, formula), rtol=1e-10)


@pytest.mark.parametrize("formula", ADJUSTED)
def test_a_product_sold_in_one_period_alone_moves_nothing_beyond_its_weight(ces: Panel, formula: Formula) -> None:
    """An observation with a parameter of its own: the others' regression and average prices stand."""
    column = np.full((12, 1), np.nan)
    column[5] = 3.0
    wider = Panel(
        periods=ces.periods,
        products=(*ces.products, "new"),
        price=np.hstack([ces.price, column]),
        quantity=np.hstack([ces.quantity, column]),
    )
    found: Adjusted = (time_product_dummy if formula is Formula.TIME_PRODUCT_DUMMY else geary_khamis)(wider)
    tolerance = 1e-12 if formula is Formula.GEARY_KHAMIS else 0.05  # its share takes weight from the period's others
    np.testing.assert_allclose(found.levels, multilateral(ces, formula), rtol=tolerance)
    assert found.reference[4] == pytest.approx(3.0 / found.levels[5], rel=1e-12)


def test_periods_that_nothing_links_are_refused() -> None:
    price = np.array([[1.0, np.nan], [1.0, np.nan], [np.nan, 2.0]])
    panel = Panel(periods=("mon", "tue", "wed"), products=("a", "b"), price=price, quantity=price)
    for formula in ADJUSTED:
        with pytest.raises(InputError, match="2 parts without one, beginning in mon, wed"):
            multilateral(panel, formula)
    with pytest.raises(InputError, match="none in mon and wed"):
        multilateral(panel, Formula.GEKS_WALSH)
    idle = replace(panel, quantity=np.array([[1.0, np.nan], [0.0, np.nan], [np.nan, 2.0]]))
    with pytest.raises(InputError, match="nothing sold in tue"):
        multilateral(idle, Formula.TIME_PRODUCT_DUMMY)
    with pytest.raises(InputError, match="expected one of geks-fisher"):
        multilateral(panel, Formula.FISHER)
