"""Realised variance, bipower variation and jumps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.har import contests, forecasts
from tenorgrid.curves.volatility.intraday import bipower, grid_of_prints, jump_statistic, realised_days, tripower
from tenorgrid.data.errors import InputError

START = datetime(2026, 1, 1, tzinfo=UTC)
REAL = Path(__file__).parents[4] / "shared" / "data" / "gpu_prices_30min_primeintellect_stats.csv.gz"


def prints(values: Vector, *, step: timedelta = timedelta(minutes=30)) -> pl.DataFrame:
    return pl.DataFrame({"time": [START + n * step for n in range(values.size)], "value": values})


def test_by_hand() -> None:
    """Moves 1, −2, 3: Σ r² = 14; bipower (π/2)(3/2)(1·2 + 2·3) = 6π; tripower of ones is 36 times E|z|^(4/3) to the −3rd."""
    assert bipower(np.array([1.0, -2.0, 3.0])) == pytest.approx(6 * np.pi)
    draws = np.abs(np.random.default_rng(0).normal(size=2_000_000)) ** (4 / 3)
    assert tripower(np.ones(6)) == pytest.approx(36 / draws.mean() ** 3, rel=3e-3)


def test_the_statistic_is_the_ratio_written_out() -> None:
    returns = np.random.default_rng(1).normal(size=48)
    m, mu = 48, np.sqrt(2 / np.pi)
    smooth = mu**-2 * m / (m - 1) * sum(abs(returns[i]) * abs(returns[i - 1]) for i in range(1, m))
    third = 2 ** (2 / 3) * 0.9277193336300393 / np.pi**0.5  # Γ(7/6)
    quarticity = m * third**-3 * m / (m - 2) * sum(abs(returns[i] * returns[i - 1] * returns[i - 2]) ** (4 / 3) for i in range(2, m))
    spread = (mu**-4 + 2 * mu**-2 - 5) / m * max(1.0, quarticity / smooth**2)
    assert jump_statistic(returns) == pytest.approx((1 - smooth / (returns @ returns)) / np.sqrt(spread), rel=1e-12)


def test_the_statistic_is_normal_without_jumps_and_finds_those_that_are_there() -> None:
    rng = np.random.default_rng(2)
    quiet = np.array([jump_statistic(rng.normal(size=288)) for _ in range(3000)], dtype=float)
    assert [np.mean(quiet > norm.ppf(level)) for level in (0.9, 0.95, 0.99)] == pytest.approx([0.1, 0.05, 0.01], abs=0.02)
    found = []
    for _ in range(200):
        returns = rng.normal(size=288)
        returns[100] += 14.0
        told = jump_statistic(returns)
        found.append(told is not None and told > norm.ppf(0.999))
        assert abs(bipower(returns) / 288 - 1) < 0.5  # the jump moves Σ r² / m by two thirds
    assert np.mean(found) > 0.9


def test_days_belong_to_their_returns() -> None:
    rng = np.random.default_rng(3)
    moves = rng.normal(size=48 * 4) * 0.01
    made = realised_days(prints(np.exp(moves.cumsum())), every=timedelta(minutes=30), series="X")
    assert made["returns"].to_list() == [47, 48, 48, 48]
    assert made["variance"].to_list() == pytest.approx([(part**2).sum() for part in (moves[1:48], *np.split(moves[48:], 3))], rel=1e-9)
    assert made["variance"].sum() == pytest.approx((moves[1:] ** 2).sum())


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 999), more=st.integers(1, 6))
def test_later_prints_change_no_earlier_day_and_no_earlier_forecast(seed: int, more: int) -> None:
    moves = np.random.default_rng(seed).normal(size=24 * 40) * 0.01
    table = prints(np.exp(moves.cumsum()), step=timedelta(hours=1))
    long = realised_days(table, every=timedelta(hours=1), series="X")
    short = realised_days(table.head(24 * (40 - more)), every=timedelta(hours=1), series="X")
    assert long.head(short.height).equals(short)
    early, late = forecasts(short, lengths=(1, 7)), forecasts(long, lengths=(1, 7))
    assert late.head(early.height).equals(early)


def test_a_grid_takes_the_last_print_and_no_stale_one() -> None:
    times = [START + timedelta(minutes=30 * n + 7) for n in range(-1, 96)]
    table = pl.DataFrame({"time": times, "value": np.arange(1.0, 98.0)})
    grid = grid_of_prints(table, every=timedelta(minutes=30))
    assert grid["time"].min() == START
    assert grid["value"].head(3).to_list() == [1.0, 2.0, 3.0]
    holed = table.filter(~pl.col("time").is_between(START + timedelta(hours=1), START + timedelta(hours=20)))
    with pytest.raises(InputError, match="a day of 48 prices"):
        grid_of_prints(holed.filter(pl.col("time") < START + timedelta(days=1)), every=timedelta(minutes=30))


def test_a_day_that_stands_still_is_not_tested_and_faulty_prints_are_refused() -> None:
    rng = np.random.default_rng(4)
    moves = rng.normal(size=96) * 0.01 * (rng.random(96) < 0.3)
    made = realised_days(prints(np.exp(moves.cumsum())), every=timedelta(minutes=30), series="X")
    assert made["statistic"].to_list() == [None, None]
    assert made["jump"].to_list() == [0.0, 0.0]
    good = prints(np.exp((rng.normal(size=96) * 0.01).cumsum()))
    with pytest.raises(InputError, match="a step that a day holds a whole number of times"):
        realised_days(good, every=timedelta(minutes=7), series="X")
    with pytest.raises(InputError) as caught:
        realised_days(
            pl.concat([good, good.head(1)]).with_columns(
                pl.when(pl.col("value") == pl.col("value").max()).then(-1.0).otherwise("value").alias("value")
            ),
            every=timedelta(minutes=30),
            series="X",
        )
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="at least one print"):
        realised_days(good.clear(), every=timedelta(minutes=30), series="X")
    gap = pl.concat([prints(np.full(48, 2.0)), prints(np.full(48 * 4, 2.0)).tail(96)])
    with pytest.raises(InputError, match="days on end"):
        realised_days(gap, every=timedelta(minutes=30), series="X")


def test_the_half_hourly_h100_series() -> None:
    """28 days hold no component of 30 days; by day and week HAR is judged on what is left."""
    if not REAL.exists():
        pytest.skip("needs the half-hourly prices of Prime Intellect, gpu_prices_30min_primeintellect_stats.csv.gz")
    table = pl.read_csv(REAL, try_parse_dates=True).filter(pl.col("sku") == "H100_80GB_SXM5")
    seen = table.select(pl.col("timestamp").dt.replace_time_zone("UTC").alias("time"), pl.col("p_mean").alias("value")).unique("time")
    days = realised_days(seen, every=timedelta(hours=1), series="H100")
    assert days.height >= 25
    assert (days["variance"] > 0).all()
    made = forecasts(days, lengths=(1, 7))
    assert made.height >= 4
    assert contests(made).height == 4
    with pytest.raises(InputError, match="more than 44 days"):
        forecasts(days)
