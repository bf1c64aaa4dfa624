"""Orders decided whole: who is accepted and what is left unpaid, against the reference and the oracle's components, under both rules."""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pyomo.environ as pyo
import pytest

from tenorgrid.clearing import patterns
from tenorgrid.clearing.awards import served, sold
from tenorgrid.clearing.certificate import worth
from tenorgrid.clearing.engine import Cleared, clear_problem
from tenorgrid.clearing.horizons import clear_horizons
from tenorgrid.clearing.parts import commitment_table
from tenorgrid.clearing.reference import reference_model
from tenorgrid.clearing.reference_solution import Reference, solve_model, solve_reference
from tenorgrid.clearing.uplift import uplift_tables
from tenorgrid.data.case import Case
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.terms.market import REAL_TIME
from tests.clearing.conftest import START, Row, market, plain_case, posed
from tests.clearing.hull import bound, disjoint_hull, duals, lost, shortfall
from tests.clearing.known_cases import NOW
from tests.clearing.programs import Program, Vector, fixed, program, solve
from tests.clearing.seeds import few
from tests.clearing.whole_markets import random_whole_case

RELATIVE, USD = 1e-6, 1e-6
MARKETS = [("none", 6), ("none", 8), ("tree", 2), ("tree", 7), ("cycle", 5)]
RULES = tuple(PricingRule)


@dataclass(frozen=True, kw_only=True)
class Solved:
    case: Case
    run: Cleared
    of: Program
    point: Vector  # what was awarded, by column of the oracle's program


@cache
def drawn(graph: str, seed: int, hours: int = 2) -> Solved:
    case = random_whole_case(seed, orders=2, graph=graph, hours=1 if graph == "cycle" else hours)
    run = clear_problem(posed(case, horizon=0), market=case.market, reference=None)
    of = program(reference_model(case, horizon=NOW))
    return Solved(case=case, run=run, of=of, point=awarded(case, run, of))


def awarded(case: Case, run: Cleared, of: Program) -> Vector:
    """Awards, acceptances and commitments by column; reserve and recipes as is best for the rest."""
    starts = run.problem.orders.span.starts()
    held: dict[tuple[Any, ...], float] = {}
    resources = [offer.resource for offer in run.problem.layout.offers]
    for row in sold(run.problem, primal=run.primal).iter_rows(named=True):
        held["Y", row["id"], resources[row["class_number"]], row["step"], row["tier"], starts[row["hour"]]] = row["listed"]
    for row in served(run.problem, primal=run.primal).iter_rows(named=True):
        held["m", row["id"], row["step"], row["tier"], starts[row["hour"]]] = row["work"]
    for row in commitment_table(run).iter_rows(named=True):
        if row["side"] == "bid":
            held["w", row["id"]] = float(row["on"])
        else:
            held |= {("u", row["id"], row["start"]): float(row["on"]), ("start", row["id"], row["start"]): float(row["started"])}
    named = np.array([name in held for name in of.columns])
    values = np.array([held.get(name, 0.0) for name in of.columns])
    exact = values.round(9)
    room = 1e-7
    best = solve(
        of.value,
        of.matrix,
        low=of.low - room,
        high=of.high + room,
        lower=np.where(named, exact, of.lower),
        upper=np.where(named, exact, of.upper),
    )
    assert best is not None, "what was awarded is not feasible in the reference"
    assert named[[name[0] in {"m", "Y", "w", "u"} for name in of.columns]].all()
    return np.where(named, exact, best[1])


