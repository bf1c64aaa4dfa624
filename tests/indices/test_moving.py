"""What it takes to move a mark: attacks against the whole methodology with their rows added, and against all small attacks."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pytest

from tenorgrid.indices.calculation import Calculation, calculate
from tenorgrid.indices.methodology import load
from tenorgrid.indices.sensitivity.moving import to_move

Row: TypeAlias = dict[str, Any]
Rule = Callable[..., Path]
INDEX = "H100-SXM.GLOBAL.FIRM"
CLOSE = datetime(2027, 1, 6, tzinfo=UTC)
OPEN = CLOSE - timedelta(days=1)
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
kinds = ["KIND"]
"""
SIZED = '[[levels.require]]\ncolumn = "quantity"\nabove = 0\n[levels.low_confidence]\nobservations = 1\n'
PLAIN = "[levels.low_confidence]\nobservations = 1\n"
WEIGHED = '[levels.weights]\nby = ["quantity"]\n'
EQUAL = '[levels.weights]\nby = ["equal"]\n'
CAPPED = '[levels.weights]\nby = ["quantity"]\ncap = 0.4\n'
TRUSTED = '[levels.weights]\nby = ["confidence", "recency"]\nconfidence = "trust"\nhalf_life = "6h"\n'
TRUST = '[[levels.require]]\ncolumn = "trust"\nabove = 0\n'
FAR = '[[levels.filters]]\nrule = "RULE"\nwithin = "window"\n'
TRADES = {
    "vwap": 'pooling = "observation"\nestimator = "vwap"\n' + WEIGHED,
    "vwap of 5 and more": 'pooling = "observation"\nestimator = "vwap"\n' + WEIGHED
    + '[[levels.require]]\ncolumn = "quantity"\nat_least = 5\n',
    "volume-weighted median": 'pooling = "observation"\nestimator = "volume-weighted median"\ntie = "lower"\n' + WEIGHED,
    "midpoint": 'pooling = "observation"\nestimator = "volume-weighted median"\ntie = "midpoint"\n' + WEIGHED,
    "winsorised": 'pooling = "observation"\nestimator = "winsorised mean"\ntrim = 0.05\n' + WEIGHED,
    "trimmed": 'pooling = "observation"\nestimator = "trimmed mean"\ntrim = 0.1\n' + WEIGHED,
    "middle third": 'pooling = "observation"\nestimator = "middle-third mean"\n' + WEIGHED,
    "partitions": 'pooling = "observation"\nestimator = "volume-weighted median"\ntie = "lower"\npartitions = 6\n' + WEIGHED,
    "capped vwap": 'pooling = "observation"\nestimator = "vwap"\n' + CAPPED + "[levels.publish]\ncontributors = 3\n",
    "venues": 'pooling = "observation"\nestimator = "volume-weighted median"\ntie = "lower"\n' + WEIGHED
    + FAR.replace("RULE", "erroneous venue") + "distance = 0.1\nat_least = 3\n",
}  # fmt: skip
QUOTES = {
    "median": 'pooling = "observation"\nestimator = "median"\n' + EQUAL,
    "mean": 'pooling = "observation"\nestimator = "mean"\n' + EQUAL,
    "twap": 'pooling = "observation"\nestimator = "twap"\n' + EQUAL,
    "mad": 'pooling = "observation"\nestimator = "median"\n' + EQUAL + FAR.replace("RULE", "mad") + "deviations = 3.5\nat_least = 5\n",
    "sigma": 'pooling = "observation"\nestimator = "mean"\n' + EQUAL + FAR.replace("RULE", "sigma")
    + "sigmas = 2.5\ntrim = 0.1\nat_least = 4\n",
    "tukey": 'pooling = "observation"\nestimator = "mean"\n' + EQUAL + FAR.replace("RULE", "tukey") + "fences = 1.5\nat_least = 4\n",
    "trust": 'pooling = "observation"\nestimator = "weighted median"\ntie = "lower"\n' + TRUSTED + TRUST,
    "votes": 'pooling = "contributor"\nvote = "median"\nestimator = "mean"\n' + EQUAL,
    "lowest": 'pooling = "contributor"\nvote = "lowest"\nestimator = "median"\n' + EQUAL,
    "capped votes": 'pooling = "contributor"\nvote = "mean"\nestimator = "weighted median"\ntie = "lower"\n'
    + TRUSTED.replace("half_life", "cap = 0.4\nhalf_life") + TRUST + "[levels.publish]\ncontributors = 3\n",
}  # fmt: skip


