"""`tenorgrid basket` and `tg.basket`."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.store import read_table, write_table
from tenorgrid.data.tables.baskets import BasketContributions, BasketFormulas, BasketRebalancings
from tenorgrid.data.tables.observed import Marks
from tenorgrid.indices.fixings import fixings

Command = Callable[..., Any]


@pytest.fixture
def marks() -> pl.DataFrame:
    start = datetime(2027, 1, 1, 5, tzinfo=UTC)
    return pl.DataFrame(
        [
            {
                "index": name,
                "methodology": "house",
                "start": start + timedelta(day),
                "end": start + timedelta(day + 1),
                "published_at": start + timedelta(day + 1),
                "revision": 0,
                "value": base + 0.125 * day,
                "unit": "USD/GPUh",
                "quantity": 1000.0,
                "status": "published",
                "method_hash": "0",
            }
            for name, base in (("H100-SXM.US.FIRM", 2.0), ("H200-SXM.US.FIRM", 3.0))
            for day in range(5)
        ]
    )


def test_a_folder_of_marks_becomes_a_folder_of_the_basket(tmp_path: Path, marks: pl.DataFrame, command: Command) -> None:
    write_table(tmp_path, "marks", marks)
    done = command("basket", tmp_path, "--definition", "hopper-us", "--out", tmp_path.parent / "made", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["index"], told["marks"][-1]["value"], told["left_out"]) == ("HOPPER.US.FIRM", 3.0, {})
    out = tmp_path.parent / "made"
    found = read_table(out, "marks", Marks)
    assert found["value"].to_list() == [2.5, 2.625, 2.75, 2.875, 3.0]
    assert read_table(out, "contributions", BasketContributions).height == 10
    assert read_table(out, "rebalancings", BasketRebalancings)["weight"].to_list() == [0.4, 0.6]
    assert read_table(out, "formulas", BasketFormulas)["formula"].n_unique() == 11
    assert len((out / "audit.jsonl").read_text().splitlines()) == 5
    assert "HOPPER.US.FIRM" in (out / "basket.html").read_text()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["settings"]["method_hash"] == found["method_hash"][0]


def test_a_file_of_marks_as_of_a_moment(tmp_path: Path, marks: pl.DataFrame, command: Command) -> None:
    path = write_table(tmp_path, "marks", marks)
    done = command("basket", path, "--definition", "hopper-us", "--out", tmp_path / "made", "--at", "2027-01-03T05:00Z")
    assert done.out.startswith("2 marks of HOPPER.US.FIRM, last 2.625 USD/GPUh (published)")


def test_from_python_it_is_the_same(tmp_path: Path, marks: pl.DataFrame) -> None:
    write_table(tmp_path, "marks", marks)
    one, other = tg.basket(marks, "hopper-us"), tg.basket(tmp_path, definition="hopper-us")
    assert one.marks.equals(other.marks)
    assert set(one.tables()) == {"marks", "contributions", "rebalancings", "formulas", "audits"}
    assert "BasketStudy" in one._repr_html_()


def test_marks_of_a_basket_are_fixings_that_settle(marks: pl.DataFrame) -> None:
    found = fixings(tg.basket(marks, "hopper-us").marks, at=datetime(2027, 1, 4, 5, tzinfo=UTC))
    assert found.select(pl.col("date").cast(pl.String), "value").rows() == [
        ("2027-01-01", 2.5),
        ("2027-01-02", 2.625),
        ("2027-01-03", 2.75),
    ]
    assert found["source"].unique().to_list() == ["hopper-us revision 0"]


def test_published_marks_are_made_again_and_edits_are_named(tmp_path: Path, marks: pl.DataFrame, command: Command) -> None:
    path, made = write_table(tmp_path, "marks", marks), tmp_path / "made"
    command("basket", path, "--definition", "hopper-us", "--out", made)
    again = ["basket", path, "--definition", "hopper-us", "--verify", made / "audit.jsonl"]
    done = command(*again)
    assert (done.code, done.out.strip()) == (0, "5 prints recomputed, none differs")
    audit, table = made / "audit.jsonl", made / "marks.csv"
    honest = audit.read_text(), table.read_text()
    audit.write_text(honest[0].replace('"value": 2.75', '"value": 2.76'))
    table.write_text(honest[1].replace(",2.75,", ",2.76,"))  # both together
    done = command(*again)
    assert done.code == 1
    assert "HOPPER.US.FIRM 2027-01-03: value is recorded as 2.76, recomputed as 2.75" in done.err
    assert "marks.value is recorded as 2.76, recomputed as 2.75" in done.err
    audit.write_text("".join(line for line in honest[0].splitlines(keepends=True) if '"2027-01-03"' not in line))
    table.write_text(honest[1])
    assert "HOPPER.US.FIRM 2027-01-03: audit is recorded as None" in command(*again).err
    audit.write_text(honest[0])
    write_table(tmp_path, "marks", marks.with_columns(quantity=pl.col("quantity") + (pl.col("start").dt.day() == 1)))
    assert "input.hash is recorded as" in command(*again).err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--definition", "nowhere"], 1, "expected one of accelerators-global"),
        (["--definition", "blackwell-us"], 1, "expected an index of which there are marks"),
        (["--definition", "hopper-us", "--at", "2027-01-03"], 2, "a time with its zone"),
        (["--definition", "hopper-us", "--verify", "nowhere.jsonl"], 1, "nowhere.jsonl: expected an audit file"),
        (["--definition", "hopper-us", "--at", "soon"], 2, "expected a time such as"),
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_written(
    tmp_path: Path, marks: pl.DataFrame, arguments: list[str], code: int, told: str, command: Command
) -> None:
    path = write_table(tmp_path, "marks", marks)
    out = [] if "--verify" in arguments and "--out" not in arguments else ["--out", tmp_path / "made"]
    done = command("basket", path, *out, *arguments)
    assert done.code == code
    assert told in " ".join(done.err.replace("│", " ").split())
    assert not (tmp_path / "made").exists()
