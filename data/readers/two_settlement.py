"""Files with a day-ahead and a real-time price of the same hour, as electricity markets publish them.

Three forms: our own table (horizon, series, start, ahead, real); Time, Location, LMP_DAM, LMP_RTM; and time, DA_price, RT_price. The last
two are on a local clock, hour beginning, that the caller names; an hour that the clock shows twice is its first, one that it skips is
refused.
Sources seen: NYISO, github.com/Grid-Decomposition-Lab (MIT), 11 zones, and github.com/nikisil/ExecutiveHour (no licence stated), Zone J.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import checked, read_checked
from tenorgrid.data.tables.premium import AheadReal

PRICE = {"unit": "USD/MWh"}
HORIZON = "day-ahead"
CLOCK = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?$"


class ZonalPrices(dy.Schema):
    """Day-ahead and real-time prices of zones."""

    Time = dy.String(primary_key=True, regex=CLOCK, description="Local hour beginning")
    Location = dy.String(primary_key=True, description="Zone")
    LMP_DAM = dy.Float64(description="Day-ahead price", metadata=PRICE)
    LMP_RTM = dy.Float64(description="Real-time price, mean of the hour", metadata=PRICE)


class OneZonePrices(dy.Schema):
    """Day-ahead and real-time prices of one zone."""

    time = dy.String(primary_key=True, regex=CLOCK, description="Local hour beginning")
    DA_price = dy.Float64(description="Day-ahead price", metadata=PRICE)
    RT_price = dy.Float64(description="Real-time price", metadata=PRICE)


def read_two_settlement(path: Path, *, timezone: str = "America/New_York") -> pl.DataFrame:
    """`AheadReal` of a file in one of the three forms.

    Args:
        path: CSV, gzipped or not, or Parquet.
        timezone: of the local clocks; our own table is in UTC.

    Raises `InputError` with every fault, and for an hour that the local clock skips.
    """
    path = Path(path)
    head, _ = read_checked(path, AheadReal, attributes=True)
    names = set(head.columns)
    schema: type[dy.Schema] = ZonalPrices if "LMP_DAM" in names else OneZonePrices if "DA_price" in names else AheadReal
    rows, faults = read_checked(path, schema, attributes=schema is not AheadReal, empty=False)
    if faults:
        raise InputError(faults)
    if schema is AheadReal:
        return rows
    clock = "Time" if schema is ZonalPrices else "time"
    moment = pl.col(clock).str.replace("T", " ").str.slice(0, 16).str.to_datetime("%Y-%m-%d %H:%M", time_unit="us")
    local = rows.with_row_index("row", offset=1).with_columns(
        moment.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC").alias("start")
    )
    skipped = local.filter(pl.col("start").is_null())
    if skipped.height:
        raise InputError(
            Fault(file=path.name, row=row, column=clock, value=text, expected=f"an hour that the clock of {timezone} shows")
            for row, text in skipped.select("row", clock).iter_rows()
        )
    series = pl.col("Location") if schema is ZonalPrices else pl.lit(path.name.partition(".")[0])
    ahead, real = ("LMP_DAM", "LMP_RTM") if schema is ZonalPrices else ("DA_price", "RT_price")
    pairs = local.select(
        pl.lit(HORIZON).alias("horizon"), series.alias("series"), "start", pl.col(ahead).alias("ahead"), pl.col(real).alias("real")
    )
    return checked(pairs.sort("series", "start"), AheadReal, name=path.name)
