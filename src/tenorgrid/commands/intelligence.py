"""`tenorgrid intelligence`: who is marginal, worth, demand, pivotal suppliers and the breaker, as tables."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import refuse_over, say
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.wording import counted


def intelligence(
    run_dir: Annotated[Path, typer.Argument(help="Run folder, or the folder that clear wrote.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")],
    pricing: Annotated[PricingRule | None, typer.Option("--pricing", help="Default the rule that settles.")] = None,
    breaker: Annotated[Path | None, typer.Option("--breaker", help="Breaker rules; default 7.5 h at the price cap in 7 days.")] = None,
    largest: Annotated[int, typer.Option("--largest", help="Suppliers left out together in residual_supply.", min=1)] = 1,
    case: Annotated[Path | None, typer.Option("--case", help="Market case with the orders, where the run folder has none.")] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet instead of CSV.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tables of intelligence on a run: marginal, worth, sold_out, demand, unserved, pivotal, residual_supply and the breaker's.

    Example: tenorgrid intelligence out --out out-intelligence
    """
    from tenorgrid import folders
    from tenorgrid.data.store import write_manifest, write_table, writing
    from tenorgrid.data.tables.insight import BreakerRules
    from tenorgrid.insight import intelligence as ask
    from tenorgrid.insight import read_run

    refuse_over(out, run_dir, case, breaker)
    rules = None if breaker is None else folders.read_file(breaker, BreakerRules)
    run = read_run(run_dir, case=case)
    found = ask(run, pricing=pricing, rules=rules, largest=largest)
    inputs = {path.name: path for path in (breaker, case) if path is not None}
    with writing(out) as folder:
        for name, frame in found.tables().items():
            write_table(folder, name, frame, form="parquet" if parquet else "csv")
        settings = {"market": run.case.market.name, "pricing": str(pricing or run.pricing), "largest": largest}
        write_manifest(folder, command="intelligence", inputs=inputs, as_of=run.as_of, settings=settings)
    rows = {name: frame.height for name, frame in found.tables().items()}
    pivotal = found.pivotal.filter(found.pivotal["pivotal"] > 0)["participant"].n_unique()
    trips = int(found.cumulative["trips"].sum())
    done = {"out": str(out), "rows": rows, "pivotal_suppliers": pivotal, "breaker_trips": trips}
    told = f"{counted(rows['marginal'], 'price')} told, {counted(pivotal, 'supplier')} pivotal at times, {counted(trips, 'breaker trip')}"
    say(done, as_json, f"{told}, into {out}")
