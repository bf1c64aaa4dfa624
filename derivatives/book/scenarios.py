"""What a book gains in a grid of moves of prices and volatilities: every cell a full revaluation."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from tenorgrid.curves.risk.scenarios import parallel
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.book import Scenarios
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import worth


def scenario_grid(agreed: Agreed, market: Market, *, prices: Sequence[float], volatilities: Sequence[float]) -> pl.DataFrame:
    """`Scenarios`: gain of the book for every pair of moves, in USD.

    Args:
        agreed: trades as `read_trades` gives them.
        market: where the book stands now.
        prices: moves of every hour of every curve, USD per GPU-hour, their quotes with them.
        volatilities: moves of every volatility, a year.

    Raises `InputError` for no move, moves given twice, and volatilities that would be below 0.
    """
    faults = [
        Fault(file="scenarios", column=name, value=str(list(moves)), expected="at least one finite move, each once")
        for name, moves in (("prices", prices), ("volatilities", volatilities))
        if not len(moves) or len(set(moves)) != len(moves) or not np.isfinite(list(moves)).all()
    ]
    least = market.least_volatility
    faults += [
        Fault(file="scenarios", column="volatilities", value=f"{move:g}", expected=f"volatilities of at least 0: the least is {least:g}")
        for move in volatilities
        if least + move < 0
    ]
    if faults:
        raise InputError(faults)
    base = worth(agreed, market).sum()
    rows = []
    for price in prices:
        curves = {index: parallel(curve, price) for index, curve in market.curves.items()}
        for volatility in volatilities:
            moved = replace(market, curves=curves).with_volatility(volatility)
            rows.append((float(price), float(volatility), float(worth(agreed, moved).sum() - base)))
    return Scenarios.validate(pl.DataFrame(rows, schema=["price", "volatility", "gain"], orient="row"), cast=True)
