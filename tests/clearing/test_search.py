"""The search for whole solutions: what it finds on a part of a program is the optimum of all of it."""

from dataclasses import replace
from typing import Any

import highspy
import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing import joint as joint_module
from tenorgrid.clearing import search as searches
from tenorgrid.clearing.horizons import clear_horizons
from tenorgrid.clearing.program import Program
from tenorgrid.clearing.reduction import LowerBound, Reduction, reduce
from tenorgrid.clearing.search import GAP, INFEASIBLE, Incumbent, Limits, search
from tenorgrid.data.case import make_case
from tests.clearing.reductions import Maker, best_of_all, cost_of, plain_bound, random_program
from tests.clearing.test_reduction import narrow
from tests.clearing.whole_markets import random_whole_case

RELATIVE = 1e-8
NONE = Limits(seconds=0.0)


def found(program: Program, limits: Limits | None = None) -> Incumbent:
    return search(program, limits=limits or Limits(), bound=plain_bound(program))


def away(value: float, wanted: float) -> float:
    return abs(value - wanted) / max(abs(wanted), 1.0)


def test_the_optimum_by_going_through_all_binaries() -> None:
    for seed in range(6):
        program = random_program(seed, steps=6, orders=2)
        assert away(cost_of(program, found(program).values), best_of_all(program)) <= RELATIVE


