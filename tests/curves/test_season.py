"""Month-of-year shape: month_of_year, MonthShape."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.tsa.seasonal import seasonal_decompose

from tenorgrid.curves.forward import fit_curve
from tenorgrid.curves.season import MonthShape, month_of_year, shape_of, shape_tables
from tenorgrid.curves.shape import Kind, Shape
from tenorgrid.data.errors import InputError

Make = Callable[..., pl.DataFrame]
SHARED = Path(__file__).parents[3] / "shared" / "data"
PRICES = SHARED / "nymex_cl_ng_futures_curve_daily.csv.gz"
WINTER = np.array([1.3, 1.2, 1.0, 0.9, 0.85, 0.9, 0.95, 0.95, 0.9, 0.9, 1.0, 1.15])


def months(years: int, *, noise: float = 0.0) -> pl.DataFrame:
    """Monthly prices from 2020 on: a season on a level of 4."""
    starts = pl.datetime_range(datetime(2020, 1, 1), datetime(2019 + years, 12, 1), "1mo", eager=True, time_zone="UTC")
    rng = np.random.default_rng(3)
    price = 4 * np.tile(WINTER / WINTER.mean(), years) * np.exp(rng.normal(0, noise, 12 * years))
    return pl.DataFrame({"start": starts, "price": price})


def test_a_season_on_a_level_comes_back_without_error() -> None:
    shape = month_of_year(months(4), timezone="UTC")
    np.testing.assert_allclose(shape.months["value"].to_numpy(), WINTER / WINTER.mean(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(shape.months["error"].to_numpy(), 0, atol=1e-12)
    assert shape.months["years"].to_list() == [3] * 12


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
def test_it_agrees_with_the_decomposition_of_statsmodels(kind: Kind) -> None:
    history = months(7, noise=0.1)
    shape = month_of_year(history, timezone="UTC", kind=kind)
    theirs = seasonal_decompose(history["price"].to_numpy(), model=kind, period=12, two_sided=True).seasonal[:12]
    np.testing.assert_allclose(shape.months["value"].to_numpy(), theirs, rtol=0, atol=1e-12)


def test_the_error_is_that_of_a_mean_of_years() -> None:
    """Over many draws the values scatter by what the errors say."""
    rng, found, errors = np.random.default_rng(11), [], []
    for _ in range(200):
        history = months(6).with_columns(pl.col("price") * np.exp(rng.normal(0, 0.05, 72)))
        shape = month_of_year(history, timezone="UTC").months
        found.append(shape["value"].to_numpy())
        errors.append(shape["error"].to_numpy())
    assert np.std(found, axis=0).mean() == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=0.1)


@pytest.mark.parametrize("kind", ["multiplicative", "additive"])
def test_a_year_becomes_months_and_still_averages_back(quote: Make, kind: Kind) -> None:
    shape = month_of_year(months(5), timezone="UTC", kind=kind)
    year = [datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)]
    quotes = pl.concat([quote("2027", *year, 3.0), quote("Q1", year[0], datetime(2027, 4, 1, tzinfo=UTC), 3.6)])
    curve = fit_curve(quotes, index="X", as_of=datetime(2026, 12, 1, tzinfo=UTC), shape=shape)
    assert curve.average(*year) == pytest.approx(3.0, abs=1e-10)
    assert curve.average(date(2027, 1, 1), date(2027, 4, 1)) == pytest.approx(3.6, abs=1e-10)
    by_month = [curve.average(datetime(2027, m, 1, tzinfo=UTC), datetime(2027 + m // 12, m % 12 + 1, 1, tzinfo=UTC)) for m in range(1, 13)]
    assert by_month[0] > by_month[1] > by_month[2]
    alone = fit_curve(quotes.head(1), index="X", as_of=datetime(2026, 12, 1, tzinfo=UTC), shape=shape)
    january = alone.average(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
    flat = shape.on(alone.starts)
    assert january == pytest.approx(3 * flat[0] / flat.mean() if kind == "multiplicative" else 3 + flat[0] - flat.mean(), abs=1e-10)


def test_it_stands_on_top_of_the_hours_of_the_week() -> None:
    hours = [(day, hour) for day in range(1, 8) for hour in range(24)]
    frame = pl.DataFrame(
        {"weekday": [d for d, _ in hours], "hour": [h for _, h in hours], "value": [0.8 + 0.4 * (h >= 12) for _, h in hours]}
    )
    week = Shape(kind="multiplicative", timezone="UTC", hours=frame.with_columns(observations=pl.lit(9)))
    shape, both = (month_of_year(months(4), timezone="UTC", week=one) for one in (None, week))
    starts = pl.Series([datetime(2027, 1, 5, 3, tzinfo=UTC), datetime(2027, 7, 5, 15, tzinfo=UTC)], dtype=pl.Datetime("us", "UTC"))
    np.testing.assert_allclose(both.on(starts), shape.on(starts) * [0.8, 1.2], rtol=1e-14)
    with pytest.raises(InputError, match="that are additive too"):
        MonthShape(kind="additive", timezone="UTC", months=shape.months, week=week)


def test_too_few_years_gaps_and_prices_without_a_ratio_are_refused() -> None:
    with pytest.raises(InputError, match="found 36 months, expected at least 48 months"):
        month_of_year(months(3), timezone="UTC")
    with pytest.raises(InputError, match="nothing in 2020-11"):
        month_of_year(months(5).filter(pl.col("start") != datetime(2020, 11, 1, tzinfo=UTC)), timezone="UTC")
    below = months(5).with_columns(pl.col("price") - 3.6)
    with pytest.raises(InputError, match="above 0, whose ratio is a factor; or an additive shape"):
        month_of_year(below, timezone="UTC")
    assert month_of_year(below, timezone="UTC", kind="additive").months["value"].sum() == pytest.approx(0, abs=1e-12)
    with pytest.raises(InputError, match="a column") as told:
        month_of_year(pl.DataFrame({"day": [1]}), timezone="UTC")
    assert len(told.value.faults) == 2


@pytest.mark.skipif(not PRICES.exists(), reason="the NYMEX curve file is not on this machine")
def test_a_year_ahead_gas_knows_its_winter() -> None:
    """The price a year ahead, by its month of delivery: January stands out from October by more than both errors."""
    wide = pl.read_csv(PRICES, columns=["date", "NG12"], try_parse_dates=True).drop_nulls()
    delivered = wide.select(
        pl.col("date").dt.offset_by("12mo").cast(pl.Datetime("us")).dt.replace_time_zone("UTC").alias("start"),
        pl.col("NG12").alias("price"),
    )
    shape = month_of_year(delivered, timezone="UTC").months
    value, error = shape["value"].to_numpy(), shape["error"].to_numpy()
    assert value[0] - value[9] > 2 * np.hypot(error[0], error[9])
    assert min(shape["years"].to_list()) >= 16


def test_a_shape_comes_back_from_its_tables() -> None:
    hours = pl.DataFrame({"weekday": np.repeat(np.arange(1, 8), 24), "hour": np.tile(np.arange(24), 7), "observations": [4] * 168})
    week = Shape(
        kind="multiplicative", timezone="UTC", hours=hours.select("weekday", "hour", value=pl.lit(1.0), observations="observations")
    )
    starts = pl.datetime_range(datetime(2027, 1, 1), datetime(2027, 12, 31), "1h", eager=True, time_zone="UTC").alias("start")
    for shape in (week, month_of_year(months(4), timezone="UTC"), month_of_year(months(4), timezone="UTC", week=week)):
        again = shape_of(*shape_tables(shape, "X"))
        assert type(again) is type(shape)
        assert again is not None
        np.testing.assert_array_equal(again.on(starts), shape.on(starts))
    assert shape_of(*shape_tables(None, "X")) is None
