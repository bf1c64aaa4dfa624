"""Halls, their offers and the reserve held against their outages."""

import math
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tenorgrid.data.sample.benchmarks import ACCELERATORS, RELATIVE
from tenorgrid.data.sample.fleet import CAPACITY, DRAW, ENERGY, HIGH, LOW, REGIONS, SUPPLIERS, halls, host_halls
from tenorgrid.data.sample.market import HORIZONS, MARKET, packaged_market
from tenorgrid.data.sample.supply import CONTINGENCY, REFERENCE_PRICE, RESERVE_EDGES, RESERVE_SD, VOLL, reserve_steps, reserves, runs


def test_halls_add_up_to_the_capacity_listed_and_cost_what_is_allowed() -> None:
    found = halls()
    total = found.group_by("location", "resource").agg(pl.col("quantity").sum())
    for region, resource, quantity in total.iter_rows():
        assert quantity == pytest.approx(CAPACITY[region][resource], abs=10)  # halls are whole accelerators
    for region, resource, price in found.select("location", "resource", "price").iter_rows():
        cost = (price - ENERGY[region] * DRAW[resource]) / RELATIVE[resource]
        assert LOW - 1e-3 <= cost <= HIGH + 1e-3
    assert found["hall"].is_unique().all()


def test_suppliers_stand_only_where_they_say_and_neoclouds_are_cheaper_than_hyperscalers() -> None:
    found = pl.concat([halls(), host_halls()])
    where = {supplier.name: set(supplier.regions) for supplier in SUPPLIERS}
    for name, region in found.select("participant", "location").unique().iter_rows():
        assert region in where[name]
    kind = {supplier.name: supplier.kind for supplier in SUPPLIERS}
    h100 = halls().filter(resource="h100-sxm").with_columns(kind=pl.col("participant").replace_strict(kind))
    mean = dict(h100.group_by("kind").agg((pl.col("price") * pl.col("quantity")).sum() / pl.col("quantity").sum()).iter_rows())
    assert mean["neocloud"] < mean["hyperscaler"]


def test_some_halls_of_every_node_are_interruptible_only_and_most_are_not() -> None:
    share = halls().group_by("location", "resource").agg(pl.col("firm_premium").is_null().mean().alias("share"))
    assert share["share"].min() > 0  # type: ignore[operator]
    assert share["share"].max() < 0.2  # type: ignore[operator]


def test_reserve_steps_are_the_scarcity_curve_in_steps() -> None:
    (first, top), *rest = reserve_steps()
    assert (first, top) == (CONTINGENCY, VOLL - REFERENCE_PRICE)
    assert all(one[1] > other[1] for one, other in pairwise(rest))
    # The area under the steps is that under the curve, integrated numerically: to 2 %, as each step stands for the middle of its width.
    area = sum(width * price for width, price in rest)
    exact = quad(lambda headroom: (VOLL - REFERENCE_PRICE) * norm.sf(headroom / RESERVE_SD), 0, RESERVE_EDGES[-1] * RESERVE_SD)[0]
    assert area == pytest.approx(exact, rel=0.02)


def test_reserves_stand_for_every_accelerator_in_every_region() -> None:
    found = reserves()
    assert found.select("region", "resource").unique().height == len(REGIONS) * len(ACCELERATORS)
    b200, h100 = (found.filter(region="us-east", resource=name, step=1)["price"].item() for name in ("b200-sxm", "h100-sxm"))
    assert b200 / h100 == pytest.approx(RELATIVE["b200-sxm"], rel=1e-6)


def test_runs_cut_where_the_level_changes_and_where_days_begin() -> None:
    level = np.array([[1.0, 0.6], [1.0, 1.0], [1.0, 1.0], [0.6, 1.0]])
    hall, start, stop = runs(level, np.array([0, 2, 4]))
    assert list(zip(hall.tolist(), start.tolist(), stop.tolist(), strict=True)) == [
        (0, 0, 2),
        (0, 2, 3),
        (0, 3, 4),
        (1, 0, 1),
        (1, 1, 2),
        (1, 2, 4),
    ]


def test_offers_of_a_hall_cover_every_hour_once() -> None:
    case = packaged_market(seed=2, first=date(2027, 1, 9), end=date(2027, 1, 12), as_of=None).case
    for horizon in HORIZONS:
        mine = case.offers.filter(horizon=horizon.name).with_columns(hall=pl.col("offer_id").str.split("@").list.first())
        hours = mine.group_by("hall").agg((pl.col("end") - pl.col("start")).dt.total_hours().sum().alias("hours"))
        assert hours["hours"].unique().to_list() == [72]
        assert mine["offer_id"].is_unique().all()


def test_expected_availability_is_the_mean_of_what_comes() -> None:
    case = packaged_market(seed=2, first=date(2027, 1, 1), end=date(2027, 3, 1), as_of=None).case
    hours = (pl.col("end") - pl.col("start")).dt.total_hours()
    mean = case.offers.filter(resource="h100-sxm").group_by("horizon").agg((pl.col("quantity") * hours).sum())
    offered = dict(mean.iter_rows())
    for horizon in ("day-ahead", "week-ahead", "month-ahead"):
        assert math.log(offered[horizon] / offered["real-time"]) == pytest.approx(0.0, abs=0.01)
    assert MARKET.voll == VOLL
