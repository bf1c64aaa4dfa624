"""Self-schedules and listed reservations, as the market clears them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.clearing.bilateral import price_taking_values, with_deals
from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.data.case import Case, check_case, read_case
from tenorgrid.data.tables.deals import Bilaterals
from tests.clearing.seeds import few

START = datetime(2027, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = {"start": START, "end": START + HOUR}
CASES = Path(__file__).parent / "cases"
USD = 1e-6
Row = dict[str, Any]
Markets = Callable[..., Case]

SCHEDULE: Row = {
    "deal_id": "D1", "kind": "self-schedule", "seller": "fleet", "buyer": "lab", "location": "l1", "resource": "g1", "workload": "w1",
    **WINDOW, "quantity": 5.0,
}  # fmt: skip
CHEAP, DEAR = {"offer_id": "cheap", "quantity": 10.0, "price": 1.0}, {"offer_id": "dear", "quantity": 10.0, "price": 3.0}
KEEN, MEEK = {"bid_id": "keen", "quantity": 8.0, "value": 9.0}, {"bid_id": "meek", "quantity": 8.0, "value": 5.0}


def deals(*rows: Row) -> pl.DataFrame:
    columns = Bilaterals.columns()
    frame = pl.DataFrame([{name: row.get(name) for name in columns} for row in rows], infer_schema_length=None)
    return Bilaterals.validate(frame, cast=True)


def cleared(case: Case) -> ClearingRun:
    return clear_horizons(with_deals(case))


def price(run: ClearingRun, *, tier: str = "firm", location: str = "l1", part: str = "price", horizon: str = "real-time") -> float:
    here = run.prices.filter(pl.col("pricing") == "marginal")
    return float(here.filter(tier=tier, location=location, horizon=horizon)[part].item())


def awarded(run: ClearingRun, *, column: str = "quantity", horizon: str = "real-time") -> dict[str, float]:
    here = run.awards.filter(pl.col("horizon") == horizon)
    return dict(here.group_by("id").agg(pl.col(column).sum()).iter_rows())


def test_a_case_without_deals_is_cleared_as_it_is(plain_market: Markets) -> None:
    case = plain_market(offers=[CHEAP], bids=[KEEN])
    assert with_deals(case) is case


def test_legs_of_deals_are_put_in_once_and_the_case_stays_a_sound_one(plain_market: Markets) -> None:
    once = with_deals(plain_market(offers=[CHEAP], bids=[KEEN], bilaterals=[SCHEDULE]))
    assert with_deals(once) is once
    assert check_case(replace(once, offers=once.offers.filter(~pl.col("offer_id").str.starts_with("deal:")))) == []
    assert [once.offers["offer_id"].to_list(), once.bids["bid_id"].to_list()] == [["cheap", "deal:D1:sell"], ["keen", "deal:D1:buy"]]


def test_a_self_schedule_clears_whole_and_leaves_every_other_award_and_price_as_they_were(plain_market: Markets) -> None:
    """By hand: 16 of work want 10 at 1 USD and 6 at 3 USD; 5 more of both sides change nothing."""
    orders = {"offers": [CHEAP, DEAR], "bids": [KEEN, MEEK]}
    without, found = cleared(plain_market(**orders)), cleared(plain_market(**orders, bilaterals=[SCHEDULE]))
    assert price(found) == pytest.approx(price(without), abs=USD)
    assert price(found) == pytest.approx(3.0, abs=USD)
    assert awarded(found) == pytest.approx(awarded(without) | {"deal:D1:sell": 5.0, "deal:D1:buy": 5.0})
    assert awarded(found, column="cash")["deal:D1:sell"] == pytest.approx(15.0)
    assert awarded(found, column="cash")["deal:D1:buy"] == pytest.approx(-15.0)


def test_a_self_schedule_in_place_of_an_inframarginal_bid_and_offer_changes_no_price(plain_market: Markets) -> None:
    rest = [DEAR, {"offer_id": "own", "participant": "fleet", "quantity": 5.0, "price": 1.5}]
    in_market = plain_market(offers=rest, bids=[KEEN, {"bid_id": "mine", "participant": "lab", "quantity": 5.0, "value": 7.0}])
    found = cleared(plain_market(offers=rest[:1], bids=[KEEN], bilaterals=[SCHEDULE]))
    assert price(found) == pytest.approx(price(cleared(in_market)), abs=USD)
    assert awarded(found)["dear"] == pytest.approx(awarded(cleared(in_market))["dear"])


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_legs_are_what_price_taking_orders_written_by_hand_are(seed: int, random_market: Markets) -> None:
    """The second opinion: an offer at the floor of 0 and a bid at the highest value that is admitted, among the orders of the case."""
    case = random_market(seed, ties=False)
    deal, work, _ = schedule_of(case)
    value = float(price_taking_values(case).filter(workload=deal["workload"])["value"].item())
    same = {"start": deal["start"], "end": deal["end"], "step": 1}
    offer = {"offer_id": "S", "location": deal["location"], "resource": deal["resource"], "quantity": deal["quantity"], "price": 0.0}
    bid = {"bid_id": "B", "workload": deal["workload"], "home": deal["location"], "quantity": work, "value": value, "tiers": "firm"}
    offers = added(case.offers, offer | same | {"firm_premium": 0.0})
    by_hand = clear_horizons(replace(case, offers=offers, bids=added(case.bids, bid | same | {"interruption_loss": None})))
    found = cleared(replace(case, bilaterals=deals(deal)))
    both = found.prices.join(by_hand.prices, on=["horizon", "pricing", "start", "location", "resource", "tier"])
    assert both.height == found.prices.height
    assert both.select((pl.col("price") - pl.col("price_right")).abs().max()).item() <= USD
    assert found.surplus["total"].to_list() == pytest.approx(by_hand.surplus["total"].to_list())


def added(table: pl.DataFrame, row: Row) -> pl.DataFrame:
    """The table and one row more, which is its first but for what is given."""
    return pl.concat([table, table.head(1).with_columns(pl.lit(value).cast(table[name].dtype).alias(name) for name, value in row.items())])


def schedule_of(case: Case) -> tuple[Row, float, ClearingRun]:
    """A self-schedule where the case does work at home, by the recipe that does it; the work that its hours do; the run without it."""
    run = clear_horizons(case)
    here = run.placements.filter(pl.col("home") == pl.col("location"), pl.col("tier") == "firm", pl.col("horizon") == "real-time")
    row = here.sort("level", descending=True).row(0, named=True)
    uses = case.recipe_resources.filter(workload=row["workload"], recipe=row["recipe"])
    main = uses.filter(pl.col("resource").str.starts_with("g")).row(0, named=True)
    made = float(case.recipes.filter(workload=row["workload"], recipe=row["recipe"])["output_per_hour"].item())
    quantity = 2.0
    deal = SCHEDULE | {
        "location": row["location"],
        "resource": main["resource"],
        "workload": row["workload"],
        "recipe": row["recipe"],
        "quantity": quantity,
    }
    return deal, quantity * made / main["per_hour"], run


@pytest.mark.parametrize("seed", few(range(1, 12, 2), every=3))
def test_random_self_schedules_clear_whole_and_move_no_price(seed: int, random_market: Markets) -> None:
    """Deals of GPUs alone where the work runs already: the prices of before still support what is done."""
    case = random_market(seed, ties=False)
    alone = case.recipe_resources.filter(pl.col("resource").str.starts_with("g"))
    case = replace(case, recipe_resources=alone)
    deal, work, before = schedule_of(case)
    after = cleared(replace(case, bilaterals=deals(deal)))
    sold = awarded(after)
    assert (sold["deal:D1:sell"], sold["deal:D1:buy"]) == pytest.approx((deal["quantity"], work))
    now = pl.col("horizon") == "real-time"
    both = before.prices.filter(now).join(after.prices.filter(now), on=["horizon", "pricing", "start", "location", "resource", "tier"])
    assert both.height > 0
    assert both.select((pl.col("price") - pl.col("price_right")).abs().max()).item() <= USD


@pytest.mark.parametrize(("demand", "expected"), [(2.0, 1.0), (14.0, 3.0), (30.0, 900.0)])
def test_a_self_schedule_clears_whatever_the_price(plain_market: Markets, demand: float, expected: float) -> None:
    """In plenty at the cheapest offer's cost, and in want where the others' value sets the price."""
    load = {"bid_id": "load", "quantity": demand, "value": 900.0}
    found = cleared(plain_market(offers=[CHEAP, DEAR], bids=[load], bilaterals=[SCHEDULE]))
    assert price(found) == pytest.approx(expected, abs=USD)
    assert awarded(found)["deal:D1:sell"] == pytest.approx(5.0)
    assert awarded(found)["deal:D1:buy"] == pytest.approx(5.0)


def test_a_self_schedule_clears_in_scarcity_and_holds_no_reserve_back(plain_market: Markets) -> None:
    """20 of 20 hours are bid for and reserve is worth 400: the load's last unit is held back, the deal's is not, and λ = 500."""
    reserve = [{"step": 1, "quantity": 6.0, "price": 450.0}]
    load = {"bid_id": "load", "quantity": 20.0, "value": 500.0}
    found = cleared(plain_market(offers=[CHEAP, DEAR], bids=[load | {"value": 440.0}], reserves=reserve, bilaterals=[SCHEDULE]))
    assert awarded(found)["load"] == pytest.approx(14.0)
    assert awarded(found)["deal:D1:buy"] == pytest.approx(5.0)
    assert price(found) == pytest.approx(440.0, abs=USD)
    assert found.headroom.select(pl.col("headroom").sum()).item() == pytest.approx(6.0)


def test_orders_at_the_bounds_tie_with_the_legs_and_share_pro_rata(plain_market: Markets) -> None:
    """At the cap whoever bids it is served alike: 10 + 5 hours for 20 + 5 wanted."""
    load = {"bid_id": "load", "quantity": 20.0, "value": 1000.0}
    found = cleared(plain_market(offers=[CHEAP], bids=[load], bilaterals=[SCHEDULE]))
    assert awarded(found) == pytest.approx({"cheap": 10.0, "deal:D1:sell": 5.0, "deal:D1:buy": 3.0, "load": 12.0})
    assert price(found) == pytest.approx(1000.0, abs=1e-3)


def test_a_self_schedule_between_two_places_pays_transport_and_congestion() -> None:
    """Its hours stand west and its work belongs east: it takes 5 units of the full link from who is marginal east, where λ stays 4."""
    case = read_case(CASES / "two-locations")
    row = SCHEDULE | {"location": "west", "home": "east", "quantity": 5.0, "resource": "h100-sxm", "workload": "decode"}
    first = case.bids.row(0, named=True)
    deal = row | {"start": first["start"], "end": first["end"], "resource": case.resources["resource"][0], "workload": first["workload"]}
    found = cleared(replace(case, bilaterals=deals(deal)))
    cash, sold = awarded(found, column="cash"), awarded(found)
    omega = found.workload_prices.filter(pl.col("pricing") == "marginal", pl.col("home") == "east").row(0, named=True)
    assert sold["deal:D1:sell"] == pytest.approx(5.0)
    assert cash["deal:D1:sell"] == pytest.approx(5.0 * price(found, location="west"))
    assert cash["deal:D1:buy"] == pytest.approx(-sold["deal:D1:buy"] * omega["price"])
    assert -cash["deal:D1:buy"] - cash["deal:D1:sell"] == pytest.approx(5.0 * 0.5 * (0.2 + 5.8), abs=1e-5)
    assert price(found, location="east") == pytest.approx(4.0, abs=USD)
    assert price(found, location="west") == pytest.approx(1.0, abs=USD)


def test_an_interruptible_self_schedule_lists_what_backs_its_sold_hours() -> None:
    case = read_case(CASES / "spot-and-firm")
    row = SCHEDULE | {"location": "east", "resource": "h100-sxm", "workload": "decode", "tier": "spot", "quantity": 9.0}
    legs = with_deals(replace(case, bilaterals=deals(row)))
    offer = legs.offers.filter(offer_id="deal:D1:sell").row(0, named=True)
    assert (offer["quantity"], offer["firm_premium"]) == (pytest.approx(10.0), None)
    assert legs.bids.filter(bid_id="deal:D1:buy")["tiers"].item() == "spot"
    found = cleared(replace(case, bilaterals=deals(row)))
    assert price(found, location="east", tier="spot") == pytest.approx(28 / 9, abs=USD)
    assert awarded(found)["deal:D1:sell"] == pytest.approx(9.0)
    assert awarded(found)["deal:D1:buy"] == pytest.approx(9.0)


def test_unused_hours_of_a_reservation_are_sold_interruptible_alone() -> None:
    """The listing of 20 backs 18 of the 36 spot hours that G's 40 backed alone before; the price is G's cost still."""
    case = read_case(CASES / "spot-and-firm")
    held = {
        "deal_id": "R1", "kind": "reservation", "seller": "cloud", "buyer": "startup", "location": "east", "resource": "h100-sxm", **WINDOW,
        "quantity": 50.0, "need": 30.0, "recall": True,
    }  # fmt: skip
    found = cleared(replace(case, bilaterals=deals(held)))
    rows = found.awards.filter(pl.col("id") == "deal:R1:list")
    assert rows.select("participant", "tier", "quantity").rows() == [("startup", "spot", pytest.approx(18.0))]
    assert price(found, location="east", tier="spot") == pytest.approx(28 / 9, abs=USD)
    dear = cleared(replace(case, bilaterals=deals(held | {"price": 50.0})))
    assert "deal:R1:list" not in awarded(dear)
    assert "deal:R1:list" not in awarded(cleared(replace(case, bilaterals=deals(held | {"need": 50.0}))))


def test_a_deal_stands_from_its_horizon_on(random_market: Markets) -> None:
    case = random_market(1, ties=False)
    deal, _, _ = schedule_of(case)
    late = cleared(replace(case, bilaterals=deals(deal | {"horizon": "real-time"})))
    assert "deal:D1:sell" in awarded(late)
    assert "deal:D1:sell" not in awarded(late, horizon="day-ahead")
    early = cleared(replace(case, bilaterals=deals(deal)))
    assert awarded(early, horizon="day-ahead")["deal:D1:sell"] == pytest.approx(deal["quantity"])


def test_windows_of_one_deal_have_legs_of_their_own(plain_market: Markets) -> None:
    second = SCHEDULE | {"start": START + HOUR, "end": START + 2 * HOUR, "quantity": 3.0}
    legs = with_deals(plain_market(offers=[CHEAP], bids=[KEEN], bilaterals=[second, SCHEDULE]))
    mine = legs.offers.filter(pl.col("offer_id").str.starts_with("deal:"))
    assert dict(mine.select("offer_id", "quantity").iter_rows()) == {"deal:D1:sell": 5.0, "deal:D1:sell:2": 3.0}


def test_the_highest_admitted_value_is_one_that_the_case_admits_and_no_more() -> None:
    case = read_case("packaged")
    rows = case.bids.head(1)
    workload = str(rows["workload"][0])
    value = float(price_taking_values(case).filter(workload=workload)["value"].item())
    at, past = (
        replace(case, bids=rows.with_columns(pl.lit(value * part).alias("value")), virtuals=case.virtuals.head(0)) for part in (1.0, 1.001)
    )
    assert check_case(at) == []
    assert [fault.column for fault in check_case(past)] == ["value"]
