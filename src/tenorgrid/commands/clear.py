"""`tenorgrid clear`: the clearing engine from the command line."""

from pathlib import Path
from typing import Annotated, Any

import typer

from tenorgrid.commands.output import AsJson, AsOf, Out, Scheduler, Workers, executor_of, refuse_over, refuse_unused, say
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.wording import counted


def clear(
    case: Annotated[str, typer.Argument(help="Folder of a market case, or packaged.")],
    out: Out,
    pricing: Annotated[PricingRule | None, typer.Option("--pricing", help="Rule that settles; both are published.")] = None,
    horizon: Annotated[list[str] | None, typer.Option("--horizon", help="Horizon to clear; default all.")] = None,
    as_of: AsOf = None,
    intervals: Annotated[bool, typer.Option("--intervals", help="With each price the least and largest that is optimal too.")] = False,
    extra_rows: Annotated[Path | None, typer.Option("--extra-rows", help="Table of constraints of your own.")] = None,
    roll: Annotated[str | None, typer.Option("--roll", help="Clear step by step, such as 1d, passing on what was decided.")] = None,
    look: Annotated[str | None, typer.Option("--look", help="How far each step of --roll sees, such as 7d; default to the end.")] = None,
    node_limit: Annotated[int | None, typer.Option("--node-limit", help="Nodes of each search for whole solutions.", min=0)] = None,
    time_limit: Annotated[float | None, typer.Option("--time-limit", help="Seconds of each search; default none.", min=0.0)] = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Parquet instead of CSV.")] = False,
    as_json: AsJson = False,
) -> None:
    """Clear a market case at its horizons.

    Example: tenorgrid clear packaged --out out/clear
    """
    from tenorgrid import api, folders
    from tenorgrid.clearing.search import Limits
    from tenorgrid.data.case import PACKAGED, read_case
    from tenorgrid.data.store import writing
    from tenorgrid.data.tables.extra import ExtraRows
    from tenorgrid.progress import steps

    if scheduler is not None:
        refuse_unused("--scheduler", {"--workers": workers})
    if roll is not None:
        refuse_unused("--roll, whose steps follow one another in this process,", {"--workers": workers, "--scheduler": scheduler})
    elif look is not None:
        raise typer.BadParameter("--look needs --roll")
    given = {Path(path).name: Path(path) for path in (case if case != PACKAGED else None, extra_rows) if path is not None}
    refuse_over(out, *given.values())
    limits = Limits(nodes=Limits().nodes if node_limit is None else node_limit, seconds=time_limit)
    asked: dict[str, Any] = {
        "horizons": tuple(horizon) if horizon else "all",
        "pricing": pricing,
        "as_of": as_of,
        "extra_rows": None if extra_rows is None else folders.read_file(extra_rows, ExtraRows),
        "detail": "intervals" if intervals else "centre",
        "limits": limits,
    }
    market = read_case(case)
    with steps() as bar:
        bar.begin("clearing", at=0.0)
        asked["progress"] = lambda done, count: bar.reach(done / count)
        if roll is not None:
            cleared = api.clear_rolling(market, step=roll, look=look, **asked)
        else:
            with executor_of(workers, scheduler) as executor:
                cleared = api.clear(market, executor=executor, **asked)
    with writing(out) as folder:
        folders.write_clear(cleared, folder, form="parquet" if parquet else "csv", inputs=given)
    totals = {row["horizon"]: row["total"] for row in cleared.surplus.filter(pricing=str(cleared.pricing)).iter_rows(named=True)}
    certificate = cleared.certificate
    done = {
        "out": str(out),
        "intervals": cleared.prices.select("horizon", "start").n_unique(),
        "problems": certificate.height,
        "worst_gap": certificate["gap"].max(),
        "worst_incumbent_gap": certificate["incumbent_gap"].max(),
        "surplus": totals,
    }
    say(done, as_json, _sentence(done, out))


def _sentence(done: dict[str, Any], out: Path) -> str:
    whole = done["worst_incumbent_gap"]
    searched = "" if whole is None else f", whole solutions within {whole:.2g} of their bound"
    return f"{counted(done['intervals'], 'interval')} cleared into {out}{searched}"
