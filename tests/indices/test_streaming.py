"""Marks made days by days are those of one frame, to the last digit, however the rows lie and wherever the days are cut."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import tenorgrid as tg
from tenorgrid.cli import app
from tenorgrid.data.errors import InputError
from tenorgrid.indices.marks import MarkRun, mark
from tenorgrid.indices.methodology import Methodology, load
from tenorgrid.indices.streaming.marking import gathered, mark_stream
from tenorgrid.indices.streaming.source import into_days, opened, row_groups
from tenorgrid.indices.streaming.stretches import counted, is_ordered, stretches
from tests.indices import eucri_market

SHIPPED = Path(tg.__file__).parent / "indices" / "methodologies"
START = datetime(2027, 1, 2, 5, tzinfo=UTC)
KINDS = ("trade", "clearing", "firm quote", "list price")
JUMP = """[levels.publish]
contributors = 3"""
SCREENED = f"""[[levels.filters]]
rule = "jump"
move = 0.2
back = 2

[[levels.filters]]
rule = "jump"
move = 0.1
back = 1

{JUMP}"""
PANEL = str([f"p{number}" for number in range(7)])
CHANGED: dict[str, tuple[str, dict[str, str]]] = {  # of which shipped file, and what is written where
    "house": ("house", {}),
    "gpu-markets-like": ("gpu-markets-like", {}),
    "seven days": ("ccir-1.1.1", {'["vast.ai"]': PANEL, "at_least = 8": "at_least = 2"}),
    "hours": (
        "cgi-like",
        {"15min": "1h", "back = 96": "back = 40", "contributors = 5": "contributors = 2", "contributors = 4": "contributors = 1",
         "cap = 0.30": "cap = 0.9", '"aws", "azure"': PANEL[1:-1], "carry = 8": "carry = 1"},
    ),
    "half-hours": ("house", {'every = "1d"': 'every = "30min"', 'window = "1d"': 'window = "90min"'}),
    "days back": ("house", {"carry = 3": "carry = 2\nresume = 2\ncease_after = 3", 'window = "1d"': 'window = "3d"', JUMP: SCREENED}),
}  # fmt: skip


def rule_of(name: str, place: Path) -> Methodology:
    """A shipped methodology, or one with some words changed."""
    base, changes = CHANGED[name]
    text = (SHIPPED / f"{base}.toml").read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = place / f"{name}.toml"
    path.write_text(text)
    return load(path)


def market(rows: int = 600, *, days: int = 12, seed: int = 5) -> pl.DataFrame:
    """Observations of every kind over some days, of three SKUs, one of which vanishes for days and one of which comes late."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, days * 86400 * 10**6, rows)
    sku = rng.integers(0, 3, rows)
    day = at // (86400 * 10**6)
    kept = ~((sku == 1) & (day > 2) & (day < 8)) & ~((sku == 2) & (day < 5))
    frame = pl.DataFrame(
        {
            "observation_id": [f"o{number}" for number in range(rows)],
            "time": [START + timedelta(microseconds=int(moment)) for moment in at],
            "provider": [f"p{number}" for number in rng.integers(0, 7, rows)],
            "buyer": [f"p{number}" for number in rng.integers(0, 7, rows)],
            "resource": [f"gpu{number}" for number in sku],
            "region": [("us-east", "eu-north", None)[number] for number in rng.integers(0, 3, rows)],
            "tier": ["firm"] * rows,
            "price": np.round(rng.lognormal(0.8, 0.3, rows) * np.where(rng.random(rows) < 0.03, 40, 1), 4),
            "quantity": np.round(rng.uniform(0, 90, rows), 3),
            "kind": [KINDS[number] for number in rng.integers(0, 4, rows)],
            "reliability": rng.uniform(0.8, 1, rows),
            "country": ["US"] * rows,
            "gpu_count": 2.0 ** rng.integers(0, 4, rows),
        }
    ).filter(pl.Series(kept))
    clearing = pl.col("kind") == "clearing"
    return frame.with_columns(
        horizon=pl.when(clearing).then(pl.lit("real-time")),
        quantity=pl.when(pl.col("kind").is_in(["trade", "clearing"])).then("quantity"),
    )


def days_of(frame: pl.DataFrame, rule: Methodology) -> tuple[date, date]:
    begin, last = frame["time"].min(), frame["time"].max()
    assert isinstance(begin, datetime)
    assert isinstance(last, datetime)
    return rule.day_of(begin), rule.day_of(last) + timedelta(1)


def same(found: MarkRun, expected: MarkRun) -> None:
    """Marks, exclusions and the text of every audit."""
    assert found.marks.equals(expected.marks)
    assert found.exclusions.equals(expected.exclusions)
    assert found.audits["audit"].to_list() == expected.audits["audit"].to_list()
    assert found.audits.equals(expected.audits)


