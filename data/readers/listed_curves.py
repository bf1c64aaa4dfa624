"""Settlement prices of listed futures by nearby order, with the exchange's expiry table, as `Quotes`.

One row a day and one column a place in the queue (`NG01` the nearest contract, `NG02` the next), as risktoollib/RTL keeps NYMEX crude and
gas (`dfwide`, `expiry_table`). Which month `NG01` delivers is not in the prices: the nearest contract of a day is the first one
whose last day of trade is not before it.
"""

from collections.abc import Collection
from datetime import date, time
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.periods import month_code
from tenorgrid.data.tables.curve import Quotes

ZONE = "America/New_York"
SETTLED = time(14, 30)  # local time of NYMEX energy settlement
EXPIRY = ("tick.prefix", "Last.Trade", "First.Delivery", "Last.Delivery")


def read_listed_curves(prices: Path, expiries: Path, *, product: str, days: Collection[date] | None = None) -> pl.DataFrame:
    """`Quotes` of one product on some days: `quote_id` and `contract` are codes such as `NGG07`, the index is `NYMEX.NG`.

    Args:
        prices: file of `date` and a column for each place in the queue, `CL01`, `CL02`, ...; an empty cell is no quote.
        expiries: file of `tick.prefix`, `Last.Trade`, `First.Delivery` and `Last.Delivery`, one row a contract.
        product: `CL` or `NG`, as both files call it.
        days: days to read; None is all.

    Prices are in the file's own unit (USD per barrel, per MMBtu) where a GPU's are in USD per GPU-hour: a curve does not care.

    Raises `InputError` for missing columns, a product that is not there, days that have no row, and contracts without an expiry.
    """
    wide = pl.read_csv(Path(prices), try_parse_dates=True, infer_schema_length=None)
    table = pl.read_csv(Path(expiries), try_parse_dates=True, infer_schema_length=None)
    places = [name for name in wide.columns if name[: len(product)] == product and name[len(product) :].isdigit()]
    faults = [Fault(file=Path(expiries).name, column=name, expected="a column") for name in EXPIRY if name not in table.columns]
    if "date" not in wide.columns:
        faults.append(Fault(file=Path(prices).name, column="date", expected="a column"))
    if not places:
        faults.append(
            Fault(file=Path(prices).name, column=f"{product}01", value=product, expected="a product with columns by nearby order")
        )
    if faults:
        raise InputError(faults)
    chosen = wide if days is None else wide.filter(pl.col("date").is_in(sorted(days)))
    if missing := sorted(set(days or ()) - set(chosen["date"])):
        raise InputError(Fault(file=Path(prices).name, column="date", value=str(day), expected="a day with prices") for day in missing)
    listed = table.filter(pl.col("tick.prefix") == product).sort("Last.Trade").with_row_index("contract_place")
    queue = (
        chosen.select("date", *places)
        .sort("date")
        .join_asof(listed.select("Last.Trade", "contract_place"), left_on="date", right_on="Last.Trade", strategy="forward")
        .unpivot(places, index=["date", "contract_place"], variable_name="place", value_name="price")
        .drop_nulls("price")
        .with_columns(pl.col("contract_place").cast(pl.Int64) + pl.col("place").str.slice(len(product)).cast(pl.Int64) - 1)
        .join(listed.with_columns(pl.col("contract_place").cast(pl.Int64)), on="contract_place", how="left")
    )
    if bare := queue.filter(pl.col("First.Delivery").is_null()).sort("date", "place").head(5).rows(named=True):
        raise InputError(
            Fault(file=Path(expiries).name, column="Last.Trade", value=f"{row['place']} on {row['date']}", expected="a contract's expiry")
            for row in bare
        )
    return _quotes(queue, product)


def _quotes(queue: pl.DataFrame, product: str) -> pl.DataFrame:
    codes = {first: f"{product}{month_code(first)}" for first in queue["First.Delivery"].unique()}
    code = pl.col("First.Delivery").replace_strict(codes, return_dtype=pl.String)
    rows = queue.select(
        _instant(pl.col("date").dt.combine(SETTLED)).alias("as_of"),
        code.alias("quote_id"),
        pl.lit(f"NYMEX.{product}").alias("index"),
        code.alias("contract"),
        _instant(pl.col("First.Delivery").cast(pl.Datetime("us"))).alias("start"),
        _instant((pl.col("Last.Delivery") + pl.duration(days=1)).cast(pl.Datetime("us"))).alias("end"),
        pl.lit("base").alias("profile"),
        pl.lit(None, dtype=pl.Float64).alias("bid"),
        pl.col("price").cast(pl.Float64),
        pl.lit(None, dtype=pl.Float64).alias("ask"),
        pl.lit("hourly").alias("average"),
        pl.lit(None, dtype=pl.String).alias("calendar"),
        pl.lit(ZONE).alias("timezone"),
        pl.lit("NYMEX settlement").alias("source"),
    ).sort("as_of", "start")
    return pl.concat([Quotes.validate(day, cast=True) for day in rows.partition_by("as_of", maintain_order=True)])


def _instant(local: pl.Expr) -> pl.Expr:
    return local.dt.cast_time_unit("us").dt.replace_time_zone(ZONE).dt.convert_time_zone("UTC")
