"""Divisors: a basket keeps its level when it is rebalanced."""

import numpy as np
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.indices.baskets.divisor import divided

NAN = np.nan
PRICE = np.array([[2.5, 3.2, 5.0, NAN], [2.6, 3.1, 5.2, 1.8], [2.65, 3.0, 5.3, 1.9]])
BASKETS = np.array([[100.0, 50, 20, 0], [80, 60, 0, 40]])


def test_the_level_goes_on_through_a_rebalancing() -> None:
    found = divided(PRICE, BASKETS, since=[0, 1], base=1000.0)
    np.testing.assert_allclose(found.levels, [1000.0, 1017.647059, 1022.014643], atol=5e-7)
    np.testing.assert_allclose(found.divisors, [0.51, 0.457919075], atol=5e-10)
    assert PRICE[1, [0, 1, 3]] @ [80, 60, 40] / found.divisors[0] == pytest.approx(913.7255, abs=5e-5)  # the level with the old divisor


def test_the_level_is_the_product_of_the_baskets_own_ratios() -> None:
    """A second way: chain what each basket is worth on the days that it holds."""
    rng = np.random.default_rng(2)
    price = rng.lognormal(1, 0.2, (30, 6))
    baskets, since = rng.uniform(0, 9, (4, 6)), [0, 7, 8, 21]
    level, wanted = 50.0, [50.0]
    for row in range(1, 30):
        held = baskets[max(number for number, first in enumerate(since) if first < row)]
        level *= (held @ price[row]) / (held @ price[row - 1])
        wanted.append(level)
    np.testing.assert_allclose(divided(price, baskets, since=since, base=50.0).levels, wanted, rtol=1e-12)


def test_contributions_sum_to_the_move_and_follow_the_prices() -> None:
    found = divided(PRICE, BASKETS, since=[0, 1], base=1000.0)
    np.testing.assert_allclose(found.contributions[1:].sum(axis=1), np.diff(found.levels), rtol=1e-12)
    np.testing.assert_allclose(found.contributions[1], np.array([10.0, -5, 4, 0]) / 0.51, atol=1e-12)
    assert found.contributions[0].tolist() == [0.0] * 4
    wanted = np.array([[250.0, 160, 100, 0], [260, 155, 104, 0], [212, 180, 0, 76]])
    np.testing.assert_allclose(found.values, wanted)  # at the close still the old one
    np.testing.assert_array_equal(np.sign(found.contributions[2]), [1, -1, 0, 1])


def test_one_without_a_price_moves_as_the_others_do() -> None:
    price = PRICE.copy()
    price[1, 1] = NAN
    found = divided(price, BASKETS[:1], since=[0], base=100.0)
    assert found.levels[1] == pytest.approx(100 * (260 + 104) / (250 + 100), rel=1e-12)
    assert found.values[1, 1] == pytest.approx(160 * 364 / 350, rel=1e-12)
    assert found.levels[2] == pytest.approx(100 * (265 + 150 + 106) / 510, rel=1e-12)
    np.testing.assert_allclose(found.contributions.sum(axis=1)[1:], np.diff(found.levels), rtol=1e-10)


def test_all_quantities_times_a_number_change_no_level() -> None:
    one, other = (divided(PRICE, BASKETS * factor, since=[0, 1], base=1000.0) for factor in (1.0, 1e6))
    np.testing.assert_allclose(one.levels, other.levels, rtol=1e-13)
    np.testing.assert_allclose(one.contributions, other.contributions, atol=1e-9)


def test_what_cannot_be_divided_is_refused() -> None:
    with pytest.raises(InputError, match="row 1, column constituent 4: found no price, expected a price where it begins"):
        divided(PRICE, BASKETS[1:], since=[0], base=1.0)
    with pytest.raises(InputError, match="rising rows"):
        divided(PRICE, BASKETS, since=[0, 0], base=1.0)
    with pytest.raises(InputError, match="expected quantities of at least 0, one above"):
        divided(PRICE, np.zeros((1, 4)), since=[0], base=1.0)
    gone = PRICE.copy()
    gone[2] = NAN
    with pytest.raises(InputError, match="row 3: found none, expected a price of at least one constituent"):
        divided(gone, BASKETS[:1], since=[0], base=1.0)
