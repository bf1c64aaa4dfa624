"""Books of bids: they add up to the demand meant, at worths that the market admits."""

from datetime import date

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.case import make_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.sample.benchmarks import h100_hours
from tenorgrid.data.sample.demand import BOOK, ELASTIC, ELASTICITY, REFERENCE, USE, book, demand_by_region, total_capacity
from tenorgrid.data.sample.forecasts import seasonal
from tenorgrid.data.sample.market import MARKET, packaged_market
from tenorgrid.data.sample.processes import hour_of


def test_shares_of_demand_add_up() -> None:
    assert sum(share for _, share, _, _ in BOOK) == pytest.approx(1.0, abs=1e-12)
    for _, _, homes, _ in BOOK:
        assert sum(part for _, part, _ in homes) == pytest.approx(1.0, abs=1e-12)
    wanted = sum(inference + training for inference, training in demand_by_region().values())
    assert wanted == pytest.approx(USE * total_capacity(), rel=1e-12)


def test_inelastic_demand_is_two_thirds_and_the_rest_has_its_elasticity() -> None:
    steps = book().with_columns(hours=pl.col("quantity") * pl.col("workload").map_elements(h100_hours, return_dtype=pl.Float64))
    worth = steps["value"] / steps["workload"].map_elements(h100_hours, return_dtype=pl.Float64)
    dear = steps.filter(worth > 10)["hours"].sum()
    assert dear == pytest.approx((1 - ELASTIC) * USE * total_capacity(), rel=1e-9)
    cheap = steps.filter(worth <= 10)["hours"].sum()
    assert cheap > ELASTIC * USE * total_capacity()  # below the reference price more is wanted than at it
    assert cheap < ELASTIC * USE * total_capacity() * (1.5 / REFERENCE) ** ELASTICITY


def test_worth_falls_from_step_to_step() -> None:
    falls = book().with_columns(before=pl.col("value").shift(1).over("name", order_by="step")).drop_nulls("before")
    assert (falls["value"] < falls["before"]).all()


def test_bids_follow_the_shape_of_their_own_clock() -> None:
    hours = np.arange(hour_of(MARKET.midnight(date(2027, 1, 11))), hour_of(MARKET.midnight(date(2027, 1, 12))))
    peak = {
        region: int(hours[at]) % 24 for region, at in zip(("us-east", "us-west", "eu-north"), seasonal(hours).argmax(axis=0), strict=True)
    }
    assert (peak["us-west"] - peak["us-east"]) % 24 == 3
    assert (peak["us-east"] - peak["eu-north"]) % 24 == 6


def test_a_worth_past_the_cap_is_refused() -> None:
    case = packaged_market(seed=1, first=date(2027, 1, 4), end=date(2027, 1, 5), as_of=None).case
    tables = case.tables() | {"bids": case.bids.with_columns(pl.col("value") * 1000)}
    with pytest.raises(InputError, match="above the price_cap"):
        make_case(MARKET, tables)
