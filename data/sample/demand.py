"""Who buys: eight workloads at their homes, each with a book of bids whose quantities follow the demand processes.

Two thirds of demand at 2.50 USD per H100-hour is firm and all but inelastic; a third has an elasticity of −.8, can run on either tier or,
some of it, on spot only. Inference bids change every hour, training bids every day. Worth is set in USD per H100-hour and turned into USD
per unit of work.
"""

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.sample.benchmarks import KINDS, RELATIVE, h100_hours
from tenorgrid.data.sample.fleet import CAPACITY, FURNITURE, REGIONS
from tenorgrid.data.sample.forecasts import View
from tenorgrid.data.sample.processes import Array
from tenorgrid.data.sample.windows import labels, moments

Hours = npt.NDArray[np.int64]

USE = 0.835  # demand at the reference price in H100-hours, as a share of all that is listed
REFERENCE = 2.5  # USD per H100-hour
ELASTIC, ELASTICITY = 1 / 3, -0.8
INELASTIC_STEPS = ((42.0, 0.7), (14.0, 0.3))  # worth in USD per H100-hour, share
ELASTIC_WORTH = (5.2, 3.8, 3.0, 2.45, 1.9)  # firm bids
EITHER_WORTH = (4.4, 3.2, 2.6, 2.0)  # bids that either tier serves
SPOT_WORTH = (3.4, 2.2)  # bids that spot alone serves
SPOT_PART = 0.4  # of the elastic demand of workloads that can be interrupted
HOURLY = ("decode", "prefill")
LOSS = {"decode": 0.05, "prefill": 0.03, "pre-training": 0.25, "post-training": 0.15}  # of the work interrupted, at the reference price

# Share of all demand; homes and their shares of it; buyers by home; whether it can be interrupted.
BOOK = (
    (
        "llama2-70b-decode",
        0.33,
        (("us-east", 0.41, "harbor-chat"), ("us-west", 0.36, "corvid-labs"), ("eu-north", 0.23, "lumen-assist")),
        False,
    ),
    (
        "llama-7b-decode",
        0.08,
        (("us-east", 0.40, "pocket-tutor"), ("us-west", 0.35, "corvid-labs"), ("eu-north", 0.25, "lumen-assist")),
        True,
    ),
    (
        "llama3.3-70b-prefill",
        0.10,
        (("us-east", 0.42, "harbor-chat"), ("us-west", 0.36, "deepshelf"), ("eu-north", 0.22, "lumen-assist")),
        True,
    ),
    ("llama-7b-prefill", 0.06, (("us-east", 0.60, "deepshelf"), ("eu-north", 0.40, "pocket-tutor")), True),
    ("llama3.1-405b-pretrain", 0.18, (("us-east", 0.60, "quill-ai"), ("us-west", 0.40, "meridian-research")), False),
    ("stable-diffusion-pretrain", 0.07, (("us-west", 0.55, "palette"), ("eu-north", 0.45, "palette")), True),
    ("llama2-70b-lora", 0.07, (("us-east", 0.55, "deepshelf"), ("us-west", 0.45, "corvid-labs")), True),
    ("llama3.1-8b-rl", 0.11, (("us-west", 0.40, "meridian-research"), ("eu-north", 0.60, "quill-ai")), True),
)


def total_capacity() -> float:
    """All accelerators listed, in H100-hours an hour."""
    return sum(RELATIVE[resource] * amount for here in CAPACITY.values() for resource, amount in here.items())


def demand_by_region() -> dict[str, tuple[float, float]]:
    """H100-hours an hour of inference and of training that belong to each region, at the reference price."""
    kinds = {kind.workload: kind.class_ for kind in KINDS}
    found = {region: [0.0, 0.0] for region in REGIONS}
    for workload, share, homes, _ in BOOK:
        for home, part, _ in homes:
            found[home][0 if kinds[workload] in HOURLY else 1] += share * part * USE * total_capacity()
    return {region: (inference, training) for region, (inference, training) in found.items()}


