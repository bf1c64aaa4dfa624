"""Layout: the columns, rows and matrix of one interval, written out by hand for a small market."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.grid import ANYWHERE, Grid, Place
from tenorgrid.clearing.problem import Problem
from tenorgrid.data.case import Case

Make = Callable[..., Case]
Posed = Callable[..., Problem]
SPOT = {"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.9, "reserve_share": 0.2}


@pytest.fixture(scope="module")
def problem(plain_market: Make, pose_market: Posed) -> Problem:
    """Two places, one link, firm and spot; a bid at l1 that may use either place, with one step of reserve in r1."""
    case = plain_market(
        tiers=[SPOT],
        locations=[{"location": "l1", "region": "r1"}, {"location": "l2", "region": "r2"}],
        links=[{"link": "l1>l2", "from": "l1", "to": "l2", "capacity_gib_per_hour": 7.0, "cost_per_gib": 0.5}],
        workloads=[{"workload": "w1", "class": "decode", "unit": "1e6 tokens", "egress_gib_per_unit": 3.0}],
        recipes=[{"workload": "w1", "recipe": "on-g1", "output_per_hour": 10.0}],
        recipe_resources=[{"workload": "w1", "recipe": "on-g1", "resource": "g1", "per_hour": 2.0}],
        offers=[{"offer_id": "a", "quantity": 5.0, "price": 1.5, "firm_premium": 0.25}],
        bids=[{"bid_id": "n", "quantity": 20.0, "value": 0.6, "interruption_loss": 1.0}],
        reserves=[{"step": 1, "quantity": 2.0, "price": 9.0}],
    )
    return pose_market(case, horizon=0)


def entries(problem: Problem) -> dict[tuple[str, str], float]:
    """The matrix by names of row and column."""
    fields = ("kind", "location", "tier", "link")
    rows = [".".join(str(row[name]) for name in fields if row[name] is not None) for row in problem.layout.rows.to_dicts()]
    columns = [".".join(str(row[name]) for name in fields if row[name] is not None) for row in problem.layout.columns.to_dicts()]
    matrix = problem.layout.matrix.tocoo()
    return {(rows[row], columns[column]): float(value) for row, column, value in zip(*matrix.coords, matrix.data, strict=True)}


def test_the_matrix_is_the_one_written_out_by_hand(problem: Problem) -> None:
    away = "level.l2.{}.l1>l2"
    expected = {
        ("balance.l1.firm", "offer.l1.firm"): 1.0,
        ("balance.l1.spot", "offer.l1.spot"): 0.9,
        ("inventory.l1", "offer.l1.firm"): 1.0,
        ("inventory.l1", "offer.l1.spot"): 1.0,
        ("reserve.r1", "offer.l1.firm"): 1.0,
        ("reserve.r1", "offer.l1.spot"): 0.8,
        ("reserve.r1", "reserve.r1"): 1.0,
        ("step", "bid.firm"): 1.0,
        ("step", "bid.spot"): 1.0,
    }
    for tier in ("firm", "spot"):
        expected |= {
            (f"balance.l1.{tier}", f"level.l1.{tier}"): -2.0,
            (f"balance.l2.{tier}", away.format(tier)): -2.0,
            (f"work.{tier}", f"level.l1.{tier}"): 10.0,
            (f"work.{tier}", away.format(tier)): 10.0,
            (f"work.{tier}", f"bid.{tier}"): -1.0,
            ("link.l1>l2", away.format(tier)): 30.0,
        }
    assert entries(problem) == expected


def test_costs_and_bounds_are_those_of_the_market(problem: Problem) -> None:
    columns = problem.layout.columns.with_columns(pl.Series("cost", problem.cost[0]), pl.Series("upper", problem.upper[0]))
    found = {(row["kind"], row["location"], row["tier"]): (row["cost"], row["upper"]) for row in columns.to_dicts()}
    assert found == {
        ("offer", "l1", "firm"): (1.75, 5.0),
        ("offer", "l1", "spot"): (1.5, 5.0),
        ("level", "l1", "firm"): (0.0, np.inf),
        ("level", "l1", "spot"): (0.0, np.inf),
        ("level", "l2", "firm"): (15.0, np.inf),  # 10 units of 3 GiB at 0.5 USD
        ("level", "l2", "spot"): (15.0, np.inf),
        ("bid", None, "firm"): (-0.6, 20.0),
        ("bid", None, "spot"): (pytest.approx(-0.44), 20.0),  # 0.9 × 0.6 − 0.1 × 1
        ("reserve", "r1", None): (-9.0, 2.0),
    }

    kinds = problem.layout.rows["kind"].to_list()
    upper = {kind: bound for kind, bound in zip(kinds, problem.row_upper[0].tolist(), strict=True) if np.isfinite(bound)}
    assert upper == {"inventory": 5.0, "reserve": 5.0, "link": 7.0, "step": 20.0}


def test_a_pool_of_one_recipe_and_place_needs_no_level(plain_market: Make, pose_market: Posed) -> None:
    rows = {"offers": [{"offer_id": "a", "quantity": 5.0, "price": 1.5}], "bids": [{"bid_id": "n", "quantity": 20.0, "value": 0.6}]}
    one = pose_market(plain_market(**rows), horizon=0)
    assert set(one.layout.columns["kind"]) == {"offer", "bid"}
    assert set(one.layout.rows["kind"]) == {"balance"}


def test_columns_and_rows_are_named_once(random_market: Make, pose_market: Posed) -> None:
    """Slots of offers and bids bear one name in each of their classes (firm-able or not, for these tiers or those), all else one alone."""
    for seed in range(4):
        shape = pose_market(random_market(seed, hours=2, size=2), horizon=0).layout
        for names in (shape.columns, shape.rows):
            alone = names.filter(~pl.col("kind").is_in(["offer", "inventory", "bid", "step"])).drop("number")
            assert alone.is_unique().all()
            assert alone.height > 10


def test_work_without_a_home_runs_anywhere_for_nothing(plain_market: Make) -> None:
    case = plain_market(
        locations=[{"location": "l1", "region": "r1"}, {"location": "l2", "region": "r2"}],
        links=[{"link": "out", "from": "l1", "to": "l2", "capacity_gib_per_hour": 7.0, "cost_per_gib": 0.5}],
        bids=[{"bid_id": "n", "quantity": 20.0, "value": 0.6}],
    )
    grid = Grid.of(case)
    assert list(grid.places("w1", ANYWHERE)) == [Place("l1", None, 0.0, 0.0), Place("l2", None, 0.0, 0.0)]
    assert list(grid.places("w1", "l1")) == [Place("l1", None, 0.0, 0.0), Place("l2", "out", 0.5, 1.0)]
    assert list(grid.places("w1", "l2")) == [Place("l2", None, 0.0, 0.0)]
