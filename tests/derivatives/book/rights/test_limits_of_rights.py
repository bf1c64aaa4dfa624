"""Rights in books beside what they become at their limits, and beside second methods."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog
from scipy.stats import beta

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Vector
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.derivatives import black
from tenorgrid.derivatives.book.kinds.rights.reliability import delivery_years
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.paths.model import PathModel, ornstein_uhlenbeck
from tenorgrid.derivatives.paths.simulation import simulate
from tenorgrid.derivatives.rights import least_squares, reliability
from tenorgrid.derivatives.rights.lattice import lattice
from tenorgrid.derivatives.rights.swing import Swing, value
from tenorgrid.derivatives.rights.tolling import Plant, schedule
from tenorgrid.derivatives.rights.tolling_program import program

Priced = Callable[..., BookValue]
US, EAST = "H100-SXM.US.FIRM", "H100-SXM.US-EAST.FIRM"
DAYS = (datetime(2027, 4, 3, 4, tzinfo=UTC), datetime(2027, 4, 5, 4, tzinfo=UTC))
BEGIN = 16 * 24  # hours from the valuation to April, on the clocks of UTC


def terms(**params: object) -> dict[str, object]:
    return {"params": json.dumps(params)}


@pytest.fixture(scope="module")
def april(curve: ForwardCurve) -> Vector:
    """Hourly forwards of April."""
    low, high = curve.places(*contract_dates(f"{US}:2027-04", timezone="America/New_York"))
    return curve.forward[low:high]


@pytest.fixture(scope="module")
def days(april: Vector) -> tuple[Vector, Vector, Vector]:
    """Forward of each day of April, years until it begins, discount to its end."""
    years = (BEGIN + 24 * np.arange(30)) / 8760
    return april.reshape(30, 24).mean(axis=1), years, np.exp(-0.04 * (years + 1 / 365))


def test_a_swing_that_must_take_all_is_the_forward_day_by_day(priced: Priced, days: tuple[Vector, Vector, Vector]) -> None:
    forward, _, discount = days
    found = priced("swing", "2027-04", 2.4, **terms(rights=30, minimum=30))
    assert found.value == pytest.approx(2400 * (discount * (forward - 2.4)).sum(), rel=1e-10)
    assert found.delta("month")["amount"][0] == pytest.approx(2400 * discount.sum(), rel=1e-10)
    assert found.gamma()["amount"].to_list() == pytest.approx([0.0] * found.gamma().height, abs=1e-4)


def test_a_swing_with_a_right_for_each_day_is_the_strip_of_black_s_calls(priced: Priced, days: tuple[Vector, Vector, Vector]) -> None:
    forward, years, discount = days
    strip = black.price(forward, np.full(30, 2.4), deviation=0.8 * np.sqrt(years), discount=2400 * discount)
    assert priced("swing", "2027-04", 2.4, **terms(rights=30)).value == pytest.approx(strip.sum(), rel=2e-3)


def test_a_swing_lies_between_the_best_europeans_and_bermudans(priced: Priced, days: tuple[Vector, Vector, Vector]) -> None:
    forward, years, discount = days
    strip = np.sort(black.price(forward, np.full(30, 2.4), deviation=0.8 * np.sqrt(years), discount=2400 * discount))
    worth = [priced("swing", "2027-04", 2.4, **terms(rights=n)).value for n in (1, 5, 10)]
    for n, one in zip((1, 5, 10), worth, strict=True):
        assert strip[-n:].sum() * (1 - 2e-3) <= one <= n * worth[0] + 1e-9


def test_a_swing_is_the_kernel_s_on_a_finer_chain_and_least_squares_on_paths(priced: Priced, days: tuple[Vector, Vector, Vector]) -> None:
    forward, years, discount = days
    chain = lattice(reversion=4.0, volatility=0.8, years=years, nodes=401)
    fine = value(Swing(maximum=8, minimum=3), chain=chain, forward=forward, strike=np.full(30, 2.4), discount=discount)
    found = priced("swing", "2027-04", 2.4, **terms(rights=8, minimum=3, reversion=4.0)).value
    assert found == pytest.approx(2400 * fine, rel=1e-3)
    model = PathModel(factors=ornstein_uhlenbeck(reversion=4.0, volatility=0.8))
    price = simulate(model, forward=forward[:, None], years=years, paths=6000, seed=3)[:, 0]
    drawn = least_squares.value(discount[:, None] * (price - 2.4), state=price[..., None], maximum=8, minimum=3)
    assert found == pytest.approx(2400 * drawn.value, abs=2400 * 3 * drawn.error)


def test_used_rights_are_gone_and_a_total_is_shared_by_the_hours(priced: Priced) -> None:
    left = priced("swing", "2027-04", 2.4, **terms(rights=8, minimum=3, used=5)).value
    assert left == pytest.approx(priced("swing", "2027-04", 2.4, **terms(rights=3)).value, rel=1e-12)
    total = priced("swing", "2027-04", 2.4, quantity=72_000.0, quantity_unit="total", **terms(rights=3)).value
    assert total == pytest.approx(left, rel=1e-12)


def test_a_profile_leaves_its_days_alone(priced: Priced, days: tuple[Vector, Vector, Vector], april: Vector) -> None:
    found = priced("swing", "2027-04", 2.4, profile="weekend", **terms(rights=8, minimum=8))
    weekend = np.array([datetime(2027, 4, n, tzinfo=UTC).weekday() >= 5 for n in range(1, 31)])
    assert weekend.sum() == 8
    assert found.value == pytest.approx(2400 * (days[2] * (days[0] - 2.4))[weekend].sum(), rel=1e-9)
    assert april.size == 720


def test_take_or_pay_is_the_best_of_a_linear_program(priced: Priced, april: Vector) -> None:
    discount = np.exp(-0.04 * (BEGIN + 1 + np.arange(720)) / 8760)
    margin = discount * (april - 2.51)
    for least, most in ((20_000.0, 50_000.0), (60_000.0, 72_000.0), (0.0, 100.0)):
        best = linprog(-margin, A_ub=[np.ones(720), -np.ones(720)], b_ub=[most, -least], bounds=(0.0, 100.0))
        found = priced("take-or-pay", "2027-04", 2.51, **terms(minimum=least, maximum=most))
        assert found.value == pytest.approx(margin @ np.asarray(best.x), abs=1e-6)
        assert found.vega().is_empty()


def test_take_or_pay_that_must_take_all_is_the_forward_and_a_shortfall_costs_its_price(priced: Priced, april: Vector) -> None:
    discount = np.exp(-0.04 * (BEGIN + 1 + np.arange(720)) / 8760)
    all_ = priced("take-or-pay", "2027-04", 2.4, **terms(minimum=72_000)).value
    assert all_ == pytest.approx(100 * (discount * (april - 2.4)).sum(), rel=1e-10)
    dear = priced("take-or-pay", "2027-04", 9.0, **terms(minimum=1000, shortfall=0.5, taken=400)).value
    assert dear == pytest.approx(-600 * 0.5 * discount[-1], rel=1e-12)


def test_a_reliability_option_without_penalty_is_a_cap(priced: Priced) -> None:
    found, cap = priced("reliability", "2027-04", 2.6), priced("cap", "2027-04", 2.6)
    assert found.value == pytest.approx(cap.value, rel=1e-10)
    assert found.delta("month")["amount"].sum() == pytest.approx(cap.delta("month")["amount"].sum(), rel=1e-10)
    assert found.gamma()["amount"].sum() == pytest.approx(cap.gamma()["amount"].sum(), rel=2e-3)
    assert found.vega()["amount"].sum() == pytest.approx(cap.vega()["amount"].sum(), rel=1e-4)
    assert found.theta() == pytest.approx(cap.theta(), rel=1e-3)


def test_a_penalty_is_that_of_the_characteristic_function(priced: Priced, april: Vector) -> None:
    years = (BEGIN + np.arange(720)) / 8760
    option = reliability.Reliability(
        strike=np.full(720, 2.6), quantity=np.full(720, 100.0), penalty=0.5, stop_loss=np.inf, year=np.zeros(720, np.intp)
    )
    closed = reliability.unlimited(
        option, model=PathModel(factors=ornstein_uhlenbeck(reversion=5.0, volatility=0.8)), forward=april, years=years,
        discount=np.exp(-0.04 * (years + 1 / 8760)), present=np.full(720, 0.9),
    )  # fmt: skip
    found = priced("reliability", "2027-04", 2.6, **terms(penalty=0.5, availability=0.9, reversion=5.0)).value
    assert found == pytest.approx(closed, rel=1e-5)


def test_a_stop_loss_rises_to_the_unlimited_and_what_was_paid_counts(priced: Priced, april: Vector) -> None:
    unlimited = priced("reliability", DAYS, 2.4).value
    limits = (0, 500, 2000, 1e9)
    worth = [priced("reliability", DAYS, 2.4, **terms(stop_loss=limit)).value for limit in limits]
    assert worth[0] == 0.0
    assert all(low < high for low, high in pairwise(worth))
    assert worth[-1] == pytest.approx(unlimited, rel=1e-2)
    assert all(one <= limit + 1e-9 for one, limit in zip(worth, limits, strict=True))
    rest = priced("reliability", DAYS, 2.4, **terms(stop_loss=2000, paid=1500)).value
    assert rest == pytest.approx(worth[1], rel=1e-12)
    assert april.size == 720


def test_a_stop_loss_is_the_kernel_s_on_other_paths(priced: Priced, curve: ForwardCurve) -> None:
    low, high = curve.places(*DAYS)
    years = (18 * 24 + np.arange(48)) / 8760
    model = PathModel(factors=ornstein_uhlenbeck(reversion=0.0, volatility=0.8))
    price = simulate(model, forward=curve.forward[low:high, None], years=years, paths=20_000, seed=5)[:, 0]
    option = reliability.Reliability(
        strike=np.full(48, 2.4), quantity=np.full(48, 100.0), penalty=0.5, stop_loss=1500.0, year=np.zeros(48, np.intp)
    )
    drawn = reliability.value(option, price=price, delivered=np.full((1, 1), 90.0), discount=np.exp(-0.04 * (years + 1 / 8760)))
    found = priced("reliability", DAYS, 2.4, **terms(penalty=0.5, availability=0.9, stop_loss=1500)).value
    assert found == pytest.approx(drawn.value, abs=4 * drawn.error)


def test_delivery_years_run_from_the_month_of_the_start() -> None:
    begins = pl.datetime_range(datetime(2027, 4, 1), datetime(2029, 6, 1), "1mo", time_zone="America/New_York", eager=True)
    years = delivery_years(begins, datetime(2027, 4, 1, 4, tzinfo=UTC))
    assert years.tolist() == [0] * 12 + [1] * 12 + [2] * 3


def test_tolling_without_starts_and_inputs_is_a_cap(priced: Priced) -> None:
    found = priced("tolling", DAYS, 2.4, index2=EAST, **terms(rate=0.0))
    assert found.value == pytest.approx(priced("cap", DAYS, 2.4).value, rel=2e-3)
    assert [name for name in found.delta("month")["bucket"] if " of " in name] == []


def test_tolling_at_known_prices_is_the_integer_program_and_chance_adds(
    priced: Priced, market: Market, curve: ForwardCurve, node: ForwardCurve
) -> None:
    low, high = curve.places(*DAYS)
    discount = np.exp(-0.04 * (18 * 24 + 1 + np.arange(48)) / 8760)
    spread = discount * (curve.forward[low:high] - 0.9 * node.forward[low:high] - 0.21)
    plant = Plant(least=50.0, most=100.0, run=6, rest=3)
    best = program(plant, spread=spread, start=30 * discount)
    more = {"rate": 0.9, "start_cost": 30, "minimum_run": 6, "minimum_rest": 3, "minimum_output": 0.5}
    known = priced("tolling", DAYS, 0.21, index2=EAST, **terms(method="intrinsic", **more)).value
    assert known == pytest.approx(best, rel=1e-7)
    chance = priced("tolling", DAYS, 0.21, index2=EAST, **terms(reversion=60, **more)).value
    model = PathModel(factors=ornstein_uhlenbeck(reversion=60.0, volatility=0.8))
    price = simulate(model, forward=curve.forward[low:high, None], years=(18 * 24 + np.arange(48)) / 8760, paths=4000, seed=1)[:, 0]
    drawn = discount[:, None] * (price - (0.9 * node.forward[low:high] + 0.21)[:, None])
    foresight = schedule(plant, spread=drawn, start=30 * discount[:, None]).value
    assert known < chance < foresight.mean()
    still = replace(market, volatility={US: 0.0, EAST: 0.0})
    assert priced("tolling", DAYS, 0.21, index2=EAST, on=still, **terms(**more)).value == pytest.approx(known, rel=1e-12)


def test_tolling_names_the_unit_of_its_output(priced: Priced) -> None:
    found = priced("tolling", DAYS, 0.1, index2=EAST, **terms(rate=0.9, unit="million tokens"))
    units = {
        (" of " in bucket, unit) for risk, bucket, unit in found.totals.select("risk", "bucket", "unit").iter_rows() if risk == "delta"
    }
    assert units == {(False, "million tokens"), (True, "GPU-hours"), (False, "USD per 0.01"), (True, "USD per 0.01")} | {
        (of, "lots") for of in (False, True)
    }


def test_a_lease_that_keeps_its_promise_is_a_swap_of_hours(priced: Priced) -> None:
    swap = priced("swap", "2027-Q2", 2.4, params='{"average": "hourly"}')
    lease = priced("lease", "2027-Q2", 2.4, **terms(promised=1, availability=1))
    assert lease.value == pytest.approx(swap.value, rel=1e-12)
    assert lease.delta("quote").equals(swap.delta("quote"))
    assert lease.theta() == pytest.approx(swap.theta(), rel=1e-12)


def test_rent_falls_with_availability_as_its_law_says(priced: Priced, april: Vector) -> None:
    factor, hours = np.exp(-0.04 * 46 / 365), 72_000
    sure = priced("lease", "2027-04", 2.4, **terms(promised=0.99, availability=0.95, slope=2, floor=0.5)).value
    assert sure == pytest.approx(factor * hours * (0.95 * april.mean() - 0.92 * 2.4), rel=1e-9)
    law = beta(0.95 * 40, 0.05 * 40)
    share = law.expect(lambda a: np.maximum(0.5, 1 - 2 * np.maximum(0.99 - a, 0)))
    chance = priced("lease", "2027-04", 2.4, **terms(promised=0.99, availability=0.95, slope=2, floor=0.5, concentration=40)).value
    assert chance == pytest.approx(factor * hours * (0.95 * april.mean() - share * 2.4), rel=1e-6)


def test_one_decision_without_cost_is_an_exchange_option(priced: Priced) -> None:
    """Margrabe: the same as an option on the spread of the two months at strike 0."""
    switch = priced("generation-switch", "2027-04", None, index2=EAST, **terms(ratio=0.95))
    more = {"option": "call", "expiry": datetime(2027, 4, 1, 4, tzinfo=UTC), "contract": None}
    span = contract_dates(f"{US}:2027-04", timezone="America/New_York")
    params = {"ratio": 1 / 0.95, "method": "exact", "average": "hourly"}
    exchange = priced("spread-option", span, 0.0, quantity=95.0, index=EAST, index2=US, **more, params=json.dumps(params))
    assert switch.value == pytest.approx(exchange.value, rel=2e-3)
    assert switch.theta() == pytest.approx(exchange.theta(), rel=2e-2)
    assert switch.correlation()["amount"][0] == pytest.approx(exchange.correlation()["amount"][0], rel=2e-2)


def test_more_dates_to_decide_on_are_worth_more_and_a_cost_less(priced: Priced) -> None:
    once, often = (
        priced("generation-switch", "2027-Q2", None, index2=EAST, **terms(ratio=0.95, decisions=by)) for by in ("start", "monthly")
    )
    assert 0 < once.value < often.value
    dear = priced("generation-switch", "2027-Q2", None, index2=EAST, **terms(ratio=0.95, cost=5000))
    assert once.value - 5000 < dear.value < once.value
