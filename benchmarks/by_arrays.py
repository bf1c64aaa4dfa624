"""A sheet in sparse arrays, one `passModel` call of HiGHS: the least that any tool can spend without taking the hours apart."""

from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csc_array

from benchmarks.rival import Solved, told
from benchmarks.sheet import CAPACITY, CARRIAGE, CLASSES, LINKS, NODES, Places, Sheet, Vector, ways

PER_HOUR = NODES + CLASSES + len(LINKS)  # rows of balance, work and links


@dataclass
class Model:
    """Columns and rows, gathered in pieces."""

    cost: list[Vector] = field(default_factory=list)
    upper: list[Vector] = field(default_factory=list)
    whole: list[npt.NDArray[np.int32]] = field(default_factory=list)
    entries: list[tuple[Places, Places, Vector]] = field(default_factory=list)  # row, column, value
    low: list[Vector] = field(default_factory=list)
    high: list[Vector] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def column(self, cost: Vector, upper: Vector, *, whole: int = 0) -> Places:
        """New columns; returns their numbers in the shape of `cost`."""
        self.cost.append(cost.ravel())
        self.upper.append(np.broadcast_to(upper, cost.shape).ravel())
        self.whole.append(np.full(cost.size, whole, dtype=np.int32))
        self.columns += cost.size
        return np.arange(self.columns - cost.size, self.columns).reshape(cost.shape)

    def row(self, count: int, low: float | Vector, high: float | Vector) -> Places:
        """New rows; returns their numbers."""
        self.low.append(np.broadcast_to(low, count).astype(float))
        self.high.append(np.broadcast_to(high, count).astype(float))
        self.rows += count
        return np.arange(self.rows - count, self.rows)

    def put(self, row: Any, column: Places, value: Any) -> None:
        """Entries of the matrix."""
        self.entries.append((np.broadcast_to(row, column.shape).ravel(), column.ravel(), np.broadcast_to(value, column.shape).ravel()))


def build(sheet: Sheet) -> Model:
    """The whole market as one problem."""
    model, how = Model(), ways()
    hour = np.arange(sheet.hours)[:, None]
    low, high = np.full(PER_HOUR, -np.inf), np.zeros(PER_HOUR)  # balance ≤ 0, work = 0, links ≤ capacity
    low[NODES : NODES + CLASSES], high[NODES + CLASSES :] = 0.0, CAPACITY
    model.row(sheet.hours * PER_HOUR, np.tile(low, sheet.hours), np.tile(high, sheet.hours))
    sold = model.column(sheet.cost, sheet.offered)
    model.put(hour * PER_HOUR + sheet.node, sold, -1.0)
    served = model.column(-sheet.value, sheet.wanted)
    model.put(hour * PER_HOUR + NODES + sheet.group, served, 1.0)
    run = model.column(np.tile(CARRIAGE * how.moved, (sheet.hours, 1)), np.full((), np.inf))
    for node in range(NODES):
        used = np.flatnonzero(how.use[node])
        model.put(hour * PER_HOUR + node, run[:, used], how.use[node, used])
    model.put(hour * PER_HOUR + NODES + how.of_class, run, -how.output)
    away = np.flatnonzero(how.link >= 0)
    model.put(hour * PER_HOUR + NODES + CLASSES + how.link[away], run[:, away], how.moved[away])
    _jobs(model, sheet)
    _gangs(model, sheet)
    _blocks(model, sheet)
    return model


def _jobs(model: Model, sheet: Sheet) -> None:
    jobs = sheet.jobs
    hour, job = np.nonzero(jobs.inside(sheet.hours))
    served = model.column(-jobs.price[job], jobs.quantity[job])
    model.put(hour * PER_HOUR + NODES + jobs.place[job], served, 1.0)
    model.put(model.row(jobs.count, -np.inf, jobs.total)[job], served, 1.0)


def _gangs(model: Model, sheet: Sheet) -> None:
    gangs = sheet.gangs
    hour, gang = np.nonzero(gangs.inside(sheet.hours))
    accepted = model.column(np.zeros(gangs.count), np.ones(()), whole=1)[gang]
    served = model.column(-gangs.price[gang], gangs.quantity[gang])
    model.put(hour * PER_HOUR + NODES + gangs.place[gang], served, 1.0)
    most, least = model.row(gang.size, -np.inf, 0.0), model.row(gang.size, 0.0, np.inf)
    model.put(most, served, 1.0)
    model.put(most, accepted, -gangs.quantity[gang])
    model.put(least, served, 1.0)
    model.put(least, accepted, -(gangs.share * gangs.quantity)[gang])


def _blocks(model: Model, sheet: Sheet) -> None:
    blocks = sheet.blocks
    hour, block = np.nonzero(blocks.inside(sheet.hours))
    on = model.column((blocks.quantity * blocks.price)[block], np.ones(()), whole=1)
    model.put(hour * PER_HOUR + blocks.place[block], on, -blocks.quantity[block])
    slow = blocks.start_cost[block] > 0
    late = hour > (blocks.end - blocks.least)[block]  # a run that could not last
    begun = model.column(blocks.start_cost[block[slow]], np.where(late[slow], 0.0, 1.0), whole=1)
    at = np.full((sheet.hours, blocks.count), -1)
    at[hour[slow], block[slow]] = np.arange(begun.size)
    own = on[slow]
    before = np.where(hour[slow] > 0, at[hour[slow] - 1, block[slow]], -1)
    start = model.row(begun.size, -np.inf, 0.0)
    model.put(start, own, 1.0)
    model.put(start, begun, -1.0)
    model.put(start[before >= 0], own[before[before >= 0]], -1.0)
    running = model.row(begun.size, -np.inf, 0.0)
    model.put(running, own, -1.0)
    for back in range(int(blocks.least.max(initial=0))):
        held = (hour[slow] >= back) & (back < blocks.least[block[slow]])
        since = at[hour[slow][held] - back, block[slow][held]]
        model.put(running[held][since >= 0], begun[since[since >= 0]], 1.0)


def solve(model: Model, options: dict[str, Any]) -> Solved:
    """Pass the arrays and read the values back."""
    row, column, value = (np.concatenate([piece[part] for piece in model.entries]) for part in range(3))
    matrix = csc_array(coo_array((value, (row, column)), shape=(model.rows, model.columns)))
    cost, whole = np.concatenate(model.cost), np.concatenate(model.whole)
    highs = highspy.Highs()  # type: ignore[no-untyped-call]  # its methods carry no types
    for name, chosen in ({"output_flag": False} | options).items():
        highs.setOptionValue(name, chosen)
    highs.passModel(
        model.columns,
        model.rows,
        matrix.nnz,
        int(highspy.MatrixFormat.kColwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        cost,
        np.zeros(model.columns),
        np.concatenate(model.upper),
        np.concatenate(model.low),
        np.concatenate(model.high),
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        whole,
    )
    highs.run()
    return Solved(surplus=-float(cost @ np.array(highs.getSolution().col_value)), columns=model.columns, rows=model.rows)


if __name__ == "__main__":
    told(build, solve)
