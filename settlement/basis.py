"""Basis of an exposure against GPU-hour indices: the ratio to hedge it with, and whether that hedge deserves the name.

A hedge is called effective when, with daily changes, it takes away at least 80 % of the variance both in sample and on the second half
of the days at the ratio of the first half, and the interval of its ratio leaves out zero. Dollar offsets against the band of 80 to 125 %
are reported beside it, single and cumulative, and do not decide: where changes are small or cancel, they say nothing.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from tenorgrid.data.errors import Fault, InputError, ThinMarketWarning
from tenorgrid.data.tables.settled import Basis, Effectiveness, Exposures
from tenorgrid.data.terms.exposure import Exposure
from tenorgrid.settlement.effectiveness import Regression, Vector, dollar_offset, regress, variance_reduction, within_band

METHOD = "ols-hac"
LIMIT = 0.80  # least variance reduction called effective
FEWEST = 10  # changes; fewer are refused
THIN = 30  # changes; fewer are warned of


@dataclass(frozen=True, kw_only=True)
class Hedge:
    """How an exposure may be hedged: `basis` and `effectiveness` have a row per index, `series` one per index and day.

    `series`: date, exposure, index, exposure_price, index_price, exposure_change, index_change (null on the first day), offset,
    cumulative_offset. Changes in USD per unit and USD per GPU-hour.
    """

    exposures: pl.DataFrame = field(repr=False)
    basis: pl.DataFrame
    effectiveness: pl.DataFrame = field(repr=False)
    series: pl.DataFrame = field(repr=False)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by its public name."""
        return {name: getattr(self, name) for name in self.__annotations__}


def hedge(
    exposure: Exposure, *, history: pl.DataFrame, using: Sequence[str], methodology: str | None = None, timezone: str = "UTC"
) -> Hedge:
    """Minimum-variance hedge of one unit of the exposure with each of the indices, from daily changes of their marks.

    Args:
        exposure: marked at the index that has its name (`Exposure.index`).
        history: `Marks` of that index and of those in `using`; of each period the latest revision counts.
        using: indices to hedge with, each on its own.
        methodology: whose marks; None where `history` has one for each index.
        timezone: in which days are named.

    Raises InputError for an index without marks or with marks of several methodologies, for a gap in the days that the exposure and
    the index share, for fewer than 10 changes, and for marks that never change. Warns with ThinMarketWarning below 30 changes.
    """
    if not using:
        raise InputError.of("basis", "at least one index to hedge with", column="using")
    item = _marks(history, exposure.index, methodology)
    rows, measures, series = [], [], []
    for index in using:
        shared = _shared(item, _marks(history, index, methodology), exposure=exposure.index, index=index)
        found = _hedged(shared, exposure=exposure.name, index=index)
        rows.append(found[0])
        measures.append(found[1])
        series.append(found[2].with_columns(date=pl.col("start").dt.convert_time_zone(timezone).dt.date()).drop("start"))
    columns = [
        "date",
        "exposure",
        "index",
        "exposure_price",
        "index_price",
        "exposure_change",
        "index_change",
        "offset",
        "cumulative_offset",
    ]
    return Hedge(
        exposures=exposure_table([exposure], timezone=timezone),
        basis=Basis.validate(pl.DataFrame(rows).cast({"start": pl.Datetime("us", "UTC"), "end": pl.Datetime("us", "UTC")}), cast=True),
        effectiveness=Effectiveness.validate(pl.DataFrame(measures), cast=True),
        series=pl.concat(series).select(columns),
    )


def exposure_table(exposures: Sequence[Exposure], *, timezone: str) -> pl.DataFrame:
    """`Exposures` of terms; their days begin at midnight in `timezone`."""
    zone = ZoneInfo(timezone)

    def midnight(day: date) -> datetime:
        return datetime.combine(day, time(), zone).astimezone(UTC)

    rows = [
        {"exposure": one.name, "workload": one.workload, "resource": one.resource, "region": one.home, "tier": one.tier,
         "start": midnight(one.first), "end": midnight(one.end), "quantity": float(one.quantity), "unit": one.unit, "price": one.price}
        for one in exposures
    ]  # fmt: skip
    return Exposures.validate(pl.DataFrame(rows, infer_schema_length=None), cast=True)


def _marks(history: pl.DataFrame, index: str, methodology: str | None) -> pl.DataFrame:
    """start, end and value of an index, in order; a withheld mark is a day without one."""
    mine = history.filter(index=index) if methodology is None else history.filter(index=index, methodology=methodology)
    if mine.is_empty():
        known = ", ".join(history["index"].unique().sort())
        raise InputError.of("marks", f"marks of this index (there are some of {known or 'none'})", column="index", value=index)
    if (methods := mine["methodology"].unique().sort()).len() > 1:
        raise InputError.of("marks", f"one methodology for {index}, chosen by name", column="methodology", value=", ".join(methods))
    latest = mine.sort("start", "revision").group_by("start", maintain_order=True).last()
    return latest.filter(pl.col("value").is_not_null()).select("start", "end", "value")


