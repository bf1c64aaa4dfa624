"""Contracts for differences: cash between two parties from published prices."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import NotPublishedError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.cleared import Prices, WorkloadPrices
from tenorgrid.data.tables.deals import Bilaterals
from tenorgrid.data.terms.market import Horizon, Market
from tenorgrid.settlement.differences import differences
from tenorgrid.settlement.money import micro

START = datetime(2027, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
HORIZONS = (Horizon(name="day-ahead", lead=timedelta(days=1)), Horizon(name="real-time", lead=timedelta(0)))
NODE = {"location": "east", "resource": "gpu", "tier": "firm"}
CFD = {
    "deal_id": "C1",
    "kind": "cfd",
    "seller": "fleet",
    "buyer": "fund",
    "location": "east",
    "resource": "gpu",
    "quantity": 64.0,
    "price": 2.5,
}
Row = dict[str, Any]


def market(interval: timedelta = HOUR) -> Market:
    rule = PricingRule.MARGINAL
    return Market(
        name="m", interval=interval, timezone="UTC", pricing=rule, price_floor=-10.0, price_cap=1e4, voll=100.0, horizons=HORIZONS
    )


def table(schema: Any, rows: list[Row]) -> pl.DataFrame:
    if not rows:
        return schema.create_empty()  # type: ignore[no-any-return]
    frame = pl.DataFrame([{name: row.get(name) for name in schema.columns()} for row in rows], infer_schema_length=None)
    return schema.validate(frame, cast=True)  # type: ignore[no-any-return]


def published(*found: float | None, horizon: str = "real-time", interval: timedelta = HOUR, **named: str) -> list[Row]:
    """A price an interval, under both rules; the convex-hull ones are a dollar higher."""
    rows = []
    for rule, more in (("marginal", 0.0), ("convex-hull", 1.0)):
        for at, price in enumerate(found):
            cells = {"horizon": horizon, "pricing": rule, "start": START + at * interval, "price": None if price is None else price + more}
            rows.append(cells | (named or NODE))
    return rows


def paid(
    *deals: Row, prices: list[Row], work: list[Row] | None = None, terms: Market | None = None, hours: int = 2, **more: Any
) -> pl.DataFrame:
    window = {"start": START, "end": START + hours * HOUR}
    book, nodes, pools = table(Bilaterals, [window | deal for deal in deals]), table(Prices, prices), table(WorkloadPrices, work or [])
    return differences(book, prices=nodes, workload_prices=pools, market=terms or market(), **more)


def amounts(found: pl.DataFrame) -> dict[str, list[int]]:
    return {str(who): rows["amount"].to_list() for (who,), rows in found.group_by("participant", maintain_order=True)}


def test_the_seller_is_paid_what_the_strike_is_above_the_price_and_pays_what_it_is_below() -> None:
    """(2.50 − 2.61) × 64 = −7.04 and (2.50 − 1.90) × 64 = 38.40 USD."""
    found = paid(CFD, prices=published(2.61, 1.9))
    assert amounts(found) == {"fleet": [-7_040_000, 38_400_000], "fund": [7_040_000, -38_400_000]}
    assert found["quantity"].to_list() == [64.0, -64.0] * 2
    assert found.select("strike", "price").row(0) == (2.5, 2.61)


def test_half_hours_are_half_the_volume() -> None:
    half = HOUR / 2
    found = paid(CFD, prices=published(2.61, 1.9, interval=half), terms=market(half), hours=1)
    assert amounts(found)["fleet"] == [-3_520_000, 19_200_000]


def test_the_rule_that_settles_is_the_rule_of_the_prices() -> None:
    found = paid(CFD, prices=published(2.61, 1.9), pricing=PricingRule.CONVEX_HULL)
    assert amounts(found)["fleet"] == [round((2.5 - 3.61) * 64e6), round((2.5 - 2.9) * 64e6)]


def test_a_contract_on_work_reads_the_workload_price() -> None:
    deal = {"deal_id": "W1", "kind": "cfd", "seller": "fleet", "buyer": "lab", "workload": "decode", "quantity": 10.0, "price": 1.0}
    work = published(0.7, 1.2, workload="decode", home="*", tier="firm")
    at_home = published(5.0, 5.0, workload="decode", home="east", tier="firm")
    assert amounts(paid(deal, prices=[], work=work + at_home))["fleet"] == [3_000_000, -2_000_000]
    assert amounts(paid(deal | {"location": "east"}, prices=[], work=work + at_home))["fleet"] == [-40_000_000] * 2


def test_a_contract_is_settled_against_its_horizon_and_a_self_schedule_against_the_first_that_it_stood_in() -> None:
    prices = published(3.0, 3.0, horizon="day-ahead") + published(2.0, 2.0)
    assert amounts(paid(CFD, prices=prices))["fleet"] == [32_000_000] * 2
    assert amounts(paid(CFD | {"horizon": "day-ahead"}, prices=prices))["fleet"] == [-32_000_000] * 2
    own = CFD | {"kind": "self-schedule", "workload": "decode"}
    assert amounts(paid(own, prices=prices))["fleet"] == [-32_000_000] * 2
    assert amounts(paid(own | {"horizon": "real-time"}, prices=prices))["fleet"] == [32_000_000] * 2
    assert amounts(paid(own, prices=published(2.0, 2.0)))["fleet"] == [32_000_000] * 2  # the day-ahead market was not run
    assert paid(own | {"price": None}, prices=prices).is_empty()


def test_what_is_not_cleared_yet_is_not_due_and_what_has_no_price_is_refused() -> None:
    assert paid(CFD, prices=published(2.61))["start"].unique().to_list() == [START]
    with pytest.raises(
        NotPublishedError, match="1 intervals of contracts for differences have no price, for example C1 real-time 2027-01-05"
    ):
        paid(CFD, prices=published(None, 2.0))
    with pytest.raises(NotPublishedError, match="2 intervals"):
        paid(CFD | {"location": "west"}, prices=published(2.0, 2.0))


@pytest.mark.parametrize("seed", range(4))
def test_random_contracts_agree_with_fractions_sum_to_zero_and_leave_the_seller_with_the_strike(seed: int) -> None:
    """With the market's own posting at the price, who sold the hours has the strike to the micro-dollar."""
    rng = np.random.default_rng(seed)
    found = [float(price) for price in rng.uniform(-2, 60, 5)]
    rows: list[Row] = [
        CFD | {"deal_id": f"C{n}", "quantity": float(rng.uniform(0, 900)), "price": float(rng.uniform(0, 9))} for n in range(6)
    ]
    cash = paid(*rows, prices=published(*found), hours=5)
    assert cash.height == 2 * 5 * 6
    assert cash.group_by("deal_id", "start").agg(pl.col("amount").sum())["amount"].unique().to_list() == [0]
    for row in rows:
        mine = cash.filter(deal_id=row["deal_id"], participant="fleet")["amount"].to_list()
        exact = [(Fraction(row["price"]) - Fraction(price)) * Fraction(row["quantity"]) * 1_000_000 for price in found]
        assert max(abs(amount - whole) for amount, whole in zip(mine, exact, strict=True)) <= 1
        sold = micro(np.array(found), np.full(5, row["quantity"]))
        strike = micro(np.array([row["price"]]), np.array([row["quantity"]]))[0]
        assert [market_pays + difference for market_pays, difference in zip(sold.tolist(), mine, strict=True)] == [strike] * 5
