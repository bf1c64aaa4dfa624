"""Made-up marks of indices, with a restatement, a rival methodology and a day withheld."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from tests.reports.run_parts import CLASSES, LOCATIONS, WORK, ZONE


# fmt: off
# (the rows of made-up tables, several columns a line)
def mark(index: str, start: datetime, value: float, unit: str, *, method: str, revision: int = 0) -> dict[str, Any]:
    end = start + timedelta(days=1)
    return {
        "index": index, "methodology": method, "start": start, "end": end, "published_at": end + timedelta(hours=16),
        "revision": revision, "value": float(value), "unit": unit, "quantity": 1e4, "status": "published", "method_hash": "0" * 64,
    }


def daily_marks(prices: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    real = prices.filter(pl.col("horizon") == "real-time", pl.col("pricing") == "marginal", pl.col("resource").is_in(list(CLASSES)))
    day = pl.col("start").dt.convert_time_zone(ZONE).dt.truncate("1d").dt.convert_time_zone("UTC").alias("day")
    means = real.group_by("location", "resource", "tier", day).agg(pl.col("price").mean()).sort("location", "resource", "tier", "day")
    rows = [
        mark(f"{resource}.{location}.{tier}".upper(), start, price, "USD/GPUh", method="house")
        for location, resource, tier, start, price in means.iter_rows()
    ]
    both = (
        means.filter(pl.col("location").str.starts_with("us"))
        .group_by("resource", "tier", "day")
        .agg(pl.col("price").mean())
        .sort("resource", "tier", "day")
    )
    rows += [
        mark(f"{resource}.US.{tier}".upper(), start, price, "USD/GPUh", method="house")
        for resource, tier, start, price in both.iter_rows()
    ]
    days = means["day"].unique().sort().to_list()
    for work, (unit, level) in WORK.items():
        for location, dearness in LOCATIONS.items():
            walk = level * dearness * np.exp(np.cumsum(rng.normal(0, 0.02, len(days))))
            rows += [
                mark(f"{work}.{location}.FIRM".upper(), start, value, unit, method="house")
                for start, value in zip(days, walk, strict=True)
            ]
    restated = [dict(row, revision=1, value=row["value"] + 0.5) for row in rows if row["index"] == "H100-SXM.US.FIRM"][-2:-1]
    rival = [dict(row, methodology="rival") for row in rows[:5]]
    held = next(row for row in rows if row["index"] == "A100-SXM.EU-NORTH.SPOT")
    held |= {"value": None, "status": "withheld"}
    return pl.DataFrame(rows + restated + rival, infer_schema_length=None)
# fmt: on
