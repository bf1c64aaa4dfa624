"""What a search for whole solutions need not look at, given what the hull relaxation costs.

Row duals y bound the objective from below, whatever they are: with reduced costs d = c − Aᵀ y,

    c x ≥ B + Σ_j |d_j| · (how far x_j is from the bound that d_j holds it at)      for every feasible x.

Once a solution of cost U is known, whatever costs more than the excess U − B can be left out, and an optimum is still there:

1. A whole column at 0 with d > U − B stays 0, one at 1 with −d > U − B stays 1 (reduced-cost fixing).
2. Divisible columns that do the same in every row form a class. Moving use from a dearer to a cheaper one of it changes no row and costs
   nothing, so there is an optimum in which each class is used in order of merit; ties go by place. In that optimum a column is used only
   if all before it are full: where filling them costs more than U − B, it stays at its lower bound. It is less than full only if all
   after it are empty: where emptying them costs more than U − B, it stays at its upper bound.

Both hold of the same optimum, so they hold together. Reduced costs sit where a solver happens to leave them: of m ≤ q w either the bound
of m or the row can carry the dual. `lower_bound` moves them to the whole column, at no loss, where the first rule can use them.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from tenorgrid.clearing.program import Program

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

ROUNDING = 1e-9  # relative: what a bound and a solution's cost may be wrong by
ROUNDS = 3  # of turning rows into bounds: the columns of a decided order, then what they leave alone


@dataclass(frozen=True, kw_only=True)
class LowerBound:
    """No solution of a program costs less than `value`, and none that moves a column off its bound less than `reduced` a unit more."""

    value: float
    reduced: Vector = field(repr=False)  # (columns,) of the program
    dual: Vector = field(repr=False)  # (rows,) of the program
    scale: float  # 1 + the size of what was added up

    def excess(self, cost: float) -> float:
        """By how much a solution of this cost is above the bound, and what both may be wrong by."""
        return max(cost - self.value, 0.0) + ROUNDING * self.scale


@dataclass(frozen=True, kw_only=True)
class Reduction:
    """A program without the columns that are decided, and without the rows that have none left."""

    matrix: csc_array = field(repr=False)
    cost: Vector = field(repr=False)
    lower: Vector = field(repr=False)
    upper: Vector = field(repr=False)
    row_lower: Vector = field(repr=False)
    row_upper: Vector = field(repr=False)
    whole: Flags = field(repr=False)
    offset: float  # cost of what is decided
    kept: Flags = field(repr=False)  # (columns,) of the program as it was
    decided: Vector = field(repr=False)  # (columns,) values, 0 where kept

    def lift(self, values: Vector) -> Vector:
        """Values of all columns from those of the columns that are left."""
        found = self.decided.copy()
        found[self.kept] = values
        return found


def lower_bound(program: Program, *, relaxed: Program, dual: Vector) -> LowerBound | None:
    """The bound on the objective that row duals of the relaxation give, computed here and not taken from the solver.

    The value only grows where duals are moved, and is valid for any duals: those on a side that does not exist are dropped first, and a
    column without an upper bound whose reduced cost is negative gets the bound that its rows imply.

    Args:
        program: whose whole columns are free.
        relaxed: its relaxation; its own columns and rows come first.
        dual: (rows of the relaxation,) any row duals.

    Returns None where these duals bound nothing.
    """
    admissible = _admissible(relaxed, dual)
    plain, moved = (_valued(relaxed, y) for y in (admissible, _onto_whole(relaxed, admissible)))
    better = moved if moved[0] >= plain[0] - ROUNDING * plain[2] else plain
    if not np.isfinite(better[0]):
        return None
    value, reduced, scale, y = better
    return LowerBound(value=value, reduced=reduced[: program.cost.size], dual=y[: program.row_lower.size], scale=scale)


def reduce(program: Program, bound: LowerBound, *, excess: float) -> Reduction:
    """The program without what costs more than `excess` above the bound; infinity leaves out only what has no choice.

    Args:
        program: whose whole columns are free.
        bound: of it.
        excess: of a known solution, by `LowerBound.excess`.
    """
    lower, upper, whole = program.lower.copy(), program.upper.copy(), program.whole
    stays_out, stays_in = whole & (bound.reduced > excess), whole & (bound.reduced < -excess)
    upper[stays_out], lower[stays_in] = program.lower[stays_out], program.upper[stays_in]
    decided, live = _bounds_for_rows(replace(program, lower=lower, upper=upper))
    reduced = program.cost - program.matrix.T @ np.where(live, bound.dual, 0.0)
    columns, number = _classes(decided, live)
    idle, full = _by_merit(decided, reduced, columns=columns, number=number, excess=excess)
    lower, upper = decided.lower.copy(), decided.upper.copy()
    upper[idle], lower[full] = lower[idle], upper[full]
    return _substituted(replace(decided, lower=lower, upper=upper), live)


def _bounds_for_rows(program: Program) -> tuple[Program, Flags]:
    """The same with rows that hold one divisible column alone as bounds of that column, and which rows are left.

    The orders of an accepted gang thereby join the class of those that were never decided whole. The bound does not fall: the least of
    two parts added up is at least the sum of what each is at least.
    """
    lower, upper, live = program.lower.copy(), program.upper.copy(), np.ones(program.row_lower.size, dtype=bool)
    entries = program.matrix.tocoo()
    at_row, at_column = entries.coords
    for _ in range(ROUNDS):
        free = lower != upper
        left = free[at_column] & live[at_row]
        alone = np.bincount(at_row[left], minlength=live.size) == 1
        mine = left & alone[at_row] & ~program.whole[at_column]
        if not mine.any():
            break
        row, column, value = at_row[mine], at_column[mine], entries.data[mine]
        moved = program.matrix @ np.where(free, 0.0, lower)
        sides = (program.row_lower - moved)[row] / value, (program.row_upper - moved)[row] / value
        np.maximum.at(lower, column, np.minimum(*sides))
        np.minimum.at(upper, column, np.maximum(*sides))
        crossed = (lower > upper) & (lower - upper <= ROUNDING * (1.0 + np.abs(upper)))  # further apart is for the solver to refuse
        lower[crossed] = upper[crossed]
        live[row] = False
    return replace(program, lower=lower, upper=upper), live


def _by_merit(program: Program, reduced: Vector, *, columns: Places, number: Places, excess: float) -> tuple[Places, Places]:
    """Columns that stay idle, and that stay full, in an optimum in which classes are used in order of merit."""
    room = program.upper[columns] - program.lower[columns]
    price = reduced[columns]
    filling = _times(room, np.maximum(price, 0.0))  # infinite where it has no end: what comes after is never needed
    emptying = np.where(np.isfinite(room), _times(room, np.maximum(-price, 0.0)), 0.0)  # without an end nothing is claimed
    idle = _before(filling, number) > excess
    full = _before(emptying[::-1], number[::-1])[::-1] > excess
    return columns[idle], columns[full & np.isfinite(program.upper[columns])]


def _before(amounts: Vector, number: Places) -> Vector:
    """The sum of what stands before in the same class; `number` has classes one after another."""
    first = np.flatnonzero(np.diff(number, prepend=-1))
    sizes = np.diff(first, append=number.size)
    infinite = np.isinf(amounts)
    finite = np.where(infinite, 0.0, amounts)
    summed = np.cumsum(finite) - finite
    found = summed - np.repeat(summed[first], sizes)
    endless = np.cumsum(infinite) - infinite
    return np.where(endless > np.repeat(endless[first], sizes), np.inf, found)


def _classes(program: Program, live: Flags) -> tuple[Places, Places]:
    """Divisible columns that are left by class, in order of merit, and the number of the class of each."""
    left = np.flatnonzero(~program.whole & (program.lower < program.upper))
    matrix = csc_array(program.matrix[:, left].tocsr()[np.flatnonzero(live)])
    matrix.sort_indices()
    count = np.diff(matrix.indptr)
    found, numbers, last = [], [], 0
    for size in np.unique(count):
        mine = np.flatnonzero(count == size)
        columns, entries = left[mine], matrix.indptr[mine][:, None] + np.arange(size)
        keys = np.hstack([matrix.indices[entries].astype(np.float64), matrix.data[entries]])
        order = np.lexsort((program.cost[columns], *keys.T[::-1]))
        keys = keys[order]
        fresh = np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)]
        found.append(columns[order])
        numbers.append(last + np.cumsum(fresh))
        last = int(numbers[-1][-1])
    nothing = np.empty(0, dtype=np.int64)
    return np.concatenate([nothing, *found]), np.concatenate([nothing, *numbers])


def _substituted(program: Program, live: Flags) -> Reduction:
    """What is left when columns whose bounds meet are put into the rows. A row that is broken already stays, for the solver to say so."""
    kept = program.lower != program.upper
    decided = np.where(kept, 0.0, program.lower)
    moved = program.matrix @ decided
    row_lower, row_upper = program.row_lower - moved, program.row_upper - moved
    matrix = program.matrix[:, np.flatnonzero(kept)]
    filled = np.bincount(matrix.indices, minlength=moved.size) > 0
    rows = np.flatnonzero(live & (filled | (row_lower > 0.0) | (row_upper < 0.0)))
    return Reduction(
        matrix=csc_array(matrix.tocsr()[rows]),
        cost=program.cost[kept],
        lower=program.lower[kept],
        upper=program.upper[kept],
        row_lower=row_lower[rows],
        row_upper=row_upper[rows],
        whole=program.whole[kept],
        offset=float(program.cost @ decided),
        kept=kept,
        decided=decided,
    )


def _admissible(terms: Program, dual: Vector) -> Vector:
    """Duals on sides that exist, and such that columns without an upper bound that stand in one row alone have no reduced cost below 0."""
    matrix = terms.matrix
    found = np.where(np.isfinite(dual), dual, 0.0)
    alone = np.flatnonzero((np.diff(matrix.indptr) == 1) & np.isinf(terms.upper))
    row, value = matrix.indices[matrix.indptr[alone]], matrix.data[matrix.indptr[alone]]
    above = value > 0.0
    np.minimum.at(found, row[above], terms.cost[alone][above] / value[above])
    np.maximum.at(found, row[~above], terms.cost[alone][~above] / value[~above])
    found = np.where(np.isfinite(terms.row_lower), found, np.minimum(found, 0.0))
    return np.where(np.isfinite(terms.row_upper), found, np.maximum(found, 0.0))


def _onto_whole(terms: Program, dual: Vector) -> Vector:
    """Duals moved from the bounds of divisible columns to the whole column that each is tied to.

    In a row Σ a m ≤ q w the dual grows by the largest −d / a of its columns: their upper bounds give up at least what that of w takes,
    where one of them may be as much as q. In a row Σ a m ≥ s w it grows by the least d / a: all m stay at their lower bounds of 0, and w
    is the dearer to accept.
    """
    entries = terms.matrix.tocoo()
    at_row, at_column = entries.coords
    size = dual.size
    tied = np.bincount(at_row, weights=terms.whole[at_column], minlength=size) == 1
    divisible = ~terms.whole[at_column] & (entries.data > 0.0)

    mine = divisible & (tied & (terms.row_upper == 0.0))[at_row]
    row, column, value = at_row[mine], at_column[mine], entries.data[mine]
    more = np.zeros(size)
    np.maximum.at(more, row, -(terms.cost - terms.matrix.T @ dual)[column] / value)
    dual = dual - more

    mine = divisible & (tied & (terms.row_lower == 0.0))[at_row]
    row, column, value = at_row[mine], at_column[mine], entries.data[mine]
    least = np.full(size, np.inf)
    np.minimum.at(least, row, (terms.cost - terms.matrix.T @ dual)[column] / value)
    return np.asarray(dual + np.where(np.isfinite(least), np.maximum(least, 0.0), 0.0))


def _valued(terms: Program, dual: Vector) -> tuple[float, Vector, float, Vector]:
    """Bound, reduced costs, 1 + the size of what was added up, and the duals."""
    reduced = terms.cost - terms.matrix.T @ dual
    upper = terms.upper.copy()
    open_ended = np.isinf(upper) & (reduced < 0.0)
    if open_ended.any():
        upper[open_ended] = _implied(terms)[open_ended]
    parts = np.concatenate(
        [
            _times(terms.row_lower, np.maximum(dual, 0.0)),
            _times(terms.row_upper, np.minimum(dual, 0.0)),
            _times(terms.lower, np.maximum(reduced, 0.0)),
            _times(upper, np.minimum(reduced, 0.0)),
        ]
    )
    return float(parts.sum()), reduced, 1.0 + float(np.abs(parts).sum()), dual


def _times(bounds: Vector, amounts: Vector) -> Vector:
    """Products, 0 where the amount is 0 even if there is no bound."""
    found = np.zeros(amounts.size)
    some = amounts != 0.0
    found[some] = bounds[some] * amounts[some]
    return found


def _implied(terms: Program) -> Vector:
    """(columns,) the tightest upper bound that a single row implies, with all its other columns as low as they may be."""
    entries = terms.matrix.tocoo()
    at_row, at_column = entries.coords
    found = terms.upper.copy()
    for value, limit in ((entries.data, terms.row_upper), (-entries.data, -terms.row_lower)):
        least = np.where(value > 0.0, value * terms.lower[at_column], 0.0)
        least[value < 0.0] = value[value < 0.0] * terms.upper[at_column[value < 0.0]]
        room = limit - np.bincount(at_row, weights=least, minlength=limit.size)  # infinite where a column without an upper bound helps
        mine = (value > 0.0) & np.isfinite(room[at_row])
        np.minimum.at(found, at_column[mine], terms.lower[at_column[mine]] + np.maximum(room[at_row[mine]], 0.0) / value[mine])
    return found
