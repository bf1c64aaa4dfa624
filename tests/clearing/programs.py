"""The reference model as arrays: which rows are the market's, which are somebody's own, and who owns which columns."""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
import pyomo.environ as pyo
from pyomo.repn import generate_standard_repn
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

Vector = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

OWN = frozenset({"work", "step", "total", "inventory", "gang", "group", "linked", "starting", "running", "lasting"})
MANY = 4096  # patterns of binaries that are still gone through one by one
EPS = 1e-9
OPTIONS: dict[str, bool | float | int] = {
    "output_flag": False,
    "threads": 1,
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}


@dataclass(frozen=True, kw_only=True)
class Program:
    """max value · x + constant with low ≤ matrix x ≤ high, lower ≤ x ≤ upper, and x whole where `whole`."""

    value: Vector = field(repr=False)
    constant: float
    matrix: Vector = field(repr=False)
    low: Vector = field(repr=False)
    high: Vector = field(repr=False)
    lower: Vector = field(repr=False)
    upper: Vector = field(repr=False)
    whole: Flags = field(repr=False)
    columns: list[tuple[Any, ...]] = field(repr=False)  # name of the variable, then its index
    rows: list[tuple[Any, ...]] = field(repr=False)  # name of the constraint, then its index

    @cached_property
    def shared(self) -> Flags:
        """(rows,) those of the market: balance, domains, reserve, link, and whatever a user adds."""
        return np.array([row[0] not in OWN for row in self.rows], dtype=bool)

    @cached_property
    def part(self) -> Places:
        """(columns,) number of the component that each belongs to: columns joined by rows that are somebody's own."""
        own = np.flatnonzero(~self.shared)
        row, column = np.nonzero(self.matrix[own])
        size = len(self.columns)
        edges = coo_array((np.ones(row.size), (size + row, column)), shape=(size + own.size, size + own.size))
        _, label = connected_components(edges, directed=False)
        return np.unique(label[:size], return_inverse=True)[1].astype(np.int64)

    @cached_property
    def owner(self) -> list[str]:
        """(columns,) who decides on it: the first id of bids joined by groups and links, an offer, or the market itself."""
        ids = [name[1] if name[0] in {"m", "z", "w", "Y", "u", "start", "v"} else "market" for name in self.columns]
        bids = {label: min(ids[at] for at in np.flatnonzero(self.part == label)) for label in set(self.part)}
        joined = {ids[at]: bids[label] for at, label in enumerate(self.part) if self.columns[at][0] == "w"}
        return [joined.get(name, bids[label]) for name, label in zip(ids, self.part, strict=True)]

    def at(self, *name: Any) -> int:
        """Place of a column by name."""
        return self.columns.index(name)


def program(model: Any) -> Program:
    """The arrays of a Pyomo model that is linear but for its binaries."""
    variables = list(model.component_data_objects(pyo.Var))
    place = {id(var): at for at, var in enumerate(variables)}
    value = np.zeros(len(variables))
    (objective,) = model.component_data_objects(pyo.Objective, active=True)
    assert objective.sense == pyo.maximize
    repn = generate_standard_repn(objective.expr)
    np.add.at(value, [place[id(var)] for var in repn.linear_vars], repn.linear_coefs)
    constraints = list(model.component_data_objects(pyo.Constraint, active=True))
    matrix, low, high = np.zeros((len(constraints), len(variables))), np.zeros(len(constraints)), np.zeros(len(constraints))
    for number, row in enumerate(constraints):
        body = generate_standard_repn(row.body)
        assert body.is_linear()
        np.add.at(matrix[number], [place[id(var)] for var in body.linear_vars], body.linear_coefs)
        low[number] = -np.inf if row.lower is None else pyo.value(row.lower) - body.constant
        high[number] = np.inf if row.upper is None else pyo.value(row.upper) - body.constant
    return Program(
        value=value,
        constant=float(repn.constant or 0.0),
        matrix=matrix,
        low=low,
        high=high,
        lower=np.array([-np.inf if var.lb is None else var.lb for var in variables], dtype=np.float64),
        upper=np.array([np.inf if var.ub is None else var.ub for var in variables], dtype=np.float64),
        whole=np.array([var.is_integer() for var in variables], dtype=bool),
        columns=[(var.parent_component().local_name, *_index(var)) for var in variables],
        rows=[(row.parent_component().local_name, *_index(row)) for row in constraints],
    )


