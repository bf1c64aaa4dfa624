"""Realised volatility."""

from datetime import UTC, datetime, timedelta
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from tenorgrid.curves.volatility import Model, fit_volatility
from tenorgrid.curves.volatility.realised import chi_square, long_run_variance, robust, surprises
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.observed import Marks

Vector = npt.NDArray[np.float64]
MODELS = (Model.REALISED, Model.REALISED_WEEKDAY)


class _Around(TypedDict):
    deviation: Vector
    freedom: int


def marks(values: Vector | list[float], *, revision: int = 0) -> pl.DataFrame:
    start = [datetime(2027, 1, 1, 5, tzinfo=UTC) + timedelta(days=n) for n in range(len(values))]
    return Marks.validate(
        pl.DataFrame(
            {
                "index": "X",
                "methodology": "house",
                "start": start,
                "end": [moment + timedelta(days=1) for moment in start],
                "published_at": [moment + timedelta(days=1) for moment in start],
                "revision": revision,
                "value": values,
                "unit": "USD/GPUh",
                "quantity": 1.0,
                "status": "published",
                "method_hash": "0",
            }
        ),
        cast=True,
    )


def test_a_price_that_doubles_and_halves_has_a_volatility_worked_by_hand() -> None:
    found = fit_volatility(marks([1.0, 2.0] * 11), index="X").row(0, named=True)
    returns = [np.log(2)] * 11 + [-np.log(2)] * 10
    assert found["observations"] == 21
    assert found["volatility"] == pytest.approx(np.std(returns, ddof=1) * 365**0.5, abs=1e-12)
    assert found["end"] == datetime(2027, 1, 23, 5, tzinfo=UTC)


def _around(returns: Vector) -> _Around:
    deviation, freedom = surprises(returns, every=1)
    return {"deviation": deviation, "freedom": freedom}


def test_chi_square_limits_are_those_of_the_tables() -> None:
    returns = np.random.default_rng(1).normal(size=21)
    middle, low, high = chi_square(**_around(returns), level=0.95)
    assert (middle / low) ** 2 == pytest.approx(34.170 / 20, abs=5e-5)  # χ² of 20 degrees, 2.5 % and 97.5 %
    assert (middle / high) ** 2 == pytest.approx(9.591 / 20, abs=5e-5)


def test_the_long_run_variance_agrees_with_the_double_sum() -> None:
    values = np.random.default_rng(2).normal(size=80).cumsum() * 0.1
    lags = int(4 * 0.8 ** (2 / 9))
    centred = values - values.mean()
    slow = sum(centred[i] * centred[j] * (1 - abs(i - j) / (lags + 1)) for i in range(80) for j in range(80) if abs(i - j) <= lags) / 80
    assert long_run_variance(values) == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize(("shocks", "chi", "hac"), [("normal", 0.95, 0.94), ("student", 0.75, 0.90)])
def test_the_robust_interval_holds_under_fat_tails_where_chi_square_does_not(shocks: str, chi: float, hac: float) -> None:
    rng = np.random.default_rng(3)
    draws = rng.normal(size=(1000, 250)) if shocks == "normal" else rng.standard_t(5, size=(1000, 250)) * (3 / 5) ** 0.5
    held = np.array(
        [
            [low <= 1 <= high for _, low, high in (chi_square(**_around(row), level=0.95), robust(**_around(row), level=0.95))]
            for row in draws
        ]
    ).mean(axis=0)
    assert held == pytest.approx([chi, hac], abs=0.03)


def test_a_weekly_pattern_is_no_surprise() -> None:
    noise = np.random.default_rng(6).normal(0, 0.03, 365)
    weekend = np.where(np.arange(365) % 7 >= 5, -0.1, 0.0)
    values = 2.5 * np.exp(noise.cumsum() + weekend)
    plain, weekday = (fit_volatility(marks(values), index="X", model=model)["volatility"][0] for model in MODELS)
    returns = np.diff(np.log(values))
    dummies = (np.arange(364)[:, None] % 7 == np.arange(7)).astype(float)
    residual = returns - dummies @ np.linalg.lstsq(dummies, returns, rcond=None)[0]
    assert weekday == pytest.approx((residual @ residual / 357 * 365) ** 0.5, rel=1e-12)
    assert weekday == pytest.approx(0.03 * 365**0.5, rel=0.1)
    assert plain > 1.5 * weekday


def test_a_price_that_only_repeats_its_week_is_refused() -> None:
    week = [2.5, 2.5, 2.6, 2.7, 2.6, 2.3, 2.2]
    with pytest.raises(InputError, match="moves that the realised-weekday model does not foresee"):
        fit_volatility(marks(week * 6), index="X", model="realised-weekday")
    with pytest.raises(InputError, match="found 21 days, expected at least 22 days"):
        fit_volatility(marks(week * 3), index="X", model="realised-weekday")


def test_scaling_a_price_changes_nothing_and_the_latest_revision_counts() -> None:
    values = 2.5 * np.exp(np.random.default_rng(4).normal(0, 0.03, 60).cumsum())
    once = fit_volatility(marks(values), index="X")
    assert fit_volatility(marks(7 * values), index="X")["volatility"][0] == pytest.approx(once["volatility"][0], rel=1e-12)
    wrong = marks(values[::-1].copy())
    assert fit_volatility(pl.concat([wrong, marks(values, revision=1)]), index="X").equals(once)


def test_constants_steps_gaps_and_values_without_logarithm_are_refused() -> None:
    moving = 2.5 * np.exp(np.random.default_rng(5).normal(0, 0.03, 40).cumsum())
    with pytest.raises(InputError, match="no move on 39 of 39 days, expected a price that moves"):
        fit_volatility(marks([3.9] * 40), index="X")
    with pytest.raises(InputError, match=r"no move on 38 of 39 days, constant but for one step of -43.5 % on 2027-01-21"):
        fit_volatility(marks([6.9] * 20 + [3.9] * 20), index="X")
    with pytest.raises(InputError, match="a mark that begins at 2027-01-11 05:00:00"):
        fit_volatility(marks(moving).filter(pl.int_range(40) != 10), index="X")
    with pytest.raises(InputError, match="found -1 on 2027-01-04"):
        fit_volatility(marks([*moving[:3], -1.0, *moving[3:]]), index="X")
    with pytest.raises(InputError, match="found 19 days, expected at least 21 days"):
        fit_volatility(marks(moving[:19]), index="X")
    carried = marks(moving).with_columns(
        pl.when(pl.int_range(40) == 5).then(pl.lit("carried")).otherwise(pl.lit("published")).alias("status")
    )
    with pytest.raises(InputError, match="carried on 2027-01-06"):
        fit_volatility(carried, index="X")
    with pytest.raises(InputError, match="found stochastic, expected one of realised, realised-weekday"):
        fit_volatility(marks(moving), index="X", model="stochastic")
