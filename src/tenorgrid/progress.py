"""A progress bar on standard error when it is a terminal, and silence when it is not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


class Steps(Protocol):
    """What long work tells of itself."""

    def begin(self, name: str, *, at: float) -> None:
        """The step `name` is under way, with `at` of everything done (0 to 1)."""

    def reach(self, at: float) -> None:
        """`at` of everything is done."""


class Silent:
    """Nobody is watching."""

    def begin(self, name: str, *, at: float) -> None:
        """Nothing."""

    def reach(self, at: float) -> None:
        """Nothing."""


class Bar:
    """One line: the step under way, and how much of everything is done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=1.0)

    def begin(self, name: str, *, at: float) -> None:
        """Name the step and move to where it begins."""
        self._progress.update(self._task, description=name, completed=at)

    def reach(self, at: float) -> None:
        """Move on."""
        self._progress.update(self._task, completed=at)


@contextmanager
def steps() -> Iterator[Steps]:
    """A bar, removed when the block ends; silent where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Bar(progress)
