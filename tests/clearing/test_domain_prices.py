"""Scale-up domains that nobody has: the premium is what is missing to VOLL, and the δ of all sizes up to one add to its premium."""

from typing import Any

import numpy as np
import pytest

from tenorgrid.clearing.engine import Cleared, clear_problem
from tenorgrid.clearing.pricing import node_prices
from tenorgrid.data.kinds.market import PricingRule
from tests.clearing.conftest import START, Row, plain_case, posed
from tests.clearing.known_cases import HOUR

NEAR = 1e-6
VOLL = 1000.0
SIZES = {"w1": None, "wide": 8, "vast": 72}
FIRST, BOTH = {"end": START + HOUR}, {"end": START + 2 * HOUR}


def cleared(offers: list[Row], bids: list[Row]) -> Cleared:
    """A market in which work of `wide` needs a domain of 8, and that of `vast` one of 72."""
    case = plain_case(
        workloads=[{"workload": name, "class": "decode", "unit": "u", "egress_gib_per_unit": 1.0} for name in SIZES],
        recipes=[{"workload": name, "recipe": "r", "output_per_hour": 1.0, "domain": size} for name, size in SIZES.items()],
        recipe_resources=[{"workload": name, "recipe": "r", "resource": "g1", "per_hour": 1.0} for name in SIZES],
        offers=offers,
        bids=bids,
    )
    return clear_problem(posed(case, horizon=0), market=case.market, reference=None)


def by_size(run: Cleared, values: Any) -> dict[int, list[float]]:
    """A number per domain row, by the size of the row and hour."""
    return {row.size: values[:, at].tolist() for at, row in enumerate(run.problem.layout.domain_rows)}


@pytest.mark.parametrize("share", [None, 1.0])
@pytest.mark.parametrize("rule", list(PricingRule))
def test_what_is_missing_to_voll_is_in_the_size_that_nobody_has(rule: PricingRule, share: float | None) -> None:
    """λ is 2 and a domain of 8 costs 1 more; of 72 there is none: 997 more."""
    offers = [{"offer_id": "a", "quantity": 9.0, "price": 2.0}, {"offer_id": "b", "quantity": 6.0, "price": 3.0, "domain": 8}]
    bids = [
        {"bid_id": "n", "quantity": 4.0, "value": 9.0},
        {"bid_id": "m", "quantity": 2.0, "value": 9.0, "workload": "wide"},
        {"bid_id": "v", "quantity": 3.0, "value": 9.0, "workload": "vast", "min_share": share},
    ]
    run = cleared(offers, bids)
    nodes = run.priced[rule].nodes
    assert nodes.price[0, 0, 0, 0] == pytest.approx(2.0, abs=NEAR)
    assert [nodes.premium_of(size)[0, 0, 0, 0] for size in (1, 8, 72)] == pytest.approx([0.0, 1.0, VOLL - 2.0], abs=NEAR)
    assert by_size(run, nodes.delta) == {8: pytest.approx([1.0], abs=NEAR), 72: pytest.approx([VOLL - 3.0], abs=NEAR)}


@pytest.mark.parametrize("share", [None, 1.0])
@pytest.mark.parametrize("rule", list(PricingRule))
def test_of_two_sizes_that_nobody_has_the_smaller_holds_it_all(rule: PricingRule, share: float | None) -> None:
    bids = [
        {"bid_id": "n", "quantity": 4.0, "value": 9.0},
        {"bid_id": "m", "quantity": 2.0, "value": 9.0, "workload": "wide", "min_share": share},
        {"bid_id": "v", "quantity": 3.0, "value": 9.0, "workload": "vast", "min_share": share},
    ]
    run = cleared([{"offer_id": "a", "quantity": 9.0, "price": 2.0, "domain": 4}], bids)
    nodes = run.priced[rule].nodes
    assert by_size(run, nodes.delta) == {8: pytest.approx([VOLL - 2.0], abs=NEAR), 72: pytest.approx([0.0], abs=NEAR)}
    assert nodes.premium_of(72)[0, 0, 0, 0] == pytest.approx(VOLL - 2.0, abs=NEAR)


def test_in_an_hour_in_which_nobody_asks_for_it_no_row_carries_what_is_missing() -> None:
    """The premium is published all the same, for whoever might ask."""
    bids = [
        {"bid_id": "n", "quantity": 4.0, "value": 9.0, **BOTH},
        {"bid_id": "v", "quantity": 3.0, "value": 9.0, "workload": "vast", **FIRST},
    ]
    run = cleared([{"offer_id": "a", "quantity": 9.0, "price": 2.0, **BOTH}], bids)
    nodes = run.priced[PricingRule.MARGINAL].nodes
    assert by_size(run, nodes.delta) == {72: pytest.approx([VOLL - 2.0, 0.0], abs=NEAR)}
    assert nodes.premium_of(72)[:, 0, 0, 0] == pytest.approx([VOLL - 2.0] * 2, abs=NEAR)


def test_what_a_solver_says_of_a_size_that_nobody_has_does_not_count() -> None:
    """Such a row has no use and no supply, and any dual of it is optimal: the published one is the same whatever it is."""
    bids = [{"bid_id": "n", "quantity": 4.0, "value": 9.0}, {"bid_id": "v", "quantity": 3.0, "value": 9.0, "workload": "vast"}]
    run = cleared([{"offer_id": "a", "quantity": 9.0, "price": 2.0}], bids)
    market = plain_case(offers=[], bids=bids[:1]).market
    dual = run.priced[PricingRule.MARGINAL].rows.copy()
    (row,) = (row.row for row in run.problem.layout.domain_rows)
    found = []
    for said in (-3.0, 0.0, 7.0, 5000.0):
        dual[:, row] = said
        nodes = node_prices(run.problem, dual=dual, market=market)
        found.append((nodes.delta.tolist(), nodes.premium.tolist(), nodes.price.tolist()))
    assert found == [found[0]] * 4
    assert np.array(found[0][0]) == pytest.approx(np.array([[VOLL - 2.0]]), abs=NEAR)
