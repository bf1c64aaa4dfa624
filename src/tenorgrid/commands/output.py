"""What commands share: their common options, where they clear, and what they do about their output."""

import json
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.data.errors import InputError

Out = Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
AsOf = Annotated[str | None, typer.Option("--as-of", help="Local day at whose beginning to stand, such as 2027-03-16.")]
KnownBy = Annotated[str | None, typer.Option("--as-of", help="Only marks published by this moment, such as 2027-03-01T05:00Z.")]
WrittenBy = Annotated[
    str | None, typer.Option("--written-by", help="Of a folder that several runs wrote, the last by this moment; default the last of all.")
]
Workers = Annotated[int | None, typer.Option("--workers", help="Processes for clearing; default one a core.", min=1)]
Scheduler = Annotated[str | None, typer.Option("--scheduler", help="Clear on this Dask scheduler, such as tcp://127.0.0.1:8786.")]


def refuse_over(out: Path | None, *inputs: Path | None) -> None:
    """An output folder is replaced as a whole, so it may not be, or hold, anything that is read."""
    for path in inputs:
        if out is not None and path is not None and out.resolve() in (path.resolve(), *path.resolve().parents):
            raise InputError.of("--out", f"a folder that does not hold the input {path}, as it is replaced as a whole", value=out)


def moment_of(text: str | None, option: str) -> datetime | None:
    """The moment that an option gives, in UTC; a text that is none, or has no time zone, is wrong usage."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text}: expected a time such as 2027-03-01T05:00Z") from error
    if found.tzinfo is None:
        raise typer.BadParameter(f"{option} {text}: expected a time with its zone, such as 2027-03-01T05:00Z")
    return found.astimezone(UTC)


def say(done: dict[str, object], as_json: bool, sentence: str) -> None:
    """One sentence for people, or everything as JSON for programs."""
    typer.echo(json.dumps(done, default=str, indent=2) if as_json else sentence)


def executor_of(workers: int | None, scheduler: str | None) -> AbstractContextManager[Executor | None]:
    """The workers of a Dask cluster, or processes of this machine."""
    from tenorgrid import executors

    return executors.processes(workers) if scheduler is None else executors.cluster(scheduler)


def refuse_unused(beside: str, given: Mapping[str, object]) -> None:
    """An option that would not be read is wrong usage: whoever gave it expects something of it."""
    if unused := [name for name, value in given.items() if value is not None]:
        raise typer.BadParameter(f"{', '.join(unused)} cannot be given with {beside}")
