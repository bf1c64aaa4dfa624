r"""Realised variance of days from prints within them, bipower variation and a test for jumps.

With r₁ ... r_m the returns of a day's grid and μ₁ = √(2/π):

- realised variance :math:`RV = \sum r_i^2`, everything that moved,
- bipower variation :math:`BV = \mu_1^{-2} \frac{m}{m-1} \sum |r_i| |r_{i-1}|`, which a jump in one return hardly touches
  (Barndorff-Nielsen and Shephard 2004, Journal of Financial Econometrics 2),
- ratio statistic :math:`z = (1 - BV/RV) / \sqrt{(\mu_1^{-4} + 2 \mu_1^{-2} - 5) \max(1, TQ/BV^2) / m}`, normal where nothing jumps, with
  tripower quarticity TQ (Barndorff-Nielsen and Shephard 2006, ibid. 4; in this form Huang and Tauchen 2005, ibid. 3).

Prices that stand still for half the day make BV small for a reason that is no jump; the test says nothing of such a day.
"""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
from scipy.special import gamma, ndtr, ndtri

from tenorgrid.curves.hours import Vector
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.volatility import RealisedDays

SECOND = np.pi / 2  # 1 / μ₁²
FOURTHS = float(2 ** (2 / 3) * gamma(7 / 6) / gamma(1 / 2))  # E|z|^(4/3)
SPREAD = SECOND**2 + 2 * SECOND - 5
LEVEL = 0.999  # of the test: with a day tested every day, one in a thousand is wrong
STALE = 4  # steps of the grid that a last print may be old
PRESENT = 0.8  # of a day's grid that must have a print not older than that


def bipower(returns: Vector) -> float:
    """Bipower variation of a day's returns (m,).

    >>> round(bipower(np.array([1.0, 1.0, 1.0, 1.0])), 4)
    6.2832
    """
    size, moves = returns.size, np.abs(returns)
    return float(SECOND * size / (size - 1) * (moves[1:] @ moves[:-1]))


def tripower(returns: Vector) -> float:
    """Tripower quarticity of a day's returns (m,), which is ∫ σ⁴ also where there are jumps.

    >>> round(tripower(np.ones(6)), 3)
    62.765
    """
    size, moves = returns.size, np.abs(returns) ** (4 / 3)
    return float(size * FOURTHS**-3 * size / (size - 2) * (moves[2:] * moves[1:-1] * moves[:-2]).sum())


def jump_statistic(returns: Vector) -> float | None:
    """The ratio statistic of a day's returns (m,); None where at least half of them are 0, or fewer than 4.

    >>> jump_statistic(np.array([0.0, 0.0, 1.0, -1.0])) is None
    True
    """
    if returns.size < 4 or 2 * int((returns == 0).sum()) >= returns.size:
        return None
    total, smooth = float(returns @ returns), bipower(returns)
    if smooth == 0:
        return None
    return (1 - smooth / total) / float(np.sqrt(SPREAD / returns.size * max(1.0, tripower(returns) / smooth**2)))


