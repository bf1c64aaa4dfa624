"""Trades of the index benchmarks as Parquet in the order of time; synthetic, the same from the same seed."""

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

SEED = 2027
START = datetime(2027, 1, 1, tzinfo=UTC)
SKUS = tuple(f"gpu{number:02d}" for number in range(40))
REGIONS = ("ap", "eu", "la", "me", "us-east", "us-west")
DAY = 86_400_000_000  # microseconds
GROUP = 250_000  # rows of a row group, and drawn at once


def write_trades(path: Path, *, rows: int, days: int) -> Path:
    """Write `rows` trades of 40 SKUs over `days` days: prices that size, reliability, region and day move by known shares, and noise."""
    rng = np.random.default_rng(SEED)
    drift = np.cumsum(rng.normal(0, 0.01, days))
    edges = np.linspace(0, rows, -(-rows // GROUP) + 1).astype(int)
    writer: pq.ParquetWriter | None = None
    for first, last in pairwise(edges):
        part = _drawn(rng, drift, first, last, rows, days).to_arrow()
        writer = writer or pq.ParquetWriter(path, part.schema, compression="zstd")
        writer.write_table(part)
    assert writer is not None, "a row at least"
    writer.close()
    return path


def _drawn(rng: np.random.Generator, drift: np.ndarray, first: int, last: int, rows: int, days: int) -> pl.DataFrame:
    count = last - first
    begin, end = (int(edge / rows * days * DAY) for edge in (first, last))
    at = np.sort(rng.integers(begin, end, count))
    sku, size = rng.integers(0, len(SKUS), count), 2.0 ** rng.integers(0, 4, count)
    region, up = rng.integers(0, len(REGIONS), count), rng.integers(90, 100, count) / 100
    log = 0.02 * sku - 0.05 * np.log(size) + 0.8 * up + 0.01 * region + drift[at // DAY] + rng.normal(0, 0.15, count)
    return pl.select(
        observation_id=pl.int_range(first, last).cast(pl.String),
        time=pl.lit(START) + pl.duration(microseconds=pl.lit(pl.Series(at))),
        provider=pl.format("p{}", pl.lit(pl.Series(rng.integers(0, 25, count)))),
        resource=pl.lit(_named(sku, SKUS)),
        region=pl.lit(_named(region, REGIONS)),
        tier=pl.lit("firm"),
        gpu_count=pl.lit(pl.Series(size)),
        reliability=pl.lit(pl.Series(up)),
        price=pl.lit(pl.Series(np.exp(log))),
        quantity=pl.lit(pl.Series(np.round(rng.uniform(1, 100, count), 2))),
        kind=pl.lit("trade"),
    )


def _named(codes: np.ndarray, names: tuple[str, ...]) -> pl.Series:
    return pl.Series(names).gather(pl.Series(codes))
