"""The trades of a book as two moments see them: what can be valued at each, and what was paid between them.

A payment is due between the moments where its own lies in [before, after): one at the later moment itself is still part of the value. It is
cash from then on, without interest. What is decided between the moments and not at one of them is decided on the later market, the only
one that is known. An hour that is over counts by its day's fixing, as everywhere in a book.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.derivatives.book.kinds.linear import by_month
from tenorgrid.derivatives.book.market import Market

STRIPS = (TradeKind.CAP, TradeKind.FLOOR, TradeKind.COLLAR, TradeKind.CAPACITY)
HOURLY = (*STRIPS, TradeKind.VIRTUAL)  # paid hour by hour
DECIDED = (TradeKind.OPTION, TradeKind.SPREAD_OPTION, TradeKind.BASKET_OPTION)  # at their expiry
EXERCISED = (TradeKind.AMERICAN, TradeKind.BARRIER)  # until their expiry, and not valued at it
PAID_ONCE = (TradeKind.FORWARD, TradeKind.SPREAD, TradeKind.BASKET, TradeKind.AVERAGE, *DECIDED)
KNOWN = (TradeKind.SWAP, TradeKind.FUTURE, *PAID_ONCE, *EXERCISED, *HOURLY)
JUST_BEFORE = timedelta(seconds=1)  # its expiry at which a contract that may be exercised until then is still valued


@dataclass(frozen=True, eq=False, kw_only=True)
class Claims:
    """Trades of one kind as they can be priced; `place` (n,) of each among the trades explained."""

    kind: TradeKind
    trades: pl.DataFrame
    place: Counts

    @cached_property
    def begin(self) -> datetime:
        """When the first of them begins."""
        found: datetime = self.trades.select(pl.col("start").min()).item()
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Carried:
    """Claims priced at the earlier moment, at the later one, and at the later one as cash; strips whose hours pass; `premiums` (n,) paid.

    `settled` are claims of the earlier moment that were decided at it: what they are worth there is paid, and nothing moves it.
    """

    names: pl.Series
    now: tuple[Claims, ...]
    later: tuple[Claims, ...]
    closing: tuple[Claims, ...]
    hourly: tuple[Claims, ...]
    settled: tuple[Claims, ...]
    premiums: Vector


def carried(parts: Sequence[pl.DataFrame], *, names: pl.Series, market: Market, later: datetime, told: frozenset[str]) -> Carried:
    """Trades carried from a market to a later moment.

    Args:
        parts: agreed trades, one frame a kind.
        names: trade_id of those explained.
        market: the earlier one.
        later: the later moment.
        told: trades whose cash is told.

    Raises `InputError` for every trade that has begun by the later moment, of a kind whose payments are not known, and is not told.
    """
    made = _Made(names, market, later)
    faults: list[Fault] = []
    for frame in parts:
        kind, mine = TradeKind(frame["kind"][0]), frame.filter(pl.col("trade_id").is_in(names.implode()))
        if mine.is_empty():
            continue
        if kind not in KNOWN:
            late = mine.filter(pl.col("start") < later)["trade_id"]
            begun: list[str] = late.to_list() if later > market.as_of else []
            wanted = f"what it paid from {market.as_of} to {later}: it is not known of a {kind}"
            faults += [
                Fault(file="cash", column="trade_id", value=f"no row of {name}", expected=wanted) for name in begun if name not in told
            ]
        made.add(kind, mine)
    if faults:
        raise InputError(faults)
    return made.carried()


class _Made:
    """Claims gathered kind by kind."""

    def __init__(self, names: pl.Series, market: Market, later: datetime) -> None:
        self.names, self.market, self.later = names, market, later
        self.place = {name: place for place, name in enumerate(names)}
        self.premiums = np.zeros(names.len())
        self.found: dict[str, list[Claims]] = {name: [] for name in ("now", "later", "closing", "hourly", "settled")}

    def carried(self) -> Carried:
        return Carried(names=self.names, premiums=self.premiums, **{name: tuple(claims) for name, claims in self.found.items()})

    def add(self, kind: TradeKind, rows: pl.DataFrame) -> None:
        start, end = self.market.as_of, self.later
        over = pl.lit(value=False)
        if kind in DECIDED:
            over = pl.col("expiry") <= start if end > start else over
            self._keep("settled", kind, rows.filter(over))
        rows = rows.filter(~over)
        self._keep("now", kind, rows)
        if end == start:
            self._keep("later", kind, rows)
            return
        self._premiums(rows)
        for name, of_kind, claims in _later(kind, rows, self.market, end):
            self._keep(name, of_kind, claims)

    def _keep(self, name: str, kind: TradeKind, rows: pl.DataFrame) -> None:
        if not rows.is_empty():
            place = np.array([self.place[one] for one in rows["trade_id"]], dtype=np.int64)
            self.found[name].append(Claims(kind=kind, trades=rows, place=place))

    def _premiums(self, rows: pl.DataFrame) -> None:
        if "premium_at" not in rows.columns:
            return
        due = rows.filter(
            pl.col("premium").is_not_null() & (pl.col("premium_at") >= self.market.as_of) & (pl.col("premium_at") < self.later)
        )
        for name, sign, premium in due.select("trade_id", "sign", "premium").iter_rows():
            self.premiums[self.place[name]] -= sign * premium


def _later(kind: TradeKind, rows: pl.DataFrame, market: Market, end: datetime) -> Iterable[tuple[str, TradeKind, pl.DataFrame]]:
    """What of trades of a kind is still there at the later moment, what was paid at once by then, and what hour by hour."""
    moment = pl.lit(end, dtype=pl.Datetime("us", "UTC"))
    if kind == TradeKind.SWAP:
        paid = by_month(rows, market, paid=True).filter(pl.col("pay") < moment)
        yield "closing", TradeKind.FORWARD, paid.with_columns(moment.alias("pay"), pl.lit(str(TradeKind.FORWARD)).alias("kind"))
        yield "later", kind, rows.filter(pl.col("end") >= moment)
        return
    if kind in HOURLY:
        yield "hourly", kind, rows.filter(pl.col("start") < moment, pl.col("end") > market.as_of)
        rows = rows.filter(pl.col("end") > moment)
        if kind == TradeKind.VIRTUAL:
            rows = rows.with_columns(pl.max_horizontal("start", moment).alias("start"))
        yield "later", kind, rows
        return
    if kind in DECIDED:
        rows = rows.with_columns(pl.max_horizontal("expiry", moment).alias("expiry"))
    if kind in EXERCISED:
        over = rows.filter(pl.col("expiry") <= moment)
        yield "closing", kind, over.with_columns((moment + JUST_BEFORE).alias("expiry"), pl.max_horizontal("pay", moment).alias("pay"))
        rows = rows.filter(pl.col("expiry") > moment)
    if kind in PAID_ONCE:
        yield "closing", kind, rows.filter(pl.col("pay") < moment).with_columns(moment.alias("pay"))
        rows = rows.filter(pl.col("pay") >= moment)
    yield "later", kind, rows
