"""The tools of the index benchmarks find the same means, medians and marks of small data, and a difference ends the run."""

from pathlib import Path

import polars as pl
import pytest

from benchmarks.indices_lines import AGREE, agree
from benchmarks.indices_tools import TOOLS
from benchmarks.measure import Stopwatch
from benchmarks.trades import SKUS, write_trades

ROWS, DAYS = 6_000, 3
RIVALS = [(line, tool) for line, tools in TOOLS.items() for tool in tools if tool != "tenorgrid"]


@pytest.fixture(scope="module")
def trades(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trades(tmp_path_factory.mktemp("trades") / "trades.parquet", rows=ROWS, days=DAYS)


def found(line: str, tool: str, trades: Path) -> pl.DataFrame:
    return TOOLS[line][tool](trades, Stopwatch(), **({"every": "1d"} if line == "marks" else {}))


@pytest.fixture(scope="module")
def ours(trades: Path) -> dict[str, pl.DataFrame]:
    return {line: found(line, "tenorgrid", trades) for line in TOOLS}


@pytest.mark.parametrize(("line", "tool"), RIVALS)
def test_rivals_agree(line: str, tool: str, trades: Path, ours: dict[str, pl.DataFrame]) -> None:
    if tool == "duckdb":
        pytest.importorskip("duckdb", reason="duckdb is of the extra `bench`")
    assert ours[line].height == DAYS * len(SKUS)
    agree(found(line, tool, trades), ours[line], tool)


def test_a_difference_ends_the_run(ours: dict[str, pl.DataFrame]) -> None:
    table = ours["trades"]
    agree(table.with_columns(pl.col("median") * (1 + AGREE / 10)), table, "a rival")
    with pytest.raises(SystemExit, match="no time is printed"):
        agree(table.with_columns(pl.col("median") * (1 + 10 * AGREE)), table, "a rival")
    with pytest.raises(SystemExit, match="other groups"):
        agree(table.head(5), table, "a rival")


def test_trades_are_in_the_order_of_time(trades: Path) -> None:
    rows = pl.read_parquet(trades)
    assert rows.height == ROWS
    assert rows["time"].is_sorted()
    assert rows["time"].dt.date().n_unique() == DAYS
    assert rows["observation_id"].n_unique() == ROWS
