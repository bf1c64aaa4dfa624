"""Weighted means and medians without sorting, against sorting and against polars."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import MedianTie
from tenorgrid.indices.estimators import weighted_medians
from tenorgrid.indices.streaming import medians
from tenorgrid.indices.streaming.medians import middles

PRICES = st.one_of(st.floats(0.5, 50), st.sampled_from([-2.0, 0.0, 1e-9, 1.0, 2.0, 1e12]))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 3), PRICES, st.integers(0, 5)), min_size=1, max_size=60), chunk=st.integers(1, 70))
def test_as_sorted(rows: list[tuple[int, float, int]], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(medians, "CHUNK", chunk)
        frame = pl.DataFrame(rows, schema={"code": pl.Int64, "price": pl.Float64, "weight": pl.Float64}, orient="row")
        found = middles(frame.lazy(), groups=5)
    for group in range(5):
        mine = frame.filter(pl.col("code") == group, pl.col("weight") > 0).sort("price")
        price, weight = mine["price"].to_numpy(), mine["weight"].to_numpy()
        assert found.weight[group] == weight.sum()
        if not price.size:
            assert np.isnan(found.median[group])
            assert np.isnan(found.mean[group])
            continue
        assert found.median[group] == weighted_medians(price, weight, np.array([0, price.size]), tie=MedianTie.LOWER)[0]
        assert found.mean[group] == pytest.approx(np.average(price, weights=weight), rel=1e-12, abs=1e-12)


def test_many_rows_against_polars() -> None:
    rng = np.random.default_rng(8)
    rows, groups = 100_000, 200
    columns = {"code": rng.integers(0, groups, rows), "price": rng.lognormal(1, 0.4, rows), "weight": rng.uniform(0.1, 9, rows)}
    frame = pl.DataFrame(columns)
    found = middles(frame.lazy(), groups=groups)
    ordered = frame.sort("code", "price").with_columns(
        reached=pl.col("weight").cum_sum().over("code"), whole=pl.col("weight").sum().over("code")
    )
    plain = ordered.filter(pl.col("reached") >= pl.col("whole") / 2).group_by("code").agg(pl.col("price").min()).sort("code")
    assert (found.median == plain["price"].to_numpy()).all()
    mean = frame.group_by("code").agg((pl.col("price") * pl.col("weight")).sum() / pl.col("weight").sum()).sort("code")
    assert found.mean == pytest.approx(mean["price"].to_numpy(), rel=1e-12)


@pytest.mark.parametrize("row", [(2, 1.0, 1.0), (-1, 1.0, 1.0), (0, np.inf, 1.0), (0, 1.0, -1.0), (0, 1.0, np.nan), (0, None, 1.0)])
def test_what_is_no_number_is_refused(row: tuple[int, float | None, float]) -> None:
    frame = pl.DataFrame([row], schema={"code": pl.Int64, "price": pl.Float64, "weight": pl.Float64}, orient="row")
    with pytest.raises(InputError, match="codes from 0 to 1"):
        middles(frame.lazy(), groups=2)
