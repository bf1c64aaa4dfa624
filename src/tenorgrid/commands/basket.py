"""`tenorgrid basket`: marks of a basket from marks of what it holds."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, WrittenBy, moment_of, refuse_over, refuse_unused, say
from tenorgrid.data.errors import Fault, InputError


def basket(
    marks: Annotated[Path, typer.Argument(help="Table of marks, a folder that has one, or a publisher's history.")],
    definition: Annotated[str, typer.Option("--definition", help="A shipped basket, such as hopper-us, or a TOML file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; replaced as a whole.")] = None,
    verify: Annotated[Path | None, typer.Option("--verify", help="Make the marks of this audit file again.")] = None,
    at: Annotated[str | None, typer.Option("--at", help="Only marks published by this moment, such as 2027-03-01T05:00Z.")] = None,
    written_by: WrittenBy = None,
    as_json: AsJson = False,
) -> None:
    """Marks of a basket, with contributions, rebalancings and the same basket by other formulas; or a check of published ones.

    Example: tenorgrid basket out/marks --definition accelerators-us --out out-basket
    """
    from tenorgrid.basketing import basket as make
    from tenorgrid.basketing import shown
    from tenorgrid.progress import steps

    moment, written = moment_of(at, "--at"), moment_of(written_by, "--written-by")
    if verify is not None:
        refuse_unused("--verify", {"--out": out})
        _verify(verify, marks, definition, at=moment, written_by=written, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("--out is needed, or --verify")
    file = Path(definition)
    given = {path.name: path for path in (marks, file) if path is marks or path.is_file()}
    refuse_over(out, *given.values())
    study = make(marks, definition, at=moment, written_by=written)
    with steps() as bar:
        bar.begin("drawing the page", at=0.0)
        page = study.save(out, inputs=given, settings={"at": at} | ({} if written_by is None else {"written_by": written_by}))
    own = shown(study)
    last = next((mark for mark in reversed(own) if mark["value"] is not None), None)
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "index": study.basket.index, "formula": str(study.basket.formula), "marks": own,
        "rebalancings": study.rebalancings.filter(index=study.basket.index)["start"].n_unique(), "left_out": dict(study.left_out),
    }  # fmt: skip
    value = "no mark has a value" if last is None else f"last {last['value']} {last['unit']} ({last['status']})"
    say(done, as_json, f"{len(own)} marks of {study.basket.index}, {value}, into {out}")


def _verify(path: Path, marks: Path, definition: str, *, at: datetime | None, written_by: datetime | None, as_json: bool) -> None:
    """Say that an audit, and the marks beside it, come out again; else refuse them with every difference."""
    from tenorgrid.indices.baskets.verification import verify_basket
    from tenorgrid.mark_tables import beside, read_marks

    published, copies = beside(path)
    found = verify_basket(path, read_marks(marks, as_of=at, written_by=written_by), definition=definition, at=at, published=published)
    found = replace(found, differences=(*found.differences, *copies))
    if as_json or found.confirmed:
        say({"confirmed": found.confirmed, "differences": [str(one) for one in found.differences]}, as_json, str(found))
    if not found.confirmed:
        raise InputError(
            Fault(file=path.name, value=str(one), expected="what the marks and the definition give again") for one in found.differences
        )
