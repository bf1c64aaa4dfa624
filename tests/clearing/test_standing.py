"""What a run hands on of each order, worked out by hand: who is held to a promise, what must go on running, and what has been done."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tenorgrid.clearing.horizons import Deliveries, clear_horizons
from tenorgrid.clearing.rolling import clear_rolling
from tenorgrid.clearing.state import Standing
from tenorgrid.data.case import Case
from tests.clearing.conftest import START, Row, market, plain_case
from tests.clearing.known_cases import HOUR

HALF = timedelta(minutes=30)
Terms = Callable[..., Any]


def window(first: float, end: float) -> Row:
    return {"start": START + first * HOUR, "end": START + end * HOUR}


def offer(name: str, quantity: float, price: float, **cells: Any) -> Row:
    return {"offer_id": name, "quantity": quantity, "price": price} | cells


def bid(name: str, quantity: float, value: float, **cells: Any) -> Row:
    return {"bid_id": name, "quantity": quantity, "value": value} | cells


def after(case: Case, hours: float, *, seen: float, first: float = 0.0) -> Standing:
    """What stands at `hours` after the start, of a run that saw deliveries up to `seen`."""
    deliveries = Deliveries(first=START + first * HOUR, end=START + seen * HOUR, until=START + hours * HOUR)
    return clear_horizons(case, deliveries=deliveries).state.at("real-time")


def test_all_that_a_served_bid_hangs_on_is_held_though_none_of_it_has_begun() -> None:
    """A child in the first hour, its parent in the second and the parent's own in the third."""
    bids = [
        bid("root", 4, 1.5, min_share=1.0, **window(2, 3)),
        bid("parent", 4, 1.5, min_share=1.0, linked_to="root", **window(1, 2)),
        bid("child", 4, 9, linked_to="parent", **window(0, 1)),
    ]
    assert after(plain_case(offers=[offer("o", 9, 2, **window(0, 3))], bids=bids), 1, seen=3).accepted == {"parent", "root"}


def test_a_promise_is_kept_over_steps_in_which_nothing_comes_of_it() -> None:
    """The child is served in the first hour for the sake of a parent in the third, which loses 4 × 0.5 and would be left out by then."""
    bids = [bid("parent", 4, 1.5, min_share=1.0, **window(2, 3)), bid("child", 4, 9, linked_to="parent", **window(0, 1))]
    case = plain_case(offers=[offer("o", 9, 2, **window(0, 3))], bids=[*bids, bid("n", 1, 5, **window(0, 3))])
    rolled = clear_rolling(case, step=HOUR)
    assert rolled.awards.filter(id="parent")["quantity"].to_list() == pytest.approx([4.0])
    assert rolled.surplus["total"][0] == pytest.approx(4 * (9 - 2) + 4 * (1.5 - 2) + 3 * (5 - 2))


def test_a_rider_that_has_had_no_work_yet_holds_nobody() -> None:
    """It is worth serving in the third hour alone, with its parent: both may still be left out if something better turns up."""
    offers = [offer("dear", 9, 8, **window(0, 2)), offer("cheap", 9, 2, **window(2, 3))]
    bids = [bid("g", 4, 5, min_share=1.0, **window(2, 3)), bid("rider", 2, 5, linked_to="g", **window(0, 3))]
    case = plain_case(offers=offers, bids=bids)
    assert clear_horizons(case).commitments["on"].all()  # it will be accepted
    assert after(case, 1, seen=3).accepted == frozenset()


def test_a_unit_whose_window_has_ended_runs_no_more() -> None:
    unit = offer("u", 8, 1, start_cost=2.0, block=True, min_hours=2, **window(0, 3))
    bids = [bid("b", 8, 6, **window(1, 3)), bid("late", 1, 6, **window(3, 4))]
    case = plain_case(offers=[unit, offer("o", 9, 4, **window(3, 4))], bids=bids)
    assert after(case, 2, seen=4).running == {"u": 1}
    assert after(case, 3, seen=4).running == {}


@pytest.mark.parametrize(("hours", "left"), [(1, 2), (2, 1), (3, 0), (4, 0)])
def test_what_is_left_of_a_least_run_is_never_less_than_nothing(hours: int, left: int) -> None:
    unit = offer("u", 10, 1, start_cost=2.0, min_hours=3, **window(0, 5))
    case = plain_case(offers=[unit], bids=[bid("b", 8, 6, **window(0, 5))])
    assert after(case, hours, seen=5).running == {"u": left}


def test_a_unit_that_starts_twice_counts_from_its_last_start() -> None:
    """On in the first hour, off for three, on in the fifth: of the two hours that it runs at least one is left."""
    unit = offer("u", 10, 1, start_cost=2.0, block=True, min_hours=2, **window(0, 8))
    bids = [bid("b", 10, 6, **window(0, 2)), bid("c", 10, 6, **window(5, 8))]
    case = plain_case(offers=[unit], bids=bids)
    assert after(case, 6, seen=8).running == {"u": 1}


def test_work_done_is_counted_in_hours_and_not_in_intervals() -> None:
    """Half hours: three a half hour for an hour are three unit-hours of the five, and two are left for the rest of the day."""
    terms = market(interval=HALF, horizons=market().horizons[-1:])
    case = plain_case(terms, offers=[offer("o", 9, 1, **window(0, 3))], bids=[bid("d", 3, 5, total=5.0, **window(0, 3))])
    assert after(case, 1, seen=1).done == {("d", 1): pytest.approx(3.0)}
    run = clear_rolling(case, step=HALF, look=HALF)
    assert run.awards.filter(id="d")["quantity"].to_list() == pytest.approx([3.0, 3.0, 3.0, 1.0])


def test_work_done_before_is_kept_where_nothing_is_left_to_decide() -> None:
    """A later run of other orders, with totals of their own or without any, forgets none of what it is told."""
    told = {("d", 1): 2.5}
    plain = plain_case(offers=[offer("o", 9, 1)], bids=[bid("n", 3, 5)])
    gang = plain_case(offers=[offer("o", 9, 1)], bids=[bid("n", 3, 5, min_share=1.0)])
    total = plain_case(offers=[offer("o", 9, 1)], bids=[bid("e", 3, 5, total=1.0)])
    for case, more in ((plain, {}), (gang, {}), (total, {("e", 1): pytest.approx(1.0)})):
        state = clear_horizons(case).state
        before = type(state)(standing={"real-time": Standing(done=told)})
        assert clear_horizons(case, state=before).state.at("real-time").done == told | more
