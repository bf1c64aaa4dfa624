"""Who supplies: ten suppliers, where their accelerators stand, in which halls, and at what cost.

The fleet is the market's furniture: it is the same for every seed. A *hall* is a step of a supplier's cost curve that fails or is recalled
as one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

from tenorgrid.data.sample.benchmarks import ACCELERATORS, RELATIVE

REGIONS = ("us-east", "us-west", "eu-north")
TIMEZONES = {"us-east": "America/New_York", "us-west": "America/Los_Angeles", "eu-north": "Europe/Stockholm"}
ENERGY = {"us-east": 0.075, "us-west": 0.095, "eu-north": 0.040}  # USD per kWh
DRAW = {
    "a100-sxm": 0.8,
    "h100-sxm": 1.4,
    "h200-sxm": 1.4,
    "mi300x": 1.5,
    "b200-sxm": 2.0,
    "gb200-nvl72": 2.1,
}  # kW with its share of host and cooling

# Accelerators listed per region.
CAPACITY = {
    "us-east": {"a100-sxm": 9000, "h100-sxm": 14000, "h200-sxm": 6600, "mi300x": 3600, "b200-sxm": 3200, "gb200-nvl72": 2520},
    "us-west": {"a100-sxm": 7000, "h100-sxm": 9600, "h200-sxm": 8600, "mi300x": 3800, "b200-sxm": 2900, "gb200-nvl72": 3096},
    "eu-north": {"a100-sxm": 5000, "h100-sxm": 8000, "h200-sxm": 5200, "mi300x": 2400, "b200-sxm": 2800, "gb200-nvl72": 1656},
}
HOST = {"vcpu": 0.0105, "ram_gib": 0.0013, "net_gbps": 0.0005}  # USD an hour, the middle of the cost curve
HOST_PER_H100_HOUR = {"vcpu": 22.0, "ram_gib": 180.0, "net_gbps": 140.0}  # listed per H100-hour of the region's accelerators


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplier:
    """One supplier: its kind, where it stands, how its costs lie against the market's, and whether it sells firm."""

    name: str
    kind: str  # hyperscaler, neocloud or leaseback
    regions: tuple[str, ...]
    cost: float  # factor on the cost curve
    premium: float  # USD per H100-hour, for giving up the right of recall
    weight: float  # share of the capacity where it stands
    spot_share: float  # how much it leans to halls that are interruptible only
    hosts: bool  # lists vcpu, ram_gib and net_gbps too


SUPPLIERS = (
    Supplier(name="stratus", kind="hyperscaler", regions=REGIONS, cost=1.12, premium=0.42, weight=2.6, spot_share=0.2, hosts=True),
    Supplier(
        name="cumulus", kind="hyperscaler", regions=("us-east", "eu-north"), cost=1.08, premium=0.40, weight=2.0, spot_share=0.2, hosts=True
    ),
    Supplier(
        name="altiplano",
        kind="hyperscaler",
        regions=("us-east", "us-west"),
        cost=1.15,
        premium=0.45,
        weight=1.8,
        spot_share=0.3,
        hosts=True,
    ),
    Supplier(
        name="nimbus", kind="neocloud", regions=("us-east", "us-west"), cost=0.95, premium=0.32, weight=1.6, spot_share=0.0, hosts=True
    ),
    Supplier(name="tidewater", kind="neocloud", regions=("us-east",), cost=0.90, premium=0.30, weight=1.2, spot_share=0.0, hosts=False),
    Supplier(name="ridgeline", kind="neocloud", regions=("us-west",), cost=0.93, premium=0.30, weight=1.6, spot_share=0.0, hosts=False),
    Supplier(name="borealis", kind="neocloud", regions=("eu-north",), cost=0.86, premium=0.28, weight=1.8, spot_share=0.0, hosts=True),
    Supplier(
        name="fjordgrid", kind="neocloud", regions=("eu-north", "us-east"), cost=0.92, premium=0.30, weight=1.0, spot_share=0.0, hosts=False
    ),
    Supplier(
        name="corvid-labs",
        kind="leaseback",
        regions=("us-east", "us-west"),
        cost=0.82,
        premium=0.50,
        weight=0.7,
        spot_share=0.5,
        hosts=False,
    ),
    Supplier(
        name="quill-ai", kind="leaseback", regions=("us-west", "eu-north"), cost=0.84, premium=0.50, weight=0.6, spot_share=0.5, hosts=False
    ),
)

