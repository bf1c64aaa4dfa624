"""Five virtual bidders, who estimate what real time will cost and bid around it.

Each estimate is E[λ_rt | lead] over 32 scenarios of what is still unknown, priced by a merit order of the bidders' own: it needs no
clearing, misses what substitution and links do, and is off by 5, 3 or 1.5 % at the month, week or day. They bid around E (1 + ρ), ρ = 3 %
min(1, (τ / 168 h)^.3), each for 1.2 % of the node's capacity, an inc a little above and a dec a little below.
"""

import numpy as np
import polars as pl
from scipy.stats import norm

from tenorgrid.data.sample.benchmarks import RELATIVE
from tenorgrid.data.sample.demand import ELASTIC, ELASTICITY, REFERENCE, demand_by_region
from tenorgrid.data.sample.fleet import CAPACITY, REGIONS
from tenorgrid.data.sample.forecasts import View
from tenorgrid.data.sample.processes import BURST_EVERY, BURST_HOURS, BURST_SIZE, Array
from tenorgrid.data.sample.supply import CONTINGENCY, REFERENCE_PRICE, RESERVE_SD, VOLL
from tenorgrid.data.sample.windows import labels, moments

SCENARIOS = 32
SIZE = 0.012
ERROR = {"month-ahead": 0.05, "week-ahead": 0.03, "day-ahead": 0.015}
PREMIUM, PREMIUM_HOURS, PREMIUM_POWER = 0.03, 168.0, 0.3
POOLED = {"us-east": 0.75, "us-west": 0.7, "eu-north": 0.55}  # part of a region's tightness that links share out over all regions
EXPERIENCE = 0.96  # the market runs on less than the merit order thinks, as every workload takes the recipe that suits the hour
LEVEL = {"us-east": 0.985, "us-west": 1.03, "eu-north": 1.0}  # what a region has cleared at, against the merit order
PRESENT_SD = 0.006  # standard deviation of a region's share of accelerators there

# Bidder, half its spread between inc and dec, and the nodes it bids at.
BIDDERS = (
    ("arbor-capital", 0.004, (("us-east", "h100-sxm"), ("us-west", "h100-sxm"), ("us-east", "b200-sxm"))),
    ("basalt-trading", 0.007, (("us-east", "h100-sxm"), ("eu-north", "h100-sxm"), ("us-west", "h200-sxm"))),
    ("cinder-macro", 0.010, (("us-west", "h100-sxm"), ("eu-north", "h100-sxm"), ("us-east", "a100-sxm"))),
    ("delta-nine", 0.006, (("us-east", "h100-sxm"), ("us-west", "h100-sxm"), ("eu-north", "gb200-nvl72"))),
    ("ember-power", 0.012, (("us-east", "h100-sxm"), ("eu-north", "h100-sxm"), ("us-west", "mi300x"))),
)


def merit_order(halls: pl.DataFrame) -> tuple[Array, Array]:
    """Tightness (demand at the reference price over capacity present) and the firm price per H100-hour at it, rising together.

    Supply is the market's halls from cheap to dear in H100-hours, firm premium included, plus the scarcity adder of the headroom that is
    left; demand answers with the book's elasticity.
    """
    scale = halls["resource"].replace_strict(RELATIVE, return_dtype=pl.Float64).to_numpy()
    firm = halls["firm_premium"].fill_null(0.0).to_numpy()
    cost, size = (halls["price"].to_numpy() + firm) / scale, halls["quantity"].to_numpy() * scale
    order = np.argsort(cost, kind="stable")
    share = np.cumsum(size[order]) / size.sum()
    used = np.linspace(0.3, 1.0, 701)
    left = 1 - used
    loss = np.where(left < CONTINGENCY, 1.0, norm.sf((left - CONTINGENCY) / RESERVE_SD))
    price = np.interp(used, share - share[0] / 2, cost[order]) + (VOLL - REFERENCE_PRICE) * loss
    wanted = 1 - ELASTIC + ELASTIC * (price / REFERENCE) ** ELASTICITY
    return used / wanted, price


