"""`tg.hedge(...).lots(cost=...)`: ratios as whole lots of futures."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.results import Hedged

ZONE = "America/New_York"
START, END = datetime(2027, 4, 1, 4, tzinfo=UTC), datetime(2027, 6, 16, 4, tzinfo=UTC)  # two months and a half of June
Made = Callable[..., Hedged]


@pytest.fixture
def hedged() -> Made:
    """hedged(ratio by index, out of sample by index, quantity): a fit with those numbers, the first index's last mark at 2.5."""

    def make(ratios: dict[str, float], kept: dict[str, float], quantity: float = 10.0, verdict: str = "effective") -> Hedged:
        exposures = pl.DataFrame({"exposure": ["F"], "quantity": [quantity], "start": [START], "end": [END]})
        basis = pl.DataFrame(
            {"exposure": "F", "index": list(ratios), "ratio": list(ratios.values()), "out_of_sample": [kept[name] for name in ratios],
             "effectiveness": 0.9, "verdict": verdict}
        )  # fmt: skip
        days = [datetime(2027, 3, day).date() for day in (14, 15)]
        series = pl.concat(
            pl.DataFrame({"date": days, "exposure": "F", "index": index, "index_price": [2.4, 2.5 + place]})
            for place, index in enumerate(ratios)
        )
        return Hedged(exposures=exposures, basis=basis, effectiveness=pl.DataFrame(), series=series)

    return make


def told(trades: pl.DataFrame, *columns: str) -> list[Any]:
    return trades.with_columns(pl.col(pl.Enum).cast(pl.String)).select(columns).rows()


def test_lots_are_ratio_times_quantity_month_by_month_and_cost_makes_them_dearer(hedged: Made) -> None:
    trades = hedged({"X": 1.2}, {"X": 0.9}).lots(cost=0.01)
    assert told(trades, "contract", "side", "quantity", "strike") == [
        ("X:2027-04", "buy", 12.0, 2.51), ("X:2027-05", "buy", 12.0, 2.51), ("X:2027-06", "buy", 6.0, 2.51),
    ]  # fmt: skip
    hours = read_trades(trades, timezone=ZONE)[TradeKind.FUTURE]["amount"].sum()
    assert hours == pytest.approx(1.2 * 10 * (END - START).total_seconds() / 3600)  # what the ratio asks for


def test_what_is_sold_is_sold_and_cheaper_and_the_best_index_is_taken(hedged: Made) -> None:
    fit = hedged({"X": 1.0, "Y": 0.5}, {"X": 0.81, "Y": 0.93}, quantity=-10.0)
    trades = fit.lots(cost=0.02, prices={"Y:2027-05": 2.7})
    assert told(trades, "contract", "side", "quantity", "strike") == [
        ("Y:2027-04", "sell", 5.0, pytest.approx(3.48)), ("Y:2027-05", "sell", 5.0, pytest.approx(2.68)),
        ("Y:2027-06", "sell", 2.0, pytest.approx(3.48)),
    ]  # fmt: skip


def test_an_ineffective_hedge_and_less_than_half_a_lot_are_no_trade(hedged: Made) -> None:
    assert hedged({"X": 1.0}, {"X": 0.5}, verdict="ineffective").lots().is_empty()
    assert told(hedged({"X": 0.08}, {"X": 0.9}).lots(), "contract") == [("X:2027-04",), ("X:2027-05",)]
    assert (
        len(tg.Book(hedged({"X": 1.0}, {"X": 0.9}).lots(cost=0.01)) + tg.AsianCall(index="X", contract="2027-05", strike=2.6, lots=-5)) == 4
    )


def test_costs_below_zero_and_prices_of_nothing_are_refused(hedged: Made) -> None:
    with pytest.raises(tg.InputError, match="a cost of at least 0"):
        hedged({"X": 1.0}, {"X": 0.9}).lots(cost=-0.01)
    with pytest.raises(tg.InputError, match="contracts that the hedge trades"):
        hedged({"X": 1.0}, {"X": 0.9}).lots(prices={"X:2027-07": 2.5})


def test_costs_and_prices_change_strikes_alone(hedged: Made) -> None:
    fit = hedged({"X": 1.0}, {"X": 0.9})
    assert fit.lots(cost=0.3).drop("strike").equals(fit.lots().drop("strike"))
    twice = replace(fit, exposures=fit.exposures.with_columns(pl.col("quantity") * 2)).lots()
    assert twice["quantity"].to_list() == [2 * quantity for quantity in fit.lots()["quantity"]]
