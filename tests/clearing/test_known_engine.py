"""Known answers of markets that are not convex, as the engine publishes them: prices of both rules, uplift, surplus, what is on."""

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.data.case import Case
from tests.clearing.known_cases import CASES, HOUR, START, cleared, expected, hourly, kind, known, linked, wanting

USD = 1e-6
TABLE = expected("modified-scarf")["optimum"]
RULES = ("marginal", "convex-hull")


@cache
def demanded(*demands: int) -> ClearingRun:
    """Modified Scarf at these demands, an hour each, in one run."""
    return clear_horizons(hourly(known("modified-scarf"), list(demands)))


def prices(run: ClearingRun, rule: str, *, location: str = "east", resource: str = "h100-sxm") -> list[float]:
    """λ of every hour in turn."""
    node = run.prices.filter(pl.col("pricing") == rule, location=location, resource=resource, tier="firm").sort("start")
    return [float(price) for price in node["price"]]


def surplus(run: ClearingRun, rule: str = "marginal") -> float:
    return float(run.surplus.filter(pl.col("pricing") == rule)["total"].item())


def side_payments(run: ClearingRun, rule: str, column: str) -> dict[str, float]:
    """Make-whole payments or lost opportunity by component, those that are some."""
    rows = run.uplift.filter(pl.col("pricing") == rule, pl.col(column) > USD)
    return dict(rows.select("component", column).iter_rows())


def running(run: ClearingRun) -> list[str]:
    return run.commitments.filter("on")["id"].sort().to_list()


def cost(case: Case, found: float) -> float:
    """What is spent, where all demand is met at a known worth."""
    return float(sum(row["quantity"] * row["value"] for row in case.bids.to_dicts())) - found


@pytest.mark.parametrize("name", sorted(path.parent.name for path in CASES.glob("*/expected.toml")))
def test_every_case_is_certified_and_its_hull_is_known(name: str) -> None:
    certificate = cleared(name).certificate
    worst = certificate.select(pl.max_horizontal("primal", "dual", "complementarity", "gap"))
    assert worst.to_series().to_list() == pytest.approx([0.0] * certificate.height, abs=1e-6)
    assert certificate["hull"].cast(pl.String).is_in(["convex", "convex-hull"]).all()
    assert not (certificate["incumbent_gap"].fill_null(0.0) > 1e-9).any()
    assert set(cleared(name).prices["pricing"].cast(pl.String)) == set(RULES)


# Scarf


