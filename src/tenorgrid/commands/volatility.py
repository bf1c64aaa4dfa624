"""`tenorgrid volatility`: how far prices move, and are expected to."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, KnownBy, Out, WrittenBy, moment_of, refuse_over, say


def volatility(
    marks: Annotated[Path, typer.Argument(help="Marks: a table, a folder or a publisher's history. For har marks within the day.")],
    out: Out,
    index: Annotated[list[str] | None, typer.Option("--index", help="Index; may be given again; default all of the marks.")] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="realised (default), realised-weekday, ewma, ewma-fitted, garch, gjr, egarch, garch-t or har; may be given again.",
        ),
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Confidence of the intervals.")] = 0.95,
    term: Annotated[int, typer.Option("--term", help="Days ahead whose mean variance a forecast's number is.", min=1)] = 30,
    horizon: Annotated[int, typer.Option("--horizon", help="Days of the term structure.", min=1)] = 365,
    least: Annotated[int | None, typer.Option("--least", help="Fewest returns; default each model's own.", min=2)] = None,
    window: Annotated[
        int | None,
        typer.Option("--window", help="Days that a mark averages over; default its methodology's, 1 takes marks as they are.", min=1),
    ] = None,
    components: Annotated[str, typer.Option("--components", help="Days of har's regressors.")] = "1,7,30",
    options: Annotated[Path | None, typer.Option("--options", help="Table of option quotes, for smiles.")] = None,
    smile: Annotated[str, typer.Option("--smile", help="sabr or svi.")] = "sabr",
    beta: Annotated[float, typer.Option("--beta", help="Of sabr: 1 lognormal, 0 normal.")] = 1.0,
    as_of: KnownBy = None,
    written_by: WrittenBy = None,
    as_json: AsJson = False,
) -> None:
    """Volatility of index marks by realised, EWMA, GARCH and HAR models, with its term structure and a page of figures.

    Example: tenorgrid volatility out/marks --index H100-SXM.US.FIRM --model realised-weekday --out out-volatility
    """
    from tenorgrid.data.tables.volatility import OptionQuotes
    from tenorgrid.folders import read_file
    from tenorgrid.mark_tables import read_marks
    from tenorgrid.volatilities import volatility as make

    refuse_over(out, marks, options)
    table = read_marks(marks, as_of=moment_of(as_of, "--as-of"), written_by=moment_of(written_by, "--written-by"))
    made = make(
        table,
        index=index,
        model=model or ["realised"],
        level=level,
        least=least,
        window=window,
        term=term,
        horizon=horizon,
        components=_days(components),
        options=None if options is None else read_file(options, OptionQuotes),
        smile=smile,
        beta=beta,
        source=marks.name,
    )
    page = made.save(out, inputs={path.name: path for path in (marks, options) if path is not None})
    done: dict[str, object] = {"out": str(out), "page": str(page), "volatility": made.volatility.to_dicts(), "fits": made.fits.to_dicts()}
    told = [
        f"{row['index']} {row['model']}: {row['volatility']:.4f} a year ({row['lower']:.4f} to {row['upper']:.4f})"
        for row in made.volatility.iter_rows(named=True)
    ]
    if made.smile_arbitrages is not None:
        done["arbitrages"] = made.smile_arbitrages.to_dicts()
        told.append(f"arbitrages among the option quotes: {made.smile_arbitrages.height}")
    say(done, as_json, "\n".join([*told, str(page)]))


def _days(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--components {text}: expected days such as 1,7,30") from error
