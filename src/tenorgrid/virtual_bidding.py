"""Virtual bids in the hand of a desk: `tg.bid_virtuals(...)`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from tenorgrid.data.errors import InputError
from tenorgrid.data.store import write_result
from tenorgrid.data.tables.case import Virtuals
from tenorgrid.derivatives.virtual_bids.alignment import alignment
from tenorgrid.derivatives.virtual_bids.backtest import LEAST, backtest
from tenorgrid.derivatives.virtual_bids.bid_curves import hours_of, steps_of, table_of
from tenorgrid.derivatives.virtual_bids.program import Bids, Limits, Taste, best_bids
from tenorgrid.derivatives.virtual_bids.risk import BidRisk, risk_of
from tenorgrid.derivatives.virtual_bids.scenarios import HALF_LIFE, Scenarios, days_of, scenarios_for
from tenorgrid.premia import only_series, read_prices
from tenorgrid.results import Run, Tables

TIER = "firm"  # virtual bids stand in the firm balance


@dataclass(frozen=True, kw_only=True)
class VirtualBids(Tables):
    """`bids` (`BidCurves`) for `day` and `hours` (`BidHours`) with their premia; `days`, `rules` of the back-test; `alignment` of clocks.

    `left_out` are local days between the first and the last that were not whole: a missing hour, or 23 or 25 of them.
    """

    source: str
    unit: str
    horizon: str
    day: date
    timezone: str
    names: tuple[str, ...] = field(repr=False)
    taste: Taste
    left_out: int
    told: Scenarios = field(repr=False)
    chosen: Bids = field(repr=False)
    bids: pl.DataFrame = field(repr=False)
    hours: pl.DataFrame = field(repr=False)
    days: pl.DataFrame = field(repr=False)
    rules: pl.DataFrame = field(repr=False)
    alignment: pl.DataFrame = field(repr=False)

    @property
    def expected(self) -> float:
        """Mean profit of the bids over their scenarios, after fees."""
        return self.chosen.mean

    @property
    def shortfall(self) -> float:
        """Mean loss of the bids in the worst scenarios."""
        return self.chosen.shortfall

    @property
    def collateral(self) -> float:
        """Held for the bids."""
        return self.chosen.collateral

    def risk(self, bids: pl.DataFrame | None = None) -> BidRisk:
        """Expected pay-off and risk over the day's scenarios: of the bids, or of any others (`BidCurves`) for that day.

        Raises `InputError` for a table that is not `BidCurves`, an unknown series and another day's hour.
        """
        steps = self.chosen.steps if bids is None else steps_of(bids, self.names, self.day, timezone=self.timezone)
        return risk_of(steps, self.told, level=self.taste.level, fee=self.taste.fee)

    def virtuals(self, *, participant: str) -> pl.DataFrame:
        """The bids as the table `virtuals` of a case, for series named resource.location.firm. Raises `InputError` for others."""
        parts = self.bids["series"].str.split(".")
        strange = self.bids.filter((parts.list.len() != 3) | (parts.list.last() != TIER))
        if not strange.is_empty():
            raise InputError.of("virtual bids", f"series resource.location.{TIER}", column="series", value=strange["series"][0])
        named = self.bids.with_row_index("number", offset=1).with_columns(
            pl.col("series").str.split(".").list.get(0).alias("resource"), pl.col("series").str.split(".").list.get(1).alias("location")
        )
        return Virtuals.validate(
            named.select(
                pl.lit(self.horizon).alias("horizon"), pl.format("{}-{}", pl.lit(participant), "number").alias("bid_id"),
                pl.lit(participant).alias("participant"), "location", "resource", "start",
                pl.col("start").dt.offset_by("1h").alias("end"), "side", "quantity", "price",
            ),
            cast=True,
        )  # fmt: skip

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.virtuals import render

        return render(
            self.tables(), day=self.day, unit=self.unit, source=self.source, timezone=self.timezone,
            risk=self.risk(), collateral=self.collateral, left_out=self.left_out,
        )  # fmt: skip

    def save(self, out: Path | str, *, inputs: Mapping[str, Path] | None = None, settings: Mapping[str, object] | None = None) -> Path:
        """Tables, manifest and page in a folder, replaced as a whole; the page's path."""
        from tenorgrid.reports.pages.virtuals import FILE

        return write_result(
            out, self.tables(), pages={FILE: self.page()}, command="virtuals", inputs=inputs, settings=settings
        )  # fmt: skip


def bid_virtuals(
    source: Run | Path | str | pl.DataFrame,
    *,
    horizon: str = "day-ahead",
    day: date | None = None,
    series: Sequence[str] | None = None,
    limits: Limits | None = None,
    taste: Taste | None = None,
    prices: int = 5,
    window: int = 60,
    half_life: float = HALF_LIFE,
    least: int = LEAST,
    timezone: str | None = None,
    unit: str = "price unit",
) -> VirtualBids:
    """The best inc and dec bid curves of a trader who minds losses, and what such bids would have earned day by day.

    A mean-CVaR program chooses them from the days known when they stand: whole local days up to lead + 1 days before.

    Args:
        source: a clearing run or its folder (accelerators, firm), a file with day-ahead and real-time prices, or `AheadReal`.
        horizon: the ahead market.
        day: that the bids are for; None is the first whose bids may know all of the prices.
        series: only these; None is all.
        limits: quantities and collateral; None is 1 in every hour of every series.
        taste: aversion, level and fee; None is the house's.
        prices: steps of each hour and side.
        window, half_life: days that scenarios are made of, and in how many a weight halves.
        least: days known before the first bid of the back-test.
        timezone, unit: of a file or a frame.

    Raises `InputError` with every fault of the prices and arguments, and where no day has enough before it.
    """
    read = read_prices(source, timezone, unit)
    lead = read.leads.get(horizon)
    pairs = only_series(read, series)
    known = days_of(_firm(pairs, source), horizon=horizon, timezone=read.timezone)
    if lead is None:
        raise InputError.of("prices", f"a horizon: {', '.join(sorted(read.leads))}", column="horizon", value=horizon)
    bound, minds = limits or Limits(), taste or Taste()
    wanted = known.days[-1] + timedelta(days=lead + 1) if day is None else day
    told = scenarios_for(known, wanted, lead=lead, window=window, half_life=half_life)
    chosen = best_bids(told, limits=bound, taste=minds, prices=prices)
    days, rules = backtest(
        known, lead=lead, limits=bound, taste=minds, prices=prices, window=window, half_life=half_life, least=least
    )  # fmt: skip
    return VirtualBids(
        source=read.name, unit=read.unit, horizon=horizon, day=wanted, timezone=read.timezone, names=known.series, taste=minds,
        left_out=(known.days[-1] - known.days[0]).days + 1 - len(known.days), told=told, chosen=chosen,
        bids=table_of(chosen.steps, known.series, wanted, timezone=read.timezone),
        hours=hours_of(chosen.steps, told, known.series, wanted, timezone=read.timezone),
        days=days, rules=rules, alignment=alignment(known),
    )  # fmt: skip


def _firm(pairs: pl.DataFrame, source: object) -> pl.DataFrame:
    """Virtual bids of a run stand in the firm balance alone."""
    if isinstance(source, pl.DataFrame) or (not isinstance(source, Run) and Path(str(source)).is_file()):
        return pairs
    return pairs.filter(pl.col("series").str.ends_with(f".{TIER}"))
