"""`tenorgrid curve`: curves of a file of quotes or of a history, and the arbitrages of one that is refused."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, moment_of, refuse_over, refuse_unused, say


def curve(
    quotes: Annotated[Path, typer.Argument(help="Quotes of overlapping delivery periods, or the folder of a history of curves.")],
    out: Out,
    index: Annotated[list[str] | None, typer.Option("--index", help="Index to fit; default every one.")] = None,
    method: Annotated[str | None, typer.Option("--method", help="smooth (default), constant, linear or tension.")] = None,
    ends: Annotated[str | None, typer.Option("--ends", help="free (default), flat, flat-first or flat-last.")] = None,
    bending: Annotated[str | None, typer.Option("--bending", help="period (default) or time: how bending is measured.")] = None,
    within: Annotated[
        str | None, typer.Option("--within", help="price (default): meet every price; bid-ask: be smoothest between them.")
    ] = None,
    tension: Annotated[float | None, typer.Option("--tension", help="How hard the method tension pulls straight; default 3.")] = None,
    outages: Annotated[Path | None, typer.Option("--outages", help="Hours taken out: quote_id, start, end.")] = None,
    history: Annotated[Path | None, typer.Option("--history", help="Past hourly prices (start, price) that shape the week.")] = None,
    season: Annotated[
        Path | None, typer.Option("--season", help="Past prices (start, price) of four years or more that shape the months of the year.")
    ] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Flat discount rate a year; default none.")] = None,
    discount: Annotated[Path | None, typer.Option("--discount", help="Table of deposits and overnight swaps.")] = None,
    averages: Annotated[
        str | None, typer.Option("--averages", help="plain (default), or discounted: hours count by their discount factor.")
    ] = None,
    keep: Annotated[Path | None, typer.Option("--keep", help="Add the curves to the history in this folder.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Of a history: the last curve by this moment.")] = None,
    known: Annotated[str | None, typer.Option("--known", help="Of a history: as it was known at this moment.")] = None,
    against: Annotated[str | None, typer.Option("--against", help="Of a history: how curves moved since the last by this moment.")] = None,
    as_json: AsJson = False,
) -> None:
    """Forward curves from quotes, or from a history of them, with a page of figures.

    Example: tenorgrid curve quotes.csv --out out/curve --method linear --keep curves
    """
    from tenorgrid.curve_pages import fit_folder, read_folder
    from tenorgrid.curve_store import is_curve_history
    from tenorgrid.data.wording import counted

    refuse_over(out, quotes, outages, history, season, discount, keep)
    named = {"method": method, "ends": ends, "bending": bending, "within": within, "tension": tension, "averages": averages}
    back = {"--as-of": as_of, "--known": known, "--against": against}
    if is_curve_history(quotes):
        fitting = {f"--{name}": value for name, value in named.items()}
        refuse_unused(
            "a history",
            fitting
            | {"--outages": outages, "--history": history, "--season": season, "--rate": rate, "--discount": discount, "--keep": keep},
        )
        moments = {name.strip("-").replace("-", "_"): moment_of(text, name) for name, text in back.items()}
        names = read_folder(quotes, out, indices=index, **moments)
        revisions: dict[str, int] = {}
    else:
        refuse_unused("quotes", back)
        if discount is not None:
            refuse_unused("--discount", {"--rate": rate})
        given = {name: value for name, value in named.items() if value is not None}
        names, revisions = fit_folder(
            quotes,
            out,
            indices=index,
            named=given,
            outages=outages,
            history=history,
            season=season,
            rate=rate,
            discount=discount,
            keep=keep,
        )
    kept = f"; kept in {keep}" if keep is not None else ""
    done: dict[str, object] = {"out": str(out), "indices": names, "page": str(out / "curve.html")}
    say(done | ({"revisions": revisions} if keep is not None else {}), as_json, f"{counted(len(names), 'curve')} written into {out}{kept}")
