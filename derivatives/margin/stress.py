"""A book in named scenarios: prices of some or all indices and their volatilities moved, everything revalued in full."""

from dataclasses import replace

import numpy as np
import polars as pl

from tenorgrid.curves.risk.scenarios import shifted
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.risk import StressGains, StressScenarios
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.valuation import worth
from tenorgrid.derivatives.book.volatility import least, moved

EVERY = "*"  # index of a row that moves them all


def usual() -> pl.DataFrame:
    """`StressScenarios` that every GPU-hour book should have seen: halves and doubles, a glut, a squeeze, and a calm.

    They are round numbers, not forecasts.
    """
    rows = [
        ("prices halve", EVERY, -0.5, 0.0, 0.0), ("prices double", EVERY, 1.0, 0.0, 0.3), ("a glut", EVERY, -0.3, 0.0, 0.2),
        ("a squeeze", EVERY, 0.4, 0.0, 0.4), ("volatility up", EVERY, 0.0, 0.0, 0.3), ("volatility down", EVERY, 0.0, 0.0, -0.2),
    ]  # fmt: skip
    names = ["scenario", "index", "relative", "price", "volatility"]
    return StressScenarios.validate(pl.DataFrame(rows, schema=names, orient="row"), cast=True)


def stress(agreed: Agreed, market: Market, scenarios: pl.DataFrame) -> pl.DataFrame:
    """`StressGains`: what each trade gains in each scenario, USD.

    A row `*` moves every index, a row of an index that index in addition; a volatility does not fall below 0.

    Args:
        agreed: trades as `read_trades` gives them.
        market: where the book stands.
        scenarios: `StressScenarios`.

    Raises `InputError` for an index without a curve, and prices that a relative move would take to 0 or below.
    """
    rows = checked(scenarios, StressScenarios, name="scenarios")
    strange = rows.filter(~pl.col("index").is_in([EVERY, *market.curves]))
    if not strange.is_empty():
        wanted = f"{EVERY} or an index with a curve: {', '.join(sorted(market.curves))}"
        told = strange.select("scenario", "index").iter_rows()
        raise InputError(Fault(file="scenarios", column="index", value=f"{index} in {name}", expected=wanted) for name, index in told)
    base = worth(agreed, market)
    trades = pl.concat(frame.select("number", "trade_id") for frame in agreed.values()).sort("number")["trade_id"]
    found = []
    for name in rows["scenario"].unique(maintain_order=True):
        gained = worth(agreed, _moved(market, rows.filter(pl.col("scenario") == name))) - base
        found.append(pl.DataFrame({"scenario": [name] * trades.len(), "trade_id": trades, "gain": gained}))
    return StressGains.validate(pl.concat(found), cast=True)


def _moved(market: Market, rows: pl.DataFrame) -> Market:
    curves, held, normal = dict(market.curves), dict(market.volatility), dict(market.normal)
    for index, relative, price, volatility in rows.select("index", "relative", "price", "volatility").iter_rows():
        for name in market.curves if index == EVERY else [index]:
            curves[name] = shifted(curves[name], curves[name].forward * relative + np.full(curves[name].forward.size, price))
            for table in (held, normal):
                if name in table:
                    table[name] = moved(table[name], max(volatility, -least(table[name])))
    return replace(market, curves=curves, volatility=held, normal=normal)