def _shared(item: pl.DataFrame, index_marks: pl.DataFrame, *, exposure: str, index: str) -> pl.DataFrame:
    """start, end, exposure_price and index_price over the days that both cover; refuses a day of those that either lacks."""
    both = {exposure: item, index: index_marks}
    first, last = max(marks["start"][0] for marks in both.values()), min(marks["start"][-1] for marks in both.values())
    within = {name: marks.filter(pl.col("start").is_between(first, last)) for name, marks in both.items()}
    faults = []
    for name, marks in within.items():
        gaps = marks.filter(pl.col("start") != pl.col("end").shift(1).fill_null(pl.col("start").first()))
        faults += [_gap(name, start) for start in gaps["start"]]
        other = within[index if name == exposure else exposure]
        faults += [_gap(name, start, missing=True) for start in other.join(marks, on="start", how="anti")["start"]]
    if first > last:
        faults.append(
            Fault(file="marks", column="start", value=f"none of {exposure} and {index}", expected="days that both were marked on")
        )
    if faults:
        raise InputError(faults)
    priced = within[exposure].rename({"value": "exposure_price"})
    return priced.join(within[index].select("start", index_price="value"), on="start", maintain_order="left")


def _gap(index: str, start: datetime, *, missing: bool = False) -> Fault:
    expected = "a mark on every day that the other index has one" if missing else "no day without a mark before it"
    return Fault(file="marks", column="start", value=f"{index} {start:%Y-%m-%dT%H:%MZ}", expected=expected)


def _hedged(shared: pl.DataFrame, *, exposure: str, index: str) -> tuple[dict[str, object], dict[str, object], pl.DataFrame]:
    priced = shared.with_columns(exposure_change=pl.col("exposure_price").diff(), index_change=pl.col("index_price").diff())
    item, other = (priced[name].to_numpy()[1:] for name in ("exposure_change", "index_change"))
    if item.size < FEWEST:
        raise InputError.of("marks", f"at least {FEWEST} changes of {exposure} and {index}", value=item.size)
    if item.size < THIN:
        warnings.warn(f"{exposure} against {index}: the ratio rests on {item.size} changes", ThinMarketWarning, stacklevel=3)
    fit = regress(item, other)
    inside, outside = variance_reduction(item, other, ratio=fit.ratio), _out_of_sample(item, other)
    single, cumulative = dollar_offset(item, -fit.ratio * other)
    verdict, reason = judge(inside, outside, fit)
    names: dict[str, object] = {"exposure": exposure, "index": index, "method": METHOD}
    row = names | {
        "start": shared["start"][0], "end": shared["end"][-1], "observations": item.size, "ratio": fit.ratio, "lower": fit.lower,
        "upper": fit.upper, "effectiveness": inside, "out_of_sample": outside, "correlation": fit.correlation, "verdict": verdict,
    }  # fmt: skip
    measure = names | {
        "r_squared": fit.correlation**2, "in_sample": inside, "out_of_sample": outside,
        "offset_single": float(within_band(single).mean()), "offset_cumulative": float(within_band(cumulative).mean()),
        "offset_final": _known(cumulative[-1]), "lags": fit.lags, "limit": LIMIT, "reason": reason,
    }  # fmt: skip
    offsets = {"offset": single, "cumulative_offset": cumulative}
    dated = priced.with_columns(
        *(pl.Series(name, np.r_[np.nan, values]).fill_nan(None) for name, values in offsets.items()),
        exposure=pl.lit(exposure),
        index=pl.lit(index),
    )
    return row, measure, dated


def judge(inside: float, outside: float | None, fit: Regression) -> tuple[str, str]:
    """The verdict, and the limit that decided it."""
    if inside < LIMIT:
        return "ineffective", f"takes away {inside:.0%} of the variance, below {LIMIT:.0%}"
    if outside is None:
        return "ineffective", "too few days to see it out of sample"
    if outside < LIMIT:
        return "ineffective", f"takes away {outside:.0%} of the variance out of sample, below {LIMIT:.0%}"
    if fit.lower <= 0.0 <= fit.upper:
        return "ineffective", "the interval of the ratio holds zero"
    return "effective", f"takes away {inside:.0%} of the variance, {outside:.0%} out of sample: at least {LIMIT:.0%}"


def _out_of_sample(item: Vector, other: Vector) -> float | None:
    """Variance reduction of the second half at the first half's ratio; None where a half is too short or does not move."""
    half = item.size // 2
    if half < FEWEST or min(np.ptp(item[:half]), np.ptp(other[:half]), np.ptp(item[half:]), np.ptp(other[half:])) == 0.0:
        return None
    return variance_reduction(item[half:], other[half:], ratio=regress(item[:half], other[:half]).ratio)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
