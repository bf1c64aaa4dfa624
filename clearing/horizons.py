"""The sequence of horizons: month, week and day ahead, then real time, each a run of its own over the same delivery intervals
(market design, section 7).

Runs are gross: each sees its own bids, and a position with no later bid is bought or sold back at that run's price. Only virtual
positions are carried: they stand in every later ahead run until real time closes them. Deliveries are cut into parts that are
cleared apart, through any executor; what a part gives does not depend on which other parts were cleared, where, or in which order.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from tenorgrid.clearing.bilateral import with_deals
from tenorgrid.clearing.extra import check_extra
from tenorgrid.clearing.grid import Grid
from tenorgrid.clearing.layout import VirtualClass
from tenorgrid.clearing.orders import Orders, take_orders
from tenorgrid.clearing.parts import Detail, Part, clear_part
from tenorgrid.clearing.problem import pose
from tenorgrid.clearing.search import Limits
from tenorgrid.clearing.solver import Basis, reference_basis
from tenorgrid.clearing.state import State, joined
from tenorgrid.clearing.surplus import surplus_table
from tenorgrid.clearing.wholes import joined_hours
from tenorgrid.clearing.windows import Span
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.terms.market import Horizon, Market

PART = timedelta(days=5)  # deliveries cleared in one task: long enough to pay for a solver instance, short enough to share out

Progress = Callable[[int, int], None]  # parts done, parts in all


@dataclass(frozen=True, kw_only=True)
class ClearingRun:
    """What clearing publishes, one frame a table of `tenorgrid.data.tables.cleared`, and the state that a later run starts from."""

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
    state: State = field(repr=False)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by its public name."""
        return {name: getattr(self, name) for name in self.__annotations__ if name != "state"}


