"""The table of docs/manipulation.md is what the command shows."""

from pathlib import Path

import pytest

import tenorgrid as tg
from tenorgrid.reports.figures.attacks import moved_text

PAGE = Path(__file__).parents[2] / "docs" / "manipulation.md"


@pytest.mark.slow
def test_the_table_of_the_docs_is_what_every_shipped_methodology_does_under_attack() -> None:
    run = tg.attack()
    told = {(row["methodology"], row["index"].partition(".")[0]): ["–"] * len(run.attacks) for row in run.moves.iter_rows(named=True)}
    place = {attack.name: number for number, attack in enumerate(run.attacks)}
    for row in run.usual().iter_rows(named=True):
        text = "–" if row["unsuited"] else moved_text(row["move"], row["status_after"])
        told[row["methodology"], row["index"].partition(".")[0]][place[row["attack"]]] = text
    written: dict[tuple[str, str], list[str]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 11 and cells[0].startswith("`"):
            written[cells[0].strip("`"), cells[1].partition(",")[0]] = cells[2:]
    assert written == told
