"""`tenorgrid normalise`: prices of unlike offers brought to one specification."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, say
from tenorgrid.data.wording import counted


def normalise(
    observations: Annotated[Path, typer.Argument(help="Observed prices.")],
    model: Annotated[str, typer.Option("--model", help="A shipped model (clouds, daily, listings, regional) or a TOML file.")],
    out: Out,
    until: Annotated[str | None, typer.Option("--until", help="See rows before this day or moment only, UTC, such as 2026-03-05.")] = None,
    where: Annotated[list[str] | None, typer.Option("--where", help="COLUMN=VALUE, such as resource=h100-sxm; may be given again.")] = None,
    reader: Annotated[str | None, typer.Option("--format", help="Reader, where the header does not tell.")] = None,
    as_json: AsJson = False,
) -> None:
    """What characteristics are worth, each price at one specification, and averages beside quality-adjusted indices.

    Example: tenorgrid normalise listings.csv.gz --model listings --out out-normalise
    """
    from tenorgrid.normalisation import normalise as make

    file = Path(model) if model.endswith(".toml") else None
    refuse_over(out, observations, file)
    columns = dict(_pair(text) for text in where or [])
    made = make(observations, file or model, until=_moment(until), where=columns, format=reader)
    given = {path.name: path for path in (observations, file) if path is not None}
    page = made.save(out, inputs=given)
    told = made.factors.height - made.factors["factor"].null_count()
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "model": made.model.name, "fits": made.fits.to_dicts(), "adjusted": told,
        "rows": made.factors.height, "refused": dict(made.refused),
    }  # fmt: skip
    left = f"; {len(made.refused)} without a fit or a series" if made.refused else ""
    say(done, as_json, f"{told:,} of {made.factors.height:,} prices adjusted by {counted(made.fits.height, 'fit')}{left}; {page}")


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--until takes a day or a moment such as 2026-03-05 or 2026-03-05T16:00Z, not {text}") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _pair(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not (column and sign and value):
        raise typer.BadParameter(f"--where {text}: expected COLUMN=VALUE")
    return column, value
