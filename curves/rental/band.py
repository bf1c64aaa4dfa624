"""Forwards between bids and asks of rental rates: the least and the greatest that no quote contradicts."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from tenorgrid.curves.discount import Discount
from tenorgrid.curves.hours import Vector
from tenorgrid.curves.rental.par import Months, Payment, annuities
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.rental import RentalBands, RentalQuotes

YEAR_HOURS = 8760


def worths(bid: Vector, ask: Vector, annuity: Vector) -> tuple[Vector, Vector]:
    r"""Least and greatest cost of each whole rental, no month costing less than nothing.

    :math:`L_k = \max(0, \max_{j \le k} A_j b_j)`, :math:`U_k = \min_{j \ge k} A_j a_j`: what a shorter rental is worth a longer one is
    worth too. Every cost in between is met by some forwards of at least 0 where no quote contradicts another.

    Args:
        bid, ask: (n,) USD per GPU-hour, in the order of tenors; NaN where there is none.
        annuity: (n,) years, increasing.

    Returns two (n,) of USD per GPU-hour × years; the greatest is infinite where no tenor as long has an ask.

    >>> worths(np.array([3.0, np.nan]), np.array([3.2, 2.9]), np.array([1.0, 3.0]))
    (array([3., 3.]), array([3.2, 8.7]))
    """
    low = np.maximum.accumulate(np.where(np.isnan(bid), 0.0, annuity * bid))
    high = np.minimum.accumulate(np.where(np.isnan(ask), np.inf, annuity * ask)[::-1])[::-1]
    return np.maximum(low, 0.0), high


def forward_bands(bid: Vector, ask: Vector, annuity: Vector) -> tuple[Vector, Vector]:
    r"""Least and greatest rate of each period between neighbouring tenors.

    :math:`\max(0, L_k - U_{k-1}) / (A_k - A_{k-1})` and :math:`(U_k - L_{k-1}) / (A_k - A_{k-1})`, with nothing owed at the start.

    >>> forward_bands(np.array([3.0, 2.7]), np.array([3.2, 2.9]), np.array([1.0, 3.0]))
    (array([3.  , 2.45]), array([3.2 , 2.85]))
    """
    low, high = worths(bid, ask, annuity)
    length = np.diff(annuity, prepend=0.0)
    least = np.maximum(low - np.concatenate([[0.0], high[:-1]]), 0.0) / length
    return least, (high - np.concatenate([[0.0], low[:-1]])) / length


def contradictions(bid: Vector, ask: Vector, annuity: Vector) -> Iterator[tuple[int, int, float]]:
    """Places j ≤ k where the bid of a rental is above the ask of one as long or longer, with the gain in USD per GPU-hour × years.

    Whoever buys k and lets it for j's tenor gains that, and has the months after for nothing.

    >>> list(contradictions(np.array([3.0, 2.0]), np.array([3.2, 2.5]), np.array([1.0, 1.1])))
    [(0, 1, 0.25)]
    """
    for short, long in zip(*np.triu_indices(bid.size), strict=True):
        gain = annuity[short] * bid[short] - annuity[long] * ask[long]
        if gain > 1e-12 * annuity[short] * bid[short]:
            yield int(short), int(long), float(gain)


def rental_bands(
    quotes: pl.DataFrame, *, as_of: date | None = None, discount: Discount | None = None, payment: Payment = "arrears"
) -> pl.DataFrame:
    """`RentalBands`: the least and greatest forward of each period between tenors that meets every bid and ask.

    Args:
        quotes: `RentalQuotes`; a side may be missing.
        as_of: day; None is the last of the table.
        discount, payment: as of `rental_curve`.

    Raises `InputError` for a bad table, a day without quotes, and bids above the asks of rentals as long or longer, each with its size.

    >>> sides = {"months": [12, 36], "bid": [3.0, 2.7], "ask": [3.2, 2.9]}
    >>> table = pl.DataFrame({"as_of": [date(2026, 4, 24)] * 2, "index": ["A"] * 2, **sides})
    >>> rental_bands(table).select("first", "months", pl.col("lower", "upper").round(6)).rows()
    [(0, 12, 3.0, 3.2), (12, 36, 2.45, 2.85)]
    """
    known = checked(quotes, RentalQuotes, name="quotes")
    day = as_of or known["as_of"].max()
    mine = known.filter(pl.col("as_of") == day).sort("index", "months")
    if mine.is_empty():
        raise InputError.of("quotes", "a day with quotes", column="as_of", value=day)
    faults: list[Fault] = []
    parts = []
    for (index,), rows in mine.group_by("index", maintain_order=True):
        months = rows["months"].to_numpy()
        bid, ask = (rows[side].fill_null(float("nan")).to_numpy() for side in ("bid", "ask"))
        annuity = annuities(months, discount=discount, payment=payment)
        faults += _faults(str(index), months, bid, ask, annuity)
        lower, upper = forward_bands(bid, ask, annuity)
        told = {"first": np.concatenate([[0], months[:-1]]), "months": months, "bid": rows["bid"], "ask": rows["ask"], "lower": lower}
        frame = pl.DataFrame(told | {"upper": pl.Series(np.where(np.isinf(upper), np.nan, upper), nan_to_null=True)})
        parts.append(frame.select(pl.lit(day).alias("as_of"), pl.lit(index).alias("index"), pl.all()))
    if faults:
        raise InputError(faults)
    return RentalBands.validate(pl.concat(parts), cast=True)


def _faults(index: str, months: Months, bid: Vector, ask: Vector, annuity: Vector) -> list[Fault]:
    return [
        Fault(
            file="quotes",
            column="ask",
            value=f"{index}: {months[long]} months at {ask[long]:g} against a bid of {bid[short]:g} for {months[short]} months, "
            f"{gain * YEAR_HOURS:+,.2f} USD per GPU, {gain / annuity[short]:.4f} USD per GPU-hour of the bid",
            expected="an ask whose whole cost is at least every bid for a rental as long or shorter",
        )
        for short, long, gain in contradictions(bid, ask, annuity)
    ]
