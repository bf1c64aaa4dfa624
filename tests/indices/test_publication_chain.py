"""The chains of hashes: whatever is changed, missing or added is found and named, also where it was made to agree with itself."""

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import write_deltalake

from tenorgrid.data.history import HistoryError
from tenorgrid.data.tables.publication import Prints
from tenorgrid.indices.publication.chain import broken, content_hash, head, heads, linked, print_hash, publication_hash, sha
from tenorgrid.indices.publication.history import open_history
from tenorgrid.indices.publication.verification import verify_prints
from tests.indices.publishing_day import EAST, three_days

FIRST_COLUMNS = (
    "index", "methodology", "start", "end", "published_at", "revision", "value", "unit", "quantity", "status", "method_hash",
    "input_hash", "draft_hash", "made_by", "made_at", "approved_by", "approved_at", "judgements", "reason", "rule",
    "number", "publication", "prints",
)  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_days(tmp_path_factory.mktemp("days"))


@pytest.fixture(scope="module")
def prints(place: Path) -> pl.DataFrame:
    return open_history(place).prints


def rewritten(place: Path, into: Path, rows: pl.DataFrame) -> Path:
    """The same history with other rows in a table that looks untouched."""
    shutil.copytree(place, into)
    shutil.rmtree(into / "prints")
    write_deltalake(into / "prints", rows.with_columns(pl.col("status").cast(pl.String)))
    return into


def test_a_hash_is_that_of_the_documented_text(prints: pl.DataFrame) -> None:
    """Worked out without the package's own functions."""
    for row in prints.iter_rows(named=True):
        content = {}
        for name in (*FIRST_COLUMNS, "layout"):
            value = row[name]
            content[name] = value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if hasattr(value, "strftime") else value
        own = hashlib.sha256(json.dumps(dict(sorted(content.items())), separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        audit = hashlib.sha256(row["audit"].encode()).hexdigest()
        whole = hashlib.sha256(f"{own}\n{audit}\n{row['previous']}\n{row['before']}".encode()).hexdigest()
        assert (own, audit, whole) == (row["content_hash"], row["audit_hash"], row["hash"])


def test_each_print_follows_the_one_before_it_of_its_index(prints: pl.DataFrame) -> None:
    mine = prints.filter(pl.col("index") == EAST).sort("start")
    assert mine["previous"].to_list() == ["", *mine["hash"][:-1]]
    assert prints.sort("publication")["before"].unique(maintain_order=True).to_list() == ["", *heads(prints)[:-1]]
    assert head(prints) == heads(prints)[-1]


OTHER: dict[str, Any] = {
    "index": "H200-SXM.US.FIRM", "methodology": "theirs", "value": 2.2000001, "unit": "EUR/GPUh", "quantity": 1.0, "status": "carried",
    "method_hash": "0", "input_hash": "0", "draft_hash": "0", "made_by": "eve", "approved_by": "eve", "judgements": "[{}]",
    "reason": "none", "rule": "none",
    "number": 9, "publication": 9, "prints": 2, "audit": "{}", "content_hash": "0", "audit_hash": "0", "previous": "0",
    "before": "0", "hash": "0", "revision": 1, "layout": None,
}  # fmt: skip


@pytest.mark.parametrize("column", Prints.columns())
@pytest.mark.parametrize("row", [0, 4, 8])
def test_a_change_of_any_cell_is_found(prints: pl.DataFrame, column: str, row: int) -> None:
    here = pl.int_range(pl.len()) == row
    moved = pl.col(column) + timedelta(microseconds=1) if column not in OTHER else pl.lit(OTHER[column]).cast(prints.schema[column])
    changed = prints.with_columns(pl.when(here).then(moved).otherwise(column).alias(column))
    assert not changed.equals(prints)
    assert broken(changed)


@pytest.mark.parametrize("row", range(9))
def test_a_print_that_is_taken_away_is_found(prints: pl.DataFrame, row: int) -> None:
    gone = prints.row(row, named=True)
    found = broken(prints.filter(pl.int_range(pl.len()) != row))
    assert f"publication {gone['publication']} has 2 prints and says 3" in found
    if gone["number"] < 2:
        assert f"print {gone['number']} of {gone['index']} is missing" in found


@pytest.mark.parametrize("publication", [0, 1])
def test_a_publication_that_is_taken_away_is_named(prints: pl.DataFrame, publication: int) -> None:
    found = broken(prints.filter(pl.col("publication") != publication))
    assert f"publication {publication} is missing" in found
    assert f"print {publication} of {EAST} is missing" in found


def test_the_last_publication_is_missed_by_whoever_noted_its_hash(prints: pl.DataFrame) -> None:
    cut = prints.filter(pl.col("publication") < 2)
    assert broken(cut) == ()
    (fault,) = broken(cut, anchor=head(prints))
    assert fault.startswith(f"no publication has the hash {head(prints)}")
    assert all(broken(prints, anchor=each) == () for each in heads(prints))


def test_a_print_that_is_added_is_found(prints: pl.DataFrame) -> None:
    forged = prints.tail(1).with_columns(value=pl.lit(9.0), revision=pl.lit(1, dtype=pl.Int64))
    row = forged.row(0, named=True)
    forged = forged.with_columns(content_hash=pl.lit(content_hash(row)))
    forged = forged.with_columns(hash=pl.lit(print_hash(forged.row(0, named=True))))
    assert "its index has two prints of this number" in " ".join(broken(pl.concat([prints, forged])))


def again(prints: pl.DataFrame) -> pl.DataFrame:
    """All hashes made anew, as by somebody who can write the table."""
    found: pl.DataFrame = Prints.create_empty()
    for number in range(3):
        rows = prints.filter(pl.col("publication") == number)
        found = pl.concat([found, linked(rows, after=found)])
    return found


def test_hashes_made_anew_over_the_same_rows_are_the_same(prints: pl.DataFrame) -> None:
    assert again(prints).select("hash").sort("hash").equals(prints.select("hash").sort("hash"))


def test_print_audit_and_hashes_edited_together_still_fail_against_the_input(place: Path, prints: pl.DataFrame, tmp_path: Path) -> None:
    mine = (pl.col("index") == EAST) & (pl.col("number") == 1)
    entry = json.loads(prints.filter(mine)["audit"][0]) | {"value": 3.3, "unrounded": 3.3}
    text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    edited = prints.with_columns(
        value=pl.when(mine).then(3.3).otherwise("value"), audit=pl.when(mine).then(pl.lit(text)).otherwise("audit")
    )
    forged = open_history(rewritten(place, tmp_path / "forged", again(edited)))
    assert forged.broken() == ()  # it agrees with itself
    assert forged.broken(anchor=head(prints))  # not with the hash that was noted down
    found = verify_prints(forged, forged.prints)
    assert {difference.field for difference in found.differences} == {"value", "unrounded"}
    assert {(difference.index, difference.date) for difference in found.differences} == {(EAST, "2027-01-06")}


def test_a_changed_input_is_named(place: Path, prints: pl.DataFrame, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "history")
    name = prints["input_hash"][0]
    path = tmp_path / "history" / "inputs" / f"{name}.parquet"
    path.write_bytes(path.read_bytes().replace(b"h100", b"h200"))
    history = open_history(tmp_path / "history")
    with pytest.raises(HistoryError, match=rf"{name}\.parquet was changed"):
        verify_prints(history, history.prints)


def test_the_hash_of_a_publication_is_of_its_prints_in_any_order() -> None:
    assert publication_hash("x", ["b", "a"]) == sha("x\na\nb")
