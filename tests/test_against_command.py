"""`tenorgrid mark --against` and `tg.split_gap`: sentences, tables, a page with a waterfall, and refusals."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tenorgrid as tg
from tenorgrid.data.store import read_table
from tenorgrid.data.tables.gaps import GapCoalitions, GapRules, Gaps
from tenorgrid.gaps import GapSplit
from tenorgrid.indices.methodology import shipped
from tenorgrid.reports.figures import decomposition as figures

Command = Callable[..., Any]
INDEX = "H100-SXM.GLOBAL.FIRM"
NOON = datetime(2027, 1, 5, 12, tzinfo=UTC)
FILES = ("gaps", "gap_rules", "gap_coalitions")


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    """Seven list prices, two of them far out, of two classes of GPU."""
    rows = [
        {
            "observation_id": f"{resource}-{place}", "time": NOON, "provider": f"p{place}", "resource": resource, "region": "us",
            "tier": "firm", "kind": "list price", "price": price,
        }
        for resource in ("h100-sxm", "h200-sxm") for place, price in enumerate((2.0, 2.2, 2.3, 2.5, 2.6, 7.5, 8.0))
    ]  # fmt: skip
    pl.DataFrame(rows).write_csv(tmp_path / "offers.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return tmp_path / "offers.csv"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The shipped file with another filter and another estimator."""
    shipped_file = Path(__file__).parents[1] / "indices" / "methodologies" / "gpu-markets-like.toml"
    path = tmp_path / "other.toml"
    path.write_text(shipped_file.read_text().replace('"median"', '"mean"').replace('name = "gpu-markets-like"', 'name = "<b>other</b>"'))
    return path


def test_a_gap_is_told_in_a_sentence_in_tables_and_on_a_page(command: Command, offers: Path, other: Path, tmp_path: Path) -> None:
    out = tmp_path / "why"
    when = "2027-01-05T12:00Z"
    said = command("mark", offers, "--method", "gpu-markets-like", "--against", other, "--date", when, "--index", INDEX, "--out", out)
    assert said.code == 0, said.err
    assert said.out.startswith(f"gpu-markets-like prints 2.30 and <b>other</b> 2.32 for {INDEX}")
    assert "from the estimator" in said.out
    gaps, rules, coalitions = (read_table(out, name, schema) for name, schema in zip(FILES, (Gaps, GapRules, GapCoalitions), strict=True))
    assert rules["share"].sum() == pytest.approx(gaps["gap"][0], abs=1e-9)
    assert coalitions.height == 2 ** rules.filter("exchanged").height
    page = (out / "why.html").read_text()
    assert "From &lt;b&gt;other&lt;/b&gt; to gpu-markets-like" in page
    assert "<b>other</b>" not in page
    assert page.count("-plot") >= 2
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["inputs"]) == {"offers.csv", "other.toml"}


def test_all_indices_that_both_print_as_json_and_no_folder(command: Command, offers: Path, other: Path) -> None:
    said = command("mark", offers, "--method", "gpu-markets-like", "--against", other, "--date", "2027-01-06", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert [row["index"] for row in told["gaps"]] == [f"H{kind}-SXM.{label}.FIRM" for kind in ("100", "200") for label in ("GLOBAL", "US")]
    assert (told["out"], told["refused"]) == (None, {})


def test_the_same_from_python(offers: Path, other: Path) -> None:
    seen = tg.read_observations(offers)
    made = tg.split_gap(seen, method="gpu-markets-like", against=other, when=date(2027, 1, 6), index=INDEX, together=[["estimator"]])
    assert isinstance(made, GapSplit)
    assert made.sentence(INDEX) == made.gaps["sentence"][0]
    assert set(made.to_pandas()) == {"gaps", "rules", "coalitions"}
    with pytest.raises(tg.NotPublishedError, match="not among the indices"):
        made.sentence("B200.US.FIRM")


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--against", "nosuch"), 1, f"one of {', '.join(shipped())}"),
        (("--against", "gpu-markets-like"), 1, "another methodology than gpu-markets-like"),
        (("--against", "house", "--date", "yesterday"), 1, "a day such as"),
        (("--against", "house", "--date", "2027-01-05T12:00"), 1, "its time zone"),
        (("--against", "house", "--index", "H100"), 1, "SUBJECT.PLACE.TIER"),
        (("--against", "house", "--against-index", INDEX), 1, "with --index"),
        (("--against", "house", "--together", "clock+weather"), 1, "none of 4 gaps can be split"),
        (("--against", "house", "--index", INDEX, "--together", "clock+weather"), 1, "each once"),
        (("--against", "house", "--verify", "audit.jsonl"), 2, "--verify"),
        (("--index", INDEX), 2, "--index"),
    ],
)
def test_refusals(command: Command, offers: Path, words: tuple[str, ...], code: int, reason: str) -> None:
    asked = ("mark", offers, "--method", "gpu-markets-like", *(() if "--date" in words else ("--date", "2027-01-06")), *words)
    said = command(*asked)
    assert said.code == code
    assert reason in said.err


def test_a_day_is_needed_and_an_output_may_not_hold_its_input(command: Command, offers: Path) -> None:
    assert command("mark", offers, "--against", "gpu-markets-like").code == 2
    said = command("mark", offers, "--against", "gpu-markets-like", "--date", "2027-01-06", "--out", offers.parent)
    assert (said.code, offers.exists()) == (1, True)


def test_bars_lead_from_one_print_to_the_other(offers: Path, other: Path) -> None:
    seen = tg.read_observations(offers)
    made = tg.split_gap(seen, method="house", against=other, when=NOON, index=INDEX)
    row = made.gaps.row(0, named=True)
    prints = (row["value"], row["value_against"])
    drawn = figures.waterfall(made.rules, names=("house", "other"), prints=prints, unit=row["unit"])
    bars = {name: (base, move) for bar in drawn.data[:2] for name, base, move in zip(bar.y, bar.base, bar.x, strict=True)}
    at = prints[1]
    for name, share in figures.told(made.rules).select("rule", "share").iter_rows():
        if share:
            assert bars[name] == pytest.approx((at, share), abs=1e-12)
        at += share
    assert at == pytest.approx(prints[0], abs=1e-9)
    spans = figures.ranges(made.rules, unit=row["unit"])
    assert list(spans.data[1].x) == figures.told(made.rules)["share"].to_list()
