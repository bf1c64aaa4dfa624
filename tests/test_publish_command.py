"""`tenorgrid publish`: a publisher's day, command by command, on made-up prices; and on those that CCIR published, where they are."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid import publishing
from tenorgrid.data.store import read_table
from tenorgrid.data.tables.observed import Marks

LISTINGS = Path(__file__).parents[1].parent / "shared" / "data" / "ccir_vast_listings_us.csv.gz"
COMMANDS = ("run", "check", "approve", "publish", "restate", "explain", "replay", "compare", "evidence", "compact")
HEADER = "observation_id,time,provider,resource,region,location,tier,horizon,term_hours,gpu_count,price,quantity,kind\n"
EAST = "H100-SXM.US-EAST.FIRM"
HOUSE = Path(__file__).parents[1] / "indices" / "methodologies" / "house.toml"

Command = Callable[..., Any]


def listed(path: Path, *, days: int = 2, **changed: float) -> Path:
    asked = {f"{name}{day}": price + 0.01 * day for day in range(days) for name, price in zip("abcd", (2.0, 2.1, 2.3, 2.4), strict=True)}
    rows = [
        f"{key},2026-11-{int(key[1:]) + 2:02}T17:00:00Z,{key[0]},h100-sxm,us-east,,firm,,,8,{price:.2f},,list price"
        for key, price in (asked | changed).items()
    ]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str, command: Command) -> None:
    said = command("publish", name, "--help")
    assert said.code == 0
    assert f"Example: tenorgrid publish {name} " in said.out
    assert "--json" in said.out


def test_a_publishers_day(command: Command, tmp_path: Path) -> None:
    seen, draft, history = listed(tmp_path / "listings.csv"), tmp_path / "draft", tmp_path / "history"

    def ok(*arguments: object) -> str:
        said = command("publish", *arguments)
        assert (said.code, said.err) == (0, "")
        return str(said.out)

    told = ok("run", seen, "--date", "2026-11-02", "--by", "ann", "--out", draft, "--at", "2026-11-03T05:05Z")
    assert f"{EAST} 2026-11-02: 2.2, published" in told
    assert "FAIL" not in ok("check", draft, "--history", history)
    alone = command("publish", "approve", draft, "--history", history, "--by", "ann", "--at", "2026-11-03T05:10Z")
    assert (alone.code, "somebody else than ann" in alone.err) == (1, True)
    unapproved = command("publish", "publish", draft, "--history", history)
    assert (unapproved.code, "a draft that somebody has approved" in unapproved.err) == (1, True)
    ok("approve", draft, "--history", history, "--by", "bob", "--at", "2026-11-03T05:10Z")
    assert "3 prints published as publication 0; head " in ok("publish", draft, "--history", history, "--at", "2026-11-03T05:15Z")
    assert "nothing changed" in ok("publish", draft, "--history", history, "--at", "2026-11-03T05:20Z")
    assert "level list prices: 2.2 from observations 4" in ok("explain", "--history", history, "--index", EAST, "--date", "2026-11-02")

    mended = listed(tmp_path / "mended.csv", b0=2.2)
    again = ("--date", "2026-11-02", "--reason", "a fat finger", "--by", "ann", "--out", tmp_path / "again")
    assert f"{EAST} revision 1: 2.25" in ok("restate", mended, "--history", history, *again, "--at", "2026-11-03T10:00Z")
    ok("approve", tmp_path / "again", "--history", history, "--by", "bob", "--at", "2026-11-03T10:05Z")
    ok("publish", tmp_path / "again", "--history", history, "--at", "2026-11-03T10:10Z")
    assert "restated because a fat finger" in ok("explain", "--history", history, "--index", EAST, "--date", "2026-11-02")

    for moment, value in (("2026-11-03T10:00Z", 2.2), ("2026-11-03T10:10Z", 2.25)):
        out = tmp_path / "replayed"
        assert "none differs" in ok("replay", "--history", history, "--as-of", moment, "--out", out)
        assert read_table(out, "marks", Marks).filter(pl.col("index") == EAST)["value"].to_list() == [value]
    head = json.loads(ok("check", "--history", history, "--json"))["head"]
    assert "6 prints recomputed, none differs" in ok("check", "--history", history, "--anchor", head)
    assert "6 prints recomputed" in ok("evidence", "--history", history, "--out", tmp_path / "pack.zip", "--at", "2026-11-04T00:00Z")
    assert head in ok("evidence", "--verify", tmp_path / "pack.zip", "--anchor", head)


@pytest.fixture
def published(command: Command, tmp_path: Path) -> Path:
    seen, draft, history = listed(tmp_path / "listings.csv"), tmp_path / "draft", tmp_path / "history"
    command("publish", "run", seen, "--date", "2026-11-02", "--by", "ann", "--out", draft, "--at", "2026-11-03T05:05Z")
    command("publish", "approve", draft, "--history", history, "--by", "bob", "--at", "2026-11-03T05:10Z")
    assert command("publish", "publish", draft, "--history", history, "--at", "2026-11-03T05:15Z").code == 0
    return history


@pytest.mark.parametrize("damage", ["cut", "gone", "input", "rule"])
def test_a_damaged_history_is_refused_in_clear_words(published: Path, damage: str, command: Command) -> None:
    folder = {"input": "inputs", "rule": "methodologies"}.get(damage, "prints")
    path = next(path for path in (published / folder).iterdir() if path.is_file())
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b" ")
    said = command("publish", "check", "--history", published)
    assert said.code == 1
    assert path.name in said.err
    assert "Traceback" not in said.err


def test_no_history_is_refused(command: Command, tmp_path: Path) -> None:
    for arguments in (("check",), ("replay", "--as-of", "2026-11-03T00:00Z"), ("explain", "--index", EAST, "--date", "2026-11-02")):
        said = command("publish", *arguments, "--history", tmp_path / "none")
        assert (said.code, "a history, a folder with the Delta table prints" in said.err) == (1, True)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("replay", "--as-of", "yesterday"), "--as-of: found yesterday, expected a time"),
        (("replay", "--as-of", "2026-11-03T00:00"), "a time with its zone"),
        (("explain", "--index", EAST, "--date", "2026-11-09"), f"a day with one print of {EAST}"),
        (("explain", "--index", EAST, "--date", "soon"), "a day such as"),
        (("explain", "--index", EAST, "--date", "2026-11-02", "--revision", "4"), "has no print of the period"),
        (("check", "--anchor", "0" * 64), "was changed or taken away"),
    ],
)
def test_what_cannot_be_answered_is_refused(published: Path, arguments: tuple[str, ...], expected: str, command: Command) -> None:
    said = command("publish", arguments[0], "--history", published, *arguments[1:])
    assert said.code == 1
    assert expected in said.err.replace("column ", "")


@pytest.mark.parametrize("arguments", [("evidence",), ("evidence", "--verify", "x.zip", "--out", "y.zip"), ("approve", "x")])
def test_wrong_usage(arguments: tuple[str, ...], command: Command) -> None:
    assert command("publish", *arguments).code == 2


def test_compare_draws_both_series(command: Command, tmp_path: Path) -> None:
    seen, rule, out = listed(tmp_path / "listings.csv", d1=9.0), tmp_path / "whole.toml", tmp_path / "compared"
    rule.write_text(HOUSE.read_text().replace("trim = 0.25", "trim = 0.0").replace('name = "house"', 'name = "whole"'))
    said = command(
        "publish", "compare", seen, "--method", rule, "--against", "house", "--from", "2026-11-02", "--to", "2026-11-03", "--out", out
    )
    assert said.code == 0
    assert f"{EAST}: 2 printed by both" in said.out
    page = (out / "compare.html").read_text()
    assert "whole against house" in page
    assert "<script src" not in page
    assert sorted(path.name for path in out.iterdir()) == ["compare.html", "comparison.csv", "distances.csv", "manifest.json"]


def test_the_same_from_python(tmp_path: Path) -> None:
    missing = [name for name in publishing.__all__ if not hasattr(publishing, name)]
    assert missing == []
    assert publishing.open_history(tmp_path, new=True).head == ""


@pytest.mark.skipif(not LISTINGS.exists(), reason="needs the listings published by CCIR")
def test_the_documented_day_prints_what_ccir_printed(command: Command, tmp_path: Path) -> None:
    seen = Path(shutil.copy(LISTINGS, tmp_path / "listings.csv.gz"))
    draft, history, names = tmp_path / "draft", tmp_path / "history", ("--index", "H100-SXM.US.FIRM", "--index", "H200-SXM.US.FIRM")
    made = ("--method", "ccir-1.1.1", "--date", "2026-03-04", "--by", "ann", "--out", draft, "--at", "2026-03-05T00:05Z")
    assert command("publish", "run", seen, *made, *names).code == 0
    assert command("publish", "check", draft, "--history", history).code == 0
    assert command("publish", "approve", draft, "--history", history, "--by", "bob", "--at", "2026-03-05T00:10Z").code == 0
    assert command("publish", "publish", draft, "--history", history, "--at", "2026-03-05T00:15Z").code == 0
    values = publishing.open_history(history).marks().select("index", "value").rows()
    assert values == [("H100-SXM.US.FIRM", 1.735), ("H200-SXM.US.FIRM", 2.3237)]
    again = ("--date", "2026-03-04", "--reason", "a test", "--by", "ann", "--out", tmp_path / "again")
    said = command("publish", "restate", seen, "--history", history, *again)
    assert (said.code, "a methodology that allows restatement" in said.err) == (1, True)


def test_a_history_is_compacted_and_says_the_same(command: Command, tmp_path: Path) -> None:
    from tests.indices.publishing_day import three_days

    history = three_days(tmp_path)
    before = publishing.open_history(history)
    said = command("publish", "compact", "--history", history, "--json")
    assert (said.code, json.loads(said.out)) == (0, {"files_before": 3, "files": 1, "version": 3})
    after = publishing.open_history(history)
    assert after.prints.equals(before.prints)
    assert after.broken(anchor=before.head) == ()
    assert command("publish", "check", "--history", history, "--anchor", before.head).code == 0
    nowhere = command("publish", "compact", "--history", tmp_path / "nowhere")
    assert (nowhere.code, "a history, a folder with the Delta table prints" in nowhere.err) == (1, True)
