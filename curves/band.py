"""The band around a curve: how far real time ended from what each horizon had said, and how often the band would have held.

For every past delivery day and horizon, the ratio of the day's real-time average to its ahead average. Limits are order
statistics of the first days' ratios, at the ranks ⌊(n + 1) α / 2⌋ and its mirror image, for which a new exchangeable day falls
inside with chance at least 1 − α (split conformal prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World,
2005). Days are not exchangeable in a market with moods, so the coverage is *measured* on the later days and stated with its count.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from tenorgrid.curves.ahead import Underlying, hourly, whole_days
from tenorgrid.curves.hours import Vector, position
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.tables.curve import Bands
from tenorgrid.data.terms.market import REAL_TIME, Market

LEVEL = 0.8
HELD_BACK = 1 / 3


@dataclass(frozen=True, kw_only=True)
class Band:
    """Limits by source of quote (`Bands`); hours of quotes from other sources have no band."""

    bands: pl.DataFrame

    @property
    def coverage(self) -> float:
        """Share of all held-back days, over all horizons, that fell inside."""
        return float(self.bands["covered"].to_numpy().sum() / self.bands["held_back"].to_numpy().sum())

    def ratios(self, quotes: pl.DataFrame, starts: pl.Series) -> tuple[Vector, Vector]:
        """Lower and upper limit over forward for each hour (n,), NaN where no quote of a measured source covers it."""
        lower, upper = np.full(len(starts), np.nan), np.full(len(starts), np.nan)
        limits = {source: (low, high) for source, low, high in self.bands.select("source", "lower", "upper").iter_rows()}
        for source, start, end in quotes.select("source", "start", "end").iter_rows():
            if source in limits:
                span = slice(position(starts[0], start), position(starts[0], end))
                lower[span], upper[span] = limits[source]
        return lower, upper


def band(
    prices: pl.DataFrame,
    *,
    underlying: Underlying,
    market: Market,
    as_of: date,
    level: float = LEVEL,
    held_back: float = HELD_BACK,
    pricing: str | None = None,
) -> Band:
    """Measure the ahead errors of `underlying` on the delivery days before `as_of`.

    Args:
        prices: `Prices` of clearing, real time and ahead.
        underlying: nodes of the index.
        market: horizons and time zone.
        as_of: local day at whose beginning we stand.
        level: share of days that the band is meant to hold.
        held_back: share of the days, the last ones, kept out of the limits and used to measure coverage.
        pricing: pricing rule; None is the market's own.

    Raises `InputError` for a level or share outside (0, 1), for too few days for the level (2 / (1 − level) − 1 in the first part), and
    for prices that are not above 0, whose ratio says nothing.
    """
    for name, value in (("level", level), ("held_back", held_back)):
        if not 0 < value < 1:
            raise InputError.of("band", "a number between 0 and 1", column=name, value=value)
    cleared = hourly(prices, underlying=underlying, market=market, as_of=as_of, pricing=pricing)
    days = whole_days(cleared.filter(pl.col("start") < market.midnight(as_of)), market=market)
    _refuse_not_positive(days)
    real = days.filter(pl.col("horizon") == REAL_TIME.name).select("day", pl.col("price").alias("real"))
    ahead = (
        days.filter(pl.col("horizon") != REAL_TIME.name)
        .join(real, on="day")
        .with_columns(ratio=pl.col("real") / pl.col("price"))
        .sort("day")
    )
    if ahead.is_empty():
        raise InputError.of("prices", f"past days of {underlying.resource} with real-time and ahead prices", column="horizon")
    rows = [
        {
            "source": f"{horizon} clearing",
            "level": level,
            **_measured(ahead.filter(horizon=horizon)["ratio"].to_numpy(), horizon, level, held_back),
        }
        for horizon in ahead["horizon"].unique(maintain_order=True)
    ]
    return Band(bands=Bands.validate(pl.DataFrame(rows), cast=True))


def limits(ratio: Vector, level: float) -> tuple[float, float]:
    """Order statistics between which a new exchangeable ratio falls with chance at least `level`.

    >>> limits(np.arange(1.0, 20.0), 0.8)
    (2.0, 18.0)
    """
    rank = int(np.floor((ratio.size + 1) * (1 - level) / 2 + 1e-9))  # 20 × 0.1 must be 2, not 1.99…
    ordered = np.sort(ratio)
    return float(ordered[rank - 1]), float(ordered[ratio.size - rank])


def _measured(ratio: Vector, horizon: str, level: float, held_back: float) -> dict[str, float]:
    first = ratio.size - round(ratio.size * held_back)
    least = int(np.ceil(2 / (1 - level) - 1 - 1e-9))
    if first < least or first == ratio.size:
        raise InputError.of(
            "prices",
            f"at least {least} days before those held back for a level of {level}",
            column="horizon",
            value=f"{first} of {horizon}",
        )
    low, high = limits(ratio[:first], level)
    later = ratio[first:]
    covered = int(((later >= low) & (later <= high)).sum())
    return {
        "observations": first,
        "lower": low,
        "upper": high,
        "held_back": later.size,
        "covered": covered,
        "coverage": covered / later.size,
    }


def _refuse_not_positive(days: pl.DataFrame) -> None:
    bad = days.filter(pl.col("price") <= 0)
    if bad.height:
        raise InputError(
            Fault(file="prices", column="price", value=f"{price:g} on {day}, {horizon}", expected="daily averages above 0")
            for horizon, day, price in bad.select("horizon", "day", "price").iter_rows()
        )
