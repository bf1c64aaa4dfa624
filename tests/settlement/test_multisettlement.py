"""Multi-settlement: cash of positions at every horizon, and the operator's legs that close it."""

from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.terms.market import Horizon
from tenorgrid.settlement.settle import Settlement, settle

Cases = Callable[..., Case]
Markets = Callable[[int], tuple[Case, dict[str, Any]]]

DAY, REAL = Horizon(name="day-ahead", lead=timedelta(days=1)), Horizon(name="real-time", lead=timedelta(0))
ONE_NODE = {
    "locations": ["east"],
    "workloads": {"decode": 0.0},
    "recipes": {("decode", "one"): (1.0, {"gpu": 1.0})},
    "horizons": (DAY, REAL),
}


def cash(settled: Settlement) -> dict[tuple[str, str], Decimal]:
    """USD by account and horizon, energy and reserve together."""
    sums = settled.statements.group_by("participant", "horizon").agg(pl.col("amount").cast(pl.Float64).sum())
    return {(who, horizon): Decimal(repr(amount)).quantize(Decimal("0.000001")) for who, horizon, amount in sums.iter_rows()}


def total(settled: Settlement, who: str) -> Decimal:
    """What one account is owed in all."""
    return sum((amount for (name, _), amount in cash(settled).items() if name == who), Decimal(0))


def two_settlement(board: Any, *, load: tuple[float, float], price: tuple[float, float], day_ahead_extra: float = 0.0) -> None:
    """A load served by one generator in the one-node market; `day_ahead_extra` hours are sold to nobody the day before."""
    for horizon, quantity, here in zip(("day-ahead", "real-time"), load, price, strict=True):
        board.node(horizon, "east", here)
        board.pool(horizon, "east", here)
        board.award(horizon, "bid", "load", quantity, location="east", workload="decode")
        extra = day_ahead_extra if horizon == "day-ahead" else 0.0
        board.award(horizon, "offer", "generator", quantity + extra, location="east", resource="gpu")
        board.place(horizon, "east", "one", "east", quantity, quantity)


@pytest.mark.parametrize(
    ("load", "price", "expected"),
    [
        ((100, 105), (20, 23), "2115"),
        ((200, 195), (20, 22), "3890"),
        ((500, 480), (20, 25), "9500"),
        ((110, 80), (30, 45), "1950"),
        ((100, 80), (30, 45), "2100"),
        ((100, 110), (30, 20), "3200"),
        ((100, 120), (30, 45), "3900"),
    ],
)
def test_two_settlement_pays_the_known_amounts(
    board: Any, case_of: Cases, recorded_at: Any, load: tuple[float, float], price: tuple[float, float], expected: str
) -> None:
    two_settlement(board, load=load, price=price)
    settled = settle(case_of(**ONE_NODE), **board.tables(), recorded_at=recorded_at)
    assert total(settled, "load") == -Decimal(expected)
    assert total(settled, "generator") == Decimal(expected)
    assert settled.closings["residual"].abs().max() == 0.0
    assert settled.closings["rounding"].abs().max() == 0


@pytest.mark.parametrize(
    ("side", "quantity", "day", "real", "expected"),
    [("inc", 100, 30, 25, "500"), ("dec", 100, 30, 25, "-500"), ("inc", 10, 30, 22, "80"), ("inc", 10, 30, 41, "-110"),
     ("dec", 10, 30, 41, "110"), ("dec", 10, 30, 22, "-80")],
)  # fmt: skip
def test_a_virtual_bid_is_paid_the_known_difference(
    board: Any, case_of: Cases, recorded_at: Any, side: str, quantity: float, day: float, real: float, expected: str
) -> None:
    two_settlement(board, load=(100, 100), price=(day, real), day_ahead_extra=quantity if side == "dec" else -quantity)
    board.award("day-ahead", side, "virtual", quantity, location="east", resource="gpu")
    settled = settle(case_of(**ONE_NODE), **board.tables(), recorded_at=recorded_at)
    assert total(settled, "virtual") == Decimal(expected)
    assert settled.closings["residual"].abs().max() == 0.0
    assert settled.positions.filter(pl.col("participant") == "virtual")["meter"].to_list() == [0.0, 0.0]


