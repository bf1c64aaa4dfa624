"""Every key of every shipped basket matters: changing it changes a mark, or its audit but for the methodology's name, or is refused."""

import json
import tomllib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError
from tenorgrid.indices.baskets.basket import basket_marks
from tenorgrid.indices.baskets.file import load_basket, shipped_baskets

DAYS = 100
CHANGES: dict[str, dict[str, str]] = {
    "name": {"": '"other"'},
    "index": {"": '"OTHER.US.FIRM"', "H100-SXM.US.FIRM": '"A100-SXM.US.FIRM"', "A100-SXM.US.FIRM": '"H100-SXM.US.FIRM"'},
    "source": {"": '""'},
    "timezone": {"": '"Asia/Tokyo"'},
    "formula": {"": '"paasche"', "geks-tornqvist": '"time-product-dummy"'},
    "decimals": {"": "1"},
    "rounding": {"": '"down"'},
    "base.date": {"": "2027-01-09"},
    "base.value": {"": "250.0"},
    "quantities.from": {"": '"none"'},
    "quantities.days": {"": "2"},
    "rebalancing.when": {"": '"daily"'},
    "window.periods": {"": "5"},
    "window.splice": {"": '"movement"'},
    "marks.low_confidence": {"use": '"missing"', "missing": '"use"'},
    "marks.carried": {"use": '"missing"', "missing": '"use"'},
    "marks.missing": {"": '"withhold"'},
    "marks.carry_days": {"": "1"},
    "sufficiency.published": {"": "0.5"},
    "sufficiency.low_confidence": {"": "0.02"},
    "basket": {"hopper-us": '"blackwell-us"', "blackwell-us": '"hopper-us"'},
    "share": {"": "0.99"},
}


def sample(marked: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    """A hundred days of every index that a shipped basket holds, each with days of low confidence, carried, withheld and alone."""
    baskets = [load_basket(name) for name in shipped_baskets()]
    made = {basket.index for basket in baskets}
    names = sorted({one.index for basket in baskets for one in basket.constituents} - made)
    rng = np.random.default_rng(7)
    values: dict[str, list[float | None]] = {name: list(2 * np.exp(rng.normal(0, 0.1, DAYS).cumsum() / 3)) for name in names}
    statuses = {(other, 70 + place): "carried" for place, name in enumerate(names) for other in names if other != name}
    for place, name in enumerate(names):
        for day in (30, 31, 32, 33):
            values[name][day + 5 * place % 40] = None
        statuses |= {(name, 80 + place): "low-confidence", (name, 95 - place): "carried"}
    return marked(values, quantities={name: list(rng.uniform(50, 150, DAYS)) for name in names}, statuses=statuses)


def assignments(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, dotted key and value as it is written, of every assignment of a file."""
    table = ""
    for number, line in enumerate(text.splitlines()):
        if line.startswith("["):
            table = "" if line.startswith("[[") else f"{line.strip('[]')}."
        elif "=" in line.partition("#")[0]:
            key, _, value = line.partition("#")[0].partition("=")
            yield number, f"{table}{key.strip()}", value.strip()


def outcome(path: Path, marks: pl.DataFrame) -> list[dict[str, Any]] | str:
    try:
        run = basket_marks(marks, definition=path)
    except InputError as error:
        return str(error)
    entries = [json.loads(line) for line in run.audits["audit"]]
    return [{key: entry[key] for key in entry if key not in ("methodology", "formula")} for entry in entries]


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_baskets())
def test_every_key_matters(name: str, marked: Callable[..., pl.DataFrame], tmp_path: Path) -> None:
    marks, path = sample(marked), tmp_path / f"{name}.toml"
    text = files("tenorgrid.indices.baskets").joinpath("definitions", f"{name}.toml").read_text()
    path.write_text(text)
    before, lines = outcome(path, marks), text.splitlines()
    assert isinstance(before, list)
    seen = set()
    for number, key, value in assignments(text):
        written = CHANGES[key]
        other = written.get(tomllib.loads(f"x = {value}")["x"] if value.startswith('"') else value, written.get(""))
        assert other is not None, f"{key} = {value} has no change to try"
        path.write_text("\n".join([*lines[:number], f"{lines[number].partition('=')[0]}= {other}", *lines[number + 1 :]]))
        assert outcome(path, marks) != before, f"{key} = {other} changes nothing"
        seen.add(key)
    assert {"name", "formula", "base.value", "marks.missing", "sufficiency.low_confidence"} <= seen


def test_the_rounding_rule_decides_a_tie(marked: Callable[..., pl.DataFrame], write_basket: Callable[..., Path]) -> None:
    marks = marked({"A.US.FIRM": [2.0, 2.0078125]})
    for rule, wanted in (("half-even", 100.39062), ("half-up", 100.39063)):
        definition = write_basket(
            'index = "A.US.FIRM"\nquantity = 1.0',
            come_from="fixed",
            base="{ date = 2027-01-01, value = 100.0 }",
            decimals="5",
            rounding=f'"{rule}"',
        )
        assert basket_marks(marks, definition=definition).marks["value"][1] == wanted
