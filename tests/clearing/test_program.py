"""Programs of coupled intervals: where columns and rows come from, and what is left of them fixed and relaxed."""

from functools import cache

import numpy as np
import pytest

from tenorgrid.clearing.joint import _patterns
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.program import BESIDE, NEITHER, Program, program
from tenorgrid.clearing.reference import reference_model
from tenorgrid.clearing.search import Limits, search
from tests.clearing import programs
from tests.clearing.conftest import posed
from tests.clearing.hull import disjoint_hull
from tests.clearing.known_cases import NOW
from tests.clearing.programs import Vector, solve
from tests.clearing.whole_markets import random_whole_case

GRAPHS = [("none", 1), ("tree", 2), ("cycle", 2)]


@cache
def drawn(graph: str, seed: int) -> tuple[Problem, Program]:
    problem = posed(random_whole_case(seed, orders=2, graph=graph, hours=1 if graph == "cycle" else 2), horizon=0)
    group = max(set(problem.groups), key=problem.groups.tolist().count)
    return problem, program(problem, np.flatnonzero(problem.groups == group))


def optimum(of: Program) -> tuple[float, Vector]:
    found = solve(-of.cost, of.matrix.toarray(), low=of.row_lower, high=of.row_upper, lower=of.lower, upper=of.upper)
    assert found is not None
    return found[0], found[1]


@pytest.mark.parametrize(("graph", "seed"), GRAPHS)
def test_values_go_out_to_intervals_and_come_back(graph: str, seed: int) -> None:
    problem, of = drawn(graph, seed)
    values = np.arange(1.0, of.cost.size + 1.0)
    table = of.onto_columns(values, shape=problem.cost.shape)
    inner = of.column_hour >= 0
    at = np.searchsorted(of.hours, of.column_hour[inner]), of.column_place[inner]
    np.testing.assert_array_equal(table[at], values[inner])
    assert (table != 0).sum() == inner.sum()
    beside = of.beside(values, count=problem.coupling.cost.size)
    own = of.column_hour == BESIDE
    np.testing.assert_array_equal(beside[of.column_place[own]], values[own])
    assert np.isfinite(beside).sum() == own.sum()
    duals = np.arange(1.0, of.row_lower.size + 1.0)
    rows = of.onto_rows(duals, shape=problem.row_lower.shape)
    held = of.row_hour >= 0
    np.testing.assert_array_equal(rows[np.searchsorted(of.hours, of.row_hour[held]), of.row_place[held]], duals[held])
    assert (rows != 0).sum() == held.sum()


@pytest.mark.parametrize(("graph", "seed"), GRAPHS)
def test_costs_bounds_and_entries_are_those_of_the_intervals(graph: str, seed: int) -> None:
    """Anything put into a program does in its rows what it does in the intervals' own."""
    problem, of = drawn(graph, seed)
    rng = np.random.default_rng(seed)
    inner = of.column_hour >= 0
    values = np.where(inner, rng.uniform(0, 1, of.cost.size), 0.0)
    table = of.onto_columns(values, shape=problem.cost.shape)
    assert of.cost @ values == pytest.approx(float((problem.cost[of.hours] * table).sum()))
    activity = of.onto_rows(of.matrix @ values, shape=problem.row_lower.shape)
    held = of.onto_rows(np.ones(of.row_lower.size), shape=problem.row_lower.shape) > 0
    np.testing.assert_allclose(activity, np.where(held, (problem.matrix @ table.T).T, 0.0), atol=1e-12)
    left_out = (problem.upper[of.hours] <= 0.0).sum()
    assert inner.sum() == problem.upper[of.hours].size - left_out
    wanted = problem.wanted_rows()[of.hours]
    np.testing.assert_array_equal(of.onto_rows(of.wanted.astype(float), shape=problem.row_lower.shape) > 0, wanted & held)
    np.testing.assert_allclose(of.onto_rows(of.hair, shape=problem.row_lower.shape), problem.hair()[of.hours] * held)


def test_what_is_fixed_is_held_and_nothing_else_changes() -> None:
    _, of = drawn("tree", 2)
    values = np.arange(of.whole.sum()) % 2.0
    fixed = of.fixed(values)
    np.testing.assert_array_equal(fixed.lower[of.whole], values)
    np.testing.assert_array_equal(fixed.upper[of.whole], values)
    np.testing.assert_array_equal(fixed.lower[~of.whole], of.lower[~of.whole])
    np.testing.assert_array_equal(fixed.upper[~of.whole], of.upper[~of.whole])
    assert fixed.matrix is of.matrix


@pytest.mark.parametrize(("graph", "seed"), [("cycle", 0), ("cycle", 2), ("cycle", 5)])
def test_acceptances_in_the_hull_of_their_patterns_give_the_hulls_value(graph: str, seed: int) -> None:
    problem, of = drawn(graph, seed)
    patterns, _ = _patterns(problem.coupling, of)
    assert len(patterns) == 1
    relaxed = of.relaxed(patterns)
    count = patterns[0].accepted.shape[0]
    assert (relaxed.column_hour == NEITHER).sum() == count
    assert relaxed.matrix.shape == (of.matrix.shape[0] + patterns[0].columns.size + 1, of.matrix.shape[1] + count)
    value, point = optimum(relaxed)
    oracle = programs.program(reference_model(random_whole_case(seed, orders=2, graph=graph, hours=1), horizon=NOW))
    assert value == pytest.approx(disjoint_hull(oracle).value, rel=1e-6, abs=1e-6)
    assert value <= optimum(of)[0] + 1e-6  # the plain relaxation is no less
    shares = point[-count:]
    assert shares.sum() == pytest.approx(1.0)
    own = np.flatnonzero(relaxed.column_hour == BESIDE)
    accepted = point[own[np.searchsorted(relaxed.column_place[own], patterns[0].columns)]]
    np.testing.assert_allclose(accepted, shares @ patterns[0].accepted, atol=1e-9)


def test_patterns_of_another_group_of_intervals_are_left_alone() -> None:
    problem, of = drawn("cycle", 2)
    patterns, _ = _patterns(problem.coupling, of)
    _, other = drawn("none", 1)
    if not np.isin(patterns[0].columns, other.column_place[other.column_hour == BESIDE]).all():
        assert other.relaxed(patterns) is other
    assert of.relaxed(()) is of


def test_a_search_that_has_nothing_left_to_decide_says_what_it_costs() -> None:
    """A linear program has no bound of a branch and bound: its own optimum is one."""
    _, of = drawn("tree", 2)
    decided = of.fixed(np.zeros(int(of.whole.sum())))
    found = search(decided, limits=Limits())
    assert found.bound == pytest.approx(-optimum(decided)[0], abs=1e-6)
    assert found.bound < -1.0
    assert found.status == "Optimal"
