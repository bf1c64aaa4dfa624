"""`tenorgrid mark` and how sensitive its marks are: told, left out, recomputed, and refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Command = Callable[..., Any]
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
carry = 0
[restatement]
until = "never"
[[levels]]
name = "list prices"
kinds = ["list price"]
pooling = "contributor"
vote = "median"
estimator = "mean"
[levels.weights]
by = ["equal"]
[levels.low_confidence]
contributors = 2
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Prices of three providers, and a rule of their plain mean."""
    where = {
        "time": datetime(2027, 1, 5, 12, tzinfo=UTC),
        "resource": "h100-sxm",
        "region": "us-east",
        "tier": "firm",
        "kind": "list price",
    }
    listed = {"a": 2.0, "b": 2.1, "c": 2.2}
    rows = pl.DataFrame([where | {"observation_id": name, "provider": name, "price": price} for name, price in listed.items()])
    rows.write_parquet(tmp_path / "seen.parquet")
    (tmp_path / "mine.toml").write_text(RULE)
    return tmp_path / "seen.parquet", tmp_path / "mine.toml"


def entry(folder: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    return next(one for one in lines if one["index"] == "H100-SXM.GLOBAL.FIRM")


def test_marks_tell_it_and_verify_recomputes_it(command: Command, files: tuple[Path, Path], tmp_path: Path) -> None:
    seen, rule = map(str, files)
    command("mark", seen, "--method", rule, "--out", str(tmp_path / "out"))
    told = entry(tmp_path / "out")
    assert told["without_one"]["lowest"] == {"value": 2.05, "without": "c"}
    assert told["without_one"]["highest"] == {"value": pytest.approx(2.15), "without": "a"}
    assert [attack["direction"] for attack in told["to_move"]["attacks"]] == ["up", "up", "down", "down"]
    verified = command("mark", seen, "--method", rule, "--verify", str(tmp_path / "out" / "audit.jsonl"))
    assert "none differs" in verified.out
    path = tmp_path / "out" / "audit.jsonl"
    path.write_text(path.read_text().replace('"without":"c"', '"without":"b"'))
    refused = command("mark", seen, "--method", rule, "--verify", str(path))
    assert refused.code == 1
    assert "without_one.lowest.without is recorded as b, recomputed as c" in refused.err


def test_it_may_be_left_out_aloud(command: Command, files: tuple[Path, Path], tmp_path: Path) -> None:
    seen, rule = map(str, files)
    command("mark", seen, "--method", rule, "--out", str(tmp_path / "out"), "--without-sensitivity")
    told = entry(tmp_path / "out")
    assert (told["sensitivity"], told["without_one"], told["to_move"]) == ("left out", None, None)
    assert "none differs" in command("mark", seen, "--method", rule, "--verify", str(tmp_path / "out" / "audit.jsonl")).out


def test_what_a_verification_would_not_read_is_wrong_usage(command: Command, files: tuple[Path, Path], tmp_path: Path) -> None:
    refused = command("mark", str(files[0]), "--verify", str(tmp_path / "audit.jsonl"), "--without-sensitivity")
    assert refused.code == 2
    assert "--without-sensitivity cannot be given with --verify" in " ".join(refused.err.replace("│", " ").split())
