"""Clearing on a Dask cluster of processes of this machine: the same tables, whatever dies on the way."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from distributed import Client

from tenorgrid import api, executors
from tenorgrid.data.case import Case, read_case
from tenorgrid.data.errors import ClusterError, InputError
from tenorgrid.data.store import read_manifest

TWO = Path(__file__).parent / "data" / "cases" / "two_locations"
PATIENCE = 60.0  # s
FREE = "127.0.0.1:0"  # any free port of the loopback, of the dashboard that is not wanted too
FIRST_DEATH = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}  # a part is given up with the first worker that it takes along

Command = Callable[..., Any]


@dataclass(frozen=True)
class Started:
    """A scheduler and its workers, as processes of this machine."""

    address: str
    scheduler: subprocess.Popen[bytes]
    workers: tuple[subprocess.Popen[bytes], ...]


def client(address: str) -> Any:  # its methods carry next to no types
    """A second client, that sees what the cluster does."""
    return Client(address, set_as_default=False)  # type: ignore[no-untyped-call]


@contextmanager
def program(*arguments: object, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended, and waited for, whatever happens."""
    started = subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | environment
    )
    try:
        yield started
    finally:
        started.kill()
        started.wait()


def until(found: Callable[[], object], what: str) -> None:
    last = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < last, f"{what} within {PATIENCE:g} s"
        time.sleep(0.02)


