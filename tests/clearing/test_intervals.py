"""Admissible intervals of prices: by hand, against the vertices of every dual solution, against moved load, and read back."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog

import tenorgrid as tg
from tenorgrid.clearing.horizons import ClearingRun, Options, clear_horizons
from tenorgrid.data.case import Case, write_case
from tenorgrid.folders import read_clear
from tests.clearing.seeds import few
from tests.clearing.whole_markets import random_whole_case

USD = 1e-6
CENT = 5e-6  # of a price, where HiGHS's own tolerance of 1e-9 is amplified by a basis
Plain = Callable[..., Case]
Row = dict[str, Any]


def offer(name: str, quantity: float, price: float, **cells: Any) -> Row:
    return {"offer_id": name, "quantity": quantity, "price": price} | cells


def bid(name: str, quantity: float, value: float, **cells: Any) -> Row:
    return {"bid_id": name, "quantity": quantity, "value": value} | cells


def cleared(case: Case) -> ClearingRun:
    return clear_horizons(case, options=Options(detail="intervals"))


def bands(run: ClearingRun, rule: str = "marginal") -> list[tuple[float, float, float]]:
    return run.prices.filter(pl.col("pricing") == rule).select("low", "price", "high").rows()


@pytest.mark.parametrize(
    ("offers", "bids", "band"),
    [
        ([offer("o", 5, 2)], [bid("b", 5, 7)], (2, 7)),  # a tie of quantity: any price between offer and bid
        ([offer("o", 9, 2)], [bid("b", 5, 7)], (2, 2)),
        ([offer("o", 5, 2)], [bid("b", 9, 7)], (7, 7)),
        ([offer("o", 5, 2), offer("p", 5, 3)], [bid("b", 5, 7)], (2, 3)),
        ([offer("o", 5, 2)], [bid("b", 5, 7), bid("c", 5, 4)], (4, 7)),
        ([offer("o", 5, 8)], [bid("b", 5, 7)], (7, 8)),  # nobody trades
        ([], [bid("b", 5, 7)], (1000, 1000)),  # no capacity: VOLL, and nothing beside it
    ],
)
def test_the_interval_is_what_offers_and_bids_leave(
    plain_market: Plain, offers: list[Row], bids: list[Row], band: tuple[float, float]
) -> None:
    ((low, price, high),) = bands(cleared(plain_market(offers=offers, bids=bids)))
    assert (low, high) == pytest.approx(band, abs=USD)
    assert low <= price <= high


def test_a_bound_of_the_market_bounds_the_interval(plain_market: Plain, market_terms: Callable[..., Any]) -> None:
    from tenorgrid.data.terms.market import REAL_TIME

    terms = market_terms(price_floor=-3.0, price_cap=50.0, voll=50.0, horizons=(REAL_TIME,))
    gang = bid("g", 5, 9, min_share=1.0)
    ((low, price, high),) = bands(cleared(plain_market(terms, offers=[offer("o", 5, 2)], bids=[gang])))
    assert (low, high) == pytest.approx((2.0, 50.0), abs=USD)  # accepted whole, the gang is there at any price
    assert low <= price <= high


def test_a_node_with_neither_has_no_interval(plain_market: Plain) -> None:
    from tests.clearing.whole_markets import HOUR, START

    late = {"start": START + 2 * HOUR, "end": START + 3 * HOUR}
    run = cleared(plain_market(offers=[offer("o", 5, 2), offer("p", 5, 2, **late)], bids=[bid("b", 2, 7), bid("c", 2, 7, **late)]))
    assert run.prices.filter(pricing="marginal").select("low", "price", "high").row(1) == (None, None, None)


def test_both_rules_have_intervals_of_their_own(plain_market: Plain) -> None:
    run = cleared(plain_market(offers=[offer("u", 10, 1, start_cost=20.0)], bids=[bid("b", 6, 9)]))
    assert bands(run) == [pytest.approx((1.0, 1.0, 1.0), abs=USD)]
    ((low, price, high),) = bands(run, "convex-hull")
    assert (low, price, high) == pytest.approx((3.0, 3.0, 3.0), abs=USD)  # the start is spread over its ten hours


@pytest.mark.parametrize("seed", range(5))
def test_every_published_price_is_in_its_interval_and_within_the_bounds_of_the_market(seed: int) -> None:
    run = cleared(random_whole_case(seed, hours=2))
    priced = run.prices.filter(pl.col("price").is_not_null())
    assert priced.height > 0
    assert (priced["low"] <= priced["price"]).all()
    assert (priced["price"] <= priced["high"]).all()
    assert (priced["low"] >= 0.0).all()
    assert (priced["high"] <= 1000.0).all()
    assert (priced["high"] - priced["low"] >= 0.0).all()


def one_node(rng: np.random.Generator) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Offers and bids of one node from a coarse grid, so that quantities tie often."""
    return (
        [(float(rng.integers(1, 4)), float(rng.integers(1, 9)) + 0.25) for _ in range(3)],
        [(float(rng.integers(1, 4)), float(rng.integers(1, 9)) + 0.5) for _ in range(3)],
    )


