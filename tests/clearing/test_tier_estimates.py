"""Tables of what a pool may promise: errors of β, nested tiers, and the table that a market case takes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.availability import Panel
from tenorgrid.clearing.tier_estimates import (
    case_tiers,
    check_promises,
    credit_table,
    declared_table,
    estimate_table,
    nested_table,
    promise_curve,
)
from tenorgrid.data.case import make_case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.case import Tiers
from tenorgrid.data.tables.tiering import Credits, Declared, Nested, PromiseCurve, TierEstimates

PROMISES = {"spot": 0.10, "flex": 0.25, "steady": 0.02}


def record(seed: int, *, hours: int = 600, suppliers: int = 5) -> Panel:
    """Independent hours of suppliers of unequal size that are there in part."""
    rng = np.random.default_rng(seed)
    listed = np.broadcast_to(np.arange(1.0, suppliers + 1), (hours, suppliers))
    present = listed * rng.beta(4, 1, (hours, suppliers))
    names = tuple(f"s{member}" for member in range(suppliers))
    return Panel(
        pool="p", suppliers=names, begin=np.arange(float(hours)), hours=np.ones(hours), listed=listed, present=present, span=float(hours)
    )


def test_the_error_of_an_estimate_is_what_it_varies_by_from_record_to_record() -> None:
    found = [estimate_table(record(seed), {"spot": 0.1}).row(0, named=True) for seed in range(150)]
    sales = np.array([row["overcommit"] for row in found])
    errors = np.array([row["standard_error"] for row in found])
    assert sales.std() == pytest.approx(errors.mean(), rel=0.2)
    truth = estimate_table(record(999, hours=60_000), {"spot": 0.1})["overcommit"][0]
    held = np.mean([row["lower"] <= truth <= row["upper"] for row in found])
    assert 0.88 <= held <= 0.99


def test_tables_are_those_that_are_declared_and_the_best_tier_comes_first() -> None:
    pool = record(1)
    estimates = TierEstimates.validate(estimate_table(pool, PROMISES))
    assert estimates["tier"].to_list() == ["steady", "spot", "flex"]
    assert estimates["overcommit"].is_sorted()
    assert (estimates["chance_of_recall"] > estimates["promise"]).all()
    assert (estimates["overcommit"] <= estimates["bound"] + 1e-12).all()
    assert estimates["sold"].to_list() == pytest.approx((estimates["overcommit"] * 15.0).to_list())
    credit = Credits.validate(credit_table(pool, PROMISES))
    together = credit.group_by("tier").agg((pl.col("listed") * pl.col("credit")).sum().alias("sold")).sort("tier")
    assert together["sold"].to_list() == pytest.approx(estimates.sort("tier")["sold"].to_list(), rel=1e-12)
    curve = PromiseCurve.validate(promise_curve(pool))
    assert curve["interruption"].is_sorted()
    assert (curve["chance_of_recall"] >= curve["interruption"] - 1e-12).all()


def test_the_curve_meets_the_tiers() -> None:
    pool = record(4)
    curve, estimates = promise_curve(pool), estimate_table(pool, PROMISES)
    met = np.interp(estimates["overcommit"].to_numpy(), curve["overcommit"].to_numpy(), curve["interruption"].to_numpy())
    assert met == pytest.approx(estimates["promise"].to_numpy(), abs=0.002)


def test_a_promise_that_cannot_be_made_is_left_out_of_the_case() -> None:
    gone = replace(record(1, suppliers=1), present=np.tile([[0.0], [1.0], [1.0]], (200, 1)), listed=np.ones((600, 1)))
    estimates = estimate_table(gone, {"spot": 0.1, "flex": 0.5})
    assert estimates["overcommit"].to_list() == pytest.approx([0.0, 4 / 3])
    assert estimates["standard_error"][0] is None
    assert case_tiers(estimates)["tier"].to_list() == ["firm", "flex"]


def test_over_several_pools_a_case_takes_the_least() -> None:
    both = pl.concat([estimate_table(replace(record(seed), pool=f"p{seed}"), {"spot": 0.1}) for seed in (1, 2)])
    assert case_tiers(both)["overcommit"][1] == both["overcommit"].min()


def test_the_table_can_be_dropped_into_a_market_case() -> None:
    table = Tiers.validate(case_tiers(estimate_table(record(1), {"spot": 0.1})))
    market = read_case("packaged")
    changed = make_case(market.market, {**market.tables(), "tiers": table})
    assert changed.tiers.filter(tier="spot")["overcommit"].item() == table.filter(tier="spot")["overcommit"].item()


def test_what_a_case_declares_is_held_against_the_record() -> None:
    pool = record(1)
    ends = estimate_table(pool, {"spot": 0.1}).row(0, named=True)
    rows = [("firm", 0.0, 1.0), ("spot", 0.1, ends["overcommit"]), ("bold", 0.1, ends["upper"] * 1.05), ("none", 0.0, 0.2)]
    tiers = pl.DataFrame(rows, schema=["tier", "interruption_probability", "overcommit"], orient="row")
    found = {row["tier"]: row for row in Declared.validate(declared_table(pool, tiers)).iter_rows(named=True)}
    assert set(found) == {"spot", "bold", "none"}
    assert found["spot"]["interruption"] == pytest.approx(0.1, abs=1e-12)
    assert found["spot"]["largest"] == pytest.approx(ends["overcommit"], abs=1e-12)
    assert str(found["bold"]["verdict"]) == "broken"
    assert (found["none"]["interruption"], found["none"]["largest"], found["none"]["standard_error"]) == (0.0, None, None)
    assert declared_table(pool, tiers.head(1)).is_empty()


def test_nested_tiers_share_the_pool_by_their_stakes() -> None:
    pool = record(2)
    found = Nested.validate(nested_table(pool, PROMISES, stakes={"steady": 0.2, "spot": 0.5, "flex": 0.3}))
    assert found["share"].to_list() == [0.2, 0.5, 0.3]
    assert (found["interruption"] <= found["promise"] + 1e-12).all()
    assert (found["overcommit"] <= found["alone"] + 1e-12).all()
    assert found["cumulative"].to_list() == pytest.approx(np.cumsum(found["sold"].to_numpy()))
    alone = estimate_table(pool, PROMISES)["overcommit"].to_list()
    assert found["alone"].to_list() == pytest.approx(alone)


@pytest.mark.parametrize("stakes", [{"spot": 1.0}, {"spot": 0.5, "flex": 0.2, "steady": 0.2}, {"spot": 1.5, "flex": -0.5, "steady": 0.0}])
def test_stakes_that_are_no_split_are_refused(stakes: dict[str, float]) -> None:
    with pytest.raises(InputError, match="share"):
        nested_table(record(1), PROMISES, stakes=stakes)


def test_every_promise_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(InputError) as caught:
        check_promises({"a": 0.0, "b": 1.0, "firm": 0.1})
    assert len(caught.value.faults) == 3
    with pytest.raises(InputError, match="at least one promise"):
        check_promises({})
