"""One tool on one line of the index benchmarks in a process of its own: `python -m benchmarks.indices_tools LINE TOOL TRADES RESULT`.

`trades`: a hedonic regression of the log price on GPU count, reliability, region and day; each price brought to eight GPUs and a
reliability of 0.99; its volume-weighted mean and lower volume-weighted median by day and SKU. `marks`: the lower volume-weighted median
by SKU and half-hour, or day. Every rival pools the regression's rows into cells, as the engine does.
"""

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl

from benchmarks.measure import Stopwatch, tell
from benchmarks.trades import DAY, SKUS, START

GPUS, UP = 8.0, 0.99
CELL = ["gpu_count", "reliability", "region", "day"]
KEY = ["day", "resource"]
MARK_KEY = ["start", "resource"]
RULE = """
name = "benchmark"
source = "benchmarks"
timezone = "UTC"
calendar = "every day"
cut_off = "24:00 UTC"
every = "EVERY"
window = "EVERY"
horizons = []
decimals = 12
rounding = "half-even"

[regions]
everything = "ALL"

[fallback]
carry = 0

[restatement]
until = "24h"

[[levels]]
name = "traded"
kinds = ["trade"]
pooling = "observation"
estimator = "volume-weighted median"
tie = "lower"

[levels.weights]
by = ["quantity"]

[[levels.require]]
column = "quantity"
above = 0

[levels.publish]
observations = 1

[levels.low_confidence]
observations = 1
"""