def grid_of_prints(prints: pl.DataFrame, *, every: timedelta, stale: int = STALE, present: float = PRESENT) -> pl.DataFrame:
    """Prices on a grid, each the last print by then (previous tick): columns time, value, fresh.

    A price that is older than `stale` steps is missing. Days, of UTC, at the beginning and the end that have fewer than `present` of the
    grid's prices are left out; what is left must be days on end.

    Args:
        prints: time (UTC) and value above 0.
        every: step of the grid, which a day holds a whole number of times.
        stale: steps.
        present: share.

    Raises `InputError` with every fault: values not above 0, moments twice, a step that does not divide a day, days missing between others,
    none that is whole.
    """
    day = timedelta(days=1)
    if every <= timedelta(0) or day % every:
        raise InputError.of("prints", "a step that a day holds a whole number of times", column="every", value=every)
    table = prints.select("time", "value").sort("time")
    faults = [
        Fault(file="prints", column="value", value=f"{value} at {time}", expected="values above 0, which have a logarithm")
        for time, value in table.filter(~(pl.col("value") > 0) | pl.col("value").is_null()).iter_rows()
    ]
    faults += [
        Fault(file="prints", column="time", value=f"{time}", expected="each moment once")
        for time in table.filter(pl.col("time").is_duplicated())["time"].unique().sort()
    ]
    if faults:
        raise InputError(faults)
    first, last = table["time"].dt.truncate("1d").min(), table["time"].max()
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        raise InputError.of("prints", "at least one print")
    times = pl.datetime_range(first, last, every, eager=True, time_zone="UTC", time_unit="us").alias("time")
    held = times.to_frame().join_asof(table.with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")), seen="time"), on="time")
    fresh = (pl.col("time") - pl.col("seen")) <= stale * every
    return _whole(held.select("time", "value", fresh.fill_null(False).alias("fresh")), every, present)


def _whole(held: pl.DataFrame, every: timedelta, present: float) -> pl.DataFrame:
    steps = timedelta(days=1) // every
    days = held.with_columns(day=pl.col("time").dt.date())
    counted = days.group_by("day", maintain_order=True).agg(
        pl.len(), pl.col("fresh").mean().alias("share"), pl.col("value").null_count().alias("lost")
    )
    good = counted.filter(pl.col("len") == steps, pl.col("share") >= present, pl.col("lost") == 0)["day"]
    if good.is_empty():
        raise InputError.of(
            "prints", f"a day of {steps} prices, {present:.0%} of them no older than allowed", value=f"{counted.height} days without"
        )
    between = counted.filter(pl.col("day").is_between(good.min(), good.max()), ~pl.col("day").is_in(good.implode()))
    if not between.is_empty():
        raise InputError(
            Fault(
                file="prints",
                column="time",
                value=f"{day}: {share:.0%} of {count} prices",
                expected=f"{present:.0%} of {steps}, days on end",
            )
            for day, count, share in between.select("day", "len", "share").iter_rows()
        )
    return days.filter(pl.col("day").is_in(good.implode())).select("time", "value", "fresh")


def realised_days(
    prints: pl.DataFrame, *, every: timedelta, series: str, level: float = LEVEL, stale: int = STALE, present: float = PRESENT
) -> pl.DataFrame:
    """`RealisedDays`: what each day's prints say of its variance and its jumps.

    A return belongs to the day that it ends in, so that a day's first is from the last price of the day before; the first day has one
    return less. Later prints change no earlier day.

    Args:
        prints: time (UTC) and value.
        every: step of the grid.
        series: name.
        level: above which a jump is taken for one.
        stale, present: as for `grid_of_prints`.

    Raises `InputError` as `grid_of_prints` does, and for days of fewer than 4 returns.
    """
    grid = grid_of_prints(prints, every=every, stale=stale, present=present)
    if timedelta(days=1) // every < 5:
        raise InputError.of("prints", "at least 5 prices a day", column="every", value=every)
    moves = grid.select(pl.col("time").dt.date().alias("day"), pl.col("value").log().diff().alias("move")).drop_nulls()
    rows = []
    for (day,), group in moves.group_by("day", maintain_order=True):
        returns = group["move"].to_numpy()
        total, smooth, told = float(returns @ returns), bipower(returns), jump_statistic(returns)
        found = told is not None and told > float(ndtri(level))
        rows.append(
            {
                "series": series, "day": day, "returns": returns.size, "still": int((returns == 0).sum()), "variance": total,
                "bipower": smooth, "statistic": told, "p_value": None if told is None else float(ndtr(-told)),
                "jump": max(total - smooth, 0.0) if found else 0.0,
            }
        )  # fmt: skip
    return RealisedDays.validate(pl.DataFrame(rows, schema=RealisedDays.create_empty().schema), cast=True)
