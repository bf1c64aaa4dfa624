"""Writers that are killed at any moment, and writers at the same time: the chain is whole and each draft is in it once."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tenorgrid.indices.publication.approval import approve
from tenorgrid.indices.publication.history import open_history
from tenorgrid.indices.publication.publish import publish
from tests.indices.publishing_day import EAST, FIRST, closed, drafted, listed

AT = closed(FIRST) + timedelta(days=30)
PROGRAM = """
import sys
from datetime import datetime
from pathlib import Path
from tenorgrid.indices.publication.publish import publish
print("ready", flush=True)
for folder in sys.argv[3:]:
    publish(Path(folder), sys.argv[1], at=datetime.fromisoformat(sys.argv[2]))
print("done", flush=True)
"""
DAYS = 6


def approved(place: Path, names: list[str] | None = None) -> Iterator[Path]:
    """Approved drafts: one of each day, or one of each index of the first day."""
    history = open_history(place / "history", new=True)
    seen = listed(DAYS)
    for number in range(DAYS if names is None else len(names)):
        day = FIRST + timedelta(number if names is None else 0)
        draft = drafted(seen, day, indices=[EAST if names is None else names[number]])
        folder = draft.write(place / f"draft{number}")
        approve(folder, history, by="bob", at=draft.made_at)
        yield folder


def started(place: Path, folders: list[Path]) -> "subprocess.Popen[str]":
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(place / "history"), AT.isoformat(), *map(str, folders)], stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    return program


def killed_after(place: Path, folders: list[Path], seconds: float) -> None:
    program = started(place, folders)
    time.sleep(seconds)
    program.kill()
    program.communicate()


def whole(place: Path) -> int:
    """How many days are published; each of them whole."""
    found = open_history(place / "history", new=True)
    assert found.broken() == ()
    assert found.prints["publication"].to_list() == list(range(found.prints.height))
    return found.prints.height


def kill_and_go_on(place: Path, times: int, seed: int) -> None:
    rng, folders = random.Random(seed), list(approved(place))
    for _ in range(times):
        before = whole(place) if (place / "history").exists() else 0
        killed_after(place, folders, rng.uniform(0.0, 0.25))
        assert before <= whole(place) <= DAYS
    for folder in folders:
        publish(folder, place / "history", at=AT)
    assert whole(place) == DAYS
    assert open_history(place / "history").prints["draft_hash"].n_unique() == DAYS


@pytest.mark.slow
def test_a_writer_that_is_killed_twenty_times_leaves_a_whole_chain(tmp_path: Path) -> None:
    kill_and_go_on(tmp_path, 20, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 6))
def test_forty_kills_from_four_beginnings_leave_whole_chains(tmp_path: Path, seed: int) -> None:
    kill_and_go_on(tmp_path, 10, seed)


@pytest.mark.parametrize("step", ["keep", "commit"])
def test_a_writer_that_dies_at_a_step_leaves_the_history_as_it_was(tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between keeping the sources and the commit, and between the commit's data and its log."""
    folders = list(approved(tmp_path))
    publish(folders[0], tmp_path / "history", at=AT)
    before = open_history(tmp_path / "history").prints

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(f"tenorgrid.indices.publication.{'publish.linked' if step == 'keep' else 'history.append'}", die)
        with pytest.raises(Killed):
            publish(folders[1], tmp_path / "history", at=AT)
    (tmp_path / "history" / "prints" / "part-00000-orphan.snappy.parquet").write_bytes(b"half a file")
    assert open_history(tmp_path / "history").prints.equals(before)
    publish(folders[1], tmp_path / "history", at=AT)
    assert whole(tmp_path) == 2


def test_writers_at_the_same_time_each_publish_once(tmp_path: Path) -> None:
    names = [EAST, "H100-SXM.US.FIRM", "H100-SXM.GLOBAL.FIRM"]
    folders = list(approved(tmp_path, names))
    programs = [started(tmp_path, [folder]) for folder in (*folders, folders[0])]  # and one draft twice
    assert [program.communicate()[0] for program in programs] == ["done\n"] * 4
    found = open_history(tmp_path / "history")
    assert found.broken() == ()
    assert sorted(found.prints["index"]) == sorted(names)
    assert found.prints["publication"].sort().to_list() == [0, 1, 2]
    assert found.prints.filter(pl.col("published_at") != AT).is_empty()
