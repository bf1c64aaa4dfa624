"""Daily prices of many providers: what each lists for a GPU on a day.

Price: `price_median_usd_gpuhr`, the median of USD per GPU-hour over the offers that the collector saw that day. Kind: list price. Tier:
on_demand is firm, spot is spot. Time: `fetched_at`, when the price was seen; `date` stays as an attribute, as do the minimum, the maximum,
n_offers, source, unit_fix and the region's text, `listed_region`. Region: a country in lower case; "global", and RunPod's "secure",
"community" and "any", which are qualities of service, name no place and become null.

Source: github.com/cherielilili/gpu-pricing-tracker, data/observations.csv (no licence stated), 2026-02-11 to 2026-07-20. Up to 2026-03-06
some 33 providers list an H100, then 15, then 6: an average over providers moves with the panel.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.readers.names import gpu_class, region
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.door import read_checked

TIERS = {"on_demand": "firm", "spot": "spot"}
USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}


class DailyPrices(dy.Schema):
    """One provider's offers of one GPU on one day."""

    date = dy.Date(primary_key=True, description="Day")
    provider = dy.String(primary_key=True, description="Who lists")
    gpu_model = dy.String(primary_key=True, description="GPU")
    gpu_count = dy.Float64(primary_key=True, min_exclusive=0, description="GPUs in the offer", metadata={"unit": "GPU"})
    region = dy.String(primary_key=True, description="Free text: a country, global, or RunPod's quality of service")
    tier = dy.Enum(list(TIERS), primary_key=True, description="on_demand or spot")
    price_min_usd_gpuhr = dy.Float64(min_exclusive=0, description="Lowest of the day", metadata=USD_PER_GPU_HOUR)
    price_median_usd_gpuhr = dy.Float64(min_exclusive=0, description="Median of the day", metadata=USD_PER_GPU_HOUR)
    price_max_usd_gpuhr = dy.Float64(min_exclusive=0, description="Highest of the day", metadata=USD_PER_GPU_HOUR)
    n_offers = dy.Float64(min_exclusive=0, description="Offers seen")
    fetched_at = dy.Datetime(time_zone="UTC", description="When they were seen")


def read_daily(path: Path) -> pl.DataFrame:
    """`Observations` of a file of daily prices; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    path = Path(path)
    rows, faults = read_checked(path, DailyPrices, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    frame = rows.with_columns(
        time="fetched_at",
        resource=gpu_class("gpu_model"),
        region=region("region"),
        listed_region="region",
        tier=pl.col("tier").cast(pl.String).replace_strict(TIERS),
        price="price_median_usd_gpuhr",
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    return observed(frame.drop("fetched_at", "price_median_usd_gpuhr"), name=path.name)
