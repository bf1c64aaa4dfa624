"""Filters: each rule on data made to break it, and against itself written out in plain Python."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean, median, stdev
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from tenorgrid.data.kinds.index import FilterRule, MedianTie
from tenorgrid.indices.estimators import weighted_medians
from tenorgrid.indices.filters import filtered
from tenorgrid.indices.specification import Filter, Within

CLOSE = datetime(2027, 3, 4, tzinfo=UTC)
Judge = Callable[[list[float]], list[bool]]


def seen(prices: list[float], **columns: list[Any]) -> pl.DataFrame:
    """Observations of one mark, all of one period unless told."""
    count = len(prices)
    base = {
        "index": ["A"] * count,
        "start": [CLOSE - timedelta(days=1)] * count,
        "end": [CLOSE] * count,
        "period": [0] * count,
        "time": [CLOSE - timedelta(hours=count - number) for number in range(count)],
        "provider": [f"p{number}" for number in range(count)],
        "price": prices,
        "quantity": [1.0] * count,
    }
    return pl.DataFrame(base | columns).with_row_index("observation_id")


def every_key(rule: FilterRule) -> Filter:
    within: Within = "period" if rule is FilterRule.JUMP else "window"
    return Filter(rule=rule, within=within, limit=0.2, at_least=3, highest=5.0, age=timedelta(hours=2), back=1)


def gone(rows: pl.DataFrame, *filters: Filter, by_quantity: bool = False) -> list[int]:
    found = filtered(rows, filters, by_quantity=by_quantity)
    assert sorted([*found.eligible["observation_id"], *found.excluded["observation_id"]]) == list(range(rows.height))
    return sorted(found.excluded["observation_id"])


def reasons(rows: pl.DataFrame, one: Filter) -> list[tuple[str, str, str]]:
    return filtered(rows, [one], by_quantity=False).excluded.select("rule", "value", "limit").rows()


def sigma(prices: list[float]) -> list[bool]:
    cut = max(1, int(len(prices) * 0.1))
    middle, deviation = mean(sorted(prices)[cut:-cut]), stdev(prices)
    return [abs(price - middle) > 2.5 * deviation for price in prices]


def mad(prices: list[float]) -> list[bool]:
    scale = float(stats.median_abs_deviation(prices, scale="normal"))
    return [abs(price - median(prices)) > 3.5 * scale * 1.4826 * float(stats.norm.ppf(0.75)) for price in prices]


def tukey(prices: list[float]) -> list[bool]:
    low, high = np.percentile(prices, [25, 75])
    return [not low - 1.5 * (high - low) <= price <= high + 1.5 * (high - low) for price in prices]


def trimmed(prices: list[float]) -> list[bool]:
    order = sorted(range(len(prices)), key=lambda place: (prices[place], place))
    cut = int(0.2 * len(prices))
    return [place in order[:cut] or place in order[len(order) - cut :] for place in range(len(prices))]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("one", "plainly"),
    [
        (Filter(rule=FilterRule.SIGMA, within="window", limit=2.5, trim=0.1, at_least=4), sigma),
        (Filter(rule=FilterRule.MAD, within="window", limit=3.5, at_least=3), mad),
        (Filter(rule=FilterRule.TUKEY, within="window", limit=1.5, at_least=4), tukey),
        (Filter(rule=FilterRule.TRIMMED, within="window", limit=0.2, at_least=3), trimmed),
    ],
)
def test_a_screen_takes_out_what_plain_python_does(seed: int, one: Filter, plainly: Judge) -> None:
    rng = np.random.default_rng(seed)
    prices = [float(price) for price in np.round(rng.lognormal(1, 0.1, int(rng.integers(5, 40))), 3)]
    prices[0] *= 5
    assert gone(seen(prices), one) == [place for place, out in enumerate(plainly(prices)) if out]


@pytest.mark.parametrize("rule", [FilterRule.SIGMA, FilterRule.MAD, FilterRule.TUKEY])
def test_equal_prices_have_no_outlier_and_a_parked_ask_among_them_has_to_go(rule: FilterRule) -> None:
    one = Filter(rule=rule, within="window", limit=2.5, trim=0.1, at_least=4)
    assert gone(seen([2.0] * 9), one) == []
    assert gone(seen([2.0] * 29 + [200.0]), one) == [29]  # whose median deviation is 0 too
    assert gone(seen([2.0, 2.1, 200.0]), one) == []  # too few to tell


@pytest.mark.parametrize("rule", [FilterRule.SIGMA, FilterRule.MAD, FilterRule.TUKEY, FilterRule.TRIMMED])
def test_as_many_as_it_asks_for_are_enough(rule: FilterRule) -> None:
    prices = [2.0, 2.01, 2.02, 2.03, 2.04, 200.0]
    one = Filter(rule=rule, within="window", limit=0.2 if rule is FilterRule.TRIMMED else 1.0, trim=0.1, at_least=6)
    assert 5 in gone(seen(prices), one)
    assert gone(seen(prices), replace(one, at_least=7)) == []


@pytest.mark.parametrize("rule", [FilterRule.SIGMA, FilterRule.MAD, FilterRule.TUKEY, FilterRule.TRIMMED])
def test_what_goes_does_not_depend_on_the_unit_of_price(rule: FilterRule) -> None:
    prices = [float(price) for price in np.random.default_rng(4).lognormal(1, 0.4, 60)]
    one = Filter(rule=rule, within="window", limit=0.1 if rule is FilterRule.TRIMMED else 2.0, trim=0.1, at_least=4)
    assert gone(seen(prices), one) == gone(seen([1024 * price for price in prices]), one) != []


def test_the_reason_tells_value_and_limit() -> None:
    (one,) = reasons(seen([1.6] * 6 + [1.7] * 6 + [9.0]), Filter(rule=FilterRule.SIGMA, within="window", limit=2.5, trim=0.1, at_least=4))
    assert one == ("sigma", "9.0", "within 5.09784 of 1.65455")
    assert reasons(seen([2.0, 9.0]), Filter(rule=FilterRule.BOUNDS, within="period", lowest=1.0, highest=5.0)) == [
        ("price bounds", "9.0", "at least 1 and at most 5")
    ]


def test_filters_are_applied_in_their_order_and_each_sees_what_is_left() -> None:
    bounds = Filter(rule=FilterRule.BOUNDS, within="window", highest=50.0)
    few = Filter(rule=FilterRule.TOO_FEW, within="window", at_least=4)
    prices = [2.0, 2.1, 2.2, 90.0]
    assert gone(seen(prices), few, bounds) == [3]
    assert gone(seen(prices), bounds, few) == [0, 1, 2, 3]


def test_within_the_period_each_day_of_a_window_is_judged_by_itself() -> None:
    rows = seen([2.0, 2.1, 3.0, 3.1, 3.2], period=[0, 0, 1, 1, 1])
    assert gone(rows, Filter(rule=FilterRule.TOO_FEW, within="period", at_least=3)) == [0, 1]
    assert gone(rows, Filter(rule=FilterRule.TOO_FEW, within="window", at_least=3)) == []


def test_a_stale_price_is_told_at_the_cut_off() -> None:
    rows = seen([2.0, 2.1, 2.2], time=[CLOSE - timedelta(hours=hours) for hours in (30, 24, 1)])
    one = Filter(rule=FilterRule.STALE, within="window", age=timedelta(hours=24))
    assert reasons(rows, one) == [("stale", "30.0 h", "at most 24 h")]


VENUES = ["A", "B", "A", "B", "A", "B", "A", "B", "A", "B"]
WORKED = [2.00, 2.04, 2.02, 2.10, 2.06, 2.20, 2.08, 2.10, 2.12, 2.14]
VOLUME = [8.0, 4, 16, 8, 4, 2, 12, 1, 1, 3]


def test_the_venue_of_the_worked_example_is_in_error() -> None:
    """Known answer: with 4.00 × 50 GPUh of venue C in each partition 4.00, without it 2.08."""
    minutes = [1, 4, 11, 19, 22, 25, 39, 41, 47, 59]
    extra = [10, 30, 50]
    rows = seen(
        WORKED + [4.0] * 3,
        provider=VENUES + ["C"] * 3,
        quantity=VOLUME + [50.0] * 3,
        time=[CLOSE + timedelta(minutes=minute - 60) for minute in minutes + extra],
    )
    one = Filter(rule=FilterRule.VENUE, within="window", limit=0.10, at_least=3)
    left = filtered(rows, [one], by_quantity=True)
    assert left.excluded["observation_id"].to_list() == [10, 11, 12]
    assert left.excluded["value"].unique().to_list() == ["4.0"]
    assert left.excluded["limit"].unique().to_list() == ["within 10 % of 2.1"]
    for part, value in ((rows, 4.00), (left.eligible, 2.08)):
        ordered = part.sort("time")
        edges = [int(((ordered["time"] - CLOSE).dt.total_minutes() + 60 < minute).sum()) for minute in (0, 20, 40, 60)]
        parts = np.array(edges)
        found = weighted_medians(ordered["price"].to_numpy(), ordered["quantity"].to_numpy(), parts, tie=MedianTie.LOWER)
        assert found.mean() == pytest.approx(value, abs=1e-12)
        assert all(low < high for low, high in pairwise(edges))


def test_two_venues_cannot_tell_which_is_in_error() -> None:
    rows = seen([2.0, 2.0, 4.0, 4.0], provider=["A", "A", "C", "C"])
    assert gone(rows, Filter(rule=FilterRule.VENUE, within="window", limit=0.1, at_least=3)) == []


def test_a_venue_may_stand_in_a_column_of_its_own() -> None:
    rows = seen([2.0, 2.1, 2.0, 4.0], venue_of=["x", "y", "z", "w"], provider=["p"] * 4)
    assert gone(rows, Filter(rule=FilterRule.VENUE, within="window", limit=0.1, at_least=3, column="venue_of")) == [3]


def test_a_jump_waits_for_a_period_and_then_counts() -> None:
    rows = seen([2.0, 2.0, 3.0, 2.1, 3.0], provider=["a", "b", "a", "b", "a"], period=[0, 0, 1, 1, 2])
    one = Filter(rule=FilterRule.JUMP, within="period", limit=0.25, back=1)
    assert reasons(rows, one) == [("jump", "3.0", "within 25 % of 2.0")]
    assert gone(rows, one) == [2]


@pytest.mark.parametrize(("back", "out"), [(1, []), (2, []), (3, [1])])
def test_a_jump_is_held_against_what_was_last_seen_but_not_for_ever(back: int, out: list[int]) -> None:
    rows = seen([2.0, 3.0], provider=["a", "a"], period=[0, 3])
    assert gone(rows, Filter(rule=FilterRule.JUMP, within="period", limit=0.25, back=back)) == out


def test_an_attribute_may_be_called_like_a_column_of_a_filter() -> None:
    names = ["gone", "middle", "farthest", "count", "spread", "own", "before", "venue", "contributor", "low", "high", "away", "venues"]
    rows = seen([2.0, 2.1, 2.0, 2.2, 9.0])
    odd = rows.with_columns(pl.lit("odd").alias(name) for name in names)
    for rule in FilterRule:
        one = every_key(rule)
        assert gone(odd, one) == gone(rows, one)
        assert filtered(odd, [one], by_quantity=False).eligible["middle"].unique().to_list() in (["odd"], [])


@pytest.mark.parametrize("rule", list(FilterRule))
def test_nothing_seen_loses_nothing(rule: FilterRule) -> None:
    one = every_key(rule)
    found = filtered(seen([2.0]).clear(), [one], by_quantity=True)
    assert (found.eligible.height, found.excluded.height) == (0, 0)
