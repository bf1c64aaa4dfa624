"""The sequence of horizons: month, week and day ahead, then real time, each a run of its own over the same delivery intervals
(market design, section 7).

Runs are gross: each sees its own bids, and a position with no later bid is bought or sold back at that run's price. Only virtual
positions are carried: they stand in every later ahead run until real time closes them. Deliveries are cut into parts that are
cleared apart, through any executor; what a part gives does not depend on which other parts were cleared, where, or in which order.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl

from tenorgrid.clearing.awards import DUST, award_table, placement_table, traded
from tenorgrid.clearing.engine import Cleared, clear_problem
from tenorgrid.clearing.intelligence import binding_table
from tenorgrid.clearing.layout import Grid, VirtualClass
from tenorgrid.clearing.orders import Orders, take_orders
from tenorgrid.clearing.pricing import price_table, workload_price_table
from tenorgrid.clearing.problem import CARRIED, pose
from tenorgrid.clearing.reserve import headroom_table
from tenorgrid.clearing.solver import Basis, reference_basis
from tenorgrid.clearing.surplus import surplus_by_interval, surplus_table
from tenorgrid.clearing.windows import Span
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds import PricingRule
from tenorgrid.data.tables.cleared import Uplift
from tenorgrid.data.terms.market import Horizon, Market

PART = timedelta(days=5)  # deliveries cleared in one task: long enough to pay for a solver instance, short enough to share out

Progress = Callable[[int, int], None]  # parts done, parts in all


@dataclass(frozen=True, kw_only=True)
class State:
    """What passes from one run to the next: virtual positions per hour that later ahead runs carry (`CARRIED` columns)."""

    virtuals: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CARRIED))


@dataclass(frozen=True, kw_only=True)
class ClearingRun:
    """What clearing publishes, one frame a table of `tenorgrid.data.tables.cleared`, and the state that a later run starts from."""

    prices: pl.DataFrame = field(repr=False)
    workload_prices: pl.DataFrame = field(repr=False)
    awards: pl.DataFrame = field(repr=False)
    placements: pl.DataFrame = field(repr=False)
    headroom: pl.DataFrame = field(repr=False)
    binding: pl.DataFrame = field(repr=False)
    uplift: pl.DataFrame = field(repr=False)
    surplus: pl.DataFrame = field(repr=False)
    certificate: pl.DataFrame = field(repr=False)
    state: State = field(repr=False)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every table by its public name."""
        return {name: getattr(self, name) for name in self.__annotations__ if name != "state"}


@dataclass(frozen=True, kw_only=True)
class _Task:
    """One part of the deliveries at every horizon."""

    number: int
    orders: tuple[Orders, ...]
    references: tuple[Basis, ...]
    market: Market
    state: State


