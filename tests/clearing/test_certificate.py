"""Certificate: what is wrong with a solution is found, and what cannot be mended is not published."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.certificate import LIMIT, certify
from tenorgrid.clearing.engine import clear_problem
from tenorgrid.clearing.horizons import clear_horizons
from tenorgrid.clearing.problem import Problem
from tenorgrid.clearing.solver import METHODS, Solution, Solver, reference_basis, solve
from tenorgrid.data.case import Case
from tenorgrid.data.errors import SolverError

Draw = Callable[..., Case]
Posed = Callable[..., Problem]


@pytest.fixture(scope="module")
def problem(random_market: Draw, pose_market: Posed) -> Problem:
    return pose_market(random_market(5, hours=3, size=2), horizon=0)


@pytest.fixture(scope="module")
def solution(problem: Problem) -> Solution:
    return solve(problem, method="cold")


def test_an_optimal_solution_passes(problem: Problem, solution: Solution) -> None:
    found = certify(problem, primal=solution.primal, dual=solution.dual)
    assert found.passes().all()
    assert found.worst().max() < 1e-9


def test_the_gap_is_that_of_weak_duality_worked_by_hand(plain_market: Draw, pose_market: Posed) -> None:
    """10 hours at 2 USD, a bid of 4 at 5 USD; nothing traded at a price of 3 is feasible and admissible on both sides, with a gap of
    what the bid (4 × 2) and the offer (10 × 1) would gain."""
    offers = [{"offer_id": "a", "quantity": 10.0, "price": 2.0}]
    one = pose_market(plain_market(offers=offers, bids=[{"bid_id": "n", "quantity": 4.0, "value": 5.0}]), horizon=0)
    dual = np.zeros((1, one.layout.rows.height))
    dual[0, one.layout.rows.filter(pl.col("kind") == "balance")["number"].item()] = 3.0
    nothing = np.zeros((1, one.layout.columns.height))
    found = certify(one, primal=nothing, dual=dual)
    assert (found.primal.item(), found.dual.item()) == (0.0, 0.0)
    assert found.gap.item() == pytest.approx(18.0)  # relative to 1 + |0|
    best = nothing.copy()
    best[0, one.layout.columns.filter(pl.col("kind") == "offer")["number"].item()] = 4.0
    best[0, one.layout.columns.filter(pl.col("kind") == "bid")["number"].item()] = 4.0
    dual[dual > 0] = 2.0
    assert certify(one, primal=best, dual=dual).worst().item() == 0.0


@pytest.mark.parametrize("kind", ["offer", "level", "bid", "reserve"])
def test_a_changed_primal_value_fails(kind: str, problem: Problem, solution: Solution) -> None:
    columns = problem.layout.columns.filter(pl.col("kind") == kind)["number"].to_numpy()
    used = columns[np.argmax(solution.primal[0, columns])]
    for change in (-0.01, 0.01):
        moved = solution.primal.copy()
        moved[0, used] += change
        found = certify(problem, primal=moved, dual=solution.dual)
        assert found.passes().tolist() == [False, True, True]


@pytest.mark.parametrize("kind", ["balance", "work", "step"])
def test_a_changed_dual_value_fails(kind: str, problem: Problem, solution: Solution) -> None:
    """The row is one through which a column within its bounds passes, so that no other value will do."""
    within = (solution.primal[1] > 1e-3) & (solution.primal[1] < problem.upper[1] - 1e-3)
    pinned = np.asarray(abs(problem.layout.matrix)[:, within].sum(axis=1)) > 0
    rows = np.flatnonzero((problem.layout.rows["kind"] == kind).to_numpy() & pinned & (np.abs(solution.dual[1]) > 1e-3))
    moved = solution.dual.copy()
    moved[1, rows[0]] *= 1.01
    assert certify(problem, primal=solution.primal, dual=moved).passes().tolist() == [True, False, True]


def test_a_dual_value_on_a_side_that_does_not_exist_fails(problem: Problem, solution: Solution) -> None:
    moved = solution.dual.copy()
    row = problem.layout.rows.filter(pl.col("kind") == "balance")["number"].to_numpy()[0]
    moved[2, row] = -0.5  # nobody is paid for using a resource
    assert not certify(problem, primal=solution.primal, dual=moved).passes()[2]


@pytest.mark.parametrize("name", ["primal", "dual"])
def test_a_missing_value_fails(name: str, problem: Problem, solution: Solution) -> None:
    values = {"primal": solution.primal.copy(), "dual": solution.dual.copy()}
    values[name][0, 0] = np.nan
    found = certify(problem, **values)
    assert found.worst()[0] == np.inf
    assert found.passes().tolist() == [False, True, True]


def lying(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the solver give wrong primal values where it uses `method`, as if they were optimal."""
    start, values = Solver.__init__, Solver.values

    def begin(self: Solver, layout: object, *, method: str) -> None:
        start(self, layout, method=method)  # type: ignore[arg-type]
        self.said = method  # type: ignore[attr-defined]

    def answer(self: Solver) -> tuple[np.ndarray, np.ndarray]:
        primal, dual = values(self)
        return (primal * 1.001, dual) if method in ("all", self.said) else (primal, dual)  # type: ignore[attr-defined]

    monkeypatch.setattr(Solver, "__init__", begin)
    monkeypatch.setattr(Solver, "values", answer)