@pytest.mark.parametrize("at_once", [1, 150])
@pytest.mark.parametrize("name", CHANGED)
def test_stretches_of_days_give_what_one_frame_gives(name: str, at_once: int, tmp_path: Path) -> None:
    rule, seen = rule_of(name, tmp_path), market()
    first, end = days_of(seen, rule)
    expected = mark(seen, methodology=rule, first=first, end=end, sensitivity="left out")
    runs = list(
        mark_stream(seen.sample(fraction=1, shuffle=True, seed=1).lazy(), methodology=rule, sensitivity="left out", at_once=at_once)
    )
    assert len(runs) == (end - first).days if at_once == 1 else len(runs) > 1
    assert expected.exclusions.height > 0
    assert expected.marks["status"].n_unique() > 2
    same(gathered(runs), expected)


def test_what_moves_a_mark_is_told_the_same(tmp_path: Path) -> None:
    rule, seen = rule_of("days back", tmp_path), market(150, days=7)
    first, end = days_of(seen, rule)
    same(gathered(mark_stream(seen.lazy(), methodology=rule, at_once=40)), mark(seen, methodology=rule, first=first, end=end))


@settings(max_examples=12, deadline=None)
@given(rows=st.integers(30, 200), seed=st.integers(0, 1000), at_once=st.integers(1, 150), cut=st.integers(0, 6))
def test_any_cut_gives_the_same(rows: int, seed: int, at_once: int, cut: int) -> None:
    seen = market(rows, days=9, seed=seed)
    rule = load("house")
    first = rule.day_of(START) + timedelta(cut)
    asked = ["GPU0.US.FIRM", "GPU2.GLOBAL.FIRM", "NOBODY.US.FIRM"] if cut % 2 else None
    expected = mark(seen, methodology=rule, first=first, end=first + timedelta(5), indices=asked, sensitivity="left out")
    found = mark_stream(
        seen.lazy(), methodology=rule, first=first, end=first + timedelta(5), indices=asked, sensitivity="left out", at_once=at_once
    )
    same(gathered(found), expected)


def test_reviewed_weights_look_back_far_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """EU-CRI's weights are those of the weeks before each review."""
    monkeypatch.setattr(eucri_market, "BEFORE", 40)
    seen, rule = eucri_market.market(date(2026, 4, 1)), load("eu-cri-0.3.0")
    first, end = days_of(seen, rule)
    expected = mark(seen, methodology=rule, first=first, end=end, sensitivity="left out")
    assert expected.marks["value"].count() > 40
    same(gathered(mark_stream(seen.lazy(), methodology=rule, sensitivity="left out", at_once=400)), expected)


@pytest.mark.parametrize("form", ["file in order", "file in no order", "folder", "pattern", "delta"])
def test_every_form_of_file_gives_the_same(form: str, tmp_path: Path) -> None:
    seen = market(300, days=6)
    shuffled = seen.sample(fraction=1, shuffle=True, seed=2)
    place = tmp_path / "seen"
    if form.startswith("file"):
        place = tmp_path / "seen.parquet"
        (seen.sort("time") if form == "file in order" else shuffled).write_parquet(place, row_group_size=20)
    elif form == "delta":
        shuffled.write_delta(str(place))
    else:
        place.mkdir()
        for number, part in enumerate(shuffled.iter_slices(80)):
            part.write_parquet(place / f"part-{number}.parquet")
    path = place / "part-*.parquet" if form == "pattern" else place
    rule = load("house")
    first, end = days_of(seen, rule)
    expected = mark(seen, methodology=rule, first=first, end=end, sensitivity="left out")
    same(gathered(mark_stream(path, methodology=rule, sensitivity="left out", at_once=50)), expected)
    assert tg.mark(path, sensitivity="left out").marks.equals(expected.marks)


def test_a_file_in_order_is_read_where_it_lies(tmp_path: Path) -> None:
    seen, rule = market(400), load("house")
    first, end = days_of(seen, rule)
    for rows, ordered in ((seen.sort("time"), True), (seen.sort("price"), False)):
        rows.write_parquet(tmp_path / "seen.parquet", row_group_size=20)
        source = opened(tmp_path / "seen.parquet")
        pieces = stretches(counted(source), rule, first=first, end=end, at_once=60)
        assert len(pieces) > 4
        assert is_ordered(row_groups(source), pieces) is ordered
        assert all(source.between(piece.opens, piece.until).height <= 60 for piece in pieces if piece.end - piece.first > timedelta(1))
    sorted_first = into_days(source, tmp_path / "days")
    assert sorted_first.rows.collect().sort("observation_id").equals(source.rows.collect().sort("observation_id"))


def test_a_cleared_price_against_plain_sums() -> None:
    """A second method: the house's cleared mark of a day is the volume-weighted mean, by numpy."""
    seen = market(800, days=6).filter(kind="clearing")
    run = gathered(mark_stream(seen.lazy(), methodology="house", sensitivity="left out", at_once=100))
    told = {(row["index"], str(row["start"])[:10]): row["value"] for row in run.marks.filter(status="published").iter_rows(named=True)}
    assert len(told) > 5
    days = seen["time"].dt.convert_time_zone("America/New_York").dt.date().cast(pl.String).to_numpy()
    prices, weights, skus = seen["price"].to_numpy(), seen["quantity"].to_numpy(), seen["resource"].to_numpy()
    for (index, day), value in told.items():
        resource, label, _ = index.split(".")
        if label != "GLOBAL":
            continue
        mine = (skus == resource.lower()) & (days == day)
        assert value == pytest.approx(np.average(prices[mine], weights=weights[mine]), abs=5.1e-7)


