"""Every key of every shipped methodology matters: a change of it changes a mark, an audit, what may be restated, or is refused."""

import json
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import Calendar, Estimator, FilterRule, MedianTie, ObservationKind, Pooling, Rounding, Vote
from tenorgrid.indices.marks import mark
from tenorgrid.indices.methodology import load, shipped
from tenorgrid.indices.restatement import restated
from tests.indices import eucri_market

Value: TypeAlias = Any
Spot: TypeAlias = tuple[str | int, ...]

SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
FIRST = date(2027, 3, 3)  # a Wednesday; the clocks of New York change on the 14th
DAYS = 9  # on which anything is seen
MARKED = 18  # past the end of every window that looks at them
ECHO = ("methodology", "precision", "window", "code_version")  # what an audit says again of the rule
CITATION = ("source",)  # says where the rule is described and nothing of what it does: that it is missing is refused

PANEL = ["aws", "gcp", "lambda", "nebius", "runpod", "together", "vultr", "azure"]
CLOSED: dict[str, list[str]] = {
    "estimator": list(Estimator),
    "rounding": list(Rounding),
    "tie": list(MedianTie),
    "pooling": list(Pooling),
    "vote": list(Vote),
    "calendar": list(Calendar),
    "rule": list(FilterRule),
    "within": ["period", "window"],
    "missing": ["keep", "exclude"],
    "timezone": ["Asia/Tokyo"],
    "every": ["1h", "30min", "1d"],
    "window": ["3d", "12h", "30min"],
    "half_life": ["1h", "24h"],
    "older_than": ["1h", "30h"],
    "until": ["2h", "90h", "never"],
    "column": ["gpu_count", "country", "provider", "price"],
    "differs_from": ["resource", "country"],
    "confidence": ["reliability"],
    "terms": ["named", "pooled"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_every_key_matters(name: str, tmp_path: Path) -> None:
    text = tomllib.loads((SHIPPED / f"{name}.toml").read_text())
    seen = eucri_market.market(FIRST) if name.startswith("eu-cri") else market(load(name).decimals)
    plain = outcome(text, seen, tmp_path)
    assert plain == outcome(text, seen, tmp_path)
    assert plain[0] == "made"
    idle = [".".join(map(str, spot)) for spot in keys(text) if not matters(text, spot, plain, seen, tmp_path)]
    assert idle == []


def test_a_key_that_says_nothing_would_be_found(tmp_path: Path) -> None:
    """A largest price that no observation comes near is a key that does nothing, and the search says so."""
    text = tomllib.loads((SHIPPED / "gpu-markets-like.toml").read_text())
    text["levels"][0]["filters"].append({"rule": "price bounds", "highest": 1e6})
    seen = market(4)
    spot = ("levels", 0, "filters", 1, "highest")
    text["levels"][0]["filters"].reverse()  # the period's before the window's
    plain = outcome(text, seen, tmp_path)
    assert plain[0] == "made"
    assert not matters(text, ("levels", 0, "filters", 0, "highest"), plain, seen, tmp_path), spot


def matters(text: dict[str, Value], spot: Spot, plain: Value, seen: pl.DataFrame, folder: Path) -> bool:
    """Whether a change of the key at `spot` that the file may have changes what comes out; if none may be had, whether all are refused."""
    refused = 0
    options = list(changes(text, spot))
    for changed in options:
        found = outcome(changed, seen, folder)
        if found[0] == "refused":
            refused += 1
        elif found != plain:
            return True
    return refused == len(options)


def changes(text: dict[str, Value], spot: Spot) -> Iterator[dict[str, Value]]:
    """The file with something else at `spot`."""
    old = at(text, spot)
    for value in (other for other in others(spot, old) if other != old):
        changed = deepcopy(text)
        put(changed, spot, value)
        if spot == ("timezone",):  # a cut-off is told in the methodology's own zone
            changed["cut_off"] = f"{changed['cut_off'].split()[0]} {value}"
        yield changed


def others(spot: Spot, value: Value) -> list[Value]:
    name = str(spot[-1])
    if spot == CITATION:
        return [""]
    if isinstance(value, list):
        return [
            value[:-1],
            value[1:],
            *([[kind] for kind in ObservationKind] if name == "kinds" else []),
            [*value, "elsewhere"],
            ["elsewhere"],
        ]
    if isinstance(value, int):
        return [value + 1, value * 3, value * 10, max(value // 3, 0), max(value - 1, 0), value + 100]
    if isinstance(value, float):
        return [value * 0.5, value * 2, value * 0.1, value * 10, value * 0.9, value + 1]
    if name == "cut_off":
        return [f"14:00 {value.split()[1]}", f"20:30 {value.split()[1]}"]
    return [other for other in CLOSED.get(name, [f"{value}-too"]) if other != value]


def keys(value: Value, spot: Spot = ()) -> Iterator[Spot]:
    """Every leaf: a number, a text, a list of texts."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from keys(part, (*spot, name))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for place, part in enumerate(value):
            yield from keys(part, (*spot, place))
    else:
        yield spot


def at(value: Value, spot: Spot) -> Value:
    for step in spot:
        value = value[step]
    return value


def put(text: Value, spot: Spot, value: Value) -> None:
    at(text, spot[:-1])[spot[-1]] = value


def written(value: Value) -> str:
    """A value as TOML, tables inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {written(part)}" for name, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


def outcome(text: dict[str, Value], seen: pl.DataFrame, folder: Path) -> Value:
    """All that a methodology does to a market: marks, audits without the rule's echo, and what it lets be restated; or its refusal."""
    path = folder / "changed.toml"
    path.write_text("".join(f"{name} = {written(value)}\n" for name, value in text.items()))
    days = 1 if text["every"].endswith("min") else MARKED
    first = FIRST + timedelta(4) if days == 1 else FIRST
    try:
        run = mark(seen, methodology=path, first=first, end=first + timedelta(days))
    except InputError:
        return ("refused",)
    entries = [json.loads(line) for line in run.audits["audit"]]
    for entry in entries:
        for name in ECHO:
            del entry[name]
        (entry["fallback"] or {}).pop("at_most_periods", None)
    return ("made", run.marks.drop("method_hash").rows(), entries, restatements(run.marks, path))


def restatements(marks: pl.DataFrame, path: Path) -> list[Value]:
    """Which of several corrections of the first mark, at several moments after its publication, its methodology lets through."""
    one = marks.filter(pl.col("value").is_not_null()).head(1)
    if one.is_empty():
        return []
    published = one["published_at"][0]
    found = []
    for hours in (1, 6, 10, 23, 25, 48, 100):
        for share in (0.0005, 0.0015, 0.004, 0.02):
            moved = one.with_columns(pl.col("value") * (1 + share))
            at = published + timedelta(hours=hours)
            found.append(restated(one, moved, methodology=load(path), at=at).marks.height)
    return found


def market(decimals: int) -> pl.DataFrame:
    """Days of every kind of evidence, in plenty and hardly any, with everything in it that some rule is about."""
    rng = np.random.default_rng(11)
    kinds = {
        0: [("clearing", 96), ("trade", 40), ("firm quote", 40), ("list price", 60)],
        1: [("trade", 900), ("firm quote", 90), ("list price", 200)],
        2: [("trade", 120), ("firm quote", 30), ("list price", 5)],
        3: [("trade", 30), ("list price", 8)],
        4: [("firm quote", 80), ("list price", 400), ("trade", 6)],
        5: [("list price", 90), ("firm quote", 2)],
        6: [("firm quote", 3)],
        7: [("nothing sold", 9)],
        8: [("trade", 3)],
    }
    rows = [row for day, found in kinds.items() for kind, count in found for row in observed(rng, day, kind, count)]
    rows += [row for day in range(DAYS) for row in halves(day, decimals)]
    rows += [row for day in range(1, DAYS) for row in ties(day)]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return frame.with_columns(observation_id=pl.int_range(pl.len()).cast(pl.String))


def observed(rng: np.random.Generator, day: int, kind: str, count: int) -> Iterator[dict[str, Value]]:
    sold = kind == "clearing"
    for number in range(count):
        price = float(rng.lognormal(0.9, 0.15)) * float(rng.choice([1, 1, 1, 1, 1, 1, 1.4, 0.7, 8, 0.01]))
        provider = PANEL[min(int(rng.exponential(1.6)), 7)] if rng.random() < 0.8 else str(rng.choice(["vast.ai", "bids.example"]))
        if kind == "firm quote":
            provider = str(rng.choice(["vast.ai", "vast.ai", "vast.ai", "runpod", "lambda"]))
        yield {
            "time": moment(rng, day, kind, number),
            "provider": provider,
            "resource": "h100-sxm",
            "region": [None, "us-east", "us-west", "us"][int(rng.integers(4))],
            "tier": "firm" if number % 9 else "spot",
            "horizon": ("real-time" if number % 7 else "day-ahead") if kind in ("clearing", "nothing sold") else None,
            "term_hours": [None, 1.0, 700.0, 8760.0][int(rng.choice(4, p=[0.3, 0.4, 0.2, 0.1]))],
            "gpu_count": [None, 1.0, 8.0, 0.5][int(rng.choice(4, p=[0.05, 0.45, 0.4, 0.1]))],
            "price": 0.0 if rng.random() < 0.02 else round(price * (1.5 if kind == "list price" and day > 3 and number % 5 == 0 else 1), 4),
            "quantity": float(rng.lognormal(3, 1))
            if sold or (kind == "trade" and rng.random() > 0.03)
            else 0.0
            if kind == "nothing sold"
            else None,
            "kind": "clearing" if kind == "nothing sold" else kind,
            "buyer": [None, "harbor", provider][int(rng.choice(3, p=[0.3, 0.6, 0.1]))],
            "confidence": [None, 0.0, 0.3, 0.9, 1.2][int(rng.choice(5, p=[0.05, 0.05, 0.4, 0.45, 0.05]))],
            "reliability": float(rng.choice([0.5, 0.92, 0.99], p=[0.1, 0.3, 0.6])),
            "country": str(rng.choice(["US", "DE"], p=[0.9, 0.1])),
        }


def moment(rng: np.random.Generator, day: int, kind: str, number: int) -> datetime:
    """Half of what is seen falls into the hours, and quarters of hours, that some methodology looks at."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + timedelta(days=day)
    if kind == "clearing":
        return start + timedelta(minutes=15 * number)
    windows = [(0, 30), (12 * 60, 15), (12 * 60 + 15, 15), (18 * 60, 15), (15 * 60, 60), (20 * 60, 60)]
    first, length = windows[int(rng.integers(6))] if rng.random() < 0.6 else (0, 1440)
    return start + timedelta(minutes=first, seconds=float(rng.uniform(0, 60 * length)))


def ties(day: int) -> Iterator[dict[str, Value]]:
    """Days of trades in each part of which exactly half of the volume lies at the lower of two prices."""
    few = {1: (312, 5, 24.0), 2: (48, 5, 24.0), 3: (2, 6, 0.5), 4: (24, 15, 1.0)}  # New York's day from 5:00, London's hour from 15:00
    some = {5: (288, 5, 18.0), 6: (48, 5, 18.0), 7: (240, 5, 12.0), 8: (16, 5, 12.0)}  # not in all of its parts
    count, opens, hours = (few | some)[day]
    start = datetime(FIRST.year, FIRST.month, FIRST.day, opens, tzinfo=UTC) + timedelta(days=day)
    for number in range(count):
        yield known(start + timedelta(hours=hours * number / count), number // 2, "a100-sxm", "trade") | {
            "price": 2.0 + number % 2,
            "quantity": 1.0,
        }


def known(time: datetime, number: int, resource: str, kind: str) -> dict[str, Value]:
    """An observation that every requirement lets pass."""
    return {
        "time": time,
        "provider": "vast.ai" if kind == "firm quote" else PANEL[number % 8],
        "resource": resource,
        "region": "us-east",
        "tier": "firm",
        "horizon": None,
        "term_hours": 1.0,
        "gpu_count": 1.0,
        "kind": kind,
        "buyer": "harbor",
        "confidence": 1.0,
        "reliability": 0.99,
        "country": "US",
    }


def halves(day: int, decimals: int) -> Iterator[dict[str, Value]]:
    """One price of everybody halfway between two prints, the lower of which is even."""
    price = float(Decimal(2) + (2 * Decimal(10) ** -decimals) + 5 * Decimal(10) ** -(decimals + 1))
    start = datetime(FIRST.year, FIRST.month, FIRST.day, 12, tzinfo=UTC) + timedelta(days=day)
    for kind in ("trade", "firm quote", "list price"):
        for hour in (0, 3, 8, 12):
            for number in range(4 + day):
                one = known(start + timedelta(hours=hour, minutes=3 * number), number, "b200-sxm", kind)
                yield one | {"price": price, "quantity": 1.0 if kind == "trade" else None}
