"""Moves of indices, and what books gain in them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import valued
from tenorgrid.derivatives.margin import moves
from tenorgrid.derivatives.margin.revalued import by_greeks, gains
from tenorgrid.derivatives.margin.tail import tail

Book = Callable[..., Agreed]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"


def test_filtered_moves_are_returns_over_their_own_day_s_deviation_times_today_s(history: pl.DataFrame) -> None:
    found = moves.filtered(history, [US, EAST])
    value = history.filter(pl.col("index") == US)["value"].to_numpy()
    returns = np.diff(np.log(value))
    variance = float((returns[:20] ** 2).mean())
    slow = []
    for change in returns[20:]:
        slow.append(change / np.sqrt(variance))
        variance = 0.94 * variance + 0.06 * change**2
    assert found.values[:, 0] == pytest.approx(np.array(slow) * np.sqrt(variance), rel=1e-10)
    assert (len(found.days), found.days[-1]) == (278, date(2027, 3, 15))
    assert moves.filtered(history, [US], days=4).values == pytest.approx(2.0 * found.values[:, :1])


def test_wild_days_are_expected_where_the_last_days_were_wild(history: pl.DataFrame) -> None:
    rescaled, as_was = moves.filtered(history, [US]), moves.unfiltered(history, [US])
    assert rescaled.values[:100].std() > 1.5 * as_was.values[20:120].std()
    assert np.asarray(np.corrcoef(moves.filtered(history, [US, EAST]).values.T))[0, 1] == pytest.approx(0.6, abs=0.12)


def test_drawn_moves_have_the_market_s_moments(market: Market) -> None:
    for freedom in (None, 5.0):
        found = moves.drawn(market, [US, EAST], count=400_000, seed=3, days=2, freedom=freedom).values
        assert np.exp(found).mean(axis=0) == pytest.approx([1.0, 1.0], abs=5e-4)
        assert found.std(axis=0) == pytest.approx(np.array([0.8, 0.7]) * np.sqrt(2 / 365), rel=1e-2)
        assert np.asarray(np.corrcoef(found.T))[0, 1] == pytest.approx(0.6, abs=1e-2)
    again = moves.drawn(market, [US], count=10, seed=3).values
    assert again.tolist() == moves.drawn(market, [US], count=10, seed=3).values.tolist()


def test_value_at_risk_of_a_swap_is_the_formula_s(book: Book, market: Market) -> None:
    """A swap gains its delta times the move of the forwards: lognormal, so that a quantile of it is known."""
    agreed = book(("swap", 100.0))
    drawn = moves.drawn(market, [US, EAST], count=40_000, seed=5)
    found = tail(gains(agreed, market, drawn, method="greeks"), level=0.99)
    delta = sum(block.months.sum(axis=0) for block in valued(agreed, market).parts[0].priced.blocks)
    worth = float(delta @ _means(market))
    deviation = 0.8 / np.sqrt(365)
    told = -worth * np.expm1(norm.ppf(0.01) * deviation - 0.5 * deviation**2)
    assert found.lower <= told <= found.upper
    assert found.value_at_risk == pytest.approx(told, rel=0.03)


def _means(market: Market) -> np.ndarray:
    names, places = market.months[US]
    return np.bincount(places, weights=market.curves[US].forward) / np.bincount(places, minlength=len(names))


def test_methods_agree_where_they_should(book: Book, market: Market, history: pl.DataFrame) -> None:
    agreed = book(("swap", 100.0), ("forward", -80.0), ("average", -60.0), ("option", 40.0))
    scaled = moves.filtered(history, [US, EAST])
    few = moves.Moves(indices=scaled.indices, values=scaled.values[:60])
    greeks, full, worst = (gains(agreed, market, few, method=how, level=0.9) for how in ("greeks", "full", "worst"))
    assert greeks == pytest.approx(full, abs=0.03 * np.abs(full).max())
    assert tail(worst, level=0.9).expected_shortfall == pytest.approx(tail(full, level=0.9).expected_shortfall, rel=1e-12)
    assert (worst == greeks).sum() == 60 - 24
    linear = book(("swap", 100.0), ("forward", -80.0))
    assert gains(linear, market, few, method="greeks") == pytest.approx(gains(linear, market, few, method="full"), rel=2e-2, abs=50.0)


def test_prices_that_come_back_move_far_months_less(book: Book, market: Market, history: pl.DataFrame) -> None:
    agreed, scaled = book(("swap", 100.0)), moves.filtered(history, [US])
    few = moves.Moves(indices=scaled.indices, values=scaled.values[:20])
    near, far = (gains(agreed, market, few, method="full", reversion=kappa) for kappa in (0.0, 4.0))
    assert (np.abs(far) < np.abs(near)).all()
    told = by_greeks(valued(agreed, market).parts, market, few, reversion=4.0)
    assert told == pytest.approx(far, abs=0.02 * np.abs(far).max())


def test_what_cannot_be_moved_is_refused(book: Book, market: Market, history: pl.DataFrame) -> None:
    agreed = book(("swap", 100.0), ("forward", -80.0))
    with pytest.raises(InputError, match=f"found {EAST}, expected moves of every index of the book"):
        gains(agreed, market, moves.filtered(history, [US]))
    with pytest.raises(InputError, match="one of worst, full, greeks, grid"):
        gains(agreed, market, moves.filtered(history, [US, EAST]), method="guess")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="prints of every index"):
        moves.filtered(history, ["A100"])
    with pytest.raises(InputError, match="at least 22 days"):
        moves.filtered(history.filter(pl.col("date") > date(2027, 3, 1)), [US])
    with pytest.raises(InputError, match=r"0 of H100-SXM.US.FIRM on 2027-03-01, expected a print above 0"):
        moves.filtered(history.with_columns(pl.when(pl.col("date") == date(2027, 3, 1)).then(0.0).otherwise("value").alias("value")), [US])
    with pytest.raises(InputError, match="2027-02-20 to 2027-03-01, expected days at most 4 apart"):
        moves.filtered(history.filter(~pl.col("date").is_between(date(2027, 2, 21), date(2027, 2, 28))), [US])
    with pytest.raises(InputError, match="an even number of draws"):
        moves.drawn(market, [US], count=3, seed=1)
    with pytest.raises(InputError, match="a freedom above 2"):
        moves.drawn(market, [US], count=2, seed=1, freedom=2.0)
    with pytest.raises(InputError, match="a correlation of the two"):
        moves.drawn(replace(market, correlation={}), [US, EAST], count=2, seed=1)
