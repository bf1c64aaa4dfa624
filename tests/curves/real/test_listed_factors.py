"""Factor models on real listed curves: NYMEX crude and gas by place in the queue."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.curves.factors import kalman, samuelson
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError

PRICES = Path(__file__).parents[4] / "shared" / "data" / "nymex_cl_ng_futures_curve_daily.csv.gz"
real = pytest.mark.skipif(not PRICES.exists(), reason=f"{PRICES.name} is not on this machine")
PLACES = (1, 5, 9, 13, 17)
STEP = 7 / 365.25


def weekly(product: str, *, first: str, end: str) -> Vector:
    """The last settlements by each Wednesday of five places in the queue, (weeks, 5)."""
    table = pl.read_csv(PRICES, try_parse_dates=True, infer_schema_length=None).sort("date")
    days = pl.date_range(pl.lit(first).str.to_date(), pl.lit(end).str.to_date(), "1w", closed="left", eager=True)
    names = [f"{product}{place:02}" for place in PLACES]
    return pl.DataFrame({"date": days}).join_asof(table, on="date", strategy="backward").select(names).cast(pl.Float64).to_numpy()


@real
def test_volatility_falls_with_delivery_for_crude_and_for_gas() -> None:
    """Samuelson's effect: each place moves less than the one before, but for gas's seasons, and the last much less than the first."""
    for product in ("CL", "NG"):
        prices = weekly(product, first="2010-01-06", end="2015-01-07")
        seen, _ = samuelson.realised(prices, step=STEP)
        assert seen[-1] < 0.8 * seen[0]
        if product == "CL":
            assert (np.diff(seen) < 0).all()


@real
def test_the_negative_day_of_crude_is_refused_by_a_model_of_logarithms() -> None:
    table = pl.read_csv(PRICES, try_parse_dates=True, infer_schema_length=None)
    below = table.filter(pl.col("CL01") < 0)
    assert below["date"].cast(pl.String).to_list() == ["2020-04-20"]
    spring = table.filter(pl.col("date").dt.year() == 2020, pl.col("date").dt.month().is_between(3, 6))
    prices = spring.select(f"CL{place:02}" for place in PLACES).cast(pl.Float64).to_numpy()
    with pytest.raises(InputError, match=r"-37\.6.*arithmetic ou takes prices of any sign"):
        kalman.fit(prices, maturity=np.array(PLACES) / 12, step=1 / 252)


@real
@pytest.mark.slow
def test_crude_of_five_years_has_a_long_factor_that_moves_less_and_an_error_below_two_percent() -> None:
    prices = weekly("CL", first="2010-01-06", end="2015-01-07")
    found = kalman.fit(prices, maturity=np.array(PLACES) / 12, step=STEP)
    assert found.estimate.converged
    assert 0.2 < found.model.reversion < 5
    assert 0.05 < found.model.long_volatility < 0.35
    missed = np.nanstd(np.log(found.factors.fitted / prices), axis=0)
    assert missed.max() < 0.02
    assert found.estimate.log_likelihood > kalman.Panel(prices, maturity=np.array(PLACES) / 12, step=STEP).likelihood(
        np.r_[1.49, 0.286, 0.157, -0.0125, 0.0115, 0.145, 0.3, np.full(5, 0.01)]
    )
