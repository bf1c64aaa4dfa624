"""Forwards, swaps, futures, spreads and baskets: what is paid on means of indices against a fixed price.

    value = ± amount · D · (Σ ratio × mean − K)

A forward pays once; a swap pays every calendar month by itself as it ends; a future is margined every day, so that D is 1; a spread
has the ratios 1 and −ratio, a basket its weights.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Counts, Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.terms.agreed.read import hours_of
from tenorgrid.derivatives.book.legs import Leg, make_legs
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Block, Priced

HOUR = timedelta(hours=1)


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and deltas of trades of one linear kind, in the order of the rows."""
    kind = TradeKind(trades["kind"][0])
    count = trades.height
    rows = trades.with_row_index("row")
    if kind == TradeKind.SWAP:
        rows = by_month(rows, market, paid=True)
    factor = np.ones(rows.height) if kind == TradeKind.FUTURE else discounts(rows, market)
    scale = (rows["sign"] * rows["amount"]).to_numpy() * factor
    place = rows["row"].to_numpy().astype(np.int64)
    value = -scale * rows["strike"].to_numpy()
    blocks: list[Block] = []
    for names, ratio, chosen in _parts(rows, kind):
        of, legs = make_legs(rows[chosen].with_columns(names), market)
        mean = np.array([leg.mean for leg in legs])[of]
        if kind == TradeKind.FUTURE:
            mean = _settled(mean, np.array([not leg.weight.size for leg in legs])[of], rows["decimals"])
        value[chosen] += scale[chosen] * ratio * mean
        blocks += _blocks(legs, of, place[chosen], scale[chosen] * ratio)
    total = np.asarray(np.bincount(place, weights=value, minlength=count), np.float64)
    return Priced(value=total, theta=unwound(rows, value, factor, market, count), blocks=blocks)


def _parts(rows: pl.DataFrame, kind: TradeKind) -> list[tuple[pl.Series, Vector, Counts]]:
    """Indices, ratios and rows of each leg."""
    everyone, one = np.arange(rows.height), np.ones(rows.height)
    if kind == TradeKind.SPREAD:
        return [(rows["index"], one, everyone), (rows["index2"].alias("index"), -rows["ratio"].to_numpy(), everyone)]
    if kind != TradeKind.BASKET:
        return [(rows["index"], one, everyone)]
    parts = []
    for text in rows["weights"].unique(maintain_order=True):
        chosen = np.flatnonzero((rows["weights"] == text).to_numpy())
        for index, weight in indices_of(text).items():
            parts.append((pl.Series("index", [index] * chosen.size), np.full(chosen.size, weight), chosen))
    return parts


def _settled(mean: Vector, over: np.ndarray, decimals: pl.Series) -> Vector:
    """Means with those that are wholly known rounded half-even to the places that their contract settles at.

    A tie is one of the number as it is printed, to 1e-10: sums of prints in float64 stand on either side of it.
    """
    each = zip(mean.tolist(), over.tolist(), decimals.to_list(), strict=True)
    return np.array([_rounded(one, places) if done and places is not None else one for one, done, places in each])


def _rounded(value: float, places: int) -> float:
    return float(round(Decimal(f"{value:.10f}"), places))


def indices_of(text: str) -> dict[str, float]:
    """Weights of a basket by index, from the text of its parameter."""
    return {str(index): float(weight) for index, weight in json.loads(text).items()}


def _blocks(legs: Sequence[Leg], of: Counts, place: Counts, scale: Vector) -> list[Block]:
    found = []
    for number, mine in grouped(of, len(legs)):
        leg = legs[number]
        if leg.weight.size:
            found.append(
                Block(
                    index=leg.index,
                    rows=place[mine],
                    quotes=np.outer(scale[mine], leg.by_quote),
                    months=np.outer(scale[mine], leg.by_month),
                )
            )
    return found


def grouped(of: Counts, count: int) -> list[tuple[int, Counts]]:
    """Places of the rows of each group that has some."""
    order = np.argsort(of, kind="stable")
    edges = np.searchsorted(of[order], np.arange(count + 1))
    return [(number, order[low:high]) for number, (low, high) in enumerate(pairwise(edges)) if high > low]


def discounts(rows: pl.DataFrame, market: Market) -> Vector:
    """(n,) factors to each row's `pay` at its index's rate. Raises `InputError` for payments in the past."""
    if (rows["pay"] < market.as_of).any():
        late = rows.filter(pl.col("pay") < market.as_of)
        raise InputError(
            Fault(file="trades", row=row, column="pay_date", value=str(pay), expected=f"a payment at or after {market.as_of}")
            for row, pay in late.select("number", "pay").head(20).iter_rows()
        )
    years = market.years(rows["pay"])
    return by_index(rows, market, lambda index, mine: market.rate(index).factors(years[mine]))


def by_index(rows: pl.DataFrame, market: Market, of: Callable[[str, Counts], Vector]) -> Vector:
    """(n,) numbers that are worked out index by index."""
    found = np.empty(rows.height)
    for (index,), group in rows.with_row_index("_place").group_by("index", maintain_order=True):
        mine = group["_place"].to_numpy().astype(np.int64)
        found[mine] = of(str(index), mine)
    return found


def unwound(rows: pl.DataFrame, value: Vector, factor: Vector, market: Market, count: int) -> Vector:
    """(trades,) theta of what is certain but for its discount: −ln D / years of each payment times its value, forwards held."""
    years = market.years(rows["pay"])
    rate = np.where(years > 0, -np.log(factor) / np.where(years > 0, years, 1.0), 0.0)
    return np.asarray(np.bincount(rows["row"].to_numpy().astype(np.int64), weights=rate * value, minlength=count), np.float64)


def by_month(rows: pl.DataFrame, market: Market, *, paid: bool) -> pl.DataFrame:
    """Rows cut at the beginnings of local calendar months, with `amount` shared by their hours of the profile.

    With `paid` a part pays as it ends, and parts that have paid are left out.
    """
    spans = rows.select("start", "end", "profile").unique(maintain_order=True)
    parts = [
        (start, end, profile, low, high, hours_of(low, high, profile, market.timezone))
        for start, end, profile in spans.iter_rows()
        for low, high in pairwise(_months(start, end, market.timezone))
    ]
    moment = pl.Datetime("us", "UTC")
    schema: dict[str, pl.DataType] = {
        "start": moment,
        "end": moment,
        "profile": pl.String(),
        "low": moment,
        "high": moment,
        "part": pl.Float64(),
    }
    cut = pl.DataFrame(parts, schema=schema, orient="row").filter(pl.col("part") > 0)
    whole = rows.join(cut, on=["start", "end", "profile"], how="left", maintain_order="left").with_columns(
        pl.col("low").alias("start"), pl.col("high").alias("end"), (pl.col("quantity") * pl.col("part")).alias("amount")
    )
    if not paid:
        return whole
    return whole.with_columns(pl.col("end").alias("pay")).filter(pl.col("pay") >= market.as_of)


def _months(start: datetime, end: datetime, timezone: str) -> list[datetime]:
    zone = ZoneInfo(timezone)
    edges, local = [start], start.astimezone(zone)
    while True:
        year, month = divmod(12 * local.year + local.month, 12)
        local = datetime(year, month + 1, 1, tzinfo=zone)
        moment = local.astimezone(start.tzinfo)
        if moment >= end:
            return [*edges, end]
        edges.append(moment)
