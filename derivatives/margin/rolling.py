"""Value at risk of today's book on every past day, made from the days before it, and what followed.

The book is today's, by its deltas and gammas; the moves of a day are those of filtered historical simulation with what was known when it
began. A forecast of a day reads no return of that day or after it.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.volatility.ewma import RISKMETRICS, WARM, ewma
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.risk import RiskBacktest, RiskTests
from tenorgrid.derivatives.book.valuation import BookValue
from tenorgrid.derivatives.margin import backtests
from tenorgrid.derivatives.margin.moves import Moves, history_of
from tenorgrid.derivatives.margin.revalued import by_greeks
from tenorgrid.derivatives.margin.tail import tail


def rolling(
    found: BookValue, history: pl.DataFrame, indices: Sequence[str], *, level: float = 0.975, window: int = 250, decay: float = RISKMETRICS
) -> pl.DataFrame:
    """`RiskBacktest`: a row for every day that has enough days before it.

    Args:
        found: today's book with its sensitivities.
        history: `Fixings` of the indices.
        indices: that the book reads.
        level: of value at risk and shortfall.
        window: returns before a day that its forecast draws on; fewer at the beginning, but enough for the level.
        decay: λ of the EWMA.

    Raises `InputError` for a history too short for one forecast, and as `filtered` does.
    """
    least = int(np.ceil(1.0 / (1.0 - level) - 1e-9))
    days, values = history_of(history, indices, least=WARM + least + 2)
    returns = np.diff(np.log(values), axis=0)
    paths = [ewma(series, decay=decay, warm=WARM) for series in returns.T]
    deviation = np.sqrt(np.stack([path.variance for path in paths], axis=1))
    returns = returns[WARM:]
    told = days[WARM + 1 :]
    shocks = returns / deviation
    rows = []
    realised = by_greeks(found.parts, found.market, Moves(indices=tuple(indices), values=returns))
    for day in range(least, len(returns)):
        known = shocks[max(day - window, 0) : day] * deviation[day]
        loss = tail(by_greeks(found.parts, found.market, Moves(indices=tuple(indices), values=known)), level=level)
        rows.append((told[day], realised[day], loss.value_at_risk, loss.expected_shortfall, bool(-realised[day] > loss.value_at_risk)))
    names = ["day", "gain", "value_at_risk", "expected_shortfall", "exceeded"]
    return RiskBacktest.validate(pl.DataFrame(rows, schema=names, orient="row"), cast=True)


def judged(days: pl.DataFrame, *, level: float) -> pl.DataFrame:
    """`RiskTests` of a `RiskBacktest` at its level. Raises `InputError` for fewer than two days."""
    if days.height < 2:
        raise InputError.of("back-test", "at least two days", value=days.height)
    exceeded, p = days["exceeded"].to_numpy(), 1.0 - level
    count, size = int(exceeded.sum()), days.height
    zone, cumulative = backtests.traffic_light(count, size, probability=p)
    rows: list[tuple[str, float, float | None, str]] = []
    asked = f"{count} exceptions in {size} days, {p * size:.1f} expected"
    for name, found in (
        ("kupiec", backtests.kupiec(count, size, probability=p)),
        ("independence", backtests.independence(exceeded)),
        ("conditional-coverage", backtests.conditional_coverage(exceeded, probability=p)),
    ):
        said = "rejected at 5 %" if found.p_value < backtests.SIGNIFICANT else "not rejected at 5 %"
        rows.append((name, found.statistic, found.p_value, f"{asked}: {said}"))
    rows.append(
        ("traffic-light", cumulative, None, zone if size >= backtests.BASEL_DAYS else f"{zone}, of {size} days where Basel asks for 250")
    )
    losses, forecast, mean = (-days["gain"].to_numpy(), days["value_at_risk"].to_numpy(), days["expected_shortfall"].to_numpy())
    rows.append(("shortfall", *_shortfall(losses, forecast, mean, p)))
    return RiskTests.validate(pl.DataFrame(rows, schema=["test", "statistic", "p_value", "verdict"], orient="row"), cast=True)


def _shortfall(losses: Vector, forecast: Vector, mean: Vector, probability: float) -> tuple[float, float, str]:
    statistic = backtests.shortfall(losses, forecast, mean, probability=probability)
    chance = backtests.shortfall_chance(statistic, losses.size, probability=probability)
    return statistic, chance, "too low at 5 %" if chance < backtests.SIGNIFICANT else "not too low at 5 %"
