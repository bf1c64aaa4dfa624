"""ML.ENERGY, text to image: images a second of diffusion models against the seconds that a batch takes, one row a configuration.

All images of a batch are there when its last step is, so that the latency of an image is that of its batch. Accelerators that share a
batch (Ulysses or ring attention) are the scale-up domain. Images of another size or other steps are another workload.

Columns: as in public/data/tasks/text-to-image.json of github.com/ml-energy/leaderboard. Its H100 and B200 are SXM parts, as for text.
"""

from pathlib import Path

import dataframely as dy
import polars as pl

from tenorgrid.data.benchmarks.ml_energy import SXM, TOLERANCE
from tenorgrid.data.benchmarks.results import SECONDS, THOUSAND, Results, numbered, results, slug, unclear
from tenorgrid.data.errors import InputError
from tenorgrid.data.tables.door import read_checked

IMAGES = "1e3 images"
USUAL = (1024, 1024)  # pixels: the size that a name does not tell


class ImageResults(dy.Schema):
    """One diffusion model on one kind of accelerator with one batch size."""

    model_id = dy.String(description="Model")
    gpu_model = dy.String(description="Accelerator")
    num_gpus = dy.Int64(min=1, description="Accelerators that share a batch", metadata={"unit": "GPU"})
    ulysses_degree = dy.Int64(min=1, description="Accelerators that share the heads of attention")
    ring_degree = dy.Int64(min=1, description="Accelerators that share the sequence of attention")
    batch_size = dy.Int64(min=1, description="Images of a batch")
    image_height = dy.Int64(min=1, description="Height of an image", metadata={"unit": "pixels"})
    image_width = dy.Int64(min=1, description="Width of an image", metadata={"unit": "pixels"})
    inference_steps = dy.Int64(min=1, description="Denoising steps of an image")
    batch_latency_s = dy.Float64(min_exclusive=0, description="Time of a batch", metadata={"unit": "s"})
    throughput_images_per_sec = dy.Float64(min_exclusive=0, description="Images", metadata={"unit": "1/s"})


def read(path: Path, book: pl.DataFrame) -> Results:
    """The results of a file; `speed` is batches a second. Raises `InputError` with every fault of its cells."""
    rows, faults = read_checked(path, ImageResults, attributes=True, empty=False)
    if faults:
        raise InputError(faults)
    rows = numbered(rows).with_columns(model=pl.col("model_id").str.split("/").list.last())
    height, width = pl.col("image_height"), pl.col("image_width")
    size = pl.when((height == USUAL[0]) & (width == USUAL[1])).then(pl.lit("")).otherwise(pl.format("-{}x{}", height, width))
    rows = rows.with_columns(family=pl.concat_str(slug("model"), size, pl.format("-{}-steps", "inference_steps")))
    batch = pl.col("throughput_images_per_sec") * pl.col("batch_latency_s")
    off = (batch / pl.col("batch_size") - 1).abs() > TOLERANCE
    apart = pl.col("ulysses_degree") * pl.col("ring_degree") != pl.col("num_gpus")
    out = [
        unclear(
            rows.filter(off),
            column="throughput_images_per_sec",
            value="throughput_images_per_sec",
            detail="batch_size / batch_latency_s, in images a second",
        ),
        unclear(rows.filter(~off & apart), column="num_gpus", value="num_gpus", detail="ulysses_degree × ring_degree"),
    ]
    frame = rows.with_columns(
        pl.lit("inference").alias("class"),
        unit=pl.lit(IMAGES),
        sku=pl.col("gpu_model").replace(SXM),
        gpus="num_gpus",
        output_per_hour=pl.col("throughput_images_per_sec") * THOUSAND * SECONDS,
        speed=1 / pl.col("batch_latency_s"),
        domain="num_gpus",
        spread=pl.lit(False),
        entry=pl.format("{}, {} x {}, batch {}", "model_id", "num_gpus", "gpu_model", "batch_size"),
    )
    return results(frame, left_out=out, book=book, sku="gpu_model")
