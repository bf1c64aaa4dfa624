"""The curves of many days: a history of quotes, fitted day by day, in this process or in several."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import polars as pl

from tenorgrid.curves.forward import ForwardCurve, fit_read
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.curve import Quotes
from tenorgrid.data.tables.door import checked

Kept = TypeVar("Kept")
TOGETHER = 25  # days that go to a worker at once


def forwards(curve: ForwardCurve) -> Vector:
    """(hours,) forwards of a curve, USD per GPU-hour, from its first quoted hour on."""
    return curve.forward


def fit_curves(
    quotes: pl.DataFrame,
    *,
    index: str,
    keep: Callable[[ForwardCurve], Kept],
    executor: Executor | None = None,
    choices: Mapping[str, Any] | None = None,
) -> dict[datetime, Kept]:
    """What is kept of the curve of each moment of a history of quotes: `fit_curve` of the quotes of each `as_of`, and nothing later.

    A curve of three years of hours is some megabytes, and a history has many; so each is fitted, asked for what matters (its forwards,
    the price of the second month, its sensitivities) and let go.

    Args:
        quotes: `Quotes` of several moments; a `quote_id` may stand once at each. Rows of other indices are left alone.
        index: index that the curves are of.
        keep: what to keep of each curve; for processes a function that can be named, such as `forwards`.
        executor: any `concurrent.futures.Executor`; None is this process.
        choices: what `fit_curve` takes by name, the same for all days.

    Returns what was kept by moment, in order of time.

    Raises `InputError` as `fit_curve` does, for no quote of the index, and with the faults of every day, each told with its moment. Days
    in a row whose quotes have the same hours share one factorisation.

    >>> from datetime import UTC
    >>> days = [datetime(2027, 1, day, tzinfo=UTC) for day in (1, 2)]
    >>> month = {"index": "X", "contract": "X:2027-03", "start": datetime(2027, 3, 1, tzinfo=UTC), "end": datetime(2027, 4, 1, tzinfo=UTC),
    ...          "profile": "base", "average": "hourly", "timezone": "UTC", "source": "broker", "quote_id": "mar"}
    >>> quotes = pl.DataFrame([month | {"as_of": day, "price": 2.0 + day.day / 10} for day in days])
    >>> [round(float(kept.mean()), 10) for kept in fit_curves(quotes, index="X", keep=forwards).values()]
    [2.1, 2.2]
    """
    mine = _days(quotes, index)
    parts = [mine[place : place + TOGETHER] for place in range(0, len(mine), TOGETHER)]
    work = partial(_fitted, index=index, keep=keep, choices=choices or {})
    found = list(map(work, parts) if executor is None else executor.map(work, parts))
    if faults := [fault for _, told in found for fault in told]:
        raise InputError(faults)
    return {moment: kept for part, _ in found for moment, kept in part}


def _days(quotes: pl.DataFrame, index: str) -> list[pl.DataFrame]:
    """The checked quotes of each moment, in the order in which a curve reads them."""
    named = quotes
    if {"as_of", "quote_id"} <= set(quotes.columns):  # else the check says what is missing
        named = quotes.with_columns(pl.format("{} as of {}", "quote_id", "as_of").alias("quote_id"))
    whole = checked(named, Quotes, name="quotes").with_columns(quotes["quote_id"])
    mine = whole.filter(pl.col("index") == index).sort("as_of", "start", "end", "quote_id")
    if mine.is_empty():
        raise InputError.of("quotes", f"at least one quote of {index}", column="index")
    return mine.partition_by("as_of", maintain_order=True)


def _fitted(
    days: Sequence[pl.DataFrame], *, index: str, keep: Callable[[ForwardCurve], Kept], choices: Mapping[str, Any]
) -> tuple[list[tuple[datetime, Kept]], list[Fault]]:
    """What is kept of some days' curves, and the faults of those that have none."""
    found: list[tuple[datetime, Kept]] = []
    faults: list[Fault] = []
    before: ForwardCurve | None = None
    for day in days:
        moment = day["as_of"][0]
        try:
            before = fit_read(day, index=index, as_of=moment, before=before, **choices)
        except InputError as error:
            faults += [replace(fault, file=f"{fault.file} as of {moment:%Y-%m-%d %H:%M}") for fault in error.faults]
        else:
            found.append((moment, keep(before)))
    return found, faults
