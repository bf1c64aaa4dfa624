"""Known answers of markets that are not convex, found by the Pyomo reference and by the oracle of the hull."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from tenorgrid.clearing.reference import reference_model
from tenorgrid.clearing.reference_solution import Reference, solve_reference
from tenorgrid.data.case import Case, check_case, make_case
from tenorgrid.data.errors import InputError
from tests.clearing.hull import bound, column_hull, disjoint_hull, duals, lost, made_whole, shortfall
from tests.clearing.known_cases import CASES, HOUR, NOW, START, expected, hourly, kind, known, linked, wanting
from tests.clearing.programs import Program, Vector, best, program, relaxed
from tests.clearing.seeds import few

USD = 1e-6
NODE = ("east", "h100-sxm", "firm")
TABLE = expected("modified-scarf")["optimum"]


def solved(case: Case) -> Reference:
    return solve_reference(case, horizon=NOW)


def posed(case: Case) -> Program:
    return program(reference_model(case, horizon=NOW))


def dual(of: Program, values: Vector, *row: Any) -> float:
    found: float = values[of.rows.index(row)]
    return found


def cost(case: Case, found: float) -> float:
    """What is spent, where all demand is met at a known worth."""
    return float(sum(row["quantity"] * row["value"] for row in case.bids.to_dicts())) - found


def on(found: Reference, *kinds: str) -> list[int]:
    return [sum(round(state) for (unit, _), state in found.committed.items() if kind(unit) == name) for name in kinds]


@pytest.mark.parametrize("name", sorted(path.parent.name for path in CASES.glob("*/expected.toml")))
def test_every_folder_with_an_expectation_is_sound_and_worked_out(name: str) -> None:
    assert check_case(known(name)) == []
    assert expected(name)
    assert (CASES / name / "README.md").read_text(encoding="utf-8").startswith("# ")


# Scarf


@pytest.mark.parametrize("row", few(expected("scarf")["optimum"], every=4), ids=lambda row: str(row["demand"]))
def test_scarf_at_every_demand(row: dict[str, Any]) -> None:
    case = wanting(known("scarf"), row["demand"])
    found = solved(case)
    assert cost(case, found.surplus) == pytest.approx(row["cost"], abs=USD)
    assert on(found, "smokestack", "high-tech") == row["units"]


def test_scarfs_start_prices_are_what_makes_units_whole_at_the_marginal_price() -> None:
    want = expected("scarf")["marginal"]
    case = wanting(known("scarf"), want["demand"])
    of, found = posed(case), solved(case)
    assert found.prices[*NODE, START] == pytest.approx(want["price"], abs=USD)
    point = np.array([_value(found, *column) for column in of.columns])
    paid = made_whole(of, duals(of, hours=1.0, prices=found.prices), point)
    running = [unit for (unit, _), state in found.committed.items() if state > 0.5]
    assert len(running) == 5
    assert {unit: paid[unit] for unit in running} == pytest.approx({unit: want["make_whole"][kind(unit)] for unit in running}, abs=USD)
    assert want["demand"] * want["price"] + sum(paid.values()) == pytest.approx(388.0, abs=USD)


def _value(found: Reference, name: str, *index: Any) -> float:
    """A solution by the names of the model's variables, where a market has one recipe, place and tier."""
    if name == "Y":
        return found.sold[index[0], index[1], index[2], index[3], index[4]]
    if name in {"u", "start"}:  # every window is one hour
        return found.committed[index[0], index[1]]
    return found.work[index[0], index[-1]]


# modified Scarf

UNITS = {"smokestack": (6, 16, 0, 53, 3), "high-tech": (5, 7, 0, 30, 2), "med-tech": (5, 6, 2, 0, 7)}  # how many, most, least, fixed, each