@pytest.fixture
def rule(tmp_path: Path) -> Rule:
    def make(body: str, *, kind: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(HEAD.replace("KIND", kind) + body + (SIZED if kind == "trade" else PLAIN))
        return path

    return make


def seen(seed: int, *, kind: str, number: int = 30, names: int = 5) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    rows = [
        {
            "observation_id": f"o{number}",
            "kind": kind,
            "provider": "abcdef"[int(rng.integers(names))],
            "time": OPEN + timedelta(seconds=int(rng.integers(86_000))),
            "price": round(float(rng.lognormal(0.9, 0.08)), 4),
            "quantity": round(float(rng.lognormal(3, 1)), 3) if kind == "trade" else None,
            "trust": round(float(rng.uniform(0.1, 1)), 3),
        }
        for number in range(number)
    ]
    return whole(rows)


def whole(rows: list[Row]) -> pl.DataFrame:
    where = {"resource": "h100-sxm", "region": "us-east", "tier": "firm", "horizon": None}
    return pl.DataFrame([where | row for row in rows], schema_overrides={"quantity": pl.Float64}, infer_schema_length=None)


def marked(observations: pl.DataFrame, path: Path) -> Calculation:
    return calculate(observations, methodology=load(path), first=date(2027, 1, 5), end=date(2027, 1, 6), indices=[INDEX])


def value(observations: pl.DataFrame, path: Path) -> float:
    found = marked(observations, path).decided["unrounded"][0]
    return float("nan") if found is None else float(found)


def attacks(observations: pl.DataFrame, path: Path) -> list[Row]:
    (found,) = to_move(marked(observations, path)).values()
    return list(found["attacks"])


def after(observations: pl.DataFrame, path: Path, attack: Row, *, quantity: float | None = None, fewer: int = 0) -> float:
    """The mark by the whole methodology with the rows of an attack among the observations."""
    moments = [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (at.removesuffix("Z") for at in attack["at"])]
    moments = moments * (attack["observations"] // len(moments))
    rows = [
        {
            "observation_id": f"new{number}",
            "kind": attack["kind"],
            "provider": attack["provider"] or "nobody yet",
            "time": moment,
            "price": attack["price"],
            "quantity": attack["quantity"] if quantity is None else quantity,
            "trust": attack["confidence"],
        }
        for number, moment in enumerate(moments[: len(moments) - fewer])
    ]
    return value(pl.concat([observations, whole(rows)], how="diagonal_relaxed") if rows else observations, path)


def moved(before: float, now: float, attack: Row) -> bool:
    sign = 1 if attack["direction"] == "up" else -1
    return bool(sign * (now / before - 1) >= 0.01 - 1e-9)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", TRADES)
def test_trades_that_are_told_move_the_mark_and_a_little_less_does_not(rule: Rule, name: str, seed: int) -> None:
    path = rule(TRADES[name], kind="trade")
    rows = seen(seed, kind="trade")
    found, before = attacks(rows, path), value(rows, path)
    assert {attack["direction"] for attack in found} == {"up", "down"}
    able = [attack for attack in found if "cannot" not in attack]
    assert able
    for attack in able:
        now = after(rows, path, attack)
        assert moved(before, now, attack), attack
        assert now == pytest.approx(attack["value"], rel=1e-9)
        assert attack["notional"] == pytest.approx(attack["observations"] * attack["quantity"] * attack["price"])
        assert attack["cash_cost"] == pytest.approx(attack["observations"] * attack["quantity"] * abs(attack["price"] - before))
        smallest = 5.0 if name == "vwap of 5 and more" else 1.0
        if attack["quantity"] > smallest:
            assert not moved(before, after(rows, path, attack, quantity=attack["quantity"] * (1 - 1e-6)), attack), attack


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", QUOTES)
def test_quotes_that_are_told_move_the_mark_and_one_fewer_does_not(rule: Rule, name: str, seed: int) -> None:
    path = rule(QUOTES[name], kind="firm quote")
    rows = seen(seed, kind="firm quote")
    found, before = attacks(rows, path), value(rows, path)
    for attack in [attack for attack in found if "cannot" not in attack]:
        assert moved(before, after(rows, path, attack), attack), attack
        assert not moved(before, after(rows, path, attack, fewer=1), attack), attack
        assert (attack["notional"], attack["cash_cost"], attack["quantity"]) == (0.0, 0.0, None)
    assert len(found) >= 2


@pytest.mark.parametrize("name", ["median", "mean", "mad", "trust", "votes"])
def test_no_smaller_number_of_quotes_at_any_price_does_it(rule: Rule, name: str) -> None:
    path = rule(QUOTES[name], kind="firm quote")
    rows = seen(5, kind="firm quote", number=9, names=4)
    before = value(rows, path)
    for attack in attacks(rows, path):
        if "cannot" in attack:
            continue
        sign = 1 if attack["direction"] == "up" else -1
        prices = [before * (1 + sign * away) for away in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8)] + [before * (100.0 if sign > 0 else 0.01)]
        for price, fewer in product(prices, range(1, attack["observations"] + 1)):
            assert not moved(before, after(rows, path, attack | {"price": price}, fewer=fewer), attack), (attack, price, fewer)


@pytest.mark.parametrize("name", ["vwap", "vwap of 5 and more", "volume-weighted median"])
def test_no_trade_of_a_smaller_notional_or_cash_cost_does_it(rule: Rule, name: str) -> None:
    path = rule(TRADES[name], kind="trade")
    rows = seen(3, kind="trade", number=7)
    before, found = value(rows, path), attacks(rows, path)
    for attack, away in product(found, (0.01, 0.013, 0.03, 0.1, 0.4, 0.9, 5.0, 40.0, 99.0)):
        price = before * (1 + away) if attack["direction"] == "up" else before / (1 + away)
        budget = attack["notional"] / price if "notional" in attack["least"] else attack["cash_cost"] / abs(price - before)
        if budget * 0.999 > (5 if name == "vwap of 5 and more" else 1):  # the smallest trade
            now = after(rows, path, attack | {"price": price}, quantity=budget * 0.999)
            assert not moved(before, now, attack), (attack, price)


def test_an_average_is_moved_at_the_price_farthest_away(rule: Rule) -> None:
    rows = whole([{"observation_id": "o", "kind": "trade", "provider": "a", "time": OPEN, "price": 2.0, "quantity": 98000.0, "trust": 1.0}])
    up, down = attacks(rows, rule(TRADES["vwap"], kind="trade"))
    assert up["least"] == down["least"] == ["notional", "cash"]
    assert (up["by"], up["price"]) == ("any name", 200.0)  # a hundred times the mark
    assert up["quantity"] == pytest.approx(98000 * 0.02 / (200 - 2.02))  # q (p - 2.02) = Q (2.02 - 2)
    assert down["price"] == 0.02
    assert down["quantity"] == pytest.approx(98000 * 0.02 / (1.98 - 0.02))  # q (1.98 - p) = Q (2 - 1.98)
    assert down["notional"] == pytest.approx(1000 * 0.02)
    assert down["cash_cost"] == pytest.approx(1000 * 1.98)


def test_a_cap_makes_it_impossible_and_the_reason_is_told(rule: Rule) -> None:
    """Ten votes of equal weight close together and one more: it may move the median to its neighbour, and no further."""
    rows = whole(
        [
            {"observation_id": f"o{number}", "kind": "firm quote", "provider": f"p{number}", "time": OPEN, "price": 2.0 + 0.001 * number}
            for number in range(10)
        ]
    ).with_columns(trust=pl.lit(1.0))
    found = attacks(rows, rule(QUOTES["lowest"], kind="firm quote"))
    assert [(attack["direction"], attack["by"]) for attack in found] == [("up", "any name"), ("down", "any name")]
    assert found[0]["cannot"] == "a contributor has one vote, the lowest of what it shows"


def test_a_rule_that_takes_no_such_price_cannot_be_moved_by_it(rule: Rule) -> None:
    body = QUOTES["median"] + '[[levels.require]]\ncolumn = "price"\nat_most = 2.52\n'
    rows = seen(1, kind="firm quote").with_columns(price=pl.lit(2.5))
    up, down = attacks(rows, rule(body, kind="firm quote"))
    assert up["cannot"] == "the rule takes no price above 2.52"
    assert down["observations"] == 30  # as many again: the median is the mean of the two in the middle


def test_a_panel_admits_no_new_name(rule: Rule) -> None:
    body = QUOTES["median"] + '[[levels.require]]\ncolumn = "provider"\none_of = ["a", "b", "c", "d", "e"]\n'
    found = attacks(seen(1, kind="firm quote"), rule(body, kind="firm quote"))
    assert [attack["by"] for attack in found] == ["existing name", "new name"] * 2
    assert found[1]["cannot"] == found[3]["cannot"] == "the rule takes nobody beside its panel"


def test_a_trade_takes_over_a_mark_of_a_cleared_price_at_which_nothing_was_sold(rule: Rule) -> None:
    """Trades, however few, come before: one GPU-hour by anybody makes the mark, at any price."""
    last = '[[levels]]\nname = "nothing sold"\nkinds = ["trade"]\n' + QUOTES["median"] + "[levels.low_confidence]\nobservations = 1\n"
    path = rule(TRADES["vwap"], kind="trade")
    path.write_text(path.read_text() + last)
    rows = seen(1, kind="trade").with_columns(quantity=pl.lit(0.0))
    before, (up, down, cheap) = value(rows, path), attacks(rows, path)
    assert (up["direction"], up["by"], up["level"], up["observations"], up["quantity"]) == ("up", "any name", "all", 1, 1.0)
    assert up["price"] == up["value"] == pytest.approx(before * 1.01)
    assert after(rows, path, up) == pytest.approx(before * 1.01)
    assert (down["least"], cheap["least"]) == (["cash"], ["notional"])
    assert cheap["price"] == pytest.approx(before / 100)


@pytest.mark.parametrize(
    ("name", "kind"), [("partitions", "trade"), ("capped vwap", "trade"), ("mad", "firm quote"), ("votes", "firm quote")]
)
def test_prices_twice_as_high_cost_twice_as_much(rule: Rule, name: str, kind: str) -> None:
    path = rule((TRADES if kind == "trade" else QUOTES)[name], kind=kind)
    rows = seen(4, kind=kind)
    twice = attacks(rows.sample(fraction=1.0, shuffle=True, seed=3).with_columns(pl.col("price") * 2), path)
    for attack, other in zip(attacks(rows, path), twice, strict=True):
        assert attack.get("cannot") == other.get("cannot")
        if "cannot" not in attack:
            assert (attack["by"], attack["provider"], attack["observations"]) == (other["by"], other["provider"], other["observations"])
            assert other["notional"] == pytest.approx(2 * attack["notional"], rel=1e-6)
            assert other["cash_cost"] == pytest.approx(2 * attack["cash_cost"], rel=1e-6)


def test_a_mark_without_evidence_has_none(rule: Rule) -> None:
    rows = seen(1, kind="firm quote").with_columns(kind=pl.lit("trade"))
    assert to_move(marked(rows, rule(QUOTES["median"], kind="firm quote"))) == {}
