"""Every key of every shipped methodology matters: a change of it changes a mark, an audit, what may be restated, or is refused.

A key that no shipped methodology has stands in a case (`tests/indices/methodologies/`), and no key of the reader stands in none.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import Calendar, Estimator, FilterRule, MedianTie, ObservationKind, Pooling, Rounding, Vote
from tenorgrid.indices import levels
from tenorgrid.indices.calculation import calculate
from tenorgrid.indices.entries import entries
from tenorgrid.indices.methodology import load, shipped
from tenorgrid.indices.restatement import restated
from tenorgrid.indices.section import Section
from tests.indices import eucri_market
from tests.indices.plentiful_market import FIRST, market

Value: TypeAlias = Any
Spot: TypeAlias = tuple[str | int, ...]

SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
CASES = Path(__file__).parent / "methodologies"  # every key that no shipped methodology has
FILES = {**{name: SHIPPED / f"{name}.toml" for name in shipped()}, **{path.stem: path for path in sorted(CASES.glob("*.toml"))}}
FEW_DAYS = datetime(FIRST.year, FIRST.month, FIRST.day + 4, tzinfo=UTC)  # enough where every day has a regression
MARKED = 18  # past the end of every window that looks at them
ECHO = ("methodology", "precision", "window", "code_version")  # what an audit says again of the rule
LEVEL = ("index", "start", "value", "observations", "contributors", "days", "partitions", "largest_share")
IDLE = {f"normalisation.{key}" for key in ("errors", "cluster", "product")}  # of a regression by itself: refused in a methodology
CITATIONS = (
    ("source",),
    ("normalisation", "source"),
    ("normalisation", "name"),
)  # say where a rule is described and nothing of what it does

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
    "form": ["log", "level", "category"],
    "period": ["1h", "1d", "1w", "none"],
    "weights": ["equal", "quantity", "contributor"],
    "dependent": ["refuse", "leave"],
}


@pytest.fixture(autouse=True)
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of one level leaves the others as they are: what a level makes of the same rows is worked out once."""
    monkeypatch.setattr(levels, "weigh", remembering(levels.weigh))


def remembering(weigh: Callable[..., levels.Evidence]) -> Callable[..., levels.Evidence]:
    known: dict[Value, levels.Evidence] = {}

    def weighed(rows: pl.DataFrame, level: Value, marks: pl.DataFrame, *, settled: pl.DataFrame) -> levels.Evidence:
        key = (repr(level), *(told(frame) for frame in (rows, marks, settled)))
        if key not in known:
            known[key] = weigh(rows, level, marks, settled=settled)
        return known[key]

    return weighed


def told(frame: pl.DataFrame) -> Value:
    return (tuple(frame.schema.items()), frame.hash_rows(seed=1).to_numpy().tobytes())


class Outcome:
    """All that a methodology does to a market: marks, audits without the rule's echo, and what it lets be restated; or its refusal.

    Each part is made when it is asked for: of most changes the marks tell already.
    """

    def __init__(self, text: dict[str, Value], seen: pl.DataFrame, folder: Path) -> None:
        self.path = folder / "changed.toml"
        self.path.write_text("".join(f"{name} = {written(value)}\n" for name, value in text.items()))
        days = 1 if text["every"].endswith("min") else MARKED
        first = FIRST + timedelta(4) if days == 1 else FIRST
        self.refused = False
        try:
            self.rule = load(self.path)
            self.made = calculate(seen, methodology=self.rule, first=first, end=first + timedelta(days))
        except InputError:
            self.refused = True

    @cached_property
    def marks(self) -> Value:
        return self.made.marks.drop("method_hash").rows()

    @cached_property
    def decided(self) -> Value:
        """A part of the audits that is made at once: what stands behind each mark, what was excluded, and what each level gave."""
        behind = self.made.decided.select(
            "level", "unrounded", "reasons", "observations", "contributors", "quantity", "mean", "sd", "min", "max"
        )
        gave = [(part.level.name, part.values.select(*LEVEL).sort("index", "start").rows()) for part in self.made.evidence]
        return behind.rows(), self.made.exclusions.rows(), gave

    @cached_property
    def audits(self) -> list[dict[str, Value]]:
        made = json.dumps(entries(self.made, sensitivity="left out"))
        found = json.loads(made, parse_float=lambda written: float(f"{float(written):.12g}"))  # the last digits are no difference
        for entry in found:
            for name in ECHO:
                del entry[name]
            (entry["fallback"] or {}).pop("at_most_periods", None)
        return list(found)

    @cached_property
    def restatements(self) -> list[Value]:
        """Which of several corrections of the first mark, at several moments after its publication, its methodology lets through."""
        one = self.made.marks.filter(pl.col("value").is_not_null()).head(1)
        found = []
        for hours in (1, 6, 10, 23, 25, 48, 100) if one.height else ():
            for share in (0.0005, 0.0015, 0.004, 0.02):
                moved = one.with_columns(pl.col("value") * (1 + share))
                at = one["published_at"][0] + timedelta(hours=hours)
                found.append(restated(one, moved, methodology=self.rule, at=at).marks.height)
        return found

    def differs(self, other: "Outcome") -> bool:
        return any(getattr(self, part) != getattr(other, part) for part in ("marks", "decided", "audits", "restatements"))


