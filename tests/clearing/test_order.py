"""The same case gives the same output, whatever the order of its rows, the hours cleared before, or the process."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tenorgrid.clearing import horizons
from tenorgrid.clearing.engine import clear_problem
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.problem import Problem, pose
from tenorgrid.clearing.solver import reference_basis, solve
from tenorgrid.clearing.state import State
from tenorgrid.data.case import Case
from tests.clearing.seeds import few

Draw = Callable[..., Case]
Posed = Callable[..., Problem]


def same(first: ClearingRun, second: ClearingRun) -> None:
    """Every table equal to the last bit and in the same order; only the time taken may differ."""
    for name, table in first.tables().items():
        other = second.tables()[name]
        drop = [column for column in ("seconds",) if column in table.columns]
        assert_frame_equal(table.drop(drop), other.drop(drop), check_exact=True)
    assert_frame_equal(first.state.virtuals, second.state.virtuals, check_exact=True)


def same_rows(first: ClearingRun, second: ClearingRun) -> None:
    """Every table equal to the last bit, in whatever order."""
    for name, table in first.tables().items():
        drop = [column for column in ("seconds",) if column in table.columns]
        assert_frame_equal(table.drop(drop), second.tables()[name].drop(drop), check_exact=True, check_row_order=False)
    assert_frame_equal(first.state.virtuals, second.state.virtuals, check_exact=True)


def shuffled(case: Case, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    tables = {name: frame[rng.permutation(frame.height)] for name, frame in case.tables().items()}
    return Case(market=case.market, **tables)


def permuted(problem: Problem, hours: Any) -> Problem:
    names = ("cost", "upper", "row_lower", "row_upper", "capacity", "wanted", "groups")
    return replace(problem, **{name: getattr(problem, name)[hours] for name in names})


class Backwards(Executor):
    """Runs what it was given at once, but tells of it as if the last had been done first."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize("seed", few(range(1, 4)))
def test_rows_in_any_order_give_the_same_output(seed: int, random_market: Draw) -> None:
    case = random_market(seed, hours=6, size=2)
    same(clear_horizons(case), clear_horizons(shuffled(case, seed)))


@pytest.mark.parametrize("seed", few(range(10), every=3))
def test_hours_solved_in_reverse_order_give_the_same_values(seed: int, random_market: Draw, pose_market: Posed) -> None:
    problem = pose_market(random_market(seed, hours=24, size=3), horizon=0)
    reference = reference_basis(problem)
    forward = solve(problem, method="reference", reference=reference)
    back = np.arange(problem.cost.shape[0])[::-1]
    backward = solve(permuted(problem, back), method="reference", reference=reference)
    for name in ("primal", "dual", "price"):
        np.testing.assert_array_equal(getattr(forward, name), getattr(backward, name)[back])


@pytest.mark.parametrize("seed", [2, 5])
def test_an_hour_solved_alone_gives_what_it_gives_after_others(seed: int, random_market: Draw, pose_market: Posed) -> None:
    problem = pose_market(random_market(seed, hours=24, size=3), horizon=0)
    reference = reference_basis(problem)
    together = solve(problem, method="reference", reference=reference)
    for hour in range(24):
        alone = solve(permuted(problem, [hour]), method="reference", reference=reference)
        np.testing.assert_array_equal(alone.price[0], together.price[hour])
        np.testing.assert_array_equal(alone.primal[0], together.primal[hour])


def test_parts_cleared_apart_and_backwards_give_the_prices_of_the_whole(random_market: Draw, pose_market: Posed) -> None:
    case = random_market(4, hours=24, size=3)
    problem, market = pose_market(case, horizon=0), case.market
    reference = reference_basis(problem)
    whole = clear_problem(problem, market=market, reference=reference)
    for begin in (18, 12, 6, 0):
        orders = problem.orders.part(begin, begin + 6)
        part = pose(orders, hours=1.0, carried=State().virtuals, floor=market.price_floor, cap=market.price_cap)
        cleared = clear_problem(part, market=market, reference=reference)
        np.testing.assert_array_equal(cleared.nodes.price, whole.nodes.price[begin : begin + 6])
        np.testing.assert_array_equal(cleared.primal, whole.primal[begin : begin + 6])


def test_the_length_of_a_part_and_the_order_of_parts_change_nothing(random_market: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_market(1, hours=12, size=2)
    whole = clear_horizons(case)
    monkeypatch.setattr(horizons, "PART", timedelta(hours=5))
    same_rows(whole, clear_horizons(case))
    monkeypatch.setattr(horizons, "as_completed", lambda futures: reversed(list(futures)))
    same_rows(whole, clear_horizons(case, executor=Backwards()))


@pytest.mark.slow
def test_another_process_gives_the_output_of_this_one(random_market: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_market(2, hours=12, size=2)
    monkeypatch.setattr(horizons, "PART", timedelta(hours=3))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = clear_horizons(case, executor=pool)
    same(clear_horizons(case), there)


@pytest.mark.parametrize("seed", [0, 3])
def test_other_names_for_the_same_orders_change_no_price(seed: int, random_market: Draw) -> None:
    case = random_market(seed, hours=4, size=2)
    backwards = {name: f"x{9999 - at:04d}" for at, name in enumerate(sorted(case.offers["offer_id"].unique()))}
    offers = case.offers.with_columns(pl.col("offer_id").replace_strict(backwards), pl.lit("someone").alias("participant"))
    renamed = Case(market=case.market, **(case.tables() | {"offers": offers}))
    first, second = clear_horizons(case), clear_horizons(renamed)
    assert_frame_equal(first.prices, second.prices, check_exact=True)
    key = ["horizon", "start", "id", "resource", "step", "tier"]
    sold = first.awards.filter(pl.col("side") == "offer").with_columns(pl.col("id").replace_strict(backwards)).sort(key)
    again = second.awards.filter(pl.col("side") == "offer").sort(key)
    assert_frame_equal(sold.drop("participant"), again.drop("participant"), abs_tol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_many_markets_do_not_depend_on_order(seed: int, random_market: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_market(seed, hours=8, size=2)
    whole = clear_horizons(case)
    monkeypatch.setattr(horizons, "PART", timedelta(hours=3))
    same_rows(whole, clear_horizons(shuffled(case, seed)))


@pytest.mark.slow
def test_two_processes_and_another_order_of_rows_give_the_output_of_one_in_a_larger_market(
    random_market: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = random_market(7, hours=72, size=12)
    monkeypatch.setattr(horizons, "PART", timedelta(hours=12))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        there = clear_horizons(shuffled(case, 1), executor=pool)
    monkeypatch.setattr(horizons, "PART", timedelta(days=5))
    same_rows(clear_horizons(case), there)