def test_parts_that_do_not_fit_are_named(tmp_path: Path) -> None:
    seen = market(60, days=3)
    seen.write_parquet(tmp_path / "a.parquet")
    seen.with_columns(pl.col("price").cast(pl.String)).drop("buyer").write_parquet(tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(InputError) as caught:
        next(mark_stream(tmp_path, methodology="house"))
    told = {(fault.file, fault.column) for fault in caught.value.faults}
    assert told == {("b.parquet", "price"), ("b.parquet", "buyer"), ("c.parquet", None)}


def test_a_page_that_is_broken_is_named_by_its_file(tmp_path: Path) -> None:
    seen = market(400, days=3)
    seen.write_parquet(tmp_path / "a.parquet", compression="uncompressed")
    seen.with_columns(pl.format("x{}", "observation_id").alias("observation_id")).write_parquet(tmp_path / "b.parquet", compression="zstd")
    content = bytearray((tmp_path / "b.parquet").read_bytes())
    content[40:400] = bytes(360)
    (tmp_path / "b.parquet").write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(mark_stream(tmp_path, methodology="house"))
    assert [fault.file for fault in caught.value.faults] == ["b.parquet"]


def test_what_is_wrong_with_rows_is_refused(tmp_path: Path) -> None:
    seen = market(200, days=6)
    twice = pl.concat([seen, seen.sort("time").head(1).with_columns(pl.col("time") + pl.duration(days=4))])
    with pytest.raises(InputError, match=f"one row per observation_id, not 2.*{seen.sort('time')['observation_id'][0]}|not 2"):
        list(mark_stream(twice.lazy(), methodology="house", sensitivity="left out", at_once=20))
    mixed = seen.with_columns(unit=pl.when(pl.col("time") > START + timedelta(3)).then(pl.lit("1e6 tokens")))
    with pytest.raises(InputError, match="one unit in the index"):
        list(mark_stream(mixed.lazy(), methodology="house", sensitivity="left out", at_once=20))
    with pytest.raises(InputError, match="times with a zone"):
        next(mark_stream(seen.lazy().with_columns(pl.col("time").dt.replace_time_zone(None)), methodology="house"))
    with pytest.raises(InputError, match="at least one row"):
        next(mark_stream(seen.clear().lazy(), methodology="house"))
    with pytest.raises(InputError, match="a time in every row"):
        next(mark_stream(seen.lazy().with_columns(pl.lit(None, dtype=pl.Datetime("us", "UTC")).alias("time")), methodology="house"))
    with pytest.raises(InputError, match="a first day before the end"):
        next(mark_stream(seen.lazy(), methodology="house", first=date(2027, 3, 1)))
    for name in ("none.parquet", "none-*.parquet", "."):
        with pytest.raises(InputError):
            opened(tmp_path / name)
    with pytest.raises(InputError, match="quantity"):
        list(mark_stream(seen.lazy().with_columns(pl.lit(-1.0).alias("quantity")), methodology="house"))


def run(*words: str) -> Result:
    """A command as it is typed."""
    return CliRunner().invoke(app, list(words))


def test_the_command_writes_what_a_smaller_file_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files, byte for byte, whether the rows are read at once or in pieces; and the proof holds for both."""
    seen = market(300, days=6)
    (tmp_path / "parts").mkdir()
    for number, part in enumerate(seen.sample(fraction=1, shuffle=True, seed=4).iter_slices(90)):
        part.write_parquet(tmp_path / "parts" / f"{number}.parquet")
    seen.write_parquet(tmp_path / "seen.parquet")
    monkeypatch.setattr(mark_stream, "__kwdefaults__", (mark_stream.__kwdefaults__ or {}) | {"at_once": 60})
    for name in ("seen.parquet", "parts"):
        out = tmp_path / f"out-{name}"
        done = run("mark", str(tmp_path / name), "--out", str(out), "--without-sensitivity", "--json")
        assert done.exit_code == 0
    told = json.loads(done.stdout)
    whole, pieces = tmp_path / "out-seen.parquet", tmp_path / "out-parts"
    for name in ("marks.csv", "exclusions.csv", "audit.jsonl"):
        assert (whole / name).read_bytes() == (pieces / name).read_bytes()
    rules = pl.read_csv(pieces / "exclusions.csv").group_by("rule").len().sort("len", "rule", descending=[True, False])
    assert told["excluded"] == dict(rules.iter_rows())
    assert list(told["excluded"]) == rules["rule"].to_list()
    assert run("mark", str(tmp_path / "parts"), "--verify", str(whole / "audit.jsonl")).exit_code == 0
    refused = run("mark", str(tmp_path / "parts"), "--out", str(tmp_path / "no"), "--format", "listings")
    assert isinstance(refused.exception, InputError)
    assert "the only layout of a folder of files" in str(refused.exception)
    assert not (tmp_path / "no").exists()
