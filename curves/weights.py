"""Every quote as a row of hourly weights: the one linear model of a contract.

A contract pays the average of hourly forwards over its period, so its price is w · F with w ≥ 0 and Σ w = 1. Rows are kept as a
*density* (what an hour counts for under a profile, an averaging rule and a time zone) and a span of the hour grid, so that
60 rows over three years cost what a few vectors of the grid cost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from tenorgrid.curves.conventions import business_days
from tenorgrid.curves.hours import Clock, Counts, Flags, Vector, clock, counted, position
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import Averaging
from tenorgrid.data.periods import EPOCH, MICROSECOND, Period
from tenorgrid.data.tables.curve import Outages
from tenorgrid.data.tables.door import checked

TICKS = 3_600_000_000  # microseconds of an hour
Key = tuple[str, str, str, str, str]  # profile, average, timezone, calendar of business days, quote with outages of its own


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Rows w of `quotes` over the grid of hours `starts`; `keys[kind[i]]` names the density of row i.

    Shapes: `first`, `end`, `kind`, `total` (m,); `densities` (kinds, hours). Row i is `densities[kind[i]]` over
    `[first[i], end[i])`, divided by its sum `total[i]`.
    """

    starts: pl.Series
    first: Counts
    end: Counts
    kind: Counts
    keys: tuple[Key, ...]
    densities: Vector
    total: Vector

    @cached_property
    def knots(self) -> Counts:
        """(n + 1,) positions on the grid at which some period begins or ends."""
        return np.unique(np.concatenate([self.first, self.end]))

    @cached_property
    def spans(self) -> Flags:
        """(m, n) whether the interval between two knots belongs to the period of a row."""
        low, high = self.knots[:-1], self.knots[1:]
        return (low >= self.first[:, None]) & (high <= self.end[:, None])

    @cached_property
    def interval(self) -> Counts:
        """(hours,) which interval between knots each hour lies in."""
        return np.repeat(np.arange(self.knots.size - 1), np.diff(self.knots))

    def take(self, rows: Sequence[int]) -> "Weights":
        """Some of the rows, on the same grid."""
        return replace(self, first=self.first[rows], end=self.end[rows], kind=self.kind[rows], total=self.total[rows])

    def moments(self, values: Vector) -> Vector:
        """Share of each interval in each row's average of `values`.

        Args:
            values: (hours, k) of anything.

        Returns (m, n, k); summed over n it is the average of each row.
        """
        found = np.empty((self.kind.size, self.knots.size - 1, values.shape[1]))
        for kind, density in enumerate(self.densities):
            rows = self.kind == kind
            weighed = values if (density == 1.0).all() else density[:, None] * values
            sums = np.add.reduceat(weighed, self.knots[:-1], axis=0)
            found[rows] = self.spans[rows][:, :, None] * sums[None] / self.total[rows][:, None, None]
        return found

    def average(self, values: Vector) -> Vector:
        """(m,) average of hourly `values` (hours,) under each row."""
        each = zip(self.first, self.end, self.kind, self.total, strict=True)
        return np.array([self.densities[kind, low:high] @ values[low:high] / total for low, high, kind, total in each])

    def row(self, i: int) -> Vector:
        """(hours,) weights of row i, which sum to 1."""
        weights = np.zeros(len(self.starts))
        span = slice(self.first[i], self.end[i])
        weights[span] = self.densities[self.kind[i], span] / self.total[i]
        return weights

    def compressed(self) -> Vector:
        """(m, cells) the rows on cells of hours that no row tells apart, scaled so that inner products stay those of the hours."""
        sample, count = self._cells()
        inside = self.spans[:, self.interval[sample]]
        return np.asarray(inside * self.densities[:, sample][self.kind] / self.total[:, None] * np.sqrt(count))

    def _cells(self) -> tuple[Counts, Counts]:
        """A sample hour of each cell, and how many hours the cell has."""
        telling = [density for density in self.densities if (density != density[0]).any()]
        if not telling:
            return self.knots[:-1], np.diff(self.knots)
        label = self.interval
        for density in telling:
            _, code = np.unique(density, return_inverse=True)
            label = label * (code.max() + 1) + code
        _, sample, count = np.unique(label, return_index=True, return_counts=True)
        return sample, count