def test_four_markets_pay_each_change_at_its_own_price(board: Any, case_of: Cases, recorded_at: Any) -> None:
    names = ("month-ahead", "week-ahead", "day-ahead", "real-time")
    for horizon, quantity, price in zip(names, (100.0, 120.0, 90.0, 95.0), (2.5, 2.6, 2.4, 3.1), strict=True):
        board.node(horizon, "east", price)
        board.pool(horizon, "east", price)
        board.award(horizon, "bid", "load", quantity, location="east", workload="decode")
        board.award(horizon, "offer", "generator", quantity, location="east", resource="gpu")
        board.place(horizon, "east", "one", "east", quantity, quantity)
    case = case_of(**{name: value for name, value in ONE_NODE.items() if name != "horizons"})
    found = cash(settle(case, **board.tables(), recorded_at=recorded_at))
    expected = dict(zip(names, ("250", "52", "-72", "15.5"), strict=True))
    assert {name: found["generator", name] for name in names} == {name: Decimal(amount) for name, amount in expected.items()}


def test_hours_sold_and_not_used_are_bought_back_from_the_operators_shortfall_account(board: Any, case_of: Cases, recorded_at: Any) -> None:
    """Ten free hours nobody used the day before are bought back at 3: the seller pays 30, which is the operator's, not the load's."""
    two_settlement(board, load=(100, 100), price=(0, 3), day_ahead_extra=10)
    settled = settle(case_of(**ONE_NODE), **board.tables(), recorded_at=recorded_at)
    assert total(settled, "generator") == Decimal("-30")
    assert total(settled, "load") == 0
    assert total(settled, "operator:shortfall") == Decimal("30")
    assert total(settled, "operator:solver-residual") == 0


def test_a_position_with_no_later_award_is_bought_back_at_the_later_price(board: Any, case_of: Cases, recorded_at: Any) -> None:
    two_settlement(board, load=(100, 100), price=(20, 26))
    board.rows["awards"] = [row for row in board.rows["awards"] if not (row["horizon"] == "real-time" and row["side"] == "offer")]
    board.award("real-time", "offer", "other", 100.0, location="east", resource="gpu")
    settled = settle(case_of(**ONE_NODE), **board.tables(), recorded_at=recorded_at)
    assert cash(settled)["generator", "real-time"] == Decimal("-2600")
    assert cash(settled)["other", "real-time"] == Decimal("2600")


TWO_PLACES = {
    "locations": ["east", "west"],
    "workloads": {"decode": 2.0},
    "recipes": {("decode", "one"): (1.0, {"gpu": 1.0})},
    "links": [{"link": "cable", "from": "east", "to": "west", "capacity_gib_per_hour": 20.0, "cost_per_gib": 0.25}],
    "horizons": (DAY, REAL),
}


def test_a_full_link_pays_congestion_and_transfer_to_the_operator(board: Any, case_of: Cases, recorded_at: Any) -> None:
    """East 5, west 3, 2 GiB a unit: at capacity 20 GiB ten units run in the west, so ω = 5 = 3 + 2 (0.25 + μ) and μ = 0.75.

    Day ahead 30 units: load pays 150; sellers get 20 · 5 + 10 · 3 = 130; transfer 20 · 0.25 = 5; congestion 20 · 0.75 = 15. At real
    time the load is the same, east is 4, west 3.5 and the link has room (nothing runs abroad: 3.5 + 0.5 = 4, the same; say 4 units
    do), so transfer is paid back for 12 GiB, 3 USD, and congestion nothing.
    """
    for horizon, east, west, abroad in (("day-ahead", 5.0, 3.0, 10.0), ("real-time", 4.0, 3.5, 4.0)):
        board.node(horizon, "east", east)
        board.node(horizon, "west", west)
        board.pool(horizon, "east", east)
        board.award(horizon, "bid", "load", 30.0, location="east", workload="decode")
        board.award(horizon, "offer", "eastern", 30.0 - abroad, location="east", resource="gpu")
        board.award(horizon, "offer", "western", abroad, location="west", resource="gpu")
        board.place(horizon, "east", "one", "east", 30.0 - abroad, 30.0 - abroad)
        board.place(horizon, "east", "one", "west", abroad, abroad)
    board.add("binding", "day-ahead", board.rows["prices"][0]["start"], kind="link", key="cable", dual=0.75, meaning="full")
    found = cash(settle(case_of(**TWO_PLACES), **board.tables(), recorded_at=recorded_at))
    day = {who: amount for (who, horizon), amount in found.items() if horizon == "day-ahead" and amount}
    assert day == {
        "load": Decimal(-150), "eastern": Decimal(100), "western": Decimal(30),
        "operator:transfer": Decimal(5), "operator:congestion": Decimal(15),
    }  # fmt: skip
    real = {who: amount for (who, horizon), amount in found.items() if horizon == "real-time" and amount}
    assert real == {"eastern": Decimal(24), "western": Decimal(-21), "operator:transfer": Decimal(-3)}