def expected_prices(seen: View, present: Array, *, curve: tuple[Array, Array], seed: int, stream: int) -> Array:
    """E[λ_rt] per H100-hour and region over the scenarios of one ahead horizon, (hours, regions).

    Args:
        seen: the horizon's view.
        present: (hours, regions) share of capacity expected to be there.
        curve: from `merit_order`.
        seed, stream: of the scenarios, drawn in the order of time from the epoch on.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(100, stream)))
    last = int(seen.hours[-1]) + 1
    normal = rng.standard_normal((last, SCENARIOS, 2 * len(REGIONS)))[seen.hours]
    chance = rng.spawn(1)[0].random((last, SCENARIOS, 2))[seen.hours]
    regions = len(REGIONS)
    demand = np.array([demand_by_region()[region] for region in REGIONS])
    capacity = np.array([sum(RELATIVE[resource] * amount for resource, amount in CAPACITY[region].items()) for region in REGIONS])
    burst = np.where(chance[..., 0] < BURST_HOURS / BURST_EVERY, -BURST_SIZE * np.log1p(-chance[..., 1]), 0.0)
    error = seen.inference_sd[:, None, None] * normal[..., :regions]
    wanted = demand[:, 0] * np.exp(seen.inference[:, None, :] + error + burst[..., None])
    wanted += demand[:, 1] * np.exp(seen.training[seen.day][:, None, :] + seen.training_sd[seen.day][:, None, None] * normal[..., :1])
    there = capacity * (present[:, None, :] + PRESENT_SD * normal[..., regions:])
    own, pooled = wanted / there, wanted.sum(axis=2, keepdims=True) / there.sum(axis=2, keepdims=True)
    share = np.array([POOLED[region] for region in REGIONS])
    tight = (1 - share) * own + share * pooled
    level = np.array([LEVEL[region] for region in REGIONS])
    return np.asarray(np.interp(EXPERIENCE * tight, *curve).mean(axis=1) * level)


def virtuals(seen: View, expected: Array, *, seed: int, stream: int) -> pl.DataFrame:
    """`Virtuals` of one ahead horizon.

    Args:
        seen: the horizon's view.
        expected: (hours, regions) from `expected_prices`.
        seed, stream: of the bidders' own errors, one a day and node.
    """
    nodes = [(bidder, spread, region, resource) for bidder, spread, where in BIDDERS for region, resource in where]
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(200, stream)))
    day = seen.edges[:-1] // 24
    error = ERROR[seen.horizon.name] * rng.standard_normal((int(day[-1]) + 1, len(nodes)))[day][seen.day]
    lead = (seen.hours - seen.made).astype(np.float64)
    premium = PREMIUM * np.minimum(1.0, (lead / PREMIUM_HOURS) ** PREMIUM_POWER)
    start, stop = moments(seen.hours), moments(seen.hours + 1)
    tags = labels(start)
    frames = []
    for number, (bidder, spread, region, resource) in enumerate(nodes):
        middle = expected[:, REGIONS.index(region)] * RELATIVE[resource] * (1 + premium) * (1 + error[:, number])
        for side, sign in (("inc", 1), ("dec", -1)):
            frames.append(
                pl.DataFrame({"start": start, "end": stop, "price": np.round(middle * (1 + sign * spread), 4)}).select(
                    pl.lit(seen.horizon.name).alias("horizon"),
                    pl.concat_str(pl.lit(f"{bidder}-{region}-{resource}-{side}@"), tags).alias("bid_id"),
                    pl.lit(bidder).alias("participant"),
                    pl.lit(region).alias("location"),
                    pl.lit(resource).alias("resource"),
                    "start",
                    "end",
                    pl.lit(side).alias("side"),
                    pl.lit(round(SIZE * CAPACITY[region][resource], 3)).alias("quantity"),
                    "price",
                )
            )
    return pl.concat(frames)
