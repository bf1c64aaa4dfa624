"""Books revalued on a grid of moves, beside the revaluation of every move."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm

from tenorgrid.curves.discount import flat
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.margin import gridded, moves
from tenorgrid.derivatives.margin.revalued import gains
from tenorgrid.derivatives.margin.tail import tail

Book = Callable[..., Agreed]
Trade = Callable[..., dict[str, object]]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
APRIL = datetime(2027, 4, 1, 4, tzinfo=UTC)


def mixed(trade: Trade) -> Agreed:
    """On one index, on the other, a sum over both, and an option on both."""
    rows = [
        trade("A", "swap", "buy", 100.0, US, "2027-Q2", 2.45),
        trade("B", "option", "sell", 80.0, EAST, "2027-05", 2.6, option="call", expiry=APRIL),
        trade("C", "spread", "sell", 60.0, US, "2027-04", 0.0, index2=EAST, contract=None),
        trade("D", "spread-option", "buy", 90.0, US, "2027-05", 0.05, option="call", expiry=APRIL, index2=EAST),
    ]
    return read_trades(pl.DataFrame(rows, infer_schema_length=None), timezone="America/New_York")


@pytest.mark.slow
def test_a_grid_gives_what_every_move_in_full_gives(trade: Trade, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """120 moves of ten days; the option on both goes over its grid though so few moves would be revalued one by one."""
    agreed, drawn = mixed(trade), moves.drawn(market, [US, EAST], count=120, seed=1, days=10)
    monkeypatch.setattr(gridded, "SIDE", 10)
    full, grid, greeks = (gains(agreed, market, drawn, method=how) for how in ("full", "grid", "greeks"))
    assert grid == pytest.approx(full, abs=2e-3 * np.abs(full).max())
    assert np.abs(greeks - full).max() > 10 * np.abs(grid - full).max()


def test_value_at_risk_of_a_forward_on_a_grid_is_the_formula_s(trade: Trade, market: Market) -> None:
    """Of ten thousand moves: a bought forward loses its delta times the fall of a lognormal forward."""
    agreed = read_trades(pl.DataFrame([trade("A", "forward", "buy", 1.0, US, "2027-04", 2.4)]), timezone="America/New_York")
    drawn = moves.drawn(market, [US], count=10_000, seed=5)
    found, unit = (
        tail(gains(agreed, market, drawn, method="grid"), level=0.99),
        tail(gains(agreed, market, drawn, method="greeks"), level=0.99),
    )
    assert found.value_at_risk == pytest.approx(unit.value_at_risk, rel=1e-4)
    deviation = 0.8 / np.sqrt(365)
    fall = -np.expm1(norm.ppf(0.01) * deviation - 0.5 * deviation**2)
    end = datetime(2027, 5, 1, 4, tzinfo=UTC)
    worth = 720 * market.curves[US].average(APRIL, end) * flat(0.04).factor(market.as_of, end)
    assert found.value_at_risk == pytest.approx(worth * fall, rel=0.04)


def test_a_bought_option_never_loses_more_than_it_is_worth(book: Book, market: Market) -> None:
    """Nor does the grid of it; its Greeks do not know that."""
    agreed, drawn = book(("option", 50.0)), moves.drawn(market, [US], count=2_000, seed=2, days=200)
    worth = -float(gains(agreed, market, moves.Moves(indices=(US,), values=np.array([[5.0]])), method="full")[0])
    assert gains(agreed, market, drawn, method="grid").min() >= -worth - 1e-6


def test_moves_that_lack_an_index_are_refused(trade: Trade, market: Market) -> None:
    with pytest.raises(InputError, match=f"found {EAST}, expected moves of every index"):
        gains(mixed(trade), market, moves.drawn(market, [US], count=100, seed=1), method="grid")
