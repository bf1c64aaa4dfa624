"""`tenorgrid clear` from the command line: what it writes, what it says, and what each option changes."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.store import read_manifest, read_table
from tenorgrid.data.tables.cleared import Certificate, Commitments, Prices, Uplift

TESTS = Path(__file__).parent
TWO = TESTS / "data" / "cases" / "two_locations"
SCARF = TESTS / "clearing" / "cases" / "scarf"
BLOCKS = TESTS / "clearing" / "cases" / "profile-blocks"
COST = 388.0  # of Scarf's 61 units, counted by hand

Command = Callable[..., Any]


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tenorgrid", "clear", TWO, "--out", tmp_path / "out", "--workers", "1", "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == ""  # no progress bar where standard error is no terminal
    assert json.loads(done.stdout) == {
        "out": str(tmp_path / "out"), "intervals": 1, "problems": 1, "worst_gap": 0.0, "worst_incumbent_gap": None,
        "surplus": {"real-time": 154.0},
    }  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_clear_writes_the_prices_that_were_found_by_hand(suffix: str, command: Command, tmp_path: Path) -> None:
    said = command("clear", TWO, "--out", tmp_path / "out", "--workers", 1, *(["--parquet"] if suffix == "parquet" else []))
    assert (said.code, said.err) == (0, "")
    assert said.out == f"1 interval cleared into {tmp_path / 'out'}\n"
    path = tmp_path / "out" / f"prices.{suffix}"
    prices = pl.read_csv(path) if suffix == "csv" else pl.read_parquet(path)
    marginal = prices.filter(pl.col("pricing").cast(pl.String) == "marginal")
    assert dict(marginal.select("location", "price").iter_rows()) == pytest.approx({"east": 2.4, "west": 2.5}, abs=1e-9)
    manifest = read_manifest(tmp_path / "out")
    assert manifest["command"] == "clear"
    assert set(manifest["inputs"]["two_locations"]) == {path.name for path in TWO.iterdir()}


def test_clear_takes_a_rule_and_horizons_by_name(command: Command, weeks_case: Path, tmp_path: Path) -> None:
    said = command(
        "clear", weeks_case, "--out", tmp_path / "out", "--workers", 1, "--as-of", "2027-01-12", "--horizon", "real-time",
        "--pricing", "convex-hull", "--json",
    )  # fmt: skip
    assert said.code == 0
    done = json.loads(said.out)
    assert done["intervals"] == 24
    assert list(done["surplus"]) == ["real-time"]
    assert read_manifest(tmp_path / "out")["settings"]["pricing"] == "convex-hull"
    assert read_manifest(tmp_path / "out")["as_of"] == "2027-01-12"


def test_units_that_are_started_whole_are_cleared_with_both_prices_and_their_uplift(command: Command, tmp_path: Path) -> None:
    said = command("clear", SCARF, "--out", tmp_path / "out", "--workers", 1)
    assert (said.code, said.err) == (0, "")
    assert said.out == f"1 interval cleared into {tmp_path / 'out'}, whole solutions within 0 of their bound\n"
    prices = dict(read_table(tmp_path / "out", "prices", Prices).select(pl.col("pricing").cast(pl.String), "price").iter_rows())
    assert prices == pytest.approx({"marginal": 3.0, "convex-hull": 44 / 7}, abs=1e-9)
    uplift = read_table(tmp_path / "out", "uplift", Uplift).group_by(pl.col("pricing").cast(pl.String)).agg(pl.col("make_whole").sum())
    assert dict(uplift.iter_rows()) == pytest.approx({"marginal": 3 * 53 + 2 * 23, "convex-hull": COST - 61 * 44 / 7}, abs=1e-6)
    assert read_table(tmp_path / "out", "commitments", Commitments)["on"].sum() == 5


def test_a_rolling_run_is_as_good_as_one_long_run(command: Command, tmp_path: Path) -> None:
    found = {}
    for name, options in (("long", ["--workers", 1]), ("rolling", ["--roll", "1h"]), ("near", ["--roll", "1h", "--look", "2h"])):
        said = command("clear", BLOCKS, "--out", tmp_path / name, *options, "--json")
        assert said.code == 0, said.err
        found[name] = json.loads(said.out)
    assert found["long"]["surplus"] == pytest.approx(found["rolling"]["surplus"])
    assert [found[name]["problems"] for name in ("long", "rolling", "near")] == [1, 3, 3]
    assert found["near"]["surplus"]["real-time"] <= found["long"]["surplus"]["real-time"]


def test_limits_that_end_the_search_at_once_are_told_in_the_certificate(command: Command, tmp_path: Path) -> None:
    said = command("clear", SCARF, "--out", tmp_path / "out", "--workers", 1, "--time-limit", 0)
    assert said.code == 0
    certificate = read_table(tmp_path / "out", "certificate", Certificate)
    assert certificate["status"].str.contains("Time limit").all()
    assert (certificate["incumbent_gap"] > 0.0).all()  # nothing was started, and the load is not served
    assert not read_table(tmp_path / "out", "commitments", Commitments)["on"].any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--look", "2h"], "--look needs --roll"),
        (["--roll", "1h", "--workers", "2"], "--workers cannot be given with --roll"),
        (["--time-limit", "-1"], "--time-limit"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(options: list[str], said: str, command: Command, tmp_path: Path) -> None:
    ended = command("clear", SCARF, "--out", tmp_path / "out", *options)
    assert ended.code == 2
    assert said in " ".join(ended.err.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("step", "fault"), [("90m", "step: found 1:30:00"), ("soon", "step: found soon")])
def test_a_step_that_is_no_whole_number_of_intervals_is_refused(step: str, fault: str, command: Command, tmp_path: Path) -> None:
    ended = command("clear", SCARF, "--out", tmp_path / "out", "--roll", step)
    assert ended.code == 1
    assert ended.err.startswith(f"tenorgrid: {fault}")
    assert not (tmp_path / "out").exists()