@contextmanager
def started(place: Path, *, workers: int, environment: dict[str, str] | None = None) -> Iterator[Started]:
    """A scheduler on a free port of the loopback, and its workers, one thread each."""
    file, quiet = place / "scheduler.json", ("--no-dashboard", "--dashboard-address", FREE)
    with ExitStack() as stack:
        listens = ("--host", "127.0.0.1", "--port", 0, "--scheduler-file", file)
        scheduler = stack.enter_context(program("distributed.cli.dask_scheduler", *listens, *quiet, **environment or {}))
        until(lambda: file.exists() and file.read_text().rstrip().endswith("}"), "the scheduler listens")
        address = json.loads(file.read_text())["address"]
        joins = ("distributed.cli.dask_worker", address, "--host", "127.0.0.1", "--nthreads", 1, "--no-nanny", *quiet)
        found = tuple(
            stack.enter_context(program(*joins, "--name", number, "--local-directory", place / f"worker-{number}"))
            for number in range(workers)
        )
        with client(address) as seen:
            until(lambda: len(seen.nthreads()) == workers, "the workers join")
        yield Started(address=address, scheduler=scheduler, workers=found)


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A scheduler and two workers; not to be killed."""
    with started(tmp_path_factory.mktemp("cluster"), workers=2) as running:
        yield running


def written(folder: Path) -> dict[str, pl.DataFrame]:
    """Every table of a folder that clear wrote, without the seconds that each interval took."""
    tables = {path.stem: pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}
    return tables | {"certificate": tables["certificate"].drop("seconds")}


def test_a_cluster_writes_the_tables_that_this_process_writes(
    command: Command, two_workers: Started, weeks_case: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    assert command("clear", weeks_case, "--out", here, "--parquet", "--horizon", "real-time", "--workers", 1).code == 0
    said = command("clear", weeks_case, "--out", there, "--parquet", "--horizon", "real-time", "--scheduler", two_workers.address)
    assert (said.code, said.err) == (0, "")
    ours, theirs = written(here), written(there)
    assert list(ours) == list(theirs)
    assert {"prices", "awards", "surplus", "certificate"} <= set(ours)
    assert [name for name in ours if not ours[name].equals(theirs[name])] == []


def test_the_whole_chain_runs_on_a_cluster(
    command: Command, two_workers: Started, weeks_case: Path, weeks_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    said = command("run", "--case", weeks_case, "--as-of", "2027-02-22", "--out", out, "--scheduler", two_workers.address)
    assert said.code == 0
    assert pl.read_parquet(out / "clear" / "prices.parquet").equals(pl.read_parquet(weeks_folder / "clear" / "prices.parquet"))
    assert read_manifest(out)["command"] == "run"


def test_a_worker_killed_half_way_loses_nothing(seven_weeks: Case, tmp_path: Path) -> None:
    alone = api.clear(seven_weeks)
    parts: list[tuple[int, int]] = []
    with started(tmp_path, workers=2) as running, client(running.address) as seen:
        names = {worker["name"]: address for address, worker in seen.scheduler_info()["workers"].items()}

        def kill_one(done: int, count: int) -> None:
            parts.append((done, count))
            if done == 2:
                held = seen.processing()[names[0]]
                assert held, "the first worker has parts to lose"
                running.workers[0].kill()
                assert running.workers[0].wait() == -9

        with executors.cluster(running.address) as executor:
            shared = api.clear(seven_weeks, executor=executor, progress=kill_one)
        assert list(seen.nthreads()) == [names[1]]
    count = parts[0][1]
    assert count >= 4  # two of them are not yet half
    assert parts == [(done, count) for done in range(1, count + 1)]
    for name in ("prices", "workload_prices", "awards", "placements", "headroom", "binding", "uplift", "surplus"):
        assert getattr(shared, name).equals(getattr(alone, name)), name


def test_results_are_forgotten_by_the_cluster_once_they_are_here(two_workers: Started) -> None:
    with executors.cluster(two_workers.address) as executor, client(two_workers.address) as seen:
        found = [executor.submit(pow, 2, power) for power in range(8)]
        assert sorted(future.result() for future in as_completed(found)) == [2**power for power in range(8)]
        until(lambda: not any(seen.has_what().values()), "the cluster forgets what was fetched")


def test_an_error_on_a_worker_arrives_whole(two_workers: Started) -> None:
    with executors.cluster(two_workers.address) as executor:
        with pytest.raises(InputError) as refused:
            executor.submit(read_case, "no-such-folder").result()
        with pytest.raises(ValueError, match="invalid literal"):
            executor.submit(int, "eight").result()
    assert refused.value.faults[0].file == "no-such-folder"


def test_errors_survive_a_pool_of_processes() -> None:
    with executors.processes(2) as pool:
        assert pool is not None
        with pytest.raises(InputError, match="no-such-folder: expected the folder of a market case"):
            pool.submit(read_case, "no-such-folder").result()


def test_other_code_on_a_worker_is_refused(two_workers: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = executors.installed()
    monkeypatch.setattr(executors, "installed", lambda: {**ours, "code": "0123456789ab"})
    with executors.cluster(two_workers.address) as executor, pytest.raises(ClusterError) as refused:
        executor.submit(int, 1).result()
    assert re.fullmatch(
        rf"the worker on \S+ has code {ours['code']}, not 0123456789ab: it would .* nothing is published", str(refused.value)
    )


def test_other_libraries_on_the_cluster_are_refused_before_anything_is_sent(two_workers: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "version", lambda name: "9.9.9" if name == "highspy" else version(name))
    with pytest.raises(ClusterError, match=r"^the scheduler has highspy \S+, not 9\.9\.9:"), executors.cluster(two_workers.address):
        pytest.fail("nothing may be cleared")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "127.0.0.1:9", "tcp://127.0.0.1:nine", "carrier-pigeon://127.0.0.1:9"])
def test_an_address_where_nobody_answers_is_refused_and_nothing_is_written(
    command: Command, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "REACH", 0.5)
    said = command("clear", TWO, "--out", tmp_path / "out", "--scheduler", address)
    assert (said.code, said.out) == (1, "")
    assert re.fullmatch(rf"tenorgrid: no Dask scheduler answers at {re.escape(address)} within 0\.5 s \(.*\)\n", said.err)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ("clear", TWO, "--out", "x", "--scheduler", "tcp://127.0.0.1:9", "--workers", "1"),
        ("run", "--case", TWO, "--scheduler", "tcp://127.0.0.1:9", "--workers", "1"),
        ("run", "--observations", "seen.csv", "--scheduler", "tcp://127.0.0.1:9"),
    ],
)
def test_an_option_that_would_not_be_read_is_wrong_usage(command: Command, arguments: tuple[object, ...]) -> None:
    said = command(*arguments)
    assert said.code == 2
    assert "cannot be given with --scheduler" in said.err


def test_a_cluster_that_falls_apart_is_told_in_one_sentence_at_every_stage(tmp_path: Path) -> None:
    with started(tmp_path, workers=1, environment=FIRST_DEATH) as running:
        with executors.cluster(running.address, patience=0.5) as executor:
            with pytest.raises(ClusterError, match="given up, as every worker that took it died; nothing is published"):
                executor.submit(os._exit, 1).result(timeout=PATIENCE)
            with pytest.raises(ClusterError, match=r"no worker is left and none has come for 0\.5 s; nothing is published"):
                executor.submit(int, 1).result(timeout=PATIENCE)
        with pytest.raises(ClusterError, match=r"no worker has joined the Dask scheduler at tcp://\S+ within 0\.5 s"):
            executors.cluster(running.address, patience=0.5).__enter__()


def test_a_scheduler_that_dies_is_told_in_one_sentence(tmp_path: Path) -> None:
    with started(tmp_path, workers=1) as running, executors.cluster(running.address) as executor:
        waiting = executor.submit(time.sleep, PATIENCE)
        running.scheduler.kill()
        with pytest.raises(ClusterError, match=r"^the Dask scheduler at tcp://\S+ was lost; nothing is published$"):
            waiting.result(timeout=PATIENCE)
