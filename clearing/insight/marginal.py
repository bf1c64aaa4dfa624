"""Who is marginal at each node, and why its price is what it is (market design, section 9).

A price is set by an order that is awarded in part: it is indifferent, so its limit is the price, in parts (cost, premium, scarcity). A
price may also follow from others: through work that runs in two places, through an offer that sells in two tiers, or through a bid whose
recipe uses the node beside other resources. The parts of every row add up to its price; what no part explains is its `remainder`.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.insight.average import averages
from tenorgrid.clearing.insight.orders import NODE, POOL, in_part, served_steps, sold_steps, taken_virtuals
from tenorgrid.clearing.insight.published import Published
from tenorgrid.clearing.insight.reach import Reached, reach, together
from tenorgrid.clearing.insight.recipes_used import CLOSE, NOWHERE, Used, used
from tenorgrid.data.kinds.market import PriceSetter, PricingRule
from tenorgrid.data.tables.insight import Marginal

PARTS = ("order", "premium", "scarcity", "domain", "rent", "other_resources", "carriage")
SMALL = 0.01  # USD: below it prices are compared in absolute terms
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Everything that is known about who sets the prices of a run.

    `table` is `Marginal`, one row a row of `Published.prices` and in its order. The rest is what a chain from price to price is told
    from: the recipes that ran, how prices reached one another, the bids that set the price of work (pool, id, step, participant, implied),
    and the offers and bids that are taken in two tiers (`pairs`, `work`).
    """

    table: pl.DataFrame = field(repr=False)
    uses: Used = field(repr=False)
    reached: Reached = field(repr=False)
    bids: pl.DataFrame = field(repr=False)
    pairs: pl.DataFrame = field(repr=False)
    work: pl.DataFrame = field(repr=False)


def marginal(run: Published, *, earlier: Published | None = None) -> Found:
    """Who sets each price of a run, and in which parts.

    Args:
        run: the rows that are asked for.
        earlier: the same with the horizons before, from which virtual positions are carried; None is `run` itself.
    """
    nodes = run.prices.select(*NODE, "pricing", "price").with_row_index("node")
    sold = sold_steps(run)
    direct = pl.concat([_offers(sold, nodes), _virtuals(run, earlier or run, nodes)], how="diagonal").sort(
        "node", "rank", "id", "step", nulls_last=True
    )
    direct = direct.unique("node", keep="first", maintain_order=True)
    served = served_steps(run)
    bids = _bids(run, served)
    work = _work_pairs(run, served)
    pairs = _pairs(sold, nodes)
    uses = used(run)
    node_set, pool_set = np.zeros(nodes.height, dtype=bool), np.zeros(run.workload_prices.height, dtype=bool)
    node_set[direct["node"].to_numpy()] = True
    pool_set[bids["pool"].to_numpy()] = True
    both = (pairs["node"].cast(pl.Int64).to_numpy(), pairs["to"].cast(pl.Int64).to_numpy())
    through = (work["pool"].cast(pl.Int64).to_numpy(), work["to"].cast(pl.Int64).to_numpy())
    reached = reach(uses, node_set=node_set, pool_set=pool_set, pairs=both, work=through)
    tied = together(uses, reached)
    whole = _averages(run, nodes, reached)
    tied[whole["node"].to_numpy()] = NOWHERE
    rows = [
        direct.drop("rank"),
        whole,
        _through_tiers(pairs, nodes, reached),
        _through_recipes(run, nodes, uses, reached.node_recipe, bids, setter=None),
        _through_recipes(run, nodes, uses, tied, bids, setter=PriceSetter.TOGETHER),
    ]
    known = pl.concat([part for part in rows if part.height], how="diagonal") if any(part.height for part in rows) else rows[0]
    left = nodes.join(known.select("node"), on="node", how="anti")
    table = pl.concat([known, _others(run, left)], how="diagonal")
    return Found(table=_closed(nodes, table), uses=uses, reached=reached, bids=bids, pairs=pairs, work=work)


def _matches(implied: str, price: str) -> pl.Expr:
    return (pl.col(implied) - pl.col(price)).abs() <= CLOSE * pl.max_horizontal(pl.col(price).abs(), SMALL)


def _setter(kind: PriceSetter) -> pl.Expr:
    return pl.lit(kind.value).alias("set_by")


