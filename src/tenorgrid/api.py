"""The same from Python: names that a desk would use, over the layers that do the work.

Every object gives polars frames as attributes, `.to_pandas()` and a rendering for notebooks. Frames go downward, never these objects.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.clearing.horizons import ClearingRun, State, clear_horizons
from tenorgrid.curves.ahead import Underlying
from tenorgrid.curves.band import Band
from tenorgrid.curves.band import band as measure_band
from tenorgrid.curves.discount import Flat, flat
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.curves.quotes import ahead_quotes
from tenorgrid.curves.shape import Shape, hour_of_week
from tenorgrid.data.case import Case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import PricingRule
from tenorgrid.data.readers.cleared import observe_cleared
from tenorgrid.data.terms.exposure import Exposure
from tenorgrid.data.terms.market import REAL_TIME
from tenorgrid.derivatives.book import BookValue
from tenorgrid.derivatives.book import value as value_book
from tenorgrid.indices.audit import Audit
from tenorgrid.indices.marks import MarkRun
from tenorgrid.indices.marks import mark as mark_days
from tenorgrid.indices.methodology import load
from tenorgrid.indices.workloads import workload_observations
from tenorgrid.settlement.basis import hedge as hedge_one
from tenorgrid.settlement.ledger import Ledger
from tenorgrid.settlement.settle import Settlement
from tenorgrid.settlement.settle import settle as settle_run

if TYPE_CHECKING:
    import pandas as pd

SHOWN_ROWS = 8  # of each table in a notebook


class Tables:
    """What every result shares: its frames by name, as pandas and as HTML."""

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every frame of the result by name."""
        found = {part.name: getattr(self, part.name) for part in fields(self)}  # type: ignore[arg-type]  # subclasses are dataclasses
        return {name: frame for name, frame in found.items() if isinstance(frame, pl.DataFrame)}

    def to_pandas(self) -> "dict[str, pd.DataFrame]":
        """Every frame as pandas, by name."""
        return {name: frame.to_pandas() for name, frame in self.tables().items()}

    def _repr_html_(self) -> str:
        parts = [f"<h4>{name} ({frame.height:,} rows)</h4>{frame.head(SHOWN_ROWS)._repr_html_()}" for name, frame in self.tables().items()]
        return f"<div><h3>{type(self).__name__}</h3>{''.join(parts)}</div>"


