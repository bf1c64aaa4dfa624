"""Premiums: what the buyer of an option pays on a day of its own, until it is paid."""

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.book.kinds.linear import by_index
from tenorgrid.derivatives.book.market import Market


def owed(trades: pl.DataFrame, market: Market) -> tuple[Vector, Vector]:
    """(n,) present value of premiums still to be paid, negative to the buyer, and what a year's passing adds to it."""
    open_ = (trades["premium"].is_not_null() & (trades["premium_at"] >= market.as_of)).fill_null(value=False).to_numpy()
    years = np.where(open_, market.years(trades["premium_at"].fill_null(market.as_of)), 0.0)
    factor = by_index(trades, market, lambda index, mine: market.rate(index).factors(years[mine]))
    value = np.where(open_, -trades["sign"].to_numpy() * trades["premium"].fill_null(0.0).to_numpy() * factor, 0.0)
    rate = np.where(years > 0, -np.log(factor) / np.where(years > 0, years, 1.0), 0.0)
    return value, rate * value
