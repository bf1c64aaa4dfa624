"""Who holds reserve and who uses what it protects: the quantities that the scarcity adder is paid and charged on.

Market design, section 4: every unit of headroom is paid A, charged to the firm buyers of the group pro rata to use.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.awards import served, sold
from tenorgrid.clearing.engine import Cleared
from tenorgrid.clearing.layout import NOWHERE
from tenorgrid.clearing.tiers import FIRM
from tenorgrid.data.kinds.market import PricingRule

Matrix = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DUST = 1e-9
KEY = ["hour", "group", "participant"]


@dataclass(frozen=True, kw_only=True)
class Groups:
    """Reserve groups (an accelerator in a region) of a run: `names`, and (intervals, groups) their adder A in USD per resource-hour
    and headroom.
    """

    names: tuple[tuple[str, str], ...]
    adder: Matrix = field(repr=False)
    headroom: Matrix = field(repr=False)


def groups(cleared: Cleared, rule: PricingRule | None = None) -> Groups:
    """The reserve groups of a run, with the adder of a rule, by default the one that settles.

    Headroom is the right-hand side of the reserve row and what offers that are committed add to it, less what the offers take of it.
    """
    problem = cleared.problem
    shape = problem.layout
    rows = shape.rows.filter(pl.col("kind") == "reserve")
    number = rows["number"].to_numpy()
    offered = (shape.columns["kind"] == "offer").to_numpy()
    taken = (shape.matrix[number][:, offered] @ cleared.primal[:, offered].T).T
    held = problem.row_upper[:, number] + _committed(cleared)[:, number]
    return Groups(
        names=tuple(rows.select("location", "resource").iter_rows()),
        adder=np.maximum(-cleared.priced[rule or cleared.rule].rows[:, number], 0.0) / problem.hours,
        headroom=np.maximum(held - taken, 0.0),
    )


def _committed(cleared: Cleared) -> Matrix:
    """(intervals, rows) what committed offers add to the right-hand sides of reserve rows, q u."""
    hour, row, column, value = cleared.problem.coupling.into
    added = np.zeros_like(cleared.problem.row_upper)
    np.add.at(added, (hour, row), -value * cleared.beside[column])
    return added


def headroom_table(run: Cleared) -> pl.DataFrame:
    """`headroom` of a run, for the groups and intervals that have an adder."""
    found = groups(run)
    scarce = found.adder > DUST
    if not scarce.any():
        return _empty()
    rows = _rows(run, found, scarce)
    return rows.select(_empty().columns).sort("start", "region", "resource", "participant")


def _rows(run: Cleared, found: Groups, scarce: Flags) -> pl.DataFrame:
    held, used = _holdings(run, found, scarce), _firm_use(run, found, scarce)
    rows = held.join(used, on=KEY, how="full", coalesce=True)
    hour, group = rows["hour"].to_numpy(), rows["group"].to_numpy()
    region, resource = (pl.Series([name[at] for name in found.names], dtype=pl.String) for at in (0, 1))
    return rows.with_columns(
        run.problem.orders.span.starts().gather(hour).alias("start"),
        pl.lit(run.problem.orders.horizon).alias("horizon"),
        region.gather(group).alias("region"),
        resource.gather(group).alias("resource"),
        pl.Series("price", found.adder[hour, group]),
        pl.col("headroom").fill_null(0.0).clip(0.0),
        pl.col("use").fill_null(0.0),
    )


def _holdings(cleared: Cleared, found: Groups, scarce: Flags) -> pl.DataFrame:
    """Headroom by supplier: firm-able inventory not sold, and α of interruptible sales; columns `KEY` and headroom."""
    shape, grid = cleared.problem.layout, cleared.problem.layout.grid
    place = {name: at for at, name in enumerate(found.names)}
    group = np.array([place.get((grid.regions[offer.location], offer.resource), NOWHERE) for offer in shape.offers], dtype=np.int64)
    firmable = np.array([offer.firmable for offer in shape.offers], dtype=bool)

    def keyed(members: pl.DataFrame, amount: npt.NDArray[np.float64]) -> pl.DataFrame:
        hour, of = members["hour"].to_numpy(), group[members["class_number"].to_numpy()]
        kept = (of != NOWHERE) & scarce[hour, of]
        return pl.DataFrame(
            {
                "hour": hour[kept].astype(np.int64),
                "group": of[kept],
                "participant": members["participant"].filter(pl.Series(kept)),
                "headroom": amount[kept],
            }
        )

    members = cleared.problem.offers
    owned = keyed(members, members["quantity"].to_numpy() * firmable[members["class_number"].to_numpy()] * _on(cleared, members))
    listed = sold(cleared.problem, primal=cleared.primal)
    share = listed["tier"].replace_strict(list(grid.tiers.names), list(grid.tiers.reserve), return_dtype=pl.Float64).to_numpy()
    taken = keyed(listed, listed["listed"].to_numpy() * (share - firmable[listed["class_number"].to_numpy()]))
    return pl.concat([owned, taken]).group_by(KEY, maintain_order=True).agg(pl.col("headroom").sum())


def _on(cleared: Cleared, members: pl.DataFrame) -> npt.NDArray[np.float64]:
    """(members,) 1, or whether the offer is committed where that is decided."""
    names = cleared.problem.coupling.columns.with_columns(pl.Series("on", cleared.beside)).filter(pl.col("kind") == "committed")
    if names.is_empty():
        return np.ones(members.height)
    keyed = names.select("id", pl.col("hour").cast(members.schema["hour"]), "on")
    return members.select("id", "hour").join(keyed, on=["id", "hour"], how="left", maintain_order="left")["on"].fill_null(1.0).to_numpy()


def _firm_use(cleared: Cleared, found: Groups, scarce: Flags) -> pl.DataFrame:
    """Firm use of each group by buyer, in proportion to the work of its pool; columns `KEY` and use."""
    shape = cleared.problem.layout
    pools = sorted({(bid.workload, bid.home) for bid in shape.bids if FIRM in bid.tiers})
    pool = np.array([pools.index((bid.workload, bid.home)) if FIRM in bid.tiers else NOWHERE for bid in shape.bids], dtype=np.int64)
    used = _pool_use(cleared, found, pools)
    work = served(cleared.problem, primal=cleared.primal).filter((pl.col("tier") == FIRM) & (pl.col("work") > 0))
    by_buyer = (
        work.with_columns(pl.Series("pool", pool[work["class_number"].to_numpy()]), pl.col("hour").cast(pl.Int64))
        .group_by("hour", "pool", "participant", maintain_order=True)
        .agg(pl.col("work").sum())
        .with_columns((pl.col("work") / pl.col("work").sum().over("hour", "pool")).alias("share"))
    )
    share, hour, of = by_buyer["share"].to_numpy(), by_buyer["hour"].to_numpy(), by_buyer["pool"].to_numpy()
    parts = [
        pl.DataFrame(
            {"hour": hour, "group": np.full(hour.size, group), "participant": by_buyer["participant"], "use": share * used[hour, of, group]}
        )
        for group in range(len(found.names))
    ]
    rows = pl.concat(parts).filter(pl.col("use") > 0)
    kept = scarce[rows["hour"].to_numpy(), rows["group"].to_numpy()]
    return rows.filter(pl.Series(kept)).group_by(KEY, maintain_order=True).agg(pl.col("use").sum())


def _pool_use(cleared: Cleared, found: Groups, pools: list[tuple[str, str]]) -> npt.NDArray[np.float64]:
    """(intervals, pools, groups) firm use of each group, resource-hours per hour."""
    shape, grid = cleared.problem.layout, cleared.problem.layout.grid
    used = np.zeros((cleared.primal.shape[0], len(pools), len(found.names)))
    firm = shape.columns.filter(pl.col("kind").is_in(["level", "bid"]) & pl.col("recipe").is_not_null() & (pl.col("tier") == FIRM))
    for number, kind, workload, home, location, recipe in firm.select(
        "number", "kind", "workload", "home", "location", "recipe"
    ).iter_rows():
        book = grid.recipes[workload]
        at = book.names.index(recipe)
        for group, (region, resource) in enumerate(found.names):
            amount = float(book.use[at, grid.resources.index(resource)]) if grid.regions[location] == region else 0.0
            if amount:
                per = amount if kind == "level" else amount / float(book.output[at])
                used[:, pools.index((workload, home)), group] += per * cleared.primal[:, number]
    return used


def _empty() -> pl.DataFrame:
    texts = dict.fromkeys(("region", "resource", "participant"), pl.String())
    numbers = dict.fromkeys(("headroom", "use", "price"), pl.Float64())
    return pl.DataFrame(schema=pl.Schema({"horizon": pl.String(), "start": pl.Datetime("us", "UTC"), **texts, **numbers}))
