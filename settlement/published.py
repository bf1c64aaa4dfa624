"""What the runs published, as arrays by node, pool, link and run: prices, and what the recipes used, moved and made."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tenorgrid.data.case import Case
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.market import BindingKind, ResourceKind
from tenorgrid.settlement.awarded import ANYWHERE
from tenorgrid.settlement.coding import UNKNOWN, Coding, Matrix, Runs, Vector, spread
from tenorgrid.settlement.domains import Goods


@dataclass(frozen=True, kw_only=True)
class Flows:
    """What the recipes of every run used, moved and made, per hour: `use` (goods, runs), `flow` (links, runs), `work` (pools, runs)."""

    use: Matrix = field(repr=False)
    flow: Matrix = field(repr=False)
    work: Matrix = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """Published prices as arrays, NaN where none: λ (nodes, runs), ω (pools, runs), μ (links, runs), and κ (links,)."""

    price: Matrix = field(repr=False)
    work_price: Matrix = field(repr=False)
    congestion: Matrix = field(repr=False)
    carriage: Vector = field(repr=False)


def cleared(
    *, prices: pl.DataFrame, workload_prices: pl.DataFrame, binding: pl.DataFrame, runs: Runs, case: Case, nodes: Coding, pools: Coding
) -> Cleared:
    """Published prices by node, pool and link and by run; a link that does not bind has μ = 0.

    Raises InputError for a binding link that the case does not have.
    """
    links = case.links.sort("link")
    full = binding.filter(pl.col("kind").cast(pl.String) == BindingKind.LINK.value)
    number, run = Coding(fields=("key",), names=(tuple(links["link"]),)).encode(full), runs.number(full)
    if (number == UNKNOWN).any():
        raise InputError.of("binding", "a link of the case", column="key", value=full["key"].filter(number == UNKNOWN)[0])
    congestion = np.zeros((links.height, runs.count))
    known = run != UNKNOWN
    congestion[number[known], run[known]] = full["dual"].to_numpy()[known]
    return Cleared(
        price=_dense(prices, nodes, runs, name="prices"),
        work_price=_dense(workload_prices, pools, runs, name="workload_prices"),
        congestion=congestion,
        carriage=links["cost_per_gib"].to_numpy(),
    )


def flows(placements: pl.DataFrame, *, runs: Runs, case: Case, nodes: Coding, pools: Coding, priced: Goods) -> Flows:
    """Use, data moved and work of every run, from recipe levels.

    Where several links join a home to a place, the data fills them in order of cost, each up to its capacity, as the clearing does.

    Raises InputError for placements of unknown runs, recipes, nodes or pools, or away from home without a link.
    """
    here = placements.with_columns(pl.Series("run", runs.number(placements)))
    if unknown := here.filter(pl.col("run") == UNKNOWN).height:
        raise InputError.of("placements", "horizons and intervals that prices were published of", value=f"{unknown} rows of others")
    needs = case.recipe_resources.join(case.recipes.select("workload", "recipe", "domain"), on=["workload", "recipe"], how="left")
    used = here.join(
        needs.join(case.resources.select("resource", "kind"), on="resource", how="left"), on=["workload", "recipe"], how="left"
    )
    domain = used.select(pl.when(pl.col("kind").cast(pl.String) == ResourceKind.ACCELERATOR.value).then("domain"))["domain"]
    node, pool = nodes.encode(used), pools.encode(here)
    if (node == UNKNOWN).any() or (pool == UNKNOWN).any():
        strange = used.filter(node == UNKNOWN).select("workload", "recipe", "location", "resource", "tier").head(1).rows()
        raise InputError.of("placements", "recipes of the case at nodes and of work that prices were published of", value=strange)
    size = runs.count
    return Flows(
        use=spread(
            priced.number(node, domain),
            used["run"].to_numpy(),
            (used["level"] * used["per_hour"]).to_numpy(),
            shape=(priced.coding.size, size),
        ),
        flow=_moved(here, runs=runs, case=case),
        work=spread(pool, here["run"].to_numpy(), here["work"].to_numpy(), shape=(pools.size, size)),
    )


def _dense(frame: pl.DataFrame, coding: Coding, runs: Runs, *, name: str) -> Matrix:
    dense = np.full((coding.size, runs.count), np.nan)
    run = runs.number(frame)
    if (run == UNKNOWN).any():
        raise InputError.of(name, "horizons and intervals that prices were published of", value="others")
    key = coding.encode(frame)
    if pl.Series(key * runs.count + run).is_duplicated().any():
        raise InputError.of(name, "one row per horizon, interval and what is priced, of one pricing rule", value="more than one")
    dense[key, run] = frame["price"].fill_null(float("nan")).to_numpy()
    return dense


def _moved(here: pl.DataFrame, *, runs: Runs, case: Case) -> Matrix:
    links = case.links.sort("link").with_row_index("number")
    egress = case.workloads.select("workload", pl.col("egress_gib_per_unit").fill_null(0.0).alias("egress"))
    away = here.filter((pl.col("home") != ANYWHERE) & (pl.col("home") != pl.col("location"))).join(egress, on="workload", how="left")
    pairs = links.sort("from", "to", "cost_per_gib", "link").with_columns(
        (pl.col("capacity_gib_per_hour").cum_sum().over("from", "to") - pl.col("capacity_gib_per_hour")).alias("start_at"),
        (pl.int_range(pl.len()) == pl.len() - 1).over("from", "to").alias("last"),
    )
    unlinked = away.join(pairs, left_on=["home", "location"], right_on=["from", "to"], how="anti")
    if not unlinked.is_empty():
        value = " to ".join(unlinked.select("home", "location").row(0))
        raise InputError.of("placements", "work placed at home or over a link of the case", column="location", value=value)
    routes = Coding.of(pl.concat([away.select("home", "location"), links.select(home="from", location="to")]), "home", "location")
    total = spread(routes.encode(away), away["run"].to_numpy(), (away["work"] * away["egress"]).to_numpy(), shape=(routes.size, runs.count))
    flow = np.zeros((links.height, runs.count))
    route = routes.encode(pairs.select(home="from", location="to"))
    for number, at, begin, room, last in zip(
        pairs["number"], route, pairs["start_at"], pairs["capacity_gib_per_hour"], pairs["last"], strict=True
    ):
        flow[number] = np.clip(total[at] - begin, 0.0, np.inf if last else room)
    return flow
