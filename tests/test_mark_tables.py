"""Where marks are read from: a table, a folder of several runs, a run folder, a publisher's history, as of a past moment."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.data.store import write_manifest, write_table, write_version, writing
from tenorgrid.data.tables.observed import Marks
from tenorgrid.data.versions import versions
from tenorgrid.indices.fixings import fixings
from tenorgrid.mark_tables import beside, fixings_of, read_marks
from tests.indices.publishing_day import EAST, FIRST, HOUR, US, closed, listed, published, three_days
from tests.test_cli import listed as listed_file

Command = Callable[..., Any]
DAY = datetime(2027, 1, 5, 5, tzinfo=UTC)


def marks(*values: float, revision: int = 0, known: timedelta = timedelta(1)) -> pl.DataFrame:
    rows = [
        {
            "index": US, "methodology": "house", "start": DAY + timedelta(number), "end": DAY + timedelta(number + 1),
            "published_at": DAY + timedelta(number) + known, "revision": revision, "value": value, "unit": "USD/GPUh",
            "quantity": None, "status": "published", "method_hash": "0" * 64,
        }
        for number, value in enumerate(values)
    ]  # fmt: skip
    return Marks.cast(pl.DataFrame(rows, schema_overrides={"quantity": pl.Float64}))


def write(folder: Path, frame: pl.DataFrame) -> Path:
    """A folder as `tenorgrid mark` writes it."""
    with writing(folder) as place:
        write_version(place, "marks", frame, before=folder)
        write_manifest(place, command="mark")
    return folder


def test_a_frame_a_file_a_folder_its_table_and_a_run_folder_are_read_alike(tmp_path: Path) -> None:
    frame = marks(2.5, 2.6)
    folder = write(tmp_path / "run" / "marks", frame)
    plain = write_table(tmp_path, "marks", frame, form="parquet")
    for source in (frame, plain, plain.parent, folder, folder / "marks.csv", folder / "marks.delta", folder.parent, str(folder)):
        assert tg.read_marks(source).equals(frame), source


def test_a_second_run_into_the_folder_is_a_second_version(tmp_path: Path) -> None:
    folder = write(tmp_path / "marks", marks(2.5, 2.6))
    first = versions(folder, "marks")["written_at"][0]
    write(folder, marks(2.5, 2.7))
    write(folder, marks(2.5, 2.7))  # the same again
    assert versions(folder, "marks").height == 2
    assert read_marks(folder)["value"].to_list() == [2.5, 2.7]
    assert read_marks(folder, written_by=first)["value"].to_list() == [2.5, 2.6]
    with pytest.raises(NotPublishedError, match="was not written yet"):
        read_marks(folder, written_by=first - timedelta(seconds=1))


def test_as_of_a_moment_only_what_was_published_by_then_is_known() -> None:
    frame = pl.concat([marks(2.5, 2.6), marks(2.4, revision=1, known=timedelta(days=1, hours=3))])
    assert read_marks(frame).height == 3
    for hours, known in ((23, []), (24, [2.5]), (27, [2.4]), (48, [2.4, 2.6])):
        assert read_marks(frame, as_of=DAY + timedelta(hours=hours)).sort("start")["value"].to_list() == known, hours
    late = DAY + timedelta(days=3)
    same = fixings(frame, at=late)["value"].to_list()
    assert read_marks(frame, as_of=late).sort("start")["value"].to_list() == same == [2.4, 2.6]  # by another function


def test_a_publishers_history_is_read_as_of_any_moment(tmp_path: Path) -> None:
    history = three_days(tmp_path)
    assert read_marks(history)["start"].n_unique() == 3
    for day in range(3):
        seen = read_marks(history, as_of=closed(FIRST + timedelta(day)) + HOUR)
        assert seen.filter(index=EAST).height == day + 1
    at = closed(FIRST) + HOUR
    assert fixings_of(history, at=at).filter(index=EAST)["date"].to_list() == [FIRST]
    assert fixings_of(history, at=at).equals(fixings(read_marks(history, as_of=at), at=at))
    with pytest.raises(InputError, match="a print is written when it is published"):
        read_marks(history, written_by=at)


def test_what_has_no_marks_or_no_versions_is_refused(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with pytest.raises(InputError, match="a table marks, a folder that has one, or a publisher's history"):
        read_marks(tmp_path)
    with pytest.raises(InputError, match="a file of marks"):
        read_marks(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="a folder with the Delta table marks"):
        read_marks(marks(2.5), written_by=now)
    with pytest.raises(InputError, match="a folder with the Delta table marks"):
        read_marks(write_table(tmp_path, "marks", marks(2.5)).parent, written_by=now)
    with pytest.raises(InputError, match="a time with its zone"):
        read_marks(marks(2.5), as_of=datetime(2027, 1, 1))


def test_a_copy_that_says_something_else_is_named_whichever_was_changed(tmp_path: Path) -> None:
    folder = write(tmp_path / "marks", marks(2.5, 2.6))
    assert beside(folder / "audit.jsonl")[1] == ()
    export = folder / "marks.csv"
    export.write_text(export.read_text().replace(",2.6,", ",2.7,"))
    told, copies = beside(folder / "audit.jsonl")
    assert told is not None
    assert told["value"].to_list() == [2.5, 2.7]
    assert [(one.field, one.recorded) for one in copies] == [("marks.csv", 2.7), ("marks.delta", 2.6)]
    assert beside(tmp_path / "audit.jsonl") == (None, ())


def test_verify_finds_a_table_that_was_changed_where_its_export_was_not(tmp_path: Path, command: Command) -> None:
    seen = listed_file(tmp_path / "seen.csv")
    folder = tmp_path / "marks"
    assert command("mark", seen, "--out", folder).code == 0
    assert command("mark", seen, "--verify", folder / "audit.jsonl").code == 0
    forged = read_marks(folder).with_columns(value=pl.col("value") + 1)
    (tmp_path / "forged").mkdir()
    write_version(tmp_path / "forged", "marks", forged, before=folder)
    (folder / "marks.delta").rename(tmp_path / "honest")
    (tmp_path / "forged" / "marks.delta").rename(folder / "marks.delta")
    said = command("mark", seen, "--verify", folder / "audit.jsonl")
    assert said.code == 1
    assert "marks.delta is recorded as 3.2" in said.err


def test_commands_read_a_history_and_a_former_run(tmp_path: Path, command: Command) -> None:
    published(tmp_path, listed())
    history = tmp_path / "history"
    early, late = f"{closed(FIRST):%Y-%m-%dT%H:%MZ}", f"{closed(FIRST) + HOUR:%Y-%m-%dT%H:%MZ}"
    said = command("basket", history, "--definition", "hopper-us", "--out", tmp_path / "made", "--at", early)
    assert said.code == 1  # nothing was published by then
    seen = listed_file(tmp_path / "seen.csv", days=2)
    folder = tmp_path / "marks"
    assert command("mark", seen, "--out", folder).code == 0
    first = versions(folder, "marks")["written_at"][0]
    seen.write_text(seen.read_text().replace(",2.1,", ",2.2,"))
    assert command("mark", seen, "--out", folder).code == 0
    assert read_marks(folder, written_by=first).filter(index="H100-SXM.US.FIRM")["value"][0] == 2.2
    assert read_marks(folder).filter(index="H100-SXM.US.FIRM")["value"][0] == 2.25
    said = command("workloads", history, "--as-of", late, "--home", "US", "--tier", "FIRM", "--out", tmp_path / "work", "--json")
    assert said.code == 0, said.err
    assert command("workloads", folder, "--written-by", "soon", "--out", tmp_path / "x").code == 2
    assert command("workloads", folder, "--written-by", "2020-01-01T00:00Z", "--out", tmp_path / "x").code == 1
