"""Awards as positions at every horizon: who holds how much of which node or work before and after each run."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.errors import Fault, InputError
from tenorgrid.data.kinds.market import AwardSide
from tenorgrid.settlement.coding import UNKNOWN, Codes, Coding, Runs, Vector, numbered, totals, union
from tenorgrid.settlement.domains import Goods, domains_of

ANYWHERE = "*"  # home of work that may run anywhere
NODE = ("location", "resource", "tier")
POOL = ("workload", "home", "tier")
TEXTS = ("horizon", "side", "participant", "location", "home", "resource", "workload", "tier")


@dataclass(frozen=True, kw_only=True)
class Held:
    """Positions of one kind that a run changed or kept, in order of participant, thing and run; quantities per hour, + = sale."""

    kind: str
    coding: Coding = field(repr=False)  # participant and node or pool
    thing: Codes = field(repr=False)  # (rows,) number of participant and node or pool
    what: Codes = field(repr=False)  # (rows,) number of the node or pool alone
    run: Codes = field(repr=False)
    now: Vector = field(repr=False)
    before: Vector = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Awarded:
    """Physical sales by good, virtual positions by node, work by pool; `nodes` and `pools` number the last two."""

    nodes: Coding = field(repr=False)
    pools: Coding = field(repr=False)
    sales: Held
    virtuals: Held
    work: Held


def awarded(awards: pl.DataFrame, *, runs: Runs, case: Case, nodes: Coding, pools: Coding, priced: Goods) -> Awarded:
    """Positions after each run and before it, from gross awards.

    A row of a run gives the quantity after it, and, in the next run of the same interval, the quantity before that one; so a position
    with no award at the next horizon is one that is closed there. Virtual bids may have several rows in a run: their own, and the
    positions carried into it from earlier horizons under the same id; a row too many of those shows as a residual.

    Args:
        awards: as published (`Awards`).
        runs: that prices were published of.
        case: names what exists.
        nodes: coding of location, resource, tier.
        pools: coding of workload, home, tier.
        priced: what is sold at nodes, with the scale-up domains.

    Raises InputError for duplicate rows, unknown nodes, work, horizons or intervals, and quantities that are no numbers.
    """
    rows = numbered(awards.with_columns(side=pl.col("side").cast(pl.String), home=pl.col("location").fill_null(ANYWHERE)), *TEXTS)
    sells = rows["side"].is_in([AwardSide.OFFER.value, AwardSide.INC.value])
    rows = rows.with_row_index("row").with_columns(signed=pl.when(sells).then(pl.col("quantity")).otherwise(-pl.col("quantity")))
    run, node, pool = runs.number(rows), nodes.encode(rows), pools.encode(rows)
    _refuse(rows, run, runs, case, node=node, pool=pool)
    names = tuple(rows["participant"].unique().cast(pl.String).sort())  # the values of the Enum, whose numbers are their places
    person = rows["participant"].to_physical().cast(pl.Int64).to_numpy()
    signed = rows["signed"].to_numpy()

    def held(kind: str, sides: tuple[AwardSide, ...], things: Coding, what: Codes) -> Held:
        mine = rows["side"].is_in([side.value for side in sides]).to_numpy()
        coding = Coding(fields=("participant", *things.fields), names=(names, *things.names))
        return _held(person[mine] * things.size + what[mine], run[mine], signed[mine], runs=runs, kind=kind, coding=coding, things=things)

    return Awarded(
        nodes=nodes,
        pools=pools,
        sales=held("physical", (AwardSide.OFFER,), priced.coding, priced.number(node, domains_of(awards, case, priced=priced))),
        virtuals=held("virtual", (AwardSide.INC, AwardSide.DEC), nodes, node),
        work=held("work", (AwardSide.BID,), pools, pool),
    )


def _held(thing: Codes, run: Codes, signed: Vector, *, runs: Runs, kind: str, coding: Coding, things: Coding) -> Held:
    key, quantity = totals(thing * runs.count + run, signed)
    thing, at = np.divmod(key, runs.count)
    later = runs.after[at]
    carried = later != UNKNOWN
    following = thing[carried] * runs.count + later[carried]
    every = union(key, following)
    now, before = np.zeros(every.size), np.zeros(every.size)
    now[np.searchsorted(every, key)] = quantity
    before[np.searchsorted(every, following)] = quantity[carried]
    thing, at = np.divmod(every, runs.count)
    return Held(kind=kind, coding=coding, thing=thing, what=thing % things.size, run=at, now=now, before=before)


def _refuse(rows: pl.DataFrame, run: Codes, runs: Runs, case: Case, *, node: Codes, pool: Codes) -> None:
    work = (rows["side"] == AwardSide.BID.value).to_numpy()
    virtual = rows["side"].is_in([AwardSide.INC.value, AwardSide.DEC.value]).to_numpy()
    late = virtual & (run != UNKNOWN) & runs.closing[np.where(run == UNKNOWN, 0, run)]
    first_pool = int(node.max(initial=0)) + 2
    repeated = _repeated(rows, run, runs, np.where(work, first_pool + pool, node), first_pool + int(pool.max(initial=0)))
    known = {"location": case.locations["location"], "workload": case.workloads["workload"], "tier": case.tiers["tier"]}
    number = (rows["quantity"].is_finite() & (rows["quantity"] >= 0)).fill_null(False).to_numpy()
    faults = [
        *_of(rows, run == UNKNOWN, "horizon", "a horizon and an interval that prices were published of", ("horizon", "start")),
        *_of(rows, ~number, "quantity", "a number of at least 0", ("quantity",)),
        *_of(rows, repeated & ~virtual, "id", "one row per side, id, step and node or work of a run", ("id", "start", "horizon")),
        *_of(rows, late, "side", "virtual bids at ahead horizons only", ("side", "id", "start")),
        *_of(rows, ~work & (node == UNKNOWN), "location", "a node that prices were published of", NODE),
        *_of(rows, work & (pool == UNKNOWN), "workload", "work that workload prices were published of", POOL),
        *(fault for name, names in known.items() for fault in _unknown(rows, name, names)),
    ]
    if faults:
        raise InputError(faults)


def _unknown(rows: pl.DataFrame, name: str, names: pl.Series) -> list[Fault]:
    """Faults of a column whose values the case does not have."""
    strange = rows[name].unique().drop_nulls().cast(pl.String).to_frame().filter(~pl.col(name).is_in(names.implode()))[name]
    if strange.is_empty():
        return []
    return _of(
        rows, rows[name].cast(pl.String).is_in(strange.implode()).fill_null(False).to_numpy(), name, f"a {name} of the case", (name,)
    )


def _of(rows: pl.DataFrame, bad: npt.NDArray[np.bool_], column: str, expected: str, shown: tuple[str, ...]) -> list[Fault]:
    if not bad.any():
        return []
    found = rows.filter(bad).select("row", *shown)
    return [
        Fault(file="awards", row=row + 1, column=column, value=" ".join(str(part) for part in parts), expected=expected)
        for row, *parts in found.iter_rows()
    ]


def _repeated(rows: pl.DataFrame, run: Codes, runs: Runs, thing: Codes, things: int) -> npt.NDArray[np.bool_]:
    """Which rows have the side, id, step and thing of another row of the run; found by a hash, told apart by the names themselves."""
    side, step = rows["side"].to_physical().cast(pl.Int64).to_numpy(), rows["step"].fill_null(0).to_numpy()
    key = ((step * len(AwardSide) + side) * (things + 1) + thing + 1) * (runs.count + 1) + run + 1
    mixed = rows["id"].hash().to_numpy() + key.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # wraps, as hashes do
    found: npt.NDArray[np.bool_] = pl.Series(mixed).is_duplicated().to_numpy().copy()
    if found.any():
        alike = rows.filter(found).select("id", key=pl.Series(key[found]))
        found[found] = alike.is_duplicated().to_numpy()
    return found
