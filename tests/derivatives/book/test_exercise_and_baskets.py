"""American, barrier and basket options in books, and prices that may be negative."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.discount import flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.market import Market, make_market
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.options import bachelier

Priced = Callable[..., BookValue]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
APRIL = datetime(2027, 4, 1, 4, tzinfo=UTC)
HALVES = {US: 0.5, EAST: 0.5}


def basket(method: str = "bound", weights: dict[str, float] = HALVES) -> dict[str, object]:
    return {"option": "call", "expiry": APRIL, "contract": None, "params": json.dumps({"weights": weights, "method": method})}


def barrier(kind: str, level: float, **more: object) -> dict[str, object]:
    return {"option": "call", "expiry": APRIL, "params": json.dumps({"barrier": kind, "level": level} | more)}


KINDS: list[tuple[str, dict[str, object]]] = [
    ("american", {"option": "put", "expiry": APRIL}),
    ("barrier", barrier("up-and-out", 3.4)),
    ("barrier", barrier("down-and-in", 2.0, rebate=0.1)),
    ("basket-option", basket()),
    ("basket-option", basket("moments", {US: 0.7, EAST: 0.2})),
]


@pytest.mark.parametrize(("kind", "more"), KINDS)
def test_sensitivities_agree_with_revaluation(priced: Priced, market: Market, kind: str, more: dict[str, object]) -> None:
    def at(up: float = 0.0, sigma: float = 0.0, rho: float = 0.0) -> BookValue:
        curves = {**market.curves, US: parallel(market.curves[US], up)}
        moved = replace(market, curves=curves, volatility={US: 0.8 + sigma, EAST: 0.7}, correlation={frozenset((US, EAST)): 0.6 + rho})
        return priced(kind, "2027-04", 2.4, on=moved, **more)

    base, h = at(), 2e-3
    own = {name: amount for name, amount in base.delta("month").iter_rows() if " of " not in name}
    assert sum(own.values()) == pytest.approx((at(h).value - at(-h).value) / (2 * h), rel=2e-4)
    vega = sum(amount for name, amount in base.vega().iter_rows() if " of " not in name)
    assert vega == pytest.approx(0.01 * (at(sigma=h).value - at(sigma=-h).value) / (2 * h), rel=2e-4)
    if kind == "basket-option":
        assert sum(base.correlation()["amount"]) == pytest.approx(0.01 * (at(rho=h).value - at(rho=-h).value) / (2 * h), rel=1e-4)


def test_an_american_option_is_worth_no_less_than_a_european_one_and_than_its_exercise(priced: Priced, curve: ForwardCurve) -> None:
    for strike in (1.5, 2.5, 4.0):
        more: dict[str, Any] = {"option": "put", "expiry": APRIL}
        early = priced("american", "2027-04", strike, **more).value
        paid = 100 * 720 * max(strike - curve.average(date(2027, 4, 1), date(2027, 5, 1)), 0.0)
        assert early >= priced("option", "2027-04", strike, pay_date=date(2027, 4, 1), **more).value - 1e-6
        assert early >= paid - 1e-6


def test_in_and_out_are_a_plain_option_and_a_touched_barrier_leaves_one_of_them(priced: Priced) -> None:
    plain = priced("option", "2027-04", 2.4, option="call", expiry=APRIL, pay_date=date(2027, 4, 1)).value
    parts = [priced("barrier", "2027-04", 2.4, **barrier(kind, 2.9)).value for kind in ("up-and-in", "up-and-out")]
    assert sum(parts) == pytest.approx(plain, rel=1e-9)
    touched = [priced("barrier", "2027-04", 2.4, **barrier(kind, 2.9, touched="yes")) for kind in ("up-and-in", "up-and-out")]
    assert [one.value for one in touched] == pytest.approx([plain, 0.0], rel=1e-9)
    assert touched[1].delta("month").is_empty()


def test_a_basket_of_one_weight_is_a_plain_option_and_methods_agree_where_members_move_together(priced: Priced, market: Market) -> None:
    plain = priced("option", "2027-04", 2.4, option="call", expiry=APRIL).value
    nearly = priced("basket-option", "2027-04", 2.4, **basket(weights={US: 1.0, EAST: 1e-12})).value
    assert nearly == pytest.approx(plain, rel=1e-6)
    together = replace(market, correlation={frozenset((US, EAST)): 0.9})
    bound, near = (priced("basket-option", "2027-04", 2.4, on=together, **basket(method)).value for method in ("bound", "moments"))
    assert bound == pytest.approx(near, rel=2e-3)
    assert bound <= near * (1 + 1e-9)


def test_a_basket_option_is_what_drawn_prices_pay(priced: Priced, market: Market, curve: ForwardCurve, node: ForwardCurve) -> None:
    rng, years = np.random.default_rng(7), 16 / 365
    normal = rng.standard_normal((400_000, 2))
    normal[:, 1] = 0.6 * normal[:, 0] + 0.8 * normal[:, 1]
    forward = [one.average(date(2027, 4, 1), date(2027, 5, 1)) for one in (curve, node)]
    drawn = [f * np.exp(s * years**0.5 * z - 0.5 * s * s * years) for f, s, z in zip(forward, (0.8, 0.7), normal.T, strict=True)]
    paid = np.exp(-0.04 * 46 / 365) * 72_000 * np.maximum(0.5 * drawn[0] + 0.5 * drawn[1] - 2.4, 0.0)
    found = priced("basket-option", "2027-04", 2.4, **basket("moments")).value
    assert found == pytest.approx(paid.mean(), abs=4 * paid.std() / 400_000**0.5)


def normal_market(market: Market, sigma: float = 1.5) -> Market:
    return replace(market, normal={US: sigma, EAST: sigma})


@pytest.mark.parametrize(("kind", "more"), [("option", {"option": "call", "expiry": APRIL}), ("cap", {})])
def test_bachelier_s_model_is_another_than_black_s_and_needs_its_volatility(
    priced: Priced, market: Market, kind: str, more: dict[str, object]
) -> None:
    params = {"params": '{"model": "bachelier"}'}
    found = priced(kind, "2027-04", 2.4, on=normal_market(market), **more, **params)
    assert found.value != pytest.approx(priced(kind, "2027-04", 2.4, **more).value, rel=1e-3)
    high, low = (priced(kind, "2027-04", 2.4, on=normal_market(market, 1.5 + s), **more, **params).value for s in (1e-4, -1e-4))
    assert found.vega()["amount"].sum() == pytest.approx(0.01 * (high - low) / 2e-4, rel=1e-5)
    with pytest.raises(InputError, match="volatilities of prices, model bachelier"):
        priced(kind, "2027-04", 2.4, **more, **params)


def test_an_option_on_a_price_below_zero_is_bachelier_s(priced: Priced, market: Market, curve: ForwardCurve) -> None:
    below = replace(normal_market(market), curves={**market.curves, US: parallel(curve, -3.0)}, discount=flat(0.0))
    forward = curve.average(date(2027, 4, 1), date(2027, 5, 1)) - 3.0
    told = bachelier.price(
        np.array([forward]), np.array([-0.5]), volatility=np.array([1.5]), years=np.array([16 / 365]), discount=np.ones(1)
    )
    found = priced("option", "2027-04", -0.5, on=below, option="call", expiry=APRIL, params='{"model": "bachelier"}').value
    assert forward < 0
    assert found == pytest.approx(72_000 * told[0], rel=1e-12)


def test_volatilities_of_prices_come_by_expiry(market: Market, fixings: pl.DataFrame, volatility: pl.DataFrame) -> None:
    told = {"index": [US], "model": ["bachelier"], "end": [APRIL], "volatility": [1.4]}
    made = make_market(
        as_of=market.as_of, timezone=market.timezone, curves=market.curves, fixings=fixings, volatility=volatility,
        expiries=pl.DataFrame(told, schema_overrides={"end": pl.Datetime("us", "UTC")}),
    )  # fmt: skip
    years = np.array([0.1])
    assert made.sigma(US, years, model="bachelier").tolist() == [1.4]
    assert made.sigma(US, years).tolist() == [volatility["volatility"][0]]
    assert made.with_volatility(0.1).sigma(US, years, model="bachelier") == pytest.approx([1.5])


@pytest.mark.parametrize(
    ("kind", "strike", "more", "told"),
    [
        ("american", -1.0, {"option": "put", "expiry": APRIL}, "a strike above 0"),
        ("american", 2.4, {"option": "put"}, "column expiry: found nothing"),
        ("american", 2.4, {"option": "put", "expiry": datetime(2027, 3, 16, 4, tzinfo=UTC)}, "an expiry after 2027-03-16"),
        ("barrier", 2.4, barrier("sideways", 3.0), "the text barrier, one of down-and-out"),
        ("barrier", 2.4, barrier("up-and-out", -1.0), "level, a number above 0"),
        ("barrier", 2.4, barrier("up-and-out", 3.0, rebate=-0.1), "rebate, a number of at least 0"),
        ("basket-option", 2.4, basket(weights={US: 1.0, EAST: -0.5}), "weights above 0"),
        ("basket-option", 2.4, basket("guess"), "the text method, one of bound, moments"),
        ("option", 2.4, {"option": "call", "expiry": APRIL, "params": '{"model": "heston"}'}, "the text model, one of black, bachelier"),
    ],
)
def test_what_cannot_be_is_refused(priced: Priced, kind: str, strike: float, more: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        priced(kind, "2027-04", strike, **more)
