"""`tenorgrid virtuals`: the bid curves of a trader who minds losses, and what they would have earned."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from tenorgrid.commands.output import AsJson, Out, refuse_over, say


def virtuals(
    source: Annotated[Path, typer.Argument(help="Run folder, the folder that clear wrote, or a file of day-ahead and real-time prices.")],
    out: Out,
    horizon: Annotated[str, typer.Option("--horizon", help="The ahead market.")] = "day-ahead",
    day: Annotated[str | None, typer.Option("--date", help="Day that the bids are for; default the next.")] = None,
    series: Annotated[list[str] | None, typer.Option("--series", help="Only this series; may be given again.")] = None,
    hourly: Annotated[float, typer.Option("--hourly", help="Most in each hour of each series.")] = 1.0,
    daily: Annotated[float | None, typer.Option("--daily", help="Most of all hours and series together.")] = None,
    collateral: Annotated[float | None, typer.Option("--collateral", help="Most that may be held for the bids.")] = None,
    shortfall: Annotated[float | None, typer.Option("--shortfall", help="Most that the shortfall of a day may be.")] = None,
    aversion: Annotated[float, typer.Option("--aversion", help="Weight of the shortfall against the mean.")] = 1.0,
    level: Annotated[float, typer.Option("--level", help="Of the shortfall: 0.9 is the worst tenth.")] = 0.9,
    fee: Annotated[float, typer.Option("--fee", help="Of every unit that clears.")] = 0.0,
    prices: Annotated[int, typer.Option("--prices", help="Steps of each hour and side.")] = 5,
    window: Annotated[int, typer.Option("--window", help="Days that scenarios are made of.", min=1)] = 60,
    participant: Annotated[
        str | None, typer.Option("--participant", help="Also write the bids as a case's virtuals, by this name.")
    ] = None,
    timezone: Annotated[str | None, typer.Option("--timezone", help="Of a file's local clock; default America/New_York.")] = None,
    unit: Annotated[str, typer.Option("--unit", help="What a file's prices are in, such as USD/MWh.")] = "price unit",
    as_json: AsJson = False,
) -> None:
    """Inc and dec bid curves by a mean-CVaR program, back-tested day by day without any later price.

    Example: tenorgrid virtuals out --hourly 10 --aversion 2 --out out-virtuals
    """
    from tenorgrid.data.store import write_table
    from tenorgrid.derivatives.virtual_bids.program import Limits, Taste
    from tenorgrid.virtual_bidding import bid_virtuals

    refuse_over(out, source)
    made = bid_virtuals(
        source, horizon=horizon, day=None if day is None else _day(day), series=series, timezone=timezone, unit=unit, prices=prices,
        window=window, limits=Limits(hourly=hourly, daily=daily, collateral=collateral, shortfall=shortfall),
        taste=Taste(aversion=aversion, level=level, fee=fee),
    )  # fmt: skip
    bids = None if participant is None else made.virtuals(participant=participant)
    settings = {
        "horizon": horizon, "series": series, "hourly": hourly, "daily": daily, "collateral": collateral, "aversion": aversion,
        "level": level, "shortfall": shortfall, "fee": fee, "prices": prices, "window": window, "timezone": timezone,
    }  # fmt: skip
    page = made.save(out, inputs={source.name: source}, settings=settings)
    if bids is not None:
        write_table(out, "virtuals", bids)
    own, risk = {row["rule"]: row for row in made.rules.to_dicts()}, made.risk()
    done: dict[str, object] = {
        "out": str(out), "page": str(page), "day": made.day, "bids": made.bids.height, "expected": made.expected,
        "deviation": risk.deviation, "shortfall": made.shortfall, "losing": risk.losing, "collateral": made.collateral,
        "left_out": made.left_out, "rules": made.rules.to_dicts(),
    }  # fmt: skip
    told = own["program"]
    say(
        done,
        as_json,
        f"{made.bids.height} steps for {made.day}, expected {made.expected:,.2f}, shortfall {made.shortfall:,.2f}; "
        f"back-test {told['profit']:,.2f} in {told['days']} days, drawdown {told['drawdown']:,.2f}; {page}",
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"--date {text}: expected a day such as 2027-03-16") from error
