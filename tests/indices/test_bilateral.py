"""Bilateral price indices: direct, chained, and every pair."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log, sqrt

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import IndexFormula as Formula
from tenorgrid.indices.baskets.bilateral import BILATERAL, chained, compare, direct
from tenorgrid.indices.baskets.panel import Panel, Vector

Draw = Callable[[int], Panel]
SYMMETRIC = (Formula.FISHER, Formula.TORNQVIST, Formula.WALSH, Formula.JEVONS)
PUBLISHED = {  # gpindex, after Balk's tables 3.4, 3.6 and 3.12
    Formula.LASPEYRES: [1, 1.4200, 1.3450, 1.3550, 1.4400],
    Formula.PAASCHE: [1, 1.3824, 1.2031, 1.0209, 0.7968],
    Formula.FISHER: [1, 1.4011, 1.2721, 1.1762, 1.0712],
    Formula.TORNQVIST: [1, 1.4052, 1.2890, 1.2268, 1.2477],
    Formula.WALSH: [1, 1.4017, 1.2850, 1.2193, 1.1850],
}


@pytest.mark.parametrize("formula", PUBLISHED)
def test_published_indices_are_reproduced(balk: Panel, formula: Formula) -> None:
    np.testing.assert_allclose(direct(balk, formula), PUBLISHED[formula], atol=5e-5)


def test_chains_of_the_published_data(balk: Panel) -> None:
    np.testing.assert_allclose(chained(balk, Formula.LASPEYRES), [1, 1.42, 1.3646, 1.3351, 1.3306], atol=5e-5)
    np.testing.assert_allclose(chained(balk, Formula.PAASCHE), [1, 1.3824, 1.2740, 1.2060, 1.1234], atol=5e-5)


@pytest.mark.parametrize(
    ("formula", "drift"),
    [(Formula.LASPEYRES, 1.375), (Formula.PAASCHE, 0.571429), (Formula.FISHER, 0.886405), (Formula.TORNQVIST, 0.867812)],
)
def test_a_bouncing_price_makes_a_chain_drift_and_no_direct_index(bounce: Panel, formula: Formula, drift: float) -> None:
    assert chained(bounce, formula)[-1] == pytest.approx(drift, abs=5e-7)
    assert direct(bounce, formula)[-1] == pytest.approx(1.0, abs=1e-14)


def by_hand(formula: Formula, p0: Vector, q0: Vector, p1: Vector, q1: Vector) -> float:
    """The formula product by product, over those that both periods price."""
    both = [n for n in range(len(p0)) if p0[n] == p0[n] and p1[n] == p1[n]]

    def total(p: Vector, q: Vector) -> float:
        return float(sum(p[n] * q[n] for n in both))

    if formula is Formula.LASPEYRES:
        return total(p1, q0) / total(p0, q0)
    if formula is Formula.PAASCHE:
        return total(p1, q1) / total(p0, q1)
    if formula is Formula.FISHER:
        return sqrt(by_hand(Formula.LASPEYRES, p0, q0, p1, q1) * by_hand(Formula.PAASCHE, p0, q0, p1, q1))
    if formula is Formula.WALSH:
        return float(sum(p1[n] * sqrt(q0[n] * q1[n]) for n in both) / sum(p0[n] * sqrt(q0[n] * q1[n]) for n in both))
    if formula is Formula.TORNQVIST:
        shares = {n: (p0[n] * q0[n] / total(p0, q0) + p1[n] * q1[n] / total(p1, q1)) / 2 for n in both}
        return exp(sum(shares[n] * log(p1[n] / p0[n]) for n in both))
    return exp(sum(log(p1[n] / p0[n]) for n in both) / len(both))


@pytest.mark.parametrize("formula", BILATERAL)
@pytest.mark.parametrize("seed", range(5))
def test_all_pairs_are_the_formula_written_out_over_matched_products(drawn: Draw, formula: Formula, seed: int) -> None:
    panel = drawn(seed)
    pairs, rows = compare(panel, formula), range(len(panel.periods))
    wanted = [[by_hand(formula, panel.price[s], panel.quantity[s], panel.price[t], panel.quantity[t]) for t in rows] for s in rows]
    np.testing.assert_allclose(pairs, wanted, rtol=1e-12)
    np.testing.assert_allclose(direct(panel, formula, base=2), pairs[2], rtol=1e-12)
    steps = [pairs[t, t + 1] for t in rows[:-1]]
    np.testing.assert_allclose(chained(panel, formula), np.cumprod([1.0, *steps]), rtol=1e-12)


@pytest.mark.parametrize("formula", BILATERAL)
def test_identity_proportionality_and_units(drawn: Draw, formula: Formula) -> None:
    panel = drawn(11)
    pairs = compare(panel, formula)
    np.testing.assert_allclose(np.diag(pairs), 1.0, atol=1e-12)
    dearer = panel.price.copy()
    dearer[3] *= 1.7
    np.testing.assert_allclose(compare(replace(panel, price=dearer), formula)[0, 3], 1.7 * pairs[0, 3], rtol=1e-12)
    units = np.geomspace(1e-6, 1e6, len(panel.products))
    np.testing.assert_allclose(
        compare(replace(panel, price=panel.price * units, quantity=panel.quantity / units), formula), pairs, rtol=1e-11
    )


@pytest.mark.parametrize("formula", SYMMETRIC)
def test_time_reversal(drawn: Draw, formula: Formula) -> None:
    pairs = compare(drawn(4), formula)
    np.testing.assert_allclose(pairs * pairs.T, 1.0, rtol=1e-12)


def test_laspeyres_fails_time_reversal(balk: Panel) -> None:
    pairs = compare(balk, Formula.LASPEYRES)
    assert pairs[0, 4] * pairs[4, 0] == pytest.approx(1.44 / 0.7968, rel=1e-4)


@pytest.mark.parametrize("formula", BILATERAL)
def test_a_new_product_moves_nothing_by_coming(bounce: Panel, formula: Formula) -> None:
    extra = np.array([[np.nan], [np.nan], [7.0], [7.0]])
    wider = Panel(
        periods=bounce.periods,
        products=("a", "b", "c"),
        price=np.hstack([bounce.price, extra]),
        quantity=np.hstack([bounce.quantity, extra]),
    )
    np.testing.assert_allclose(direct(wider, formula), direct(bounce, formula), rtol=1e-14)


def test_periods_without_a_common_product_are_refused_by_name() -> None:
    price = np.array([[1.0, np.nan], [1.0, 2.0], [np.nan, 2.0]])
    panel = Panel(periods=("mon", "tue", "wed"), products=("a", "b"), price=price, quantity=price)
    assert chained(panel, Formula.FISHER).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(InputError, match="found none in mon and wed, expected a product that both periods price"):
        direct(panel, Formula.FISHER)
    with pytest.raises(InputError, match="found none in tue and wed"):
        chained(replace(panel, quantity=np.array([[1.0, np.nan], [1.0, 0.0], [np.nan, 2.0]])), Formula.LASPEYRES)


def test_a_multilateral_formula_is_no_bilateral_one(balk: Panel) -> None:
    with pytest.raises(InputError, match="expected one of laspeyres, paasche"):
        compare(balk, Formula.GEARY_KHAMIS)
