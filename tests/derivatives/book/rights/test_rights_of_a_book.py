"""Rights on capacity in books: what they all owe, values, deltas, gammas, vegas, theta, refusals that name the row."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.agreed.read import read_trades
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.scenarios import scenario_grid
from tenorgrid.derivatives.book.valuation import BookValue, valued, worth

Priced = Callable[..., BookValue]
Made = Callable[..., dict[str, object]]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
WEEK = (datetime(2027, 4, 3, 4, tzinfo=UTC), datetime(2027, 4, 10, 4, tzinfo=UTC))
DAYS = (datetime(2027, 4, 3, 4, tzinfo=UTC), datetime(2027, 4, 5, 4, tzinfo=UTC))


def terms(**params: object) -> dict[str, object]:
    two = {"index2": params.pop("index2")} if "index2" in params else {}
    return {"params": json.dumps(params), **two}


RIGHTS: list[tuple[str, object, float | None, dict[str, object]]] = [
    ("take-or-pay", WEEK, 2.5, terms(minimum=3000, maximum=9000)),
    ("swing", "2027-04", 2.4, terms(rights=8, minimum=3, reversion=4.0)),
    ("swing", DAYS, 2.4, terms(rights=15, most=2, ramp=1, step="hour", reversion=60)),
    ("reliability", WEEK, 2.5, terms()),
    ("reliability", WEEK, 2.5, terms(penalty=0.5, availability=0.9, reversion=5)),
    ("reliability", WEEK, 2.4, terms(stop_loss=2000)),
    ("tolling", WEEK, 0.1, terms(index2=EAST, rate=0.9, start_cost=50, minimum_run=8, minimum_rest=4, reversion=60)),
    ("tolling", WEEK, 0.1, terms(index2=EAST, rate=0.9, method="intrinsic")),
    ("lease", "2027-Q2", 2.4, terms(promised=0.99, availability=0.97, concentration=200, slope=2, floor=0.5)),
    ("generation-switch", "2027-Q2", None, terms(index2=EAST, ratio=0.95, cost=1000)),
    ("generation-switch", "2027-05", None, terms(index2=EAST, ratio=0.97, reversion=2, decisions="monthly")),
]
NAMES = [f"{kind}-{number}" for number, (kind, *_) in enumerate(RIGHTS)]
VOLATILE = [
    number for number, (kind, *_, more) in enumerate(RIGHTS) if kind not in ("take-or-pay", "lease") and "intrinsic" not in str(more)
]


def own(rows: pl.DataFrame) -> float:
    """Sum of the buckets of the trade's first index."""
    return float(sum(amount for name, amount in rows.select("bucket", "amount").iter_rows() if " of " not in name))


def moved(market: Market, index: str, move: float) -> Market:
    return replace(market, curves={**market.curves, index: parallel(market.curves[index], move)})


@pytest.mark.parametrize("number", range(len(RIGHTS)), ids=NAMES)
def test_deltas_are_those_of_revaluation_with_moved_curves(priced: Priced, market: Market, number: int) -> None:
    kind, span, strike, more = RIGHTS[number]
    base, h = priced(kind, span, strike, **more), 1e-4 if number in VOLATILE else 1e-6  # the best hours change where a margin is 0
    for index in (US, EAST) if "index2" in more else (US,):
        up, down = (priced(kind, span, strike, on=moved(market, index, way * h), **more).value for way in (1, -1))
        for by in ("month", "quote"):
            rows = base.delta(by)
            found = own(rows) if index == US else float(rows.filter(pl.col("bucket").str.ends_with(f" of {EAST}"))["amount"].sum())
            tolerance = 2e-2 if "stop_loss" in str(more) else 3e-4
            assert found == pytest.approx((up - down) / (2 * h), rel=tolerance), (index, by)


