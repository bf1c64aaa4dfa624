"""What ahead prices are worth against real time, in the hand of a desk: `tg.premium(...)`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tenorgrid.curves.premium.pairs import classes_of, lead_days, pairs_of_prices
from tenorgrid.curves.premium.study import WINDOW, paired, study
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import ResourceKind
from tenorgrid.data.readers.two_settlement import read_two_settlement
from tenorgrid.data.store import read_manifest, write_result
from tenorgrid.results import Run, Tables

FILE_LEADS = {"day-ahead": 1, "week-ahead": 7, "month-ahead": 30}
FILE_TIMEZONE = "America/New_York"


@dataclass(frozen=True, kw_only=True)
class Premium(Tables):
    """The premium of every horizon and series; the tables are those of `tenorgrid.data.tables.premium`.

    `pairs` compares with another market, where one was given.
    """

    source: str
    unit: str
    synthetic: bool
    window: int
    cost: float
    bias: pl.DataFrame = field(repr=False)
    days: pl.DataFrame = field(repr=False)
    forecasts: pl.DataFrame = field(repr=False)
    regressions: pl.DataFrame = field(repr=False)
    virtuals: pl.DataFrame = field(repr=False)
    pooled: pl.DataFrame = field(repr=False)
    pairs: pl.DataFrame | None = field(repr=False)

    def page(self) -> str:
        """The page of figures as one HTML text."""
        from tenorgrid.reports.pages.premium import render  # plotly, only needed here

        return render(self.tables(), source=self.source, unit=self.unit, synthetic=self.synthetic)

    def save(self, folder: Path, *, inputs: dict[str, Path] | None = None) -> Path:
        """Write the tables and the page into `folder`, replaced as a whole; returns the path of the page."""
        from tenorgrid.reports.pages.premium import FILE

        settings = {"source": self.source, "synthetic": self.synthetic, "window": self.window, "cost": self.cost}
        return write_result(
            folder, self.tables(), pages={FILE: self.page()}, command="premium", inputs=inputs, settings=settings
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Prices:
    """Pairs of prices with what is known of them: days from each horizon to delivery, time zone, unit, name."""

    pairs: pl.DataFrame
    leads: dict[str, int]
    timezone: str
    unit: str
    synthetic: bool
    name: str
    classes: dict[str, str] | None = None


def premium(
    source: Run | Path | str | pl.DataFrame,
    *,
    other: Run | Path | str | pl.DataFrame | None = None,
    series: Sequence[str] | None = None,
    timezone: str | None = None,
    unit: str = "price unit",
    window: int = WINDOW,
    cost: float = 0.0,
) -> Premium:
    """Bias of ahead prices with naive and HAC errors, forecast tests, Bessembinder and Lemmon's regression, and what a virtual bid earns.

    Args:
        source: a clearing run or its folder (accelerators), a file with day-ahead and real-time prices, or `AheadReal`.
        other: the same market otherwise, for example without virtual bids: daily premia are compared.
        series: only these, such as h100-sxm.us-east.firm; None is all.
        unit: what the prices of a file or a frame are in, for the page; a run's are USD/GPUh.
        timezone: of the days of a file or a frame; None is a run's own, else America/New_York.
        window: days of the trailing variance and third moment.
        cost: of a virtual bid of 1.

    Of a file or a frame, day-ahead prices are made 1 day before the delivery day begins, week-ahead 7 and month-ahead 30.

    Raises `InputError` with every fault.

    >>> from datetime import UTC, datetime, timedelta
    >>> start = datetime(2027, 1, 1, 5, tzinfo=UTC)
    >>> table = pl.DataFrame([("day-ahead", "A", start + timedelta(hours=h), 3.0 + h % 3, 2.0 + h % 3) for h in range(240)],
    ...                      schema=["horizon", "series", "start", "ahead", "real"], orient="row")
    >>> premium(table).bias.filter(hour=-1)["bias"].to_list()
    [1.0]
    """
    read, chosen = read_prices(source, timezone, unit), series
    told = study(only_series(read, chosen), leads=read.leads, timezone=read.timezone, window=window, cost=cost, classes=read.classes)
    pairs = None
    if other is not None:
        second = read_prices(other, timezone, unit)
        beside = study(only_series(second, chosen), leads=second.leads, timezone=second.timezone, window=window, cost=cost)
        pairs = paired(told.days, beside.days, leads=read.leads)
    return Premium(
        source=read.name, unit=read.unit, synthetic=read.synthetic, window=window, cost=cost,
        bias=told.bias, days=told.days, forecasts=told.forecasts, regressions=told.regressions, virtuals=told.virtuals,
        pooled=told.pooled, pairs=pairs,
    )  # fmt: skip


def only_series(read: Prices, series: Sequence[str] | None) -> pl.DataFrame:
    """The pairs of some series, None of all. Raises `InputError` for series that are not there."""
    if series is None:
        return read.pairs
    known = set(read.pairs["series"])
    if lacking := [name for name in series if name not in known]:
        few = ", ".join(sorted(known)[:8])
        raise InputError(Fault(file=read.name, column="series", value=name, expected=f"a series such as {few}") for name in lacking)
    return read.pairs.filter(pl.col("series").is_in(list(series)))


def read_prices(source: Run | Path | str | pl.DataFrame, timezone: str | None, unit: str) -> Prices:
    """Pairs of a run, its folder, a file or a frame. Raises `InputError` where there is nothing to read."""
    if isinstance(source, pl.DataFrame):
        return Prices(
            pairs=source,
            leads=FILE_LEADS,
            timezone=timezone or FILE_TIMEZONE,
            unit=unit,
            synthetic=False,
            name="ahead and real prices",
        )
    if isinstance(source, Run):
        return _of_run(source, synthetic=False, name=source.case.market.name)
    path = Path(source)
    if path.is_dir():
        from tenorgrid import folders

        place = path / "clear" if (path / "clear").is_dir() else path
        synthetic = bool(read_manifest(place).get("settings", {}).get("synthetic"))
        run = folders.read_clear(place)
        return _of_run(run, synthetic=synthetic, name=run.case.market.name)
    if not path.exists():
        raise InputError.of(path.name, "a run folder, or a file of day-ahead and real-time prices", value="nothing there")
    zone = timezone or FILE_TIMEZONE
    return Prices(
        pairs=read_two_settlement(path, timezone=zone), leads=FILE_LEADS, timezone=zone, unit=unit, synthetic=False, name=path.name
    )


def _of_run(run: Run, *, synthetic: bool, name: str) -> Prices:
    kinds = run.case.resources.filter(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR)["resource"].to_list()
    prices = run.prices.filter(pl.col("resource").is_in(kinds))
    market = run.case.market
    pairs = pairs_of_prices(prices, market=market, pricing=run.pricing)
    return Prices(
        pairs=pairs, leads=lead_days(market), timezone=market.timezone, unit="USD/GPUh", synthetic=synthetic, name=name,
        classes=classes_of(pairs),
    )  # fmt: skip
