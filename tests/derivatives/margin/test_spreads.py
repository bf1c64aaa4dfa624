"""Charges between months, credits between indices, and the least for options sold."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import valued
from tenorgrid.derivatives.margin import moves, spreads
from tenorgrid.derivatives.margin.span import MarginRule, margin, risk_array

Book = Callable[..., Agreed]
Trade = Callable[..., dict[str, object]]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"


def components(agreed: Agreed, market: Market, history: pl.DataFrame, rule: MarginRule | None = None) -> dict[str, float]:
    scaled, past = (how(history, [US, EAST], days=2) for how in (moves.filtered, moves.unfiltered))
    return dict(margin(agreed, valued(agreed, market), scaled=scaled, past=past, rule=rule or MarginRule()).iter_rows())


def agreed_of(*rows: dict[str, object]) -> Agreed:
    return read_trades(pl.DataFrame(list(rows), infer_schema_length=None), timezone="America/New_York")


def test_months_pay_for_the_lesser_side_and_indices_are_credited_closest_first(market: Market) -> None:
    """Worked by hand: A long 100, B short 60, C short 80; A and C correlated by .9 come first and leave 20 for A and B at .5."""
    worth = {name: np.array([amount]) for name, amount in (("A", 100.0), ("B", -60.0), ("C", -80.0))}
    rho = {frozenset("AC"): 0.9, frozenset("AB"): 0.5, frozenset("BC"): 0.99}
    scans = {"A": 10.0, "B": 12.0, "C": 4.0}
    found = spreads.between_indices(worth, scans=scans, market=replace(market, correlation=rho), rate=0.8)
    assert found == pytest.approx(0.8 * (0.9 * (10 / 100 + 4 / 80) * 80 + 0.5 * (10 / 100 + 12 / 60) * 20))
    assert spreads.between_indices(worth, scans=scans, market=replace(market, correlation={}), rate=0.8) == 0.0
    months = {"A": np.array([100.0, -60.0, -10.0]), "B": np.array([5.0, 5.0])}
    assert spreads.between_months(months, ranges={"A": 0.1, "B": 0.2}, rate=0.25) == pytest.approx(0.25 * 0.1 * 70)


def test_one_month_against_another_is_charged_though_parallel_moves_see_nothing(
    trade: Trade, market: Market, history: pl.DataFrame
) -> None:
    spread = agreed_of(trade("A", "forward", "buy", 100.0, US, "2027-04", 2.4), trade("B", "forward", "sell", 100.0, US, "2027-06", 2.4))
    outright = agreed_of(trade("A", "forward", "buy", 100.0, US, "2027-04", 2.4))
    found, alone = components(spread, market, history), components(outright, market, history)
    assert found["historical"] < 0.1 * alone["historical"]
    assert found["inter-month"] == pytest.approx(0.25 * alone["scan"], rel=2e-3)  # April is the lesser side
    assert alone["inter-month"] == 0.0
    assert 0 < found["margin"] < alone["margin"]


@pytest.mark.slow
def test_opposite_indices_are_credited_and_cost_more_than_nothing(book: Book, market: Market, history: pl.DataFrame) -> None:
    found = components(book(("swap", 100.0), ("forward", -300.0)), market, history)
    assert found["inter-index-credit"] > 0
    scans = [components(book(one), market, history)["scan"] for one in (("swap", 100.0), ("forward", -300.0))]
    assert found["scan"] == pytest.approx(sum(scans) - found["inter-index-credit"])
    same = components(book(("swap", 100.0), ("forward", 300.0)), market, history)
    assert same["inter-index-credit"] == 0.0


def test_an_option_far_out_of_the_money_is_asked_the_least(trade: Trade, market: Market, history: pl.DataFrame) -> None:
    expiry = datetime(2027, 4, 1, 4, tzinfo=UTC)
    row = trade("O", "option", "sell", 100.0, US, "2027-05", 20.0, option="call", expiry=expiry)
    found = components(agreed_of(row), market, history)
    outright = 744 * 100.0 * float(market.curves[US].forward.mean()) * 3.0 * 0.8 / np.sqrt(365) * np.sqrt(2)
    assert found["sold-options"] == pytest.approx(0.05 * outright)
    assert found["margin"] == found["scan"] == found["sold-options"]
    assert components(agreed_of(row | {"side": "buy"}), market, history)["sold-options"] == 0.0


def test_margin_does_not_fall_below_its_floor_when_days_are_calm(book: Book, market: Market, history: pl.DataFrame) -> None:
    """The days in the order of time reversed: the wild ones first, the calm ones last."""
    days = history["date"].unique().sort()
    turned = history.with_columns(pl.col("date").replace_strict(days, days.reverse()))
    floored, free = (components(book(("swap", 100.0)), market, turned, MarginRule(floor=part)) for part in (1.0, 0.0))
    assert floored["floor"] > 1.2 * floored["historical"]
    assert floored["margin"] - free["margin"] == pytest.approx(0.75 * (floored["floor"] - floored["historical"]))


def test_an_index_without_volatility_has_no_scan_range_and_is_refused(book: Book, market: Market) -> None:
    with pytest.raises(InputError, match=f"0 rows of {EAST}"):
        risk_array(book(("forward", 100.0)), replace(market, volatility={US: 0.8}), MarginRule(), indices=[EAST])
    with pytest.raises(InputError) as caught:
        MarginRule(floor=-1.0, month_spread=2.0)
    assert [fault.column for fault in caught.value.faults] == ["floor", "month_spread"]
