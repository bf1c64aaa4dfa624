"""Worth, tiers sold out, demand, pivotal suppliers and the breaker: worked by hand, and checked by clearing again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.insight.administered import administer
from tenorgrid.clearing.insight.breaker import breaker, tripped, usual
from tenorgrid.clearing.insight.demand import demand, unserved
from tenorgrid.clearing.insight.listed import listed
from tenorgrid.clearing.insight.pivotal import by_supplier, pivotal, residual_supply
from tenorgrid.clearing.insight.published import Published, published
from tenorgrid.clearing.insight.sold_out import sold_out
from tenorgrid.clearing.insight.worth import worth
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables import insight as tables
from tenorgrid.data.terms.market import REAL_TIME

Made = Callable[..., Case]
START = datetime.fromisoformat("2027-01-05T00:00:00+00:00")
HOUR = timedelta(hours=1)


def small(plain_market: Made, **more: Any) -> Published:
    """Two suppliers of 10 at 2.0 and 6 at 3.0; 12 of 14 wanted are worth it."""
    case = plain_market(
        offers=[
            {"offer_id": "o-1", "participant": "north", "quantity": 10.0, "price": 2.0},
            {"offer_id": "o-2", "participant": "south", "quantity": 6.0, "price": 3.0},
        ],
        bids=[{"bid_id": "b-1", "quantity": 12.0, "value": 9.0}, {"bid_id": "b-2", "quantity": 2.0, "value": 1.0}],
        **more,
    )
    return published(clear_horizons(case), case=case)


def test_demand_and_what_is_left_unserved(plain_market: Made) -> None:
    run = small(plain_market)
    row = tables.Demand.validate(demand(run)).row(0, named=True)
    assert (row["class"], row["home"], row["region"], row["resource"], row["size"]) == ("decode", "r1", "r1", "g1", 1)
    assert row["hours"] == pytest.approx(12.0)
    assert row["spend"] == pytest.approx(36.0)
    assert row["share"] == pytest.approx(1.0)
    left = tables.Unserved.validate(unserved(run)).row(0, named=True)
    assert (left["wanted"], left["served"], left["highest"]) == (14.0, pytest.approx(12.0), 1.0)


def test_pivotal_is_who_cannot_be_done_without(plain_market: Made) -> None:
    """12 are sold: without north 6 are left (RSI 0.5), without south 10 (RSI 0.83)."""
    run = small(plain_market)
    suppliers = by_supplier(run, listed(run))
    found = tables.Pivotal.validate(pivotal(run, suppliers))
    assert dict(found.select("participant", "lowest").rows()) == {"north": pytest.approx(0.5), "south": pytest.approx(10 / 12)}
    assert found["pivotal"].to_list() == [1, 1]
    index = tables.ResidualSupply.validate(residual_supply(suppliers))
    assert index.select("largest", "index").row(0) == ("north", pytest.approx(0.5))
    both = residual_supply(suppliers, largest=3)
    assert both.select("largest", "index").row(0) == ("north;south", 0.0)
    with pytest.raises(InputError, match="at least one supplier"):
        residual_supply(suppliers, largest=0)


def test_a_tier_is_sold_out_when_no_listed_hour_is_left(plain_market: Made) -> None:
    run = small(plain_market)
    assert sold_out(run, listed(run)).select("sold_out", "sold").row(0) == (0, pytest.approx(12 / 16))
    short = plain_market(offers=[{"offer_id": "o", "quantity": 5.0, "price": 2.0}], bids=[{"bid_id": "b", "quantity": 7.0, "value": 9.0}])
    full = published(clear_horizons(short), case=short)
    row = tables.SoldOut.validate(sold_out(full, listed(full))).row(0, named=True)
    assert (row["sold_out"], row["price"], row["price_sold_out"]) == (1, None, pytest.approx(9.0))


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_one_more_unit_is_worth_what_clearing_with_it_gains(seed: int, cleared_market: Callable[[int], tuple[Case, ClearingRun]]) -> None:
    """A second opinion by a hair of free inventory, and of capacity on every full link.

    The surplus is concave in what there is, so the gain lies between the worth of a unit after it and before it; mostly they are the same.
    """
    case, run = cleared_market(seed)
    table = tables.Worth.validate(worth(published(run, case=case))).filter(horizon="real-time").with_columns(pl.col("kind").cast(pl.String))
    hair = 1e-4
    resource = table.filter(pl.col("kind") == "resource").row(0, named=True)
    place, name = resource["key"].split("/")
    free: dict[str, Any] = dict.fromkeys(case.offers.columns) | {
        "horizon": "real-time", "offer_id": "free", "participant": "free", "location": place, "resource": name,
        "start": START, "end": START + HOUR, "step": 1, "quantity": hair, "price": 0.0, "firm_premium": 0.0,
    }  # fmt: skip
    more = replace(case, offers=pl.concat([case.offers, pl.DataFrame([free], schema=case.offers.schema)]))
    again = clear_horizons(more, horizons=("real-time",))
    gain = (_total(again) - _total(run)) / hair
    after = worth(published(again, case=more)).filter(pl.col("kind").cast(pl.String) == "resource", key=resource["key"])["total"][0]
    assert after - 2e-3 <= gain <= resource["total"] + 2e-3
    for link in table.filter(pl.col("kind") == "link").iter_rows(named=True):
        more_of_it = pl.col("capacity_gib_per_hour") + hair * (pl.col("link") == link["key"])
        wider = case.links.with_columns(more_of_it.alias("capacity_gib_per_hour"))
        wide = clear_horizons(replace(case, links=wider), horizons=("real-time",))
        assert (_total(wide) - _total(run)) / hair == pytest.approx(link["total"], abs=2e-3)


def _total(run: ClearingRun) -> float:
    return float(run.surplus.filter(horizon="real-time", pricing="marginal")["total"][0])


def hot(plain_market: Made, terms: Any) -> Case:
    """Three days at 2, then at 12 in hours 20 to 23 of the second day, on one node; virtually nothing else."""
    dear = {44, 45, 46, 47}
    hours = range(72)
    offers = [
        {
            "offer_id": f"o-{at}",
            "quantity": 10.0,
            "price": 12.0 if at in dear else 2.0,
            "start": START + at * HOUR,
            "end": START + (at + 1) * HOUR,
        }
        for at in hours
    ]
    return plain_market(
        terms, offers=offers, bids=[{"bid_id": "b", "quantity": 4.0, "value": 90.0, "start": START, "end": START + 72 * HOUR}]
    )


def test_the_breaker_trips_when_the_sum_is_reached_and_holds_to_the_end_of_the_day(
    plain_market: Made, market_terms: Callable[..., Any]
) -> None:
    """A window of 24 h: 48 until the dear hours, 58 after the first of them; a threshold of 55 trips from hour 45 to the end of day two,
    and again on day three as long as it begins with the sum there.
    """
    case = hot(plain_market, market_terms(horizons=(REAL_TIME,)))
    run = published(clear_horizons(case), case=case)
    rules = pl.DataFrame({"window_hours": [24], "threshold": [55.0], "cap": [5.0]})
    found = breaker(run, rules)
    row = tables.Cumulative.validate(found.cumulative).row(0, named=True)
    assert row["highest"] == pytest.approx(20 * 2 + 4 * 12)
    assert (row["trips"], row["administered"], row["capped"]) == (1, 3 + 24, 3)
    held = tables.Administered.validate(found.administered)
    assert held["start"][0] == START + 45 * HOUR
    assert held["administered"].max() == 5.0
    cash = tables.AdministeredCash.validate(found.cash)
    moved = dict(cash.select("participant", "difference").rows())
    assert moved == {"n": pytest.approx(3 * 4 * 7.0), "s": pytest.approx(-3 * 4 * 7.0)}
    assert cash.filter(participant="s")["compensation"][0] == pytest.approx(3 * 4 * (12.0 - 5.0))


def test_administered_prices_are_those_of_clearing_with_the_lower_cap(plain_market: Made, market_terms: Callable[..., Any]) -> None:
    """A second way: the engine with the administered cap as its own."""
    case = hot(plain_market, market_terms(horizons=(REAL_TIME,)))
    run = published(clear_horizons(case), case=case)
    found = breaker(run, pl.DataFrame({"window_hours": [24], "threshold": [55.0], "cap": [5.0]}))
    prices, work = administer(run, found.administered)
    lower = replace(case, market=replace(case.market, price_cap=5.0, voll=5.0))
    capped = published(clear_horizons(lower), case=lower)
    held = found.administered.select("start").unique()
    for mine, theirs, key in ((prices, capped.prices, "location"), (work, capped.workload_prices, "home")):
        both = mine.join(held, on="start", how="semi").join(theirs, on=["horizon", "start", key, "tier"])
        assert both.height == 27
        assert np.allclose(both["price"], both["price_right"], rtol=0, atol=1e-9)
    assert capped.awards["quantity"].sum() == pytest.approx(run.awards["quantity"].sum())


@pytest.mark.parametrize("seed", range(5))
def test_the_rolling_sum_is_what_a_loop_adds_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    prices, days = rng.exponential(2.0, 60), np.arange(60) // 12
    sums, held = tripped(prices, days, window=9, threshold=24.0)
    holding = -1
    for at in range(60):
        before = sum(prices[max(at - 9, 0) : at])
        assert sums[at] == pytest.approx(before, abs=1e-9)
        holding = days[at] if before >= 24.0 else holding
        assert held[at] == (holding == days[at])


def test_rules_that_do_not_fit_the_market_are_refused_together(plain_market: Made) -> None:
    run = small(plain_market)
    assert usual(run.case.market)["threshold"][0] == pytest.approx(7.5 * 1000.0)
    wrong = pl.DataFrame(
        {"resource": ["g9", "g1", "g1"], "window_hours": [24, 24, 12], "threshold": [5.0, 5.0, 5.0], "cap": [1.0, 1.0, 1.0]}
    )
    with pytest.raises(InputError) as refused:
        breaker(run, wrong)
    assert len(refused.value.faults) == 2
    with pytest.raises(InputError, match="expected one of real-time"):
        breaker(run, horizon="week-ahead")
