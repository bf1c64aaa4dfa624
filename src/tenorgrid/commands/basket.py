"""`tenorgrid basket`: marks of a basket from marks of what it holds."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import refuse_over, refuse_unused, say
from tenorgrid.data.errors import Fault, InputError


def basket(
    marks: Annotated[Path, typer.Argument(help="Table of marks, or a folder that mark or run wrote.")],
    definition: Annotated[str, typer.Option("--definition", help="A shipped basket, such as hopper-us, or a TOML file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; replaced as a whole.")] = None,
    verify: Annotated[Path | None, typer.Option("--verify", help="Make the marks of this audit file again.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Only marks published by this moment, such as 2027-03-01T05:00Z.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Marks of a basket, with contributions, rebalancings and the same basket by other formulas; or a check of published ones.

    Example: tenorgrid basket out/marks --definition accelerators-us --out out-basket
    """
    from tenorgrid.basketing import basket as make
    from tenorgrid.basketing import shown
    from tenorgrid.progress import steps

    if verify is not None:
        refuse_unused("--verify", {"--out": out})
        _verify(verify, marks, definition, at=at, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("--out is needed, or --verify")
    file = Path(definition)
    given = {path.name: path for path in (marks, file) if path is marks or path.is_file()}
    refuse_over(out, *given.values())
    moment = None if at is None else _moment(at)
    study = make(marks, definition, at=moment)
    with steps() as bar:
        bar.begin("drawing the page", at=0.0)
        page = study.save(out, inputs=given, settings={"at": at})
    own = shown(study)
    last = next((mark for mark in reversed(own) if mark["value"] is not None), None)
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "index": study.basket.index, "formula": str(study.basket.formula), "marks": own,
        "rebalancings": study.rebalancings.filter(index=study.basket.index)["start"].n_unique(), "left_out": dict(study.left_out),
    }  # fmt: skip
    value = "no mark has a value" if last is None else f"last {last['value']} {last['unit']} ({last['status']})"
    say(done, as_json, f"{len(own)} marks of {study.basket.index}, {value}, into {out}")


def _verify(path: Path, marks: Path, definition: str, *, at: str | None, as_json: bool) -> None:
    """Say that an audit, and the marks beside it, come out again; else refuse them with every difference."""
    from tenorgrid.basketing import read_marks
    from tenorgrid.data.store import find_table, read_table
    from tenorgrid.data.tables.observed import Marks
    from tenorgrid.indices.baskets.verification import verify_basket

    beside = read_table(path.parent, "marks", Marks) if find_table(path.parent, "marks") else None
    moment = None if at is None else _moment(at)
    found = verify_basket(path, read_marks(marks), definition=definition, at=moment, published=beside)
    if as_json or found.confirmed:
        say({"confirmed": found.confirmed, "differences": [str(one) for one in found.differences]}, as_json, str(found))
    if not found.confirmed:
        raise InputError(
            Fault(file=path.name, value=str(one), expected="what the marks and the definition give again") for one in found.differences
        )


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--at {text}: expected a time such as 2027-03-01T05:00Z") from error
    if found.tzinfo is None:
        raise typer.BadParameter(f"--at {text}: expected a time with its zone, such as 2027-03-01T05:00Z")
    return found.astimezone(UTC)
