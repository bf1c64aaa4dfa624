"""Marks without each contributor, against the whole methodology run again for each; and the share of each kind of input."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.readers.formats import read_observations
from tenorgrid.indices.calculation import Calculation, by_evidence, calculate
from tenorgrid.indices.methodology import load
from tenorgrid.indices.sensitivity.inputs import kinds
from tenorgrid.indices.sensitivity.without import ranges, without_each

SHARED = Path(__file__).parents[3] / "shared" / "data"
FIRST, END = date(2027, 1, 4), date(2027, 1, 8)
FEW = ("brr-like", "cgi-like", "computepulse-like", "gpu-markets-like", "house", "ornn-like")
INDEX = "H100-SXM.GLOBAL.FIRM"
RULE = """name = "mine"
source = "-"
timezone = "UTC"
calendar = "every day"
cut_off = "24:00 UTC"
every = "1d"
window = "1d"
horizons = []
decimals = 6
rounding = "half-even"
[regions.groups]
GLOBAL = ["*"]
[fallback]
carry = 3
[restatement]
until = "never"
[[levels]]
name = "one vote each"
kinds = ["list price", "firm quote"]
pooling = "contributor"
vote = "median"
estimator = "trimmed mean"
trim = 0.25
[levels.weights]
by = ["equal"]
[levels.low_confidence]
contributors = 3
"""
HEDONIC = """
[normalisation]
name = "by size"
source = "-"
days = 3
[[normalisation.characteristics]]
column = "gpu_count"
form = "log"
base = 8.0
missing = "exclude"
"""


def seen(seed: int, *, names: str = "abcdef", number: int = 160) -> pl.DataFrame:
    """Made-up quotes and trades of four days, of panel members and others, some of them far off."""
    rng = np.random.default_rng(seed)
    known = ["aws", "azure", "coreweave", "lambda", "runpod", *names]
    start = datetime(2027, 1, 4, tzinfo=UTC)
    rows = [
        {
            "observation_id": f"o{place}",
            "time": start + timedelta(seconds=int(rng.integers(4 * 86_400))),
            "provider": known[int(rng.integers(len(known)))],
            "resource": "h100-sxm",
            "region": ["us-east", "us-west"][int(rng.integers(2))],
            "tier": "firm",
            "horizon": None,
            "kind": ["trade", "firm quote", "list price"][int(rng.integers(3))],
            "price": round(float(rng.lognormal(0.9, 0.1)) * (5 if rng.random() < 0.05 else 1), 4),
            "quantity": round(float(rng.lognormal(3, 1)), 3),
            "confidence": round(float(rng.uniform(0.1, 1)), 3),
            "gpu_count": float(rng.integers(1, 9)),
        }
        for place in range(number)
    ]
    return pl.DataFrame(rows)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(RULE)
    return path


def panel(seed: int) -> pl.DataFrame:
    """List prices of a panel every fifteen minutes of a few hours, some of which jump."""
    rng = np.random.default_rng(seed)
    start = datetime(2027, 1, 4, tzinfo=UTC)
    names = ["aws", "azure", "coreweave", "lambda", "runpod", "nebius", "vultr"]
    shown = [(name, step, 2.0 + 0.1 * place) for step in range(12) for place, name in enumerate(names) if rng.random() < 0.9]
    rows = [
        {"provider": name, "time": start + timedelta(minutes=15 * step + 5), "price": price * (1.5 if rng.random() < 0.1 else 1.0)}
        for name, step, price in shown
    ]
    where = {"resource": "h100-sxm", "region": "us-east", "tier": "firm", "kind": "list price"}
    return pl.DataFrame([where | row | {"observation_id": f"o{place}"} for place, row in enumerate(rows)])


def made(observations: pl.DataFrame, method: str | Path) -> Calculation:
    return calculate(observations, methodology=load(method), first=FIRST, end=END)


def one_by_one(whole: Calculation, first: date = FIRST, end: date = END) -> pl.DataFrame:
    """The same by running the methodology again for each contributor."""
    found = []
    for name in whole.observations["provider"].unique().to_list():
        rest = whole.observations.filter(pl.col("provider") != name)
        if not rest.is_empty():
            again = calculate(rest, methodology=whole.methodology, first=first, end=end)
            found.append(by_evidence(again.evidence).select("index", "start", "value", provider=pl.lit(name)))
    return pl.concat(found)


def agree(whole: Calculation, other: pl.DataFrame) -> None:
    mine = without_each(whole)
    assert not mine.is_empty()
    both = mine.join(other, on=["index", "start", "provider"], how="left", suffix="_again")
    assert both["value"].is_null().to_list() == both["value_again"].is_null().to_list()
    assert both.drop_nulls()["value"].to_list() == pytest.approx(both.drop_nulls()["value_again"].to_list(), rel=1e-12)


@pytest.mark.parametrize("method", FEW)
def test_marks_without_a_contributor_are_those_of_the_others_alone(method: str) -> None:
    whole = made(panel(1) if method == "cgi-like" else seen(1, number=1600 if method in ("brr-like", "ornn-like") else 160), method)
    agree(whole, one_by_one(whole))


def test_a_regression_is_run_again_without_the_contributor(tmp_path: Path) -> None:
    path = tmp_path / "hedonic.toml"
    path.write_text((Path(__file__).parents[2] / "indices" / "methodologies" / "gpu-markets-like.toml").read_text() + HEDONIC)
    whole = made(seen(2), path)
    assert whole.rows["unadjusted"].is_null().any()
    agree(whole, one_by_one(whole))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real files are not there")
@pytest.mark.parametrize("method", ["eu-cri-0.2.0", "eu-cri-0.3.0"])
def test_reviews_of_real_offers_are_made_again_without_the_contributor(method: str) -> None:
    first, end = date(2026, 8, 10), date(2026, 8, 13)
    whole = calculate(read_observations(SHARED / "eucri_observations.csv"), methodology=load(method), first=first, end=end)
    agree(whole, one_by_one(whole, first, end))


def told_of(rows: list[tuple[str, str, float]], path: Path) -> Calculation:
    where = {"time": datetime(2027, 1, 5, 17, tzinfo=UTC), "resource": "h100-sxm", "region": "us-east", "tier": "firm"}
    frame = [
        where | {"observation_id": f"o{n}", "provider": who, "kind": kind, "price": price} for n, (who, kind, price) in enumerate(rows)
    ]
    return calculate(pl.DataFrame(frame), methodology=load(path), first=date(2027, 1, 5), end=date(2027, 1, 7), indices=[INDEX])


def test_the_range_names_who_stands_at_its_ends(mine: Path) -> None:
    whole = told_of([(name, "list price", price) for name, price in {"a": 2.0, "b": 2.1, "c": 2.3, "d": 9.0}.items()], mine)
    (told,) = ranges(whole).values()  # the day after carries, and has none
    assert whole.decided.height == 2
    assert told["lowest"] == {"value": pytest.approx((0.25 * 2.0 + 2.1 + 0.25 * 2.3) / 1.5), "without": "d"}
    assert told["highest"] == {"value": pytest.approx((0.25 * 2.1 + 2.3 + 0.25 * 9.0) / 1.5), "without": "a"}
    assert told["no_mark"] == []


def test_whose_absence_leaves_no_mark_is_told_and_a_fallback_is_none(mine: Path) -> None:
    (told,) = ranges(told_of([("a", "list price", 2.0), ("b", "list price", 2.1), ("c", "firm quote", 2.3)], mine)).values()
    assert told == {"lowest": None, "highest": None, "no_mark": ["a", "b", "c"]}


def test_alone_nobody_can_be_left_out() -> None:
    whole = made(seen(3).with_columns(provider=pl.lit("a")), "house")
    assert {tuple(told["no_mark"]) for told in ranges(whole).values()} == {("a",)}
    assert all(told["lowest"] is None and told["highest"] is None for told in ranges(whole).values())


def test_a_mark_without_evidence_has_no_range() -> None:
    whole = made(seen(4).with_columns(price=pl.lit(0.0)), "house")
    assert not whole.decided.is_empty()
    assert ranges(whole) == {}
    assert kinds(whole) == {}


@pytest.mark.parametrize("seed", [5, 6])
def test_shares_of_kinds_are_whole_and_weigh_as_the_votes_do(seed: int) -> None:
    whole = made(seen(seed), "computepulse-like")
    found = kinds(whole)
    assert {part["kind"] for told in found.values() for part in told} == {"firm quote", "list price"}
    for told in found.values():
        assert sum(part["share"] for part in told) == pytest.approx(1)
        assert sum(part["weight_share"] for part in told) == pytest.approx(1)
        assert sum(part["quantity_share"] for part in told) == pytest.approx(1)
    (index, start), told = next(iter(found.items()))
    (part,) = (part for part in whole.evidence if part.level.name == "on-demand quotes")
    rows = part.used.filter(index=index, start=start).to_dicts()
    half = part.level.weights.half_life
    assert half is not None
    weight = {row["observation_id"]: row["confidence"] * 0.5 ** ((row["end"] - row["time"]) / half) for row in rows}
    quotes = sum(weight[row["observation_id"]] for row in rows if row["kind"] == "firm quote")
    assert told[0]["weight_share"] == pytest.approx(quotes / sum(weight.values()))
    assert told[0]["observations"] == sum(row["kind"] == "firm quote" for row in rows)


def test_one_vote_of_several_kinds_is_shared(mine: Path) -> None:
    shown = [("a", "list price"), ("a", "firm quote"), ("a", "firm quote"), ("b", "list price"), ("c", "list price")]
    ((quotes, lists),) = kinds(told_of([(who, kind, 2.0) for who, kind in shown], mine)).values()
    assert (quotes["observations"], quotes["share"], quotes["quantity"], quotes["quantity_share"]) == (2, 0.4, None, None)
    assert quotes["weight_share"] == pytest.approx(2 / 9)  # two thirds of one vote of three
    assert lists["weight_share"] == pytest.approx(7 / 9)