@pytest.mark.parametrize("number", range(len(RIGHTS)), ids=NAMES)
def test_one_quote_moved_is_its_delta(priced: Priced, market: Market, curve: ForwardCurve, number: int) -> None:
    kind, span, strike, more = RIGHTS[number]
    found = dict(priced(kind, span, strike, **more).delta("quote").iter_rows())
    place = curve.quotes["quote_id"].to_list().index("M4" if span != "2027-05" else "M5")
    name, h = curve.quotes["quote_id"][place], 1e-4 if number in VOLATILE else 1e-6

    def at(move: float) -> float:
        bumped = replace(curve, forward=curve.forward + move * curve.sensitivity[:, place])
        return priced(kind, span, strike, on=replace(market, curves={**market.curves, US: bumped}), **more).value

    tolerance = 2e-2 if "stop_loss" in str(more) else 3e-4
    assert found[name] == pytest.approx((at(h) - at(-h)) / (2 * h), rel=tolerance)


@pytest.mark.parametrize("number", VOLATILE, ids=[NAMES[number] for number in VOLATILE])
def test_vega_rises_with_volatility_and_is_revaluation_s(priced: Priced, market: Market, number: int) -> None:
    kind, span, strike, more = RIGHTS[number]
    up, down = (
        priced(kind, span, strike, on=replace(market, volatility={US: 0.8 + way, EAST: 0.7}), **more).value for way in (1e-3, -1e-3)
    )
    found = own(priced(kind, span, strike, **more).vega())
    assert found == pytest.approx(0.01 * (up - down) / 2e-3, rel=1e-6)
    if kind != "generation-switch" and "stop_loss" not in str(more):  # an exchange may fall with one of two volatilities
        assert found > 0


@pytest.mark.parametrize("number", range(len(RIGHTS)), ids=NAMES)
def test_theta_is_what_a_shorter_time_adds(priced: Priced, market: Market, number: int) -> None:
    """The same forwards seen six hours later, or earlier: hours of the curve keep their prices."""
    kind, span, strike, more = RIGHTS[number]
    if kind == "lease" or span in (WEEK, DAYS):

        def at(hours: float) -> float:
            now = market.as_of + timedelta(hours=hours)
            curves = {name: replace(one, as_of=now) for name, one in market.curves.items()}
            return priced(kind, span, strike, on=replace(market, as_of=now, curves=curves), **more).value

        found = priced(kind, span, strike, **more).theta()
        assert found == pytest.approx((at(1) - at(-1)) * 12, rel=5e-3, abs=1e-6)


