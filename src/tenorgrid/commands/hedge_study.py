"""`tenorgrid hedge-study`: what contracts remove of the volatility of costs."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, say


def hedge_study(
    source: Annotated[Path, typer.Argument(help="Run folder, or marks.")],
    out: Out,
    item: Annotated[
        list[str] | None, typer.Option("--item", help="Cost as NAME=INDEX+INDEX; may be given again. Default of a run: its own fleets.")
    ] = None,
    contract: Annotated[
        list[str] | None,
        typer.Option(
            "--contract", help="Hedge as NAME=INDEX+INDEX,INDEX: a ratio for each leg between commas. The first is compared with."
        ),
    ] = None,
    first: Annotated[float, typer.Option("--first", help="Share of the days that ratios are estimated on.", min=0.05, max=0.95)] = 2 / 3,
    horizon: Annotated[list[int] | None, typer.Option("--horizon", help="Days that a change is over; default 1 and 7.", min=1)] = None,
    draws: Annotated[int, typer.Option("--draws", help="Of the bootstrap.", min=100)] = 2000,
    seed: Annotated[int, typer.Option("--seed", help="Of the bootstrap.", min=0)] = 0,
    methodology: Annotated[str | None, typer.Option("--methodology", help="Whose marks.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hedge ratios of the first days, and the volatility of costs that they remove on the days held back, with intervals.

    Example: tenorgrid hedge-study out --out out-hedge-study
    """
    import polars as pl

    from tenorgrid.hedging import hedge_study as make
    from tenorgrid.hedging_desk import of_run
    from tenorgrid.mark_tables import read_marks

    refuse_over(out, source)
    if (item is None) != (contract is None):
        raise typer.BadParameter("--item and --contract: give both or neither")
    if item is None and not (source / "clear").is_dir():
        raise typer.BadParameter("--item and --contract: only a run folder has fleets of its own")
    marks = read_marks(source)
    items, contracts = of_run(source, marks) if item is None else (_named(item, "--item"), _named(contract or [], "--contract"))
    made = make(
        source, items=items, contracts=contracts, first=first, horizons=horizon or (1, 7), draws=draws, seed=seed, methodology=methodology
    )
    page = made.save(out, inputs={source.name: source} if source.is_file() else None)
    shown = made.study.filter(pl.col("horizon") == made.study["horizon"].min(), pl.col("volume").cast(pl.String) == "fixed")
    told = [
        f"{row['item']}, {row['contract']}: {row['removed']:.0%}{_interval(row['lower'], row['upper'])}"
        for row in shown.iter_rows(named=True)
    ]
    over = "1 day" if shown["horizon"][0] == 1 else f"{shown['horizon'][0]} days"
    done: dict[str, object] = {"out": str(out), "page": str(page), "study": made.study.to_dicts(), "ratios": made.ratios.to_dicts()}
    say(
        done,
        as_json,
        "\n".join([*told, f"of the volatility of changes over {over}, on {shown['held_back'][0]} held back; {page}"]),
    )


def _named(texts: list[str], option: str) -> dict[str, str]:
    parts = [text.partition("=") for text in texts]
    if wrong := [text for text, (name, _, rest) in zip(texts, parts, strict=True) if not name or not rest]:
        raise typer.BadParameter(f"{option} {wrong[0]}: expected NAME=INDEX")
    if len({name for name, _, _ in parts}) < len(parts):
        raise typer.BadParameter(f"{option}: each name once")
    return {name: rest for name, _, rest in parts}


def _interval(lower: float | None, upper: float | None) -> str:
    return " (no interval: too many draws do not move)" if lower is None or upper is None else f" ({lower:.0%} to {upper:.0%})"
