"""What every order says about the prices of one interval: equations where it is awarded in part, inequalities where it is not
(market design, section 4, "Optimality, in prices").

An offer step with hours left sells at its own price or not at all; one that is sold out earns at least as much where it is sold as it
would elsewhere. A bid step that wants more is worth no more than the price of its work; one that is served in full pays no more than its
worth. A recipe that runs costs what its work is priced at; one that does not costs no less.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.insight.orders import DUST, everywhere, priced, tiers, whole
from tenorgrid.clearing.insight.published import ANYWHERE, Published
from tenorgrid.data.kinds.market import PricingRule

Vector = npt.NDArray[np.float64]
Terms = dict[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Σ terms · prices ≥ limit, or = where it is `tight`; whose it is and what it says."""

    terms: Terms
    limit: float
    tight: bool
    what: str
    why: str
    id: str | None = None
    step: int | None = None
    participant: str | None = None
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """The prices of one interval, (prices,), with the columns of nodes first, then work, then links; and all that is said of them."""

    price: Vector = field(repr=False)
    names: tuple[str, ...] = field(repr=False)
    rows: tuple[Condition, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Columns:
    nodes: dict[tuple[str, str, str], int]
    pools: dict[tuple[str, str, str], int]
    links: dict[str, int]


def conditions(run: Published, *, virtuals: pl.DataFrame) -> Conditions:
    """Everything that the orders of one interval of one horizon say about its prices.

    Args:
        run: one interval of one horizon. Offers that are committed whole and bids that are no plain steps say nothing here.
        virtuals: what was newly taken of virtual bids, from `taken_virtuals`.
    """
    prices = run.prices.drop_nulls("price").select("location", "resource", "tier", "price")
    work = run.workload_prices.drop_nulls("price").select("workload", "home", "tier", "price")
    full = run.binding.filter(pl.col("kind").cast(pl.String) == "link").select("key", "dual").unique("key", maintain_order=True)
    nodes = {row[:3]: at for at, row in enumerate(prices.iter_rows())}
    pools = {row[:3]: len(nodes) + at for at, row in enumerate(work.iter_rows())}
    links = {row[0]: len(nodes) + len(pools) + at for at, row in enumerate(full.iter_rows())}
    columns = _Columns(nodes=nodes, pools=pools, links=links)
    price = np.r_[prices["price"].to_numpy(), work["price"].to_numpy(), full["dual"].to_numpy()]
    rows = [*_offers(run, columns), *_bids(run, columns), *_recipes(run, columns, price), *_virtuals(run, columns, virtuals)]
    rows += _bounds(run, columns)
    names = (*(f"{j} {place} {tier}" for place, j, tier in nodes), *(f"{w} of {home} {tier}" for w, home, tier in pools), *links)
    return Conditions(price=price, names=names, rows=tuple(rows))


def _offers(run: Published, columns: _Columns) -> Iterator[Condition]:
    offers = everywhere(run.case.offers, run.horizons).filter(pl.col("quantity") > 0.0)
    plain = offers.filter(~whole() | _running(run)).rename({"offer_id": "id", "price": "cost"})
    if plain.is_empty() or run.prices.is_empty():
        return
    rows = plain.with_columns(pl.lit(run.prices["start"][0]).alias("start"), pl.col("domain").fill_null(1)).join(
        tiers(run.case.tiers), how="cross"
    )
    rows = rows.filter((pl.col("tier") != "firm") | pl.col("firm_premium").is_not_null())
    sold = run.awards.filter(pl.col("side").cast(pl.String) == "offer").select(
        "id", "step", "resource", "tier", pl.col("quantity").alias("sold")
    )
    rows = (
        priced(rows, run)
        .join(sold, on=["id", "step", "resource", "tier"], how="left")
        .with_columns((pl.col("sold").fill_null(0.0) / pl.col("beta")).alias("got"), (pl.col("implied") * pl.col("beta")).alias("worth"))
    )
    kept = rows.sort("id", "step", "resource", "tier").select(
        "id", "step", "participant", "location", "resource", "tier", "quantity", "beta", "worth", "got"
    )
    for _, found in groupby(kept.iter_rows(named=True), key=lambda row: (row["id"], row["step"], row["resource"])):
        ways = [row for row in found if (row["location"], row["resource"], row["tier"]) in columns.nodes]
        terms = [{columns.nodes[row["location"], row["resource"], row["tier"]]: row["beta"]} for row in ways]
        where = f"{ways[0]['resource']} {ways[0]['location']}" if ways else ""
        yield from _step(ways, terms, what="offer", where=where, said=("is sold", "is not sold out", "would sooner be sold"))


def _running(run: Published) -> pl.Expr:
    """Divisible steps of offers that are on: with what is decided whole held, they are plain steps at marginal prices."""
    if run.rule is not PricingRule.MARGINAL:
        return pl.lit(False)
    on = run.commitments.filter(pl.col("on"), pl.col("side").cast(pl.String) == "offer")["id"]
    return pl.col("offer_id").is_in(on.implode()) & ~pl.col("block").fill_null(False)


def _bids(run: Published, columns: _Columns) -> Iterator[Condition]:
    bids = everywhere(run.case.bids, run.horizons).filter(
        pl.col("quantity") > 0.0, pl.col("total").is_null(), pl.col("min_share").fill_null(0.0) == 0.0, pl.col("linked_to").is_null(),
        pl.col("exclusive_group").is_null(),
    )  # fmt: skip
    served = run.awards.filter(pl.col("side").cast(pl.String) == "bid").select(
        pl.col("id").alias("bid_id"), "step", "tier", pl.col("quantity").alias("got")
    )
    loss = pl.col("interruption_loss").fill_null(0.0)
    rows = (
        bids.with_columns(pl.col("home").fill_null(ANYWHERE), pl.col("tiers").str.split(";").alias("allowed"))
        .join(tiers(run.case.tiers), how="cross")
        .filter(pl.col("allowed").is_null() | pl.col("allowed").list.contains(pl.col("tier")))
        .join(served, on=["bid_id", "step", "tier"], how="left")
        .with_columns(pl.col("got").fill_null(0.0), (pl.col("pi") * loss - (1.0 - pl.col("pi")) * pl.col("value")).alias("worth"))
        .rename({"bid_id": "id"})
        .sort("id", "step", "tier")
        .select("id", "step", "participant", "workload", "home", "tier", "quantity", "worth", "got")
    )
    for _, found in groupby(rows.iter_rows(named=True), key=lambda row: (row["id"], row["step"])):
        ways = [row for row in found if (row["workload"], row["home"], row["tier"]) in columns.pools]
        terms = [{columns.pools[row["workload"], row["home"], row["tier"]]: -1.0} for row in ways]
        where = f"{ways[0]['workload']} of {ways[0]['home']}" if ways else ""
        yield from _step(ways, terms, what="bid", where=where, said=("is served", "is not served in full", "would sooner be served"))


def _step(
    ways: Sequence[dict[str, Any]], terms: Sequence[Terms], *, what: str, where: str, said: tuple[str, str, str]
) -> Iterator[Condition]:
    """What one step says: its gain by a way is terms · prices − worth; the sign is that of a seller."""
    total = sum(row["got"] for row in ways)
    for row, mine in zip(ways, terms, strict=True):
        who = {"what": what, "where": where, "id": row["id"], "step": row["step"], "participant": row["participant"]}
        got = row["got"] > DUST * row["quantity"]
        if total < (1.0 - DUST) * row["quantity"]:
            minus = {at: -value for at, value in mine.items()}
            yield Condition(terms=minus, limit=-row["worth"], tight=got, why=said[1], **who)
            continue
        if not got:
            continue
        yield Condition(terms=mine, limit=row["worth"], tight=False, why=said[0], **who)
        for other, theirs in zip(ways, terms, strict=True):
            if other is not row:
                both = dict(mine)
                for at, value in theirs.items():
                    both[at] = both.get(at, 0.0) - value
                as_well = other["got"] > DUST * other["quantity"]
                yield Condition(terms=both, limit=row["worth"] - other["worth"], tight=as_well, why=f"{said[2]} {other['tier']}", **who)


def _recipes(run: Published, columns: _Columns, price: Vector) -> Iterator[Condition]:
    """Every way of doing every kind of work that is priced."""
    uses: dict[tuple[str, str], list[tuple[str, float]]] = {}
    joined = run.case.recipe_resources.filter(pl.col("per_hour") > 0.0).join(run.case.recipes, on=["workload", "recipe"])
    for workload, recipe, resource, per_hour, output in joined.select(
        "workload", "recipe", "resource", "per_hour", "output_per_hour"
    ).iter_rows():
        uses.setdefault((workload, recipe), []).append((resource, per_hour / output))
    ran = set(run.placements.select("workload", "home", "tier", "recipe", "location").iter_rows())
    egress = dict(run.case.workloads.select("workload", pl.col("egress_gib_per_unit").fill_null(0.0)).iter_rows())
    roads: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for link, home, place, kappa in run.case.links.select("link", "from", "to", "cost_per_gib").iter_rows():
        roads.setdefault((home, place), []).append((link, kappa))
    full = {name: float(price[at]) for name, at in columns.links.items()}
    for choice in roads.values():
        choice.sort(key=lambda road: (road[1] + full.get(road[0], 0.0), road[0]))
    places = run.case.locations["location"].to_list()
    recipes: dict[str, list[str]] = {}
    for workload, recipe in uses:
        recipes.setdefault(workload, []).append(recipe)
    for (workload, home, tier), pool in columns.pools.items():
        for recipe in recipes.get(workload, []):
            for place in places:
                nodes = [(columns.nodes.get((place, resource, tier)), share) for resource, share in uses[workload, recipe]]
                if any(at is None for at, _ in nodes):
                    continue
                base: Terms = {pool: -1.0}
                for at, share in nodes:
                    base[at if at is not None else pool] = share
                free = home in (ANYWHERE, place)
                moved = 0.0 if free else egress[workload]
                for number, (link, kappa) in enumerate([("", 0.0)] if free else roads.get((home, place), [])):
                    terms = base | ({columns.links[link]: moved} if link in columns.links and moved else {})
                    runs = number == 0 and (workload, home, tier, recipe, place) in ran  # over the cheapest road alone
                    yield Condition(
                        terms=terms, limit=-moved * kappa, tight=runs, what="work", why=f"could run on {recipe} in {place}",
                        where=f"{workload} of {home}",
                    )  # fmt: skip


def _virtuals(run: Published, columns: _Columns, taken: pl.DataFrame) -> Iterator[Condition]:
    bids = run.case.virtuals.filter(pl.col("horizon").is_in(run.horizons), pl.col("quantity") > 0.0)
    got = {(row["id"], row["side"]): row["new"] for row in taken.iter_rows(named=True)}
    for row in bids.with_columns(pl.col("side").cast(pl.String)).iter_rows(named=True):
        at = columns.nodes.get((row["location"], row["resource"], "firm"))
        if at is None:
            continue
        sign = 1.0 if row["side"] == "inc" else -1.0  # the gain of an inc is price − its own, of a dec the other way round
        way = {**row, "id": row["bid_id"], "step": None, "got": got.get((row["bid_id"], row["side"]), 0.0), "worth": sign * row["price"]}
        said = ("is taken", "is not taken in full", "")
        yield from _step([way], [{at: sign}], what=row["side"], where=f"{row['resource']} {row['location']}", said=said)


def _bounds(run: Published, columns: _Columns) -> list[Condition]:
    market = run.case.market
    low = [
        Condition(terms={at: 1.0}, limit=market.price_floor, tight=False, what="market", why="price floor") for at in columns.nodes.values()
    ]
    high = [
        Condition(terms={at: -1.0}, limit=-market.price_cap, tight=False, what="market", why="price cap") for at in columns.nodes.values()
    ]
    links = [
        Condition(terms={at: 1.0}, limit=0.0, tight=False, what="link", why="may be full for nothing", id=name)
        for name, at in columns.links.items()
    ]
    return [*low, *high, *links]
