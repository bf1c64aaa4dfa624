"""The index lines: every goal beside polars by hand, DuckDB and pandas, each in a process of its own, in one run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from benchmarks.indices_tools import TOOLS
from benchmarks.measure import measured
from benchmarks.trades import write_trades

AGREE = 1e-9  # relative, of every group
NAMES = {"tenorgrid": "tenorgrid", "polars": "polars streaming, by hand", "duckdb": "DuckDB", "pandas": "pandas"}
HEADER = ("tool", "s", "peak MB", "groups", "ratio")


@dataclass(frozen=True, kw_only=True)
class IndexLine:
    """One goal: how many trades over how many days, and for marks how long each period is."""

    title: str
    goal: str
    kind: str
    rows: int
    days: int
    every: str | None = None


LINES = (
    IndexLine(
        title="10 million trades, Parquet to a hedonic fit to mean and median by volume, 73 days of 40 SKUs", goal="2 s and 1 GB",
        kind="trades", rows=10_000_000, days=73,
    ),
    IndexLine(
        title="a month of half-hourly marks of 40 SKUs from 1 million trades", goal="much less than 9 s", kind="marks",
        rows=1_000_000, days=31, every="30min",
    ),
    IndexLine(
        title="10 million trades in one pass to daily marks of 40 SKUs", goal="bounded memory", kind="marks", rows=10_000_000, days=73,
        every="1d",
    ),
)  # fmt: skip


def main(*, quick: bool) -> None:
    """Measure every line and print the tables of docs/benchmarks.md, section Indices. With `quick` a hundredth of the rows."""
    with TemporaryDirectory(prefix="tenorgrid-") as place:
        for line in LINES:
            rows = line.rows // 100 if quick else line.rows
            trades = Path(place) / f"{rows}-{line.days}.parquet"
            if not trades.is_file():
                write_trades(trades, rows=rows, days=line.days)
            told = measure(line, trades)
            print(f"### {line.title[0].upper()}{line.title[1:]}{' (a hundredth)' if quick else ''}\n\nGoal: {line.goal}.\n")
            for cells in table(told):
                print("| " + " | ".join(cells) + " |")
            print(f"\nAll agree on every group to {AGREE:g}. {_steps(told['tenorgrid'])}\n")


def measure(line: IndexLine, trades: Path) -> dict[str, dict[str, Any]]:
    """Every tool on one line. Raises SystemExit where two differ: a time without an answer means nothing."""
    told: dict[str, dict[str, Any]] = {}
    for tool in TOOLS[line.kind]:
        result = trades.with_name(f"{line.kind}-{tool}.parquet")
        every = [] if line.every is None else [line.every]
        told[tool] = measured("benchmarks.indices_tools", line.kind, tool, str(trades), str(result), *every)
        agree(pl.read_parquet(result), pl.read_parquet(trades.with_name(f"{line.kind}-tenorgrid.parquet")), NAMES[tool])
    return told


def agree(found: pl.DataFrame, expected: pl.DataFrame, who: str) -> None:
    """End the run where a group is missing or differs."""
    keys = [column for column in expected.columns if column not in ("mean", "median")]
    alike = found.select(pl.col(key).cast(expected.schema[key]) for key in keys).equals(expected.select(keys))
    if not alike:
        raise SystemExit(f"{who} found other groups than tenorgrid: no time is printed")
    for column in ("mean", "median"):
        known = found[column].is_not_null() & expected[column].is_not_null()
        apart = (found[column] / expected[column] - 1).abs().filter(known).max()
        if isinstance(apart, float) and not apart <= AGREE:
            raise SystemExit(f"{who} differs by {apart} in a {column}: no time is printed")


def table(told: dict[str, dict[str, Any]]) -> Sequence[tuple[str, ...]]:
    """The lines of the printed table, tenorgrid first; ratio is of seconds, to tenorgrid's."""
    own = told["tenorgrid"]["seconds"]
    lines: list[tuple[str, ...]] = [HEADER, ("---", "---:", "---:", "---:", "---:")]
    for tool, found in told.items():
        numbers = f"{found['seconds']:.2f}", f"{found['peak']:,.0f}", f"{found['groups']:,}", f"{found['seconds'] / own:.2f}"
        lines.append((NAMES[tool], *numbers))
    return lines


def _steps(told: dict[str, Any]) -> str:
    return "tenorgrid: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in told["steps"].items()) + "."