@dataclass(frozen=True, kw_only=True)
class Run(Tables):
    """A clearing run: the tables of `tenorgrid.data.tables.cleared`, the case they came from and the pricing rule that settles."""

    case: Case = field(repr=False)
    pricing: PricingRule
    as_of: date | None
    prices: pl.DataFrame = field(repr=False)
    workload_prices: pl.DataFrame = field(repr=False)
    awards: pl.DataFrame = field(repr=False)
    placements: pl.DataFrame = field(repr=False)
    headroom: pl.DataFrame = field(repr=False)
    binding: pl.DataFrame = field(repr=False)
    uplift: pl.DataFrame = field(repr=False)
    surplus: pl.DataFrame = field(repr=False)
    certificate: pl.DataFrame = field(repr=False)
    state: State = field(default_factory=State, repr=False)

    def observations(self, *, horizons: tuple[str, ...] | None = ("real-time",)) -> pl.DataFrame:
        """`Observations` of kind clearing: accelerator prices with the hours sold; None takes every horizon."""
        return observe_cleared(self.prices, self.awards, case=self.case, pricing=self.pricing, horizons=horizons)

    def work_observations(self) -> pl.DataFrame:
        """`Observations` of the prices of work, weighted by the work placed; their unit is an attribute."""
        case = self.case
        return workload_observations(
            self.workload_prices, self.placements, workloads=case.workloads, pricing=self.pricing, hours=case.market.hours
        )

    def last_delivery(self) -> datetime:
        """End of the last interval that any horizon has cleared, UTC."""
        last = self.certificate["start"].max()
        if not isinstance(last, datetime):
            raise InputError.of("certificate", "at least one interval")
        return last + self.case.market.interval

    def today(self) -> date:
        """The local day at whose beginning the run stands: `as_of`, or the day on which its real-time deliveries end."""
        if self.as_of is not None:
            return self.as_of
        real = self.certificate.filter(pl.col("horizon") == self.case.market.horizons[-1].name)["start"].max()
        end = (real if isinstance(real, datetime) else self.last_delivery()) + self.case.market.interval
        return end.astimezone(ZoneInfo(self.case.market.timezone)).date()

    def underlying(self, index: str, *, method: str | Path = "house") -> Underlying:
        """The nodes that an index RESOURCE.REGION.TIER stands for, each weighted by the hours that it has sold in real time.

        Raises InputError for a name that is not of that form or that no node of the market bears.
        """
        parts = index.split(".")
        if len(parts) != 3:
            raise InputError.of("index", "a name RESOURCE.REGION.TIER", value=index)
        resource, label, tier = parts[0].lower(), parts[1], parts[2].lower()
        regions = load(method).regions
        here = [place for place, region in self.case.locations.select("location", "region").iter_rows() if label in regions.labels(region)]
        node = (pl.col("resource") == resource) & (pl.col("tier") == tier) & pl.col("location").is_in(here)
        known = self.prices.filter(node)["location"].unique().sort().to_list()
        if not known:
            raise InputError.of("index", "an index of a node that the market clears", value=index)
        sold = self.awards.filter(node, pl.col("horizon") == REAL_TIME.name, pl.col("side").cast(pl.String) == "offer")
        by_place = dict(sold.group_by("location").agg(pl.col("quantity").sort().sum()).iter_rows())
        weights = {place: by_place.get(place, 0.0) for place in known}
        if not all(weights.values()):
            weights = dict.fromkeys(known, 1.0)
        return Underlying(index=index, resource=resource, tier=tier, weights=weights)

    def quotes(self, index: str) -> pl.DataFrame:
        """`Quotes` for every delivery day from today on, from the ahead horizon that cleared it last."""
        return ahead_quotes(
            self.prices, underlying=self.underlying(index), market=self.case.market, as_of=self.today(), pricing=str(self.pricing)
        )

    def shape(self, index: str) -> Shape:
        """Hour-of-week shape of the longest ahead horizon's prices."""
        horizon = self.case.market.horizons[0].name
        return hour_of_week(
            self.prices,
            underlying=self.underlying(index),
            market=self.case.market,
            as_of=self.today(),
            horizon=horizon,
            pricing=str(self.pricing),
        )

    def band(self, index: str) -> Band:
        """How far real time ended from each ahead horizon, measured on past days and tested on held-back ones."""
        return measure_band(
            self.prices, underlying=self.underlying(index), market=self.case.market, as_of=self.today(), pricing=str(self.pricing)
        )


