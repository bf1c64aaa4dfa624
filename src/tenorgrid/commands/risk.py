"""`tenorgrid risk`: what a book may lose, and the margin for it."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, say


def risk(
    book: Annotated[Path, typer.Argument(help="Table of trades.")],
    market: Annotated[Path, typer.Option("--market", help="Run folder with marks/ and curve/.")],
    out: Out,
    history: Annotated[Path | None, typer.Option("--history", help="Fixings of the indices; default the folder's own.")] = None,
    level: Annotated[list[float] | None, typer.Option("--level", help="Of value at risk and shortfall; several. Default 0.975.")] = None,
    days: Annotated[int, typer.Option("--days", help="Horizon.")] = 1,
    scenarios: Annotated[Path | None, typer.Option("--scenarios", help="Stress scenarios instead of the usual ones.")] = None,
    method: Annotated[str, typer.Option("--method", help="grid (in full at nodes), full, worst (the tail in full) or greeks.")] = "grid",
    draws: Annotated[int, typer.Option("--draws", help="Of the simulated tail and the exposure.")] = 10_000,
    freedom: Annotated[float | None, typer.Option("--freedom", help="Of Student's t of the draws; default normal.")] = None,
    reversion: Annotated[float, typer.Option("--reversion", help="A year, by which far hours move less.")] = 0.0,
    rate: Annotated[float, typer.Option("--rate", help="Flat discount rate a year.")] = 0.04,
    marks: Annotated[Path | None, typer.Option("--marks", help="Fix by these marks instead.")] = None,
    correlation: Annotated[Path | None, typer.Option("--correlation", help="Table of index, index2, correlation.")] = None,
    expiries: Annotated[Path | None, typer.Option("--expiries", help="Table of index, model, end, volatility.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Value at risk, expected shortfall, stress, initial margin, exposure and a back-test of a book, with a page of figures.

    Example: tenorgrid risk book.csv --market out --out out-risk
    """
    from tenorgrid import chain
    from tenorgrid.book_risk import risk as measured
    from tenorgrid.data.tables.observed import Fixings
    from tenorgrid.data.tables.risk import StressScenarios
    from tenorgrid.folders import read_file

    refuse_over(out, book, market, *(path for path in (history, scenarios, marks, correlation, expiries) if path is not None))
    _, valued = chain.value_of(book, market, rate=rate, marks=marks, correlation=correlation, expiries=expiries)
    made = measured(
        valued,
        history=None if history is None else read_file(history, Fixings),
        levels=tuple(level or [0.975]),
        days=days,
        scenarios=None if scenarios is None else read_file(scenarios, StressScenarios),
        method=method,  # type: ignore[arg-type]  # refused where it is none of them
        draws=draws,
        freedom=freedom,
        reversion=reversion,
        seed=seed,
        source=book.name,
    )
    given = {path.name: path for path in (book, history, scenarios, marks, correlation, expiries) if path is not None}
    settings = {
        "levels": level,
        "days": days,
        "method": method,
        "draws": draws,
        "freedom": freedom,
        "reversion": reversion,
        "seed": seed,
        "rate": rate,
    }
    page = made.save(out, inputs=given, settings=settings)
    first, asked = made.tails.row(0, named=True), dict(made.margin.iter_rows())
    done: dict[str, object] = {
        "out": str(out),
        "page": str(page),
        "tails": made.tails.to_dicts(),
        "margin": asked,
        "tests": made.tests.to_dicts(),
    }
    told = (
        f"shortfall {first['expected_shortfall']:,.2f} USD at {first['level']:g} over {days} d, margin {asked['margin']:,.2f} USD; {page}"
    )
    say(done, as_json, told)