def prices(solved: Solved, rule: PricingRule) -> tuple[Program, Vector, Vector]:
    """What was published, as duals of the oracle's rows; the program with what its offers are paid in rows that it has none of, because no
    bid may use them; and that pay by column."""
    run, grid, of = solved.run, solved.run.problem.layout.grid, solved.of
    nodes, shape, starts = run.priced[rule].nodes, run.problem.layout, run.problem.orders.span.starts()
    lam: dict[tuple[Any, ...], float] = {}
    delta: dict[tuple[Any, ...], float] = {}
    adders: dict[tuple[Any, ...], float] = {}
    congestion: dict[tuple[Any, ...], float] = {}
    for t, start in enumerate(starts):
        for at in np.ndindex(shape.balance_row.shape):
            names = grid.locations[at[0]], grid.resources[at[1]], grid.tiers.names[at[2]]
            lam[(*names, start)] = float(nodes.price[(t, *at)])
            below = 0.0
            for number, size in enumerate(nodes.sizes):
                above = float(nodes.premium[(number, t, *at)])
                delta[(*names, start, size)], below = above - below, above
        for number, name in enumerate(grid.links["link"]):
            congestion[name, start] = float(nodes.congestion[t, number])
        for region, resource, price in grid.reserves.select("region", "resource", "price").iter_rows():
            adders[region, resource, start] = max(price, adders.get((region, resource, start), 0.0))  # where nobody offers: all is short
        for number, offer in enumerate(shape.offers):
            adders[grid.regions[offer.location], offer.resource, start] = float(nodes.adder[t, number])
    dual = duals(of, hours=run.problem.hours, prices=lam, premia=delta, adders=adders, congestion=congestion)
    listed = {row[1:] for row in of.rows if row[0] in {"balance", "domains"}}
    rows = {row["offer_id"]: row for row in solved.case.offers.iter_rows(named=True)}
    overcommit = dict(zip(grid.tiers.names, grid.tiers.overcommit, strict=True))
    paid = np.zeros(len(of.columns))
    for column, (kind, *key) in enumerate(of.columns):
        if kind == "Y":
            offer, resource, _, tier, start = key
            node = (rows[offer]["location"], resource, tier, start)
            sizes = [(*node, size) for size in nodes.sizes if size <= (rows[offer]["domain"] or 1)]
            found = [lam[node]] * (node not in listed) + [delta[row] for row in sizes if row not in listed]
            paid[column] = run.problem.hours * float(overcommit[tier]) * sum(found)
    return replace(of, value=of.value + paid), dual, paid


def recosted(solved: Solved, of: Program, dual: Vector) -> Vector:
    """The point with every bid's work done by the recipes that are cheapest at these prices: a bid pays ω, not what it runs on."""
    point = solved.point
    free = np.array([name[0] == "z" for name in of.columns])
    own = ~of.shared
    value = of.value - of.matrix.T @ dual
    found = solve(
        value,
        of.matrix[own],
        low=of.low[own] - 1e-7,
        high=of.high[own] + 1e-7,
        lower=np.where(free, of.lower, point),
        upper=np.where(free, of.upper, point),
    )
    assert found is not None
    return np.where(free, found[1], point)


def headroom_rents(solved: Solved, dual: Vector) -> dict[str, float]:
    """A q of firm-able offers that are not committed: what they are paid for headroom before they sell."""
    case, of = solved.case, solved.of
    committed = {name[1] for name in of.columns if name[0] == "u"}
    regions = dict(case.locations.select("location", "region").iter_rows())
    found: dict[str, float] = {}
    for number, (family, *key) in enumerate(of.rows):
        if family == "reserve":
            region, resource, start = key
            for row in case.offers.filter(resource=resource).iter_rows(named=True):
                mine = regions[row["location"]] == region and row["start"] <= start < row["end"] and row["firm_premium"] is not None
                if mine and row["offer_id"] not in committed:
                    found[row["offer_id"]] = found.get(row["offer_id"], 0.0) + float(dual[number]) * row["quantity"]
    return found


def published(solved: Solved, rule: PricingRule, column: str) -> dict[str, float]:
    rows = uplift_tables(solved.run)[0].filter(pl.col("pricing") == rule.value)
    return {name: amount for name, amount in rows.group_by("component").agg(pl.col(column).sum()).iter_rows() if amount > USD}


def objective(solved: Solved) -> float:
    return float(solved.of.value @ solved.point) + solved.of.constant


def some(found: dict[str, float], scale: float) -> dict[str, float]:
    return {name: amount for name, amount in found.items() if amount > scale and name != "market"}


@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_awards_are_feasible_and_worth_the_reference_surplus(graph: str, seed: int) -> None:
    solved = drawn(graph, seed)
    assert objective(solved) == pytest.approx(referred(graph, seed).surplus, rel=RELATIVE, abs=USD)


@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_who_is_accepted_and_committed_is_what_the_reference_finds_where_no_other_choice_is_as_good(graph: str, seed: int) -> None:
    """A choice other than the engine's is worth less by more than a cent: found by cutting it off."""
    solved, found = drawn(graph, seed), referred(graph, seed)
    ours = {name[1:]: value for name, value in zip(solved.of.columns, solved.point, strict=True) if name[0] in {"w", "u"}}
    theirs: dict[tuple[Any, ...], float] = {(bid,): w for bid, w in found.accepted.items()} | dict(found.committed)
    if second_best(graph, seed) < found.surplus - 0.01:
        assert ours == pytest.approx(theirs, abs=1e-6)
    else:
        assert objective(solved) == pytest.approx(found.surplus, rel=RELATIVE, abs=USD)