def clear_horizons(
    case: Case,
    *,
    horizons: tuple[str, ...] | None = None,
    as_of: date | None = None,
    state: State | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> ClearingRun:
    """Clear a market case at its horizons, the longest lead first.

    Args:
        case: checked. horizons: names to clear; None clears all. as_of: local day; deliveries whose market at a horizon runs on or
        after it are not cleared, and their rows change nothing. None clears all rows. state: carried in from an earlier run.
        executor: any `concurrent.futures.Executor`; None is this process. progress: called with the parts done and the parts in
        all.

    Raises InputError for an unknown horizon or where nothing is left to clear, SolverError where a certificate fails.
    """
    chosen = _chosen(case.market, horizons)
    grid = Grid.of(case)
    tables = _until(case, chosen, as_of)
    begin, end = _deliveries(tables, chosen)
    tasks, count = _tasks(tables, grid, chosen, as_of=as_of, begin=begin, end=end, state=state or State())
    parts: list[dict[str, pl.DataFrame]] = [{}] * count
    for done, (number, frames) in enumerate(_completed(tasks, executor), start=1):
        parts[number] = frames
        if progress is not None:
            progress(done, count)
    return _joined(parts, [horizon.name for horizon in chosen])


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


def _deliveries(case: Case, chosen: tuple[Horizon, ...]) -> tuple[datetime, datetime]:
    names = [horizon.name for horizon in chosen]
    here = pl.col("horizon").is_null() | pl.col("horizon").is_in(names)
    bids = case.bids.filter(here)
    if bids.is_empty():
        raise InputError.of("bids", "at least one bid at the horizons that are cleared", value="none")
    begin, end = bids["start"].min(), bids["end"].max()
    assert isinstance(begin, datetime)
    assert isinstance(end, datetime)
    return begin, end


def _tasks(
    case: Case, grid: Grid, chosen: tuple[Horizon, ...], *, as_of: date | None, begin: datetime, end: datetime, state: State
) -> tuple[Iterator[_Task], int]:
    """The parts of the deliveries, each with its orders at every horizon that has cleared it."""
    market = case.market
    carrying = {VirtualClass(*row) for row in state.virtuals.select("location", "resource", "side").unique().iter_rows()}
    orders, references = [], []
    for horizon in chosen:
        until = end if as_of is None else min(end, market.cleared_until(horizon, as_of))
        span = Span(first=begin, count=max((until - begin) // market.interval, 0), interval=market.interval)
        ahead = horizon.lead > timedelta(0)
        taken = take_orders(case, grid, horizon=horizon, span=span, carrying=carrying if ahead else set())
        carrying |= set(taken.layout.virtuals)
        orders.append(taken)
        references.append(_reference(taken, market))
    size = max(PART // market.interval, 1)
    longest = max(taken.span.count for taken in orders)
    edges = list(range(0, longest, size))

    def part(number: int, edge: int) -> _Task:
        here = [at for at, taken in enumerate(orders) if taken.span.count > edge]
        cut = tuple(orders[at].part(edge, min(edge + size, orders[at].span.count)) for at in here)
        within = pl.col("start").is_between(begin + edge * market.interval, begin + (edge + size) * market.interval, closed="left")
        carried = State(virtuals=state.virtuals.filter(within))
        return _Task(number=number, orders=cut, references=tuple(references[at] for at in here), market=market, state=carried)

    return (part(number, edge) for number, edge in enumerate(edges)), len(edges)


def _reference(orders: Orders, market: Market) -> Basis:
    """The optimal basis of the horizon's first interval, found cold."""
    first = pose(orders.part(0, 1), hours=market.hours, carried=State().virtuals, floor=market.price_floor, cap=market.price_cap)
    return reference_basis(first)


def _completed(tasks: Iterator[_Task], executor: Executor | None) -> Iterator[tuple[int, dict[str, pl.DataFrame]]]:
    if executor is None:
        yield from map(_clear_part, tasks)
        return
    pending = [executor.submit(_clear_part, task) for task in tasks]
    for future in as_completed(pending):
        yield future.result()


def _clear_part(task: _Task) -> tuple[int, dict[str, pl.DataFrame]]:
    """Clear one part at every horizon in turn, in this process."""
    market, state = task.market, task.state
    frames: dict[str, list[pl.DataFrame]] = {}
    for orders, reference in zip(task.orders, task.references, strict=True):
        ahead = next(horizon.lead for horizon in market.horizons if horizon.name == orders.horizon) > timedelta(0)
        carried = state.virtuals if ahead else State().virtuals
        problem = pose(orders, hours=market.hours, carried=carried, floor=market.price_floor, cap=market.price_cap)
        run = clear_problem(problem, market=market, reference=reference)
        state = State(virtuals=pl.concat([_positions(run), _beyond(carried, run)]) if ahead else _beyond(state.virtuals, run))
        for name, frame in _published(run).items():
            frames.setdefault(name, []).append(frame)
    joined = {name: pl.concat(parts) for name, parts in frames.items()}
    return task.number, joined | {"state": state.virtuals}


def _published(run: Cleared) -> dict[str, pl.DataFrame]:
    problem = run.problem
    parts = surplus_by_interval(run).with_columns(pl.lit(problem.orders.horizon).alias("horizon"))
    return {
        "prices": price_table(problem, run.nodes),
        "workload_prices": workload_price_table(problem, run.work),
        "awards": award_table(problem, primal=run.primal, nodes=run.nodes, work=run.work),
        "placements": placement_table(problem, primal=run.primal),
        "headroom": headroom_table(run),
        "binding": binding_table(run),
        "surplus": parts,
        "certificate": run.certificate,
    }


def _positions(run: Cleared) -> pl.DataFrame:
    """Virtual positions after a run, those carried into it included."""
    shape = run.problem.layout
    found = traded(run.problem, primal=run.primal).filter(pl.col("traded") > DUST * pl.col("quantity"))
    columns = dict.fromkeys(("location", "resource", "side"), pl.String)  # named: a market without virtual bids has no rows to tell from
    names = pl.DataFrame(list(shape.virtuals), schema=columns, orient="row").with_row_index("class_number")
    starts = run.problem.orders.span.starts()
    rows = found.drop("quantity").rename({"traded": "quantity"}).join(names, on="class_number", maintain_order="left")
    return rows.with_columns(starts.gather(rows["hour"])).select(list(CARRIED))


def _beyond(virtuals: pl.DataFrame, run: Cleared) -> pl.DataFrame:
    """Positions for deliveries that a run has not reached yet: they stay as they are."""
    return virtuals.filter(~pl.col("start").is_in(run.problem.orders.span.starts().implode()))


def _joined(parts: list[dict[str, pl.DataFrame]], order: list[str]) -> ClearingRun:
    """The parts in order of delivery within each horizon, whatever the order in which they were done."""
    tables = {name: pl.concat([part[name] for part in parts if name in part]) for name in parts[0]}
    rank = pl.col("horizon").replace_strict(order, range(len(order)), return_dtype=pl.Int32)
    sorted_tables = {name: table.sort(rank, maintain_order=True) for name, table in tables.items() if name != "state"}
    surplus = pl.concat([surplus_table(sorted_tables["surplus"].filter(pl.col("horizon") == name), horizon=name) for name in order])
    uplift = Uplift.create_empty().with_columns(pl.col("pricing").cast(pl.Enum([rule.value for rule in PricingRule])))
    return ClearingRun(**(sorted_tables | {"surplus": surplus}), uplift=uplift, state=State(virtuals=tables["state"]))
