"""What contracts settle on: an index's prints, held at price limits, halted days filled, and its substitute once it has ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.contract import FallbackKind
from tenorgrid.data.tables.contracts import Fallbacks, FixingChanges
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.observed import Fixings

DAY = timedelta(days=1)
Rules = Mapping[FallbackKind, Mapping[str, Any]]


class Fixed(NamedTuple):
    """A settlement fixing."""

    value: float
    published_at: datetime
    source: str


Series = dict[date, Fixed]


def settlement_fixings(fixings: pl.DataFrame, fallbacks: pl.DataFrame, *, end: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`Fixings` that contracts settle on, and `FixingChanges`: every day on which that is not the index's print, with the reason.

    Rows of `Fallbacks` that name a contract give a series of their own, `alias(index, contract)`, to which the index's general rows
    apply too unless the contract has one of the same kind. In this order:

    1. cessation: from `first` on the substitute × ratio + spread; days on which that has no print have none;
    2. price limit: a print further than `limit` from what the print before it settled at is held at that distance;
    3. halt: where more than `days` calendar days pass without print, each of them is the substitute × ratio + spread, or without a
       substitute what the last print settled at; a shorter gap is left to the contract's rule for missing days.

    Args:
        fixings: `Fixings`, published by the moment that matters.
        fallbacks: `Fallbacks`.
        end: first local day that is not over.

    Raises `InputError` for two rows of one kind for the same index and contract, and for substitutes that run in a circle.
    """
    known: dict[str, Series] = {}
    for index, day, value, published, source in checked(fixings, Fixings, name="fixings").iter_rows():
        known.setdefault(index, {})[day] = Fixed(value, published, source)
    rows = checked(fallbacks, Fallbacks, name="fallbacks")
    book = _Book(known=known, rules=_rules(rows), end=end)
    for index, contract in rows.select("index", "contract").unique(maintain_order=True).iter_rows():
        book.series(index, contract)
    told = [
        (index if contract is None else alias(index, contract), day, *one)
        for (index, contract), series in book.made.items()
        for day, one in series.items()
    ]
    untouched = [(index, day, *one) for index, series in known.items() if (index, None) not in book.made for day, one in series.items()]
    schema = {name: column.dtype for name, column in Fixings.columns().items()}
    changes = {name: column.dtype for name, column in FixingChanges.columns().items()}
    return (
        Fixings.validate(pl.DataFrame(told + untouched, schema=schema, orient="row").sort("index", "date")),
        FixingChanges.validate(pl.DataFrame(book.changes, schema=changes, orient="row"), cast=True),
    )


def alias(index: str, contract: str) -> str:
    """Name of an index as one contract settles on it.

    >>> alias("H100-SXM.US.FIRM", "GPU1")
    'H100-SXM.US.FIRM for GPU1'
    """
    return f"{index} for {contract}"


def ending(fallbacks: pl.DataFrame, index: str, contract: str | None = None) -> Mapping[str, Any] | None:
    """The row of `Fallbacks` by which an index ends for a contract, or None."""
    return _of(_rules(fallbacks), index, contract).get(FallbackKind.CESSATION)


def moved(row: Mapping[str, Any], value: float) -> float:
    """A substitute's value as the index's: × ratio + spread.

    >>> moved({"ratio": 1.1, "spread": None}, 2.0)
    2.2
    """
    return (1.0 if row["ratio"] is None else row["ratio"]) * value + (row["spread"] or 0.0)


def _rules(rows: pl.DataFrame) -> dict[tuple[str, str | None], dict[FallbackKind, dict[str, Any]]]:
    found: dict[tuple[str, str | None], dict[FallbackKind, dict[str, Any]]] = {}
    faults = []
    for number, row in enumerate(rows.iter_rows(named=True), start=1):
        mine = found.setdefault((row["index"], row["contract"]), {})
        kind = FallbackKind(row["kind"])
        if kind in mine:
            wanted = f"one {kind} of {row['index']}" + ("" if row["contract"] is None else f" for {row['contract']}")
            faults.append(Fault(file="fallbacks", row=number, column="kind", value=str(kind), expected=wanted))
        mine[kind] = row
    if faults:
        raise InputError(faults)
    return found


def _of(rules: Mapping[tuple[str, str | None], Rules], index: str, contract: str | None) -> Rules:
    return dict(rules.get((index, None), {})) | dict({} if contract is None else rules.get((index, contract), {}))