@cache
def counted(demand: int) -> tuple[float, list[list[int]]]:
    """Least cost by counting the units of each kind that are on (cheapest hours first, least outputs always), and all that have it.

    What blocks make beyond the demand is left over.
    """
    found = []
    for counts in product(*(range(many + 1) for many, *_ in UNITS.values())):
        left = max(demand - sum(count * least for count, (_, _, least, _, _) in zip(counts, UNITS.values(), strict=True)), 0)
        spent = sum(n * (fixed + least * each) for n, (_, _, least, fixed, each) in zip(counts, UNITS.values(), strict=True))
        for n, (_, most, least, _, each) in sorted(zip(counts, UNITS.values(), strict=True), key=lambda pair: pair[1][4]):
            taken = min(left, n * (most - least))
            left, spent = left - taken, spent + taken * each
        if left == 0:
            found.append((float(spent), list(counts)))
    least_cost = min(spent for spent, _ in found)
    return least_cost, [counts for spent, counts in found if spent == least_cost]


def hull_cost(demand: float) -> float:
    """What the demand costs at the average cost of each kind."""
    return min(demand, 35) * 44 / 7 + min(max(demand - 35, 0), 96) * 101 / 16 + max(demand - 131, 0) * 7


def hull_price(demand: float) -> Iterator[float]:
    """Prices that the hull may have: two of them between two stretches."""
    for stretch in expected("modified-scarf")["hull"]:
        if stretch["above"] <= demand <= stretch["below"]:
            yield stretch["price"]


@pytest.mark.parametrize("row", few(TABLE, every=4), ids=lambda row: str(row["demand"]))
def test_the_table_of_hogan_and_ring(row: dict[str, Any]) -> None:
    case = wanting(known("modified-scarf"), row["demand"])
    of, found = posed(case), solved(case)
    assert cost(case, found.surplus) == pytest.approx(row["cost"], abs=USD)
    assert row["units"] in counted(row["demand"])[1]  # at 140, two or three med-techs cost the same
    assert on(found, "smokestack", "high-tech", "med-tech") in counted(row["demand"])[1]
    hull = disjoint_hull(of)
    assert cost(case, hull.value) == pytest.approx(row["hull"], abs=USD)
    assert hull.value - found.surplus == pytest.approx(row["uplift"], abs=USD)
    price = dual(of, hull.dual, "balance", *NODE, START)
    low, *_, high = [*hull_price(row["demand"])] * 2
    assert low - USD <= price <= (high if row["demand"] < 161 else 100.0) + USD
    if "marginal" in row:
        assert found.prices[*NODE, START] == pytest.approx(row["marginal"]["price"], abs=USD)
        point = np.array([_value(found, *column) for column in of.columns])
        forgone = lost(of, duals(of, hours=1.0, prices=found.prices), point)
        assert sum(forgone.values()) == pytest.approx(row["marginal"]["lost_opportunity"], abs=USD)


def test_the_hull_at_every_demand_from_1_to_161() -> None:
    """The hull's value and price at each, the price never falling; the bound at its stretch's price is the hull's value."""
    template = posed(known("modified-scarf"))
    row = template.rows.index(("step", "load", 1, START))
    prices, gaps = [], {}
    for demand in range(1, 162):
        template.high[row] = demand
        value, _, rates = relaxed(template)  # start costs and blocks within one hour: the plain relaxation is the hull
        assert 100 * demand - value == pytest.approx(hull_cost(demand), abs=USD)
        prices.append(dual(template, rates, "balance", *NODE, START))
        admitted = list(hull_price(demand))
        assert admitted[0] - USD <= prices[-1] <= (admitted[-1] if demand < 161 else 100.0) + USD
        gaps[demand] = counted(demand)[0] - hull_cost(demand)
    assert (np.diff(prices) >= -USD).all()
    assert min(gaps.values()) >= -USD
    for first, name in ((1, "largest_gap"), (2, "largest_gap_from_2")):
        worst = max(range(first, 162), key=gaps.__getitem__)
        assert {"demand": worst, "uplift": gaps[worst]} == pytest.approx(expected("modified-scarf")[name])
    template.high[row] = 61
    assert bound(template, duals(template, hours=1.0, prices={(*NODE, START): 6.3125})) == pytest.approx(6100 - 384.125, abs=USD)


@pytest.mark.slow
def test_the_optimum_at_every_demand_is_that_of_counting_units() -> None:
    for demand in range(1, 162):
        case = wanting(known("modified-scarf"), demand)
        assert cost(case, solved(case).surplus) == pytest.approx(counted(demand)[0], abs=1e-5), demand


