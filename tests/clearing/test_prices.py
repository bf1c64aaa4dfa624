"""Prices: built ties, nodes without capacity, bounds, and what identical steps share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.certificate import certify
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.solver import Solver, reference_basis, solve
from tenorgrid.data.case import Case
from tenorgrid.data.terms.market import REAL_TIME, Market

START = datetime(2027, 1, 5, tzinfo=UTC)
Make = Callable[..., Case]
SPOT = {"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.9, "reserve_share": None}


def price(run: ClearingRun, *, location: str = "l1", resource: str = "g1", tier: str = "firm", hour: int = 0) -> float | None:
    here = run.prices.filter(pl.col("pricing") == "marginal", pl.col("start") == START + timedelta(hours=hour))
    found = here.filter(location=location, resource=resource, tier=tier)["price"]
    return None if found.item() is None else float(found.item())


def quantities(run: ClearingRun, side: str) -> dict[str, float]:
    return dict(run.awards.filter(pl.col("side") == side).group_by("id").agg(pl.col("quantity").sum()).iter_rows())


def offer(name: str, quantity: float, cost: float, **more: object) -> dict[str, object]:
    return {"offer_id": name, "participant": name, "quantity": quantity, "price": cost, **more}


def bid(name: str, quantity: float, value: float, **more: object) -> dict[str, object]:
    return {"bid_id": name, "participant": name, "quantity": quantity, "value": value, **more}


def test_the_last_step_sold_in_part_sets_the_price(plain_market: Make) -> None:
    run = clear_horizons(plain_market(offers=[offer("a", 10.0, 2.0), offer("b", 10.0, 3.0)], bids=[bid("n", 12.0, 9.0)]))
    assert price(run) == pytest.approx(3.0, abs=1e-9)
    assert quantities(run, "offer") == pytest.approx({"a": 10.0, "b": 2.0})


def test_a_bid_served_in_part_sets_the_price(plain_market: Make) -> None:
    run = clear_horizons(plain_market(offers=[offer("a", 10.0, 2.0)], bids=[bid("m", 6.0, 9.0), bid("n", 12.0, 5.0)]))
    assert price(run) == pytest.approx(5.0, abs=1e-9)
    assert quantities(run, "bid") == pytest.approx({"m": 6.0, "n": 4.0})


def test_a_price_that_is_free_between_cost_and_worth_is_the_middle(plain_market: Make) -> None:
    run = clear_horizons(plain_market(offers=[offer("a", 10.0, 2.0), offer("b", 5.0, 4.5)], bids=[bid("m", 10.0, 8.0), bid("n", 3.0, 4.0)]))
    assert price(run) == pytest.approx((4.0 + 4.5) / 2, abs=1e-9)  # n pays at most 4, b takes at least 4.5; neither trades
    assert quantities(run, "bid") == pytest.approx({"m": 10.0})


def test_the_share_of_the_middle_does_not_depend_on_the_size_of_the_node(plain_market: Make) -> None:
    for scale in (1e-2, 1.0, 1e4):
        case = plain_market(offers=[offer("a", 10.0 * scale, 2.0)], bids=[bid("n", 10.0 * scale, 5.0)])
        assert price(clear_horizons(case)) == pytest.approx(3.5, abs=1e-9)


def test_the_free_prices_of_three_resources_of_one_bid_add_to_no_more_than_it_pays(plain_market: Make) -> None:
    names = ("g1", "g2", "g3")
    case = plain_market(
        resources=[{"resource": name, "kind": "accelerator", "unit": "GPU"} for name in names],
        recipe_resources=[{"workload": "w1", "recipe": "on-g1", "resource": name, "per_hour": 1.0} for name in names],
        offers=[offer(name, 1.0, 0.0, resource=name) for name in names],
        bids=[bid("n", 1.0, 10.0)],
    )
    run = clear_horizons(case)
    total = sum(price(run, resource=name) or 0.0 for name in names)
    assert 0.0 <= total <= 10.0 + 1e-9
    omega = run.workload_prices.filter(pl.col("pricing") == "marginal", pl.col("tier") == "firm")["price"].item()
    assert omega == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("seed", [0, 2, 4, 6])
def test_the_published_price_is_the_mean_of_two_points_of_the_optimal_face(
    seed: int, random_market: Make, pose_market: Callable[..., Problem]
) -> None:
    problem = pose_market(random_market(seed, hours=4, size=2), horizon=0)
    reference, hair = reference_basis(problem), problem.hair()
    published = solve(problem, method="reference", reference=reference)
    solver = Solver(problem.layout.matrix, method="reference")
    solver.start_from(reference)
    ends: list[list[np.ndarray]] = [[], [], []]
    for hour in range(4):
        lower, upper = problem.row_lower[hour], problem.row_upper[hour]
        solver.load(problem.cost[hour], problem.upper[hour], lower + hair[hour], upper)
        for at, sign in enumerate((1.0, 0.0, -1.0)):
            solver.bound_rows(lower + sign * hair[hour], upper)
            solver.run()
            ends[at].append(solver.duals())
    more, _, less = (np.array(end) for end in ends)
    assert np.abs(more - less).max() > 1e-3  # in these markets the price is not unique, so that the rule has something to decide
    np.testing.assert_allclose(published.price, (more + less) / 2, rtol=0, atol=1e-12)
    for dual in (more, less, published.price):
        assert certify(problem, primal=published.primal, dual=dual).worst().max() <= 1e-6


def test_a_node_with_a_bid_and_no_offer_is_priced_at_voll(plain_market: Make, market_terms: Callable[..., Market]) -> None:
    run = clear_horizons(plain_market(market_terms(voll=200.0, horizons=(REAL_TIME,)), bids=[bid("n", 1.0, 9.0)]))
    assert price(run) == 200.0
    assert run.awards.is_empty()
    assert run.binding.select("kind", "key", "dual").row(0) == ("balance", "l1/g1/firm", 200.0)


def test_a_dec_is_a_bid_too_so_that_it_settles_at_a_price(plain_market: Make, market_terms: Callable[..., Market]) -> None:
    places = [{"location": "l1", "region": "r1"}, {"location": "l2", "region": "r2"}]
    rows = {"locations": places, "offers": [offer("a", 10.0, 2.0)], "bids": [bid("n", 4.0, 9.0)]}
    alone = {"bid_id": "v", "side": "dec", "quantity": 1.0, "price": 5.0, "location": "l2"}
    prices = clear_horizons(plain_market(market_terms(voll=200.0), **rows, virtuals=[alone])).prices.filter(pl.col("pricing") == "marginal")
    there = prices.filter(location="l2").select("horizon", "price").rows()
    assert there == [("day-ahead", 200.0)]  # nobody stands there in real time: the node is not one of that run


def test_a_node_with_neither_bid_nor_offer_has_no_price(plain_market: Make) -> None:
    """In the second hour nobody offers spot and nobody may use it; in the first somebody may."""
    late = {"start": START + timedelta(hours=1), "end": START + timedelta(hours=2)}
    case = plain_market(
        tiers=[SPOT],
        offers=[offer("a", 10.0, 2.0), offer("b", 10.0, 3.0, **late, firm_premium=0.0)],
        bids=[bid("n", 1.0, 9.0, tiers="firm;spot"), bid("m", 1.0, 9.0, tiers="firm", **late)],
        locations=[{"location": "l1", "region": "r1"}, {"location": "l2", "region": "r2"}],
        links=[{"link": "l1>l2", "from": "l1", "to": "l2", "capacity_gib_per_hour": 1.0}],
    )
    run = clear_horizons(case)
    assert price(run, location="l2", tier="spot") == 1000.0
    assert price(run, location="l2", tier="spot", hour=1) is None
    assert price(run, location="l2", hour=1) == 1000.0
    assert price(run, hour=1) == pytest.approx(3.0, abs=1e-9)


@pytest.mark.parametrize(("floor", "cap", "value", "expected"), [(0.0, 50.0, 3.0, 2.0), (2.5, 50.0, 3.0, 2.5), (-5.0, 1.5, 1.5, 1.5)])
def test_a_price_past_a_bound_is_held_at_the_bound(
    floor: float, cap: float, value: float, expected: float, plain_market: Make, market_terms: Callable[..., Market]
) -> None:
    terms = market_terms(price_floor=floor, price_cap=cap, voll=cap, horizons=(REAL_TIME,))
    reserves = [{"step": 1, "quantity": 20.0, "price": 1.0}]  # all of the headroom is short: the price is cost and 1 USD
    case = plain_market(terms, offers=[offer("a", 10.0, 1.0)], bids=[bid("n", 4.0, min(3.0, cap))], reserves=reserves)
    if cap < 2.0:
        case = plain_market(
            terms, offers=[offer("a", 10.0, 1.0)], bids=[bid("n", 12.0, 1.5)], reserves=[{"step": 1, "quantity": 1.0, "price": 9.0}]
        )
    run = clear_horizons(case)
    assert price(run) == pytest.approx(expected, abs=1e-9)
    said = run.binding.filter(pl.col("kind").cast(pl.String) == "balance")["meaning"].to_list()
    assert len(said) == (1 if floor == 2.5 else 0)
    assert all("held at the price floor 2.5: its own price is 2" in text for text in said)


def test_a_price_past_the_cap_is_said_to_be_held(plain_market: Make, market_terms: Callable[..., Market]) -> None:
    """Nothing trades: any price from the bid's 1 to the offer's 9 would do, and its middle 5 is past the cap."""
    terms = market_terms(price_floor=0.0, price_cap=4.0, voll=4.0, horizons=(REAL_TIME,))
    run = clear_horizons(plain_market(terms, offers=[offer("a", 10.0, 9.0)], bids=[bid("n", 4.0, 1.0)]))
    assert price(run) == pytest.approx(4.0, abs=1e-9)
    assert "held at the price cap 4: its own price is 5" in run.binding["meaning"].to_list()[0]


def test_identical_offers_share_an_award_in_proportion_to_their_size(plain_market: Make) -> None:
    case = plain_market(offers=[offer("z", 6.0, 2.0), offer("a", 2.0, 2.0), offer("dear", 5.0, 2.1)], bids=[bid("n", 4.0, 9.0)])
    assert quantities(clear_horizons(case), "offer") == pytest.approx({"z": 3.0, "a": 1.0}, abs=1e-12)


def test_identical_bids_share_what_there_is_in_proportion_to_their_size(plain_market: Make) -> None:
    case = plain_market(offers=[offer("a", 3.0, 2.0)], bids=[bid("z", 4.0, 9.0), bid("b", 2.0, 9.0), bid("low", 9.0, 8.0)])
    assert quantities(clear_horizons(case), "bid") == pytest.approx({"z": 2.0, "b": 1.0}, abs=1e-12)


def test_steps_that_differ_in_their_premium_or_tiers_are_not_identical(plain_market: Make) -> None:
    case = plain_market(
        tiers=[SPOT],
        offers=[offer("a", 6.0, 2.0, firm_premium=0.0), offer("b", 6.0, 2.0, firm_premium=0.5)],
        bids=[bid("n", 4.0, 9.0, tiers="firm")],
    )
    assert quantities(clear_horizons(case), "offer") == pytest.approx({"a": 4.0})


def test_half_hours_cost_half_as_much_at_the_same_price(plain_market: Make, market_terms: Callable[..., Market]) -> None:
    half = market_terms(interval=timedelta(minutes=30), horizons=(REAL_TIME,))
    rows = {"offers": [offer("a", 10.0, 2.0), offer("b", 10.0, 3.0)], "bids": [bid("n", 12.0, 9.0)]}
    run, whole = clear_horizons(plain_market(half, **rows)), clear_horizons(plain_market(**rows))
    assert price(run) == price(whole) == pytest.approx(3.0, abs=1e-9)
    first = run.awards.filter(pl.col("start") == START)
    assert first["cash"].to_list() == pytest.approx([cash / 2 for cash in whole.awards["cash"]])
    assert run.awards.height == 2 * whole.awards.height
    assert run.surplus["total"].to_list() == pytest.approx(whole.surplus["total"].to_list())


def test_both_pricing_rules_publish_the_same_numbers_while_the_market_is_convex(
    cleared_market: Callable[[int], tuple[Case, ClearingRun]],
) -> None:
    _, run = cleared_market(1)
    for table in (run.prices, run.workload_prices):
        marginal, hull = (table.filter(pl.col("pricing") == rule).drop("pricing") for rule in ("marginal", "convex-hull"))
        assert marginal.equals(hull)
        assert marginal.height > 0