def _offers(sold: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Offer steps sold in part whose own price is that of the node."""
    part = sold.filter(in_part(pl.col("all_listed"), pl.col("offered"))).join(nodes, on=NODE).filter(_matches("implied", "price"))
    return part.select(
        "node", pl.lit(0).alias("rank"), _setter(PriceSetter.OFFER), "id", "step", "participant",
        pl.col("own").alias("order"), "premium", "scarcity", pl.col("domain_part").alias("domain"),
    )  # fmt: skip


def _virtuals(run: Published, earlier: Published, nodes: pl.DataFrame) -> pl.DataFrame:
    taken = taken_virtuals(run, all_awards=earlier.awards)
    if taken.is_empty():
        return pl.DataFrame(schema={"node": pl.UInt32})
    part = taken.filter(in_part(pl.col("new"), pl.col("wanted"))).join(nodes, on=NODE).filter(_matches("implied", "price"))
    return part.select(
        "node", pl.lit(1).alias("rank"), pl.col("side").alias("set_by"), "id", "participant", pl.col("implied").alias("order")
    )


def _bids(run: Published, served: pl.DataFrame) -> pl.DataFrame:
    """Bid steps served in part whose worth is the price of the work; with a total, the worth may be above it: pool, id, step,
    participant, implied and price of the work.
    """
    pools = run.workload_prices.select(*POOL, pl.col("price").alias("omega")).with_row_index("pool")
    part = served.filter(in_part(pl.col("all_work"), pl.col("wanted")), pl.col("work") > 0.0).join(pools, on=POOL)
    scarce_total = pl.col("total").is_not_null() & (pl.col("implied") >= pl.col("omega"))
    kept = part.filter(_matches("implied", "omega") | scarce_total).sort(
        "pool", pl.col("total").is_not_null(), pl.col("implied") - pl.col("omega"), "id", "step"
    )
    return kept.unique("pool", keep="first", maintain_order=True).select("pool", "id", "step", "participant", "implied", "omega")


def _pairs(sold: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """Two tiers of one node in which an offer step sells: node and to, with the parts of the offer at `to`."""
    if sold.filter(pl.col("listed") < (1.0 - 1e-7) * pl.col("all_listed")).is_empty():
        return pl.DataFrame(schema={"node": pl.UInt32, "to": pl.UInt32})
    split = sold.filter(pl.col("listed") < (1.0 - 1e-7) * pl.col("all_listed"), pl.col("listed") > 1e-7 * pl.col("offered"))
    here = split.join(nodes.select(*NODE, "node", "price"), on=NODE)
    key = ["horizon", "start", "location", "resource", "id", "step"]
    rent = here.select(
        *key, "node", pl.col("tier").alias("from_tier"), ((pl.col("price") - pl.col("implied")) * pl.col("beta")).alias("earned")
    )
    pairs = here.rename({"node": "to"}).join(rent, on=key).filter(pl.col("node") != pl.col("to"))
    pairs = pairs.with_columns((pl.col("earned") / pl.col("beta")).alias("rent"))
    pairs = pairs.with_columns((pl.col("implied") + pl.col("rent")).alias("said")).filter(_matches("said", "price"))
    return pairs.sort("node", "to", "id", "step")


def _work_pairs(run: Published, served: pl.DataFrame) -> pl.DataFrame:
    """Two tiers through which one bid step is served: pool and to, of the prices of work, id, step, and rent, what it gains in both."""
    split = served.filter(pl.col("work") < (1.0 - 1e-7) * pl.col("all_work"), pl.col("work") > 1e-7 * pl.col("wanted"))
    if split.is_empty():
        return pl.DataFrame(schema={"pool": pl.UInt32, "to": pl.UInt32})
    pools = run.workload_prices.select(*POOL, pl.col("price").alias("omega")).with_row_index("pool")
    here = split.join(pools, on=POOL)
    key = ["horizon", "start", "id", "step"]
    there = here.select(*key, pl.col("pool").alias("from"), (pl.col("implied") - pl.col("omega")).alias("rent"))
    pairs = here.join(there, on=key).filter(pl.col("pool") != pl.col("from"))
    pairs = pairs.with_columns((pl.col("implied") - pl.col("rent")).alias("said")).filter(_matches("said", "omega"))
    ends = [pl.col("from").alias("pool"), pl.col("pool").alias("to")]
    return pairs.select(*ends, "id", "step", "participant", "rent").sort("pool", "to", "id", "step")


def _through_tiers(pairs: pl.DataFrame, nodes: pl.DataFrame, reached: Reached) -> pl.DataFrame:
    at = np.flatnonzero(reached.node_tier != NOWHERE)
    if not at.size:
        return pl.DataFrame(schema={"node": pl.UInt32})
    rows = pairs[reached.node_tier[at]]
    return rows.select(
        pl.col("to").alias("node"), _setter(PriceSetter.TIER), "id", "step", "participant", pl.col("from_tier").alias("via"),
        pl.col("own").alias("order"), "premium", "scarcity", pl.col("domain_part").alias("domain"), "rent",
    )  # fmt: skip


def _through_recipes(
    run: Published, nodes: pl.DataFrame, uses: Used, recipe: Index, bids: pl.DataFrame, *, setter: PriceSetter | None
) -> pl.DataFrame:
    """Nodes whose price follows from that of work: ω φ / x less the other resources and the moving of data."""
    at = np.flatnonzero(recipe != NOWHERE)
    if not at.size:
        return pl.DataFrame(schema={"node": pl.UInt32})
    cost = np.bincount(uses.of, weights=uses.per_unit * uses.price, minlength=uses.pool.size)
    own = pl.DataFrame({"of": uses.of, "node": uses.node, "per_unit": uses.per_unit, "own_cost": uses.per_unit * uses.price})
    rows = (
        pl.DataFrame({"node": at, "of": recipe[at]})
        .join(own, on=["of", "node"], maintain_order="left")
        .with_columns(pl.Series("cost", cost[recipe[at]]))
    )
    ran = uses.rows[recipe[at]].select("workload", "home", "recipe", pl.col("location").alias("place"), "omega", "carriage", "pool")
    joined = pl.concat([rows, ran], how="horizontal").join(bids.drop("omega"), on="pool", how="left", maintain_order="left")
    x = pl.col("per_unit")
    value = pl.col("implied").fill_null(pl.col("omega"))
    kind = pl.lit(setter.value) if setter else pl.when(pl.col("id").is_null()).then(pl.lit("substitute")).otherwise(pl.lit("bid"))
    return joined.select(
        pl.col("node").cast(pl.UInt32), kind.alias("set_by"), "id", "step", "participant",
        pl.format("{} of {} on {} in {}", "workload", "home", "recipe", "place").alias("via"),
        (value / x).alias("order"), ((pl.col("omega") - value) / x).alias("rent"),
        ((pl.col("own_cost") - pl.col("cost")) / x).alias("other_resources"), (0.0 - pl.col("carriage") / x).alias("carriage"),
    )  # fmt: skip


def _others(run: Published, left: pl.DataFrame) -> pl.DataFrame:
    """Nodes whose price follows from no order taken in part: bounds, VOLL, and prices between two orders."""
    named = left.with_columns(pl.format("{}/{}/{}", "location", "resource", "tier").alias("key"))
    held = run.binding.filter(pl.col("kind").cast(pl.String) == "balance").select("horizon", "start", "key").unique()
    held = named.join(held, on=["horizon", "start", "key"], how="semi").filter(pl.col("price").is_not_null())
    offered = sold_or_listed(run, held)
    bare = held.join(offered, on="node", how="anti")
    bounded = pl.col("node").is_in(held["node"].implode())
    kind = (
        pl.when(pl.col("price").is_null())
        .then(pl.lit("nobody"))
        .when(pl.col("node").is_in(bare["node"].implode()))
        .then(pl.lit("voll"))
        .when(bounded)
        .then(pl.lit("bound"))
        .otherwise(pl.lit("between"))
    )
    order = pl.when(kind.is_in(["voll", "bound"])).then(pl.col("price")).otherwise(None)
    return left.select("node", kind.alias("set_by"), order.alias("order"))


def _averages(run: Published, nodes: pl.DataFrame, reached: Reached) -> pl.DataFrame:
    """Hull prices that are the average cost of an offer decided whole, where nothing else sets them."""
    if run.rule is not PricingRule.CONVEX_HULL:
        return pl.DataFrame(schema={"node": pl.UInt32})
    return averages(run, nodes.filter(pl.Series(~reached.node_known), pl.col("price").is_not_null()))


def sold_or_listed(run: Published, nodes: pl.DataFrame) -> pl.DataFrame:
    """Of some nodes those that any offer lists hours for: their `node`."""
    if nodes.is_empty():
        return nodes.select("node")
    firm = pl.col("tier") == "firm"
    offers = run.case.offers.filter(pl.col("quantity") > 0.0).select(
        pl.col("horizon").alias("its_horizon"), "location", "resource", "start", "end", "firm_premium"
    )
    rows = nodes.rename({"start": "at"}).join(offers, on=["location", "resource"])
    here = (pl.col("at") >= pl.col("start")) & (pl.col("at") < pl.col("end"))
    same = pl.col("its_horizon").is_null() | (pl.col("its_horizon") == pl.col("horizon"))
    return rows.filter(here, same, ~firm | pl.col("firm_premium").is_not_null()).select("node").unique()


def _closed(nodes: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows in the order of the nodes, each with what its parts leave of its price."""
    texts = dict.fromkeys(("id", "participant", "via"), pl.String)
    missing = {**texts, "step": pl.Int64, **dict.fromkeys(PARTS, pl.Float64)}
    whole = rows.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in missing.items() if name not in rows.columns)
    whole = whole.with_columns(pl.col(name) + 0.0 for name in PARTS)  # no negative zeros
    joined = nodes.join(whole, on="node", how="left", maintain_order="left")
    known = pl.sum_horizontal(pl.col(name).fill_null(0.0) for name in PARTS)
    setters = pl.Enum([kind.value for kind in PriceSetter])
    closed = joined.with_columns(
        pl.col("set_by").cast(setters), pl.col("step").cast(pl.Int64), (pl.col("price") - known).alias("remainder")
    )
    return closed.select(list(Marginal.columns()))
