"""Promises out of sample."""

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.availability import Panel
from tenorgrid.clearing.pooling import largest_sale
from tenorgrid.clearing.tier_backtest import backtest
from tenorgrid.clearing.tier_estimates import verdict
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.tiering import Backtest


def record(share: np.ndarray, *, suppliers: int = 1) -> Panel:
    """An hourly record of a pool whose suppliers all have the same share present."""
    present = np.repeat(share[:, None], suppliers, axis=1)
    return Panel(
        pool="p", suppliers=tuple(f"s{member}" for member in range(suppliers)), begin=np.arange(share.size, dtype=float),
        hours=np.ones(share.size), listed=np.ones_like(present), present=present, span=float(share.size),
    )  # fmt: skip


def drawn(seed: int, *, hours: int = 1200) -> np.ndarray:
    """Shares that are independent from hour to hour."""
    return np.random.default_rng(seed).beta(8, 2, hours)


def test_a_period_is_sold_what_its_past_allows_and_pays_what_it_then_misses() -> None:
    """The same by plain loops: β of the hours before, then undelivered over sold, hour by hour."""
    share = drawn(1)
    table = Backtest.validate(backtest(record(share), {"spot": 0.1}, periods=4))
    assert table["period"].to_list() == [1, 2, 3, None]
    missed, sold_hours = 0.0, 0.0
    for row in table.head(3).rows(named=True):
        begin, end = round(row["begin"]), round(row["end"])
        past = share[:begin]
        sold = largest_sale(0.1, past, np.full(past.size, 1 / past.size))
        short = [max(sold - value, 0.0) for value in share[begin:end]]
        assert row["overcommit"] == pytest.approx(sold, abs=1e-12)
        assert row["realised"] == pytest.approx(sum(short) / (sold * len(short)), abs=1e-12)
        assert row["chance_of_recall"] == pytest.approx(np.mean([value > 0 for value in short]), abs=1e-12)
        assert row["trained"] == begin
        missed, sold_hours = missed + sum(short), sold_hours + sold * len(short)
    assert table["realised"][3] == pytest.approx(missed / sold_hours, abs=1e-12)


def test_a_pool_that_stays_as_it_was_keeps_its_promise_within_its_errors() -> None:
    scores = np.concatenate([backtest(record(drawn(seed)), {"spot": 0.1}, periods=5)["score"].drop_nulls() for seed in range(40)])
    assert abs(scores.mean()) < 0.25
    assert 0.85 < scores.std() < 1.2  # both errors together are the right size


def test_a_pool_that_worsens_breaks_its_promise_and_says_so() -> None:
    share = drawn(2)
    share[600:] *= 0.7
    table = backtest(record(share), {"spot": 0.1}, periods=4)
    assert table["verdict"][1] == "broken"
    assert table["realised"][1] > 0.2
    assert table["lower"][1] > 0.1


def test_what_cannot_be_sold_is_not_judged() -> None:
    table = backtest(record(np.tile([0.0, 0.0, 1.0], 200)), {"spot": 0.1}, periods=3)
    assert table["verdict"].cast(pl.String).to_list() == ["not sold"] * 3
    assert table["realised"].null_count() == 3


def test_a_period_without_any_shortage_has_no_interval() -> None:
    share = np.r_[np.tile([0.5, 1.0], 100), np.ones(100)]
    table = backtest(record(share), {"spot": 0.05}, periods=3)
    assert (table["realised"][1], table["lower"][1], table["verdict"][1]) == (0.0, None, "kept")


def test_a_period_that_was_not_recorded_is_passed_over() -> None:
    whole = record(drawn(3, hours=300))
    kept = np.r_[0:100, 200:300]
    hole = Panel(
        pool="p", suppliers=whole.suppliers, begin=whole.begin[kept], hours=whole.hours[kept], listed=whole.listed[kept],
        present=whole.present[kept], span=whole.span,
    )  # fmt: skip
    assert backtest(hole, {"spot": 0.1}, periods=3)["period"].to_list() == [2, None]


def test_a_failure_is_a_failure_only_past_its_own_error() -> None:
    assert str(verdict(0.11, 0.1, lower=0.09)) == "unclear"
    assert str(verdict(0.11, 0.1, lower=None)) == "broken"


def test_one_period_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2"):
        backtest(record(drawn(1)), {"spot": 0.1}, periods=1)
