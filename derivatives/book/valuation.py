"""A book of trades valued on its market: what each trade is worth, and what moves it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Vector
from tenorgrid.data.kinds.contract import RiskKind, TradeKind
from tenorgrid.data.tables.book import Values
from tenorgrid.data.terms.agreed.read import Agreed, read_trades
from tenorgrid.derivatives.book.fallbacks import with_fallbacks
from tenorgrid.derivatives.book.kinds import averages, baskets, exercise, linear, options, perpetual, strips, virtuals
from tenorgrid.derivatives.book.kinds.rights import generation, lease, preemption, reliability, swing, take_or_pay, tolling
from tenorgrid.derivatives.book.market import Market, make_market, refuse_without_curve
from tenorgrid.derivatives.book.priced import Priced
from tenorgrid.derivatives.book.risks import GPU_HOURS, MONTH, USD_PER_TICK, Part, risk_table, risk_totals

PRICES: Mapping[TradeKind, Callable[[pl.DataFrame, Market], Priced]] = {
    TradeKind.FORWARD: linear.price,
    TradeKind.SWAP: linear.price,
    TradeKind.FUTURE: linear.price,
    TradeKind.PERPETUAL: perpetual.price,
    TradeKind.SPREAD: linear.price,
    TradeKind.BASKET: linear.price,
    TradeKind.OPTION: options.price,
    TradeKind.AVERAGE: averages.price,
    TradeKind.SPREAD_OPTION: options.price,
    TradeKind.AMERICAN: exercise.price,
    TradeKind.BARRIER: exercise.price,
    TradeKind.BASKET_OPTION: baskets.price,
    TradeKind.CAP: strips.price,
    TradeKind.FLOOR: strips.price,
    TradeKind.COLLAR: strips.price,
    TradeKind.CAPACITY: strips.price,
    TradeKind.VIRTUAL: virtuals.price,
    TradeKind.RELIABILITY: reliability.price,
    TradeKind.TAKE_OR_PAY: take_or_pay.price,
    TradeKind.SWING: swing.price,
    TradeKind.TOLLING: tolling.price,
    TradeKind.LEASE: lease.price,
    TradeKind.GENERATION_SWITCH: generation.price,
    TradeKind.PREEMPTION: preemption.price,
}

VALUES: Mapping[TradeKind, Callable[[pl.DataFrame, Market], Vector]] = {
    TradeKind.RELIABILITY: reliability.values,
    TradeKind.TAKE_OR_PAY: take_or_pay.values,
    TradeKind.SWING: swing.values,
    TradeKind.TOLLING: tolling.values,
    TradeKind.GENERATION_SWITCH: generation.values,
    TradeKind.PREEMPTION: preemption.values,
}  # values alone, of kinds whose sensitivities cost several valuations


@dataclass(frozen=True, eq=False, kw_only=True)
class BookValue:
    """`values` (`Values`) and `risks` (`Risks`) of a book on a market; `parts` hold its sensitivities by kind as arrays."""

    values: pl.DataFrame
    parts: tuple[Part, ...]
    market: Market
    fixing_changes: pl.DataFrame | None = None  # `FixingChanges`, where fallbacks were asked for

    @cached_property
    def risks(self) -> pl.DataFrame:
        """`Risks`: one row a trade, kind of risk, bucket and unit."""
        return risk_table(self.parts, self.values["trade_id"], self.market)

    @cached_property
    def totals(self) -> pl.DataFrame:
        """Risks of the whole book: risk, bucket, amount, unit."""
        return risk_totals(self.parts, self.market)

    @property
    def value(self) -> float:
        """Present value of the whole book, USD."""
        return float(self.values["value"].sum())

    def delta(self, by: Literal["quote", "month"], *, unit: str = GPU_HOURS) -> pl.DataFrame:
        """Delta of the whole book, columns bucket and amount: by quote through the Jacobian, or by delivery month of the curve's hours."""
        months = pl.col("bucket").str.starts_with(MONTH)
        return self._total(RiskKind.DELTA, unit, months if by == "month" else ~months)

    def gamma(self) -> pl.DataFrame:
        """Gamma of the whole book by delivery month, columns bucket and amount: change of delta in GPU-hours for 0.01 USD."""
        return self._total(RiskKind.GAMMA)

    def vega(self) -> pl.DataFrame:
        """Vega of the whole book by month of expiry, columns bucket and amount: USD for 0.01 of volatility."""
        return self._total(RiskKind.VEGA, USD_PER_TICK)

    def theta(self) -> float:
        """What a day's passing adds to the whole book, USD, forwards and volatilities held."""
        return float(self._total(RiskKind.THETA)["amount"].sum())

    def correlation(self) -> pl.DataFrame:
        """Sensitivity of the whole book to correlations, columns bucket (the pair) and amount: USD for 0.01."""
        return self._total(RiskKind.CORRELATION, USD_PER_TICK)

    def _total(self, risk: RiskKind, unit: str | None = None, chosen: pl.Expr | None = None) -> pl.DataFrame:
        rows = self.totals.filter(pl.col("risk") == str(risk), pl.lit(value=True) if chosen is None else chosen)
        rows = rows if unit is None else rows.filter(pl.col("unit") == unit)
        return rows.select("bucket", "amount")


