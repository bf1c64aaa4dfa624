"""Hedge ratios as trades: whole lots of monthly futures that an exposure's best index asks for."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.data.terms.tickets.linear import Future


def hedge_lots(
    exposures: pl.DataFrame, basis: pl.DataFrame, series: pl.DataFrame, *, cost: float, prices: Mapping[str, float] | None, timezone: str
) -> pl.DataFrame:
    """`Trades`: futures INDEX:YYYY-MM, bought where the exposure is, in whole lots of a GPU for every hour of the month.

        lots = ratio × quantity × hours of the exposure in the month / hours of the month, rounded half-even

    Of the indices that hedge an exposure effectively the one that took most variance away on the days held back is taken; an exposure
    without one, and a month of less than half a lot, has no trade. Struck at `prices` by contract, else at the index's last mark of the
    history, and `cost` USD per GPU-hour worse.

    Args:
        exposures, basis, series: of a `Hedged`.
        cost: at least 0.
        prices: USD per GPU-hour by contract.
        timezone: of the indices' months.

    Raises `InputError` for a negative cost and for prices of contracts that are not traded.
    """
    if not (isfinite(cost) and cost >= 0):
        raise InputError.of("lots", "a cost of at least 0 USD per GPU-hour", column="cost", value=cost)
    given = dict(prices or {})
    best = (
        basis.filter(pl.col("verdict") == "effective")
        .sort("exposure", pl.coalesce("out_of_sample", "effectiveness"), "index", descending=[False, True, False])
        .unique("exposure", keep="first", maintain_order=True)
    )
    tickets = []
    for one in exposures.join(best.select("exposure", "index", "ratio"), on="exposure", maintain_order="left").iter_rows(named=True):
        history = series.filter(pl.col("exposure") == one["exposure"], pl.col("index") == one["index"]).sort("date")
        last = float(history["index_price"][-1])
        traded = datetime.combine(history["date"][-1], datetime.min.time(), ZoneInfo(timezone))
        for code, share in _months(one["index"], one["start"], one["end"], timezone):
            lots = round(one["ratio"] * one["quantity"] * share)
            if lots:
                price = given.get(code, last) + (cost if lots > 0 else -cost)
                name = f"HEDGE-{one['exposure']}-{code.rpartition(':')[2]}"
                terms: dict[str, Any] = {"strike": price, "lots": lots, "trade_id": name, "traded_at": traded, "timezone": timezone}
                tickets.append(Future(index=one["index"], contract=code, **terms))
    unused = sorted(given.keys() - {ticket.row["contract"] for ticket in tickets})
    if unused:
        raise InputError(Fault(file="lots", column="prices", value=code, expected="contracts that the hedge trades") for code in unused)
    return pl.concat([Trades.create_empty(), *(ticket.frame for ticket in tickets)])


def _months(index: str, start: datetime, end: datetime, timezone: str) -> Iterator[tuple[str, float]]:
    """Contracts of the local months that a period touches, with the share of each month's hours that lie in it."""
    first = start.astimezone(ZoneInfo(timezone)).date().replace(day=1)
    while True:
        code = f"{index}:{first:%Y-%m}"
        begin, over = contract_dates(code, timezone=timezone)
        if begin >= end:
            return
        yield code, (min(over, end) - max(begin, start)) / (over - begin)
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
