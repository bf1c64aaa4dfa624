"""Published prices: λ of every node with its scarcity split off, and ω, what one unit of work costs at these prices (market design,
sections 4 and 5).

Where nothing is decided whole the marginal price and the convex-hull price are the same number, because the problem is its own hull; both
are published.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.clearing.layout import NOWHERE, Layout
from tenorgrid.clearing.problem import Problem
from tenorgrid.data.kinds.market import PriceKind
from tenorgrid.data.terms.market import Market

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

TIE = 1e-9  # relative: ways of doing work whose costs differ by less are equal, so that rounding does not choose between them


@dataclass(frozen=True, kw_only=True)
class NodePrices:
    """Prices of one horizon as arrays, USD per unit; NaN where a node has neither bid nor offer.

    `price` and `scarcity` (intervals, locations, resources, tiers), `adder` A (intervals, offer classes) of the group that each
    class of offers belongs to, `congestion` μ (intervals, links) in USD per GiB; `premium` (sizes, intervals, locations, resources, tiers)
    what GPUs of a scale-up domain are paid above λ, Σ δ over the `sizes` up to their own, and `delta` δ (intervals, domain rows); where no
    offer has such a domain, both are what is missing to VOLL.
    """

    sizes: tuple[int, ...]
    premium: npt.NDArray[np.float64] = field(repr=False)
    delta: Matrix = field(repr=False)
    price: npt.NDArray[np.float64] = field(repr=False)
    scarcity: npt.NDArray[np.float64] = field(repr=False)
    adder: Matrix = field(repr=False)
    congestion: Matrix = field(repr=False)

    def premium_of(self, size: int) -> npt.NDArray[np.float64]:
        """(intervals, locations, resources, tiers) what GPUs of a domain of this size are paid above λ, USD per sold hour."""
        place = bisect_right(self.sizes, size) - 1
        return self.premium[place] if place >= 0 else np.zeros_like(self.price)


@dataclass(frozen=True, kw_only=True)
class WorkPrices:
    """Cheapest way of doing one unit of work: (intervals, pools) each, USD per unit; NaN where no recipe can be priced.

    `keys` names each pool: workload, home, tier.
    """

    keys: tuple[tuple[str, str, str], ...]
    resources: Matrix = field(repr=False)
    transport: Matrix = field(repr=False)
    congestion: Matrix = field(repr=False)

    @property
    def price(self) -> Matrix:
        """ω = resources + transport + congestion."""
        return self.resources + self.transport + self.congestion


def node_prices(problem: Problem, *, dual: Matrix, market: Market) -> NodePrices:
    r"""λ = dual / Δ of every balance, held inside the price bounds; the scarcity part is :math:`(1 - \alpha_k) A_g / \beta_k` (firm: A_g).

    A node with a bid and no offer is priced at VOLL; with neither it has no price.

    Args:
        problem: of one horizon.
        dual: (intervals, rows) the duals to publish.
        market: price bounds and VOLL.
    """
    shape, grid = problem.layout, problem.layout.grid
    per_hour = dual / problem.hours
    traded = shape.balance_row != NOWHERE
    price = np.full(problem.capacity.shape, np.nan)
    price[:, traded] = np.clip(per_hour[:, shape.balance_row[traded]], market.price_floor, market.price_cap)
    price[:, traded] += 0.0  # no negative zeros
    adder = (
        np.where(shape.reserve_row == NOWHERE, 0.0, -per_hour[:, shape.reserve_row])
        if shape.reserve_row.size
        else np.zeros((dual.shape[0], 0))
    )
    scarcity = np.zeros_like(price)
    share = (1.0 - grid.tiers.reserve) / grid.tiers.overcommit
    for number, offer in enumerate(shape.offers):
        where, what = grid.locations.index(offer.location), grid.resources.index(offer.resource)
        if shape.reserve_row[number] != NOWHERE:
            scarcity[:, where, what, :] = adder[:, [number]] * share
    empty = problem.capacity <= 0.0
    price = np.where(empty & traded, np.where(problem.wanted, market.voll, np.nan), price)
    scarcity = np.where(np.isnan(price), np.nan, np.where(empty, 0.0, scarcity))
    congestion = np.maximum(-per_hour[:, shape.link_row], 0.0)
    delta = np.maximum(per_hour[:, [row.row for row in shape.domain_rows]], 0.0)
    sizes, premium = _premiums(problem, delta, price, voll=market.voll)
    delta = _with_bare(problem, delta, sizes, premium)
    return NodePrices(
        price=price,
        scarcity=scarcity,
        adder=np.maximum(adder, 0.0),
        congestion=congestion,
        sizes=sizes,
        premium=premium,
        delta=delta,
    )


def _premiums(
    problem: Problem, delta: Matrix, price: npt.NDArray[np.float64], *, voll: float
) -> tuple[tuple[int, ...], npt.NDArray[np.float64]]:
    """Σ δ up to each scale-up size; where no offer has such a domain, what is missing to VOLL."""
    shape, grid = problem.layout, problem.layout.grid
    sizes = tuple(sorted({row.size for row in shape.domain_rows}))
    premium = np.zeros((len(sizes), *price.shape))
    bare = np.zeros(premium.shape, dtype=bool)
    for at, row in enumerate(shape.domain_rows):
        node = grid.locations.index(row.location), grid.resources.index(row.resource), grid.tiers.names.index(row.tier)
        upward = np.array(sizes) >= row.size
        premium[(upward, slice(None), *node)] += delta[:, at]
        bare[(upward, slice(None), *node)] |= problem.domain_capacity[:, at] <= 0.0
    return sizes, np.where(bare, np.nan_to_num(voll - price), premium)


def _with_bare(problem: Problem, delta: Matrix, sizes: tuple[int, ...], premium: npt.NDArray[np.float64]) -> Matrix:
    """δ such that Σ δ is the premium where somebody needs a domain that no offer has, too: VOLL."""
    grid, found = problem.layout.grid, delta.copy()
    for at, row in enumerate(problem.layout.domain_rows):
        node = grid.locations.index(row.location), grid.resources.index(row.resource), grid.tiers.names.index(row.tier)
        size = sizes.index(row.size)
        below = premium[(size - 1, slice(None), *node)] if size else 0.0
        bare = (problem.domain_capacity[:, at] <= 0.0) & problem.domain_wanted[:, at]
        found[:, at] = np.where(bare, premium[(size, slice(None), *node)] - below, delta[:, at])
    return found


def work_prices(layout: Layout, prices: NodePrices) -> WorkPrices:
    r"""ω(workload, home, tier) = least :math:`\sum_j x_j \lambda_j / \varphi + e (\kappa + \mu)` over recipes and places: a cost
    function that needs no bid.

    Args:
        layout: names the workloads and homes that were bid for.
        prices: of the nodes and links.
    """
    grid = layout.grid
    count = prices.price.shape[0]
    known = ~np.isnan(prices.price)
    filled, unknown = np.where(known, prices.price, 0.0), (~known).astype(float)
    links = {name: number for number, name in enumerate(grid.links["link"])}
    keys, parts = [], []
    for workload, home in sorted({(bid.workload, bid.home) for bid in layout.bids}):
        book, places = grid.recipes[workload], grid.places(workload, home)
        per_unit = book.use.T / book.output  # (resources, recipes)
        where = [grid.locations.index(place.location) for place in places]
        carriage = np.array([place.cost for place in places])
        congestion = np.zeros((count, len(places)))
        for at, place in enumerate(places):
            if place.link is not None:
                congestion[:, at] = prices.congestion[:, links[place.link]] * place.egress
        for k, level in enumerate(grid.tiers.names):
            cost = (filled[..., k][:, where] @ per_unit).transpose(0, 2, 1)  # (intervals, recipes, places)
            for a, size in enumerate(book.domains if prices.sizes else ()):
                cost[:, a] += prices.premium_of(size)[..., k][:, where] @ per_unit[:, a]
            missing = (unknown[..., k][:, where] @ (per_unit > 0.0)).transpose(0, 2, 1) > 0.0
            total = np.where(missing, np.inf, cost + (carriage + congestion)[:, None, :])
            flat = total.reshape(count, -1)
            least = flat.min(axis=1, keepdims=True)
            best = (flat <= least + TIE * (1.0 + np.abs(least))).argmax(axis=1)  # the first of those that cost the same
            recipe, place_at = np.divmod(best, len(places))
            hour = np.arange(count)
            found = np.stack([cost[hour, recipe, place_at], carriage[place_at], congestion[hour, place_at]])
            keys.append((workload, home, level))
            parts.append(np.where(np.isinf(total[hour, recipe, place_at]), np.nan, found))
    stack = np.array(parts).reshape(len(keys), 3, count).transpose(1, 2, 0)
    return WorkPrices(keys=tuple(keys), resources=stack[0], transport=stack[1], congestion=stack[2])


def price_table(
    problem: Problem, prices: NodePrices, kinds: list[PriceKind], intervals: tuple[Matrix, Matrix] | None = None
) -> pl.DataFrame:
    """`prices` by one rule.

    Args:
        problem: of one horizon.
        prices: by the rule.
        kinds: (intervals,) what they are the duals of.
        intervals: least and largest admissible price by node, shaped as `NodePrices.price`; None leaves them out.
    """
    shape, grid = problem.layout, problem.layout.grid
    traded = np.argwhere(shape.balance_row != NOWHERE)
    picked = (slice(None), *traded.T)
    names = pl.DataFrame(
        {
            "location": [grid.locations[at] for at in traded[:, 0]],
            "resource": [grid.resources[at] for at in traded[:, 1]],
            "tier": [grid.tiers.names[at] for at in traded[:, 2]],
        }
    )
    values = {"price": prices.price[picked].ravel(), "scarcity": prices.scarcity[picked].ravel()}
    if intervals is not None:
        values |= {name: bound[picked].ravel() for name, bound in zip(("low", "high"), intervals, strict=True)}
    table = _by_interval(problem, names, kinds).with_columns(pl.Series(name, value).fill_nan(None) for name, value in values.items())
    energy = (pl.col("price") - pl.col("scarcity")).alias("energy")
    return table.with_columns(energy).select(
        "horizon", "pricing", "start", "location", "resource", "tier", "price", "energy", "scarcity", *list(values)[2:]
    )


def domain_table(problem: Problem, prices: NodePrices, kinds: list[PriceKind]) -> pl.DataFrame:
    """`domain_prices` by one rule."""
    shape, grid = problem.layout, problem.layout.grid
    schema = {"location": pl.String, "resource": pl.String, "tier": pl.String, "domain": pl.Int64}
    names = pl.DataFrame([row[:4] for row in shape.domain_rows], schema=schema, orient="row")
    at = [
        (
            prices.sizes.index(row.size),
            slice(None),
            grid.locations.index(row.location),
            grid.resources.index(row.resource),
            grid.tiers.names.index(row.tier),
        )
        for row in shape.domain_rows
    ]
    values = np.array([prices.premium[place] for place in at]).reshape(len(at), len(kinds)).T
    return _by_interval(problem, names, kinds).select(
        "horizon", "pricing", "start", *schema, pl.Series("premium", values.ravel(), dtype=pl.Float64)
    )


def workload_price_table(problem: Problem, prices: WorkPrices, kinds: list[PriceKind]) -> pl.DataFrame:
    """`workload_prices` by one rule."""
    names = pl.DataFrame(list(prices.keys), schema=["workload", "home", "tier"], orient="row")
    parts = {"price": prices.price, "resources": prices.resources, "transport": prices.transport, "congestion": prices.congestion}
    table = _by_interval(problem, names, kinds)
    found = table.with_columns(pl.Series(name, value.ravel()).fill_nan(None) for name, value in parts.items())
    return found.select("horizon", "pricing", "start", "workload", "home", "tier", *parts)


def _by_interval(problem: Problem, names: pl.DataFrame, kinds: list[PriceKind]) -> pl.DataFrame:
    """`names` once per interval, the intervals in order."""
    texts = pl.Series("pricing", [kind.value for kind in kinds], dtype=pl.Enum([kind.value for kind in PriceKind]))
    starts = pl.DataFrame({"start": problem.orders.span.starts(), "pricing": texts})
    return starts.join(names, how="cross", maintain_order="left_right").with_columns(pl.lit(problem.orders.horizon).alias("horizon"))
