"""Which reader a file is for, told from its header."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.catalogs import CloudTable, RegionalCatalog, read_cloud_table, read_regional_catalog
from tenorgrid.data.readers.daily import DailyPrices, read_daily
from tenorgrid.data.readers.eucri import EuropeanOffers, read_eucri
from tenorgrid.data.readers.header import matching
from tenorgrid.data.readers.listings import Listings, read_listings
from tenorgrid.data.readers.rate_cards import OnDemandDays, RateCards, SpotZones, read_on_demand, read_rate_cards, read_spot_zones
from tenorgrid.data.readers.rows import observed
from tenorgrid.data.readers.snapshots import Snapshots, read_snapshots
from tenorgrid.data.readers.summaries import ProviderSummaries, Summaries, read_provider_summaries, read_summaries
from tenorgrid.data.tables.door import read_checked
from tenorgrid.data.tables.observed import Observations


class Format(StrEnum):
    """Layouts of observed prices that can be read."""

    OBSERVATIONS = "observations"
    LISTINGS = "listings"
    SUMMARIES = "summaries"
    PROVIDER_SUMMARIES = "provider-summaries"
    DAILY = "daily"
    SNAPSHOTS = "snapshots"
    EU_CRI = "eu-cri"
    REGIONAL_CATALOG = "regional-catalog"
    CLOUD_TABLE = "cloud-table"
    RATE_CARDS = "rate-cards"
    ON_DEMAND = "on-demand"
    SPOT_ZONES = "spot-zones"


class UnnamedObservations(Observations):
    """Observations whose id may be absent, to become a hash of the row."""

    observation_id = dy.String(nullable=True, description="Given, else a hash of the row")


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One layout: how it reads, and the columns that its header must have."""

    read: Callable[[Path], pl.DataFrame]
    schema: type[dy.Schema]

    def needs(self) -> set[str]:
        """Columns that may not be absent."""
        return {name for name, column in self.schema.columns().items() if not column.nullable}


def read_table_of_observations(path: Path) -> pl.DataFrame:
    """`Observations` of a file in our own layout; further columns are attributes. Raises `InputError` with every fault."""
    rows, faults = read_checked(path, UnnamedObservations, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    return observed(rows, name=path.name)


READERS: Mapping[Format, Reader] = {
    Format.OBSERVATIONS: Reader(read=read_table_of_observations, schema=UnnamedObservations),
    Format.LISTINGS: Reader(read=read_listings, schema=Listings),
    Format.SUMMARIES: Reader(read=read_summaries, schema=Summaries),
    Format.PROVIDER_SUMMARIES: Reader(read=read_provider_summaries, schema=ProviderSummaries),
    Format.DAILY: Reader(read=read_daily, schema=DailyPrices),
    Format.SNAPSHOTS: Reader(read=read_snapshots, schema=Snapshots),
    Format.EU_CRI: Reader(read=read_eucri, schema=EuropeanOffers),
    Format.REGIONAL_CATALOG: Reader(read=read_regional_catalog, schema=RegionalCatalog),
    Format.CLOUD_TABLE: Reader(read=read_cloud_table, schema=CloudTable),
    Format.RATE_CARDS: Reader(read=read_rate_cards, schema=RateCards),
    Format.ON_DEMAND: Reader(read=read_on_demand, schema=OnDemandDays),
    Format.SPOT_ZONES: Reader(read=read_spot_zones, schema=SpotZones),
}


def read_observations(path: Path | str, format: Format | str | None = None) -> pl.DataFrame:
    """`Observations` of a CSV (also .csv.gz) or Parquet file.

    Args:
        path: the file.
        format: its layout; None tells it from the header.

    Raises `InputError` with every fault, also where no reader knows the header or `format` is none of ours.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError.of(str(path), "a CSV or Parquet file of observed prices")
    if format is not None and format not in list(Format):
        raise InputError.of(path.name, f"a format out of {', '.join(Format)}", value=format)
    return READERS[Format(format) if format else recognise(path)].read(path)


def recognise(path: Path) -> Format:
    """The layout whose columns the header has. Raises `InputError` where there is not exactly one."""
    return Format(matching(path, {name: reader.needs() for name, reader in READERS.items()}))
