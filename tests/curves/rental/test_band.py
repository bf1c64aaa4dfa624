"""Forwards between bids and asks, against linear programs."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from tenorgrid.curves.discount import flat
from tenorgrid.curves.rental.band import contradictions, forward_bands, rental_bands
from tenorgrid.curves.rental.par import annuities, forwards, pars
from tenorgrid.data.errors import InputError

DAY = date(2026, 4, 24)
MONTHS = np.array([1, 3, 6, 12, 36])
NONE = float("nan")


def table(months: list[int], bid: list[float | None], ask: list[float | None], index: str = "X") -> pl.DataFrame:
    sides = {"bid": pl.Series(bid, dtype=pl.Float64), "ask": pl.Series(ask, dtype=pl.Float64)}
    return pl.DataFrame({"as_of": [DAY] * len(months), "index": [index] * len(months), "months": months, **sides})


@pytest.mark.parametrize("seed", range(20))
def test_every_interval_is_what_two_linear_programs_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    annuity = annuities(MONTHS, discount=flat(0.08))
    par = pars(rng.uniform(0.1, 4, 5), annuity)
    bid, ask = par * rng.uniform(0.7, 1, 5), par * rng.uniform(1, 1.4, 5)
    bid[rng.integers(5)] = ask[rng.integers(4)] = NONE
    lower, upper = forward_bands(bid, ask, annuity)
    length = np.diff(annuity, prepend=0.0)
    worth = np.tril(np.tile(length, (5, 1)))  # cost of each rental in its periods' forwards
    rows = np.vstack([worth[~np.isnan(ask)], -worth[~np.isnan(bid)]])
    limits = np.concatenate([(annuity * ask)[~np.isnan(ask)], -(annuity * bid)[~np.isnan(bid)]])
    for period in range(5):
        for sign, found in ((1.0, lower), (-1.0, upper)):
            solved = linprog(sign * np.eye(5)[period], A_ub=rows, b_ub=limits, bounds=(0, None))
            assert solved.status == 0
            assert sign * float(solved.fun or 0.0) == pytest.approx(found[period], abs=1e-7)


@settings(deadline=None, max_examples=40)
@given(forward=st.lists(st.floats(0.1, 9), min_size=5, max_size=5), width=st.floats(0, 0.3), rate=st.floats(0, 0.2))
def test_the_forwards_of_rates_between_bid_and_ask_are_inside(forward: list[float], width: float, rate: float) -> None:
    annuity = annuities(MONTHS, discount=flat(rate))
    par = pars(np.array(forward), annuity)
    lower, upper = forward_bands(par * (1 - width), par * (1 + width), annuity)
    assert (lower <= np.array(forward) + 1e-9).all()
    assert (upper >= np.array(forward) - 1e-9).all()
    assert not list(contradictions(par * (1 - width), par * (1 + width), annuity))


def test_bid_and_ask_at_one_rate_leave_the_published_forward() -> None:
    """CCIR's A100 of 24 April 2026: par rates 3.2979 and 2.8713 of one and three years, forward 2.6580."""
    made = rental_bands(table([12, 36], [3.2979, 2.8713], [3.2979, 2.8713]))
    assert made["lower"].to_list() == pytest.approx(made["upper"].to_list(), abs=1e-12)
    assert made["lower"][1] == pytest.approx(2.6580, abs=5e-5)
    assert forwards(np.array([3.2979, 2.8713]), np.array([1.0, 3.0]))[1] == pytest.approx(made["upper"][1], abs=1e-12)


def test_a_side_that_is_missing_leaves_more_open() -> None:
    made = rental_bands(table([12, 36], [3.0, None], [3.2, None]))
    assert made.select("lower", "upper").rows() == [(3.0, 3.2), (0.0, None)]
    told = rental_bands(table([12, 36], [3.0, None], [None, 2.0]))
    assert told["upper"].to_list() == pytest.approx([6.0, 1.5])


def test_bids_above_longer_asks_are_refused_with_their_size() -> None:
    bad = pl.concat([table([12, 24], [3.0, 1.2], [3.2, 1.4]), table([1], [2.0], [1.0], "Y")])
    with pytest.raises(
        InputError, match=r"X: 24 months at 1.4 against a bid of 3 for 12 months, \+1,752.00 USD per GPU, 0.2000"
    ) as refused:
        rental_bands(bad)
    assert len(refused.value.faults) == 2
    with pytest.raises(InputError, match="a day with quotes"):
        rental_bands(bad, as_of=date(2030, 1, 1))
    with pytest.raises(InputError, match="column bid"):
        rental_bands(table([12], [-1.0], [1.0]))