@cache
def referred(graph: str, seed: int) -> Reference:
    return solve_reference(drawn(graph, seed).case, horizon=NOW)


@cache
def second_best(graph: str, seed: int) -> float:
    """The surplus when at least one acceptance or commitment has to differ from what was found."""
    model, found = reference_model(drawn(graph, seed).case, horizon=NOW), referred(graph, seed)
    chosen = {("w", bid): value for bid, value in found.accepted.items()} | {("u", *key): value for key, value in found.committed.items()}
    terms = []
    for (kind, *key), value in chosen.items():
        var = getattr(model, kind)[tuple(key) if len(key) > 1 else key[0]]
        terms.append(1 - var if value > 0.5 else var)
    model.other = pyo.Constraint(expr=sum(terms) >= 1)
    return float(solve_model(model).surplus)


def test_some_of_these_markets_have_one_optimum_only() -> None:
    """So that the comparison of who is accepted is made at all."""
    assert sum(second_best(*market) < referred(*market).surplus - 0.01 for market in MARKETS[::2]) >= 1


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_uplift_of_each_component_is_the_oracles(graph: str, seed: int, rule: PricingRule) -> None:
    check_uplift(drawn(graph, seed), rule)


def check_uplift(solved: Solved, rule: PricingRule) -> None:
    of, dual, _ = prices(solved, rule)
    point, scale = recosted(solved, of, dual), USD * (1.0 + abs(objective(solved)))
    assert published(solved, rule, "lost_opportunity") == pytest.approx(some(lost(of, dual, point), scale), abs=2 * scale)
    profit = headroom_rents(solved, dual)
    for owner, gain in zip(of.owner, (of.value - of.matrix.T @ dual) * point, strict=True):
        profit[owner] = profit.get(owner, 0.0) + float(gain)
    whole = some({owner: -gain for owner, gain in profit.items()}, scale)
    assert published(solved, rule, "make_whole") == pytest.approx(whole, abs=2 * scale)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_the_shortfall_is_what_is_priced_and_not_used_by_anyone(graph: str, seed: int, rule: PricingRule) -> None:
    check_shortfall(drawn(graph, seed), rule)


def check_shortfall(solved: Solved, rule: PricingRule) -> None:
    """Of the shared rows, of reserve not bought though it is worth its price, and of recipes that were dearer than the cheapest."""
    of, dual, paid = prices(solved, rule)
    value, point = of.value - of.matrix.T @ dual, solved.point
    recipes = float(value @ (recosted(solved, of, dual) - point))
    reserve = np.array([name[0] == "s" for name in of.columns])
    regret = float((np.maximum(value, 0.0)[reserve] * of.upper[reserve] - (value * point)[reserve]).sum())
    wanted = shortfall(of, dual, point) + float(paid @ point) + recipes + regret
    found = uplift_tables(solved.run)[1].filter(pl.col("pricing") == rule.value, pl.col("charge") == "shortfall")
    assert float(found["amount"].sum()) == pytest.approx(wanted, abs=2 * USD * (1.0 + abs(objective(solved))))


@pytest.mark.parametrize(("graph", "seed"), few(MARKETS))
def test_the_bound_at_published_prices_is_the_hulls_value_and_that_of_the_fixed_problem(graph: str, seed: int) -> None:
    """Hull prices lie on the optimal face of the hull; marginal prices on that of the problem with its binaries fixed."""
    solved = drawn(graph, seed)
    of, scale = solved.of, RELATIVE * (1.0 + abs(objective(solved)))
    assert bound(of, prices(solved, PricingRule.CONVEX_HULL)[1]) == pytest.approx(disjoint_hull(of).value, abs=scale)
    whole = np.flatnonzero(of.whole)
    held = replaced(of, whole, solved.point[whole])
    assert bound(held, prices(solved, PricingRule.MARGINAL)[1]) == pytest.approx(objective(solved), abs=scale)
    assert fixed(of, whole, solved.point[whole].round())[0] == pytest.approx(objective(solved), abs=scale)  # type: ignore[index]


