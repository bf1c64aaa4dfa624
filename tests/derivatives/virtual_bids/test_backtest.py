"""Scenarios out of past days, and bids day after day that know nothing later."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.virtual_bids.alignment import alignment
from tenorgrid.derivatives.virtual_bids.backtest import backtest
from tenorgrid.derivatives.virtual_bids.program import Limits, Taste, best_bids
from tenorgrid.derivatives.virtual_bids.scenarios import days_of, scenarios_for

ZONE = "America/New_York"


def pairs(days: int = 40, *, premium: float = 1.0, first: datetime = datetime(2027, 1, 4, 5, tzinfo=UTC), late: int = 0) -> pl.DataFrame:
    """Two series; ahead is real time with noise, and dearer by `premium` in the evening; real time is labelled `late` hours too late."""
    rng = np.random.default_rng(6)
    count = 24 * days
    shape = 20.0 + 8.0 * np.sin(np.arange(count) * 2 * np.pi / 24)
    rows = []
    for name in ("A", "B"):
        base = shape + rng.normal(0, 1.0, count)
        hour = np.arange(count) % 24
        ahead = base + np.where(hour >= 18, premium, 0.0)
        real = np.roll(base, late) + rng.normal(0, 0.5, count)
        rows += [("day-ahead", name, first + timedelta(hours=h), ahead[h], real[h]) for h in range(count)]
    return pl.DataFrame(rows, schema=["horizon", "series", "start", "ahead", "real"], orient="row").cast(
        {"start": pl.Datetime("us", "UTC")}
    )


def test_days_with_a_gap_and_days_on_which_clocks_change_are_left_out() -> None:
    table = pairs(90)
    whole = days_of(table, horizon="day-ahead", timezone=ZONE)
    assert date(2027, 3, 14) not in whole.days  # 23 hours
    assert date(2027, 3, 13) in whole.days
    gap = days_of(table.filter(pl.col("start") != datetime(2027, 1, 6, 12, tzinfo=UTC)), horizon="day-ahead", timezone=ZONE)
    assert set(whole.days) - set(gap.days) == {date(2027, 1, 6)}


def test_scenarios_are_the_days_known_two_days_before_and_recent_ones_weigh_more() -> None:
    known = days_of(pairs(), horizon="day-ahead", timezone=ZONE)
    told = scenarios_for(known, date(2027, 1, 18), lead=1, window=7, half_life=2.0)  # a Monday
    place = known.days.index(date(2027, 1, 16))
    assert told.ahead[-1].tolist() == known.ahead[place].ravel().tolist()
    assert told.weight.sum() == pytest.approx(1.0)
    assert told.weight[-3] / told.weight[-5] == pytest.approx(2.0)  # Thursday and Tuesday before
    assert told.weight[-1] / told.weight[-3] == pytest.approx(1.0)  # a Saturday counts half, two days count double


def test_bids_of_a_day_know_no_price_of_the_day_before_or_later() -> None:
    table, more = pairs(30), {"lead": 1, "limits": Limits(), "taste": Taste(), "prices": 3, "least": 10}
    whole, _ = backtest(days_of(table, horizon="day-ahead", timezone=ZONE), **more)  # type: ignore[arg-type]
    day, steps = date(2027, 1, 22), []
    cut = datetime(2027, 1, 21, 5, tzinfo=UTC)  # the day before begins
    late = pl.col("start") >= cut
    changed = table.with_columns(
        pl.when(late).then(pl.col("real") * 3.0).otherwise("real").alias("real"),
        pl.when(late).then(pl.col("ahead") - 15.0).otherwise("ahead").alias("ahead"),
    )
    for frame in (table, changed):
        told = scenarios_for(days_of(frame, horizon="day-ahead", timezone=ZONE), day, lead=1)
        steps.append(best_bids(told, limits=Limits(), taste=Taste(), prices=3).steps)
    assert steps[0].quantity.size > 0
    for name in ("product", "side", "price", "quantity"):
        assert getattr(steps[0], name).tolist() == getattr(steps[1], name).tolist()
    other, _ = backtest(days_of(changed, horizon="day-ahead", timezone=ZONE), **more)  # type: ignore[arg-type]
    own = pl.col("rule") == "program"
    first, second = (
        frame.filter(own, pl.col("day") <= day).select("day", "expected", "shortfall", "collateral") for frame in (whole, other)
    )
    assert first.to_dicts() == second.to_dicts()
    after = pl.col("day") == day + timedelta(days=2)
    assert whole.filter(own, after)["expected"][0] != other.filter(own, after)["expected"][0]


def test_a_premium_of_every_evening_is_found_and_none_where_there_is_none() -> None:
    known = days_of(pairs(), horizon="day-ahead", timezone=ZONE)
    days, rules = backtest(known, lead=1, limits=Limits(), taste=Taste(aversion=0.5))
    told = {row["rule"]: row for row in rules.to_dicts()}
    assert told["program"]["profit"] == pytest.approx(told["program"]["days"] * 2 * 6 * 1.0, rel=0.15)
    assert told["program"]["share"] > told["always inc"]["share"]
    own = days.filter(pl.col("rule") == "program")
    assert own["total"][-1] == pytest.approx(own["profit"].sum())
    worst = (np.maximum(np.maximum.accumulate(own["total"].to_numpy()), 0.0) - own["total"].to_numpy()).max()
    assert told["program"]["drawdown"] == pytest.approx(worst)
    none = days_of(pairs(premium=0.0), horizon="day-ahead", timezone=ZONE)
    _, without = backtest(none, lead=1, limits=Limits(), taste=Taste(aversion=5.0, fee=0.4))
    quiet = without.filter(pl.col("rule") == "program")
    assert abs(quiet["profit"][0]) < 0.05 * told["program"]["profit"]


def test_clocks_that_differ_show() -> None:
    for late in (0, 1):
        table = alignment(days_of(pairs(late=late), horizon="day-ahead", timezone=ZONE))
        assert table.sort("correlation", descending=True)["shift"][0] == late


def test_prices_without_a_horizon_a_day_or_enough_of_them_are_refused() -> None:
    with pytest.raises(InputError, match="a horizon with prices: day-ahead"):
        days_of(pairs(3), horizon="week-ahead", timezone=ZONE)
    with pytest.raises(InputError, match="a local day with 24 hours"):
        days_of(pairs(3).filter(pl.col("start").dt.hour() > 9), horizon="day-ahead", timezone=ZONE)
    known = days_of(pairs(10), horizon="day-ahead", timezone=ZONE)
    with pytest.raises(InputError, match="a day with 20 whole days known before it"):
        backtest(known, lead=1, limits=Limits(), taste=Taste())
    with pytest.raises(InputError, match="at least one day"):
        scenarios_for(known, date(2027, 1, 12), lead=1, window=0)
    with pytest.raises(InputError, match="days above 0"):
        scenarios_for(known, date(2027, 1, 12), lead=1, half_life=0.0)
    with pytest.raises(InputError, match="a whole day up to 2027-01-02"):
        scenarios_for(known, date(2027, 1, 4), lead=1)