@dataclass(frozen=True, kw_only=True)
class _Book:
    """Series made so far by index and contract, and what was changed in them."""

    known: Mapping[str, Series]
    rules: Mapping[tuple[str, str | None], Rules]
    end: date
    made: dict[tuple[str, str | None], Series] = field(default_factory=dict)
    changes: list[tuple[object, ...]] = field(default_factory=list)

    def series(self, index: str, contract: str | None = None, *, asked: tuple[str, ...] = ()) -> Series:
        """Settlement fixings by day, those of substitutes before."""
        if (index, contract) in self.made:
            return self.made[index, contract]
        if index in asked:
            circle = " to ".join((*asked, index))
            raise InputError.of("fallbacks", "substitutes that end at an index of their own", column="substitute", value=circle)
        rules = _of(self.rules, index, contract)
        if not rules:
            return self.known.get(index, {})
        found = dict(sorted(self.known.get(index, {}).items()))
        others = {kind: self.series(row["substitute"], asked=(*asked, index)) for kind, row in rules.items() if row["substitute"]}
        over, own = self.end, set(found)
        if row := rules.get(FallbackKind.CESSATION):
            over = min(over, row["first"])
            self._ceased(found, row, others[FallbackKind.CESSATION], (index, contract))
        if row := rules.get(FallbackKind.PRICE_LIMIT):
            self._limited(found, row, sorted(day for day in own if day < over), (index, contract))
        if row := rules.get(FallbackKind.HALT):
            self._halted(found, row, others.get(FallbackKind.HALT), (index, contract), over)
        self.made[index, contract] = dict(sorted(found.items()))
        return self.made[index, contract]

    def _ceased(self, found: Series, row: Mapping[str, Any], other: Series, of: tuple[str, str | None]) -> None:
        for day in sorted(day for day in found.keys() | other.keys() if row["first"] <= day < self.end):
            before = found.pop(day, None)
            if day in other:
                found[day] = _taken(row, other[day], FallbackKind.CESSATION)
                self._tell(of, day, FallbackKind.CESSATION, before, found[day], f"the index ended on {row['first']}: {found[day].source}")
            else:
                self._tell(
                    of, day, FallbackKind.CESSATION, before, None, f"the index ended on {row['first']}, {row['substitute']} has no print"
                )

    def _halted(self, found: Series, row: Mapping[str, Any], other: Series | None, of: tuple[str, str | None], over: date) -> None:
        for last, day in _gaps([day for day in found if day < over], over, row["days"]):
            if row["first"] is not None and day < row["first"]:
                continue
            if other is None:
                found[day] = found[last]._replace(source=f"last print, {last} (halt)")
            elif day in other:
                found[day] = _taken(row, other[day], FallbackKind.HALT)
            reason = f"no print for more than {row['days']} days after {last}: "
            after = found.get(day)
            self._tell(
                of, day, FallbackKind.HALT, None, after, reason + (after.source if after else f"{row['substitute']} has none either")
            )

    def _limited(self, found: Series, row: Mapping[str, Any], own: list[date], of: tuple[str, str | None]) -> None:
        limit = row["limit"]
        for before, day in pairwise(own):
            last, one = found[before].value, found[day]
            held = min(max(one.value, last - limit), last + limit)
            if held != one.value and (row["first"] is None or day >= row["first"]):
                found[day] = one._replace(value=held, source=f"{one.source}, held at the price limit")
                self._tell(of, day, FallbackKind.PRICE_LIMIT, one, found[day], f"further than {limit:g} from {last:g} on {before}")

    def _tell(
        self, of: tuple[str, str | None], day: date, kind: FallbackKind, before: Fixed | None, after: Fixed | None, reason: str
    ) -> None:
        values = (None if one is None else one.value for one in (before, after))
        self.changes.append((*of, day, str(kind), *values, reason))


def _gaps(days: list[date], over: date, most: int) -> Iterator[tuple[date, date]]:
    """Last print and day, for every day of gaps longer than `most` days."""
    for last, following in pairwise([*sorted(days), over] if days else []):
        if (following - last).days - 1 > most:
            yield from ((last, last + n * DAY) for n in range(1, (following - last).days))


def _taken(row: Mapping[str, Any], other: Fixed, kind: FallbackKind) -> Fixed:
    ratio = "" if row["ratio"] is None else f" × {row['ratio']:g}"
    spread = "" if row["spread"] is None else f" {row['spread']:+g}"
    return Fixed(moved(row, other.value), other.published_at, f"{row['substitute']}{ratio}{spread} ({kind})")
