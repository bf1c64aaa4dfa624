"""Month-of-year shape: how a quote for a quarter or a year spreads over its months, on top of the hours of the week.

Twelve values by classical decomposition: a month's mean price over (or less) the mean of the twelve months about it, averaged over the
years. The moving average takes the trend out, so that a falling market does not look like a dear January.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl

from tenorgrid.curves.hours import Vector
from tenorgrid.curves.shape import Kind, Shape
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.curve import IndexSeasons, IndexShapes

MONTHS = 12
HOURS = ["weekday", "hour", "value", "observations"]
YEAR = ["month", "value", "error", "years"]
LEAST_YEARS = 3  # each month's ratio is then seen three times at least: fewer give no standard error worth the name


@dataclass(frozen=True, kw_only=True)
class MonthShape:
    """Twelve values on the calendar of `timezone`: factors with mean 1, or differences with mean 0; with `week`, on top of its hours.

    `months` has `month` (1 to 12), `value`, `error` (standard error of the value over the years) and `years` (how many were seen).
    """

    kind: Kind
    timezone: str
    months: pl.DataFrame
    week: Shape | None = None

    def __post_init__(self) -> None:
        faults = []
        if self.months["month"].to_list() != list(range(1, MONTHS + 1)):
            faults.append(Fault(file="shape", column="month", value=f"{self.months.height} rows", expected="the months 1 to 12, in order"))
        elif self.kind == "multiplicative" and not (self.months["value"] > 0).all():
            faults.append(Fault(file="shape", column="value", value=str(self.months["value"].min()), expected="factors above 0"))
        if self.week is not None and self.week.kind != self.kind:
            faults.append(Fault(file="shape", column="kind", value=self.week.kind, expected=f"hours of a week that are {self.kind} too"))
        if faults:
            raise InputError(faults)

    def on(self, starts: pl.Series) -> Vector:
        """(n,) value of each UTC hour: its month's, times (plus) its hour of the week's."""
        month = starts.dt.convert_time_zone(self.timezone).dt.month().cast(pl.Int64).to_numpy()
        value = np.asarray(self.months["value"].to_numpy()[month - 1])
        if self.week is None:
            return value
        hours = self.week.on(starts)
        return np.asarray(value * hours if self.kind == "multiplicative" else value + hours)


def month_of_year(
    history: pl.DataFrame, *, timezone: str, kind: Kind = "multiplicative", week: Shape | None = None, least: int = LEAST_YEARS
) -> MonthShape:
    r"""Month-of-year shape of past prices, with standard errors.

    With :math:`p_t` the mean price of month t and :math:`T_t = (p_{t-6} / 2 + p_{t-5} + ... + p_{t+5} + p_{t+6} / 2) / 12`, the value
    of a calendar month is the mean over the years of :math:`p_t / T_t` (multiplicative) or :math:`p_t - T_t` (additive), and the
    twelve are scaled to mean 1 (shifted to mean 0). The error is that of a mean of independent years, :math:`s / \sqrt{n}`.

    Args:
        history: `start` (UTC) and `price` of past hours, days or months, without a month missing.
        timezone: IANA zone of the calendar.
        kind: `multiplicative` or `additive`.
        week: hour-of-week shape that goes on top; of the same kind.
        least: years in which every month must have been seen with six months either side: 3 of them take 4 years of prices.

    Raises `InputError` for less history, for a month without a price, and, multiplicative, for prices that are not above 0.

    Source: Kendall and Stuart, The Advanced Theory of Statistics, volume 3 (classical decomposition by moving averages).

    >>> months = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2023, 12, 1), "1mo", time_zone="UTC", eager=True)
    >>> prices = pl.DataFrame({"start": months, "price": 2.0 + (months.dt.month() == 1) * 1.2})
    >>> month_of_year(prices, timezone="UTC", kind="additive").months["value"].round(10).to_list()[:3]
    [1.1, -0.1, -0.1]
    """
    faults = [Fault(file="history", column=name, expected="a column") for name in ("start", "price") if name not in history.columns]
    if faults:
        raise InputError(faults)
    past = history.sort("start")
    odd = past.filter(~pl.col("price").is_finite().fill_null(value=False))
    if kind == "multiplicative" and odd.is_empty():
        odd = past.filter(pl.col("price") <= 0)
    if not odd.is_empty():
        wanted = "prices above 0, whose ratio is a factor; or an additive shape" if kind == "multiplicative" else "finite prices"
        raise InputError(
            Fault(file="history", column="price", value=f"{price} on {start}", expected=wanted)
            for start, price in odd.select("start", "price").head(5).iter_rows()
        )
    local = pl.col("start").dt.convert_time_zone(timezone).dt
    monthly = (
        past.group_by((local.year().cast(pl.Int64) * MONTHS + local.month() - 1).alias("place")).agg(pl.col("price").mean()).sort("place")
    )
    place, price = monthly["place"].to_numpy(), monthly["price"].to_numpy()
    if (gaps := np.flatnonzero(np.diff(place) != 1)).size:
        named = [f"{(place[i] + 1) // MONTHS}-{(place[i] + 1) % MONTHS + 1:02d}" for i in gaps[:5]]
        raise InputError(
            Fault(file="history", column="start", value=f"nothing in {name}", expected="prices in every month") for name in named
        )
    seen = price.size - MONTHS  # months with six others either side
    if seen < least * MONTHS:
        wanted = f"at least {(least + 1) * MONTHS} months, so that each is seen in {least} years with six months either side"
        raise InputError.of("history", wanted, column="start", value=f"{price.size} months")
    return MonthShape(kind=kind, timezone=timezone, week=week, months=_values(place, price, kind))


def _values(place: np.ndarray, price: Vector, kind: Kind) -> pl.DataFrame:
    half = MONTHS // 2
    trend = np.convolve(price, np.r_[0.5, np.ones(MONTHS - 1), 0.5] / MONTHS, mode="valid")
    middle = price[half:-half]
    part = middle / trend if kind == "multiplicative" else middle - trend
    found = (
        pl.DataFrame({"month": place[half:-half] % MONTHS + 1, "part": part})
        .group_by("month")
        .agg(
            pl.col("part").mean().alias("value"),
            (pl.col("part").std() / pl.len().sqrt()).alias("error"),
            pl.len().cast(pl.Int64).alias("years"),
        )
        .sort("month")
    )
    level = pl.col("value").mean()
    if kind == "multiplicative":
        return found.with_columns(pl.col("value") / level, pl.col("error") / level)
    return found.with_columns(pl.col("value") - level)


AnyShape: TypeAlias = Shape | MonthShape


def shape_tables(shape: AnyShape | None, index: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A shape as rows of `IndexShapes` and of `IndexSeasons`, to be kept beside the curve that was given it.

    >>> [table.height for table in shape_tables(None, "X")]
    [0, 0]
    """
    week, year = (shape.week, shape) if isinstance(shape, MonthShape) else (shape, None)
    return _rows(week, None if week is None else week.hours, index, IndexShapes), _rows(
        year, None if year is None else year.months, index, IndexSeasons
    )


def shape_of(hours: pl.DataFrame, months: pl.DataFrame) -> AnyShape | None:
    """The shape that `shape_tables` wrote: rows of one index.

    Args:
        hours: kind, timezone, weekday, hour, value, observations; none where there was no shape of the week.
        months: kind, timezone, month, value, error, years; none where there was none of the year.

    Raises `InputError` for rows that are no whole week or year.
    """
    week = None
    if not hours.is_empty():
        week = Shape(kind=hours["kind"][0], timezone=hours["timezone"][0], hours=hours.select(HOURS).sort("weekday", "hour"))
    if months.is_empty():
        return week
    return MonthShape(kind=months["kind"][0], timezone=months["timezone"][0], months=months.select(YEAR).sort("month"), week=week)


def _rows(shape: AnyShape | None, values: pl.DataFrame | None, index: str, table: type[IndexShapes] | type[IndexSeasons]) -> pl.DataFrame:
    if shape is None or values is None:
        return table.create_empty()
    said = (pl.lit(text).alias(name) for name, text in (("index", index), ("kind", shape.kind), ("timezone", shape.timezone)))
    return table.validate(values.select(*said, pl.all()), cast=True)