@dataclass(frozen=True, kw_only=True)
class Deliveries:
    """Which deliveries a run sees, from `first` to before `end`, and which it publishes, those before `until`."""

    first: datetime
    end: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a market is cleared: constraints of the user's (`ExtraRows`), limits of the search for whole solutions, and whether prices come
    with their admissible intervals.
    """

    extra_rows: pl.DataFrame | None = None
    limits: Limits = field(default_factory=Limits)
    detail: Detail = "centre"


def clear_horizons(
    case: Case,
    *,
    horizons: tuple[str, ...] | None = None,
    as_of: date | None = None,
    deliveries: Deliveries | None = None,
    state: State | None = None,
    options: Options | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ClearingRun:
    """Clear a market case at its horizons, the longest lead first.

    Args:
        case: checked. horizons: names to clear; None clears all. as_of: local day; deliveries whose market at a horizon runs on or
        after it are not cleared, and their rows change nothing. None clears all rows. deliveries: which are seen and published; None is
        all. state: carried in from an earlier run. options: how to clear. executor: any `concurrent.futures.Executor`; None is this
        process. progress: called with the parts done and the parts in all.

    Raises InputError for an unknown horizon, for constraints that break their rules, or where nothing is left to clear; SolverError where
    a certificate fails.
    """
    how = options or Options()
    chosen = _chosen(case.market, horizons)
    stood = with_deals(case)
    if how.extra_rows is not None:
        how = replace(how, extra_rows=check_extra(how.extra_rows, stood))
    grid = Grid.of(stood)
    tables = _until(stood, chosen, as_of)
    seen = deliveries or _all_of(tables, chosen)
    tasks, count = _parts(tables, grid, chosen, as_of=as_of, seen=seen, state=state or State(), options=how)
    parts: list[tuple[dict[str, pl.DataFrame], State]] = [({}, State())] * count
    for done, (number, frames, after) in enumerate(_completed(tasks, executor), start=1):
        parts[number] = frames, after
        if progress is not None:
            progress(done, count)
    run = _joined(parts, [horizon.name for horizon in chosen])
    before = state.standing if state is not None else {}
    return replace(run, state=replace(run.state, standing={**before, **run.state.standing}))  # of horizons not cleared now, as it was


def delivery_window(case: Case, horizons: tuple[str, ...] | None, as_of: date | None) -> tuple[datetime, datetime]:
    """First delivery that is bid for, and the end of the last one that any of the horizons has cleared."""
    chosen = _chosen(case.market, horizons)
    seen = _all_of(_until(case, chosen, as_of), chosen)
    last = seen.end if as_of is None else max(case.market.cleared_until(horizon, as_of) for horizon in chosen)
    return seen.first, min(seen.end, last)


def whole_run(runs: list[ClearingRun], order: list[str]) -> ClearingRun:
    """Runs of one market for deliveries that follow one another as one; the state is that after the last."""
    frames = [(run.tables(), run.state) for run in runs]
    return replace(_joined(frames, order), state=runs[-1].state)


def _chosen(market: Market, names: tuple[str, ...] | None) -> tuple[Horizon, ...]:
    known = [horizon.name for horizon in market.horizons]
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise InputError.of("horizon", f"one of {', '.join(known)}", value=", ".join(unknown))
    return tuple(horizon for horizon in market.horizons if names is None or horizon.name in names)


def _until(case: Case, chosen: tuple[Horizon, ...], as_of: date | None) -> Case:
    """The case without the rows of markets that run on or after `as_of`, so that they cannot change anything."""
    if as_of is None:
        return case
    last = {horizon.name: case.market.cleared_until(horizon, as_of) for horizon in case.market.horizons}
    latest = max(last[horizon.name] for horizon in chosen)
    limit = pl.col("horizon").replace_strict(last, default=None, return_dtype=pl.Datetime("us", "UTC")).fill_null(latest)
    known = pl.col("start") < limit
    return Case(
        **{name: getattr(case, name) for name in Case.__annotations__ if name not in ("offers", "bids", "virtuals")},
        offers=case.offers.filter(known),
        bids=case.bids.filter(known),
        virtuals=case.virtuals.filter(known),
    )


def _all_of(case: Case, chosen: tuple[Horizon, ...]) -> Deliveries:
    """All that is bid for."""
    names = [horizon.name for horizon in chosen]
    here = pl.col("horizon").is_null() | pl.col("horizon").is_in(names)
    bids = case.bids.filter(here)
    if bids.is_empty():
        raise InputError.of("bids", "at least one bid at the horizons that are cleared", value="none")
    begin, end = bids["start"].min(), bids["end"].max()
    assert isinstance(begin, datetime)
    assert isinstance(end, datetime)
    return Deliveries(first=begin, end=end, until=end)


def _parts(
    case: Case, grid: Grid, chosen: tuple[Horizon, ...], *, as_of: date | None, seen: Deliveries, state: State, options: Options
) -> tuple[Iterator[Part], int]:
    """The parts of the deliveries that are published, each with its orders at every horizon that has cleared it."""
    market, begin = case.market, seen.first
    carrying = {VirtualClass(*row) for row in state.virtuals.select("location", "resource", "side").unique().iter_rows()}
    orders, references = [], []
    for horizon in chosen:
        until = seen.end if as_of is None else min(seen.end, market.cleared_until(horizon, as_of))
        span = Span(first=begin, count=max((until - begin) // market.interval, 0), interval=market.interval)
        if span.count == 0:
            continue  # its market has run for none of these deliveries
        ahead = horizon.lead > timedelta(0)
        taken = take_orders(case, grid, horizon=horizon, span=span, carrying=carrying if ahead else set(), extra=options.extra_rows)
        carrying |= set(taken.layout.virtuals)
        orders.append(taken)
        references.append(_reference(taken, market))
    if not orders:
        raise InputError.of("bids", "at least one bid at the horizons that are cleared", value="none")
    published = (seen.until - begin) // market.interval
    edges = _edges(orders, size=max(PART // market.interval, 1))
    edges = edges[: bisect_left(edges, published) + 1]  # what lies past the last part that is published changes nothing in it

    def part(number: int, edge: int, next_edge: int) -> Part:
        here = [at for at, taken in enumerate(orders) if taken.span.count > edge]
        cut = tuple(orders[at].part(edge, min(next_edge, orders[at].span.count)) for at in here)
        within = pl.col("start").is_between(begin + edge * market.interval, begin + next_edge * market.interval, closed="left")
        return Part(
            number=number,
            orders=cut,
            references=tuple(references[at] for at in here),
            market=market,
            state=State(virtuals=state.virtuals.filter(within), standing=state.standing),
            until=seen.until,
            limits=options.limits,
            detail=options.detail,
        )

    return (part(number, *pair) for number, pair in enumerate(pairwise(edges))), len(edges) - 1


def _edges(orders: list[Orders], *, size: int) -> list[int]:
    """Where the deliveries are cut: every so many intervals, but never between intervals that a horizon has to solve together."""
    longest = max(taken.span.count for taken in orders)
    free = np.ones(longest + 1, dtype=bool)
    for taken in orders:
        groups = joined_hours(taken.windows(), taken.span)
        free[1 : groups.size] &= groups[1:] != groups[:-1]
    edges = [0]
    for place in np.flatnonzero(free):
        if place - edges[-1] >= size or place == longest:
            edges.append(int(place))
    return edges


def _reference(orders: Orders, market: Market) -> Basis | None:
    """The optimal basis of the horizon's first interval that stands by itself, found cold; None where there is none."""
    groups = joined_hours(orders.windows(), orders.span)
    alone = np.flatnonzero(np.bincount(groups)[groups] == 1)
    for hour in alone[:1]:
        first = orders.part(int(hour), int(hour) + 1)
        problem = pose(first, hours=market.hours, carried=State().virtuals, floor=market.price_floor, cap=market.price_cap)
        return reference_basis(problem)
    return None


