"""`tenorgrid contracts`: what codes stand for, what is listed, what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[..., Any]
MINE = '[GPX]\nsettles_on = "ours"\nunit = "GPU-hours"\nlot = 100\ntick = 0.01\naverage = "calendar-day"\nsource = "rule book"\n'


def test_codes_are_spelled_out_for_people_and_for_programs(command: Command) -> None:
    said = command("contracts", "GPU1J27", "HPRJ27")
    assert said.code == 0, said.err
    assert "tick_value  7.3" in said.out
    rows = json.loads(command("contracts", "GPU1J27", "HPRJ27", "--json").out)["contracts"]
    assert [(row["lot"], row["average"], row["missing_day"]) for row in rows] == [
        (730.0, "business-day", None),
        (720.0, "calendar-day", None),
    ]


def test_without_a_code_it_lists_what_there_is_with_ones_own(command: Command, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(MINE + MINE.replace("GPX", "HPR"), encoding="utf-8")
    packaged = json.loads(command("contracts", "--json").out)["products"]
    both = json.loads(command("contracts", "--products", tmp_path / "mine.toml", "--json").out)["products"]
    assert [row["product"] for row in packaged] == ["GPU1", "GPU2", "HPR"]
    assert {row["product"]: row["lot"] for row in both} == {"GPU1": 730.0, "GPU2": 730.0, "HPR": 100.0, "GPX": 100.0}


def test_codes_of_nothing_and_bad_files_are_refused(command: Command, tmp_path: Path) -> None:
    said = command("contracts", "ABCJ27", "GPU1J27", "X:2027-13")
    assert said.code == 1
    assert "contracts row 1" in said.err
    assert "contracts row 3" in said.err
    (tmp_path / "mine.toml").write_text(MINE.replace("tick", "tack"), encoding="utf-8")
    assert command("contracts", "GPXJ27", "--products", tmp_path / "mine.toml").code == 1