def test_values_alone_are_those_of_the_full_valuation_and_a_seller_has_the_opposite(trade: Made, market: Market) -> None:
    def book(side: str) -> pl.DataFrame:
        rows = [
            trade(name, kind, side, 100.0, US, span, strike, **more) for name, (kind, span, strike, more) in zip(NAMES, RIGHTS, strict=True)
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    bought, sold = (read_trades(book(side), timezone=market.timezone) for side in ("buy", "sell"))
    full = valued(bought, market)
    assert worth(bought, market) == pytest.approx(full.values["value"].to_numpy(), rel=1e-12)
    assert worth(sold, market) == pytest.approx(-full.values["value"].to_numpy(), rel=1e-12)
    assert full.values["trade_id"].to_list() == NAMES
    assert set(full.risks["trade_id"]) == set(NAMES)


def test_scenarios_revalue_rights(trade: Made, market: Market) -> None:
    row = trade("T", "swing", "buy", 100.0, US, "2027-04", 2.4, **terms(rights=8))
    agreed = read_trades(pl.DataFrame([row], infer_schema_length=None), timezone=market.timezone)
    found = scenario_grid(agreed, market, prices=[-0.2, 0.0, 0.2], volatilities=[0.0, 0.2])
    gains = {(price, move): gain for price, move, gain in found.iter_rows()}
    assert gains[0.0, 0.0] == 0.0
    assert gains[-0.2, 0.0] < 0 < gains[0.0, 0.2] < gains[0.2, 0.2]
    up = replace(moved(market, US, 0.2), curves={name: parallel(one, 0.2) for name, one in market.curves.items()}).with_volatility(0.2)
    assert gains[0.2, 0.2] == pytest.approx(worth(agreed, up)[0] - worth(agreed, market)[0], rel=1e-12)


def test_a_premium_counts_until_it_is_paid(priced: Priced) -> None:
    free = priced("swing", "2027-04", 2.4, **terms(rights=8)).value
    paid = priced("swing", "2027-04", 2.4, **terms(rights=8), premium=500.0, pay_date=date(2027, 4, 1)).value
    assert paid == pytest.approx(free - 500 * np.exp(-0.04 * 16 / 365), rel=1e-12)


BAD: list[tuple[str, Any, float | None, dict[str, object], str]] = [
    ("swing", "2027-04", 2.4, terms(), "rights, a whole number of at least 1"),
    ("swing", "2027-04", 2.4, terms(rights=2.5), "rights, a whole number of at least 1"),
    ("swing", "2027-04", 2.4, terms(rights=3, minimum=4), "a minimum not above the rights"),
    ("swing", "2027-04", 2.4, terms(rights=3, used=4), "no more used than there are rights"),
    ("swing", "2027-04", 2.4, terms(rights=40, minimum=31), "row 1, column minimum: found 31, expected a minimum that 30 dates allow"),
    ("swing", "2027-04", 2.4, terms(rights=3, step="week"), "the text step, one of day, hour"),
    ("swing", "2027-04", 2.4, terms(rights=3, reversion=-1), "reversion, a number of at least 0"),
    ("swing", "2027-04", None, terms(rights=3), "column strike: found nothing"),
    ("take-or-pay", WEEK, 2.4, terms(minimum=20000), "row 1, column minimum"),
    ("take-or-pay", WEEK, 2.4, terms(minimum=2, maximum=1), "a minimum not above the maximum"),
    ("reliability", WEEK, 2.4, terms(availability=1.1), "availability, a number of at least 0 and at most 1"),
    ("reliability", WEEK, 2.4, terms(stop_loss=5, paid=6), "no more paid than the stop-loss"),
    ("reliability", WEEK, -1.0, terms(), "a strike above 0"),
    ("tolling", WEEK, 0.1, terms(), "index2: found nothing"),
    ("tolling", WEEK, 0.1, terms(index2=US), "another index than that of the output"),
    ("tolling", WEEK, 0.1, terms(index2=EAST, minimum_run=1.5), "minimum_run, a whole number"),
    ("tolling", WEEK, 0.1, {**terms(index2=EAST), "profile": "peak"}, "runs and rests last over all hours"),
    ("lease", "2027-04", 2.4, terms(availability=0.9), "promised, a number of at least 0 and at most 1"),
    ("lease", "2027-04", 2.4, terms(promised=0.9, availability=1.0, concentration=5), "beside a concentration"),
    ("generation-switch", "2027-04", 2.4, terms(index2=EAST), "a generation-switch has no strike"),
    ("generation-switch", "2027-04", None, terms(index2=EAST, ratio=0), "ratio, a number above 0"),
    ("generation-switch", "2027-03", None, terms(index2=EAST), "a decision still to come"),
    ("swing", (datetime(2027, 3, 1, 5, tzinfo=UTC), datetime(2027, 3, 10, 5, tzinfo=UTC)), 2.4, terms(rights=3), "column end"),
]


@pytest.mark.parametrize(("kind", "span", "strike", "more", "said"), BAD)
def test_what_cannot_be_is_refused_with_its_row(
    priced: Priced, kind: str, span: object, strike: float | None, more: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        priced(kind, span, strike, **more)
    assert caught.value.faults[0].row == 1


def test_a_volatility_or_correlation_that_lacks_is_missed_where_it_belongs(priced: Priced, market: Market) -> None:
    with pytest.raises(InputError, match=f"volatility, column index: found 0 rows of {US}"):
        priced("swing", "2027-04", 2.4, on=replace(market, volatility={}), **terms(rights=3))
    assert priced("take-or-pay", WEEK, 2.4, on=replace(market, volatility={}), **terms()).value > 0
    with pytest.raises(InputError, match="correlation, column index: found none"):
        priced("generation-switch", "2027-04", None, on=replace(market, correlation={}), **terms(index2=EAST))
