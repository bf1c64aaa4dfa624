"""Audits: what is recorded, and that only the input and the rule can confirm it."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.indices.audit import Verification, read_audit, verify
from tenorgrid.indices.marks import MarkRun, mark

Observe = Callable[..., pl.DataFrame]
DAY = date(2027, 1, 5)
EAST = "H100-SXM.US-EAST.FIRM"
SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"


@pytest.fixture
def seen(observe: Observe) -> pl.DataFrame:
    """List prices of four providers on three days, and a placeholder at 0 that does not count."""
    noon = datetime(2027, 1, 5, 17, tzinfo=UTC)
    rows = [
        {"observation_id": f"{name}{day}", "provider": name, "price": price + 0.1 * day, "time": noon + timedelta(days=day)}
        for day in range(3)
        for name, price in zip("abcd", (2.0, 2.1, 2.3, 9.0), strict=True)
    ]
    return observe(*rows, {"observation_id": "parked", "provider": "e", "price": 0.0})


@pytest.fixture
def run(seen: pl.DataFrame) -> MarkRun:
    return mark(seen, methodology="house", first=DAY, end=DAY + timedelta(4))


@pytest.fixture
def path(run: MarkRun, tmp_path: Path) -> Path:
    return run.write_audit(tmp_path / "audit.jsonl")


def rewritten(path: Path, change: Callable[[Any], None]) -> None:
    entries = read_audit(path)
    for entry in entries:
        if (entry["index"], entry["date"]) == (EAST, "2027-01-05"):
            change(entry)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def fields(found: Verification) -> set[str]:
    return {difference.field for difference in found.differences}


def test_an_untouched_audit_is_confirmed(path: Path, seen: pl.DataFrame, run: MarkRun) -> None:
    found = verify(path, seen.sample(fraction=1.0, shuffle=True, seed=1), marks=run.marks)
    assert found.confirmed
    assert found.prints == run.marks.height == 12  # the region and its two groups, four days
    assert str(found) == "12 prints recomputed, none differs"


def test_an_audit_holds_all_that_was_decided(run: MarkRun) -> None:
    entry: Any = run.audit(EAST, DAY).entry
    assert entry["value"] == 2.2  # the middle half of 2.0, 2.1, 2.3, 9.0
    assert entry["window"] == {
        "start": "2027-01-05T05:00:00Z",
        "end": "2027-01-06T05:00:00Z",
        "length": "1d",
        "cut_off": "24:00 America/New_York",
    }
    assert entry["methodology"]["hash"] == run.methodology.hash
    assert entry["exclusions"] == [{"observation_id": "parked", "rule": "price", "value": "0.0", "limit": "above 0"}]
    assert entry["counts"] == {"used": 4, "excluded": 1, "contributors": 4}
    assert [part["provider"] for part in entry["contributors"]] == ["a", "b", "c", "d", "e"]
    assert (entry["prices"]["min"], entry["prices"]["p50"], entry["prices"]["max"]) == (2.0, 2.2, 9.0)
    assert entry["input"]["rows"] == 5
    assert entry["precision"] == {"decimals": 6, "rounding": "half-even"}
    assert entry["level"] == "list prices"
    assert len(entry["input"]["hash"]) == 64


def test_exclusions_of_the_run_are_those_of_its_audits(run: MarkRun) -> None:
    told = [(entry["index"], part["observation_id"]) for entry in map(json.loads, run.audits["audit"]) for part in entry["exclusions"]]
    assert sorted(told) == sorted(run.exclusions.select("index", "observation_id").rows())
    assert told


def test_a_changed_print_is_named(path: Path, seen: pl.DataFrame) -> None:
    rewritten(path, lambda entry: entry.update(value=2.2000001))
    (difference,) = verify(path, seen).differences
    assert str(difference) == f"{EAST} 2027-01-05: value is recorded as 2.2000001, recomputed as 2.2"


def test_a_print_and_its_audit_edited_together_still_fail(path: Path, seen: pl.DataFrame, run: MarkRun) -> None:
    rewritten(path, lambda entry: entry.update(value=3.3, unrounded=3.3))
    edited = run.marks.with_columns(value=pl.when(pl.col("index") == EAST, pl.col("start").dt.day() == 5).then(3.3).otherwise("value"))
    found = verify(path, seen, marks=edited)
    assert not found.confirmed
    assert fields(found) == {"value", "unrounded"}  # the marks agree with the audit; neither agrees with the input


def test_a_mark_that_is_not_what_its_audit_says_is_named(path: Path, seen: pl.DataFrame, run: MarkRun) -> None:
    edited = run.marks.with_columns(value=pl.when(pl.col("index") == EAST, pl.col("start").dt.day() == 5).then(3.3).otherwise("value"))
    assert fields(verify(path, seen, marks=edited)) == {"marks.value"}
    assert fields(verify(path, seen, marks=run.marks.filter((pl.col("index") != EAST) | (pl.col("start").dt.day() != 6)))) == {
        "marks.value",
        "marks.status",
        "marks.unit",
        "marks.published_at",
    }


def test_a_mark_without_an_audit_is_named(path: Path, seen: pl.DataFrame, run: MarkRun) -> None:
    path.write_text("".join(f"{line}\n" for line in path.read_text().splitlines()[1:]))
    (difference,) = verify(path, seen, marks=run.marks).differences
    assert difference.recomputed == "a mark without an audit"


@pytest.mark.parametrize("change", [{"price": 2.0000001}, {"provider": "A"}, {"tier": "firm", "term_hours": 1.0}, {"note": "late"}])
def test_a_changed_byte_of_the_input_is_named_by_hash_and_contributor(path: Path, seen: pl.DataFrame, change: dict[str, Any]) -> None:
    mine = pl.col("observation_id") == "a0"
    changed = seen.with_columns(
        pl.when(mine).then(pl.lit(value)).otherwise(pl.col(name) if name in seen.columns else None).alias(name)
        for name, value in change.items()
    )
    found = verify(path, changed)
    assert "input.hash" in fields(found)
    assert any(field.startswith("contributors") for field in fields(found))
    assert {difference.date for difference in found.differences} == {"2027-01-05"}


def test_an_excluded_row_is_part_of_the_input(path: Path, seen: pl.DataFrame) -> None:
    assert fields(verify(path, seen.filter(observation_id="parked"))) > {"input.hash"}
    without = verify(path, seen.filter(pl.col("observation_id") != "parked"))
    assert {"input.hash", "input.rows", "counts.excluded"} <= fields(without)
    assert "value" not in fields(without)


def test_a_row_dated_after_the_window_changes_no_audit(path: Path, seen: pl.DataFrame) -> None:
    late = seen.head(1).with_columns(observation_id=pl.lit("late"), time=pl.lit(datetime(2027, 1, 9, 5, tzinfo=UTC)))
    assert verify(path, pl.concat([seen, late])).confirmed


def test_a_changed_methodology_is_named(path: Path, seen: pl.DataFrame, tmp_path: Path) -> None:
    mine = tmp_path / "house.toml"
    mine.write_text((SHIPPED / "house.toml").read_text().replace("trim = 0.25", "trim = 0.20"))
    found = verify(path, seen, methodology=mine)
    assert {"methodology.hash", "value"} <= fields(found)
    commented = tmp_path / "commented.toml"
    commented.write_text((SHIPPED / "house.toml").read_text() + "\n# one more comment\n")
    assert fields(verify(path, seen, methodology=commented)) == {"methodology.hash"}


def test_a_mark_carried_from_before_the_run_is_confirmed(seen: pl.DataFrame, tmp_path: Path) -> None:
    late = mark(seen, methodology="house", first=date(2027, 1, 9), end=date(2027, 1, 11))
    assert late.marks["status"].unique().sort().to_list() == ["carried"]
    assert verify(late.write_audit(tmp_path / "late.jsonl"), seen).confirmed


def test_one_audit_verifies_itself(run: MarkRun, seen: pl.DataFrame) -> None:
    audit = run.audit(EAST, "2027-01-06")
    assert audit.verify(seen).confirmed
    assert not audit.verify(seen.with_columns(pl.col("price") * 1.01)).confirmed
    assert json.loads(audit.to_json())["index"] == EAST


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "at least one audit"), ("nonsense\n", "a JSON object"), ('{"index": "A"}\n', "a JSON object"), ("[1]\n", "a JSON object")],
)
def test_what_is_no_audit_is_refused(tmp_path: Path, seen: pl.DataFrame, text: str, expected: str) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=expected):
        verify(path, seen)


def test_an_absent_audit_is_refused(tmp_path: Path, seen: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="an audit file"):
        verify(tmp_path / "none.jsonl", seen)


def test_an_audit_of_an_unknown_methodology_is_refused(path: Path, seen: pl.DataFrame) -> None:
    rewritten(path, lambda entry: entry.update(methodology={"name": "theirs", "hash": "0"}))
    with pytest.raises(InputError, match="found theirs"):
        verify(path, seen)


@pytest.mark.parametrize("field", ["kinds", "without_one", "to_move"])
def test_how_sensitive_a_mark_is_told_to_be_is_recomputed_too(path: Path, seen: pl.DataFrame, field: str) -> None:
    def edit(entry: Any) -> None:
        if field == "kinds":
            entry["kinds"][0]["weight_share"] = 0.9
        elif field == "without_one":
            entry["without_one"]["lowest"]["value"] *= 1.000001
        else:
            entry["to_move"]["attacks"][0]["observations"] += 1

    rewritten(path, edit)
    (difference,) = verify(path, seen).differences
    assert difference.field.startswith(field)


def test_an_audit_may_leave_it_out_and_then_says_so(path: Path, seen: pl.DataFrame, tmp_path: Path) -> None:
    spared = mark(seen, methodology="house", first=DAY, end=DAY + timedelta(4), sensitivity="left out")
    entry = spared.audit(EAST, DAY).entry
    assert (entry["sensitivity"], entry["without_one"], entry["to_move"]) == ("left out", None, None)
    short = spared.write_audit(tmp_path / "short.jsonl")
    assert verify(short, seen).confirmed
    both = tmp_path / "both.jsonl"
    both.write_text(path.read_text() + short.read_text())
    assert verify(both, seen).confirmed
    rewritten(path, lambda entry: entry.update(sensitivity="left out"))
    assert fields(verify(path, seen)) == {"without_one", "to_move"}  # what is left out is not told either
