"""Marketplace listings: what can be rented at this moment, offer by offer (Vast.ai, as collected by CCIR).

Price: `dph_per_gpu`, the listing's dollars per hour divided by its number of GPUs (it equals dph_total / num_gpus to 5e-7, as is checked).
Kind: firm quote, for a listing is an offer that anybody may take at its price. Tier: firm, as these are on-demand offers. Time:
`collected_utc`. Region: the country at the end of `geolocation` ("Oklahoma, US" is us). The rest stays as attributes: listing_id, basket,
date, reliability (share of time up), geolocation, country, datacenter, gpu_ram_gb (which counts MiB), dph_total, gpu_name.

Source: CCIR cri-h100 repository, data folder (CC BY 4.0), one Vast.ai offer in the United States a row.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.readers.names import gpu_class, region
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.door import read_checked

TOLERANCE = 1e-5  # USD/GPUh: dph_per_gpu is rounded to 6 decimals
SMALL_A100 = 50_000  # MiB: an A100 has 40 or 80 GB


class Listings(dy.Schema):
    """One offer at one moment."""

    date = dy.Date(description="Day of the collection, UTC")
    listing_id = dy.String(description="Number of the offer in the marketplace")
    gpu_name = dy.String(description="GPU as the marketplace calls it")
    num_gpus = dy.Int64(min=1, description="GPUs in the offer", metadata={"unit": "GPU"})
    dph_total = dy.Float64(min_exclusive=0, description="Price of the whole offer", metadata={"unit": "USD/h"})
    dph_per_gpu = dy.Float64(min_exclusive=0, description="Price of one GPU", metadata={"unit": "USD/GPUh"})
    reliability = dy.Float64(min=0, max=1, description="Share of time that the machine was up", metadata={"unit": "1"})
    geolocation = dy.String(description="Place, ending in the country")
    gpu_ram_gb = dy.Float64(nullable=True, min_exclusive=0, description="Memory of one GPU", metadata={"unit": "MiB"})
    collected_utc = dy.Datetime(time_zone="UTC", description="Moment of the collection")


def read_listings(path: Path) -> pl.DataFrame:
    """`Observations` of a CSV or Parquet file of listings; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    path = Path(path)
    rows, faults = read_checked(path, Listings, attributes=True, empty=False)
    faults += _unequal(rows, path.name)
    if faults:
        raise InputError(faults)
    country = pl.col("geolocation").str.split(",").list.last().str.strip_chars()
    small = pl.col("resource").str.starts_with("a100") & (pl.col("gpu_ram_gb") < SMALL_A100)
    frame = rows.with_columns(country=country).with_columns(
        time="collected_utc",
        provider=pl.lit("vast.ai"),
        resource=gpu_class("gpu_name"),
        region=region("country"),
        tier=pl.lit("firm"),
        gpu_count=pl.col("num_gpus").cast(pl.Float64),
        price="dph_per_gpu",
        kind=pl.lit(ObservationKind.FIRM_QUOTE.value),
    )
    frame = frame.with_columns(resource=pl.when(small).then(pl.col("resource") + "-40gb").otherwise("resource"))
    return observed(frame.drop("collected_utc", "num_gpus", "dph_per_gpu"), name=path.name)


def _unequal(rows: pl.DataFrame, name: str) -> list[Fault]:
    gap = pl.col("dph_total") / pl.col("num_gpus") - pl.col("dph_per_gpu")
    wrong = rows.with_row_index("row", offset=1).filter(pl.col("num_gpus") > 0, gap.abs() > TOLERANCE)
    return [
        Fault(file=name, row=row, column="dph_per_gpu", value=str(price), expected=f"dph_total / num_gpus = {total / count:.6f}")
        for row, price, total, count in wrong.select("row", "dph_per_gpu", "dph_total", "num_gpus").iter_rows()
    ]
