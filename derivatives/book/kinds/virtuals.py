"""Virtual bids: (E[λ_rt] − λ̂) q to a dec, the opposite to an inc, in every hour they stand for, each paid at its end.

E[λ_rt] is the forward of the node's curve at that hour. The curve comes from ahead prices, which may hold a premium over what real time
turns out to be; what is measured here is the worth at today's forwards, not a forecast of profit.
"""

import numpy as np
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.derivatives.book.kinds.linear import grouped
from tenorgrid.derivatives.book.legs import make_legs
from tenorgrid.derivatives.book.market import SECONDS_PER_YEAR, Market
from tenorgrid.derivatives.book.priced import Block, Priced


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and deltas of cleared virtual bids. Raises `InputError` for bids that have begun: real time closes them."""
    begun = trades.filter(pl.col("start") < market.as_of)
    if not begun.is_empty():
        raise InputError(
            Fault(
                file="trades",
                row=row,
                column="start",
                value=str(start),
                expected=f"hours at or after {market.as_of}: real time has closed the others",
            )
            for row, start in begun.select("number", "start").head(20).iter_rows()
        )
    of, legs = make_legs(trades, market)
    scale, strike = (trades["sign"] * trades["quantity"]).to_numpy(), trades["strike"].to_numpy()
    value, blocks = np.zeros(trades.height), []
    theta = np.zeros(trades.height)
    for number, mine in grouped(of, len(legs)):
        leg = legs[number]
        years = leg.hour_years + 3600 / SECONDS_PER_YEAR
        factor = market.rate(leg.index).factors(years)
        gain = leg.curve.forward[leg.hours][None, :] - strike[mine][:, None]
        value[mine] = scale[mine] * (gain @ factor)
        theta[mine] = scale[mine] * (gain @ (-np.log(factor) / years * factor))
        quotes, months = leg.of_hours(scale[mine][:, None] * factor[None, :])
        blocks.append(Block(index=leg.index, rows=mine, quotes=quotes, months=months))
    return Priced(value=value, theta=theta, blocks=blocks)
