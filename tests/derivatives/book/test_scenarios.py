"""Grids of moves by full revaluation."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl
import pytest

from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.scenarios import scenario_grid
from tenorgrid.derivatives.book.valuation import valued, worth

ZONE = "America/New_York"
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"


@pytest.fixture(scope="module")
def agreed(trade: Callable[..., dict[str, object]]) -> Agreed:
    rows = [
        trade("F", "forward", "buy", 100.0, US, "2027-04", 2.5),
        trade("A", "average", "sell", 80.0, US, "2027-05", 2.5, option="call"),
        trade("C", "cap", "buy", 20.0, US, "2027-Q2", 2.7),
    ]
    return read_trades(pl.DataFrame(rows, infer_schema_length=None), timezone=ZONE)


def test_a_forward_gains_its_delta_and_no_move_gains_nothing(agreed: Agreed, market: Market) -> None:
    alone = {kind: rows for kind, rows in agreed.items() if str(kind) == "forward"}
    found = scenario_grid(alone, market, prices=[-0.4, 0.0, 0.4], volatilities=[0.0, 0.3])
    delta = float(valued(alone, market).delta("month")["amount"].sum())
    assert found["gain"].to_list() == pytest.approx([-0.4 * delta] * 2 + [0.0] * 2 + [0.4 * delta] * 2, abs=1e-6)


def test_a_cell_is_the_book_valued_on_the_moved_market(agreed: Agreed, market: Market) -> None:
    found = scenario_grid(agreed, market, prices=[0.2], volatilities=[-0.1])
    moved = replace(
        market,
        curves={index: parallel(curve, 0.2) for index, curve in market.curves.items()},
        volatility={US: 0.7, EAST: 0.6},
    )
    assert found["gain"][0] == pytest.approx(valued(agreed, moved).value - valued(agreed, market).value, abs=1e-6)


def test_worth_is_the_values_in_the_order_of_the_rows(agreed: Agreed, market: Market) -> None:
    assert worth(agreed, market).tolist() == valued(agreed, market).values["value"].to_list()


def test_what_is_bought_as_an_option_loses_less_than_its_delta_says(agreed: Agreed, market: Market) -> None:
    alone = {kind: rows for kind, rows in agreed.items() if str(kind) == "cap"}
    delta = float(valued(alone, market).delta("month")["amount"].sum())
    found = scenario_grid(alone, market, prices=[-0.5, 0.5], volatilities=[0.0])
    assert (found["gain"] > found["price"] * delta).all()


def test_moves_given_twice_and_volatilities_below_zero_are_refused(agreed: Agreed, market: Market) -> None:
    with pytest.raises(InputError) as caught:
        scenario_grid(agreed, market, prices=[0.1, 0.1], volatilities=[-0.9])
    assert [fault.column for fault in caught.value.faults] == ["prices", "volatilities"]
