"""Offers behind EU-CRI: what marketplaces ask and what clouds list for a GPU in Europe and elsewhere, once a day.

Price: `price_usd_per_gpu_hr`. Kind: a firm quote where the source's tier is executable (an ask of a marketplace), a list price where it is
list. Tier: firm, for every offer is on demand. Time: `ts_utc`. Region: `country` in lower case, null where the source names none; its own
text stays as `listed_region`. `term`, `source`, `country` and `interconnect` stay too. `gpu_count` is null where a marketplace does not
say how many GPUs its price is for.

Rows that are equal in every cell are several machines, or several zones, at one price: they are told apart by `copy`, 0 for the first.

Source: github.com/markrusch/Compute-Index, table observations of data/eucri.db (no licence stated for the data), from 2026-07-18 on.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import ObservationKind
from tenorgrid.data.readers.names import gpu_class, region
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.tables.door import read_checked

KINDS = {"executable": ObservationKind.FIRM_QUOTE.value, "list": ObservationKind.LIST_PRICE.value}
USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}


class EuropeanOffers(dy.Schema):
    """One offer of one GPU at one moment."""

    ts_utc = dy.Datetime(time_zone="UTC", description="Moment of the collection")
    source = dy.String(description="Where it was collected from")
    provider = dy.String(description="Who offers")
    gpu_model = dy.String(description="GPU and form factor")
    gpu_count = dy.Float64(nullable=True, min_exclusive=0, description="GPUs in the offer", metadata={"unit": "GPU"})
    price_usd_per_gpu_hr = dy.Float64(min_exclusive=0, description="Price of one GPU", metadata=USD_PER_GPU_HOUR)
    region = dy.String(nullable=True, description="The source's own name of the place")
    country = dy.String(nullable=True, regex="^[A-Z]{2}$", description="Country, two letters")
    interconnect = dy.String(nullable=True, description="What joins the GPUs")
    tier = dy.Enum(list(KINDS), description="executable, an ask that can be taken, or list")
    term = dy.String(description="on_demand: for no agreed time")


def read_eucri(path: Path) -> pl.DataFrame:
    """`Observations` of a file of EU-CRI's offers; unlisted columns stay as attributes. Raises `InputError` with every fault."""
    path = Path(path)
    rows, faults = read_checked(path, EuropeanOffers, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    frame = rows.with_columns(copy=pl.int_range(pl.len()).over(rows.columns)).with_columns(
        time="ts_utc",
        resource=gpu_class("gpu_model"),
        region=region("country"),
        listed_region="region",
        tier=pl.lit("firm"),
        price="price_usd_per_gpu_hr",
        kind=pl.col("tier").cast(pl.String).replace_strict(KINDS),
    )
    return observed(frame.drop("ts_utc", "price_usd_per_gpu_hr"), name=path.name)
