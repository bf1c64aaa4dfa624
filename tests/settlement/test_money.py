"""Money: micro, shares, cents."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.settlement.money import LARGEST, cents, dollars, micro, shares


def exact(price: float, volume: float) -> int:
    """The product as a fraction, rounded half-even: what a person would do with enough paper."""
    return round(Fraction(price) * Fraction(volume) * 1_000_000)


@pytest.mark.parametrize("seed", range(5))
def test_products_of_all_sizes_agree_with_fractions(seed: int) -> None:
    rng = np.random.default_rng(seed)
    price = rng.uniform(-10, 10, 4000) * 10.0 ** rng.integers(-6, 3, 4000)
    volume = rng.uniform(-10, 10, 4000) * 10.0 ** rng.integers(-9, 6, 4000)
    assert micro(price, volume).tolist() == [exact(float(p), float(v)) for p, v in zip(price, volume, strict=True)]


@given(st.floats(-1e4, 1e4, allow_subnormal=True), st.floats(-9e5, 9e5, allow_subnormal=True))
def test_any_product_agrees_with_fractions(price: float, volume: float) -> None:
    if abs(price * volume) * 1e6 < 0.999 * LARGEST:
        assert micro(np.array([price]), np.array([volume]))[0] == exact(price, volume)


def test_ties_go_to_the_even_micro_dollar() -> None:
    odd = np.arange(1, 400, 2, dtype=float) / 128  # these times 15625 / 15625 are whole micro-dollars and a half
    found = micro(odd, np.ones_like(odd))
    assert found.tolist() == [exact(float(value), 1.0) for value in odd]
    assert (found % 2 == 0).all()


def test_a_hair_beside_a_tie_is_not_a_tie() -> None:
    tie = 0.0078125  # 7812.5 micro-dollars
    price = np.array([np.nextafter(tie, 1), np.nextafter(tie, 0), tie])
    assert micro(price, np.ones(3)).tolist() == [7813, 7812, 7812]


def test_large_products_keep_every_micro_dollar() -> None:
    rng = np.random.default_rng(11)
    price, volume = rng.uniform(2, 3, 500), rng.uniform(2e9, 3e9, 500)
    found = micro(price, volume)
    assert found.tolist() == [exact(float(p), float(v)) for p, v in zip(price, volume, strict=True)]
    assert (found != np.rint(price * volume * 1e6)).any()  # the plain product is off: the test would notice


@pytest.mark.parametrize(("price", "volume"), [(1e5, 1e5), (float("nan"), 1.0), (float("inf"), 1.0), (1e308, 1e308)])
def test_what_is_no_amount_is_refused(price: float, volume: float) -> None:
    with pytest.raises(InputError, match="at most 2\\^53 micro-dollars"):
        micro(np.array([price]), np.array([volume]))


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (10000, [1, 1, 1], [3334, 3333, 3333]),
        (10001, [20, 15, 10, 30], [2667, 2000, 1334, 4000]),
        (1, [5, 5, 7], [0, 0, 1]),
        (25, [1500, 1500, 900, 500, 500, 200], [7, 7, 4, 3, 3, 1]),
        (-3, [1, 1], [-2, -1]),
        (1500, [20, 15, 10, 30], [400, 300, 200, 600]),
        (7, [0.0, 2.5], [0, 7]),
    ],
)
def test_largest_remainder_gives_the_known_shares(total: int, weights: list[float], expected: list[int]) -> None:
    assert shares(total, weights) == expected


@given(st.integers(-(2**60), 2**60), st.lists(st.floats(0, 1e9), min_size=1, max_size=9).filter(any))
def test_shares_add_up_and_lie_within_one_of_their_quota(total: int, weights: list[float]) -> None:
    found = shares(total, weights)
    assert sum(found) == total
    base = sum(map(Fraction, weights))
    assert all(abs(share - total * Fraction(weight) / base) < 1 for share, weight in zip(found, weights, strict=True))


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -1.0], [float("nan")], [float("inf")], []])
def test_weights_that_share_nothing_are_refused(weights: list[float]) -> None:
    with pytest.raises(InputError, match="weights of at least 0"):
        shares(5, weights)


@pytest.mark.parametrize(
    ("amount", "expected"), [("2.345", "2.34"), ("2.355", "2.36"), ("-2.345", "-2.34"), ("2.675", "2.68"), ("0.005", "0.00")]
)
def test_cents_are_rounded_half_even_in_decimal(amount: str, expected: str) -> None:
    assert str(cents(Decimal(amount))) == expected


def test_dollars_are_exact() -> None:
    assert dollars(2**53 + 1) == Decimal("9007199254.740993")
