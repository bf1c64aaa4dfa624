"""What a position of hours loses or gains with the quotes: by quote through the Jacobian, by month through its own hours."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import InputError
from tenorgrid.data.periods import month
from tenorgrid.data.tables.curve import BucketDeltas, QuoteDeltas

CENT = 0.01  # USD per GPU-hour


@dataclass(frozen=True, eq=False, kw_only=True)
class Deltas:
    """`quotes`: `QuoteDeltas`; `months`: `BucketDeltas`. Both add up to the position where no quote is redundant or discounted."""

    quotes: pl.DataFrame
    months: pl.DataFrame


def deltas(curve: ForwardCurve, position: Vector, *, lots: Mapping[str, float] | None = None) -> Deltas:
    """Deltas of a position in hours, Σ_h q_h F_h.

    A quote's delta is q · ∂F/∂p: how many GPU-hours of it hedge the position. One lot of a quote is the hours of its delivery, unless
    `lots` says otherwise. A month's delta is the position in its hours; one lot is every hour of the month.

    Args:
        curve: forwards.
        position: (hours,) GPU-hours held in each hour of the curve.
        lots: GPU-hours of one lot of some quotes, as 730 for `data.terms.contracts.lot_hours`.

    Raises `InputError` for a position of another length, for one that is not finite, and for a lot of an unknown quote.
    """
    held = np.asarray(position, dtype=np.float64)
    if held.shape != curve.forward.shape or not np.isfinite(held).all():
        raise InputError.of("position", f"a finite number for each of the {curve.forward.size} hours of the curve", value=held.shape)
    names = curve.quotes["quote_id"].to_list()
    given = dict(lots or {})
    if unknown := sorted(set(given) - set(names)):
        raise InputError.of("lots", f"one of {', '.join(names)}", column="quote_id", value=", ".join(unknown))
    sizes = [given.get(name, float(np.count_nonzero(curve.rows.row(i)))) for i, name in enumerate(names)]
    by_quote = pl.DataFrame({"quote_id": names, "delta": held @ curve.sensitivity, "lot": sizes})
    local = curve.starts.dt.convert_time_zone(curve.timezone)
    by_month = (
        pl.DataFrame({"month": local.dt.strftime("%Y-%m"), "delta": held}).group_by("month", maintain_order=True).agg(pl.col("delta").sum())
    )
    hours = [month(int(code[:4]), int(code[5:]), timezone=curve.timezone).hours for code in by_month["month"]]
    money = [(pl.col("delta") / pl.col("lot")).alias("lots"), (pl.col("delta") * CENT).alias("cent")]
    return Deltas(
        quotes=QuoteDeltas.validate(by_quote.with_columns(money)),
        months=BucketDeltas.validate(by_month.with_columns(pl.Series("lot", hours)).with_columns(money)),
    )


def bucket_sensitivities(curve: ForwardCurve) -> tuple[list[str], Vector]:
    """Local months of the curve and (months, quotes) ∂ average forward of each month / ∂ price of each quote.

    Averages of the Jacobian's rows, summed before they are made, so no curve is built again.
    """
    local = curve.starts.dt.convert_time_zone(curve.timezone)
    code = (local.dt.year().cast(pl.Int64) * 12 + local.dt.month() - 1).to_numpy()
    first = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    edges = np.append(first, code.size)
    average = curve.by_quote(curve.fitted.sums(edges)) / np.diff(edges)[:, None]
    return [f"{c // 12}-{c % 12 + 1:02d}" for c in code[first]], average
