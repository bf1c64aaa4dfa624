"""Which days are read together: as many as fit, with those before that their marks look back at."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.indices.calculation import looks_back
from tenorgrid.indices.estimators import Places
from tenorgrid.indices.specification import Methodology
from tenorgrid.indices.streaming.source import Source

HOUR = "1h"
OFTEN = 2.0  # rows that may be read for each row that there is, before sorting them first is the cheaper way


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Days [first, end), from the moment `opens` on, whose marks are made together from what was seen in [since, until)."""

    first: date
    end: date
    since: datetime
    opens: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Rows hour by hour, and the first and the last moment."""

    hours: Places
    total: Places
    first: datetime
    last: datetime

    def between(self, since: datetime, until: datetime) -> int:
        """Rows of the hours that [since, until) touches, nearly."""
        early, late = (int(np.searchsorted(self.hours, moment.timestamp() * 1e6)) for moment in (since, until))
        return int(self.total[late] - self.total[early])


def counted(source: Source) -> Counts:
    """Rows by the hour, in one pass over the times. Raises `InputError` where there are none, and for a row without a time."""
    hour = pl.col("time").dt.truncate(HOUR)
    known = source.rows.group_by(hour).agg(pl.len().alias("rows"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last"))
    found = known.sort("time").collect(engine="streaming")
    if found.is_empty():
        raise InputError.of(source.name, "at least one row")
    if found["time"].null_count():
        raise InputError.of(source.name, "a time in every row", column="time", value=f"{found['rows'][0]} rows without one")
    total = np.concatenate([[0], np.cumsum(found["rows"].to_numpy())]).astype(np.int64)
    first, last = found["first"].min(), found["last"].max()
    assert isinstance(first, datetime)
    assert isinstance(last, datetime)
    return Counts(hours=found["time"].to_physical().to_numpy(), total=total, first=first, last=last)


def stretches(counts: Counts, methodology: Methodology, *, first: date, end: date, at_once: int) -> list[Stretch]:
    """The days [first, end) in pieces whose rows, with those that they look back at, number `at_once` or fewer; of a day at least."""
    found: list[Stretch] = []
    day = first
    while day < end:
        last = _stretch(methodology, day, day + timedelta(1), alone=not found)
        while last.end < end:
            longer = _stretch(methodology, day, last.end + timedelta(1), alone=not found)
            if counts.between(longer.since, longer.until) > at_once:
                break
            last = longer
        found.append(last)
        day = last.end
    return found


def _stretch(methodology: Methodology, first: date, end: date, *, alone: bool) -> Stretch:
    since = looks_back(methodology, first, end, alone=alone)
    return Stretch(first=first, end=end, since=methodology.opens(since), opens=methodology.opens(first), until=methodology.opens(end))


def is_ordered(groups: pl.DataFrame | None, pieces: list[Stretch]) -> bool:
    """Whether the row groups of the files lie so that the stretches can be read one by one without reading much twice."""
    if groups is None:
        return False
    early, late = groups["first"].dt.timestamp("us").to_numpy(), groups["last"].dt.timestamp("us").to_numpy()
    rows = groups["rows"].to_numpy()
    spans = [(piece.since.timestamp() * 1e6, piece.until.timestamp() * 1e6) for piece in pieces]
    read = sum(int(rows[(late >= since) & (early < until)].sum()) for since, until in spans)
    overlap = _needed(pieces)
    return bool(read <= OFTEN * overlap * rows.sum())


def _needed(pieces: list[Stretch]) -> float:
    """How often a moment is looked at in any order, as windows reach over into the days before."""
    whole = (pieces[-1].until - pieces[0].since).total_seconds()
    return sum((piece.until - piece.since).total_seconds() for piece in pieces) / whole