def value(
    trades: pl.DataFrame,
    *,
    curves: Mapping[str, ForwardCurve],
    fixings: pl.DataFrame,
    volatility: pl.DataFrame,
    as_of: datetime,
    discount: Discount | None = None,
    timezone: str,
    correlation: pl.DataFrame | None = None,
    expiries: pl.DataFrame | None = None,
    fallbacks: pl.DataFrame | None = None,
    products: pl.DataFrame | None = None,
) -> BookValue:
    """Value every trade and its risks.

    Deltas are signed: positive gains when prices rise. By quote: ∂ value / ∂ quote through the curve's Jacobian, as the GPU-hours of
    quote that would hedge it and as USD for a move of 0.01; buckets are named by quote_id. By month: the same by delivery month of
    the hours of the curve, buckets `month YYYY-MM` (the two are views of one risk, not parts of it). Buckets of an index that is not the
    trade's first one say so. Gamma is by delivery month and vega by month of expiry, for 0.01; theta for a day. A risk that is 0 to
    rounding has no row.

    Args:
        trades: `Trades`, of the kinds in docs/trades.md.
        curves: by index; a virtual bid's node `us-east/h100-sxm/firm` reads the curve `H100-SXM.US-EAST.FIRM`.
        fixings: `Fixings`; those published after `as_of` are not read.
        volatility: `Volatility`, one row for each index with options on it.
        as_of: moment of the valuation.
        discount: rate; None is the one that each curve came with.
        timezone: of the days of the indices.
        correlation: index, index2 and correlation, of each pair with options on its spread.
        expiries: `VolatilityByExpiry` of indices whose volatility depends on the expiry, in place of their one number.
        fallbacks: `Fallbacks`: price limits, halts and ends of indices, for all that reads them or for one contract.
        products: the user's own `Products` beside the packaged ones.

    Raises `InputError` with every fault of the trades, for an index without curve, volatility or discount, a curve of another moment, a
    total variance that falls with the expiry and periods past its curve; `NotPublishedError` naming the days whose marks are missing.
    """
    read = with_fallbacks(
        read_trades(trades, timezone=timezone, products=products), curves=curves, fixings=fixings, volatility=volatility, expiries=expiries,
        correlation=correlation, fallbacks=fallbacks, as_of=as_of, timezone=timezone, products=products,
    )  # fmt: skip
    market = make_market(
        as_of=as_of, timezone=timezone, curves=read.curves, fixings=read.fixings, volatility=read.volatility, expiries=read.expiries,
        correlation=read.correlation, discount=discount,
    )  # fmt: skip
    return replace(valued(read.agreed, market), fixing_changes=read.changes)


def valued(agreed: Agreed, market: Market) -> BookValue:
    """Value trades that are read already (`read_trades`) on a market: what scenarios and explanations call many times."""
    refuse_without_curve(market, _named(agreed))
    parts = tuple(Part(trades=trades, priced=PRICES[kind](trades, market)) for kind, trades in agreed.items())
    told = pl.concat(part.trades.select("number", "trade_id", "kind").with_columns(pl.Series("value", part.priced.value)) for part in parts)
    values = told.sort("number").select(
        "trade_id",
        "kind",
        "value",
        pl.lit("USD").alias("currency"),
        pl.lit(market.as_of).dt.convert_time_zone("UTC").dt.cast_time_unit("us").alias("as_of"),
    )
    return BookValue(values=Values.cast(values), parts=parts, market=market)


def worth(agreed: Agreed, market: Market) -> Vector:
    """(n,) present values in USD, in the order of the trades' rows."""
    numbers = np.concatenate([trades["number"].to_numpy() for trades in agreed.values()])
    found = np.concatenate(
        [VALUES[kind](trades, market) if kind in VALUES else PRICES[kind](trades, market).value for kind, trades in agreed.items()]
    )
    return found[np.argsort(numbers)]


def _named(agreed: Agreed) -> pl.DataFrame:
    """Columns number, trade_id and index: every index that each trade reads, in the order of the rows."""
    found = []
    for trades in agreed.values():
        found.append(trades.select("number", "trade_id", "index"))
        if "weights" in trades.columns:
            indices = {text: list(linear.indices_of(text)) for text in trades["weights"].unique()}
            named = pl.col("weights").replace_strict(indices, return_dtype=pl.List(pl.String)).alias("index")
            found.append(trades.select("number", "trade_id", named).explode("index"))
        found.append(trades.select("number", "trade_id", pl.col("index2").alias("index")).drop_nulls())
    return pl.concat(found).sort("number")
