"""A made-up clearing: prices, surplus, certificates and what binds."""

from collections.abc import Collection
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from tenorgrid.data.tables.cleared import Prices
from tests.reports.run_parts import AS_OF, CLASSES, ERRORS, FIRST, LAST, LEADS, LOCATIONS, OTHERS


def prices_of_nodes(rng: np.random.Generator, resources: Collection[str]) -> pl.DataFrame:
    hours = int((LAST - FIRST) / timedelta(hours=1))
    starts = pl.Series([FIRST + timedelta(hours=hour) for hour in range(hours)]).dt.cast_time_unit("us")
    daily = np.sin(2 * np.pi * (np.arange(hours) - 14) / 24)
    slow = np.cumsum(rng.normal(0, 0.012, hours)) * 0.6
    parts = []
    for location, dearness in LOCATIONS.items():
        local = slow + 0.1 * daily + rng.normal(0, 0.02, hours)
        scarce = np.where(rng.uniform(size=hours) < 0.008, rng.exponential(6.0, hours), 0.0)
        for horizon, lead in LEADS.items():
            seen = int((min(LAST, AS_OF + timedelta(days=lead)) - FIRST) / timedelta(hours=1))
            noise = ERRORS[horizon] * rng.normal(0, 1, hours) * 0.5 + ERRORS[horizon] * 0.2
            adder = scarce if horizon == "real-time" else scarce * 0.2
            for resource in resources:
                level = (CLASSES | OTHERS)[resource]
                energy = level * dearness * np.exp(local + noise)
                mine = adder * (resource in CLASSES)
                for tier, part in (("firm", 1.0), ("spot", 0.62)):
                    parts.append(
                        node_prices(horizon, location, resource, tier, starts[:seen], part * energy[:seen], mine[:seen] * (tier == "firm"))
                    )
    marginal = pl.concat(parts).with_columns(pl.lit("marginal").alias("pricing"))
    # One node that has neither bid nor offer in one hour.
    gone = (pl.col("start") == FIRST) & (pl.col("resource") == "h100-sxm") & (pl.col("tier") == "firm") & (pl.col("location") == "us-west")
    marginal = marginal.with_columns(pl.when(~gone).then(pl.col("price", "energy", "scarcity")))
    hull = marginal.with_columns(pl.lit("convex-hull").alias("pricing"), pl.col("price") * 3)
    bare = pl.lit(None, dtype=pl.Float64)  # cleared without intervals
    return pl.concat([marginal, hull]).with_columns(bare.alias("low"), bare.alias("high")).select(list(Prices.columns()))


def node_prices(
    horizon: str,
    location: str,
    resource: str,
    tier: str,
    starts: pl.Series,
    energy: npt.NDArray[np.float64],
    adder: npt.NDArray[np.float64],
) -> pl.DataFrame:
    return pl.DataFrame({"start": starts, "energy": energy, "scarcity": adder}).select(
        pl.lit(horizon).alias("horizon"),
        "start",
        pl.lit(location).alias("location"),
        pl.lit(resource).alias("resource"),
        pl.lit(tier).alias("tier"),
        (pl.col("energy") + pl.col("scarcity")).alias("price"),
        "energy",
        "scarcity",
    )


# fmt: off
# (the rows of made-up tables, several columns a line)
def surplus() -> pl.DataFrame:
    rows = [
        {
            "horizon": horizon, "pricing": rule, "buyers": 3e6, "suppliers": 2e6, "transfer": 0.0, "congestion": 2e4, "reserve": 1e4,
            "virtuals": 1e3, "shortfall": 0.0, "total": 5.031e6,
        }
        for horizon in LEADS
        for rule in ("marginal", "convex-hull")
    ]
    return pl.DataFrame(rows)


def certificate(rng: np.random.Generator) -> pl.DataFrame:
    days = [FIRST + timedelta(days=day) for day in range(74)]
    rows = [
        {
            "horizon": horizon, "start": day, "method": "simplex", "status": "Optimal", "hours": 1, "hull": "convex",
            "incumbent_gap": None, "hull_gap": 10 ** rng.uniform(-16, -11), "primal": 10 ** rng.uniform(-15, -10),
            "dual": 10 ** rng.uniform(-15, -9), "complementarity": 10 ** rng.uniform(-14, -9), "gap": 10 ** rng.uniform(-16, -11),
            "price_rule": "hair", "columns": 1210, "rows": 640, "seconds": 0.004,
        }
        for horizon in LEADS
        for day in days
    ]
    return pl.DataFrame(rows, schema_overrides={"incumbent_gap": pl.Float64})


def binding(rng: np.random.Generator) -> pl.DataFrame:
    keys = [("balance", f"h100-sxm/{location}/firm") for location in LOCATIONS] + [
        ("link", "us-east>us-west"),
        ("reserve", "us-east/h100-sxm"),
        ("inventory", "neo-1/1"),
    ]
    rows = [
        {
            "horizon": "real-time", "start": FIRST + timedelta(hours=int(hour)), "kind": kind, "key": key,
            "dual": float(rng.uniform(0.5, 3)), "meaning": f"one more unit of {key} is worth this much",
        }
        for kind, key in keys
        for hour in rng.choice(1700, 60 if kind == "link" else 400, replace=False)
    ]
    return pl.DataFrame(rows)
# fmt: on
