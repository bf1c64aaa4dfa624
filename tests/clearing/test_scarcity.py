"""Scarcity: the adder, its steps, and the groups that hold it."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.scarcity import adder, loss_of_load_probability, reserves, steps
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.cleared import settles_under
from tenorgrid.data.terms.market import REAL_TIME, Scarcity
from tenorgrid.settlement.settle import settle
from tests.clearing.conftest import plain_case

Markets = Callable[..., Case]


def terms(**changed: float) -> Scarcity:
    return Scarcity(**({"reference_price": 30.0, "contingency": 2000.0, "mean": 0.0, "sd": 1000.0, "steps": 20} | changed))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("headroom", "chance", "expected"),
    [(2000, 1.0, 8970.0), (2500, 0.308538, 2767.58), (3000, 0.158655, 1423.14), (4000, 0.022750, 204.07), (5000, 0.001350, 12.11)],
)
def test_the_curve_of_a_large_grid(headroom: float, chance: float, expected: float) -> None:
    """Form and parameters of ERCOT's operating reserve demand curve of 2014: VOLL 9000, X 2000, σ 1000."""
    found = loss_of_load_probability(np.array([headroom]), contingency=2000.0, mean=0.0, sd=1000.0)
    assert found.item() == pytest.approx(chance, abs=5e-7)
    assert adder(np.array([headroom]), scarcity=terms(), voll=9000.0).item() == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize(("headroom", "expected"), [(3000, 4950.0), (3500, 2323.24), (4000, 1594.92), (5000, 540.56), (6000, 112.61)])
def test_the_curve_with_a_mean_jumps_at_the_contingency(headroom: float, expected: float) -> None:
    shifted = terms(reference_price=50.0, contingency=3000.0, mean=400.0, sd=1300.0)
    assert adder(np.array([headroom]), scarcity=shifted, voll=5000.0).item() == pytest.approx(expected, abs=5e-3)
    just_past = loss_of_load_probability(np.array([3000.0 + 1e-9]), contingency=3000.0, mean=400.0, sd=1300.0)
    assert just_past.item() == pytest.approx(0.6208, abs=5e-5)


def test_the_chance_agrees_with_another_library() -> None:
    headroom = np.linspace(0.0, 9000.0, 61)
    found = loss_of_load_probability(headroom, contingency=1500.0, mean=250.0, sd=800.0)
    expected = np.where(headroom <= 1500.0, 1.0, norm.sf((headroom - 1500.0 - 250.0) / 800.0))
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("count", [5, 20, 80])
def test_the_steps_have_the_area_of_the_curve_ever_more_closely(count: int) -> None:
    scarcity = terms(steps=count, mean=300.0)
    quantity, price = steps(scarcity, voll=9000.0)
    area, _ = quad(lambda r: adder(np.array([r]), scarcity=scarcity, voll=9000.0).item(), 2000.0, 2000.0 + 300.0 + 3000.0)
    expected = 8970.0 * 2000.0 + area
    assert float(quantity @ price) == pytest.approx(expected, rel=0.05 / count**2 * 4)
    assert quantity.size == count
    assert (np.diff(price) < 0).all()
    assert quantity.sum() == pytest.approx(2000.0 + 3300.0)


def test_one_step_or_no_contingency_leaves_the_falling_part_alone() -> None:
    quantity, price = steps(terms(contingency=0.0, steps=4), voll=9000.0)
    assert quantity.tolist() == pytest.approx([1000.0] * 3)
    assert price[0] < 8970.0


def test_every_accelerator_of_every_region_has_the_same_curve() -> None:
    table = reserves(terms(steps=3), voll=9000.0, regions=["eu", "us"], accelerators=["a100", "h100"])
    assert table.group_by("region", "resource").len()["len"].to_list() == [3] * 4
    assert table.select("step", "quantity", "price").unique().height == 3


@pytest.mark.parametrize(("name", "value"), [("sd", 0.0), ("contingency", -1.0), ("steps", 0)])
def test_terms_that_make_no_curve_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        terms(**{name: value})


@pytest.mark.parametrize(("headroom", "chance"), [(3500, 0.469342), (4000, 0.322206), (5000, 0.109205), (6000, 0.022750)])
def test_the_chances_of_the_curve_with_a_mean(headroom: float, chance: float) -> None:
    found = loss_of_load_probability(np.array([headroom]), contingency=3000.0, mean=400.0, sd=1300.0)
    assert found.item() == pytest.approx(chance, abs=5e-7)