def test_a_second_method_takes_over_where_the_first_one_lies(
    problem: Problem, random_market: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, reference = random_market(5, hours=3, size=2).market, reference_basis(problem)
    truth = clear_problem(problem, market=market, reference=reference)
    assert set(truth.certificate["method"]) == {METHODS["reference"]}
    lying("reference", monkeypatch)
    cleared = clear_problem(problem, market=market, reference=reference)
    assert set(cleared.certificate["method"]) == {METHODS["second"]}
    gains = [float((problem.cost * run.primal).sum()) for run in (truth, cleared)]
    assert gains[1] == pytest.approx(gains[0], rel=1e-6)
    assert certify(problem, primal=cleared.primal, dual=cleared.price).worst().max() <= LIMIT


def test_nothing_is_published_where_both_methods_lie(random_market: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    lying("all", monkeypatch)
    with pytest.raises(SolverError, match="nothing is published"):
        clear_horizons(random_market(5, hours=3, size=2))


def test_a_run_that_ends_without_values_is_solved_again_and_then_refused(
    problem: Problem, random_market: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = random_market(5, hours=3, size=2).market
    monkeypatch.setattr(Solver, "run", lambda self: "Not Set")
    with pytest.raises(SolverError, match="3 intervals do not pass"):
        clear_problem(problem, market=market, reference=None)


def test_one_bad_interval_alone_is_solved_again(problem: Problem, random_market: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    values, load = Solver.values, Solver.load
    reference = reference_basis(problem)

    def begin(self: Solver, *bounds: np.ndarray) -> None:
        loads.append(1)
        load(self, *bounds)

    def answer(self: Solver) -> tuple[np.ndarray, np.ndarray]:
        primal, dual = values(self)
        return (primal * 1.5, dual) if len(loads) == 2 else (primal, dual)

    monkeypatch.setattr(Solver, "load", begin)
    monkeypatch.setattr(Solver, "values", answer)
    cleared = clear_problem(problem, market=random_market(5, hours=3, size=2).market, reference=reference)
    assert cleared.certificate["method"].to_list() == [METHODS["reference"], METHODS["second"], METHODS["reference"]]


def test_prices_that_are_not_optimal_give_way_to_the_plain_duals(
    problem: Problem, random_market: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mean of the duals with a hair more and less load is published only where it passes the certificate itself."""

    def too_far(self: Problem) -> np.ndarray:
        return np.where(problem.layout.rows["kind"].to_numpy() == "balance", 0.5, 0.0) * np.ones_like(self.row_lower)

    monkeypatch.setattr(Problem, "hair", too_far)
    cleared = clear_problem(problem, market=random_market(5, hours=3, size=2).market, reference=reference_basis(problem))
    plain = cleared.certificate["price_rule"] == "plain"
    assert plain.any()
    again = solve(replace(problem), method="reference", reference=reference_basis(problem))
    np.testing.assert_array_equal(cleared.price[plain.to_numpy()], again.dual[plain.to_numpy()])
    assert certify(problem, primal=cleared.primal, dual=cleared.price).passes().all()
