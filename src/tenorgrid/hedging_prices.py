"""Marks as costs of fleets and prices of contracts, day by day: what a hedge study reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A leg of a contract, (days,) USD per unit."""

    name: str
    values: Vector = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Item:
    """A cost, (days,) USD per day, at a fixed volume or at that of each day."""

    name: str
    volume: str
    values: Vector = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Priced:
    """Items and contracts over the same days, of which the first `first` are known when ratios are estimated."""

    dates: pl.Series = field(repr=False)
    first: int
    items: list[Item]
    contracts: dict[str, list[Leg]]
    weights: list[dict[str, object]] = field(repr=False)

    def days(self) -> pl.DataFrame:
        """Every series, long."""
        legs = {leg.name: leg for one in self.contracts.values() for leg in one}
        series = [(one.name, one.volume, one.values) for one in self.items]
        series += [(one.name, "price", one.values) for one in legs.values()]
        return pl.concat(pl.DataFrame({"day": self.dates, "name": n, "volume": v, "value": x}) for n, v, x in series)


def priced(marks: pl.DataFrame, *, items: Mapping[str, str], contracts: Mapping[str, str], first: float, methodology: str | None) -> Priced:
    """The series of items and contracts, checked; see `tenorgrid.hedging.hedge_study` for how they are written."""
    if not items or not contracts:
        raise InputError.of("hedge study", "at least one item and one contract", value=f"{len(items)} and {len(contracts)}")
    if several := [name for name, text in items.items() if "," in text]:
        raise InputError.of(
            "hedge study", "an item's indices joined by +: a cost has no ratios of its own", column="item", value=several[0]
        )
    if both := sorted(set(items) & {leg for text in contracts.values() for leg in text.split(",")}):
        raise InputError.of("hedge study", "items with names of their own, which no contract's leg has", column="item", value=both[0])
    wanted = sorted({one for text in (*items.values(), *contracts.values()) for one in _indices(text)})
    dates, value, quantity = _wide(marks, wanted, methodology)
    count = int(dates.len() * first)
    weights: list[dict[str, object]] = []
    made: list[Item] = []
    for name, text in items.items():
        parts = _indices(text)
        work = _work(parts, quantity, count, name=name)
        weights += [{"name": name, "leg": text, "index": one, "weight": w} for one, w in zip(parts, work, strict=True)]
        prices = np.column_stack([value[one] for one in parts])
        made.append(Item(name=name, volume="fixed", values=prices @ work))
        if all(np.isfinite(quantity[one]).all() for one in parts):
            made.append(Item(name=name, volume="served", values=(prices * np.column_stack([quantity[one] for one in parts])).sum(axis=1)))
    legs: dict[str, list[Leg]] = {}
    for name, text in contracts.items():
        legs[name] = []
        for leg in text.split(","):
            parts = _indices(leg)
            work = _work(parts, quantity, count, name=name) if len(parts) > 1 else np.ones(1)
            shares = work / work.sum()
            weights += [{"name": name, "leg": leg, "index": one, "weight": w} for one, w in zip(parts, shares, strict=True)]
            legs[name].append(Leg(name=leg, values=np.column_stack([value[one] for one in parts]) @ shares))
    return Priced(dates=dates, first=count, items=made, contracts=legs, weights=weights)


def _indices(text: str) -> list[str]:
    return [one for leg in text.split(",") for one in leg.split("+")]


def _work(parts: list[str], quantity: Mapping[str, Vector], count: int, *, name: str) -> Vector:
    """Mean quantity of the first days; of a single index without quantities, 1."""
    known = {one: quantity[one][:count] for one in parts}
    if len(parts) == 1 and not np.isfinite(known[parts[0]]).all():
        return np.ones(1)
    expected = "quantities on the first days, which weigh indices joined by +"
    faults = [
        Fault(file="marks", column="quantity", value=f"{one} of {name}", expected=expected)
        for one, found in known.items()
        if not np.isfinite(found).all() or found.sum() <= 0
    ]
    if faults:
        raise InputError(faults)
    return np.array([found.mean() for found in known.values()])


def _wide(marks: pl.DataFrame, wanted: list[str], methodology: str | None) -> tuple[pl.Series, dict[str, Vector], dict[str, Vector]]:
    mine = marks if methodology is None else marks.filter(pl.col("methodology") == methodology)
    latest = mine.sort("revision").group_by("index", "methodology", "start", maintain_order=True).last()
    latest = latest.filter(pl.col("index").is_in(wanted), pl.col("value").is_not_null()).with_columns(day=pl.col("start").dt.date())
    if faults := list(_faults(mine, latest, wanted)):
        raise InputError(faults)
    dates = latest["day"].unique().sort()
    found = {key[0]: frame.sort("day") for key, frame in latest.partition_by("index", as_dict=True).items()}
    value = {str(name): frame["value"].to_numpy() for name, frame in found.items()}
    quantity = {str(name): frame["quantity"].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name, frame in found.items()}
    return dates, value, quantity


def _faults(marks: pl.DataFrame, latest: pl.DataFrame, wanted: list[str]) -> Iterator[Fault]:
    known = set(latest["index"])
    few = ", ".join(marks["index"].unique().sort().to_list()[:8])
    missing = [one for one in wanted if one not in known]
    yield from (Fault(file="marks", column="index", value=one, expected=f"an index with marks, such as {few}") for one in missing)
    twice = latest.filter(latest.select("index", "day").is_duplicated())["index"].unique().sort()
    yield from (Fault(file="marks", column="methodology", value=one, expected="one mark a day: choose a methodology") for one in twice)
    if latest.is_empty() or twice.len():
        return
    spans = latest.group_by("index", maintain_order=True).agg("day").select("index", "day")
    own: dict[str, list[date]] = dict(spans.iter_rows())
    low, high = max(min(days) for days in own.values()), min(max(days) for days in own.values())
    first, last = min(min(days) for days in own.values()), max(max(days) for days in own.values())
    every = {first + timedelta(days=place) for place in range((last - first).days + 1)}
    for name, days in own.items():
        if lacking := sorted(every - set(days)):
            told = f"{name} on {lacking[0]}" + (f" and {len(lacking) - 1} other days" if len(lacking) > 1 else "")
            expected = f"a mark on every day that another has one; all share {low} to {high}: cut or fill by a rule of your own"
            yield Fault(file="marks", column="start", value=told, expected=expected)
