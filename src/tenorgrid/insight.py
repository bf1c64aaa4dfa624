"""Intelligence on a run, and what a change would change, as a desk would ask for them (market design, section 9)."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from tenorgrid import folders
from tenorgrid.clearing.insight.breaker import breaker
from tenorgrid.clearing.insight.changes import SCHEMAS, changed, kind, withdrawn
from tenorgrid.clearing.insight.demand import demand, unserved
from tenorgrid.clearing.insight.explain import instant
from tenorgrid.clearing.insight.listed import listed
from tenorgrid.clearing.insight.marginal import marginal
from tenorgrid.clearing.insight.pivotal import by_supplier, pivotal, residual_supply
from tenorgrid.clearing.insight.published import published
from tenorgrid.clearing.insight.sold_out import sold_out
from tenorgrid.clearing.insight.worth import worth
from tenorgrid.clearing.whatif import what_if as clear_both
from tenorgrid.data.case import Case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.results import Run, Tables


@dataclass(frozen=True, kw_only=True)
class Intelligence(Tables):
    """What a run says when it is asked: the tables of `tenorgrid.data.tables.insight`."""

    marginal: pl.DataFrame = field(repr=False)
    worth: pl.DataFrame = field(repr=False)
    sold_out: pl.DataFrame = field(repr=False)
    demand: pl.DataFrame = field(repr=False)
    unserved: pl.DataFrame = field(repr=False)
    pivotal: pl.DataFrame = field(repr=False)
    residual_supply: pl.DataFrame = field(repr=False)
    cumulative: pl.DataFrame = field(repr=False)
    administered: pl.DataFrame = field(repr=False)
    administered_cash: pl.DataFrame = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Changed(Tables):
    """What a change of orders changes, in the intervals [first, end) that were cleared again."""

    first: datetime
    end: datetime
    prices: pl.DataFrame = field(repr=False)
    awards: pl.DataFrame = field(repr=False)
    surplus: pl.DataFrame = field(repr=False)
    cash: pl.DataFrame = field(repr=False)


def intelligence(
    run: Run, *, pricing: PricingRule | str | None = None, rules: pl.DataFrame | None = None, largest: int = 1
) -> Intelligence:
    """Who is marginal, what one more unit is worth, tiers sold out, whose demand it is, who is pivotal, and what a breaker would do.

    Args:
        run: a clearing run with its orders.
        pricing: at whose prices; None is the rule that settles.
        rules: `BreakerRules`; None is Australia's proportions of the market's price cap.
        largest: suppliers left out together in `residual_supply`; 3 for the test of three pivotal suppliers.

    Raises InputError where the run's case has no orders, and for rules that name what it has not.
    """
    tables = published(run, rule=pricing or run.pricing)
    hours = listed(tables)
    suppliers = by_supplier(tables, hours)
    held = breaker(tables, rules)
    return Intelligence(
        marginal=marginal(tables).table,
        worth=worth(tables),
        sold_out=sold_out(tables, hours),
        demand=demand(tables),
        unserved=unserved(tables),
        pivotal=pivotal(tables, suppliers),
        residual_supply=residual_supply(suppliers, largest=largest),
        cumulative=held.cumulative,
        administered=held.administered,
        administered_cash=held.cash,
    )


def what_if(
    case: Case | Path | str,
    *,
    change: pl.DataFrame | None = None,
    without: Sequence[str] = (),
    first: datetime | str | None = None,
    end: datetime | str | None = None,
    horizons: tuple[str, ...] | None = None,
    pricing: PricingRule | str | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Changed:
    """Clear the intervals that a change of orders reaches, without it and with it, and show what differs.

    Args:
        case: a case, a folder, or "packaged".
        change: `OfferChanges` or `BidChanges`: rows to add, replace, change or withdraw.
        without: suppliers whose offers are left out: the sharper test of a pivotal supplier.
        first, end: only intervals within these, such as 2027-03-01T18:00Z; None takes all that the change reaches.
        horizons: names; None is every one.
        pricing: rule that the surplus is measured at; None is the market's own.
        executor: any `concurrent.futures.Executor`. progress: called with the parts done and the parts in all.

    Raises InputError where nothing is changed, or a change breaks the rules of a case; SolverError where a certificate fails.
    """
    given = case if isinstance(case, Case) else read_case(case)
    if change is None and not without:
        raise InputError.of("change", "orders to change, or suppliers to leave out", value="neither")
    try:
        rule = PricingRule(pricing or given.market.pricing)
    except ValueError as error:
        raise InputError.of("pricing", f"one of {', '.join(PricingRule)}", value=pricing) from error
    before = replace(given, market=replace(given.market, pricing=rule))
    after = before if change is None else changed(before, change)
    after = withdrawn(after, without) if without else after
    edges = [None if edge is None else instant(edge) for edge in (first, end)]
    found = clear_both(before, after, first=edges[0], end=edges[1], horizons=horizons, executor=executor, progress=progress)
    return Changed(first=found.first, end=found.end, prices=found.prices, awards=found.awards, surplus=found.surplus, cash=found.cash)


def read_run(folder: Path, *, case: Path | None = None) -> Run:
    """A run with its orders, from a run folder or the folder that clear wrote.

    Args:
        folder: with clear/ in it, or the tables of clearing themselves.
        case: folder of the market case, where the run folder has no orders.

    Raises InputError where there is no run, and where there are no orders.
    """
    place = folder / "clear" if (folder / "clear").is_dir() else folder
    run = folders.read_clear(place)
    if case is None:
        return folders.read_orders(run, place)
    given = read_case(case)
    return replace(run, case=replace(run.case, offers=given.offers, bids=given.bids, virtuals=given.virtuals))


def read_change(path: Path) -> pl.DataFrame:
    """A table of changed orders; offers or bids by the column that names them. Raises InputError with every fault."""
    if not path.is_file():
        raise InputError.of(str(path), "a file")
    header = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema=False)
    return folders.read_file(path, SCHEMAS[kind(header)])
