"""What a desk holds when nobody says otherwise: a small book and a few exposures drawn from the run itself, by rule."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.kinds.contract import TradeSide
from tenorgrid.data.kinds.market import AwardSide
from tenorgrid.data.tables.book import Trades
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.settled import Exposures
from tenorgrid.data.terms.contracts import contract_dates
from tenorgrid.data.terms.market import REAL_TIME
from tenorgrid.results import Run

FIRM = "firm"
Row = dict[str, Any]


def headline(run: Run, indices: Iterable[str]) -> str:
    """The index that a desk trades: the first that stands for several locations, else the first."""
    names = list(indices)
    return next((name for name in names if len(run.underlying(name).weights) > 1), names[0])


def small_book(run: Run, curves: Mapping[str, ForwardCurve]) -> pl.DataFrame:
    """`Trades` on the headline index: this month's forward, part of it fixed, the next month's, calls on its hours, and virtual bids.

    Forwards are struck at the curve to the cent, calls 10 % above it. The virtual bids are the largest dec and inc that the ahead
    markets have awarded for deliveries still to come, at nodes that have a curve. What the curve does not cover is left out.
    """
    index = headline(run, curves)
    curve = curves[index]
    months = [_month(run.today()), _month(_following(run.today()))]
    rows = [*_forwards(run, curve, index, months), *_calls(run, curve, index, months[1]), *_virtuals(run, curves)]
    schema = {name: column.dtype for name, column in Trades.columns().items()}
    frame = pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema, orient="row")
    return checked(frame, Trades, name="trades")


def largest_exposures(run: Run, *, count: int = 4) -> pl.DataFrame:
    """`Exposures`: of each class of work the workload and home with most firm work in real time, the largest `count` by money, over
    the month that follows.
    """
    served = run.awards.filter(
        pl.col("horizon") == REAL_TIME.name,
        pl.col("side").cast(pl.String) == AwardSide.BID.value,
        pl.col("tier") == FIRM,
        pl.col("location").is_not_null(),
    )
    hours = served["start"].n_unique()
    most = (
        served.join(run.case.workloads.select("workload", "class", "unit"), on="workload")
        .group_by("class", "workload", "location", "unit")
        .agg(pl.col("quantity").sort().sum() / max(hours, 1), (-pl.col("cash")).sort().sum().alias("spent"))
        .sort("spent", "workload", "location", descending=[True, False, False])
        .unique("class", keep="first", maintain_order=True)
        .head(count)
    )
    zone = run.case.market.timezone
    start, end = contract_dates(f"ANY:{_month(_following(run.today()))}", timezone=zone)
    rows = most.select(
        pl.format("{}@{}", "workload", "location").alias("exposure"),
        "workload",
        pl.lit(None, dtype=pl.String).alias("resource"),
        pl.col("location").alias("region"),
        pl.lit(FIRM).alias("tier"),
        pl.lit(start).dt.cast_time_unit("us").dt.convert_time_zone("UTC").alias("start"),
        pl.lit(end).dt.cast_time_unit("us").dt.convert_time_zone("UTC").alias("end"),
        pl.col("quantity").round_sig_figs(3),
        pl.format("{} per hour", "unit").alias("unit"),
        pl.lit(None, dtype=pl.Float64).alias("price"),
    )
    return checked(rows, Exposures, name="exposures")


def _forwards(run: Run, curve: ForwardCurve, index: str, months: list[str]) -> Iterator[Row]:
    for month, side, quantity in zip(months, (TradeSide.BUY, TradeSide.SELL), (100.0, 60.0), strict=True):
        start, end = contract_dates(f"{index}:{month}", timezone=curve.timezone)
        still = max(start, curve.starts[0])
        if still < end and _covered(curve, still, end):
            strike = round(curve.average(still, end), 2)
            yield _trade(run, f"FWD-{month}", "forward", side, quantity, index, start, end, strike=strike, contract=f"{index}:{month}")


def _calls(run: Run, curve: ForwardCurve, index: str, month: str) -> Iterator[Row]:
    start, end = contract_dates(f"{index}:{month}", timezone=curve.timezone)
    if _covered(curve, start, end):
        strike = round(1.1 * curve.average(start, end), 2)
        yield _trade(run, f"CAP-{month}", "capacity", TradeSide.BUY, 50.0, index, start, end, strike=strike, contract=f"{index}:{month}")


def _virtuals(run: Run, curves: Mapping[str, ForwardCurve]) -> Iterator[Row]:
    """The largest award of each side at each ahead horizon that is still open, where its node has a curve."""
    today = run.case.market.midnight(run.today())
    node = pl.concat_str("location", "resource", "tier", separator="/")
    index = pl.concat_str("resource", "location", "tier", separator=".").str.to_uppercase()
    open_ = (
        run.awards.filter(pl.col("side").cast(pl.String).is_in(["inc", "dec"]), pl.col("start") >= today)
        .with_columns(node.alias("node"), index.alias("index"))
        .filter(pl.col("index").is_in(list(curves)))
    )
    names = [horizon.name for horizon in run.case.market.horizons]
    rank = pl.col("horizon").replace_strict(names, range(len(names)), return_dtype=pl.Int32)
    position = ["side", "id", "start", "location", "resource"]
    largest = (
        open_.sort(rank, *position)
        .unique(position, keep="first", maintain_order=True)  # later horizons award again what they carry
        .sort("quantity", "id", "start", "location", "resource", descending=[True, False, False, False, False])
        .unique("side", keep="first", maintain_order=True)
    )
    for row in largest.sort("side").iter_rows(named=True):
        side = TradeSide.BUY if row["side"] == "dec" else TradeSide.SELL
        end = row["start"] + run.case.market.interval
        params = f'{{"horizon": "{row["horizon"]}"}}'
        yield _trade(
            run,
            f"VIRT-{row['side'].upper()}",
            "virtual",
            side,
            row["quantity"],
            row["node"],
            row["start"],
            end,
            strike=row["price"],
            params=params,
        )


def _trade(
    run: Run, name: str, kind: str, side: TradeSide, quantity: float, index: str, start: datetime, end: datetime, **more: object
) -> Row:
    agreed = run.case.market.midnight(run.today() - timedelta(days=1))
    terms = {"trade_id": name, "traded_at": agreed, "book": "desk", "counterparty": "street", "kind": kind, "side": str(side)}
    return terms | {"quantity": quantity, "quantity_unit": "per_hour", "index": index, "start": start, "end": end} | more


def _covered(curve: ForwardCurve, start: datetime, end: datetime) -> bool:
    return bool(curve.starts[0] <= start and end <= curve.starts[-1] + timedelta(hours=1))


def _following(day: date) -> date:
    """A day of the month after."""
    return day.replace(day=28) + timedelta(days=4)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
