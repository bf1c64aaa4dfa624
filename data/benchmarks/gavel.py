"""Gavel: steps a second of training jobs on K80, P100 and V100, in one server or spread over several.

A job of several accelerators that stood in one server needs a domain of that many. The row with the suffix `_unconsolidated` is the same
job spread over servers, which needs none and is usually slower: the penalty of its placement. A throughput of 0 did not fit into memory.

Columns: as in scheduler/simulation_throughputs.json of github.com/stanford-futuredata/gavel (OSDI 2020), jobs alone on their device.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.benchmarks.results import SECONDS, THOUSAND, Results, left, numbered, results, slug
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import LeftOutReason
from tenorgrid.data.tables.door import read_checked

UNIT = "1e3 training steps"
SPREAD = "_unconsolidated"


class JobThroughputs(dy.Schema):
    """One kind of job on one kind of accelerator."""

    job_type = dy.String(description="Model and batch size")
    n_gpus = dy.Int64(min=1, description="Accelerators of the job", metadata={"unit": "GPU"})
    gpu = dy.String(description="Accelerator, with the suffix `_unconsolidated` where it is spread over servers")
    steps_per_sec = dy.Float64(min=0, description="Steps of training", metadata={"unit": "1/s"})


def read(path: Path, book: pl.DataFrame) -> Results:
    """The results of a file; `speed` is steps a second of one job. Raises `InputError` with every fault of its cells."""
    rows, faults = read_checked(path, JobThroughputs, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    rows = numbered(rows).with_columns(family=pl.concat_str(slug("job_type").str.replace("batch-size-", "batch-"), pl.lit("-train")))
    still = rows.filter(pl.col("steps_per_sec") == 0)
    out = [
        left(still, LeftOutReason.DID_NOT_RUN, column="steps_per_sec", value="steps_per_sec", detail="a throughput above 0"),
    ]
    spread = pl.col("gpu").str.ends_with(SPREAD) & (pl.col("n_gpus") > 1)
    frame = rows.with_columns(
        pl.lit("training").alias("class"),
        unit=pl.lit(UNIT),
        sku=pl.col("gpu").str.strip_suffix(SPREAD),
        gpus="n_gpus",
        output_per_hour=pl.col("steps_per_sec") * SECONDS * THOUSAND,
        speed="steps_per_sec",
        domain=pl.when(spread).then(1).otherwise("n_gpus").cast(pl.Int64),
        spread=spread,
        entry=pl.format("{}, {} x {}", "job_type", "n_gpus", "gpu"),
    )
    return results(frame, left_out=out, book=book, sku="gpu")