def test_a_cheaper_recipe_at_real_time_is_rent_of_the_operator_and_costs_the_buyer_nothing(
    board: Any, case_of: Cases, recorded_at: Any
) -> None:
    """Ten units on a at 2 (b costs 3). At real time a is 6 and b is 4: the buyer keeps its ten units and pays nothing, seller a buys back
    ten at 6, seller b sells ten at 4: the 20 between is the reduced cost of the old recipe at the new prices."""
    recipes = {("decode", "a"): (1.0, {"a": 1.0}), ("decode", "b"): (1.0, {"b": 1.0})}
    for horizon, price, recipe in (("day-ahead", {"a": 2.0, "b": 3.0}, "a"), ("real-time", {"a": 6.0, "b": 4.0}, "b")):
        for resource, here in price.items():
            board.node(horizon, "east", here, resource=resource)
        board.pool(horizon, "east", min(price.values()))
        board.award(horizon, "bid", "load", 10.0, location="east", workload="decode")
        board.award(horizon, "offer", f"seller-{recipe}", 10.0, location="east", resource=recipe)
        board.place(horizon, "east", recipe, "east", 10.0, 10.0)
    found = cash(settle(case_of(**(ONE_NODE | {"recipes": recipes})), **board.tables(), recorded_at=recorded_at))
    real = {who: amount for (who, horizon), amount in found.items() if horizon == "real-time" and amount}
    assert real == {"seller-a": Decimal(-60), "seller-b": Decimal(40), "operator:substitution": Decimal(20)}


@pytest.mark.parametrize("seed", range(8))
def test_cash_of_a_market_cleared_by_a_linear_programme_closes(cleared_market: Markets, recorded_at: Any, seed: int) -> None:
    case, tables = cleared_market(seed)
    settled = settle(case, **tables, recorded_at=recorded_at)
    closings = settled.closings
    assert (closings["residual"].abs() <= 1e-9).all()  # of turnovers near 1000 USD
    assert (closings["rounding"].abs() <= closings["bound"]).all()
    assert (closings["substitution"] >= -1e-9).all()
    assert (closings["shortfall"] >= -1e-9).all()
    sums = settled.ledger.frame.group_by("charge_code", "interval", "version").agg(pl.col("amount").sum())
    assert sums["amount"].to_list() == [0] * sums.height
    assert settled.checks["passed"].all()


def test_the_markets_of_these_tests_have_something_in_every_leg(cleared_market: Markets, recorded_at: Any) -> None:
    closings = pl.concat([settle(case, **tables, recorded_at=recorded_at).closings for case, tables in map(cleared_market, range(8))])
    for leg in ("transfer", "congestion", "substitution", "rounding"):
        assert (closings[leg].abs() > 1e-3 if leg != "rounding" else closings[leg] != 0).sum() >= 5, leg


def slow_settlement(case: Case, tables: dict[str, Any]) -> dict[tuple[str, str, Any], Fraction]:
    """Cash to every participant by horizon and start, in plain Python: no arrays, no rounding before the product is exact."""
    order = [horizon.name for horizon in case.market.horizons]
    hours = case.market.hours
    price: dict[tuple[Any, ...], float] = {}
    for name, fields in (("prices", ("location", "resource", "tier")), ("workload_prices", ("workload", "home", "tier"))):
        for row in tables[name].filter(pl.col("pricing") == PricingRule.MARGINAL.value).iter_rows(named=True):
            price[name, row["horizon"], row["start"], *(row[field] for field in fields)] = row["price"]
    held: dict[tuple[Any, ...], float] = {}
    awards = sorted(tables["awards"].iter_rows(named=True), key=lambda row: (row["participant"], row["quantity"]))
    for row in awards:
        kind = {"offer": "physical", "bid": "work"}.get(row["side"], "virtual")
        thing = (
            (row["workload"], row["location"] or "*", row["tier"]) if kind == "work" else (row["location"], row["resource"], row["tier"])
        )
        sign = 1 if row["side"] in ("offer", "inc") else -1
        key = (kind, row["participant"], thing, row["start"], row["horizon"])
        held[key] = held.get(key, 0.0) + sign * row["quantity"]
    paid: dict[tuple[str, str, Any], Fraction] = {}
    for kind, who, thing, start in sorted({key[:4] for key in held}, key=str):
        before = 0.0
        for horizon in order:
            now = held.get((kind, who, thing, start, horizon), 0.0)
            here = price["workload_prices" if kind == "work" else "prices", horizon, start, *thing]
            exact = Fraction(here) * Fraction((now - before) * hours) * 1_000_000
            paid[who, horizon, start] = paid.get((who, horizon, start), Fraction(0)) + round(exact)
            before = now
    return paid


