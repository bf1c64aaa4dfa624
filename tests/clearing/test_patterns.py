"""Which gangs can be accepted together: circles, and patterns gone through."""

from itertools import product

import numpy as np
import polars as pl
import pytest

from tenorgrid.clearing import patterns
from tenorgrid.clearing.patterns import circular, enumerate_patterns

NAMES = {"id": pl.String, "group": pl.String, "parent": pl.String, "component": pl.String}
Gang = tuple[str, str | None, str | None]


def gangs(*rows: Gang) -> pl.DataFrame:
    return pl.DataFrame([(*row, "c") for row in rows], schema=NAMES, orient="row")


def free(count: int) -> dict[str, np.ndarray]:
    return {"lower": np.zeros(count), "upper": np.ones(count)}


def brute(bids: pl.DataFrame, *, lower: np.ndarray, upper: np.ndarray) -> set[tuple[float, ...]]:
    """Every subset that keeps the rules, read off one by one."""
    rows = list(bids.iter_rows(named=True))
    found = set()
    for choice in product((0.0, 1.0), repeat=len(rows)):
        on = {row["id"] for row, value in zip(rows, choice, strict=True) if value}
        groups = [row["group"] for row in rows if row["id"] in on and row["group"] is not None]
        known = {row["id"] for row in rows}
        orphan = any(row["parent"] in known and row["parent"] not in on for row in rows if row["id"] in on)
        if len(groups) == len(set(groups)) and not orphan and (np.array(choice) >= lower).all() and (np.array(choice) <= upper).all():
            found.add(choice)
    return found


@pytest.mark.parametrize(
    ("rows", "circle"),
    [
        ([("a", None, None), ("b", None, "a"), ("c", None, "b")], False),  # a chain
        ([("a", "x", None), ("b", "x", None), ("c", "x", None)], False),  # a group
        ([("a", "x", None), ("b", "x", None), ("c", None, "a"), ("d", "y", "b"), ("e", "y", None)], False),  # groups joined by a tree
        ([("a", "x", None), ("b", "x", "a")], True),  # a child in its parent's group
        ([("a", "x", None), ("b", None, "a"), ("c", "x", "b")], True),  # a grandchild there
        ([("a", "x", None), ("b", "y", "a"), ("c", "x", None), ("d", "y", "c")], True),  # two families that meet in two groups
        ([("a", "x", None), ("b", "y", "a"), ("c", "y", None), ("d", "z", "c"), ("e", "z", None), ("f", "x", "e")], True),  # three
    ],
)
def test_a_circle_is_found_where_there_is_one(rows: list[Gang], circle: bool) -> None:
    assert circular(gangs(*rows)) == (["c"] if circle else [])
    assert circular(gangs(*rows[::-1])) == (["c"] if circle else [])


@pytest.mark.parametrize("seed", range(12))
def test_patterns_are_those_of_all_subsets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = [str(name) for name in rng.permutation(list("abcdef"))]
    rows: list[Gang] = []
    for at, name in enumerate(names):
        group = None if rng.random() < 0.4 else str(rng.choice(["x", "y"]))
        parent = str(rng.choice(names[:at])) if at and rng.random() < 0.5 else ("elsewhere" if rng.random() < 0.2 else None)
        rows.append((name, group, parent))
    bids = gangs(*rows).sort("id")
    lower = np.zeros(6)
    upper = (rng.random(6) > 0.15).astype(float)
    found = enumerate_patterns(bids, lower=lower, upper=upper)
    assert found is not None
    assert {tuple(row) for row in found} == brute(bids, lower=lower, upper=upper)
    assert len(found) == len({tuple(row) for row in found})
    taken = np.zeros(6)
    taken[int(np.argmax(found[-1]))] = found[-1].max()  # one that is accepted in some pattern is running already
    again = enumerate_patterns(bids, lower=taken, upper=upper)
    assert again is not None
    assert {tuple(row) for row in again} == brute(bids, lower=taken, upper=upper)


def test_too_many_patterns_are_not_enumerated(monkeypatch: pytest.MonkeyPatch) -> None:
    ten = gangs(*((f"g{n}", None, None) for n in range(10)))
    found = enumerate_patterns(ten, **free(10))
    assert found is not None
    assert found.shape == (patterns.MOST, 10)
    assert enumerate_patterns(gangs(*((f"g{n:02d}", None, None) for n in range(11))), **free(11)) is None
    many = gangs(*((f"g{n:03d}", "x", None) for n in range(patterns.WIDEST + 1)))
    assert enumerate_patterns(many, **free(many.height)) is None
    monkeypatch.setattr(patterns, "WIDEST", patterns.WIDEST + 1)
    found = enumerate_patterns(many, **free(many.height))
    assert found is not None
    assert found.shape[0] == many.height + 1  # one of the group or none
