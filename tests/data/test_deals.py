"""Bilateral deals of a case: what is refused, and where."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.case import Case, check_case, make_case, read_case, write_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.terms.market import Horizon, Market

START = datetime(2027, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
NODE = {"location": "east", "resource": "h100"}
WINDOW = {"start": START, "end": START + 4 * HOUR}
Row = dict[str, Any]

SCHEDULE: Row = {
    "deal_id": "D1",
    "kind": "self-schedule",
    "seller": "fleet",
    "buyer": "lab",
    **NODE,
    "workload": "decode",
    **WINDOW,
    "quantity": 8.0,
}
CFD: Row = {"deal_id": "C1", "kind": "cfd", "seller": "fleet", "buyer": "fund", **NODE, **WINDOW, "quantity": 8.0, "price": 2.5}
HELD: Row = {"deal_id": "R1", "kind": "reservation", "seller": "cloud", "buyer": "lab", **NODE, **WINDOW, "quantity": 40.0}


def case_of(*deals: Row, offers: list[Row] | None = None, tiers: list[Row] | None = None, **tables: list[Row]) -> Case:
    horizons = (Horizon(name="day-ahead", lead=timedelta(days=1)), Horizon(name="real-time", lead=timedelta(0)))
    market = Market(
        name="deals", interval=HOUR, timezone="UTC", pricing=PricingRule.MARGINAL, price_floor=0.0, price_cap=100.0, voll=100.0,
        horizons=horizons,
    )  # fmt: skip
    spot = {"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.8, "reserve_share": None}
    supply = {"offer_id": "o", "participant": "cloud", **NODE, **WINDOW, "step": 1, "quantity": 50.0, "price": 2.0, "firm_premium": 0.0}
    work = {"bid_id": "b", "participant": "lab", "workload": "decode", "home": "east", **WINDOW, "step": 1, "quantity": 3.0, "value": 4.0}
    chips = {"h100": 4.0, "b200": 9.0}
    frames: dict[str, list[Row]] = {
        "locations": [{"location": "east", "region": "us"}, {"location": "west", "region": "us"}],
        "resources": [{"resource": name, "kind": "accelerator", "unit": "GPU"} for name in chips],
        "tiers": [spot] if tiers is None else tiers,
        "workloads": [{"workload": "decode", "class": "decode", "unit": "1e6 tokens"}],
        "recipes": [{"workload": "decode", "recipe": f"on-{name}", "output_per_hour": made} for name, made in chips.items()],
        "recipe_resources": [{"workload": "decode", "recipe": f"on-{name}", "resource": name, "per_hour": 2.0} for name in chips],
        "offers": [supply, *(supply | row for row in offers or [])],
        "bids": [work],
        "bilaterals": list(deals),
    }
    frames |= tables
    return make_case(market, {name: pl.DataFrame(rows, infer_schema_length=None) for name, rows in frames.items() if rows})


def refused(make: Callable[[], object]) -> list[str]:
    with pytest.raises(InputError) as caught:
        make()
    return [str(fault) for fault in caught.value.faults]


def test_deals_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    case = case_of(SCHEDULE, CFD, HELD | {"need": 30.0, "recall": True, "notice_hours": 1.0})
    again = read_case(write_case(case, tmp_path / "case"))
    assert again.bilaterals.equals(case.bilaterals)
    assert again.bilaterals["deal_id"].to_list() == ["D1", "C1", "R1"]
    assert check_case(again) == []


@pytest.mark.parametrize(
    ("row", "column", "sentence"),
    [
        (SCHEDULE | {"workload": None}, "workload", "expected a workload of the self-schedule"),
        (SCHEDULE | {"need": 1.0}, "need", "a self-schedule has no need"),
        (SCHEDULE | {"recipe": "on-b200"}, "recipe", "by which its resource does its workload"),
        (SCHEDULE | {"home": "west"}, "home", "a home with a link to it"),
        (SCHEDULE | {"tier": "gold"}, "tier", "one of firm, spot"),
        (SCHEDULE | {"location": "north"}, "location", "a location of locations"),
        (SCHEDULE | {"horizon": "week-ahead"}, "horizon", "day-ahead, real-time"),
        (SCHEDULE | {"start": START + HOUR / 2}, "start", "a boundary of the market's intervals"),
        (SCHEDULE | {"buyer": "fleet"}, "buyer", "a `buyer` other than the `seller`"),
        (CFD | {"price": None}, "price", "a price of the cfd"),
        (CFD | {"workload": "decode"}, "resource", "a resource or a workload, and not both"),
        (CFD | {"location": None}, "location", "the location of the resource"),
        (HELD | {"tier": "spot"}, "tier", "a reservation has no tier"),
        (HELD | {"recall": True}, "recall", "without a need no hour is listed"),
        (HELD | {"need": 50.0}, "need", "at most the quantity that is held"),
        (HELD | {"kind": "swap"}, "kind", "one of self-schedule, cfd, reservation"),
    ],
)
def test_a_deal_that_does_not_say_what_it_must_is_refused_by_its_cell(row: Row, column: str, sentence: str) -> None:
    found = refused(lambda: case_of(SCHEDULE | {"deal_id": "D0"}, row))
    assert len(found) == 1
    assert found[0].startswith("bilaterals row 2, column ")
    assert f"column {column}" in found[0]
    assert sentence in found[0]


def test_every_fault_is_told_at_once() -> None:
    found = refused(lambda: case_of(SCHEDULE | {"workload": None, "home": "north"}, CFD | {"price": None}))
    assert len(found) == 3


def test_a_resource_that_two_recipes_use_needs_the_recipe_that_is_meant() -> None:
    recipes = [{"workload": "decode", "recipe": name, "output_per_hour": 4.0} for name in ("slow", "quick")]
    uses = [{"workload": "decode", "recipe": name, "resource": "h100", "per_hour": 2.0} for name in ("slow", "quick")]
    found = refused(lambda: case_of(SCHEDULE, recipes=recipes, recipe_resources=uses))
    assert "the recipe that is meant" in found[0]
    assert case_of(SCHEDULE | {"recipe": "quick"}, recipes=recipes, recipe_resources=uses).bilaterals.height == 1


def test_windows_of_a_deal_agree_and_do_not_overlap() -> None:
    later = SCHEDULE | {"start": START + 3 * HOUR, "end": START + 5 * HOUR, "seller": "other"}
    found = refused(lambda: case_of(SCHEDULE, later))
    assert [part in text for part, text in zip(("same seller", "end of the deal's window before"), found, strict=True)] == [True, True]
    assert case_of(SCHEDULE, SCHEDULE | {"start": START + 4 * HOUR, "end": START + 5 * HOUR}).bilaterals.height == 2


def test_orders_named_like_legs_of_deals_are_refused() -> None:
    assert "does not begin with deal:" in refused(lambda: case_of(SCHEDULE, offers=[{"offer_id": "deal:D1:sell"}]))[0]


def test_hours_that_may_be_recalled_need_a_tier_that_says_so() -> None:
    assert "has no tier but firm" in refused(lambda: case_of(HELD | {"need": 30.0}, tiers=[]))[0]


def test_a_holder_that_offers_more_than_it_holds_is_refused_with_the_row_and_the_excess() -> None:
    mine = [{"offer_id": name, "participant": "lab", "quantity": quantity} for name, quantity in (("back-1", 25.0), ("back-2", 27.0))]
    found = refused(lambda: case_of(HELD, offers=mine))
    assert found == [
        "offers row 3, column quantity: found 27 (back-2), expected at most the 40 that lab holds at east/h100 from 2027-01-05T00:00:00Z, "
        "rows before it counted: 12 too many"
    ]
    assert case_of(HELD, offers=[mine[0], mine[1] | {"quantity": 15.0}]).offers.height == 3


def test_an_offer_where_its_participant_holds_nothing_is_refused() -> None:
    mine = {"offer_id": "back", "participant": "lab", "quantity": 5.0}
    assert "the 0 that lab holds at west/h100" in refused(lambda: case_of(HELD, offers=[mine | {"location": "west"}]))[0]
    assert (
        "the 0 that lab holds at east/h100 from 2027-01-05T04"
        in refused(lambda: case_of(HELD, offers=[mine | {"end": START + 5 * HOUR}]))[0]
    )


def test_listed_scheduled_and_sublet_hours_count_against_the_position_too() -> None:
    listed, sublet = HELD | {"need": 30.0}, HELD | {"deal_id": "R2", "seller": "lab", "buyer": "guest", "quantity": 25.0}
    sold = SCHEDULE | {"seller": "lab", "buyer": "guest", "quantity": 8.0, "tier": "spot"}  # 8 sold hours take 8 / 0.8 = 10 listed
    assert case_of(listed, sublet).bilaterals.height == 2
    assert ": 5 too many" in refused(lambda: case_of(listed, sublet, sold))[0]


def test_offers_of_different_horizons_are_not_added_up() -> None:
    mine = [{"offer_id": "back", "participant": "lab", "quantity": 30.0, "horizon": name} for name in ("day-ahead", "real-time")]
    assert case_of(HELD, offers=mine).offers.height == 3
    later = SCHEDULE | {"seller": "lab", "buyer": "guest", "quantity": 15.0, "horizon": "real-time"}
    found = refused(lambda: case_of(HELD, later, offers=mine))
    assert len(found) == 1
    assert "5 too many" in found[0]
    assert "offers row 3" in found[0]


@pytest.mark.parametrize("seed", range(6))
def test_random_leaseback_is_refused_exactly_where_an_hour_by_hour_count_finds_too_much(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def window() -> Row:
        begin = int(rng.integers(5))
        return {"start": START + begin * HOUR, "end": START + (begin + int(rng.integers(1, 4))) * HOUR}

    held = [HELD | {"deal_id": f"R{n}", "quantity": float(rng.integers(10, 30)), **window()} for n in range(4)]
    offers = [{"offer_id": f"x{n}", "participant": "lab", "quantity": float(rng.integers(1, 12)), **window()} for n in range(6)]
    wrong = set()
    for hour, (at, _) in product(range(9), enumerate(offers)):
        now = START + hour * HOUR
        position = sum(row["quantity"] for row in held if row["start"] <= now < row["end"])
        claimed = sum(row["quantity"] for row in offers[: at + 1] if row["start"] <= now < row["end"])
        if claimed > position and offers[at]["start"] <= now < offers[at]["end"]:
            wrong.add(at + 2)  # the first row is the cloud's
    if not wrong:
        assert case_of(*held, offers=offers).offers.height == 7
        return
    assert {int(text.split()[2].rstrip(",")) for text in refused(lambda: case_of(*held, offers=offers))} == wrong
