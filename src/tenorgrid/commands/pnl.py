"""`tenorgrid pnl`: what a book gained from one run folder to the next."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, say


def pnl(
    book: Annotated[Path, typer.Argument(help="Table of trades; those agreed after the earlier moment are new.")],
    before: Annotated[Path, typer.Option("--before", help="Run folder of the earlier moment, with marks/ and curve/.")],
    after: Annotated[Path, typer.Option("--after", help="Run folder of the later moment.")],
    out: Out,
    rate: Annotated[float, typer.Option("--rate", help="Flat discount rate a year, of both.")] = 0.04,
    rate_after: Annotated[float | None, typer.Option("--rate-after", help="Of the later moment; default the same.")] = None,
    marks: Annotated[
        Path | None, typer.Option("--marks", help="Fix both by these marks instead: a table, a folder or a publisher's history.")
    ] = None,
    correlation: Annotated[Path | None, typer.Option("--correlation", help="Table of index, index2, correlation.")] = None,
    correlation_after: Annotated[
        Path | None, typer.Option("--correlation-after", help="Of the later moment; default the same table.")
    ] = None,
    expiries: Annotated[Path | None, typer.Option("--expiries", help="Table of index, end, volatility.")] = None,
    expiries_after: Annotated[Path | None, typer.Option("--expiries-after", help="Of the later moment; default the same table.")] = None,
    fallbacks: Annotated[Path | None, typer.Option("--fallbacks", help="Table of price limits, halts and ends of indices.")] = None,
    products: Annotated[Path | None, typer.Option("--products", help="Listed products of your own.")] = None,
    cash: Annotated[
        Path | None, typer.Option("--cash", help="Table of trade_id, amount: what trades paid whose kind does not tell.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a book gained between two moments, by what happened: Greeks with their residual, full revaluation beside them.

    Example: tenorgrid pnl book.csv --before out-monday --after out-tuesday --out out-pnl
    """
    from tenorgrid.data.tables.explain import CashTold
    from tenorgrid.explained_folders import value_between
    from tenorgrid.explaining import explain
    from tenorgrid.folders import read_file

    refuse_over(out, book, before, after, marks, correlation, correlation_after, expiries, expiries_after, fallbacks, products, cash)
    rates = (rate, rate if rate_after is None else rate_after)
    trades, first, last = value_between(
        book, before, after, rates=rates, marks=marks,
        correlations=(correlation, correlation_after or correlation), expiries=(expiries, expiries_after or expiries),
        fallbacks=fallbacks, products=products,
    )  # fmt: skip
    told = None if cash is None else read_file(cash, CashTold)
    found = explain(trades, before=first, after=last, cash=told)
    files = (book, marks, correlation, correlation_after, expiries, expiries_after, fallbacks, products, cash)
    way = found.explained.passage
    settings = {"before": str(way.before.as_of), "after": str(way.after.as_of), "rate": rates[0], "rate_after": rates[1]}
    page = found.save(out, inputs={path.name: path for path in files if path is not None}, settings=settings)
    parts = {row["factor"]: {"greeks": row["greeks"], "revalued": row["revalued"]} for row in found.components.iter_rows(named=True)}
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "gain": found.gain, "residual": found.residual, "share": found.share, "components": parts,
    }  # fmt: skip
    say(
        done,
        as_json,
        f"{found.values.height} trades gained {found.gain:+,.2f} USD, {100 * found.share:.3f} % of the components left unsaid; {page}",
    )
