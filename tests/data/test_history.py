"""Delta tables that are only appended to, and files kept under their hash."""

import shutil
import threading
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from tenorgrid.data.errors import InputError
from tenorgrid.data.history import (
    EMPTY,
    Compaction,
    HistoryError,
    OvertakenError,
    append,
    compact,
    foreign_commits,
    keep,
    kept,
    read,
    refuse_none,
    version,
)
from tenorgrid.data.kinds.index import MarkStatus

NAME = "events"


class Events(dy.Schema):
    """Rows for these tests."""

    event = dy.Int64(primary_key=True, min=0)
    moment = dy.Datetime(time_zone="UTC", nullable=True)
    amount = dy.Float64(nullable=True)
    status = dy.Enum(MarkStatus)


def event(number: int, amount: float | None = 0.1) -> pl.DataFrame:
    moment = datetime(2027, 1, 1, 0, 0, 0, number, tzinfo=UTC)
    return pl.DataFrame([{"event": number, "moment": moment, "amount": amount, "status": "published"}])


def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    rows = pl.concat([event(0, 0.1 + 0.2), event(1).with_columns(amount=pl.lit(None, dtype=pl.Float64))])
    assert append(tmp_path, NAME, rows, Events, seen=EMPTY) == 0
    assert append(tmp_path, NAME, event(2), Events, seen=0) == 1
    found, seen = read(tmp_path, NAME, Events)
    assert seen == version(tmp_path, NAME) == 1
    assert found.sort("event").rows() == pl.concat([rows, event(2)]).rows()
    assert found.schema == Events.create_empty().schema


def test_no_table_is_an_empty_one(tmp_path: Path) -> None:
    found, seen = read(tmp_path / "nowhere", NAME, Events)
    assert (found.height, seen) == (0, EMPTY)
    assert list(foreign_commits(tmp_path, NAME)) == []
    with pytest.raises(InputError, match="a history, a folder with the Delta table events"):
        refuse_none(tmp_path, NAME)


@pytest.mark.parametrize("before", [0, 1, 3])
def test_of_two_writers_who_saw_the_same_one_is_told(tmp_path: Path, before: int) -> None:
    for number in range(before):
        append(tmp_path, NAME, event(number), Events, seen=number - 1)
    append(tmp_path, NAME, event(before), Events, seen=before - 1)
    with pytest.raises(OvertakenError, match="somebody else has published"):
        append(tmp_path, NAME, event(99), Events, seen=before - 1)
    assert read(tmp_path, NAME, Events)[0]["event"].sort().to_list() == list(range(before + 1))


def test_of_many_threads_each_commit_is_seen_once(tmp_path: Path) -> None:
    append(tmp_path, NAME, event(0), Events, seen=EMPTY)
    told: list[str] = []

    def write(number: int) -> None:
        try:
            append(tmp_path, NAME, event(number), Events, seen=0)
            told.append("won")
        except OvertakenError:
            told.append("overtaken")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["overtaken"] * 7 + ["won"]
    assert read(tmp_path, NAME, Events)[0].height == 2


def test_rows_that_break_the_schema_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="events row 1, column event: found -1"):
        append(tmp_path, NAME, event(0).with_columns(event=pl.lit(-1, dtype=pl.Int64)), Events, seen=EMPTY)
    assert version(tmp_path, NAME) == EMPTY


def whole(place: Path) -> Path:
    for number in range(3):
        append(place, NAME, event(number), Events, seen=number - 1)
    return place


@pytest.mark.parametrize("damage", ["cut", "noise", "gone"])
def test_a_damaged_file_is_told_and_not_read_past(tmp_path: Path, damage: str) -> None:
    file = sorted((whole(tmp_path) / NAME).glob("*.parquet"))[1]
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:200])
    elif damage == "noise":
        file.write_bytes(b"\0" * file.stat().st_size)
    else:
        file.unlink()
    with pytest.raises(HistoryError, match=r"events of .* cannot be read"):
        read(tmp_path, NAME, Events)


def test_a_damaged_log_is_told(tmp_path: Path) -> None:
    log = sorted((whole(tmp_path) / NAME / "_delta_log").glob("*.json"))[1]
    log.write_text("{nonsense")
    with pytest.raises(HistoryError, match="cannot be read"):
        read(tmp_path, NAME, Events)


