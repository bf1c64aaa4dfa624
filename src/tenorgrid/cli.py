"""The command line: each command reads files, calls the chain, and writes a folder that is moved in when whole.

Exit code 0: done. 1: the input was refused or nothing could be published, the reason on standard error. 2: wrong usage.
"""

import sys
import warnings
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from tenorgrid.commands.against import against_of
from tenorgrid.commands.attack import attack
from tenorgrid.commands.basket import basket
from tenorgrid.commands.clear import clear
from tenorgrid.commands.contracts import contracts
from tenorgrid.commands.curve import curve
from tenorgrid.commands.deals import deals
from tenorgrid.commands.explain import explain
from tenorgrid.commands.factors import factors
from tenorgrid.commands.far import far
from tenorgrid.commands.hedge_study import hedge_study
from tenorgrid.commands.intelligence import intelligence
from tenorgrid.commands.normalise import normalise
from tenorgrid.commands.output import AsJson, AsOf, KnownBy, Out, Scheduler, Workers, WrittenBy, executor_of, moment_of, refuse_unused
from tenorgrid.commands.output import refuse_over as _refuse_over
from tenorgrid.commands.output import say as _say
from tenorgrid.commands.pnl import pnl
from tenorgrid.commands.premium import premium
from tenorgrid.commands.publish import publish_app
from tenorgrid.commands.recipes import recipes
from tenorgrid.commands.rental import rental
from tenorgrid.commands.risk import risk
from tenorgrid.commands.tiers import tiers
from tenorgrid.commands.virtuals import virtuals
from tenorgrid.commands.volatility import volatility
from tenorgrid.commands.what_if import what_if
from tenorgrid.commands.workloads import workloads
from tenorgrid.data.errors import Fault, InputError, TenorgridError

app = typer.Typer(
    add_completion=False, pretty_exceptions_show_locals=False, no_args_is_help=True, rich_markup_mode=None,
    help="The market in computing power: cleared, indexed, priced, settled and reported.",
)  # fmt: skip

HOUSE = "house"

Method = Annotated[str | None, typer.Option("--method", help="A shipped methodology or a TOML file; default house.")]
Reader = Annotated[str | None, typer.Option("--format", help="Reader, where the header does not tell.")]


