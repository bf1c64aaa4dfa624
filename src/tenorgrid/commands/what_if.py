"""`tenorgrid what-if`: clear again with some orders changed, or without some suppliers."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import refuse_over, say
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.wording import counted


def what_if(
    case: Annotated[str, typer.Argument(help="Folder of a market case, or packaged.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")],
    change: Annotated[
        Path | None, typer.Option("--change", help="Table of offers or bids with a column action: add, replace, change or withdraw.")
    ] = None,
    without: Annotated[list[str] | None, typer.Option("--without", help="Supplier to leave out; may be given again.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="Only from this interval on, such as 2027-03-01T18:00Z.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Only before this moment.")] = None,
    horizon: Annotated[list[str] | None, typer.Option("--horizon", help="Horizon to clear; default all.")] = None,
    pricing: Annotated[PricingRule | None, typer.Option("--pricing", help="Rule that the surplus is measured at.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Clear the intervals that a change reaches, without it and with it: differences of prices, awards, surplus and cash.

    Example: tenorgrid what-if packaged --without stratus --from 2027-03-14T18:00Z --to 2027-03-14T20:00Z --out out-what-if
    """
    from tenorgrid.data.case import PACKAGED
    from tenorgrid.data.store import write_manifest, write_table, writing
    from tenorgrid.insight import read_change
    from tenorgrid.insight import what_if as ask
    from tenorgrid.progress import steps

    if change is None and not without:
        raise typer.BadParameter("--change or --without is needed")
    market = None if case == PACKAGED else Path(case)
    refuse_over(out, market, change)
    rows = None if change is None else read_change(change)
    with steps() as bar:
        bar.begin("clearing twice", at=0.0)
        found = ask(
            case, change=rows, without=without or (), first=first, end=end, horizons=tuple(horizon) if horizon else None, pricing=pricing,
            progress=lambda done, count: bar.reach(done / count),
        )  # fmt: skip
    inputs = {path.name: path for path in (market, change) if path is not None}
    edges = {"first": f"{found.first:%Y-%m-%dT%H:%MZ}", "end": f"{found.end:%Y-%m-%dT%H:%MZ}"}
    with writing(out) as folder:
        for name, frame in found.tables().items():
            write_table(folder, name, frame)
        write_manifest(folder, command="what-if", inputs=inputs, settings={**edges, "without": list(without or ())})
    totals = {row["horizon"]: row["difference"] for row in found.surplus.iter_rows(named=True) if row["part"] == "total"}
    done = {"out": str(out), **edges, "prices": found.prices.height, "awards": found.awards.height, "surplus": totals}
    moved = ", ".join(f"{name} {total:+,.2f} USD" for name, total in totals.items())
    count = f"{counted(found.prices.height, 'price')} and {counted(found.awards.height, 'award')}"
    said = f"{count} differ from {edges['first']} to {edges['end']}; surplus: {moved}"
    say(done, as_json, f"{said}; into {out}")
