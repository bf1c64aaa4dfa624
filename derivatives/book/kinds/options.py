"""European options on the forward of a period and on the spread of two, exercised at or before the period begins."""

from typing import Literal

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.derivatives.book.kinds.linear import by_index, discounts
from tenorgrid.derivatives.book.kinds.premiums import owed
from tenorgrid.derivatives.book.legs import Leg, make_legs
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Block, Priced
from tenorgrid.derivatives.options import bachelier, european
from tenorgrid.derivatives.options.spread import closed, quadrature
from tenorgrid.derivatives.options.spread.terms import Spreads

Option = Literal["call", "put"]
KERNELS = {"black": european.greeks, "bachelier": bachelier.greeks}


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of options of one kind. Raises `InputError` for one that has expired."""
    refuse_expired(trades, market)
    value, theta = owed(trades, market)
    factor, years = discounts(trades, market), market.years(trades["expiry"])
    scale = (trades["sign"] * trades["amount"]).to_numpy()
    made = Priced(value=value, theta=theta)
    spread = TradeKind(trades["kind"][0]) == TradeKind.SPREAD_OPTION
    for option in ("call", "put"):
        mine = np.flatnonzero((trades["option"] == option).to_numpy())
        if mine.size:
            (_spreads if spread else _europeans)(trades[mine], market, made, mine, option, factor[mine], years[mine], scale[mine])
    return made


def _europeans(
    rows: pl.DataFrame, market: Market, made: Priced, mine: Counts, option: Option, factor: Vector, years: Vector, scale: Vector
) -> None:
    of, legs = make_legs(rows, market)
    mean, strike = np.array([leg.mean for leg in legs])[of], rows["strike"].to_numpy()
    rate = rate_of(factor, market.years(rows["pay"]))
    for model, kernel in KERNELS.items():
        at = np.flatnonzero((rows["model"] == model).to_numpy())
        if not at.size:
            continue
        sigma = sigmas(rows[at], market, years[at], model=model)
        found = kernel(
            mean[at], strike[at], volatility=sigma, years=years[at], discount=factor[at], option=option, rate=rate[at]
        )  # fmt: skip
        to, by = mine[at], scale[at]
        made.value[to] += by * found.price
        made.theta[to] += by * found.theta
        made.blocks.extend(
            blocks_of(legs, of[at], to, rows["expiry"].gather(at), by * found.delta, by * found.gamma, by * found.vega, market)
        )


def _spreads(
    rows: pl.DataFrame, market: Market, made: Priced, mine: Counts, option: Option, factor: Vector, years: Vector, scale: Vector
) -> None:
    ratio = rows["ratio"].to_numpy()
    first_of, first = make_legs(rows, market)
    of_second = rows.with_columns(pl.col("index2").alias("index"))
    second_of, second = make_legs(of_second, market)
    pairs = list(rows.select("index", "index2").iter_rows())
    distinct = {pair: market.rho(*pair) for pair in set(pairs)}
    options = {
        "first": np.array([leg.mean for leg in first])[first_of], "second": ratio * np.array([leg.mean for leg in second])[second_of],
        "strike": rows["strike"].to_numpy(), "first_volatility": sigmas(rows, market, years),
        "second_volatility": sigmas(of_second, market, years),
        "correlation": np.array([distinct[pair] for pair in pairs]), "years": years, "discount": factor,
    }  # fmt: skip
    rate = rate_of(factor, market.years(rows["pay"]))
    exact = (rows["method"] == "exact").to_numpy()
    for chosen, kernel in ((np.flatnonzero(~exact), closed.kirk), (np.flatnonzero(exact), quadrature.greeks)):
        if not chosen.size:
            continue
        found = kernel(Spreads(**{name: values[chosen] for name, values in options.items()}, option=option), rate=rate[chosen])
        to, by = mine[chosen], scale[chosen]
        made.value[to] += by * found.price
        made.theta[to] += by * found.theta
        one, two = by * found.delta[:, 0], by * ratio[chosen] * found.delta[:, 1]
        expiry = rows["expiry"].gather(chosen)
        made.blocks.extend(blocks_of(first, first_of[chosen], to, expiry, one, by * found.gamma[:, 0], by * found.vega[:, 0], market))
        second_gamma = by * ratio[chosen] ** 2 * found.gamma[:, 2]
        made.blocks.extend(blocks_of(second, second_of[chosen], to, expiry, two, second_gamma, by * found.vega[:, 1], market))
        told = np.array([pairs[place][0] + " | " + pairs[place][1] for place in chosen])
        for pair in sorted(set(told.tolist())):
            here = np.flatnonzero(told == pair)
            names = pairs[int(chosen[here[0]])]
            made.correlation.append(((names[0], names[1]), to[here], (by * found.correlation)[here]))


def blocks_of(
    legs: list[Leg], of: Counts, rows: Counts, expiry: pl.Series, delta: Vector, gamma: Vector, vega: Vector, market: Market
) -> list[Block]:
    """Gamma at the delivery month, vega at the month of the expiry."""
    found = []
    for number, leg in enumerate(legs):
        mine = np.flatnonzero(of == number)
        if not mine.size:
            continue
        bent, blown = (np.zeros((mine.size, leg.by_month.size)) for _ in range(2))
        bent[:, leg.month] = gamma[mine]
        blown[np.arange(mine.size), market.month_of(leg.index, expiry.gather(mine))] = vega[mine]
        found.append(
            Block(
                index=leg.index, rows=rows[mine], quotes=np.outer(delta[mine], leg.by_quote), months=np.outer(delta[mine], leg.by_month),
                gamma=bent, vega=blown,
            )
        )  # fmt: skip
    return found


def sigmas(rows: pl.DataFrame, market: Market, years: Vector, *, model: str = "black") -> Vector:
    """(n,) volatility of each row's index to its expiry."""
    return by_index(rows, market, lambda index, mine: market.sigma(index, years[mine], model=model))


def rate_of(factor: Vector, pay: Vector) -> Vector:
    """(n,) rates a year at which discount factors to payments `pay` years away unwind."""
    return np.where(pay > 0, -np.log(factor) / np.where(pay > 0, pay, 1.0), 0.0)


def refuse_expired(trades: pl.DataFrame, market: Market) -> None:
    """Raise `InputError` for every option whose expiry has passed."""
    over = trades.filter(pl.col("expiry") < market.as_of)
    if not over.is_empty():
        raise InputError(
            Fault(file="trades", row=row, column="expiry", value=str(expiry), expected=f"an expiry at or after {market.as_of}")
            for row, expiry in over.select("number", "expiry").head(20).iter_rows()
        )
