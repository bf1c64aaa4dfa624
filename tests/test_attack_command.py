"""`tenorgrid attack` and `tg.attack`: what they write, say and refuse, and the page."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.store import read_manifest
from tenorgrid.indices.attacks.catalog import ATTACKS
from tenorgrid.reports.figures import attacks as figures

Command = Callable[..., Any]
HEAD = "observation_id,time,provider,resource,region,location,tier,horizon,term_hours,gpu_count,price,quantity,kind\n"
INDEX = "H100-SXM.GLOBAL.FIRM"


def listed(path: Path, *, first: str = "a") -> Path:
    """List prices of five providers on two days."""
    prices = {first: 2.0, "b": 2.1, "c": 2.3, "d": 2.4, "e": 9.0}
    rows = [
        f"{number}-{day},2026-11-{day:02}T17:00:00Z,{name},h100-sxm,us-east,,firm,,,8,{price},,list price"
        for day in (2, 3)
        for number, (name, price) in enumerate(prices.items())
    ]
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def test_the_command_writes_moves_audit_page_and_who_is_left_out(command: Command, tmp_path: Path) -> None:
    seen, out = listed(tmp_path / "seen.csv"), tmp_path / "out"
    said = command("attack", seen, "--method", "house", "--method", "ornn-like", "--index", INDEX, "--out", out)
    assert said.code == 0, said.err
    assert "ornn-like is left out: nothing that it looks at is there on these days" in said.out
    assert {path.name for path in out.iterdir()} == {"moves.csv", "left_out.csv", "audit.jsonl", "attacks.html", "manifest.json"}
    moves = pl.read_csv(out / "moves.csv")
    assert set(moves["attack"]) == {attack.name for attack in ATTACKS}
    assert moves["date"].unique().to_list() == ["2026-11-03"]
    (line,) = (out / "audit.jsonl").read_text().splitlines()
    told = json.loads(line)
    assert told["before"]["methodology"]["hash"] == tg.mark(tg.read_observations(seen)).run.methodology.hash
    parked = [one for one in told["attacks"] if one["attack"] == "parked ask"]
    assert [one["size"] for one in parked] == [2, 5, 10, 30, 100]
    assert list(read_manifest(out)["inputs"]) == ["seen.csv"]
    again = command("attack", seen, "--method", "house", "--method", "ornn-like", "--index", INDEX, "--out", tmp_path / "again")
    assert again.code == 0
    assert (tmp_path / "again" / "moves.csv").read_bytes() == (out / "moves.csv").read_bytes()


def test_json_has_the_furthest_move_of_each_attack(command: Command, tmp_path: Path) -> None:
    seen = listed(tmp_path / "seen.csv")
    said = command(
        "attack", seen, "--method", "house", "--attack", "parked ask", "--date", "2026-11-02", "--out", tmp_path / "out", "--json"
    )
    done = json.loads(said.out)
    assert said.code == 0
    assert {(row["attack"], row["size"]) for row in done["worst"]} <= {("parked ask", size) for size in (2.0, 5.0, 10.0, 30.0, 100.0)}
    # 2.1, 2.3, 2.4 and a vote of 112 among 2.1, 2.3, 2.4, 9.0: a's vote of 2.0 becomes the dearest
    assert done["worst"][0]["after"] == pytest.approx((0.75 * 2.3 + 2.4 + 0.75 * 9.0) / 2.5, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "code", "said_"),
    [
        (("--attack", "bribe"), 1, "bribe"),
        (("--method", "nosuch"), 1, "nosuch"),
        (("--index", "B200-SXM.US.FIRM", "--method", "house"), 1, "B200-SXM"),
        (("--date", "yesterday"), 1, "yesterday"),
        (("--until", "2026-11-03"), 2, "--date is the first"),
        (("--most", "0"), 2, "--most"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    arguments: tuple[str, ...], code: int, said_: str, command: Command, tmp_path: Path
) -> None:
    seen, out = listed(tmp_path / "seen.csv"), tmp_path / "out"
    said = command("attack", seen, *arguments, "--out", out)
    assert said.code == code
    assert said_ in said.err or "house: n" in said.err
    assert not out.exists()


def test_made_up_days_are_said_to_be_so_and_take_no_format(command: Command, tmp_path: Path) -> None:
    assert command("attack", "--format", "daily", "--out", tmp_path / "out").code == 2
    found = tg.attack(method="house", indices=["L40S.GLOBAL.FIRM"], attacks=["parked ask", "stale quotes"])
    assert "Synthetic data." in found.page()
    assert (
        "Synthetic data."
        not in tg.attack(tg.read_observations(listed(tmp_path / "seen.csv")), method="house", attacks=["parked ask"]).page()
    )


def test_the_page_loads_nothing_and_reads_no_name_as_markup(tmp_path: Path) -> None:
    seen = tg.read_observations(listed(tmp_path / "seen.csv", first="<script>alert(1)</script>"))
    page = tg.attack(seen, method="house", attacks=["parked ask", "one contributor"]).page()
    assert "<script>alert(1)" not in page
    body = page[page.index("<body") :] if "<body" in page else page
    assert 'src="http' not in body
    assert f"house: {INDEX}, made of list prices" in page


def test_a_figure_has_a_cell_for_each_size_and_colours_by_how_far() -> None:
    found = tg.attack(method="house", indices=["L40S.GLOBAL.FIRM"], attacks=["parked ask", "totals for units"])
    drawn = figures.moves(figures.reached(found.moves), found.attacks)
    heat, text = drawn.data
    assert list(heat.y) == ["totals for units", "parked ask"]
    assert len(text.x) == 10
    assert [cell[0] for cell in text.customdata][:5] == ["10 %", "25 %", "50 %", "75 %", "100 %"]
    last = {cell[0]: cell[1] for cell in text.customdata}
    assert last["100 %"] == "+700 %"
    assert heat.z[0][4] == figures.shade(7.0, "published") > heat.z[1][4] > 0
