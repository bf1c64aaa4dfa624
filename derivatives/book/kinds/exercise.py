"""American and barrier options on the forward of a period, by QuantLib: contract by contract, for hundreds in a book.

An American option may be exercised into the forward at any time until its expiry, margined as a future is: its holder has F − K then. A
barrier is watched continuously on the forward of the period; whether it was touched before today is a term of the trade, `touched`, as
today's prices do not tell.
"""

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.derivatives.book.kinds.linear import by_index
from tenorgrid.derivatives.book.kinds.options import Option, blocks_of, sigmas
from tenorgrid.derivatives.book.kinds.premiums import owed
from tenorgrid.derivatives.book.legs import make_legs
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.options import american, barrier, european
from tenorgrid.derivatives.options.greeks import Greeks


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and sensitivities of options of one kind. Raises `InputError` for one that expires now or has expired."""
    _refuse_over(trades, market)
    value, theta = owed(trades, market)
    made = Priced(value=value, theta=theta)
    of, legs = make_legs(trades, market)
    mean, years = np.array([leg.mean for leg in legs])[of], market.years(trades["expiry"])
    factor = by_index(trades, market, lambda index, mine: market.rate(index).factors(years[mine]))
    scale, sigma = (trades["sign"] * trades["amount"]).to_numpy(), sigmas(trades, market, years)
    for mine, option in _groups(trades):
        rows = trades[mine]
        found = _greeks(rows, option, mean[mine], sigma[mine], years[mine], -np.log(factor[mine]) / years[mine])
        if found is not None:
            made.value[mine] += scale[mine] * found.price
            made.theta[mine] += scale[mine] * found.theta
            delta, gamma, vega = (scale[mine] * amounts for amounts in (found.delta, found.gamma, found.vega))
            made.blocks.extend(blocks_of(legs, of[mine], mine, rows["expiry"], delta, gamma, vega, market))
    return made


def _groups(trades: pl.DataFrame) -> list[tuple[Counts, Option]]:
    """Rows that one call of a kernel prices: of one side and one kind of barrier."""
    words = ["option", *(name for name in ("barrier", "touched") if name in trades.columns)]
    return [
        (rows["row"].to_numpy().astype(np.int64), "call" if key[0] == "call" else "put")
        for key, rows in trades.with_row_index("row").group_by(words, maintain_order=True)
    ]


def _greeks(rows: pl.DataFrame, option: Option, mean: Vector, sigma: Vector, years: Vector, rate: Vector) -> Greeks | None:
    strike = rows["strike"].to_numpy()
    if rows["kind"][0] == str(TradeKind.AMERICAN):
        return american.greeks(mean, strike, volatility=sigma, years=years, rate=rate, option=option)
    kind = rows["barrier"][0]
    if rows["touched"][0] == "yes":
        if kind.endswith("out"):  # over: its rebate was paid when the level was touched
            return None
        return european.greeks(mean, strike, volatility=sigma, years=years, discount=np.exp(-rate * years), option=option, rate=rate)
    return barrier.greeks(
        mean, strike, kind=kind, level=rows["level"].to_numpy(), volatility=sigma, years=years, rate=rate,
        rebate=rows["rebate"].to_numpy(), option=option,
    )  # fmt: skip


def _refuse_over(trades: pl.DataFrame, market: Market) -> None:
    over = trades.filter(pl.col("expiry") <= market.as_of)
    if not over.is_empty():
        raise InputError(
            Fault(file="trades", row=row, column="expiry", value=str(expiry), expected=f"an expiry after {market.as_of}")
            for row, expiry in over.select("number", "expiry").head(20).iter_rows()
        )
