"""Rolling runs: as good as one long run where each step sees to the end, and what has begun is kept where it does not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.rolling import clear_rolling
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import REAL_TIME, Horizon, Market
from tests.clearing.whole_markets import HOUR, START, random_whole_case

USD = 1e-6
Plain = Callable[..., Case]
Terms = Callable[..., Market]
Row = dict[str, Any]
AHEAD = (Horizon(name="day-ahead", lead=timedelta(days=1)), REAL_TIME)


def hours(first: int, end: int) -> Row:
    return {"start": START + first * HOUR, "end": START + end * HOUR}


def offer(name: str, quantity: float, price: float, **cells: Any) -> Row:
    return {"offer_id": name, "quantity": quantity, "price": price} | cells


def bid(name: str, quantity: float, value: float, **cells: Any) -> Row:
    return {"bid_id": name, "quantity": quantity, "value": value} | cells


def surplus(run: ClearingRun) -> dict[str, float]:
    return dict(run.surplus.filter(pl.col("pricing") == "marginal").select("horizon", "total").iter_rows())


def served(run: ClearingRun, name: str) -> list[float]:
    """What an order got in each hour in turn."""
    mine = run.awards.filter(id=name).group_by("start").agg(pl.col("quantity").sum())
    return run.prices.select("start").unique().join(mine, on="start", how="left").sort("start")["quantity"].fill_null(0.0).to_list()


def on(run: ClearingRun, name: str) -> str:
    """Its commitment hour by hour: S where a run starts, 1 where it goes on, 0 where it is off."""
    rows = run.commitments.filter(id=name).sort("start").select("on", "started").iter_rows()
    return "".join("S" if started else str(int(committed)) for committed, started in rows)


def hourly(case: Case) -> Case:
    """The case with every divisible offer as one offer an hour."""
    whole = (pl.col("block").fill_null(value=False) | (pl.col("start_cost") > 0) | (pl.col("min_hours") > 1)).any().over("offer_id")
    kept = case.offers.filter(whole.fill_null(value=False))
    rest = case.offers.join(kept, on="offer_id", how="anti").with_columns(
        pl.datetime_ranges("start", "end", "1h", closed="left").alias("start")
    )
    cut = rest.explode("start").with_columns(
        (pl.col("start") + HOUR).alias("end"), pl.concat_str("offer_id", pl.col("start").dt.hour(), separator="@").alias("offer_id")
    )
    return replace(case, offers=pl.concat([kept, cut.select(kept.columns)]))


def shaken(case: Case, seed: int, *, by: float) -> Case:
    """The case with every value and price moved a little, so that little is tied."""
    rng = np.random.default_rng(seed)
    values, prices = (pl.Series(rng.uniform(0.0, by, frame.height)) for frame in (case.bids, case.offers))
    return replace(case, bids=case.bids.with_columns(pl.col("value") + values), offers=case.offers.with_columns(pl.col("price") + prices))


def amounts(run: ClearingRun) -> dict[tuple[Any, ...], float]:
    """What each step of each order got at each hour; only bids, and offers over all their resources and tiers."""
    keys = ["start", "side", "id", "step"]
    return {tuple(row[:-1]): row[-1] for row in run.awards.group_by(keys).agg(pl.col("quantity").sum()).iter_rows()}


def compared(seed: int, *, orders: int = 3) -> bool:
    """Roll a random market in steps and hold it to one long run. Returns whether its optimum is unique.

    Two bids with deadlines may change hours, and a block that is not used up tiers, at no cost: markets with those are not.
    """
    case = shaken(hourly(random_whole_case(seed, hours=5, orders=orders, totals=0.3 * (seed % 3 == 0))), seed, by=0.05)
    one, rolled = clear_horizons(case), clear_rolling(case, step=HOUR * (1 + seed % 3))
    assert surplus(rolled) == pytest.approx(surplus(one), rel=1e-8, abs=USD)
    assert rolled.prices["start"].unique().sort().equals(one.prices["start"].unique().sort())
    if seed % 3 == 0 or case.tiers.height > 1:
        return False
    found, again = amounts(one), amounts(clear_horizons(shaken(case, seed + 1000, by=1e-5)))
    apart = max((abs(found.get(key, 0.0) - again.get(key, 0.0)) for key in found | again), default=0.0)
    if apart > 1e-6:  # another optimum is as good, or all but
        return False
    there = amounts(rolled)
    assert {key for key, q in there.items() if q > USD} == {key for key, q in found.items() if q > USD}
    for key, quantity in found.items():
        assert there.get(key, 0.0) == pytest.approx(quantity, abs=1e-6), key
    return True


def test_steps_that_see_to_the_end_are_as_good_as_one_long_run() -> None:
    unique = [compared(seed) for seed in (1, 2)]
    assert sum(unique) >= 1


@pytest.mark.slow
def test_steps_that_see_to_the_end_are_as_good_as_one_long_run_over_many_markets() -> None:
    unique = [compared(seed, orders=2 + seed % 2) for seed in range(3, 43)]
    assert sum(unique) >= 8


def test_a_week_of_local_days_is_one_run(plain_market: Plain, market_terms: Terms) -> None:
    """Hourly offers of different prices leave a single optimum."""
    rng = np.random.default_rng(7)
    offers = [offer(f"h{n}", 12, round(float(rng.uniform(1, 4)), 4), **hours(n, n + 1)) for n in range(7 * 24)]
    offers.append(offer("u", 6, 1.2, start_cost=20.0, min_hours=5, **hours(0, 7 * 24)))
    bids = [bid("b", 8, 3.3, **hours(0, 7 * 24)), bid("work", 5, 3.9, total=160.0, **hours(0, 5 * 24))]
    bids += [bid(f"g{n}", 3, 3.1, min_share=1.0, **hours(20 + 24 * n, 30 + 24 * n)) for n in range(6)]
    case = plain_market(market_terms(horizons=(REAL_TIME,)), offers=offers, bids=bids)
    one, rolled = clear_horizons(case), clear_rolling(case)
    assert surplus(rolled) == pytest.approx(surplus(one), rel=1e-9)
    found, there = amounts(one), amounts(rolled)
    assert there == pytest.approx(found, abs=1e-6)
    keys = ["horizon", "start", "side", "id"]
    assert rolled.commitments.sort(keys).equals(one.commitments.sort(keys))
    assert sum(served(rolled, "work")) == pytest.approx(160.0)


# what passes over the edge of a step


@pytest.mark.parametrize("look", [HOUR, 2 * HOUR, None])
def test_a_least_run_goes_on_over_the_edge_and_its_start_is_paid_once(plain_market: Plain, look: timedelta | None) -> None:
    unit = offer("u", 10, 1, start_cost=5.0, min_hours=3, block=True, **hours(0, 5))
    bids = [bid("b", 8, 6, **hours(0, 1)), bid("c", 1, 6, **hours(1, 5))]
    run = clear_rolling(plain_market(offers=[unit, offer("o", 10, 4, **hours(0, 5))], bids=bids), step=HOUR, look=look)
    assert on(run, "u") == "S1100"  # in two of its hours it makes ten that one is wanted of
    assert surplus(run)["real-time"] == pytest.approx(8 * 6 + 2 * 6 - 3 * 10 - 5 + 2 * 2)


def test_a_run_may_end_as_soon_as_it_has_lasted(plain_market: Plain) -> None:
    unit = offer("u", 10, 1, start_cost=5.0, min_hours=2, block=True, **hours(0, 4))
    case = plain_market(offers=[unit], bids=[bid("b", 8, 6, **hours(0, 1)), bid("c", 8, 6, **hours(3, 4))])
    assert on(clear_rolling(case, step=HOUR), "u") == on(clear_horizons(case), "u")


def test_what_is_free_to_start_starts_once_too(plain_market: Plain) -> None:
    """A block without start cost or least run has no start of its own in the model: the table tells it from what went before."""
    case = plain_market(offers=[offer("u", 4, 1, block=True, **hours(0, 4))], bids=[bid("b", 8, 6, **hours(0, 4))])
    assert [on(run, "u") for run in (clear_horizons(case), clear_rolling(case, step=HOUR, look=2 * HOUR))] == ["S111", "S111"]
    long = plain_market(offers=[offer("u", 4, 1, min_hours=2, **hours(0, 4))], bids=[bid("b", 8, 6, **hours(0, 4))])
    assert [on(run, "u") for run in (clear_horizons(long), clear_rolling(long, step=HOUR, look=2 * HOUR))] == ["S111", "S111"]


@pytest.mark.parametrize("look", [HOUR, None])
def test_a_gang_that_runs_stays_accepted_though_it_no_longer_pays(plain_market: Plain, look: timedelta | None) -> None:
    offers = [offer("cheap", 5, 1, **hours(0, 1)), offer("dear", 20, 8, **hours(0, 3))]
    bids = [bid("g", 5, 4, min_share=1.0, **hours(0, 3))]
    run = clear_rolling(plain_market(offers=offers, bids=bids), step=HOUR, look=look)
    accepted = look == HOUR  # an hour's look sees 15 gained and not the 40 lost
    assert served(run, "g") == pytest.approx([5.0, 5.0, 5.0] if accepted else [0.0, 0.0, 0.0], abs=USD)
    assert surplus(run)["real-time"] == pytest.approx((15 - 20 - 20) * accepted, abs=USD)


def test_a_group_is_closed_and_a_link_is_open_once_one_runs(plain_market: Plain) -> None:
    offers = [offer("o", 20, 1, **hours(0, 4))]
    bids = [
        bid("first", 4, 3, min_share=1.0, exclusive_group="x", **hours(0, 3)),
        bid("rival", 4, 9, min_share=1.0, exclusive_group="x", **hours(2, 4)),
        bid("child", 2, 5, min_share=1.0, linked_to="first", **hours(2, 4)),
        bid("rider", 1, 5, linked_to="first", **hours(3, 4)),
    ]
    case = plain_market(offers=offers, bids=bids)
    blind, seeing = clear_rolling(case, step=HOUR, look=HOUR), clear_rolling(case, step=HOUR)
    assert served(blind, "first") == pytest.approx([4, 4, 4, 0])
    assert served(blind, "rival") == pytest.approx([0, 0, 0, 0])
    assert served(blind, "child") == pytest.approx([0, 0, 2, 2])
    assert served(blind, "rider") == pytest.approx([0, 0, 0, 1])  # its parent has ended, and had run
    assert surplus(seeing) == pytest.approx(surplus(clear_horizons(case)))
    assert sum(served(seeing, "first")) * sum(served(seeing, "rival")) == 0.0


def test_a_child_of_a_bid_that_was_not_taken_is_not_taken_either(plain_market: Plain) -> None:
    bids = [bid("p", 4, 0.5, min_share=1.0, **hours(0, 1)), bid("c", 4, 5, min_share=1.0, linked_to="p", **hours(1, 2))]
    blind = clear_rolling(plain_market(offers=[offer("o", 9, 1, **hours(0, 2))], bids=bids), step=HOUR, look=HOUR)
    assert served(blind, "c") == [0.0, 0.0]


@pytest.mark.parametrize("share", [None, 1.0])
def test_who_was_served_because_of_a_later_bid_holds_it_to_its_word(plain_market: Plain, share: float | None) -> None:
    bids = [
        bid("root", 4, 1.5, min_share=1.0, **hours(2, 3)),
        bid("parent", 4, 1.5, min_share=1.0, linked_to="root", **hours(1, 2)),
        bid("child", 4, 9, min_share=share, linked_to="parent", **hours(0, 1)),
    ]
    case = plain_market(offers=[offer("o", 9, 2, **hours(0, 3))], bids=bids)
    rolled = clear_rolling(case, step=HOUR)
    assert [sum(served(rolled, name)) for name in ("child", "parent", "root")] == pytest.approx([4.0, 4.0, 4.0])
    assert surplus(rolled) == pytest.approx(surplus(clear_horizons(case)))
    assert surplus(rolled)["real-time"] == pytest.approx(4 * (9 + 1.5 + 1.5 - 3 * 2))


def test_a_bid_that_nobody_was_served_for_may_still_be_left_out(plain_market: Plain) -> None:
    bids = [bid("parent", 4, 1.5, min_share=1.0, **hours(1, 2)), bid("child", 4, 1, linked_to="parent", **hours(0, 1))]
    rolled = clear_rolling(plain_market(offers=[offer("o", 9, 2, **hours(0, 2))], bids=bids), step=HOUR)
    assert served(rolled, "parent") == served(rolled, "child") == [0.0, 0.0]


def test_of_a_total_what_is_left_is_passed_on(plain_market: Plain) -> None:
    offers = [offer(f"h{n}", 10, price, **hours(n, n + 1)) for n, price in enumerate((3.0, 1.0, 2.0, 4.0))]
    case = plain_market(offers=offers, bids=[bid("d", 6, 9, total=15.0, **hours(0, 4))])
    assert served(clear_rolling(case, step=HOUR), "d") == pytest.approx([3.0, 6.0, 6.0, 0.0])
    assert served(clear_rolling(case, step=HOUR, look=HOUR), "d") == pytest.approx([6.0, 6.0, 3.0, 0.0])


def test_a_gang_keeps_of_its_total_what_its_share_takes_beyond_the_look(plain_market: Plain) -> None:
    gang = bid("g", 6, 9, min_share=0.5, total=13.0, **hours(0, 4))
    run = clear_rolling(plain_market(offers=[offer("o", 10, 1, **hours(0, 4))], bids=[gang]), step=HOUR, look=2 * HOUR)
    assert sum(served(run, "g")) == pytest.approx(13.0)
    assert min(served(run, "g")) >= 3.0 - USD
    assert run.binding.filter(kind="gang").is_empty()
    short = bid("g", 6, 9, min_share=0.5, total=11.0, **hours(0, 4))  # less than four hours of its share
    assert (
        served(clear_rolling(plain_market(offers=[offer("o", 10, 1, **hours(0, 4))], bids=[short]), step=HOUR, look=HOUR), "g") == [0.0] * 4
    )


# horizons


def test_real_time_keeps_what_the_last_ahead_run_has_committed_and_accepted(plain_market: Plain, market_terms: Terms) -> None:
    offers = [
        offer("u", 10, 1, start_cost=30.0, block=True, **hours(0, 2)),
        offer("free", 20, 0.1, horizon="real-time", **hours(0, 2)),  # turns up in real time, and neither would be wanted then
    ]
    bids = [bid("g", 6, 9, min_share=1.0, **hours(0, 2)), bid("late", 30, 20, horizon="real-time", **hours(0, 2))]
    both = clear_horizons(plain_market(market_terms(horizons=AHEAD), offers=offers, bids=bids))
    now = both.commitments.filter(horizon="real-time")
    assert now["on"].all()
    assert served(replace(both, awards=both.awards.filter(horizon="real-time")), "g") == pytest.approx([6.0, 6.0])
    alone = clear_horizons(
        plain_market(
            market_terms(horizons=(REAL_TIME,)),
            offers=[row | {"horizon": None} for row in offers],
            bids=[row | {"horizon": None} for row in bids],
        )
    )
    assert not alone.commitments.filter(side="bid")["on"].any()  # nobody would accept the gang beside the late bid


def test_a_gang_whose_supply_fails_in_real_time_falls_short_at_the_price_bound(plain_market: Plain, market_terms: Terms) -> None:
    offers = [offer("o", 10, 1, horizon="day-ahead", **hours(0, 2)), offer("o", 4, 1, horizon="real-time", **hours(0, 2))]
    case = plain_market(
        market_terms(horizons=AHEAD), offers=offers, bids=[bid("g", 8, 9, min_share=1.0, **hours(0, 2)), bid("x", 2, 8, **hours(0, 2))]
    )
    run = clear_horizons(case)
    now = run.awards.filter(horizon="real-time", side="bid")
    assert now.select("id", "quantity").rows() == [("g", 4.0), ("g", 4.0)]
    assert run.prices.filter(horizon="real-time")["price"].to_list() == [1000.0] * 4
    short = run.binding.filter(kind="gang")
    assert short["dual"].to_list() == [4.0, 4.0]
    assert short["meaning"].unique().to_list() == ["gang g runs on 4 units/h short of its least share, for want of supply"]


def test_a_rolling_run_of_one_horizon_of_two_speaks_of_that_one(plain_market: Plain, market_terms: Terms) -> None:
    case = plain_market(market_terms(horizons=AHEAD), offers=[offer("o", 10, 1, **hours(0, 4))], bids=[bid("b", 5, 3, **hours(0, 4))])
    assert surplus(clear_rolling(case, step=HOUR, horizons=("real-time",))) == {"real-time": pytest.approx(40.0)}


def test_as_of_ends_each_horizon_where_its_market_has_run(plain_market: Plain, market_terms: Terms) -> None:
    offers = [offer("o", 10, 1, **hours(0, 96)), offer("u", 10, 0.5, start_cost=3.0, min_hours=5, **hours(0, 96))]
    bids = [bid("b", 5, 3, **hours(0, 96)), bid("g", 5, 3, min_share=1.0, **hours(20, 60))]
    virtual = {"bid_id": "v", "side": "inc", "quantity": 1.0, "price": 0.1, **hours(0, 96)}
    case = plain_market(market_terms(horizons=AHEAD), offers=offers, bids=bids, virtuals=[virtual])
    one, rolled = (clear(case, as_of=date(2027, 1, 7)) for clear in (clear_horizons, clear_rolling))
    assert surplus(rolled) == pytest.approx(surplus(one))
    assert dict(rolled.prices.filter(pricing="marginal").group_by("horizon").len().iter_rows()) == {"day-ahead": 72, "real-time": 48}
    assert one.state.at("real-time").accepted == {"g"}  # it runs on where real time has not been cleared yet
    assert one.state.at("real-time").running == {"u": 0}


# steps


@pytest.mark.parametrize(
    ("first", "lengths"), [(datetime(2027, 3, 13, 5, tzinfo=UTC), [24, 23, 24]), (datetime(2027, 11, 6, 4, tzinfo=UTC), [24, 25, 24])]
)
@pytest.mark.parametrize("look", [timedelta(days=1), timedelta(days=2)])
def test_days_are_local_ones_when_the_clocks_change(
    plain_market: Plain, market_terms: Terms, first: datetime, lengths: list[int], look: timedelta
) -> None:
    """A day of 25 hours is seen whole by a look of one day, and none of its hours is left out."""
    window = {"start": first, "end": first + HOUR * sum(lengths)}
    offers = [offer("o", 10, 1, **window), offer("u", 5, 0.5, start_cost=30.0, min_hours=30, **window)]
    bids = [bid("b", 12, 3, **window), bid("g", 2, 2.9, min_share=1.0, **window)]
    case = plain_market(market_terms(timezone="America/New_York", horizons=(REAL_TIME,)), offers=offers, bids=bids)
    run = clear_rolling(case, look=look)
    assert run.prices.filter(pricing="marginal").height == sum(lengths)
    assert surplus(run) == pytest.approx(surplus(clear_horizons(case)))
    edges = np.cumsum([0, *lengths])
    assert run.certificate["start"].to_list() == [first + HOUR * int(edge) for edge in edges[:-1]]
    if look == timedelta(days=1):
        assert run.certificate["hours"].to_list() == lengths


def test_uplift_is_published_where_no_hour_is_seen_twice(plain_market: Plain) -> None:
    unit = offer("u", 10, 1, start_cost=5.0, block=True, **hours(0, 2))
    case = plain_market(offers=[unit], bids=[bid("b", 3, 6, **hours(0, 2))])
    apart, overlapping = clear_rolling(case, step=HOUR, look=HOUR), clear_rolling(case, step=HOUR)
    assert apart.uplift.height > 0
    assert overlapping.uplift.is_empty()
    assert overlapping.allocation.is_empty()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"step": timedelta(minutes=90)}, "a whole number of intervals"),
        ({"step": timedelta(0)}, "a whole number of intervals"),
        ({"step": 2 * HOUR, "look": HOUR}, "at least the step"),
    ],
)
def test_steps_that_do_not_fit_are_refused(plain_market: Plain, asked: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        clear_rolling(plain_market(offers=[offer("o", 10, 1)], bids=[bid("b", 3, 5)]), **asked)
