"""A curve by month of delivery: its mean, what a cent is worth, what time does to it, and how it moved between two days."""

import numpy as np
import polars as pl

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Vector, position
from tenorgrid.curves.risk.deltas import CENT, bucket_sensitivities
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.curve_kept import CurveMonths, CurveMoves, MonthlyJacobian

ROLLED = 30  # days


def monthly_jacobian(curve: ForwardCurve) -> pl.DataFrame:
    """`MonthlyJacobian`: means of the Jacobian's rows by local month, months in order, quotes as the curve has them."""
    months, weight = bucket_sensitivities(curve)
    names = curve.quotes["quote_id"].to_list()
    return MonthlyJacobian.validate(
        pl.DataFrame(
            {
                "index": [curve.index] * weight.size,
                "month": np.repeat(months, len(names)),
                "quote_id": names * len(months),
                "weight": weight.ravel(),
            }
        )
    )


def months(curve: ForwardCurve, *, limits: pl.DataFrame | None = None, days: int = ROLLED) -> pl.DataFrame:
    """`CurveMonths` of a curve.

    Args:
        curve: forwards.
        limits: `Curve` whose band is told; None is the curve's own.
        days: after which the roll-down is.
    """
    band = curve.curve if limits is None else limits
    frame = pl.DataFrame(
        {"month": _months(curve.starts, curve.timezone), "forward": curve.forward, "rolled": _rolled(curve, 24 * days)}
    ).with_columns(band["lower"], band["upper"])
    mean = frame.group_by("month", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("hours"),
        pl.col("forward", "lower", "upper").mean(),
        (pl.len() * CENT).alias("cent"),
        pl.col("rolled").mean().fill_nan(None).alias("roll_down"),
    )
    return CurveMonths.validate(mean.select(pl.lit(curve.index).alias("index"), pl.all()))


def moves(before: ForwardCurve, after: ForwardCurve) -> pl.DataFrame:
    """`CurveMoves` between two curves of one index, over the hours that both have and the later one has still ahead.

    The roll-down of an hour is F₀(h − Δ) − F₀(h), Δ the whole hours between the two moments: what it would have changed by, had the curve
    by time to delivery stayed. The rest is the market's. A month with an hour whose h − Δ is before the earlier curve has no roll-down.

    Raises `InputError` for two indices, for a later curve that is not later, and for curves without a common hour.
    """
    if before.index != after.index:
        raise InputError.of("curves", f"two curves of {before.index}", column="index", value=after.index)
    gone = int((after.as_of - before.as_of).total_seconds() // 3600)
    if after.as_of <= before.as_of:
        raise InputError.of("curves", f"a curve after {before.as_of}", column="as_of", value=after.as_of)
    first = pl.DataFrame({"start": before.starts, "before": before.forward, "rolled": _rolled(before, gone)})
    second = pl.DataFrame({"start": after.starts, "after": after.forward}).filter(pl.col("start") >= after.as_of)
    both = first.join(second, on="start", how="inner").sort("start")
    if both.is_empty():
        raise InputError.of("curves", "hours of delivery that both curves have", value=f"{before.as_of} and {after.as_of}")
    means = (
        both.with_columns(_months(both["start"], after.timezone).alias("month"))
        .group_by("month", maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("hours"), pl.col("before", "after").mean(), pl.col("rolled").mean().fill_nan(None))
    )
    change = means.select(
        pl.lit(before.index).alias("index"),
        "month", "hours", "before", "after",
        (pl.col("after") - pl.col("before")).alias("change"),
        pl.col("rolled").alias("roll_down"),
    )  # fmt: skip
    return CurveMoves.validate(change.with_columns((pl.col("change") - pl.col("roll_down")).alias("market")))


def _months(starts: pl.Series, timezone: str) -> pl.Series:
    return starts.dt.convert_time_zone(timezone).dt.strftime("%Y-%m")


def _rolled(curve: ForwardCurve, shift: int) -> Vector:
    """(hours,) F(h − shift) − F(h), NaN where the curve has no such hour or h is delivered by then."""
    found = np.full(curve.forward.size, np.nan)
    gone = max(shift, position(curve.starts[0], curve.as_of) + shift)
    if gone < curve.forward.size:
        found[gone:] = curve.forward[gone - shift : curve.forward.size - shift] - curve.forward[gone:]
    return found
