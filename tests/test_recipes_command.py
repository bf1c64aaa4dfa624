"""`tenorgrid recipes` and `tg.recipes`: from a benchmark file to a market that is cleared with it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.case import read_case
from tenorgrid.data.store import read_manifest, read_table
from tenorgrid.data.tables import benchmarked
from tenorgrid.data.tables import case as tables

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
INFERENCE = "mlperf_inference_v5.1_datacenter.csv"
TWO = Path(__file__).parent / "data" / "cases" / "two_locations"
JOBS = "job_type,n_gpus,gpu,steps_per_sec\nLM,4,v100,30\nLM,4,v100_unconsolidated,12\nLM,4,v100,11\nLM,8,k80,0\n"
RESULTS = (
    "id,submitter,platform,division,model,scenario,sku,accel_per_node,nodes,n_accel,value,units\n"
    "5.1-0001,AMD,8xMI300X,closed,llama2-70b-99,Server,AMD Instinct MI300X 192GB HBM3,8,1,8,24593.8,Tokens/s\n"
    "5.1-0090,Supermicro,8xMI325X,closed,llama2-70b-99,Server,AMD Instinct MI325X 256GB HBM3e,8,1,8,32139.4,Tokens/s\n"
)
CHIPS = (
    "resource,also_called,scale_up,vcpu,ram_gib,net_gbps,source\nmi325x,AMD Instinct MI325X 256GB HBM3e,8,12,128,25,this market's hosts\n"
)
OFFERS = "horizon,offer_id,participant,location,resource,start,end,step,quantity,price,firm_premium\n"
TOLERANCE = 1e-6

Command = Callable[..., Any]


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    path = tmp_path / "jobs.csv"
    path.write_text(JOBS)
    return path


def test_the_folder_holds_the_tables_of_a_case_the_audit_the_page_and_the_manifest(jobs: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out"
    said = command("recipes", jobs, "--limit", "none", "--out", out)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"2 recipes of 1 workload into {out}; rows left out: 1 dominated, 1 did not run\n"
    assert sorted(os.listdir(out)) == [
        "frontier.csv", "hosts.csv", "left_out.csv", "manifest.json", "recipe_resources.csv", "recipes.csv", "recipes.html",
        "resources.csv", "scaling.csv", "workloads.csv",
    ]  # fmt: skip
    assert read_table(out, "recipes", tables.Recipes).rows() == [
        ("lm-train", "v100-x4", 108.0, 4),
        ("lm-train", "v100-x4-spread", 43.2, None),
    ]
    assert read_table(out, "left_out", benchmarked.LeftOut)["row"].to_list() == [3, 4]
    manifest = read_manifest(out)
    assert manifest["command"] == "recipes"
    assert manifest["settings"]["limits"] == ["none"]
    assert set(manifest["inputs"]) == {"jobs.csv"}
    assert "Plotly" in (out / "recipes.html").read_text()


def test_programs_are_told_the_same_and_python_makes_the_same(jobs: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "out"
    said = json.loads(command("recipes", jobs, "--out", out, "--json").out)
    assert said["format"] == "gavel"
    assert said["left_out"] == {"dominated": 1, "did not run": 1}
    made = tg.recipes(jobs)
    assert (said["recipes"], said["workloads"]) == (made.recipes.height, made.workloads.height)
    for name, schema in (("workloads", tables.Workloads), ("recipe_resources", tables.RecipeResources), ("frontier", benchmarked.Frontier)):
        assert read_table(out, name, schema).equals(made.tables()[name])
    assert set(made.to_pandas()) >= {"workloads", "recipes", "recipe_resources", "resources", "left_out"}
    assert "<h4>recipes (" in made._repr_html_()


def test_what_cannot_be_told_is_refused_with_nothing_written(tmp_path: Path, command: Command) -> None:
    path, out = tmp_path / "bench.csv", tmp_path / "out"
    path.write_text(
        RESULTS.replace("AMD Instinct MI325X 256GB HBM3e", "AMD Instinct MI999").replace("24593.8,Tokens/s", "24593.8,Queries/s")
    )
    said = command("recipes", path, "--out", out)
    assert said.code == 1
    assert "bench.csv row 1, column units: found Queries/s, expected Tokens/s" in said.err
    assert "bench.csv row 2, column sku: found AMD Instinct MI999, expected an accelerator out of a100-sxm, " in said.err
    assert not out.exists()
    again = command("recipes", path, "--unclear", "leave-out", "--out", out)
    assert (again.code, out.exists()) == (1, False)  # no row is left
    assert "expected a result of the models, accelerators and limits that were asked for" in again.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("recipes",),
        ("recipes", "bench.csv"),
        ("recipes", "bench.csv", "--out", "x", "--domains", "some"),
        ("recipes", "bench.csv", "--out", "x", "--unclear", "guess"),
        ("recipes", "bench.csv", "--out", "x", "--rename", "nothing"),
        ("recipes", "bench.csv", "--out", "x", "--offers", "offers.csv"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...], command: Command) -> None:
    assert command(*arguments).code == 2


def test_help_has_an_example(command: Command) -> None:
    said = command("recipes", "--help")
    assert said.code == 0
    assert "Example: tenorgrid recipes " in said.out


def test_an_output_over_an_input_is_refused(jobs: Path, command: Command) -> None:
    said = command("recipes", jobs, "--out", jobs.parent)
    assert said.code == 1
    assert "a folder that does not hold the input" in said.err
    assert jobs.is_file()


def test_a_new_chip_goes_from_a_benchmark_into_a_market_and_has_a_price(tmp_path: Path, command: Command) -> None:
    """The packaged market without and with MI325X: its worth before anyone offers it is its price once eight are offered."""
    bench, chips, offers = tmp_path / "bench.csv", tmp_path / "chips.csv", tmp_path / "offers.csv"
    bench.write_text(RESULTS)
    chips.write_text(CHIPS)
    day = "2027-03-13T05:00:00Z,2027-03-14T05:00:00Z"
    offers.write_text(OFFERS + f",new,newcloud,us-east,mi325x,{day},1,8,0.80,0\n")
    clear = ("--horizon", "real-time", "--as-of", "2027-03-14", "--workers", "1")
    assert command("clear", "packaged", "--out", tmp_path / "before", *clear).code == 0
    asked = ("--accelerator", "mi325x", "--limit", "server", "--hosts", chips, "--domains", "none")
    market = tmp_path / "market"
    said = command(
        "recipes", bench, *asked, "--rename", "llama2-70b-99-server=llama2-70b-decode", "--into", "packaged", "--offers", offers,
        "--worth", tmp_path / "before", "--out", market,
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    case = read_case(market)
    assert case.recipes.filter(recipe="mi325x-x8").row(0, named=True)["output_per_hour"] == pytest.approx(32139.4 * 0.0036)
    assert "mi325x" in case.resources["resource"].to_list()
    assert command("clear", market, "--out", tmp_path / "after", *clear).code == 0
    key = {"location": "us-east", "tier": "firm", "pricing": "marginal"}
    worth = read_table(market, "worth", benchmarked.Worth).filter(resource="mi325x", **key)
    after = pl.read_csv(tmp_path / "after" / "prices.csv", try_parse_dates=True).filter(**key)
    new, old = after.filter(resource="mi325x").sort("start"), after.filter(resource="mi300x").sort("start")
    assert worth.height == new.height == 24
    price = new["price"].to_numpy()
    gap = worth.sort("start")["worth"].to_numpy() - price
    assert gap.min() >= -TOLERANCE  # more supply makes nothing dearer
    assert abs(gap.mean()) < 0.01 * price.mean()  # and eight of them are too few to make anything much cheaper
    assert (price > old["price"].to_numpy()).all()  # it does 1.31 times the work of an MI300X
    awards = pl.read_csv(tmp_path / "after" / "awards.csv").filter(pl.col("id") == "new", pl.col("tier") == "firm")
    assert awards["quantity"].sum() == pytest.approx(8 * 24, abs=TOLERANCE)


def test_a_clash_with_the_market_is_refused(tmp_path: Path, command: Command) -> None:
    bench = tmp_path / "bench.csv"
    bench.write_text(RESULTS.replace("24593.8", "25000"))
    rename = ("--rename", "llama2-70b-99-server=llama2-70b-decode", "--limit", "server")
    said = command("recipes", bench, *rename, "--into", "packaged", "--out", tmp_path / "market")
    assert said.code == 1
    assert "recipes row 1, column recipe: found mi300x-x8, expected a name that no other recipe of llama2-70b-decode has" in said.err
    assert not (tmp_path / "market").exists()


def test_the_real_inference_file_is_refused_row_by_row_and_made_without_them(tmp_path: Path, command: Command) -> None:
    path = SHARED / INFERENCE
    if not path.is_file():
        pytest.skip(f"{INFERENCE} is not beside the project")
    said = command("recipes", path, "--out", tmp_path / "out")
    assert said.code == 1
    assert len(said.err.splitlines()) == 8
    assert all("column units: found Queries/s" in line for line in said.err.splitlines())
    made = tg.recipes(path, unclear="leave-out")
    assert made.recipes["recipe"].str.contains("gb300-nvl72-x72").any()
    rack = made.recipes.filter(workload="deepseek-r1-server", recipe="gb300-nvl72-x72").row(0, named=True)
    assert rack["domain"] == 72
    assert rack["output_per_hour"] == pytest.approx(209328.0 * 0.0036)
