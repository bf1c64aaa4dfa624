"""Range estimators, and what is no range."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.curves.volatility.ranges import Range, bars_of_trades, range_variance
from tenorgrid.data.errors import InputError

START = datetime(2026, 1, 1, tzinfo=UTC)


def bars(n: int, *, seed: int, steps: int = 2000, drift: float = 0.0, size: float = 0.02) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    path = (drift / steps + size / steps**0.5 * rng.normal(size=(n, steps))).cumsum(axis=1)
    path = np.column_stack([np.zeros(n), path])
    return pl.DataFrame(
        {
            "series": "X", "start": [START + timedelta(days=day) for day in range(n)], "open": np.ones(n), "high": np.exp(path.max(axis=1)),
            "low": np.exp(path.min(axis=1)), "close": np.exp(path[:, -1]), "basis": "traded",
        }
    )  # fmt: skip


def test_by_hand() -> None:
    """ln high = 2, ln low = −1, ln close = 1 of an open of 1."""
    one = {"series": "X", "open": 1.0, "high": np.exp(2), "low": np.exp(-1), "close": np.e, "basis": "traded"}
    table = pl.DataFrame([one | {"start": START + timedelta(days=day)} for day in range(20)])
    told = {name: range_variance(table, estimator=name) for name in get_args(Range)}
    assert told["parkinson"] == pytest.approx((9 / (4 * np.log(2)), 0.0))
    assert told["garman-klass"] == pytest.approx((0.511 * 9 - 0.019 * (1 + 4) - 0.383, 0.0))
    assert told["rogers-satchell"] == pytest.approx((2 * 1 + (-1) * (-2), 0.0))


@pytest.mark.parametrize(("estimator", "times"), [("parkinson", 4.9), ("garman-klass", 7.4), ("rogers-satchell", 6.0)])
def test_they_agree_with_squared_closes_and_are_so_many_times_as_precise(estimator: Range, times: float) -> None:
    table = bars(3000, seed=1)
    variance, error = range_variance(table, estimator=estimator)
    closes = np.log(table["close"].to_numpy()) ** 2
    assert variance == pytest.approx(closes.mean(), rel=0.1)
    assert variance == pytest.approx(0.02**2, rel=0.06)  # steps miss a little of the range
    assert (closes.std() / 3000**0.5 / error) ** 2 == pytest.approx(times, rel=0.25)


def test_drift_misleads_parkinson_and_not_rogers_and_satchell() -> None:
    table = bars(3000, seed=2, drift=0.03)
    assert range_variance(table, estimator="rogers-satchell")[0] == pytest.approx(0.02**2, rel=0.08)
    assert range_variance(table, estimator="parkinson")[0] > 1.4 * 0.02**2


@settings(deadline=None, max_examples=15)
@given(scale=st.floats(0.01, 100.0))
def test_a_price_in_another_unit_has_the_same_variance(scale: float) -> None:
    table = bars(30, seed=3, steps=50)
    other = table.with_columns(pl.col("open", "high", "low", "close") * scale)
    for name in get_args(Range):
        assert range_variance(other, estimator=name)[0] == pytest.approx(range_variance(table, estimator=name)[0], rel=1e-9)


def test_minima_and_maxima_of_a_cross_section_are_refused_by_name() -> None:
    table = bars(30, seed=4, steps=50)
    with pytest.raises(
        InputError, match="column basis: found cross-section of X, expected highest and lowest trades of one thing over time"
    ):
        range_variance(table.with_columns(basis=pl.lit("cross-section")))
    for low, high in (("p_min", "p_max"), ("min_price_hr", "max_price_hr"), ("price_min_usd_gpuhr", "price_max_usd_gpuhr")):
        with pytest.raises(InputError) as caught:
            range_variance(table.rename({"low": low, "high": high}))
        assert [fault.column for fault in caught.value.faults] == [low, high]
    quotes = pl.DataFrame(
        {"time": [START], "kind": ["firm quote"], "resource": "h", "region": "r", "location": "l", "tier": "firm", "price": 2.0}
    )
    with pytest.raises(InputError, match="column kind: found firm quote, expected highest and lowest trades"):
        bars_of_trades(quotes, series="X")


def test_other_faults_are_refused_together() -> None:
    table = bars(10, seed=5, steps=50).with_columns(close=pl.when(pl.int_range(pl.len()) == 3).then(9.0).otherwise("close"))
    with pytest.raises(InputError) as caught:
        range_variance(table)
    assert [fault.column for fault in caught.value.faults] == ["high", None]
    flat = bars(30, seed=6, steps=50).with_columns(high=1.0, low=1.0, close=1.0)
    with pytest.raises(InputError, match="prices that move"):
        range_variance(flat)
    with pytest.raises(InputError, match="one of parkinson"):
        range_variance(flat, estimator="yang-zhang")  # type: ignore[arg-type]


def test_bars_of_trades_hold_the_first_highest_lowest_and_last() -> None:
    time = [START + timedelta(hours=hour) for hour in (1, 5, 9, 20, 25, 30)]
    trades = pl.DataFrame(
        {
            "time": time,
            "kind": "trade",
            "resource": "h",
            "region": "r",
            "location": "l",
            "tier": "firm",
            "price": [2.0, 3.0, 1.0, 2.5, 4.0, 5.0],
        }
    )
    made = bars_of_trades(trades, series="X")
    assert made.select("open", "high", "low", "close").rows() == [(2.0, 3.0, 1.0, 2.5), (4.0, 5.0, 4.0, 5.0)]
    with pytest.raises(InputError, match="column tier: found firm, spot, expected trades of one thing"):
        bars_of_trades(trades.with_columns(tier=pl.Series(["firm"] * 5 + ["spot"])), series="X")