@app.command()
def run(
    out: Out = Path("out"),
    case: Annotated[Path | None, typer.Option("--case", help="Folder of a market case; default the packaged market.")] = None,
    observations: Annotated[Path | None, typer.Option("--observations", help="Observed prices instead of a market.")] = None,
    as_of: AsOf = None,
    quotes: Annotated[Path | None, typer.Option("--quotes", help="Further quotes for the curves.")] = None,
    book: Annotated[Path | None, typer.Option("--book", help="Trades to value; default a small book.")] = None,
    exposures: Annotated[Path | None, typer.Option("--exposures", help="Exposures to hedge; default the largest.")] = None,
    method: Method = None,
    reader: Reader = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the packaged market.")] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """The whole chain into a run folder with report.html.

    Example: tenorgrid run --out out
    """
    from tenorgrid.progress import steps

    market = {"--case": case, "--as-of": as_of, "--quotes": quotes, "--book": book, "--exposures": exposures, "--seed": seed}
    if scheduler is not None:
        refuse_unused("--scheduler", {"--workers": workers, "--observations": observations})
    if observations is not None:
        refuse_unused("--observations", market)
    else:
        refuse_unused("a market", {"--method": method, "--format": reader} | ({} if case is None else {"--seed": seed}))
    _refuse_over(out, observations, case, quotes, book, exposures)
    with steps() as bar:
        if observations is not None:
            from tenorgrid.chain import run_observations
            from tenorgrid.data.readers.formats import read_observations

            seen = read_observations(observations, format=reader)
            done = run_observations(seen, out, method=method or HOUSE, inputs={observations.name: observations}, steps=bar)
        else:
            done = _run_market(
                out, case, as_of=as_of, files=(quotes, book, exposures), seed=seed, executor=executor_of(workers, scheduler), bar=bar
            )
    _say(done, as_json, f"{out / 'report.html'} is written")


app.command()(clear)
app.command()(basket)


@app.command()
def mark(
    observations: Annotated[Path, typer.Argument(help="Observed prices: a file, a folder of Parquet parts, a Delta table.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; replaced as a whole.")] = None,
    method: Method = None,
    against: Annotated[
        str | None, typer.Option("--against", help="Why does this methodology print something else? Split rule by rule.")
    ] = None,
    index: Annotated[str | None, typer.Option("--index", help="With --against: only this index; default all that both print.")] = None,
    against_index: Annotated[str | None, typer.Option("--against-index", help="What the other methodology calls it.")] = None,
    together: Annotated[list[str] | None, typer.Option("--together", help="Rules to exchange together, such as clock+window.")] = None,
    date: Annotated[str | None, typer.Option("--date", help="The window's last day, in the index's own time zone; default all.")] = None,
    reader: Reader = None,
    verify: Annotated[Path | None, typer.Option("--verify", help="Recompute the marks of this audit file.")] = None,
    without_sensitivity: Annotated[
        bool, typer.Option("--without-sensitivity", help="Audits say neither what a mark is without each contributor nor what moves it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Index marks with their audit, a check of published ones, or why two methodologies differ.

    Example: tenorgrid mark listings.csv.gz --method ccir-1.1.1 --date 2026-03-04 --out out/marks
    """
    from datetime import timedelta

    from tenorgrid import api, chain, folders, large_marks
    from tenorgrid.data.readers.formats import read_observations
    from tenorgrid.data.store import writing
    from tenorgrid.indices.entries import Sensitivity
    from tenorgrid.results import to_day

    if against is not None:
        refuse_unused("--against", {"--verify": verify})
        against_of(
            observations, method=method or HOUSE, against=against, date=date, index=index, against_index=against_index,
            together=together, out=out, reader=reader, as_json=as_json,
        )  # fmt: skip
        return
    refuse_unused("marks without --against", {"--index": index, "--against-index": against_index, "--together": together})
    if verify is not None:
        refuse_unused("--verify", {"--out": out, "--date": date, "--without-sensitivity": without_sensitivity or None})
        _verify(verify, large_marks.read_whole(observations, reader=reader), method=method, as_json=as_json)
        return
    if out is None:
        raise typer.BadParameter("--out is needed, or --verify")
    _refuse_over(out, observations)
    day = to_day(date, name="date")
    sensitivity: Sensitivity = "left out" if without_sensitivity else "told"
    if large_marks.reads_in_pieces(observations, reader=reader):
        found = large_marks.mark_large(observations, out, method=method or HOUSE, day=day, sensitivity=sensitivity)
        excluded = {str(rule): int(rows) for rule, rows in found.excluded.iter_rows()}
        told = {"out": str(out), "written": found.marks.height, "excluded": excluded}
        _say(told, as_json, f"{found.marks.height} marks written into {out}")
        return
    seen = read_observations(observations, format=reader)
    end = None if day is None else day + timedelta(days=1)
    marks = chain.published(api.mark(seen, method=method or HOUSE, first=day, end=end, sensitivity=sensitivity))
    with writing(out) as folder:
        folders.write_marks(marks, folder, inputs={observations.name: observations}, before=out)
    shown = marks.marks.filter(marks.marks["value"].is_not_null()).select("index", "start", "value", "status")
    done: dict[str, object] = {"out": str(out), "marks": [_plain(row) for row in shown.iter_rows(named=True)]}
    _say(done, as_json, f"{marks.marks.height} marks written into {out}")


app.command()(curve)


@app.command()
def price(
    book: Annotated[Path, typer.Argument(help="Table of trades.")],
    market: Annotated[Path, typer.Option("--market", help="Run folder with marks/ and curve/.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write; replaced as a whole.")] = None,
    rate: Annotated[float, typer.Option("--rate", help="Flat discount rate a year.")] = 0.04,
    marks: Annotated[
        Path | None, typer.Option("--marks", help="Fix by these marks instead: a table, a folder or a publisher's history.")
    ] = None,
    correlation: Annotated[
        Path | None, typer.Option("--correlation", help="Table of index, index2, correlation, for options on spreads.")
    ] = None,
    expiries: Annotated[
        Path | None, typer.Option("--expiries", help="Table of index, end, volatility, where volatility depends on the expiry.")
    ] = None,
    fallbacks: Annotated[Path | None, typer.Option("--fallbacks", help="Table of price limits, halts and ends of indices.")] = None,
    products: Annotated[Path | None, typer.Option("--products", help="Listed products of your own: TOML or a table.")] = None,
    scenarios: Annotated[
        bool, typer.Option("--scenarios", help="Also revalue the book in a grid of moves of all prices and volatilities.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Values and risks of a book of trades.

    Example: tenorgrid price book.csv --market out --out out-value
    """
    from tenorgrid import chain, folders
    from tenorgrid.data.store import writing
    from tenorgrid.value_page import write_value_page

    if scenarios and out is None:
        raise typer.BadParameter("--scenarios needs --out, the folder that its table goes to")
    tables = {"marks": marks, "correlation": correlation, "expiries": expiries, "fallbacks": fallbacks, "products": products}
    _refuse_over(out, book, market, *tables.values())
    trades, valued = chain.value_of(book, market, rate=rate, **tables)
    done: dict[str, object] = {}
    if out is not None:
        with writing(out) as folder:
            given = {path.name: path for path in (book, *tables.values()) if path is not None}
            folders.write_values(trades, valued, folder, inputs=given)
            grid = chain.grid_of(valued) if scenarios else None
            page = write_value_page(trades, valued, folder, source=book.name, scenarios=grid)
        done = {"out": str(out), "page": str(out / page)}
    values = {row["trade_id"]: row["value"] for row in valued.values.iter_rows(named=True)}
    _say(done | {"value": valued.value, "trades": values}, as_json, f"{valued.values.height} trades, together {valued.value:,.2f} USD")


@app.command()
def settle(
    run_dir: Annotated[Path, typer.Argument(help="Run folder, or the folder that clear wrote.")],
    out: Out,
    version: Annotated[str, typer.Option("--version", help="initial, final, ...")] = "initial",
    as_json: AsJson = False,
) -> None:
    """Positions, ledger and statements from a run's awards and prices; an earlier settlement in the folder is appended to.

    A version after the first posts the differences to what the versions before it have posted of the same intervals.

    Example: tenorgrid settle out --out out-settle
    """
    from tenorgrid import chain

    _refuse_over(out, run_dir)
    owed = chain.settle_folder(run_dir, out, version=version)
    failed = owed.checks.filter(~owed.checks["passed"])
    done = {"out": str(out), "postings": owed.ledger.frame.height, "participants": owed.invoices.height, "checks_failed": failed.height}
    _say(
        done, as_json, f"{owed.ledger.frame.height:,} postings, {owed.invoices.height} invoices, {failed.height} checks failed, into {out}"
    )


@app.command()
def basis(
    exposure: Annotated[Path, typer.Argument(help="Table of exposures.")],
    index: Annotated[
        Path,
        typer.Option("--index", help="Marks of the exposure's prices and of the indices: a table, a folder or a publisher's history."),
    ],
    out: Out,
    using: Annotated[
        list[str] | None, typer.Option("--using", help="Index to hedge with; default every firm GPU index of the table.")
    ] = None,
    as_of: KnownBy = None,
    written_by: WrittenBy = None,
    as_json: AsJson = False,
) -> None:
    """Hedge ratio, effectiveness and basis risk of exposures; it may say ineffective.

    Example: tenorgrid basis exposures.csv --index out/marks --using H100-SXM.US.FIRM --out out-basis
    """
    from tenorgrid import chain, folders
    from tenorgrid.data.store import writing

    _refuse_over(out, exposure, index)
    known, written = moment_of(as_of, "--as-of"), moment_of(written_by, "--written-by")
    hedged = chain.basis_of(exposure, index, using=using, as_of=known, written_by=written)
    with writing(out) as folder:
        folders.write_basis(hedged, folder, inputs={exposure.name: exposure, index.name: index})
    rows = hedged.basis.select("exposure", "index", "ratio", "effectiveness", "verdict")
    said = "\n".join(f"{row['exposure']} on {row['index']}: {row['ratio']:.4g}, {row['verdict']}" for row in rows.iter_rows(named=True))
    _say({"out": str(out), "basis": [_plain(row) for row in rows.iter_rows(named=True)]}, as_json, said)


@app.command()
def report(
    run_dir: Annotated[Path, typer.Argument(help="Run folder.")],
    as_json: AsJson = False,
) -> None:
    """Write report.html into a run folder, from its tables.

    Example: tenorgrid report out
    """
    from tenorgrid.reports.report import write

    path = write(run_dir)
    _say({"report": str(path)}, as_json, f"{path} is written")


app.command()(deals)
app.command()(tiers)
app.command()(recipes)
app.command()(workloads)
app.command()(normalise)
app.command()(premium)
app.command()(rental)
app.command()(contracts)
app.command()(pnl)
app.command()(risk)
app.command()(far)
app.command()(factors)
app.command("hedge-study")(hedge_study)
app.command()(virtuals)
app.command()(volatility)
app.command()(attack)
app.command()(explain)
app.command()(intelligence)
app.command("what-if")(what_if)
app.add_typer(publish_app, name="publish")


def main() -> None:
    """Run the command line; refusals become one clear text and exit code 1."""
    warnings.showwarning = _warned
    try:
        app()
    except TenorgridError as error:
        print(f"tenorgrid: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a place that may not be written: the system's own words say who must act
        print(f"tenorgrid: {error}", file=sys.stderr)
        sys.exit(1)


def _run_market(
    out: Path,
    case: Path | None,
    *,
    as_of: str | None,
    files: tuple[Path | None, Path | None, Path | None],
    seed: int | None,
    executor: AbstractContextManager[Executor | None],
    bar: Any,
) -> dict[str, object]:
    from tenorgrid import chain, folders
    from tenorgrid.data.case import read_case
    from tenorgrid.data.tables.book import Trades
    from tenorgrid.data.tables.curve import Quotes
    from tenorgrid.data.tables.settled import Exposures
    from tenorgrid.results import to_day

    schemas = (Quotes, Trades, Exposures)
    quotes, trades, exposures = (
        None if path is None else folders.read_file(path, schema) for path, schema in zip(files, schemas, strict=True)
    )
    given = [path for path in files if path is not None]
    with executor as chosen:
        if case is None:
            bar.begin("drawing the market", at=0.0)
            drawn = chain.packaged(seed)
            return chain.run_market(
                drawn.case,
                out,
                as_of=to_day(as_of) or drawn.as_of,
                quotes=drawn.quotes if quotes is None else quotes,
                trades=trades,
                exposures=drawn.exposures if exposures is None else exposures,
                executor=chosen,
                seed=drawn.seed,
                inputs={path.name: path for path in given},
                forecasts=drawn.forecasts,
                steps=bar,
            )
        return chain.run_market(
            read_case(case), out, as_of=to_day(as_of), quotes=quotes, trades=trades, exposures=exposures, executor=chosen,
            inputs={path.name: path for path in (case, *given)}, steps=bar,
        )  # fmt: skip


def _verify(path: Path, observations: Any, *, method: str | None, as_json: bool) -> None:
    """Say that an audit, and the marks beside it, come out again; else refuse them with every difference."""
    from tenorgrid.indices.audit import verify
    from tenorgrid.mark_tables import beside

    marks, copies = beside(path)
    found = verify(path, observations, methodology=method, marks=marks)
    found = replace(found, differences=(*found.differences, *copies))
    if as_json or found.confirmed:
        _say({"confirmed": found.confirmed, "differences": [str(one) for one in found.differences]}, as_json, str(found))
    if not found.confirmed:
        raise InputError(
            Fault(file=path.name, value=str(one), expected="what the observations and the methodology give again")
            for one in found.differences
        )


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, str | int | float | None) else str(value) for name, value in row.items()}


def _warned(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    print(f"tenorgrid: warning: {message}", file=sys.stderr)
