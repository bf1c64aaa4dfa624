"""Goods by domain, by hand: which price a size is paid, which offer stands behind an award, and premia that belong to no price."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.settlement.coding import UNKNOWN, Coding, Runs
from tenorgrid.settlement.domains import Goods, domains_of, goods
from tests.clearing.conftest import HORIZONS, START, market, plain_case

NODE = {"resource": "g1", "tier": "firm"}
RUN = {"horizon": "real-time", "start": START}
PRICES = pl.DataFrame([{"location": "east", **NODE, **RUN, "price": 2.0}, {"location": "west", **NODE, **RUN, "price": 3.0}])
PREMIA: list[dict[str, Any]] = [
    {"location": "east", **NODE, **RUN, "domain": 8, "premium": 1.0},
    {"location": "east", **NODE, **RUN, "domain": 72, "premium": 5.0},
    {"location": "west", **NODE, **RUN, "domain": 8, "premium": 2.0},
]
NODES = Coding.of(PRICES, "location", "resource", "tier")


def made(premia: list[dict[str, Any]]) -> Goods:
    runs = Runs.of(PRICES, market())
    return goods(NODES, PRICES.select("price").to_numpy(), pl.DataFrame(premia), runs=runs)


def test_a_size_that_a_node_does_not_price_costs_what_the_next_smaller_one_does() -> None:
    found = made(PREMIA)
    assert found.sizes == (8, 72)
    assert found.price[:, 0].tolist() == [2.0, 3.0, 7.0, 3.0, 5.0, 5.0]  # alone, 8 and 72: in the east, then in the west
    assert found.coding.size == 6


@pytest.mark.parametrize(("domain", "price"), [(None, 2.0), (1, 2.0), (7, 2.0), (8, 3.0), (71, 3.0), (72, 7.0), (576, 7.0)])
def test_an_offer_is_paid_the_largest_priced_size_that_it_has(domain: int | None, price: float) -> None:
    found = made(PREMIA)
    (number,) = found.number(NODES.encode(PRICES[:1]), pl.Series([domain], dtype=pl.Int64))
    assert found.price[number, 0] == price


@pytest.mark.parametrize("domain", [None, 8, 72])
def test_a_node_that_is_not_known_is_no_good_whatever_its_domain(domain: int | None) -> None:
    nowhere = NODES.encode(PRICES[:1].with_columns(pl.lit("north").alias("location")))
    assert made(PREMIA).number(nowhere, pl.Series([domain], dtype=pl.Int64)).tolist() == [UNKNOWN]


@pytest.mark.parametrize("wrong", [{"location": "north"}, {"start": START + timedelta(hours=1)}, {"horizon": "day-ahead"}])
def test_a_premium_where_there_is_no_price_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="that prices were published of"):
        made([*PREMIA[:2], PREMIA[2] | wrong])


def test_an_award_belongs_to_the_offer_of_its_horizon_or_of_all_horizons() -> None:
    offers = [
        {"offer_id": "a", "quantity": 1.0, "price": 1.0, "domain": 8, "horizon": None},
        {"offer_id": "b", "quantity": 1.0, "price": 1.0, "domain": 72, "horizon": "day-ahead"},
        {"offer_id": "b", "quantity": 1.0, "price": 1.0, "domain": 8, "horizon": "real-time"},
        {"offer_id": "c", "quantity": 1.0, "price": 1.0, "domain": None, "horizon": None},
    ]
    case = plain_case(market(horizons=HORIZONS), offers=offers, bids=[{"bid_id": "n", "quantity": 1.0, "value": 2.0}])
    awarded = [("a", "day-ahead"), ("a", "real-time"), ("b", "day-ahead"), ("b", "real-time"), ("c", "real-time"), ("n", "real-time")]
    rows = pl.DataFrame([{"id": name, "resource": "g1", "step": 1, "horizon": horizon} for name, horizon in awarded])
    assert domains_of(rows, case, priced=made(PREMIA)).to_list() == [8, 8, 72, 8, None, None]
    assert domains_of(rows, case, priced=Goods(coding=NODES, price=PRICES.select("price").to_numpy(), sizes=())).to_list() == [None] * 6
