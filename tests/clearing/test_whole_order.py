"""Markets with orders decided whole give the same output whatever the order of rows, the names of orders, the parts or the process."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tenorgrid.clearing import horizons
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.data.case import Case
from tests.clearing.known_cases import hourly, known
from tests.clearing.seeds import few
from tests.clearing.whole_markets import random_whole_case

SEEDS = (1, 4, 6)
SUMS = ("surplus", "uplift", "allocation")  # added up in an order that the length of a part changes


def same(first: ClearingRun, second: ClearingRun, *, names: Callable[[pl.DataFrame], pl.DataFrame] = lambda table: table) -> None:
    """Every table equal to the last bit, but for the time taken and the order of rows; sums of money to a nano-dollar."""
    for name, table in first.tables().items():
        drop = [column for column in ("seconds",) if column in table.columns]
        other = names(second.tables()[name])
        exact: dict[str, Any] = {"abs_tol": 1e-9} if name in SUMS else {"check_exact": True}
        assert_frame_equal(table.drop(drop), other.drop(drop), check_row_order=False, **exact)
    assert_frame_equal(first.state.virtuals, second.state.virtuals, check_exact=True)


def shuffled(case: Case, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    return Case(market=case.market, **{name: frame[rng.permutation(frame.height)] for name, frame in case.tables().items()})


def renamed(case: Case) -> Case:
    """Every order with another name, in the same order of names; names of orders that others speak of too."""
    offers = case.offers.with_columns(pl.format("z-{}", "offer_id").alias("offer_id"))
    named = [pl.format("z-{}", name).alias(name) for name in ("bid_id", "linked_to", "exclusive_group")]
    return replace(case, offers=offers, bids=case.bids.with_columns(named))


def plain_names(table: pl.DataFrame) -> pl.DataFrame:
    texts = [name for name in ("id", "component", "key", "meaning") if name in table.columns]
    return table.with_columns(pl.col(name).str.replace_all("z-", "", literal=True) for name in texts)


@pytest.mark.parametrize("seed", few(SEEDS))
def test_rows_in_any_order_give_the_same_output(seed: int) -> None:
    case = random_whole_case(seed, hours=4)
    run = clear_horizons(case)
    same(run, clear_horizons(shuffled(case, seed)))
    assert (run.certificate["hours"] > 1).any()


@pytest.mark.parametrize("seed", few(SEEDS))
def test_other_names_for_the_same_orders_give_the_same_output(seed: int) -> None:
    case = random_whole_case(seed, hours=4)
    same(clear_horizons(case), clear_horizons(shuffled(renamed(case), seed)), names=plain_names)


def units() -> Case:
    """Four hours, each with units and a demand of its own."""
    return hourly(known("modified-scarf"), [36, 61, 90, 132])


@cache
def together() -> ClearingRun:
    return clear_horizons(units())


def test_the_length_of_a_part_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = together()
    for hours in (1, 3):
        monkeypatch.setattr(horizons, "PART", timedelta(hours=hours))
        same(whole, clear_horizons(units()))


@pytest.mark.slow
def test_another_process_gives_the_output_of_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_whole_case(4, hours=4)
    monkeypatch.setattr(horizons, "PART", timedelta(hours=1))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        there = clear_horizons(shuffled(case, 9), executor=pool)
    same(clear_horizons(case), there)


def test_an_hour_gives_what_it_gives_alone() -> None:
    """Hours that nothing ties are cleared apart: what came before one leaves no trace in it."""
    run = together()
    first = run.prices["start"].min()
    for at, demand in ((1, 61), (3, 132)):
        alone = clear_horizons(hourly(known("modified-scarf"), [demand]))
        here = run.prices.filter(pl.col("start") == first + at * timedelta(hours=1))  # type: ignore[operator]
        assert_frame_equal(here.drop("start"), alone.prices.drop("start"), check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 40))
def test_many_markets_do_not_depend_on_order_or_names(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = random_whole_case(seed, hours=4)
    whole: Any = clear_horizons(case)
    monkeypatch.setattr(horizons, "PART", timedelta(hours=1))
    same(whole, clear_horizons(shuffled(renamed(case), seed)), names=plain_names)