def weights(
    quotes: pl.DataFrame, *, outages: pl.DataFrame | None = None, discounts: Callable[[pl.Series], Vector] | None = None
) -> Weights:
    """Rows of hourly weights of checked `Quotes`, over the hours from the first start to the last end.

    An `hourly` average counts every hour of the profile once; a `calendar-day` average counts every local day once, so that an
    hour of a 23-hour day weighs 1/23 of a day; a `business-day` average does so for the business days of the quote's `calendar`.

    Args:
        quotes: `Quotes`.
        outages: `Outages`, hours taken out of the delivery of a quote, or of all where `quote_id` is null.
        discounts: factors (hours,) of the hours' payment, by which hours then count; None counts them alike.

    Raises `InputError` for periods that do not begin and end on the hour (for averages of days: at local midnight), for a
    business-day average without a calendar or a calendar without one, for an outage of a quote that is not there, and for a
    period with no hour of its profile.

    >>> from datetime import UTC
    >>> frame = pl.DataFrame({"quote_id": ["a"], "start": [datetime(2027, 3, 1, tzinfo=UTC)], "end": [datetime(2027, 3, 2, tzinfo=UTC)],
    ...                       "profile": ["peak"], "average": ["hourly"], "calendar": [None], "timezone": ["UTC"]})
    >>> weights(frame).row(0)[7:10].round(4)
    array([0.    , 0.0833, 0.0833])
    """
    _refuse_unread(quotes)
    begin, finish = _moment(quotes["start"].min()), _moment(quotes["end"].max())
    starts = Period(start=begin, end=finish).starts()
    out = _outages(quotes, outages, begin, len(starts))
    rows: list[Key] = [
        (str(profile), str(average), str(zone), calendar or "", name if name in out else "")
        for profile, average, zone, calendar, name in _columns(quotes, "profile", "average", "timezone", "calendar", "quote_id")
    ]
    keys = tuple(sorted(set(rows)))
    clocks = {key[2]: clock(starts, key[2]) for key in keys if key[1] != Averaging.HOURLY}  # averages of hours know no days
    paid = np.ones(len(starts)) if discounts is None else discounts(starts)
    densities = np.stack([_density(_delivered(starts, key, clocks) & out.get(key[4], out[""]), key, clocks) * paid for key in keys])
    first, end = ((quotes[column].cast(pl.Int64).to_numpy() - _instant(begin)) // TICKS for column in ("start", "end"))
    kind = np.array([keys.index(row) for row in rows], dtype=np.int64)
    total = np.array([densities[k, low:high].sum() for k, low, high in zip(kind, first, end, strict=True)])
    _refuse_days(quotes, clocks, first, end)
    if (total == 0).any():
        raise InputError(
            Fault(
                file="quotes",
                row=int(i) + 1,
                column="profile",
                value=rows[i][0],
                expected=f"a profile with hours in {quotes['quote_id'][int(i)]}",
            )
            for i in np.flatnonzero(total == 0)
        )
    return Weights(starts=starts, first=first, end=end, kind=kind, keys=keys, densities=densities, total=total)


def _delivered(starts: pl.Series, key: Key, clocks: dict[str, Clock]) -> Flags:
    flags = counted(starts, key[0], key[2])
    return flags & open_hours(clocks[key[2]], key[3]) if key[3] else flags


def open_hours(local: Clock, calendar: str) -> Flags:
    """(n,) whether each hour lies in a business day of `calendar` on a local clock."""
    first, last = (date(1970, 1, 1) + timedelta(int(day)) for day in (local.day[0], local.day[-1]))
    days = business_days(first, last + timedelta(1), calendar_name=calendar)
    return np.isin(local.day, [(day - date(1970, 1, 1)).days for day in days])


def _outages(quotes: pl.DataFrame, outages: pl.DataFrame | None, begin: datetime, size: int) -> dict[str, Flags]:
    """Hours that are delivered: under "" for all quotes, under a name for a quote with outages of its own."""
    found: dict[str, Flags] = {"": np.ones(size, dtype=np.bool_)}
    if outages is None:
        return found
    table = checked(outages, Outages, name="outages")
    names = set(quotes["quote_id"])
    if unknown := [name for name in table["quote_id"] if name is not None and name not in names]:
        raise InputError(Fault(file="outages", column="quote_id", value=name, expected="one of the quotes") for name in unknown)
    for name, start, end in table.sort("quote_id", nulls_last=False).select("quote_id", "start", "end").iter_rows():
        flags = found.setdefault(name or "", found[""].copy())
        flags[max(position(begin, start), 0) : max(position(begin, end), 0)] = False
    return found


def _density(hours: Flags, key: Key, clocks: dict[str, Clock]) -> Vector:
    flags = hours.astype(np.float64)
    if key[1] == Averaging.HOURLY:
        return flags
    _, day = np.unique(clocks[key[2]].day, return_inverse=True)
    return flags / np.maximum(np.bincount(day, weights=flags), 1.0)[day]


def _refuse_unread(quotes: pl.DataFrame) -> None:
    faults = []
    for row, (average, calendar) in enumerate(_columns(quotes, "average", "calendar"), start=1):
        if (average == Averaging.BUSINESS_DAY) != (calendar is not None):
            wanted = "a calendar of the business days" if calendar is None else f"nothing beside an average of {average}"
            faults.append(Fault(file="quotes", row=row, column="calendar", value=calendar, expected=wanted))
    faults += [
        Fault(file="quotes", row=row + 1, column=column, value=str(quotes[column][row]), expected="a whole hour")
        for column in ("start", "end")
        for row in np.flatnonzero(quotes[column].cast(pl.Int64).to_numpy() % TICKS).tolist()
    ]
    if faults:
        faults.sort(key=lambda fault: fault.row or 0)
        raise InputError(faults)


def _refuse_days(quotes: pl.DataFrame, clocks: dict[str, Clock], first: Counts, end: Counts) -> None:
    """An average of days that holds part of a day would weigh that part as a day."""
    faults = []
    for row, (average, zone) in enumerate(_columns(quotes, "average", "timezone")):
        if average == Averaging.HOURLY:
            continue
        hour, day = clocks[zone].hour, clocks[zone].day
        for column, at in (("start", first[row]), ("end", end[row])):
            whole = day[at] != day[at - 1] if 0 < at < hour.size else hour[at] == 0 if at == 0 else hour[at - 1] == 23
            if not whole:
                found = str(quotes[column][row])
                faults.append(Fault(file="quotes", row=row + 1, column=column, value=found, expected=f"midnight in {zone}"))
    if faults:
        raise InputError(faults)


def _instant(moment: datetime) -> int:
    """Microseconds since 1970, as polars has them."""
    return (moment - EPOCH) // MICROSECOND


def _columns(quotes: pl.DataFrame, *names: str) -> Iterable[tuple[Any, ...]]:
    """Rows of some columns; a query of polars takes longer than 60 rows do."""
    return zip(*(quotes[name].to_list() for name in names), strict=True)


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise InputError.of("quotes", "at least one row")
    return value
