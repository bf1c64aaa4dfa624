"""The packaged market: the same for a seed, causal, of the promised size, and as committed."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.case import read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.sample.benchmarks import RELATIVE
from tenorgrid.data.sample.demand import demand_by_region
from tenorgrid.data.sample.fleet import CAPACITY, SUPPLIERS, halls
from tenorgrid.data.sample.market import AS_OF, HORIZONS, MARKET, SEED, TIERS, PackagedMarket, market_from, packaged_market
from tenorgrid.data.sample.processes import hour_of, innovations
from tenorgrid.data.sample.small import AS_OF_SMALL, END_SMALL, FIRST_SMALL, SMALL, small_market
from tenorgrid.data.sample.virtuals import BIDDERS

FIRST, END = date(2027, 1, 4), date(2027, 1, 7)
TABLES = ("offers", "bids", "virtuals")


@cache
def market(seed: int = 11, first: date = FIRST, end: date = END) -> PackagedMarket:
    return packaged_market(seed=seed, first=first, end=end, as_of=None)


def inside(frame: pl.DataFrame, end: date) -> pl.DataFrame:
    return frame.filter(pl.col("start") < MARKET.midnight(end))


def test_the_same_seed_gives_the_same_rows_and_another_one_does_not() -> None:
    again, other = packaged_market(seed=11, first=FIRST, end=END, as_of=None), market(seed=12)
    for name in TABLES:
        assert getattr(again.case, name).equals(getattr(market().case, name))
        assert not getattr(other.case, name).equals(getattr(market().case, name))
    assert again.forecasts.equals(market().forecasts)
    assert other.case.recipes.equals(market().case.recipes)  # what was published does not depend on a seed


def test_rows_do_not_depend_on_the_days_asked_for() -> None:
    late = market(first=date(2027, 1, 5))
    long = market(end=date(2027, 1, 9))
    for name in TABLES:
        whole = getattr(market().case, name)
        assert inside(getattr(long.case, name), END).equals(whole), name
        assert getattr(late.case, name).equals(whole.filter(pl.col("start") >= MARKET.midnight(date(2027, 1, 5)))), name


@pytest.mark.parametrize("day", [date(2027, 1, 4), date(2027, 1, 6)])
def test_nothing_that_ran_before_a_moment_sees_what_comes_after_it(day: date) -> None:
    end = date(2027, 1, 12)
    hours, fleet = hour_of(MARKET.midnight(end)), halls().height
    first, second = (innovations(seed, hours=hours, halls=fleet) for seed in (11, 99))
    cut = hour_of(MARKET.midnight(day))
    mixed = replace(first, **{name: np.vstack([getattr(first, name)[:cut], getattr(second, name)[cut:]]) for name in first.__annotations__})
    known, changed = (market_from(drawn, seed=11, first=FIRST, end=end, as_of=None) for drawn in (first, mixed))
    for horizon in HORIZONS:
        seen = (
            day + horizon.lead + (timedelta(days=1) if horizon.lead else timedelta(0))
        )  # the market that runs as the day begins knows nothing of it
        for name in TABLES:
            before, after = (inside(getattr(one.case, name), min(seen, end)).filter(horizon=horizon.name) for one in (known, changed))
            assert before.equals(after), (horizon.name, name)
        if seen < end:
            assert not known.case.bids.filter(horizon=horizon.name).equals(changed.case.bids.filter(horizon=horizon.name))


def test_forecast_errors_grow_with_lead() -> None:
    found = packaged_market(seed=3, first=date(2027, 1, 1), end=date(2027, 3, 1), as_of=None).forecasts
    real = found.filter(horizon="real-time").select("series", "region", "start", pl.col("value").alias("came"))
    errors = (
        found.filter(pl.col("horizon") != "real-time")
        .join(real, on=["series", "region", "start"])
        .group_by("series", "horizon")
        .agg(((pl.col("value") / pl.col("came")).log() ** 2).mean().sqrt().alias("error"), pl.col("sd").mean())
    )
    table = {(series, horizon): (error, sd) for series, horizon, error, sd in errors.iter_rows()}
    for series in ("inference", "training"):
        day, week, month = (table[series, horizon][0] for horizon in ("day-ahead", "week-ahead", "month-ahead"))
        assert day < week < month
    for horizon in ("day-ahead", "week-ahead"):  # the error that came is about the one that was stated
        error, sd = table["training", horizon]
        assert error == pytest.approx(sd, rel=0.35)
    assert (found["made_at"] <= found["start"]).all()


def test_ahead_bids_are_not_real_time_bids_with_noise() -> None:
    bids = market().case.bids.with_columns(name=pl.col("bid_id").str.split("@").list.first())
    inference = bids.filter(pl.col("workload") == "llama2-70b-decode").group_by("horizon", "name", "start").agg(pl.col("quantity").sum())
    wide = inference.pivot("horizon", index=["name", "start"], values="quantity").sort("name", "start")
    error = (wide["day-ahead"] / wide["real-time"]).log().to_numpy().reshape(3, -1)
    hour_to_hour = [np.corrcoef(row[:-1], row[1:])[0, 1] for row in error]
    assert min(hour_to_hour) > 0.5  # what a forecast misses has a memory


def test_the_market_has_the_promised_parts() -> None:
    case = market().case
    assert case.locations["region"].n_unique() == 3
    assert set(case.resources.filter(kind="accelerator")["resource"]) == {
        "a100-sxm",
        "h100-sxm",
        "h200-sxm",
        "mi300x",
        "b200-sxm",
        "gb200-nvl72",
    }
    assert set(case.offers["participant"]) == {supplier.name for supplier in SUPPLIERS}
    assert len(SUPPLIERS) == 10
    assert {"hyperscaler", "neocloud", "leaseback"} == {supplier.kind for supplier in SUPPLIERS}
    leasers = {supplier.name for supplier in SUPPLIERS if supplier.kind == "leaseback"}
    assert leasers <= set(case.bids["participant"])  # who leases back is a buyer
    assert case.workloads.height == 8
    assert case.workloads["class"].n_unique() == 4
    assert case.virtuals["participant"].n_unique() == len(BIDDERS) == 5
    assert all((1 - probability) * overcommit <= 1 for _, probability, overcommit, _ in TIERS)
    assert case.offers.filter(pl.col("firm_premium").is_null()).height > 0


def test_every_horizon_has_the_rows_that_it_needs_and_no_more() -> None:
    day = date(2027, 1, 6)
    case = packaged_market(seed=11, first=FIRST, end=date(2027, 2, 8), as_of=day).case
    for horizon in MARKET.horizons:
        until = min(MARKET.cleared_until(horizon, day), MARKET.midnight(date(2027, 2, 8)))
        for name in ("offers", "bids"):
            assert getattr(case, name).filter(horizon=horizon.name)["end"].max() == until, (horizon.name, name)


def test_days_of_23_hours_have_23_hours() -> None:
    bids = packaged_market(seed=11, first=date(2027, 3, 14), end=date(2027, 3, 15), as_of=None).case.bids
    assert bids.filter(horizon="real-time", workload="llama2-70b-decode")["start"].n_unique() == 23


def test_every_hour_has_the_same_bids() -> None:
    bids = market().case.bids.filter(horizon="real-time", workload="llama2-70b-decode")
    assert bids.group_by("start").len()["len"].n_unique() == 1


def test_impossible_days_are_refused() -> None:
    with pytest.raises(InputError, match="a first day before the end"):
        packaged_market(first=END, end=FIRST)
    with pytest.raises(InputError, match="moments from"):
        packaged_market(first=date(2026, 12, 1), end=date(2026, 12, 3), as_of=None)


def test_the_committed_case_is_what_the_generator_writes() -> None:
    committed, made = read_case(SMALL), small_market().case
    assert committed.market == made.market
    for name, frame in made.tables().items():
        assert committed.tables()[name].equals(frame), name
    assert (END_SMALL - FIRST_SMALL).days == 3
    assert sum(path.stat().st_size for path in SMALL.rglob("*")) <= 1_000_000
    assert AS_OF_SMALL >= END_SMALL
    assert small_market().case.bids.equals(packaged_market(seed=SEED, first=FIRST_SMALL, end=END_SMALL, as_of=AS_OF_SMALL).case.bids)


def test_what_is_known_of_tightness_ranks_hours_the_worse_the_longer_the_lead() -> None:
    """The whole market, uncleared: demand over supply, most of it shared by all regions, as expected ahead against as it came."""
    found = packaged_market(as_of=None, end=AS_OF).forecasts.pivot("series", index=["horizon", "region", "start"], values="value")
    weights = demand_by_region()
    inference, training = (pl.col("region").replace_strict({region: weights[region][part] for region in weights}) for part in (0, 1))
    own = found.with_columns(wanted=inference * pl.col("inference") + training * pl.col("training"))
    capacity = pl.col("region").replace_strict(
        {region: sum(RELATIVE[name] * count for name, count in CAPACITY[region].items()) for region in CAPACITY}
    )
    own = own.with_columns(there=capacity * pl.col("availability"))
    shared = pl.col("wanted").sum().over("horizon", "start") / pl.col("there").sum().over("horizon", "start")
    tight = own.with_columns(tight=0.3 * pl.col("wanted") / pl.col("there") + 0.7 * shared)
    came = tight.filter(horizon="real-time").select("region", "start", pl.col("tight").alias("came"))
    ranked = (
        tight.join(came, on=["region", "start"])
        .group_by("horizon", "region")
        .agg(pl.corr("tight", "came", method="spearman").alias("rank"))
    )
    mean = dict(ranked.group_by("horizon").agg(pl.col("rank").mean()).iter_rows())
    assert mean["real-time"] == pytest.approx(1.0, abs=1e-12)
    assert mean["day-ahead"] == pytest.approx(0.86, abs=0.03)
    assert mean["week-ahead"] == pytest.approx(0.77, abs=0.03)
    assert mean["month-ahead"] == pytest.approx(0.70, abs=0.03)
