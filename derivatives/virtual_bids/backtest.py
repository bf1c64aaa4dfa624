"""Bids day after day with what was known when they stood, and what they earned."""

from datetime import date, timedelta

import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.virtual_bids import VirtualDays, VirtualRules
from tenorgrid.derivatives.virtual_bids.outcome import naive, outcome
from tenorgrid.derivatives.virtual_bids.program import Bids, Limits, Taste, best_bids
from tenorgrid.derivatives.virtual_bids.scenarios import HALF_LIFE, Days, Scenarios, scenarios_for

LEAST = 20  # days known before the first bid
OWN = "program"


def backtest(
    known: Days, *, lead: int, limits: Limits, taste: Taste, prices: int = 5, window: int = 60, half_life: float = HALF_LIFE,
    least: int = LEAST, first: date | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """`VirtualDays` and `VirtualRules`: every day that has enough days known before it, and each rule over all of them.

    Args:
        known: prices of whole days.
        lead: whole days from the ahead market's close to the delivery day.
        limits, taste, prices: of the program.
        window, half_life: of the scenarios.
        least: days known before the first bid.
        first: day to begin with; None is the first that is possible.

    Raises `InputError` where no day has enough before it, and as the program does.
    """
    rows: list[dict[str, object]] = []
    for place, day in enumerate(known.days):
        enough = int((known.ordinal <= (day - timedelta(days=lead + 1)).toordinal()).sum()) >= least
        if enough and (first is None or day >= first):
            told = scenarios_for(known, day, lead=lead, window=window, half_life=half_life)
            made = best_bids(told, limits=limits, taste=taste, prices=prices)
            rows += _day(day, made, told, known.ahead[place].ravel(), known.real[place].ravel(), limits.hourly, taste.fee)
    if not rows:
        raise InputError.of("prices", f"a day with {least} whole days known before it", column="start", value=f"{len(known.days)} days")
    days = pl.DataFrame(rows, infer_schema_length=None).sort("rule", "day")
    days = days.with_columns(pl.col("profit").cum_sum().over("rule").alias("total"))
    days = days.with_columns((pl.max_horizontal(pl.col("total").cum_max().over("rule"), 0.0) - pl.col("total")).alias("drawdown"))
    frame = VirtualDays.validate(days.select(VirtualDays.column_names()), cast=True)
    return frame, _rules(frame)


def _day(day: date, made: Bids, told: Scenarios, ahead: Vector, real: Vector, hourly: float, fee: float) -> list[dict[str, object]]:
    found = outcome(made.steps, ahead, real, fee=fee, hourly=hourly)
    own = {
        "rule": OWN, "day": day, "bought": found.bought, "sold": found.sold, "profit": found.profit, "perfect": found.perfect,
        "expected": made.mean, "shortfall": made.shortfall, "collateral": made.collateral,
    }  # fmt: skip
    others = [
        {"rule": rule, "day": day, "profit": profit, "perfect": found.perfect}
        for rule, profit in naive(told, ahead, real, fee=fee, hourly=hourly).items()
    ]
    return [own, *others]


def _rules(days: pl.DataFrame) -> pl.DataFrame:
    """Each rule over all days; its ratio is mean over standard deviation of a day's profit, times the root of 365."""
    profit = pl.col("profit")
    spread = profit.std(ddof=1)
    found = days.group_by("rule", maintain_order=True).agg(
        pl.len().alias("days"), profit.sum(), profit.mean().alias("mean"), spread.alias("deviation"),
        (profit < 0).mean().alias("losing"), pl.col("drawdown").max(), profit.min().alias("worst"),
        pl.when(pl.col("perfect").sum() > 0).then(profit.sum() / pl.col("perfect").sum()).alias("share"),
        pl.when(spread > 0).then(profit.mean() / spread * 365.0**0.5).alias("ratio"),
    )  # fmt: skip
    return VirtualRules.validate(found.select(VirtualRules.column_names()), cast=True)
