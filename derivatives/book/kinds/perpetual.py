"""Perpetual futures in a book: the fair price against the price of entry, less the funding paid since.

    value = ± GPU-hours · (f₀ − K − Σ over days since start of κ (m − x) + ι x)

Funding is paid every local day. `start` is when the position was opened, `end` the horizon to which the curve's forwards are read, day
by day; past it the last one holds. m are the perpetual's own prices as each day begins, fixings of the index that the parameter `marks`
names; x the prints of the trade's index. Everything is margined as it arises: nothing is discounted, and a day's passing adds nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError, NotPublishedError
from tenorgrid.data.kinds.contract import Averaging
from tenorgrid.derivatives.book.kinds.linear import grouped
from tenorgrid.derivatives.book.legs import make_legs
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Block, Priced
from tenorgrid.derivatives.perpetual import Funding, fair, paid


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and deltas of perpetual futures.

    Raises `InputError` for a position opened after now, a horizon that is over, and days since the opening without `marks` named;
    `NotPublishedError` naming the days whose print or mark is missing.
    """
    _refuse(trades, market)
    days = trades.with_columns(pl.lit(str(Averaging.CALENDAR_DAY)).alias("average"), pl.lit(None, dtype=pl.String).alias("calendar"))
    of, legs = make_legs(days, market)
    scale, strike = (trades["sign"] * trades["amount"]).to_numpy(), trades["strike"].to_numpy()
    rates, starts = trades.select("rate", "interest").rows(), trades["start"].to_list()
    value, blocks = np.zeros(trades.height), []
    for number, mine in grouped(of, len(legs)):
        leg = legs[number]
        weights = np.empty((mine.size, leg.days.size))
        for place, row in enumerate(mine):
            rule = Funding(rate=rates[row][0], interest=rates[row][1])
            found = fair(leg.day_forward, rule)
            weights[place] = scale[row] * found.weight
            spent = _spent(leg.index, trades["marks"][int(row)], starts[row], rule, market)
            value[row] = scale[row] * (found.price - strike[row] - spent)
        quotes, months = leg.of_days(weights)
        blocks.append(Block(index=leg.index, rows=mine, quotes=quotes, months=months))
    return Priced(value=value, theta=np.zeros(trades.height), blocks=blocks)


def _spent(index: str, marks: str | None, start: datetime, rule: Funding, market: Market) -> float:
    """Funding of the days from the opening to now, USD per GPU-hour; prints are there, as the leg has read them."""
    zone = ZoneInfo(market.timezone)
    first, today = start.astimezone(zone).date(), market.as_of.astimezone(zone).date()
    over = [first + timedelta(days=n) for n in range((today - first).days)]
    if not over:
        return 0.0
    mark, print_ = (_known(name, over, market.fixings.get(name, {})) for name in (str(marks), index))
    return float(paid(mark, print_, rule).sum())


def _known(index: str, days: list[date], fixings: Mapping[date, float]) -> Vector:
    missing = [day for day in days if day not in fixings]
    if missing:
        raise NotPublishedError(f"{index} has no fixing for {', '.join(map(str, missing))}")
    return np.array([fixings[day] for day in days])


def _refuse(trades: pl.DataFrame, market: Market) -> None:
    wrong = [
        ("start", pl.col("start") > market.as_of, f"a position opened at or before {market.as_of}"),
        ("end", pl.col("end") <= market.as_of, f"a horizon after {market.as_of}"),
        ("params", (pl.col("start") < market.as_of) & pl.col("marks").is_null(), "marks, the index of its own prices since the opening"),
    ]
    faults = [
        Fault(file="trades", row=number, column=column, value=str(value), expected=expected)
        for column, broken, expected in wrong
        for number, value in trades.filter(broken).select("number", column).head(20).iter_rows()
    ]
    if faults:
        raise InputError(faults)