def hull_value(run: Cleared) -> float:
    return -sum(float(worth(one.hull_program, dual=one.hull)) for one in run.joints)


@pytest.mark.parametrize("seed", [0, 2, 5])
def test_where_patterns_are_too_many_the_price_is_called_a_relaxation(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it bounds the surplus by is no less than the hull's value, of which it is a relaxation."""
    solved = drawn("cycle", seed)
    problem, terms = solved.run.problem, solved.case.market
    names = solved.run.kinds(PricingRule.CONVEX_HULL)
    assert {name.value for name in names} == {"convex-hull"}
    monkeypatch.setattr(patterns, "MOST", 1)
    plain = clear_problem(problem, market=terms, reference=None)
    assert {name.value for name in plain.kinds(PricingRule.CONVEX_HULL)} == {"relaxation"}
    assert set(plain.certificate["hull"].cast(pl.String)) == {"relaxation"}
    assert {name.value for name in plain.kinds(PricingRule.MARGINAL)} == {"marginal"}
    assert hull_value(plain) >= disjoint_hull(solved.of).value - USD
    assert hull_value(solved.run) == pytest.approx(disjoint_hull(solved.of).value, rel=RELATIVE, abs=USD)
    np.testing.assert_allclose(plain.beside, solved.run.beside)


def test_some_relaxation_lies_above_the_hull(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = (0, 2, 5)
    hulls = [hull_value(drawn("cycle", seed).run) for seed in seeds]
    monkeypatch.setattr(patterns, "MOST", 1)
    cases = [drawn("cycle", seed) for seed in seeds]
    found = [hull_value(clear_problem(one.run.problem, market=one.case.market, reference=None)) for one in cases]
    assert max(np.array(found) - hulls) > 0.01


def test_a_component_of_more_patterns_than_are_enumerated_is_published_as_a_relaxation() -> None:
    """Eleven children of one gang, each taken or not, and one of them in its parent's group: a circle with more than 2^10 patterns."""
    gang: Row = {"quantity": 1.0, "min_share": 1.0}
    top = gang | {"bid_id": "g", "value": 3.0, "exclusive_group": "x", "linked_to": None}
    children = [gang | {"bid_id": f"h{n:02d}", "value": 5.0 + n / 10, "exclusive_group": None, "linked_to": "g"} for n in range(11)]
    few, many = ([top, *children[:count], children[-1] | {"bid_id": "i", "exclusive_group": "x"}] for count in (9, 11))
    offers = [{"offer_id": "a", "quantity": 6.5, "price": 2.0}]
    for bids, name in ((few, "convex-hull"), (many, "relaxation")):
        run = clear_horizons(plain_case(market(pricing=PricingRule.CONVEX_HULL, horizons=(REAL_TIME,)), offers=offers, bids=bids))
        kinds = run.prices["pricing"].cast(pl.String).unique().to_list()
        assert sorted(kinds) == sorted({"marginal", name})
        assert run.certificate["hull"].cast(pl.String).to_list() == [name]


def test_a_least_run_is_counted_in_hours() -> None:
    """Two hours are four intervals of half an hour: a block that pays in the first alone is worth starting only if a run may end there."""
    half = timedelta(minutes=30)
    terms = market(interval=half, horizons=(REAL_TIME,))
    end = {"end": START + 4 * half}
    unit = {"offer_id": "a", "quantity": 10.0, "price": 2.0, "block": True} | end
    bids = [{"bid_id": "n", "quantity": 10.0, "value": 7.0, "end": START + half}, {"bid_id": "m", "quantity": 10.0, "value": 0.5} | end]
    for least, on in ((1, 1), (2, 4)):  # one hour, the default, asks nothing
        case = plain_case(terms, offers=[unit | {"min_hours": least}], bids=bids)
        run = clear_horizons(case)
        assert run.commitments.filter("on").height == on
        assert run.surplus["total"][0] == pytest.approx(solve_reference(case, horizon=NOW).surplus, abs=USD)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("graph", ["none", "tree", "cycle"])
def test_many_markets_component_by_component(graph: str, seed: int) -> None:
    solved = drawn(graph, seed)
    for rule in RULES:
        check_uplift(solved, rule)
        check_shortfall(solved, rule)


def replaced(of: Program, whole: Any, values: Vector) -> Program:
    lower, upper = of.lower.copy(), of.upper.copy()
    lower[whole] = upper[whole] = values.round()
    return replace(of, lower=lower, upper=upper)
