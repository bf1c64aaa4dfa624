"""Daily marks fit for a volatility: one methodology, no gaps, values of their own, and moves on most days."""

from datetime import datetime

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import MarkStatus

FEW_STEPS = 3  # a series that moved no more often is told with its steps


def days_of(marks: pl.DataFrame, index: str) -> pl.DataFrame:
    """The latest revision of each period of an index, start to end without a gap.

    Args:
        marks: `Marks`.
        index: index.

    Raises `InputError` with every fault: no marks, several methodologies, periods missing, withheld or carried, values not above 0.
    """
    mine = marks.filter(pl.col("index") == index).sort("start", "revision").unique("start", keep="last", maintain_order=True)
    if mine.is_empty():
        raise InputError.of("marks", f"marks of {index}", column="index")
    methods = mine["methodology"].unique().sort().to_list()
    if len(methods) > 1:
        raise InputError.of("marks", "marks of one methodology", column="methodology", value=", ".join(methods))
    faults = _faults(mine)
    if faults:
        raise InputError(faults)
    return mine


def returns_of(days: pl.DataFrame, index: str, *, least: int) -> Vector:
    """Log returns (n,) of days that `days_of` has passed.

    Raises `InputError` for fewer than `least` returns, and for a price that stands still on most days: steps of a price list have no
    volatility. A series that is constant but for a few steps is told with them.

    >>> returns_of(pl.DataFrame({"value": [2.0, 2.0, 1.0, 1.0], "start": [datetime(2027, 1, day) for day in range(1, 5)]}), "X", least=2)
    Traceback (most recent call last):
    tenorgrid.data.errors.InputError: marks, column value: found no move on 2 of 3 days, constant but for one step of -50.0 % on 2027-01-03, expected a price that moves on most days for X
    """  # noqa: E501
    value = days["value"].to_numpy()
    if value.size < least + 1:
        raise InputError.of("marks", f"at least {least + 1} days of {index}", column="value", value=f"{value.size} days")
    returns: Vector = np.diff(np.log(value))
    still = int((returns == 0).sum())
    if 2 * still > returns.size:
        told = f"no move on {still} of {returns.size} days{_steps(value, days['start'].to_list())}"
        raise InputError.of("marks", f"a price that moves on most days for {index}", column="value", value=told)
    return returns


def _steps(value: Vector, start: list[datetime]) -> str:
    moved = np.flatnonzero(np.diff(value))
    if not 0 < moved.size <= FEW_STEPS:
        return ""
    steps = " and ".join(f"{value[at + 1] / value[at] - 1:.1%}".replace("%", " %") + f" on {start[at + 1]:%Y-%m-%d}" for at in moved)
    return f", constant but for {'one step' if moved.size == 1 else f'{moved.size} steps'} of {steps}"


def _faults(mine: pl.DataFrame) -> list[Fault]:
    faults = []
    before: datetime | None = None
    made_up = {str(MarkStatus.CARRIED), str(MarkStatus.WITHHELD)}
    for start, end, value, status in mine.select("start", "end", "value", pl.col("status").cast(pl.String)).iter_rows():
        if before is not None and start != before:
            faults.append(
                Fault(file="marks", column="start", value=f"{start}", expected=f"a mark that begins at {before}, where the last one ends")
            )
        if status in made_up or value is None:
            faults.append(Fault(file="marks", column="status", value=f"{status} on {start}", expected="marks with a value of their own"))
        elif value <= 0:
            faults.append(
                Fault(file="marks", column="value", value=f"{value:g} on {start}", expected="values above 0, which have a logarithm")
            )
        before = end
    return faults