SMALL = {"reference_price": 30.0, "contingency": 5.0, "mean": 0.0, "sd": 15.0}
STEEPEST = 970.0 * norm.pdf(0.0) / 15.0  # USD per resource-hour of A, per resource-hour of headroom, past the contingency


def scarce(plain_market: Markets, market_terms: Any, *, count: int, load: float = 80.0, value: float = 990.0) -> ClearingRun:
    """100 hours at 2 USD, a load, and the curve of VOLL 1000 in `count` steps."""
    market = market_terms(horizons=(REAL_TIME,), scarcity=Scarcity(**SMALL, steps=count))
    case = plain_market(
        market, offers=[{"offer_id": "o", "quantity": 100.0, "price": 2.0}], bids=[{"bid_id": "b", "quantity": load, "value": value}]
    )
    return clear_horizons(case)


@pytest.mark.parametrize("load", [60.0, 70.0, 80.0, 92.0])
def test_cleared_adders_converge_to_the_curve_as_steps_grow_finer(plain_market: Markets, market_terms: Any, load: float) -> None:
    """λ = c + A(r), and a step of width w is never further from the curve than w / 2 times its steepest fall."""
    exact = adder(np.array([100.0 - load]), scarcity=Scarcity(**SMALL, steps=1), voll=1000.0).item()
    for count in (10, 40, 160):
        prices = scarce(plain_market, market_terms, count=count, load=load).prices
        found = prices.filter(pl.col("pricing") == "marginal").row(0, named=True)
        width = 45.0 / (count - 1)
        assert found["scarcity"] == pytest.approx(exact, abs=width / 2 * STEEPEST + 1e-6)
        assert found["price"] == pytest.approx(2.0 + found["scarcity"], abs=1e-6)


def test_load_gives_way_to_reserve_where_the_curve_says_it_is_worth_more(plain_market: Markets, market_terms: Any) -> None:
    """Co-optimised: a load worth 300 is served until A(r) = 300 − 2, at r = X + σ Φ⁻¹(1 − 298 / 970), and sets the price from there."""
    run = scarce(plain_market, market_terms, count=400, load=100.0, value=300.0)
    held = float(run.headroom["headroom"].sum())
    assert held == pytest.approx(5.0 + 15.0 * norm.isf(298.0 / 970.0), abs=45.0 / 399)
    price = run.prices.filter(pl.col("pricing") == "marginal").row(0, named=True)
    assert price["price"] == pytest.approx(300.0, abs=45.0 / 399 * STEEPEST)


@pytest.mark.parametrize("value", [40.0, 300.0, 900.0, 990.0])
def test_the_surplus_is_that_of_the_best_division_between_sales_and_reserve(plain_market: Markets, market_terms: Any, value: float) -> None:
    """The second opinion: every division of 100 hours tried one by one."""
    run = scarce(plain_market, market_terms, count=12, load=97.0, value=value)
    quantity, price = steps(Scarcity(**SMALL, steps=12), voll=1000.0)
    edges, worth = np.r_[0.0, np.cumsum(quantity)], np.r_[0.0, np.cumsum(quantity * price)]
    sales = np.unique(np.r_[np.linspace(0.0, 97.0, 2001), 100.0 - edges[edges <= 100.0]])
    sales = sales[sales <= 97.0]
    best = ((value - 2.0) * sales + np.interp(100.0 - sales, edges, worth)).max()
    assert run.surplus["total"].to_list() == pytest.approx([best, best], rel=1e-9)


