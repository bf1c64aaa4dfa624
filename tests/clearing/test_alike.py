"""Orders that are equal in all but name: the first ids are accepted where not all can be, and what is divisible is shared."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.data.case import Case
from tests.clearing.conftest import START, Row, plain_case
from tests.clearing.known_cases import HOUR
from tests.clearing.seeds import few

GANG: Row = {"quantity": 4.0, "value": 9.0, "min_share": 1.0, "participant": "n"}


def accepted(run: ClearingRun) -> list[str]:
    return sorted(run.commitments.filter("on")["id"].unique())


def awards(run: ClearingRun, side: str) -> dict[str, float]:
    rows = run.awards.filter(pl.col("side").cast(pl.String) == side)
    return dict(rows.group_by("id").agg(pl.col("quantity").sum()).iter_rows())


def market(names: list[str], *, offered: float, **changed: Any) -> Case:
    offers = [{"offer_id": "o", "quantity": offered, "price": 2.0}]
    return plain_case(offers=offers, bids=[GANG | {"bid_id": name} | changed for name in names])


@pytest.mark.parametrize("order", [["a", "b", "c", "d"], ["d", "c", "b", "a"], ["c", "a", "d", "b"]])
def test_of_equal_gangs_the_first_ids_are_accepted(order: list[str]) -> None:
    run = clear_horizons(market(order, offered=9.0))
    assert accepted(run) == ["a", "b"]
    assert awards(run, "bid") == pytest.approx({"a": 4.0, "b": 4.0})


@pytest.mark.parametrize("order", [["a", "b", "c"], ["c", "b", "a"]])
def test_equal_gangs_that_are_accepted_share_what_their_least_shares_leave(order: list[str]) -> None:
    """Three gangs of 4 with a least share of a half: 9 hours carry all three, at 3 each."""
    run = clear_horizons(market(order, offered=9.0, min_share=0.5))
    assert accepted(run) == ["a", "b", "c"]
    assert awards(run, "bid") == pytest.approx({"a": 3.0, "b": 3.0, "c": 3.0}, abs=1e-9)


def test_a_gang_that_differs_in_anything_is_not_alike() -> None:
    offers = [{"offer_id": "o", "quantity": 4.5, "price": 2.0}]
    for changed in ({"value": 9.1}, {"quantity": 4.2}):
        case = plain_case(offers=offers, bids=[GANG | {"bid_id": "a"}, GANG | {"bid_id": "b"} | changed])
        assert accepted(clear_horizons(case)) == ["b"]  # worth more, whatever its name


@pytest.mark.parametrize("order", [["a", "b", "c"], ["b", "c", "a"]])
def test_equal_offers_are_committed_by_id_and_share(order: list[str]) -> None:
    offers = [{"offer_id": name, "quantity": 6.0, "price": 2.0, "start_cost": 3.0} for name in order]
    run = clear_horizons(plain_case(offers=offers, bids=[{"bid_id": "n", "quantity": 9.0, "value": 9.0}]))
    assert accepted(run) == ["a", "b"]
    assert awards(run, "offer") == pytest.approx({"a": 4.5, "b": 4.5}, abs=1e-9)


def test_two_hours_of_equal_units_go_to_one_unit() -> None:
    """The same unit goes on: starting the other one in the second hour would cost another start."""
    end = {"end": START + 2 * HOUR}
    offers = [{"offer_id": name, "quantity": 6.0, "price": 2.0, "start_cost": 3.0} | end for name in ("b", "a")]
    run = clear_horizons(plain_case(offers=offers, bids=[{"bid_id": "n", "quantity": 5.0, "value": 9.0} | end]))
    assert run.commitments.filter("on").select("id", "started").rows() == [("a", True), ("a", False)]


@pytest.mark.parametrize("seed", few(range(4), every=3))
def test_names_and_the_order_of_rows_do_not_move_prices_or_awards(seed: int) -> None:
    """Other ids in the same order, and rows in any order: the same rows under the new names."""
    rng = np.random.default_rng(seed)
    quantities, values = rng.choice([2.0, 3.0], 6), rng.choice([6.0, 7.0], 6)
    end = {"end": START + 2 * HOUR}
    offers = [{"offer_id": f"o{n}", "quantity": 5.0, "price": 2.0 + n % 2, "block": n < 2, "start_cost": 1.0} | end for n in range(4)]
    bids = [
        {"bid_id": f"b{n}", "quantity": float(quantities[n]), "value": float(values[n]), "min_share": 0.5 if n < 4 else None} | end
        for n in range(6)
    ]
    first = clear_horizons(plain_case(offers=offers, bids=bids))
    renamed = [row | {"bid_id": f"x-{row['bid_id']}"} for row in bids], [row | {"offer_id": f"y-{row['offer_id']}"} for row in offers]
    shuffled = [[rows[at] for at in rng.permutation(len(rows))] for rows in renamed]
    second = clear_horizons(plain_case(bids=shuffled[0], offers=shuffled[1]))
    assert first.prices.equals(second.prices)
    stripped = second.awards.with_columns(pl.col("id").str.slice(2))
    assert first.awards.sort(pl.all()).equals(stripped.sort(pl.all()))
    assert accepted(first) == [name[2:] for name in accepted(second)]
