"""Prices of three sellers every two hours: Vast.ai, RunPod and Lambda.

Price: `median_price_hr`. What it is differs by seller, as in the source: Vast.ai, the median ask over the offers listed; RunPod, the
price of its community tier (`max_price_hr` is that of its secure one); Lambda, its list price. Kind: list price, for a median is nobody's
offer. Tier: firm. A row of RunPod with a `spot_price_hr` gives a second observation, of the tier spot; the column repeats Vast.ai's
lowest ask, which is no spot price and gives none. Time: `timestamp`, UTC and written without a zone.

The collector merged form factors under one name, so a bare H100 stays h100; `variant`, the row's place among those of its name, keeps
them apart. `num_offers` (of Lambda the number of places with stock, at times 0), `availability` and the other statistics stay as
attributes. A RunPod price of 0.50 for an H200 or a B300 is a placeholder: it comes through, for a methodology to screen.

Source: github.com/nixj9/gpu-market-intel, data/gpu_pricing.csv (MIT by its README), 2026-03-11 to 2026-08-22.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.readers.names import gpu_class
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.door import read_checked

CLOCK = r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$"
USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}
WITH_SPOT = "RunPod"  # of the others the column holds nothing, or the lowest ask


class Snapshots(dy.Schema):
    """One seller's prices of one GPU at one moment."""

    timestamp = dy.String(primary_key=True, regex=CLOCK, description="Moment in UTC, without a zone, like 2026-03-11 04:17:38")
    provider = dy.String(primary_key=True, description="Who sells")
    gpu = dy.String(primary_key=True, description="GPU, whatever its form factor")
    variant = dy.Int64(primary_key=True, min=0, description="Place among the rows of the same name")
    min_price_hr = dy.Float64(min_exclusive=0, description="Lowest", metadata=USD_PER_GPU_HOUR)
    median_price_hr = dy.Float64(min_exclusive=0, description="Median; of RunPod its community price", metadata=USD_PER_GPU_HOUR)
    max_price_hr = dy.Float64(min_exclusive=0, description="Highest; of RunPod its secure price", metadata=USD_PER_GPU_HOUR)
    spot_price_hr = dy.Float64(nullable=True, min_exclusive=0, description="Spot, where the seller has it", metadata=USD_PER_GPU_HOUR)
    num_offers = dy.Float64(nullable=True, min=0, description="Offers listed; of Lambda places with stock")


def read_snapshots(path: Path) -> pl.DataFrame:
    """`Observations` of a file of such snapshots; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    path = Path(path)
    rows, faults = read_checked(path, Snapshots, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    frame = rows.with_columns(
        time=pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us").dt.replace_time_zone("UTC"),
        provider=pl.col("provider").str.to_lowercase(),
        resource=gpu_class("gpu"),
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    spot = frame.filter(pl.lit(WITH_SPOT.lower()) == pl.col("provider"), pl.col("spot_price_hr").is_not_null())
    both = [
        frame.with_columns(tier=pl.lit("firm"), price="median_price_hr"),
        spot.with_columns(tier=pl.lit("spot"), price="spot_price_hr"),
    ]
    return observed(pl.concat(both).drop("timestamp", "median_price_hr", "spot_price_hr"), name=path.name)
