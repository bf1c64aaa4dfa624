"""The smoothest curve between bids and asks: a quadratic program solved by an active set, then exactly on that set.

    least |T p|² + ε² |p − quoted|²   with   bid ≤ S p ≤ ask

p are the prices of the independent quotes, |T p|² the bending of the curve through them, S what they make every quote. What bending
leaves free, as a shift of the whole, the quoted prices decide through a small ε. Lawson and Hanson, Solving Least Squares Problems
(1974), chapter 23: least distance programming by non-negative least squares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.linalg import qr, solve_triangular
from scipy.optimize import linprog, nnls

from tenorgrid.curves.arbitrage import ArbitrageError, Portfolio, Redundancy, arbitrages
from tenorgrid.curves.hours import Vector
from tenorgrid.curves.weights import Weights
from tenorgrid.data.errors import Fault, InputError

NEAR = 1e-4  # ε over the largest bending that one quote causes
RISKLESS = 1e-10  # USD per GPU-hour that a riskless portfolio may earn
ROUNDS = 100  # by which an active set found in rounded numbers is put right
SLACK = 1e-9  # USD per GPU-hour, by which an active set may miss a limit that is not in it


@dataclass(frozen=True, eq=False, kw_only=True)
class Inside:
    """Prices (m,) between bids and asks, and `response` (m, m), their change for a change of a quote's limits."""

    price: Vector
    response: Vector
    active: tuple[int, ...]  # quotes that stand at their bid or ask


def smoothest_inside(
    quotes: pl.DataFrame, rows: Weights, bend: Vector, *, kept: Sequence[int], redundant: Sequence[Redundancy], offset: Vector
) -> Inside:
    """Prices of the quotes of the smoothest curve between their bids and asks; a quote without both stands at its price.

    Args:
        quotes: (m) `Quotes`.
        rows: their hourly weights.
        bend: (k, k) T of the independent quotes.
        kept: their k places.
        redundant: what makes the others.
        offset: (hours,) additive shape.

    Raises `InputError` for a price outside its bid and ask, `ArbitrageError` where no curve lies between all of them, with the riskless
    portfolio that earns most.
    """
    low, high = _limits(quotes)
    made = np.zeros((quotes.height, len(kept)))
    made[list(kept), np.arange(len(kept))] = 1.0
    column = {quote: place for place, quote in enumerate(kept)}
    for tie in redundant:
        made[tie.quote, [column[i] for i in tie.others]] = tie.shares
    _refuse_riskless(quotes, rows, made, low, high)
    shift = rows.average(offset)
    near = NEAR * max(float(np.abs(bend).max(initial=0.0)), 1.0)
    quoted = quotes["price"].to_numpy()[list(kept)] - shift[list(kept)]
    price, response, active = bounded(np.vstack([bend, near * np.eye(len(kept))]), np.concatenate([np.zeros(len(bend)), near * quoted]),
                                      made=made, low=low - shift, high=high - shift)  # fmt: skip
    return Inside(price=made @ price + shift, response=made @ response, active=active)