def test_no_single_price_has_less_lost_opportunity_than_the_hulls() -> None:
    for row in (TABLE[0], TABLE[5]):
        of = posed(wanting(known("modified-scarf"), row["demand"]))
        value = 100.0 * row["demand"] - row["cost"]
        away = [bound(of, duals(of, hours=1.0, prices={(*NODE, START): price})) - value for price in np.arange(5.5, 8.0, 0.5)]
        assert min(away) >= row["uplift"] - USD


@pytest.mark.slow
def test_all_demands_at_once_are_the_demands_one_by_one() -> None:
    rows = TABLE[:4]
    case = hourly(known("modified-scarf"), [row["demand"] for row in rows])
    assert check_case(case) == []
    assert cost(case, solved(case).surplus) == pytest.approx(sum(row["cost"] for row in rows), abs=USD)


# a unit with a start-up cost


def test_a_start_up_cost_hour_by_hour() -> None:
    case, want = known("start-up"), expected("start-up")
    of, found = posed(case), solved(case)
    hull = disjoint_hull(of)
    assert cost(case, found.surplus) == pytest.approx(sum(hour["cost"] for hour in want["hour"]), abs=USD)
    assert cost(case, hull.value) == pytest.approx(sum(hour["hull"] for hour in want["hour"]), abs=USD)
    for number, hour in enumerate(want["hour"]):
        start = START + number * HOUR
        assert dual(of, hull.dual, "balance", *NODE, start) == pytest.approx(hour["price"], abs=USD)
        assert (found.committed[f"b-{hour['demand']:.0f}", start] > 0.5) == hour["on"]
    _, point = best(of)
    forgone = lost(of, hull.dual, point)
    by_hour = [sum(forgone[f"{unit}-{hour['demand']:.0f}"] for unit in "ab") for hour in want["hour"]]
    assert by_hour == pytest.approx([hour["cost"] - hour["hull"] for hour in want["hour"]], abs=USD)


# blocks


def test_blocks_with_a_profile() -> None:
    want, of = expected("profile-blocks"), posed(known("profile-blocks"))
    found = solved(known("profile-blocks"))
    assert found.surplus == pytest.approx(want["surplus"], abs=USD)
    hull = column_hull(of)
    assert hull.value == pytest.approx(want["hull"], abs=USD)
    hours = [START + number * HOUR for number in range(3)]
    assert [dual(of, hull.dual, "balance", *NODE, hour) for hour in hours] == pytest.approx(want["prices"], abs=USD)
    assert [sum(work for (_, start), work in found.work.items() if start == hour) for hour in hours] == pytest.approx(want["volumes"])
    assert set(found.accepted.values()) == {1.0}


@pytest.mark.parametrize("choice", expected("linked-blocks")["choice"], ids=lambda choice: "-".join(choice["accepted"]) or "none")
def test_linked_blocks(choice: dict[str, Any]) -> None:
    want, case = expected("linked-blocks"), linked(choice["values"])
    of, found = posed(case), solved(case)
    assert sorted(bid for bid, state in found.accepted.items() if state > 0.5) == sorted(choice["accepted"])
    assert found.surplus == pytest.approx(want["without"] + choice["gains"], abs=USD)
    hull = column_hull(of)
    assert hull.value == pytest.approx(found.surplus, abs=USD)
    assert [dual(of, hull.dual, "balance", *NODE, START + n * HOUR) for n in range(2)] == pytest.approx([want["price"]] * 2, abs=USD)
    _, point = best(of)
    assert sum(made_whole(of, hull.dual, point).values()) == pytest.approx(0.0, abs=USD)


# scarcity, networks, quadratic costs


@pytest.mark.parametrize("name", ["scarcity-curve", "scarcity-curve-with-a-mean"])
def test_a_scarcity_curve(name: str) -> None:
    """The headrooms lie between two steps of 10: the dual is the price of either, and the curve's value lies between the two."""
    want, found = expected(name), solved(known(name))
    terms = known(name).market.scarcity
    assert terms is not None
    for number, hour in enumerate(want["hour"]):
        start = START + number * HOUR
        adder = found.adders["us-east", "h100-sxm", start]
        slope = 0.5 * (known(name).market.voll - terms.reference_price) / terms.sd  # the normal density is below 0.4
        assert adder == pytest.approx(hour["adder"], abs=slope * 5.0 + want["within"])
        assert found.prices[*NODE, start] == pytest.approx(want["energy"] + adder, abs=USD)


