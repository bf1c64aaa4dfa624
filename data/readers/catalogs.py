"""Lists of prices that run over years: Google Cloud by region, and a hand-kept table of many clouds.

Google Cloud. A row gives up to four observations of kind list price, each the price of the whole machine (GPU, CPUs, memory, bundled
storage) per GPU and hour: on demand (firm), spot (spot), and committed for one and for three years (firm, with a term of 8,760 and
26,280 hours). Time: the start of `date`. Region: Google's, like us-central1. `spot_region_flag` stays, on spot rows alone: where it says
imputed_suspect the price was derived by the calculator that was read and not published by Google.
Source: github.com/Cyclenerd/google-cloud-pricing-cost-calculator, pricing.yml (Apache-2.0), 2022-02-09 to 2026-07-30.

Table of clouds. Price: `price_usd_gpuhr`, the first dollar amount in the cell `raw` (as is checked). Kind: list price. Tier: firm, though
the table holds each cloud's cheapest, which now and then is a spot price that nothing tells. Time: the start of `date`. Region: null.
Providers keep the names of the table, where some change with time.
Source: github.com/cloud-gpus/cloud-gpus.github.io (no licence stated), 2021-05-20 to 2025-09-17.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.readers.names import gpu_class
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.door import read_checked

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}
YEAR = 8760.0  # hours
TERMS = {  # column: tier, hours
    "od_usd_gpuhr": ("firm", None),
    "spot_usd_gpuhr": ("spot", None),
    "cud1y_usd_gpuhr": ("firm", YEAR),
    "cud3y_usd_gpuhr": ("firm", 3 * YEAR),
}
ACCELERATORS = {"a100": "a100-sxm-40gb", "a100-80gb": "a100-sxm", "h100-80gb": "h100-sxm", "h100-80gb-mega": "h100-sxm"}
DOLLARS = r"\$\s*(\d*\.?\d+)"


class RegionalCatalog(dy.Schema):
    """Prices of one machine type in one region on one day."""

    date = dy.Date(primary_key=True, description="Day")
    instance = dy.String(primary_key=True, description="Machine type")
    accel = dy.String(primary_key=True, description="GPU")
    accel_count = dy.Int64(primary_key=True, min=1, description="GPUs in the machine", metadata={"unit": "GPU"})
    region = dy.String(primary_key=True, description="Google's region")
    od_usd_gpuhr = dy.Float64(min_exclusive=0, description="On demand", metadata=USD_PER_GPU_HOUR)
    spot_usd_gpuhr = dy.Float64(nullable=True, min_exclusive=0, description="Spot", metadata=USD_PER_GPU_HOUR)
    cud1y_usd_gpuhr = dy.Float64(nullable=True, min_exclusive=0, description="Committed for a year", metadata=USD_PER_GPU_HOUR)
    cud3y_usd_gpuhr = dy.Float64(nullable=True, min_exclusive=0, description="Committed for three years", metadata=USD_PER_GPU_HOUR)
    spot_region_flag = dy.String(nullable=True, description="native or imputed_suspect, of the spot price")


class CloudTable(dy.Schema):
    """One cloud's price of one GPU on one day."""

    date = dy.Date(primary_key=True, description="Day of the table's version")
    provider = dy.String(primary_key=True, description="Cloud")
    gpu = dy.String(primary_key=True, description="GPU")
    price_usd_gpuhr = dy.Float64(min_exclusive=0, description="First dollar amount of the cell", metadata=USD_PER_GPU_HOUR)
    raw = dy.String(description="The cell")


def read_regional_catalog(path: Path) -> pl.DataFrame:
    """`Observations` of Google Cloud's prices; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    path = Path(path)
    rows, faults = read_checked(path, RegionalCatalog, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    frame = rows.with_columns(
        time=pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        provider=pl.lit("gcp"),
        resource=pl.col("accel").replace(ACCELERATORS),
        gpu_count=pl.col("accel_count").cast(pl.Float64),
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    parts = [
        frame.with_columns(
            tier=pl.lit(tier),
            term_hours=pl.lit(hours, dtype=pl.Float64),
            price=column,
            spot_region_flag="spot_region_flag" if tier == "spot" else pl.lit(None, dtype=pl.String),
        ).filter(pl.col("price").is_not_null())
        for column, (tier, hours) in TERMS.items()
    ]
    return observed(pl.concat(parts).drop("accel_count", *TERMS), name=path.name)


def read_cloud_table(path: Path) -> pl.DataFrame:
    """`Observations` of the table of clouds; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    path = Path(path)
    rows, faults = read_checked(path, CloudTable, attributes=True, empty=False)
    faults += _another_amount(rows, path.name)
    if faults:
        raise InputError(faults)
    frame = rows.with_columns(
        time=pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        resource=gpu_class("gpu"),
        tier=pl.lit("firm"),
        price="price_usd_gpuhr",
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    return observed(frame.drop("price_usd_gpuhr"), name=path.name)


def _another_amount(rows: pl.DataFrame, name: str) -> list[Fault]:
    first = pl.col("raw").str.extract(DOLLARS).cast(pl.Float64, strict=False)
    there = pl.col("raw").is_not_null() & pl.col("price_usd_gpuhr").is_not_null()
    wrong = rows.with_row_index("row", offset=1).filter(there & (first != pl.col("price_usd_gpuhr")).fill_null(True))
    return [
        Fault(file=name, row=row, column="price_usd_gpuhr", value=str(price), expected=f"the first dollar amount of {raw!r}")
        for row, price, raw in wrong.select("row", "price_usd_gpuhr", "raw").iter_rows()
    ]
