"""Leases in books: capacity that is there for a share of the time, and a rent that falls where the share is below what was promised.

The buyer is the lessee: every calendar month, as it ends, what was available is worth the mean of its hours, and the strike is due times
the share of rent that the month's availability leaves,

    value = ± Σ D q h (m · mean − share · K)

m the mean availability, share the expected one of rent, 1 with an availability of 1, which makes it a swap of hours. With a concentration
a month's availability follows a Beta law apart from prices; without it is m for certain.
"""

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.derivatives.book.kinds.linear import by_month, discounts, grouped, unwound
from tenorgrid.derivatives.book.kinds.premiums import owed
from tenorgrid.derivatives.book.kinds.rights.engine import told
from tenorgrid.derivatives.book.legs import make_legs
from tenorgrid.derivatives.book.market import Market
from tenorgrid.derivatives.book.priced import Block, Priced
from tenorgrid.derivatives.rights import lease as kernel

TERMS = ("promised", "slope", "floor", "availability", "concentration")


def price(trades: pl.DataFrame, market: Market) -> Priced:
    """Value and deltas of leases."""
    rows = by_month(trades.with_row_index("row"), market, paid=True)
    factor = discounts(rows, market)
    scale = (rows["sign"] * rows["amount"]).to_numpy() * factor
    of, legs = make_legs(rows.with_columns(pl.lit(None, dtype=pl.String).alias("calendar")), market)
    there = rows["availability"].to_numpy()
    mean, place = np.array([leg.mean for leg in legs])[of], rows["row"].to_numpy().astype(np.int64)
    value = scale * (there * mean - _share(rows) * rows["strike"].to_numpy())
    blocks = []
    for number, mine in grouped(of, len(legs)):
        leg, held = legs[number], (scale * there)[mine]
        if leg.weight.size:
            blocks.append(
                Block(index=leg.index, rows=place[mine], quotes=np.outer(held, leg.by_quote), months=np.outer(held, leg.by_month))
            )
    paid, unwinding = owed(trades, market)
    total = np.bincount(place, weights=value, minlength=trades.height)
    return Priced(value=paid + total, theta=unwinding + unwound(rows, value, factor, market, trades.height), blocks=blocks)


def _share(rows: pl.DataFrame) -> Vector:
    """(n,) expected share of rent, each distinct set of terms once."""
    distinct = rows.select("number", *TERMS).unique(list(TERMS), maintain_order=True)
    found = []
    for terms in distinct.iter_rows(named=True):
        with told(terms):
            found.append(expected_share(**{name: terms[name] for name in TERMS}))
    shares = distinct.select(TERMS).with_columns(pl.Series("share", found, dtype=pl.Float64))
    return rows.select(TERMS).join(shares, on=TERMS, how="left", nulls_equal=True, maintain_order="left")["share"].to_numpy()


def expected_share(*, promised: float, slope: float, floor: float, availability: float, concentration: float | None) -> float:
    """Expected share of rent: by a Beta law, or at an availability that is certain.

    >>> round(expected_share(promised=0.99, slope=2.0, floor=0.5, availability=0.95, concentration=None), 9)
    0.92
    """
    terms, one, mean = kernel.Lease(promised=promised, slope=slope, floor=floor), np.ones(1), np.array([availability])
    if concentration is None:
        return float(kernel.due(terms, rent=one, availability=mean)[0])
    return float(kernel.value(terms, rent=one, mean=mean, concentration=np.array([concentration]), discount=one).share[0])
