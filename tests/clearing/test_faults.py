"""Faults put into what the solver gives: what is wrong is solved again by another method, and what stays wrong is not published."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing import joint as joints
from tenorgrid.clearing import search as searches
from tenorgrid.clearing import uplift
from tenorgrid.clearing.centre import Centre, centre
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.joint import SEARCHED_AGAIN
from tenorgrid.clearing.program import Program
from tenorgrid.clearing.search import Incumbent, search
from tenorgrid.clearing.solver import METHODS, Basis, Solver
from tenorgrid.data.case import Case
from tenorgrid.data.errors import SolverError
from tests.clearing.conftest import random_case
from tests.clearing.known_cases import CASES, known
from tests.clearing.programs import Vector
from tests.clearing.seeds import few
from tests.clearing.whole_markets import random_whole_case

FOLDERS = {"hour by hour": Path(__file__).parents[1] / "data" / "cases" / "two_locations", "joint": CASES / "scarf"}
FIRST = ("reference", "cold")
ALL = (*FIRST, "second")
Command = Callable[..., Any]
Pair = tuple[Vector, Vector]


def largest(values: Vector) -> int:
    return int(np.argmax(np.abs(values)))


def changed(values: Vector, change: Callable[[float], float]) -> Vector:
    """The largest value changed."""
    found = values.copy()
    found[largest(values)] = change(float(values[largest(values)]))
    return found


FAULTS: dict[str, Callable[[Vector, Vector], Pair]] = {
    "a primal value with its sign flipped": lambda x, y: (changed(x, lambda value: -value), y),
    "a primal value with a bit of its exponent flipped": lambda x, y: (changed(x, lambda value: 2.0 * value), y),
    "a primal value that is a little too large": lambda x, y: (changed(x, lambda value: value * (1 + 1e-4)), y),
    "a primal value that is no number": lambda x, y: (changed(x, lambda _: np.nan), y),
    "a dual value with its sign flipped": lambda x, y: (x, changed(y, lambda value: -value)),
    "a dual value that is no number": lambda x, y: (x, changed(y, lambda _: np.nan)),
    "an objective better than possible": lambda x, y: (x * 1.5, y),
    "nothing traded": lambda x, y: (x * 0.0, y),
    "the duals of another problem": lambda x, y: (x, y[::-1] + 1.0),
    "no values at all": lambda x, y: (np.full_like(x, np.nan), np.full_like(y, np.nan)),
}


SLOW = sorted(FAULTS)[::2]
EACH = [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in FAULTS]


@cache
def case(path: str) -> Case:
    return random_case(8, hours=3, size=2, ties=False) if path == "hour by hour" else known("modified-scarf")  # of one optimum each


@cache
def truth(path: str) -> ClearingRun:
    return clear_horizons(case(path))


def lie(monkeypatch: pytest.MonkeyPatch, fault: Callable[[Vector, Vector], Pair], *, methods: tuple[str, ...]) -> None:
    """Let the solver give wrong values where it uses one of these methods, and say that they are optimal."""
    begin, values, duals = Solver.__init__, Solver.values, Solver.duals

    def start(self: Solver, matrix: Any, *, method: Any) -> None:
        begin(self, matrix, method=method)
        self.lies = method in methods  # type: ignore[attr-defined]

    def say(self: Solver) -> Pair:
        return fault(*values(self)) if self.lies else values(self)  # type: ignore[attr-defined]

    def say_duals(self: Solver) -> Vector:
        return fault(values(self)[0], duals(self))[1] if self.lies else duals(self)  # type: ignore[attr-defined]

    monkeypatch.setattr(Solver, "__init__", start)
    monkeypatch.setattr(Solver, "values", say)
    monkeypatch.setattr(Solver, "duals", say_duals)


def the_same(found: ClearingRun, wanted: ClearingRun) -> None:
    """Prices, awards, what is on, uplift and surplus, to 1e-6."""
    for name in ("prices", "workload_prices", "awards", "commitments", "uplift", "surplus"):
        first, second = found.tables()[name], wanted.tables()[name]
        assert first.height == second.height, name
        for column, dtype in first.schema.items():
            if dtype == pl.Float64:
                np.testing.assert_allclose(first[column].to_numpy(), second[column].to_numpy(), rtol=1e-6, atol=1e-6, err_msg=name)
            else:
                assert first[column].to_list() == second[column].to_list(), (name, column)


def written(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def passes(run: ClearingRun) -> None:
    assert run.certificate.select(pl.max_horizontal("primal", "dual", "complementarity", "gap").max()).item() <= 1e-6


@pytest.mark.parametrize("fault", EACH)
@pytest.mark.parametrize("path", FOLDERS)
def test_where_the_first_method_lies_the_second_one_is_published(path: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = truth(path)
    lie(monkeypatch, FAULTS[fault], methods=FIRST)
    run = clear_horizons(case(path))
    the_same(run, wanted)
    passes(run)
    assert not wanted.certificate["method"].str.contains(METHODS["second"]).any()
    assert run.certificate["method"].str.contains(METHODS["second"]).all()
    assert not run.certificate["method"].str.contains("dual simplex").any()


@pytest.mark.parametrize("fault", EACH)
@pytest.mark.parametrize("path", FOLDERS)
def test_where_both_methods_lie_nothing_is_published(path: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lie(monkeypatch, FAULTS[fault], methods=ALL)
    with pytest.raises(SolverError, match="certificate"):
        clear_horizons(case(path))


@pytest.mark.parametrize("fault", ["a primal value that is a little too large", "the duals of another problem", "no values at all"])
def test_where_a_solver_that_goes_on_from_the_hull_lies_the_second_method_is_published(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hull is solved honestly; only what is solved after it, from where that one stands, is wrong."""
    wanted, used = truth("joint"), []

    def wrong(terms: Program, **how: Any) -> Centre:
        used.append(how["method"])
        found = centre(terms, **how)
        if how["method"] != "warm":
            return found
        primal, dual = FAULTS[fault](found.primal, found.dual)
        return replace(found, primal=primal, dual=dual, price=dual)

    monkeypatch.setattr(joints, "centre", wrong)
    run = clear_horizons(case("joint"))
    the_same(run, wanted)
    passes(run)
    assert used == ["cold", "warm", "second"]
    assert run.certificate["method"].str.ends_with(f"{METHODS['second']} and {METHODS['cold']}").all()


