"""The shipped methodologies in the manner of others: worked examples through `mark`, and each rule written out in plain Python."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

import numpy as np
import polars as pl
import pytest

from tenorgrid.data.errors import InputError, NotPublishedError
from tenorgrid.indices.audit import verify
from tenorgrid.indices.marks import MarkRun, mark
from tenorgrid.indices.methodology import load

Observe = Callable[..., pl.DataFrame]
ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "indices" / "methodologies"
DAY = date(2027, 1, 5)
GLOBAL = "H100-SXM.GLOBAL.FIRM"
LONDON = datetime(2027, 1, 5, 15, tzinfo=UTC)  # the hour up to 16:00 London
Trade: TypeAlias = tuple[float, str, float, float]
TRADES: list[Trade] = [
    (1, "A", 2.00, 8),
    (4, "B", 2.04, 4),
    (11, "A", 2.02, 16),
    (19, "B", 2.10, 8),
    (22, "A", 2.06, 4),
    (25, "B", 2.20, 2),
]
TRADES += [(39, "A", 2.08, 12), (41, "B", 2.10, 1), (47, "A", 2.12, 1), (59, "B", 2.14, 3)]
OTHER_VENUE: list[Trade] = [(10, "C", 4.0, 50), (30, "C", 4.0, 50), (50, "C", 4.0, 50)]
LATE_BLOCK: list[Trade] = [(59.9, "A", 3.00, 200)]


def changed(folder: Path, name: str, *pairs: tuple[str, str]) -> Path:
    """A shipped file with some of its text replaced."""
    text = (SHIPPED / f"{name}.toml").read_text()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path = folder / "changed.toml"
    path.write_text(text)
    return path


def marked(observations: pl.DataFrame, methodology: Path | str, *, index: str = GLOBAL, days: int = 1, first: date = DAY) -> MarkRun:
    return mark(observations, methodology=methodology, first=first, end=first + timedelta(days), indices=[index])


def value(run: MarkRun) -> float | None:
    found: float | None = run.marks["value"][0]
    return found


def worked(observe: Observe, rows: list[Trade]) -> pl.DataFrame:
    return observe(
        *(
            {"kind": "trade", "time": LONDON + timedelta(minutes=minute), "provider": venue, "price": price, "quantity": float(quantity)}
            for minute, venue, price, quantity in rows
        )
    )


THREE = [("partitions = 12", "partitions = 3"), ("partitions = 6", "partitions = 1"), ("decimals = 2", "decimals = 8")]
NO_SCREEN = [('[[levels.filters]]\nrule = "erroneous venue"\nwithin = "window"\ncolumn = "provider"\ndistance = 0.10\nat_least = 3\n', "")]
VWAP = [('estimator = "volume-weighted median"\ntie = "lower"\npartitions = 12', 'estimator = "vwap"'), ("partitions = 6\n", "")]
VWAP += [("partitions = 1\n", ""), ("decimals = 2", "decimals = 8")]


@pytest.mark.parametrize(
    ("extra", "changes", "expected"),
    [
        ([], THREE, 2.08),
        ([], VWAP, 2.05966102),
        (OTHER_VENUE, THREE, 2.08),
        (OTHER_VENUE, [*THREE, *NO_SCREEN], 4.00),
        (LATE_BLOCK, THREE, 2.36666667),
        (LATE_BLOCK, VWAP, 2.78579151),
    ],
)
def test_the_worked_example_of_partition_medians(
    extra: list[Trade], changes: list[tuple[str, str]], expected: float, observe: Observe, tmp_path: Path
) -> None:
    run = marked(worked(observe, TRADES + extra), changed(tmp_path, "brr-like", *changes))
    assert value(run) == expected
    assert run.marks["status"].to_list() == ["published"]


def test_a_venue_in_error_is_named_with_what_it_showed(observe: Observe, tmp_path: Path) -> None:
    run = marked(worked(observe, TRADES + OTHER_VENUE), changed(tmp_path, "brr-like", *THREE))
    assert run.exclusions.select("rule", "value", "limit").rows() == [("erroneous venue", "4.0", "within 10 % of 2.1")] * 3


def test_an_empty_partition_is_left_out_and_counted(observe: Observe, tmp_path: Path) -> None:
    run = marked(worked(observe, [row for row in TRADES if not 20 <= row[0] < 40]), changed(tmp_path, "brr-like", *THREE))
    assert value(run) == 2.08
    assert run.audit(GLOBAL, DAY).entry["levels"][0]["partitions"] == 2


def trades(observe: Observe, seed: int, *, start: datetime, hours: float, count: int = 200, desks: int = 9) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return observe(
        *(
            {
                "kind": "trade",
                "provider": f"desk{int(rng.integers(desks))}",
                "buyer": ["harbor", None, "desk1"][int(rng.integers(3))],
                "time": start + timedelta(hours=float(rng.uniform(0, hours))),
                "price": float(rng.lognormal(0.9, 0.2)),
                "quantity": float(rng.lognormal(2, 1)),
                "term_hours": [None, 24.0, 8760.0][int(rng.integers(3))],
            }
            for _ in range(count)
        )
    )


@pytest.mark.parametrize("seed", range(5))
def test_ornn_like_is_the_winsorised_mean_of_its_hour_in_plain_python(seed: int, observe: Observe) -> None:
    seen = trades(observe, seed, start=datetime(2027, 1, 5, 19, tzinfo=UTC), hours=3, count=300)
    rows = [
        row
        for row in seen.iter_rows(named=True)
        if datetime(2027, 1, 5, 20, tzinfo=UTC) <= row["time"] < datetime(2027, 1, 5, 21, tzinfo=UTC)
        and row["buyer"] != row["provider"]
        and (row["term_hours"] or 0) <= 730
    ]
    rows.sort(key=lambda row: row["price"])
    whole, below = sum(row["quantity"] for row in rows), 0.0
    low = high = rows[0]["price"]
    for row in rows:
        if below <= 0.05 * whole:
            low = row["price"]
        if below < 0.95 * whole:
            high = row["price"]
        below += row["quantity"]
    expected = sum(min(max(row["price"], low), high) * row["quantity"] for row in rows) / whole
    run = marked(
        pl.concat([seen, seen.with_columns(pl.col("time") - timedelta(days=1), observation_id="y" + pl.col("observation_id"))]), "ornn-like"
    )
    assert run.audit(GLOBAL, DAY).entry["counts"]["used"] == len(rows) > 20
    assert value(run) == pytest.approx(expected, abs=5.01e-4)


def test_ornn_like_is_suspended_until_two_prints_in_a_row(observe: Observe) -> None:
    one = trades(observe, 1, start=datetime(2027, 1, 5, 20, tzinfo=UTC), hours=1, count=60)
    days = [0, 1, 6, 7]
    seen = pl.concat([one.with_columns(pl.col("time") + timedelta(days=day), pl.col("observation_id") + f"/{day}") for day in days])
    run = marked(seen, "ornn-like", days=9)
    letters = "".join(status[0] for status in run.marks["status"])
    assert letters == "wpcccwwpc"
    assert run.audit(GLOBAL, "2027-01-11").entry["low_confidence"] == ["1 of the 2 periods after which it prints again"]


def listed(observe: Observe, prices: dict[str, list[float]], *, at: datetime) -> pl.DataFrame:
    rows = [(name, price) for name, own in prices.items() for price in own]
    return observe(*({"provider": name, "price": price, "time": at + timedelta(seconds=n)} for n, (name, price) in enumerate(rows)))


def test_cgi_like_marks_every_quarter_of_an_hour_with_capped_providers(observe: Observe) -> None:
    noon = datetime(2027, 1, 5, 12, tzinfo=UTC)
    seen = listed(
        observe, {"aws": [4.0] * 60, "gcp": [3.0] * 10, "lambda": [2.0] * 10, "nebius": [2.5] * 10, "runpod": [1.0] * 10}, at=noon
    )
    run = marked(seen, "cgi-like")
    told = run.marks.filter(pl.col("value").is_not_null())
    assert told["start"].to_list() == [noon + timedelta(minutes=15 * number) for number in range(9)]
    assert told["status"].to_list() == ["published"] + ["carried"] * 8
    # 60 % of the offers become 30 %, the others 17.5 % each: the middle third is 2.5 from 35.0 % on and 3.0 from 52.5 to 66.7 %
    assert told["value"][0] == round(((0.525 - 1 / 3) * 2.5 - (0.35 - 1 / 3) * 0.5 + (2 / 3 - 0.525) * 3.0) * 3, 2)


def test_three_listed_providers_are_too_few_for_a_cap_of_thirty_percent(observe: Observe) -> None:
    at = datetime(2027, 1, 5, 12, tzinfo=UTC)
    run = marked(listed(observe, {"aws": [4.0], "gcp": [3.0], "lambda": [2.0]}, at=at), "cgi-like")
    entry = run.audit(GLOBAL, at).entry
    assert (entry["status"], entry["value"], entry["levels"][0]["value"]) == ("withheld", None, None)


def test_a_jump_of_a_listed_price_waits_for_its_second_sight(observe: Observe) -> None:
    at = datetime(2027, 1, 5, 12, tzinfo=UTC)
    plain = {"aws": [4.0], "gcp": [3.0], "lambda": [2.0], "nebius": [2.5], "runpod": [1.0]}
    jumped = plain | {"lambda": [9.0]}
    later = [listed(observe, jumped, at=at + timedelta(minutes=15 * n)).with_columns(pl.col("observation_id") + f"/{n}") for n in (1, 2)]
    run = marked(pl.concat([listed(observe, plain, at=at), *later]), "cgi-like")
    assert run.exclusions.select("observation_id", "rule", "value", "limit").rows() == [("o2/1", "jump", "9.0", "within 25 % of 2.0")]
    assert run.marks.filter(pl.col("start") == at + timedelta(minutes=30))["value"][0] > run.marks.filter(start=at)["value"][0]


def test_computepulse_like_weighs_by_confidence_and_recency_in_plain_python(observe: Observe) -> None:
    rng = np.random.default_rng(2)
    close = datetime(2027, 1, 6, tzinfo=UTC)
    rows: list[dict[str, Any]] = [
        {
            "provider": f"p{number % 6}",
            "kind": ["firm quote", "list price"][number % 2],
            "time": close - timedelta(hours=float(rng.uniform(0.01, 40))),
            "price": float(rng.lognormal(0.9, 0.3)) * (0.001 if number == 7 else 1),
            "confidence": [0.09, 0.5, 1.0, None, 1.5][number % 5],
        }
        for number in range(90)
    ]
    good = [
        row
        for row in rows
        if (row["confidence"] or 0) in (0.5, 1.0) and close - row["time"] <= timedelta(hours=24) and row["price"] >= 0.05
    ]
    votes = sorted((row["price"], row["confidence"] * 0.5 ** ((close - row["time"]) / timedelta(hours=24))) for row in good)
    whole, passed, total = sum(weight for _, weight in votes), 0.0, 0.0
    for price, weight in votes:
        inside = min(passed + weight, 0.9 * whole) - max(passed, 0.1 * whole)
        total += price * max(inside, 0.0)
        passed += weight
    run = marked(observe(*rows), "computepulse-like")
    assert value(run) == pytest.approx(total / (0.8 * whole), abs=5.01e-5)
    assert run.audit(GLOBAL, DAY).entry["counts"]["used"] == len(good)
    assert {"stale", "confidence", "price bounds"} == set(run.exclusions["rule"])


def test_computepulse_like_needs_to_be_told_how_sure_a_quote_is(observe: Observe) -> None:
    with pytest.raises(InputError, match="column confidence: found a missing column"):
        marked(observe({"price": 2.0}), "computepulse-like")


def test_gpu_markets_like_is_the_median_within_the_deviations_at_half_past_midnight(observe: Observe) -> None:
    prices = [2.0, 2.1, 2.2, 2.3, 2.15, 2.05, 250.0]
    inside = datetime(2027, 1, 5, 0, 29, 59, tzinfo=UTC)
    rows = [{"price": price, "provider": f"p{n}", "time": inside} for n, price in enumerate(prices)]
    run = marked(observe(*rows, {"price": 99.0, "time": inside + timedelta(seconds=1)}), "gpu-markets-like")
    assert value(run) == median(prices[:-1]) == 2.125
    assert run.exclusions["rule"].to_list() == ["mad"]


def example(folder: Path) -> Path:
    """The methodology that the documentation shows."""
    text, _ = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "methodologies.md").read_text(), flags=re.DOTALL)
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_the_example_of_the_documentation_marks_every_half_hour_of_the_hour_before(observe: Observe, tmp_path: Path) -> None:
    start = datetime(2027, 1, 5, tzinfo=UTC)
    seen = trades(observe, 3, start=start, hours=24, count=3000)
    path = example(tmp_path)
    run = marked(seen, path)
    assert run.marks.height == 48
    assert (run.marks["end"] - run.marks["start"]).unique().to_list() == [timedelta(minutes=30)]
    assert run.marks["status"].unique().to_list() == ["published"]
    at = datetime(2027, 1, 5, 12, 30, tzinfo=UTC)
    entry = run.audit(GLOBAL, at).entry
    mine = seen.filter(pl.col("time").is_between(at - timedelta(minutes=30), at + timedelta(minutes=30), closed="left"))
    assert entry["counts"]["used"] + entry["counts"]["excluded"] == entry["input"]["rows"] == mine.height
    assert entry["window"] == {"start": "2027-01-05T12:00:00Z", "end": "2027-01-05T13:00:00Z", "length": "1h", "cut_off": "24:00 UTC"}
    assert run.audit(GLOBAL, "2027-01-05T12:30").entry == entry
    assert run.audit(GLOBAL, at).verify(seen).confirmed
    written = run.write_audit(tmp_path / "audit.jsonl")
    assert verify(written, seen, methodology=path, marks=run.marks).confirmed
    with pytest.raises(InputError, match="the start of one of its 48 periods"):
        run.audit(GLOBAL, DAY)
    with pytest.raises(NotPublishedError, match="has no mark of"):
        run.audit(GLOBAL, "2027-01-05T12:31")


def test_each_half_hour_stands_alone(observe: Observe, tmp_path: Path) -> None:
    """A mark of half an hour is what a run over other days gives too: nothing later, and nothing outside of its window, changes it."""
    start = datetime(2027, 1, 4, tzinfo=UTC)
    seen, path = trades(observe, 4, start=start, hours=72, count=2500), example(tmp_path)
    whole = marked(seen, path, first=date(2027, 1, 4), days=3).marks
    for day in range(3):
        alone = marked(seen, path, first=date(2027, 1, 4) + timedelta(day)).marks
        assert alone.rows() == whole.filter(pl.col("start").dt.date() == date(2027, 1, 4) + timedelta(day)).rows()
    shuffled = marked(seen.sample(fraction=1.0, shuffle=True, seed=1), path, first=date(2027, 1, 4), days=3)
    assert shuffled.marks.rows() == whole.rows()


def test_terms_of_a_day_or_more_may_be_indices_of_their_own(observe: Observe, tmp_path: Path) -> None:
    rows = [{"provider": f"p{n}", "price": 2.0 + year, "term_hours": 8760.0 if year else None} for n in range(5) for year in (0, 1)]
    path = changed(tmp_path, "gpu-markets-like", ("horizons = []", 'horizons = []\nterms = "named"'), ("at_most = 730", "at_most = 9000"))
    run = mark(observe(*rows), methodology=path, first=DAY, end=DAY + timedelta(2))
    found = {row["index"]: row["value"] for row in run.marks.iter_rows(named=True) if row["value"] is not None}
    assert found[GLOBAL] == 2.0
    assert found[f"{GLOBAL}.1Y"] == 3.0


def test_prices_are_brought_to_one_specification_by_what_was_known_on_their_day(observe: Observe, tmp_path: Path) -> None:
    """Eight GPUs cost 0.8 of the single price: the index of the single one does not move when the mix does."""
    rng = np.random.default_rng(5)
    rows = [
        {
            "time": datetime(2027, 1, 1, 9, tzinfo=UTC) + timedelta(days=day, minutes=number),
            "provider": f"p{number % 7}",
            "gpu_count": (size := float(rng.choice([1, 2, 4, 8], p=[0.7, 0.1, 0.1, 0.1] if day < 3 else [0.1, 0.1, 0.1, 0.7]))),
            "price": 3.0 * size ** (np.log(0.8) / np.log(8)) * float(np.exp(rng.normal(0, 1e-4))),
        }
        for day in range(6)
        for number in range(40)
    ]
    seen = observe(*rows)
    table = '[normalisation]\nname = "size"\nsource = "-"\ndays = 3\n[[normalisation.characteristics]]\n'
    table += 'column = "gpu_count"\nform = "log"\nbase = 1\n\n[regions.groups]'
    path = changed(tmp_path, "gpu-markets-like", ("[regions.groups]", table))
    days = {"first": date(2027, 1, 2), "days": 4}
    plain, same = (marked(seen, rule, **days).marks["value"].drop_nulls().to_list() for rule in ("gpu-markets-like", path))  # type: ignore[arg-type]
    assert max(plain) / min(plain) > 1.2
    assert same == pytest.approx([3.0] * 4, rel=1e-3)
    later = marked(seen.filter(pl.col("time") < datetime(2027, 1, 3, 0, 30, tzinfo=UTC)), path, first=date(2027, 1, 2), days=2).marks
    assert later["value"].to_list() == same[:2]


def test_a_price_that_cannot_be_adjusted_is_excluded_by_name(observe: Observe, tmp_path: Path) -> None:
    rows = [
        {"provider": f"p{n % 5}", "gpu_count": [1.0, 2.0, 4.0][n % 3], "price": 2.0 + 0.01 * n, "time": datetime(2027, 1, 5, tzinfo=UTC)}
        for n in range(30)
    ]
    table = '[normalisation]\nname = "size"\nsource = "-"\ndays = 3\n[[normalisation.characteristics]]\n'
    table += 'column = "gpu_count"\nform = "log"\nbase = 1\n\n[regions.groups]'
    path = changed(tmp_path, "gpu-markets-like", ("[regions.groups]", table))
    run = marked(observe(*rows, rows[0] | {"gpu_count": None, "observation_id": "odd"}), path)
    assert run.exclusions.filter(observation_id="odd").select("rule", "value", "limit").rows() == [
        ("normalisation", "no gpu_count", "at the base specification")
    ]
    assert load(path).normalisation is not None
