"""The rows and columns of a small market with everything that is decided whole, beside those written out by hand."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.grid import Grid
from tenorgrid.clearing.orders import take_orders
from tenorgrid.clearing.problem import Problem, pose
from tenorgrid.clearing.state import Standing, State
from tenorgrid.clearing.windows import Span
from tenorgrid.data.case import Case
from tenorgrid.data.terms.market import REAL_TIME
from tests.clearing.conftest import START, Row, market, plain_case
from tests.clearing.known_cases import HOUR

Terms = dict[str, float]
LINE: Row = {"participant": "n", "value": 9.0, "end": START + 2 * HOUR}
NOTHING = Standing()


def posed(case: Case, standing: Standing = NOTHING, *, count: int = 2) -> Problem:
    span = Span(first=START, count=count, interval=case.market.interval)
    orders = take_orders(case, Grid.of(case), horizon=REAL_TIME, span=span, carrying=set())
    terms = case.market
    return pose(orders, hours=terms.hours, carried=State().virtuals, floor=terms.price_floor, cap=terms.price_cap, standing=standing)


def rows_of(problem: Problem) -> list[tuple[str, str, int, float, float, Terms]]:
    """Kind, id, hour, bounds and terms of every row; columns are `m:id:step@hour`, `Y:...`, `u:id@hour`, `w:id`."""
    coupling, shape = problem.coupling, problem.layout
    step: dict[int, str] = {}
    for members, slots, columns, letter in (
        (problem.bids, shape.bid_slots, shape.bid_column, "m"),
        (problem.offers, shape.offer_slots, shape.offer_column, "Y"),
    ):
        for row in members.iter_rows(named=True):
            for column in columns[slots[row["class_number"]] + row["rank"]]:
                step[int(column)] = f"{letter}:{row['id']}:{row['step']}"
    short = {"accepted": "w", "committed": "u", "start": "v", "broken": "short"}
    own = [f"{short[kind]}:{name}" + (f"@{hour}" if hour >= 0 else "") for kind, name, _, _, hour in coupling.columns.iter_rows()]
    found: list[tuple[str, str, int, float, float, Terms]] = []
    for number, (kind, name, _, _, hour) in enumerate(coupling.rows.iter_rows()):
        terms: Terms = {}
        for row, at, column, value in zip(*coupling.inner, strict=True):
            if row == number:
                terms[f"{step[int(column)]}@{at}"] = float(value)
        for row, column, value in zip(*coupling.outer, strict=True):
            if row == number:
                terms[own[column]] = float(value)
        found.append((kind, name, hour, float(coupling.row_lower[number]), float(coupling.row_upper[number]), terms))
    return found


def of(problem: Problem, *kinds: str) -> list[Any]:
    return [row for row in rows_of(problem) if row[0] in kinds]


INF = np.inf


def test_a_gang_with_two_steps_and_a_least_share() -> None:
    bids = [LINE | {"bid_id": "g", "step": n, "quantity": 4.0 / n, "value": 9.0 - n, "min_share": 0.5} for n in (1, 2)]
    problem = posed(plain_case(bids=bids))
    assert of(problem, "gang") == [
        ("gang", "g", t, -INF, 0.0, {f"m:g:{n}@{t}": 1.0, "w:g": -4.0 / n}) for n in (1, 2) for t in (0, 1)
    ]  # fmt: skip
    assert of(problem, "share") == [("share", "g", t, 0.0, INF, {f"m:g:1@{t}": 1.0, f"m:g:2@{t}": 1.0, "w:g": -3.0}) for t in (0, 1)]
    assert problem.coupling.columns.select("kind", "id", "component", "hour").rows() == [("accepted", "g", "g", -1)]
    assert problem.coupling.whole.tolist() == [True]
    assert problem.groups.tolist() == [0, 0]


def test_a_total_is_in_units_over_the_window_and_times_w_of_a_gang() -> None:
    half = market(interval=HOUR / 2, horizons=(REAL_TIME,))
    bid = LINE | {"quantity": 4.0, "total": 3.0, "end": START + HOUR}
    free = posed(plain_case(half, bids=[bid | {"bid_id": "b"}]))
    assert rows_of(free) == [("total", "b", -1, -INF, 3.0, {"m:b:1@0": 0.5, "m:b:1@1": 0.5})]
    tied = posed(plain_case(half, bids=[bid | {"bid_id": "b", "min_share": 0.1}]))
    assert of(tied, "total") == [("total", "b", -1, -INF, 0.0, {"m:b:1@0": 0.5, "m:b:1@1": 0.5, "w:b": -3.0})]


def test_groups_and_links() -> None:
    gang = LINE | {"quantity": 2.0, "min_share": 1.0, "exclusive_group": None, "linked_to": None}
    bids = [
        gang | {"bid_id": "a", "exclusive_group": "x"},
        gang | {"bid_id": "b", "exclusive_group": "x"},
        gang | {"bid_id": "c", "linked_to": "a"},
        gang | {"bid_id": "r", "linked_to": "b", "min_share": None},
    ]
    problem = posed(plain_case(bids=bids))
    assert of(problem, "group", "link") == [
        ("group", "a", -1, -INF, 1.0, {"w:a": 1.0, "w:b": 1.0}),
        ("link", "c", -1, -INF, 0.0, {"w:c": 1.0, "w:a": -1.0}),
    ]
    rider = [row for row in of(problem, "gang") if row[1] == "r"]
    assert rider == [("gang", "r", t, -INF, 0.0, {f"m:r:1@{t}": 1.0, "w:b": -2.0}) for t in (0, 1)]
    assert not [row for row in of(problem, "share") if row[1] == "r"]
    assert set(problem.coupling.rows["component"]) == {"a"}


def test_a_commitment_with_a_block_a_start_and_a_least_run() -> None:
    end = {"end": START + 3 * HOUR}
    unit = {"offer_id": "u", "quantity": 5.0, "price": 2.0, "start_cost": 7.0, "min_hours": 2, "block": True} | end
    rest = unit | {"step": 2, "quantity": 3.0, "block": None}
    problem = posed(plain_case(offers=[unit, rest], bids=[{"bid_id": "n", "quantity": 9.0, "value": 9.0} | end]), count=3)
    assert of(problem, "block") == [("block", "u", t, 0.0, 0.0, {f"Y:u:1@{t}": 1.0, f"u:u@{t}": -5.0}) for t in range(3)]
    assert of(problem, "commitment") == [("commitment", "u", t, -INF, 0.0, {f"Y:u:2@{t}": 1.0, f"u:u@{t}": -3.0}) for t in range(3)]
    assert of(problem, "start") == [
        ("start", "u", 0, -INF, 0.0, {"u:u@0": 1.0, "v:u@0": -1.0}),
        ("start", "u", 1, -INF, 0.0, {"u:u@1": 1.0, "u:u@0": -1.0, "v:u@1": -1.0}),
        ("start", "u", 2, -INF, 0.0, {"u:u@2": 1.0, "u:u@1": -1.0, "v:u@2": -1.0}),
    ]
    assert of(problem, "run") == [
        ("run", "u", 0, -INF, 0.0, {"v:u@0": 1.0, "u:u@0": -1.0}),
        ("run", "u", 1, -INF, 0.0, {"v:u@0": 1.0, "v:u@1": 1.0, "u:u@1": -1.0}),
        ("run", "u", 2, -INF, 0.0, {"v:u@1": 1.0, "v:u@2": 1.0, "u:u@2": -1.0}),
    ]
    start = problem.coupling.columns["kind"] == "start"
    assert problem.coupling.cost[start.to_numpy()].tolist() == [7.0, 7.0, 7.0]
    assert problem.coupling.upper[start.to_numpy()].tolist() == [1.0, 1.0, 0.0]  # no run starts that cannot last within the window


def test_an_offer_that_runs_already_goes_on_and_pays_no_start() -> None:
    unit = {
        "offer_id": "u",
        "quantity": 5.0,
        "price": 2.0,
        "start_cost": 7.0,
        "min_hours": 2,
        "start": START - HOUR,
        "end": START + 2 * HOUR,
    }
    case = plain_case(offers=[unit], bids=[LINE | {"bid_id": "n", "quantity": 3.0}])
    problem = posed(case, Standing(running={"u": 1}, committed={"u": frozenset({START + HOUR})}))
    first = of(problem, "start")[0]
    assert first == ("start", "u", 0, -INF, 1.0, {"u:u@0": 1.0, "v:u@0": -1.0})  # it was on: no start is needed
    on = (problem.coupling.columns["kind"] == "committed").to_numpy()
    assert problem.coupling.lower[on].tolist() == [1.0, 1.0]  # an hour that it must go on for, and one committed ahead
    free = posed(case, Standing(running={"u": 0}))
    assert free.coupling.lower[on].tolist() == [0.0, 0.0]
    assert of(free, "start")[0] == first


def test_a_gang_that_runs_already_stays_and_may_only_be_broken_at_the_worst_price() -> None:
    late = {"start": START - HOUR, "quantity": 4.0, "min_share": 0.5}
    bids = [LINE | late | {"bid_id": "g", "total": 9.0}, LINE | late | {"bid_id": "late"}]
    problem = posed(plain_case(bids=bids), Standing(accepted=frozenset({"g"}), done={("g", 1): 3.0}))
    columns = problem.coupling.columns.with_columns(
        lower=problem.coupling.lower, upper=problem.coupling.upper, cost=problem.coupling.cost
    )  # fmt: skip
    assert columns.filter(pl.col("kind") == "accepted").select("id", "lower", "upper").rows() == [("g", 1.0, 1.0), ("late", 0.0, 0.0)]
    assert columns.filter(pl.col("kind") == "broken").select("id", "hour", "cost").rows() == [("g", 0, 1000.0), ("g", 1, 1000.0)]
    share = [row for row in of(problem, "share") if row[1] == "g"]
    assert share == [("share", "g", t, 0.0, INF, {f"m:g:1@{t}": 1.0, "w:g": -2.0, f"short:g@{t}": 1.0}) for t in (0, 1)]
    assert of(problem, "total") == [("total", "g", -1, -INF, 0.0, {"m:g:1@0": 1.0, "m:g:1@1": 1.0, "w:g": -6.0})]


@pytest.mark.parametrize("gone", ["group", "parent"])
def test_what_an_accepted_gang_closes_and_opens(gone: str) -> None:
    gang = LINE | {"quantity": 2.0, "min_share": 1.0, "exclusive_group": "x" if gone == "group" else None, "linked_to": None}
    first = gang | {"bid_id": "a", "start": START - HOUR}
    other = gang | {"bid_id": "b", "linked_to": "a" if gone == "parent" else None}
    problem = posed(plain_case(bids=[first, other]), Standing(accepted=frozenset({"a"})))
    uppers = dict(zip(problem.coupling.columns["id"], problem.coupling.upper, strict=True))
    assert uppers["b"] == (0.0 if gone == "group" else 1.0)
    assert of(problem, "link") == []  # its parent runs: nothing is left to be tied to


def test_headroom_of_a_committed_offer_is_that_of_its_divisible_step() -> None:
    unit = {"offer_id": "u", "quantity": 5.0, "price": 2.0, "start_cost": 1.0, "block": True}
    rest = unit | {"step": 2, "quantity": 3.0, "block": None}
    reserves = [{"step": 1, "quantity": 2.0, "price": 1.0}]
    problem = posed(plain_case(offers=[unit, rest], bids=[{"bid_id": "n", "quantity": 9.0, "value": 9.0}], reserves=reserves), count=1)
    u = int(np.flatnonzero((problem.coupling.columns["kind"] == "committed").to_numpy())[0])
    into = [(int(hour), int(column), float(value)) for hour, _, column, value in zip(*problem.coupling.into, strict=True)]
    group = problem.layout.reserve_row[0]
    sold = problem.layout.matrix[group, :].toarray().ravel()[problem.layout.offer_column[:, 0]]
    assert sorted(into) == [(0, u, -5.0), (0, u, -3.0)]  # both steps hold q u, and what is sold of them, all of a block, is taken off
    assert sold.tolist() == [1.0, 1.0]


def test_a_block_that_nobody_may_use_is_paid_for_while_it_is_committed() -> None:
    resources = [{"resource": "g1", "kind": "accelerator", "unit": "GPU"}, {"resource": "vcpu", "kind": "cpu", "unit": "vCPU"}]
    gpu = {"offer_id": "u", "quantity": 5.0, "price": 2.0, "block": True}
    half = market(interval=HOUR / 2, horizons=(REAL_TIME,))
    for block, cost in ((True, 0.5 * 8.0 * 0.25), (None, 0.0)):
        offers = [gpu, gpu | {"resource": "vcpu", "quantity": 8.0, "price": 0.25, "block": block}]
        bids = [{"bid_id": "n", "quantity": 9.0, "value": 9.0}]
        problem = posed(plain_case(half, resources=resources, offers=offers, bids=bids), count=1)
        on = (problem.coupling.columns["kind"] == "committed").to_numpy()
        assert problem.coupling.cost[on].tolist() == [cost]
        assert [row[1:3] for row in of(problem, "block", "commitment")] == [("u", 0)]