@pytest.mark.parametrize("count", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_what_is_searched_in_part_is_what_is_found_in_all(count: int) -> None:
    """Programs of three sizes: the same objective as a search of everything, with most columns never carried."""
    carried = wanted = 0
    for seed in range(count):
        nodes, steps, orders = ((1, 30, 3), (2, 40, 4), (3, 60, 6))[seed % 3]
        program = random_program(seed, nodes=nodes, steps=steps, orders=orders)
        part, everything = found(program), search(program, limits=Limits())
        assert away(part.bound, everything.bound) <= RELATIVE, seed
        if seed % 10 == 0:
            assert away(cost_of(program, part.values), cost_of(program, everything.values)) <= RELATIVE, seed
        carried, wanted = carried + part.columns, wanted + everything.columns
    assert carried < 0.25 * wanted


def test_a_first_guess_that_is_too_small_is_widened() -> None:
    """The guess finds the gang at −27.9; only what that tells of the excess lets the second bid in, and −28 with it."""
    incumbent = found(narrow())
    assert incumbent.values.tolist() == [0.0]
    assert incumbent.bound == pytest.approx(-28.0, rel=GAP)


def test_a_guess_in_which_nothing_is_feasible_is_widened() -> None:
    """Bounds that lie: every whole column is said to be dear to move, in whatever direction breaks the rows."""
    program = random_program(4)
    must = replace(program, row_lower=np.r_[program.row_lower[:-2], 1.0, program.row_lower[-1]])  # one of the group has to be accepted
    honest = plain_bound(must)
    lying = replace(honest, reduced=np.where(must.whole, 1e-4 * honest.scale, honest.reduced))
    incumbent = search(must, limits=Limits(), bound=lying)
    assert np.isfinite(cost_of(must, incumbent.values))


class Watched:
    """Searches as they are made: the excess and the limits of each, and what is said of the second one instead of the truth."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **second: Any) -> None:
        self.excess: list[float] = []
        self.nodes: list[int] = []
        branch = searches._branch

        def reduced(program: Program, bound: LowerBound, *, excess: float) -> Reduction:
            assert len(self.excess) < 9, "the search does not end"
            self.excess.append(excess)
            return reduce(program, bound, excess=excess)

        def branched(part: Reduction, *, limits: Limits, start: Any = None) -> Any:
            self.nodes.append(limits.nodes)
            run = replace(branch(part, limits=limits, start=start), nodes=3)
            return replace(run, found=None, cost=np.inf, **second) if second and len(self.nodes) == 2 else run

        monkeypatch.setattr(searches, "reduce", reduced)
        monkeypatch.setattr(searches, "_branch", branched)


def test_guesses_grow_a_hundredfold_until_everything_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that lie by the whole scale: one of the group has to be accepted, and none may be."""
    program, seen = random_program(4), Watched(monkeypatch)
    must = replace(program, row_lower=np.r_[program.row_lower[:-2], 1.0, program.row_lower[-1]])
    honest = plain_bound(must)
    lying = replace(honest, reduced=np.where(must.whole, honest.scale, honest.reduced))
    assert np.isfinite(cost_of(must, search(must, limits=Limits(), bound=lying).values))
    assert np.array(seen.excess) / honest.scale == pytest.approx([5e-8, 5e-6, 5e-4, np.inf])


def test_where_the_excess_that_is_known_to_be_enough_finds_nothing_all_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of −27.9 cannot be too small: a search that says so is wrong, and neither its word nor −27.9 is taken for a bound."""
    seen = Watched(monkeypatch, state=INFEASIBLE[0], bound=np.inf)
    incumbent = search(narrow(), limits=Limits(nodes=10), bound=plain_bound(narrow()))
    assert seen.excess[1:] == [pytest.approx(-27.9 + 32.0, rel=1e-6), np.inf]
    assert seen.nodes == [10, 7, 4]
    assert incumbent.values.tolist() == [0.0]
    assert incumbent.bound == pytest.approx(-28.0, rel=GAP)


def test_what_was_found_before_the_limit_is_kept_and_the_relaxation_bounds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    Watched(monkeypatch, state=highspy.HighsModelStatus.kTimeLimit, status="Time limit reached", bound=-np.inf)
    incumbent = search(narrow(), limits=Limits(), bound=plain_bound(narrow()))
    assert incumbent.values.tolist() == [1.0]
    assert incumbent.bound == pytest.approx(-32.0, rel=GAP)
    assert incumbent.status == "Time limit reached"


@pytest.mark.parametrize("value", [3.0, 0.5])
def test_a_program_whose_whole_columns_are_all_held_is_its_own_bound(value: float) -> None:
    """A gang of 5 that has to be served at 3 USD: it costs 15 less what it is worth, above nothing or below."""
    make = Maker(1)
    make.column(3.0, 100.0, (0, -1.0))
    make.column(-3.5, 2.0, (0, 1.0))
    make.gang(value + 2.0, 5.0, [0])
    program = make.program()
    held = replace(program, lower=np.where(program.whole, 1.0, program.lower))
    assert search(held, limits=Limits()).bound == pytest.approx(15.0 - 5.0 * (value + 2.0) - 1.0, rel=GAP)


def test_where_nothing_whole_is_left_the_optimum_is_its_own_bound() -> None:
    """A gang far above the price among bids at it, and one alone with its offer: a linear program is left, or nothing."""
    for alone in (False, True):
        make = Maker(1)
        make.column(3.0, 100.0, (0, -1.0))
        if not alone:
            make.column(-3.0, 10.0, (0, 1.0))
        make.gang(6.0, 5.0, [0])
        program = make.program()
        upper = program.upper.copy()
        if alone:
            upper[0] = 5.0
            program = replace(program, upper=upper, lower=np.r_[5.0, 1.0, 5.0])
        incumbent = found(program)
        assert incumbent.values.tolist() == [1.0]
        assert incumbent.bound == pytest.approx(-15.0, rel=GAP)
        assert incumbent.status == "Optimal"
        assert incumbent.columns == (0 if alone else 2)


def test_the_bound_is_under_the_objective_and_over_the_relaxation() -> None:
    for seed in range(20):
        program = random_program(seed)
        incumbent, bound = found(program), plain_bound(program)
        cost = cost_of(program, incumbent.values)
        assert bound.value - 1e-9 * bound.scale <= incumbent.bound <= cost + 1e-9 * bound.scale
        assert (cost - incumbent.bound) <= 1e-8 * bound.scale
        assert incumbent.status == "Optimal"


def test_no_time_is_no_decision() -> None:
    program = random_program(1, nodes=3, steps=60, orders=6)
    for incumbent in (found(program, NONE), search(program, limits=NONE)):
        assert incumbent.values.tolist() == program.lower[program.whole].tolist()
        assert incumbent.status == "Time limit reached, nothing found"
    assert found(program, NONE).bound == plain_bound(program).value


def test_limits_count_what_all_searches_use() -> None:
    limits = Limits(nodes=10, seconds=5.0)
    assert limits.less(10, 0.0).nodes == 0
    assert limits.less(4, 0.0) == Limits(nodes=6, seconds=0.0)
    assert limits.less(4, 0.0).reached()
    assert not Limits().less(10, 0.0).reached()


def test_a_search_that_is_cut_short_says_no_more_than_the_relaxation() -> None:
    """Gangs worth the same in nodes that hold some of them: after one node there is a gap, and a bound on it all the same."""
    rng, make = np.random.default_rng(0), Maker(3)
    for node in range(3):
        make.column(0.5, 40.3, (node, -1.0))
    for _ in range(25):
        make.gang(5.0, float(rng.uniform(2.0, 9.0)), rng.choice(3, size=2, replace=False).tolist())
    program = make.program()
    short, best = found(program, Limits(nodes=1)), search(program, limits=Limits())
    assert short.status == "Solution limit reached"
    assert plain_bound(program).value == short.bound < best.bound
    assert best.bound < cost_of(program, short.values) < 0.0
    assert found(program).bound == pytest.approx(best.bound, rel=GAP)


def test_it_is_found_again_whatever_the_order_of_the_rows() -> None:
    for seed in range(5):
        program = random_program(seed)
        first, again = found(program), found(program)
        assert first.values.tolist() == again.values.tolist()
        assert first.bound == again.bound
        order = np.random.default_rng(seed).permutation(program.hair.size)
        mixed = replace(
            program, matrix=program.matrix.tocsr()[order].tocsc(), row_lower=program.row_lower[order], row_upper=program.row_upper[order]
        )
        assert away(found(mixed).bound, first.bound) <= RELATIVE


@pytest.mark.parametrize("graph", ["none", "tree", "cycle"])
def test_markets_clear_as_they_do_without_reductions(graph: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random markets with 120 divisible steps more: same surplus, and most columns are never carried."""
    columns: dict[bool, int] = {True: 0, False: 0}
    for seed in range(2):
        surpluses = []
        case = random_whole_case(seed, hours=2, graph=graph, orders=3)
        case = make_case(case.market, _tables(case) | {"offers": _more(case.offers, "offer_id", seed), "bids": _bids(case.bids, seed)})
        for reduced in (True, False):

            def counted(program: Program, *, limits: Limits, bound: LowerBound | None, reduced: bool = reduced) -> Incumbent:
                incumbent = search(program, limits=limits, bound=bound if reduced else None)
                columns[reduced] += incumbent.columns
                return incumbent

            monkeypatch.setattr(joint_module, "search", counted)
            run = clear_horizons(case)
            surpluses.append(float(run.surplus.filter(pl.col("pricing") == "marginal")["total"].item()))
        assert away(surpluses[0], surpluses[1]) <= RELATIVE
    assert 0 < columns[True] < 0.7 * columns[False]


def _tables(case: Any) -> dict[str, pl.DataFrame]:
    names = ("locations", "resources", "workloads", "recipes", "recipe_resources", "tiers", "links", "reserves")
    return {name: table for name in names if (table := getattr(case, name)).height}


def _more(rows: pl.DataFrame, key: str, seed: int, count: int = 60) -> pl.DataFrame:
    """The first order's first row again and again, at other prices and amounts."""
    rng = np.random.default_rng(seed)
    first = rows.sort(key, "step").head(1)
    price = "price" if "price" in rows.columns else "value"
    copies = pl.concat([first] * count).with_columns(
        pl.Series(key, [f"x{number:03d}" for number in range(count)]),
        pl.Series(price, rng.uniform(0.5, 6.0, count)),
        pl.Series("quantity", rng.uniform(0.05, 0.4, count)),
    )
    return pl.concat([rows, copies])


def _bids(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    plain = rows.filter(pl.col("min_share").is_null() & pl.col("linked_to").is_null())
    more = _more(plain.with_columns(pl.lit(None, dtype=pl.Float64).alias("total")), "bid_id", seed).filter(
        pl.col("bid_id").str.starts_with("x")
    )
    return pl.concat([rows, more])