@pytest.mark.parametrize("every", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_scarf_at_many_demands(every: int) -> None:
    rows = expected("scarf")["optimum"][::every]
    case = hourly(known("scarf"), [row["demand"] for row in rows])
    run = clear_horizons(case)
    on = run.commitments.filter("on").with_columns(pl.col("id").str.replace(r"-\d+@.*$", "").alias("kind"))
    counts = {(start, name): count for start, name, count in on.group_by("start", "kind").len().iter_rows()}
    for number, row in enumerate(rows):
        start = START + number * HOUR
        assert [counts.get((start, name), 0) for name in ("smokestack", "high-tech")] == row["units"], row["demand"]
    assert cost(case, surplus(run)) == pytest.approx(sum(row["cost"] for row in rows), abs=1e-5)


def test_scarfs_start_prices_are_what_makes_units_whole() -> None:
    want, run = expected("scarf")["marginal"], cleared("scarf")
    assert prices(run, "marginal") == pytest.approx([want["price"]], abs=USD)
    paid = side_payments(run, "marginal", "make_whole")
    assert sorted(paid) == running(run)
    assert paid == pytest.approx({unit: want["make_whole"][kind(unit)] for unit in paid}, abs=USD)
    allocated = run.allocation.filter(pl.col("pricing") == "marginal", pl.col("charge") == "make-whole")
    assert allocated.select("participant", "amount").rows() == [("load", pytest.approx(205.0, abs=USD))]


# modified Scarf

DEMANDS = tuple(row["demand"] for row in TABLE)
EVERY = tuple(range(1, 162))


def hull_cost(demand: int) -> float:
    return min(demand, 35) * 44 / 7 + min(max(demand - 35, 0), 96) * 101 / 16 + max(demand - 131, 0) * 7


def shortfall(run: ClearingRun, rule: str) -> float:
    """Product-revenue shortfall, as it would be allocated."""
    return float(run.allocation.filter(pl.col("pricing") == rule, pl.col("charge") == "shortfall")["amount"].sum())


def hull_prices_are_those_of_hogan_and_ring(*demands: int) -> None:
    found = prices(demanded(*demands), "convex-hull")
    for demand, price in zip(demands, found, strict=True):
        inside = [stretch["price"] for stretch in expected("modified-scarf")["hull"] if stretch["above"] <= demand <= stretch["below"]]
        high = inside[-1] if demand < 161 else 100.0  # all is sold: any price up to the worth of the work
        assert inside[0] - USD <= price <= high + USD, demand
    assert (np.diff(found) >= -USD).all()


def the_cost_is_the_hulls_and_what_is_lost(*demands: int) -> None:
    run, case = demanded(*demands), hourly(known("modified-scarf"), list(demands))
    spent = cost(case, surplus(run))
    rows = run.uplift.filter(pl.col("pricing") == "convex-hull")
    away = float(rows["lost_opportunity"].sum()) + shortfall(run, "convex-hull")
    assert spent - sum(map(hull_cost, demands)) == pytest.approx(away, abs=1e-4)
    assert run.certificate.height == len(demands)  # each hour was solved by itself


def test_hull_prices() -> None:
    hull_prices_are_those_of_hogan_and_ring(*DEMANDS)


def test_the_table_of_hogan_and_ring() -> None:
    run = demanded(*DEMANDS)
    named = run.uplift.with_columns(pl.col("component").str.split("@").list.last().cast(pl.Int64).alias("demand"))
    sums = named.group_by(pl.col("pricing").cast(pl.String), "demand").agg(pl.col("lost_opportunity").sum())
    lost = {(rule, demand): amount for rule, demand, amount in sums.iter_rows()}
    marginal = prices(run, "marginal")
    for number, row in enumerate(TABLE):
        demand = row["demand"]
        assert lost.get(("convex-hull", demand), 0.0) == pytest.approx(row["uplift"], abs=1e-5), demand
        if "marginal" in row:
            assert lost.get(("marginal", demand), 0.0) == pytest.approx(row["marginal"]["lost_opportunity"], abs=1e-5), demand
            assert marginal[number] == pytest.approx(row["marginal"]["price"], abs=USD), demand
    the_cost_is_the_hulls_and_what_is_lost(*DEMANDS)


def test_what_a_block_makes_beyond_the_demand_is_a_shortfall() -> None:
    run = clear_horizons(wanting(known("modified-scarf"), 1))
    want = expected("modified-scarf")["largest_gap"]
    assert surplus(run) == pytest.approx(100.0 - 14.0, abs=USD)
    assert shortfall(run, "convex-hull") == pytest.approx(44 / 7, abs=USD)
    lost = side_payments(run, "convex-hull", "lost_opportunity")
    assert sum(lost.values()) + shortfall(run, "convex-hull") == pytest.approx(want["uplift"], abs=USD)


@pytest.mark.slow
def test_every_demand_from_1_to_161() -> None:
    hull_prices_are_those_of_hogan_and_ring(*EVERY)
    the_cost_is_the_hulls_and_what_is_lost(*EVERY)


@pytest.mark.parametrize("row", [row for row in TABLE if row["demand"] in {61, 131}], ids=lambda row: str(row["demand"]))
def test_one_demand_by_itself_is_what_it_is_among_others(row: dict[str, Any]) -> None:
    case = wanting(known("modified-scarf"), row["demand"])
    alone = clear_horizons(case)
    assert cost(case, surplus(alone)) == pytest.approx(row["cost"], abs=USD)
    for rule in RULES:
        assert prices(alone, rule)[0] == pytest.approx(prices(demanded(*DEMANDS), rule)[DEMANDS.index(row["demand"])], abs=USD)


# a unit with a start-up cost


def test_a_start_up_cost_hour_by_hour() -> None:
    want, run = expected("start-up")["hour"], cleared("start-up")
    assert prices(run, "convex-hull") == pytest.approx([hour["price"] for hour in want], abs=USD)
    assert running(run) == sorted(f"b-{hour['demand']:.0f}" for hour in want if hour["on"])
    assert cost(known("start-up"), surplus(run)) == pytest.approx(sum(hour["cost"] for hour in want), abs=1e-5)
    lost = side_payments(run, "convex-hull", "lost_opportunity")
    by_hour = [sum(lost.get(f"{unit}-{hour['demand']:.0f}", 0.0) for unit in "ab") for hour in want]
    assert by_hour == pytest.approx([hour["cost"] - hour["hull"] for hour in want], abs=1e-5)


# blocks


def test_blocks_with_a_profile() -> None:
    want, run = expected("profile-blocks"), cleared("profile-blocks")
    for rule in RULES:
        assert prices(run, rule) == pytest.approx(want["prices"], abs=USD)
    assert surplus(run) == pytest.approx(want["surplus"], abs=USD)
    volumes = run.awards.filter(pl.col("side") == "bid").group_by("start").agg(pl.col("quantity").sum()).sort("start")
    assert volumes["quantity"].to_list() == pytest.approx(want["volumes"])
    assert side_payments(run, "marginal", "make_whole") == side_payments(run, "convex-hull", "lost_opportunity") == {}


@pytest.mark.parametrize("choice", expected("linked-blocks")["choice"], ids=lambda choice: "-".join(choice["accepted"]) or "none")
def test_linked_blocks(choice: dict[str, Any]) -> None:
    want, run = expected("linked-blocks"), clear_horizons(linked(choice["values"]))
    assert run.commitments.filter("on")["id"].unique().sort().to_list() == sorted(choice["accepted"])
    assert surplus(run) == pytest.approx(want["without"] + choice["gains"], abs=USD)
    for rule in RULES:
        assert prices(run, rule) == pytest.approx([want["price"]] * 2, abs=USD)
        assert side_payments(run, rule, "make_whole") == {}  # the child makes up for its parent
        assert side_payments(run, rule, "lost_opportunity") == {}


# scarcity, networks, quadratic costs


@pytest.mark.parametrize("name", ["scarcity-curve", "scarcity-curve-with-a-mean"])
def test_a_scarcity_curve(name: str) -> None:
    want, run = expected(name), cleared(name)
    adders = [hour["adder"] for hour in want["hour"]]
    for rule in RULES:
        node = run.prices.filter(pl.col("pricing") == rule).sort("start")
        assert node["scarcity"].to_list() == pytest.approx(adders, abs=want["within"])
        assert node["energy"].to_list() == pytest.approx([want["energy"]] * len(adders), abs=USD)


def test_two_buses() -> None:
    want, run = expected("two-buses"), cleared("two-buses")
    assert surplus(run) == pytest.approx(want["surplus"], abs=USD)
    for rule in RULES:
        assert {place: prices(run, rule, location=place)[0] for place in "abc"} == pytest.approx(
            {place: want["prices"][place] for place in "abc"}, abs=USD
        )
        assert 50 - USD <= prices(run, rule, location="d")[0] <= 60 + USD
        homes = run.workload_prices.filter(pl.col("pricing") == rule, pl.col("home").is_in(["b", "d"]))
        work = dict(homes.select("home", "price").iter_rows())
        assert work == pytest.approx(want["work"], abs=USD)
    links = run.binding.filter(pl.col("kind") == "link").select("key", "dual").rows()
    assert links == [("b>a", pytest.approx(want["congestion"], abs=USD))]
    sold = dict(run.awards.filter(pl.col("side") == "offer").select("id", "quantity").iter_rows())
    assert sold == pytest.approx({unit: hours for unit, hours in want["sold"].items() if hours})


def test_quadratic_costs_in_steps() -> None:
    want, run = expected("quadratic-costs"), cleared("quadratic-costs")
    assert surplus(run) == pytest.approx(want["surplus"], abs=1e-5)
    assert prices(run, "marginal") == pytest.approx([sum(want["price"]) / 2], abs=USD)
    sold = dict(run.awards.filter(pl.col("side") == "offer").group_by("id").agg(pl.col("quantity").sum()).iter_rows())
    assert sold == pytest.approx(dict.fromkeys(("g1", "g2", "g3"), want["sold"]))


# what hull prices may do, and packages


def test_a_unit_that_is_off_sets_the_hull_price() -> None:
    want, run = expected("unit-that-is-off"), cleared("unit-that-is-off")
    assert surplus(run) == pytest.approx(want["surplus"], abs=USD)
    assert running(run) == []
    for rule in RULES:
        assert prices(run, rule) == pytest.approx([want["prices"][rule]], abs=USD)
        assert side_payments(run, rule, "lost_opportunity") == pytest.approx(want["lost_opportunity"][rule], abs=USD)
    assert side_payments(run, "convex-hull", "make_whole") == pytest.approx(want["make_whole"]["convex-hull"], abs=USD)


def test_a_link_that_is_empty_has_a_hull_price() -> None:
    want, run = expected("link-that-is-empty"), cleared("link-that-is-empty")
    assert surplus(run) == pytest.approx(want["surplus"], abs=USD)
    for place, price in want["prices"].items():
        assert prices(run, "convex-hull", location=place) == pytest.approx([price], abs=USD)
    priced = run.workload_prices.filter(pl.col("pricing") == "convex-hull", pl.col("home") == "near")
    assert priced["price"].item() == pytest.approx(6.0, abs=USD)
    assert shortfall(run, "convex-hull") == pytest.approx(want["shortfall"], abs=USD)
    assert side_payments(run, "convex-hull", "lost_opportunity") == {}


def test_packages() -> None:
    want, run = expected("packages"), cleared("packages")
    assert surplus(run) == pytest.approx(want["surplus"], abs=USD)
    assert running(run) == want["winners"]
    a, b = (prices(run, "convex-hull", location="core", resource=good)[0] for good in ("good-a", "good-b"))
    assert 14 - USD <= a <= 28 + USD
    assert 12 - USD <= b <= 20 + USD
    assert a + b >= 32 - USD
    assert 31 - USD <= prices(run, "convex-hull", location="single", resource="good-a")[0] <= 42 + USD
    assert side_payments(run, "convex-hull", "lost_opportunity") == {}
