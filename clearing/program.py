"""One group of intervals, with what ties them together, as one problem: columns that can be used and rows that hold something.

Minimise cost x subject to row_lower ≤ A x ≤ row_upper and lower ≤ x ≤ upper, the columns in `whole` 0 or 1. Its columns are those of the
intervals in order, then those of the coupling, then the shares of acceptance patterns where the hull is asked for.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from tenorgrid.clearing.patterns import Patterns
from tenorgrid.clearing.problem import Problem

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

BESIDE = -1  # interval of a column or row that belongs to the coupling; NEITHER of a share of a pattern
NEITHER = -2


@dataclass(frozen=True, kw_only=True)
class Program:
    """A group of intervals as one problem, and where each of its columns and rows comes from.

    `column_hour` and `column_place` tell interval and column of the interval's layout, or `BESIDE` and the column of the coupling; rows
    likewise.
    """

    hours: Places = field(repr=False)  # intervals of the problem
    matrix: csc_array = field(repr=False)
    cost: Vector = field(repr=False)
    lower: Vector = field(repr=False)
    upper: Vector = field(repr=False)
    row_lower: Vector = field(repr=False)
    row_upper: Vector = field(repr=False)
    whole: Flags = field(repr=False)
    physical: Flags = field(repr=False)  # not a virtual bid
    hair: Vector = field(repr=False)  # (rows,) a hair of load
    wanted: Flags = field(repr=False)  # (rows,) of a node or domain that some bid may use
    column_hour: Places = field(repr=False)
    column_place: Places = field(repr=False)
    row_hour: Places = field(repr=False)
    row_place: Places = field(repr=False)

    def fixed(self, values: Vector) -> "Program":
        """The linear problem that is left when the whole columns, in order, have these values."""
        lower, upper = self.lower.copy(), self.upper.copy()
        lower[self.whole] = upper[self.whole] = values
        return replace(self, lower=lower, upper=upper)

    def relaxed(self, patterns: tuple[Patterns, ...]) -> "Program":
        """The linear problem in which acceptances lie in the convex hull of their patterns, and all others between 0 and 1."""
        program, beside = self, self.column_hour == BESIDE
        places = {int(place): np.int64(at) for at, place in zip(np.flatnonzero(beside), self.column_place[beside], strict=True)}
        for one in patterns:
            if all(int(column) in places for column in one.columns):
                program = _with_patterns(program, one, [places[int(column)] for column in one.columns])
        return program

    def onto_columns(self, values: Vector, *, shape: tuple[int, int]) -> Matrix:
        """(intervals of the group, columns of the layout) of values by column; 0 where the program has none."""
        return _scattered(values, self.column_hour, self.column_place, self.hours, shape[1])

    def onto_rows(self, values: Vector, *, shape: tuple[int, int]) -> Matrix:
        """(intervals of the group, rows of the layout) of values by row; 0 where the program has none."""
        return _scattered(values, self.row_hour, self.row_place, self.hours, shape[1])

    def beside(self, values: Vector, *, count: int) -> Vector:
        """(columns of the coupling,) of values by column; NaN where the program has none."""
        found, own = np.full(count, np.nan), self.column_hour == BESIDE
        found[self.column_place[own]] = values[own]
        return found


def program(problem: Problem, hours: Places) -> Program:
    """The program of some intervals of a problem and of all that ties them together.

    Args:
        problem: of one horizon.
        hours: intervals, all of one group.
    """
    shape, coupling = problem.layout, problem.coupling
    used = problem.upper[hours] > 0.0
    column_number = np.where(used, np.cumsum(used).reshape(used.shape) - 1, -1)
    entries = shape.matrix.tocoo()
    at_row, at_column = (np.asarray(part) for part in entries.coords)
    local, entry = np.nonzero(used[:, at_column])
    filled = np.zeros((hours.size, shape.matrix.shape[0]), dtype=bool)
    filled[local, at_row[entry]] = True
    mine, held, own_columns, own_rows = _own(problem, hours)
    place = np.full(problem.cost.shape[0], -1)
    place[hours] = np.arange(hours.size)
    into_hour, into_row, into_column, into_value = (part[np.isin(coupling.into[0], hours)] for part in coupling.into)
    filled[place[into_hour], into_row] = True
    row_number = np.where(filled, np.cumsum(filled).reshape(filled.shape) - 1, -1)
    inner_columns, inner_rows = int(used.sum()), int(filled.sum())
    column_of, row_of = np.full(coupling.cost.size, -1), np.full(coupling.row_lower.size, -1)
    column_of[own_columns], row_of[own_rows] = inner_columns + np.arange(own_columns.size), inner_rows + np.arange(own_rows.size)

    tied_row, tied_hour, tied_column, tied_value = (part[mine] for part in coupling.inner)
    own_row, own_column, own_value = (part[held] for part in coupling.outer)
    rows = [row_number[local, at_row[entry]], row_of[tied_row], row_of[own_row], row_number[place[into_hour], into_row]]
    columns = [column_number[local, at_column[entry]], column_number[place[tied_hour], tied_column], column_of[own_column]]
    columns.append(column_of[into_column])
    values = [entries.data[entry], tied_value, own_value, into_value]
    row, column, value = (np.concatenate(part) for part in (rows, columns, values))
    kept = (row >= 0) & (column >= 0)
    size = (inner_rows + own_rows.size, inner_columns + own_columns.size)
    hour_of, column_place = np.nonzero(used)
    row_hour, row_place = np.nonzero(filled)
    virtual = shape.columns["kind"].is_in(["inc", "dec"]).to_numpy()
    hair = problem.hair()[hours]
    return Program(
        hours=hours,
        matrix=csc_array((value[kept], (row[kept], column[kept])), shape=size),
        cost=np.r_[problem.cost[hours][used], coupling.cost[own_columns]],
        lower=np.r_[np.zeros(inner_columns), coupling.lower[own_columns]],
        upper=np.r_[problem.upper[hours][used], coupling.upper[own_columns]],
        row_lower=np.r_[problem.row_lower[hours][filled], coupling.row_lower[own_rows]],
        row_upper=np.r_[problem.row_upper[hours][filled], coupling.row_upper[own_rows]],
        whole=np.r_[np.zeros(inner_columns, dtype=bool), coupling.whole[own_columns]],
        physical=np.r_[~virtual[column_place], np.ones(own_columns.size, dtype=bool)],
        hair=np.r_[hair[filled], np.zeros(own_rows.size)],
        wanted=np.r_[problem.wanted_rows()[hours][filled], np.zeros(own_rows.size, dtype=bool)],
        column_hour=np.r_[hours[hour_of], np.full(own_columns.size, BESIDE)],
        column_place=np.r_[column_place, own_columns],
        row_hour=np.r_[hours[row_hour], np.full(own_rows.size, BESIDE)],
        row_place=np.r_[row_place, own_rows],
    )


def _own(problem: Problem, hours: Places) -> tuple[Flags, Flags, Places, Places]:
    """Which inner and outer entries, columns and rows of the coupling belong to a group of intervals."""
    coupling, group = problem.coupling, problem.groups[hours[0]]
    rows = problem.coupling_groups[1] == group
    columns = problem.coupling_groups[0] == group
    return rows[coupling.inner[0]], rows[coupling.outer[0]], np.flatnonzero(columns), np.flatnonzero(rows)


def _with_patterns(program: Program, patterns: Patterns, columns: list[np.int64]) -> Program:
    """Acceptances as shares of whole patterns: w = Σ_p α_p p, Σ_p α_p = 1, α ≥ 0."""
    count, (rows, width) = patterns.accepted.shape[0], program.matrix.shape
    entries = program.matrix.tocoo()
    at_row, at_column = entries.coords
    pattern, member = np.nonzero(patterns.accepted)
    more_rows = [rows + np.arange(len(columns)), rows + member, np.full(count, rows + len(columns))]
    more_columns = [np.array(columns), width + pattern, width + np.arange(count)]
    more_values = [np.ones(len(columns)), -np.ones(pattern.size), np.ones(count)]
    shape = (rows + len(columns) + 1, width + count)
    matrix = csc_array(
        (np.r_[entries.data, *more_values], (np.r_[at_row, *more_rows], np.r_[at_column, *more_columns])), shape=shape
    )  # fmt: skip
    sums, extra = np.r_[np.zeros(len(columns)), 1.0], np.zeros(count)
    none, nowhere = np.zeros(count, dtype=bool), np.full(count, NEITHER)
    return replace(
        program,
        matrix=matrix,
        cost=np.r_[program.cost, extra],
        lower=np.r_[program.lower, extra],
        upper=np.r_[program.upper, np.full(count, np.inf)],
        row_lower=np.r_[program.row_lower, sums],
        row_upper=np.r_[program.row_upper, sums],
        whole=np.r_[program.whole, none],
        physical=np.r_[program.physical, ~none],
        hair=np.r_[program.hair, np.zeros(sums.size)],
        wanted=np.r_[program.wanted, np.zeros(sums.size, dtype=bool)],
        column_hour=np.r_[program.column_hour, nowhere],
        column_place=np.r_[program.column_place, nowhere],
        row_hour=np.r_[program.row_hour, np.full(sums.size, NEITHER)],
        row_place=np.r_[program.row_place, np.full(sums.size, NEITHER)],
    )


def _scattered(values: Vector, hour: Places, place: Places, hours: Places, width: int) -> Matrix:
    found = np.zeros((hours.size, width))
    own = hour >= 0
    found[np.searchsorted(hours, hour[own]), place[own]] = values[own]
    return found
