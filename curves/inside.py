"""The smoothest curve between bids and asks: a quadratic program solved by an active set, then exactly on that set.

    least |T p|² + ε² |p − quoted|²   with   bid ≤ S p ≤ ask

p are the prices of the independent quotes, |T p|² the bending of the curve through them, S what they make every quote. What bending
leaves free, as a shift of the whole, the quoted prices decide through a small ε.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.linalg import qr, solve_triangular
from scipy.optimize import linprog

from tenorgrid.curves.arbitrage import ArbitrageError, Portfolio, Redundancy, arbitrages
from tenorgrid.curves.hours import Flags, Vector
from tenorgrid.curves.weights import Weights
from tenorgrid.data.errors import Fault, InputError

NEAR = 1e-4  # ε over the largest bending that one quote causes
RISKLESS = 1e-10  # USD per GPU-hour that a riskless portfolio may earn
REACHED = 1e-12  # USD per GPU-hour, by which a limit may be overstepped
PARALLEL = 1e-13  # squared length of what is new in a row of length 1 below which nothing is
FIRST = 1e9  # what puts fixed rows first
ROUNDS = 20  # goes per quote
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
    rows, high_side = _active(scaled, low - made @ free, high - made @ free)
    limit = np.where(high_side, high, low)[rows]
    basis, triangle = qr(scaled[rows].T, mode="economic")
    response = np.zeros((made.shape[1], made.shape[0]))
    response[:, rows] = solve_triangular(upper, basis @ solve_triangular(triangle, np.eye(len(rows)), trans="T"))
    price = free + response[:, rows] @ (limit - made[rows] @ free)
    reached = made @ price
    if (reached < low - SLACK).any() or (reached > high + SLACK).any():
        raise np.linalg.LinAlgError("no active set of bids and asks was found")
    return price, response, tuple(rows)


def _active(rows: Vector, low: Vector, high: Vector) -> tuple[list[int], Flags]:
    """Rows that stand at a limit of l ≤ R x ≤ u where |x| is least, and (m,) whether at the upper one.

    The dual method of Goldfarb and Idnani (Mathematical Programming 27, 1983): from x = 0 the limit most overstepped is taken in, and
    whatever it relieves is let go. Fixed rows come first and stay.
    """
    size = np.linalg.norm(rows, axis=1)
    rows, low, high = rows / size[:, None], low / size, high / size
    fixed, upper = low == high, np.zeros(len(low), dtype=np.bool_)
    x, active, push = np.zeros(rows.shape[1]), list[int](), np.empty(0)
    for _ in range(ROUNDS * len(low)):
        reached = rows @ x
        over = np.maximum(low - reached, reached - high)
        over[active] = 0.0
        over[fixed & (over * size > REACHED)] += FIRST
        take = int(np.argmax(over))
        if over[take] * size[take] <= REACHED:
            return active, upper
        upper[take] = reached[take] > high[take]
        sign = -1.0 if upper[take] else 1.0
        normal, own = sign * rows[take], 0.0
        while True:
            signs = np.where(upper[active], -1.0, 1.0)
            share = np.linalg.lstsq((signs[:, None] * rows[active]).T, normal, rcond=None)[0] if active else np.empty(0)
            way = normal - share @ (signs[:, None] * rows[active])
            free = [place for place, row in enumerate(active) if share[place] > PARALLEL and not fixed[row]]
            relieved = min(free, key=lambda place: push[place] / share[place], default=None)
            most = np.inf if relieved is None else push[relieved] / share[relieved]
            gap = (high if upper[take] else low)[take] * sign - normal @ x
            step = gap / (way @ way) if way @ way > PARALLEL else np.inf
            if not np.isfinite(min(most, step)):
                raise np.linalg.LinAlgError("no prices lie between all bids and asks")
            moved = min(most, step)
            x = x + moved * way if np.isfinite(step) else x
            push, own = push - moved * share, own + moved
            if step <= most:
                active, push = [*active, take], np.append(push, own)
                break
            if relieved is None:
                raise np.linalg.LinAlgError("no prices lie between all bids and asks")
            active, push = [row for row in active if row != active[relieved]], np.delete(push, relieved)
    raise np.linalg.LinAlgError("the active set did not settle")


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
