"""Prints of somebody else's index: what was published, revision by revision, and with which constituents. They are no observations.

EU-CRI. A print is named by series, day and revision; a later revision never takes the place of an earlier one. A print without a value is
flagged with why. Constituents stand beside every print but those of the seven-day mean: the price that a provider entered with, its share
of the weight in percent, and the reason where it did not count, or where its price was clamped and did count.
Source: github.com/markrusch/Compute-Index, tables daily_index and constituents of data/eucri.db (no licence stated for the data).

CCIR, second version. A print is named by series and day; all are of revision 1.
Source: github.com/ccir-index/ccir-v2-data (no licence stated), 2026-04-24 and 25.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.door import read_checked

USD_PER_GPU_HOUR = {"unit": "USD/GPUh"}
KEY = ["series", "date", "revision"]
LAST_DIGIT = 1e-6  # EUR/GPUh: values are rounded to 6 decimals


class EuropeanPrints(dy.Schema):
    """One revision of one day's print of a series."""

    date = dy.Date(primary_key=True, description="Day, UTC")
    series = dy.String(primary_key=True, description="Name of the index")
    revision = dy.Int64(primary_key=True, min=1, description="1 at first, one more with each restatement")
    value_usd = dy.Float64(nullable=True, min_exclusive=0, description="Value; null where none was published", metadata=USD_PER_GPU_HOUR)
    value_eur = dy.Float64(nullable=True, min_exclusive=0, description="The same in euros", metadata={"unit": "EUR/GPUh"})
    fx_rate = dy.Float64(nullable=True, min_exclusive=0, description="Dollars for a euro", metadata={"unit": "USD/EUR"})
    fx_date = dy.Date(nullable=True, description="Day of the rate")
    n_sources = dy.Int64(min=0, description="Constituents that could count; of the seven-day mean the days")
    n_executable = dy.Int64(min=0, description="Those with firm quotes; from 0.3.0 on, firm quotes")
    flags = dy.String(nullable=True, description="Separated by commas")
    methodology_version = dy.String(description="Version of the rule")

    @dy.rule()
    def euros_are_the_value_at_the_rate(cls) -> pl.Expr:
        """value_eur = value_usd / fx_rate to 6 decimals."""
        return (pl.col("value_usd") / pl.col("fx_rate") - pl.col("value_eur")).abs() <= LAST_DIGIT

    @dy.rule()
    def an_absent_value_is_flagged(cls) -> pl.Expr:
        """a value, or a flag that says why there is none."""
        return pl.col("value_usd").is_not_null() | pl.col("flags").is_not_null()


class EuropeanConstituents(dy.Schema):
    """What one provider brought to one revision of one print."""

    date = dy.Date(primary_key=True, description="Day, UTC")
    series = dy.String(primary_key=True, description="Name of the index")
    revision = dy.Int64(primary_key=True, min=1, description="Revision of the print")
    provider = dy.String(primary_key=True, description="Provider, or of a composite its class")
    source = dy.String(nullable=True, description="Where its offers were collected from")
    tier = dy.String(nullable=True, description="executable, list, or index in a composite")
    price_usd = dy.Float64(min=0, description="Its price; 0 where it was out of the population", metadata=USD_PER_GPU_HOUR)
    weight = dy.Float64(min=0, max=100, description="Its share where it counts", metadata={"unit": "%"})
    included = dy.Int64(min=0, max=1, description="1 where it counts")
    exclusion_reason = dy.String(nullable=True, description="Why it does not count; trimmed or winsorised: counts, with a clamped price")
    flags = dy.String(nullable=True, description="Separated by commas")


class CreditPrints(dy.Schema):
    """One day's print of a series of CCIR's second version."""

    series_id = dy.String(primary_key=True, description="Name of the index")
    as_of_date = dy.Date(primary_key=True, description="Day")
    gpu_model = dy.String(description="GPU")
    region = dy.String(description="US, EU, Other or ALL")
    commitment_term = dy.Enum(["OnDemand", "1Y", "3Y"], description="What is promised for how long")
    price_mean_usd_per_gpu_hour = dy.Float64(min_exclusive=0, description="Mean over the window", metadata=USD_PER_GPU_HOUR)
    price_median = dy.Float64(min_exclusive=0, description="Median over the window", metadata=USD_PER_GPU_HOUR)
    price_min = dy.Float64(min_exclusive=0, description="Lowest", metadata=USD_PER_GPU_HOUR)
    price_max = dy.Float64(min_exclusive=0, description="Highest", metadata=USD_PER_GPU_HOUR)
    n_sources = dy.Int64(min=1, description="Sources in the window")
    n_observations = dy.Int64(min=1, description="Prices in the window")
    methodology_version = dy.String(description="Version of the rule")

    @dy.rule()
    def the_median_lies_between(cls) -> pl.Expr:
        """price_min <= price_median <= price_max."""
        return pl.col("price_median").is_between("price_min", "price_max")


def read_eucri_prints(path: Path) -> pl.DataFrame:
    """Prints of EU-CRI by series, day and revision. Raises `InputError` with every fault, a missing revision too."""
    path = Path(path)
    rows, faults = read_checked(path, EuropeanPrints, empty=False)
    if not faults:
        faults += _skipped(rows, path.name)
    if faults:
        raise InputError(faults)
    return rows.sort(KEY)


def read_eucri_constituents(path: Path) -> pl.DataFrame:
    """Constituents of EU-CRI by series, day, revision and provider; `included` is true or false. Raises `InputError` with every fault."""
    rows, faults = read_checked(Path(path), EuropeanConstituents, empty=False)
    if faults:
        raise InputError(faults)
    return rows.with_columns(pl.col("included") == 1).sort(*KEY, "provider")


def read_ccir_prints(path: Path) -> pl.DataFrame:
    """Prints of CCIR's second version by series and day; unlisted columns stay. Raises `InputError` with every fault."""
    rows, faults = read_checked(Path(path), CreditPrints, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    return rows.sort("series_id", "as_of_date")


def _skipped(rows: pl.DataFrame, name: str) -> list[Fault]:
    """Prints whose series and day has fewer earlier revisions than their number says."""
    counted = rows.with_row_index("row", offset=1).with_columns(rank=pl.col("revision").rank("ordinal").over("series", "date"))
    wrong = counted.filter(pl.col("rank") != pl.col("revision"))
    return [
        Fault(file=name, row=row, column="revision", value=str(found), expected=f"revision {rank}: none of {series} {day} may be missing")
        for row, found, rank, series, day in wrong.select("row", "revision", "rank", "series", "date").iter_rows()
    ]
