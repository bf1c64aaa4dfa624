"""A held-back month: what the Greeks leave unsaid, day by day and in all, of a book with a direction and of the same book hedged."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.explain import ExplainedRun, explain_days

Valued = Callable[..., BookValue]
FIRST = date(2027, 3, 16)


@pytest.fixture(scope="module")
def few(on: Valued) -> ExplainedRun:
    """Two days around the end of March."""
    return explain_days([on(date(2027, 3, 31) + timedelta(days=day), "swap", "next", "march") for day in range(3)])


def test_days_follow_one_another_and_add_up(few: ExplainedRun, on: Valued) -> None:
    assert few.days["after"][0] == few.days["before"][1]
    assert few.days["gain"].sum() == pytest.approx(few.components["revalued"].sum(), abs=1e-6)
    assert (few.days["gain"] - few.days["explained"] - few.days["residual"]).abs().max() == pytest.approx(0.0, abs=1e-8)
    paid = sum(float(one.values["cash"].sum()) for one in few.each)
    values = [on(date(2027, 3, 31) + timedelta(days=day), "swap", "next", "march").value for day in (0, 2)]
    assert few.days["gain"].sum() == pytest.approx(values[1] + paid - values[0], rel=1e-9)


def test_shares_are_of_absolute_components(few: ExplainedRun) -> None:
    one = few.each[0]
    size = sum(abs(float(amount.sum())) for amount in one.greeks.values())
    assert few.days["share"][0] == pytest.approx(abs(one.residual) / size, rel=1e-12)
    assert few.within == np.mean([one.share < 0.01 for one in few.each])


def test_one_valuation_has_nothing_to_follow(on: Valued) -> None:
    with pytest.raises(InputError, match="at least two valuations"):
        explain_days([on(FIRST, "forward")])


@pytest.fixture(scope="module")
def whole(on: Valued, month: list[Market]) -> ExplainedRun:
    """The whole book over the whole month: a minute or several."""
    return explain_days([on(FIRST + timedelta(days=back)) for back in range(len(month))])


@pytest.mark.slow
def test_over_a_month_the_residual_is_below_a_hundredth_and_on_nearly_every_day(whole: ExplainedRun) -> None:
    assert whole.days.height == 31
    assert whole.share < 0.01
    assert whole.within >= 0.95
    gap = max(abs(sum(float(amount.sum()) for amount in one.revalued.values()) - one.gain) for one in whole.each)
    assert gap < 1e-6
    assert (whole.components["greeks"].abs() > 0).sum() == 7


@pytest.mark.slow
def test_of_options_alone_too_where_curvature_and_time_are_most_of_what_moves(whole: ExplainedRun) -> None:
    shares = []
    for one in whole.each:
        mine = pl.col("trade_id").is_in(["running", "next", "put", "option", "expires", "between", "cap", "collar", "fresh"])
        components = one.trades.filter(mine).group_by("factor").agg(pl.col("greeks").sum())["greeks"]
        gain = float(one.values.filter(mine)["gain"].sum())
        shares.append(abs(gain - float(components.sum())) / float(components.abs().sum()))
    assert np.mean(np.array(shares) < 0.01) >= 0.95


@pytest.mark.slow
def test_the_greeks_of_before_alone_leave_more_unsaid(whole: ExplainedRun) -> None:
    assert whole.days["first_residual"].abs().sum() > 10 * whole.days["residual"].abs().sum()
