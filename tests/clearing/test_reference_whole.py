"""Reference: what is decided whole. Each constraint on a market worked by hand, all of them by going through the binaries."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyomo.environ as pyo
import pytest

import tenorgrid as tg
from tenorgrid.clearing.reference import reference_model
from tenorgrid.clearing.reference_solution import Reference, solve_model, solve_reference
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tests.clearing.programs import best, program, relaxed
from tests.clearing.seeds import few
from tests.clearing.whole_markets import START, terms

HOUR = timedelta(hours=1)
NOW = "real-time"
USD = 1e-7
Plain = Callable[..., Case]


def hours(first: int, end: int) -> dict[str, Any]:
    return {"start": START + first * HOUR, "end": START + end * HOUR}


def offer(name: str, quantity: float, price: float, **cells: Any) -> dict[str, Any]:
    return {"offer_id": name, "quantity": quantity, "price": price} | cells


def bid(name: str, quantity: float, value: float, **cells: Any) -> dict[str, Any]:
    return {"bid_id": name, "quantity": quantity, "value": value} | cells


def solved(case: Case, **changed: Any) -> Reference:
    return solve_reference(case, horizon=NOW, **changed)


def test_a_start_cost_is_paid_once_a_run(plain_market: Plain) -> None:
    unit = offer("u", 10, 2, start_cost=30.0, **hours(0, 3))
    case = plain_market(offers=[unit], bids=[bid("a", 5, 20, **hours(0, 1)), bid("c", 5, 20, **hours(2, 3))])
    found = solved(case)
    assert found.surplus == pytest.approx(2 * 5 * 18 - 30, abs=USD)  # staying on through the empty hour costs nothing
    assert [found.committed["u", START + n * HOUR] for n in range(3)] == [1.0, 1.0, 1.0]
    blocky = plain_market(offers=[unit | {"block": True}], bids=[bid("a", 5, 20, **hours(0, 1)), bid("c", 5, 20, **hours(2, 3))])
    again = solved(blocky)
    assert again.surplus == pytest.approx(2 * (100 - 20) - 30 - 20, abs=USD)  # a block is sold wholly: 10 hours of nothing cost 20 < 30
    assert again.sold["u", "g1", 1, "firm", START + HOUR] == pytest.approx(10.0)


@pytest.mark.parametrize(("least", "surplus"), [(1, 30.0), (2, 10.0), (3, 0.0)])
def test_a_run_lasts_its_least_hours_inside_the_window(plain_market: Plain, least: int, surplus: float) -> None:
    unit = offer("u", 10, 2, block=True, min_hours=least, **hours(0, 3))
    case = plain_market(offers=[unit], bids=[bid("a", 10, 5, **hours(1, 2))])
    assert solved(case).surplus == pytest.approx(surplus, abs=USD)


def test_a_run_cannot_start_too_late_to_last(plain_market: Plain) -> None:
    unit = offer("u", 10, 2, block=True, min_hours=2, **hours(0, 3))
    found = solved(plain_market(offers=[unit], bids=[bid("a", 10, 5, **hours(2, 3))]))
    assert found.surplus == pytest.approx(10.0, abs=USD)
    assert [found.committed["u", START + n * HOUR] for n in range(3)] == [0.0, 1.0, 1.0]


def test_resources_of_one_offer_are_committed_together(plain_market: Plain) -> None:
    resources = [{"resource": "g1", "kind": "accelerator", "unit": "GPU"}, {"resource": "vcpu", "kind": "cpu", "unit": "vCPU"}]
    needs = [{"workload": "w1", "recipe": "on-g1", "resource": name, "per_hour": 1.0} for name in ("g1", "vcpu")]
    rack = [offer("rack", 10, 2, block=True), offer("rack", 10, 0.5, block=True, resource="vcpu")]
    cheap = offer("spare", 10, 0.1, resource="vcpu")
    found = solved(plain_market(resources=resources, recipe_resources=needs, offers=[*rack, cheap], bids=[bid("a", 10, 5)]))
    assert found.surplus == pytest.approx(10 * (5 - 2.5), abs=USD)  # the rack's own CPUs are sold with it, and paid for
    assert found.sold["spare", "vcpu", 1, "firm", START] == pytest.approx(0.0, abs=USD)


def test_a_block_that_nobody_may_use_is_paid_for(plain_market: Plain) -> None:
    resources = [{"resource": "g1", "kind": "accelerator", "unit": "GPU"}, {"resource": "vcpu", "kind": "cpu", "unit": "vCPU"}]
    rack = [offer("rack", 10, 2), offer("rack", 10, 0.5, block=True, resource="vcpu")]
    found = solved(plain_market(resources=resources, offers=rack, bids=[bid("a", 10, 5)]))
    assert found.surplus == pytest.approx(10 * (5 - 2) - 10 * 0.5, abs=USD)
    assert {resource for _, resource, *_ in found.sold} == {"g1"}  # there is no market in what nobody may use


def test_a_gang_gets_its_share_in_every_hour_or_nothing(plain_market: Plain) -> None:
    supply = [offer("h0", 10, 1, **hours(0, 1)), offer("h1", 4, 1, **hours(1, 2))]
    for share, surplus in ((0.3, 4 * 8 + 9 * 8), (0.5, 0.0)):
        case = plain_market(offers=supply, bids=[bid("g", 9, 9, min_share=share, **hours(0, 2))])
        found = solved(case)
        assert found.surplus == pytest.approx(surplus, abs=USD)
        assert found.accepted == {"g": float(surplus > 0)}


def test_the_share_of_a_gang_is_of_all_its_steps(plain_market: Plain) -> None:
    gang = [bid("g", 5, 9, min_share=0.8, step=1), bid("g", 5, 1, min_share=0.8, step=2)]
    found = solved(plain_market(offers=[offer("o", 20, 3)], bids=gang))
    assert found.work["g", START] == pytest.approx(8.0)  # 5 worth 6 each, and 3 that lose 2 each
    assert found.surplus == pytest.approx(5 * 6 - 3 * 2, abs=USD)


def test_of_a_group_the_best_is_accepted(plain_market: Plain) -> None:
    bids = [bid(name, 5, value, min_share=1.0, exclusive_group="x") for name, value in (("a", 4), ("b", 6), ("c", 5))]
    assert solved(plain_market(offers=[offer("o", 100, 1)], bids=bids)).accepted == {"a": 0.0, "b": 1.0, "c": 0.0}


@pytest.mark.parametrize(("parent", "accepted"), [(1.0, 1.0), (-6.0, 0.0)])
def test_a_child_saves_its_parent_if_it_gains_enough(plain_market: Plain, parent: float, accepted: float) -> None:
    bids = [bid("p", 10, 2 + parent, min_share=1.0), bid("c", 5, 4, min_share=1.0, linked_to="p")]
    bids.append(bid("r", 5, 5, linked_to="p"))  # no gang, but bounded by its parent: gains 15, and the gang 10
    found = solved(plain_market(terms(price_floor=-10.0), offers=[offer("o", 100, 2)], bids=bids))
    assert found.accepted == {"p": accepted, "c": accepted}
    assert found.surplus == pytest.approx(accepted * (10 * parent + 25), abs=USD)


def test_a_deadline_is_met_in_the_cheapest_hours(plain_market: Plain) -> None:
    supply = [offer(f"h{n}", 10, price, **hours(n, n + 1)) for n, price in enumerate((3.0, 1.0, 2.0))]
    for half in (False, True):
        interval = HOUR / 2 if half else HOUR
        case = plain_market(terms(interval=interval), offers=supply, bids=[bid("d", 6, 9, total=9.0, **hours(0, 3))])
        found = solved(case)
        assert found.surplus == pytest.approx(6 * 8 + 3 * 7, abs=USD)  # the total is of work, not of hours
        assert sum(found.work.values()) * (0.5 if half else 1.0) == pytest.approx(9.0)


def test_a_total_of_nothing_gets_nothing(plain_market: Plain) -> None:
    found = solved(plain_market(offers=[offer("o", 10, 1)], bids=[bid("d", 6, 9, total=0.0)]))
    assert found.surplus == pytest.approx(0.0, abs=USD)


def test_a_recipe_that_needs_a_domain_runs_in_one_that_is_large_enough(plain_market: Plain) -> None:
    workloads = [{"workload": name, "class": "decode", "unit": "GPU-hour", "egress_gib_per_unit": 1.0} for name in ("w1", "wide", "vast")]
    sizes = {"w1": None, "wide": 8, "vast": 72}
    recipes = [{"workload": name, "recipe": "r", "output_per_hour": 1.0, "domain": size} for name, size in sizes.items()]
    needs = [{"workload": name, "recipe": "r", "resource": "g1", "per_hour": 1.0} for name in ("w1", "wide", "vast")]
    supply = [offer("plain", 20, 1.0), offer("nvl8", 6, 3.0, domain=8), offer("nvl72", 4, 4.0, domain=72)]
    bids = [bid("a", 5, 9), bid("b", 8, 10, workload="wide"), bid("c", 1, 12, workload="vast"), bid("d", 1, 20, workload="w1")]
    case = plain_market(workloads=workloads, recipes=recipes, recipe_resources=needs, offers=supply, bids=bids)
    found = solved(case)
    assert found.surplus == pytest.approx(5 * 8 + 6 * 7 + 2 * 6 + 8 + 19, abs=USD)
    node = ("l1", "g1", "firm", START)
    assert found.prices[node] == pytest.approx(1.0, abs=USD)
    assert found.premia[*node, 8] == pytest.approx(3.0, abs=USD)  # the last hour of a domain of 8 comes from one of 72
    assert found.premia[*node, 72] == pytest.approx(0.0, abs=USD)


def test_a_committed_offer_holds_headroom_only_while_it_is_on(plain_market: Plain) -> None:
    reserves = [{"step": 1, "quantity": 4.0, "price": 10.0}]
    unit = offer("u", 10, 2, start_cost=5.0)
    found = solved(plain_market(offers=[unit], bids=[bid("a", 1, 3)], reserves=reserves))
    assert found.surplus == pytest.approx(1 + 40 - 5, abs=USD)  # it starts for the sake of the reserve
    block = solved(plain_market(offers=[offer("u", 10, 2, block=True)], bids=[bid("a", 1, 3)], reserves=reserves))
    assert block.surplus == pytest.approx(0.0, abs=USD)  # a block has none to spare


@pytest.mark.parametrize("seed", few(range(6), every=3))
def test_the_search_finds_what_going_through_all_binaries_does(seed: int, whole_market: Callable[..., Case]) -> None:
    model = reference_model(whole_market(seed, orders=2), horizon=NOW)
    found, arrays = solve_model(model), program(model)
    value, _ = best(arrays)
    assert found.surplus == pytest.approx(value, abs=1e-6)
    loose = solve_model(model, rule="relaxed")
    assert loose.surplus == pytest.approx(relaxed(arrays)[0], abs=1e-6)
    assert loose.surplus >= value - 1e-6


@pytest.mark.slow
def test_two_dozen_markets_agree_and_every_family_binds(whole_market: Callable[..., Case]) -> None:
    seen: Counter[str] = Counter()
    for seed in range(24):
        model = reference_model(whole_market(seed, orders=2, hours=2 + seed % 2), horizon=NOW)
        found = solve_model(model)
        assert found.surplus == pytest.approx(best(program(model))[0], abs=1e-6)
        loose = solve_model(model, rule="relaxed")
        seen.update({family for family, count in loose.binding.items() if count})
        seen.update({"gap"} if loose.surplus > found.surplus + 1e-6 else set())
    for family in (
        "work",
        "step",
        "total",
        "balance",
        "inventory",
        "domains",
        "reserve",
        "link",
        "gang",
        "group",
        "linked",
        "starting",
        "gap",
    ):
        assert seen[family] >= 3, f"{family} binds in {seen[family]} of 24 markets"


def test_a_constraint_of_ones_own_is_tried_by_adding_it(plain_market: Plain) -> None:
    case = plain_market(offers=[offer("o", 10, 1)], bids=[bid("a", 8, 4)])
    model = tg.reference_model(case, horizon=NOW)
    model.mine = pyo.Constraint(expr=sum(model.Y[key] for key in model.Y if key[0] == "o") <= 3.0)
    assert tg.solve_model(model).surplus == pytest.approx(9.0, abs=USD)
    assert pyo.value(model.surplus) == pytest.approx(9.0, abs=USD)  # the model holds the solution
    del model.mine
    assert tg.solve_model(model).surplus == pytest.approx(24.0, abs=USD)  # and can be solved again


def test_an_order_that_is_decided_over_its_window_is_not_cut(plain_market: Plain) -> None:
    case = plain_market(offers=[offer("o", 10, 1, **hours(0, 2))], bids=[bid("g", 5, 4, min_share=1.0, **hours(0, 2))])
    with pytest.raises(InputError, match="all the intervals of bid g or none"):
        solved(case, starts=[START])
    with pytest.raises(InputError, match="week-ahead, expected one of real-time"):
        solve_reference(case, horizon="week-ahead")


def test_hours_that_nothing_joins_add_up(whole_market: Callable[..., Case], random_market: Callable[..., Case]) -> None:
    case = random_market(1, hours=2)
    apart = [solve_reference(case, horizon="day-ahead", starts=[START + n * HOUR]).surplus for n in range(2)]
    assert solve_reference(case, horizon="day-ahead").surplus == pytest.approx(sum(apart), rel=1e-9)


def test_scarcity_terms_of_the_market_are_reserve_steps(plain_market: Plain) -> None:
    from tenorgrid.data.terms.market import Scarcity

    scarcity = Scarcity(reference_price=0.0, contingency=4.0, mean=0.0, sd=1.0, steps=1)
    case = plain_market(terms(scarcity=scarcity, voll=100.0), offers=[offer("o", 10, 1)], bids=[bid("a", 9, 50)])
    assert sum(solved(case).adders.values()) > 0.0
