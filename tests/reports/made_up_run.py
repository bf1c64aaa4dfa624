"""A made-up run folder: every table that the report reads, in its declared schema, with plausible numbers and a fixed seed."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from tenorgrid.data.tables.cleared import Binding, Certificate, Prices, Surplus
from tenorgrid.data.tables.curve import Curve, Volatility
from tenorgrid.data.tables.observed import Marks
from tests.reports.cleared_run import binding, certificate, prices_of_nodes, surplus
from tests.reports.curved_run import volatility, write_curve
from tests.reports.marked_run import daily_marks, mark
from tests.reports.owed_run import write_basis, write_settle, write_value
from tests.reports.run_parts import CLASSES, OTHERS, write_manifest, write_part
from tests.reports.whole_run import write_whole


def make_run(folder: Path, *, resources: Collection[str]) -> Path:
    """Write the whole run, Parquet and CSV mixed as real runs may."""
    rng = np.random.default_rng(7)
    prices = prices_of_nodes(rng, resources)
    write_part(folder, "clear", "prices", prices, Prices, form="parquet")
    write_part(folder, "clear", "surplus", surplus(), Surplus)
    write_part(folder, "clear", "certificate", certificate(rng), Certificate)
    write_part(folder, "clear", "binding", binding(rng), Binding, form="parquet")
    write_whole(folder)
    write_manifest(folder, "clear")
    marks = daily_marks(prices, rng)
    write_part(folder, "marks", "marks", marks, Marks)
    write_manifest(folder, "mark")
    write_curve(folder, prices)
    write_part(folder, "curve", "volatility", volatility(), Volatility)
    write_manifest(folder, "curve")
    write_value(folder)
    write_settle(folder, rng)
    write_basis(folder, rng)
    return folder


def make_observations_run(folder: Path) -> Path:
    """A run on observed prices: marks, curve and volatility only, with no settings in its manifest."""
    rng = np.random.default_rng(8)
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(60)]
    rows = []
    for index, level in (("H100-SXM.WORLD.ON-DEMAND", 2.3), ("H200-SXM.WORLD.ON-DEMAND", 2.9), ("B200-SXM.WORLD.ON-DEMAND", 4.1)):
        values = level * np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
        rows += [mark(index, day, value, "USD/GPUh", method="house") for day, value in zip(days, values, strict=True)]
    rows[10] |= {"value": None, "status": "withheld"}
    write_part(folder, "marks", "marks", pl.DataFrame(rows), Marks)
    starts = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(days=day) for day in range(90)]
    curve = pl.DataFrame(
        {
            "as_of": [starts[0]] * 90,
            "index": ["H100-SXM.WORLD.ON-DEMAND"] * 90,
            "start": starts,
            "end": [s + timedelta(days=1) for s in starts],
            "forward": np.linspace(2.3, 2.2, 90),
            "lower": [None] * 90,
            "upper": [None] * 90,
        },
        schema_overrides={"lower": pl.Float64, "upper": pl.Float64},
    )
    write_part(folder, "curve", "curve", curve, Curve)
    write_part(folder, "curve", "volatility", volatility().head(1), Volatility)
    return folder


if __name__ == "__main__":
    import sys

    make_run(Path(sys.argv[1]) / "full", resources=[*CLASSES, *OTHERS])
    make_observations_run(Path(sys.argv[1]) / "observed")
