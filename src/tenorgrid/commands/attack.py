"""`tenorgrid attack`: how far attacks move the marks of methodologies."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, refuse_unused, say
from tenorgrid.data.wording import counted


def attack(
    out: Out,
    observations: Annotated[Path | None, typer.Argument(help="Observed prices; default three made-up days.")] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", help="A shipped methodology or a TOML file; may be given again; default all that fit.")
    ] = None,
    index: Annotated[list[str] | None, typer.Option("--index", help="Only this index; may be given again.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="Day of the prints; default of the last seven the best observed.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day, where several are meant.")] = None,
    kind: Annotated[list[str] | None, typer.Option("--attack", help="Only this attack, such as 'parked ask'; may be given again.")] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Number of indices where none is named.")] = 3,
    reader: Annotated[str | None, typer.Option("--format", help="Reader, where the header does not tell.")] = None,
    as_json: AsJson = False,
) -> None:
    """How far attacks move marks: one contributor, late blocks, wash trades, stale quotes, parked asks, wrong units.

    Example: tenorgrid attack prices.csv.gz --method house --method cgi-like --date 2026-04-28 --out out-attack
    """
    from datetime import timedelta

    from tenorgrid.attacking import attack as make
    from tenorgrid.data.readers.formats import read_observations
    from tenorgrid.results import to_day

    if observations is None:
        refuse_unused("made-up days", {"--format": reader})
    if until is not None and date is None:
        raise typer.BadParameter("--until is the last of several days: --date is the first")
    files = [Path(one) for one in method or [] if one.endswith(".toml")]
    given = [path for path in (observations, *files) if path is not None]
    refuse_over(out, *given)
    first, last = to_day(date, name="date"), to_day(until, name="until")
    seen = None if observations is None else read_observations(observations, format=reader)
    end = None if last is None else last + timedelta(days=1)
    made = make(seen, method=method or None, first=first, end=end, indices=index or None, attacks=kind or None, most=most)
    page = made.save(out, inputs={path.name: path for path in given})
    worst = made.worst().select("methodology", "index", "attack", "size", "unit", "before", "after", "move", "status_after", "cash_cost")
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "worst": worst.to_dicts(), "left_out": made.left_out.to_dicts(),
    }  # fmt: skip
    prints = made.audits.height
    said = f"{counted(made.moves['size'].count(), 'attack')} on {counted(prints, 'print')}; {page}"
    missing = "".join(f"\n{name} is left out: {reason}" for name, reason in made.left_out.iter_rows())
    say(done, as_json, said + missing)
