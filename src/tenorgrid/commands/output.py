"""What every command does about its output: refuse to write over what it reads, and say what was done."""

import json
from pathlib import Path

import typer

from tenorgrid.data.errors import InputError


def refuse_over(out: Path | None, *inputs: Path | None) -> None:
    """An output folder is replaced as a whole, so it may not be, or hold, anything that is read."""
    for path in inputs:
        if out is not None and path is not None and out.resolve() in (path.resolve(), *path.resolve().parents):
            raise InputError.of("--out", f"a folder that does not hold the input {path}, as it is replaced as a whole", value=out)


def say(done: dict[str, object], as_json: bool, sentence: str) -> None:
    """One sentence for people, or everything as JSON for programs."""
    typer.echo(json.dumps(done, default=str, indent=2) if as_json else sentence)