def book() -> pl.DataFrame:
    """Every bid step at reference demand, with `hourly` (else daily), the number of its region, and the columns of `Bids`."""
    rng = np.random.default_rng(FURNITURE + 1)
    kinds = {kind.workload: kind for kind in KINDS}
    rows = []
    for workload, share, homes, interruptible in BOOK:
        hours, kind = h100_hours(workload), kinds[workload]
        for home, part, buyer in homes:
            wanted = share * part * USE * total_capacity()
            taste = float(np.exp(0.06 * rng.standard_normal()))
            for service, tiers, steps in _services(wanted, interruptible=interruptible):
                loss = None if tiers == "firm" else round(LOSS[kind.class_] * REFERENCE * hours, 6)
                for step, (worth, quantity) in enumerate(steps, start=1):
                    value = round(worth * taste * hours, 6)
                    name = f"{buyer}-{workload}-{home}-{service}"
                    rows.append(
                        (
                            name,
                            buyer,
                            workload,
                            home,
                            step,
                            quantity / hours,
                            value,
                            loss,
                            tiers,
                            kind.class_ in HOURLY,
                            REGIONS.index(home),
                        )
                    )
    columns = ["name", "participant", "workload", "home", "step", "quantity", "value", "interruption_loss", "tiers", "hourly", "region"]
    return pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)


def bids(seen: View) -> pl.DataFrame:
    """`Bids` of one horizon: the book, scaled by what its buyers expect, or in real time by what came."""
    steps = book()
    return pl.concat(
        [
            _spread(steps.filter("hourly"), seen, np.exp(seen.bid_inference), begin=seen.hours, end=seen.hours + 1),
            _spread(steps.filter(~pl.col("hourly")), seen, np.exp(seen.bid_training), begin=seen.edges[:-1], end=seen.edges[1:]),
        ]
    )


def _services(wanted: float, *, interruptible: bool) -> list[tuple[str, str | None, list[tuple[float, float]]]]:
    """Name, tiers and (worth, H100-hours) steps of each bid for `wanted` H100-hours."""
    must = [(worth, wanted * (1 - ELASTIC) * share) for worth, share in INELASTIC_STEPS]
    may = wanted * ELASTIC
    if not interruptible:
        return [("firm", "firm", [*must, *_elastic(may, ELASTIC_WORTH)])]
    return [
        ("firm", "firm", must),
        ("either", None, _elastic(may * (1 - SPOT_PART), EITHER_WORTH)),
        ("spot", "spot", _elastic(may * SPOT_PART, SPOT_WORTH)),
    ]


def _elastic(wanted: float, worth: tuple[float, ...]) -> list[tuple[float, float]]:
    """Steps under a curve of constant elasticity that wants `wanted` at the reference price."""
    edges = [np.sqrt(high * low) for high, low in zip(worth, (*worth[1:], worth[-1] ** 2 / worth[-2]), strict=True)]
    up_to = [wanted * (float(edge) / REFERENCE) ** ELASTICITY for edge in edges]
    return [(price, more - less) for price, more, less in zip(worth, up_to, [0.0, *up_to[:-1]], strict=True)]


def _spread(steps: pl.DataFrame, seen: View, scale: Array, *, begin: Hours, end: Hours) -> pl.DataFrame:
    windows, height = len(begin), steps.height
    window, row = np.repeat(np.arange(windows), height), np.tile(np.arange(height), windows)
    start = moments(begin)
    tags = labels(start)
    table = steps[row]
    quantity = table["quantity"].to_numpy() * scale[window, table["region"].to_numpy()]
    return table.select(
        pl.lit(seen.horizon.name).alias("horizon"),
        pl.concat_str(pl.col("name"), pl.lit("@"), tags[window]).alias("bid_id"),
        "participant",
        "workload",
        "home",
        start[window].alias("start"),
        moments(end)[window].alias("end"),
        "step",
        pl.Series("quantity", quantity).round_sig_figs(6),
        "value",
        "interruption_loss",
        "tiers",
    )