@pytest.mark.parametrize("seed", [0, 5])
def test_every_amount_agrees_with_a_settlement_in_plain_fractions(cleared_market: Markets, recorded_at: Any, seed: int) -> None:
    case, tables = cleared_market(seed)
    settled = settle(case, **tables, recorded_at=recorded_at)
    slow = slow_settlement(case, tables)
    lines = settled.ledger.frame.join(settled.positions.select("event_id", "horizon"), on="event_id")
    sums = lines.group_by("account", "horizon", "interval").agg(pl.col("amount").sum())
    fast = {(who, horizon, start): amount for who, horizon, start, amount in sums.iter_rows()}
    assert fast == {key: amount for key, amount in slow.items() if key in fast}
    assert all(amount == 0 for key, amount in slow.items() if key not in fast)
    for who in sorted({key[0] for key in slow}):
        amount = sum((Decimal(int(part)).scaleb(-6) for (name, *_), part in slow.items() if name == who), Decimal(0))
        invoice = settled.invoices.filter(pl.col("participant") == who)["amount"].to_list()
        assert invoice == [amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)]


def test_rows_in_any_order_give_the_same_ledger(cleared_market: Markets, recorded_at: Any) -> None:
    case, tables = cleared_market(2)
    first = settle(case, **tables, recorded_at=recorded_at)
    again = settle(
        case, **{name: table.sample(fraction=1.0, shuffle=True, seed=3) for name, table in tables.items()}, recorded_at=recorded_at
    )
    for name, table in first.tables().items():
        assert table.equals(again.tables()[name]), name


def test_half_hours_are_paid_half(board: Any, case_of: Cases, recorded_at: Any) -> None:
    two_settlement(board, load=(100, 105), price=(20, 23))
    settled = settle(case_of(**ONE_NODE, interval=timedelta(minutes=30)), **board.tables(), recorded_at=recorded_at)
    assert total(settled, "load") == Decimal("-1057.5")


def test_a_missing_price_is_not_published(board: Any, case_of: Cases, recorded_at: Any) -> None:
    two_settlement(board, load=(100, 0), price=(20, 23))
    board.rows["awards"] = [row for row in board.rows["awards"] if row["horizon"] == "day-ahead"]
    for row in board.rows["prices"]:
        if row["horizon"] == "real-time":
            row["price"] = None
    with pytest.raises(NotPublishedError, match="no price at a run that settles them, for example of \\('generator', 'east', 'gpu'"):
        settle(case_of(**ONE_NODE), **board.tables(), recorded_at=recorded_at)


def test_bad_awards_are_refused_with_every_fault(board: Any, case_of: Cases, recorded_at: Any) -> None:
    two_settlement(board, load=(100, 105), price=(20, 23))
    board.award("day-ahead", "offer", "generator", 1.0, location="east", resource="gpu")  # the same id, step and node
    board.award("day-ahead", "offer", "lost", 1.0, location="mars", resource="gpu")
    board.award("week-ahead", "offer", "early", 1.0, location="east", resource="gpu")
    board.award("real-time", "inc", "late", 1.0, location="east", resource="gpu")
    board.award("real-time", "bid", "odd", 1.0, location="east", workload="painting")
    with pytest.raises(InputError) as refused:
        settle(case_of(**ONE_NODE), **board.tables(), recorded_at=recorded_at)
    said = str(refused.value)
    for part in (
        "awards row 5, column id: found generator-offer",
        "awards row 6, column location: found mars gpu firm",
        "awards row 7, column horizon: found week-ahead",
        "awards row 8, column side: found inc",
        "awards row 9, column workload: found painting east firm",
    ):
        assert part in said


def test_work_away_from_home_without_a_link_is_refused(board: Any, case_of: Cases, recorded_at: Any) -> None:
    two_settlement(board, load=(100, 105), price=(20, 23))
    board.node("day-ahead", "west", 1.0)
    board.place("day-ahead", "east", "one", "west", 1.0, 1.0)
    with pytest.raises(InputError, match="found east to west, expected work placed at home or over a link"):
        settle(case_of(**(ONE_NODE | {"locations": ["east", "west"]})), **board.tables(), recorded_at=recorded_at)


def test_a_wrong_quantity_shows_as_residual_and_fails_its_check(cleared_market: Markets, recorded_at: Any) -> None:
    case, tables = cleared_market(3)
    more = pl.when(pl.int_range(pl.len()) == 0).then(pl.col("quantity") * 1.01).otherwise(pl.col("quantity"))
    wrong = settle(case, **(tables | {"awards": tables["awards"].with_columns(more.alias("quantity"))}), recorded_at=recorded_at)
    failed = wrong.checks.filter(~pl.col("passed"))["check"].to_list()
    assert failed == ["largest residual of the solver in a run against its turnover"]
    assert wrong.ledger.frame["amount"].sum() == 0