def vertices(offers: list[tuple[float, float]], bids: list[tuple[float, float]]) -> tuple[float, float]:
    """Least and largest λ over all vertices of the optimal dual face, one by one: λ, and a shadow price of every step."""
    count = 1 + len(offers) + len(bids)
    rows, sides = [], []
    for place, (_, cost) in enumerate(offers):  # λ − η ≤ cost
        row = np.zeros(count)
        row[0], row[1 + place] = 1.0, -1.0
        rows.append(row)
        sides.append(cost)
    for place, (_, worth) in enumerate(bids):  # −λ − η ≤ −value
        row = np.zeros(count)
        row[0], row[1 + len(offers) + place] = -1.0, -1.0
        rows.append(row)
        sides.append(-worth)
    rows += [-np.eye(count)[place] for place in range(count)]
    sides += [0.0] * count
    rows.append(np.eye(count)[0])
    sides.append(1000.0)  # the cap
    matrix, bound = np.array(rows), np.array(sides)
    paid = np.array([0.0, *(q for q, _ in offers), *(q for q, _ in bids)])
    found = []
    for chosen in combinations(range(len(rows)), count):
        square = matrix[list(chosen)]
        if abs(np.linalg.det(square)) < 1e-9:
            continue
        point = np.linalg.solve(square, bound[list(chosen)])
        if (matrix @ point <= bound + 1e-9).all():
            found.append((float(paid @ point), float(point[0])))
    least = min(cost for cost, _ in found)
    best = [price for cost, price in found if cost <= least + 1e-9]
    return min(best), max(best)


def as_case(plain_market: Plain, offers: list[tuple[float, float]], bids: list[tuple[float, float]]) -> Case:
    return plain_market(
        offers=[offer(f"o{n}", *row) for n, row in enumerate(offers)], bids=[bid(f"b{n}", *row) for n, row in enumerate(bids)]
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_interval_spans_the_vertices_of_the_optimal_face(plain_market: Plain, seed: int) -> None:
    rng = np.random.default_rng(seed)
    offers, bids = one_node(rng)
    offers, bids = offers[:2], bids[:2]
    ((low, _, high),) = bands(cleared(as_case(plain_market, offers, bids)))
    assert (low, high) == pytest.approx(vertices(offers, bids), abs=USD)


def served(offers: list[tuple[float, float]], bids: list[tuple[float, float]], load: float) -> float:
    """The most that a node is worth with some load beside its bids, by scipy."""
    cost = [price for _, price in offers] + [-worth for _, worth in bids]
    signs = [1.0] * len(offers) + [-1.0] * len(bids)
    found = linprog(cost, A_ub=[[-sign for sign in signs]], b_ub=[-load], bounds=[(0.0, q) for q, _ in offers + bids])
    return -float(found.fun or 0.0)


@pytest.mark.parametrize("seed", few(range(10, 18), every=3))
def test_the_ends_are_what_a_little_less_and_a_little_more_load_costs(plain_market: Plain, seed: int) -> None:
    """∂ surplus by load at a node from either side: −high upward, −low downward, where there is some load left to move."""
    offers, bids = one_node(np.random.default_rng(seed))
    ((low, _, high),) = bands(cleared(as_case(plain_market, offers, bids)))
    step = 1e-4
    here = served(offers, bids, 0.0)
    assert (here - served(offers, bids, step)) / step == pytest.approx(high, abs=CENT)
    assert (served(offers, bids, -step) - here) / step == pytest.approx(low, abs=CENT)


def test_without_asking_there_are_no_intervals(plain_market: Plain) -> None:
    run = clear_horizons(plain_market(offers=[offer("o", 5, 2)], bids=[bid("b", 5, 7)]))
    assert not {"low", "high"} & set(run.prices.columns)


def test_intervals_are_written_and_read_back(plain_market: Plain, command: Callable[..., Any], tmp_path: Path) -> None:
    write_case(plain_market(offers=[offer("o", 5, 2)], bids=[bid("b", 5, 7)]), tmp_path / "case")
    done = command("clear", tmp_path / "case", "--intervals", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    prices = read_clear(tmp_path / "out").prices.filter(pricing="marginal")
    assert prices.select("low", "high").rows() == [pytest.approx((2.0, 7.0), abs=USD)]
    again = tg.clear(str(tmp_path / "case"), detail="intervals").prices
    assert again.select("low", "price", "high").rows()[0] == pytest.approx(prices.select("low", "price", "high").rows()[0], abs=USD)
    assert command("clear", tmp_path / "case", "--out", tmp_path / "plain").code == 0
    assert "low" not in read_clear(tmp_path / "plain").prices.columns
