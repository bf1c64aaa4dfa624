"""A hair more, a hair less: prices of coupled hours against the lexicographic Chebyshev centre of all optimal prices."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.centre import centre
from tenorgrid.clearing.engine import Cleared, clear_problem
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.program import Program, program
from tenorgrid.clearing.solver import Solver
from tenorgrid.data.kinds.market import PricingRule
from tests.clearing.centre import Face, chebyshev_centre, face
from tests.clearing.conftest import START, Row, plain_case, posed
from tests.clearing.known_cases import HOUR
from tests.clearing.programs import Vector
from tests.clearing.whole_markets import random_whole_case

NEAR = 1e-6
CAP = 1000.0
TWO = {"end": START + 2 * HOUR}
SEEDS = (0, 2)


def face_of(terms: Program, point: Vector) -> Face:
    """All optimal duals, as those of max −cost x: the sign of each is turned."""
    return face(
        -terms.cost,
        terms.matrix.toarray(),
        low=terms.row_lower,
        high=terms.row_upper,
        lower=terms.lower,
        upper=terms.upper,
        point=point,
    )


def away(of: Face, dual: Vector) -> float:
    """How far duals are from the face."""
    held = np.abs(of.equal @ -dual - of.right).max(initial=0.0)
    return float(max(held, -(of.inside @ -dual + of.offset).min(initial=0.0)))


def price(run: ClearingRun, rule: str = "marginal") -> list[float | None]:
    return run.prices.filter(pl.col("pricing") == rule).sort("start", "location", "resource", "tier")["price"].to_list()


def offer(name: str, quantity: float, cost: float, **more: object) -> Row:
    return {"offer_id": name, "quantity": quantity, "price": cost} | more


def bid(name: str, quantity: float, value: float, **more: object) -> Row:
    return {"bid_id": name, "quantity": quantity, "value": value} | more


@pytest.mark.parametrize("value", [5.0, 8.0])
def test_where_one_price_is_free_it_is_the_centre(value: float) -> None:
    """Two hours that a deadline ties; in the first all is sold and all is served, in the second an offer is left over."""
    bids = [bid("late", 4.0, value, total=100.0, **TWO), bid("n", 6.0, value)]
    problem = posed(plain_case(offers=[offer("a", 10.0, 2.0, **TWO)], bids=bids), horizon=0)
    terms = program(problem, np.array([0, 1]))
    found = centre(terms, dearest=CAP)
    of = face_of(terms, found.primal)
    assert of.free.shape[1] == 1
    balance = terms.hair > 0
    np.testing.assert_allclose(found.price[balance], [(2.0 + value) / 2, 2.0], atol=NEAR)
    np.testing.assert_allclose(-chebyshev_centre(of), found.price, atol=NEAR)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_price_that_moves_on_one_side_alone_is_the_middle_whichever_side_the_solver_stands_on(side: float) -> None:
    """All is sold and all is served: the basis of a hair more load says 5, that of a hair less says 2, and both are optimal."""
    bids = [bid("g", 1.0, 9.0, min_share=1.0), bid("n", 9.0, 5.0)]
    terms = program(posed(plain_case(offers=[offer("a", 10.0, 2.0)], bids=bids), horizon=0), np.array([0]))
    fixed = terms.fixed(np.ones(1))
    solver = Solver(fixed.matrix, method="cold")
    solver.load(fixed.cost, fixed.upper, fixed.row_lower + side * fixed.hair, fixed.row_upper, lower=fixed.lower)
    solver.run()
    found = centre(fixed, dearest=CAP, after=solver)
    balance = fixed.hair > 0
    assert found.dual[balance] == pytest.approx([5.0 if side > 0 else 2.0], abs=NEAR)  # it stands where it was put
    assert found.price[balance] == pytest.approx([3.5], abs=NEAR)


def test_an_hour_by_itself_has_the_same_price_as_in_a_coupled_run() -> None:
    offers, late = [offer("a", 10.0, 2.0)], {"total": 100.0}
    for bids in ([bid("m", 4.0, 5.0), bid("n", 6.0, 5.5)], [bid("m", 4.0, 5.0, **late), bid("n", 6.0, 5.5)]):
        assert price(clear_horizons(plain_case(offers=offers, bids=bids))) == pytest.approx([3.5], abs=NEAR)


@cache
def drawn(seed: int) -> Cleared:
    case = random_whole_case(seed, orders=2, hours=2)
    return clear_problem(posed(case, horizon=0), market=case.market, reference=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_prices_lie_on_their_optimal_faces(seed: int) -> None:
    """Those of the problem with its binaries fixed, and those of the hull; prices that are a cent an hour higher do not."""
    for joint in drawn(seed).joints:
        for terms, primal, dual in ((joint.program, joint.primal, joint.marginal), (joint.hull_program, joint.hull_primal, joint.hull)):
            of = face_of(terms, primal)
            assert away(of, dual) <= NEAR
            assert away(of, dual + 0.01 * (terms.hair > 0)) > NEAR


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 20))
def test_prices_of_many_markets_lie_on_their_optimal_faces(seed: int) -> None:
    for joint in drawn(seed).joints:
        for terms, primal, dual in ((joint.program, joint.primal, joint.marginal), (joint.hull_program, joint.hull_primal, joint.hull)):
            assert away(face_of(terms, primal), dual) <= NEAR


def test_some_of_these_prices_are_free() -> None:
    joints = [joint for seed in SEEDS for joint in drawn(seed).joints]
    dims = [face_of(joint.program, joint.primal).free.shape[1] for joint in joints]
    assert max(dims) > 1


def test_a_load_that_nothing_decided_can_serve_is_priced_half_way_to_the_cap() -> None:
    """A gang takes all 10 hours: the price is at least their cost 2, and nothing but the cap bounds it from above."""
    run = clear_horizons(plain_case(offers=[offer("a", 10.0, 2.0)], bids=[bid("g", 10.0, 5.0, min_share=1.0)]))
    assert price(run) == pytest.approx([(2.0 + CAP) / 2], abs=NEAR)
    assert price(run, "convex-hull") == pytest.approx([(2.0 + 5.0) / 2], abs=NEAR)


def test_a_block_that_is_sold_to_the_last_hour_leaves_the_price_free_from_nothing_to_the_bid() -> None:
    run = clear_horizons(plain_case(offers=[offer("a", 10.0, 2.0, block=True)], bids=[bid("n", 10.0, 5.0)]))
    assert price(run) == pytest.approx([(0.0 + 5.0) / 2], abs=NEAR)
    assert price(run, "convex-hull") == pytest.approx([(2.0 + 5.0) / 2], abs=NEAR)


def test_a_gang_that_is_refused_at_a_node_whose_block_stays_off_is_priced_half_way_to_the_cap() -> None:
    run = clear_horizons(plain_case(offers=[offer("a", 10.0, 2.0, block=True)], bids=[bid("g", 4.0, 3.0, min_share=1.0)]))
    assert run.awards.is_empty()
    assert price(run) == pytest.approx([CAP / 2], abs=NEAR)
    assert price(run, "convex-hull") == pytest.approx([2.0], abs=NEAR)  # of the hull, in which 0.4 of the block serve it


def test_a_node_that_no_bid_may_use_is_not_priced_half_way_to_the_cap() -> None:
    """In the first hour nobody bids, and the block stays off: nothing is paid for what nobody asks for."""
    late = {"start": START + HOUR, **TWO}
    bids = [bid("n", 10.0, 5.0, **late), bid("early", 1.0, 1.0, workload="w2")]
    resources = [{"resource": name, "kind": "accelerator", "unit": "GPU"} for name in ("g1", "g2")]
    case = plain_case(
        resources=resources,
        workloads=[{"workload": name, "class": "decode", "unit": "u", "egress_gib_per_unit": 1.0} for name in ("w1", "w2")],
        recipes=[{"workload": f"w{n}", "recipe": "r", "output_per_hour": 1.0} for n in (1, 2)],
        recipe_resources=[{"workload": f"w{n}", "recipe": "r", "resource": f"g{n}", "per_hour": 1.0} for n in (1, 2)],
        offers=[offer("a", 10.0, 2.0, block=True, start_cost=1.0, **TWO)],
        bids=bids,
    )
    run = clear_horizons(case)
    here = {rule: run.prices.filter(resource="g1", pricing=rule).sort("start")["price"].to_list() for rule in ("marginal", "convex-hull")}
    assert here["marginal"] == pytest.approx([0.0, (0.0 + 5.0) / 2], abs=NEAR)
    assert here["convex-hull"] == pytest.approx([(0.0 + 2.0) / 2, (2.1 + 5.0) / 2], abs=NEAR)  # an hour of the block, with its start or not
    assert run.uplift.is_empty()


@pytest.mark.parametrize("rule", list(PricingRule))
def test_a_coupled_price_does_not_depend_on_the_unit_of_the_hours(rule: PricingRule) -> None:
    found = []
    for scale in (1e-2, 1.0, 1e3):
        offers = [offer("a", 10.0 * scale, 2.0, start_cost=5.0 * scale), offer("b", 6.0 * scale, 3.0, block=True)]
        bids = [bid("g", 8.0 * scale, 7.0, min_share=0.5), bid("n", 8.0 * scale, 6.0)]
        found.append(price(clear_horizons(plain_case(offers=offers, bids=bids)), rule.value))
    assert found[0] == pytest.approx(found[1], abs=NEAR)
    assert found[2] == pytest.approx(found[1], abs=NEAR)
