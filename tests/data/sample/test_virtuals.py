"""Virtual bidders: their price model against a search by bisection, and where they bid."""

from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from tenorgrid.data.sample.benchmarks import RELATIVE
from tenorgrid.data.sample.demand import ELASTIC, ELASTICITY, REFERENCE
from tenorgrid.data.sample.fleet import CAPACITY, halls
from tenorgrid.data.sample.market import PackagedMarket, packaged_market
from tenorgrid.data.sample.supply import CONTINGENCY, REFERENCE_PRICE, RESERVE_SD, VOLL
from tenorgrid.data.sample.virtuals import BIDDERS, SIZE, merit_order


@cache
def market() -> PackagedMarket:
    return packaged_market(seed=5, first=date(2027, 1, 4), end=date(2027, 1, 11), as_of=None)


@pytest.mark.parametrize("tight", [0.6, 0.75, 0.85, 0.95, 1.05])
def test_the_merit_order_price_is_where_demand_meets_supply(tight: float) -> None:
    fleet = halls()
    scale = fleet["resource"].replace_strict(RELATIVE, return_dtype=pl.Float64).to_numpy()
    cost = (fleet["price"].to_numpy() + fleet["firm_premium"].fill_null(0.0).to_numpy()) / scale
    size = fleet["quantity"].to_numpy() * scale
    order = np.argsort(cost)
    share = np.cumsum(size[order]) / size.sum()

    def excess(used: float) -> float:
        left = 1 - used
        loss = 1.0 if left < CONTINGENCY else norm.sf((left - CONTINGENCY) / RESERVE_SD)
        price = np.interp(used, share - share[0] / 2, cost[order]) + (VOLL - REFERENCE_PRICE) * loss
        return float(tight * (1 - ELASTIC + ELASTIC * (price / REFERENCE) ** ELASTICITY) - used)

    used = brentq(excess, 0.3, 1.0, xtol=1e-12)
    left = 1 - used
    price = np.interp(used, share - share[0] / 2, cost[order]) + (VOLL - REFERENCE_PRICE) * norm.sf((left - CONTINGENCY) / RESERVE_SD)
    assert np.interp(tight, *merit_order(fleet)) == pytest.approx(price, rel=5e-3)


def test_price_rises_with_tightness() -> None:
    tight, price = merit_order(halls())
    assert (np.diff(tight) > 0).all()
    assert (np.diff(price) >= 0).all()


def test_every_bidder_sells_above_what_it_buys_at_for_its_share_of_capacity() -> None:
    bids = market().case.virtuals.with_columns(side=pl.col("side").cast(pl.String))
    wide = bids.pivot("side", index=["horizon", "participant", "location", "resource", "start"], values="price")
    assert (wide["inc"] > wide["dec"]).all()
    assert wide.null_count().sum_horizontal().item() == 0
    for region, resource, quantity in bids.select("location", "resource", "quantity").unique().iter_rows():
        assert quantity == pytest.approx(SIZE * CAPACITY[region][resource], abs=1e-3)
    assert set(bids["participant"]) == {name for name, _, _ in BIDDERS}
    assert set(bids["horizon"]) == {"month-ahead", "week-ahead", "day-ahead"}


def test_bidders_disagree_more_the_further_ahead_they_bid() -> None:
    bids = market().case.virtuals.filter(
        pl.col("side").cast(pl.String) == "inc", pl.col("resource") == "h100-sxm", pl.col("location") == "us-east"
    )
    spread = bids.group_by("horizon", "start").agg((pl.col("price").std() / pl.col("price").mean()).alias("spread"))
    mean = dict(spread.group_by("horizon").agg(pl.col("spread").mean()).iter_rows())
    assert mean["day-ahead"] < mean["week-ahead"] < mean["month-ahead"]
