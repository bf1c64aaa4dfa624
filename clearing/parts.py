"""One part of the deliveries, cleared at every horizon in turn in one process: what an executor is handed, and what it hands back."""

from collections.abc import Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import polars as pl

from tenorgrid.clearing.awards import DUST, award_table, placement_table, served, traded
from tenorgrid.clearing.engine import Cleared, clear_problem
from tenorgrid.clearing.infeasible import refuse_infeasible
from tenorgrid.clearing.intelligence import binding_table
from tenorgrid.clearing.intervals import node_intervals
from tenorgrid.clearing.orders import Orders
from tenorgrid.clearing.pricing import domain_table, price_table, workload_price_table
from tenorgrid.clearing.problem import Problem, pose
from tenorgrid.clearing.reserve import headroom_table
from tenorgrid.clearing.search import Limits
from tenorgrid.clearing.solver import Basis
from tenorgrid.clearing.state import CARRIED, Standing, State
from tenorgrid.clearing.surplus import surplus_by_interval
from tenorgrid.clearing.uplift import uplift_tables
from tenorgrid.clearing.wholes import components, least_run
from tenorgrid.data.errors import SolverError
from tenorgrid.data.kinds.market import AwardSide, PricingRule
from tenorgrid.data.terms.market import Market

Detail = Literal["centre", "intervals"]  # prices alone, or with the interval of every optimal price
UNDATED = frozenset({"uplift", "allocation"})  # tables by component, not by interval
COMMITMENTS = pl.Schema(
    {
        "horizon": pl.String(),
        "start": pl.Datetime("us", "UTC"),
        "side": pl.Enum([side.value for side in AwardSide]),
        "id": pl.String(),
        "participant": pl.String(),
        "on": pl.Boolean(),
        "started": pl.Boolean(),
    }
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the deliveries with its orders at every horizon; what is delivered before `until` is published and passed on."""

    number: int
    orders: tuple[Orders, ...]
    references: tuple[Basis | None, ...]
    market: Market
    state: State = field(repr=False)
    until: datetime
    limits: Limits
    detail: Detail


def clear_part(part: Part) -> tuple[int, dict[str, pl.DataFrame], State]:
    """Clear one part at every horizon in turn. Returns its number, its tables by name, and the state after it."""
    market, virtuals = part.market, part.state.virtuals
    leads = {horizon.name: horizon.lead for horizon in market.horizons}
    frames: dict[str, list[pl.DataFrame]] = {}
    standing: dict[str, Standing] = {}
    before: Cleared | None = None
    for orders, reference in zip(part.orders, part.references, strict=True):
        ahead = leads[orders.horizon] > timedelta(0)
        kept = _kept(part.state.at(orders.horizon), None if ahead else before)
        carried = virtuals if ahead else State().virtuals
        problem = pose(
            orders, hours=market.hours, carried=carried, floor=market.price_floor, cap=market.price_cap, standing=kept
        )  # fmt: skip
        before = run = _cleared(problem, part, reference)
        virtuals = pl.concat([_positions(run), _beyond(carried, run)]) if ahead else _beyond(virtuals, run)
        standing[orders.horizon] = _standing_after(run, kept, part.until)
        for name, frame in _published(run, part.detail, running=kept.running.keys()).items():
            frames.setdefault(name, []).append(frame.filter(pl.col("start") < part.until) if name not in UNDATED else frame)
    state = State(virtuals=virtuals.filter(pl.col("start") < part.until), standing=standing)
    return part.number, {name: pl.concat(found) for name, found in frames.items()}, state


def _cleared(problem: Problem, part: Part, reference: Basis | None) -> Cleared:
    """The clearing of one horizon; where it fails for constraints of the user's that cannot be met, those are named."""
    try:
        return clear_problem(problem, market=part.market, reference=reference, limits=part.limits)
    except SolverError:
        refuse_infeasible(problem)
        raise


def _published(run: Cleared, detail: Detail, *, running: Set[str]) -> dict[str, pl.DataFrame]:
    problem = run.problem
    rules = pl.Enum([rule.value for rule in PricingRule])
    marginal = surplus_by_interval(run, PricingRule.MARGINAL)
    by_rule = {PricingRule.MARGINAL: marginal, PricingRule.CONVEX_HULL: marginal}
    if run.joints:  # else both rules have the same prices
        by_rule[PricingRule.CONVEX_HULL] = surplus_by_interval(run, PricingRule.CONVEX_HULL)
    named = pl.lit(problem.orders.horizon).alias("horizon")
    parts = [found.with_columns(named, pl.lit(rule.value, dtype=rules).alias("pricing")) for rule, found in by_rule.items()]
    uplift, allocation = uplift_tables(run)
    prices = {rule: (run.priced[rule], run.kinds(rule)) for rule in PricingRule}
    intervals = {rule: node_intervals(run, rule) if detail == "intervals" else None for rule in PricingRule}
    return {
        "prices": pl.concat([price_table(problem, priced.nodes, kinds, intervals[rule]) for rule, (priced, kinds) in prices.items()]),
        "workload_prices": pl.concat([workload_price_table(problem, priced.work, kinds) for priced, kinds in prices.values()]),
        "domain_prices": pl.concat([domain_table(problem, priced.nodes, kinds) for priced, kinds in prices.values()]),
        "awards": award_table(problem, primal=run.primal, nodes=run.nodes, work=run.work),
        "placements": placement_table(problem, primal=run.primal),
        "headroom": headroom_table(run),
        "commitments": commitment_table(run, running=running),
        "binding": binding_table(run),
        "uplift": uplift,
        "allocation": allocation,
        "surplus": pl.concat(parts),
        "certificate": run.certificate,
    }


def commitment_table(run: Cleared, *, running: Set[str] = frozenset()) -> pl.DataFrame:
    """`commitments`: offers committed and gangs accepted, in every interval of their windows that the run saw.

    Args:
        run: cleared.
        running: offers that were committed just before its first interval.
    """
    span, coupling = run.problem.orders.span, run.problem.coupling
    if coupling.columns.is_empty():
        return pl.DataFrame(schema=COMMITMENTS)
    names = coupling.columns.with_columns(pl.Series("value", run.beside))
    on = (pl.col("value") > 0.5).alias("on")
    before = pl.col("on").shift(1).over("id").fill_null((pl.col("hour") == 0) & pl.col("id").is_in(list(running)))
    offers = (
        names.filter(pl.col("kind") == "committed")
        .select("id", "participant", "hour", on, pl.lit("offer").alias("side"))
        .sort("id", "hour")
        .with_columns((pl.col("on") & ~before).alias("started"))
    )
    windows = run.problem.orders.wholes.bids.select("id", "start", "end")
    gangs = names.filter(pl.col("kind") == "accepted").drop("hour").join(windows, on="id", maintain_order="left")
    step = span.interval // timedelta(microseconds=1)
    edges = [((pl.col(edge) - span.first).dt.total_microseconds() // step).clip(0, span.count) for edge in ("start", "end")]
    bids = gangs.with_columns(pl.int_ranges(*edges).alias("hour")).explode("hour")
    accepted = bids.select("id", "participant", "hour", on, pl.lit("bid").alias("side"), pl.lit(value=False).alias("started"))
    table = pl.concat([offers, accepted])
    dated = table.with_columns(
        pl.lit(run.problem.orders.horizon).alias("horizon"),
        span.starts().gather(table["hour"]).alias("start"),
        pl.col("side").cast(COMMITMENTS["side"]),
    )
    return dated.select(list(COMMITMENTS)).sort("start", "side", "id")


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


def _kept(own: Standing, ahead: Cleared | None) -> Standing:
    """What a run has to keep: what stands from earlier days, and in real time what the last ahead run has decided of these deliveries."""
    if ahead is None:
        return own
    table = commitment_table(ahead).filter("on").with_columns(pl.col("side").cast(pl.String))
    gangs = frozenset(table.filter(pl.col("side") == "bid")["id"])
    offers = table.filter(pl.col("side") == "offer").group_by("id", maintain_order=True).agg("start")
    return replace(own, accepted=own.accepted | gangs, committed={name: frozenset(times) for name, times in offers.iter_rows()})


def _standing_after(run: Cleared, before: Standing, until: datetime) -> Standing:
    """What stands after the deliveries before `until`, or after the last one that the horizon has cleared."""
    orders = run.problem.orders
    if orders.wholes.empty:
        return Standing(done=before.done)
    stop = min(max((until - orders.span.first) // orders.span.interval, 0), orders.span.count)
    until = orders.span.first + stop * orders.span.interval
    bids = orders.wholes.bids
    goes_on = bids.with_columns(pl.Series("component", components(bids), dtype=pl.String)).filter(
        (pl.col("end") > until).any().over("component")
    )  # fmt: skip
    begun = goes_on.filter(pl.col("start") < until)["id"]
    decided = (
        commitment_table(run, running=before.running.keys()).with_columns(pl.col("side").cast(pl.String)).filter(pl.col("start") < until)
    )
    taken = set(decided.filter("on", pl.col("side") == "bid", pl.col("id").is_in(begun.implode()))["id"]) | _followers(run, bids, stop)
    return Standing(
        accepted=frozenset(before.accepted | _with_parents(bids, taken)) & set(goes_on.filter("gang")["id"]),
        running=_running(decided.filter(pl.col("side") == "offer"), orders, before, stop),
        done=_done(run, before, stop),
    )


def _followers(run: Cleared, bids: pl.DataFrame, stop: int) -> set[str]:
    """Divisible bids that are linked to a gang and have got work before the stop."""
    linked = bids.filter(~pl.col("gang"), pl.col("parent").is_not_null())
    if linked.is_empty():
        return set()
    work = served(run.problem, primal=run.primal).join(linked.select("id"), on="id", how="semi")
    return set(work.filter(pl.col("hour") < stop, pl.col("work") > DUST * pl.col("quantity"))["id"])


def _with_parents(bids: pl.DataFrame, taken: set[str]) -> set[str]:
    """These bids and all that they are linked to: who has been served because of a gang holds it to its word before it begins."""
    parent = dict(bids.filter(pl.col("parent").is_not_null()).select("id", "parent").iter_rows())
    found, ahead = set(taken), set(taken)
    while ahead:
        ahead = {parent[name] for name in ahead if name in parent} - found
        found |= ahead
    return found


def _running(decided: pl.DataFrame, orders: Orders, before: Standing, stop: int) -> dict[str, int]:
    """Offers committed in the last interval before the stop, with the intervals that they must go on for."""
    last = orders.span.first + (stop - 1) * orders.span.interval
    terms = {row["id"]: row for row in orders.wholes.offers.iter_rows(named=True)}
    found, hours = {}, orders.span.interval / timedelta(hours=1)
    for (name,), rows in decided.sort("start").group_by("id", maintain_order=True):
        offer = terms[str(name)]
        if not rows["on"][-1] or rows["start"][-1] != last or offer["end"] <= last + orders.span.interval:
            continue
        started = rows.filter("started")["start"].max()
        ran = stop - ((started - orders.span.first) // orders.span.interval) if isinstance(started, datetime) else None
        left = before.running.get(str(name), 0) - stop if ran is None else least_run(offer["min_hours"], hours=hours) - ran
        found[str(name)] = max(int(left), 0)
    return found


def _done(run: Cleared, before: Standing, stop: int) -> dict[tuple[str, int], float]:
    """Work done before the stop of each step with a total."""
    totals = run.problem.orders.wholes.totals
    if totals.is_empty():
        return dict(before.done)
    work = served(run.problem, primal=run.primal).filter(pl.col("hour") < stop)
    mine = work.join(totals.select("id", "step"), on=["id", "step"], how="semi").group_by("id", "step").agg(pl.col("work").sum())
    done = dict(before.done)
    for name, step, amount in mine.sort("id", "step").iter_rows():
        done[name, step] = done.get((name, step), 0.0) + float(np.maximum(amount, 0.0)) * run.problem.hours
    return done
