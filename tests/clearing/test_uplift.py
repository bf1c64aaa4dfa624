"""Uplift: what is unpaid by component, who would pay it, and cash that closes at both rules."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.data.case import Case
from tests.clearing.conftest import plain_case
from tests.clearing.known_cases import known, wanting
from tests.clearing.seeds import few
from tests.clearing.whole_markets import random_whole_case

RULES = ("marginal", "convex-hull")
MARKETS = [("none", 6), ("none", 8), ("tree", 2), ("tree", 6), ("cycle", 2)]


@cache
def cleared(graph: str, seed: int) -> tuple[Case, ClearingRun]:
    case = random_whole_case(seed, orders=2, graph=graph, hours=1 if graph == "cycle" else 2)
    return case, clear_horizons(case)


def money(table: pl.DataFrame, rule: str, column: str) -> float:
    return float(table.filter(pl.col("pricing") == rule)[column].sum())


def charged(run: ClearingRun, rule: str) -> dict[str, float]:
    rows = run.allocation.filter(pl.col("pricing") == rule).group_by(pl.col("charge").cast(pl.String)).agg(pl.col("amount").sum())
    return dict(rows.iter_rows())


def test_scarf_at_61() -> None:
    """205 USD make the five units of the plain market whole at 3 USD; 3.875 is lost at the hull price of the modified one."""
    plain = clear_horizons(known("scarf"))
    assert money(plain.uplift, "marginal", "make_whole") == pytest.approx(205.0, abs=1e-6)
    modified = clear_horizons(wanting(known("modified-scarf"), 61))
    assert money(modified.uplift, "convex-hull", "lost_opportunity") == pytest.approx(3.875, abs=1e-6)
    assert charged(plain, "marginal")["make-whole"] == pytest.approx(205.0, abs=1e-6)
    assert charged(modified, "convex-hull")["lost-opportunity"] == pytest.approx(3.875, abs=1e-6)


def test_who_sells_at_a_loss_is_made_whole_of_what_its_headroom_has_not_paid() -> None:
    """At the hull price of 2, set by a unit that stays off, the divisible offer loses 5 × 1 USD on what it sells, and its other five hours
    are paid 0.3 each as reserve: 3.5 are left. All ten held back would have been paid 3."""
    case = plain_case(
        offers=[
            {"offer_id": "d", "quantity": 10.0, "price": 3.0},
            {"offer_id": "u", "participant": "p", "quantity": 20.0, "price": 1.0, "start_cost": 20.0},
        ],
        bids=[{"bid_id": "n", "quantity": 5.0, "value": 10.0}],
        reserves=[{"step": 1, "quantity": 100.0, "price": 0.3}],
    )
    run = clear_horizons(case)
    hull = run.prices.filter(pricing="convex-hull")
    assert (hull["price"].item(), hull["scarcity"].item()) == pytest.approx((2.0, 0.3), abs=1e-6)
    found = {row[:2]: row[2:] for row in run.uplift.select("pricing", "component", "make_whole", "lost_opportunity").iter_rows()}
    assert found == {
        ("convex-hull", "d"): pytest.approx((3.5, 3.0 + 3.5), abs=1e-6),
        ("marginal", "u"): pytest.approx((0.0, 20 * (3.3 - 1.0) - 20.0), abs=1e-6),  # at 3.3 the unit would have liked to run
    }


def test_who_needs_a_domain_that_nobody_has_forgoes_nothing() -> None:
    """At VOLL for such a domain a gang worth 5 USD gains nothing, however cheap GPUs without one are."""
    case = plain_case(
        workloads=[{"workload": name, "class": "decode", "unit": "u", "egress_gib_per_unit": 1.0} for name in ("w1", "w2")],
        recipes=[{"workload": f"w{n}", "recipe": "r", "output_per_hour": 1.0, "domain": size} for n, size in ((1, None), (2, 8))],
        recipe_resources=[{"workload": f"w{n}", "recipe": "r", "resource": "g1", "per_hour": 1.0} for n in (1, 2)],
        offers=[{"offer_id": "a", "quantity": 9.0, "price": 2.0, "domain": 4}],
        bids=[
            {"bid_id": "n", "quantity": 3.0, "value": 4.0},
            {"bid_id": "g", "workload": "w2", "quantity": 4.0, "value": 5.0, "min_share": 1.0},
        ],
    )
    run = clear_horizons(case)
    assert run.uplift.is_empty()
    assert run.domain_prices["premium"].to_list() == pytest.approx([998.0, 998.0], abs=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_what_is_allocated_is_what_is_unpaid(graph: str, seed: int, rule: str) -> None:
    _, run = cleared(graph, seed)
    found = charged(run, rule)
    for charge, column in (("make-whole", "make_whole"), ("lost-opportunity", "lost_opportunity")):
        assert found.get(charge, 0.0) == pytest.approx(money(run.uplift, rule, column), abs=1e-6)
    assert (run.uplift["make_whole"] >= 0).all()
    assert (run.uplift["lost_opportunity"] >= 0).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_every_charge_has_the_same_shares(graph: str, seed: int, rule: str) -> None:
    _, run = cleared(graph, seed)
    shares: dict[str, list[float]] = {}
    for _, rows in run.allocation.filter(pl.col("pricing") == rule).group_by("charge", maintain_order=True):
        if abs(float(rows["amount"].sum())) > 1e-6:
            for name, amount in rows.select("participant", "amount").iter_rows():
                shares.setdefault(name, []).append(amount / rows["amount"].sum())
    for name, found in shares.items():
        assert found == pytest.approx([found[0]] * len(found), abs=1e-6), name


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_the_parts_of_the_surplus_add_to_its_total_and_both_rules_share_one(graph: str, seed: int, rule: str) -> None:
    _, run = cleared(graph, seed)
    row = run.surplus.filter(pl.col("pricing") == rule).row(0, named=True)
    parts = [row[name] for name in ("buyers", "suppliers", "transfer", "congestion", "reserve", "virtuals", "shortfall")]
    assert sum(parts) == pytest.approx(row["total"], abs=1e-6)
    assert row["total"] == pytest.approx(run.surplus["total"].max(), abs=1e-9)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_the_cash_of_a_run_closes(graph: str, seed: int, rule: str) -> None:
    """Σ ω m = Σ (λ + Σ δ) β Y + Σ κ flow + congestion + what buyers pay and nobody receives, read off the tables alone."""
    case, run = cleared(graph, seed)
    rated = run.prices.filter(pl.col("pricing") == rule).select("location", "resource", "tier", "start", pl.col("price").alias("rate"))
    sold = run.awards.filter(pl.col("side").cast(pl.String) == "offer").join(rated, on=["location", "resource", "tier", "start"])
    received = float((sold["quantity"] * sold["rate"]).sum())
    domains = case.offers.select(pl.col("offer_id").alias("id"), pl.col("domain").fill_null(1).alias("own")).unique()
    premium = run.domain_prices.filter(pl.col("pricing") == rule, pl.col("premium").is_not_null())
    at = sold.join(domains, on="id").join(premium, on=["location", "resource", "tier", "start"]).filter(pl.col("domain") <= pl.col("own"))
    best = at.sort("domain").group_by("id", "resource", "step", "tier", "location", "start", maintain_order=True).last()
    received += float((best["quantity"] * best["premium"]).sum())
    work = run.workload_prices.filter(pl.col("pricing") == rule).select("workload", "home", "tier", "start", pl.col("price").alias("rate"))
    homes = case.bids.select(pl.col("bid_id").alias("id"), pl.col("home").fill_null("*")).unique()
    served = run.awards.filter(pl.col("side").cast(pl.String) == "bid").join(homes, on="id")
    keyed = work.with_columns(pl.col("home").fill_null("*"))
    bought = served.join(keyed, on=["workload", "home", "tier", "start"])
    assert bought.height == served.height
    paid = float((bought["quantity"] * bought["rate"]).sum())
    row = run.surplus.filter(pl.col("pricing") == rule).row(0, named=True)
    moved = run.placements.join(case.bids.select("workload", "home").unique(), on=["workload", "home"])
    away = moved.filter(pl.col("home") != pl.col("location"), pl.col("home") != "*")
    carriage = float(away["work"].sum()) * (float(case.links["cost_per_gib"][0]) if case.links.height else 0.0)
    assert paid - received - carriage - row["congestion"] == pytest.approx(row["shortfall"], abs=1e-6)


@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_lost_opportunity_and_shortfall_are_no_less_at_marginal_prices(graph: str, seed: int) -> None:
    """Both sums are a bound less the surplus, and hull prices have the least bound."""
    _, run = cleared(graph, seed)
    sums = [money(run.uplift, rule, "lost_opportunity") + charged(run, rule).get("shortfall", 0.0) for rule in RULES]
    assert sums[0] >= sums[1] - 1e-6
    assert sums[1] >= -1e-6
    gap = run.certificate["hull_gap"] * (1.0 + np.abs(run.surplus["total"][0]))
    if run.certificate.height == 1:
        assert sums[1] == pytest.approx(gap[0], abs=1e-5)
