"""MLPerf Training: minutes until a model reaches its target, on so many accelerators of one job.

One unit of work is a thousandth of a training. A limit is the longest time to train: more accelerators make it shorter, at a growing cost
in accelerator-hours. The score is the mean of the runs without the best and the worst, times the reference-convergence scaling.

Columns: computed from the logs of github.com/mlcommons/training_results_v5.0 (see the provenance of the file).
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.benchmarks.results import Results, left, numbered, results, slug, unclear
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import LeftOutReason
from tenorgrid.data.tables.door import read_checked

UNIT, UNITS_PER_TRAINING = "0.001 training", 1e3
MINUTES = 60.0  # in an hour
POST_TRAINING = ("llama2_70b_lora",)
ROUNDING = 2e-4  # minutes: scores are given to 5 decimals, their scaling too, and a run may last for hours


class TrainingResults(dy.Schema):
    """One system's result on one benchmark."""

    submitter = dy.String(description="Who submitted")
    system = dy.String(description="System")
    benchmark = dy.String(description="What was trained")
    division = dy.String(description="closed or open")
    number_of_nodes = dy.Int64(min=1, description="Servers")
    accelerators_per_node = dy.Int64(min=1, description="Accelerators in a server", metadata={"unit": "GPU"})
    accelerator_model_name = dy.String(description="Accelerator")
    n_accel = dy.Int64(min=1, description="Accelerators in all", metadata={"unit": "GPU"})
    raw_score_minutes = dy.Float64(min_exclusive=0, description="Mean time to train", metadata={"unit": "min"})
    rcp_scaling = dy.Float64(min_exclusive=0, description="Scaling to the reference's convergence", metadata={"unit": "1"})
    score_minutes = dy.Float64(min_exclusive=0, description="Score: raw times scaling", metadata={"unit": "min"})


def read(path: Path, book: pl.DataFrame) -> Results:
    """The results of a file; `speed` is trainings an hour of one job. Raises `InputError` with every fault of its cells."""
    rows, faults = read_checked(path, TrainingResults, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    rows = numbered(rows).with_columns(family=pl.concat_str(slug("benchmark"), pl.lit("-train")))
    opened = pl.col("division") != "closed"
    scaled = pl.col("raw_score_minutes") * pl.col("rcp_scaling")
    off = (scaled - pl.col("score_minutes")).abs() > ROUNDING + 1e-5 * pl.col("raw_score_minutes")
    out = [
        left(
            rows.filter(opened),
            LeftOutReason.OPEN_DIVISION,
            column="division",
            value="division",
            detail="closed: elsewhere another model may be run",
        ),
        unclear(
            rows.filter(~opened & off),
            column="score_minutes",
            value="score_minutes",
            detail="raw_score_minutes × rcp_scaling, in minutes",
        ),
    ]
    post = pl.col("benchmark").is_in(POST_TRAINING)
    frame = rows.with_columns(
        unit=pl.lit(UNIT),
        sku="accelerator_model_name",
        gpus="n_accel",
        nodes="number_of_nodes",
        per_node="accelerators_per_node",
        output_per_hour=UNITS_PER_TRAINING * MINUTES / pl.col("score_minutes"),
        speed=MINUTES / pl.col("score_minutes"),
        domain=pl.lit(None, dtype=pl.Int64),
        spread=pl.lit(False),
        entry=pl.concat_str("submitter", "system", "benchmark", separator=", "),
    ).with_columns(pl.when(post).then(pl.lit("post-training")).otherwise(pl.lit("pre-training")).alias("class"))
    nodes = ("number_of_nodes", "accelerators_per_node")
    return results(frame, left_out=out, book=book, sku="accelerator_model_name", nodes=nodes)
