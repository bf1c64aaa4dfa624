"""One measurement in a process of its own, so that its peak memory is its own: seconds by step, size and peak, as one line of JSON."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any


class Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of the block to a step."""
        begun = perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + perf_counter() - begun


def tell(**found: Any) -> None:
    """Print what was found, and the peak memory of this process in MB, for `measured` to read."""
    print(json.dumps(found | {"peak": peak()}))


def peak() -> float:
    """Most memory that this process has held, in MB. (`getrusage` would begin with what its parent held when it was forked.)"""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return int(lines["VmHWM"].split()[0]) / 1024


def measured(module: str, *arguments: str) -> dict[str, Any]:
    """What `python -m module arguments` told. Raises CalledProcessError, with its own complaint on standard error, where it failed."""
    done = subprocess.run([sys.executable, "-m", module, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))
