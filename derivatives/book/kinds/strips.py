"""Caps, floors, collars and capacity contracts: strips of hourly options on λ by Black's or Bachelier's formula, hours to come alone.

    value = ± Σ_h q D_h · Black(F_h, K, σ √T_h) − premium still to be paid

T_h is the time to the beginning of the hour, D_h to its end. One σ for an hour as for a month overstates what a price that swings
back can do by then.
"""

from typing import Literal

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.derivatives.book.kinds.linear import by_month, grouped
from tenorgrid.derivatives.book.kinds.premiums import owed
from tenorgrid.derivatives.book.legs import Leg, make_legs
from tenorgrid.derivatives.book.market import SECONDS_PER_YEAR, Market
from tenorgrid.derivatives.book.priced import Block, Priced
from tenorgrid.derivatives.options import strip
from tenorgrid.derivatives.options.greeks import LadderGreeks
from tenorgrid.derivatives.options.strip import Model

MODELS: tuple[Model, ...] = ("black", "bachelier")
HOUR = 3600 / SECONDS_PER_YEAR
SIDES: dict[TradeKind, tuple[tuple[Literal["cap", "floor"], str, float], ...]] = {
    TradeKind.CAP: (("cap", "strike", 1.0),),
    TradeKind.CAPACITY: (("cap", "strike", 1.0),),
    TradeKind.FLOOR: (("floor", "strike", 1.0),),
    TradeKind.COLLAR: (("cap", "strike", 1.0), ("floor", "floor", -1.0)),
}  # what is optional, the column of its strike, bought or sold


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of strips of one kind. Raises `InputError` for a strip whose hours are over."""
    kind = TradeKind(trades["kind"][0])
    _refuse_over(trades, market)
    parts = by_month(trades.with_row_index("row"), market, paid=False).filter(pl.col("end") > market.as_of)
    of, legs = make_legs(parts.with_columns(pl.lit("hourly").alias("average"), pl.lit(None, dtype=pl.String).alias("calendar")), market)
    value, theta = owed(trades, market)
    place, quantity = parts["row"].to_numpy().astype(np.int64), (parts["sign"] * parts["quantity"]).to_numpy()
    models = parts["model"].to_numpy() if "model" in parts.columns else np.full(parts.height, "black")  # a capacity contract has no model
    blocks = []
    for number, mine in grouped(of, len(legs)):
        leg, names = legs[number], len(market.months[legs[number].index][0])
        for model, chosen in ((model, mine[models[mine] == model]) for model in MODELS):
            for side, column, bought in SIDES[kind] if chosen.size else ():
                found = _priced(leg, market, side, model, parts[column].to_numpy()[chosen], bought * quantity[chosen])
                np.add.at(value, place[chosen], found.price)
                np.add.at(theta, place[chosen], found.theta)
                quotes, months = leg.of_hours(found.ladder)
                gamma, vega = np.zeros((chosen.size, names)), np.zeros((chosen.size, names))
                gamma[:, leg.month], vega[:, leg.month] = found.gamma, found.vega
                blocks.append(Block(index=leg.index, rows=place[chosen], quotes=quotes, months=months, gamma=gamma, vega=vega))
    return Priced(value=value, theta=theta, blocks=blocks)


def _priced(leg: Leg, market: Market, side: Literal["cap", "floor"], model: Model, strike: Vector, quantity: Vector) -> LadderGreeks:
    held = leg.weight > 0  # a profile may leave hours out
    years = leg.hour_years[held]
    discount = market.rate(leg.index).factors(years + HOUR)
    rate = float(-np.log(discount[-1]) / (years[-1] + HOUR))
    found = strip.value(
        side, leg.curve.forward[leg.hours][held], strike, volatility=market.sigma(leg.index, years, model=model), years=years,
        discount=discount, quantity=np.broadcast_to(quantity[:, None], (quantity.size, years.size)), rate=np.array([rate]),
        model=model,
    )  # fmt: skip
    ladder = np.zeros((quantity.size, held.size))
    ladder[:, held] = found.ladder
    return LadderGreeks(price=found.price, delta=found.delta, gamma=found.gamma, vega=found.vega, theta=found.theta, ladder=ladder)


def _refuse_over(trades: pl.DataFrame, market: Market) -> None:
    over = trades.filter(pl.col("end") <= market.as_of)
    if not over.is_empty():
        raise InputError(
            Fault(file="trades", row=row, column="end", value=str(end), expected=f"hours after {market.as_of}")
            for row, end in over.select("number", "end").head(20).iter_rows()
        )
