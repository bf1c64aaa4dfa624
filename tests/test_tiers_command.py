"""`tenorgrid tiers` and the same from Python."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.errors import InputError
from tenorgrid.data.store import read_table
from tenorgrid.data.tables import tiering as tables
from tenorgrid.data.tables.case import Tiers
from tenorgrid.data.terms.market import REAL_TIME

NAMES = {
    "tiers": Tiers, "estimates": tables.TierEstimates, "nested": tables.Nested, "credits": tables.Credits,
    "availability": tables.Availability, "pools": tables.Pools, "promise_curve": tables.PromiseCurve, "backtest": tables.Backtest,
    "pooling": tables.PoolingBands, "pooling_curve": tables.PoolingCurve,
}  # fmt: skip
HOURS = 240


def presence() -> pl.DataFrame:
    """Two pools of four suppliers that are in or out for stretches of six hours, synthetic."""
    rng = np.random.default_rng(5)
    start = datetime(2027, 1, 1, tzinfo=UTC)
    rows = [
        {"pool": pool, "supplier": f"s{member}", "start": start + timedelta(hours=6 * part), "end": start + timedelta(hours=6 * part + 6),
         "share": float(rng.random() < (0.85 if pool == "good" else 0.6)), "listed": 10.0 * (member + 1)}
        for pool in ("good", "poor") for member in range(4) for part in range(HOURS // 6)
    ]  # fmt: skip
    return pl.DataFrame(rows)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "presence.csv"
    times = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%SZ") for name in ("start", "end")]
    presence().with_columns(times).write_csv(path)
    return path


def test_the_command_writes_every_table_a_page_and_a_manifest(record: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    out = tmp_path / "out"
    done = command("tiers", record, "--tier", "spot=0.1", "--tier", "flex=0.3", "--pool", "good", "--out", out, "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    found = {name: read_table(out, name, schema) for name, schema in NAMES.items()}
    assert said["pool"] == "good"
    assert said["tiers"] == found["tiers"].to_dicts()
    assert {path.name for path in out.iterdir()} == {*(f"{name}.csv" for name in NAMES), "tiers.html", "manifest.json"}
    settings = json.loads((out / "manifest.json").read_text())["settings"]
    assert (settings["pool"], settings["promises"]) == ("good", {"spot": 0.1, "flex": 0.3})
    page = (out / "tiers.html").read_text()
    assert "Synthetic data." not in page  # whoever owns a record knows what it is
    assert re.findall(r'<figure id="([a-z-]+)"', page) == [
        "promise-curve", "estimates", "nested", "bands", "by-size", "held-out", "backtest-rows", "availability", "credits", "pools-rows",
    ]  # fmt: skip
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.?https?://", page)


def test_python_gives_the_same_tables(record: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    command("tiers", record, "--tier", "spot=0.1", "--out", tmp_path / "out")
    study = tg.tiers(presence(), promises={"spot": 0.1})
    assert set(study.tables()) == set(NAMES)
    for name, schema in NAMES.items():
        assert read_table(tmp_path / "out", name, schema).equals(getattr(study, name)), name


def test_shares_take_the_nested_amounts_and_all_takes_the_least_pool(record: Path, tmp_path: Path, command: Callable[..., Any]) -> None:
    shares = ("--share", "spot=0.7", "--share", "flex=0.3")
    tiers = ("--tier", "spot=0.1", "--tier", "flex=0.4")
    assert command("tiers", record, *tiers, *shares, "--pool", "good", "--out", tmp_path / "a").code == 0
    nested = read_table(tmp_path / "a", "nested", tables.Nested).filter(pl.col("pool") == "good").sort("promise")
    assert read_table(tmp_path / "a", "tiers", Tiers)["overcommit"].to_list()[1:] == nested["overcommit"].to_list()
    study = tg.tiers(presence(), promises={"flex": 0.4}, pool="all")
    assert study.tiers["overcommit"][1] == study.estimates["overcommit"].min()


def test_a_tier_that_cannot_be_sold_is_said_and_left_out(tmp_path: Path, command: Callable[..., Any]) -> None:
    """One supplier that is gone two fifths of the time cannot promise that one hour in ten is interrupted."""
    lone = tmp_path / "lone.parquet"
    presence().filter(pool="poor", supplier="s0").write_parquet(lone)
    done = command("tiers", lone, "--tier", "spot=0.1", "--tier", "flex=0.6", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "nothing can be sold as spot" in done.out
    assert read_table(tmp_path / "out", "tiers", Tiers)["tier"].to_list() == ["firm", "flex"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--tier", "spot"), 2, "NAME=number"),
        (("--tier", "spot=0.1", "--tier", "spot=0.2"), 2, "each name once"),
        (("--tier", "spot=1.5"), 1, "a promise above 0 and below 1"),
        (("--pool", "best"), 1, "all or one of good, poor"),
        (("--periods", "1"), 2, "periods"),
        (("--share", "spot-02=1"), 1, "a share for each of"),
        (("--cleared", "nowhere"), 1, "with case/ in it"),
        (("--case", "nowhere"), 1, "the folder of a market case"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(
    record: Path, tmp_path: Path, command: Callable[..., Any], arguments: tuple[str, ...], code: int, told: str
) -> None:
    done = command("tiers", record, *arguments, "--out", tmp_path / "out")
    assert done.code == code
    assert told in re.sub(r"[\s│]+", " ", done.err)
    assert not (tmp_path / "out").exists()


def test_faults_of_a_record_reach_the_command_line(tmp_path: Path, command: Callable[..., Any]) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "supplier,start,end,share\na,2027-01-01T00:00:00Z,2027-01-01T02:00:00Z,1.5\na,2027-01-01T02:00:00Z,2027-01-01T01:00:00Z,1\n"
    )
    done = command("tiers", bad, "--out", tmp_path / "out")
    assert done.code == 1
    assert "bad.csv row 1, column share: found 1.5" in done.err
    assert "bad.csv row 2, column end" in done.err
    assert command("tiers", tmp_path / "none.csv", "--out", tmp_path / "out").code == 1


def test_a_markets_own_recalls_and_spreads(tmp_path: Path, command: Callable[..., Any]) -> None:
    """The packaged three days: every accelerator in every location, and the parts of its spreads."""
    cleared = tmp_path / "clear"
    assert command("clear", "packaged", "--horizon", "real-time", "--as-of", "2027-03-14", "--workers", "1", "--out", cleared).code == 0
    done = command("tiers", "packaged", "--tier", "spot=0.1", "--cleared", cleared, "--out", tmp_path / "out", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["pools"] == 18
    split = read_table(tmp_path / "out", "spread", tables.SpreadSplit)
    rest = split["spread"] - split["premium"] - split["overcommit"] - split["scarcity"] - split["residual"]
    assert rest.abs().max() <= 1e-9  # type: ignore[operator]
    exact = split.filter(pl.col("residual_kind").cast(pl.String) == "none")
    assert exact.height > 500
    fits = read_table(tmp_path / "out", "preemption", tables.PreemptionFit)
    assert fits.height > 0
    page = (tmp_path / "out" / "tiers.html").read_text()
    assert '<figure id="spread-parts"' in page
    assert '<figure id="option"' in page
    declared = read_table(tmp_path / "out", "declared", tables.Declared)
    assert declared["overcommit"].unique().to_list() == [0.95]  # what the packaged case says of its spot tier
    assert declared["verdict"].cast(pl.String).unique().to_list() == ["kept"]
    assert '<figure id="declared"' in page
    assert page.count("Synthetic data.") == page.count("<figcaption>") > 10


def test_scarcity_is_in_the_spread_where_interruptible_sales_count_as_reserve() -> None:
    """One offer at 2 USD, premium .4, sold firm and spot (β .9, α .3) with reserve short at A = 1: firm 3.4, .9 λ = 2.7, and .3 of A."""
    start = datetime(2027, 1, 1, tzinfo=UTC)
    window = {"start": start, "end": start + timedelta(hours=1), "step": 1}
    rows: dict[str, list[dict[str, Any]]] = {
        "locations": [{"location": "east", "region": "east"}],
        "resources": [{"resource": "h100-sxm", "kind": "accelerator", "unit": "GPU"}],
        "tiers": [{"tier": "spot", "interruption_probability": 0.1, "overcommit": 0.9, "reserve_share": 0.3}],
        "workloads": [{"workload": "chat", "class": "decode", "unit": "1e6 tokens"}],
        "recipes": [{"workload": "chat", "recipe": "one-gpu", "output_per_hour": 1.0}],
        "recipe_resources": [{"workload": "chat", "recipe": "one-gpu", "resource": "h100-sxm", "per_hour": 1.0}],
        "offers": [window | {"offer_id": "o", "participant": "acme", "location": "east", "resource": "h100-sxm", "quantity": 100.0,
                             "price": 2.0, "firm_premium": 0.4}],
        "bids": [window | {"bid_id": tier, "participant": tier, "workload": "chat", "quantity": quantity, "value": 9.0, "tiers": tier}
                 for tier, quantity in (("firm", 60.0), ("spot", 30.0))],
        "reserves": [{"region": "east", "resource": "h100-sxm", "step": step, "quantity": 20.0, "price": price}
                     for step, price in ((1, 1.0), (2, 0.5))],
    }  # fmt: skip
    terms = replace(tg.read_case("packaged").market, horizons=(REAL_TIME,))
    run = tg.clear(tg.make_case(terms, {name: pl.DataFrame(found) for name, found in rows.items()}))
    split = tg.split_spread(run).filter(pl.col("pricing").cast(pl.String) == "marginal").row(0, named=True)
    assert (split["firm"], split["price"]) == pytest.approx((3.4, 3.0), abs=1e-6)
    assert (split["premium"], split["overcommit"], split["scarcity"]) == pytest.approx((0.4, -0.3, 0.3), abs=1e-6)
    assert (split["residual_kind"], split["offer_id"]) == ("none", "o")


def test_an_unknown_pool_is_refused_from_python_too() -> None:
    with pytest.raises(InputError, match="all or one of good, poor"):
        tg.tiers(presence(), pool="best")
