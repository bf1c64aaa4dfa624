"""Quotes that say the same thing twice, and quotes that contradict one another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy.linalg import qr, solve_triangular

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.weights import Weights
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.curve import Arbitrages

INDEPENDENT = 1e-8  # least part of a row, relative to it, that the rows before it do not explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Redundancy:
    """Row `quote` is Σ `shares` × rows `others`; `size` is its price less what they make it, in USD per GPU-hour."""

    quote: int
    others: tuple[int, ...]
    shares: tuple[float, ...]
    size: float

    def at(self, price: Vector) -> "Redundancy":
        """The same rows at other prices (m,), USD per GPU-hour.

        >>> round(Redundancy(quote=2, others=(0, 1), shares=(0.5, 0.5), size=0.0).at(np.array([2.0, 3.0, 2.6])).size, 12)
        0.1
        """
        made = sum(share * price[other] for other, share in zip(self.others, self.shares, strict=True))
        return replace(self, size=float(price[self.quote] - made))


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """Quotes bought (above 0) and sold (below) that cancel hour by hour, and what they earn in USD per GPU-hour of the first."""

    quotes: tuple[int, ...]
    legs: tuple[float, ...]
    size: float


class ArbitrageError(InputError):
    """Quotes that no curve can meet; `table` is the `Arbitrages` among them."""

    def __init__(self, faults: Sequence[Fault], table: pl.DataFrame) -> None:
        self.table = table
        super().__init__(faults)


def redundancies(rows: Vector, price: Vector) -> tuple[list[int], list[Redundancy]]:
    """Independent rows, and for every other row what it is made of and by how much its price contradicts that.

    A column-pivoted QR factorisation of the rows' transpose finds the rank (Golub and Van Loan, section 5.4.2). Rows that
    average few hours have the largest norm and are kept first, so that a quarter is explained by its months and not a month by the rest.

    Args:
        rows: (m, cells) each row the weights of one quote.
        price: (m,) USD per GPU-hour.

    Returns positions of the independent rows, in order, and the redundancies.

    >>> _, found = redundancies(np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]), np.array([2.0, 3.0, 2.6]))
    >>> found[0].quote, found[0].others, round(found[0].size, 12)
    (2, (0, 1), 0.1)
    """
    norm = np.linalg.norm(rows, axis=1)
    _, upper, order = qr(rows.T, mode="economic", pivoting=True)
    depth = min(upper.shape)
    rank = int((np.abs(np.diagonal(upper)) > INDEPENDENT * norm[order[:depth]]).sum())
    kept = order[:rank]
    if rank == norm.size:
        return sorted(int(i) for i in kept), []
    shares = solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
    found = []
    for place, quote in enumerate(order[rank:]):
        used = np.flatnonzero(np.abs(shares[:, place]) > INDEPENDENT)
        others = sorted((int(kept[i]), float(shares[i, place])) for i in used)
        made = sum(share * price[other] for other, share in others)
        found.append(
            Redundancy(
                quote=int(quote), others=tuple(i for i, _ in others), shares=tuple(s for _, s in others), size=float(price[quote] - made)
            )
        )
    return sorted(int(i) for i in kept), sorted(found, key=lambda redundancy: redundancy.quote)


def portfolio(tie: Redundancy) -> Portfolio:
    """The riskless portfolio of a redundancy: its dear side sold, its cheap side bought.

    >>> portfolio(Redundancy(quote=2, others=(0, 1), shares=(0.5, 0.5), size=0.1))
    Portfolio(quotes=(2, 0, 1), legs=(-1.0, 0.5, 0.5), size=0.1)
    """
    sign = 1.0 if tie.size > 0 else -1.0
    return Portfolio(quotes=(tie.quote, *tie.others), legs=(-sign, *(sign * share for share in tie.shares)), size=abs(tie.size))


def arbitrages(quotes: pl.DataFrame, rows: Weights, found: Sequence[Portfolio]) -> pl.DataFrame:
    """`Arbitrages` of portfolios of `quotes`, whose hourly weights are `rows`."""
    names, hours = quotes["quote_id"], [int(np.count_nonzero(rows.row(one.quotes[0]))) for one in found]
    return Arbitrages.validate(
        pl.DataFrame(
            {
                "index": [str(quotes["index"][0])] * len(found),
                "arbitrage": range(1, len(found) + 1),
                "quote_ids": [", ".join(names[i] for i in one.quotes) for one in found],
                "legs": [", ".join(f"{leg:+.10g} {names[i]}" for i, leg in zip(one.quotes, one.legs, strict=True)) for one in found],
                "size": [one.size for one in found],
                "hours": hours,
                "contract_size": [one.size * count for one, count in zip(found, hours, strict=True)],
            }
        ),
        cast=True,
    )


def refuse_arbitrage(quotes: pl.DataFrame, rows: Weights, redundant: Sequence[Redundancy], *, tolerance: float) -> None:
    """Raise `ArbitrageError` where quotes contradict one another by more than `tolerance` USD per GPU-hour."""
    broken = [tie for tie in redundant if abs(tie.size) > tolerance]
    if not broken:
        return
    names = quotes["quote_id"]
    table = arbitrages(quotes, rows, [portfolio(tie) for tie in broken])
    faults = [
        Fault(
            file="quotes",
            column="price",
            value=f"{names[tie.quote]} {tie.size:+.10g} USD per GPU-hour against {', '.join(names[i] for i in tie.others)}",
            expected=f"quotes that agree to {tolerance:g}; {legs} earns {size:.10g} USD per contract",
        )
        for tie, legs, size in zip(broken, table["legs"], table["contract_size"], strict=True)
    ]
    raise ArbitrageError(faults, table)
