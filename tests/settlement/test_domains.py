"""Scale-up domains in settlement: an offer is paid its award price, and the operator's books close without leaving it to the residual."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.case import Case, write_case
from tenorgrid.data.errors import InputError
from tenorgrid.results import Owed, Run
from tenorgrid.settlement.settle import RESIDUAL_LIMIT, settle
from tests.clearing.conftest import HORIZONS, market, plain_case
from tests.clearing.whole_markets import HOUR, START, random_whole_case

USD = 1e-6
Row = dict[str, Any]


def hours(first: int, end: int) -> Row:
    return {"start": START + first * HOUR, "end": START + end * HOUR}


def wide() -> Case:
    """Two hours, day-ahead and real time: work that needs domains of 8 and of 72, offers of 1, 8 and 72 that are short in turn."""
    sizes = {"w1": None, "wide": 8, "vast": 72}
    offers = [
        {"offer_id": "plain", "quantity": 20, "price": 1.0, **hours(0, 2)},
        {"offer_id": "nvl8", "quantity": 6, "price": 3.0, "domain": 8, **hours(0, 2)},
        {"offer_id": "nvl72", "quantity": 4, "price": 4.0, "domain": 72, "participant": "big", **hours(0, 2)},
    ]
    bids = [
        {"bid_id": "a", "quantity": 15, "value": 9, **hours(0, 2)},
        {"bid_id": "b", "quantity": 8, "value": 10, "workload": "wide", "horizon": "day-ahead", **hours(0, 2)},
        {"bid_id": "b", "quantity": 5, "value": 10, "workload": "wide", "horizon": "real-time", **hours(0, 2)},
        {"bid_id": "c", "quantity": 6, "value": 12, "workload": "vast", **hours(1, 2)},
    ]
    return plain_case(
        market(horizons=HORIZONS),
        workloads=[{"workload": name, "class": "decode", "unit": "GPU-hour", "egress_gib_per_unit": 1.0} for name in sizes],
        recipes=[{"workload": name, "recipe": "r", "output_per_hour": 1.0, "domain": size} for name, size in sizes.items()],
        recipe_resources=[{"workload": name, "recipe": "r", "resource": "g1", "per_hour": 1.0} for name in sizes],
        offers=offers,
        bids=bids,
    )


def account(owed: Owed, name: str) -> float:
    return float(owed.settlement.ledger.frame.filter(account=name)["amount"].sum()) / 1e6


def held_to_its_own_books(run: Run) -> Owed:
    """Settle a run and check it: what passes here passes for the operator."""
    owed = tg.settle(run)
    assert owed.settlement.checks["passed"].all(), owed.settlement.checks
    assert owed.settlement.ledger.frame["amount"].sum() == 0
    closings = owed.settlement.closings
    assert (closings["residual"].abs() <= RESIDUAL_LIMIT * closings["turnover"].clip(1e-9)).all()
    return owed


def test_offers_with_a_domain_are_paid_the_price_of_their_award() -> None:
    run = tg.clear(wide())
    owed = held_to_its_own_books(run)
    premia = run.domain_prices.filter(pricing="marginal")
    assert (premia["premium"] > 1.0).any()  # so that without them the books would not close
    first = run.awards.filter(horizon="day-ahead", participant="big")
    paid = owed.settlement.positions.filter(horizon="day-ahead", participant="big").sort("start")
    assert paid["price"].to_list() == pytest.approx(first.sort("start")["price"].to_list(), abs=USD)
    cash = float(first["cash"].sum())
    node = {"horizon": "real-time", "pricing": "marginal", "resource": "g1"}
    for start, price in run.prices.filter(**node).select("start", "price").iter_rows():  # there only what changed, at its own price
        premium = premia.filter(horizon="real-time", start=start, domain=72)["premium"].item()
        sold = [float(run.awards.filter(horizon=name, id="nvl72", start=start)["quantity"].sum()) for name in ("day-ahead", "real-time")]
        cash += (price + premium) * (sold[1] - sold[0])
    ledger = owed.settlement.ledger.frame.join(owed.settlement.positions.select("event_id", "participant"), on="event_id")
    assert float(ledger.filter(participant="big")["amount"].sum()) / 1e6 == pytest.approx(cash, abs=1e-5)


def test_without_the_premia_the_books_do_not_close() -> None:
    """What the residual would have to take: the reason for goods by domain."""
    run = tg.clear(wide())
    tables = {name: getattr(run, name) for name in ("prices", "workload_prices", "awards", "placements", "headroom", "binding")}
    bare = settle(run.case, **tables, recorded_at=run.last_delivery(), pricing=run.pricing)
    assert not bare.checks["passed"].all()


def test_a_position_in_a_domain_that_real_time_closes_is_bought_back_with_its_premium() -> None:
    owed = held_to_its_own_books(tg.clear(wide()))
    assert account(owed, "operator:solver-residual") == pytest.approx(0.0, abs=1e-5)
    back = owed.settlement.positions.filter(horizon="real-time", workload="wide").sort("start")
    assert back["quantity"].to_list()[0] == pytest.approx(-5.0)


@pytest.mark.parametrize("rule", ["marginal", "convex-hull"])
@pytest.mark.parametrize("seed", range(4))
def test_the_books_of_markets_with_whole_orders_close_at_both_rules(seed: int, rule: str) -> None:
    held_to_its_own_books(tg.clear(random_whole_case(seed, hours=2), pricing=rule))


def test_hull_prices_leave_a_shortfall_and_it_is_an_account_of_its_own() -> None:
    """A block of ten where six are wanted: four are paid for at the hull price, and nobody buys them."""
    offers = [{"offer_id": "u", "quantity": 10, "price": 1.0, "block": True}]
    run = tg.clear(plain_case(offers=offers, bids=[{"bid_id": "b", "quantity": 6, "value": 5}]), pricing="convex-hull")
    price = run.prices.filter(pricing="convex-hull")["price"].item()
    owed = held_to_its_own_books(run)
    assert price > 0.5
    assert account(owed, "operator:shortfall") == pytest.approx(-4 * price, abs=1e-5)
    assert account(owed, "operator:solver-residual") == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("rule", ["marginal", "convex-hull"])
def test_a_market_of_two_horizons_with_gangs_and_deadlines_settles_in_work_and_shows_the_rent(rule: str) -> None:
    """Work bought to run on one GPU a day ahead runs on another in real time: the operator keeps what that saves."""
    gpus = ("g1", "g2")
    case = plain_case(
        market(horizons=HORIZONS),
        resources=[{"resource": name, "kind": "accelerator", "unit": "GPU"} for name in gpus],
        recipes=[{"workload": "w1", "recipe": f"on-{name}", "output_per_hour": 1.0} for name in gpus],
        recipe_resources=[{"workload": "w1", "recipe": f"on-{name}", "resource": name, "per_hour": 1.0} for name in gpus],
        offers=[
            {"offer_id": "a", "quantity": 20, "price": 2.0, **hours(0, 3)},
            {"offer_id": "b", "quantity": 20, "price": 5.0, "resource": "g2", "horizon": "day-ahead", **hours(0, 3)},
            {"offer_id": "b", "quantity": 20, "price": 1.0, "resource": "g2", "horizon": "real-time", **hours(0, 3)},
        ],
        bids=[
            {"bid_id": "g", "quantity": 6, "value": 9, "min_share": 1.0, **hours(0, 2)},
            {"bid_id": "d", "quantity": 5, "value": 8, "total": 9.0, **hours(0, 3)},
            {"bid_id": "x", "quantity": 5, "value": 5.2, **hours(0, 3)},
        ],
    )
    run = tg.clear(case, pricing=rule)
    owed = held_to_its_own_books(run)
    closings = owed.settlement.closings
    assert closings.filter(horizon="real-time")["substitution"].sum() > 1.0
    work = owed.settlement.positions.filter(pl.col("workload").is_not_null(), horizon="real-time")
    units = run.awards.filter(horizon="real-time", side="bid").group_by("start").agg(pl.col("quantity").sum()).sort("start")
    assert (-work.group_by("start").agg(pl.col("quantity").sum()).sort("start")["quantity"]).to_list() == pytest.approx(
        units["quantity"].to_list()
    )


def test_a_folder_is_settled_with_the_domains_of_its_offers(command: Callable[..., Any], tmp_path: Path) -> None:
    write_case(wide(), tmp_path / "case")
    assert command("clear", tmp_path / "case", "--out", tmp_path / "run").code == 0
    done = command("settle", tmp_path / "run", "--out", tmp_path / "owed")
    assert done.code == 0, done.err
    assert pl.read_csv(tmp_path / "owed" / "checks.csv")["passed"].all()


def test_premia_without_offers_to_tell_domains_by_are_refused() -> None:
    run = tg.clear(wide())
    case = run.case
    object.__setattr__(case, "offers", case.offers.clear())
    with pytest.raises(InputError, match="offers of the case"):
        tg.settle(run)
