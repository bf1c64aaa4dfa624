"""Bad input and bad luck: each has a defined outcome, a result that its certificate vouches for or a refusal that says why."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.clearing.certificate import LIMIT
from tenorgrid.clearing.horizons import ClearingRun, Options, clear_horizons
from tenorgrid.clearing.rolling import clear_rolling
from tenorgrid.clearing.search import Limits
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError, SolverError
from tenorgrid.data.market_file import write_market
from tests.clearing.whole_markets import HOUR, START, random_whole_case, terms

USD = 1e-6
Plain = Callable[..., Case]
Command = Callable[..., Any]
Row = dict[str, Any]


def hours(first: int, end: int) -> Row:
    return {"start": START + first * HOUR, "end": START + end * HOUR}


def offer(name: str, quantity: float, price: float, **cells: Any) -> Row:
    return {"offer_id": name, "quantity": quantity, "price": price} | cells


def bid(name: str, quantity: float, value: float, **cells: Any) -> Row:
    return {"bid_id": name, "quantity": quantity, "value": value} | cells


def awarded(run: ClearingRun) -> dict[str, float]:
    return {name: float(q) for name, q in run.awards.group_by("id").agg(pl.col("quantity").sum()).iter_rows()}


def surplus(run: ClearingRun) -> float:
    return float(run.surplus.filter(pl.col("pricing") == "marginal")["total"].sum())


def prices(run: ClearingRun) -> list[float | None]:
    return run.prices.filter(pl.col("pricing") == "marginal").sort("start")["price"].to_list()


def says(run: ClearingRun, kind: str) -> list[str]:
    return run.binding.filter(pl.col("kind") == kind)["meaning"].to_list()


# gangs


@pytest.mark.parametrize("gang", [{"quantity": 50.0}, {"quantity": 8.0, "total": 7.0}, {"quantity": 8.0, "total": 0.0}])
def test_a_gang_that_cannot_be_served_is_not_accepted_and_the_others_trade(plain_market: Plain, gang: Row) -> None:
    wanted = {"bid_id": "g", "value": 9.0, "min_share": 1.0, **gang}
    run = clear_horizons(plain_market(offers=[offer("o", 10, 1)], bids=[wanted, bid("b", 3, 5)]))
    assert run.commitments.filter(side="bid")["on"].to_list() == [False]
    assert awarded(run) == {"o": 3.0, "b": 3.0}
    assert surplus(run) == pytest.approx(12.0, abs=USD)
    assert prices(run) == [pytest.approx(1.0, abs=USD)]  # what is not accepted has no say in a marginal price


def test_a_gang_of_nothing_and_a_block_of_nothing_change_nothing(plain_market: Plain) -> None:
    offers, bids = [offer("o", 10, 1)], [bid("b", 3, 5)]
    plain = clear_horizons(plain_market(offers=offers, bids=bids))
    with_nothing = clear_horizons(
        plain_market(
            offers=[*offers, offer("block", 0.0, 1, block=True), offer("none", 0.0, 2)],
            bids=[*bids, bid("gang", 0.0, 9, min_share=1.0), bid("flexible", 0.0, 9), bid("done", 2.0, 9, total=0.0)],
        )
    )
    assert awarded(with_nothing) == awarded(plain)
    assert surplus(with_nothing) == pytest.approx(surplus(plain), abs=USD)
    assert prices(with_nothing) == prices(plain)


# nothing to buy or to sell


@pytest.mark.parametrize("whole", [{}, {"min_share": 1.0}, {"total": 2.0}])
def test_an_hour_without_supply_is_priced_at_voll(plain_market: Plain, whole: Row) -> None:
    bids = [bid("a", 3, 5, **hours(0, 1)), bid("b", 3, 5, **hours(1, 2), **whole)]
    case = plain_market(offers=[offer("o", 10, 1, **hours(0, 1))], bids=bids)
    run = clear_horizons(case)
    assert prices(run) == [pytest.approx(1.0, abs=USD), 1000.0]
    assert says(run, "balance") == ["l1/g1/firm is bid for but not offered: VOLL"]


def test_an_hour_with_nothing_has_no_price(plain_market: Plain) -> None:
    outer = [hours(0, 1), hours(2, 3)]
    offers = [offer(f"o{n}", 10, 1, **window) for n, window in enumerate(outer)]
    run = clear_horizons(plain_market(offers=offers, bids=[bid(f"b{n}", 3, 5, **window) for n, window in enumerate(outer)]))
    assert prices(run) == [pytest.approx(1.0, abs=USD), None, pytest.approx(1.0, abs=USD)]
    assert run.binding.is_empty()


def test_a_market_without_offers_clears_to_nothing_at_voll(plain_market: Plain) -> None:
    run = clear_horizons(plain_market(bids=[bid("b", 3, 5, min_share=0.5)]))
    assert awarded(run) == {}
    assert prices(run) == [1000.0]


@pytest.mark.parametrize("whole", [{}, {"block": True}, {"start_cost": 4.0, "min_hours": 3}])
def test_an_offer_outside_every_bids_window_changes_nothing(plain_market: Plain, whole: Row) -> None:
    late = offer("late", 10, 0.5, **hours(4, 9), **whole)
    run = clear_horizons(plain_market(offers=[offer("o", 10, 1), late], bids=[bid("b", 3, 5)]))
    assert awarded(run) == {"o": 3.0, "b": 3.0}
    assert not run.commitments["on"].any()


def test_a_domain_larger_than_any_suppliers_is_worth_voll_and_the_binding_table_says_so(plain_market: Plain) -> None:
    case = plain_market(
        workloads=[{"workload": name, "class": "decode", "unit": "GPU-hour"} for name in ("w1", "vast")],
        recipes=[{"workload": name, "recipe": "r", "output_per_hour": 1.0, "domain": size} for name, size in (("w1", None), ("vast", 576))],
        recipe_resources=[{"workload": name, "recipe": "r", "resource": "g1", "per_hour": 1.0} for name in ("w1", "vast")],
        offers=[offer("o", 10, 1, domain=72)],
        bids=[bid("a", 3, 5), bid("b", 3, 9, workload="vast")],
    )
    run = clear_horizons(case)
    assert awarded(run) == {"o": 3.0, "a": 3.0}
    assert says(run, "domain") == ["l1/g1/firm/576 is bid for, but no offer has a domain of 576 or more: VOLL"]
    premium = run.domain_prices.filter(pl.col("pricing") == "marginal", domain=576)["premium"]
    assert premium.to_list() == [pytest.approx(999.0, abs=USD)]  # with λ, VOLL


# numbers


SIZES = [(1e-6, 1e9), (1e9, 1e-6), *(pytest.param(pair, marks=pytest.mark.slow) for pair in ((1e9, 1e9), (1e-6, 1e-6), (5.0, 1e9)))]
PRICES = [(1.0, 5.0), (1e-9, 1e6)]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("worths", PRICES)
def test_numbers_of_wildly_different_size_give_the_optimum_or_a_refusal(
    plain_market: Plain, sizes: tuple[float, float], worths: tuple[float, float], whole: bool
) -> None:
    """Against the optimum of the one node, worked out by hand: merit order, with each pair of commitments where there are some."""
    (offered, wanted), (cost, value) = sizes, worths
    start = {"o": 1e-6, "p": 1.0} if whole else {"o": 0.0, "p": 0.0}
    offers = [offer("o", offered, cost, start_cost=start["o"]), offer("p", 10.0, 2.0, start_cost=start["p"])]
    case = plain_market(terms(price_cap=1e6, voll=1e6), offers=offers, bids=[bid("b", wanted, value), bid("c", 4.0, 3.0)])
    try:
        run = clear_horizons(case)
    except SolverError:
        return  # a refusal is an answer, a wrong publication is not
    best = max(
        _merit([(row["quantity"], row["price"]) for row in offers if row["offer_id"] in on], [(wanted, value), (4.0, 3.0)])
        - sum(start[name] for name in on)
        for on in (("o", "p"), ("o",), ("p",), ())
    )
    assert surplus(run) == pytest.approx(best, rel=LIMIT, abs=LIMIT)
    assert run.certificate.select(pl.max_horizontal("primal", "dual", "complementarity", "gap")).item() <= LIMIT
    found = awarded(run)
    assert found.get("o", 0.0) + found.get("p", 0.0) == pytest.approx(found.get("b", 0.0) + found.get("c", 0.0), rel=LIMIT, abs=LIMIT)


def _merit(supply: list[tuple[float, float]], demand: list[tuple[float, float]]) -> float:
    """The largest surplus of one node: the cheapest hours meet the dearest work."""
    supply, demand, gained = sorted(supply, key=lambda s: s[1]), sorted(demand, key=lambda d: -d[1]), 0.0
    while supply and demand and demand[0][1] > supply[0][1]:
        traded = min(supply[0][0], demand[0][0])
        gained += traded * (demand[0][1] - supply[0][1])
        supply, demand = _less(supply, traded), _less(demand, traded)
    return gained


def _less(stack: list[tuple[float, float]], traded: float) -> list[tuple[float, float]]:
    left = stack[0][0] - traded
    return [(left, stack[0][1]), *stack[1:]] if left > 0.0 else stack[1:]


# limits


def test_a_time_limit_of_nothing_publishes_what_trades_without_whole_orders_and_says_so(plain_market: Plain) -> None:
    offers = [offer("o", 10, 2, block=True, start_cost=5.0), offer("p", 4, 3)]
    case = plain_market(offers=offers, bids=[bid("g", 5, 9, min_share=1.0), bid("b", 2, 6)])
    run = clear_horizons(case, options=Options(limits=Limits(seconds=0.0)))
    full = clear_horizons(case)
    assert not run.commitments["on"].any()
    assert awarded(run) == {"p": 2.0, "b": 2.0}
    assert "Time limit" in run.certificate["status"].item()
    scale = 1.0 + surplus(run)
    assert run.certificate["incumbent_gap"].item() >= (surplus(full) - surplus(run)) / scale - USD  # the gap hides nothing
    assert surplus(full) > surplus(run) + 1.0
    assert full.certificate["incumbent_gap"].item() <= 1e-9


@pytest.mark.parametrize("seed", [0, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 3, 4, 5))])
def test_whatever_the_limit_the_gap_covers_what_was_missed(seed: int) -> None:
    case = random_whole_case(seed, hours=2)
    full = surplus(clear_horizons(case))
    for limits in (Limits(nodes=0), Limits(seconds=0.0)):
        run = clear_horizons(case, options=Options(limits=limits))
        worst = run.certificate.select((pl.col("incumbent_gap").fill_null(0.0)).max()).item()
        assert surplus(run) <= full + USD
        assert full - surplus(run) <= worst * (1.0 + abs(full)) * run.certificate.height + USD
        assert run.certificate.select(pl.max_horizontal("primal", "dual", "complementarity", "gap")).max().item() <= LIMIT


# refusals


@pytest.mark.parametrize(
    ("wanted", "column", "expected"),
    [
        ({"linked_to": "nobody", "min_share": 1.0}, "linked_to", "a bid_id of bids that stands in real-time"),
        ({"value": 1e5}, "value", "price_cap of 1000"),
        ({"value": float("inf")}, "value", "a number"),
        ({"value": float("nan")}, "value", "a number"),
        ({"quantity": float("nan")}, "quantity", "a number of at least 0"),
        ({"quantity": -1.0}, "quantity", "a number of at least 0"),
    ],
)
def test_bids_that_break_a_rule_are_refused_where_they_stand(plain_market: Plain, wanted: Row, column: str, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        plain_market(offers=[offer("o", 10, 1)], bids=[bid("a", 1, 2), bid("b", 3, 5) | wanted])
    fault = next(fault for fault in refused.value.faults if fault.column == column)
    assert (fault.file, fault.row) == ("bids", 2)
    assert expected in fault.expected


def test_an_id_that_stands_twice_is_refused(plain_market: Plain) -> None:
    with pytest.raises(InputError, match=r"offers row 2.*row 1 has the same"):
        plain_market(offers=[offer("o", 10, 1), offer("o", 5, 2)], bids=[bid("b", 3, 5)])


@pytest.mark.parametrize("clear", [clear_horizons, clear_rolling])
def test_a_case_that_is_empty_before_as_of_is_refused(plain_market: Plain, clear: Callable[..., ClearingRun]) -> None:
    with pytest.raises(InputError, match="at least one bid at the horizons that are cleared"):
        clear(plain_market(offers=[offer("o", 10, 1)], bids=[bid("b", 3, 5)]), as_of=date(2020, 1, 1))


# from the command line


def written(case: Case, folder: Path, **changed: pl.DataFrame) -> Path:
    folder.mkdir()
    write_market(case.market, folder)
    names = ("locations", "resources", "workloads", "recipes", "recipe_resources", "offers", "bids")
    for name in names:
        changed.get(name, getattr(case, name)).write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return folder


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("linked_to", "nobody", "bids.csv row 1, column linked_to: found nobody"),
        ("value", float("nan"), "bids.csv row 1, column value: found"),
        ("quantity", float("inf"), "bids.csv row 1, column quantity: found"),
        ("value", 1e5, "bids.csv row 1, column value: found 100000"),
    ],
)
def test_a_case_that_breaks_a_rule_ends_with_1_and_one_clear_line(
    plain_market: Plain, command: Command, tmp_path: Path, column: str, value: Any, said: str
) -> None:
    case = plain_market(offers=[offer("o", 10, 1)], bids=[bid("g", 5, 9, min_share=1.0)])
    folder = written(case, tmp_path / "case", bids=case.bids.with_columns(pl.lit(value).alias(column)))
    done = command("clear", folder, "--out", tmp_path / "out")
    assert done.code == 1
    assert said in done.err
    assert "Traceback" not in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case"]  # nothing half-written


def test_a_gang_beyond_all_supply_and_an_hour_without_any_are_no_errors(plain_market: Plain, command: Command, tmp_path: Path) -> None:
    case = plain_market(offers=[offer("o", 10, 1, **hours(0, 1))], bids=[bid("g", 50, 9, min_share=1.0), bid("b", 3, 5, **hours(0, 2))])
    folder, out = written(case, tmp_path / "case"), tmp_path / "out"
    done = command("clear", folder, "--out", out, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["surplus"]["real-time"] == pytest.approx(12.0, abs=USD)
    found = pl.read_csv(out / "prices.csv").filter(pl.col("pricing") == "marginal")
    assert found["price"].to_list() == [pytest.approx(1.0, abs=USD), 1000.0]


def test_a_time_limit_of_nothing_is_said_from_the_command_line_too(plain_market: Plain, command: Command, tmp_path: Path) -> None:
    case = plain_market(offers=[offer("o", 10, 2, block=True, start_cost=5.0), offer("p", 4, 3)], bids=[bid("g", 5, 9, min_share=1.0)])
    folder, out = written(case, tmp_path / "case"), tmp_path / "out"
    done = command("clear", folder, "--out", out, "--time-limit", 0, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["worst_incumbent_gap"] > 1.0
    assert "Time limit" in pl.read_csv(out / "certificate.csv")["status"].item()
