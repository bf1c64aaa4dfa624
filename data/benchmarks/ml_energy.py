"""ML.ENERGY: tokens a second of a model server against the speed that each user sees, one row a batch size.

The speed of a user is 1,000 / the median time between two tokens in ms. A server's accelerators work on one copy of the model
(tensor- or expert-parallel), so that the size of that group is the scale-up domain it needs. The H100 of this benchmark is the SXM part:
the file has it at 694 W, where the PCIe card ends at 350 W and the NVL card at 400 W; its B200 exists as SXM only.

Columns: as in public/data/tasks of github.com/ml-energy/leaderboard, with the two ratios that the provenance of the file names.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.benchmarks.mlperf_inference import TOKENS
from tenorgrid.data.benchmarks.results import MILLION, SECONDS, Results, left, numbered, results, slug, unclear
from tenorgrid.data.errors import InputError
from tenorgrid.data.kinds.work import LeftOutReason
from tenorgrid.data.tables.door import read_checked

SXM = {"H100": "h100-sxm", "H200": "h200-sxm", "B200": "b200-sxm"}
TOLERANCE = 1e-3  # relative: ratios are rounded to 5 decimals


class ServingResults(dy.Schema):
    """One model served on one kind of accelerator with one batch size."""

    task = dy.String(description="Kind of requests")
    model_id = dy.String(description="Model")
    gpu_model = dy.String(description="Accelerator")
    num_gpus = dy.Int64(min=1, description="Accelerators of the server", metadata={"unit": "GPU"})
    tensor_parallel = dy.Float64(min=1, description="Accelerators that share each layer")
    expert_parallel = dy.Float64(min=1, description="Accelerators that share the experts")
    max_num_seqs = dy.Float64(min=1, description="Most requests at once")
    median_itl_ms = dy.Float64(min_exclusive=0, description="Median time between two tokens of a user", metadata={"unit": "ms"})
    output_throughput_tokens_per_sec = dy.Float64(min=0, description="Tokens of output, all users", metadata={"unit": "tokens/s"})
    tok_per_s_per_gpu = dy.Float64(min=0, description="The same over the accelerators", metadata={"unit": "tokens/s/GPU"})
    interactivity_tok_s_user = dy.Float64(min_exclusive=0, description="Tokens a second of a user", metadata={"unit": "tokens/s"})


def read(path: Path, book: pl.DataFrame) -> Results:
    """The results of a file; `speed` is tokens a second of a user. Raises `InputError` with every fault of its cells."""
    rows, faults = read_checked(path, ServingResults, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    last = pl.col("model_id").str.split("/").list.last()
    shared = pl.col("model_id").n_unique().over(last) > 1  # two publishers of one name are two models
    rows = numbered(rows).with_columns(model=pl.when(shared).then("model_id").otherwise(last))
    rows = rows.with_columns(family=pl.concat_str(slug("model"), slug("task"), separator="-"))
    throughput, gpus = pl.col("output_throughput_tokens_per_sec"), pl.col("num_gpus")
    each = (pl.col("tok_per_s_per_gpu") * gpus - throughput).abs() > TOLERANCE * throughput
    user = (pl.col("interactivity_tok_s_user") * pl.col("median_itl_ms") / 1000 - 1).abs() > TOLERANCE
    still = throughput == 0
    out = [
        left(
            rows.filter(still),
            LeftOutReason.DID_NOT_RUN,
            column="output_throughput_tokens_per_sec",
            value="output_throughput_tokens_per_sec",
            detail="a throughput above 0",
        ),
        unclear(
            rows.filter(~still & each),
            column="tok_per_s_per_gpu",
            value="tok_per_s_per_gpu",
            detail="output_throughput_tokens_per_sec / num_gpus",
        ),
        unclear(
            rows.filter(~still & ~each & user),
            column="interactivity_tok_s_user",
            value="interactivity_tok_s_user",
            detail="1000 / median_itl_ms, in tokens a second",
        ),
    ]
    group = pl.max_horizontal("tensor_parallel", "expert_parallel").cast(pl.Int64)
    frame = rows.with_columns(
        pl.lit("decode").alias("class"),
        unit=pl.lit(TOKENS),
        sku=pl.col("gpu_model").replace(SXM),
        gpus="num_gpus",
        output_per_hour=throughput * MILLION * SECONDS,
        speed="interactivity_tok_s_user",
        domain=group,
        spread=pl.lit(False),
        entry=pl.format("{}, {}, {} x {}, batch {}", "model_id", "task", "num_gpus", "gpu_model", pl.col("max_num_seqs").cast(pl.Int64)),
    )
    return results(frame, left_out=out, book=book, sku="gpu_model")