def bounded(matrix: Vector, target: Vector, *, made: Vector, low: Vector, high: Vector) -> tuple[Vector, Vector, tuple[int, ...]]:
    """p (k,) with least |M p − b|² and l ≤ S p ≤ u, its change (k, m) for a change of each limit, and the rows at a limit.

    Args:
        matrix: (q, k) M of full rank.
        target: (q,) b.
        made: (m, k) S.
        low, high: (m,) l and u, equal where a row is fixed. Some p must lie between all of them.

    Raises `numpy.linalg.LinAlgError` when no active set solves it.
    """
    orthogonal, upper = qr(matrix, mode="economic")
    free = solve_triangular(upper, orthogonal.T @ target)
    scaled = solve_triangular(upper, made.T, trans="T").T  # rows of S in the coordinates x = U (p − free)
    gap_low, gap_high = low - made @ free, high - made @ free
    size = np.linalg.norm(scaled, axis=1)
    sides, wanted = np.concatenate([scaled, -scaled]) / np.tile(size, 2)[:, None], np.concatenate([gap_low, -gap_high]) / np.tile(size, 2)
    unit = max(float(np.abs(wanted).max()), 1e-300)
    system = np.vstack([sides.T, wanted / unit])
    dual, _ = nnls(system, np.r_[np.zeros(sides.shape[1]), 1.0], maxiter=50 * len(wanted))
    fixed = low == high
    at_low, at_high = (dual[: len(low)] > 0) & ~fixed, (dual[len(low) :] > 0) & ~fixed
    for _ in range(ROUNDS):
        rows = np.flatnonzero(at_low | at_high | fixed)
        rows = rows[_independent(made[rows])]
        limit = np.where(at_high, high, low)[rows]
        basis, triangle = qr(scaled[rows].T, mode="economic")
        push = solve_triangular(triangle, solve_triangular(triangle, limit - made[rows] @ free, trans="T"))
        price = free + solve_triangular(upper, basis @ (triangle @ push))
        reached = made @ price
        multiplier = np.zeros(len(low))
        multiplier[rows] = push
        wrong = ~fixed & ((at_low & (multiplier < 0)) | (at_high & (multiplier > 0)))
        below, above = reached < low - SLACK, reached > high + SLACK
        if not (wrong | below | above).any():
            response = np.zeros((made.shape[1], made.shape[0]))
            response[:, rows] = solve_triangular(upper, basis @ solve_triangular(triangle, np.eye(rows.size), trans="T"))
            return price, response, tuple(int(i) for i in rows)
        at_low, at_high = (at_low & ~wrong) | (below & ~fixed), (at_high & ~wrong) | (above & ~fixed)
    raise np.linalg.LinAlgError("no active set of bids and asks was found")


def _independent(rows: Vector) -> list[int]:
    if not len(rows):
        return []
    _, upper, order = qr(rows.T, mode="economic", pivoting=True)
    diagonal = np.abs(np.diagonal(upper))
    return sorted(int(i) for i in order[: int((diagonal > 1e-10 * diagonal[0]).sum())])


def _limits(quotes: pl.DataFrame) -> tuple[Vector, Vector]:
    both = pl.col("bid").is_not_null() & pl.col("ask").is_not_null()
    limits = quotes.select(
        pl.when(both).then("bid").otherwise("price").alias("bid"), "price", pl.when(both).then("ask").otherwise("price").alias("ask")
    )
    faults = [
        Fault(file="quotes", row=row, column="price", value=f"{price:g} of {name}", expected=f"a price from bid {bid:g} to ask {ask:g}")
        for row, (name, (bid, price, ask)) in enumerate(zip(quotes["quote_id"], limits.iter_rows(), strict=True), start=1)
        if not bid <= price <= ask
    ]
    if faults:
        raise InputError(faults)
    return limits["bid"].to_numpy(), limits["ask"].to_numpy()


def _refuse_riskless(quotes: pl.DataFrame, rows: Weights, made: Vector, low: Vector, high: Vector) -> None:
    """Buy at asks, sell at bids, so that all deliveries cancel: what earns most, no leg above 1 in size."""
    if len(made) == made.shape[1]:
        return
    found = linprog(np.concatenate([high, -low]), A_eq=np.concatenate([made, -made]).T, b_eq=np.zeros(made.shape[1]), bounds=(0, 1))
    if found.x is None or found.fun is None:
        raise RuntimeError(f"HiGHS did not find the portfolio that earns most: {found.message}")
    if -found.fun <= RISKLESS:
        return
    legs = found.x[: len(low)] - found.x[len(low) :]
    used = sorted((int(i) for i in np.flatnonzero(np.abs(legs) > 1e-9)), key=lambda i: -abs(legs[i]))
    scale = abs(legs[used[0]])
    one = Portfolio(quotes=tuple(used), legs=tuple(float(legs[i] / scale) for i in used), size=float(-found.fun / scale))
    table = arbitrages(quotes, rows, [one])
    names = ", ".join(quotes["quote_id"][i] for i in used)
    expected = f"a curve between all bids and asks; {table['legs'][0]} earns {one.size:.10g} USD per GPU-hour"
    raise ArbitrageError([Fault(file="quotes", column="bid", value=names, expected=expected)], table)
