"""HAR: coefficients, paths, forecasts."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.har import COMPONENTS, contests, design_of, fit_har, forecasts
from tenorgrid.data.errors import InputError


def variances(n: int, *, seed: int) -> Vector:
    """Variances whose next day is 0.1 + 0.3 day + 0.3 week + 0.25 month, times a surprise of mean 1."""
    rng = np.random.default_rng(seed)
    found = np.full(n + 60, 0.67)
    for day in range(30, n + 60):
        known = found[:day]
        mean = 0.1 + 0.3 * known[-1] + 0.3 * known[-7:].mean() + 0.25 * known[-30:].mean()
        found[day] = mean * rng.gamma(6, 1 / 6)
    return found[60:]


def as_days(values: Vector) -> pl.DataFrame:
    return pl.DataFrame({"series": "X", "day": [date(2026, 1, 1) + timedelta(days=n) for n in range(values.size)], "variance": values})


def test_the_regression_is_that_of_statsmodels_with_its_hac_errors() -> None:
    import statsmodels.api as api

    values = variances(500, seed=1)
    fit = fit_har(values, lags=9)
    rows = [[1.0, *(values[day - k : day].mean() for k in COMPONENTS)] for day in range(30, 500)]
    theirs = api.OLS(values[30:], np.array(rows)).fit(cov_type="HAC", cov_kwds={"maxlags": 9, "use_correction": False})
    assert fit.regression.coefficients == pytest.approx(theirs.params, rel=1e-8)
    assert fit.regression.hac_errors == pytest.approx(theirs.bse, rel=1e-7)


def test_coefficients_that_made_the_data_are_found() -> None:
    fit = fit_har(variances(20_000, seed=2))
    assert fit.regression.coefficients == pytest.approx([0.1, 0.3, 0.3, 0.25], abs=0.06)
    assert fit.long_run == pytest.approx(0.1 / 0.15, rel=0.1)
    assert fit.path(3000)[-1] == pytest.approx(fit.long_run, rel=1e-3)


def test_a_path_by_hand() -> None:
    values = variances(200, seed=3)
    fit = fit_har(values, lengths=(1, 2))
    c, b, d = fit.regression.coefficients
    first = c + b * values[-1] + d * (values[-1] + values[-2]) / 2
    second = c + b * first + d * (first + values[-1]) / 2
    assert fit.path(2) == pytest.approx([first, second], rel=1e-12)
    assert design_of(values, (1, 2))[-1] == pytest.approx([1.0, values[-1], values[-2:].mean()])


def test_forecasts_out_of_sample_are_those_of_a_regression_on_the_days_before_and_beat_naive_ones() -> None:
    values = variances(600, seed=4)
    made = forecasts(as_days(values))
    day = 400
    known = values[:day]
    rows = np.array([[1.0, *(known[at - k : at].mean() for k in COMPONENTS)] for at in range(30, day)])
    coefficients = np.linalg.lstsq(rows, known[30:], rcond=None)[0]
    expected = coefficients @ [1.0, *(known[-k:].mean() for k in COMPONENTS)]
    row = made.row(day - 44, named=True)
    assert (row["day"], row["replaced"]) == (date(2026, 1, 1) + timedelta(days=day), False)
    assert row["har"] == pytest.approx(expected, rel=1e-9)
    told = contests(made)
    assert told.filter(pl.col("p_value") < 0.05, pl.col("statistic") < 0).height == 4


def test_noise_has_nothing_to_forecast() -> None:
    made = contests(forecasts(as_days(np.random.default_rng(5).gamma(6, 1 / 6, size=500))))
    assert made.filter(pl.col("rival") == "mean", pl.col("statistic") < 0, pl.col("p_value") < 0.05).is_empty()


def test_scaling_variances_scales_forecasts() -> None:
    values = variances(150, seed=6)
    one, other = forecasts(as_days(values)), forecasts(as_days(1e-4 * values))
    assert other["har"].to_numpy() == pytest.approx(1e-4 * one["har"].to_numpy(), rel=1e-6)


def test_few_days_and_odd_components_are_refused() -> None:
    values = variances(40, seed=7)
    with pytest.raises(InputError, match="found 40, expected at least 44 days"):
        fit_har(values)
    with pytest.raises(InputError, match="rising from at least 1"):
        fit_har(values, lengths=(7, 1))
    with pytest.raises(InputError, match="realised variances that move"):
        fit_har(np.ones(100))
    with pytest.raises(InputError, match="no move on 60 of 100 days, expected a price that moves on most days"):
        fit_har(np.append(np.zeros(60), np.ones(40)))
    with pytest.raises(InputError, match="of at least 0"):
        fit_har(np.append(np.arange(60.0), -1.0))
    with pytest.raises(InputError, match="a horizon of at least 1"):
        fit_har(variances(100, seed=8)).path(0)
