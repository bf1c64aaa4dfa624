"""Explanations: who is marginal on markets worked by hand, parts that add up on random ones, and a clearing with a hair more load."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.insight.explain import Explanation, explain
from tenorgrid.clearing.insight.marginal import marginal
from tenorgrid.clearing.insight.published import published
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.insight import Marginal
from tenorgrid.data.terms.market import REAL_TIME
from tests.clearing.seeds import few
from tests.clearing.whole_markets import random_whole_case

AT = "2027-01-05T00:00Z"
SPOT = {"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.8, "reserve_share": 0.25}
Made = Callable[..., Case]


def ask(case: Case, *, tier: str = "firm", location: str = "l1", resource: str = "g1", **more: Any) -> Explanation:
    """The explanation of one node of a case that is cleared for it."""
    found = explain(published(clear_horizons(case), case=case), resource=resource, location=location, tier=tier, start=AT, **more)
    assert found.price is not None
    assert found.facts["amount"].sum() == pytest.approx(found.price, abs=1e-9)
    return found


def offer(name: str, quantity: float, price: float, **more: Any) -> dict[str, Any]:
    return {"offer_id": name, "quantity": quantity, "price": price, **more}


def bid(name: str, quantity: float, value: float, **more: Any) -> dict[str, Any]:
    return {"bid_id": name, "quantity": quantity, "value": value, **more}


def test_an_offer_that_is_sold_in_part_sets_the_price_with_its_premium(plain_market: Made) -> None:
    case = plain_market(offers=[offer("o-1", 10, 2.0), offer("o-2", 10, 2.31, firm_premium=0.2)], bids=[bid("b-1", 15, 9.0)])
    found = ask(case)
    assert str(found) == "g1 l1 firm 2027-01-05T00:00Z = 2.5100: offer o-2 at 2.3100 + firm premium 0.2000"
    assert found.facts["id"][0] == "o-2"


def test_scarcity_is_a_part_of_its_own(plain_market: Made) -> None:
    """Ten listed, seven sold, three in reserve: the second step of 2 at 0.30 is held in part."""
    reserves = [{"step": 1, "quantity": 2.0, "price": 5.0}, {"step": 2, "quantity": 4.0, "price": 0.3}]
    case = plain_market(offers=[offer("o-17", 10, 2.31)], bids=[bid("b-1", 7, 9.0)], reserves=reserves)
    assert str(ask(case)) == "g1 l1 firm 2027-01-05T00:00Z = 2.6100: offer o-17 at 2.3100 + scarcity 0.3000"


def test_an_interruptible_offer_is_paid_per_sold_hour_and_may_be_recalled_as_reserve(plain_market: Made) -> None:
    reserves = [{"step": 1, "quantity": 2.0, "price": 5.0}, {"step": 2, "quantity": 9.0, "price": 0.4}]
    case = plain_market(
        tiers=[SPOT], offers=[offer("o-1", 10, 2.0)], bids=[bid("b-1", 4, 9.0, tiers="spot"), bid("b-2", 1, 9.0)], reserves=reserves
    )
    found = ask(case, tier="spot")
    assert found.price == pytest.approx((2.0 + 0.75 * 0.4) / 0.8, abs=1e-9)
    assert "offer o-1 at 2.5000 + scarcity 0.3750" in str(found)


def test_a_bid_that_is_served_in_part_sets_the_price_of_what_its_recipe_uses(plain_market: Made) -> None:
    case = plain_market(offers=[offer("o-1", 10, 2.0)], bids=[bid("b-1", 6, 9.0), bid("b-2", 8, 3.5)])
    assert str(ask(case)) == "g1 l1 firm 2027-01-05T00:00Z = 3.5000: bid b-2 for w1 of l1 on on-g1 in l1 at 3.5000"


def two_resources(plain_market: Made) -> Case:
    """One unit of work takes a GPU and four vCPUs; GPUs are short, vCPUs are not."""
    return plain_market(
        resources=[{"resource": "g1", "kind": "accelerator", "unit": "GPU"}, {"resource": "cpu", "kind": "cpu", "unit": "vCPU"}],
        recipe_resources=[
            {"workload": "w1", "recipe": "on-g1", "resource": "g1", "per_hour": 1.0},
            {"workload": "w1", "recipe": "on-g1", "resource": "cpu", "per_hour": 4.0},
        ],
        offers=[offer("o-1", 10, 2.0), offer("o-cpu", 100, 0.05, resource="cpu")],
        bids=[bid("b-1", 15, 3.0)],
    )


def test_other_resources_of_the_recipe_are_taken_off(plain_market: Made) -> None:
    found = ask(two_resources(plain_market))
    assert "bid b-1 for w1 of l1 on on-g1 in l1 at 3.0000 − other resources 0.2000" in str(found)
    assert found.price == pytest.approx(2.8, abs=1e-9)


def test_a_price_comes_over_a_link_from_where_it_is_set(plain_market: Made) -> None:
    """Work of l1 runs in both places: l1 is sold out, l2 is not, and moving a unit costs 0.1."""
    case = plain_market(
        locations=[{"location": "l1", "region": "r1"}, {"location": "l2", "region": "r2"}],
        offers=[offer("o-1", 10, 1.0), offer("o-2", 50, 2.0, location="l2")],
        bids=[bid("b-1", 15, 9.0)],
        links=[{"link": "l1>l2", "from": "l1", "to": "l2", "capacity_gib_per_hour": 99.0, "cost_per_gib": 0.1}],
    )
    found = ask(case)
    assert str(found) == (
        "g1 l1 firm 2027-01-05T00:00Z = 2.1000: w1 of l1 on on-g1 in l1 at 2.1000; "
        "it also runs on on-g1 in l2, where g1 l2 firm = 2.0000: offer o-2 at 2.0000"
    )
    assert ask(case, location="l2").set_by == "offer"


def test_a_full_link_adds_its_congestion(plain_market: Made) -> None:
    case = plain_market(
        locations=[{"location": "l1", "region": "r1"}, {"location": "l2", "region": "r2"}],
        offers=[offer("o-1", 10, 1.0), offer("o-3", 9, 3.0), offer("o-2", 50, 2.0, location="l2")],
        bids=[bid("b-1", 20, 9.0)],
        links=[{"link": "l1>l2", "from": "l1", "to": "l2", "capacity_gib_per_hour": 4.0, "cost_per_gib": 0.1}],
    )
    assert str(ask(case)).endswith("= 3.0000: offer o-3 at 3.0000")
    assert ask(case, location="l2").set_by == "offer"


def test_an_offer_that_sells_in_two_tiers_carries_a_price_from_one_to_the_other(plain_market: Made) -> None:
    """Firm is short and a bid sets it at 4.0; the same offer sells spot, which must earn it as much: 0.8 λ = 4.0 a listed hour."""
    case = plain_market(
        tiers=[{**SPOT, "interruption_probability": 0.0001}],
        offers=[offer("o-1", 10, 2.0)],
        bids=[bid("b-1", 9, 4.0, tiers="firm"), bid("b-2", 4, 9.0, tiers="spot")],
    )
    found = ask(case, tier="spot")
    assert found.price == pytest.approx(5.0, abs=1e-6)
    assert found.set_by == "tier"
    assert "offer o-1 at 2.5000 + what it earns there 2.5000, as it is sold firm too" in str(found)
    assert found.chain[0].startswith("g1 l1 firm = 4.0000: bid b-1")


def test_where_nothing_is_taken_in_part_the_price_is_half_way_between_two_orders(plain_market: Made) -> None:
    case = plain_market(offers=[offer("o-1", 10, 2.0), offer("o-2", 5, 2.6)], bids=[bid("b-1", 10, 9.0), bid("b-2", 3, 2.2)])
    found = ask(case)
    assert found.price == pytest.approx(2.4, abs=1e-9)
    assert str(found) == (
        "g1 l1 firm 2027-01-05T00:00Z = 2.4000: between orders, bid b-2 (w1 of l1), which is not served in full, at 2.2000 + "
        "half of the gap to offer o-2, which is not sold out, at 2.6000, 0.2000; w1 of l1 firm moves with it"
    )
    assert set(found.limits["limit"]) == {"lower", "upper"}
    assert found.limits.filter(limit="lower")["at"].max() == pytest.approx(2.2)


def test_a_node_that_is_bid_for_and_not_offered_is_at_voll(plain_market: Made) -> None:
    found = ask(plain_market(bids=[bid("b-1", 1, 9.0)]))
    assert str(found).endswith("= 1,000.0000: bid for and not offered, value of lost load 1,000.0000")


def test_a_price_at_the_markets_bound_is_said_to_be_held_there(plain_market: Made, market_terms: Callable[..., Any]) -> None:
    terms = market_terms(horizons=(REAL_TIME,), price_cap=5.0, voll=5.0)
    found = ask(plain_market(terms, offers=[offer("o-1", 10, 7.0), offer("o-2", 1, 1.0)], bids=[bid("b-1", 1, 5.0), bid("b-2", 2, 5.0)]))
    assert found.price == 5.0
    assert found.set_by in ("bid", "bound")


@pytest.mark.parametrize(("side", "wanted", "price"), [("inc", 6.0, 1.5), ("dec", 6.0, 4.0)])
def test_a_virtual_bid_that_is_taken_in_part_sets_the_ahead_price(
    plain_market: Made, market_terms: Callable[..., Any], side: str, wanted: float, price: float
) -> None:
    virtuals = [{"bid_id": "v-1", "side": side, "quantity": wanted, "price": price}]
    case = plain_market(
        market_terms(),
        offers=[offer("o-1", 5, 1.0), offer("o-2", 90, 6.0)],
        bids=[bid("b-1", 3 if side == "dec" else 8, 9.0)],
        virtuals=virtuals,
    )
    found = ask(case, horizon="day-ahead")
    assert str(found) == f"g1 l1 firm 2027-01-05T00:00Z day-ahead = {price:.4f}: virtual {side} v-1 at {price:.4f}"


def test_the_horizon_nearest_to_delivery_is_asked_first(plain_market: Made, market_terms: Callable[..., Any]) -> None:
    case = plain_market(market_terms(), offers=[offer("o-1", 9, 1.0)], bids=[bid("b-1", 3, 9.0)])
    assert ask(case).horizon == "real-time"
    assert ask(case, horizon="day-ahead").horizon == "day-ahead"


@pytest.mark.parametrize("seed", few(range(6), every=3))
def test_the_parts_of_every_price_of_a_random_market_add_up_to_it(
    seed: int, cleared_market: Callable[[int], tuple[Case, ClearingRun]]
) -> None:
    case, run = cleared_market(seed)
    tables = published(run, case=case)
    table = Marginal.validate(marginal(tables).table)
    parts = ("order", "premium", "scarcity", "domain", "rent", "other_resources", "carriage", "remainder")
    known = table.drop_nulls("price")
    total = known.select(pl.sum_horizontal(pl.col(name).fill_null(0.0) for name in parts)).to_series().to_numpy()
    assert np.allclose(total, known["price"].to_numpy(), rtol=0, atol=1e-9)
    explained = known.filter(~pl.col("set_by").cast(pl.String).is_in(["between"]))
    assert np.allclose(explained["remainder"].to_numpy(), 0.0, rtol=0, atol=1e-6)
    for row in known.gather_every(6).iter_rows(named=True):
        found = explain(
            tables, resource=row["resource"], location=row["location"], tier=row["tier"], start=row["start"], horizon=row["horizon"]
        )
        assert found.facts["amount"].sum() == pytest.approx(row["price"], abs=1e-7)
        assert found.set_by != "hull", str(found)  # in a convex market every price has its orders
        if found.set_by == "between":
            low, high = (found.limits.filter(limit=side)["at"] for side in ("lower", "upper"))
            assert low.max() <= row["price"] + 1e-6
            assert high.min() >= row["price"] - 1e-6


@pytest.mark.parametrize("seed", [1, 3])
def test_a_hair_more_load_costs_what_the_sentence_says(seed: int, random_market: Made) -> None:
    """A second opinion from clearing again: work that takes a hair of the node at any price lowers the surplus of the others by its price.

    Without links, over which the work could run elsewhere.
    """
    drawn = random_market(seed)
    case = replace(drawn, links=drawn.links.clear())
    run = clear_horizons(case, horizons=("real-time",))
    tables = published(run, case=case)
    table = marginal(tables).table.filter(pl.col("set_by").cast(pl.String) == "offer", tier="firm")
    row = table.filter(pl.col("resource") != "vcpu").row(0, named=True)
    hair = 1e-4
    work = {"workload": "probe", "class": "decode", "unit": "hour", "egress_gib_per_unit": None}
    recipe = {"workload": "probe", "recipe": "one", "output_per_hour": 1.0, "domain": None}
    use = {"workload": "probe", "recipe": "one", "resource": row["resource"], "per_hour": 1.0}
    probe = {
        "horizon": "real-time", "bid_id": "probe", "participant": "probe", "workload": "probe", "home": row["location"],
        "start": row["start"], "end": row["start"] + timedelta(hours=1), "step": 1, "quantity": hair, "value": 900.0, "tiers": "firm",
    }  # fmt: skip
    more = {"workloads": work, "recipes": recipe, "recipe_resources": use, "bids": _whole(probe, case.bids)}
    rows = {name: pl.DataFrame([fresh], schema=getattr(case, name).schema) for name, fresh in more.items()}
    added = {name: pl.concat([getattr(case, name), fresh]) for name, fresh in rows.items()}
    again = clear_horizons(replace(case, **added), horizons=("real-time",))
    before, after = (one.surplus.filter(pricing="marginal")["total"][0] for one in (run, again))
    told = explain(tables, resource=row["resource"], location=row["location"], tier="firm", start=row["start"])
    assert told.price == pytest.approx(900.0 - (after - before) / hair, abs=1e-4)


def _whole(row: dict[str, Any], table: pl.DataFrame) -> dict[str, Any]:
    return {**dict.fromkeys(table.columns), **row}


def two_smokestacks(plain_market: Made) -> Case:
    """Two units of 16 with a start of 53 and a cost of 3, and a dear one; 20 are wanted: one unit starts, the dear one serves the rest."""
    units = [offer(name, 16, 3.0, start_cost=53.0) for name in ("s-1", "s-2")]
    return plain_market(offers=[*units, offer("m-1", 6, 7.0)], bids=[bid("b-1", 20, 50.0)])


def test_a_hull_price_is_said_to_be_an_average_cost_with_its_start(plain_market: Made) -> None:
    """(53 + 16 × 3) / 16 = 6.3125, Scarf's smokestack at full output."""
    case = two_smokestacks(plain_market)
    tables = published(clear_horizons(case), case=case, rule="convex-hull")
    found = explain(tables, resource="g1", location="l1", tier="firm", start=AT)
    assert found.set_by == "average"
    assert str(found) == (
        "g1 l1 firm 2027-01-05T00:00Z (convex-hull price) = 6.3125: average cost of offer s-1, start included, at 6.3125, "
        "an average cost and not a marginal one"
    )


