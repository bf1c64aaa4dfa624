r"""Volatility from the range of a day: Parkinson, Garman and Klass, Rogers and Satchell.

With u, d and c the logarithms of high, low and close over the open:

- Parkinson (1980, Journal of Business 53): :math:`(u - d)^2 / (4 \ln 2)`, five times as precise as c² where there is no drift,
- Garman and Klass (1980, ibid.): :math:`0.511 (u - d)^2 - 0.019 (c (u + d) - 2 u d) - 0.383 c^2`, seven times, no drift,
- Rogers and Satchell (1991, Annals of Applied Probability 1): :math:`u (u - c) + d (d - c)`, whatever the drift.

All need the true highest and lowest price *of one thing over time*. The dearest and cheapest of several offers at one moment are not that:
their distance is what offers differ by, and it is as wide when no price moves at all.
"""

from typing import Literal, get_args

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.index import BarBasis, ObservationKind
from tenorgrid.data.tables.door import checked
from tenorgrid.data.tables.volatility import Bars

Range = Literal["parkinson", "garman-klass", "rogers-satchell"]

LEAST = 20  # bars
CROSS_SECTIONS = ("p_min", "p_max", "min_price_hr", "max_price_hr", "price_min_usd_gpuhr", "price_max_usd_gpuhr", "min_usd_gpuhr")
WHY = "highest and lowest trades of one thing over time; those of offers at one moment say how offers differ, not how a price moved"


def range_variance(bars: pl.DataFrame, *, estimator: Range = "rogers-satchell", least: int = LEAST) -> tuple[float, float]:
    """Mean variance of a bar's period and its standard error (that of independent bars).

    Args:
        bars: `Bars` of one series.
        estimator: which.
        least: fewest bars.

    Raises `InputError` with every fault: bars whose high and low are a cross-section, by their names; bars whose open or close lies outside
    low and high; several series; too few; none that moves.

    >>> bar = {"series": "X", "open": 1.0, "high": 2.0, "low": 1.0, "close": 2.0, "basis": "traded"}
    >>> from datetime import UTC, datetime
    >>> frame = pl.DataFrame([bar | {"start": datetime(2027, 1, day, tzinfo=UTC)} for day in range(1, 21)])
    >>> [round(value, 4) for value in range_variance(frame, estimator="parkinson")]
    [0.1733, 0.0]
    """
    if estimator not in get_args(Range):
        raise InputError.of("volatility", f"one of {', '.join(get_args(Range))}", column="estimator", value=estimator)
    if named := [name for name in CROSS_SECTIONS if name in bars.columns]:
        raise InputError(Fault(file="bars", column=name, expected=WHY) for name in named)
    table = checked(bars, Bars, name="bars")
    faults = [
        Fault(file="bars", column="basis", value=f"{BarBasis.CROSS_SECTION} of {series}", expected=WHY)
        for series in table.filter(pl.col("basis").cast(pl.String) == BarBasis.CROSS_SECTION)["series"].unique().sort()
    ]
    outside = ~(pl.col("low") <= pl.min_horizontal("open", "close")) | ~(pl.max_horizontal("open", "close") <= pl.col("high"))
    faults += [
        Fault(file="bars", column="high", value=f"{low:g} to {high:g} at {start}", expected="open and close between low and high")
        for start, low, high in table.filter(outside).select("start", "low", "high").iter_rows()
    ]
    if table["series"].n_unique() > 1:
        faults.append(Fault(file="bars", column="series", value=", ".join(table["series"].unique().sort()), expected="one series"))
    if table.height < least:
        faults.append(Fault(file="bars", value=f"{table.height}", expected=f"at least {least} of them"))
    if not faults and (table["high"] == table["low"]).all():
        faults.append(Fault(file="bars", column="high", value="equal to low in every bar", expected="prices that move"))
    if faults:
        raise InputError(faults)
    up, down, last = (np.log((table[name] / table["open"]).to_numpy()) for name in ("high", "low", "close"))
    each = _each(up, down, last, estimator)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(each.size))


def _each(up: Vector, down: Vector, last: Vector, estimator: Range) -> Vector:
    if estimator == "parkinson":
        return np.asarray((up - down) ** 2 / (4 * np.log(2)))
    if estimator == "garman-klass":
        return 0.511 * (up - down) ** 2 - 0.019 * (last * (up + down) - 2 * up * down) - 0.383 * last**2
    return up * (up - last) + down * (down - last)


def bars_of_trades(observations: pl.DataFrame, *, series: str, every: str = "1d") -> pl.DataFrame:
    """`Bars` from trades of one thing: first, highest, lowest and last price of each period.

    Args:
        observations: `Observations`, all of kind trade and of one resource, location and tier.
        series: name.
        every: length of a bar, as polars has it.

    Raises `InputError` for quotes and list prices by their kind (their highest and lowest are of offers, not of a price), and for several
    things in one.
    """
    kinds = observations["kind"].cast(pl.String).unique().sort().to_list()
    faults = [Fault(file="observations", column="kind", value=kind, expected=WHY) for kind in kinds if kind != ObservationKind.TRADE]
    for column in ("resource", "region", "location", "tier"):
        if observations[column].n_unique() > 1:
            many = ", ".join(str(value) for value in observations[column].unique().sort().head(5))
            faults.append(Fault(file="observations", column=column, value=many, expected="trades of one thing"))
    if faults or not kinds:
        raise InputError(faults or [Fault(file="observations", expected="at least one trade")])
    price = pl.col("price")
    made = (
        observations.sort("time")
        .group_by_dynamic("time", every=every)
        .agg(price.first().alias("open"), price.max().alias("high"), price.min().alias("low"), price.last().alias("close"))
        .rename({"time": "start"})
        .with_columns(pl.lit(series).alias("series"), pl.lit(str(BarBasis.TRADED)).alias("basis"))
    )
    return Bars.validate(made.select(Bars.column_names()), cast=True)