def test_two_buses() -> None:
    want, found = expected("two-buses"), solved(known("two-buses"))
    assert found.surplus == pytest.approx(want["surplus"], abs=USD)
    assert {place: found.prices[place, "h100-sxm", "firm", START] for place in "abc"} == pytest.approx(
        {place: want["prices"][place] for place in "abc"}, abs=USD
    )
    assert found.congestion["b>a", START] == pytest.approx(want["congestion"], abs=USD)
    assert found.congestion["d>c", START] == pytest.approx(0.0, abs=USD)
    sold = {unit: hours for (unit, *_), hours in found.sold.items()}
    assert sold == pytest.approx(want["sold"], abs=USD)


def test_quadratic_costs_in_steps() -> None:
    want, found = expected("quadratic-costs"), solved(known("quadratic-costs"))
    low, high = want["price"]
    assert found.surplus == pytest.approx(want["surplus"], abs=USD)
    assert low - USD <= found.prices[*NODE, START] <= high + USD
    sold = [sum(hours for (unit, *_), hours in found.sold.items() if unit == name) for name in ("g1", "g2", "g3")]
    assert sold == pytest.approx([want["sold"]] * 3)


# what hull prices may do, and packages


def test_a_unit_that_is_off_sets_the_hull_price() -> None:
    case, want = known("unit-that-is-off"), expected("unit-that-is-off")
    of, found = posed(case), solved(case)
    hull, (value, point) = column_hull(of), best(of)
    assert (value, hull.value) == pytest.approx((want["surplus"], want["hull"]), abs=USD)
    assert found.committed["large", START] == 0.0
    rates = {"marginal": duals(of, hours=1.0, prices=found.prices), "convex-hull": hull.dual}
    for rule, rate in rates.items():
        assert dual(of, rate, "balance", *NODE, START) == pytest.approx(want["prices"][rule], abs=USD)
        forgone = {owner: amount for owner, amount in lost(of, rate, point).items() if amount > USD}
        assert forgone == pytest.approx(want["lost_opportunity"][rule], abs=USD)
    paid = {owner: amount for owner, amount in made_whole(of, hull.dual, point).items() if amount > USD}
    assert paid == pytest.approx(want["make_whole"]["convex-hull"], abs=USD)


def test_a_link_that_is_empty_has_a_hull_price() -> None:
    want, of = expected("link-that-is-empty"), posed(known("link-that-is-empty"))
    hull, (value, point) = column_hull(of), best(of)
    assert (value, hull.value) == pytest.approx((want["surplus"], want["hull"]), abs=USD)
    assert dual(of, hull.dual, "link", "out", START) == pytest.approx(want["congestion"], abs=USD)
    assert shortfall(of, hull.dual, point) == pytest.approx(want["shortfall"], abs=USD)
    for place, price in want["prices"].items():
        assert dual(of, hull.dual, "balance", place, "h100-sxm", "firm", START) == pytest.approx(price, abs=USD)


def test_packages() -> None:
    want, of = expected("packages"), posed(known("packages"))
    found = solved(known("packages"))
    assert found.surplus == pytest.approx(want["surplus"], abs=USD)
    assert sorted(bid for bid, state in found.accepted.items() if state > 0.5) == want["winners"]
    hull = disjoint_hull(of)
    assert hull.value == pytest.approx(want["hull"], abs=USD)
    a, b = (dual(of, hull.dual, "balance", "core", good, "firm", START) for good in ("good-a", "good-b"))
    assert 14 - USD <= a <= 28 + USD
    assert 12 - USD <= b <= 20 + USD
    assert a + b >= 32 - USD
    assert 31 - USD <= dual(of, hull.dual, "balance", "single", "good-a", "firm", START) <= 42 + USD


def test_a_demand_below_nothing_is_refused() -> None:
    case = known("scarf")
    with pytest.raises(InputError, match=r"column quantity: found -1\.0"):
        make_case(case.market, wanting(case, -1).tables())
