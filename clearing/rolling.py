"""A rolling run: each day sees as far ahead as it may, publishes its own deliveries, and hands what it has decided to the next."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from tenorgrid.clearing.horizons import ClearingRun, Deliveries, Options, Progress, clear_horizons, delivery_window, whole_run
from tenorgrid.clearing.state import State
from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import ExtraSpan
from tenorgrid.data.terms.market import Market

DAY = timedelta(days=1)


def clear_rolling(
    case: Case,
    *,
    step: timedelta = DAY,
    look: timedelta | None = None,
    horizons: tuple[str, ...] | None = None,
    as_of: date | None = None,
    state: State | None = None,
    options: Options | None = None,
    progress: Progress | None = None,
) -> ClearingRun:
    """Clear the deliveries of a case step by step.

    Commitments, gangs that run and what is left of a `total` pass from one step to the next. Where every step sees to the end and nothing
    new is learnt, the steps together are as good as one long run.

    Args:
        case: checked.
        step: deliveries published by each run; whole days are local ones.
        look: deliveries that each run sees, at least `step`; whole days are local ones; None sees to the end.
        horizons: names; None is all.
        as_of: local day, as for `clear_horizons`.
        state: carried into the first step.
        options: as for `clear_horizons`.
        progress: called with the steps done and the steps in all.

    Raises InputError for a step of no whole interval, a look shorter than it, or a constraint over the whole run, which no step sees.
    """
    market = case.market
    if step <= timedelta(0) or step % market.interval:
        raise InputError.of("step", f"a whole number of intervals of {market.interval}", value=step)
    if look is not None and look < step:
        raise InputError.of("look", f"at least the step of {step}", value=look)
    rows = None if options is None else options.extra_rows
    if rows is not None and "span" in rows.columns and (rows["span"].cast(pl.String) == ExtraSpan.RUN.value).any():
        raise InputError.of("extra_rows", "constraints in every interval, as no step sees the whole run", column="span", value="run")
    begin, end = delivery_window(case, horizons, as_of)
    runs: list[ClearingRun] = []
    steps = list(_steps(market, begin, end, step))
    ahead = look is None or look > step
    for first, until in steps:
        seen = Deliveries(first=first, end=end if look is None else min(end, _later(market, first, look)), until=until)
        run = clear_horizons(case, horizons=horizons, as_of=as_of, deliveries=seen, state=state, options=options)
        state = run.state
        if ahead:
            run = replace(run, uplift=run.uplift.clear(), allocation=run.allocation.clear())
        runs.append(run)
        if progress is not None:
            progress(len(runs), len(steps))
    return whole_run(runs, [horizon.name for horizon in market.horizons])


def _steps(market: Market, begin: datetime, end: datetime, step: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """First and last edge of each step."""
    first = begin
    while first < end:
        until = min(_later(market, first, step), end)
        yield first, until
        first = until


def _later(market: Market, first: datetime, span: timedelta) -> datetime:
    """The end of a span: one of whole days ends at a local midnight, however many hours its days have."""
    if span % DAY != timedelta(0):
        return first + span
    return market.midnight(first.astimezone(ZoneInfo(market.timezone)).date() + span)
