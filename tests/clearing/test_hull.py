"""The oracle of the convex hull: against markets worked by hand, against itself by other means, and against what must hold of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from tenorgrid.clearing.reference import reference_model
from tenorgrid.data.case import Case
from tests.clearing.hull import Hull, Piece, bound, column_hull, disjoint_hull, duals, gains, lost, made_whole, pieces, shortfall, vertices
from tests.clearing.programs import Program, best, program, relaxed
from tests.clearing.whole_markets import START, terms

NOW = "real-time"
NODE = ("l1", "g1", "firm", START)
USD = 1e-6
Plain = Callable[..., Case]
Drawn = Callable[..., Case]


def posed(case: Case) -> Program:
    return program(reference_model(case, horizon=NOW))


def unit(plain: Plain, demand: float, value: float) -> Case:
    """A supplier of 10 hours at 2 USD and 30 USD a start."""
    offer = {"offer_id": "u", "quantity": 10.0, "price": 2.0, "start_cost": 30.0}
    return plain(offers=[offer], bids=[{"bid_id": "a", "quantity": demand, "value": value}])


def at_price(of: Program, price: float) -> Any:
    return duals(of, hours=1.0, prices={NODE: price})


@pytest.mark.parametrize("hull", [column_hull, disjoint_hull])
@pytest.mark.parametrize(("demand", "value", "expected", "price"), [(4, 20, 60, 5), (4, 9, 16, 5), (4, 4, 0, None), (12, 20, 150, 20)])
def test_a_start_cost_is_spread_over_the_capacity(
    plain_market: Plain, hull: Callable[[Program], Hull], demand: float, value: float, expected: float, price: float | None
) -> None:
    of = posed(unit(plain_market, demand, value))
    found = hull(of)
    assert found.value == pytest.approx(expected, abs=USD)  # at 2 + 30 / 10 = 5 USD an hour the unit neither gains nor loses
    if price is not None:
        assert found.dual[of.rows.index(("balance", *NODE))] == pytest.approx(price, abs=USD)


def test_what_is_lost_and_made_good_at_a_price(plain_market: Plain) -> None:
    of = posed(unit(plain_market, 4, 20))
    value, point = best(of)
    assert value == pytest.approx(42.0)
    hull = at_price(of, 5.0)  # the unit sells 4 for 20, which cost 38; it could gain nothing more
    assert lost(of, hull, point) == pytest.approx({"u": 18.0, "a": 0.0}, abs=USD)
    assert made_whole(of, hull, point) == pytest.approx({"u": 18.0, "a": 0.0}, abs=USD)
    marginal = at_price(of, 2.0)
    assert lost(of, marginal, point) == pytest.approx({"u": 30.0, "a": 0.0}, abs=USD)
    high = at_price(of, 6.0)  # selling all 10 would gain 10; it has lost 14
    assert lost(of, high, point) == pytest.approx({"u": 24.0, "a": 0.0}, abs=USD)
    assert bound(of, high) == pytest.approx(10 + 4 * 14, abs=USD)


def test_links_make_one_owner_of_many_bids(plain_market: Plain) -> None:
    bids = [{"bid_id": name, "quantity": 5.0, "value": value, "min_share": 1.0} for name, value in (("q", 1.0), ("b", 6.0))]
    bids[1]["linked_to"] = "q"
    of = posed(plain_market(offers=[{"offer_id": "o", "quantity": 20.0, "price": 2.0}], bids=bids))
    _, point = best(of)
    assert made_whole(of, at_price(of, 2.0), point) == pytest.approx({"b": 0.0, "o": 0.0}, abs=USD)  # the child makes up for its parent
    assert lost(of, at_price(of, 2.0), point) == pytest.approx({"b": 0.0, "o": 0.0}, abs=USD)


def test_a_child_in_its_parents_group_is_where_the_relaxation_lies(plain_market: Plain) -> None:
    bids = [{"bid_id": "p", "quantity": 5.0, "value": 0.0}, {"bid_id": "c", "quantity": 5.0, "value": 12.0, "linked_to": "p"}]
    both = [row | {"min_share": 1.0, "exclusive_group": "x"} for row in bids]
    of = posed(plain_market(offers=[{"offer_id": "o", "quantity": 20.0, "price": 2.0}], bids=both))
    assert best(of)[0] == pytest.approx(0.0, abs=USD)  # the child needs its parent, and the group admits only one
    assert column_hull(of).value == pytest.approx(0.0, abs=USD)
    assert disjoint_hull(of).value == pytest.approx(0.0, abs=USD)
    assert relaxed(of)[0] == pytest.approx((50 - 10) / 2, abs=USD)  # half of each


@pytest.mark.parametrize("graph", ["none", "tree", "cycle"])
@pytest.mark.parametrize("seed", range(3, 6))
def test_extreme_points_patterns_and_the_bound_agree(seed: int, graph: str, whole_market: Drawn) -> None:
    of = posed(whole_market(seed, hours=1, orders=2, graph=graph))
    columns, copies = column_hull(of), disjoint_hull(of)
    assert columns.value == pytest.approx(copies.value, abs=USD)
    assert bound(of, columns.dual) == pytest.approx(columns.value, abs=USD)
    assert bound(of, copies.dual) == pytest.approx(columns.value, abs=USD)
    assert best(of)[0] - USD <= columns.value <= relaxed(of)[0] + USD


@pytest.mark.parametrize("seed", range(3))
def test_over_several_hours_too(seed: int, whole_market: Drawn) -> None:
    of = posed(whole_market(seed, hours=2, orders=2, totals=0.0))
    assert column_hull(of).value == pytest.approx(disjoint_hull(of).value, abs=USD)


@pytest.mark.slow
def test_the_relaxation_is_the_hull_but_for_cycles(whole_market: Drawn) -> None:
    """Market design, section 5: kinds (a), (b) and (c) are exact without a cycle; with one they are not, and both methods say the same."""
    above = {"none": 0, "tree": 0, "cycle": 0}
    for graph in above:
        for seed in range(12):
            of = posed(whole_market(seed, hours=2 if graph != "cycle" else 1, orders=2, graph=graph))
            found = disjoint_hull(of)
            assert bound(of, found.dual) == pytest.approx(found.value, abs=USD)
            above[graph] += relaxed(of)[0] > found.value + USD
    assert above["none"] == above["tree"] == 0
    assert above["cycle"] >= 3  # of 12: a circle need not bind in every market


@pytest.mark.parametrize("seed", range(4))
def test_lost_opportunity_and_shortfall_are_the_distance_of_the_optimum_from_the_hull(seed: int, whole_market: Drawn) -> None:
    of = posed(whole_market(seed, orders=2))
    value, point = best(of)
    found = disjoint_hull(of)
    forgone = sum(lost(of, found.dual, point).values())
    assert forgone + shortfall(of, found.dual, point) == pytest.approx(found.value - value, abs=USD)
    assert min(lost(of, found.dual, point).values()) >= -USD


@pytest.mark.parametrize("seed", range(3))
def test_no_other_prices_lower_the_bound(seed: int, whole_market: Drawn) -> None:
    of = posed(whole_market(seed, orders=2))
    found, rng = disjoint_hull(of), np.random.default_rng(seed)
    for _ in range(5):
        moved = np.where(of.shared, np.maximum(found.dual + rng.normal(0.0, 0.5, found.dual.size), 0.0), 0.0)
        assert bound(of, moved) >= found.value - USD


def test_a_hull_price_may_be_set_by_a_unit_that_is_off(plain_market: Plain) -> None:
    """Schiro et al., Convex hull pricing in electricity markets, 2015: a property of hull prices that marginal ones do not have."""
    small = {"offer_id": "small", "quantity": 4.0, "price": 2.0}
    large = {"offer_id": "large", "quantity": 100.0, "price": 1.0, "start_cost": 300.0}
    peak = {"offer_id": "peak", "quantity": 20.0, "price": 9.0}
    of = posed(plain_market(offers=[small, large, peak], bids=[{"bid_id": "a", "quantity": 10.0, "value": 50.0}]))
    value, point = best(of)
    assert value == pytest.approx(10 * 50 - 4 * 2 - 6 * 9)
    assert point[of.at("u", "large", START)] == 0.0
    found = disjoint_hull(of)
    assert found.dual[of.rows.index(("balance", *NODE))] == pytest.approx(1 + 300 / 100, abs=USD)


def test_a_limit_that_does_not_bind_may_have_a_hull_price(plain_market: Plain) -> None:
    """Schiro et al., 2015. The far unit is off at the optimum, so its link is empty, and yet the hull would fill the link."""
    places = [{"location": name, "region": "r1"} for name in ("l1", "l2")]
    far = {"offer_id": "far", "location": "l2", "quantity": 100.0, "price": 1.0, "start_cost": 100.0}
    near = {"offer_id": "near", "quantity": 100.0, "price": 6.0}
    link = {"link": "out", "from": "l1", "to": "l2", "capacity_gib_per_hour": 10.0}
    of = posed(plain_market(locations=places, offers=[far, near], links=[link], bids=[{"bid_id": "a", "quantity": 12.0, "value": 50.0}]))
    _, point = best(of)
    found = disjoint_hull(of)
    row = of.rows.index(("link", "out", START))
    assert of.matrix[row] @ point == pytest.approx(0.0)  # 10 from afar would save 50 of the 100 that starting costs
    assert found.dual[row] == pytest.approx(6 - 2, abs=USD)
    assert shortfall(of, found.dual, point) == pytest.approx(40.0, abs=USD)
    assert found.value - best(of)[0] == pytest.approx(40.0, abs=USD)


def test_extreme_points_are_those_that_a_geometry_library_finds() -> None:
    rng = np.random.default_rng(5)
    matrix, high = rng.uniform(0.2, 1.0, (4, 3)), rng.uniform(1.0, 2.0, 4)
    none = np.empty(0, dtype=np.int64)
    piece = Piece(
        part=0,
        binaries=none,
        choice=np.empty(0),
        columns=np.arange(3),
        matrix=matrix,
        low=np.full(4, -np.inf),
        high=high,
        lower=np.zeros(3),
        upper=np.array([0.8, 1.0, np.inf]),
    )
    points = vertices(piece)
    assert ConvexHull(points).vertices.size == len(points)  # each is extreme
    inside = rng.uniform(0.0, 2.0, (2000, 3))
    inside = inside[(inside @ matrix.T <= high).all(axis=1) & (inside <= piece.upper).all(axis=1)]
    assert len(inside) > 50
    faces = ConvexHull(points).equations
    assert (inside @ faces[:, :3].T + faces[:, 3] <= 1e-9).all()  # and nothing lies outside of them
    assert ((points @ matrix.T <= high + 1e-9).all(axis=1) & (points <= piece.upper + 1e-9).all(axis=1)).all()


def test_gains_are_of_the_best_pattern(plain_market: Plain) -> None:
    of = posed(unit(plain_market, 4, 20))
    part = of.part[of.at("u", "u", START)]
    assert [round(gains(of, at_price(of, price))[part], 6) for price in (1.0, 5.0, 7.0)] == [0.0, 0.0, 20.0]
    assert len([piece for piece in pieces(of) if piece.part == part]) == 2  # off, or on and started: it was off before


def test_a_node_without_a_price_is_an_error(plain_market: Plain) -> None:
    of = posed(unit(plain_market, 4, 20))
    with pytest.raises(KeyError):
        duals(of, hours=1.0, prices={})


def test_too_many_patterns_are_refused(plain_market: Plain) -> None:
    gangs = [{"bid_id": f"g{n}", "quantity": 1.0, "value": 3.0, "min_share": 1.0} for n in range(13)]
    of = posed(plain_market(terms(), offers=[{"offer_id": "o", "quantity": 20.0, "price": 2.0}], bids=gangs))
    with pytest.raises(AssertionError, match="8192 patterns are too many"):
        best(of)
