"""Volatility tables of every model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility import fit_volatility
from tenorgrid.curves.volatility.fit import DAILY, study
from tenorgrid.curves.volatility.garch import GarchFit, fit_garch
from tenorgrid.data.errors import ConvergenceWarning, InputError
from tenorgrid.data.kinds.index import VolatilityModel
from tenorgrid.data.tables.curve import Volatility

MarksOf = Callable[..., pl.DataFrame]
Returns = Callable[..., Vector]
REAL = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture
def series(daily_marks: MarksOf, garch_returns: Returns) -> pl.DataFrame:
    return daily_marks(2.5 * np.exp(np.concatenate([[0.0], garch_returns(700, seed=21).cumsum()])))


@pytest.mark.parametrize("model", DAILY)
def test_every_model_gives_every_table(model: VolatilityModel, series: pl.DataFrame) -> None:
    found = study(series, index="X", model=model, horizon=90)
    row, fit = found.volatility.row(0, named=True), found.fits.row(0, named=True)
    assert 0 < row["lower"] < row["volatility"] < row["upper"]
    assert row["model"] == fit["model"] == model
    assert found.terms.height == 90
    assert found.terms["volatility"][0] == pytest.approx(fit["next_day"], rel=1e-12)
    assert found.path["start"][-1] == series["start"][-1]
    assert fit["treatment"] == "none needed"
    assert Volatility.is_valid(fit_volatility(series, index="X", model=model))
    assert found.parameters.height == {"garch": 4, "gjr": 5, "egarch": 5, "garch-t": 5, "ewma": 1, "ewma-fitted": 1}.get(model, 0)


def test_the_number_is_the_root_of_the_mean_variance_ahead_and_its_interval_that_of_the_errors(series: pl.DataFrame) -> None:
    found = study(series, index="X", model="garch", term=10)
    returns = np.diff(np.log(series["value"].to_numpy()))
    fit = fit_garch(returns)
    by_hand, h = [], fit.next_variance
    for _ in range(10):
        by_hand.append(h)
        h = fit.parameters["omega"] + (fit.parameters["alpha"] + fit.parameters["beta"]) * h
    assert found.volatility["volatility"][0] == pytest.approx(np.sqrt(np.mean(by_hand) * 365), rel=1e-10)
    assert found.terms["volatility"][9] == pytest.approx(np.sqrt(np.mean(by_hand) * 365), rel=1e-10)
    draws = np.random.default_rng(0).multivariate_normal(fit.values, fit.covariance, size=4000)
    spread = np.std([np.log(fit.at(draw, 10)) for draw in draws if draw[2] > 0 and draw[1] > 0 and draw[2] + draw[3] < 1.0])
    told = np.log(found.volatility["upper"][0] / found.volatility["lower"][0]) / (2 * 1.959964) * 2
    assert told == pytest.approx(spread, rel=0.25)


def test_the_interval_widens_with_confidence_and_closes_with_data(daily_marks: MarksOf, garch_returns: Returns) -> None:
    values = 2.5 * np.exp(garch_returns(3001, seed=22).cumsum())
    widths = [
        np.log(found["upper"][0] / found["lower"][0])
        for marks, level in ((daily_marks(values[:600]), 0.95), (daily_marks(values), 0.95), (daily_marks(values), 0.5))
        for found in [fit_volatility(marks, index="X", model="garch", level=level, term=365)]
    ]
    assert widths[0] > widths[1] > widths[2] > 0


def test_a_search_that_ends_on_the_way_is_told(series: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    from tenorgrid.curves.volatility import estimate

    def lost(*arguments: Any, **named: Any) -> GarchFit:
        return replace(fit_garch(*arguments, **named), converged=False, message="Iteration limit reached")

    monkeypatch.setattr(estimate, "fit_garch", lost)
    with pytest.warns(ConvergenceWarning, match="garch of X: Iteration limit reached"):
        found = study(series, index="X", model="garch")
    assert found.fits["converged"].to_list() == [False]


def test_marks_of_half_hours_unknown_models_and_faults_together_are_refused(series: pl.DataFrame) -> None:
    halved = series.with_columns(end=pl.col("start") + pl.duration(minutes=30))
    with pytest.raises(InputError, match="expected a mark that begins at"):
        fit_volatility(halved, index="X")
    step = pl.int_range(pl.len()) * pl.duration(minutes=30)
    within = series.with_columns(start=pl.col("start").first() + step).with_columns(end=pl.col("start") + pl.duration(minutes=30))
    with pytest.raises(InputError, match=r"found 0:30:00 from .*, expected marks of days"):
        fit_volatility(within, index="X")
    with pytest.raises(InputError) as caught:
        fit_volatility(series, index="X", model="har", level=2.0, term=0)
    assert len(caught.value.faults) >= 3
    assert "har takes prints within the day" in str(caught.value)
    with pytest.raises(InputError, match="at least 251 days"):
        fit_volatility(series.head(200), index="X", model="gjr")


def test_a_list_price_with_one_step_is_refused_and_told_as_such(daily_marks: MarksOf) -> None:
    for model in DAILY:
        with pytest.raises(InputError, match=r"no move on 398 of 399 days, constant but for one step of -44\.0 % on 2027-02-15"):
            fit_volatility(daily_marks([12.29] * 45 + [6.88] * 355), index="X", model=model)


def test_the_list_price_of_aws_is_refused() -> None:
    path = REAL / "aws_p5_ondemand_daily.csv"
    if not path.exists():
        pytest.skip("needs the daily on-demand prices of AWS, aws_p5_ondemand_daily.csv")
    from tenorgrid.curves.volatility.days import returns_of

    prices = pl.read_csv(path, try_parse_dates=True)
    days = prices.group_by(pl.col("timestamp").dt.date().alias("start")).agg(pl.col("usd_per_gpu_hour").last().alias("value")).sort("start")
    assert days.height > 400
    with pytest.raises(InputError, match=r"constant but for one step of -44\.0 % on 2025-06-0\d, expected a price that moves"):
        returns_of(days.with_columns(pl.col("start").cast(pl.Datetime)), "P5.US-EAST-1.FIRM", least=20)
