"""The same from Python: names that a desk would use, over the layers that do the work.

Every result gives polars frames as attributes, `.to_pandas()` and a rendering for notebooks. Frames go downward, never these objects.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tenorgrid.booking import Book, trades_of
from tenorgrid.clearing.bilateral import with_deals
from tenorgrid.clearing.counted import counted_sales, warn_of_promises
from tenorgrid.clearing.horizons import ClearingRun, Options, clear_horizons
from tenorgrid.clearing.parts import Detail
from tenorgrid.clearing.rolling import clear_rolling as roll
from tenorgrid.clearing.search import Limits
from tenorgrid.clearing.state import State
from tenorgrid.curve_result import Curve
from tenorgrid.curves.discount import Discount
from tenorgrid.curves.forward import ForwardCurve
from tenorgrid.data.case import Case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.index import VolatilityModel
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.market_file import to_span
from tenorgrid.data.terms.exposure import Exposure
from tenorgrid.data.terms.tickets.ticket import Ticket
from tenorgrid.derivatives.book import value as value_book
from tenorgrid.indices.entries import Sensitivity
from tenorgrid.indices.fixings import fixings as fix
from tenorgrid.indices.marks import mark as mark_days
from tenorgrid.indices.methodology import Methodology, load
from tenorgrid.indices.streaming.marking import gathered, mark_stream
from tenorgrid.indices.workloads.marks import WorkloadRun, workload_marks
from tenorgrid.results import Hedged, Marks, Owed, Run, Valued, as_owed, to_day
from tenorgrid.settlement.basis import hedge as hedge_one
from tenorgrid.settlement.settle import settle as settle_run


def clear(
    case: Case | Path | str,
    *,
    horizons: Literal["all"] | tuple[str, ...] = "all",
    pricing: PricingRule | str | None = None,
    as_of: date | str | None = None,
    extra_rows: pl.DataFrame | None = None,
    detail: Detail = "centre",
    limits: Limits | None = None,
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
        extra_rows: constraints of your own, `ExtraRows`; None is none.
        detail: "intervals" gives each price with the least and the largest that is optimal too.
        limits: of the search for whole solutions; None is 10,000 nodes and any time.
        state: carried in from an earlier run.
        executor: any `concurrent.futures.Executor`; None is this process.
        progress: called with the parts done and the parts in all.

    Raises InputError for a case or constraints that break their rules, SolverError where no solution passes its certificate. Warns with
    `PromiseWarning` of a tier that promises fewer recalls than counting its sales as reserve brings.

    >>> run = clear("packaged", horizons=("real-time",), as_of="2027-03-14")
    >>> run.certificate["gap"].max() < 1e-6
    True
    """
    market_case, rule = _asked(case, pricing)
    day, standing = to_day(as_of), with_deals(market_case)
    cleared = clear_horizons(
        standing,
        horizons=None if horizons == "all" else tuple(horizons),
        as_of=day,
        state=state,
        options=Options(extra_rows=extra_rows, limits=limits or Limits(), detail=detail),
        executor=executor,
        progress=progress,
    )
    warn_of_promises(counted_sales(standing, awards=cleared.awards, commitments=cleared.commitments))
    return _as_run(market_case, rule, day, cleared)