def _index(data: Any) -> tuple[Any, ...]:
    index = data.index()
    return index if isinstance(index, tuple) else (index,)


def solve(value: Vector, matrix: Vector, *, low: Vector, high: Vector, lower: Vector, upper: Vector) -> tuple[float, Vector, Vector] | None:
    """Value, primal and row duals (≥ 0 where the upper side binds) of max value · x; None where nothing is feasible."""
    highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its methods carry no types
    for option, setting in OPTIONS.items():
        highs.setOptionValue(option, setting)
    entries = csr_array(matrix)
    indices = (part.astype(np.int32) for part in (entries.indptr, entries.indices))
    minimise, by_row = int(highspy.ObjSense.kMinimize), int(highspy.MatrixFormat.kRowwise)
    shape = value.size, low.size, entries.data.size
    bounds = (np.ascontiguousarray(part, dtype=np.float64) for part in (-value, lower, upper, low, high))
    highs.passModel(*shape, by_row, minimise, 0.0, *bounds, *indices, entries.data, np.zeros(value.size, dtype=np.int32))
    highs.run()
    state = highs.getModelStatus()
    if state == highspy.HighsModelStatus.kInfeasible:
        return None
    assert state == highspy.HighsModelStatus.kOptimal, highs.modelStatusToString(state)
    found = highs.getSolution()
    point = np.array(found.col_value, dtype=np.float64)
    return float(value @ point), point, -np.array(found.row_dual, dtype=np.float64)


def patterns(of: Program, columns: Places, rows: Places) -> Vector:
    """(patterns, binaries) every choice of the binaries among the columns that the rows without other columns allow."""
    binaries = columns[of.whole[columns]]
    assert 2**binaries.size <= 2**16, f"{binaries.size} binaries are too many to go through"
    choices = np.array(list(product((0.0, 1.0), repeat=binaries.size)), dtype=np.float64).reshape(2**binaries.size, binaries.size)
    others = np.setdiff1d(np.arange(of.value.size), binaries)
    pure = [row for row in rows if not of.matrix[row, others].any()]
    activity = choices @ of.matrix[np.ix_(pure, binaries)].T
    kept = ((activity <= of.high[pure] + EPS) & (activity >= of.low[pure] - EPS)).all(axis=1)
    kept &= ((choices <= of.upper[binaries] + EPS) & (choices >= of.lower[binaries] - EPS)).all(axis=1)
    allowed: Vector = choices[kept]
    return allowed


def fixed(of: Program, binaries: Places, choice: Vector) -> tuple[float, Vector, Vector] | None:
    """The linear problem with these binaries held; None where nothing is feasible."""
    lower, upper = of.lower.copy(), of.upper.copy()
    lower[binaries] = upper[binaries] = choice
    found = solve(of.value, of.matrix, low=of.low, high=of.high, lower=lower, upper=upper)
    return None if found is None else (found[0] + of.constant, *found[1:])


def relaxed(of: Program) -> tuple[float, Vector, Vector]:
    """The plain relaxation: binaries anywhere between their bounds."""
    found = solve(of.value, of.matrix, low=of.low, high=of.high, lower=of.lower, upper=of.upper)
    assert found is not None
    return found[0] + of.constant, *found[1:]


def best(of: Program) -> tuple[float, Vector]:
    """The optimum and a point of it, by going through all binaries: a component's patterns, then all their combinations."""
    own = np.flatnonzero(~of.shared)
    lists: list[Vector] = []
    places: list[Places] = []
    for label in np.unique(of.part[of.whole]):
        columns = np.flatnonzero(of.part == label)
        rows = own[of.matrix[np.ix_(own, columns)].any(axis=1)]
        lists.append(patterns(of, columns, rows))
        places.append(columns[of.whole[columns]])
    binaries = np.concatenate(places) if places else np.empty(0, dtype=np.int64)
    count = int(np.prod([choices.shape[0] for choices in lists]))
    assert count <= MANY, f"{count} patterns are too many to go through"
    found = [fixed(of, binaries, np.concatenate(choice) if choice else np.empty(0)) for choice in product(*lists)]
    value, point, _ = max((each for each in found if each is not None), key=lambda each: each[0])
    return value, point
