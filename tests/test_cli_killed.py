"""A command that is killed leaves the last good output, and the next one cleans up after it."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tenorgrid.data.store import read_manifest

TWO = Path(__file__).parent / "data" / "cases" / "two_locations"
PATIENCE = 60.0  # s

Command = Callable[..., Any]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def killed_once(found: Callable[[], bool], arguments: list[str]) -> None:
    """Start the program, and kill it by its id as soon as `found` is true."""
    program = subprocess.Popen([sys.executable, "-m", "tenorgrid", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while not found() and program.poll() is None and time.monotonic() < until:
            time.sleep(0.002)
        assert program.poll() is None, "it ended before it could be killed"
    finally:
        program.kill()
        program.wait()
    assert program.returncode == -9


def test_a_killed_run_leaves_the_last_good_output_and_the_next_one_cleans_up(
    command: Command, weeks_case: Path, two_cleared: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(two_cleared, tmp_path / "place" / "out"))
    before = contents(out)
    arguments = ["run", "--case", str(weeks_case), "--as-of", "2027-02-22", "--out", str(out), "--workers", "1"]
    killed_once(lambda: any(out.parent.glob(".out.new-*/clear/prices.parquet")), arguments)
    assert contents(out) == before
    left = [path.name for path in out.parent.iterdir() if path != out]
    assert len(left) == 1  # it was killed midway: what it had written stands beside
    assert left[0].startswith(".out.new-")
    assert command("clear", TWO, "--out", out, "--workers", 1).code == 0
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    after = contents(out)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} <= {"manifest.json", "certificate.csv"}  # the time of writing, seconds


def test_a_first_run_that_is_killed_leaves_no_output(command: Command, weeks_case: Path, tmp_path: Path) -> None:
    out = tmp_path / "place" / "out"
    killed_once(lambda: any(out.parent.glob(".out.new-*")), ["run", "--case", str(weeks_case), "--out", str(out), "--workers", "1"])
    assert not out.exists()
    assert command("clear", TWO, "--out", out, "--workers", 1).code == 0
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert read_manifest(out)["command"] == "clear"


def test_an_interrupted_command_leaves_no_half_written_folder(
    command: Command, two_cleared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Path(shutil.copytree(two_cleared, tmp_path / "place" / "out"))
    before = contents(out)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tenorgrid.folders.write_manifest", interrupt)
    assert command("clear", TWO, "--out", out, "--workers", 1).code != 0
    assert contents(out) == before
    assert [path.name for path in out.parent.iterdir()] == ["out"]