def trades_by_tenorgrid(path: Path, clock: Stopwatch) -> pl.DataFrame:
    """`pool` and `fit_hedonic`, then `middles`: four passes over the columns that each needs, nothing sorted, nothing held."""
    from tenorgrid.indices.normalisation.characteristics import Characteristic, Model
    from tenorgrid.indices.normalisation.design import pool
    from tenorgrid.indices.normalisation.hedonic import fit_hedonic
    from tenorgrid.indices.streaming.medians import middles

    size, up = Characteristic(column="gpu_count", form="log"), Characteristic(column="reliability", form="level")
    model = Model(name="bench", source="-", characteristics=(size, up, Characteristic(column="region", form="category")))
    rows = pl.scan_parquet(path)
    with clock.step("fit"):
        fit = fit_hedonic(pool(rows, model), model).coefficients
        own = {name: fit.filter(pl.col("characteristic") == name)["coefficient"].item() for name in ("gpu_count", "reliability")}
    with clock.step("groups"):
        days = fit_days(path)
        day = (pl.col("time") - START).dt.total_days()
        sku = pl.col("resource").cast(pl.Enum(SKUS)).to_physical().cast(pl.Int64)
        asked = rows.select(code=day * len(SKUS) + sku, price=_adjusted(own["gpu_count"], own["reliability"]), weight="quantity")
        found = middles(asked, groups=days * len(SKUS))
    number = np.arange(days * len(SKUS))
    return _table(number // len(SKUS), np.array(SKUS)[number % len(SKUS)], found.mean, found.median)


def fit_days(path: Path) -> int:
    """Days that the file spans, from its own account of its row groups."""
    from tenorgrid.indices.streaming.source import opened, row_groups

    groups = row_groups(opened(path))
    last = None if groups is None else groups["last"].max()
    assert isinstance(last, datetime), "trades say in their file when they were"
    return (last - START).days + 1


def trades_by_polars(path: Path, clock: Stopwatch) -> pl.DataFrame:
    """polars' streaming engine by hand; the median by sorting within groups."""
    rows = pl.scan_parquet(path).with_columns(day=(pl.col("time") - START).dt.total_days())
    with clock.step("fit"):
        log = pl.col("price").log()
        cells = rows.group_by(CELL).agg(pl.len().alias("n"), log.mean().alias("y")).collect(engine="streaming")
        size, up = _fitted(cells)
    with clock.step("groups"):
        price, weight = pl.col("price"), pl.col("quantity")
        reached = weight.sort_by(price).cum_sum()
        median = price.sort().filter(reached >= weight.sum() / 2).first()
        made = rows.select(*KEY, "quantity", price=_adjusted(size, up)).group_by(KEY)
        return made.agg(((price * weight).sum() / weight.sum()).alias("mean"), median.alias("median")).collect(engine="streaming").sort(KEY)


def trades_by_duckdb(path: Path, clock: Stopwatch) -> pl.DataFrame:
    """DuckDB, all in SQL but the regression of the cells."""
    import duckdb

    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    day = f"(epoch_us(time) - {int(START.timestamp() * 1e6)}) // {DAY}"
    with clock.step("fit"):
        cells = _frame(
            base.sql(f"SELECT gpu_count, reliability, region, {day} AS day, count(*) AS n, avg(ln(price)) AS y FROM '{path}' GROUP BY ALL")
        )
        size, up = _fitted(cells)
    with clock.step("groups"):
        return _frame(
            base.sql(f"""
            WITH adjusted AS (SELECT {day} AS day, resource, quantity,
                price * exp(-({size!r}) * ln(gpu_count / {GPUS}) - ({up!r}) * (reliability - {UP})) AS price FROM '{path}'),
            summed AS (SELECT *, sum(quantity) OVER (PARTITION BY day, resource ORDER BY price) AS reached,
                sum(quantity) OVER (PARTITION BY day, resource) AS whole FROM adjusted)
            SELECT day, resource, sum(price * quantity) / sum(quantity) AS mean, min(price) FILTER (reached >= whole / 2) AS median
            FROM summed GROUP BY day, resource ORDER BY day, resource""")
        )


def trades_by_pandas(path: Path, clock: Stopwatch) -> pl.DataFrame:
    """pandas, with a sort of the whole."""
    import pandas as pd

    with clock.step("fit"):
        columns = ["time", "resource", "gpu_count", "reliability", "region", "price", "quantity"]
        rows = pd.read_parquet(path, columns=columns)
        rows["day"] = (rows["time"] - pd.Timestamp(START)).dt.days
        rows["y"] = np.log(rows["price"])
        cells = rows.groupby(CELL, observed=True)["y"].agg(["size", "mean"]).reset_index().rename(columns={"size": "n", "mean": "y"})
        size, up = _fitted(pl.from_pandas(cells))
    with clock.step("groups"):
        rows["price"] *= np.exp(-size * np.log(rows["gpu_count"] / GPUS) - up * (rows["reliability"] - UP))
        rows["product"] = rows["price"] * rows["quantity"]
        found: pl.DataFrame = pl.from_pandas(_middles(rows, KEY))
    return found


def marks_by_tenorgrid(path: Path, clock: Stopwatch, *, every: str) -> pl.DataFrame:
    """`tenorgrid mark`: the marks, their exclusions and an audit of each, read in pieces and written."""
    from tenorgrid.large_marks import mark_large

    with TemporaryDirectory() as place:
        rule = Path(place) / "benchmark.toml"
        rule.write_text(RULE.replace("EVERY", every))
        with clock.step("marks"):
            found = mark_large(path, Path(place) / "out", method=rule, day=None, sensitivity="left out")
    named = found.marks.filter(pl.col("value").is_not_null()).select("start", "index", mean=None, median="value")
    names = named.with_columns(resource=pl.col("index").str.split(".").list.first().str.to_lowercase())
    return names.select("start", "resource", pl.col("mean").cast(pl.Float64), "median").sort(MARK_KEY)


def marks_by_duckdb(path: Path, clock: Stopwatch, *, every: str) -> pl.DataFrame:
    """DuckDB: the numbers, without a reason for any."""
    import duckdb

    base = duckdb.connect()
    base.execute("SET TimeZone = 'UTC'")
    length = {"30min": 1_800_000_000, "1d": DAY}[every]
    with clock.step("marks"):
        found = _frame(
            base.sql(f"""
            WITH placed AS (SELECT epoch_us(time) // {length} AS start, resource, quantity, price FROM '{path}'),
            summed AS (SELECT *, sum(quantity) OVER (PARTITION BY start, resource ORDER BY price) AS reached,
                sum(quantity) OVER (PARTITION BY start, resource) AS whole FROM placed)
            SELECT start, resource, min(price) FILTER (reached >= whole / 2) AS median
            FROM summed GROUP BY start, resource ORDER BY start, resource""")
        )
    return _started(found, length)


def marks_by_pandas(path: Path, clock: Stopwatch, *, every: str) -> pl.DataFrame:
    """pandas: the numbers, without a reason for any."""
    import pandas as pd

    length = {"30min": 1_800_000_000, "1d": DAY}[every]
    with clock.step("marks"):
        rows = pd.read_parquet(path, columns=["time", "resource", "price", "quantity"])
        rows["start"] = rows["time"].astype("datetime64[us, UTC]").astype("int64") // length
        rows["product"] = rows["price"] * rows["quantity"]
        found = pl.from_pandas(_middles(rows, MARK_KEY))
    return _started(found, length)


def _frame(done: Any) -> pl.DataFrame:
    """What DuckDB found, in polars."""
    found = pl.from_arrow(done.to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


def _started(found: pl.DataFrame, length: int) -> pl.DataFrame:
    start = pl.from_epoch(pl.col("start").cast(pl.Int64) * length, time_unit="us").dt.replace_time_zone("UTC")
    return found.select(start, "resource", pl.lit(None, dtype=pl.Float64).alias("mean"), "median").sort(MARK_KEY)


def _middles(rows: Any, key: list[str]) -> Any:
    """Weighted mean and lower weighted median by pandas."""
    rows = rows.sort_values([*key, "price"])
    groups = rows.groupby(key, observed=True, sort=True)
    whole = groups[["product", "quantity"]].sum()
    reached = groups["quantity"].cumsum()
    there = rows[reached >= groups["quantity"].transform("sum") / 2]
    found = there.groupby(key, observed=True, sort=True)["price"].first().rename("median").to_frame()
    found["mean"] = whole["product"] / whole["quantity"]
    return found.reset_index()[[*key, "mean", "median"]]


def _adjusted(size: float, up: float) -> pl.Expr:
    apart = size * (pl.col("gpu_count") / GPUS).log() + up * (pl.col("reliability") - UP)
    return pl.col("price") * (-apart).exp()


def _fitted(cells: pl.DataFrame) -> tuple[float, float]:
    """Coefficients of size and reliability by weighted least squares of cell means, with dummies of region and day."""
    root = np.sqrt(cells["n"].to_numpy().astype(np.float64))
    dummies = cells.select(pl.col("region").rank("dense").cast(pl.Int64) - 1, pl.col("day").rank("dense").cast(pl.Int64) - 1)
    region, day = dummies["region"].to_numpy(), dummies["day"].to_numpy()
    numbers = np.log(cells["gpu_count"].to_numpy()), cells["reliability"].to_numpy()
    matrix = np.column_stack([*numbers, np.eye(region.max() + 1)[region][:, 1:], np.eye(day.max() + 1)[day]])
    found = np.linalg.lstsq(root[:, None] * matrix, root * cells["y"].to_numpy(), rcond=None)[0]
    return float(found[0]), float(found[1])


def _table(day: np.ndarray, resource: np.ndarray, mean: np.ndarray, median: np.ndarray) -> pl.DataFrame:
    return pl.DataFrame({"day": day, "resource": resource, "mean": mean, "median": median}).filter(pl.col("median").is_not_nan()).sort(KEY)


Tool = Callable[..., pl.DataFrame]
TOOLS: Mapping[str, Mapping[str, Tool]] = {
    "trades": {"tenorgrid": trades_by_tenorgrid, "polars": trades_by_polars, "duckdb": trades_by_duckdb, "pandas": trades_by_pandas},
    "marks": {"tenorgrid": marks_by_tenorgrid, "duckdb": marks_by_duckdb, "pandas": marks_by_pandas},
}


def main() -> None:
    """Time one tool and write what it found."""
    line, tool, trades, result, *every = sys.argv[1:]
    clock = Stopwatch()
    found = TOOLS[line][tool](Path(trades), clock, **({"every": every[0]} if every else {}))
    found.write_parquet(result)
    tell(seconds=sum(clock.seconds.values()), steps=clock.seconds, groups=found.height)


if __name__ == "__main__":
    main()
