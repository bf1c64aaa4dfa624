"""Where parts of the clearing run: in processes of this machine, or on a Dask cluster.

Both are `concurrent.futures.Executor`, which is all that clearing asks for; what a part gives does not depend on where it ran.
"""

import hashlib
import logging
import os
import pickle
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any, ParamSpec, TypeVar

from tenorgrid.data.errors import ClusterError

Client = Any  # distributed.Client and its Future, which carry next to no types, and are imported only where a cluster is used
Task = Any

P = ParamSpec("P")
T = TypeVar("T")

REACH = 5.0  # s, for the scheduler to answer
PATIENCE = 60.0  # s without a single worker, at the beginning or later, before the run gives up
WATCH = 1.0  # s between looks at the workers
LARGE = "1 TiB"  # parts travel with their orders inside, so that no worker's death takes an order along: Dask need not warn of it
LIBRARIES = ("tenorgrid", "highspy", "numpy", "polars", "scipy")  # a price may depend on any of them


@contextmanager
def processes(count: int | None = None) -> Iterator[Executor | None]:
    """Fresh processes of this machine, one a core unless told; None, which is this process, for a single one.

    >>> with processes(1) as executor:
    ...     print(executor)
    None
    """
    chosen = count or os.cpu_count() or 1
    if chosen == 1:
        yield None
        return
    with ProcessPoolExecutor(chosen, mp_context=get_context("spawn")) as pool:  # a fork with threads of other libraries in it may hang
        yield pool


@contextmanager
def cluster(address: str, *, patience: float = PATIENCE) -> Iterator[Executor]:
    """The workers of the Dask scheduler at `address`, such as `tcp://127.0.0.1:8786`.

    A part whose worker dies is done again by another one; the parts hold all that they need, so nothing is lost with a worker. A
    part that takes `allowed-failures` workers along (a setting of the scheduler, 3 unless changed) is given up.

    Args:
        address: of the scheduler.
        patience: seconds that no worker at all is waited for.

    Raises ClusterError where the scheduler does not answer, no worker joins, one runs other code or libraries, or all are lost.
    """
    import dask
    import distributed

    quiet = {name: (log := logging.getLogger(name), log.level) for name in ("distributed", "distributed.client", "distributed.core")}
    for log, _ in quiet.values():
        log.setLevel(logging.CRITICAL)  # what there is to say is said in one sentence, by ClusterError
    try:
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": LARGE}):
            try:
                client: Client = distributed.Client(address, timeout=REACH, set_as_default=False)  # type: ignore[no-untyped-call]
            except (OSError, ValueError) as error:
                raise ClusterError(f"no Dask scheduler answers at {address} within {REACH:g} s ({error})") from error
            with client:
                _meet(client, address, patience)
                with ClusterExecutor(client, patience=patience) as executor:
                    yield executor
    finally:
        for log, level in quiet.values():
            log.setLevel(level)


class ClusterExecutor(Executor):
    """`concurrent.futures.Executor` over a Dask client.

    Dask's own one keeps every result on its worker until the end, and so does work again that has long been fetched when a worker
    dies; waits for ever where no worker is left; and lets the scheduler unpack what only a worker needs.
    """

    def __init__(self, client: Client, *, patience: float) -> None:
        self._client, self._patience = client, patience
        self._open: dict[str, tuple[Task, Future[Any]]] = {}
        self._lock, self._closed = Lock(), Event()
        self._watcher = Thread(target=self._watch, name="watch of the cluster", daemon=True)
        self._watcher.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have `fn(*args, **kwargs)` done by any worker that runs the same code as this process."""
        packed = pickle.dumps((fn, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        task = self._client.submit(_unpacked, installed(), packed, pure=False)
        found: Future[T] = Future()
        found.set_running_or_notify_cancel()
        with self._lock:
            self._open[task.key] = (task, found)
        task.add_done_callback(self._deliver)
        return found

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop the watch; parts that are still open are taken back, as nobody is left to read them."""
        self._closed.set()
        if wait:
            self._watcher.join()
        self._give_up("the run was given up")

    def _deliver(self, task: Task) -> None:
        """Hand on what a task gave, and let the cluster forget it: what is here need not be done again."""
        with self._lock:
            waiting = self._open.pop(task.key, None)
        if waiting is None:  # given up meanwhile
            return
        found = waiting[1]
        try:
            if task.status == "cancelled":
                raise ClusterError(f"the Dask scheduler at {self._client.scheduler.address} was lost; nothing is published")
            found.set_result(task.result())
        except BaseException as error:  # whatever it is, it is raised where the result is asked for
            found.set_exception(_explained(error))
        task.release()

    def _watch(self) -> None:
        """Give up once no worker has been seen for too long: new ones may come meanwhile and take over."""
        seen = time.monotonic()
        while not self._closed.wait(WATCH):
            try:
                if self._client.nthreads():
                    seen = time.monotonic()
            except Exception:  # the scheduler is gone: the tasks themselves say so
                continue
            if time.monotonic() - seen > self._patience:
                self._give_up(f"no worker is left and none has come for {self._patience:g} s; nothing is published")
                return

    def _give_up(self, why: str) -> None:
        with self._lock:
            left, self._open = self._open, {}
        for task, found in left.values():
            found.set_exception(ClusterError(why))
            task.release()


def _meet(client: Client, address: str, patience: float) -> None:
    """Wait for a first worker, and see that the scheduler and every worker have what this process has."""
    try:
        client.wait_for_workers(1, timeout=patience)
        said = client.get_versions(packages=list(LIBRARIES))
    except (TimeoutError, OSError) as error:
        raise ClusterError(f"no worker has joined the Dask scheduler at {address} within {patience:g} s") from error
    ours = {name: version(name) for name in LIBRARIES}
    told = {f"worker {name}": one["packages"] for name, one in said["workers"].items()}
    for name, packages in ({"the scheduler": said["scheduler"]["packages"]} | told).items():
        _same(name, {library: packages.get(library) for library in LIBRARIES}, ours)


def _unpacked(expected: Mapping[str, str], packed: bytes) -> Any:
    """On a worker: do what was packed, with the code that packed it. A worker may have joined since the others were asked."""
    _same(f"the worker on {platform.node()}", installed(), expected)
    fn, args, kwargs = pickle.loads(packed)  # from the process that this cluster works for
    return fn(*args, **kwargs)


@cache
def installed() -> Mapping[str, str]:
    """What a price may depend on: versions of Python and of the libraries, and the text of this package's own code, as a hash.

    >>> sorted(installed())
    ['code', 'highspy', 'numpy', 'polars', 'python', 'scipy', 'tenorgrid']
    """
    place, digest = Path(__file__).parent, hashlib.sha256()
    for folder in ("clearing", "data"):
        for path in sorted((place / folder).rglob("*.py")):
            digest.update(path.relative_to(place).as_posix().encode() + b"\0" + path.read_bytes())
    python = ".".join(map(str, sys.version_info[:2]))
    return {name: version(name) for name in LIBRARIES} | {"python": python, "code": digest.hexdigest()[:12]}


def _same(who: str, found: Mapping[str, str | None], expected: Mapping[str, str]) -> None:
    other = [f"{name} {found.get(name) or 'missing'}, not {expected[name]}" for name in expected if found.get(name) != expected[name]]
    if other:
        raise ClusterError(f"{who} has {'; '.join(other)}: it would not give the same prices, so nothing is published")


def _explained(error: BaseException) -> BaseException:
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return ClusterError(f"a part of the clearing was given up, as every worker that took it died; nothing is published ({error})")
    return error
