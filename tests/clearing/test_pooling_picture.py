"""The pooling picture as data."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.availability import Panel, pool_table
from tenorgrid.clearing.pooling import largest_sale, pooled_deviation
from tenorgrid.clearing.pooling_picture import POOL, bands, pooling_curve
from tenorgrid.data.tables.tiering import PoolingBands, PoolingCurve


def record(seed: int, *, suppliers: int = 6, hours: int = 24 * 60) -> Panel:
    """Suppliers that are in or out independently, hour by hour."""
    present = (np.random.default_rng(seed).random((hours, suppliers)) < 0.8).astype(float)
    names = tuple(f"s{member}" for member in range(suppliers))
    return Panel(
        pool="p", suppliers=names, begin=np.arange(float(hours)), hours=np.ones(hours), listed=np.ones_like(present), present=present,
        span=float(hours),
    )  # fmt: skip


def test_bands_are_the_quantiles_of_daily_means() -> None:
    pool = record(1)
    table = PoolingBands.validate(bands(pool))
    daily = 1 - pool.present.reshape(60, 24, 6).mean(axis=1)
    for member, name in enumerate(pool.suppliers):
        row = table.filter(group=name).row(0, named=True)
        assert row["windows"] == 60
        assert [row[cut] for cut in ("p05", "p50", "p95")] == pytest.approx(np.quantile(daily[:, member], [0.05, 0.5, 0.95]), abs=1e-9)
    together = table.filter(group=POOL).row(0, named=True)
    assert together["p75"] == pytest.approx(np.quantile(daily.mean(axis=1), 0.75), abs=1e-9)


def test_the_band_of_a_pool_is_narrower_by_the_root_of_its_suppliers() -> None:
    table = bands(record(2, suppliers=16))
    alone, pooled = table.filter(pl.col("group") != POOL)["deviation"].mean(), table.filter(group=POOL)["deviation"].item()
    assert isinstance(alone, float)
    assert pooled == pytest.approx(alone / 4, rel=0.2)


def test_a_short_record_is_cut_into_twenty() -> None:
    table = bands(record(3, hours=40))
    assert table["window"].unique().to_list() == [2.0]
    assert table["windows"].unique().to_list() == [20]


def test_the_curve_looks_at_every_pool_where_there_are_few() -> None:
    pool = record(4, suppliers=4)
    table = PoolingCurve.validate(pooling_curve(pool, {"spot": 0.15}, correlation=0.0, seed=0))
    assert table["suppliers"].to_list() == [1, 2, 3, 4]
    assert table["drawn"].to_list() == [4, 6, 4, 1]
    sales, spreads = [], []
    for members in combinations(range(4), 2):
        share = pool.present[:, members].mean(axis=1)
        sales.append(largest_sale(0.15, share, pool.weight))
        spreads.append(share.std())
    row = table.row(1, named=True)
    assert (row["overcommit"], row["worst"], row["best"]) == pytest.approx((np.mean(sales), min(sales), max(sales)), abs=1e-12)
    assert row["deviation"] == pytest.approx(np.mean(spreads), abs=1e-12)


def test_more_suppliers_sell_more_and_follow_the_formula() -> None:
    pool = record(5, suppliers=12, hours=6_000)
    moments = pool_table(pool).row(0, named=True)
    table = pooling_curve(pool, {"spot": 0.1}, correlation=moments["correlation"], seed=3)
    assert table["overcommit"].is_sorted()
    assert table["deviation"].to_list() == pytest.approx(table["formula"].to_list(), rel=0.04)
    assert table["formula"][-1] == pytest.approx(
        pooled_deviation(moments["availability"], max(moments["correlation"], 0), herfindahl=1 / 12)
    )
    assert table["overcommit"].to_list() == pytest.approx(table["model"].to_list(), abs=0.025)


def test_the_same_seed_draws_the_same_pools() -> None:
    pool = record(6, suppliers=12, hours=200)
    first, again, other = (pooling_curve(pool, {"spot": 0.1}, correlation=None, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)
    assert first["formula"].null_count() == first.height
