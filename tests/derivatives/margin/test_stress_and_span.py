"""Stress, margin, and back-tests of today's book."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.risk.scenarios import shifted
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.risk import StressScenarios
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import valued, worth
from tenorgrid.derivatives.margin import moves
from tenorgrid.derivatives.margin.rolling import judged, rolling
from tenorgrid.derivatives.margin.span import MarginRule, margin, risk_array
from tenorgrid.derivatives.margin.stress import stress, usual

Book = Callable[..., Agreed]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"


def scenarios(*rows: tuple[str, str, float, float, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["scenario", "index", "relative", "price", "volatility"], orient="row")


def test_a_dollar_more_is_the_swap_s_discounted_hours(book: Book, market: Market) -> None:
    found = stress(book(("swap", 100.0)), market, scenarios(("up", "*", 0.0, 1.0, 0.0)))
    delta = valued(book(("swap", 100.0)), market).delta("month")["amount"].sum()
    assert found["gain"].to_list() == pytest.approx([delta])


def test_a_scenario_is_the_book_on_the_moved_market_trade_by_trade(book: Book, market: Market) -> None:
    agreed = book(("swap", 100.0), ("forward", -80.0), ("average", -60.0))
    found = stress(agreed, market, scenarios(("crash", "*", -0.3, 0.0, 0.2), ("crash", EAST, 0.0, -0.1, 0.0)))
    curves = {US: shifted(market.curves[US], -0.3 * market.curves[US].forward)}
    east = market.curves[EAST]
    curves[EAST] = shifted(shifted(east, -0.3 * east.forward), np.full(east.forward.size, -0.1))
    moved = replace(market, curves=curves, volatility={US: 1.0, EAST: 0.9})
    assert found["gain"].to_list() == pytest.approx((worth(agreed, moved) - worth(agreed, market)).tolist())
    assert found["trade_id"].to_list() == ["T0", "T1", "T2"]


def test_usual_scenarios_are_valid_and_volatility_stops_at_0(book: Book, market: Market) -> None:
    assert StressScenarios.validate(usual()).height >= 6
    agreed = book(("average", 10.0))
    down, out = (stress(agreed, market, scenarios(("calm", "*", 0.0, 0.0, move)))["gain"].sum() for move in (-0.8, -5.0))
    assert down == pytest.approx(out)
    with pytest.raises(InputError, match="found H200 in odd, expected"):
        stress(agreed, market, scenarios(("odd", "H200", 0.1, 0.0, 0.0)))
    with pytest.raises(InputError, match="column relative: found -1"):
        stress(agreed, market, scenarios(("odd", "*", -1.0, 0.0, 0.0)))


def test_the_risk_array_of_a_swap_is_its_delta_times_the_scan(book: Book, market: Market) -> None:
    rule = MarginRule()
    array = risk_array(book(("swap", 100.0)), market, rule, indices=[US])
    assert array.height == 16
    whole = array.filter(pl.col("price") == -1.0)["loss"][0]
    assert array.filter(pl.col("price") == 1.0)["loss"][0] == pytest.approx(-whole)
    assert array.filter((pl.col("price") + 1 / 3).abs() < 1e-9)["loss"][0] == pytest.approx(whole / 3)
    assert array.filter(pl.col("price") == -3.0)["loss"][0] == pytest.approx(0.33 * 3 * whole)
    delta = sum(block.months.sum(axis=0) for block in valued(book(("swap", 100.0)), market).parts[0].priced.blocks)
    forward = market.curves[US].forward
    names, places = market.months[US]
    mean = np.bincount(places, weights=forward) / np.bincount(places, minlength=len(names))
    assert whole == pytest.approx(3.0 * 0.8 / np.sqrt(365) * np.sqrt(2) * float(delta @ mean), rel=2e-3)


def components(agreed: Agreed, market: Market, history: pl.DataFrame, rule: MarginRule) -> dict[str, float]:
    scaled, past = (how(history, [US, EAST], days=2) for how in (moves.filtered, moves.unfiltered))
    found = margin(agreed, valued(agreed, market), scaled=scaled, past=past, rule=rule)
    return dict(found.iter_rows())


@pytest.mark.slow
def test_margin_is_its_components_scales_with_the_book_and_nothing_costs_nothing(book: Book, market: Market, history: pl.DataFrame) -> None:
    rule = MarginRule(volume={US: 50_000.0})
    one, two = (components(book(("swap", size), ("average", -size / 2)), market, history, rule) for size in (100.0, 200.0))
    charges = one["inter-month"] + one["liquidity"] + one["concentration"]
    assert one["margin"] == pytest.approx(0.75 * max(one["historical"], one["floor"]) + 0.25 * one["stress"] + charges)
    for name in ("historical", "floor", "stress", "liquidity", "scan", "sold-options"):
        assert two[name] == pytest.approx(2 * one[name], rel=1e-6)
    assert two["concentration"] > 2 * one["concentration"] > 0
    opposite = components(book(("swap", 100.0), ("swap", -100.0)), market, history, rule)
    assert opposite == pytest.approx(dict.fromkeys(one, 0.0), abs=1e-6)


def test_a_margin_rule_that_cannot_be_is_refused_with_every_fault() -> None:
    with pytest.raises(InputError) as caught:
        MarginRule(level=1.0, days=0, stressed=2.0, volume={US: 0.0})
    assert [fault.column for fault in caught.value.faults] == ["level", "stressed", "days", "volume"]


def test_forecasts_read_nothing_of_their_own_day_or_later(book: Book, market: Market, history: pl.DataFrame) -> None:
    found = valued(book(("swap", 100.0), ("forward", -30.0)), market)
    whole = rolling(found, history, [US, EAST], level=0.95)
    cut = whole["day"][100]
    early = rolling(found, history.filter(pl.col("date") <= cut), [US, EAST], level=0.95)
    assert early.to_dicts() == whole.head(101).to_dicts()


def test_filtered_forecasts_of_a_drawn_history_pass_and_a_tenth_of_them_fails(book: Book, market: Market, history: pl.DataFrame) -> None:
    found = valued(book(("swap", 100.0)), market)
    days = rolling(found, history, [US, EAST], level=0.95)
    tests = {row["test"]: row for row in judged(days, level=0.95).to_dicts()}
    assert tests["kupiec"]["p_value"] > 0.05
    assert tests["traffic-light"]["verdict"] in ("green", "yellow")
    assert "not too low" in tests["shortfall"]["verdict"]
    bad = days.with_columns(pl.col("value_at_risk") / 10, pl.col("expected_shortfall") / 10)
    bad = bad.with_columns((-pl.col("gain") > pl.col("value_at_risk")).alias("exceeded"))
    worse = {row["test"]: row for row in judged(bad, level=0.95).to_dicts()}
    assert worse["kupiec"]["p_value"] < 1e-6
    assert worse["traffic-light"]["verdict"] == "red"
    assert worse["shortfall"]["verdict"] == "too low at 5 %"
    few = {row["test"]: row for row in judged(days.head(13), level=0.95).to_dicts()}
    assert few["traffic-light"]["verdict"].endswith("of 13 days where Basel asks for 250")
    with pytest.raises(InputError, match="at least 42 days"):
        rolling(found, history.filter(pl.col("index") == US).head(30), [US], level=0.95)