@pytest.mark.parametrize("fault", ["an objective better than possible"])
@pytest.mark.parametrize("path", FOLDERS)
def test_where_both_methods_lie_nothing_is_written_and_the_last_good_output_stays(
    path: str, fault: str, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "clear", FOLDERS[path], "--out", tmp_path / "out", "--workers", 1
    assert command(*words).code == 0
    before = written(tmp_path / "out")
    lie(monkeypatch, FAULTS[fault], methods=ALL)
    said = command(*words)
    assert said.code == 1
    assert "certificate" in said.err
    assert written(tmp_path / "out") == before
    assert [place.name for place in tmp_path.iterdir()] == ["out"]  # nothing half-written beside it
    assert command("clear", FOLDERS[path], "--out", tmp_path / "new", "--workers", 1).code == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("path", FOLDERS)
def test_wrong_duals_of_a_hair_more_or_less_load_give_way_to_plain_duals(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    duals = Solver.duals
    monkeypatch.setattr(Solver, "duals", lambda self: duals(self)[::-1] * 3.0 + 1.0)
    market = random_whole_case(2, orders=2) if path == "joint" else case(path)
    run = clear_horizons(market)
    passes(run)
    assert run.certificate["price_rule"].str.contains("plain").any()
    monkeypatch.undo()
    honest = clear_horizons(market)
    assert not honest.certificate["price_rule"].str.contains("plain").any()
    assert run.surplus["total"].to_list() == pytest.approx(honest.surplus["total"].to_list(), rel=1e-6)


# the basis that hours start from


def upside_down(basis: Basis) -> Basis:
    """Columns for rows and rows for columns, as far as they reach."""
    statuses = [*basis.rows, *basis.columns]
    return Basis(columns=tuple(statuses[: len(basis.columns)]), rows=tuple(statuses[len(basis.columns) :]))


BASES: dict[str, Callable[[Basis], Basis]] = {
    "all columns basic": lambda basis: Basis(columns=(1,) * len(basis.columns), rows=(1,) * len(basis.rows)),
    "nothing basic": lambda basis: Basis(columns=(0,) * len(basis.columns), rows=(0,) * len(basis.rows)),
    "columns for rows": upside_down,
    "of a smaller problem": lambda basis: Basis(columns=basis.columns[:-3], rows=basis.rows[:-1]),
    "everything at its upper bound": lambda basis: Basis(columns=(2,) * len(basis.columns), rows=(1,) * len(basis.rows)),
}


@pytest.mark.parametrize("name", BASES)
def test_a_wrong_basis_gives_the_same_prices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted, start, used = truth("hour by hour"), Solver.start_from, []

    def begin(self: Solver, basis: Basis) -> None:
        used.append(name)
        start(self, BASES[name](basis))

    monkeypatch.setattr(Solver, "start_from", begin)
    run = clear_horizons(case("hour by hour"))
    assert used
    passes(run)
    the_same(run, wanted)


# the search for whole solutions


def flipped(found: Incumbent) -> Incumbent:
    """The first acceptance or commitment that is there is taken away."""
    values = found.values.copy()
    values[int(np.argmax(values))] = 0.0
    return replace(found, values=values)


def all_on(found: Incumbent) -> Incumbent:
    return replace(found, values=np.ones_like(found.values))


SEARCHES: dict[str, Callable[[Incumbent], Incumbent]] = {
    "one binary flipped": flipped,
    "everything on": all_on,
    "half a commitment": lambda found: replace(found, values=found.values * 0.5),
    "no number": lambda found: replace(found, values=np.where(found.values > 0, np.nan, found.values)),
    "a bound above what was found": lambda found: replace(found, bound=found.bound + 1.0),
    "an objective better than possible": lambda found: replace(found, bound=found.bound - 1.0),
    "a bound that is no number": lambda found: replace(found, bound=np.nan),
}


def mislead(monkeypatch: pytest.MonkeyPatch, fault: Callable[[Incumbent], Incumbent], *, times: float) -> list[str]:
    """Let the first searches give something wrong; what they say of themselves stays."""
    told: list[str] = []

    def wrong(*args: Any, **kwargs: Any) -> Incumbent:
        found = search(*args, **kwargs)
        told.append(found.status)
        return fault(found) if len(told) <= times else found

    monkeypatch.setattr(joints, "search", wrong)
    return told


@pytest.mark.parametrize("fault", SEARCHES)
def test_a_search_that_its_solution_refutes_is_made_again_of_everything(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = truth("joint")
    told = mislead(monkeypatch, SEARCHES[fault], times=1)
    run = clear_horizons(case("joint"))
    assert len(told) == 2
    assert run.certificate["method"].str.starts_with(SEARCHED_AGAIN).all()
    the_same(run, wanted)
    passes(run)


@pytest.mark.parametrize("fault", few(SEARCHES))
def test_a_search_that_is_refuted_twice_is_refused(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mislead(monkeypatch, SEARCHES[fault], times=np.inf)
    with pytest.raises(SolverError, match="nothing is published"):
        clear_horizons(case("joint"))


def test_the_last_good_output_stays_where_a_search_is_refused(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = "clear", FOLDERS["joint"], "--out", tmp_path / "out", "--workers", 1
    assert command(*words).code == 0
    before = written(tmp_path / "out")
    mislead(monkeypatch, flipped, times=np.inf)
    assert command(*words).code == 1
    assert written(tmp_path / "out") == before


def test_a_search_that_admits_that_it_stopped_early_is_published_with_its_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = truth("joint")
    mislead(monkeypatch, lambda found: replace(flipped(found), status="Time limit reached"), times=1)
    run = clear_horizons(case("joint"))
    passes(run)
    assert run.certificate["status"].to_list() == ["Time limit reached"]
    short = wanted.surplus["total"][0] - run.surplus["total"][0]
    assert short > 1.0
    assert run.certificate["incumbent_gap"][0] == pytest.approx(short / (1.0 + abs(run.surplus["total"][0])), rel=1e-6)


@pytest.mark.parametrize("times", [1, 9])
def test_a_branch_and_bound_that_claims_a_lower_cost_than_its_solution_has_is_found_out(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The claim is past the hull's bound: it cannot be, and its own solution shows it."""
    wanted, branch, made = truth("joint"), searches._branch, []

    def wrong(*args: Any, **kwargs: Any) -> Any:
        run = branch(*args, **kwargs)
        made.append(run.status)
        return replace(run, cost=run.cost - 50.0, bound=run.bound - 50.0) if len(made) <= times else run

    monkeypatch.setattr(searches, "_branch", wrong)
    if times == 1:
        run = clear_horizons(case("joint"))
        the_same(run, wanted)
        assert run.certificate["incumbent_gap"][0] <= 1e-9
    else:
        with pytest.raises(SolverError, match="says optimal"):
            clear_horizons(case("joint"))


# uplift


class Lying(Solver):
    """A solver of the uplift program alone that gives twice the best that components could make."""

    methods: tuple[str, ...] = ()

    def __init__(self, matrix: Any, *, method: Any) -> None:
        super().__init__(matrix, method=method)
        self.lies = method in self.methods

    def values(self) -> Pair:
        primal, dual = super().values()
        return (primal * 2.0, dual) if self.lies else (primal, dual)


@pytest.mark.parametrize("methods", [("cold",), ALL])
def test_uplift_is_computed_by_the_second_method_or_not_at_all(methods: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = truth("joint")
    assert wanted.uplift["lost_opportunity"].sum() > 1.0
    monkeypatch.setattr(Lying, "methods", methods)
    monkeypatch.setattr(uplift, "Solver", Lying)
    if methods == ("cold",):
        the_same(clear_horizons(case("joint")), wanted)
    else:
        with pytest.raises(SolverError, match="the best that components could make"):
            clear_horizons(case("joint"))
