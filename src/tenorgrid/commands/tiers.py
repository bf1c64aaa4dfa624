"""`tenorgrid tiers`: service tiers from a record of presence or from a market's own recalls."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenorgrid.commands.output import refuse_over, say

if TYPE_CHECKING:
    from tenorgrid.results import Run


def tiers(
    traces: Annotated[str, typer.Argument(help="Availability traces, a presence table, the folder of a market case, or packaged.")],
    out: Annotated[Path, typer.Option("--out", help="Folder to write; replaced as a whole.")],
    tier: Annotated[list[str] | None, typer.Option("--tier", help="NAME=π, such as spot=0.1; default 2, 5, 10 and 20 %.")] = None,
    pool: Annotated[str | None, typer.Option("--pool", help="Pool that tiers are of, or all; default the one most recorded.")] = None,
    share: Annotated[
        list[str] | None, typer.Option("--share", help="NAME=share of listed hours behind a tier, sold nested from one pool.")
    ] = None,
    periods: Annotated[int, typer.Option("--periods", help="Periods of the back-test; the first only teaches.", min=2)] = 6,
    ahead: Annotated[str | None, typer.Option("--ahead", help="Of a case: horizon that listings are read at.")] = None,
    cleared: Annotated[Path | None, typer.Option("--cleared", help="Folder that clear wrote: splits its spreads too.")] = None,
    case: Annotated[
        str | None, typer.Option("--case", help="Case whose tiers are held against the record; default TRACES where it is one.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the pools drawn for the pooling curve.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """How much each tier may sell for its promise, suppliers' credits, and how promises would have held.

    Example: tenorgrid tiers spot_availability_traces_rle.csv.gz --tier spot=0.1 --out out-tiers
    """
    from tenorgrid import tiering
    from tenorgrid.data.case import PACKAGED, read_case
    from tenorgrid.data.store import write_manifest, write_table, writing
    from tenorgrid.reports.pages.tiers import FILE, render

    given = {Path(name).name: Path(name) for name in (traces, case, cleared) if name not in (None, PACKAGED)}
    refuse_over(out, *given.values())
    promises, stakes = _pairs(tier, "--tier"), _pairs(share, "--share")
    study = tiering.tiers(
        traces,
        promises=promises,
        pool=pool,
        stakes=stakes,
        periods=periods,
        ahead=ahead,
        run=None if cleared is None else _read(cleared, orders=case is None),
        case=None if case is None else read_case(case),
        seed=seed,
    )
    settings = {
        "pool": study.pool,
        "promises": promises or dict(tiering.PROMISES),
        "shares": stakes,
        "periods": periods,
        "ahead": ahead,
        "synthetic": study.synthetic,
    }
    tables = study.tables()
    with writing(out) as folder:
        for name, frame in tables.items():
            write_table(folder, name, frame)
        (folder / FILE).write_text(render(tables, pool=study.pool, source=Path(traces).name, synthetic=study.synthetic), encoding="utf-8")
        write_manifest(folder, command="tiers", inputs=given, seed=seed, settings=settings)
    verdicts = dict(
        study.backtest.filter(study.backtest["period"].is_not_null())["verdict"].cast(str).value_counts().sort("verdict").iter_rows()
    )
    done: dict[str, object] = {
        "out": str(out),
        "pool": study.pool,
        "tiers": study.tiers.to_dicts(),
        "pools": study.pools.height,
        "backtest": verdicts,
    }
    left = [name for name in (promises or tiering.PROMISES) if name not in study.tiers["tier"].to_list()]
    kept = ", ".join(f"{row['tier']} β {row['overcommit']:.4f}" for row in study.tiers.iter_rows(named=True) if row["tier"] != "firm")
    none = f"; nothing can be sold as {', '.join(left)}" if left else ""
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    say(done, as_json, f"pool {study.pool}: {kept or 'no tier'}{none}; held-out promises: {told}; into {out}")


def _read(cleared: Path, *, orders: bool) -> "Run":
    """The clearing run of a folder, with its own orders unless a case brings them."""
    from tenorgrid import folders

    place = cleared / "clear" if (cleared / "clear").is_dir() else cleared
    run = folders.read_clear(place)
    return folders.read_orders(run, place) if orders else run


def _pairs(given: list[str] | None, option: str) -> dict[str, float] | None:
    """NAME=number options as a mapping; wrong usage where one is not of that form or a name comes twice."""
    if not given:
        return None
    found: dict[str, float] = {}
    for text in given:
        name, mark, value = text.partition("=")
        try:
            number = float(value)
        except ValueError as error:
            raise typer.BadParameter(f"{option} takes NAME=number, not {text}") from error
        if not name or not mark or name in found:
            raise typer.BadParameter(f"{option} takes NAME=number, each name once, not {text}")
        found[name] = number
    return found
