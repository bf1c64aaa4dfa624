"""Fallback: carrying, coming back and ending, against the rule written out in loops."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from tenorgrid.indices.fallback import carried
from tenorgrid.indices.specification import Fallback

START = datetime(2027, 3, 3, tzinfo=UTC)


def chosen(pattern: str, *, index: str = "A") -> pl.DataFrame:
    """A period a letter: `x` suffices and `.` does not; the value is the period's number."""
    there = [letter == "x" for letter in pattern]
    return pl.DataFrame(
        {
            "index": index,
            "number": list(range(len(pattern))),
            "start": [START + timedelta(hours=number) for number in range(len(pattern))],
            "level": ["trades" if one else None for one in there],
            "value": [float(number) if one else None for number, one in enumerate(there)],
            "status": ["published" if one else None for one in there],
            "reasons": [[] if one else None for one in there],
        },
        schema_overrides={"reasons": pl.List(pl.String), "level": pl.String, "status": pl.String, "value": pl.Float64},
    )


def shown(pattern: str, fallback: Fallback) -> str:
    """A letter a period: p printed, c carried, w withheld, and a blank where there is no row."""
    found = carried(chosen(pattern), fallback)
    letters = dict(zip(found["number"], (status[0] for status in found["status"]), strict=True))
    return "".join(letters.get(number, " ") for number in range(len(pattern)))


@pytest.mark.parametrize(
    ("pattern", "fallback", "expected"),
    [
        (".x...x.", Fallback(carry=2), "wpccwpc"),
        (".x...x.", Fallback(carry=0), "wpwwwpw"),
        ("xx.x...xx", Fallback(carry=1, resume=2), "wpcpcwwwp"),
        ("x.x.x", Fallback(carry=1, resume=2), "wwpcp"),
        ("x......x.", Fallback(carry=1, cease_after=2), "pcw    pc"),
        ("...x", Fallback(carry=1, cease_after=2), "   p"),
        ("x.....xx", Fallback(carry=1, resume=2, cease_after=2), "www   wp"),
    ],
)
def test_what_stands_in_where_nothing_suffices(pattern: str, fallback: Fallback, expected: str) -> None:
    assert shown(pattern, fallback) == expected


def plainly(pattern: str, rule: Fallback) -> str:
    told, last, spell, printed = "", None, 0, None
    for now, letter in enumerate(pattern):
        if letter == "x":
            spell = 1 if last is None or now - last > rule.carry + 1 else spell + 1
            last = now
            if spell >= rule.resume:
                printed = now
                told += "p"
                continue
        if rule.cease_after is not None and (last is None or now - last >= rule.carry + rule.cease_after):
            told += " "
        elif letter != "x" and printed is not None and now - printed <= rule.carry:
            told += "c"
        else:
            told += "w"
    return told


@pytest.mark.parametrize("seed", range(60))
def test_any_pattern_agrees_with_the_rule_in_loops(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pattern = "".join(rng.choice(["x", "."], size=40, p=[0.4, 0.6]))
    cease = [None, 1, 4][int(rng.integers(3))]
    rule = Fallback(carry=int(rng.integers(4)), resume=int(rng.integers(1, 4)), cease_after=cease)
    assert shown(pattern, rule) == plainly(pattern, rule)


@pytest.mark.parametrize("seed", range(40))
def test_as_far_back_as_the_rule_reaches_is_enough(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pattern = "".join(rng.choice(["x", "."], size=60, p=[0.35, 0.65]))
    rule = Fallback(carry=int(rng.integers(4)), resume=int(rng.integers(1, 4)), cease_after=[None, 3][seed % 2])
    late = 60 - rule.reach - 5
    assert shown(pattern, rule)[-5:] == shown(pattern[late:], rule)[-5:]


def test_each_index_falls_back_on_its_own_prints() -> None:
    both = pl.concat([chosen("x.."), chosen(".x.", index="B")])
    found = carried(both, Fallback(carry=1))
    assert found.select("index", "value", "status").rows() == [
        ("A", 0.0, "published"),
        ("A", 0.0, "carried"),
        ("A", None, "withheld"),
        ("B", None, "withheld"),
        ("B", 1.0, "published"),
        ("B", 1.0, "carried"),
    ]


def test_an_index_that_waits_says_for_what() -> None:
    found = carried(chosen("xx"), Fallback(carry=0, resume=3))
    assert found["reasons"].to_list() == [
        ["1 of the 3 periods after which it prints again"],
        ["2 of the 3 periods after which it prints again"],
    ]
    assert found["level"].null_count() == 2