def test_at_marginal_prices_the_dear_unit_sets_the_price_of_the_committed_one(plain_market: Made) -> None:
    assert str(ask(two_smokestacks(plain_market))).endswith("= 7.0000: offer m-1 at 7.0000")


@pytest.mark.parametrize("rule", ["marginal", "convex-hull"])
@pytest.mark.parametrize("seed", few(range(3)))
def test_parts_add_up_where_orders_are_decided_whole(seed: int, rule: str) -> None:
    case = random_whole_case(seed)
    tables = published(clear_horizons(case), case=case, rule=rule)
    known = marginal(tables).table.drop_nulls("price")
    for row in known.gather_every(3).iter_rows(named=True):
        node = {name: row[name] for name in ("resource", "location", "tier", "start", "horizon")}
        found = explain(tables, **node)
        assert found.facts["amount"].sum() == pytest.approx(row["price"], rel=1e-6, abs=1e-6)
        assert found.set_by != "hull" or not found.facts.is_empty()


def test_what_a_run_does_not_have_is_refused_by_name(plain_market: Made) -> None:
    case = plain_market(offers=[offer("o-1", 9, 1.0)], bids=[bid("b-1", 3, 9.0)])
    tables = published(clear_horizons(case), case=case)
    node = {"resource": "g1", "location": "l1", "tier": "firm", "start": AT}
    for wrong, said in (
        ({"resource": "g9"}, "expected one of g1/l1/firm"),
        ({"start": "2027-01-06T00:00Z"}, "2027-01-05T00:00Z"),
        ({"start": "2027-01-05T00:00"}, "with its zone"),
        ({"start": "soon"}, "a moment such as"),
        ({"horizon": "week-ahead"}, "expected one of real-time"),
    ):
        with pytest.raises(InputError, match=said):
            explain(tables, **(node | wrong))
    bare = replace(case, bids=case.bids.clear())
    with pytest.raises(InputError, match="a case without bids"):
        published(clear_horizons(case), case=bare)
    with pytest.raises(InputError, match="expected one of marginal"):
        published(clear_horizons(case), case=case, rule="guess")
