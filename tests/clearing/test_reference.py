"""Reference: the array engine against the same problem in Pyomo, on random markets in which everything binds."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyomo.environ as pyo
import pytest

from tenorgrid.clearing.horizons import ClearingRun
from tenorgrid.clearing.reference import reference_model
from tenorgrid.clearing.reference_prices import priced_bound
from tenorgrid.clearing.reference_solution import solve_model, solve_reference
from tenorgrid.data.case import Case
from tenorgrid.data.errors import SolverError
from tests.clearing.seeds import few

START = datetime(2027, 1, 5, tzinfo=UTC)
HORIZON = "day-ahead"  # the horizon in which virtual bids stand
QUICK = range(8)
RELATIVE = 1e-6
Cleared = Callable[[int], tuple[Case, ClearingRun]]


def surplus(run: ClearingRun, horizon: str) -> float:
    return float(run.surplus.filter(pl.col("horizon") == horizon, pl.col("pricing") == "marginal")["total"].item())


def awarded(case: Case, run: ClearingRun, horizon: str) -> pl.DataFrame:
    """Steps of offers and bids with what they were awarded in all tiers, in the unit of their quantity."""
    tiers = case.tiers.select("tier", "overcommit")
    awards = run.awards.filter(pl.col("horizon") == horizon).join(tiers, on="tier").with_columns(pl.col("side").cast(pl.String))
    listed = pl.when(pl.col("side") == "offer").then(pl.col("quantity") / pl.col("overcommit")).otherwise(pl.col("quantity"))
    got = awards.group_by("side", "id", "resource", "step").agg(listed.sum().alias("got"))
    key = ["location", "resource", "price", "firm_premium"]
    offers = case.offers.select(
        pl.lit("offer").alias("side"), pl.col("offer_id").alias("id"), "resource", "step", "quantity", pl.struct(key).hash().alias("like")
    )
    key = ["workload", "home", "tiers", "value", "interruption_loss"]
    here = pl.col("horizon").is_null() | (pl.col("horizon") == horizon)
    bids = case.bids.filter(here).select(
        pl.lit("bid").alias("side"),
        pl.col("bid_id").alias("id"),
        pl.lit(None, dtype=pl.String).alias("resource"),
        "step",
        "quantity",
        pl.struct(key).hash().alias("like"),
    )
    steps = pl.concat([offers, bids])
    return steps.join(got, on=["side", "id", "resource", "step"], how="left", nulls_equal=True).with_columns(pl.col("got").fill_null(0.0))


def has_tie(case: Case, run: ClearingRun, horizon: str) -> bool:
    """Whether two steps that stand in for one another were both served in part: either of them could have had it all."""
    steps = awarded(case, run, horizon)
    part = steps.filter(pl.col("got") > 1e-6 * pl.col("quantity"), pl.col("got") < (1 - 1e-6) * pl.col("quantity"))
    return bool((part.group_by("like").len()["len"] > 1).any())


def families(case: Case, run: ClearingRun, binding: dict[str, int]) -> set[str]:
    """Which families of constraints bind in a market; virtual bids by how they were accepted."""
    found = {family for family, count in binding.items() if count}
    virtual = run.awards.filter(pl.col("side").is_in(["inc", "dec"])).join(case.virtuals, left_on="id", right_on="bid_id")
    part = (virtual["quantity"] < (1 - 1e-6) * virtual["quantity_right"]).to_list()
    return found | {"virtual"} if part else found


def agree(case: Case, run: ClearingRun) -> tuple[set[str], bool]:
    found = solve_reference(case, horizon=HORIZON, starts=[START])
    assert surplus(run, HORIZON) == pytest.approx(found.surplus, rel=RELATIVE)
    return families(case, run, found.binding), has_tie(case, run, HORIZON)


@pytest.mark.parametrize("seed", few(QUICK, every=3))
def test_the_surplus_is_that_of_the_pyomo_model(seed: int, cleared_market: Cleared) -> None:
    case, run = cleared_market(seed)
    binding, _ = agree(case, run)
    assert {"work", "balance", "step"} <= binding


@pytest.mark.slow
def test_fifty_markets_agree_and_every_family_of_constraints_binds_in_at_least_ten(cleared_market: Cleared) -> None:
    seen: Counter[str] = Counter()
    for seed in range(50):
        binding, tied = agree(*cleared_market(seed))
        seen.update(binding | ({"tie"} if tied else set()))
    for family in ("work", "step", "balance", "inventory", "reserve", "link", "virtual", "tie"):
        assert seen[family] >= 10, f"{family} binds in {seen[family]} of 50 markets"


def bound(case: Case, priced: Any, horizon: str) -> float:
    return priced_bound(case, horizon=horizon, start=START, prices=priced.prices, adders=priced.adders, congestion=priced.congestion)


def gap(case: Case, run: ClearingRun, prices_of: Callable[..., Any], horizon: str) -> float:
    """Relative distance of the reference's bound at our published prices from our surplus."""
    total = surplus(run, horizon)
    return (bound(case, prices_of(run, horizon=horizon, start=START), horizon) - total) / max(abs(total), 1.0)


@pytest.mark.parametrize("seed", few(QUICK, every=3))
def test_published_prices_are_optimal_by_the_agents_own_choices(seed: int, cleared_market: Cleared, prices_of: Callable[..., Any]) -> None:
    case, run = cleared_market(seed)
    assert gap(case, run, prices_of, HORIZON) == pytest.approx(0.0, abs=RELATIVE)
    assert gap(case, run, prices_of, "real-time") == pytest.approx(0.0, abs=RELATIVE)


@pytest.mark.slow
def test_published_prices_of_fifty_markets_are_optimal(cleared_market: Cleared, prices_of: Callable[..., Any]) -> None:
    gaps = {seed: gap(*cleared_market(seed), prices_of, HORIZON) for seed in range(50)}
    assert {seed: found for seed, found in gaps.items() if abs(found) > RELATIVE} == {}


@pytest.mark.parametrize("seed", few(QUICK, every=3))
def test_other_prices_promise_the_agents_more_than_there_is(seed: int, cleared_market: Cleared, prices_of: Callable[..., Any]) -> None:
    case, run = cleared_market(seed)
    priced = prices_of(run, horizon=HORIZON, start=START)
    for factor in (0.5, 0.9, 1.1, 2.0):
        moved = type(priced)(
            prices={node: price * factor for node, price in priced.prices.items()}, adders=priced.adders, congestion=priced.congestion
        )
        assert bound(case, moved, HORIZON) > surplus(run, HORIZON) * (1 + RELATIVE)


@pytest.mark.slow
def test_the_bound_needs_the_adders_and_the_congestion_as_well_as_the_prices(
    cleared_market: Cleared, prices_of: Callable[..., Any]
) -> None:
    worse = []
    for seed in QUICK:
        case, run = cleared_market(seed)
        priced = prices_of(run, horizon=HORIZON, start=START)
        if any(priced.adders.values()) or any(priced.congestion.values()):
            worse.append(bound(case, type(priced)(prices=priced.prices, adders={}, congestion={}), HORIZON) / surplus(run, HORIZON) - 1)
    assert len(worse) >= 5
    assert min(worse) > RELATIVE


def test_the_reference_refuses_a_market_without_an_optimum(cleared_market: Cleared) -> None:
    case, _ = cleared_market(0)
    model = reference_model(case, horizon=HORIZON, starts=[START])
    model.impossible = pyo.Constraint(expr=sum(model.m.values()) <= -1.0)
    with pytest.raises(SolverError, match="ended with infeasible"):
        solve_model(model)
