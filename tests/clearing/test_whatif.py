"""What if: one order changed, cleared again; only the hours it reaches; suppliers left out; refusals."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from tenorgrid.clearing.horizons import clear_horizons
from tenorgrid.clearing.insight.changes import changed, withdrawn
from tenorgrid.clearing.whatif import what_if
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError

Made = Callable[..., Case]
HOUR = timedelta(hours=1)


def three_hours(plain_market: Made) -> Case:
    """Ten hours at 2.0 and ten at 3.0; 5, 15 and 15 are wanted."""
    start = datetime.fromisoformat("2027-01-05T00:00:00+00:00")
    day = {"start": start, "end": start + 3 * HOUR}
    wanted = (5.0, 15.0, 15.0)
    return plain_market(
        offers=[
            {"offer_id": "o-1", "participant": "north", "quantity": 10.0, "price": 2.0, **day},
            {"offer_id": "o-2", "participant": "south", "quantity": 10.0, "price": 3.0, **day},
        ],
        bids=[
            {"bid_id": f"b-{at}", "quantity": quantity, "value": 9.0, "start": start + at * HOUR, "end": start + (at + 1) * HOUR}
            for at, quantity in enumerate(wanted)
        ],
    )


def test_one_bid_less_moves_prices_awards_surplus_and_cash_by_what_hand_says(plain_market: Made) -> None:
    """Hour 1 falls from 15 to 8 wanted: the price from 3 to 2, all worth 9."""
    case = three_hours(plain_market)
    after = changed(case, pl.DataFrame({"action": ["change"], "bid_id": ["b-1"], "quantity": [8.0]}))
    found = what_if(case, after)
    assert (found.first.hour, found.end.hour) == (1, 2)
    moved = found.prices.filter(pricing="marginal")
    assert moved.select("before", "after", "difference").rows() == [(3.0, 2.0, -1.0)]
    awards = {row["id"]: (row["before"], row["after"]) for row in found.awards.iter_rows(named=True)}
    assert awards == {"o-1": (10.0, pytest.approx(8.0)), "o-2": (5.0, 0.0), "b-1": (15.0, pytest.approx(8.0))}
    total = found.surplus.filter(part="total")["difference"][0]
    assert total == pytest.approx((8 * 9 - 8 * 2) - (15 * 9 - 10 * 2 - 5 * 3))
    cash = {row["participant"]: row["difference"] for row in found.cash.iter_rows(named=True)}
    assert cash == {"n": pytest.approx(45.0 - 16.0), "north": pytest.approx(16.0 - 30.0), "south": pytest.approx(-15.0)}


@pytest.mark.parametrize("seed", [2, 5])
def test_the_hours_that_are_left_out_do_not_change(seed: int, random_market: Made) -> None:
    """A second way: clear both cases whole. What differs is what clearing the reached hours alone gives, and nothing beside."""
    case = random_market(seed, hours=4)
    name = case.bids.filter(pl.col("horizon").is_null())["bid_id"][0]
    halved = pl.when(pl.col("bid_id") == name).then(pl.col("quantity") * 0.5).otherwise(pl.col("quantity"))
    bids = case.bids.with_columns(halved.alias("quantity"))
    after = replace(case, bids=bids)
    found = what_if(case, after)
    node = ["horizon", "pricing", "start", "location", "resource", "tier"]
    whole = clear_horizons(case).prices.join(clear_horizons(after).prices, on=node, how="full", coalesce=True)
    moves = whole.with_columns((pl.col("price_right") - pl.col("price")).alias("move")).filter(pl.col("move").abs() > 1e-7)
    told = dict(zip(found.prices.select(node).rows(), found.prices["difference"], strict=True))
    assert moves.height > 0 or not told
    for row in moves.iter_rows(named=True):
        assert told[tuple(row[name] for name in node)] == pytest.approx(row["move"], abs=1e-6)


def test_without_a_supplier_the_others_set_the_price(plain_market: Made) -> None:
    case = three_hours(plain_market)
    start = case.bids["start"].min()
    assert isinstance(start, datetime)
    found = what_if(case, withdrawn(case, ["north"]), first=start, end=start + HOUR)
    assert found.prices.filter(pricing="marginal").select("before", "after").rows() == [(2.0, 3.0)]
    assert found.end == start + HOUR


def test_coupled_hours_are_cleared_together(plain_market: Made) -> None:
    """A bid with a total over three hours: a change in the first reaches all of them."""
    case = three_hours(plain_market)
    flexible = case.bids.head(1).with_columns(
        pl.lit("flexible").alias("bid_id"), (pl.col("start") + 3 * HOUR).alias("end"), pl.lit(6.0).alias("total")
    )
    coupled = replace(case, bids=pl.concat([case.bids, flexible]))
    after = changed(coupled, pl.DataFrame({"action": ["change"], "bid_id": ["b-0"], "quantity": [9.0]}))
    found = what_if(coupled, after)
    assert found.end - found.first == 3 * HOUR


def test_bids_that_are_linked_join_the_hours_between_them(plain_market: Made) -> None:
    """The gang of the last hour takes the bid of the first one along: whether it is worth it is seen from both."""
    case = three_hours(plain_market)
    linked = case.bids.with_columns(
        pl.when(pl.col("bid_id") == "b-2").then(1.0).alias("min_share"),
        pl.when(pl.col("bid_id") == "b-0").then(pl.lit("b-2")).alias("linked_to"),
    )
    after = changed(replace(case, bids=linked), pl.DataFrame({"action": ["change"], "bid_id": ["b-0"], "quantity": [9.0]}))
    found = what_if(replace(case, bids=linked), after)
    assert found.end - found.first == 3 * HOUR


def test_hours_that_nothing_couples_are_left_out(plain_market: Made) -> None:
    """An offer that says nothing of a least run joins no intervals, however short they are."""
    case = three_hours(plain_market)
    free = replace(case, offers=case.offers.with_columns(pl.lit(None, dtype=pl.Int64).alias("min_hours")))
    after = changed(free, pl.DataFrame({"action": ["change"], "bid_id": ["b-0"], "quantity": [9.0]}))
    found = what_if(free, after)
    assert found.end - found.first == HOUR


def test_orders_are_added_replaced_and_withdrawn(plain_market: Made) -> None:
    case = three_hours(plain_market)
    row: dict[str, Any] = case.offers.filter(offer_id="o-2").row(0, named=True)
    rows = [{"action": "add", **row, "offer_id": "o-9", "price": 1.0}, {"action": "replace", **row, "price": 2.5}]
    fresh = pl.DataFrame(rows, schema={"action": pl.String, **case.offers.schema})
    gone = pl.DataFrame({"action": ["withdraw"], "offer_id": ["o-1"]})
    after = changed(changed(case, fresh), gone)
    assert dict(after.offers.select("offer_id", "price").rows()) == {"o-2": 2.5, "o-9": 1.0}
    assert what_if(case, after).prices.height > 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({"action": ["drop"], "bid_id": ["b-0"]}, "one of add, replace, change, withdraw"),
        ({"action": ["withdraw"], "bid_id": ["b-7"]}, "one of the case's bids"),
        ({"action": ["change"], "bid_id": ["b-0"]}, "at least one cell to change"),
        ({"action": ["change"], "bid_id": ["b-0"], "step": [4], "value": [1.0]}, "a row of b-0"),
        ({"action": ["add"], "bid_id": ["b-0"]}, "a name that bids do not have"),
        ({"action": ["change"], "bid_id": ["b-0"], "value": [5000.0]}, "a value of at most"),
        ({"action": ["change"], "price": [1.0]}, "a column offer_id or a column bid_id"),
    ],
)
def test_a_change_that_is_none_is_refused(rows: dict[str, list[Any]], said: str, plain_market: Made) -> None:
    with pytest.raises(InputError, match=said):
        changed(three_hours(plain_market), pl.DataFrame(rows))


def test_nothing_that_differs_is_refused(plain_market: Made) -> None:
    case = three_hours(plain_market)
    with pytest.raises(InputError, match="an order that differs"):
        what_if(case, case)
    with pytest.raises(InputError, match="one who offers: north, south"):
        withdrawn(case, ["west"])