def clear(
    case: Case | Path | str,
    *,
    horizons: Literal["all"] | tuple[str, ...] = "all",
    pricing: PricingRule | str | None = None,
    as_of: date | str | None = None,
    state: State | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Clear a market at its horizons.

    Args:
        case: a case, a folder, or "packaged".
        horizons: names, or "all".
        pricing: rule that settles; None is the market's own. Both rules are in the tables.
        as_of: local day; markets that run on or after it are not cleared. None clears all.
        state: carried in from an earlier run.
        executor: any `concurrent.futures.Executor`; None is this process.
        progress: called with the parts done and the parts in all.

    Raises InputError for a case that breaks its rules, SolverError where no solution passes its certificate.

    >>> run = clear("packaged", horizons=("real-time",), as_of="2027-03-02")
    >>> run.certificate["gap"].max() < 1e-6
    True
    """
    market_case = case if isinstance(case, Case) else read_case(case)
    rule = _rule(pricing or market_case.market.pricing)
    market_case = replace(market_case, market=replace(market_case.market, pricing=rule))
    day = to_day(as_of)
    names = None if horizons == "all" else tuple(horizons)
    cleared = clear_horizons(market_case, horizons=names, as_of=day, state=state, executor=executor, progress=progress)
    return _as_run(market_case, rule, day, cleared)


def to_day(moment: date | str | None) -> date | None:
    """A day from itself or from ISO 8601 text. Raises InputError for other text."""
    if moment is None or (isinstance(moment, date) and not isinstance(moment, datetime)):
        return moment
    try:
        return date.fromisoformat(str(moment))
    except ValueError as error:
        raise InputError.of("as_of", "a day such as 2027-03-16", value=moment) from error


def _rule(name: PricingRule | str) -> PricingRule:
    try:
        return PricingRule(name)
    except ValueError as error:
        raise InputError.of("pricing", f"one of {', '.join(PricingRule)}", value=name) from error


def _as_run(case: Case, rule: PricingRule, as_of: date | None, cleared: ClearingRun) -> Run:
    tables: Mapping[str, Any] = cleared.tables()
    return Run(case=case, pricing=rule, as_of=as_of, state=cleared.state, **tables)


@dataclass(frozen=True, kw_only=True)
class Marks(Tables):
    """Index marks with their exclusions and audits."""

    marks: pl.DataFrame = field(repr=False)
    exclusions: pl.DataFrame = field(repr=False)
    audits: pl.DataFrame = field(repr=False)
    run: MarkRun = field(repr=False)

    def audit(self, index: str, day: date | str) -> Audit:
        """The audit of one mark; its `.verify(observations)` recomputes it. Raises NotPublishedError where there is none."""
        return self.run.audit(index, day)


def mark(
    observations: pl.DataFrame,
    *,
    method: str | Path = "house",
    first: date | str | None = None,
    end: date | str | None = None,
    indices: list[str] | None = None,
) -> Marks:
    """Daily marks of the days [first, end) by a methodology, shipped or in a file.

    Args:
        observations: `Observations`.
        method: name of a shipped methodology or a TOML file.
        first, end: days in the methodology's time zone; None takes the days that the observations span.
        indices: only these; None is every one that shows up.

    >>> seen = read_observations("tests/data/readers/listings.csv")  # doctest: +SKIP
    >>> mark(seen, method="ccir-1.1.1", first="2026-03-04", end="2026-03-05").marks  # doctest: +SKIP
    """
    rule = load(method)
    span = _days_of(observations, rule.timezone)
    begin, stop = to_day(first) or span[0], to_day(end) or span[1] + timedelta(days=1)
    run = mark_days(observations, methodology=rule, first=begin, end=stop, indices=indices)
    return Marks(marks=run.marks, exclusions=run.exclusions, audits=run.audits, run=run)


def _days_of(observations: pl.DataFrame, timezone: str) -> tuple[date, date]:
    if observations.is_empty():
        raise InputError.of("observations", "at least one row")
    days = observations["time"].dt.convert_time_zone(timezone).dt.date()
    begin, last = days.min(), days.max()
    if not isinstance(begin, date) or not isinstance(last, date):
        raise InputError.of("observations", "times", column="time")
    return begin, last


@dataclass(frozen=True, kw_only=True)
class Valued(Tables):
    """Values and risks of a book."""

    values: pl.DataFrame = field(repr=False)
    risks: pl.DataFrame = field(repr=False)
    book: BookValue = field(repr=False)

    @property
    def value(self) -> float:
        """Present value of the whole book, USD."""
        return self.book.value

    def delta(self, by: Literal["quote", "month"] = "quote", *, unit: str = "GPU-hours") -> pl.DataFrame:
        """Delta of the whole book by quote or by delivery month, signed, in GPU-hours or in "USD per 0.01"."""
        return self.book.delta(by, unit=unit)


def value(
    book: pl.DataFrame,
    *,
    curves: Mapping[str, ForwardCurve] | ForwardCurve,
    fixings: pl.DataFrame,
    volatility: pl.DataFrame,
    discount: Flat | None = None,
    timezone: str | None = None,
) -> Valued:
    """Value a book of trades at the moment of its curves.

    Args:
        book: `Trades`.
        curves: one curve, or curves by index.
        fixings: `Fixings`.
        volatility: `Volatility` of the indices with options on them.
        discount: flat rate; None is none.
        timezone: of the indices' days; None is that of the curves.
    """
    by_index = {curves.index: curves} if isinstance(curves, ForwardCurve) else dict(curves)
    if not by_index:
        raise InputError.of("curves", "at least one curve")
    one = next(iter(by_index.values()))
    found = value_book(
        book,
        curves=by_index,
        fixings=fixings,
        volatility=volatility,
        as_of=one.as_of,
        discount=discount or flat(0.0),
        timezone=timezone or one.timezone,
    )
    return Valued(values=found.values, risks=found.risks, book=found)


@dataclass(frozen=True, kw_only=True)
class Owed(Tables):
    """What everyone is owed: positions, ledger, statements, invoices and checks."""

    positions: pl.DataFrame = field(repr=False)
    statements: pl.DataFrame = field(repr=False)
    invoices: pl.DataFrame = field(repr=False)
    closings: pl.DataFrame = field(repr=False)
    checks: pl.DataFrame = field(repr=False)
    settlement: Settlement = field(repr=False)

    @property
    def ledger(self) -> Ledger:
        """The append-only ledger; `.check()` raises where it does not balance, `.frame` is its table."""
        return self.settlement.ledger

    def statement(self, participant: str) -> pl.DataFrame:
        """Lines of one participant."""
        return self.settlement.statement(participant)

    def drill_down(self, participant: str) -> pl.DataFrame:
        """Every posting behind the statement of one participant."""
        return self.settlement.drill_down(participant)


def settle(run: Run, *, version: str = "initial", recorded_at: datetime | None = None, before: Owed | None = None) -> Owed:
    """Settle a clearing run at the rule that it settles by.

    Args:
        run: what was cleared.
        version: initial, final, ...
        recorded_at: record time of the ledger; None is the end of the last delivery settled, so that the same run gives the same ledger.
        before: an earlier settlement of the same run, whose ledger is appended to.
    """
    moment = recorded_at or run.last_delivery()
    settlement = settle_run(
        run.case,
        prices=run.prices,
        workload_prices=run.workload_prices,
        awards=run.awards,
        placements=run.placements,
        headroom=run.headroom,
        binding=run.binding,
        recorded_at=moment,
        pricing=run.pricing,
        version=version,
        before=None if before is None else before.settlement,
    )
    return as_owed(settlement)


def as_owed(settlement: Settlement) -> Owed:
    """A settlement with the manners of every result."""
    names = ("positions", "statements", "invoices", "closings", "checks")
    return Owed(settlement=settlement, **{name: getattr(settlement, name) for name in names})


@dataclass(frozen=True, kw_only=True)
class Hedged(Tables):
    """Hedge ratios of exposures against indices, how effective they are, and the series behind them."""

    exposures: pl.DataFrame = field(repr=False)
    basis: pl.DataFrame
    effectiveness: pl.DataFrame = field(repr=False)
    series: pl.DataFrame = field(repr=False)


def hedge(
    exposures: Exposure | pl.DataFrame,
    *,
    using: list[str],
    history: Marks | pl.DataFrame,
    method: Literal["ols-hac"] = "ols-hac",
    timezone: str = "America/New_York",
) -> Hedged:
    """Minimum-variance hedges of exposures with each of some indices; the verdict may be "ineffective".

    Args:
        exposures: one exposure, or an `Exposures` table.
        using: indices.
        history: marks of the exposures' own indices and of those in `using`.
        method: estimator of the ratio.
        timezone: in which days are named.
    """
    if method != "ols-hac":
        raise InputError.of("hedge", "ols-hac", column="method", value=method)
    marks = history.marks if isinstance(history, Marks) else history
    terms = [exposures] if isinstance(exposures, Exposure) else _exposures(exposures, timezone)
    found = [hedge_one(one, history=marks, using=using, timezone=timezone) for one in terms]
    if not found:
        raise InputError.of("exposures", "at least one row")
    names = ("exposures", "basis", "effectiveness", "series")
    return Hedged(**{name: pl.concat([getattr(part, name) for part in found]) for name in names})


def _exposures(table: pl.DataFrame, timezone: str) -> list[Exposure]:
    """The terms of an `Exposures` table, its days on the clock of `timezone`."""
    days = [pl.col(edge).dt.convert_time_zone(timezone).dt.date() for edge in ("start", "end")]
    return [
        Exposure(
            workload=row["workload"], resource=row["resource"], quantity=row["quantity"], unit=row["unit"], home=row["region"],
            tier=row["tier"], first=row["start"], end=row["end"], price=row["price"], name=row["exposure"],
        )
        for row in table.with_columns(days).iter_rows(named=True)
    ]  # fmt: skip
