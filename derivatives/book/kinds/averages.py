"""Options on the mean of daily marks, before and inside the averaging period: the conditioning bound, with known fixings in the strike.

A day's mark is known when the day is over. Vega and gamma are told at the last delivery month: volatilities of all days move alike.
"""

from typing import Literal, cast

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.derivatives.book.kinds.linear import discounts, grouped
from tenorgrid.derivatives.book.kinds.premiums import owed
from tenorgrid.derivatives.book.legs import Leg, make_legs
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Block, Priced
from tenorgrid.derivatives.options.average import conditioning
from tenorgrid.derivatives.options.average.terms import Averages


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of average options. Raises `InputError` for one that is over and not yet paid nowhere, or paid already."""
    of, legs = make_legs(trades, market)
    factor = discounts(trades, market)
    pay = market.years(trades["pay"])
    scale, strike = (trades["sign"] * trades["amount"]).to_numpy(), trades["strike"].to_numpy()
    calls = (trades["option"] == "call").to_numpy()
    value, theta = owed(trades, market)
    blocks = []
    for number, mine in grouped(of, len(legs)):
        leg, names = legs[number], len(market.months[legs[number].index][0])
        for option, chosen in (("call", mine[calls[mine]]), ("put", mine[~calls[mine]])):
            if not chosen.size:
                continue
            if not leg.weight.any():  # every mark is known
                sign = 1.0 if option == "call" else -1.0
                value[chosen] += scale[chosen] * factor[chosen] * np.maximum(sign * (leg.known - strike[chosen]), 0.0)
                continue
            held = leg.day_weight > 0  # a calendar may leave days out
            found = conditioning.greeks(
                _options(leg, market, held, option, strike[chosen], factor[chosen], pay[chosen]), rate=_rate(factor[chosen], pay[chosen])
            )
            ladder = np.zeros((chosen.size, held.size))
            ladder[:, held] = scale[chosen, None] * found.ladder
            value[chosen] += scale[chosen] * found.price
            theta[chosen] += scale[chosen] * found.theta
            quotes, months = leg.of_days(ladder)
            gamma, vega = np.zeros((chosen.size, names)), np.zeros((chosen.size, names))
            gamma[:, leg.month], vega[:, leg.month] = scale[chosen] * found.gamma, scale[chosen] * found.vega
            blocks.append(Block(index=leg.index, rows=chosen, quotes=quotes, months=months, gamma=gamma, vega=vega))
    return Priced(value=value, theta=theta, blocks=blocks)


def _options(leg: Leg, market: Market, held: np.ndarray, option: str, strike: np.ndarray, factor: np.ndarray, pay: np.ndarray) -> Averages:
    forward, count = leg.day_forward[held], strike.size
    if (forward <= 0).any():
        raise InputError.of("average", "forwards above 0: logarithms have no others", column="forward", value=f"{forward.min():g}")
    every, years = (count, forward.size), leg.day_years[held]
    return Averages(
        forward=np.broadcast_to(forward, every), strike=strike, volatility=np.broadcast_to(market.sigma(leg.index, years), every),
        years=np.broadcast_to(years, every), weight=np.broadcast_to(leg.day_weight[held], every),
        known=np.full(count, leg.known), discount=factor, expiry=np.maximum(pay, years[-1]),
        option=cast(Literal["call", "put"], option),
    )  # fmt: skip


def _rate(factor: np.ndarray, pay: np.ndarray) -> np.ndarray:
    return np.where(pay > 0, -np.log(factor) / np.where(pay > 0, pay, 1.0), 0.0)