SPOT = {"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.9}


def tiered(plain_market: Markets, *, share: float | None, short: bool = True) -> Case:
    """30 firm and 36 spot hours out of 100 at 2 USD, 0.3 more when firm; an hour makes two units of work."""
    return plain_market(
        offers=[{"offer_id": "G", "quantity": 100.0, "price": 2.0, "firm_premium": 0.3}],
        bids=[
            {"bid_id": "bank", "participant": "bank", "quantity": 60.0, "value": 9.0, "tiers": "firm"},
            {"bid_id": "lab", "participant": "lab", "quantity": 72.0, "value": 9.0, "interruption_loss": 5.0, "tiers": "spot"},
        ],
        recipes=[{"workload": "w1", "recipe": "on-g1", "output_per_hour": 4.0}],
        recipe_resources=[{"workload": "w1", "recipe": "on-g1", "resource": "g1", "per_hour": 2.0}],
        tiers=[SPOT | {"reserve_share": share}],
        reserves=[{"step": 1, "quantity": 60.0, "price": 1.0}] if short else [],
    )


@cache
def tiered_run(share: float | None, *, short: bool = True) -> ClearingRun:
    return clear_horizons(tiered(plain_case, share=share, short=short))


@pytest.mark.parametrize("rule", list(PricingRule))
@pytest.mark.parametrize(("share", "spot"), [(None, 1.0), (0.2, 0.8), (0.7, 0.3)])
def test_the_adder_is_in_every_price(share: float | None, spot: float, rule: PricingRule) -> None:
    """A = 1: in firm λ wholly, in spot λ as (1 − α) / β, in ω by the hours that a unit of work takes, under both rules."""
    with_it, without = (tiered_run(share, short=short) for short in (True, False))
    rows = []
    for run in (with_it, without):
        nodes = run.prices.filter(settles_under(rule)).sort("tier")
        work = run.workload_prices.filter(settles_under(rule)).sort("tier")
        rows.append([*nodes["price"], *work["price"]])
    assert rows[1] == pytest.approx([2.3, 20 / 9, 2.3 / 2, 10 / 9], abs=1e-6)
    more = [found - bare for found, bare in zip(*rows, strict=True)]
    assert more == pytest.approx([1.0, spot / 0.9, 0.5, spot / 0.9 / 2], abs=1e-6)
    parts = with_it.prices.filter(settles_under(rule)).sort("tier")
    assert parts["scarcity"].to_list() == pytest.approx(more[:2], abs=1e-6)
    assert parts["energy"].to_list() == pytest.approx(rows[1][:2], abs=1e-6)


@pytest.mark.parametrize("rule", list(PricingRule))
@pytest.mark.parametrize(("share", "held"), [(None, 30.0), (0.2, 38.0), (0.7, 58.0)])
def test_the_adder_is_paid_on_headroom_and_charged_to_firm_users(
    plain_market: Markets, share: float | None, held: float, rule: PricingRule
) -> None:
    """Headroom is the 30 that nobody bought and α of the 40 that back spot sales, paid 1 USD an hour by the firm user alone."""
    case, run = tiered(plain_market, share=share), tiered_run(share)
    names = ("prices", "workload_prices", "awards", "placements", "headroom", "binding")
    owed = settle(case, **{name: getattr(run, name) for name in names}, recorded_at=datetime(2027, 2, 1, tzinfo=UTC), pricing=rule)
    lines = owed.statements.filter(pl.col("charge_code").cast(pl.String) == "reserve")
    paid = {who: float(amount) for who, amount in lines.select("participant", "amount").iter_rows()}
    assert paid == pytest.approx({"s": held, "bank": -held}, abs=1e-4)
    assert owed.ledger.frame.filter(pl.col("charge_code").cast(pl.String) == "reserve")["amount"].sum() == 0
    assert owed.ledger.frame["amount"].sum() == 0
    assert owed.checks["passed"].all()


def test_three_quadratic_costs_in_steps_share_a_load_alike(plain_market: Markets) -> None:
    """MATPOWER's ex_case3a: costs of 0.1 P² and a load of 450 give 150 each at 30. Reserve that is offered at a price has no place here."""
    steps_of = [
        {"offer_id": f"g{n}", "participant": f"g{n}", "step": step, "quantity": 10.0, "price": 0.2 * (10.0 * step - 5.0)}
        for n in (1, 2, 3) for step in range(1, 21)
    ]  # fmt: skip
    run = clear_horizons(plain_market(offers=steps_of, bids=[{"bid_id": "load", "quantity": 450.0, "value": 1000.0}]))
    sold = dict(run.awards.filter(pl.col("side") == "offer").group_by("participant").agg(pl.col("quantity").sum()).iter_rows())
    assert sold == pytest.approx({"g1": 150.0, "g2": 150.0, "g3": 150.0})
    assert run.prices.filter(pl.col("pricing") == "marginal")["price"].item() == pytest.approx(30.0, abs=1e-6)
