"""What if: clear again with some orders changed, and show what that changes.

Only the intervals that a change can reach are cleared again: the windows of the orders that differ, and of all that is coupled to them
(gangs, totals, committed offers, which bind their hours together). Elsewhere nothing changes.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from tenorgrid.clearing.horizons import ClearingRun, clear_horizons
from tenorgrid.clearing.insight.changes import window
from tenorgrid.clearing.wholes import wholes
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import PricingRule
from tenorgrid.data.tables.cleared import settles_under

NODE = ["horizon", "pricing", "start", "location", "resource", "tier"]
AWARD = ["horizon", "start", "side", "id", "participant", "step", "resource", "workload", "tier"]
NOTHING = 1e-9  # relative: a smaller difference is rounding
PARTS = ("buyers", "suppliers", "transfer", "congestion", "reserve", "virtuals", "shortfall", "total")


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """Two clearings of the same intervals and what differs: frames of `tenorgrid.data.tables.insight`.

    `first` and `end` bound the intervals that were cleared again.
    """

    first: datetime
    end: datetime
    prices: pl.DataFrame = field(repr=False)
    awards: pl.DataFrame = field(repr=False)
    surplus: pl.DataFrame = field(repr=False)
    cash: pl.DataFrame = field(repr=False)
    before: ClearingRun = field(repr=False)
    after: ClearingRun = field(repr=False)


def what_if(
    case: Case,
    after: Case,
    *,
    first: datetime | None = None,
    end: datetime | None = None,
    horizons: tuple[str, ...] | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> WhatIf:
    """Clear the intervals that a change reaches, without it and with it.

    Args:
        case: as it is.
        after: with the change.
        first, end: only intervals within these; None takes all that the change reaches. They grow where hours are coupled.
        horizons: names; None is every one.
        executor: any `concurrent.futures.Executor`. progress: called with the parts done and the parts in all, of both clearings.

    Raises InputError where nothing differs, or nothing is bid for where it does; SolverError where a certificate fails.
    """
    begin, stop = _reach(case, after, first, end)
    runs = []
    for number, one in enumerate((case, after)):
        cut = restricted(one, begin, stop)
        if cut.bids.is_empty():
            raise InputError.of("change", f"bids between {begin:%Y-%m-%dT%H:%MZ} and {stop:%Y-%m-%dT%H:%MZ}", value="none")
        told = None if progress is None else (lambda done, count, number=number: progress(done + number * count, 2 * count))
        runs.append(clear_horizons(cut, horizons=horizons, executor=executor, progress=told))
    before, then = runs
    rule = case.market.pricing
    return WhatIf(
        first=begin,
        end=stop,
        prices=price_differences(before, then),
        awards=award_differences(before, then),
        surplus=surplus_differences(before, then, rule=rule),
        cash=cash_differences(before, then),
        before=before,
        after=then,
    )


def restricted(case: Case, first: datetime, end: datetime) -> Case:
    """The case of [first, end): the orders within, with plain ones cut to it. Orders whose hours are coupled must lie wholly inside."""

    def cut(orders: pl.DataFrame) -> pl.DataFrame:
        inside = orders.filter(pl.col("start") < end, pl.col("end") > first)
        return inside.with_columns(
            pl.max_horizontal("start", pl.lit(first)).alias("start"), pl.min_horizontal("end", pl.lit(end)).alias("end")
        )

    return replace(case, offers=cut(case.offers), bids=cut(case.bids), virtuals=cut(case.virtuals))


def _reach(case: Case, after: Case, first: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """The intervals to clear again: where orders differ, within [first, end), grown over every order that couples hours."""
    starts, ends = window(case, after)
    low, high = starts.min(), ends.max()
    if not isinstance(low, datetime) or not isinstance(high, datetime):
        raise InputError.of("change", "an order that differs", value="nothing that changes the case")
    begin, stop = max(low, first or low), min(high, end or high)
    if begin >= stop:
        raise InputError.of(
            "change", f"intervals between {low:%Y-%m-%dT%H:%MZ} and {high:%Y-%m-%dT%H:%MZ}, where orders differ", value="others"
        )
    coupled = pl.concat([_coupled(one) for one in (case, after)])
    while True:
        over = coupled.filter(pl.col("start") < stop, pl.col("end") > begin)
        wider = (min([begin, *over["start"]]), max([stop, *over["end"]]))
        if wider == (begin, stop):
            return begin, stop
        begin, stop = wider


def _coupled(case: Case) -> pl.DataFrame:
    """Windows of orders whose hours are decided together, at any horizon; bids that groups and links join are one."""
    found: list[tuple[datetime, datetime]] = []
    for horizon in case.market.horizons:
        offers, bids = (
            orders.filter(pl.col("horizon").is_null() | (pl.col("horizon") == horizon.name)) for orders in (case.offers, case.bids)
        )
        found += wholes(offers.rename({"offer_id": "id"}), bids.rename({"bid_id": "id"})).windows()
    return pl.DataFrame(found, schema=case.bids.select("start", "end").schema, orient="row").unique()


def price_differences(before: ClearingRun, after: ClearingRun) -> pl.DataFrame:
    """`PriceDifferences`: nodes whose price moves by more than rounding, the largest moves first."""
    old, new = (run.prices.select(*NODE, pl.col("price").alias(name)) for run, name in ((before, "before"), (after, "after")))
    both = old.join(new, on=NODE, how="full", coalesce=True).with_columns((pl.col("after") - pl.col("before")).alias("difference"))
    moved = pl.col("before").is_null() != pl.col("after").is_null()
    return both.filter(moved | _counts("before", "after")).sort(
        pl.col("difference").abs(), *NODE, descending=[True, *[False] * 6], nulls_last=True
    )


def award_differences(before: ClearingRun, after: ClearingRun) -> pl.DataFrame:
    """`AwardDifferences`: awards that move by more than rounding; one that is not there is 0."""
    parts = [run.awards.group_by(AWARD).agg(pl.col("quantity").sum().alias(name)) for run, name in ((before, "before"), (after, "after"))]
    both = (
        parts[0]
        .join(parts[1], on=AWARD, how="full", coalesce=True, nulls_equal=True)
        .with_columns(pl.col("before", "after").fill_null(0.0))
    )
    named = both.with_columns((pl.col("after") - pl.col("before")).alias("difference"))
    return named.filter(_counts("before", "after")).sort("horizon", "start", "side", "id", "step", "tier", nulls_last=True)


def surplus_differences(before: ClearingRun, after: ClearingRun, *, rule: PricingRule) -> pl.DataFrame:
    """`SurplusDifferences`: part by part, under the rule that settles."""
    parts = [
        run.surplus.filter(settles_under(rule)).unpivot(PARTS, index="horizon", variable_name="part", value_name=name)
        for run, name in ((before, "before"), (after, "after"))
    ]
    both = parts[0].join(parts[1], on=["horizon", "part"], how="full", coalesce=True, maintain_order="left")
    return both.with_columns((pl.col("after") - pl.col("before")).alias("difference"))


def cash_differences(before: ClearingRun, after: ClearingRun) -> pl.DataFrame:
    """`CashDifferences`: every participant's cash at each run's own prices, those who gain most first."""
    key = ["horizon", "participant"]
    parts = [run.awards.group_by(key).agg(pl.col("cash").sum().alias(name)) for run, name in ((before, "before"), (after, "after"))]
    both = parts[0].join(parts[1], on=key, how="full", coalesce=True).with_columns(pl.col("before", "after").fill_null(0.0))
    named = both.with_columns((pl.col("after") - pl.col("before")).alias("difference"))
    return named.filter(_counts("before", "after")).sort("horizon", "difference", "participant", descending=[False, True, False])


def _counts(old: str, new: str) -> pl.Expr:
    """Whether two numbers differ by more than rounding; a missing one does not say."""
    size = pl.max_horizontal(pl.col(old).abs(), pl.col(new).abs(), 1e-3)
    return ((pl.col(new) - pl.col(old)).abs() > NOTHING * size).fill_null(False)
