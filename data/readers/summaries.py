"""Price summaries of an aggregator every half hour (Prime Intellect), over all that it offers or provider by provider.

Over all: price `p_median`, the median of USD per GPU-hour over all offered configurations, from the provider "primeintellect".
By provider: price `avg_usd_gpuhr`, the mean over the provider's configurations.
Kind of both: list price, for a summary is nobody's offer: it counts configurations that are out of stock too. Tier: firm; the source mixes
a few spot configurations in and has no column that tells (the minimum of datacrunch is spot), which is why the price is the middle and
not the minimum. Region: null, the source names none. The other statistics and the counts by stock stay as attributes.

Source: github.com/tugot17/gpu-price-tracker, data/summary (MIT), 2025-10-19 to 2025-11-16; clocks are UTC and written without a zone.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.readers.names import gpu_class
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.door import read_checked

CLOCK = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?$"
USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}


class Summaries(dy.Schema):
    """Statistics over all configurations of one GPU at one moment."""

    timestamp = dy.String(primary_key=True, regex=CLOCK, description="Moment in UTC, without a zone, like 2025-10-19T21:01:58")
    sku = dy.String(primary_key=True, description="GPU, memory and socket")
    p_median = dy.Float64(min_exclusive=0, description="Median over the configurations", metadata=USD_PER_GPU_HOUR)
    p_mean = dy.Float64(min_exclusive=0, description="Mean over the configurations", metadata=USD_PER_GPU_HOUR)
    avail_total = dy.Float64(min=0, description="Configurations offered")


class ProviderSummaries(dy.Schema):
    """One provider's configurations of one GPU at one moment."""

    timestamp = dy.String(primary_key=True, regex=CLOCK, description="Moment in UTC, without a zone, like 2025-10-19T21:01:58")
    sku = dy.String(primary_key=True, description="GPU, memory and socket")
    provider = dy.String(primary_key=True, description="Who sells")
    n_configs = dy.Float64(min_exclusive=0, description="Configurations offered")
    min_usd_gpuhr = dy.Float64(min_exclusive=0, description="Cheapest configuration", metadata=USD_PER_GPU_HOUR)
    avg_usd_gpuhr = dy.Float64(min_exclusive=0, description="Mean over the configurations", metadata=USD_PER_GPU_HOUR)


def read_summaries(path: Path) -> pl.DataFrame:
    """`Observations` of the summaries over all providers: one row a GPU and moment. Raises `InputError` with every fault."""
    return _read(Path(path), Summaries, price="p_median", provider=pl.lit("primeintellect"))


def read_provider_summaries(path: Path) -> pl.DataFrame:
    """`Observations` of the summaries by provider: one row a provider, GPU and moment. Raises `InputError` with every fault."""
    return _read(Path(path), ProviderSummaries, price="avg_usd_gpuhr", provider=pl.col("provider"))


def _read(path: Path, schema: type[dy.Schema], *, price: str, provider: pl.Expr) -> pl.DataFrame:
    rows, faults = read_checked(path, schema, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    frame = rows.with_columns(
        time=pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us").dt.replace_time_zone("UTC"),
        provider=provider,
        resource=gpu_class("sku"),
        tier=pl.lit("firm"),
        price=price,
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    return observed(frame.drop("timestamp", price), name=path.name)