def clear_rolling(
    case: Case | Path | str,
    *,
    step: timedelta | str = "1d",
    look: timedelta | str | None = None,
    horizons: Literal["all"] | tuple[str, ...] = "all",
    pricing: PricingRule | str | None = None,
    as_of: date | str | None = None,
    extra_rows: pl.DataFrame | None = None,
    detail: Detail = "centre",
    limits: Limits | None = None,
    state: State | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Clear a market step by step: commitments, gangs that run and what is left of a `total` pass from one step to the next.

    Args:
        case: a case, a folder, or "packaged".
        step: deliveries that each run publishes; whole days are local ones.
        look: deliveries that each run sees; None sees to the end.
        horizons, pricing, as_of, extra_rows, detail, limits, state: as for `clear`.
        progress: called with the steps done and the steps in all.

    Raises InputError for a step of no whole interval, a look shorter than the step, and a constraint over the whole run.

    >>> run = clear_rolling("packaged", horizons=("real-time",), as_of="2027-03-14")
    >>> run.certificate.height
    24
    """
    market_case, rule = _asked(case, pricing)
    day, standing = to_day(as_of), with_deals(market_case)
    cleared = roll(
        standing,
        step=to_span(step, name="step") if isinstance(step, str) else step,
        look=to_span(look, name="look") if isinstance(look, str) else look,
        horizons=None if horizons == "all" else tuple(horizons),
        as_of=day,
        state=state,
        options=Options(extra_rows=extra_rows, limits=limits or Limits(), detail=detail),
        progress=progress,
    )
    warn_of_promises(counted_sales(standing, awards=cleared.awards, commitments=cleared.commitments))
    return _as_run(market_case, rule, day, cleared)


def _asked(case: Case | Path | str, pricing: PricingRule | str | None) -> tuple[Case, PricingRule]:
    """The case with the rule that is asked for, by which its awards are paid."""
    market_case = case if isinstance(case, Case) else read_case(case)
    rule = _rule(pricing or market_case.market.pricing)
    return replace(market_case, market=replace(market_case.market, pricing=rule)), rule


def _rule(name: PricingRule | str) -> PricingRule:
    try:
        return PricingRule(name)
    except ValueError as error:
        raise InputError.of("pricing", f"one of {', '.join(PricingRule)}", value=name) from error


def _as_run(case: Case, rule: PricingRule, as_of: date | None, cleared: ClearingRun) -> Run:
    tables: Mapping[str, Any] = cleared.tables()
    return Run(case=case, pricing=rule, as_of=as_of, state=cleared.state, **tables)


def mark(
    observations: pl.DataFrame | pl.LazyFrame | Path | str,
    *,
    method: Methodology | str | Path = "house",
    first: date | str | None = None,
    end: date | str | None = None,
    indices: list[str] | None = None,
    sensitivity: Sensitivity = "told",
) -> Marks:
    """Marks of the days [first, end) by a methodology, shipped or in a file: one a day, or one for each of its periods.

    Args:
        observations: `Observations`. A lazy frame or a path is read some days at a time, so that it need not fit into memory: a Parquet
            file, a folder or pattern of them, or a Delta table; `indices.streaming.marking.mark_stream` hands out the marks as they are
            made, and the command writes them.
        method: name of a shipped methodology, a TOML file, or a methodology that is loaded.
        first, end: days in the methodology's time zone; None takes the days that the observations span.
        indices: only these; None is every one that shows up.
        sensitivity: `left out` spares the audits each mark without each contributor and the least that moves it; they say so.

    >>> asked = {"nimbus": 2.4, "cirrus": 2.6, "stratus": 2.5}
    >>> rows = [{"observation_id": name, "provider": name, "price": price} for name, price in asked.items()]
    >>> noon = datetime.fromisoformat("2027-01-05T12:00:00+00:00")
    >>> where = {"time": noon, "resource": "h100-sxm", "region": "us-east", "tier": "firm"}
    >>> found = mark(pl.DataFrame([row | where | {"kind": "list price"} for row in rows]))
    >>> found.marks.filter(index="H100-SXM.US.FIRM")["value"].to_list()
    [2.5]
    """
    rule = load(method)
    if not isinstance(observations, pl.DataFrame):
        days = to_day(first, name="first"), to_day(end, name="end")
        pieces = mark_stream(observations, methodology=rule, first=days[0], end=days[1], indices=indices, sensitivity=sensitivity)
        run = gathered(pieces)
    else:
        span = _days_of(observations, rule)
        begin, stop = to_day(first, name="first") or span[0], to_day(end, name="end") or span[1] + timedelta(days=1)
        run = mark_days(observations, methodology=rule, first=begin, end=stop, indices=indices, sensitivity=sensitivity)
    return Marks(marks=run.marks, exclusions=run.exclusions, audits=run.audits, run=run)


def mark_work(marks: Marks, *, case: Case | Path | str = "packaged", auxiliary: Mapping[str, float] | None = None) -> WorkloadRun:
    """Marks of work from marks of GPU-hours: the cheapest recipe of a case at each day's marks, USD per unit of work.

    Args:
        marks: per GPU-hour.
        case: whose workloads and recipes; the packaged ones are published benchmark figures.
        auxiliary: USD per resource-hour of vCPU, memory and network; what is not named is taken as free, and the audit says so.
    """
    book = case if isinstance(case, Case) else read_case(case)
    return workload_marks(
        marks.marks,
        workloads=book.workloads,
        recipes=book.recipes,
        recipe_resources=book.recipe_resources,
        resources=book.resources,
        auxiliary=auxiliary,
        methodology=marks.run.methodology,
    )


def _days_of(observations: pl.DataFrame, rule: Methodology) -> tuple[date, date]:
    """The first and the last day, from cut-off to cut-off, in which anything was seen."""
    if observations.is_empty():
        raise InputError.of("observations", "at least one row")
    begin, last = observations["time"].min(), observations["time"].max()
    if not isinstance(begin, datetime) or not isinstance(last, datetime):
        raise InputError.of("observations", "times", column="time")
    return rule.day_of(begin), rule.day_of(last)


def value(
    book: pl.DataFrame | Book | Ticket,
    *,
    curve: Curve | Mapping[str, Curve | ForwardCurve],
    fixings: Marks | pl.DataFrame,
    volatility: pl.DataFrame,
    discount: Discount | None = None,
    timezone: str | None = None,
    correlation: pl.DataFrame | None = None,
    expiries: pl.DataFrame | None = None,
    fallbacks: pl.DataFrame | None = None,
    products: pl.DataFrame | None = None,
) -> Valued:
    """Value a book of trades at the moment of its curves.

    Args:
        book: `Trades`, a `tg.Book`, or one trade such as `tg.Forward(...)`.
        curve: one curve, or curves by index.
        fixings: marks, or `Fixings` made of them; what is published after the curve's moment is not read.
        volatility: `Volatility` of the indices with options on them.
        discount: as in `fit_curve`; None is that of the curves.
        timezone: of the indices' days; None is that of the curves.
        correlation: index, index2 and correlation of the logarithms of pairs with options on their spread.
        expiries: `VolatilityByExpiry` (index, end, volatility) of indices whose volatility depends on the expiry, instead of one number.
        fallbacks: `Fallbacks`: price limits, halts and ends of indices; the result's `fixing_changes` tell each day that they changed.
        products: `Products`, the user's own listed contracts beside the packaged ones (`tg.read_products`).

    Raises InputError for a book without trades, and for no curve.
    """
    trades = trades_of(book)
    if trades.is_empty():
        raise InputError.of("trades", "at least one row")
    given = {curve.fitted.index: curve} if isinstance(curve, Curve) else dict(curve)
    curves = {index: one.fitted if isinstance(one, Curve) else one for index, one in given.items()}
    if not curves:
        raise InputError.of("curves", "at least one curve")
    one = next(iter(curves.values()))
    known = fix(fixings.marks, at=one.as_of) if isinstance(fixings, Marks) else fixings
    found = value_book(
        trades,
        curves=curves,
        fixings=known,
        volatility=volatility,
        as_of=one.as_of,
        discount=discount,
        timezone=timezone or one.timezone,
        correlation=correlation,
        expiries=expiries,
        fallbacks=fallbacks,
        products=products,
    )
    return Valued(values=found.values, risks=found.risks, book=found)


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
        domain_prices=run.domain_prices,
        recorded_at=moment,
        pricing=run.pricing,
        version=version,
        before=None if before is None else before.settlement,
    )
    return as_owed(settlement)


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


def fit_volatility(
    marks: Marks | pl.DataFrame,
    *,
    index: str | None = None,
    model: VolatilityModel | str = VolatilityModel.REALISED,
    level: float = 0.95,
    least: int | None = None,
    window: int | None = None,
    term: int = 30,
) -> pl.DataFrame:
    """`Volatility` of an index's marks by one model, with its interval; `tg.volatility` gives what stands behind it.

    Args:
        marks: daily marks; for `har` those of parts of a day.
        index: None is the only one of the marks.
        model: realised, realised-weekday, ewma, ewma-fitted, garch, gjr, egarch, garch-t or har.
        level: confidence.
        least: fewest returns; None is the model's own.
        window: days that a mark averages over, for which realised models are corrected and others refuse; None is what its methodology
            says, 1 takes marks as they are.
        term: days ahead whose mean variance a forecast's number is.

    Raises InputError for a constant, gapped or short series, and for several indices where none is named.
    """
    from tenorgrid.volatilities import volatility

    frame = marks.marks if isinstance(marks, Marks) else marks
    names = frame["index"].unique().sort().to_list() if index is None else [index]
    if len(names) != 1:
        raise InputError.of("volatility", f"one of {', '.join(names[:8]) or 'no index'}", column="index", value="none named")
    return volatility(frame, index=names[0], model=model, level=level, least=least, window=window, term=term).volatility