HALLS = {
    "h100-sxm": 18,
    "h200-sxm": 13,
    "a100-sxm": 11,
    "mi300x": 11,
    "b200-sxm": 13,
    "gb200-nvl72": 11,
}  # steps of one region's cost curve
CENTRE, SPREAD, LOW, HIGH = 1.14, 0.62, 0.45, 5.20  # USD per H100-hour: median, log standard deviation and bounds of a hall's cost
LUCK = 0.12  # log standard deviation of what else makes one hall of a supplier cheaper than another
DEAREST = 0.7  # the dearer halls can all be sold firm: they are the reserve
SPOT_HALLS = 0.12  # of a region's halls of one class, those that are interruptible only
FURNITURE = 20270101  # the one fixed stream that lays out the halls


def halls() -> pl.DataFrame:
    """Every hall: `hall`, supplier, location, resource, quantity, price, firm_premium (null: interruptible only).

    Each region's curve takes evenly spaced quantiles of the cost distribution, so that it is smooth, and hands them to suppliers by weight:
    the cheap ones are more often cheap. Cost is opportunity cost and energy; both scale with what the accelerator can do.
    """
    rng = np.random.default_rng(FURNITURE)
    rows = []
    for region in REGIONS:
        here = [supplier for supplier in SUPPLIERS if region in supplier.regions]
        weight = np.array([supplier.weight for supplier in here])
        for resource in ACCELERATORS:
            count = HALLS[resource]
            owners = _owners(weight, count)
            rng.shuffle(owners)
            order = np.argsort([np.log(here[owner].cost) + LUCK * rng.normal() for owner in owners], kind="stable")
            quantile = (np.arange(count) + rng.uniform(0.3, 0.7, count)) / count
            cost = np.clip(CENTRE * np.exp(SPREAD * ndtri(quantile)), LOW, HIGH)
            size = rng.dirichlet(np.full(count, 6.0)) * CAPACITY[region][resource]
            leaning = np.array([here[owners[index]].spot_share for index in order])
            leaning[int(DEAREST * count) :] = 0.0
            interruptible = set(rng.choice(count, size=round(SPOT_HALLS * count), replace=False, p=leaning / leaning.sum()))
            taken = dict.fromkeys(range(len(here)), 0)
            for place, index in enumerate(order):
                supplier = here[owners[index]]
                taken[owners[index]] += 1
                firm = place not in interruptible
                price = cost[place] * RELATIVE[resource] + ENERGY[region] * DRAW[resource]
                premium = supplier.premium * RELATIVE[resource] * rng.uniform(0.85, 1.15) if firm else None
                name = f"{supplier.name}-{region}-{resource}-{taken[owners[index]]}"
                rows.append((name, supplier.name, region, resource, round(float(size[index])), round(float(price), 4), premium))
    frame = pl.DataFrame(
        rows,
        schema=["hall", "participant", "location", "resource", "quantity", "price", "firm_premium"],
        orient="row",
        infer_schema_length=None,
    )
    return frame.with_columns(pl.col("quantity").cast(pl.Float64), pl.col("firm_premium").round(4))


def host_halls() -> pl.DataFrame:
    """vCPU, memory and network in the columns of `halls`: plentiful, cheap, one step per supplier, and never failing."""
    rows = []
    for region in REGIONS:
        hours = sum(RELATIVE[resource] * amount for resource, amount in CAPACITY[region].items())
        here = sorted((supplier for supplier in SUPPLIERS if region in supplier.regions and supplier.hosts), key=lambda one: one.cost)
        for resource, middle in HOST.items():
            for place, supplier in enumerate(here):
                listed = HOST_PER_H100_HOUR[resource] * hours / len(here)
                price = middle * (0.7 + 0.35 * place) * supplier.cost * (1 + 2 * (ENERGY[region] - 0.07))
                name = f"{supplier.name}-{region}-{resource}-1"
                rows.append((name, supplier.name, region, resource, float(round(listed)), round(price, 6), round(0.12 * price, 6)))
    return pl.DataFrame(rows, schema=["hall", "participant", "location", "resource", "quantity", "price", "firm_premium"], orient="row")


def _owners(weight: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.int64]:
    """`count` halls shared out by weight, the largest remainders first."""
    fair = weight / weight.sum() * count
    whole = np.floor(fair).astype(int)
    for index in np.argsort(whole - fair, kind="stable")[: count - whole.sum()]:
        whole[index] += 1
    return np.repeat(np.arange(len(weight)), whole)
