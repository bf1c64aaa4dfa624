"""Constraints of the user's: against the same constraint added to the reference by hand, what their duals say, and what is refused."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyomo.environ as pyo
import pytest

import tenorgrid as tg
from tenorgrid.clearing.horizons import ClearingRun, Options, clear_horizons
from tenorgrid.clearing.reference import reference_model
from tenorgrid.clearing.reference_solution import solve_model
from tenorgrid.clearing.rolling import clear_rolling
from tenorgrid.data.case import Case, write_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.extra import ExtraRows
from tests.clearing.conftest import plain_case
from tests.clearing.seeds import few
from tests.clearing.whole_markets import HOUR, START, random_whole_case

USD = 1e-6
NOW = "real-time"
Plain = Callable[..., Case]
Row = dict[str, Any]
BLANK: Row = dict.fromkeys(ExtraRows.column_names()) | {"row": "mine", "coefficient": 1.0}
NUMBERS: dict[str, Any] = {"step": pl.Int64(), "start": pl.Datetime("us", "UTC")}
NUMBERS |= {name: pl.Float64() for name in ("coefficient", "lower", "upper")}
SCHEMA = pl.Schema([(name, NUMBERS.get(name, pl.String())) for name in BLANK])


def extra(*terms: Row) -> pl.DataFrame:
    return pl.DataFrame([BLANK | term for term in terms], schema=SCHEMA)


def hours(first: int, end: int) -> Row:
    return {"start": START + first * HOUR, "end": START + end * HOUR}


def offer(name: str, quantity: float, price: float, **cells: Any) -> Row:
    return {"offer_id": name, "quantity": quantity, "price": price} | cells


def bid(name: str, quantity: float, value: float, **cells: Any) -> Row:
    return {"bid_id": name, "quantity": quantity, "value": value} | cells


def cleared(case: Case, *terms: Row) -> ClearingRun:
    return clear_horizons(case, options=Options(extra_rows=extra(*terms)))


def surplus(run: ClearingRun) -> float:
    return float(run.surplus.filter(pl.col("pricing") == "marginal")["total"].sum())


def terms_of(model: Any, term: Row, t: Any = None) -> Any:
    """What a term multiplies, in the variables of the reference: summed over all intervals where `t` is None."""

    def fits(*pairs: tuple[Any, Any]) -> bool:
        return all(wanted is None or wanted == has for wanted, has in pairs)

    now = term.get("start") or t
    if term["kind"] == "offer":
        names = ("id", "resource", "step", "tier")
        return sum(var for key, var in model.Y.items() if fits(*zip(map(term.get, names), key[:4], strict=True), (now, key[4])))
    if term["kind"] == "bid":
        names = ("id", "step", "tier")  # type: ignore[assignment]
        return sum(var for key, var in model.m.items() if fits(*zip(map(term.get, names), key[:3], strict=True), (now, key[3])))
    if term["kind"] == "accepted":
        return model.w[term["id"]]
    return sum(var for key, var in model.u.items() if fits((term["id"], key[0]), (now, key[1])))


def reference(case: Case, *terms: Row) -> float:
    """The surplus of the reference with one constraint, written with its own variables."""
    model = reference_model(case, horizon=NOW)
    first = BLANK | terms[0]
    whole_run = first["span"] == "run"
    model.mine = pyo.ConstraintList()
    for t in [None] if whole_run else sorted({key[-1] for key in model.m}):
        here = [term for term in terms if whole_run or term.get("start") in (None, t)]
        total = sum((BLANK | term)["coefficient"] * terms_of(model, term, t) for term in here)
        if not isinstance(total, (int, float)):
            model.mine.add(pyo.inequality(first["lower"], total * (float(model.hours) if whole_run else 1.0), first["upper"]))
    return solve_model(model).surplus


def market(plain_market: Plain) -> Case:
    """Three hours with two divisible offers, one that is committed, a gang and a flexible bid."""
    offers = [
        offer("o", 10, 1.0, **hours(0, 3)),
        offer("o", 5, 1.5, step=2, **hours(0, 3)),
        offer("p", 10, 3.0, **hours(0, 3)),
        offer("u", 8, 0.5, start_cost=4.0, **hours(0, 3)),
    ]
    bids = [bid("b", 12, 5.0, **hours(0, 3)), bid("g", 4, 6.0, min_share=0.5, **hours(0, 2)), bid("f", 9, 4.0, total=14.0, **hours(0, 3))]
    return plain_market(offers=offers, bids=bids)


CONSTRAINTS: dict[str, list[Row]] = {
    "an offer in every interval": [{"kind": "offer", "id": "o", "upper": 7.0}],
    "a step of an offer": [{"kind": "offer", "id": "o", "step": 2, "upper": 1.0}],
    "an offer at one hour": [{"kind": "offer", "id": "u", "start": START + HOUR, "upper": 3.0}],
    "an offer over the run": [{"kind": "offer", "id": "u", "upper": 11.0, "span": "run"}],
    "a tier that is named": [{"kind": "offer", "id": "o", "tier": "firm", "resource": "g1", "upper": 6.0}],
    "a bid at least": [{"kind": "bid", "id": "f", "lower": 4.5}],
    "an equality": [{"kind": "offer", "id": "p", "lower": 2.5, "upper": 2.5}],
    "an equality over the run": [{"kind": "bid", "id": "f", "lower": 10.0, "upper": 10.0, "span": "run"}],
    "two terms": [{"kind": "offer", "id": "o", "upper": 2.0}, {"kind": "offer", "id": "u", "coefficient": -1.0, "upper": 2.0}],
    "no gang": [{"kind": "accepted", "id": "g", "upper": 0.0}],
    "both or neither": [{"kind": "accepted", "id": "g", "lower": 0.0, "upper": 0.0, "start": START}]
    + [{"kind": "committed", "id": "u", "coefficient": -1.0, "lower": 0.0, "upper": 0.0, "start": START}],
    "few hours on": [{"kind": "committed", "id": "u", "upper": 1.0, "span": "run"}],
}


@cache
def unconstrained() -> float:
    return surplus(clear_horizons(market(plain_case)))


@pytest.mark.parametrize("name", few(CONSTRAINTS))
def test_the_surplus_is_that_of_the_reference_with_the_constraint_added(plain_market: Plain, name: str) -> None:
    case = market(plain_market)
    found = surplus(cleared(case, *CONSTRAINTS[name]))
    assert found == pytest.approx(reference(case, *CONSTRAINTS[name]), abs=USD)
    if name != "both or neither":  # which the optimum keeps anyway
        assert found < unconstrained() - 0.1


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 4))])
def test_constraints_on_random_markets_are_those_of_the_reference(seed: int) -> None:
    case, rng = random_whole_case(seed, hours=2), np.random.default_rng(seed)
    plain = clear_horizons(case)
    sold = plain.awards.filter(pl.col("side") == "offer").group_by("id", maintain_order=True).agg(pl.col("quantity").sum())
    name, quantity = sold.row(int(rng.integers(sold.height)))
    term = {"kind": "offer", "id": name, "upper": 0.4 * quantity, "span": ["run", None][seed % 2]}
    assert surplus(cleared(case, term)) == pytest.approx(reference(case, term), rel=1e-7, abs=USD)


def test_a_level_counts_hours_of_its_recipe_wherever_it_runs(plain_market: Plain) -> None:
    case = plain_market(
        recipes=[{"workload": "w1", "recipe": name, "output_per_hour": made} for name, made in (("slow", 1.0), ("fast", 2.0))],
        recipe_resources=[
            {"workload": "w1", "recipe": name, "resource": "g1", "per_hour": use} for name, use in (("slow", 1.0), ("fast", 1.5))
        ],
        offers=[offer("o", 30, 1)],
        bids=[bid("b", 20, 5)],
    )
    level = {"kind": "level", "workload": "w1", "recipe": "fast", "location": "l1", "home": "l1", "tier": "firm", "upper": 4.0}
    run = cleared(case, level)
    assert dict(run.placements.select("recipe", "level").iter_rows()) == pytest.approx({"fast": 4.0, "slow": 12.0})
    assert surplus(run) == pytest.approx(20 * 5 - 4 * 1.5 - 12)
    assert run.binding.filter(kind="extra")["dual"].to_list() == [pytest.approx(2.0 - 1.5)]  # two units by hand cost 2, not 1.5
    one = plain_market(offers=[offer("o", 30, 1)], bids=[bid("b", 20, 5)])  # a pool of one recipe is counted in work by the engine
    assert surplus(cleared(one, {"kind": "level", "workload": "w1", "upper": 6.0})) == pytest.approx(6 * 4)


def test_half_hours_count_half_in_a_run_and_whole_in_an_interval(plain_market: Plain, market_terms: Callable[..., Any]) -> None:
    from tenorgrid.data.terms.market import REAL_TIME

    terms = market_terms(interval=HOUR / 2, horizons=(REAL_TIME,))
    case = plain_market(terms, offers=[offer("o", 10, 1, **hours(0, 1))], bids=[bid("b", 8, 5, **hours(0, 1))])
    assert surplus(cleared(case, {"kind": "offer", "id": "o", "upper": 3.0, "span": "run"})) == pytest.approx(3 * 4)
    assert surplus(cleared(case, {"kind": "offer", "id": "o", "upper": 3.0})) == pytest.approx(3 * 4)
    term = {"kind": "bid", "id": "b", "upper": 3.0, "span": "run"}
    assert surplus(cleared(case, term)) == pytest.approx(reference(case, term), abs=USD)


@pytest.mark.parametrize(
    "name",
    ["an offer over the run", "an equality"]
    + [pytest.param(name, marks=pytest.mark.slow) for name in ("an offer in every interval", "a bid at least", "two terms")],
)
def test_the_dual_is_what_one_more_unit_of_the_bound_is_worth(plain_market: Plain, name: str) -> None:
    """The change of surplus with the bound, both ways, the decisions that are whole held as they are."""
    case, terms, step = market(plain_market), CONSTRAINTS[name], 1e-3

    def moved(by: float) -> float:
        return surplus(cleared(case, *(term | {edge: term[edge] + by for edge in ("lower", "upper") if edge in term} for term in terms)))

    published = cleared(case, *terms).binding.filter(kind="extra")
    up, down = (moved(step) - moved(0.0)) / step, (moved(0.0) - moved(-step)) / step
    assert up <= down + 1e-5
    assert up - 1e-5 <= published["dual"].sum() <= down + 1e-5
    assert published["meaning"].str.contains("constraint mine holds").all()


def test_a_constraint_joins_the_hours_of_a_run(plain_market: Plain) -> None:
    case = plain_market(offers=[offer("o", 10, 1, **hours(0, 2))], bids=[bid("a", 5, 3, **hours(0, 1)), bid("b", 5, 4, **hours(1, 2))])
    run = cleared(case, {"kind": "offer", "id": "o", "upper": 7.0, "span": "run"})
    assert run.certificate["hours"].to_list() == [2]
    assert dict(run.awards.filter(pl.col("side") == "bid").select("id", "quantity").iter_rows()) == pytest.approx({"a": 2.0, "b": 5.0})
    assert run.prices.filter(pl.col("pricing") == "marginal")["price"].to_list() == [pytest.approx(3.0), pytest.approx(3.0)]


def test_rows_in_every_interval_hold_in_a_rolling_run_and_rows_over_the_run_are_refused(plain_market: Plain) -> None:
    case, rows = market(plain_market), extra({"kind": "offer", "id": "o", "upper": 7.0})
    one, rolled = clear_horizons(case, options=Options(extra_rows=rows)), clear_rolling(case, step=HOUR, options=Options(extra_rows=rows))
    assert surplus(rolled) == pytest.approx(surplus(one), abs=USD)
    with pytest.raises(InputError, match="as no step sees the whole run"):
        clear_rolling(case, step=HOUR, options=Options(extra_rows=extra(*CONSTRAINTS["an offer over the run"])))


def test_no_rows_change_nothing(plain_market: Plain) -> None:
    case = market(plain_market)
    assert clear_horizons(case, options=Options(extra_rows=extra())).prices.equals(clear_horizons(case).prices)


# refusals


@pytest.mark.parametrize(
    ("terms", "column", "expected"),
    [
        ([{"kind": "offer", "id": "nobody", "upper": 1.0}], "id", "the id of offers of the case"),
        ([{"kind": "committed", "id": "o", "upper": 1.0}], "id", "an offer with a start cost, a least run or a block"),
        ([{"kind": "accepted", "id": "b", "upper": 1.0}], "id", "a gang of the case"),
        ([{"kind": "level", "workload": "nothing", "upper": 1.0}], "workload", "the workload of levels of the case"),
        ([{"kind": "level", "workload": "w1", "recipe": "none", "upper": 1.0}], "recipe", "a recipe of w1"),
        ([{"kind": "level", "workload": "w1", "home": "mars", "upper": 1.0}], "home", "a location of the case, or *"),
        ([{"kind": "offer", "id": "o", "step": 3, "upper": 1.0}], "step", "a step of o"),
        ([{"kind": "offer", "id": "o", "tier": "gold", "upper": 1.0}], "tier", "a tier of the case"),
        ([{"kind": "offer", "id": "o", "start": START + HOUR / 2, "upper": 1.0}], "start", "the first instant of an interval"),
        ([{"kind": "offer", "id": "o", "upper": 1.0}, {"kind": "offer", "id": "p", "upper": 2.0}], "upper", "the same upper on all terms"),
        ([{"kind": "offer", "id": "o", "upper": 1.0}, {"kind": "offer", "id": "p", "upper": 1.0, "span": "run"}], "span", "the same span"),
        ([{"kind": "offer", "id": "o"}], "", "a lower or an upper bound"),
        ([{"kind": "offer", "id": "o", "lower": 2.0, "upper": 1.0}], "", "no lower above the upper one"),
        ([{"kind": "offer", "upper": 1.0}], "", "an id"),
        ([{"kind": "level", "upper": 1.0}], "", "which have a workload and no id"),
        ([{"kind": "offer", "id": "o", "coefficient": float("nan"), "upper": 1.0}], "coefficient", "a number"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(plain_market: Plain, terms: list[Row], column: str, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        cleared(market(plain_market), *terms)
    found = [fault for fault in refused.value.faults if (not column or fault.column == column) and expected in fault.expected]
    assert [(fault.file, fault.row) for fault in found] == [("extra_rows", len(terms))]


@pytest.mark.parametrize(
    ("term", "said"),
    [
        (
            {"kind": "offer", "id": "o", "lower": 50.0, "start": START},
            "at 2027-01-05T00:00Z at real-time it is at best 35 short of its lower",
        ),
        ({"kind": "accepted", "id": "g", "lower": 0.4, "upper": 0.7, "span": "run"}, "over the run at real-time it is at best 0.3 over"),
        ({"kind": "bid", "id": "f", "lower": 16.0, "span": "run"}, "over the run at real-time it is at best 2 short of its lower"),
    ],
)
def test_a_constraint_that_nothing_can_meet_is_named(plain_market: Plain, term: Row, said: str) -> None:
    harmless = {"row": "harmless", "kind": "offer", "id": "p", "upper": 100.0}
    with pytest.raises(InputError) as refused:
        cleared(market(plain_market), harmless, term)
    assert {fault.value for fault in refused.value.faults} == {"mine"}
    assert said in str(refused.value)


# from the command line and from Python


def test_a_file_of_constraints_is_cleared_with(plain_market: Plain, command: Callable[..., Any], tmp_path: Path) -> None:
    case = market(plain_market)
    write_case(case, tmp_path / "case")
    terms = CONSTRAINTS["an offer in every interval"]
    extra(*terms).write_csv(tmp_path / "mine.csv")
    done = command("clear", tmp_path / "case", "--extra-rows", tmp_path / "mine.csv", "--out", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    by_hand = tg.clear(case, extra_rows=extra(*terms))
    assert json.loads(done.out)["surplus"][NOW] == pytest.approx(by_hand.surplus.filter(pricing="marginal")["total"].item())
    assert "constraint mine holds" in (tmp_path / "out" / "binding.csv").read_text()
    assert "mine.csv" in (tmp_path / "out" / "manifest.json").read_text()

    extra(*(term | {"lower": 50.0, "upper": None} for term in terms)).write_csv(tmp_path / "mine.csv")
    refused = command("clear", tmp_path / "case", "--extra-rows", tmp_path / "mine.csv", "--out", tmp_path / "none")
    assert refused.code == 1
    assert "a constraint that can be met" in refused.err
    assert not (tmp_path / "none").exists()
