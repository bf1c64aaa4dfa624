"""Volatility between two days ahead."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.fit import study, terms_table
from tenorgrid.curves.volatility.terms import volatility_between
from tenorgrid.data.errors import InputError

END = datetime(2027, 3, 1, tzinfo=UTC)
NAME: dict[str, object] = {"index": "X", "model": "garch"}


def test_by_hand() -> None:
    terms = terms_table(np.array([0.01, 0.03, 0.05]) / 365, NAME, end=END)
    assert volatility_between(terms, index="X", model="garch", first=2, last=3) == pytest.approx(0.2)  # (0.03 + 0.05) / 2 = 0.04
    assert volatility_between(terms, index="X", model="garch", last=3) == pytest.approx(terms["volatility"][2])


@given(split=st.integers(1, 29), seed=st.integers(0, 99))
def test_variance_of_two_spans_adds_up_to_that_of_both(split: int, seed: int) -> None:
    terms = terms_table(np.random.default_rng(seed).uniform(1e-4, 1e-3, 30), NAME, end=END)
    near, far, whole = (
        volatility_between(terms, index="X", model="garch", first=first, last=last) ** 2 * (last - first + 1)
        for first, last in ((1, split), (split + 1, 30), (1, 30))
    )
    assert near + far == pytest.approx(whole, rel=1e-12)


def test_of_a_garch_it_is_the_integral_of_its_path(daily_marks: Callable[..., pl.DataFrame], garch_returns: Callable[..., Vector]) -> None:
    found = study(daily_marks(2.5 * np.exp(garch_returns(600, seed=31).cumsum())), index="X", model="garch", horizon=60)
    row = found.fits.row(0, named=True)
    far, near, left = row["long_run"] ** 2, row["next_day"] ** 2, row["persistence"]
    closed = far + (near - far) * left**30 * (1 - left**10) / (1 - left) / 10
    assert volatility_between(found.terms, index="X", model="garch", first=31, last=40) == pytest.approx(closed**0.5, rel=1e-9)


def test_days_that_are_not_there_are_refused() -> None:
    terms = terms_table(np.full(10, 1e-4), NAME, end=END)
    for first, last in ((0, 5), (5, 4), (1, 11)):
        with pytest.raises(InputError, match="of X by garch"):
            volatility_between(terms, index="X", model="garch", first=first, last=last)