def _completed(parts: Iterator[Part], executor: Executor | None) -> Iterator[tuple[int, dict[str, pl.DataFrame], State]]:
    if executor is None:
        yield from map(clear_part, parts)
        return
    pending = [executor.submit(clear_part, part) for part in parts]
    for future in as_completed(pending):
        yield future.result()


def _joined(parts: list[tuple[dict[str, pl.DataFrame], State]], order: list[str]) -> ClearingRun:
    """The parts in order of delivery within each horizon, whatever the order in which they were done."""
    tables = {name: pl.concat([frames[name] for frames, _ in parts if name in frames]) for name in parts[0][0]}
    rank = pl.col("horizon").replace_strict(order, range(len(order)), return_dtype=pl.Int32)
    found = {name: table.sort(rank, maintain_order=True) for name, table in tables.items()}
    found["commitments"] = _started_once(found["commitments"])
    surplus = pl.concat([surplus_table(found["surplus"].filter(pl.col("horizon") == name), horizon=name) for name in order])
    sums = {name: _summed(found[name], order) for name in ("uplift", "allocation")}
    return ClearingRun(**(found | sums | {"surplus": surplus}), state=joined([state for _, state in parts]))


def _started_once(commitments: pl.DataFrame) -> pl.DataFrame:
    """A run that goes on from one part to the next has started in the first of them alone."""
    went_on = pl.col("on").shift(1).over("horizon", "side", "id").fill_null(value=False)
    return commitments.with_columns(pl.col("started") & ~went_on)


def _summed(table: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    """The money of each component or payer over all groups of intervals, in order."""
    money = [name for name, dtype in table.schema.items() if dtype == pl.Float64]
    keys = [name for name in table.columns if name not in money]
    rank = pl.col("horizon").replace_strict(order, range(len(order)), return_dtype=pl.Int64)
    return table.group_by(keys).agg(pl.col(money).sum()).sort(rank, *keys[1:])
