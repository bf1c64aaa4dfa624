"""The engine on random markets in which orders are decided whole, against binaries gone through one by one and the column-wise hull."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.reference import reference_model
from tenorgrid.data.case import Case
from tests.clearing.hull import bound, column_hull, disjoint_hull, duals, least_bound
from tests.clearing.known_cases import NOW
from tests.clearing.programs import Flags, Program, Vector, best, program
from tests.clearing.seeds import few
from tests.clearing.whole_markets import random_whole_case

RELATIVE = 1e-6
KINDS = {"none": {"hours": 2, "graph": "none"}, "tree": {"hours": 2, "graph": "tree"}, "cycle": {"hours": 1, "graph": "cycle"}}
MARKETS = [(graph, seed) for graph in KINDS for seed in ((0, 1, 3) if graph == "tree" else (0, 1, 2))]  # extreme points few enough


@cache
def drawn(graph: str, seed: int) -> tuple[Case, ClearingRun, Program]:
    case = random_whole_case(seed, orders=2, **KINDS[graph])  # type: ignore[arg-type]
    return case, clear_horizons(case), program(reference_model(case, horizon=NOW))


@cache
def hull_value(graph: str, seed: int) -> float:
    """By the extreme points of every component."""
    return column_hull(drawn(graph, seed)[2]).value


def published(case: Case, run: ClearingRun, of: Program, rule: str) -> tuple[Vector, Flags]:
    """Prices of one rule as duals of the program's rows, and which rows have none published: links, and reserve where nobody offers."""
    priced = run.prices.filter(pl.col("pricing") == rule, pl.col("price").is_not_null())
    nodes = {tuple(node): price for *node, price in priced.select("location", "resource", "tier", "start", "price").iter_rows()}
    regions = case.locations.select("location", "region")
    firm = priced.filter(pl.col("tier") == "firm").join(regions, on="location")
    groups = firm.group_by("region", "resource", "start").agg(pl.col("scarcity").max())  # 0 where nobody supplies
    adders = {tuple(group): adder for *group, adder in groups.iter_rows()}
    premia: dict[tuple[Any, ...], float] = {}
    sizes = sorted({row[-1] for row in of.rows if row[0] == "domains"})
    table = run.domain_prices.filter(pl.col("pricing") == rule)
    for *node, size, premium in table.select("location", "resource", "tier", "start", "domain", "premium").sort("domain").iter_rows():
        if size in sizes:
            premia[(*node, size)] = premium - sum(delta for key, delta in premia.items() if key[:-1] == tuple(node) and key[-1] < size)
    dual = duals(of, hours=case.market.hours, prices=nodes, premia=premia, adders=adders)
    supplied = {(case_region(case, row), row["resource"], t) for row in case.offers.to_dicts() for t in hours_of(case, row)}
    bare = [row[0] == "reserve" and (tuple(row[1:]) not in adders or tuple(row[1:]) not in supplied) for row in of.rows]
    free = np.array([row[0] == "link" for row in of.rows], dtype=bool) | np.array(bare, dtype=bool)
    return dual, free


def case_region(case: Case, row: dict[str, Any]) -> str:
    return str(case.locations.filter(location=row["location"])["region"].item())


def hours_of(case: Case, row: dict[str, Any]) -> list[datetime]:
    count = (row["end"] - row["start"]) // case.market.interval
    return [row["start"] + number * case.market.interval for number in range(count)]


def surplus(run: ClearingRun) -> float:
    return float(run.surplus.filter(pl.col("pricing") == "marginal")["total"].item())


def away(value: float, wanted: float) -> float:
    return abs(value - wanted) / max(abs(wanted), 1.0)


@pytest.mark.parametrize(("graph", "seed"), few(MARKETS, every=3))
def test_the_surplus_is_that_of_going_through_all_binaries(graph: str, seed: int) -> None:
    _, run, of = drawn(graph, seed)
    assert away(surplus(run), best(of)[0]) <= RELATIVE


@pytest.mark.parametrize(("graph", "seed"), few(MARKETS, every=3))
def test_published_hull_prices_are_those_of_the_column_wise_hull(graph: str, seed: int) -> None:
    case, run, of = drawn(graph, seed)
    hull = hull_value(graph, seed)
    assert set(run.certificate["hull"].cast(pl.String)) <= {"convex-hull", "convex"}
    dual, free = published(case, run, of, "convex-hull")
    assert away(least_bound(of, dual, free=free), hull) <= RELATIVE
    assert away(surplus(run), hull) <= RELATIVE or (run.certificate["hull_gap"] > 0.0).any()


@pytest.mark.parametrize(("graph", "seed"), few(MARKETS, every=3))
def test_uplift_and_shortfall_are_the_distance_from_the_hull(graph: str, seed: int) -> None:
    _, run, _ = drawn(graph, seed)
    lost = float(run.uplift.filter(pl.col("pricing") == "convex-hull")["lost_opportunity"].sum())
    short = float(run.allocation.filter(pl.col("pricing") == "convex-hull", pl.col("charge") == "shortfall")["amount"].sum())
    assert away(lost + short + surplus(run), hull_value(graph, seed)) <= RELATIVE


@pytest.mark.parametrize(("graph", "seed"), MARKETS[:6:2])
def test_other_prices_lie_above_the_hull(graph: str, seed: int) -> None:
    case, run, of = drawn(graph, seed)
    dual, free = published(case, run, of, "convex-hull")
    for factor in (0.5, 2.0):
        assert least_bound(of, dual * factor, free=free) > disjoint_hull(of).value * (1 + RELATIVE)


@pytest.mark.slow
def test_a_hundred_markets(whole_market: Callable[..., Case]) -> None:
    found: Counter[str] = Counter()
    for graph, terms in KINDS.items():
        for seed in range(3, 36):
            case = whole_market(seed, orders=2, **terms)
            run, of = clear_horizons(case), program(reference_model(case, horizon=NOW))
            hull = disjoint_hull(of)
            assert bound(of, hull.dual) == pytest.approx(hull.value, abs=1e-6)
            dual, free = published(case, run, of, "convex-hull")
            assert away(least_bound(of, dual, free=free), hull.value) <= RELATIVE, (graph, seed)
            assert away(surplus(run), best(of)[0]) <= RELATIVE, (graph, seed)
            found.update({graph} if hull.value > surplus(run) + 1e-6 else set())
    assert all(found[graph] >= 5 for graph in KINDS), found
