"""Case folders whose README works the answer out by hand."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tenorgrid.clearing.horizons import ClearingRun
from tests.clearing.known_cases import CASES, cleared

START = datetime(2027, 1, 5, tzinfo=UTC)
USD = 1e-6


def price(run: ClearingRun, location: str, *, hour: int = 0, horizon: str = "real-time", tier: str = "firm", part: str = "price") -> float:
    here = run.prices.filter(pl.col("pricing") == "marginal", pl.col("start") == START + timedelta(hours=hour))
    return float(here.filter(location=location, horizon=horizon, tier=tier)[part].item())


def award(run: ClearingRun, name: str, *, hour: int = 0, horizon: str = "real-time") -> float:
    """Quantity of an offer, bid or virtual bid over all its steps."""
    here = run.awards.filter(pl.col("id") == name, pl.col("horizon") == horizon, pl.col("start") == START + timedelta(hours=hour))
    return float(here["quantity"].sum())


def parts(run: ClearingRun) -> dict[str, float]:
    row = run.surplus.filter(pl.col("pricing") == "marginal").row(0, named=True)
    return {name: row[name] for name in ("buyers", "suppliers", "congestion", "total")}


@pytest.mark.parametrize("folder", sorted(path.name for path in CASES.iterdir()))
def test_every_case_folder_says_how_its_answer_is_found(folder: str) -> None:
    assert (CASES / folder / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert cleared(folder).certificate["gap"].max() <= 1e-9  # type: ignore[operator]


def test_two_locations_by_hand() -> None:
    run = cleared("two-locations")
    assert price(run, "east") == pytest.approx(4.0, abs=USD)
    assert price(run, "west") == pytest.approx(1.0, abs=USD)
    assert {name: award(run, name) for name in ("cheap-east", "dear-east", "west", "bank", "lab")} == pytest.approx(
        {"cheap-east": 60.0, "dear-east": 0.0, "west": 90.0, "bank": 100.0, "lab": 50.0}
    )
    assert run.binding.select("kind", "key").rows() == [("link", "east>west")]
    assert run.binding["dual"].item() == pytest.approx(5.8, abs=USD)
    work = run.workload_prices.filter(pl.col("pricing") == "marginal").sort("home")
    assert work["price"].to_list() == pytest.approx([4.0, 1.0], abs=USD)
    assert parts(run) == pytest.approx({"buyers": 510.0, "suppliers": 120.0, "congestion": 116.0, "total": 746.0})
    placed = {(row["home"], row["location"]): row["work"] for row in run.placements.to_dicts()}
    assert placed == pytest.approx({("east", "east"): 60.0, ("east", "west"): 40.0, ("west", "west"): 50.0})
    cash = dict(run.awards.group_by(pl.col("side").cast(pl.String)).agg(pl.col("cash").sum()).iter_rows())
    assert cash == pytest.approx({"bid": -450.0, "offer": 330.0})


@pytest.mark.parametrize(("hour", "adder", "expected"), [(0, 10, 60), (1, 40, 90), (2, 40, 90), (3, 100, 150), (4, 100, 150)])
def test_reserve_steps(hour: int, adder: float, expected: float) -> None:
    run = cleared("reserve-steps")
    assert price(run, "east", hour=hour) == pytest.approx(expected, abs=USD)
    assert price(run, "east", hour=hour, part="scarcity") == pytest.approx(adder, abs=USD)
    assert price(run, "east", hour=hour, part="energy") == pytest.approx(50.0, abs=USD)
    held = run.headroom.filter(pl.col("start") == START + timedelta(hours=hour))
    load = [130.0, 150.0, 160.0, 175.0, 190.0][hour]
    assert held["headroom"].sum() == pytest.approx(200.0 - load)
    assert held.filter(participant="load")["use"].item() == pytest.approx(load)
    assert (held["headroom"] * held["price"]).sum() == pytest.approx([700.0, 2000.0, 1600.0, 2500.0, 1000.0][hour], rel=1e-6)


def test_market_coupling_and_an_island() -> None:
    run = cleared("market-coupling")
    assert [price(run, f"node{n}") for n in (1, 2, 3)] == pytest.approx([100.0, 50.0, 3000.0], abs=USD)
    assert [award(run, f"gen{n}") for n in (1, 2, 3)] == pytest.approx([500.0, 700.0, 400.0])
    assert [award(run, f"load{n}") for n in (1, 2, 3)] == pytest.approx([1000.0, 200.0, 400.0])
    assert run.binding.filter(pl.col("kind") == "link")["dual"].to_list() == pytest.approx([50.0], abs=USD)


def two_settlements(run: ClearingRun, name: str, hour: int) -> float:
    """Day-ahead quantity at its price, and the rest at the real-time one."""
    ahead, now = (award(run, name, hour=hour, horizon=horizon) for horizon in ("day-ahead", "real-time"))
    return ahead * price(run, "east", hour=hour, horizon="day-ahead") + (now - ahead) * price(run, "east", hour=hour)


def test_two_settlements_of_a_load_and_of_a_generator() -> None:
    run = cleared("two-settlement")
    ahead, now = ([price(run, "east", hour=hour, horizon=horizon) for hour in range(3)] for horizon in ("day-ahead", "real-time"))
    assert ahead == pytest.approx([20.0, 20.0, 30.0], abs=USD)
    assert now == pytest.approx([23.0, 22.0, 25.0], abs=USD)
    assert award(run, "load-0", horizon="day-ahead") == pytest.approx(100.0)
    assert award(run, "load-0") == pytest.approx(105.0)
    assert two_settlements(run, "load-0", 0) == pytest.approx(2115.0, abs=1e-3)
    assert award(run, "G-1", hour=1, horizon="day-ahead") == pytest.approx(200.0)
    assert award(run, "G-1", hour=1) == pytest.approx(195.0)
    assert two_settlements(run, "G-1", 1) == pytest.approx(3890.0, abs=1e-3)


def test_two_settlements_of_virtual_bids() -> None:
    run = cleared("two-settlement")
    assert award(run, "F-2", hour=2, horizon="day-ahead") == pytest.approx(100.0)
    assert award(run, "inc", hour=2, horizon="day-ahead") == pytest.approx(100.0)
    assert award(run, "dec", hour=2, horizon="day-ahead") == pytest.approx(100.0)
    assert award(run, "inc", hour=2) == award(run, "dec", hour=2) == 0.0
    assert two_settlements(run, "inc", 2) == pytest.approx(500.0, abs=1e-3)
    assert -two_settlements(run, "dec", 2) == pytest.approx(-500.0, abs=1e-3)
    sides = dict(run.awards.filter(pl.col("id").is_in(["inc", "dec"])).select(pl.col("side").cast(pl.String), "cash").iter_rows())
    assert sides == pytest.approx({"inc": 3000.0, "dec": -3000.0}, abs=1e-3)


def test_spot_and_firm_hours_from_one_inventory() -> None:
    run = cleared("spot-and-firm")
    assert price(run, "east") == pytest.approx(3.3, abs=USD)
    assert price(run, "east", tier="spot") == pytest.approx(28 / 9, abs=USD)
    assert price(run, "east", part="scarcity") == pytest.approx(1.0, abs=USD)
    assert price(run, "east", tier="spot", part="scarcity") == pytest.approx(8 / 9, abs=USD)
    sold = dict(run.awards.filter(pl.col("id") == "G").select("tier", "quantity").iter_rows())
    assert sold == pytest.approx({"firm": 30.0, "spot": 36.0})
    cash = dict(run.awards.filter(pl.col("side") == "bid").select("id", "cash").iter_rows())
    assert cash == pytest.approx({"firm-load": -99.0, "spot-load": -112.0}, abs=1e-3)
    held = dict(run.headroom.select("participant", "headroom").iter_rows())
    assert held == pytest.approx({"G": 38.0, "bank": 0.0})
