"""explain, intelligence and what-if from the command line and from Python, on the packaged three days."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.errors import InputError
from tenorgrid.data.store import read_table
from tenorgrid.data.tables import insight as tables
from tenorgrid.folders import read_clear, read_orders
from tenorgrid.insight import read_run
from tenorgrid.reports.figures.demand import bars, by_class
from tenorgrid.reports.report import render

NODE, AT = "h100-sxm/us-east/firm", "2027-03-14T18:00Z"
WRITTEN = {
    "marginal": tables.Marginal, "worth": tables.Worth, "sold_out": tables.SoldOut, "demand": tables.Demand, "unserved": tables.Unserved,
    "pivotal": tables.Pivotal, "residual_supply": tables.ResidualSupply, "cumulative": tables.Cumulative,
    "administered": tables.Administered, "administered_cash": tables.AdministeredCash,
}  # fmt: skip


def test_a_price_is_explained_from_a_run_folder_and_from_the_run(days_folder: Path, command: Callable[..., Any]) -> None:
    said = command("explain", days_folder, "--node", NODE, "--at", AT)
    assert said.code == 0, said.err
    assert said.out.startswith("h100-sxm us-east firm 2027-03-14T18:00Z = ")
    found = json.loads(command("explain", days_folder, "--node", NODE, "--at", AT, "--json").out)
    assert found["sentence"] == said.out.strip()
    assert sum(fact["amount"] for fact in found["facts"]) == pytest.approx(found["price"], abs=1e-9)
    run = read_orders(read_clear(days_folder / "clear"), days_folder / "clear")
    assert str(run.explain("h100-sxm", "us-east", "firm", AT)) == found["sentence"]


@pytest.mark.parametrize(
    ("node", "at", "said"),
    [
        ("h100-sxm/us-east", AT, "RESOURCE/LOCATION/TIER"),
        ("h100/us-east/firm", AT, "expected one of"),
        (NODE, "2030-01-01T00:00Z", "2027-03-13"),
    ],
)
def test_what_cannot_be_explained_is_refused(node: str, at: str, said: str, days_folder: Path, command: Callable[..., Any]) -> None:
    refused = command("explain", days_folder, "--node", node, "--at", at)
    assert refused.code == 1
    assert said in refused.err


def test_orders_that_a_folder_lacks_may_be_given(days_folder: Path, tmp_path: Path) -> None:
    run = read_clear(days_folder / "clear")
    with pytest.raises(InputError, match="a case without bids"):
        run.explain("h100-sxm", "us-east", "firm", AT)
    with pytest.raises(InputError, match="no orders"):
        read_orders(run, tmp_path)


def test_every_table_of_intelligence_keeps_to_its_schema(days_folder: Path, command: Callable[..., Any], tmp_path: Path) -> None:
    rules = tmp_path / "rules.csv"
    rules.write_text("resource,tier,window_hours,threshold,cap\nh100-sxm,firm,24,50,1.9\n")
    out = tmp_path / "told"
    said = command("intelligence", days_folder, "--out", out, "--breaker", rules, "--largest", 3, "--json")
    assert said.code == 0, said.err
    done = json.loads(said.out)
    for name, schema in WRITTEN.items():
        frame = read_table(out, name, schema)
        assert frame.height == done["rows"][name]
        assert frame.height > 0, name
    assert done["breaker_trips"] == read_table(out, "cumulative", tables.Cumulative)["trips"].sum() > 0
    run = read_run(days_folder)
    assert tg.intelligence(run).marginal.height == done["rows"]["marginal"]


def test_what_if_from_a_file_and_without_a_supplier(command: Callable[..., Any], tmp_path: Path) -> None:
    bids = tg.read_case("packaged").bids.filter(horizon="real-time")
    bid = bids.row(bids.height // 2, named=True)
    change = tmp_path / "change.csv"
    change.write_text(f"action,horizon,bid_id\nwithdraw,real-time,{bid['bid_id']}\n")
    out = tmp_path / "changed"
    said = command("what-if", "packaged", "--change", change, "--horizon", "real-time", "--out", out, "--json")
    assert said.code == 0, said.err
    done = json.loads(said.out)
    awards = read_table(out, "awards", tables.AwardDifferences)
    assert awards.filter(id=bid["bid_id"])["after"].sum() == 0.0
    assert done["surplus"]["real-time"] < 0.0
    edges = ("--from", "2027-03-14T18:00Z", "--to", "2027-03-14T19:00Z", "--horizon", "real-time")
    apart = command("what-if", "packaged", "--without", "stratus", *edges, "--out", out)
    assert apart.code == 0, apart.err
    prices = read_table(out, "prices", tables.PriceDifferences)
    h100 = prices.filter(resource="h100-sxm", tier="firm", location="us-east").filter(pl.col("pricing").cast(pl.String) == "marginal")
    assert h100["difference"].min() > 0.0  # type: ignore[operator]  # fewer hours are never cheaper
    for name, schema in {"surplus": tables.SurplusDifferences, "cash": tables.CashDifferences}.items():
        assert read_table(out, name, schema).height > 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--change or --without is needed"),
        (("--without", "nobody"), 1, "one who offers"),
        (("--without", "stratus", "--from", "yesterday"), 1, "a moment such as"),
    ],
)
def test_a_what_if_of_nothing_is_refused(
    arguments: tuple[str, ...], code: int, said: str, command: Callable[..., Any], tmp_path: Path
) -> None:
    refused = command("what-if", "packaged", *arguments, "--out", tmp_path / "out")
    assert refused.code == code
    assert said in refused.err
    assert not (tmp_path / "out").exists()


def test_the_report_shows_demand_and_pivotal_suppliers_where_intelligence_stands_beside(
    days_folder: Path, command: Callable[..., Any], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    shutil.copytree(days_folder, out)
    assert 'id="intelligence"' not in render(out)
    assert command("intelligence", out, "--out", out / "intelligence").code == 0
    page = render(out)
    assert 'id="demand-plot"' in page
    demand = read_table(out / "intelligence", "demand", tables.Demand)
    rows = by_class(demand, horizon="real-time")
    assert rows["hours"].sum() == pytest.approx(demand.filter(horizon="real-time")["hours"].sum())
    assert len(bars(rows).data) == rows["region"].n_unique()
    assert "stratus" in page[page.index('id="pivotal-table"') :]
