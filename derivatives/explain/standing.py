"""Which trades of a table stand at a moment: agreed by then, and not over."""

from datetime import datetime

import polars as pl

from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.door import checked
from tenorgrid.derivatives.explain.carried import DECIDED, EXERCISED, PAID_ONCE

UNTIL_PAID = (*PAID_ONCE, TradeKind.SWAP, TradeKind.FUTURE)


def standing(trades: pl.DataFrame, *, as_of: datetime, timezone: str) -> pl.DataFrame:
    """Rows of `Trades` that are part of a valuation at `as_of`.

    What is decided at its expiry stands until then, that moment included; what may be exercised until it, before it; what is paid once, a
    swap and a future until the payment, that moment included; a virtual bid until its first hour begins; everything else before its end.

    Args:
        trades: `Trades`.
        as_of: the moment.
        timezone: of the days of payment.

    Raises `InputError` for rows that are no `Trades`.
    """
    trades = checked(trades, Trades, name="trades")
    kind = pl.col("kind").cast(pl.String)
    moments = {day: midnight(day, timezone=timezone) for day in trades["pay_date"].drop_nulls().unique()}
    utc = pl.Datetime("us", "UTC")
    paid = pl.col("pay_date").replace_strict(moments, default=None, return_dtype=utc) if moments else pl.lit(None, dtype=utc)
    now = pl.lit(as_of).dt.convert_time_zone("UTC").cast(utc)
    there = (
        pl.when(kind.is_in([str(one) for one in DECIDED]))
        .then(pl.col("expiry") >= now)
        .when(kind.is_in([str(one) for one in EXERCISED]))
        .then(pl.col("expiry") > now)
        .when(kind == str(TradeKind.VIRTUAL))
        .then(pl.col("start") >= now)
        .when(kind.is_in([str(one) for one in UNTIL_PAID]))
        .then(pl.max_horizontal(pl.when(kind.is_in([str(TradeKind.SWAP), str(TradeKind.FUTURE)])).then(None).otherwise(paid), "end") >= now)
        .otherwise(pl.col("end") > now)
    )
    return trades.filter((pl.col("traded_at") <= now) & there)
