"""The benchmarks' models of one market find the same surplus, whichever tool they are written in, and the engine clears it."""

import importlib
from typing import Any

import pytest

from benchmarks import by_arrays, by_pyomo
from benchmarks.lines import AGREE, agree
from benchmarks.market_case import case_of
from benchmarks.rival import options
from benchmarks.sheet import CLASSES, NODES, Kind, sheet, ways
from tenorgrid import api

SMALL: dict[Kind, tuple[int, int, int]] = {"plain": (3, 120, 0), "flexible": (12, 120, 8), "whole": (12, 120, 40)}  # hours, steps, orders
KINDS: list[Kind] = list(SMALL)


def small(kind: Kind) -> Any:
    hours, steps, orders = SMALL[kind]
    return sheet(kind, hours, steps, jobs=orders, blocks=orders, gangs=orders)


@pytest.fixture(scope="module")
def arrays() -> dict[Kind, float]:
    """The surplus of every small market by sparse arrays."""
    markets = {kind: small(kind) for kind in KINDS}
    return {kind: by_arrays.solve(by_arrays.build(market), options(market)).surplus for kind, market in markets.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_engine_clears_what_the_models_solve(kind: Kind, arrays: dict[Kind, float]) -> None:
    run = api.clear(case_of(small(kind)))
    totals = run.surplus["total"].unique().to_list()
    assert totals == pytest.approx([arrays[kind]] * len(totals), rel=AGREE)
    assert (run.certificate["gap"] < 1e-6).all()


@pytest.mark.parametrize("kind", KINDS)
def test_pyomo_agrees(kind: Kind, arrays: dict[Kind, float]) -> None:
    market = small(kind)
    assert by_pyomo.solve(by_pyomo.build(market), options(market)).surplus == pytest.approx(arrays[kind], rel=AGREE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tool", ["linopy", "pypsa"])
def test_linopy_and_pypsa_agree(tool: str, kind: Kind, arrays: dict[Kind, float]) -> None:
    pytest.importorskip(tool, reason=f"{tool} is of the extra `bench`")
    model, market = importlib.import_module(f"benchmarks.by_{tool}"), small(kind)
    assert model.solve(model.build(market), options(market)).surplus == pytest.approx(arrays[kind], rel=AGREE)


def test_what_ties_hours_binds(arrays: dict[Kind, float]) -> None:
    whole, flexible = small("whole"), small("flexible")
    model = by_arrays.build(whole)
    model.whole = [part * 0 for part in model.whole]  # the relaxation
    assert by_arrays.solve(model, options(flexible)).surplus > arrays["whole"] * (1 + AGREE)
    free = by_arrays.build(flexible)
    free.high[1] = free.high[1] * 10.0  # the totals
    assert by_arrays.solve(free, options(flexible)).surplus > arrays["flexible"] * (1 + AGREE)


def test_a_sheet_is_the_same_from_the_same_seed_and_every_way_makes_work() -> None:
    first, second = small("whole"), small("whole")
    assert (first.offered == second.offered).all()
    assert (first.gangs.first == second.gangs.first).all()
    how = ways()
    assert how.use.shape == (NODES, how.output.size)
    assert sorted(set(how.of_class.tolist())) == list(range(CLASSES))
    assert (how.output > 0).all()
    assert ((how.use > 0).sum(axis=0) == 5).all()  # one class of GPU and what stands beside it


def test_tools_that_differ_are_refused_and_no_time_is_printed() -> None:
    agree(100.0, 100.0 + 9e-7, "a tool")
    with pytest.raises(SystemExit, match=r"a tool found a surplus of 100\.0, tenorgrid 100\.000002: no time is printed"):
        agree(100.0, 100.000002, "a tool")
    with pytest.raises(SystemExit, match="no time is printed"):
        agree(float("nan"), 100.0, "a tool")
