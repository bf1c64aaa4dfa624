"""Generations tied by the work that they do."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.discount import flat
from tenorgrid.curves.rental.curve import rental_curve
from tenorgrid.data.errors import InputError

DAY = date(2026, 4, 24)


def table(index: str, prices: dict[int, float]) -> pl.DataFrame:
    return pl.DataFrame(
        {"as_of": [DAY] * len(prices), "index": [index] * len(prices), "months": list(prices), "price": list(prices.values())}
    )


H100 = table("H100", {1: 3.0, 6: 2.7, 12: 2.4, 24: 2.0, 36: 1.7})


def test_equal_cost_of_work_has_no_shift() -> None:
    twice = H100.with_columns(pl.lit("B200").alias("index"), pl.col("price") * 2.2)
    tied = rental_curve(pl.concat([H100, twice]), discount=flat(0.05)).tied({"B200": 2.2}, reference="H100")
    assert tied["shift"].to_list() == pytest.approx([0.0] * 5, abs=1e-12)
    assert tied["forward"].to_list() == pytest.approx(tied["equal"].to_list(), abs=1e-12)


def test_a_shift_by_hand() -> None:
    """Forwards of H100: 3.0 and (12 × 2.4 − 3.0 × 1) / 11 ...; a B200 year at 6.0 with twice the work costs ln(6 / 4.8) more."""
    tied = rental_curve(pl.concat([H100, table("B200", {12: 6.0})])).tied({"B200": 2.0}, reference="H100")
    assert tied["months"].to_list() == [1, 6, 12]
    assert tied["shift"].to_list() == pytest.approx([np.log(6.0 / 4.8)] * 3, abs=1e-12)


@settings(deadline=None, max_examples=30)
@given(prices=st.tuples(*[st.floats(4.0, 6.0)] * 3), ratio=st.floats(0.3, 4), rate=st.floats(0, 0.2))
def test_own_rates_come_out_whatever_the_performance_is(prices: tuple[float, float, float], ratio: float, rate: float) -> None:
    own = dict(zip((3, 12, 36), (prices[0], prices[1], prices[2] * 0.8), strict=True))
    curve = rental_curve(pl.concat([H100, table("B200", own)]), discount=flat(rate))
    tied = curve.tied({"B200": ratio}, reference="H100")
    assert tied["months"].to_list() == [1, 3, 6, 12, 24, 36]
    paid = np.exp(-rate * np.arange(1, 37) / 12)
    monthly = np.repeat(tied["forward"].to_numpy(), np.diff(tied["months"].to_numpy(), prepend=0))
    for months, price in own.items():
        assert monthly[:months] @ paid[:months] == pytest.approx(price * paid[:months].sum(), rel=1e-10)


def test_what_cannot_be_tied_is_refused() -> None:
    curve = rental_curve(pl.concat([H100, table("B200", {60: 5.0})]))
    with pytest.raises(InputError, match="tenors of B200 up to the 36 months that H100 has"):
        curve.tied({"B200": 2.0}, reference="H100")
    with pytest.raises(InputError, match="work of B200 over that of H100"):
        curve.tied({"B200": 0.0}, reference="H100")
    with pytest.raises(InputError, match="one of B200, H100"):
        curve.tied({"GB300": 2.0}, reference="H100")
    with pytest.raises(InputError, match="at least one index"):
        curve.tied({}, reference="H100")
