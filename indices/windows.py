"""Periods and windows: what each mark is of, and which observations it looks at."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from tenorgrid.indices.calendars import is_open
from tenorgrid.indices.estimators import Places
from tenorgrid.indices.specification import Methodology

MARK = ["index", "start"]
SEEN = "seen"  # the day an observation belongs to
PERIOD = "period"  # the period it belongs to, as the number of periods since the first in scope
MOMENT = pl.Datetime("us", "UTC")
PERIODS: dict[str, pl.DataType] = {"day": pl.Date(), "start": MOMENT, "end": MOMENT, "opens": MOMENT}


def periods(methodology: Methodology, *, first: date, end: date) -> pl.DataFrame:
    """The periods of the days [first, end) of which there are marks: day, start, end and `opens`, where the mark's window begins.

    A daily period runs from the cut-off of the day before to that of its day; others tile it. A window of days begins at a cut-off, so
    that its days may have 23 or 25 hours; one of hours or minutes has exactly that length before the period's end.

    >>> from tenorgrid.indices.methodology import load
    >>> periods(load("ccir-1.1.1"), first=date(2026, 3, 4), end=date(2026, 3, 5)).select("opens", "end").row(0)[0].isoformat()
    '2026-02-26T00:00:00+00:00'
    """
    rows = []
    for day in _days(first, end):
        if is_open(methodology.calendar, day):
            rows += [(day, start, stop, _opens(methodology, day, stop)) for start, stop in pairwise(_edges(methodology, day))]
    return pl.DataFrame(rows, schema=PERIODS, orient="row")


def back(methodology: Methodology, first: date, *, number: int) -> date:
    """The day `number` periods before those of `first`, or the day that holds it.

    >>> from tenorgrid.indices.methodology import load
    >>> back(load("house"), date(2027, 1, 5), number=3).isoformat()
    '2027-01-02'
    """
    day, left = first, number
    while left > 0:
        day -= timedelta(1)
        if is_open(methodology.calendar, day):
            left -= len(_edges(methodology, day)) - 1
    return day


def placed(times: pl.Series, methodology: Methodology, *, first: date, end: date) -> pl.DataFrame:
    """The day (`seen`) and the number of the period of each time; null outside of the days [first, end)."""
    days = _days(first, end)
    edges = np.unique(np.concatenate([_microseconds(_edges(methodology, day)) for day in days]))
    starts = _microseconds([methodology.opens(day) for day in [*days, end]])
    known = times.to_physical().to_numpy()
    day, period = (np.searchsorted(grid, known, side="right") - 1 for grid in (starts, edges))
    outside = pl.Series((day < 0) | (day >= len(days)))
    seen = pl.Series(days, dtype=pl.Date).gather(pl.Series(day).set(outside, None))
    return pl.DataFrame({SEEN: seen, PERIOD: pl.Series(period).set(outside, None)})


def in_windows(rows: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """Rows once for every mark whose window holds them, with the mark's start and end, in the order of index, start, time and name.

    Args:
        rows: with index and time, in the order of index, time and name.
        marks: what `periods` gave.
    """
    times = rows["time"].to_physical().to_numpy()
    opens, ends = (marks[name].to_physical().to_numpy() for name in ("opens", "end"))
    early, late = np.searchsorted(ends, times, side="right"), np.searchsorted(opens, times, side="right")
    count = np.maximum(late - early, 0)
    place = np.repeat(np.arange(times.size), count)
    offset = np.arange(place.size) - np.repeat(np.cumsum(count) - count, count)
    number = np.repeat(early, count) + offset
    if count.max(initial=0) > 1:
        index = rows["index"].rle_id().cast(pl.Int64).to_numpy()  # in the order of the names, as the rows are
        order = np.argsort(index[place] * marks.height + number, kind="stable")
        place, number = place[order], number[order]
    spread: pl.DataFrame = pl.concat([rows[place], marks[number].select("start", "end")], how="horizontal")
    return spread


def parts(votes: pl.DataFrame, marks: pl.DataFrame, *, number: int) -> pl.Series:
    """Which of `number` equal parts of its mark's window each vote fell in."""
    if number == 1:
        return pl.Series("part", np.zeros(votes.height, dtype=np.int64))
    edges = marks.select("start", "opens")
    passed, whole = (pl.col(moment) - pl.col("opens") for moment in ("time", "end"))
    part = passed.dt.total_microseconds() * number // whole.dt.total_microseconds()  # whole numbers: an edge opens its part
    return votes.join(edges, on="start", maintain_order="left").select(part.cast(pl.Int64).alias("part")).to_series()


def _days(first: date, end: date) -> list[date]:
    return [first + timedelta(number) for number in range((end - first).days)]


def _edges(methodology: Methodology, day: date) -> list[datetime]:
    start, stop = methodology.opens(day), methodology.closes(day)
    if methodology.daily:
        return [start, stop]
    return [start + number * methodology.every.length for number in range((stop - start) // methodology.every.length)] + [stop]


def _opens(methodology: Methodology, day: date, end: datetime) -> datetime:
    days = methodology.window.days
    return methodology.opens(day - timedelta(days - 1)) if days else end - methodology.window.length


def _microseconds(moments: list[datetime]) -> Places:
    epoch = datetime.fromtimestamp(0, tz=moments[0].tzinfo)
    return np.array([(moment - epoch) // timedelta(microseconds=1) for moment in moments], dtype=np.int64)
