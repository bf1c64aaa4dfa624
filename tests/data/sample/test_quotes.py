"""Synthetic quotes and exposures."""

from datetime import date

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import delivery
from tenorgrid.data.sample.benchmarks import KINDS
from tenorgrid.data.sample.fleet import REGIONS
from tenorgrid.data.sample.quotes import INDICES, SOURCE, exposures, monthly_quotes


def test_quotes_cover_three_months_and_a_quarter_of_every_index_and_say_that_they_are_synthetic() -> None:
    quotes = monthly_quotes()
    assert quotes.height == 4 * len(INDICES)
    assert quotes["source"].unique().to_list() == [SOURCE]
    assert "synthetic" in SOURCE
    assert set(quotes["index"]) == set(INDICES)


def test_bid_is_below_ask_and_the_spread_widens_with_the_month() -> None:
    months = monthly_quotes().filter(~pl.col("contract").str.contains("Q"))
    spread = months.with_columns(spread=(pl.col("ask") - pl.col("bid")) / pl.col("price")).sort("index", "start")
    assert (spread["spread"] > 0).all()
    widths = spread.group_by("index", maintain_order=True).agg(pl.col("spread").first().alias("near"), pl.col("spread").last().alias("far"))
    assert (widths["far"] > widths["near"]).all()


def test_a_contract_names_its_own_period() -> None:
    for contract, start, end in monthly_quotes().select("contract", "start", "end").iter_rows():
        period = delivery(contract, timezone="America/New_York")
        assert (period.start, period.end) == (start, end)


def test_later_delivery_is_quoted_lower_where_the_platform_ages_and_demand_is_as_ever() -> None:
    quotes = pl.concat([monthly_quotes(seed=seed) for seed in range(30)])  # over many worlds demand is as ever
    mean = quotes.group_by("index", "start").agg(pl.col("price").mean()).sort("index", "start")
    fall = mean.group_by("index", maintain_order=True).agg((pl.col("price").last() / pl.col("price").first()).alias("ratio"))
    for index, ratio in fall.iter_rows():
        months = 4.0  # from the middle of April to that of the quarter
        assert ratio == pytest.approx(1 - INDICES[index][1] * months, abs=0.02)


def test_the_same_seed_quotes_the_same_and_another_one_does_not() -> None:
    assert monthly_quotes(seed=7).equals(monthly_quotes(seed=7))
    assert not monthly_quotes(seed=7).equals(monthly_quotes(seed=8))


def test_exposures_name_workloads_and_resources_of_the_market() -> None:
    found = exposures()
    assert set(found["workload"].drop_nulls()) <= {kind.workload for kind in KINDS}
    assert set(found["region"]) <= set(REGIONS)
    assert (found["quantity"] < 0).any()


def test_quotes_before_the_epoch_are_refused() -> None:
    with pytest.raises(InputError):
        monthly_quotes(as_of=date(2026, 10, 1))
