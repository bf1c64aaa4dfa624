"""Diminishing returns in the number of accelerators: what one job does on more of them, and what each further one adds."""

import polars as pl

from tenorgrid.data.benchmarks.frontier import concave
from tenorgrid.data.tables.benchmarked import Scaling

KEY = ("family", "resources", "spread")


def scaling(measured: pl.DataFrame) -> pl.DataFrame:
    """`Scaling` of `Measured` rows: the best result of each number of accelerators of one kind.

    Results are as published, so that more accelerators may do less; the envelope is what smaller jobs beside one another would do.
    """
    pure = measured.filter(~pl.col("resources").str.contains(";")).with_columns(pl.col("resources").str.replace(r":\d+$", ""))
    best = pure.sort("output_per_hour", "row", descending=[True, False]).unique([*KEY, "gpus"], keep="first", maintain_order=True)
    best = best.sort(*KEY, "gpus")
    each, output, gpus = pl.col("output_per_hour") / pl.col("gpus"), pl.col("output_per_hour"), pl.col("gpus")
    before = (output.shift(1).over(KEY).fill_null(0.0), gpus.shift(1).over(KEY).fill_null(0))
    table = best.with_columns(efficiency=each / each.first().over(KEY), marginal=(output - before[0]) / (gpus - before[1]))
    hulls = [
        group.with_columns(envelope=concave(group["gpus"].to_numpy().astype(float), group["output_per_hour"].to_numpy()))
        for _, group in table.group_by(KEY, maintain_order=True)
    ]
    whole = pl.concat(hulls) if hulls else table.with_columns(envelope=pl.lit(None, dtype=pl.Float64))
    return Scaling.validate(whole.select(Scaling.columns().keys()))