def test_a_log_without_its_beginning_is_no_empty_table(tmp_path: Path) -> None:
    for log in (whole(tmp_path) / NAME / "_delta_log").glob("*.json"):
        if not log.name.endswith("2.json"):
            log.unlink()
    with pytest.raises(HistoryError):
        read(tmp_path, NAME, Events)


def test_without_its_log_a_table_is_no_history(tmp_path: Path) -> None:
    """As after a writer that was killed in its first commit."""
    shutil.rmtree(whole(tmp_path) / NAME / "_delta_log")
    assert read(tmp_path, NAME, Events)[0].is_empty()
    with pytest.raises(InputError, match="a history, a folder with the Delta table events"):
        refuse_none(tmp_path, NAME)


def test_whoever_deletes_or_overwrites_leaves_a_trace(tmp_path: Path) -> None:
    assert list(foreign_commits(whole(tmp_path), NAME)) == []
    DeltaTable(tmp_path / NAME).delete("event = 1")
    write_deltalake(tmp_path / NAME, event(7).with_columns(pl.col("status").cast(pl.String)), mode="overwrite")
    assert list(foreign_commits(tmp_path, NAME)) == ["version 4 is WRITE Overwrite", "version 3 is DELETE"]


def test_what_is_kept_is_found_by_its_hash_and_no_other(tmp_path: Path) -> None:
    digest = keep(tmp_path, b"rule", suffix=".toml")
    assert digest == sha256(b"rule").hexdigest()
    assert keep(tmp_path, b"rule", suffix=".toml") == digest
    assert [path.name for path in tmp_path.iterdir()] == [f"{digest}.toml"]
    assert kept(tmp_path, digest, suffix=".toml").read_bytes() == b"rule"
    (tmp_path / f"{digest}.toml").write_bytes(b"another")
    with pytest.raises(HistoryError, match="was changed"):
        kept(tmp_path, digest, suffix=".toml")
    with pytest.raises(HistoryError, match="is missing"):
        kept(tmp_path, "0" * 64, suffix=".toml")


def many(place: Path, count: int) -> Path:
    for number in range(count):
        append(place, NAME, event(number), Events, seen=version(place, NAME))
    return place


def test_small_files_are_put_together_and_every_version_still_reads(tmp_path: Path) -> None:
    rows = read(whole(tmp_path), NAME, Events)[0].sort("event")
    found = compact(tmp_path, NAME)
    assert (found.before, found.after, found.version) == (3, 1, 3)
    assert read(tmp_path, NAME, Events)[0].sort("event").equals(rows)
    for number in range(3):
        assert read(tmp_path, NAME, Events, version_of=number)[0]["event"].sort().to_list() == list(range(number + 1))
    assert list(foreign_commits(tmp_path, NAME)) == []
    assert len(list((tmp_path / NAME).glob("*.parquet"))) == 4  # none is deleted
    again = compact(tmp_path, NAME)
    assert (again.before, again.after, again.version) == (1, 1, 3)
    assert compact(tmp_path / "nowhere", NAME) == Compaction(before=0, after=0, version=EMPTY)


def test_who_appends_after_a_compaction_reads_again(tmp_path: Path) -> None:
    compact(whole(tmp_path), NAME)
    with pytest.raises(OvertakenError):
        append(tmp_path, NAME, event(3), Events, seen=2)
    assert append(tmp_path, NAME, event(3), Events, seen=3) == 4
    assert read(tmp_path, NAME, Events)[0]["event"].sort().to_list() == [0, 1, 2, 3]


def test_a_table_puts_its_files_together_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenorgrid.data.history.COMPACT_AT", 5)
    seen = [len(DeltaTable(many(tmp_path, 1) / NAME).file_uris())]
    for number in range(1, 13):
        made = append(tmp_path, NAME, event(number), Events, seen=version(tmp_path, NAME))
        seen.append(len(DeltaTable(tmp_path / NAME).file_uris()))
        assert version(tmp_path, NAME) - made == (seen[-1] == 1)  # its own version, also where files were put together after it
    assert seen == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3]
    assert read(tmp_path, NAME, Events)[0]["event"].sort().to_list() == list(range(13))
    assert list(foreign_commits(tmp_path, NAME)) == []


def test_a_damaged_table_is_not_put_together(tmp_path: Path) -> None:
    sorted((whole(tmp_path) / NAME).glob("*.parquet"))[1].unlink()
    with pytest.raises(HistoryError, match="is missing"):
        compact(tmp_path, NAME)
