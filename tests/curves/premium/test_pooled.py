"""Pooled premia: Driscoll and Kraay's errors beside statsmodels, and the verdicts that naive errors give."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.premium.hac import mean_errors
from tenorgrid.curves.premium.pooled import driscoll_kraay
from tenorgrid.curves.premium.study import study
from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.two_settlement import read_two_settlement

ZONES = Path(__file__).parents[3].parent / "shared" / "data" / "nyiso_da_rt_hourly_lmp_11zones.csv.gz"
LEADS = {"day-ahead": 1}


def pairs(series: int, *, days: int = 20, seed: int = 0, common: float = 3.0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=24 * days) * common
    hours = pl.Series("start", np.datetime64("2027-01-04T00", "us") + np.arange(24 * days).astype("timedelta64[h]")).dt.replace_time_zone(
        "UTC"
    )
    parts = [
        pl.DataFrame({"start": hours, "ahead": 30 + shared + rng.normal(size=hours.len()), "real": np.full(hours.len(), 29.8)}).select(
            pl.lit("day-ahead").alias("horizon"), pl.lit(f"s{place}").alias("series"), "start", "ahead", "real"
        )
        for place in range(series)
    ]
    return pl.concat(parts)


@pytest.mark.parametrize("lags", [0, 3, 24])
def test_the_error_is_the_one_of_statsmodels(lags: int) -> None:
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(lags)
    at = np.tile(np.arange(60), 4)
    values = np.tile(rng.normal(size=60), 4) + rng.normal(size=240) * 0.3
    fitted = OLS(values, np.ones(240)).fit(cov_type="nw-groupsum", cov_kwds={"time": at, "maxlags": lags, "use_correction": False})
    assert driscoll_kraay(values, at, lags=lags) == pytest.approx(float(fitted.bse[0]), rel=1e-10)


@settings(deadline=None, max_examples=20)
@given(copies=st.integers(2, 6), lags=st.integers(0, 10), seed=st.integers(0, 99))
def test_the_same_series_again_says_nothing_new(copies: int, lags: int, seed: int) -> None:
    values, at = np.random.default_rng(seed).normal(size=50), np.arange(50)
    alone = mean_errors(values, at, lags=lags)[1]
    assert driscoll_kraay(np.tile(values, copies), np.tile(at, copies), lags=lags) == pytest.approx(alone, rel=1e-9)


def test_a_class_of_one_series_is_that_series() -> None:
    found = study(pairs(2), leads=LEADS, classes={"s0": "one", "s1": "two"})
    own, pooled = found.bias.filter(hour=-1).sort("series"), found.pooled.sort("class")
    assert pooled["class"].to_list() == ["one", "two"]
    for column in ("bias", "naive_error", "hac_error", "hac_t"):
        assert pooled[column].to_list() == pytest.approx(own[column].to_list(), rel=1e-9)


def test_series_that_move_together_have_a_larger_error_than_their_number_says() -> None:
    row = study(pairs(9), leads=LEADS).pooled.row(0, named=True)
    assert (row["class"], row["series"], row["count"]) == ("all", 9, 9 * 480)
    assert row["hac_error"] > 2 * row["naive_error"]
    assert row["day_error"] > 2 * row["naive_error"]
    apart = study(pairs(9, common=0.0), leads=LEADS).pooled.row(0, named=True)
    assert apart["day_error"] == pytest.approx(apart["naive_error"], rel=0.5)


@pytest.mark.skipif(not ZONES.exists(), reason="needs NYISO's day-ahead and real-time prices of 11 zones")
def test_naive_errors_of_the_pooled_zones_are_too_small() -> None:
    row = study(read_two_settlement(ZONES), leads=LEADS, timezone="America/New_York").pooled.row(0, named=True)
    assert row["series"] == 11
    assert row["hac_error"] > row["day_error"] > 4 * row["naive_error"]


def test_a_series_without_a_class_is_refused() -> None:
    with pytest.raises(InputError, match="found s1, expected a series with a class"):
        study(pairs(2), leads=LEADS, classes={"s0": "one"})


def test_the_error_by_day_adds_up_whole_days() -> None:
    rows = pairs(3, days=10)
    value = rows.select(pl.col("start").dt.date().alias("day"), (pl.col("ahead") - pl.col("real")).alias("v"))
    sums = value.with_columns(pl.col("v") - pl.col("v").mean()).group_by("day").agg(pl.col("v").sum())["v"].to_numpy()
    assert study(rows, leads=LEADS).pooled["day_error"][0] == pytest.approx(np.sqrt(sums @ sums) / value.height, rel=1e-9)
