"""`tenorgrid premium`: ahead prices against real time."""

from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, say


def premium(
    source: Annotated[Path, typer.Argument(help="Run folder, the folder that clear wrote, or a file of day-ahead and real-time prices.")],
    out: Out,
    other: Annotated[
        Path | None, typer.Option("--other", help="The same market otherwise, for example cleared without virtual bids.")
    ] = None,
    series: Annotated[list[str] | None, typer.Option("--series", help="Only this series; may be given again.")] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Of a file's local clock; default America/New_York.")] = None,
    unit: Annotated[str, typer.Option("--unit", help="What a file's prices are in, such as USD/MWh.")] = "price unit",
    window: Annotated[int, typer.Option("--window", help="Days of the trailing variance and third moment.", min=6)] = 28,
    cost: Annotated[float, typer.Option("--cost", help="Cost of a virtual bid of 1.", min=0.0)] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Bias with naive and HAC errors, forecast tests, the premium's reasons, and whether virtual bids close it.

    Example: tenorgrid premium out --out out-premium
    """
    import polars as pl

    from tenorgrid.premia import premium as make

    refuse_over(out, source, other)
    made = make(source, other=other, series=series, timezone=timezone, unit=unit, window=window, cost=cost)
    page = made.save(out, inputs={path.name: path for path in (source, other) if path is not None})
    whole = made.bias.filter(pl.col("hour") == -1)
    naive, robust = (whole.filter(pl.col(name) != "none").height for name in ("naive_verdict", "verdict"))
    opened = made.virtuals.filter(pl.col("verdict") == "open").height
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "series": whole.height, "naive": naive, "hac": robust,
        "open": opened, "traded": made.virtuals.height, "bias": whole.to_dicts(),
    }  # fmt: skip
    say(
        done,
        as_json,
        f"{whole.height} series: {naive} with a premium by naive errors, {robust} by HAC errors; "
        f"{opened} of {made.virtuals.height} still pay a virtual bid; {page}",
    )
