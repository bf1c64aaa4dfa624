"""Quotes that say the same thing twice, and quotes that contradict one another."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular

from tenorgrid.curves.hours import Vector

INDEPENDENT = 1e-8  # least part of a row, relative to it, that the rows before it do not explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Redundancy:
    """Row `quote` is Σ `shares` × rows `others`; `size` is its price less what they make it, in USD per GPU-hour."""

    quote: int
    others: tuple[int, ...]
    shares: tuple[float, ...]
    size: float


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
