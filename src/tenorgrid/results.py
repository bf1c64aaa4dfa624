"""What a desk holds in its hand: results whose frames are attributes, with `.to_pandas()` and a rendering for notebooks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.clearing.insight.explain import Explanation, explain
from tenorgrid.clearing.insight.published import published
from tenorgrid.clearing.state import State
from tenorgrid.curves.ahead import Underlying
from tenorgrid.curves.band import Band
from tenorgrid.curves.band import band as measure_band
from tenorgrid.curves.quotes import ahead_quotes
from tenorgrid.curves.shape import Shape, hour_of_week
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.contract import TradeKind
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.readers.cleared import observe_cleared
from tenorgrid.data.tables.contracts import FixingChanges
from tenorgrid.data.terms.agreed.read import Agreed
from tenorgrid.data.terms.market import REAL_TIME
from tenorgrid.derivatives.book import BookValue
from tenorgrid.derivatives.book.cone import fixed_so_far, month_cones
from tenorgrid.derivatives.book.scenarios import scenario_grid
from tenorgrid.derivatives.margin.moves import filtered, unfiltered
from tenorgrid.derivatives.margin.revalued import gains
from tenorgrid.derivatives.margin.span import MarginRule
from tenorgrid.derivatives.margin.span import margin as asked
from tenorgrid.derivatives.margin.stress import stress as stressed
from tenorgrid.derivatives.margin.stress import usual
from tenorgrid.derivatives.margin.tail import Tail, tail
from tenorgrid.indices.audit import Audit
from tenorgrid.indices.marks import MarkRun
from tenorgrid.indices.methodology import load
from tenorgrid.indices.names import parsed
from tenorgrid.indices.workloads.marks import workload_observations
from tenorgrid.settlement.ledger import Ledger
from tenorgrid.settlement.settle import Settlement

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
    domain_prices: pl.DataFrame = field(repr=False)
    awards: pl.DataFrame = field(repr=False)
    placements: pl.DataFrame = field(repr=False)
    headroom: pl.DataFrame = field(repr=False)
    commitments: pl.DataFrame = field(repr=False)
    binding: pl.DataFrame = field(repr=False)
    uplift: pl.DataFrame = field(repr=False)
    allocation: pl.DataFrame = field(repr=False)
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

    def explain(
        self,
        resource: str,
        location: str,
        tier: str,
        start: datetime | str,
        *,
        horizon: str | None = None,
        pricing: PricingRule | str | None = None,
    ) -> Explanation:
        """Who set the price of a node in an interval, and why: `print` it for a sentence, `.facts` adds up to the price.

        Args:
            resource, location, tier: the node.
            start: first instant of the interval, such as 2027-03-01T18:00Z.
            horizon: None is the nearest to delivery that has the price.
            pricing: rule; None is the one that settles.

        Raises InputError for what the run does not have, and where its case has no orders.
        """
        tables = published(self, rule=pricing or self.pricing)
        return explain(tables, resource=resource, location=location, tier=tier, start=start, horizon=horizon)

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
        named = parsed(index)
        if named.term is not None:
            raise InputError.of("index", "a name RESOURCE.REGION.TIER: what is cleared has no term", value=index)
        resource, label, tier = named.subject.lower(), named.place, named.tier.lower()
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

    def busiest(self) -> str:
        """The firm index of the accelerator and region on which most was spent in real time. Raises `InputError` where nothing was sold."""
        sold = self.observations().filter(pl.col("tier") == "firm", pl.col("region").is_not_null())
        most = sold.group_by("resource", "region").agg((pl.col("price") * pl.col("quantity")).sum().alias("spent"))
        if most.is_empty():
            raise InputError.of("awards", "accelerators sold firm in real time, for a curve of their index")
        row = most.sort("spent", "resource", "region", descending=[True, False, False]).row(0, named=True)
        return f"{row['resource']}.{row['region']}.FIRM".upper()

    def shape(self, index: str | None = None) -> Shape:
        """Hour-of-week shape of the longest ahead horizon's prices; None is the index on which most was spent."""
        horizon = self.case.market.horizons[0].name
        return hour_of_week(
            self.prices,
            underlying=self.underlying(self.busiest() if index is None else index),
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

    @property
    def fixing_changes(self) -> pl.DataFrame:
        """`FixingChanges`: every settlement fixing that is not its index's print, and why."""
        return FixingChanges.create_empty() if self.book.fixing_changes is None else self.book.fixing_changes

    def delta(self, by: Literal["quote", "month"] = "quote", *, unit: str = "GPU-hours") -> pl.DataFrame:
        """Delta of the whole book by quote or by delivery month, signed, in GPU-hours or in "USD per 0.01"."""
        return self.book.delta(by, unit=unit)

    def gamma(self) -> pl.DataFrame:
        """Gamma of the whole book by delivery month: change of delta in GPU-hours for 0.01 USD."""
        return self.book.gamma()

    def vega(self, by: Literal["month"] = "month") -> pl.DataFrame:
        """Vega of the whole book by month of expiry: USD for 0.01 of volatility."""
        return self.book.vega()

    def theta(self) -> float:
        """What a day's passing adds to the whole book, USD, forwards and volatilities held."""
        return self.book.theta()

    @property
    def agreed(self) -> Agreed:
        """The trades as they were read, by kind."""
        return {TradeKind(part.trades["kind"][0]): part.trades for part in self.book.parts}

    @property
    def history(self) -> pl.DataFrame:
        """`Fixings` that the book was valued with: what was published by then."""
        rows = [(index, day, fixing) for index, known in self.book.market.fixings.items() for day, fixing in known.items()]
        frame = pl.DataFrame(rows, schema={"index": pl.String(), "date": pl.Date(), "value": pl.Float64()}, orient="row")
        return frame.with_columns(
            pl.lit(self.book.market.as_of).dt.convert_time_zone("UTC").dt.cast_time_unit("us").alias("published_at"),
            pl.lit("fixings of the valuation").alias("source"),
        )

    def tail(self, level: float = 0.975, *, history: pl.DataFrame | None = None, days: int = 1) -> Tail:
        """Loss of the book that filtered historical moves of its indices exceed with probability 1 − level, and the mean beyond it.

        Args:
            level: above 0 and below 1.
            history: `Fixings`; None are those that the book was valued with.
            days: horizon.

        Raises `InputError` for a history that is too short for the level, has gaps or lacks an index of the book.
        """
        read = sorted({block.index for part in self.book.parts for block in part.priced.blocks})
        moved = filtered(self.history if history is None else history, read, days=days)
        return tail(gains(self.agreed, self.book.market, moved, level=level), level=level)

    def expected_shortfall(self, level: float = 0.975, *, history: pl.DataFrame | None = None, days: int = 1) -> float:
        """Mean loss, USD, of the worst 1 − level of the outcomes. Arguments and refusals of `tail`; `tg.risk` tells more."""
        return self.tail(level, history=history, days=days).expected_shortfall

    def value_at_risk(self, level: float = 0.99, *, history: pl.DataFrame | None = None, days: int = 1) -> float:
        """Loss, USD, that is not exceeded with probability level. Arguments and refusals of `tail`."""
        return self.tail(level, history=history, days=days).value_at_risk

    def stress(self, scenarios: pl.DataFrame | None = None) -> pl.DataFrame:
        """`StressGains` of every trade in named `StressScenarios`; None are the usual ones. Raises `InputError` for an unknown index."""
        return stressed(self.agreed, self.book.market, usual() if scenarios is None else scenarios)

    def margin(self, *, history: pl.DataFrame | None = None, rule: MarginRule | None = None) -> pl.DataFrame:
        """`MarginComponents` in the style of SPAN 2, as `docs/risk.md` tells.

        Args:
            history: `Fixings`; None are those that the book was valued with.
            rule: levels, ranges and charges; None are the house's.

        Raises `InputError` for a history that is too short, and an index without volatility.
        """
        house, past = rule or MarginRule(), self.history if history is None else history
        read = sorted({block.index for part in self.book.parts for block in part.priced.blocks})
        scaled, plain = (how(past, read, days=house.days) for how in (filtered, unfiltered))
        return asked(self.agreed, self.book, scaled=scaled, past=plain, rule=house)

    def scenarios(self, *, prices: Sequence[float], volatilities: Sequence[float] = (0.0,)) -> pl.DataFrame:
        """`Scenarios`: gain of the book, revalued in full, for every pair of moves of all forwards (USD/GPUh) and all volatilities."""
        return scenario_grid(self.agreed, self.book.market, prices=prices, volatilities=volatilities)

    def cones(self, indices: Sequence[str] | None = None) -> pl.DataFrame:
        """`MonthCones`: the running month of each index, marks so far and how far its mean may still go.

        None takes the indices of the book whose marks so far and volatility are known.
        """
        market = self.book.market
        named = sorted({index for part in self.book.parts for index in part.trades["index"].unique()})
        return month_cones(market, fixed_so_far(market, named) if indices is None else indices)


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

    def lots(self, *, cost: float = 0.0, prices: Mapping[str, float] | None = None, timezone: str = "America/New_York") -> pl.DataFrame:
        """`Trades`: whole lots of monthly futures on the index that hedges each exposure best, none where no index does effectively.

        Struck at `prices` by contract, such as {"H100-SXM.US.FIRM:2027-05": 2.5}, else at the index's last mark, and `cost` USD per
        GPU-hour worse. Raises InputError as `tenorgrid.hedge_lots.hedge_lots` does.
        """
        from tenorgrid.hedge_lots import hedge_lots

        return hedge_lots(self.exposures, self.basis, self.series, cost=cost, prices=prices, timezone=timezone)


def to_day(moment: date | str | None, *, name: str = "as_of") -> date | None:
    """A day from itself or from ISO 8601 text. Raises InputError, which says `name`, for other text."""
    if moment is None or (isinstance(moment, date) and not isinstance(moment, datetime)):
        return moment
    try:
        return date.fromisoformat(str(moment))
    except ValueError as error:
        raise InputError.of(name, "a day such as 2027-03-16", value=moment) from error
