"""`tenorgrid workloads`: USD per unit of work from marks of GPU-hours."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenorgrid.commands.output import AsJson, KnownBy, WrittenBy, moment_of, refuse_over, refuse_unused, say
from tenorgrid.data.errors import Fault, InputError

if TYPE_CHECKING:
    from tenorgrid.indices.audit import Verification
    from tenorgrid.workload_marking import WorkloadMarks


def workloads(
    marks: Annotated[Path, typer.Argument(help="Table of marks, a folder that has one, or a publisher's history.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; replaced as a whole.")] = None,
    definition: Annotated[str, typer.Option("--definition", help="A shipped basket of workloads, or a TOML file.")] = "house-work",
    benchmark: Annotated[
        list[str] | None,
        typer.Option("--benchmark", help="NAME=FILE: a benchmark's file for the figures NAME of the definition; may be given again."),
    ] = None,
    method: Annotated[str | None, typer.Option("--method", help="Methodology of the marks, where it is a TOML file.")] = None,
    home: Annotated[list[str] | None, typer.Option("--home", help="Only this home, such as US; may be given again.")] = None,
    tier: Annotated[list[str] | None, typer.Option("--tier", help="Only this tier, such as FIRM; may be given again.")] = None,
    verify: Annotated[Path | None, typer.Option("--verify", help="Recompute the marks of this audit file.")] = None,
    as_of: KnownBy = None,
    written_by: WrittenBy = None,
    as_json: AsJson = False,
) -> None:
    """Workload indices: USD per million tokens, per training step, per rollout, by the cheapest recipe at each day's marks.

    Example: tenorgrid workloads out/marks --home GLOBAL --tier FIRM --out out-work
    """
    from tenorgrid.workload_marking import workloads as make

    files = dict(_pair(text) for text in benchmark or [])
    if verify is not None:
        refuse_unused("--verify", {"--out": out})
    elif out is None:
        raise typer.BadParameter("--out is needed, or --verify")
    given = [path for path in (marks, Path(definition), *files.values()) if path.exists()]
    refuse_over(out, *given)
    known, written = moment_of(as_of, "--as-of"), moment_of(written_by, "--written-by")
    made = make(marks, definition, benchmarks=files, method=method, homes=home or (), tiers=tier or (), as_of=known, written_by=written)
    if verify is not None:
        _verified(verify, made.verify(verify), as_json)
    if out is not None:
        _written(out, made, {path.name: path for path in given}, as_json)


def _verified(verify: Path, found: "Verification", as_json: bool) -> None:
    """Say that the prints come out again; else refuse them with every difference."""
    if as_json or found.confirmed:
        done: dict[str, object] = {"confirmed": found.confirmed, "differences": [str(one) for one in found.differences]}
        say(done, as_json, str(found))
    if not found.confirmed:
        expected = "what the marks and the definition give again"
        raise InputError(Fault(file=verify.name, value=str(one), expected=expected) for one in found.differences)


def _written(out: Path, made: "WorkloadMarks", inputs: dict[str, Path], as_json: bool) -> None:
    page = made.save(out, inputs=inputs)
    last = made.marks.filter(made.marks["value"].is_not_null()).group_by("index", maintain_order=True).last()
    rows = last.select("index", "start", "value", "unit", "status").iter_rows(named=True)
    shown = [row | {"start": str(row["start"])} for row in rows]
    done: dict[str, object] = {"out": str(out), "page": str(page), "marks": made.marks.height, "last": shown}
    say(done, as_json, f"{made.marks.height} marks of {len(shown)} workload indices written into {out}")


def _pair(text: str) -> tuple[str, Path]:
    name, sign, file = text.partition("=")
    if not (name and sign and file):
        raise typer.BadParameter(f"--benchmark {text}: expected NAME=FILE")
    return name, Path(file)
