"""CCIR's published term structure: two par rates of a series and the forward between them.

A series of several forwards is read once per tenor; where two rows give one tenor another rate the file is refused.
Source: github.com/ccir-index/ccir-v2-data (no licence stated), commit 8c467ca of 2026-04-25.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import read_checked
from tenorgrid.data.tables.rental import RentalRates

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}
COLUMNS = {"series_id", "tenor_from_years", "forward_rate_usd_per_gpu_hour"}


class PublishedForwards(dy.Schema):
    """A forward between two tenors as CCIR publishes it."""

    series_id = dy.String(primary_key=True, description="Series, which ends in -FWD and the tenors")
    as_of_date = dy.Date(primary_key=True, description="Day")
    tenor_from_years = dy.Float64(min_exclusive=0, description="Shorter tenor", metadata={"unit": "years"})
    tenor_to_years = dy.Float64(min_exclusive=0, description="Longer tenor", metadata={"unit": "years"})
    forward_rate_usd_per_gpu_hour = dy.Float64(description="Forward", metadata=USD_PER_GPU_HOUR)
    source_par_from_rate = dy.Float64(min_exclusive=0, description="Par rate of the shorter tenor", metadata=USD_PER_GPU_HOUR)
    source_par_to_rate = dy.Float64(min_exclusive=0, description="Par rate of the longer tenor", metadata=USD_PER_GPU_HOUR)


def read_published_forwards(path: Path) -> pl.DataFrame:
    """`PublishedForwards` and their attributes, with `index`, the series without its tenors. Raises `InputError` with every fault."""
    path = Path(path)
    rows, faults = read_checked(path, PublishedForwards, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    return rows.with_columns(pl.col("series_id").str.replace(r"-FWD-.*$", "").alias("index"))


def read_published_rates(path: Path) -> pl.DataFrame:
    """`RentalRates` behind the published forwards. Raises `InputError` where a tenor has two rates."""
    rows = read_published_forwards(path)
    both = pl.concat(
        rows.select(
            pl.col("as_of_date").alias("as_of"),
            "index",
            (pl.col(f"tenor_{end}_years") * 12).round().cast(pl.Int64).alias("months"),
            pl.col(f"source_par_{end}_rate").alias("price"),
        )
        for end in ("from", "to")
    ).unique(maintain_order=True)
    twice = both.filter(pl.struct("as_of", "index", "months").is_duplicated()).sort("index", "as_of", "months")
    if twice.height:
        raise InputError(
            Fault(file=Path(path).name, column="source_par_to_rate", value=f"{index} {day}, {months} months at {price:g}",
                  expected="one par rate a tenor")
            for day, index, months, price in twice.iter_rows()
        )  # fmt: skip
    return RentalRates.validate(both.sort("as_of", "index", "months").with_columns(pl.lit("CCIR").alias("source")), cast=True)
