"""Bids as tables: a step a row, the way back to arrays, and what stands in each hour beside its premium."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import VirtualSide
from tenorgrid.data.periods import midnight
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.virtual_bids import BidCurves, BidHours
from tenorgrid.derivatives.virtual_bids.program import DEC, INC, Steps
from tenorgrid.derivatives.virtual_bids.scenarios import HOURS, Scenarios

SIDES = {VirtualSide.DEC: DEC, VirtualSide.INC: INC}


def table_of(steps: Steps, series: tuple[str, ...], day: date, *, timezone: str) -> pl.DataFrame:
    """`BidCurves`; an hour that clocks leave out has no bid, one that they repeat has its bid once, at its first instant."""
    rows = pl.DataFrame(
        {
            "series": [series[int(place) // HOURS] for place in steps.product],
            "hour": (steps.product % HOURS).tolist(),
            "side": [str(VirtualSide.DEC if side > 0 else VirtualSide.INC) for side in steps.side],
            "price": steps.price,
            "quantity": steps.quantity,
        },
        schema={"series": pl.String(), "hour": pl.Int64(), "side": pl.String(), "price": pl.Float64(), "quantity": pl.Float64()},
    )
    made = rows.join(_hours(day, timezone), on="hour", how="inner").group_by("series", "start", "side", "price")
    table = made.agg(pl.col("quantity").sum()).sort("series", "start", "side", "price")
    return BidCurves.validate(table.select(BidCurves.column_names()), cast=True)


def steps_of(bids: pl.DataFrame, series: tuple[str, ...], day: date, *, timezone: str) -> Steps:
    """Arrays of bids for a day. Raises `InputError` for a table that is not `BidCurves`, an unknown series and another day's hour."""
    rows = checked(bids, BidCurves, name="bids")
    for name in rows["series"].unique().sort():
        if name not in series:
            raise InputError.of("bids", f"one of {', '.join(series[:8])}", column="series", value=name)
    found = rows.join(_hours(day, timezone), on="start", how="left")
    for start in found.filter(pl.col("hour").is_null())["start"]:
        raise InputError.of("bids", f"an hour of {day}", column="start", value=start)
    places = {name: place for place, name in enumerate(series)}
    return Steps(
        product=np.array([places[name] * HOURS + hour for name, hour in found.select("series", "hour").iter_rows()], np.int64),
        side=np.array([SIDES[VirtualSide(side)] for side in found["side"]], np.float64),
        price=found["price"].to_numpy(), quantity=found["quantity"].to_numpy(),
    )  # fmt: skip


def hours_of(steps: Steps, told: Scenarios, series: tuple[str, ...], day: date, *, timezone: str) -> pl.DataFrame:
    """`BidHours`: the premium that the scenarios tell of each hour, and what is bid there and expected to clear."""
    premium = told.ahead - told.real
    mean = told.weight @ premium
    products = premium.shape[1]
    offered, cleared = {}, {}
    likely = told.weight @ steps.cleared(told.ahead)
    for name, side in (("dec", DEC), ("inc", INC)):
        mine = steps.side == side
        offered[name] = np.bincount(steps.product[mine], weights=steps.quantity[mine], minlength=products)
        cleared[name] = np.bincount(steps.product[mine], weights=likely[mine], minlength=products)
    rows = pl.DataFrame(
        {
            "series": np.repeat(series, HOURS), "hour": np.tile(np.arange(HOURS), len(series)), "premium": mean,
            "deviation": np.sqrt(told.weight @ (premium - mean) ** 2),
            "dec": offered["dec"], "inc": offered["inc"], "bought": cleared["dec"], "sold": cleared["inc"],
        }
    ).cast({"hour": pl.Int64()})  # fmt: skip
    table = rows.join(_hours(day, timezone), on="hour", how="inner").sort("series", "start")
    return BidHours.validate(table.select(BidHours.column_names()), cast=True)


def _hours(day: date, timezone: str) -> pl.DataFrame:
    """Columns start and hour: every local hour of a day, at its first instant."""
    begin, end = (midnight(moment, timezone=timezone) for moment in (day, day + timedelta(days=1)))
    hours = pl.datetime_range(begin, end, "1h", closed="left", time_zone="UTC", time_unit="us", eager=True).alias("start").to_frame()
    return hours.with_columns(pl.col("start").dt.convert_time_zone(timezone).dt.hour().cast(pl.Int64).alias("hour")).unique(
        "hour", keep="first"
    )
