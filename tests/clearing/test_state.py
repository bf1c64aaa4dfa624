"""State: what a run hands to the next one, in one process or another, by hand or step by step."""

import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, Deliveries, clear_horizons
from tenorgrid.clearing.rolling import clear_rolling
from tenorgrid.clearing.state import Standing, State, joined
from tenorgrid.data.case import Case
from tenorgrid.data.terms.market import REAL_TIME, Horizon
from tests.clearing.whole_markets import HOUR, START

Plain = Callable[..., Case]
Row = dict[str, Any]
AHEAD = (Horizon(name="day-ahead", lead=timedelta(days=1)), REAL_TIME)


def hours(first: int, end: int) -> Row:
    return {"start": START + first * HOUR, "end": START + end * HOUR}


def market(plain_market: Plain, terms: Any = None) -> Case:
    """Four hours with a run, a gang and work to be done, all of which go over the edge between the second and the third."""
    offers = [
        {"offer_id": "u", "quantity": 10, "price": 1, "start_cost": 5.0, "min_hours": 3, **hours(0, 4)},
        {"offer_id": "o", "quantity": 20, "price": 4, **hours(0, 4)},
    ]
    bids = [
        {"bid_id": "b", "quantity": 7, "value": 6, **hours(0, 4)},
        {"bid_id": "g", "quantity": 4, "value": 7, "min_share": 1.0, **hours(1, 4)},
        {"bid_id": "d", "quantity": 3, "value": 5, "total": 5.0, **hours(0, 4)},
    ]
    return plain_market(terms, offers=offers, bids=bids)


def seen(first: int, end: int, until: int) -> Deliveries:
    return Deliveries(first=START + first * HOUR, end=START + end * HOUR, until=START + until * HOUR)


def surplus(*runs: ClearingRun) -> float:
    return sum(float(run.surplus.filter(pricing="marginal")["total"].sum()) for run in runs)


def test_what_stands_after_a_run_is_what_has_begun(plain_market: Plain) -> None:
    after = clear_horizons(market(plain_market), deliveries=seen(0, 4, 2)).state.at("real-time")
    assert after.accepted == {"g"}
    assert after.running == {"u": 1}  # one hour of its three is left
    assert after.committed == {}
    done = clear_horizons(market(plain_market), deliveries=seen(0, 4, 2)).awards.filter(id="d")["quantity"].sum()
    assert after.done == {("d", 1): pytest.approx(done)}


def test_a_state_carried_by_hand_and_through_a_file_is_the_rolling_run(plain_market: Plain) -> None:
    case = market(plain_market)
    first = clear_horizons(case, deliveries=seen(0, 4, 2))
    carried: State = pickle.loads(pickle.dumps(first.state))
    assert carried.standing == first.state.standing
    assert carried.virtuals.equals(first.state.virtuals)
    second = clear_horizons(case, deliveries=seen(2, 4, 4), state=carried)
    rolled, one = clear_rolling(case, step=2 * HOUR), clear_horizons(case)
    assert surplus(first, second) == pytest.approx(surplus(rolled)) == pytest.approx(surplus(one))
    assert pl.concat([first.awards, second.awards]).equals(rolled.awards)
    assert second.state.at("real-time").accepted == frozenset()  # its window has ended


def test_without_the_state_the_next_run_begins_anew(plain_market: Plain) -> None:
    """So the tests above could fail: a run that is told nothing pays the start again, and cannot take up a gang that has begun."""
    case = market(plain_market)
    second = clear_horizons(case, deliveries=seen(2, 4, 4))
    assert not second.commitments.filter(id="g")["on"].any()


def test_a_run_of_one_horizon_leaves_what_stands_at_another(plain_market: Plain, market_terms: Callable[..., Any]) -> None:
    case = market(plain_market, market_terms(horizons=AHEAD))
    before = clear_horizons(case, deliveries=seen(0, 4, 2)).state
    after = clear_horizons(case, horizons=("real-time",), deliveries=seen(2, 4, 3), state=before).state
    assert after.at("day-ahead") == before.at("day-ahead")
    assert after.at("real-time") != before.at("real-time")


def test_a_horizon_of_which_nothing_is_known_starts_from_nothing() -> None:
    assert State().at("real-time") == Standing()


def test_states_of_parts_are_joined_by_horizon() -> None:
    one = State(standing={"a": Standing(accepted=frozenset("g"), running={"u": 1}), "b": Standing(done={("d", 1): 2.0})})
    two = State(standing={"a": Standing(accepted=frozenset("h"), running={"v": 0}, done={("e", 2): 1.0})})
    found = joined([one, two])
    assert found.at("a") == Standing(accepted=frozenset("gh"), running={"u": 1, "v": 0}, done={("e", 2): 1.0})
    assert found.at("b").done == {("d", 1): 2.0}