def seen_by(name: str) -> pl.DataFrame:
    if name.startswith("eu-cri"):
        return eucri_market.market(FIRST)
    seen = market(load(FILES[name]).decimals)
    if load(FILES[name]).normalisation is None:
        return seen
    at_base = (
        pl.when(pl.col("resource") == "b200-sxm").then(8.0).otherwise("gpu_count")
    )  # so that prices halfway between two prints stay there
    return seen.filter(pl.col("time") < FEW_DAYS).with_columns(gpu_count=at_base)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_key_matters(name: str, tmp_path: Path) -> None:
    text, seen = tomllib.loads(FILES[name].read_text()), seen_by(name)
    plain = Outcome(text, seen, tmp_path)
    assert not plain.refused
    idle = [".".join(map(str, spot)) for spot in keys(text) if not matters(text, spot, plain, seen, tmp_path)]
    assert idle == []


@pytest.mark.parametrize("name", ["ccir-1.1.1", "eu-cri-0.2.0"])
def test_what_is_remembered_is_what_comes_out_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, seen = tomllib.loads(FILES[name].read_text()), seen_by(name)
    first, second = Outcome(text, seen, tmp_path), Outcome(text, seen, tmp_path)
    monkeypatch.undo()
    fresh = Outcome(text, seen, tmp_path)
    assert not fresh.refused
    assert not first.differs(fresh)
    assert not second.differs(fresh)


def test_no_key_is_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every key that the reader asks for, whatever the rest of a file says, stands in a file that is changed key by key."""
    asked = set()

    def noted(read: Callable[..., Value]) -> Callable[..., Value]:
        def reading(self: Section, key: str, *default: Value) -> Value:
            table = "normalisation." if self._file == "normalisation" else ""  # which has a reader of its own
            asked.add(table + re.sub(r"\[\d+\]", "", f"{self._path}{key}"))
            return read(self, key, *default)

        return reading

    for name in ("has", "_take"):
        monkeypatch.setattr(Section, name, noted(getattr(Section, name)))
    there: set[str] = set()
    rules: set[str] = set()
    for path in FILES.values():
        copy = tmp_path / path.name
        copy.write_text(path.read_text() + "# again\n")  # what was read before is not read again
        load(copy)
        text = tomllib.loads(path.read_text())
        there |= {re.sub(r"\.\d+", "", ".".join(map(str, spot))) for spot in keys(text)}
        rules |= {part["rule"] for level in text["levels"] for part in level.get("filters", [])}
    tables = {".".join(parts[:place]) for parts in (name.split(".") for name in there) for place in range(1, len(parts))}
    assert asked - there - tables == IDLE
    assert rules == set(FilterRule)  # the keys of a filter are asked for where its rule is


def test_a_key_that_says_nothing_would_be_found(tmp_path: Path) -> None:
    """A largest price that no observation comes near is a key that does nothing, and the search says so."""
    text = tomllib.loads((SHIPPED / "gpu-markets-like.toml").read_text())
    text["levels"][0]["filters"].insert(0, {"rule": "price bounds", "highest": 1e6})  # the period's before the window's
    seen = market(4)
    plain = Outcome(text, seen, tmp_path)
    assert not plain.refused
    assert not matters(text, ("levels", 0, "filters", 0, "highest"), plain, seen, tmp_path)


def matters(text: dict[str, Value], spot: Spot, plain: Outcome, seen: pl.DataFrame, folder: Path) -> bool:
    """Whether a change of the key at `spot` that the file may have changes what comes out; if none may be had, whether all are refused."""
    refused = 0
    options = list(changes(text, spot))
    for changed in options:
        found = Outcome(changed, seen, folder)
        if found.refused:
            refused += 1
        elif found.differs(plain):
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
    if spot in CITATIONS:
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
