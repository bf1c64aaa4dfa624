"""What clouds publish for their machines: rate cards at one moment, AWS on demand day by day, and AWS spot by availability zone.

All are list prices of a whole machine per hour over its GPUs, as is checked to a millionth of a dollar wherever the file has both.

Rate cards (CCIR's reference rates). Price: `price_per_gpu_hr`. Tier: spot where `price_type` is a spot price, else firm (on_demand, and
RunPod's secure and community). Time: `collected_utc`. Region: the cloud's own, null for "global".
Source: github.com/ccir-index/cri-h100, data/reference-rates (CC BY 4.0), 2026-03-03.

AWS on demand. Price: `usd_per_gpu_hour`, tier firm. Time: `timestamp`, UTC and written without a zone.
Source: github.com/amorton45/aws-gpu-price-tracker, gpu_prices.csv (no licence stated), 2025-04-23 to 2026-08-22.

AWS spot. Price: `spot_usd_gpuhr`, tier spot. Location: the availability zone; region: the zone without its last letter. Time: the moment
at which the price changed or was reported again; it holds until the zone's next row.
Source: github.com/LucianaMarques/amazon-spot-dataset (no licence stated), 2021-03-02 to 2021-05-31.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.readers.names import gpu_class, region
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.door import read_checked

TOLERANCE = 1e-6  # USD/GPUh: prices are rounded to 6 decimals
CLOCK = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?$"
USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}
USD_PER_HOUR = {"unit": "USD/h"}
TIERS = {"on_demand": "firm", "secure": "firm", "community": "firm", "spot": "spot", "spot_posted": "spot", "secure_spot": "spot"}


class RateCards(dy.Schema):
    """One published rate."""

    source_id = dy.String(primary_key=True, description="Name of the rate")
    collected_utc = dy.Datetime(primary_key=True, time_zone="UTC", description="Moment of the collection")
    source = dy.String(description="Cloud")
    gpu_model = dy.String(description="GPU and form factor")
    price_per_gpu_hr = dy.Float64(min_exclusive=0, description="Price of one GPU", metadata=USD_PER_GPU_HOUR)
    vm_price_hr = dy.Float64(nullable=True, min_exclusive=0, description="Price of the machine", metadata=USD_PER_HOUR)
    gpus_per_vm = dy.Float64(nullable=True, min_exclusive=0, description="GPUs in the machine", metadata={"unit": "GPU"})
    region = dy.String(description="The cloud's region, or global")
    price_type = dy.Enum(list(TIERS), description="What is promised")


class OnDemandDays(dy.Schema):
    """AWS's price of one machine at one moment."""

    timestamp = dy.String(primary_key=True, regex=CLOCK, description="Moment in UTC, without a zone")
    instance = dy.String(primary_key=True, description="Machine type")
    price_usd = dy.Float64(min_exclusive=0, description="Price of the machine", metadata=USD_PER_HOUR)
    usd_per_gpu_hour = dy.Float64(min_exclusive=0, description="Price of one GPU", metadata=USD_PER_GPU_HOUR)
    sku = dy.String(description="GPU")
    region = dy.String(description="AWS's region")
    tier = dy.Enum(["on_demand"], description="on_demand")


class SpotZones(dy.Schema):
    """AWS's spot price of one machine in one zone, from one moment on."""

    timestamp = dy.Datetime(primary_key=True, time_zone="UTC", description="From when")
    az = dy.String(primary_key=True, regex=r"^[a-z0-9-]+\d[a-z]$", description="Availability zone")
    instance = dy.String(primary_key=True, description="Machine type")
    spot_usd_hour = dy.Float64(min_exclusive=0, description="Price of the machine", metadata=USD_PER_HOUR)
    gpu_count = dy.Float64(min_exclusive=0, description="GPUs in the machine", metadata={"unit": "GPU"})
    sku = dy.String(description="GPU")
    spot_usd_gpuhr = dy.Float64(min_exclusive=0, description="Price of one GPU", metadata=USD_PER_GPU_HOUR)


def read_rate_cards(path: Path) -> pl.DataFrame:
    """`Observations` of a file of rate cards; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    rows = _read(Path(path), RateCards, machine="vm_price_hr", gpus=pl.col("gpus_per_vm"), price="price_per_gpu_hr")
    frame = rows.with_columns(
        time="collected_utc",
        provider="source",
        resource=gpu_class("gpu_model"),
        region=region("region"),
        tier=pl.col("price_type").cast(pl.String).replace_strict(TIERS),
        gpu_count="gpus_per_vm",
        price="price_per_gpu_hr",
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    return observed(frame.drop("collected_utc", "source", "gpus_per_vm", "price_per_gpu_hr"), name=Path(path).name)


def read_on_demand(path: Path) -> pl.DataFrame:
    """`Observations` of AWS's daily on-demand prices; the GPUs of a machine are its price over that of one. Raises `InputError`."""
    rows = _read(Path(path), OnDemandDays, machine="price_usd", gpus=_gpus(), price="usd_per_gpu_hour")
    frame = rows.with_columns(
        time=pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us").dt.replace_time_zone("UTC"),
        provider=pl.lit("aws"),
        resource=gpu_class("sku"),
        tier=pl.lit("firm"),
        gpu_count=_gpus(),
        price="usd_per_gpu_hour",
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    return observed(frame.drop("timestamp", "usd_per_gpu_hour"), name=Path(path).name)


def read_spot_zones(path: Path) -> pl.DataFrame:
    """`Observations` of AWS's spot prices by zone; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    rows = _read(Path(path), SpotZones, machine="spot_usd_hour", gpus=pl.col("gpu_count"), price="spot_usd_gpuhr")
    frame = rows.with_columns(
        time="timestamp",
        provider=pl.lit("aws"),
        resource=gpu_class("sku"),
        location="az",
        region=pl.col("az").str.head(-1),
        tier=pl.lit("spot"),
        price="spot_usd_gpuhr",
        kind=pl.lit(ObservationKind.LIST_PRICE.value),
    )
    return observed(frame.drop("timestamp", "az", "spot_usd_gpuhr"), name=Path(path).name)


def _gpus() -> pl.Expr:
    return (pl.col("price_usd") / pl.col("usd_per_gpu_hour")).round()


def _read(path: Path, schema: type[dy.Schema], *, machine: str, gpus: pl.Expr, price: str) -> pl.DataFrame:
    rows, faults = read_checked(path, schema, attributes=True, empty=False)
    parts = rows.with_columns(gpus=gpus).with_row_index("row", offset=1)
    wrong = parts.filter(pl.col("gpus") > 0, (pl.col(machine) / pl.col("gpus") - pl.col(price)).abs() > TOLERANCE)
    faults += [
        Fault(file=path.name, row=row, column=price, value=str(found), expected=f"{machine} over {count:g} GPUs = {whole / count:.6f}")
        for row, found, whole, count in wrong.select("row", price, machine, "gpus").iter_rows()
    ]
    if faults:
        raise InputError(faults)
    return rows
