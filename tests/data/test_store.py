"""The store: a folder is whole or it is the old one; tables read back as they were written."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenorgrid.data.errors import InputError
from tenorgrid.data.store import Form, find_table, read_manifest, read_table, write_manifest, write_table, writing
from tenorgrid.data.tables.cleared import Prices


class Readings(dy.Schema):
    """One number at one time."""

    start = dy.Datetime(primary_key=True, time_zone="UTC")
    value = dy.Float64(nullable=True)


def fill(folder: Path, text: str) -> None:
    with writing(folder) as temporary:
        (temporary / "text").write_text(text)
        write_manifest(temporary, command="test")


def test_a_folder_is_moved_in_when_the_block_ends(tmp_path: Path) -> None:
    fill(tmp_path / "made" / "out", "first")
    assert (tmp_path / "made" / "out" / "text").read_text() == "first"
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["out"]


@pytest.mark.parametrize("swap", ["in one step", "in two"])
def test_a_second_run_replaces_the_first_wholly(swap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if swap == "in two":
        monkeypatch.setattr("tenorgrid.data.store._exchange", lambda first, second: False)
    fill(tmp_path / "out", "first")
    (tmp_path / "out" / "old_only").touch()
    fill(tmp_path / "out", "second")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["manifest.json", "text"]
    assert (tmp_path / "out" / "text").read_text() == "second"


def test_an_error_leaves_the_last_good_output_and_nothing_else(tmp_path: Path) -> None:
    fill(tmp_path / "out", "good")
    with pytest.raises(FileNotFoundError), writing(tmp_path / "out") as temporary:
        (temporary / "text").rename(temporary / "missing" / "text")
    assert (tmp_path / "out" / "text").read_text() == "good"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux swaps two names in one step")
def test_a_reader_finds_an_output_at_every_moment(tmp_path: Path) -> None:
    fill(tmp_path / "out", "first")
    done = threading.Event()
    missed = []

    def look() -> None:
        while not done.is_set():
            if not (tmp_path / "out").exists():
                missed.append(True)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(60):
        fill(tmp_path / "out", str(number))
    done.set()
    reader.join()
    assert missed == []


def test_an_error_leaves_no_folder_where_there_was_none(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), writing(tmp_path / "new" / "deep" / "out"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_killed_run_leaves_the_last_good_output_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    fill(tmp_path / "out", "good")
    script = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom tenorgrid.data.store import writing\n"
        "with writing(Path(sys.argv[1])) as temporary:\n"
        "    (temporary / 'text').write_text('half')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], check=False)
    assert killed.returncode == -9
    assert (tmp_path / "out" / "text").read_text() == "good"
    assert len(list(tmp_path.iterdir())) == 2  # the half-written one beside it
    fill(tmp_path / "out", "better")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "text").read_text() == "better"


def test_an_output_set_aside_by_a_killed_run_comes_back(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f".out.old-{dead.pid}-0").mkdir()
    (tmp_path / f".out.old-{dead.pid}-0" / "manifest.json").write_text("{}")
    with pytest.raises(ZeroDivisionError), writing(tmp_path / "out"):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "manifest.json").read_text() == "{}"


def test_a_run_that_is_alive_keeps_its_temporary_folder(tmp_path: Path) -> None:
    with writing(tmp_path / "out") as first:
        (first / "text").write_text("first")
        fill(tmp_path / "out", "second")
        assert first.is_dir()
    assert (tmp_path / "out" / "text").read_text() == "first"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_that_no_command_wrote_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"manifest\.json"), writing(tmp_path):
        raise AssertionError("the block must not run")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(InputError, match="found a file"), writing(tmp_path / "thesis.tex"):
        raise AssertionError("the block must not run")


@pytest.mark.parametrize("form", ["csv", "parquet"])
@settings(max_examples=30, deadline=None)
@given(
    times=st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), unique=True, min_size=1, max_size=20),
    value=st.floats(allow_nan=False, allow_infinity=False) | st.none(),
)
def test_times_and_numbers_read_back_exactly(
    form: Form, tmp_path_factory: pytest.TempPathFactory, times: list[datetime], value: float | None
) -> None:
    folder = tmp_path_factory.mktemp("table")
    frame = pl.DataFrame(
        {"start": [time.replace(tzinfo=UTC) for time in times], "value": [value] * len(times)},
        schema={"start": pl.Datetime("us", "UTC"), "value": pl.Float64},
    )
    write_table(folder, "readings", frame, form=form)
    assert read_table(folder, "readings", Readings).equals(frame)


def test_times_in_csv_end_in_z(tmp_path: Path) -> None:
    frame = pl.DataFrame({"start": [datetime(2027, 1, 1, 5, tzinfo=UTC)], "value": [0.1]})
    assert write_table(tmp_path, "readings", frame).read_text() == "start,value\n2027-01-01T05:00:00Z,0.1\n"
    fine = frame.with_columns(pl.col("start") + timedelta(microseconds=250))
    assert "2027-01-01T05:00:00.000250Z" in write_table(tmp_path, "fine", fine).read_text()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_empty_table_reads_back_with_its_types(form: Form, tmp_path: Path) -> None:
    write_table(tmp_path, "prices", Prices.create_empty(), form=form)
    assert read_table(tmp_path, "prices", Prices).schema == Prices.create_empty().schema


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_not_written(value: float, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="finite"):
        write_table(tmp_path, "readings", pl.DataFrame({"value": [value]}))
    with pytest.raises(InputError, match="UTC"):
        write_table(tmp_path, "readings", pl.DataFrame({"start": [datetime(2027, 1, 1)]}))


def test_a_table_is_found_under_either_suffix_but_not_under_both(tmp_path: Path) -> None:
    frame = pl.DataFrame({"start": [datetime(2027, 1, 1, tzinfo=UTC)], "value": [0.1]})
    with pytest.raises(InputError, match=r"readings\.csv"):
        read_table(tmp_path, "readings", Readings)
    assert find_table(tmp_path, "readings") is None
    write_table(tmp_path, "readings", frame, form="parquet")
    assert read_table(tmp_path, "readings", Readings).equals(frame)
    write_table(tmp_path, "readings", frame)
    with pytest.raises(InputError, match="one file"):
        read_table(tmp_path, "readings", Readings)


def test_a_manifest_names_what_was_read_but_no_place(tmp_path: Path) -> None:
    case = tmp_path / "case"
    case.mkdir()
    (case / "bids.csv").write_bytes(b"bid_id\n")
    write_manifest(tmp_path, command="clear", inputs={"case": case, "bids": case / "bids.csv"}, as_of=date(2027, 3, 16), seed=7)
    manifest = read_manifest(tmp_path)
    digest = hashlib.sha256(b"bid_id\n").hexdigest()
    assert manifest["inputs"] == {"case": {"bids.csv": digest}, "bids": digest}
    assert (manifest["command"], manifest["as_of"], manifest["seed"], manifest["code"]) == (
        "clear",
        "2027-03-16",
        7,
        {"tenorgrid": version("tenorgrid")},
    )
    assert str(tmp_path) not in (tmp_path / "manifest.json").read_text()


def test_two_manifests_of_the_same_run_differ_only_in_when_they_were_written(tmp_path: Path) -> None:
    texts = []
    for moment in (datetime(2027, 3, 16, tzinfo=UTC), datetime(2027, 3, 17, tzinfo=UTC)):
        write_manifest(tmp_path, command="clear", as_of=datetime(2027, 3, 16, 4, tzinfo=UTC), settings={"b": 1, "a": 2}, written_at=moment)
        texts.append(json.loads((tmp_path / "manifest.json").read_text()))
    assert texts[0].pop("written_at") == "2027-03-16T00:00:00Z"
    assert texts[1].pop("written_at") == "2027-03-17T00:00:00Z"
    assert texts[0] == texts[1]
    assert texts[0]["as_of"] == "2027-03-16T04:00:00Z"


def test_a_manifest_that_is_missing_or_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file of this name"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text("[")
    with pytest.raises(InputError, match="JSON"):
        read_manifest(tmp_path)
    with pytest.raises(ValueError, match="zone"):
        write_manifest(tmp_path, command="clear", as_of=datetime(2027, 3, 16))


def test_names_with_glob_letters_are_plain_names(tmp_path: Path) -> None:
    fill(tmp_path / "out[1]*", "text")
    fill(tmp_path / "out[1]*", "more")
    assert [path.name for path in tmp_path.iterdir()] == ["out[1]*"]
    assert os.path.exists(tmp_path / "out[1]*" / "text")
