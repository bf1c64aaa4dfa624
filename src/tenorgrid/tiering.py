"""Service tiers from data, from Python: one call from a record of presence, or a market's own recalls, to tiers that a case can hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from tenorgrid.clearing.availability import Panel, availability_table, panels, pool_table
from tenorgrid.clearing.pooling_picture import bands, pooling_curve
from tenorgrid.clearing.recalls import Listed, recalls_of
from tenorgrid.clearing.spread_split import split_spread as split
from tenorgrid.clearing.tier_backtest import PERIODS, backtest
from tenorgrid.clearing.tier_estimates import (
    case_tiers,
    check_promises,
    credit_table,
    declared_table,
    estimate_table,
    nested_table,
    promise_curve,
)
from tenorgrid.data.case import PACKAGED, Case, read_case
from tenorgrid.data.errors import InputError
from tenorgrid.data.readers.traces import make_runs, read_traces
from tenorgrid.data.tables import tiering as tables
from tenorgrid.data.tables.case import Tiers
from tenorgrid.derivatives.preemption.fit import preemption_fit
from tenorgrid.results import Run, Tables

PROMISES: Mapping[str, float] = {"spot-02": 0.02, "spot-05": 0.05, "spot-10": 0.10, "spot-20": 0.20}
EVERY = "all"


@dataclass(frozen=True, kw_only=True)
class TierStudy(Tables):
    """What a record says of tiers. `tiers` is the table of a market case; the others are those of `tenorgrid.data.tables.tiering`."""

    pool: str  # that `tiers` and the figures are of; "all" is the least β over all pools
    synthetic: bool  # whether the record is of a market that says so in its name
    tiers: pl.DataFrame = field(repr=False)
    estimates: pl.DataFrame = field(repr=False)
    nested: pl.DataFrame = field(repr=False)
    credits: pl.DataFrame = field(repr=False)
    availability: pl.DataFrame = field(repr=False)
    pools: pl.DataFrame = field(repr=False)
    promise_curve: pl.DataFrame = field(repr=False)
    backtest: pl.DataFrame = field(repr=False)
    pooling: pl.DataFrame = field(repr=False)
    pooling_curve: pl.DataFrame = field(repr=False)
    declared: pl.DataFrame | None = field(default=None, repr=False)
    spread: pl.DataFrame | None = field(default=None, repr=False)
    preemption: pl.DataFrame | None = field(default=None, repr=False)


def tiers(
    record: Path | str | pl.DataFrame | Case,
    *,
    promises: Mapping[str, float] | None = None,
    pool: str | None = None,
    stakes: Mapping[str, float] | None = None,
    periods: int = PERIODS,
    ahead: str | None = None,
    listed: Listed = "all",
    run: Run | None = None,
    case: Case | None = None,
    seed: int = 0,
) -> TierStudy:
    """Estimate tiers from recorded presence, and test them on what the estimate had not seen.

    Args:
        record: a file of spot traces or of the `presence` table, a `presence` frame, or a market case, its folder or "packaged", whose own
            recalls are read (listed ahead against offered in real time).
        promises: π by tier; None is 2, 5, 10 and 20 %.
        pool: whose tiers to take; "all" is the least β over every pool. None is the pool with the most recorded supplier-hours.
        stakes: share of the listed hours behind each tier where they are sold nested from one pool; `tiers` then holds the nested β. None
            has every β as if its tier were sold alone, and shows the nested ones of equal stakes beside.
        periods: of the back-test; the first only teaches.
        ahead: of a case, the horizon that listings are read at; None is the last before real time.
        listed: of a case, `all` offers or the `interruptible` ones.
        run: a clearing whose spreads are split too; None leaves them out.
        case: whose declared tiers are held against the record, and whose offers `run` cleared; None is the record or the run's own.
        seed: of the pools that are drawn for the pooling curve.

    Raises `InputError` with every fault of the record, for promises outside (0, 1), an unknown pool, or one whose suppliers share no time.

    >>> from datetime import UTC, datetime, timedelta
    >>> def rows(name, lost):
    ...     moments = [datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(41)]
    ...     return [(name, at, after, float(hour not in lost)) for hour, (at, after) in enumerate(zip(moments, moments[1:]))]
    >>> table = rows("a", {3, 4, 20, 31}) + rows("b", {11, 12, 30, 31})
    >>> found = tiers(pl.DataFrame(table, schema=["supplier", "start", "end", "share"], orient="row"), promises={"spot": 0.1})
    >>> found.tiers["overcommit"].round(4).to_list(), found.pools["correlation"].round(4).to_list()
    ([1.0, 1.0], [0.1667])
    """
    if isinstance(record, Path | str) and _is_case(record):
        record = read_case(record)
    asked = dict(PROMISES if promises is None else promises)
    check_promises(asked)
    records = list(panels(_runs(record, ahead=ahead, listed=listed)))
    chosen = _chosen(records, pool)
    estimates = _every(estimate_table(one, asked) for one in records)
    nested = _every(nested_table(one, asked, stakes=stakes) for one in records)
    pools = _every(pool_table(one) for one in records)
    correlations = dict(pools.select("pool", "correlation").iter_rows())
    source = estimates if stakes is None else nested
    mine = source if chosen == EVERY else source.filter(pl.col("pool") == chosen)
    curves = (pooling_curve(one, asked, correlation=correlations[one.pool], seed=seed) for one in records)
    found = None if run is None else split_spread(run, case=case)
    book = case or (record if isinstance(record, Case) else None)
    return TierStudy(
        pool=chosen,
        synthetic=isinstance(record, Case) and "synthetic" in record.market.name,
        tiers=Tiers.validate(case_tiers(mine)),
        estimates=tables.TierEstimates.validate(estimates),
        nested=tables.Nested.validate(nested),
        credits=tables.Credits.validate(_every(credit_table(one, asked) for one in records)),
        availability=tables.Availability.validate(_every(availability_table(one) for one in records)),
        pools=tables.Pools.validate(pools),
        promise_curve=tables.PromiseCurve.validate(_every(promise_curve(one) for one in records)),
        backtest=tables.Backtest.validate(_every(backtest(one, asked, periods=periods) for one in records)),
        pooling=tables.PoolingBands.validate(_every(bands(one) for one in records)),
        pooling_curve=tables.PoolingCurve.validate(_every(curves)),
        declared=None if book is None else tables.Declared.validate(_every(declared_table(one, book.tiers) for one in records)),
        spread=found,
        preemption=None if run is None or found is None else preemption_fit(found, tiers=run.case.tiers),
    )


def split_spread(run: Run, *, case: Case | None = None) -> pl.DataFrame:
    """`SpreadSplit` of a clearing: premium, overcommit and scarcity of every spread between firm and another tier, and a named residual.

    Args:
        run: what `clear` returned, or what was read from its folder.
        case: whose offers were cleared; None is the run's own, which a run read from its folder does not have.

    Raises `InputError` where an award is of an offer that the case does not have.

    >>> import tenorgrid as tg
    >>> run = tg.clear("packaged", horizons=("real-time",), as_of="2027-03-14")
    >>> parts = split_spread(run).filter(pl.col("residual_kind").cast(pl.String) == "none")
    >>> bool(parts["residual"].abs().max() < 1e-6)
    True
    """
    book = run.case if case is None else case
    return split(run.prices, run.awards, offers=book.offers, tiers=run.case.tiers, market=run.case.market)


def _runs(record: Path | str | pl.DataFrame | Case, *, ahead: str | None, listed: Listed) -> pl.DataFrame:
    if isinstance(record, Case):
        return recalls_of(record, ahead=ahead, listed=listed)
    if isinstance(record, pl.DataFrame):
        return make_runs(record)
    return read_traces(record)


def _is_case(record: Path | str) -> bool:
    return record == PACKAGED or Path(record).is_dir()


def _chosen(records: list[Panel], pool: str | None) -> str:
    names = [record.pool for record in records]
    if pool is not None and pool not in (*names, EVERY):
        raise InputError.of("--pool", f"{EVERY} or one of {', '.join(names)}", value=pool)
    # the most supplier-hours, then the most listed, then the first name
    return pool or max(records, key=lambda one: (float(one.hours.sum()) * len(one.suppliers), float(one.inventory.sum()))).pool


def _every(parts: Iterator[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(list(parts))
