"""Levels: weights, votes and estimators together, each against plain Python."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pytest

from tenorgrid.indices.marks import MarkRun, mark

Observe = Callable[..., pl.DataFrame]
Row: TypeAlias = dict[str, Any]
SHIPPED = Path(__file__).parents[2] / "indices" / "methodologies"
CLOSE = datetime(2027, 1, 6, tzinfo=UTC)
INDEX = "H100-SXM.GLOBAL.FIRM"
HEAD = """name = "mine"
source = "-"
timezone = "UTC"
calendar = "every day"
cut_off = "24:00 UTC"
every = "1d"
window = "1d"
horizons = []
decimals = 9
rounding = "half-even"
[regions.groups]
GLOBAL = ["*"]
[fallback]
carry = 0
[restatement]
until = "never"
[[levels]]
name = "all"
kinds = ["trade"]
"""


def run(observations: pl.DataFrame, folder: Path, rest: str) -> MarkRun:
    path = folder / "mine.toml"
    path.write_text(HEAD + rest)
    return mark(observations, methodology=path, first=date(2027, 1, 5), end=date(2027, 1, 6), indices=[INDEX])


@pytest.fixture
def rows() -> list[Row]:
    rng = np.random.default_rng(8)
    found = [
        {
            "kind": "trade",
            "provider": "abcdef"[min(int(rng.exponential(1.5)), 5)],
            "time": CLOSE - timedelta(hours=float(rng.uniform(0.1, 23.9))),
            "price": round(float(rng.lognormal(0.9, 0.2)), 3),
            "quantity": float(rng.lognormal(2, 1)),
            "trust": float(rng.uniform(0.1, 1)),
        }
        for _ in range(60)
    ]
    return sorted(found, key=lambda row: row["time"])


def weighted_median(votes: list[tuple[float, float]]) -> float:
    ordered, passed = sorted(votes), 0.0
    for price, weight in ordered:
        passed += weight
        if passed >= sum(weight for _, weight in votes) / 2:
            return price
    raise AssertionError("no vote")


def twap(rows: list[Row]) -> float:
    ends = [row["time"] for row in rows[1:]] + [CLOSE]
    held = [(end - row["time"]).total_seconds() for row, end in zip(rows, ends, strict=True)]
    return float(sum(row["price"] * time for row, time in zip(rows, held, strict=True)) / sum(held))


def by_recency(rows: list[Row]) -> float:
    weights = [0.5 ** ((CLOSE - row["time"]) / timedelta(hours=4)) for row in rows]
    return float(sum(row["price"] * weight for row, weight in zip(rows, weights, strict=True)) / sum(weights))


def capped_by_trust(rows: list[Row]) -> float:
    share = dict.fromkeys("abcdef", 0.0)
    for row in rows:
        share[row["provider"]] += row["trust"] / sum(one["trust"] for one in rows)
    share = {name: part for name, part in share.items() if part}
    own, fixed = dict(share), set[str]()
    while over := {name for name, part in share.items() if part > 0.3 + 1e-12}:
        fixed |= over
        left = sum(part for name, part in own.items() if name not in fixed)
        share = {name: 0.3 if name in fixed else part * (1 - 0.3 * len(fixed)) / left for name, part in own.items()}
    return weighted_median([(row["price"], row["trust"] / own[row["provider"]] * share[row["provider"]]) for row in rows])


def voting(pick: Callable[[list[float]], float]) -> Callable[[list[Row]], float]:
    """The mean over providers of what each picks of its prices, in the order of their time."""
    return lambda rows: mean(pick([row["price"] for row in rows if row["provider"] == name]) for name in {row["provider"] for row in rows})


EQUAL = 'pooling = "observation"\n[levels.weights]\nby = ["equal"]\n'
TRUST = '[[levels.require]]\ncolumn = "trust"\nabove = 0\n'
PLAIN = "[levels.low_confidence]\ncontributors = 4\n"
PICKS: dict[str, Callable[[list[float]], float]] = {"median": median, "mean": mean, "lowest": min, "last": lambda prices: prices[-1]}
CASES: list[tuple[str, Callable[[list[Row]], float]]] = [
    (f'estimator = "twap"\n{EQUAL}', twap),
    (f'estimator = "mean"\n{EQUAL}', lambda rows: mean(row["price"] for row in rows)),
    (f'estimator = "median"\n{EQUAL}', lambda rows: median(row["price"] for row in rows)),
    ('estimator = "mean"\npooling = "observation"\n[levels.weights]\nby = ["recency"]\nhalf_life = "4h"\n', by_recency),
    (
        'estimator = "weighted median"\ntie = "lower"\npooling = "observation"\n'
        f'[levels.weights]\nby = ["confidence"]\nconfidence = "trust"\ncap = 0.3\n{TRUST}',
        capped_by_trust,
    ),
    *(
        (f'estimator = "mean"\npooling = "contributor"\nvote = "{vote}"\n[levels.weights]\nby = ["equal"]\n', voting(pick))
        for vote, pick in PICKS.items()
    ),
]


@pytest.mark.parametrize(("text", "plainly"), CASES)
def test_a_level_gives_what_plain_python_does(
    text: str, plainly: Callable[[list[Row]], float], rows: list[Row], observe: Observe, tmp_path: Path
) -> None:
    found = run(observe(*rows), tmp_path, text + PLAIN)
    assert found.marks["value"][0] == pytest.approx(plainly(rows), abs=1e-8)


def test_a_contributors_vote_weighs_all_that_it_traded(rows: list[Row], observe: Observe, tmp_path: Path) -> None:
    text = 'estimator = "vwap"\npooling = "contributor"\nvote = "median"\n[levels.weights]\nby = ["quantity"]\n'
    found = run(observe(*rows), tmp_path, text + '[[levels.require]]\ncolumn = "quantity"\nabove = 0\n' + PLAIN)
    own = {name: [row for row in rows if row["provider"] == name] for name in {row["provider"] for row in rows}}
    sums = {name: sum(row["quantity"] for row in mine) for name, mine in own.items()}
    expected = sum(median(row["price"] for row in mine) * sums[name] for name, mine in own.items()) / sum(sums.values())
    assert found.marks["value"][0] == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    ("least", "status"),
    [
        ("quantity = 1", "published"),
        ("quantity = 1e6", "low-confidence"),
        ("largest_share = 0.9", "published"),
        ("largest_share = 0.2", "low-confidence"),
        ("contributors = 4", "published"),
        ("contributors = 7", "low-confidence"),
        ("observations = 61", "low-confidence"),
    ],
)
def test_what_suffices_is_told_by_volume_and_by_the_largest_share_too(
    least: str, status: str, rows: list[Row], observe: Observe, tmp_path: Path
) -> None:
    text = 'estimator = "vwap"\npooling = "observation"\n[levels.weights]\nby = ["quantity"]\n'
    text += f'[[levels.require]]\ncolumn = "quantity"\nabove = 0\n[levels.publish]\n{least}\n[levels.low_confidence]\nobservations = 1\n'
    found = run(observe(*rows), tmp_path, text)
    assert found.marks["status"].to_list() == [status]
    reasons = found.audit(INDEX, "2027-01-05").entry["low_confidence"]
    assert bool(reasons) == (status == "low-confidence")


def test_a_share_of_exactly_the_limit_is_not_too_large(observe: Observe, tmp_path: Path) -> None:
    text = 'estimator = "mean"\npooling = "contributor"\nvote = "mean"\n[levels.weights]\nby = ["equal"]\n'
    text += f"[levels.publish]\nlargest_share = {1 / 3!r}\n[levels.low_confidence]\nobservations = 1\n"
    three = [{"kind": "trade", "provider": name, "price": 2.0, "quantity": 1.0} for name in ("cirrus", "nimbus", "stratus")]
    assert run(observe(*three), tmp_path, text).marks["status"].to_list() == ["published"]
    assert run(observe(*three[:2]), tmp_path, text).marks["status"].to_list() == ["low-confidence"]


def test_a_wash_trade_is_excluded_by_who_bought(rows: list[Row], observe: Observe, tmp_path: Path) -> None:
    washed = [row | {"buyer": row["provider"] if number % 10 == 0 else "harbor"} for number, row in enumerate(rows)]
    text = f'estimator = "median"\n{EQUAL}[[levels.require]]\ncolumn = "buyer"\ndiffers_from = "provider"\n{PLAIN}'
    found = run(observe(*washed), tmp_path, text)
    assert found.exclusions.height == 6
    assert found.exclusions["limit"].unique().to_list() == ["other than provider"]
