"""Recall of listed hours: what the holder gets back, who is interrupted, what is paid."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables import case as tables
from tenorgrid.data.tables.cleared import Awards, Placements, Prices
from tenorgrid.data.tables.deals import Bilaterals
from tenorgrid.data.terms.market import Market
from tenorgrid.settlement.deals import settle_deals
from tenorgrid.settlement.recalls import interruptions, recalls

START = datetime(2027, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
NODE = {"location": "east", "resource": "gpu"}
HELD = {
    "deal_id": "R1",
    "kind": "reservation",
    "seller": "cloud",
    "buyer": "startup",
    **NODE,
    "quantity": 50.0,
    "need": 30.0,
    "recall": True,
}
TIERS = [
    {"tier": "firm", "interruption_probability": 0.0, "overcommit": 1.0, "reserve_share": 0.0},
    {"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.9, "reserve_share": 0.2},
    {"tier": "scavenge", "interruption_probability": 0.5, "overcommit": 1.2, "reserve_share": None},
]
Row = dict[str, Any]


def market(zone: str = "UTC") -> Market:
    rule = PricingRule.MARGINAL
    return Market(name="m", interval=HOUR, timezone=zone, pricing=rule, price_floor=0.0, price_cap=1e4, voll=100.0)


def table(schema: Any, rows: list[Row]) -> pl.DataFrame:
    if not rows:
        return schema.create_empty()  # type: ignore[no-any-return]
    frame = pl.DataFrame([{name: row.get(name) for name in schema.columns()} for row in rows], infer_schema_length=None)
    return schema.validate(frame, cast=True)  # type: ignore[no-any-return]


def windows(needs: Sequence[float | None], *, first: datetime = START, **changed: Any) -> list[Row]:
    """The reservation hour by hour, with what its holder came to need in each."""
    return [
        HELD | {"start": first + at * HOUR, "end": first + (at + 1) * HOUR, "real_time_need": need} | changed
        for at, need in enumerate(needs)
    ]


def sales(count: int, *, first: datetime = START, **booked: float) -> list[Row]:
    """Awards of the listing in each hour, by tier."""
    sold = {"horizon": "real-time", "side": "offer", "participant": "startup", "step": 1, **NODE, "price": 0.0, "cash": 0.0}
    ids = ["deal:R1:list", *(f"deal:R1:list:{at}" for at in range(2, count + 1))]
    each = [(at, tier, hours) for at in range(count) for tier, hours in booked.items()]
    return [sold | {"start": first + at * HOUR, "id": ids[at], "tier": tier, "quantity": hours} for at, tier, hours in each]


def recalled(rows: list[Row], awards: list[Row], *, price: float = 3.0, zone: str = "UTC") -> pl.DataFrame:
    starts = sorted({row["start"] for row in awards})
    prices = [
        {"horizon": "real-time", "pricing": "marginal", "start": start, **NODE, "tier": tier["tier"], "price": price + at}
        for at, start in enumerate(starts)
        for tier in TIERS
    ]
    return recalls(
        table(Bilaterals, rows), awards=table(Awards, awards), prices=table(Prices, prices), tiers=table(tables.Tiers, TIERS),
        market=market(zone),
    )  # fmt: skip


def test_listed_hours_are_recalled_once_the_free_ones_are_used_up() -> None:
    """50 held, 20 listed hours sold as 18 spot: a need of 46 leaves 30 free and takes 16 back, 14.4 sold hours; 1.8 are within π."""
    found = recalled(windows([46.0]), sales(1, spot=18.0)).row(0, named=True)
    parts = {name: found[name] for name in ("listed", "booked", "returned", "recalled", "within", "beyond", "short")}
    expected = {"listed": 20.0, "booked": 18.0, "returned": 16.0, "recalled": 14.4, "within": 1.8, "beyond": 12.6, "short": 0.0}
    assert parts == pytest.approx(expected)
    assert found["amount"] == -37_800_000


@pytest.mark.parametrize(("need", "returned", "short"), [(None, 0, 0), (30.0, 0, 0), (44.0, 14, 0), (50.0, 20, 0), (57.0, 20, 7)])
def test_need_is_met_by_free_hours_then_by_recall_and_then_by_the_market(need: float | None, returned: float, short: float) -> None:
    found = recalled(windows([need]), sales(1, spot=18.0)).row(0, named=True)
    assert (found["returned"], found["short"]) == (pytest.approx(returned), pytest.approx(short))


def test_hours_that_nobody_bought_are_free() -> None:
    found = recalled(windows([46.0]), sales(1, spot=9.0)).row(0, named=True)
    assert (found["listed"], found["returned"]) == (pytest.approx(10.0), pytest.approx(6.0))


def test_without_the_right_of_recall_nothing_is_given_back() -> None:
    found = recalled(windows([46.0], recall=False), sales(1, spot=18.0)).row(0, named=True)
    assert (found["returned"], found["amount"], found["short"]) == (0.0, 0, pytest.approx(16.0))


def test_the_tier_with_the_weaker_promise_is_recalled_first() -> None:
    found = recalled(windows([44.0]), sales(1, spot=9.0, scavenge=12.0)).sort("tier")
    assert found.select("tier", "returned", "recalled").rows() == [
        ("scavenge", pytest.approx(10.0), pytest.approx(12.0)), ("spot", pytest.approx(4.0), pytest.approx(3.6)),
    ]  # fmt: skip


def test_notice_delays_what_is_given_back() -> None:
    """The need is there from the second hour to the fourth; called then, the hours are back an hour later, and one is short."""
    rows = windows([30.0, 46.0, 46.0, 40.0, 30.0], notice_hours=1.0)
    found = recalled(rows, sales(5, spot=18.0))
    assert found["returned"].to_list() == pytest.approx([0.0, 0.0, 16.0, 10.0, 0.0])
    assert found["short"].to_list() == pytest.approx([0.0, 16.0, 0.0, 0.0, 0.0])
    longer = recalled(windows([30.0, 46.0, 46.0, 40.0, 30.0], notice_hours=1.5), sales(5, spot=18.0))
    assert longer["returned"].to_list() == pytest.approx([0.0, 0.0, 0.0, 10.0, 0.0])


def test_a_month_of_quiet_hours_earns_a_recall_within_the_promise() -> None:
    """20 hours of 18 are 360 booked: 36 of them may be recalled, and 28.8 are."""
    found = recalled(windows([46.0, 46.0, *[30.0] * 18]), sales(20, spot=18.0))
    assert found["recalled"].sum() == pytest.approx(28.8)
    assert found["beyond"].sum() == pytest.approx(0.0)
    assert found["amount"].to_list() == [0] * 20


def test_each_recall_of_a_month_bears_the_same_share_at_the_price_of_its_hour() -> None:
    """14.4 and 7.2 of 72 booked: 7.2 are within, two thirds are beyond, at 3 and 4 USD."""
    found = recalled(windows([46.0, 38.0, 30.0, 30.0]), sales(4, spot=18.0))
    assert found["beyond"].to_list() == pytest.approx([9.6, 4.8, 0.0, 0.0])
    assert found["amount"].to_list() == [-28_800_000, -19_200_000, 0, 0]


def test_months_are_those_of_the_market() -> None:
    first = datetime(2027, 2, 1, 4, tzinfo=UTC)  # an hour before February in New York
    rows, awards = windows([46.0, 30.0], first=first), sales(2, first=first, spot=18.0)
    assert recalled(rows, awards)["beyond"].sum() == pytest.approx(14.4 - 3.6)
    assert recalled(rows, awards, zone="America/New_York")["beyond"].sum() == pytest.approx(14.4 - 1.8)


def interrupted(found: pl.DataFrame, users: dict[str, float], *, idle: bool = False) -> pl.DataFrame:
    """Users of spot work of 2 GPU-hours for 5 units, all in one pool."""
    starts = found["start"].unique().to_list()
    served = {"horizon": "real-time", "side": "bid", "step": 1, "location": "east", "workload": "decode", "tier": "spot", "price": 0.0}
    awards = [
        served | {"start": start, "id": who, "participant": who, "quantity": work, "cash": 0.0}
        for start in starts
        for who, work in users.items()
    ]
    total = sum(users.values())
    placed = [
        {"horizon": "real-time", "start": start, "workload": "decode", "home": "east", "tier": "spot", "recipe": "one", "location": "east",
         "level": total / 5.0, "work": total}
        for start in starts
    ]  # fmt: skip
    return interruptions(
        found,
        awards=table(Awards, awards),
        placements=table(Placements, [] if idle else placed),
        recipes=table(tables.Recipes, [{"workload": "decode", "recipe": "one", "output_per_hour": 5.0}]),
        recipe_resources=table(tables.RecipeResources, [{"workload": "decode", "recipe": "one", "resource": "gpu", "per_hour": 2.0}]),
        market=market(),
    )


def test_users_are_interrupted_and_paid_in_proportion_to_their_use() -> None:
    """14.4 hours among users of 30 and 6: 12 and 2.4, and as much of 37.80 USD; an hour is 2.5 units of work."""
    found = interrupted(recalled(windows([46.0]), sales(1, spot=18.0)), {"lab": 75.0, "ann": 15.0})
    assert found.select("participant", "use", "hours", "work", "amount").rows() == [
        ("ann", pytest.approx(6.0), pytest.approx(2.4), pytest.approx(6.0), 6_300_000),
        ("lab", pytest.approx(30.0), pytest.approx(12.0), pytest.approx(30.0), 31_500_000),
    ]


@pytest.mark.parametrize("seed", range(4))
def test_random_recalls_agree_with_a_count_in_fractions_and_money_that_enters_leaves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    needs = [float(rng.uniform(25, 50)) for _ in range(12)]
    users = {f"u{n}": float(rng.uniform(1, 90)) for n in range(5)}
    found = recalled(windows(needs), sales(12, spot=18.0), price=float(rng.uniform(1, 4)))
    back = [max(Fraction(0), Fraction(need) - 30) * Fraction(0.9) for need in needs]
    excess = max(Fraction(0), sum(back) - Fraction(0.1) * 18 * 12)
    assert excess > 0
    assert found["recalled"].to_list() == pytest.approx([float(hours) for hours in back])
    exact = [float(-hours * excess / sum(back) * Fraction(price) * 1_000_000) for hours, price in zip(back, found["price"], strict=True)]
    assert found["amount"].to_list() == pytest.approx(exact, abs=1.0)
    passed = interrupted(found, users)
    assert passed["amount"].sum() == -found["amount"].sum()
    assert passed["hours"].sum() == pytest.approx(found["recalled"].sum())


def test_recalled_hours_that_nothing_used_and_sales_without_a_price_are_refused() -> None:
    found = recalled(windows([46.0]), sales(1, spot=18.0))
    with pytest.raises(NotPublishedError, match="recalled hours that no placement uses"):
        interrupted(found, {"lab": 75.0}, idle=True)
    with pytest.raises(NotPublishedError, match="1 sales of listed hours have no real-time price"):
        recalls(
            table(Bilaterals, windows([46.0])), awards=table(Awards, sales(1, spot=18.0)), prices=table(Prices, []),
            tiers=table(tables.Tiers, TIERS), market=market(),
        )  # fmt: skip


def test_a_case_without_deals_has_none_to_settle(board: Any, case_of: Any) -> None:
    case = case_of(locations=["east"], workloads={"decode": 0.0}, recipes={("decode", "one"): (1.0, {"gpu": 1.0})})
    given = {name: frame for name, frame in board.tables().items() if name in ("prices", "workload_prices", "awards", "placements")}
    with pytest.raises(InputError, match="at least one deal"):
        settle_deals(case, **given)
